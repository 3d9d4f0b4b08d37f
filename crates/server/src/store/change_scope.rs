//! What a statement changes, by name; and the snapshots of what an answer depends on.

use super::{Snapshot, Store};
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

const fn user(application: ApplicationId, user: ExperienceUserId) -> RowKey {
    key(0, application.0, user.0)
}

const fn application(application: ApplicationId) -> RowKey {
    key(1, application.0, application.0)
}

const fn lists(application: ApplicationId) -> RowKey {
    key(2, application.0, application.0)
}

const fn token(token: ApiTokenId) -> RowKey {
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

impl Store {
    /// What the answer to the bearer of `token` who asks for `user` depends on, as it is now. Taken
    /// before the read that the answer is made of begins, it tells later whether the answer stands.
    /// `None` while that is changing.
    #[must_use]
    pub fn snapshot(
        &self,
        of: ApplicationId,
        user: ExperienceUserId,
        token: ApiTokenId,
    ) -> Option<Snapshot> {
        let user = self::user(of, user);
        self.snapshot_of_rows([Some(application(of)), Some(user), Some(self::token(token))])
    }

    /// As [`Store::snapshot`], for lists of the users or the groups of an application.
    #[must_use]
    pub fn snapshot_of_lists(&self, of: ApplicationId, token: ApiTokenId) -> Option<Snapshot> {
        self.snapshot_of_rows([Some(lists(of)), Some(self::token(token)), None])
    }

    /// As [`Store::snapshot`], for whether `token` is good.
    #[must_use]
    pub fn snapshot_of_token(&self, token: ApiTokenId) -> Option<Snapshot> {
        self.brief_snapshot(self::token(token))
    }
}
