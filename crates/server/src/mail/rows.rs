//! Mails: to be sent, sent lately, or given up.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::rules::{self, COUNTED, DAY};
use crate::error::{Error, Result};
use crate::rows::convert::{id, json, key, maybe_id, maybe_moment, moment, to_json};
use crate::rows::list::{Folded, Key, Listed, Order, Paging, Select};
use crate::rows::table::{Table, bytes, table, text, whole};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use crate::sign_in::settings;
use crate::work::rows as work;
use guestlist_api::experience_mail::{ExperienceMail, ExperienceMailSort, MailPurpose, MailState};
use guestlist_api::id::{ExperienceMailId, ExperienceUserId, ObjectId};
use guestlist_api::time::DateTime;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Mails.
pub(crate) const TABLE: Table = table(
    "mails",
    2,
    &[
        text("application_id"),
        text("id"),
        text("purpose"),
        text("recipient"),
        text("recipient_key").unread(),
        text("user_id"),
        whole("created"),
        whole("expires"),
        text("state"),
        whole("changed"),
        whole("attempts"),
        text("error"),
        bytes("seed").unread(),
        text("details").unread(),
    ],
);

static COLUMNS: LazyLock<String> = LazyLock::new(|| TABLE.selected("m"));
static INSERT: LazyLock<String> = LazyLock::new(|| TABLE.insert());

/// How the queue calls what sends one.
pub(super) const WORK: &str = "mail";

/// What stands for the purpose of a mail to an address that nobody has. It is not sent: it is there so that what is
/// done does not tell who is a user.
const NOBODY: &str = "nobody";

/// What else a mail says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// The page that its link leads to, where it is not the one here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_url: Option<String>,
    /// The address that a user has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_address: Option<String>,
}

/// A mail that is to be sent.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Which it is.
    pub id: ExperienceMailId,
    /// What it is for; `None` for one that is not sent.
    pub purpose: Option<MailPurpose>,
    /// To whom.
    pub recipient: String,
    /// The user that it is about.
    pub user: Option<ExperienceUserId>,
    /// When it was made.
    pub created: DateTime,
    /// When it is of no use any more.
    pub expires: Option<DateTime>,
    /// What the secret of its link is made of.
    pub seed: Option<Vec<u8>>,
    /// What else it says.
    pub details: Details,
}

/// Has `new` be sent.
pub fn add(tx: &mut Tx<'_>, tenant: Tenant, new: &NewMail) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        &INSERT,
        &[
            &tenant.id().to_string(),
            &new.id.to_string(),
            &new.purpose.map_or(NOBODY, MailPurpose::as_str),
            &new.recipient,
            &key(&new.recipient),
            &new.user.map(|user| user.to_string()),
            &new.created.millis(),
            &new.expires.map(DateTime::millis),
            &MailState::Queued.as_str(),
            &new.created.millis(),
            &0_i64,
            &None::<String>,
            &new.seed,
            &to_json(&new.details)?,
        ],
    )?;
    work::add(tx, tenant, WORK, new.id.0, new.created)
}

/// The seconds until another mail may go to `recipient`; 0 if one may now. Whoever then adds one has to have locked
/// the application before, or two at once would not see each other's.
pub fn wait(tx: &mut Tx<'_>, tenant: Tenant, recipient: &str, now: DateTime) -> Result<u32> {
    let sent: Vec<i64> = tx.all(
        "SELECT created FROM mails WHERE application_id = $1 AND recipient_key = $2 AND created > $3
         ORDER BY created DESC LIMIT $4",
        &[
            &tenant.id().to_string(),
            &key(recipient),
            &now.plus_millis(-DAY).millis(),
            &COUNTED,
        ],
    )?;
    let sent: Vec<_> = sent.into_iter().map(DateTime::from_millis).collect();
    Ok(rules::wait(&sent, now))
}

/// Whether the application has written so many mails within an hour that people cannot ask for more.
pub fn are_many(tx: &mut Tx<'_>, tenant: Tenant, now: DateTime) -> Result<bool> {
    let found: Option<i64> = tx.first(
        "SELECT 1 AS found FROM mails WHERE application_id = $1 AND created > $2
         ORDER BY created LIMIT 1 OFFSET $3",
        &[&tenant.id().to_string(), &now.plus_millis(-rules::HOUR).millis(), &rules::MANY],
    )?;
    Ok(found.is_some())
}

/// A mail that is to be sent now.
#[derive(Debug, Clone)]
pub struct Due {
    /// What it is for; `None` for one that is not sent.
    pub purpose: Option<MailPurpose>,
    /// To whom.
    pub recipient: String,
    /// When it was made.
    pub created: DateTime,
    /// When it is of no use any more.
    pub expires: Option<DateTime>,
    /// What the secret of its link is made of.
    pub seed: Option<Vec<u8>>,
    /// What else it says.
    pub details: Details,
    /// What people know the application as.
    pub application: String,
    /// Whom it is from, if not from whom the server says.
    pub from: Option<String>,
}

