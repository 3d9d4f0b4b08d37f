//! The gate: what becomes of a token, from the header to the proof that it is good. No other file
//! examines one.
//!
//! ```text
//!  Unchecked ──────▶ Verified ───────────────────────────────────────────▶ Proven
//!  as it came        its signature is good     the grant cache or the       ▲
//!                    and it has not ended      store says what it allows    │
//!                       │                                                   │
//!                       └───────────────────▶ Assumed ──────────────────────┘
//!                         a request that reads,       the transaction that
//!                         and a grant of a moment     reads asks about the
//!                         ago that allows it          token as well
//! ```
//!
//! A signature says which token it is. Whether it was revoked only the store knows, and to ask it
//! is a query. On SQLite that is seldom needed, because the grant cache knows whether anything has
//! changed. On PostgreSQL it is: an entry of the cache is good for half a second. A read that asked
//! first and read then would go to the store twice. So it is let in with the grant that the cache
//! has, even if that is old, and its own transaction asks about the token along with what is read:
//! both are sent at once. What was found is only answered when the token was good.
//!
//! - A write never assumes, as it could not be taken back. It is let in by a proof that may be half a
//!   second old on PostgreSQL, or older by as long as a password waited to be hashed; so it asks again in
//!   its own transaction, along with the first of its statements. The one GET that writes does as well.
//! - Nobody leaves without proof. Whoever is still assumed when the handler is done, because it
//!   failed or read nothing, is asked about then, and a refusal of the token comes before any other.
//! - What an assumed grant does not allow is not refused with it. The store is asked first.

use super::caller::Caller;
use super::state::App;
use crate::error::{Error, Result};
use crate::rows::{Lookup, RowChange, Tx};
use crate::store::{Snapshot, Store};
use crate::tokens::grant::{self, Grant};
use guestlist_api::id::ApiTokenId;
use guestlist_api::scope::Operation;
use guestlist_api::time::DateTime;
use guestlist_store::Dialect;
use hyper::header::{self, HeaderMap};
use serde_json::{Map, Value};
use std::sync::atomic::{AtomicU8, Ordering};

/// A token that came with a request.
pub(crate) struct Token {
    examined: Examined,
    /// Whether it was in the URL. Its answer is not cached: the key would have the token in it.
    pub(crate) in_url: bool,
}

/// How far a token has been examined before the store is asked.
enum Examined {
    /// Not at all.
    Unchecked(String),
    /// Its signature has been looked at: which token it is, or why it is none.
    Verified(Result<ApiTokenId>),
}

impl Token {
    /// The token that came with a request: in the query (which wins), or in the `Authorization`
    /// header after `Bearer` or `JWT` and one space. Anything else there is no token. The one in the
    /// header may have been `verified` already.
    pub(crate) fn of(
        query: &mut Map<String, Value>,
        headers: &HeaderMap,
        verified: Option<Result<ApiTokenId>>,
    ) -> Option<Self> {
        for name in ["access_token", "jwt"] {
            if let Some(Value::String(text)) = query.swap_remove(name)
                && !text.is_empty()
            {
                return Some(Self { examined: Examined::Unchecked(text), in_url: true });
            }
        }
        let examined = match verified {
            Some(verified) => Examined::Verified(verified),
            None => Examined::Unchecked(bearer(headers)?.to_owned()),
        };
        Some(Self { examined, in_url: false })
    }

    /// Whether it is good now. A request that has much to say is read after that.
    pub(crate) async fn is_good(&self, app: &App) -> bool {
        let verified = match &self.examined {
            Examined::Unchecked(text) => verify(app, text, app.clock.now()).ok(),
            Examined::Verified(verified) => verified.as_ref().ok().copied(),
        };
        match verified {
            Some(id) => authenticate(app, id).await.is_ok(),
            None => false,
        }
    }

    /// Which token it is.
    fn verify(self, app: &App) -> Result<ApiTokenId> {
        match self.examined {
            Examined::Unchecked(text) => verify(app, &text, app.clock.now()),
            Examined::Verified(verified) => verified,
        }
    }
}

