//! The time of the database, which all servers of a store go by: a token that one makes is ended by the cutoff that
//! another sets a moment later. A store in a file has one server, and the machine's time.

use super::{Store, StoreUrl};
use crate::clock::{Clock, Shared};
use crate::error::Error;
use anyhow::{Result, bail};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, sleep};

/// What the database says that the time is, in milliseconds.
pub(crate) const NOW: &str =
    "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT) AS now";
/// How often the database is asked at a time: what came back soonest is nearest to the truth.
const TIMES: usize = 5;
/// The longest that an answer may take to be believed, in milliseconds: the time is off by half of it at most.
const NEAR: i64 = 50;
/// How often a server that starts asks until one is so near, and the pause between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);
/// So many milliseconds off, a clock is not one that somebody takes care of.
pub(crate) const MOST: i64 = 1000;
/// How often it is looked at again.
const EVERY: Duration = Duration::from_mins(1);
/// After so many times in a row without a good answer there is a warning.
const WARNED: u32 = 5;

/// An answer of the database: what its time is, and what that of the machine was before and after it.
#[derive(Debug, Clone, Copy)]
struct Told {
    before: i64,
    now: i64,
    after: i64,
}

impl Told {
    const fn took(self) -> i64 {
        self.after - self.before
    }

    /// How many milliseconds the machine is behind, give or take half of what it took.
    const fn behind(self) -> i64 {
        self.now - (self.before + self.took() / 2)
    }

    fn is_near(self) -> bool {
        (0..=NEAR).contains(&self.took())
    }
}

/// An answer. Whoever waits for a turn to write does not measure that.
async fn ask_once(store: &Store, machine: &Clock) -> Result<Told, Error> {
    let machine = machine.clone();
    // Not of a replica.
    let told = store.write(move |tx| {
        let before = machine.now().millis();
        let now = tx.first::<i64>(NOW, &[])?;
        let now = now.ok_or_else(|| Error::internal("the database does not know the time"))?;
        Ok(Told { before, now, after: machine.now().millis() })
    });
    told.await
}

/// The answer that came back soonest of a few.
async fn ask(store: &Store, machine: &Clock) -> Result<Told, Error> {
    let mut nearest: Option<Told> = None;
    for _ in 0..TIMES {
        let told = ask_once(store, machine).await?;
        // A clock that was set meanwhile has measured nothing.
        if told.took() >= 0 && nearest.is_none_or(|nearest| told.took() < nearest.took()) {
            nearest = Some(told);
        }
    }
    nearest.ok_or_else(|| Error::internal("the clock of this machine goes back all the time"))
}

/// `clock` as a server of the `store` at `place` goes by it.
///
/// # Errors
/// When the store fails, or the two are more than a second apart.
pub(crate) async fn shared(place: &StoreUrl, store: &Store, clock: Clock) -> Result<Clock> {
    if matches!(place, StoreUrl::Sqlite(_)) || !clock.is_running() {
        return Ok(clock);
    }
    let mut told = ask(store, &clock).await?;
    for _ in 1..TRIES {
        if told.is_near() {
            break;
        }
        sleep(PAUSE).await;
        let again = ask(store, &clock).await?;
        if again.took() < told.took() {
            told = again;
        }
    }
    if !told.is_near() {
        let took = told.took();
        tracing::warn!(took, "the database is too far away to know its time well");
    }
    let behind = told.behind();
    // What is not sure keeps nobody out.
    if behind.abs() > MOST + told.took() / 2 {
        let where_to = if behind > 0 { "behind" } else { "ahead of" };
        bail!(
            "the clock of this machine is {} ms {where_to} that of the database: set one of them, as by NTP",
            behind.abs()
        );
    }
    Ok(Clock::Shared(Arc::new(Shared::new(clock, behind))))
}

/// Follows the time of the database, for as long as it runs.
pub(crate) async fn follow(store: Store, clock: Clock) {
    let Clock::Shared(clock) = clock else { return };
    let mut minutes = tokio::time::interval(EVERY);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut missed = 0_u32;
    loop {
        minutes.tick().await;
        let why = match ask(&store, clock.machine()).await {
            Ok(told) if told.is_near() => {
                missed = 0;
                let behind = told.behind();
                clock.set(behind);
                if behind.abs() > MOST {
                    tracing::error!(
                        behind,
                        "the clock of this machine is not that of the database: its time is followed"
                    );
                }
                continue;
            }
            Ok(told) => format!("an answer takes {} ms", told.took()),
            Err(error) => error.to_string(),
        };
        missed += 1;
        // It goes on by what it knew, and asks again soon.
        if missed.is_multiple_of(WARNED) {
            tracing::warn!(missed, %why, "the time of the database is not known");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;
    use crate::store::ephemeral::Database;
    use std::sync::mpsc::channel;
    use std::time::Instant;

    #[test]
    fn what_took_long_is_not_believed() {
        let told = |before, now, after| Told { before, now, after };
        assert_eq!(told(100, 1000, 100).behind(), 900);
        assert_eq!(told(100, 1000, 150).behind(), 875);
        let near = [(100, 150), (100, 151), (100, 99)];
        let near = near.map(|(before, after)| told(before, 0, after).is_near());
        assert_eq!(near, [true, false, false]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_for_a_turn_does_not_measure_that() {
        let cluster = std::env::var("GUESTLIST_TEST_POSTGRES").expect(
            "GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`",
        );
        let database = Database::new(&cluster).unwrap();
        let options = Options { readers: 1, writers: 1, ..Options::default() };
        let store = Store::open_at(&database.place(), &options).unwrap();
        let (here, arrived) = channel();
        let other = store.clone();
        let other = tokio::spawn(async move {
            let long = other.write(move |tx| {
                let _ = here.send(());
                tx.first::<i64>("SELECT 1 AS one FROM pg_sleep(2)", &[])
            });
            long.await.unwrap();
        });
        arrived.recv().unwrap();
        let began = Instant::now();
        let told = ask_once(&store, &Clock::System).await.unwrap();
        let waited = i64::try_from(began.elapsed().as_millis()).unwrap();
        other.await.unwrap();
        assert!(waited > 1000 && told.took() < waited / 2, "{told:?} after {waited} ms");
    }
}
