//! Links that have not been used.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::rules::{Owner, Standing};
use crate::error::{Error, Result};
use crate::rows::convert::{id, json, key, maybe_id, maybe_moment, moment, to_json};
use crate::rows::list::{Folded, Key, Listed, Order, Paging, Select};
use crate::rows::table::{Table, bytes, table, text, whole};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::experience_link::{ExperienceInvitation, ExperienceInvitationSort, LinkPurpose};
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::{ExperienceGroupId, ExperienceInvitationId, ExperienceUserId, ObjectId};
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Links, of each purpose one for each user or address.
pub(crate) const TABLE: Table = table(
    "links",
    3,
    &[
        text("application_id"),
        text("purpose"),
        text("subject"),
        text("id"),
        text("email"),
        text("user_id"),
        bytes("secret").unread(),
        whole("created"),
        whole("expires"),
        text("user_email"),
        whole("password_updated"),
        text("details"),
    ],
);

static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected("l"));

/// The statement that adds one in the place of an older one.
static PUT: LazyLock<String> = LazyLock::new(|| {
    let columns = TABLE.columns.iter().skip(TABLE.key);
    let set: Vec<_> = columns.map(|column| format!("{0} = excluded.{0}", column.name)).collect();
    format!(
        "{} ON CONFLICT (application_id, purpose, subject) DO UPDATE SET {}",
        TABLE.insert(),
        set.join(", ")
    )
});

/// What is known of somebody who is to become a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// Their given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Their family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Their tags.
    pub user_tags: Tags,
    /// Their groups.
    pub experience_group_ids: Vec<ExperienceGroupId>,
}

/// A link.
#[derive(Debug, Clone)]
pub struct Link {
    /// Which it is.
    pub id: ObjectId,
    /// The address that it went to.
    pub email: String,
    /// Its user, if there is one.
    pub user: Option<ExperienceUserId>,
    /// When it was made.
    pub created: DateTime,
    /// What decides whether it is good.
    pub standing: Standing,
    /// Of somebody who is to become a user.
    pub details: Details,
}

impl FromRow<Error> for Link {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let purpose: String = row.get("purpose")?;
        let purpose = LinkPurpose::parse(&purpose)
            .ok_or_else(|| Error::internal(format!("a link for {purpose}")))?;
        let email: Option<String> = row.get("user_email")?;
        let password_updated = maybe_moment(row, "password_updated")?;
        let owner = email.map(|email| Owner { email, password_updated });
        Ok(Self {
            id: id(row, "id")?,
            email: row.get("email")?,
            user: maybe_id(row, "user_id")?,
            created: moment(row, "created")?,
            standing: Standing { purpose, expires: moment(row, "expires")?, owner },
            details: json(row, "details")?,
        })
    }
}

/// As a link is compared with `user`.
#[must_use]
pub fn owner(user: &ExperienceUser) -> Owner {
    Owner { email: key(&user.email), password_updated: user.password_last_updated }
}

/// Adds `link`, of whose secret this is the `digest`, in the place of another of its purpose.
pub fn put(tx: &mut Tx<'_>, tenant: Tenant, link: &Link, digest: &[u8]) -> Result<()> {
    let user = link.user.map(|user| user.to_string());
    let subject = user.clone().unwrap_or_else(|| key(&link.email));
    let owner = link.standing.owner.as_ref();
    tx.change(
        ChangeScope::Nothing,
        &PUT,
        &[
            &tenant.id().to_string(),
            &link.standing.purpose.as_str(),
            &subject,
            &link.id.to_string(),
            &link.email,
            &user,
            &digest,
            &link.created.millis(),
            &link.standing.expires.millis(),
            &owner.map(|owner| owner.email.clone()),
            &owner.and_then(|owner| owner.password_updated).map(DateTime::millis),
            &to_json(&link.details)?,
        ],
    )?;
    Ok(())
}

/// Whoever has an address.
#[derive(Debug, Clone)]
pub struct Known {
    /// Who it is.
    pub user: ExperienceUserId,
    /// The address, as they write it.
    pub email: String,
    /// As links are compared with them.
    pub owner: Owner,
}

impl FromRow<Error> for Known {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let email: String = row.get("email")?;
        let password_updated = maybe_moment(row, "password_updated")?;
        let owner = Owner { email: key(&email), password_updated };
        Ok(Self { user: id(row, "id")?, email, owner })
    }
}

/// Whoever has the address `email`, if anybody has.
pub fn with_address(tx: &mut Tx<'_>, tenant: Tenant, email: &str) -> Result<Option<Known>> {
    tx.first(
        "SELECT id, email, password_updated FROM experience_users
         WHERE application_id = $1 AND email_key = $2",
        &[&tenant.id().to_string(), &key(email)],
    )
}

