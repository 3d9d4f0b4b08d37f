//! Moving a store: everything it holds is copied into an empty one, on the same engine or another.
//!
//! The source stays as it is from the first row that is copied to the last that is compared. Its
//! tables refuse changes themselves, by triggers that are made when a move begins and removed when
//! it is given up. So every process that uses the store is held to it from the moment it begins,
//! also after a crash, and a store that is not being moved pays nothing for it. Both engines wait
//! for writes that are under way before they make a trigger.
//!
//! How far a copy has come is seen from the copy: rows are added in the order of their keys, so
//! that the greatest key is the last. That it is a copy of *this* source as it is now is known by
//! the id of the move, which both remember. A move that is given up and begun anew has another.

mod copy;
mod error;
mod record;
mod side;
mod sum;

pub use copy::{Copied, Moving, abandon, must_be_empty};
pub use error::MoveError;
pub(crate) use record::forget;
pub use record::{Record, State, look};
pub use side::options;
pub use sum::{Checksum, Sum, Sums, rows, sums};
