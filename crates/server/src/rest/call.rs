//! An authorized call: who asks, and the means to answer. What handlers do with a resource is in
//! `actions.rs`, and what they do with a list in `pages.rs`.

use super::cached::CacheSlot;
use super::caller::Caller;
use super::gate::Gate;
use super::idempotency::{self, Before, Secret, Written};
use super::input::Common;
use super::outcome::{Created, Okay};
use super::resource::{Envelope, Neighbours, Resource};
use super::state::App;
use crate::audit::{By, Entry};
use crate::auth::places::Asker;
use crate::error::{Error, Result};
use crate::http::reply::Reply;
use crate::rows::idempotency::{Answer, Outline, RequestKey};
use crate::rows::tenant::AuthorizedApp;
use crate::rows::{RowChange, Tx};
use crate::store::{Snapshot, Store};
use crate::tokens::grant::Grant;
use crate::tokens::rows::Principal;
use guestlist_api::id::{ApplicationId, UserId};
use guestlist_api::scope::{Operation, Scopes};
use guestlist_api::time::DateTime;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde::Serialize;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of the request beside its input, from the moment that it was let in.
pub(crate) struct RequestContext {
    pub(crate) common: Common,
    /// The store, as the caller takes turns in it.
    pub(crate) store: Store,
    pub(crate) key: Option<RequestKey>,
    /// Where the answer may be cached.
    pub(crate) slot: Option<CacheSlot>,
    /// What is done.
    pub(crate) operation: Operation,
    /// Where the token stands.
    pub(crate) gate: Gate,
    /// The name of the request in the log; reads have none.
    pub(crate) request_id: Option<HeaderValue>,
    /// What is logged when the transaction is committed that did it.
    pub(crate) noted: Mutex<Vec<Entry>>,
}

impl RequestContext {
    fn noted(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An authorized call. Clones share it.
pub(crate) struct Call<C> {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Arc<C>,
    pub(crate) context: Arc<RequestContext>,
    /// The moment of the call, the same for everything it does.
    pub(crate) now: DateTime,
    /// Where it comes from.
    pub(crate) peer: IpAddr,
    /// Whether it was done before, and is to be answered with what there is now.
    pub(crate) done: bool,
}

impl<C> Clone for Call<C> {
    fn clone(&self) -> Self {
        let (app, caller, context) = (self.app.clone(), self.caller.clone(), self.context.clone());
        Self { app, caller, context, now: self.now, peer: self.peer, done: self.done }
    }
}

impl<C: Caller> Call<C> {
    pub(crate) fn new(app: Arc<App>, caller: C, context: RequestContext, peer: IpAddr) -> Self {
        let now = app.clock.now();
        let (caller, context) = (Arc::new(caller), Arc::new(context));
        Self { app, caller, context, now, peer, done: false }
    }

    /// The store, as the caller takes turns in it.
    pub(crate) fn store(&self) -> &Store {
        &self.context.store
    }

    /// Whom a hash is made for, where a token was shown.
    pub(crate) fn asker(&self) -> Asker {
        Asker::Holder(self.store().flow())
    }

    /// What became of this very request before.
    pub(crate) async fn before(&self) -> Result<Before> {
        let key = self.context.key.clone();
        idempotency::before(&self.app, self.store(), key, self.now).await
    }

    /// The answer that this very request was given before, if it was.
    pub(crate) async fn replay(&self) -> Result<Option<Reply>> {
        Ok(if let Before::Answer(reply) = self.before().await? { Some(reply) } else { None })
    }

    /// Runs `work`, which may be the change of a `row`, once for this request, however often it is
    /// sent with its key. What it answered may be what `read_again` gives, with its tag.
    pub(crate) fn write(
        &self,
        row: impl Fn() -> Option<RowChange> + Send + 'static,
        work: impl Fn(&mut Tx<'_>) -> Result<(Answer, Option<Secret>)> + Send + 'static,
        read_again: impl Fn(&mut Tx<'_>, &Outline) -> Result<Option<(String, Vec<u8>)>> + Send + 'static,
    ) -> impl Future<Output = Result<Reply>> + Send {
        let (call, context, asks) = (self.clone(), &self.context, Arc::clone(&self.context));
        let row = move || row().map(|row| asks.gate.asking(row));
        let work = move |tx: &mut Tx<'_>| {
            // It may be run again.
            call.context.noted().clear();
            call.context.gate.write(&call.app, tx, call.now, &work)
        };
        let key = (context.key.clone(), self.now);
        let written = idempotency::write(&self.app, self.store(), key, row, work, read_again);
        async move {
            let reply = written.await;
            self.tell(&reply);
            reply
        }
    }

    /// Logs what was noted in the transaction that came to `done`.
    fn tell<T>(&self, done: &Result<T>) {
        let unknown = matches!(done, Err(Error::Unknown { .. }));
        if done.is_ok() || unknown {
            let noted = std::mem::take(&mut *self.context.noted());
            for entry in &noted {
                self.count(entry);
                entry.log(&By { unknown, ..self.by() });
            }
        }
    }

    /// Notes, in a transaction, what it does to a credential. It is logged when that is committed.
    pub(crate) fn note(&self, entry: Entry) {
        self.context.noted().push(entry);
    }

    /// Logs something of a credential that is done, or was refused.
    pub(crate) fn log(&self, entry: &Entry) {
        self.count(entry);
        entry.log(&self.by());
    }

    fn count(&self, entry: &Entry) {
        if let Some(meter) = &self.app.meter {
            meter.noted(entry);
        }
    }

    fn by(&self) -> By<'_> {
        let (grant, context) = (self.caller.grant(), &self.context);
        By {
            who: grant.map(|grant| grant.owner),
            otherwise: "nobody",
            token: grant.map(|grant| grant.token),
            operation: Some(context.operation.name()),
            request_id: context.request_id.as_ref().and_then(|id| id.to_str().ok()),
            peer: Some(self.peer),
            unknown: false,
        }
    }

    /// Does `part` of what takes long, each time in a transaction of its own, until there is nothing left
    /// to do so for: whoever writes meanwhile has their turn in between. It is told whether it is the first.
    /// Says whether any was done. What is left if this is broken off is done when it is asked again.
    pub(crate) async fn in_parts(
        &self,
        part: impl Fn(&mut Tx<'_>, bool) -> Result<bool> + Clone + Send + 'static,
    ) -> Result<bool> {
        let mut begun = false;
        loop {
            let (call, part) = (self.clone(), part.clone());
            let work = move |tx: &mut Tx<'_>| {
                call.context.gate.write(&call.app, tx, call.now, |tx| part(tx, !begun))
            };
            if !self.store().write(work).await? {
                return Ok(begun);
            }
            begun = true;
        }
    }

    /// Writes what is answered with a secret that nothing makes again, so that no `Idempotency-Key` keeps the
    /// answer: what is sent again is done again.
    pub(crate) async fn write_unkept<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let call = self.clone();
        let work = move |tx: &mut Tx<'_>| {
            // It may be run again.
            call.context.noted().clear();
            call.context.gate.write(&call.app, tx, call.now, &work)
        };
        let done = self.store().write(work).await;
        self.tell(&done);
        done
    }

