//! Tokens of applications and of administrators. Only what a token says is stored, never the token.
//! Sessions are in the same table (`sessions.rs`).
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use crate::administrators::rows as administrators;
use crate::error::{Error, Result};
use crate::rows::convert::{id, key, maybe_id, maybe_moment, moment, to_json};
use crate::rows::counts::{self, Counted};
use crate::rows::list::{Folded, Key, Listed, Order, Paging, Select};
use crate::rows::quotas::{ROW, in_blocks};
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::{self, Tenant};
use crate::rows::{ChangeScope, FromRow, Param, Row, Tx};
use guestlist_api::api_token::{
    ApiToken, ApiTokenFilter, ApiTokenSort, CreatorType, Role, TokenStatus,
};
use guestlist_api::entity::OwnerType;
use guestlist_api::id::{ApiTokenId, ApplicationId, ForeignId, UserId};
use guestlist_api::scope::Scopes;
use guestlist_api::time::DateTime;
use std::sync::LazyLock;

/// Tokens and sessions.
pub(crate) const TABLE: Table = table(
    "api_tokens",
    1,
    &[
        text("id"),
        text("kind"),
        text("owner_id"),
        text("creator_id"),
        text("creator_type"),
        text("creator_name"),
        text("name"),
        text("name_key").unread(),
        text("description"),
        whole("created"),
        whole("updated"),
        whole("expires"),
        text("scope"),
        text("status"),
        text("default_role"),
        text("org_roles"),
        whole("signed_in"),
    ],
);

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// An application.
    Application(ApplicationId),
    /// An administrator.
    User(UserId),
}

impl Principal {
    /// Which of the two, as the wire says it.
    #[must_use]
    pub const fn kind(self) -> OwnerType {
        match self {
            Self::Application(_) => OwnerType::Application,
            Self::User(_) => OwnerType::User,
        }
    }

    /// Which one.
    #[must_use]
    pub const fn id(self) -> ForeignId {
        match self {
            Self::Application(ApplicationId(id)) | Self::User(UserId(id)) => ForeignId(id),
        }
    }
}

/// A principal that exists in this transaction, and whose tokens are read and changed.
///
/// ```compile_fail
/// use guestlist::tokens::rows::{Owner, Principal};
/// let id = guestlist_api::id::ObjectId::from_bytes([0; 12]);
/// Owner(Principal::User(guestlist_api::id::UserId(id)));
/// ```
///
/// It is there, and only cannot be made:
///
/// ```
/// # use guestlist::tokens::rows::{Owner, Principal};
/// let id = guestlist_api::id::ObjectId::from_bytes([0; 12]);
/// let principal = Principal::User(guestlist_api::id::UserId(id));
/// let same = |owner: Owner| owner.id() == principal.id();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(Principal);

impl Owner {
    /// An application, which exists.
    #[must_use]
    pub const fn of(tenant: Tenant) -> Self {
        Self(Principal::Application(tenant.id()))
    }

    /// The administrator `user`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such administrator.
    pub fn administrator(tx: &mut Tx<'_>, user: UserId) -> Result<Self> {
        administrators::get(tx, user).map(|me| Self(Principal::User(me.id)))
    }

    /// Which of the two, as the wire says it.
    #[must_use]
    pub const fn kind(self) -> OwnerType {
        self.0.kind()
    }

    /// Which one.
    #[must_use]
    pub const fn id(self) -> ForeignId {
        self.0.id()
    }
}

/// How the store tells the session of an administrator from a token.
pub(super) const SESSION: &str = "session";

pub(super) fn word<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    parse(text).ok_or_else(|| Error::internal(format!("unknown word in the store: {text}")))
}

pub(super) fn scopes(row: &Row<'_>) -> Result<Scopes> {
    row.get::<String>("scope")?.parse().map_err(Error::internal)
}

impl FromRow<Error> for ApiToken {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let token = id(row, "id")?;
        let kind: String = row.get("kind")?;
        let creator: Option<String> = row.get("creator_type")?;
        let role: Option<String> = row.get("default_role")?;
        let roles: Option<String> = row.get("org_roles")?;
        Ok(Self {
            id: token,
            api_token_id: token,
            owner_id: id(row, "owner_id")?,
            owner_type: if kind == "application" {
                OwnerType::Application
            } else {
                OwnerType::User
            },
            creator_id: maybe_id(row, "creator_id")?,
            creator_type: creator.map(|text| word(&text, CreatorType::parse)).transpose()?,
            creator_name: row.get("creator_name")?,
            name: row.get("name")?,
            description: row.get("description")?,
            creation_date: moment(row, "created")?,
            last_updated: moment(row, "updated")?,
            expiration_date: maybe_moment(row, "expires")?,
            scope: scopes(row)?,
            status: word(&row.get::<String>("status")?, TokenStatus::parse)?,
            default_role: role.map(|text| word(&text, Role::parse)).transpose()?,
            org_roles: roles
                .map(|text| serde_json::from_str(&text).map_err(Error::internal))
                .transpose()?,
            token: None,
        })
    }
}

