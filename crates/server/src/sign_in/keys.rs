//! The keys that sign the tokens of an application's users. An application has none before its first token is
//! made.

use crate::auth::experience_token::ExperienceKey;
use crate::auth::seal::Seal;
use crate::clock::random;
use crate::error::{Error, Result};
use crate::rows::convert::moment;
use crate::rows::table::{Table, bytes, table, text, whole};
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::time::DateTime;

/// What the keys of applications are made of.
pub(crate) const TABLE: Table = table(
    "experience_keys",
    2,
    &[text("application_id"), text("kid"), bytes("seed"), whole("created"), whole("signs_from")],
);

/// A key, as it is stored.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// Its name.
    pub kid: String,
    /// What it is made of, beside the secret of the store.
    pub seed: Vec<u8>,
    /// When it was made.
    pub created: DateTime,
    /// Since when it signs.
    pub signs_from: DateTime,
}

impl FromRow<Error> for StoredKey {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            kid: row.get("kid")?,
            seed: row.get("seed")?,
            created: moment(row, "created")?,
            signs_from: moment(row, "signs_from")?,
        })
    }
}

impl StoredKey {
    /// The first key of the application, made at `now`. It signs whatever is said to be before that: of two
    /// who sign in at once, the one who came first may look for a key last.
    fn first(seal: &Seal, tenant: Tenant, now: DateTime) -> Result<Self> {
        let seed = random::<32>()?.to_vec();
        let kid = ExperienceKey::new(seal, tenant.id(), &seed)?.kid().to_owned();
        Ok(Self { kid, seed, created: now, signs_from: DateTime::from_millis(0) })
    }

    /// The key itself.
    ///
    /// # Errors
    /// [`Error::Internal`] when it was made with another secret.
    pub(super) fn open(&self, seal: &Seal, within: AuthorizedApp) -> Result<ExperienceKey> {
        let key = ExperienceKey::new(seal, within.id(), &self.seed)?;
        if key.kid() != self.kid {
            return Err(Error::internal("a key of an application is of another store"));
        }
        Ok(key)
    }
}

/// The key that signs at `now`, if there is one.
///
/// # Errors
/// When the store fails.
pub fn current(tx: &mut Tx<'_>, tenant: Tenant, now: DateTime) -> Result<Option<StoredKey>> {
    tx.first(
        "SELECT kid, seed, created, signs_from FROM experience_keys
         WHERE application_id = $1 AND signs_from <= $2 ORDER BY signs_from DESC, kid LIMIT 1",
        &[&tenant.id().to_string(), &now.millis()],
    )
}

/// The key called `kid`, if there is one.
///
/// # Errors
/// When the store fails.
pub fn find(tx: &mut Tx<'_>, tenant: Tenant, kid: &str) -> Result<Option<StoredKey>> {
    tx.first(
        "SELECT kid, seed, created, signs_from FROM experience_keys
         WHERE application_id = $1 AND kid = $2",
        &[&tenant.id().to_string(), &kid],
    )
}

/// Adds `new`.
///
/// # Errors
/// When the store fails.
pub fn add(tx: &mut Tx<'_>, tenant: Tenant, new: &StoredKey) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        &TABLE.insert(),
        &[
            &tenant.id().to_string(),
            &new.kid,
            &new.seed,
            &new.created.millis(),
            &new.signs_from.millis(),
        ],
    )?;
    Ok(())
}

/// The key that signs at `now`, made if there is none.
pub(super) fn current_or_new(
    tx: &mut Tx<'_>,
    within: AuthorizedApp,
    seal: &Seal,
    now: DateTime,
) -> Result<StoredKey> {
    if let Some(key) = current(tx, within.assume_exists(), now)? {
        return Ok(key);
    }
    // Of two at once, one waits here for the other.
    let tenant = within.require_locked(tx)?;
    if let Some(key) = current(tx, tenant, now)? {
        return Ok(key);
    }
    let new = StoredKey::first(seal, tenant, now)?;
    add(tx, tenant, &new)?;
    Ok(new)
}

/// Removes all keys, of all applications: none of their tokens is good any more.
///
/// # Errors
/// When the store fails.
pub(crate) fn delete_all(tx: &mut Tx<'_>) -> Result<()> {
    tx.change(ChangeScope::Nothing, "DELETE FROM experience_keys", &[]).map(drop)
}
