//! Idempotency: answers to requests that carried an `Idempotency-Key`, stored for a day in the
//! transaction of the write they answer.

use super::quotas::{self, ROW};
use super::table::{Table, bytes, table, text, whole};
use super::{ChangeScope, FromRow, Row, Tx};
use crate::error::{Error, Result};
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceUserId, ObjectId};
use guestlist_api::time::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::str::FromStr;

/// Answers to requests with an `Idempotency-Key`.
pub(crate) const TABLE: Table = table(
    "answers",
    2,
    &[
        text("token_id"),
        bytes("key_digest"),
        text("application_id"),
        bytes("fingerprint"),
        whole("created"),
        whole("status"),
        text("etag"),
        bytes("body"),
        text("mint"),
        whole("size"),
        text("omitted"),
    ],
);

/// How long an answer is stored, in milliseconds.
pub const LIFETIME: i64 = 24 * 60 * 60 * 1000;

/// A secret that an answer had in it, by what it is made from again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mint {
    /// The token with this record.
    Token(ApiTokenId),
    /// The password that this user was made with.
    Password(ExperienceUserId),
}

/// What stands before the id of a user where that of a token would be.
const PASSWORD: &str = "password ";

impl Mint {
    fn parse(text: &str) -> Result<Self> {
        Ok(match text.strip_prefix(PASSWORD) {
            Some(user) => Self::Password(user.parse().map_err(Error::internal)?),
            None => Self::Token(text.parse().map_err(Error::internal)?),
        })
    }

    fn to_text(self) -> String {
        match self {
            Self::Token(token) => token.to_string(),
            Self::Password(user) => format!("{PASSWORD}{user}"),
        }
    }
}

/// The longest body that is stored, in bytes. What is longer can be read again, or says too little to be
/// worth its room.
pub const LONGEST_BODY: usize = 16 * 1024;

/// An answer, ready to be sent again. It holds no secret: one that was in it is made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The entity tag, if the answer is a resource.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// The secret to add to the body.
    pub mint: Option<Mint>,
    /// The resource that the body shows, where the body may be left out for it.
    pub resource: Option<ObjectId>,
}

impl Answer {
    /// Whether the body is left out. One with a secret is not: there is no other way to have that again.
    fn is_omitted(&self) -> bool {
        self.body.len() > LONGEST_BODY && self.mint.is_none()
    }

    /// How many bytes are stored for it.
    pub(crate) fn size(&self) -> usize {
        ROW + if self.is_omitted() { 0 } else { self.body.len() }
    }
}

/// What is stored of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// All of it.
    Whole(Answer),
    /// All but its body.
    Outline(Outline),
}

/// An answer without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    status: u16,
    etag: Option<String>,
    /// The resource that the body showed, if it showed one.
    pub resource: Option<ObjectId>,
    /// The application that the request was about.
    pub application: Option<ApplicationId>,
}

impl Outline {
    /// The answer, if this is its `body`, whose tag is `etag`.
    #[must_use]
    pub fn completed(self, etag: &str, body: Vec<u8>) -> Option<Answer> {
        let Self { status, etag: first, resource, .. } = self;
        let same = first.as_deref() == Some(etag);
        same.then_some(Answer { status, etag: first, body, mint: None, resource })
    }
}

/// One request, told from all others.
///
/// Stored are a digest of the key and, under the key itself, a digest of the request. So a
/// stolen store tells neither, not even by guessing, unless the key can be guessed: the request
/// may hold a password.
#[derive(Debug, Clone)]
pub struct RequestKey {
    token: ApiTokenId,
    application: Option<ApplicationId>,
    digest: Vec<u8>,
    fingerprint: Vec<u8>,
}

impl RequestKey {
    /// The request that came with `key` under `token`, about `application` if it is about one: its
    /// method, path and query, and body.
    #[must_use]
    pub fn new(
        token: ApiTokenId,
        application: Option<ApplicationId>,
        key: &str,
        parts: &[&[u8]],
    ) -> Self {
        let digest = Sha256::digest(key.as_bytes()).to_vec();
        let fingerprint = match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
            Ok(mut mac) => {
                for part in parts {
                    mac.update(&(part.len() as u64).to_be_bytes());
                    mac.update(part);
                }
                mac.finalize().into_bytes().to_vec()
            }
            // HMAC takes keys of any length; a fingerprint that matches nothing is the safe answer.
            Err(_) => Vec::new(),
        };
        Self { token, application, digest, fingerprint }
    }

    /// The application that it is about, if it is about one.
    #[must_use]
    pub const fn application(&self) -> Option<ApplicationId> {
        self.application
    }
}

struct Found {
    fingerprint: Vec<u8>,
    created: i64,
    status: u16,
    stored: Stored,
}

impl FromRow<Error> for Found {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let status = u16::try_from(row.get::<i64>("status")?).map_err(Error::internal)?;
        let etag = row.get("etag")?;
        let stored = match row.text("omitted")? {
            None => Stored::Whole(Answer {
                status,
                etag,
                body: row.get("body")?,
                mint: row.text("mint")?.map(Mint::parse).transpose()?,
                resource: None,
            }),
            // A body that showed no resource has no id.
            Some(id) => Stored::Outline(Outline {
                status,
                etag,
                resource: Some(id).filter(|id| !id.is_empty()).map(parse).transpose()?,
                application: row.text("application_id")?.map(parse).transpose()?,
            }),
        };
        Ok(Self {
            fingerprint: row.get("fingerprint")?,
            created: row.get("created")?,
            status,
            stored,
        })
    }
}