/// What is read of one.
pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected("t"));

/// The statement that adds one.
static INSERT: LazyLock<String> = LazyLock::new(|| TABLE.insert());

/// The token `id` of `owner`.
///
/// # Errors
/// [`Error::NotFound`] when it has no such token.
pub fn get(tx: &mut Tx<'_>, owner: Owner, id: ApiTokenId) -> Result<ApiToken> {
    one(tx, owner, id, "")
}

/// As [`get`], and nobody else may change the token before this transaction ends.
///
/// # Errors
/// As [`get`].
pub fn lock(tx: &mut Tx<'_>, owner: Owner, id: ApiTokenId) -> Result<ApiToken> {
    one(tx, owner, id, " FOR UPDATE")
}

fn one(tx: &mut Tx<'_>, owner: Owner, id: ApiTokenId, lock: &str) -> Result<ApiToken> {
    let columns = COLUMNS.as_str();
    tx.first(
        &format!(
            "SELECT {columns} FROM api_tokens t
             WHERE t.id = $1 AND t.owner_id = $2 AND t.kind = $3{lock}"
        ),
        &[&id.to_string(), &owner.id().to_string(), &owner.kind().as_str()],
    )?
    .ok_or(Error::NotFound("API token"))
}

/// A token or a session.
struct Any(ApiToken, bool);

impl FromRow<Error> for Any {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self(ApiToken::from_row(row)?, row.get::<String>("kind")? == SESSION))
    }
}

/// The token or the session `id`, whoever it speaks for, if it is still there, and whether it is
/// a session.
pub fn find(tx: &mut Tx<'_>, id: ApiTokenId) -> Result<Option<(ApiToken, bool)>> {
    let columns = COLUMNS.as_str();
    let any: Option<Any> = tx.first(
        &format!("SELECT {columns} FROM api_tokens t WHERE t.id = $1"),
        &[&id.to_string()],
    )?;
    Ok(any.map(|Any(token, session)| (token, session)))
}

/// Which tokens are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only those of whom this field matches this glob.
    pub filter: Option<(ApiTokenFilter, String)>,
    /// What they are sorted by.
    pub sort: ApiTokenSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the tokens of `owner`, and how many there are.
pub fn list(tx: &mut Tx<'_>, owner: Owner, listing: &Listing) -> Result<Listed<ApiToken>> {
    let mut select = Select::from("api_tokens t");
    let (id, kind) = (select.bind(owner.id().to_string()), select.bind(owner.kind().as_str()));
    select.only(format!("t.owner_id = {id} AND t.kind = {kind}"));
    if let Some((field, glob)) = &listing.filter {
        let column = match field {
            ApiTokenFilter::Name => "t.name_key",
            ApiTokenFilter::Status => "t.status",
        };
        select.matching(Folded::short(column), glob);
    } else if let Principal::Application(application) = owner.0 {
        select.known(counts::of(tx, Counted::Tokens(application))?);
    }
    let key = match listing.sort {
        ApiTokenSort::Name => Some(Key::text(Folded::short("t.name_key"))),
        ApiTokenSort::Status => Some(Key::text(Folded::short("t.status"))),
        ApiTokenSort::Id => None,
        ApiTokenSort::CreationDate => Some(Key::moment("t.created")),
        ApiTokenSort::LastUpdated => Some(Key::moment("t.updated")),
        ApiTokenSort::ExpirationDate => Some(Key::moment("t.expires").or_nothing()),
    };
    select.page(tx, &COLUMNS, Order { key, id: "t.id" }, &listing.paging)
}

/// Inserts a new token.
///
/// # Errors
/// [`Error::NotFound`] when it is of an application that is not there.
pub fn add(tx: &mut Tx<'_>, new: &ApiToken) -> Result<()> {
    // Nothing in the schema refers from a token to its owner, which is of one kind or the other.
    if new.owner_type == OwnerType::Application {
        tenant::lock_against_removal(tx, &new.owner_id.to_string())?;
    }
    insert(tx, new, new.owner_type.as_str(), None)?;
    count(tx, new, (1, size(new)))
}

/// What the token takes of what its application may hold.
pub(crate) fn size(token: &ApiToken) -> i64 {
    let texts = 3 * token.name.len() + token.description.as_ref().map_or(0, String::len);
    in_blocks(ROW + texts + token.scope.to_string().len())
}

/// Counts so many rows more or fewer, and bytes, where the token is counted.
fn count(tx: &mut Tx<'_>, token: &ApiToken, more: (i64, i64)) -> Result<()> {
    match counted(token) {
        Some(counted) if more != (0, 0) => counts::grow(tx, counted, more),
        _ => Ok(()),
    }
}

/// Where the token is counted, if it is: an administrator has few.
fn counted(token: &ApiToken) -> Option<Counted> {
    match token.owner_type {
        OwnerType::Application => Some(Counted::Tokens(ApplicationId(token.owner_id.0))),
        OwnerType::User => None,
    }
}

