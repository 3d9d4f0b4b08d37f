//! An authorized call: who asks, and the means to answer.

use super::cached::CacheSlot;
use super::caller::Caller;
use super::etag::ETag;
use super::gate::{Gate, Reach};
use super::input::Common;
use super::reply::Reply;
use super::resource::{self, Envelope, Neighbours, Resource};
use super::schemas::Schemas;
use super::state::App;
use crate::error::{Error, Result};
use crate::store::Tx;
use crate::store::api_tokens::{self, Grant, Principal};
use crate::store::idempotency::{self, Answer, Mint, RequestKey};
use crate::store::tenant::AuthorizedApp;
use guestlist_api::api_token::ApiToken;
use guestlist_api::entity::{Entity, Success};
use guestlist_api::id::{ApplicationId, ExperienceUserId, UserId};
use guestlist_api::scope::{Operation, Scopes};
use guestlist_api::time::DateTime;
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

/// Says that an answer is one that was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a handler answers with, so that its kind is in its type.
pub(super) trait Output: Send {
    const STATUS: StatusCode;
    fn into_reply(self) -> Reply;
    fn describe(schemas: &mut Schemas) -> Value;
}

macro_rules! outputs {
    ($($(#[$doc:meta])* $name:ident $status:ident)*) => {$(
        $(#[$doc])*
        pub(super) struct $name<T>(pub(super) Reply, pub(super) PhantomData<fn() -> T>);

        impl<T: JsonSchema> Output for $name<T> {
            const STATUS: StatusCode = StatusCode::$status;
            fn into_reply(self) -> Reply {
                self.0
            }
            fn describe(schemas: &mut Schemas) -> Value {
                let schema = schemas.answered::<T>();
                json!({
                    "description": Self::STATUS.canonical_reason(),
                    "content": { "application/json": { "schema": schema } },
                })
            }
        }
    )*};
}

outputs! {
    /// 200.
    Okay OK
    /// 201.
    Created CREATED
}

impl<T: Serialize> Okay<T> {
    /// A plain answer, not a resource.
    pub(super) fn plain(value: &T) -> Result<Self> {
        Ok(Self(Reply::json(StatusCode::OK, value)?, PhantomData))
    }
}

/// 204.
pub(super) struct NoContent;

impl Output for NoContent {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    fn into_reply(self) -> Reply {
        Reply::empty(Self::STATUS)
    }
    fn describe(_: &mut Schemas) -> Value {
        json!({ "description": "No Content" })
    }
}

/// What the head of the request said.
pub(super) struct Head {
    pub(super) common: Common,
    pub(super) key: Option<RequestKey>,
    /// Where the answer may be cached.
    pub(super) slot: Option<CacheSlot>,
    /// How much is read.
    pub(super) reach: Reach,
    /// What is done.
    pub(super) operation: Operation,
    /// Where the token stands.
    pub(super) gate: Gate,
}

/// An authorized call. Clones share it.
pub(super) struct Call<C> {
    pub(super) app: Arc<App>,
    pub(super) caller: Arc<C>,
    pub(super) head: Arc<Head>,
    /// The moment of the call, the same for everything it does.
    pub(super) now: DateTime,
    /// Where it comes from.
    pub(super) peer: IpAddr,
}

impl<C> Clone for Call<C> {
    fn clone(&self) -> Self {
        let (app, caller, head) = (self.app.clone(), self.caller.clone(), self.head.clone());
        Self { app, caller, head, now: self.now, peer: self.peer }
    }
}

/// The record of a token, and whether it is that of a session.
pub(super) type Record = (ApiToken, bool);

/// A secret that is added to an answer when it is sent, and not kept with it.
enum Secret {
    Token(Box<Record>),
    Password(ExperienceUserId),
}

impl Secret {
    /// What it is made from again.
    fn mint(&self) -> Mint {
        match self {
            Self::Token(record) => Mint::Token(record.0.id),
            Self::Password(user) => Mint::Password(*user),
        }
    }
}

/// What a handler made of a write.
pub(super) struct Written<T> {
    body: T,
    secret: Option<Secret>,
}

impl<T> From<T> for Written<T> {
    fn from(body: T) -> Self {
        Self { body, secret: None }
    }
}

impl<T> Written<T> {
    /// The answer is `body`, with the token of `record` added to it.
    pub(super) fn with_token(body: T, record: Record) -> Self {
        Self { body, secret: Some(Secret::Token(Box::new(record))) }
    }

    /// The answer is `body`, with the password that `user` was made with added to it.
    pub(super) fn with_password(body: T, user: ExperienceUserId) -> Self {
        Self { body, secret: Some(Secret::Password(user)) }
    }
}

impl<C: Caller> Call<C> {
    pub(super) fn new(app: Arc<App>, caller: C, head: Head, peer: IpAddr) -> Self {
        let now = app.clock.now();
        Self { app, caller: Arc::new(caller), head: Arc::new(head), now, peer }
    }

    /// The answer that this very request was given before, if it was.
    pub(super) async fn replay(&self) -> Result<Option<Reply>> {
        let (Some(key), now) = (self.head.key.clone(), self.now) else { return Ok(None) };
        match self.app.store.look_up(move |tx| idempotency::find(tx, &key, now)).await? {
            Some(answer) => self.send_again(answer).await.map(Some),
            None => Ok(None),
        }
    }

    /// Sends an answer that was given before.
    async fn send_again(&self, answer: Answer) -> Result<Reply> {
        let secret = match answer.mint {
            Some(Mint::Token(id)) => {
                let record = self.app.store.look_up(move |tx| api_tokens::find(tx, id)).await?;
                record.map(|record| Secret::Token(Box::new(record)))
            }
            Some(Mint::Password(user)) => Some(Secret::Password(user)),
            None => None,
        };
        self.send(answer, secret.as_ref(), true)
    }

    /// Sends `answer`, with `secret` in it if there is one.
    fn send(&self, answer: Answer, secret: Option<&Secret>, replayed: bool) -> Result<Reply> {
        let status = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
        let body = match secret {
            Some(Secret::Token(record)) => {
                self.app.with_token(&answer.body, &record.0, record.1)?
            }
            Some(Secret::Password(user)) => self.app.with_password(&answer.body, *user)?,
            None => answer.body,
        };
        let mut reply = Reply::new(status, body);
        if let Some(etag) = answer.etag {
            let etag = HeaderValue::try_from(etag).map_err(Error::internal)?;
            reply = reply.with(header::ETAG, etag);
        }
        if replayed {
            reply = reply.with(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(reply)
    }

    /// Runs `work` once for this request, however often it is sent with its key.
    async fn write(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<(Answer, Option<Secret>)> + Send + 'static,
    ) -> Result<Reply> {
        let (head, now) = (self.head.clone(), self.now);
        let (answer, secret, replayed) = self
            .app
            .store
            .write(move |tx| {
                if let Some(key) = &head.key
                    && let Some(answer) = idempotency::reserve(tx, key, now)?
                {
                    return Ok((answer, None, true));
                }
                let (mut answer, secret) = work(tx)?;
                answer.mint = secret.as_ref().map(Secret::mint);
                if let Some(key) = &head.key {
                    idempotency::keep(tx, key, now, &answer)?;
                }
                Ok((answer, secret, false))
            })
            .await?;
        if replayed {
            return self.send_again(answer).await;
        }
        self.send(answer, secret.as_ref(), false)
    }

    /// Writes something that is not answered as a resource.
    pub(super) async fn do_once<T: Serialize>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<Written<T>> + Send + 'static,
    ) -> Result<Okay<T>> {
        let reply = self
            .write(move |tx| {
                let written = work(tx)?;
                let body = serde_json::to_vec(&written.body).map_err(Error::internal)?;
                Ok((Answer { status: 200, etag: None, body, mint: None }, written.secret))
            })
            .await?;
        Ok(Okay(reply, PhantomData))
    }
}

impl Call<Grant> {
    /// The application, if the caller may act in it. For anybody else it does not exist.
    pub(super) fn within(&self, application: ApplicationId) -> Result<AuthorizedApp> {
        match self.caller.owner {
            Principal::Application(own) if own != application => {
                Err(Error::NotFound("Application"))
            }
            _ => Ok(AuthorizedApp::allowed(application)),
        }
    }

    /// The administrator who calls. An application's token speaks for none.
    pub(super) fn user(&self) -> Result<UserId> {
        match self.caller.owner {
            Principal::User(user) => Ok(user),
            Principal::Application(_) => Err(Error::NotFound("User")),
        }
    }

    /// Whether the caller may do everything that `scopes` allow, and so may pass them on.
    pub(super) fn may_grant(&self, scopes: &Scopes) -> bool {
        let operations = &self.app.catalog.operations;
        scopes.iter().all(|scope| self.caller.scopes.may_grant(scope, operations))
    }

    /// Adds to `out`, which ends with the fields of `body`, what is answered beside them: its type,
    /// what the caller may do with it, and its links, of which some say how a list goes on.
    pub(super) fn write_envelope<T: Resource>(
        &self,
        body: &T,
        neighbours: Neighbours<'_>,
        out: &mut Vec<u8>,
    ) {
        let (kind, common) = (body.resource(), &self.head.common);
        let ids: Vec<_> = body.ids().iter().map(|(name, id)| (*name, id.digits())).collect();
        let envelope = Envelope { kind, ids: &ids, routes: self.app.routes_of(kind), neighbours };
        let allowed = |operation: &Operation| operation.allowed_to(&self.caller.scopes);
        envelope.write(common.actions.then_some(allowed), common.links, out);
    }

    /// 412 unless the conditions of the request hold for `current`.
    pub(super) fn check<T: Resource>(&self, current: &T) -> Result<()> {
        self.check_any(|| Ok([current]))
    }

    /// As [`Call::check`], for a resource that can be read in several forms: it is as it was if
    /// one of them is.
    pub(super) fn check_any<T: Serialize, I: IntoIterator<Item = T>>(
        &self,
        forms: impl FnOnce() -> Result<I>,
    ) -> Result<()> {
        let common = &self.head.common;
        if common.if_match.is_none() && common.if_none_match.is_none() {
            return Ok(());
        }
        let tags: Vec<ETag> =
            forms()?.into_iter().map(|form| etag(&form)).collect::<Result<_>>()?;
        let same = common
            .if_match
            .as_ref()
            .is_none_or(|wanted| tags.iter().any(|tag| wanted.holds(Some(tag))));
        let other = common
            .if_none_match
            .as_ref()
            .is_none_or(|unwanted| tags.iter().all(|tag| unwanted.holds(Some(tag))));
        if same && other { Ok(()) } else { Err(Error::PreconditionFailed) }
    }

    /// Reads from the store, which is asked about the token too if it has not been.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.head.gate.read(&self.app, self.now, self.head.reach, find).await
    }

    /// What `make` answers, which is cached if the row of the table says so.
    pub(super) async fn cached(
        &self,
        make: impl Future<Output = Result<Reply>> + Send,
    ) -> Result<Reply> {
        let (head, app, grant) = (&self.head, &self.app, &self.caller);
        let plain = head.common.if_match.is_none() && head.common.if_none_match.is_none();
        let slot = head.slot.as_ref().filter(|_| plain);
        // Before anything is read.
        let snapshot = slot.and_then(|slot| slot.snapshot(app, &head.gate, grant, self.now));
        let reply = make.await?;
        if let (Some(slot), Some(snapshot)) = (slot, snapshot) {
            slot.fill(app, grant, head.operation.name(), snapshot, &reply);
        }
        Ok(reply)
    }

    /// Reads a resource.
    pub(super) async fn show<T: Resource + Send + 'static>(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Okay<Entity<T>>> {
        let reply = self.cached(async { self.found(&self.read(find).await?) }).await?;
        Ok(Okay(reply, PhantomData))
    }

    /// Answers with `found`, unless the conditions of the request are against it.
    fn found<T: Resource>(&self, found: &T) -> Result<Reply> {
        let mut body = resource::fields(found)?;
        let etag = ETag::of(&body);
        let common = &self.head.common;
        if common.if_match.as_ref().is_some_and(|tags| !tags.holds(Some(&etag))) {
            return Err(Error::PreconditionFailed);
        }
        let reply = if common.if_none_match.as_ref().is_some_and(|tags| !tags.holds(Some(&etag))) {
            Reply::empty(StatusCode::NOT_MODIFIED)
        } else {
            self.write_envelope(found, Neighbours::default(), &mut body);
            Reply::new(StatusCode::OK, body)
        };
        Ok(reply.with(header::ETAG, etag.header()))
    }

    async fn write_resource<T: Resource, W: Into<Written<T>>>(
        &self,
        status: StatusCode,
        work: impl Fn(&mut Tx<'_>) -> Result<W> + Send + 'static,
    ) -> Result<Reply> {
        let call = self.clone();
        self.write(move |tx| {
            let written = work(tx)?.into();
            let mut body = resource::fields(&written.body)?;
            let etag = ETag::of(&body);
            call.write_envelope(&written.body, Neighbours::default(), &mut body);
            let etag = etag.header().to_str().map(str::to_owned).ok();
            Ok((Answer { status: status.as_u16(), etag, body, mint: None }, written.secret))
        })
        .await
    }

    /// Changes a resource.
    pub(super) async fn change<T: Resource>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Okay<Entity<T>>> {
        self.write_resource(StatusCode::OK, work).await.map(|reply| Okay(reply, PhantomData))
    }

    /// Makes a resource.
    pub(super) async fn create<T: Resource, W: Into<Written<T>>>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<W> + Send + 'static,
    ) -> Result<Created<Entity<T>>> {
        let reply = self.write_resource(StatusCode::CREATED, work).await?;
        Ok(Created(reply, PhantomData))
    }

    /// Removes a resource.
    pub(super) async fn remove(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
    ) -> Result<Okay<Success>> {
        self.do_once(move |tx| work(tx).map(|()| Success { success: true }.into())).await
    }
}

/// The tag of a resource as it is: of its own fields, whatever surrounds them.
fn etag<T: Serialize>(body: &T) -> Result<ETag> {
    Ok(ETag::of(&resource::fields(body)?))
}
