//! The statements that a connection has prepared, or is going to: a cache by their texts.

use super::wire::{self, ColumnOf};
use crate::value::Param;
use bytes::BytesMut;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// Prepared statements that a connection keeps: above what the store's own functions use, so that
/// those made on the fly push each other out and not them.
const STATEMENTS: usize = 256;

/// Statements by their texts; those that were not used for the longest time are pushed out.
#[derive(Default)]
pub(super) struct Statements {
    index: HashMap<Arc<str>, usize>,
    slots: Vec<Slot>,
    used: u64,
    names: u32,
    /// Statements that are pushed out, and that the server has yet to forget.
    forgotten: Vec<u32>,
}

/// A prepared statement.
struct Slot {
    sql: Arc<str>,
    name: u32,
    state: Prepared,
    columns: Arc<[ColumnOf]>,
    used: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prepared {
    Not,
    Asked,
    Yes,
}

/// A statement with its parameters, as it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    slot: usize,
    bytes: BytesMut,
}

impl Encoded {
    /// How much there is to send.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl Statements {
    /// `sql` with `params`, as they are sent.
    pub(super) fn bind(&mut self, sql: &str, params: &[&dyn Param]) -> io::Result<Encoded> {
        let slot = self.place(sql);
        let name = self.slots.get(slot).map_or(0, |slot| slot.name);
        Ok(Encoded { slot, bytes: wire::run(name, params)? })
    }

    /// Whether the server has prepared what `bound` runs.
    pub(super) fn is_prepared(&self, bound: &Encoded) -> bool {
        self.slots.get(bound.slot).is_some_and(|slot| slot.state == Prepared::Yes)
    }

    /// Puts `bound`, whose parameters are like `params`, into `out`, and has it prepared before if it
    /// is not. Where it is.
    pub(super) fn write(
        &mut self,
        bound: &Encoded,
        params: &[&dyn Param],
        out: &mut BytesMut,
    ) -> io::Result<usize> {
        if let Some(Slot { state, name, sql, .. }) = self.slots.get_mut(bound.slot)
            && *state == Prepared::Not
        {
            wire::prepare(out, *name, sql, params)?;
            *state = Prepared::Asked;
        }
        out.extend_from_slice(&bound.bytes);
        Ok(bound.slot)
    }

    /// Puts into `out` that those which were pushed out are forgotten.
    pub(super) fn write_forgotten(&mut self, out: &mut BytesMut) -> io::Result<()> {
        for name in std::mem::take(&mut self.forgotten) {
            wire::forget(out, name)?;
        }
        Ok(())
    }

    /// The server has prepared the one at `slot`.
    pub(super) fn prepared(&mut self, slot: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.state = Prepared::Yes;
        }
    }

    /// The one at `slot` has these columns.
    pub(super) fn described(&mut self, slot: usize, columns: &Arc<[ColumnOf]>) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.columns = Arc::clone(columns);
        }
    }

    /// The columns of the one at `slot`.
    pub(super) fn columns(&self, slot: usize) -> Arc<[ColumnOf]> {
        self.slots.get(slot).map_or_else(|| [].into(), |slot| Arc::clone(&slot.columns))
    }

    /// Prepares all statements anew: what they refer to is not what it was.
    pub(super) fn forget_all(&mut self) {
        for slot in &mut self.slots {
            self.forgotten.push(slot.name);
            self.names += 1;
            (slot.name, slot.state) = (self.names, Prepared::Not);
        }
    }

    /// After an error the server passes over what was sent behind, so that what was to be prepared
    /// there is not.
    pub(super) fn forget_unsure(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.state == Prepared::Asked) {
            self.names += 1;
            (slot.name, slot.state) = (self.names, Prepared::Not);
        }
    }

    fn place(&mut self, sql: &str) -> usize {
        self.used += 1;
        if let Some(&place) = self.index.get(sql) {
            if let Some(slot) = self.slots.get_mut(place) {
                slot.used = self.used;
            }
            return place;
        }
        self.names += 1;
        let sql: Arc<str> = sql.into();
        let slot = Slot {
            sql: Arc::clone(&sql),
            name: self.names,
            state: Prepared::Not,
            columns: [].into(),
            used: self.used,
        };
        let oldest = if self.slots.len() < STATEMENTS {
            None
        } else {
            self.slots.iter_mut().enumerate().min_by_key(|(_, slot)| slot.used)
        };
        let place = if let Some((place, old)) = oldest {
            self.index.remove(&old.sql);
            self.forgotten.push(old.name);
            *old = slot;
            place
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        self.index.insert(sql, place);
        place
    }
}
