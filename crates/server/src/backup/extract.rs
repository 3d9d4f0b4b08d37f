//! One application, or one user, taken out of a backup into a store that is there, also one that is served.
//!
//! An application is copied row by row, as a move copies a whole store: its counts and its tag index come with
//! it, and nothing of it is read or made anew. A user joins others, so it is added as a request adds one, by the
//! functions that count it and put it into groups.
//!
//! Either is one transaction of the store that it goes to: it is there as a whole, or not at all.

use super::error::BackupError;
use super::restore::{Tokens, Unpacked};
use crate::auth::hasher::PasswordHash;
use crate::directory::groups::rows as groups;
use crate::directory::users::rows as users;
use crate::directory::{memberships, tag_index};
use crate::error::{Error, Result as StoreResult};
use crate::moving::options;
use crate::rows::Tx;
use crate::rows::counts::{self, Counted};
use crate::rows::table::Table;
use crate::rows::tenant::AuthorizedApp;
use crate::sign_in::settings;
use crate::store::tables::Line;
use crate::store::{Store, StoreUrl, inspect};
use crate::{applications, tokens};
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use guestlist_api::time::DateTime;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// What is taken out of a backup.
#[derive(Debug, Clone, Copy)]
pub enum Extract {
    /// An application, with all that is in it.
    Application(ApplicationId),
    /// A user of an application that is there.
    User(ApplicationId, ExperienceUserId),
}

/// What was taken out.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extracted {
    /// How many rows were added.
    pub rows: u64,
    /// Groups of a user that are not there any more, by their names.
    pub groups_gone: Vec<String>,
}

/// The tables that an application has rows in, after those that they refer to, and which rows they are.
const TABLES: [(&Table, &str); 10] = [
    (&applications::rows::TABLE, "id = $1"),
    (&settings::TABLE, OF_APPLICATION),
    (&users::TABLE, OF_APPLICATION),
    (&groups::TABLE, OF_APPLICATION),
    (&memberships::TABLE, OF_APPLICATION),
    (&tokens::rows::TABLE, "kind = 'application' AND owner_id = $1"),
    (&tag_index::USER_TAGS, OF_APPLICATION),
    (&tag_index::GROUP_TAGS, OF_APPLICATION),
    (&tag_index::ENDPOINTS, OF_APPLICATION),
    (&counts::TABLE, OF_APPLICATION),
];

const OF_APPLICATION: &str = "application_id = $1";

/// Rows that are read before they are written.
const AT_ONCE: usize = 1000;

/// Gives the rows of `table` that are of the application `of` to `with`, some at a time, and counts them.
fn copy(
    from: &mut Tx<'_>,
    to: &mut Tx<'_>,
    (table, which): (&Table, &str),
    of: &str,
    with: fn(&Table, &mut Tx<'_>, &[Line]) -> StoreResult<()>,
    count: &mut u64,
) -> StoreResult<()> {
    let mut lines = Vec::new();
    table.walk_some(from, which, &[&of], |line| {
        lines.push(line.clone());
        *count += 1;
        if lines.len() == AT_ONCE {
            with(table, to, &lines)?;
            lines.clear();
        }
        Ok(())
    })?;
    with(table, to, &lines)
}

/// Adds all rows that the application `id` has in the store of `from`.
fn application(
    from: &mut Tx<'_>,
    to: &mut Tx<'_>,
    id: ApplicationId,
    tokens: Tokens,
) -> StoreResult<Extracted> {
    let text = id.to_string();
    let there = "SELECT 1 FROM applications WHERE id = $1";
    if to.first::<i64>(there, &[&text])?.is_some() {
        return Err(Error::AlreadyExists(format!(
            "there is an application {id} already: take single users with --user, or delete it first"
        )));
    }
    if from.first::<i64>(there, &[&text])?.is_none() {
        return Err(Error::NotFound("Application of the backup"));
    }
    let mut extracted = Extracted::default();
    for (table, which) in TABLES {
        let ended = tokens == Tokens::End;
        if ended && table.name == tokens::rows::TABLE.name {
            continue;
        }
        let which = if ended && table.name == counts::TABLE.name {
            &format!("{which} AND counted <> 'tokens'")
        } else {
            which
        };
        copy(from, to, (table, which), &text, Table::add, &mut extracted.rows)?;
        if table.self_reference.is_some() {
            copy(from, to, (table, which), &text, Table::refer, &mut 0)?;
        }
    }
    counts::change(to, Counted::Applications, 1)?;
    Ok(extracted)
}

/// Adds the user `id`, who is in the groups that are still there.
fn user(
    from: &mut Tx<'_>,
    to: &mut Tx<'_>,
    (within, id): (ApplicationId, ExperienceUserId),
    (tokens, now): (Tokens, DateTime),
) -> StoreResult<Extracted> {
    let within = AuthorizedApp::allowed(within);
    let there = within.require(from)?;
    let mut user = users::get(from, there, id)?;
    let hash: Option<String> = from.first(
        "SELECT password_hash FROM experience_users WHERE application_id = $1 AND id = $2",
        &[&there.id().to_string(), &id.to_string()],
    )?;
    let hash = PasswordHash::from_stored(hash.unwrap_or_default());
    let tenant = within.require_locked(to)?;
    match users::get(to, tenant, id) {
        Err(Error::NotFound(_)) => {}
        found => {
            found?;
            return Err(Error::AlreadyExists(format!("there is a user {id} already")));
        }
    }
    if tokens == Tokens::End {
        user.token_cutoff = Some(now);
    }
    let mut extracted = Extracted { rows: 1, groups_gone: Vec::new() };
    let mut left = Vec::new();
    for group in std::mem::take(&mut user.experience_groups) {
        match groups::get(to, tenant, group.id) {
            Ok(_) => left.push(group),
            Err(Error::NotFound(_)) => extracted.groups_gone.push(group.name),
            Err(error) => return Err(error),
        }
    }
    user.experience_groups = left;
    users::add(to, tenant, &user, &hash)?;
    Ok(extracted)
}

impl Unpacked {
    /// Adds what `what` says to the store `to`, which may be served meanwhile. It was looked at before.
    ///
    /// # Errors
    /// When it is not in the backup, or is there already, or one of the two stores fails.
    pub async fn extract(
        self,
        what: Extract,
        to: &StoreUrl,
        tokens: Tokens,
        now: DateTime,
    ) -> Result<Extracted, BackupError> {
        let from = inspect(&StoreUrl::Sqlite(self.path().to_owned()), &options())?;
        let at = to.to_string();
        let store = Store::open_at(to, &options())?;
        let from = Mutex::new(from);
        let work = move |to: &mut Tx<'_>| {
            let mut from = from.lock().unwrap_or_else(PoisonError::into_inner);
            from.read(|from: &mut Tx<'_>| match what {
                Extract::Application(id) => application(from, to, id, tokens),
                Extract::User(of, id) => user(from, to, (of, id), (tokens, now)),
            })
        };
        let done = store.write(work).await;
        store.close().await;
        done.map_err(BackupError::store(&at))
    }
}
