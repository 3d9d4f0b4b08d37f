//! The keys that tokens are signed with, as they are stored: the newest first, each with the moment from
//! which it signs. Tokens of all of them are good, until one is retired.
//!
//! The first key of a store is in a setting of its own, for ever: what else is made of the store's
//! secret stays the same when tokens are signed by another.

use super::token::{SecretBytes, Signer, StoredKey};
use crate::clock::random;
use crate::error::{Error, Result};
use crate::rows::{Tx, settings};
use guestlist_api::time::DateTime;
use zeroize::Zeroizing;

/// The setting of the first key.
const FIRST: &str = "signing_key";
/// The setting of all that are good, once there has been another.
const ALL: &str = "signing_keys";
/// How long a key is.
const KEY: usize = 32;
/// How long a stored key is: its moment, then the key.
const RECORD: usize = 8 + KEY;
/// How long after it is made a key begins to sign, in milliseconds: by then every server of the store has
/// read it, and takes the tokens that another signs with it.
const HEAD_START: i64 = 10_000;

/// The name of `key`, which its tokens say.
///
/// # Errors
/// [`Error::Internal`] when it is no key.
pub(crate) fn kid(key: &StoredKey) -> Result<String> {
    let signer = Signer::of(std::slice::from_ref(key))?;
    signer.kids().pop().ok_or_else(|| Error::internal("a key has no name"))
}

fn secret(bytes: Vec<u8>) -> SecretBytes {
    SecretBytes::new(Zeroizing::new(bytes))
}

/// The first key of the store, made if there is none.
///
/// # Errors
/// When the store fails.
pub(crate) fn first(tx: &mut Tx<'_>, made: &SecretBytes) -> Result<SecretBytes> {
    let new = || Ok(made.expose().to_vec());
    settings::get_or_make(tx, FIRST, new).map(secret)
}

/// The keys whose tokens are good, the newest first.
///
/// # Errors
/// When the store fails; [`Error::Internal`] when it has no keys.
pub(crate) fn load(tx: &mut Tx<'_>) -> Result<Vec<StoredKey>> {
    let Some(all) = settings::get(tx, ALL)?.map(Zeroizing::new) else {
        let first = settings::get(tx, FIRST)?;
        let first = first.ok_or_else(|| Error::internal("the store has no signing key"))?;
        let since = DateTime::from_millis(0);
        return Ok(vec![StoredKey { since, secret: secret(first) }]);
    };
    let (records, []) = all.as_chunks::<RECORD>() else {
        return Err(Error::internal("the stored signing keys are not whole"));
    };
    let read = |record: &[u8; RECORD]| {
        let (since, key) = record.split_at(8);
        let since = since.try_into().map(i64::from_be_bytes).map_err(Error::internal)?;
        let copy = secret(key.to_vec());
        Ok(StoredKey { since: DateTime::from_millis(since), secret: copy })
    };
    records.iter().map(read).collect()
}

fn put(tx: &mut Tx<'_>, keys: &[StoredKey]) -> Result<()> {
    let mut all = Zeroizing::new(Vec::with_capacity(keys.len() * RECORD));
    for key in keys {
        all.extend(key.since.millis().to_be_bytes());
        all.extend(key.secret.expose());
    }
    settings::put(tx, ALL, &all)
}

/// A new key, to be given to [`rotate`].
///
/// # Errors
/// When the operating system has no random bytes to give.
pub(crate) fn generate(now: DateTime) -> Result<StoredKey> {
    let key = Zeroizing::new(random::<KEY>()?);
    let since = now.plus_millis(HEAD_START);
    Ok(StoredKey { since, secret: secret(key.to_vec()) })
}

/// Puts `new` before the keys that there are.
///
/// # Errors
/// As [`load`].
pub(crate) fn rotate(tx: &mut Tx<'_>, new: &StoredKey) -> Result<()> {
    let mut keys = load(tx)?;
    let copy = secret(new.secret.expose().to_vec());
    keys.insert(0, StoredKey { since: new.since, secret: copy });
    put(tx, &keys)
}

/// Puts a new key, which signs from `now` on, in the place of all that there are: no token is good any
/// more. For a store that nobody serves.
///
/// # Errors
/// When the store fails, or the operating system has no random bytes to give.
pub(crate) fn replace_all(tx: &mut Tx<'_>, now: DateTime) -> Result<()> {
    let key = Zeroizing::new(random::<KEY>()?);
    put(tx, &[StoredKey { since: now, secret: secret(key.to_vec()) }])
}

/// Takes the key called `retired` out, whose tokens are refused from now on.
///
/// # Errors
/// As [`load`]; [`Error::NotFound`] when there is no such key; [`Error::AlreadyExists`] when none would
/// be left that signs at `now`.
pub(crate) fn retire(tx: &mut Tx<'_>, retired: &str, now: DateTime) -> Result<()> {
    let mut keys = load(tx)?;
    let names = keys.iter().map(kid).collect::<Result<Vec<_>>>()?;
    let at = names.iter().position(|name| name == retired).ok_or(Error::NotFound("Signing key"))?;
    keys.remove(at);
    if !keys.iter().any(|key| key.since <= now) {
        let why = "no key would be left that signs: make another with `guestlist key rotate`, and \
                   retire this one when that has begun to sign";
        return Err(Error::AlreadyExists(why.into()));
    }
    put(tx, &keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};

    #[tokio::test]
    async fn a_key_follows_another_and_the_last_that_signs_stays() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("s.db"), &Options::default()).unwrap();
        let now = DateTime::from_millis(1_782_000_000_000);
        let kids =
            |keys: &[StoredKey]| keys.iter().map(|key| kid(key).unwrap()).collect::<Vec<_>>();
        let made = Signer::generate().unwrap().1;
        let first = store
            .write(move |tx| {
                first(tx, &made)?;
                load(tx)
            })
            .await
            .unwrap();
        let [old] = kids(&first).try_into().unwrap();
        let new = generate(now).unwrap();
        let all = store.write(move |tx| rotate(tx, &new).and_then(|()| load(tx))).await.unwrap();
        let [new, second] = kids(&all).try_into().unwrap();
        assert_eq!(second, old);
        let begins = now.plus_millis(HEAD_START);
        assert_eq!(all[0].since, begins);
        let retire = |name: &str, at: DateTime| {
            let name = name.to_owned();
            store.write(move |tx| retire(tx, &name, at).and_then(|()| load(tx)))
        };
        // The new one does not sign yet.
        let early = retire(&old, now).await;
        assert!(matches!(early, Err(Error::AlreadyExists(_))));
        assert!(matches!(retire("none", begins).await, Err(Error::NotFound(_))));
        let left = retire(&old, begins).await.unwrap();
        assert_eq!(kids(&left), std::slice::from_ref(&new));
        assert!(retire(&new, begins).await.is_err());
    }
}