/// The token in the `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = ["bearer", "jwt"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (known && !token.is_empty() && !token.contains(' ')).then_some(token)
}

fn verify(app: &App, text: &str, now: DateTime) -> Result<ApiTokenId> {
    app.signer.verify(text, now).map(|verified| verified.id)
}

/// Which token is in the `Authorization` header, if one is: for the response cache, which is looked
/// into before anything else of the request is read.
pub(crate) fn verify_header(
    app: &App,
    headers: &HeaderMap,
    now: DateTime,
) -> Option<Result<ApiTokenId>> {
    Some(verify(app, bearer(headers)?, now))
}

/// What is known of the token of a request that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Trust {
    /// It was good a moment ago.
    Assumed,
    /// It is good, or none came: nothing is left to prove.
    Proven,
}

/// Where the token of a request stands, once the request was let in.
pub(crate) struct Gate {
    token: Option<ApiTokenId>,
    /// A [`Trust`]. Clones of a call share it.
    trust: AtomicU8,
}

impl Gate {
    fn new(token: Option<ApiTokenId>, trust: Trust) -> Self {
        Self { token, trust: AtomicU8::new(trust as u8) }
    }

    /// Lets the bearer of `token` in for `operation`, which only `reads` or may write.
    ///
    /// # Errors
    /// [`Error::NoToken`] when one is needed, [`Error::TokenInvalid`] or [`Error::TokenExpired`] when it
    /// is not good, [`Error::Forbidden`] when it does not allow that.
    pub(crate) async fn enter<C: Caller>(
        app: &App,
        token: Option<Token>,
        operation: &Operation,
        reads: bool,
    ) -> Result<(C, Self)> {
        let Some(token) = token else {
            let admitted = C::admit(operation, None).map_err(|_| Error::NoToken)?;
            return Ok((admitted, Self::new(None, Trust::Proven)));
        };
        let id = token.verify(app)?;
        let known = if reads { known(app, id, operation) } else { None };
        let (grant, trust) = match known {
            Some(known) => known,
            None => (authenticate(app, id).await?, Trust::Proven),
        };
        Ok((C::admit(operation, Some(grant))?, Self::new(Some(id), trust)))
    }

    fn trust(&self) -> Trust {
        match self.trust.load(Ordering::Acquire) {
            assumed if assumed == Trust::Assumed as u8 => Trust::Assumed,
            _ => Trust::Proven,
        }
    }

    /// The token, if the store has yet to be asked about it.
    fn assumed(&self) -> Option<ApiTokenId> {
        self.token.filter(|_| self.trust() == Trust::Assumed)
    }