impl FromRow<Error> for Due {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            purpose: MailPurpose::parse(&row.get::<String>("purpose")?),
            recipient: row.get("recipient")?,
            created: moment(row, "created")?,
            expires: maybe_moment(row, "expires")?,
            seed: row.get("seed")?,
            details: json(row, "details")?,
            application: row.get("application")?,
            from: None,
        })
    }
}

/// The mail `id`, if it is still to be sent.
pub fn due(tx: &mut Tx<'_>, tenant: Tenant, id: ObjectId) -> Result<Option<Due>> {
    let found: Option<Due> = tx.first(
        "SELECT m.purpose, m.recipient, m.created, m.expires, m.seed, m.details, a.name AS application
         FROM mails m JOIN applications a ON a.id = m.application_id
         WHERE m.application_id = $1 AND m.id = $2 AND m.state = $3",
        &[&tenant.id().to_string(), &id.to_string(), &MailState::Queued.as_str()],
    )?;
    let Some(mut due) = found else { return Ok(None) };
    let settings = settings::get(tx, tenant)?;
    due.application = settings.display_name.unwrap_or(due.application);
    due.from = settings.mail_from;
    Ok(Some(due))
}

/// The mail `id` was tried `attempts` times, and is `state` now, with an `error` or none. One that is not tried
/// again forgets what the secret of its link was made of.
pub fn tried(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    id: ObjectId,
    (state, attempts): (MailState, u32),
    error: Option<&str>,
    now: DateTime,
) -> Result<()> {
    let seed = if state == MailState::Queued { "seed" } else { "NULL" };
    let sql = format!(
        "UPDATE mails SET state = $3, attempts = $4, error = $5, changed = $6, seed = {seed}
         WHERE application_id = $1 AND id = $2"
    );
    let (attempts, error) = (i64::from(attempts), error.map(str::to_owned));
    let id = id.to_string();
    tx.change(
        ChangeScope::Nothing,
        &sql,
        &[&tenant.id().to_string(), &id, &state.as_str(), &attempts, &error, &now.millis()],
    )?;
    Ok(())
}

impl FromRow<Error> for ExperienceMail {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let mail = id(row, "id")?;
        let unknown = |what: &str| Error::internal(format!("a mail of an unknown {what}"));
        let purpose = MailPurpose::parse(&row.get::<String>("purpose")?);
        let state = MailState::parse(&row.get::<String>("state")?);
        Ok(Self {
            id: mail,
            experience_mail_id: mail,
            application_id: id(row, "application_id")?,
            creation_date: moment(row, "created")?,
            last_updated: moment(row, "changed")?,
            purpose: purpose.ok_or_else(|| unknown("purpose"))?,
            recipient: row.get("recipient")?,
            experience_user_id: maybe_id(row, "user_id")?,
            state: state.ok_or_else(|| unknown("state"))?,
            attempts: u32::try_from(row.get::<i64>("attempts")?).unwrap_or(u32::MAX),
            error: row.get("error")?,
        })
    }
}

/// Which mails are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only those to whom this matches.
    pub recipient: Option<String>,
    /// What they are sorted by.
    pub sort: ExperienceMailSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the mails of the last month, and how many there are.
pub fn list(tx: &mut Tx<'_>, tenant: Tenant, listing: &Listing) -> Result<Listed<ExperienceMail>> {
    let mut select = Select::from("mails m");
    let (application, nobody) = (select.bind(tenant.id().to_string()), select.bind(NOBODY));
    select.only(format!("m.application_id = {application} AND m.purpose <> {nobody}"));
    if let Some(glob) = &listing.recipient {
        select.matching(Folded::short("m.recipient_key"), glob);
    }
    let key = match listing.sort {
        ExperienceMailSort::CreationDate => Some(Key::moment("m.created")),
        ExperienceMailSort::Id => None,
    };
    select.page(tx, &COLUMNS, Order { key, id: "m.id" }, &listing.paging)
}

/// How long a mail is remembered, in milliseconds.
const REMEMBERED: i64 = 30 * DAY;

/// Removes `most` mails from long before `now`, and says whether there may be more.
pub fn forget(tx: &mut Tx<'_>, now: DateTime, most: i64) -> Result<bool> {
    let gone = tx.change(
        ChangeScope::Nothing,
        "DELETE FROM mails WHERE (application_id, id) IN
            (SELECT application_id, id FROM mails WHERE created <= $1
             ORDER BY created LIMIT $2 FOR UPDATE SKIP LOCKED)",
        &[&(now.millis() - REMEMBERED), &most],
    )?;
    Ok(i64::try_from(gone).is_ok_and(|gone| gone >= most))
}
