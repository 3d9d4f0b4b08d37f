//! The route table: each row names a path, a method, the operation it is (hence who may call it)
//! and the handler. The gate, the scopes in the OpenAPI document, `_links` and `_actions`, and the
//! authorization tests all follow from the row, so there is no route without a rule.
//!
//! **The signature is the specification.** A handler is an ordinary function:
//!
//! ```text
//! async fn patch(call: Call<Grant>, input: In<OneExperienceUser, (), ExperienceUserPatch>)
//!     -> Result<Okay<Entity<ExperienceUser>>>
//! ```
//!
//! `Call<Grant>` says that it needs a token, and [`Routes::get`] and its siblings take no other
//! handler; one that takes a `Call<Anybody>` has to be put into the table by [`Routes::open`]. The
//! three types of [`In`] are what is read of the path, the query and the body, by rules that the
//! types state themselves. The type of the answer has its status and its schema. [`Endpoint`] is
//! implemented for all such functions: it calls them, and it describes them to the OpenAPI
//! document. So what is documented is what is compiled, and no annotation repeats a signature.
//!
//! **The order of the checks** is a fact of the wire, and [`Endpoint::answer`] is the one place that
//! has it: what the request says (400), its token (401), the scopes of that (403). Then the handler
//! asks, in one transaction, what exists (404), what is up to date (412) and what is free (409).
//! Everything that is wrong with what a request says is told in one answer.
//!
//! **Caching is said by the row** as well: [`Routes::cached`], with what its answers depend on. A
//! handler calls `show`, `find` or `list` either way.
//!
//! **Proving while reading.** A read may be let in before its token is proven, and asks the store
//! about it in its own transaction; `gate.rs` says why and how far that goes. Nothing of it is seen
//! here, but that an answer leaves by the gate that it came in by.

use super::cached::{CacheSlot, DependsOn};
use super::call::{Call, RequestContext};
use super::caller::{Anybody, Caller, RequestText};
use super::gate::{Gate, Token};
use super::idempotency::Before;
use super::input::{Body, In, Params, Raw};
use super::outcome::Output;
use super::schemas::Schemas;
use super::state::App;
use super::visitor::Visitor;
use crate::error::Result;
use crate::http::heavy::{HEAVY, away};
use crate::http::reply::Reply;
use crate::tokens::grant::Grant;
use crate::tokens::rows::Principal;
use guestlist_api::scope::Operation;
use hyper::Method;
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// A request that has been matched to a row and read off the wire.
pub(crate) struct Request {
    pub(crate) raw: Raw,
    /// The token that came with it, if one did.
    pub(crate) token: Option<Token>,
    pub(crate) text: RequestText,
    /// Where its answer may be cached.
    pub(crate) slot: Option<CacheSlot>,
    /// Where it comes from.
    pub(crate) peer: IpAddr,
    /// Its name in the log, if it may change something.
    pub(crate) id: Option<HeaderValue>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// A function that can stand behind a route. `I` tells its shapes apart.
pub(crate) trait Endpoint<C, I>: Clone + Send + Sync + 'static {
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
            let Request { raw, token, text, slot, peer, id } = request;
            let (input, common) = if text.body.len() <= HEAVY {
                In::<P, Q, B>::read(raw)?
            } else {
                away(move || In::<P, Q, B>::read(raw)).await??
            };
            let reads = text.is_read();
            let (caller, gate) = Gate::enter::<C>(&app, token, &operation, reads).await?;
            let key = caller.grant().and_then(|grant| text.key(&common, grant.token));
            let store = match caller.grant().map(|grant| grant.owner) {
                // Whoever acts in an application takes the turn of that.
                Some(Principal::User(user)) => match text.application {
                    Some(application) => app.store.for_application(application),
                    None => app.store.for_administrator(user),
                },
                Some(Principal::Application(id)) => app.store.for_application(id),
                None => app.store.for_network(peer),
            };
            let flow = store.flow();
            let (request_id, noted) = (id, Mutex::default());
            let context =
                RequestContext { common, store, key, slot, operation, gate, request_id, noted };
            let mut call = Call::new(Arc::clone(&app), caller, context, peer);
            match call.before().await? {
                Before::Answer(reply) => return Ok(reply.to(flow)),
                Before::Outline => call.done = true,
                Before::Nothing => {}
            }
            let context = Arc::clone(&call.context);
            let answer = self(call, input).await;
            context.gate.leave(&app, answer).await.map(|output| output.into_reply().to(flow))
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
    /// Whether it is for visitors of an application, whose tokens are none of this server's.
    pub(crate) visited: bool,
    /// What its answers depend on, if they may be cached.
    pub(crate) cached: Option<DependsOn>,
    pub(crate) run: Run,
    pub(crate) describe: fn(&mut Schemas) -> Value,
}

/// Rows that share a path.
pub(crate) struct Routes {
    path: &'static str,
    rows: Vec<Route>,
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => {$(
        /// A route for those whose token allows `operation`.
        pub(crate) fn $name<I, E: Endpoint<Grant, I>>(
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
    pub(crate) fn at(path: &'static str) -> Self {
        Self { path, rows: Vec::new() }
    }

    methods! { get GET post POST patch PATCH delete DELETE }

    /// A route for anybody.
    pub(crate) fn open<I, E: Endpoint<Anybody, I>>(
        self,
        method: Method,
        name: &'static str,
        summary: &'static str,
        handler: E,
    ) -> Self {
        self.row(method, Operation::public(name), summary, handler)
    }

    /// A route for visitors of an application.
    pub(crate) fn visited<I, E: Endpoint<Visitor, I>>(
        self,
        method: Method,
        name: &'static str,
        summary: &'static str,
        handler: E,
    ) -> Self {
        let mut routes = self.row(method, Operation::public(name), summary, handler);
        routes.rows.last_mut().into_iter().for_each(|row| row.visited = true);
        routes
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
        self.rows.push(Route {
            method,
            path,
            operation,
            summary,
            body,
            visited: false,
            cached: None,
            run,
            describe,
        });
        self
    }

    /// The answers of the row before may be cached, until what they depend on changes.
    pub(crate) fn cached(mut self, depends: DependsOn) -> Self {
        self.rows.last_mut().into_iter().for_each(|row| row.cached = Some(depends));
        self
    }

    pub(crate) fn into_rows(self) -> Vec<Route> {
        self.rows
    }
}
