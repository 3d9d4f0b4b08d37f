//! The client for programs that are not asynchronous.

use crate::client::Core;
use crate::config::Config;
use crate::error::Error;
use crate::request::{Reply, Request};
use crate::token::Token;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Builder, Handle, Runtime};

/// A client of one server for threads that wait. Clones share its connections.
///
/// A request runs on the thread that waits for it, so that no thread has to wake another, and each
/// of the threads that wait at the same time has a connection of its own.
#[derive(Clone)]
pub struct Client {
    core: Core,
    workers: Arc<Mutex<Vec<Worker>>>,
}

/// What one request at a time runs on.
struct Worker {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    http: reqwest::Client,
    /// The process that made it: after a fork its sockets belong to the parent.
    process: u32,
}

impl Worker {
    fn run<F: Future<Output = Result<Reply, Error>>>(&self, work: F) -> Result<Reply, Error> {
        let gone = || Error::Config("the client has ended".into());
        self.runtime.as_ref().ok_or_else(gone)?.block_on(async {
            // Nothing ran since the last request. What came meanwhile is looked at first, so that
            // no request goes into a connection that the server has closed.
            tokio::task::yield_now().await;
            work.await
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may be on a thread of another runtime, which must not wait for this one to end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("core", &self.core).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that does as `config` says. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] if the URL or the token cannot be used.
    pub fn new(config: Config) -> Result<Self, Error> {
        let core = Core::new(config)?;
        let client = Self { core, workers: Arc::default() };
        let worker = client.worker()?;
        client.give_back(worker);
        Ok(client)
    }

    /// The same, but with another token. They share connections.
    ///
    /// # Errors
    /// [`Error::Config`] if the token cannot be sent.
    pub fn with_token(&self, token: &Token) -> Result<Self, Error> {
        Ok(Self { core: self.core.with_token(token)?, workers: Arc::clone(&self.workers) })
    }

    /// Sends `request`, again if it is safe and may help, and waits for the whole answer. On a
    /// thread of an asynchronous runtime this works as well, but keeps that thread from its other
    /// work.
    ///
    /// # Errors
    /// Each [`Error`]: what the last attempt ended in.
    pub fn send(&self, request: &Request) -> Result<Reply, Error> {
        let worker = self.take()?;
        let work = || worker.run(self.core.send(&worker.http, request));
        let answer = if Handle::try_current().is_ok() {
            // A runtime cannot be driven from within another.
            std::thread::scope(|threads| threads.spawn(work).join())
                .unwrap_or_else(|_| Err(Error::Config("the thread of the request failed".into())))
        } else {
            work()
        };
        self.give_back(worker);
        answer
    }

    /// A worker that nobody uses, or a new one.
    fn take(&self) -> Result<Worker, Error> {
        let process = std::process::id();
        loop {
            let free = self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match free {
                Some(worker) if worker.process == process => return Ok(worker),
                // To close it would reach into the parent's runtime, which shares its sockets.
                Some(parents) => std::mem::forget(parents),
                None => return self.worker(),
            }
        }
    }

    fn give_back(&self, worker: Worker) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    fn worker(&self) -> Result<Worker, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Config(format!("cannot begin: {error}")))?;
        Ok(Worker {
            runtime: Some(runtime),
            http: self.core.connect()?,
            process: std::process::id(),
        })
    }
}
