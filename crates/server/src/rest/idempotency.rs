//! Requests that are safe to repeat: what a write is answered is stored with it under its
//! `Idempotency-Key`, and sent again when the same request comes again. A secret in an answer is not
//! stored, and made anew; and a large body is not, and read anew.

use super::state::App;
use crate::error::{Error, Result};
use crate::http::reply::Reply;
use crate::rows::idempotency::{self, Answer, Mint, Outline, RequestKey, Stored};
use crate::rows::{RowChange, Tx};
use crate::store::Store;
use crate::tokens::rows as tokens;
use guestlist_api::api_token::ApiToken;
use guestlist_api::id::ExperienceUserId;
use guestlist_api::time::DateTime;
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};

/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The record of a token, and whether it is that of a session.
pub(crate) type Record = (ApiToken, bool);

/// A secret that is added to an answer when it is sent, and not stored with it.
pub(crate) enum Secret {
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
pub(crate) struct Written<T> {
    pub(crate) body: T,
    pub(crate) secret: Option<Secret>,
}

impl<T> From<T> for Written<T> {
    fn from(body: T) -> Self {
        Self { body, secret: None }
    }
}

impl<T> Written<T> {
    /// The answer is `body`, with the token of `record` added to it.
    pub(crate) fn with_token(body: T, record: Record) -> Self {
        Self { body, secret: Some(Secret::Token(Box::new(record))) }
    }

    /// The answer is `body`, with the password that `user` was made with added to it.
    pub(crate) fn with_password(body: T, user: ExperienceUserId) -> Self {
        Self { body, secret: Some(Secret::Password(user)) }
    }
}

/// What became of the request with a key before.
pub(crate) enum Before {
    /// It did not come, or has no key.
    Nothing,
    /// It was answered with this.
    Answer(Reply),
    /// It was done, and its answer was too large to be stored.
    Outline,
}

/// What became of the request with this `key` before.
///
/// # Errors
/// [`Error::KeyReused`]; [`Error::QuotaExceeded`] when it is new, and the application has no room for its
/// answer.
pub(crate) async fn before(
    app: &App,
    store: &Store,
    key: Option<RequestKey>,
    now: DateTime,
) -> Result<Before> {
    let Some(key) = key else { return Ok(Before::Nothing) };
    let application = key.application();
    match store.look_up(move |tx| idempotency::find(tx, &key, now)).await? {
        Some(Stored::Whole(answer)) => send_again(app, store, answer).await.map(Before::Answer),
        Some(Stored::Outline(_)) => Ok(Before::Outline),
        None => {
            if let Some(application) = application {
                app.answers.admit(store, application).await?;
            }
            Ok(Before::Nothing)
        }
    }
}

/// Runs `work` once for the request with this `key`, however often it is sent. It may be known that
/// it is the change of a `row`; with a key it is more. A body that was too large to be stored is what
/// `read_again` gives, with its tag, if it is the same.
pub(crate) async fn write(
    app: &App,
    store: &Store,
    (key, now): (Option<RequestKey>, DateTime),
    row: impl Fn() -> Option<RowChange> + Send + 'static,
    work: impl Fn(&mut Tx<'_>) -> Result<(Answer, Option<Secret>)> + Send + 'static,
    read_again: impl Fn(&mut Tx<'_>, &Outline) -> Result<Option<(String, Vec<u8>)>> + Send + 'static,
) -> Result<Reply> {
    let keyed = key.is_some();
    let application = key.as_ref().and_then(RequestKey::application);
    let row = move || if keyed { None } else { row() };
    let work = move |tx: &mut Tx<'_>| {
        if let Some(key) = &key
            && let Some(stored) = idempotency::reserve(tx, key, now)?
        {
            let answer = match stored {
                Stored::Whole(answer) => answer,
                Stored::Outline(outline) => {
                    let read = read_again(tx, &outline)?;
                    let same = read.and_then(|(etag, body)| outline.completed(&etag, body));
                    same.ok_or(Error::DoneBefore)?
                }
            };
            return Ok((answer, None, true));
        }
        let (mut answer, secret) = work(tx)?;
        answer.mint = secret.as_ref().map(Secret::mint);
        if let Some(key) = &key {
            idempotency::put(tx, key, now, &answer)?;
        }
        Ok((answer, secret, false))
    };
    let (answer, secret, replayed) = store.write_row(row, work).await?;
    if replayed {
        return send_again(app, store, answer).await;
    }
    if let Some(application) = application {
        app.answers.add(application, answer.size());
    }
    send(app, answer, secret.as_ref(), false)
}

/// Sends an answer that was given before.
async fn send_again(app: &App, store: &Store, answer: Answer) -> Result<Reply> {
    let secret = match answer.mint {
        Some(Mint::Token(id)) => {
            let record = store.look_up(move |tx| tokens::find(tx, id)).await?;
            record.map(|record| Secret::Token(Box::new(record)))
        }
        Some(Mint::Password(user)) => Some(Secret::Password(user)),
        None => None,
    };
    send(app, answer, secret.as_ref(), true)
}

/// Sends `answer`, with `secret` in it if there is one.
fn send(app: &App, answer: Answer, secret: Option<&Secret>, replayed: bool) -> Result<Reply> {
    let status = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
    let body = match secret {
        Some(Secret::Token(record)) => app.with_token(&answer.body, &record.0, record.1)?,
        Some(Secret::Password(user)) => app.with_password(&answer.body, *user)?,
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
