//! A test server without a thread of its own: what [`Server`](super::Server) and
//! `guestlist serve --test` have in common.

use super::faults::{Faults, Requests};
use super::inside::{Inside, start};
use super::layer::Layer;
use super::plan::Plan;
use super::seed::Seed;
use crate::auth::hasher::{Hasher, HasherOptions};
use crate::clock::{Clock, Settable};
use crate::http::limits::Limits;
use crate::http::listen;
use crate::mail::{Mail, MailSettings};
use crate::rest::{AppParts, Service};
use crate::server;
use crate::store::{Options, Store};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// A test server that has its socket and is ready to run.
pub(crate) struct Engine {
    pub(super) inside: Arc<Inside>,
    layer: Arc<Layer>,
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

impl Engine {
    /// Makes the store with what `seed` says, and takes the address. With `control` it answers
    /// `/_test/...` as well.
    ///
    /// # Errors
    /// When one of them cannot be had; the message says which and why.
    pub(crate) async fn bind(listen: SocketAddr, seed: Seed, control: bool) -> Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        // Many of these run in one process, and each for few requests.
        let (store, proof) = Store::ephemeral(&Options { readers: 1, ..Options::default() })?;
        let hashing =
            HasherOptions { workers: 1, queue_per_worker: 1024, ..HasherOptions::default() };
        let hasher = Hasher::cheap(&hashing, &proof)?;
        // Nobody waits for the answers when a test ends.
        let limits = Limits { drain: Duration::from_millis(100), ..Limits::default() };
        let (clock, now) = (Arc::new(Settable::running()), seed.now);
        start(&clock, now);
        let issuer = address.to_string();
        let public_url = format!("http://{address}");
        let mail = Mail::new(Some(&MailSettings::memory()), &issuer)?;
        let clock_of_app = Clock::Settable(Arc::clone(&clock));
        let parts = AppParts {
            store,
            hasher,
            clock: clock_of_app,
            issuer,
            public_url,
            public_url_is_for_people: true,
            breached: None,
            mail,
            max_session: None,
            meter: None,
        };
        let service = Service::new(parts, limits).await?;
        let app = Arc::clone(service.app());
        let (plan, known) = Plan::of(seed, &app).await?;
        let plan = Arc::new(plan);
        let planted = Arc::clone(&plan);
        app.store.write(move |tx| planted.plant(tx)).await?;
        let inside = Arc::new(Inside {
            app,
            clock,
            known,
            faults: Faults::default(),
            requests: Requests::default(),
            plan,
            proof,
            now,
        });
        let layer = Arc::new(Layer::new(service, Arc::clone(&inside), control));
        Ok(Self { inside, layer, listener, address, limits })
    }

    /// The address it listens on.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client has to know of it, as JSON for programs.
    pub(crate) fn known(&self) -> Value {
        let known = &self.inside.known;
        json!({
            "url": format!("http://{}", self.address),
            "applicationId": known.application_id,
            "token": known.token,
            "applicationToken": known.application_token,
            "email": known.email,
            "tokens": known.tokens,
        })
    }

    /// Answers requests until `shutdown`, and removes the store.
    pub(crate) async fn run(self, shutdown: impl Future<Output = ()>) {
        let working = tokio::spawn(server::work(Arc::clone(&self.inside.app)));
        listen::serve(self.listener, None, self.layer, self.limits, shutdown).await;
        working.abort();
        self.inside.app.store.clone().close().await;
    }
}
