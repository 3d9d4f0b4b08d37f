//! Idempotency: answers to requests that carried an `Idempotency-Key`, stored for a day in the
//! transaction of the write they answer.

use super::table::{Table, bytes, table, text, whole};
use super::{ChangeScope, FromRow, Row, Tx};
use crate::error::{Error, Result};
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceUserId};
use guestlist_api::time::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

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
}

struct Stored {
    fingerprint: Vec<u8>,
    created: i64,
    answer: Answer,
}

impl FromRow<Error> for Stored {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            fingerprint: row.get("fingerprint")?,
            created: row.get("created")?,
            answer: Answer {
                status: u16::try_from(row.get::<i64>("status")?).map_err(Error::internal)?,
                etag: row.get("etag")?,
                body: row.get("body")?,
                mint: row
                    .get::<Option<String>>("mint")?
                    .map(|text| Mint::parse(&text))
                    .transpose()?,
            },
        })
    }
}

/// The answer that was given to this request, if it was.
///
/// # Errors
/// [`Error::KeyReused`] when the key came with another request.
pub fn find(tx: &mut Tx<'_>, request: &RequestKey, now: DateTime) -> Result<Option<Answer>> {
    let stored: Option<Stored> = tx.first(
        "SELECT fingerprint, created, status, etag, body, mint FROM answers
         WHERE token_id = $1 AND key_digest = $2",
        &[&request.token.to_string(), &request.digest],
    )?;
    replay(stored, request, now)
}

/// As [`find`], and nobody else answers this request before this transaction ends: of two that
/// come at once, one waits for the other's answer.
///
/// # Errors
/// As [`find`].
pub fn reserve(tx: &mut Tx<'_>, request: &RequestKey, now: DateTime) -> Result<Option<Answer>> {
    let stored: Vec<Stored> = tx.change_all(
        ChangeScope::Nothing,
        "INSERT INTO answers (token_id, key_digest, fingerprint, created, status, body)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (token_id, key_digest) DO UPDATE SET status = answers.status
         RETURNING fingerprint, created, status, etag, body, mint",
        &[
            &request.token.to_string(),
            &request.digest,
            &request.fingerprint,
            &now.millis(),
            &NOT_YET,
            &Vec::<u8>::new(),
        ],
    )?;
    replay(
        stored.into_iter().find(|stored| i64::from(stored.answer.status) != NOT_YET),
        request,
        now,
    )
}

/// The status of an answer that is being made.
const NOT_YET: i64 = 0;

fn replay(stored: Option<Stored>, request: &RequestKey, now: DateTime) -> Result<Option<Answer>> {
    match stored {
        Some(stored) if stored.created + LIFETIME <= now.millis() => Ok(None),
        Some(stored) if stored.fingerprint != request.fingerprint => Err(Error::KeyReused),
        stored => Ok(stored.map(|stored| stored.answer)),
    }
}

/// Forgets up to `most` of the answers that are too old, and tells how many.
///
/// # Errors
/// When the store fails.
pub fn forget(tx: &mut Tx<'_>, now: DateTime, most: i64) -> Result<u64> {
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM answers WHERE (token_id, key_digest) IN
            (SELECT token_id, key_digest FROM answers WHERE created <= $1
             ORDER BY created LIMIT $2 FOR UPDATE SKIP LOCKED)",
        &[&(now.millis() - LIFETIME), &most],
    )
}

/// Inserts the answer to this request.
///
/// # Errors
/// When the store fails.
pub fn put(tx: &mut Tx<'_>, request: &RequestKey, now: DateTime, answer: &Answer) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO answers (token_id, key_digest, fingerprint, created, status, etag, body, mint,
            application_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (token_id, key_digest) DO UPDATE SET fingerprint = excluded.fingerprint,
            created = excluded.created, status = excluded.status, etag = excluded.etag,
            body = excluded.body, mint = excluded.mint, application_id = excluded.application_id",
        &[
            &request.token.to_string(),
            &request.digest,
            &request.fingerprint,
            &now.millis(),
            &i64::from(answer.status),
            &answer.etag,
            &answer.body,
            &answer.mint.map(Mint::to_text),
            &request.application.map(|id| id.to_string()),
        ],
    )?;
    Ok(())
}
