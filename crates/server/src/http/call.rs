//! An authorized call: who asks, and the means to answer.

use super::app::App;
use super::etag::ETag;
use super::input::Common;
use super::reply::Reply;
use super::route::Caller;
use crate::error::{Error, Result};
use crate::store::Tx;
use crate::store::answers::{self, Answer, RequestKey};
use crate::store::api_tokens::{Grant, Owner};
use crate::store::applications::Within;
use crate::store::list::{HEAVIEST_PAGE, too_heavy};
use guestlist_api::entity::{Action, Entity, Link, Success};
use guestlist_api::id::{ApiTokenId, ApplicationId, UserId};
use guestlist_api::time::DateTime;
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

/// Says that an answer is one that was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A resource that is answered with what is known of it beside its fields.
pub(super) trait Resource: Serialize {
    /// The name of the resource, such as `experienceUser`.
    fn resource(&self) -> &'static str;
    /// The variable parts of its path.
    fn ids(&self) -> Vec<(&'static str, String)>;
}

/// What a handler answers with, so that its kind is in its type.
pub(super) trait Output: Send {
    const STATUS: StatusCode;
    fn into_reply(self) -> Reply;
    fn describe(schemas: &mut SchemaGenerator) -> Value;
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
            fn describe(schemas: &mut SchemaGenerator) -> Value {
                let schema = schemas.subschema_for::<T>();
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
    Found OK
    /// 201.
    Created CREATED
}

impl<T: Serialize> Found<T> {
    /// A plain answer, not a resource.
    pub(super) fn plain(value: &T) -> Result<Self> {
        Ok(Self(Reply::json(StatusCode::OK, value)?, PhantomData))
    }
}

/// 204.
pub(super) struct Nothing;

impl Output for Nothing {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    fn into_reply(self) -> Reply {
        Reply::empty(Self::STATUS)
    }
    fn describe(_: &mut SchemaGenerator) -> Value {
        json!({ "description": "No Content" })
    }
}

/// What the head of the request said.
pub(super) struct Head {
    pub(super) common: Common,
    pub(super) key: Option<RequestKey>,
}

/// An authorized call. Clones share it.
pub(super) struct Call<C> {
    pub(super) app: Arc<App>,
    pub(super) caller: Arc<C>,
    head: Arc<Head>,
    /// The moment of the call, the same for everything it does.
    pub(super) now: DateTime,
}

impl<C> Clone for Call<C> {
    fn clone(&self) -> Self {
        let (app, caller, head) = (self.app.clone(), self.caller.clone(), self.head.clone());
        Self { app, caller, head, now: self.now }
    }
}

/// What a handler made of a write.
pub(super) struct Written<T> {
    body: T,
    mint: Option<ApiTokenId>,
}

impl<T> From<T> for Written<T> {
    fn from(body: T) -> Self {
        Self { body, mint: None }
    }
}

impl<T> Written<T> {
    /// The answer is `body`, with the token `id` added to it.
    pub(super) fn with_token(body: T, id: ApiTokenId) -> Self {
        Self { body, mint: Some(id) }
    }
}

impl<C: Caller> Call<C> {
    pub(super) fn new(app: Arc<App>, caller: C, head: Head) -> Self {
        let now = app.clock.now();
        Self { app, caller: Arc::new(caller), head: Arc::new(head), now }
    }

    /// The answer that this very request was given before, if it was.
    pub(super) async fn replay(&self) -> Result<Option<Reply>> {
        let (Some(key), now) = (self.head.key.clone(), self.now) else { return Ok(None) };
        match self.app.store.read(move |tx| answers::find(tx, &key, now)).await? {
            Some(answer) => self.send(answer, true).await.map(Some),
            None => Ok(None),
        }
    }

    /// Sends `answer`, with its token if it has one.
    async fn send(&self, answer: Answer, replayed: bool) -> Result<Reply> {
        let status = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
        let body = match answer.mint {
            Some(id) => self.app.with_token(&answer.body, id).await?,
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
        work: impl Fn(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    ) -> Result<Reply> {
        let (head, now) = (self.head.clone(), self.now);
        let (answer, replayed) = self
            .app
            .store
            .write(move |tx| {
                let Some(key) = &head.key else { return Ok((work(tx)?, false)) };
                if let Some(answer) = answers::find(tx, key, now)? {
                    return Ok((answer, true));
                }
                let answer = work(tx)?;
                answers::keep(tx, key, now, &answer)?;
                Ok((answer, false))
            })
            .await?;
        self.send(answer, replayed).await
    }

    /// Writes something that is not answered as a resource.
    pub(super) async fn do_once<T: Serialize>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<Written<T>> + Send + 'static,
    ) -> Result<Found<T>> {
        let reply = self
            .write(move |tx| {
                let written = work(tx)?;
                let body = serde_json::to_vec(&written.body).map_err(Error::internal)?;
                Ok(Answer { status: 200, etag: None, body, mint: written.mint })
            })
            .await?;
        Ok(Found(reply, PhantomData))
    }
}

impl Call<Grant> {
    /// The application, if the caller may act in it. For anybody else it does not exist.
    pub(super) fn within(&self, application: ApplicationId) -> Result<Within> {
        match self.caller.owner {
            Owner::Application(own) if own != application => Err(Error::NotFound("Application")),
            _ => Ok(Within::allowed(application)),
        }
    }

