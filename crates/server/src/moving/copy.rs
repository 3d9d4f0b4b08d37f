//! The copying, from its beginning to its end or its giving up.

use super::error::MoveError;
use super::record::{Record, State, look, swap};
use super::side::{PATIENCE, Side, pause};
use super::sum::{Sum, Sums, rows, sums};
use crate::clock::random;
use crate::directory::search;
use crate::error::{Error, Result};
use crate::rows::Tx;
use crate::rows::table::Table;
use crate::store::StoreUrl;
use crate::store::tables::{Key, Line, TABLES};
use guestlist_api::id::ObjectId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Rows that are copied in one transaction.
const AT_ONCE: usize = 2000;

/// Bytes after which there are no more of them.
const ROOM: usize = 4 << 20;

/// What is where the copy should go.
enum Found {
    Nothing,
    Copy(Record),
    Something,
}

fn find(tx: &mut Tx<'_>) -> Result<Found> {
    match look(tx)? {
        Some(record) if record.state == State::Arriving => return Ok(Found::Copy(record)),
        Some(_) => return Ok(Found::Something),
        None => {}
    }
    is_empty(tx).map(|empty| if empty { Found::Nothing } else { Found::Something })
}

/// Whether nobody has ever put anything into the store.
fn is_empty(tx: &mut Tx<'_>) -> Result<bool> {
    for table in TABLES.iter().filter(|table| !table.derived) {
        if !table.is_empty(tx)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Refuses a place at which there is something.
///
/// # Errors
/// When there is, or it cannot be opened.
pub async fn must_be_empty(place: &StoreUrl) -> Result<(), MoveError> {
    let side = Side::open(place)?;
    let found = side.store.read(find).await.map_err(|error| side.failed(error))?;
    side.store.close().await;
    match found {
        Found::Nothing => Ok(()),
        Found::Copy(_) | Found::Something => Err(MoveError::NotEmpty(side.at)),
    }
}

/// A move that has begun.
pub struct Moving {
    from: Side,
    to: Side,
    id: String,
    resumed: bool,
}

/// What was copied, and found to be the same.
#[derive(Debug, Clone)]
pub struct Copied {
    /// What both stores hold.
    pub sums: Sums,
    /// Where it was.
    pub from: String,
    /// Where it is now.
    pub to: String,
}

impl Moving {
    /// Begins to move `from` to `to`, or goes on with it: from now on `from` takes no changes.
    ///
    /// # Errors
    /// When a store cannot be opened or fails, or is not one that can be moved, or moved to. Then
    /// both are as they were.
    pub async fn begin(from: &StoreUrl, to: &StoreUrl) -> Result<Self, MoveError> {
        let (from, to) = (Side::open(from)?, Side::open(to)?);
        if from.at == to.at {
            return Err(MoveError::Itself(from.at));
        }
        let leaving = from.look().await?;
        let found = to.store.read(find).await.map_err(|error| to.failed(error))?;
        let (at, there) = (from.at.clone(), to.at.clone());
        let (known, resumed) = match (leaving, found) {
            (Some(Record { state: State::Arriving, other, .. }), _) => {
                return Err(MoveError::Unfinished { at, of: other });
            }
            (Some(leaving), Found::Copy(copy)) if leaving.id == copy.id => (Some(leaving.id), true),
            (Some(Record { state: State::Left, other, .. }), _) => {
                return Err(MoveError::Moved { at, to: other });
            }
            (_, Found::Copy(copy)) => {
                return Err(MoveError::OtherCopy { at: there, of: copy.other });
            }
            (_, Found::Something) => return Err(MoveError::NotEmpty(there)),
            (Some(leaving), Found::Nothing) if leaving.other != there => {
                return Err(MoveError::Elsewhere { at, to: leaving.other });
            }
            (leaving, Found::Nothing) => (leaving.map(|leaving| leaving.id), false),
        };
        let id = match &known {
            Some(id) => id.clone(),
            None => ObjectId::from_bytes(random().map_err(|error| from.failed(error))?).to_string(),
        };
        let moving = Self { from, to, id, resumed };
        if known.is_none() {
            let other = moving.to.at.clone();
            let leaving = Record { id: moving.id.clone(), state: State::Leaving, other };
            moving.from.swap(None, Some(leaving)).await?;
        }
        if !resumed && let Err(error) = moving.claim().await {
            if known.is_none() {
                moving.from.swap(Some(&moving.id), None).await?;
            }
            return Err(error);
        }
        Ok(moving)
    }

    /// Makes `to` a copy of which nothing is there yet.
    async fn claim(&self) -> Result<(), MoveError> {
        let (id, other) = (self.id.clone(), self.from.at.clone());
        let arriving = Record { id, state: State::Arriving, other };
        let claim = move |tx: &mut Tx<'_>| {
            swap(tx, None, Some(&arriving))?;
            if !is_empty(tx)? {
                return Err(Error::AlreadyExists("somebody has begun to use it".into()));
            }
            // What an empty store says of itself.
            TABLES.iter().filter(|table| table.derived).try_for_each(|table| table.clear(tx))
        };
        self.to.write(claim).await
    }

    /// Whether it goes on with what was begun before.
    #[must_use]
    pub const fn resumed(&self) -> bool {
        self.resumed
    }

    /// How many rows there are to copy, and how many of them were before.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn rows(&self) -> Result<(u64, u64), MoveError> {
        let all = self.from.store.read(rows).await.map_err(|error| self.from.failed(error))?;
        let done = self.to.store.read(rows).await.map_err(|error| self.to.failed(error))?;
        Ok((all, done))
    }

    /// Copies what is not yet copied, and counts the rows in `seen` meanwhile.
    ///
    /// # Errors
    /// When a store fails, or a row cannot be written to the other.
    pub async fn copy(&self, seen: &AtomicU64) -> Result<(), MoveError> {
        for table in TABLES {
            self.patiently(table, seen, async || {
                // What is there is where to go on from, whatever became of the last write.
                let last = self.to.store.read(|tx| table.last(tx)).await?;
                self.walk(table, last, Table::add, seen).await
            })
            .await?;
            if table.self_reference.is_some() {
                let again = AtomicU64::new(0);
                let refer = async || self.walk(table, None, Table::refer, &again).await;
                self.patiently(table, &again, refer).await?;
            }
        }
        Ok(())
    }

    /// Has `to` do `with` the rows of `from` behind the key `last`, reading those that come next
    /// meanwhile.
    async fn walk(
        &self,
        table: &'static Table,
        last: Option<Key>,
        with: fn(&Table, &mut Tx<'_>, &[Line]) -> Result<()>,
        seen: &AtomicU64,
    ) -> Result<()> {
        let read = |after: Option<Key>| {
            self.from.store.read(move |tx| table.page(tx, after.as_deref(), AT_ONCE, ROOM))
        };
        let mut lines = read(last).await?;
        while let Some(last) = lines.last() {
            let (last, count) = (table.key_of(last), lines.len());
            let write = self.to.store.write(move |tx| with(table, tx, &lines));
            let (written, next) = tokio::join!(write, read(Some(last)));
            written?;
            seen.fetch_add(count as u64, Ordering::Relaxed);
            lines = next?;
        }
        Ok(())
    }

    /// Does `work` once others are out of its way: for as long as rows are copied in between, and
    /// then for a while.
    async fn patiently(
        &self,
        table: &Table,
        seen: &AtomicU64,
        work: impl AsyncFn() -> Result<()>,
    ) -> Result<(), MoveError> {
        let (mut since, mut before) = (Instant::now(), seen.load(Ordering::Relaxed));
        loop {
            let done = work().await;
            let now = seen.load(Ordering::Relaxed);
            if now != before {
                (since, before) = (Instant::now(), now);
            }
            match done {
                Err(Error::Busy { .. } | Error::Unknown { .. }) if since.elapsed() < PATIENCE => {
                    pause().await;
                }
                done => {
                    return done.map_err(|source| MoveError::Rows {
                        table: table.name,
                        from: self.from.at.clone(),
                        to: self.to.at.clone(),
                        source,
                    });
                }
            }
        }
    }

    /// Reads both stores, counts their rows in `seen` meanwhile, and holds one against the other.
    ///
    /// # Errors
    /// When a store fails, or they are not the same.
    pub async fn compare(&self, seen: Arc<AtomicU64>) -> Result<Copied, MoveError> {
        let read = async |side: &Side| {
            let seen = Arc::clone(&seen);
            let read = side.store.read(move |tx| sums(tx, &seen)).await;
            read.map_err(|error| side.failed(error))
        };
        let (source, target) = tokio::join!(read(&self.from), read(&self.to));
        let (source, target) = (source?, target?);
        let (from, to) = (self.from.at.clone(), self.to.at.clone());
        for (one, other) in source.0.iter().zip(&target.0) {
            if one != other {
                let has = |sum: &Sum| format!("{} rows with checksum {}", sum.rows, sum.checksum);
                let both = format!("{from} has {}, and {to} has {}", has(one), has(other));
                return Err(MoveError::Differs { table: one.table, both });
            }
        }
        if !self.to.write(search::is_whole).await? {
            let both = format!("that of {to} does not know the users that are there");
            return Err(MoveError::Differs { table: "user_search", both });
        }
        Ok(Copied { sums: source, from, to })
    }

    /// Ends the move of what was found to be the same: from now on `to` can be served. `from` takes
    /// no changes, unless `source_stays` in use.
    ///
    /// # Errors
    /// When a store fails; then doing it all again comes to an end.
    pub async fn end(self, _: &Copied, source_stays: bool) -> Result<(), MoveError> {
        let Self { from, to, id, .. } = self;
        let left = Record { id: id.clone(), state: State::Left, other: to.at.clone() };
        // First, so that there is no moment in which both take changes, and because it says that
        // there was none while the rows were copied and compared.
        from.swap(Some(&id), Some(left)).await?;
        to.swap(Some(&id), None).await?;
        if source_stays {
            from.swap(Some(&id), None).await?;
        }
        from.store.close().await;
        to.store.close().await;
        Ok(())
    }
}

/// Gives a move up: `from` takes changes again, and `to`, an unfinished copy, is emptied. Either
/// may be left out. Says where changes are taken again, and what is empty now.
///
/// # Errors
/// When a store cannot be opened or fails, or has nothing to do with a move.
pub async fn abandon(
    from: Option<&StoreUrl>,
    to: Option<&StoreUrl>,
) -> Result<Vec<String>, MoveError> {
    let mut done = Vec::new();
    if let Some(place) = to {
        let to = Side::open(place)?;
        match to.look().await? {
            Some(copy) if copy.state == State::Arriving => {
                for table in TABLES.iter().rev() {
                    to.write(|tx| table.clear(tx)).await?;
                }
                to.swap(Some(&copy.id), None).await?;
            }
            _ => return Err(MoveError::NoCopy(to.at)),
        }
        to.store.close().await;
        done.push(format!("{} is empty", to.at));
    }
    if let Some(place) = from {
        let from = Side::open(place)?;
        match from.look().await? {
            Some(Record { state: State::Arriving, other, .. }) => {
                return Err(MoveError::Unfinished { at: from.at, of: other });
            }
            Some(leaving) => from.swap(Some(&leaving.id), None).await?,
            None => return Err(MoveError::NoMove(from.at)),
        }
        from.store.close().await;
        done.push(format!("{} takes changes", from.at));
    }
    Ok(done)
}
