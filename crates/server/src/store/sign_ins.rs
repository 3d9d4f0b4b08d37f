//! Failed sign-ins: who fails often has to wait, so that passwords cannot be tried one by one.
//!
//! Addresses that nobody has are counted like any other: the answers tell nothing of who exists.

use super::Tx;
use super::convert::key;
use crate::error::{Error, Result};
use guestlist_api::time::DateTime;

/// Failures in a row that cost nothing: people mistype.
const FREE: i64 = 10;
/// The longest wait, in seconds. Longer would help somebody who means to lock an administrator
/// out more than it would slow down guessing, which is at a minute a try without hope.
const LONGEST_WAIT: i64 = 60;
/// How long failures are remembered, in milliseconds.
const REMEMBERED: i64 = 60 * 60 * 1000;

/// The seconds to wait after `count` failures in a row.
fn wait(count: i64) -> i64 {
    match count - FREE {
        over @ 0..=5 => 1 << over,
        over if over > 5 => LONGEST_WAIT,
        _ => 0,
    }
}

/// Lets somebody with the address `email` try.
///
/// # Errors
/// [`Error::AccountLocked`] when they have to wait first.
pub fn allow(tx: &mut Tx<'_>, email: &str, now: DateTime) -> Result<()> {
    let failures: Option<(i64, i64)> = tx.first(
        "SELECT count, last FROM sign_in_failures WHERE email_key = $1 AND last > $2",
        &[&key(email), &(now.millis() - REMEMBERED)],
    )?;
    let (count, last) = failures.unwrap_or_default();
    match last + wait(count) * 1000 - now.millis() {
        left if left > 0 => {
            let retry_after = u32::try_from(left.div_euclid(1000) + 1).unwrap_or(u32::MAX);
            Err(Error::AccountLocked { retry_after })
        }
        _ => Ok(()),
    }
}

/// Remembers that somebody with the address `email` failed, and forgets some of what is too old.
///
/// # Errors
/// When the store fails.
pub fn failed(tx: &mut Tx<'_>, email: &str, now: DateTime) -> Result<()> {
    let old = now.millis() - REMEMBERED;
    tx.run(
        "DELETE FROM sign_in_failures WHERE email_key IN
            (SELECT email_key FROM sign_in_failures WHERE last <= $1 ORDER BY last LIMIT 16)",
        &[&old],
    )?;
    tx.run(
        "INSERT INTO sign_in_failures (email_key, count, last) VALUES ($1, 1, $2)
         ON CONFLICT (email_key) DO UPDATE SET last = excluded.last, count =
            CASE WHEN sign_in_failures.last > $3 THEN sign_in_failures.count + 1 ELSE 1 END",
        &[&key(email), &now.millis(), &old],
    )?;
    Ok(())
}

/// Forgets the failures of somebody who signed in with the address `email`.
///
/// # Errors
/// When the store fails.
pub fn passed(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    tx.run("DELETE FROM sign_in_failures WHERE email_key = $1", &[&key(email)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        assert_eq!([9, 10, 11, 15, 16, 1000].map(wait), [0, 1, 2, 32, 60, 60]);
    }

    #[tokio::test]
    async fn who_fails_often_has_to_wait_and_is_forgiven() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("s.db"), &Options::default()).unwrap();
        let at = DateTime::from_millis;
        let try_at = |moment| store.write(move |tx| allow(tx, "A@b.c", at(moment)));
        let start = 1_000_000_000_000;
        for _ in 0..FREE {
            try_at(start).await.unwrap();
            store.write(move |tx| failed(tx, "a@B.c", at(start))).await.unwrap();
        }
        let refused = try_at(start).await;
        assert!(matches!(refused, Err(Error::AccountLocked { retry_after: 2 })), "{refused:?}");
        store.write(move |tx| allow(tx, "other@b.c", at(start))).await.unwrap();
        try_at(start + 1000).await.unwrap();
        store.write(move |tx| failed(tx, "a@b.c", at(start + 1000))).await.unwrap();
        assert!(try_at(start + 2000).await.is_err());
        try_at(start + 1000 + REMEMBERED).await.unwrap();
        store.write(|tx| passed(tx, "a@b.c")).await.unwrap();
        try_at(start + 2000).await.unwrap();
    }
}
