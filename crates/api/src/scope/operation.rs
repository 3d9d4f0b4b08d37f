//! Operations, and which scopes allow them.

use super::words::{self, Set};
use super::{Scope, Scopes};
use std::fmt;

/// What an operation acts in, which decides the wide scopes that allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Realm {
    Application,
    Organization,
    User,
}

/// The wide scopes of each [`Realm`] in turn.
type Wide = [&'static [&'static str]; 3];

macro_rules! wide {
    ($narrowed:literal) => {
        [
            &[
                concat!("all.Application", $narrowed),
                concat!("all.Organization", $narrowed),
                concat!("all.User", $narrowed),
            ],
            &[
                concat!("all.Organization", $narrowed),
                concat!("all.User", $narrowed),
                concat!("only.Organization", $narrowed),
            ],
            &[concat!("all.User", $narrowed), concat!("only.User", $narrowed)],
        ]
    };
}

const FULL: Wide = wide!("");
const BOUNDED: Wide = wide!(".bounded");
const READ: Wide = wide!(".read");
const CLI: Wide = [&["all.Application.cli", "all.User.cli"], &["all.User.cli"], &["all.User.cli"]];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Public,
    Scoped(Realm, Set),
}

/// Something the API can do, such as `experienceUser.get`, and what a token needs for it.
///
/// The scopes follow from what the operation is, so no list of them can be wrong; and one that
/// needs none has to say so. Made in a constant, it costs nothing at run time, and compiles only if
/// there is a word for it: the platform's in `scopes.txt`, or one of ours in `scopes-ours.txt`.
///
/// ```
/// # use guestlist_api::scope::Operation;
/// const GET: Operation = Operation::application("experienceUser.get").read();
/// ```
///
/// ```compile_fail
/// # use guestlist_api::scope::Operation;
/// const POLISH: Operation = Operation::application("experienceUser.polish").read();
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    name: &'static str,
    access: Access,
}

impl Operation {
    /// `name` needs no token.
    #[must_use]
    pub const fn public(name: &'static str) -> Self {
        Self { name, access: Access::Public }
    }

    /// `name` acts inside an application.
    #[must_use]
    pub const fn application(name: &'static str) -> Self {
        Self::scoped(name, Realm::Application)
    }

    /// `name` acts inside an organization, but inside none of its applications.
    #[must_use]
    pub const fn organization(name: &'static str) -> Self {
        Self::scoped(name, Realm::Organization)
    }

    /// `name` acts on what belongs to the calling user alone.
    #[must_use]
    pub const fn user(name: &'static str) -> Self {
        Self::scoped(name, Realm::User)
    }

    /// It changes nothing: the `.read` scopes allow it too.
    #[must_use]
    pub const fn read(self) -> Self {
        self.change(&READ, true)
    }

    /// It administers credentials: the `.bounded` scopes do not allow it.
    #[must_use]
    pub const fn credential(self) -> Self {
        self.change(&BOUNDED, false)
    }

    /// The platform's command line needs it: the `.cli` scopes allow it too.
    #[must_use]
    pub const fn cli(self) -> Self {
        self.change(&CLI, true)
    }

    const fn scoped(name: &'static str, realm: Realm) -> Self {
        let (resource, action) = words::halves(name);
        let word = words::find(resource, action);
        assert!(word.is_some(), "an operation is a word in scopes.txt or scopes-ours.txt");
        let mut own = Set::EMPTY;
        if let Some(word) = word {
            own = own.with(word);
        }
        if let Some(word) = words::find(resource, "*") {
            own = own.with(word);
        }
        let operation = Self { name, access: Access::Scoped(realm, own) };
        operation.change(&FULL, true).change(&BOUNDED, true)
    }

    const fn change(mut self, wide: &Wide, add: bool) -> Self {
        if let Access::Scoped(realm, mut set) = self.access {
            let texts = wide[realm as usize];
            let mut at = 0;
            while at < texts.len() {
                let (kind, set_name) = words::halves(texts[at]);
                if let Some(word) = words::find(kind, set_name) {
                    set = if add { set.with(word) } else { set.without(word) };
                }
                at += 1;
            }
            self.access = Access::Scoped(realm, set);
        }
        self
    }

    /// Its name: `experienceUser.get`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The first half of its name: `experienceUser`.
    #[must_use]
    pub const fn resource(&self) -> &'static str {
        words::halves(self.name).0
    }

    /// The second half of its name: `get`.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        words::halves(self.name).1
    }

    /// Whether it needs no token.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.access, Access::Public)
    }

    /// The scopes that allow it; none when it is public.
    pub fn allowed_by(self) -> impl Iterator<Item = Scope> {
        Scope::all().filter(move |&scope| self.is_allowed_by(scope))
    }

    /// Whether `scope` alone allows it. The check is equality of whole words, as on the platform:
    /// `experienceUser.*` does not allow `experienceUsers.get`.
    #[must_use]
    pub const fn is_allowed_by(&self, scope: Scope) -> bool {
        match &self.access {
            Access::Public => false,
            Access::Scoped(_, set) => set.has(scope.0),
        }
    }

    /// Whether a token with the scopes `held` may call it.
    #[must_use]
    pub fn allowed_to(&self, held: &Scopes) -> bool {
        match &self.access {
            Access::Public => true,
            Access::Scoped(_, set) => set.meets(&held.set),
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation({})", self.name)
    }
}
