//! What a token allows: the one question that every request with a token asks of the store.

use super::rows::{Principal, SESSION, scopes, word};
use crate::error::{Error, Result};
use crate::rows::convert::{id, maybe_moment, moment};
use crate::rows::{FromRow, Row, Statement, Tx};
use guestlist_api::api_token::TokenStatus;
use guestlist_api::id::ApiTokenId;
use guestlist_api::scope::Scopes;
use guestlist_api::time::DateTime;

/// What a good token allows.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token.
    pub token: ApiTokenId,
    /// Its name.
    pub name: String,
    /// Whom it speaks for.
    pub owner: Principal,
    /// Whether it is a session rather than a token that was made to last.
    pub session: bool,
    /// What it may do.
    pub scopes: Scopes,
    /// When it ends.
    pub expires: Option<DateTime>,
}

impl Grant {
    /// Until when what it makes may be good. A session acts for an administrator, who has no end.
    #[must_use]
    pub const fn bound(&self) -> Option<DateTime> {
        if self.session { None } else { self.expires }
    }
}

struct Stored {
    grant: Grant,
    status: TokenStatus,
    created: DateTime,
    cutoff: Option<DateTime>,
    /// Whether it is of an administrator who has gone or is disabled.
    orphan: bool,
}

impl FromRow<Error> for Stored {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let kind: String = row.get("kind")?;
        let owner = match kind.as_str() {
            "application" => Principal::Application(id(row, "owner_id")?),
            _ => Principal::User(id(row, "owner_id")?),
        };
        Ok(Self {
            grant: Grant {
                token: id(row, "id")?,
                name: row.get("name")?,
                owner,
                session: kind == SESSION,
                scopes: scopes(row)?,
                expires: maybe_moment(row, "expires")?,
            },
            status: word(&row.get::<String>("status")?, TokenStatus::parse)?,
            created: moment(row, "created")?,
            cutoff: maybe_moment(row, "token_cutoff")?,
            orphan: kind != "application"
                && row.get::<Option<i64>>("administrator_is_active")?.is_none(),
        })
    }
}

const GRANT: &str = "SELECT t.id, t.kind, t.owner_id, t.name, t.scope, t.status, t.created,
        t.expires, u.token_cutoff,
        CASE WHEN u.id IS NOT NULL AND u.disabled IS NULL THEN 1 END AS administrator_is_active
    FROM api_tokens t LEFT JOIN users u ON t.kind <> 'application' AND u.id = t.owner_id
    WHERE t.id = $1";

/// Says that [`grant`] is going to be asked about the token `id`.
///
/// # Errors
/// When the transaction has failed already.
pub fn prefetch_grant(tx: &mut Tx<'_>, id: ApiTokenId) -> Result<()> {
    tx.prefetch(GRANT, &[&id.to_string()])
}

/// The question of [`grant`], for whatever says beforehand what it asks.
pub(crate) fn question(id: ApiTokenId) -> Statement {
    Statement::new(GRANT, [id.to_string()])
}

/// As [`prefetch_grant`], where it is asked at the end, once something has been changed.
pub(crate) fn prefetch_grant_for_later(tx: &mut Tx<'_>, id: ApiTokenId) -> Result<()> {
    tx.prefetch_for_later(GRANT, &[&id.to_string()])
}

/// What the token `id` allows at `now`.
///
/// # Errors
/// [`Error::TokenInvalid`] when there is no such token or it is not active, or when it is an
/// administrator's who has gone, is disabled or has set a cutoff after it; [`Error::TokenExpired`] when
/// it has ended.
pub fn grant(tx: &mut Tx<'_>, id: ApiTokenId, now: DateTime) -> Result<Grant> {
    let stored: Option<Stored> = tx.first(GRANT, &[&id.to_string()])?;
    let stored = stored.ok_or(Error::TokenInvalid)?;
    // Tokens count whole seconds, so one of the cutoff's own second has to live.
    let seconds = |moment: DateTime| moment.millis().div_euclid(1000);
    let cut = stored.cutoff.is_some_and(|cutoff| seconds(stored.created) < seconds(cutoff));
    if stored.status != TokenStatus::Active || cut || stored.orphan {
        return Err(Error::TokenInvalid);
    }
    if stored.grant.expires.is_some_and(|end| end <= now) {
        return Err(Error::TokenExpired);
    }
    Ok(stored.grant)
}