fn parse<T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>>(text: &str) -> Result<T> {
    text.parse().map_err(Error::internal)
}

/// The answer that was given to this request, if it was.
///
/// # Errors
/// [`Error::KeyReused`] when the key came with another request.
pub fn find(tx: &mut Tx<'_>, request: &RequestKey, now: DateTime) -> Result<Option<Stored>> {
    let found: Option<Found> = tx.first(
        "SELECT fingerprint, created, status, etag, body, mint, omitted, application_id FROM answers
         WHERE token_id = $1 AND key_digest = $2",
        &[&request.token.to_string(), &request.digest],
    )?;
    replay(found, request, now)
}

/// As [`find`], and nobody else answers this request before this transaction ends: of two that
/// come at once, one waits for the other's answer.
///
/// # Errors
/// As [`find`].
pub fn reserve(tx: &mut Tx<'_>, request: &RequestKey, now: DateTime) -> Result<Option<Stored>> {
    let found: Vec<Found> = tx.change_all(
        ChangeScope::Nothing,
        "INSERT INTO answers (token_id, key_digest, fingerprint, created, status, body)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (token_id, key_digest) DO UPDATE SET status = answers.status
         RETURNING fingerprint, created, status, etag, body, mint, omitted, application_id",
        &[
            &request.token.to_string(),
            &request.digest,
            &request.fingerprint,
            &now.millis(),
            &NOT_YET,
            &Vec::<u8>::new(),
        ],
    )?;
    replay(found.into_iter().find(|found| i64::from(found.status) != NOT_YET), request, now)
}

/// The status of an answer that is being made.
const NOT_YET: i64 = 0;

fn replay(found: Option<Found>, request: &RequestKey, now: DateTime) -> Result<Option<Stored>> {
    match found {
        Some(found) if found.created + LIFETIME <= now.millis() => Ok(None),
        Some(found) if found.fingerprint != request.fingerprint => Err(Error::KeyReused),
        found => Ok(found.map(|found| found.stored)),
    }
}

/// How many bytes of answers are stored for the application, and how many may be.
///
/// # Errors
/// When the store fails.
pub fn held(tx: &mut Tx<'_>, application: ApplicationId) -> Result<(u64, Option<u64>)> {
    let application = application.to_string();
    let held: Option<(Option<i64>, Option<String>)> = tx.first(
        "SELECT (SELECT CAST(sum(size) AS BIGINT) FROM answers WHERE application_id = $1) AS held,
            (SELECT quotas FROM applications WHERE id = $1) AS own",
        &[&application],
    )?;
    let (held, own) = held.unwrap_or_default();
    let most = quotas::of(tx, own.as_deref())?.answer_bytes;
    Ok((u64::try_from(held.unwrap_or_default()).unwrap_or_default(), most))
}

/// Bytes of answers that go in one write. What is stored is below it anyway, but for bodies of a time when
/// they were stored whatever their length.
const FORGET_BYTES: i64 = 16 * 1024 * 1024;

/// Forgets up to `most` of the answers that are too old, fewer where they are long, and tells whether there
/// may be more.
///
/// # Errors
/// When the store fails.
pub fn forget(tx: &mut Tx<'_>, now: DateTime, most: i64) -> Result<bool> {
    let (before, mut some, mut bytes) = (now.millis() - LIFETIME, 0_i64, 0_i64);
    tx.each(
        "SELECT coalesce(size, octet_length(body)) AS size FROM answers WHERE created <= $1
         ORDER BY created LIMIT $2",
        &[&before, &most],
        |row| {
            some += 1;
            bytes += row.get::<i64>("size")?;
            Ok(bytes < FORGET_BYTES)
        },
    )?;
    let gone = tx.change(
        ChangeScope::Nothing,
        "DELETE FROM answers WHERE (token_id, key_digest) IN
            (SELECT token_id, key_digest FROM answers WHERE created <= $1
             ORDER BY created LIMIT $2 FOR UPDATE SKIP LOCKED)",
        &[&before, &some],
    )?;
    Ok(gone > 0 && (some == most || bytes >= FORGET_BYTES))
}

/// Inserts the answer to this request.
///
/// # Errors
/// When the store fails.
pub fn put(tx: &mut Tx<'_>, request: &RequestKey, now: DateTime, answer: &Answer) -> Result<()> {
    let omitted = answer.is_omitted();
    let body: &[u8] = if omitted { &[] } else { &answer.body };
    let id = |id: ObjectId| id.to_string();
    let resource = omitted.then(|| answer.resource.map(id).unwrap_or_default());
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO answers (token_id, key_digest, fingerprint, created, status, etag, body, mint,
            application_id, size, omitted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (token_id, key_digest) DO UPDATE SET fingerprint = excluded.fingerprint,
            created = excluded.created, status = excluded.status, etag = excluded.etag,
            body = excluded.body, mint = excluded.mint, application_id = excluded.application_id,
            size = excluded.size, omitted = excluded.omitted",
        &[
            &request.token.to_string(),
            &request.digest,
            &request.fingerprint,
            &now.millis(),
            &i64::from(answer.status),
            &answer.etag,
            &body,
            &answer.mint.map(Mint::to_text),
            &request.application.map(|id| id.to_string()),
            &i64::try_from(answer.size()).map_err(Error::internal)?,
            &resource,
        ],
    )?;
    Ok(())
}