/// The link of whose secret this is the `digest`, if there is one.
pub fn find(tx: &mut Tx<'_>, tenant: Tenant, digest: &[u8]) -> Result<Option<Link>> {
    let columns = COLUMNS.as_str();
    tx.first(
        &format!("SELECT {columns} FROM links l WHERE application_id = $1 AND secret = $2"),
        &[&tenant.id().to_string(), &digest],
    )
}

/// Removes the link of whose secret this is the `digest`, and says whether it was still there: of two who use one
/// at once, one does.
pub fn take(tx: &mut Tx<'_>, tenant: Tenant, digest: &[u8]) -> Result<bool> {
    let gone = tx.change(
        ChangeScope::Nothing,
        "DELETE FROM links WHERE application_id = $1 AND secret = $2",
        &[&tenant.id().to_string(), &digest],
    )?;
    Ok(gone > 0)
}

/// Removes all links of `user`.
pub fn delete_of_user(tx: &mut Tx<'_>, tenant: Tenant, user: ExperienceUserId) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM links WHERE application_id = $1 AND user_id = $2",
        &[&tenant.id().to_string(), &user.to_string()],
    )?;
    Ok(())
}

impl FromRow<Error> for ExperienceInvitation {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let link = Link::from_row(row)?;
        Ok(invitation(id(row, "application_id").map(|id| (id, link))?))
    }
}

/// The invitation that a link of an application is.
pub(super) fn invitation(
    (application_id, link): (guestlist_api::id::ApplicationId, Link),
) -> ExperienceInvitation {
    let id = ExperienceInvitationId(link.id);
    ExperienceInvitation {
        id,
        experience_invitation_id: id,
        application_id,
        creation_date: link.created,
        expiration_date: link.standing.expires,
        email: link.email,
        first_name: link.details.first_name,
        last_name: link.details.last_name,
        user_tags: link.details.user_tags,
        experience_group_ids: link.details.experience_group_ids,
    }
}

/// Which invitations are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only those whose address matches.
    pub email: Option<String>,
    /// What they are sorted by.
    pub sort: ExperienceInvitationSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the invitations, and how many there are, ended ones that nobody has removed yet among them.
pub fn invitations(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    listing: &Listing,
) -> Result<Listed<ExperienceInvitation>> {
    let mut select = Select::from("links l");
    let (application, purpose) =
        (select.bind(tenant.id().to_string()), select.bind(LinkPurpose::Invite.as_str()));
    select.only(format!("l.application_id = {application} AND l.purpose = {purpose}"));
    if let Some(glob) = &listing.email {
        select.matching(Folded::short("l.subject"), glob);
    }
    let key = match listing.sort {
        ExperienceInvitationSort::CreationDate => Some(Key::moment("l.created")),
        ExperienceInvitationSort::Id => None,
    };
    select.page(tx, &COLUMNS, Order { key, id: "l.id" }, &listing.paging)
}

/// The invitation `id`; nobody else may use it before this transaction ends.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn lock_invitation(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: ExperienceInvitationId,
) -> Result<ExperienceInvitation> {
    let columns = COLUMNS.as_str();
    tx.first(
        &format!(
            "SELECT {columns} FROM links l
             WHERE application_id = $1 AND id = $2 AND purpose = $3 FOR UPDATE"
        ),
        &[&tenant.id().to_string(), &id.to_string(), &LinkPurpose::Invite.as_str()],
    )?
    .ok_or(Error::NotFound("Experience invitation"))
}

/// Removes the invitation `id`.
pub fn delete_invitation(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: ExperienceInvitationId,
) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM links WHERE application_id = $1 AND id = $2",
        &[&tenant.id().to_string(), &id.to_string()],
    )?;
    Ok(())
}

/// How long a link that has ended is remembered, in milliseconds: an invitation is looked at for longer than it
/// can be used.
const REMEMBERED: i64 = 7 * 24 * 60 * 60 * 1000;

/// Removes `most` links that ended long before `now`, and says whether there may be more.
pub fn forget(tx: &mut Tx<'_>, now: DateTime, most: i64) -> Result<bool> {
    let gone = tx.change(
        ChangeScope::Nothing,
        "DELETE FROM links WHERE (application_id, id) IN
            (SELECT application_id, id FROM links WHERE expires <= $1
             ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED)",
        &[&(now.millis() - REMEMBERED), &most],
    )?;
    Ok(i64::try_from(gone).is_ok_and(|gone| gone >= most))
}

/// Removes all links, of all applications.
pub(crate) fn delete_all(tx: &mut Tx<'_>) -> Result<()> {
    tx.change(ChangeScope::Nothing, "DELETE FROM links", &[]).map(drop)
}
