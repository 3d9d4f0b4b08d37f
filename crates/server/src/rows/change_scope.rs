//! What a statement changes, by name.

use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceUserId, ObjectId};
use guestlist_store::{RowKey, Scope};

/// What a statement changes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeScope {
    /// Nothing that a cached answer depends on.
    Nothing,
    /// A user, or what it is a member of.
    User(ApplicationId, ExperienceUserId),
    /// An application, or what several of its users have to do with.
    Application(ApplicationId),
    /// Anything that lists of an application show: what is any of the above changes that too.
    Lists(ApplicationId),
    /// The record of a token.
    Token(ApiTokenId),
    /// Anything.
    Everything,
}

const fn key(kind: u8, first: ObjectId, second: ObjectId) -> RowKey {
    RowKey { kind, ids: [first.bytes(), second.bytes()] }
}

pub(crate) const fn user(application: ApplicationId, user: ExperienceUserId) -> RowKey {
    key(0, application.0, user.0)
}

pub(crate) const fn application(application: ApplicationId) -> RowKey {
    key(1, application.0, application.0)
}

pub(crate) const fn lists(application: ApplicationId) -> RowKey {
    key(2, application.0, application.0)
}

pub(crate) const fn token(token: ApiTokenId) -> RowKey {
    key(3, token.0, token.0)
}

impl From<ChangeScope> for Scope {
    fn from(what: ChangeScope) -> Self {
        let (key, with) = match what {
            ChangeScope::Nothing => return Self::Nothing,
            ChangeScope::Everything => return Self::Everything,
            ChangeScope::User(of, id) => (user(of, id), Some(lists(of))),
            ChangeScope::Application(id) => (application(id), Some(lists(id))),
            ChangeScope::Lists(of) => (lists(of), None),
            ChangeScope::Token(id) => (token(id), None),
        };
        Self::Row { key, with }
    }
}
