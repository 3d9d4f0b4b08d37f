//! Snapshots of what an answer depends on.

use super::{Snapshot, Store};
use crate::rows::change_scope;
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceUserId};

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
        let user = change_scope::user(of, user);
        self.snapshot_of_rows([
            Some(change_scope::application(of)),
            Some(user),
            Some(change_scope::token(token)),
        ])
    }

    /// As [`Store::snapshot`], for lists of the users or the groups of an application.
    #[must_use]
    pub fn snapshot_of_lists(&self, of: ApplicationId, token: ApiTokenId) -> Option<Snapshot> {
        self.snapshot_of_rows([
            Some(change_scope::lists(of)),
            Some(change_scope::token(token)),
            None,
        ])
    }

    /// As [`Store::snapshot`], for whether `token` is good.
    #[must_use]
    pub fn snapshot_of_token(&self, token: ApiTokenId) -> Option<Snapshot> {
        self.brief_snapshot(change_scope::token(token))
    }
}
