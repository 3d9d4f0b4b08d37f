//! The time of the database, which all servers of a store go by: a token that one makes is ended by the cutoff that
//! another sets a moment later. A store in a file has one server, and the machine's time.

use super::Store;
use crate::clock::{Clock, Shared};
use crate::error::Error;
use anyhow::{Result, bail};
use guestlist_store::Dialect;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// What the database says that the time is, in milliseconds.
pub(crate) const NOW: &str =
    "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT) AS now";
/// How often the database is asked at a time: what came back soonest is nearest to the truth.
const TIMES: usize = 5;
/// So many milliseconds off, a clock is not one that somebody takes care of.
pub(crate) const MOST: i64 = 1000;
/// How often it is looked at again.
const EVERY: Duration = Duration::from_mins(1);

/// How many milliseconds `machine` is behind the time of the database, if there is one.
async fn behind(store: &Store, machine: &Clock) -> Result<Option<i64>, Error> {
    let mut nearest: Option<(i64, i64)> = None;
    for _ in 0..TIMES {
        let before = machine.now().millis();
        // Not of a replica.
        let asked = store.write(|tx| match tx.dialect() {
            Dialect::Sqlite => Ok(None),
            Dialect::Postgres => tx.first::<i64>(NOW, &[]),
        });
        let Some(now) = asked.await? else { return Ok(None) };
        let took = machine.now().millis() - before;
        let behind = now - (before + took / 2);
        if nearest.is_none_or(|(other, _)| took < other) {
            nearest = Some((took, behind));
        }
    }
    Ok(nearest.map(|(_, behind)| behind))
}

/// `clock` as a server of `store` goes by it.
///
/// # Errors
/// When the store fails, or the two are more than a second apart.
pub(crate) async fn shared(store: &Store, clock: Clock) -> Result<Clock> {
    if !clock.is_running() {
        return Ok(clock);
    }
    let Some(behind) = behind(store, &clock).await? else { return Ok(clock) };
    if behind.abs() > MOST {
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
    loop {
        minutes.tick().await;
        match behind(&store, clock.machine()).await {
            Ok(Some(behind)) => {
                clock.set(behind);
                if behind.abs() > MOST {
                    tracing::error!(
                        behind,
                        "the clock of this machine is not that of the database: its time is followed"
                    );
                }
            }
            Ok(None) => {}
            // It is tried again soon.
            Err(error) => tracing::debug!(%error, "the time of the database is not known"),
        }
    }
}
