//! The keys that sign the tokens of an application's users. An application has none before its first token is
//! made. Another is made some time before it signs; then the one before it is retired, and what that has signed
//! stays good until it is withdrawn.

use crate::auth::experience_token::ExperienceKey;
use crate::auth::seal::Seal;
use crate::clock::{Clock, random};
use crate::error::{Error, Result};
use crate::rows::convert::moment;
use crate::rows::table::{Table, bytes, table, text, whole};
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::experience_key::KeyState;
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

/// How long before it signs a key is made, in milliseconds: whoever verifies tokens by a copy of the keys that is
/// five minutes old at most has it by then.
const HEAD_START: i64 = 10 * 60 * 1000;

/// How many keys an application has at most. One that is retired stays, as a token may be good for ever.
const MOST: usize = 10;

impl StoredKey {
    /// A new key of the application, made at `now`.
    fn new(seal: &Seal, tenant: Tenant, now: DateTime, signs_from: DateTime) -> Result<Self> {
        let seed = random::<32>()?.to_vec();
        let kid = ExperienceKey::new(seal, tenant.id(), &seed)?.kid().to_owned();
        Ok(Self { kid, seed, created: now, signs_from })
    }

    /// The first key of the application, made at `now`. It signs whatever is said to be before that: of two
    /// who sign in at once, the one who came first may look for a key last.
    fn first(seal: &Seal, tenant: Tenant, now: DateTime) -> Result<Self> {
        Self::new(seal, tenant, now, DateTime::from_millis(0))
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

/// The key that signs now, made if there is none at all. What `clock` says is asked here: whoever signs in may have
/// begun before the key was made that signs.
pub(super) fn current_or_new(
    tx: &mut Tx<'_>,
    within: AuthorizedApp,
    seal: &Seal,
    clock: &Clock,
) -> Result<StoredKey> {
    if let Some(key) = current(tx, within.assume_exists(), clock.now())? {
        return Ok(key);
    }
    // Of two at once, one waits here for the other.
    let tenant = within.require_locked(tx)?;
    let now = clock.now();
    let mut all = all(tx, tenant)?;
    // Another server may be a little ahead: then the next one signs.
    let signs = all.iter().position(|key| key.signs_from <= now);
    let signs = signs.or_else(|| all.len().checked_sub(1));
    if let Some(place) = signs {
        return Ok(all.swap_remove(place));
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

/// All keys of the application, the newest first.
///
/// # Errors
/// When the store fails.
pub fn all(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Vec<StoredKey>> {
    tx.all(
        "SELECT kid, seed, created, signs_from FROM experience_keys
         WHERE application_id = $1 ORDER BY signs_from DESC, kid",
        &[&tenant.id().to_string()],
    )
}

/// What each of `all`, the newest first, does at `now`.
#[must_use]
pub fn states(all: &[StoredKey], now: DateTime) -> Vec<KeyState> {
    let mut signs = false;
    let state = |key: &StoredKey| {
        if key.signs_from > now {
            KeyState::Next
        } else if std::mem::replace(&mut signs, true) {
            KeyState::Retired
        } else {
            KeyState::Current
        }
    };
    all.iter().map(state).collect()
}

/// The key of the application, which was locked, that is the next one from `now` on, made if there is none; or
/// with `immediately` the one that signs from now on. Says whether that changed anything.
///
/// # Errors
/// [`Error::AlreadyExists`] when there are too many keys.
pub fn rotate(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    seal: &Seal,
    now: DateTime,
    immediately: bool,
) -> Result<(StoredKey, bool)> {
    let all = all(tx, tenant)?;
    let Some(newest) = all.first() else {
        let new = StoredKey::first(seal, tenant, now)?;
        add(tx, tenant, &new)?;
        return Ok((new, true));
    };
    // Of two that sign since the same moment nobody could say which does.
    let behind = |key: &StoredKey, moment: DateTime| moment.max(key.signs_from.plus_millis(1));
    if newest.signs_from > now {
        let mut next = newest.clone();
        if immediately {
            next.signs_from = all.get(1).map_or(now, |before| behind(before, now));
        }
        let is_sooner = next.signs_from != newest.signs_from;
        if is_sooner {
            tx.change(
                ChangeScope::Nothing,
                "UPDATE experience_keys SET signs_from = $3 WHERE application_id = $1 AND kid = $2",
                &[&tenant.id().to_string(), &next.kid, &next.signs_from.millis()],
            )?;
        }
        return Ok((next, is_sooner));
    }
    if all.len() >= MOST {
        let why = format!("An application has {MOST} keys at most: withdraw one that is retired");
        return Err(Error::AlreadyExists(why));
    }
    let signs_from = if immediately { now } else { now.plus_millis(HEAD_START) };
    let new = StoredKey::new(seal, tenant, now, behind(newest, signs_from))?;
    add(tx, tenant, &new)?;
    Ok((new, true))
}

/// Removes the key called `kid` of the application, which was locked: no token that it has signed is good any
/// more.
///
/// # Errors
/// [`Error::NotFound`] when there is no such key; [`Error::AlreadyExists`] when it is the one that signs at
/// `now`.
pub fn withdraw(tx: &mut Tx<'_>, tenant: Tenant, kid: &str, now: DateTime) -> Result<()> {
    if current(tx, tenant, now)?.is_some_and(|current| current.kid == kid) {
        let why = "This key signs: have another sign first, immediately if need be";
        return Err(Error::AlreadyExists(why.into()));
    }
    let gone = tx.change(
        ChangeScope::Nothing,
        "DELETE FROM experience_keys WHERE application_id = $1 AND kid = $2",
        &[&tenant.id().to_string(), &kid],
    )?;
    if gone == 0 { Err(Error::NotFound("Experience key")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_api::experience_key::KeyState::{Current, Next, Retired};

    #[test]
    fn one_key_signs_from_the_first_on() {
        let at = DateTime::from_millis;
        let key = |signs_from| StoredKey {
            kid: String::new(),
            seed: Vec::new(),
            created: at(0),
            signs_from: at(signs_from),
        };
        let all = [key(30), key(20), key(10), key(0)];
        for (now, expected) in [
            (9, [Next, Next, Next, Current]),
            (10, [Next, Next, Current, Retired]),
            (29, [Next, Current, Retired, Retired]),
            (30, [Current, Retired, Retired, Retired]),
        ] {
            assert_eq!(states(&all, at(now)), expected, "{now}");
        }
    }
}
