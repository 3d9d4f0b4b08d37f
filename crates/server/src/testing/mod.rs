//! The real server inside a test: its own store, which is gone with it, and a token to begin with.
//!
//! ```
//! use guestlist::testing::Server;
//!
//! let server = Server::blocking()?;
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! // Point a client at `server.url()` with `server.token()`, and work in
//! // `server.application_id()`.
//! # anyhow::Ok(())
//! ```
//!
//! Each has an ephemeral store (see [`store::ephemeral`](crate::store::ephemeral)), a runtime on a
//! thread of its own, so that it can be used from any test whether that is `async` or not, and
//! four more threads. It takes a few milliseconds to start and ends when it is dropped.
//! Passwords are hashed cheaply, which no other store allows. All else is what production runs.

mod control;
mod engine;
mod faults;
mod given;
mod inside;
mod layer;
mod plan;
mod seed;

pub use crate::mail::Received;
pub use faults::{Fault, Faults, Seen};
pub use seed::{EMAIL, PASSWORD, Source};

use crate::clock::Settable;
use crate::error::Error;
use anyhow::{Context as _, Result, anyhow};
pub(crate) use engine::Engine;
use guestlist_api::id::ApplicationId;
use guestlist_api::wire;
use inside::Inside;
pub(crate) use seed::Seed;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

/// A server of the test's own. It ends when this is dropped.
pub struct Server {
    url: String,
    inside: Arc<Inside>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A server that has started, as its thread tells of it.
struct Started {
    address: SocketAddr,
    inside: Arc<Inside>,
    runtime: Handle,
}

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    seed: Option<Source>,
}

impl Builder {
    /// What it has at first: the path of a JSON file, or JSON. What can be in it is in
    /// `docs/guide/testing.md`.
    ///
    /// ```
    /// use guestlist::testing::Server;
    /// use serde_json::json;
    ///
    /// let seed = json!({
    ///     "groups": [{ "name": "Staff" }],
    ///     "users": [{ "email": "ada@example.com", "groups": ["Staff"] }],
    ///     "tokens": [{ "name": "reader", "scope": ["all.Application.read"] }],
    /// });
    /// let server = Server::builder().seed(seed).blocking()?;
    /// assert!(server.seeded_token("reader").is_some());
    /// # anyhow::Ok(())
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: impl Into<Source>) -> Self {
        self.seed = Some(seed.into());
        self
    }

    /// Starts it, while the caller's thread does other things.
    ///
    /// # Errors
    /// When there is no thread, no port or no place for the store, or when the seed is not good.
    pub async fn start(self) -> Result<Server> {
        let (tell, told) = oneshot::channel();
        let launched = self.launch(move |started| drop(tell.send(started)))?;
        let started = told.await.context("the server's thread has ended")?;
        Server::of(started, launched)
    }

    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn blocking(self) -> Result<Server> {
        let (tell, told) = mpsc::channel();
        let launched = self.launch(move |started| drop(tell.send(started)))?;
        let started = told.recv().context("the server's thread has ended")?;
        Server::of(started, launched)
    }

    fn launch(self, tell: impl FnOnce(Result<Started>) + Send + 'static) -> Result<Launched> {
        let seed = Seed::load(self.seed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("guestlist-test".to_owned()).spawn(move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tell(Err(error.into())),
            };
            runtime.block_on(async {
                match Engine::bind(SocketAddr::from(([127, 0, 0, 1], 0)), seed, false).await {
                    Ok(engine) => {
                        tell(Ok(Started {
                            address: engine.address(),
                            inside: Arc::clone(&engine.inside),
                            runtime: Handle::current(),
                        }));
                        engine.run(async { drop(stopped.await) }).await;
                    }
                    Err(error) => tell(Err(error)),
                }
            });
        })?;
        Ok(Launched { stop, thread })
    }
}

struct Launched {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts a server, while the caller's thread does other things.
    ///
    /// # Errors
    /// When there is no thread, no port or no place for the store.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// Starts a server, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn blocking() -> Result<Self> {
        Self::builder().blocking()
    }

    /// Says more about the server to start.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn of(started: Result<Started>, launched: Launched) -> Result<Self> {
        let Started { address, inside, runtime } = started?;
        let (stop, thread) = (Some(launched.stop), Some(launched.thread));
        Ok(Self { url: format!("http://{address}"), inside, runtime, stop, thread })
    }

    /// Where it is, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A token of the administrator's that may do everything.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.inside.known.token
    }

    /// The application that is there at first.
    #[must_use]
    pub fn application_id(&self) -> ApplicationId {
        self.inside.known.application_id
    }

    /// A token of that application's that may do everything in it.
    #[must_use]
    pub fn application_token(&self) -> &str {
        &self.inside.known.application_token
    }

    /// The address with which the administrator signs in; the password is [`PASSWORD`] unless the
    /// seed says another.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.inside.known.email
    }

    /// The token that the seed calls `name`, if there is one.
    #[must_use]
    pub fn seeded_token(&self, name: &str) -> Option<&str> {
        self.inside.known.tokens.get(name).map(String::as_str)
    }

    /// Makes one more application, and a token that may do everything in it.
    ///
    /// # Errors
    /// When the name is not one, or the store fails.
    pub fn new_application(&self, name: &str) -> Result<(ApplicationId, String)> {
        let post = wire::read("application", json!({ "name": name })).map_err(Error::Invalid)?;
        let inside = Arc::clone(&self.inside);
        self.wait(async move { inside.tenant(post).await })
    }

    /// The time as the server has it.
    #[must_use]
    pub fn clock(&self) -> &Settable {
        &self.inside.clock
    }

    /// What is to go wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inside.faults
    }

    /// The last 1,000 requests, in the order in which they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.inside.requests.list()
    }

    /// The last 1,000 mails to users, in the order in which they were sent, those that are due now among them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn mails(&self) -> Result<Vec<Received>> {
        let inside = Arc::clone(&self.inside);
        self.wait(async move { inside.mails().await })
    }

    /// Makes everything as it was at first, under the same ids and with the same tokens.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reset(&self) -> Result<()> {
        let inside = Arc::clone(&self.inside);
        self.wait(async move { inside.reset().await })
    }

    /// Waits for `work`, which the server's own thread does: also from within a runtime.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = crate::error::Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = mpsc::channel();
        self.runtime.spawn(async move { drop(tell.send(work.await)) });
        Ok(told.recv().map_err(|_| anyhow!("the server has ended"))??)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // a panic has been reported by its hook
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Runs the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/guide/testing.md")]
struct Guide;