    async fn plain_once<T: Serialize>(
        &self,
        status: StatusCode,
        work: impl Fn(&mut Tx<'_>) -> Result<Written<T>> + Send + 'static,
    ) -> Result<Reply> {
        self.write(
            || None,
            move |tx| {
                let (written, status) = (work(tx)?, status.as_u16());
                let body = serde_json::to_vec(&written.body).map_err(Error::internal)?;
                let answer = Answer { status, etag: None, body, mint: None, resource: None };
                Ok((answer, written.secret))
            },
            |_, _| Ok(None),
        )
        .await
    }

    /// Reads from the store, which is asked about the token too if it has not been.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        self.context.gate.read(&self.app, self.store(), self.now, find)
    }

    /// Writes something that is not answered as a resource.
    pub(crate) async fn do_once<T: Serialize>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<Written<T>> + Send + 'static,
    ) -> Result<Okay<T>> {
        Ok(Okay(self.plain_once(StatusCode::OK, work).await?, PhantomData))
    }

    /// Makes something that is not answered as a resource.
    pub(crate) async fn make_once<T: Serialize>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<Written<T>> + Send + 'static,
    ) -> Result<Created<T>> {
        Ok(Created(self.plain_once(StatusCode::CREATED, work).await?, PhantomData))
    }
}

impl Call<Grant> {
    /// The application, if the caller may act in it. For anybody else it does not exist.
    pub(crate) fn authorized_app(&self, application: ApplicationId) -> Result<AuthorizedApp> {
        match self.caller.owner {
            Principal::Application(own) if own != application => {
                Err(Error::NotFound("Application"))
            }
            _ => Ok(AuthorizedApp::allowed(application)),
        }
    }

    /// The administrator who calls. An application's token speaks for none.
    pub(crate) fn user(&self) -> Result<UserId> {
        match self.caller.owner {
            Principal::User(user) => Ok(user),
            Principal::Application(_) => Err(Error::NotFound("User")),
        }
    }

    /// Whether the caller may do everything that `scopes` allow, and so may pass them on.
    pub(crate) fn may_grant(&self, scopes: &Scopes) -> bool {
        let operations = &self.app.catalog.operations;
        scopes.iter().all(|scope| self.caller.scopes.may_grant(scope, operations))
    }

    /// Adds to `out`, which ends with the fields of `body`, what is answered beside them: its type,
    /// what the caller may do with it, and its links, of which some say how a list goes on.
    pub(crate) fn write_envelope<T: Resource>(
        &self,
        body: &T,
        neighbours: Neighbours<'_>,
        out: &mut Vec<u8>,
    ) {
        let (kind, common) = (body.resource(), &self.context.common);
        let ids: Vec<_> = body.ids().iter().map(|(name, id)| (*name, id.digits())).collect();
        let envelope = Envelope { kind, ids: &ids, routes: self.app.routes_of(kind), neighbours };
        let allowed = |operation: &Operation| operation.allowed_to(&self.caller.scopes);
        envelope.write(common.actions.then_some(allowed), common.links, out);
    }

    /// 412 unless the conditions of the request hold for `current`.
    pub(crate) fn check<T: Resource>(&self, current: &T) -> Result<()> {
        self.check_any(|| Ok([current]))
    }

    /// As [`Call::check`], for a resource that can be read in several forms: it is as it was if
    /// one of them is.
    pub(crate) fn check_any<T: Serialize, I: IntoIterator<Item = T>>(
        &self,
        forms: impl FnOnce() -> Result<I>,
    ) -> Result<()> {
        self.context.common.conditions.check(forms)
    }

    /// What the answer depends on, taken before anything is read, if the row of the table says that
    /// it is cached.
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        let context = &self.context;
        let slot = context.slot.as_ref().filter(|_| context.common.conditions.are_none())?;
        slot.snapshot(&self.app, &context.gate, &self.caller, self.now)
    }

    /// Caches `reply`, which was made after `snapshot` was taken, if one was.
    pub(crate) fn cache(&self, snapshot: Option<Snapshot>, reply: &Reply) {
        if let (Some(snapshot), Some(slot)) = (snapshot, &self.context.slot) {
            let made = (self.context.operation.name(), self.store().flow());
            slot.fill(&self.app, &self.caller, made, snapshot, reply);
        }
    }
}