/// Nobody may remove the token or the session `maker` before this transaction ends.
///
/// # Errors
/// [`Error::TokenInvalid`] when somebody has.
pub fn lock_against_removal(tx: &mut Tx<'_>, maker: ApiTokenId) -> Result<()> {
    let found: Option<i64> = tx.first(
        "SELECT 1 AS found FROM api_tokens WHERE id = $1 FOR KEY SHARE",
        &[&maker.to_string()],
    )?;
    found.map(drop).ok_or(Error::TokenInvalid)
}

/// Switches every API token of the administrator off.
pub fn switch_off(tx: &mut Tx<'_>, user: UserId, now: DateTime) -> Result<()> {
    tx.run(
        "UPDATE api_tokens SET status = $2, updated = CASE WHEN updated > $3 THEN updated ELSE $3 END
         WHERE owner_id = $1 AND kind = 'user' AND status <> $2",
        &[&user.to_string(), &TokenStatus::Inactive.as_str(), &now.millis()],
    )?;
    Ok(())
}

/// Inserts the record of a token or of a session, for which the password was given at `signed_in`.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    new: &ApiToken,
    kind: &str,
    signed_in: Option<DateTime>,
) -> Result<()> {
    tx.change(
        ChangeScope::Token(new.id),
        &INSERT,
        &[
            &new.id.to_string(),
            &kind,
            &new.owner_id.to_string(),
            &new.creator_id.map(|id| id.to_string()),
            &new.creator_type.map(CreatorType::as_str),
            &new.creator_name,
            &new.name,
            &key(&new.name),
            &new.description,
            &new.creation_date.millis(),
            &new.last_updated.millis(),
            &new.expiration_date.map(DateTime::millis),
            &new.scope.to_string(),
            &new.status.as_str(),
            &new.default_role.map(Role::as_str),
            &new.org_roles.as_ref().map(to_json).transpose()?,
            &signed_in.map(DateTime::millis),
        ],
    )?;
    Ok(())
}

/// Updates the token from `before` to `after`.
pub fn put(tx: &mut Tx<'_>, before: &ApiToken, after: &ApiToken) -> Result<()> {
    tx.change(
        ChangeScope::Token(after.id),
        "UPDATE api_tokens SET name = $2, name_key = $3, description = $4, updated = $5,
            status = $6, default_role = $7, org_roles = $8 WHERE id = $1",
        &[
            &after.id.to_string(),
            &after.name,
            &key(&after.name),
            &after.description,
            &after.last_updated.millis(),
            &after.status.as_str(),
            &after.default_role.map(Role::as_str),
            &after.org_roles.as_ref().map(to_json).transpose()?,
        ],
    )?;
    count(tx, after, (0, size(after) - size(before)))
}

/// Removes the token: it is refused from now on.
pub fn delete(tx: &mut Tx<'_>, token: &ApiToken) -> Result<()> {
    let gone = tx.change(
        ChangeScope::Token(token.id),
        "DELETE FROM api_tokens WHERE id = $1",
        &[&token.id.to_string()],
    )?;
    let gone = i64::try_from(gone).map_err(Error::internal)?;
    count(tx, token, (-gone, -gone * size(token)))
}

/// Removes `most` tokens of an application, which is about to be removed, but not the token `own`. Says
/// whether there were any.
pub(crate) fn delete_some(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    own: ApiTokenId,
    most: i64,
) -> Result<bool> {
    let sql = format!(
        "DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens
            WHERE owner_id = $1 AND kind = 'application' AND id <> $2
            ORDER BY name_key, id LIMIT $3)
         RETURNING {}",
        TABLE.list(TABLE.columns.len())
    );
    let params: [&dyn Param; 3] = [&tenant.id().to_string(), &own.to_string(), &most];
    let gone: Vec<ApiToken> =
        tx.change_all(ChangeScope::Application(tenant.id()), &sql, &params)?;
    let rows = i64::try_from(gone.len()).map_err(Error::internal)?;
    let bytes: i64 = gone.iter().map(size).sum();
    counts::grow(tx, Counted::Tokens(tenant.id()), (-rows, -bytes))?;
    Ok(rows > 0)
}

/// As [`delete`], with the tokens that it has made, those that they have made, and so on.
pub fn delete_with_children(tx: &mut Tx<'_>, token: &ApiToken) -> Result<()> {
    let columns = COLUMNS.as_str();
    let children = format!(
        "SELECT {columns} FROM api_tokens t WHERE t.creator_id = $1 AND t.creator_type = $2
         FOR UPDATE"
    );
    let mut left = vec![token.clone()];
    while let Some(token) = left.pop() {
        // It goes first: who makes another with it just now is waited for, and what they made is found.
        delete(tx, &token)?;
        let made: Vec<ApiToken> =
            tx.all(&children, &[&token.id.to_string(), &CreatorType::ApiToken.as_str()])?;
        left.extend(made);
    }
    Ok(())
}