    /// The administrator who calls. An application's token speaks for none.
    pub(super) fn user(&self) -> Result<UserId> {
        match self.caller.owner {
            Owner::User(user) => Ok(user),
            Owner::Application(_) => Err(Error::NotFound("User")),
        }
    }

    /// `body` with its type, its links and what the caller may do with it.
    pub(super) fn entity<T: Resource>(&self, body: T) -> Entity<T> {
        let (kind, ids) = (body.resource(), body.ids());
        let common = &self.head.common;
        let routes = self.app.routes_of(kind);
        let actions = common.actions.then(|| {
            let allowed = routes.iter().filter(|r| r.operation.allowed_to(&self.caller.scopes));
            let action = |route: &&super::app::ResourceRoute| {
                let action = Action {
                    href: route.href(&ids),
                    method: Cow::Borrowed(route.method),
                    params: route.params.clone(),
                };
                (Cow::Borrowed(route.operation.action()), action)
            };
            allowed.map(|route| action(&route)).collect()
        });
        let links = common.links.then(|| {
            let own = routes.iter().find(|route| route.operation.action() == "get");
            own.map(|route| (Cow::Borrowed("self"), Link { href: route.href(&ids) }))
                .into_iter()
                .collect::<BTreeMap<_, _>>()
        });
        Entity { body, kind: Cow::Borrowed(kind), actions, links }
    }

    /// 412 unless the conditions of the request hold for `current`.
    pub(super) fn check<T: Resource>(&self, current: &T) -> Result<()> {
        let common = &self.head.common;
        if common.if_match.is_none() && common.if_none_match.is_none() {
            return Ok(());
        }
        let etag = etag(current)?;
        let holds = common.if_match.as_ref().is_none_or(|tags| tags.holds(Some(&etag)))
            && common.if_none_match.as_ref().is_none_or(|tags| tags.holds(Some(&etag)));
        if holds { Ok(()) } else { Err(Error::PreconditionFailed) }
    }

    /// Reads a resource.
    pub(super) async fn show<T: Resource + Send + 'static>(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Found<Entity<T>>> {
        let body = self.app.store.read(find).await?;
        let etag = etag(&body)?;
        let common = &self.head.common;
        if common.if_match.as_ref().is_some_and(|tags| !tags.holds(Some(&etag))) {
            return Err(Error::PreconditionFailed);
        }
        let reply = if common.if_none_match.as_ref().is_some_and(|tags| !tags.holds(Some(&etag))) {
            Reply::empty(StatusCode::NOT_MODIFIED)
        } else {
            Reply::json(StatusCode::OK, &self.entity(body))?
        };
        Ok(Found(reply.with(header::ETAG, etag.header()), PhantomData))
    }

    /// Reads a page.
    pub(super) async fn list<T: Resource + Send + 'static>(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Found<Entity<T>>> {
        let page = self.app.store.read(find).await?;
        let reply = Reply::json(StatusCode::OK, &self.entity(page))?;
        if reply.body.len() > HEAVIEST_PAGE {
            return Err(too_heavy());
        }
        Ok(Found(reply, PhantomData))
    }

    async fn write_resource<T: Resource, W: Into<Written<T>>>(
        &self,
        status: StatusCode,
        work: impl Fn(&mut Tx<'_>) -> Result<W> + Send + 'static,
    ) -> Result<Reply> {
        let call = self.clone();
        self.write(move |tx| {
            let written = work(tx)?.into();
            let etag = etag(&written.body)?;
            let body = serde_json::to_vec(&call.entity(written.body)).map_err(Error::internal)?;
            let etag = etag.header().to_str().map(str::to_owned).ok();
            Ok(Answer { status: status.as_u16(), etag, body, mint: written.mint })
        })
        .await
    }

    /// Changes a resource.
    pub(super) async fn change<T: Resource>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Found<Entity<T>>> {
        self.write_resource(StatusCode::OK, work).await.map(|reply| Found(reply, PhantomData))
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
    ) -> Result<Found<Success>> {
        self.do_once(move |tx| work(tx).map(|()| Success { success: true }.into())).await
    }
}

/// The tag of a resource as it is: of its own fields, whatever surrounds them.
fn etag<T: Serialize>(body: &T) -> Result<ETag> {
    Ok(ETag::of(&serde_json::to_vec(body).map_err(Error::internal)?))
}
