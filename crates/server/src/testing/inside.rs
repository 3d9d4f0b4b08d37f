//! What can be done with a test server from inside its process: `/_test/...` and
//! [`Server`](super::Server) do it.

use super::faults::{Faults, Requests};
use super::plan::{self, Known, Plan};
use crate::clock::Settable;
use crate::error;
use crate::mail::{Inbox, Received};
use crate::rest::App;
use crate::server;
use crate::store::{Ephemeral, ephemeral};
use guestlist_api::application::ApplicationPost;
use guestlist_api::id::ApplicationId;
use guestlist_api::time::DateTime;
use std::sync::Arc;

/// What can be done with a running one.
pub(super) struct Inside {
    pub(super) app: Arc<App>,
    pub(super) clock: Arc<Settable>,
    pub(super) known: Known,
    pub(super) faults: Faults,
    pub(super) requests: Requests,
    pub(super) plan: Arc<Plan>,
    pub(super) proof: Ephemeral,
    /// Where the clock stands at first, if it stands.
    pub(super) now: Option<DateTime>,
}

impl Inside {
    /// Makes everything as it was at first: what is in the store, the clock, no faults, and no
    /// requests.
    pub(super) async fn reset(&self) -> error::Result<()> {
        let (plan, proof) = (Arc::clone(&self.plan), self.proof.clone());
        let done = self.app.store.write(move |tx| {
            ephemeral::clear(tx, &proof)?;
            plan.plant(tx)
        });
        done.await?;
        self.app.sign_in_failures.clear();
        self.app.refusals.clear();
        self.app.mail_requests.clear();
        if let Some(inbox) = self.app.mail.inbox() {
            inbox.clear();
        }
        start(&self.clock, self.now);
        self.faults.clear();
        self.requests.clear();
        Ok(())
    }

    /// The mails that were sent, those that are due now among them.
    pub(super) async fn mails(&self) -> error::Result<Vec<Received>> {
        server::drain(&self.app).await?;
        Ok(self.app.mail.inbox().map(Inbox::list).unwrap_or_default())
    }

    /// One more application, and a token that may do everything in it.
    pub(super) async fn tenant(
        &self,
        post: ApplicationPost,
    ) -> error::Result<(ApplicationId, String)> {
        plan::tenant(&self.app, post).await
    }
}

/// The clock stands at `now`, or runs with that of the machine.
pub(super) fn start(clock: &Settable, now: Option<DateTime>) {
    match now {
        Some(now) => clock.set(now),
        None => clock.reset(),
    }
}
