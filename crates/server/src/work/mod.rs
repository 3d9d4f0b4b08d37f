//! What is done beside requests, once their transactions are committed: the one queue of the store.
//!
//! A row says what is to be done, in the transaction that wants it, so that it is done if and only if that is
//! committed. A worker of each process takes rows that are due and has them done by whoever knows how, which
//! removes the row or says when to try again. A row that is taken is due again after a while, should the process
//! end first: what is done is done at least once.

pub mod rows;
pub mod rules;

mod worker;

pub(crate) use worker::{Kind, Worker};