    /// Reads from the store, which is asked about the token too if it has not been.
    ///
    /// # Errors
    /// Those of `find`, and those of [`Gate::enter`].
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        app: &App,
        store: &Store,
        now: DateTime,
        find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some(token) = self.assumed() else { return store.read(find).await };
        let snapshot = store.snapshot_of_token(token);
        let (found, grant) = store.read(with_grant(token, now, find)).await?;
        self.prove_with(app, &grant, snapshot);
        Ok(found)
    }

    /// As [`Gate::read`], of what one statement finds. It shares a round trip with other lookups, or
    /// with the question about the token.
    ///
    /// # Errors
    /// As [`Gate::read`].
    pub(crate) async fn find<L: Lookup<Error>>(
        &self,
        app: &App,
        store: &Store,
        now: DateTime,
        lookup: L,
    ) -> Result<L::Found> {
        let Some(token) = self.assumed() else { return store.find(lookup).await };
        let snapshot = store.snapshot_of_token(token);
        let find = move |tx: &mut Tx<'_>| tx.find(&lookup);
        let (found, grant) = store.look_up(with_grant(token, now, find)).await?;
        self.prove_with(app, &grant, snapshot);
        Ok(found)
    }

    /// The token is proven by `grant`, which was read after `snapshot` was taken.
    fn prove_with(&self, app: &App, grant: &Grant, snapshot: Option<Snapshot>) {
        if snapshot.is_some() {
            app.grants.put(grant, snapshot);
        }
        self.trust.store(Trust::Proven as u8, Ordering::Release);
    }

    /// What `row` asks beforehand, and about the token.
    pub(crate) fn asking(&self, mut row: RowChange) -> RowChange {
        row.ahead.extend(self.token.map(grant::question));
        row
    }

    /// Does `work` in a transaction that writes, where the token is asked about once more: what let the
    /// request in may be half a second old on PostgreSQL, and older by as long as a hash waited.
    ///
    /// # Errors
    /// Those of `work`, and before them those of [`grant::grant`].
    pub(crate) fn write<T>(
        &self,
        app: &App,
        tx: &mut Tx<'_>,
        now: DateTime,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let Some(token) = self.token else { return work(tx) };
        match tx.dialect() {
            // Nobody else writes meanwhile. Where nothing has changed there is nothing to ask.
            Dialect::Sqlite => {
                if !app.grants.is_fresh(&app.store, token, now) {
                    grant::grant(tx, token, now)?;
                }
                work(tx)
            }
            // It goes with the first statement, and nobody waits for it alone.
            Dialect::Postgres => {
                grant::prefetch_grant_for_later(tx, token)?;
                let done = work(tx);
                match grant::grant(tx, token, now) {
                    Err(refused @ (Error::TokenInvalid | Error::TokenExpired)) => Err(refused),
                    Err(failed) => done.and(Err(failed)),
                    Ok(_) => done,
                }
            }
        }
    }

    /// Whether the token is good for all that is read from now on: it is proven by that, or nothing
    /// has changed since it was. One that was proven before may have been revoked in between.
    pub(crate) fn is_good_from_now(&self, app: &App, now: DateTime) -> bool {
        let fresh = |token| app.grants.is_fresh(&app.store, token, now);
        self.trust() == Trust::Assumed || self.token.is_some_and(fresh)
    }

    /// Lets `answer` out, once the token is proven.
    ///
    /// # Errors
    /// A refusal of the token before that in `answer`.
    pub(crate) async fn leave<T>(&self, app: &App, answer: Result<T>) -> Result<T> {
        if let Some(token) = self.assumed() {
            authenticate(app, token).await?;
        }
        answer
    }
}

/// What `find` finds, and what the token `id` allows at `now`.
fn with_grant<T>(
    id: ApiTokenId,
    now: DateTime,
    find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> impl Fn(&mut Tx<'_>) -> Result<(T, Grant)> + Send + 'static {
    move |tx: &mut Tx<'_>| {
        grant::prefetch_grant(tx, id)?;
        let found = find(tx)?;
        // Of two refusals that of the token is told, which is asked about again in any case.
        Ok((found, grant::grant(tx, id, now)?))
    }
}

/// What the token `id` allows, as far as the grant cache knows.
fn known(app: &App, id: ApiTokenId, operation: &Operation) -> Option<(Grant, Trust)> {
    let fresh = app.grants.fresh(&app.store, id, app.clock.now());
    let known = fresh.map(|grant| (grant, Trust::Proven)).or_else(|| {
        let stale = app.grants.stale(id)?;
        operation.allowed_to(&stale.scopes).then_some((stale, Trust::Assumed))
    });
    if let (Some(_), Some(meter)) = (&known, &app.meter) {
        meter.grants.looked(true);
    }
    known
}

/// What the token `id` allows now.
async fn authenticate(app: &App, id: ApiTokenId) -> Result<Grant> {
    let now = app.clock.now();
    let fresh = app.grants.fresh(&app.store, id, now);
    if let Some(meter) = &app.meter {
        meter.grants.looked(fresh.is_some());
    }
    if let Some(grant) = fresh {
        return Ok(grant);
    }
    let snapshot = app.store.snapshot_of_token(id);
    let store = app.store.for_token(id);
    let grant = store.look_up(move |tx| grant::grant(tx, id, now)).await?;
    app.grants.put(&grant, snapshot);
    Ok(grant)
}
