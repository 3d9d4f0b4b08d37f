//! The time of the database, which all servers of a store go by: a token that one makes is ended by the cutoff that
//! another sets a moment later. A store in a file has one server, and the machine's time.

use super::{Store, StoreUrl};
use crate::clock::{Clock, Shared};
use crate::error::Error;
use anyhow::{Result, bail};
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

/// How many milliseconds `machine` is behind the time of the database.
async fn behind(store: &Store, machine: &Clock) -> Result<i64, Error> {
    let (mut shortest, mut nearest) = (i64::MAX, 0);
    for _ in 0..TIMES {
        let before = machine.now().millis();
        // Not of a replica.
        let now = store.write(|tx| tx.first::<i64>(NOW, &[])).await?;
        let now = now.ok_or_else(|| Error::internal("the database does not know the time"))?;
        let took = machine.now().millis() - before;
        if took < shortest {
            (shortest, nearest) = (took, now - (before + took / 2));
        }
    }
    Ok(nearest)
}

/// `clock` as a server of the `store` at `place` goes by it.
///
/// # Errors
/// When the store fails, or the two are more than a second apart.
pub(crate) async fn shared(place: &StoreUrl, store: &Store, clock: Clock) -> Result<Clock> {
    if matches!(place, StoreUrl::Sqlite(_)) || !clock.is_running() {
        return Ok(clock);
    }
    let behind = behind(store, &clock).await?;
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
            Ok(behind) => {
                clock.set(behind);
                if behind.abs() > MOST {
                    tracing::error!(
                        behind,
                        "the clock of this machine is not that of the database: its time is followed"
                    );
                }
            }
            // It is tried again soon.
            Err(error) => tracing::debug!(%error, "the time of the database is not known"),
        }
    }
}
