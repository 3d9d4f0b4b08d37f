//! What the bearer of a token may put into another token.

use super::words;
use super::{Operation, Scope, Scopes};

/// What the scopes `all.<realm>` and `only.<realm>` reach.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Realm {
    Device,
    Application,
    OnlyOrganization,
    Organization,
    Instance,
    OnlyUser,
    User,
}

/// How much of its realm a wide scope reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Full,
    Bounded,
    Read,
    Cli,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Wide {
    realm: Realm,
    reach: Reach,
}

/// The three shapes of a word.
enum Shape {
    Wide(Wide),
    /// `resource.*`
    Every(&'static str),
    /// `resource.action`
    One(&'static str),
}

fn shape(scope: Scope) -> Shape {
    let (resource, rest) = words::halves(scope.as_str());
    let (set, narrowed) = words::halves(rest);
    let realm = match (resource, set) {
        ("all", "Device") => Realm::Device,
        ("all", "Application") => Realm::Application,
        ("only", "Organization") => Realm::OnlyOrganization,
        ("all", "Organization") => Realm::Organization,
        ("all", "Instance") => Realm::Instance,
        ("only", "User") => Realm::OnlyUser,
        ("all", "User") => Realm::User,
        (_, "*") => return Shape::Every(resource),
        _ => return Shape::One(resource),
    };
    let reach = match narrowed {
        "bounded" => Reach::Bounded,
        "read" => Reach::Read,
        "cli" => Reach::Cli,
        _ => Reach::Full,
    };
    Shape::Wide(Wide { realm, reach })
}

impl Wide {
    /// Whether everything in `other` is in here. The platform's lists add up: all.User is
    /// all.Organization, all.Instance and only.User, and all.Organization is all.Application and
    /// only.Organization, at each reach. The reaches of all.Device are not known to, so it takes
    /// the full ones to grant it.
    fn covers(self, other: Self) -> bool {
        let reach = self.reach == other.reach
            || self.reach == Reach::Full
            || (self.reach == Reach::Bounded && other.reach != Reach::Full);
        let realm = match (self.realm, other.realm) {
            (ours, theirs) if ours == theirs => true,
            (Realm::Application | Realm::Organization | Realm::User, Realm::Device) => {
                self.reach == Reach::Full
            }
            (Realm::User, _)
            | (Realm::Organization, Realm::Application | Realm::OnlyOrganization) => true,
            _ => false,
        };
        reach && realm
    }

    /// Whether it holds `word`, about which this server knows only in which list it is.
    fn lists(self, word: Scope) -> bool {
        let lists = match self.realm {
            Realm::Application => 1,
            Realm::Organization => 2,
            Realm::User => return self.reach == Reach::Full,
            _ => 0,
        };
        self.reach == Reach::Full && words::list(word.0) < lists
    }
}

impl Scopes {
    /// Whether the bearer of these may make a token with the scope `wanted`: only if every
    /// action that it allows, here or on the whole platform, is allowed to the bearer. All that
    /// this server can do is in `operations`.
    ///
    /// `resource.*` is not granted by a list of its actions, because it may come to hold more.
    #[must_use]
    pub fn may_grant(&self, wanted: Scope, operations: &[Operation]) -> bool {
        self.contains(wanted)
            || (self.iter().any(|held| covers(held, wanted, operations))
                // Whatever the sets of the platform are, nothing of ours is given away.
                && operations
                    .iter()
                    .filter(|operation| operation.is_allowed_by(wanted))
                    .all(|operation| operation.allowed_to(self)))
    }
}

fn covers(held: Scope, wanted: Scope, operations: &[Operation]) -> bool {
    let holds = |wide: Wide, word: Scope| match operations
        .iter()
        .find(|operation| operation.name() == word.as_str())
    {
        Some(operation) => operation.is_allowed_by(held),
        None => wide.lists(word),
    };
    match (shape(held), shape(wanted)) {
        (Shape::Every(held), Shape::One(wanted)) => held == wanted,
        (Shape::Wide(held), Shape::Wide(wanted)) => held.covers(wanted),
        (Shape::Wide(wide), Shape::One(_)) => holds(wide, wanted),
        (Shape::Wide(wide), Shape::Every(resource)) => Scope::all()
            .filter(|&word| matches!(shape(word), Shape::One(of) if of == resource))
            .all(|word| holds(wide, word)),
        _ => false,
    }
}
