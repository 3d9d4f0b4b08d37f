//! The route table: each row names a path, a method, the operation it is (hence who may call it)
//! and the handler. The guard, the scopes in the OpenAPI document, `_links` and `_actions`, and the
//! authorization tests all follow from the row, so there is no route without a rule.

use super::call::{Call, Head, Output};
use super::caller::{Anybody, Caller, RequestText};
use super::input::{Body, In, Params, Raw};
use super::reply::Reply;
use super::schemas::Schemas;
use super::state::App;
use crate::error::Result;
use crate::store::api_tokens::{self, Grant};
use guestlist_api::id::ApiTokenId;
use guestlist_api::scope::Operation;
use guestlist_api::time::DateTime;
use hyper::Method;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A request that has been matched to a row and read off the wire.
pub(super) struct Request {
    pub(super) raw: Raw,
    /// The token that came with it, if one did.
    pub(super) token: Option<Token>,
    pub(super) text: RequestText,
    /// What the answer may be kept ready for.
    pub(super) keep: Option<Box<str>>,
    /// Where it comes from.
    pub(super) peer: IpAddr,
}

/// A token that came with a request.
pub(super) struct Token {
    pub(super) text: String,
    /// Which it is, or why it is none, if that has been looked at.
    pub(super) verified: Option<Result<ApiTokenId>>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// A function that can stand behind a route. `I` tells its shapes apart.
pub(super) trait Endpoint<C, I>: Clone + Send + Sync + 'static {
    /// The name of its body parameter, if it takes one.
    const BODY: Option<&'static str>;
    fn answer(self, app: Arc<App>, operation: Operation, request: Request) -> Answering;
    fn describe(schemas: &mut Schemas) -> Value;
}

impl<F, Fut, C, P, Q, B, O> Endpoint<C, (P, Q, B, O)> for F
where
    F: Fn(Call<C>, In<P, Q, B>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<O>> + Send,
    C: Caller,
    P: Params,
    Q: Params,
    B: Body,
    O: Output,
{
    const BODY: Option<&'static str> = B::NAME;

    /// The order of the checks, which is a fact of the wire: what the request says (400), the
    /// token (401), its scope (403); then the handler asks what exists (404), what is up to date
    /// (412) and what is free (409).
    fn answer(self, app: Arc<App>, operation: Operation, request: Request) -> Answering {
        Box::pin(async move {
            let (input, common) = In::<P, Q, B>::read(request.raw)?;
            let (mut token, mut grant, mut unproven) = (None, None, false);
            if let Some(Token { text, verified }) = request.token {
                let id = match verified {
                    Some(verified) => verified?,
                    None => app.verify(&text, app.clock.now())?,
                };
                (grant, unproven) = app.admit(id, &operation, request.text.is_read()).await?;
                token = Some(id);
            }
            let caller = C::admit(&operation, grant)?;
            let key = caller.grant().and_then(|grant| request.text.key(&common, grant.token));
            let head = Arc::new(Head {
                common,
                key,
                keep: request.keep,
                operation: operation.name(),
                unproven: unproven.into(),
            });
            let call = Call::new(Arc::clone(&app), caller, Arc::clone(&head), request.peer);
            if let Some(reply) = call.replay().await? {
                return Ok(reply);
            }
            let answer = self(call, input).await;
            // A refusal of the token comes before any other, and nobody is answered without proof.
            if let Some(token) = token
                && unproven
                && (answer.is_err() || head.unproven.load(Ordering::Acquire))
            {
                app.authenticate(token).await?;
            }
            Ok(answer?.into_reply())
        })
    }

    fn describe(schemas: &mut Schemas) -> Value {
        let mut parameters = P::describe("path", schemas);
        parameters.extend(Q::describe("query", schemas));
        let mut operation = json!({
            "parameters": parameters,
            "responses": { (O::STATUS.as_str()): O::describe(schemas) },
        });
        if let Some(body) = B::describe(schemas) {
            operation["requestBody"] = body;
        }
        operation
    }
}

type Run = Box<dyn Fn(Arc<App>, Request) -> Answering + Send + Sync>;

/// A row of the table.
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path, its variable parts in braces.
    pub path: &'static str,
    /// What it is, and which scopes allow it.
    pub operation: Operation,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// The name of its body parameter, if it takes one.
    pub body: Option<&'static str>,
    pub(super) run: Run,
    pub(super) describe: fn(&mut Schemas) -> Value,
}

/// Rows that share a path.
pub(super) struct Routes {
    path: &'static str,
    rows: Vec<Route>,
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => {$(
        /// A route for those whose token allows `operation`.
        pub(super) fn $name<I, E: Endpoint<Grant, I>>(
            self,
            operation: Operation,
            summary: &'static str,
            handler: E,
        ) -> Self {
            self.row(Method::$method, operation, summary, handler)
        }
    )*};
}

impl Routes {
    pub(super) fn at(path: &'static str) -> Self {
        Self { path, rows: Vec::new() }
    }

    methods! { get GET post POST patch PATCH delete DELETE }

    /// A route for anybody.
    pub(super) fn open<I, E: Endpoint<Anybody, I>>(
        self,
        method: Method,
        name: &'static str,
        summary: &'static str,
        handler: E,
    ) -> Self {
        self.row(method, Operation::public(name), summary, handler)
    }

    fn row<C, I, E: Endpoint<C, I>>(
        mut self,
        method: Method,
        operation: Operation,
        summary: &'static str,
        handler: E,
    ) -> Self {
        let run: Run =
            Box::new(move |app, request| handler.clone().answer(app, operation, request));
        let (path, describe) = (self.path, E::describe);
        let body = E::BODY;
        self.rows.push(Route { method, path, operation, summary, body, run, describe });
        self
    }

    pub(super) fn into_rows(self) -> Vec<Route> {
        self.rows
    }
}

impl App {
    /// Which token `text` is, at `now`.
    pub(super) fn verify(&self, text: &str, now: DateTime) -> Result<ApiTokenId> {
        self.signer.verify(text, now).map(|verified| verified.id)
    }

    /// What the token `id` allows now.
    async fn authenticate(&self, id: ApiTokenId) -> Result<Grant> {
        let now = self.clock.now();
        if let Some(grant) = self.grants.fresh(&self.store, id, now) {
            return Ok(grant);
        }
        let snapshot = self.store.snapshot_of_token(id);
        let grant = self.store.look_up(move |tx| api_tokens::grant(tx, id, now)).await?;
        self.grants.put(&grant, snapshot);
        Ok(grant)
    }

    /// What the token `id` allows, and whether that has yet to be proven: which a request that only
    /// reads leaves to its own transaction, if as far as is known the token allows `operation`.
    async fn admit(
        &self,
        id: ApiTokenId,
        operation: &Operation,
        reads: bool,
    ) -> Result<(Option<Grant>, bool)> {
        if reads {
            let now = self.clock.now();
            if let Some(grant) = self.grants.fresh(&self.store, id, now) {
                return Ok((Some(grant), false));
            }
            let assumed = self.grants.stale(id);
            if let Some(grant) = assumed.filter(|grant| operation.allowed_to(&grant.scopes)) {
                return Ok((Some(grant), true));
            }
        }
        Ok((Some(self.authenticate(id).await?), false))
    }
}
