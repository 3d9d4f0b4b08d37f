//! Failures to sign in: who fails often has to wait, so that passwords cannot be tried one by one.
//!
//! A failure is written down when a password was looked at and was wrong. Until then it is in flight,
//! which counts as much, so that many at once are many; and where the server is too busy to look at a
//! password, nothing has failed. Addresses that nobody has are counted like any other: the answers tell
//! nothing of who exists. And an address is only barred to the network that failed, or else anybody could
//! keep an administrator out. What is written is bounded by how many passwords are looked at in the time
//! for which failures are remembered.

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
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// Attempts of which nobody knows yet how they end.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashMap<Throttled, i64>>);

/// An attempt, until this is dropped.
pub(crate) struct Attempt<'f> {
    all: &'f InFlight,
    who: Throttled,
    /// How many others of the same were in flight when it began.
    pub(crate) others: i64,
}

impl InFlight {
    /// Begins an attempt of `who`.
    pub(crate) fn begin(&self, who: Throttled) -> Attempt<'_> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(who.clone()).or_default();
        *count += 1;
        Attempt { all: self, others: *count - 1, who }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.who);
            }
        }
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

/// Lets `who` try, of whom `others` are in flight.
///
/// # Errors
/// [`Error::AccountLocked`] when they have to wait first. Such an attempt does not count.
pub fn may_try(tx: &mut Tx<'_>, who: &Throttled, others: i64, now: DateTime) -> Result<()> {
    let sql = "SELECT count, last FROM sign_in_attempts WHERE who = $1";
    let failed: Option<(i64, i64)> = tx.first(sql, &[&who.0])?;
    let old = now.millis() - REMEMBERED;
    let (count, last) = failed.filter(|(_, last)| *last > old).unwrap_or_default();
    let last = if others > 0 { now.millis() } else { last };
    // Of two at once, the later may be written down first.
    let left = wait(count + others) * 1000 - (now.millis() - last).max(0);
    if left > 0 {
        let retry_after = u32::try_from(left.div_euclid(1000) + 1).unwrap_or(u32::MAX);
        return Err(Error::AccountLocked { retry_after });
    }
    Ok(())
}

/// Writes down that `who` has failed, and forgets some of what is too old.
///
/// # Errors
/// When the store fails.
pub fn fail(tx: &mut Tx<'_>, who: &Throttled, now: DateTime) -> Result<()> {
    let old = now.millis() - REMEMBERED;
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO sign_in_attempts (who, count, last) VALUES ($1, 1, $2)
         ON CONFLICT (who) DO UPDATE SET last = excluded.last, count =
             CASE WHEN sign_in_attempts.last <= $3 THEN 1 ELSE sign_in_attempts.count + 1 END",
        &[&who.0, &now.millis(), &old],
    )?;
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM sign_in_attempts WHERE who IN
            (SELECT who FROM sign_in_attempts WHERE last <= $1 AND who <> $2
             ORDER BY last LIMIT 16 FOR UPDATE SKIP LOCKED)",
        &[&old, &who.0],
    )?;
    Ok(())
}

/// Forgets the failures of `who`, who has succeeded.
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
            store.write(move |tx| {
                let who = Throttled::stranger(email, peer);
                may_try(tx, &who, 0, at(moment))?;
                fail(tx, &who, at(moment))
            })
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
    async fn many_at_once_are_many() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("s.db"), &Options::default()).unwrap();
        let all = InFlight::default();
        let who = || Throttled::stranger("a@b.c", "10.1.2.3".parse().unwrap());
        let begun: Vec<_> = (0..FREE + 5).map(|_| all.begin(who())).collect();
        let now = DateTime::from_millis(1_000_000_000_000);
        let mut tried = 0;
        for attempt in &begun {
            let others = attempt.others;
            let may = store.read(move |tx| may_try(tx, &who(), others, now)).await;
            tried += i64::from(may.is_ok());
        }
        assert_eq!(tried, FREE);
        drop(begun);
        assert!(all.0.lock().unwrap().is_empty());
        store.read(move |tx| may_try(tx, &who(), 0, now)).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_old_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("s.db"), &Options::default()).unwrap();
        let rows = store
            .write(|tx| {
                for minute in 0..200 {
                    let who = Throttled(format!("{minute}"));
                    fail(tx, &who, DateTime::from_millis(minute * 60_000))?;
                }
                tx.first::<i64>("SELECT count(*) FROM sign_in_attempts", &[])
            })
            .await
            .unwrap();
        assert_eq!(rows, Some(60));
    }
}
