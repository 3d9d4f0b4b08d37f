//! Attempts to sign in: who fails often has to wait, so that passwords cannot be tried one by one.
//!
//! An attempt is written down before the password is looked at, so that many at once count as many, on
//! all nodes together; and by somebody who has a place in the queue for hashing, so that a server which is too
//! busy to look at a password counts nothing, and what is written is bounded by how many are looked at.
//! Addresses that nobody has are counted like any other: the answers tell nothing of who exists. And an
//! address is only barred to the network that failed, or else anybody could keep an administrator out.

use crate::error::{Error, Result};
use crate::http::network::Network;
use crate::rows::convert::key;
use crate::rows::table::{Table, table, text, whole};
use crate::rows::{ChangeScope, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use guestlist_api::id::UserId;
use guestlist_api::time::DateTime;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Who failed to sign in, and how often.
pub(crate) const TABLE: Table =
    table("sign_in_attempts", 1, &[text("who"), whole("count"), whole("last")]);

/// Failures in a row that cost nothing: people mistype, and programs sign in side by side.
const FREE: i64 = 20;
/// The longest wait, in seconds: guessing at a minute a try is without hope.
const LONGEST_WAIT: i64 = 60;
/// How long attempts are remembered, in milliseconds.
const REMEMBERED: i64 = 60 * 60 * 1000;

/// Who tries: a digest, as long for everybody.
#[derive(Debug, Clone)]
pub struct Throttled(String);

impl Throttled {
    /// Somebody who says that their address is `email`.
    #[must_use]
    pub fn stranger(email: &str, peer: IpAddr) -> Self {
        Self::of(&format!("{} {}", key(email), Network::of_client(peer)))
    }

    /// An administrator who says their password again, with whichever token: each would be another
    /// twenty guesses.
    #[must_use]
    pub fn administrator(user: UserId) -> Self {
        Self::of(&user.to_string())
    }

    fn of(who: &str) -> Self {
        Self(BASE64.encode(Sha256::digest(who)))
    }
}

/// The seconds to wait after `count` failures in a row.
fn wait(count: i64) -> i64 {
    match count - FREE {
        over @ 0..=5 => 1 << over,
        over if over > 5 => LONGEST_WAIT,
        _ => 0,
    }
}

/// Writes down that `who` tries, and forgets some of what is too old.
///
/// # Errors
/// [`Error::AccountLocked`] when they have to wait first. Such an attempt does not count.
pub fn attempt(tx: &mut Tx<'_>, who: &Throttled, now: DateTime) -> Result<()> {
    let old = now.millis() - REMEMBERED;
    // Of two at once, one waits here for the other.
    let before: Vec<(i64, i64)> = tx.change_all(
        ChangeScope::Nothing,
        "INSERT INTO sign_in_attempts (who, count, last) VALUES ($1, 0, $2)
         ON CONFLICT (who) DO UPDATE SET count = sign_in_attempts.count RETURNING count, last",
        &[&who.0, &old],
    )?;
    let (count, last) = before.into_iter().find(|(_, last)| *last > old).unwrap_or_default();
    let (wait, clear) = (wait(count) * 1000, now.millis() - last);
    // Of two at once, the later may be written down first.
    let left = wait - clear.max(0);
    if left > 0 {
        let retry_after = u32::try_from(left.div_euclid(1000) + 1).unwrap_or(u32::MAX);
        return Err(Error::AccountLocked { retry_after });
    }
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM sign_in_attempts WHERE who IN
            (SELECT who FROM sign_in_attempts WHERE last <= $1 AND who <> $2
             ORDER BY last LIMIT 16 FOR UPDATE SKIP LOCKED)",
        &[&old, &who.0],
    )?;
    tx.change(
        ChangeScope::Nothing,
        "UPDATE sign_in_attempts SET count = $2, last = $3 WHERE who = $1",
        &[&who.0, &(count + 1), &now.millis()],
    )?;
    Ok(())
}

/// Takes back an attempt of `who`, whose password nobody has looked at after all.
///
/// # Errors
/// When the store fails.
pub fn take_back(tx: &mut Tx<'_>, who: &Throttled) -> Result<()> {
    let sql = "UPDATE sign_in_attempts SET count = count - 1 WHERE who = $1 AND count > 0";
    tx.change(ChangeScope::Nothing, sql, &[&who.0])?;
    Ok(())
}

/// Forgets the attempts of `who`, who has succeeded.
///
/// # Errors
/// When the store fails.
pub fn clear(tx: &mut Tx<'_>, who: &Throttled) -> Result<()> {
    tx.change(ChangeScope::Nothing, "DELETE FROM sign_in_attempts WHERE who = $1", &[&who.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        assert_eq!([19, 20, 21, 25, 26, 1000].map(wait), [0, 1, 2, 32, 60, 60]);
    }

    #[tokio::test]
    async fn who_fails_often_has_to_wait_and_is_forgiven() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("s.db"), &Options::default()).unwrap();
        let at = DateTime::from_millis;
        let here: IpAddr = "10.1.2.3".parse().unwrap();
        let try_as = |email: &'static str, peer, moment| {
            store.write(move |tx| attempt(tx, &Throttled::stranger(email, peer), at(moment)))
        };
        let start = 1_000_000_000_000;
        for _ in 0..FREE {
            try_as("a@B.c", here, start).await.unwrap();
        }
        let refused = try_as("A@b.c", here, start).await;
        assert!(matches!(refused, Err(Error::AccountLocked { retry_after: 2 })), "{refused:?}");
        // Neither another address nor the same one from elsewhere is barred.
        try_as("other@b.c", here, start).await.unwrap();
        try_as("a@b.c", "10.1.2.4".parse().unwrap(), start).await.unwrap();
        try_as("a@b.c", here, start + 1000).await.unwrap();
        assert!(try_as("a@b.c", here, start + 2000).await.is_err());
        // Attempts that meet are written down in any order.
        try_as("b@b.c", here, start + 9).await.unwrap();
        try_as("b@b.c", here, start).await.unwrap();
        let whole_network = Throttled::stranger("a@b.c", "2001:db8:0:1::5".parse().unwrap()).0;
        assert_eq!(
            whole_network,
            Throttled::stranger("a@b.c", "2001:db8:0:1:9::".parse().unwrap()).0
        );
        store.write(move |tx| clear(tx, &Throttled::stranger("a@b.c", here))).await.unwrap();
        try_as("a@b.c", here, start + 2000).await.unwrap();
    }

    #[tokio::test]
    async fn what_nobody_has_looked_at_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("s.db"), &Options::default()).unwrap();
        let (who, now) = (Throttled::of("anybody"), DateTime::from_millis(1_000_000_000_000));
        for _ in 0..3 * FREE {
            let who = who.clone();
            let busy = store.write(move |tx| {
                attempt(tx, &who, now)?;
                take_back(tx, &who)
            });
            busy.await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_old_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("s.db"), &Options::default()).unwrap();
        let rows = store
            .write(|tx| {
                for minute in 0..200 {
                    let who = Throttled(format!("{minute}"));
                    attempt(tx, &who, DateTime::from_millis(minute * 60_000))?;
                }
                tx.first::<i64>("SELECT count(*) FROM sign_in_attempts", &[])
            })
            .await
            .unwrap();
        assert_eq!(rows, Some(60));
    }
}
