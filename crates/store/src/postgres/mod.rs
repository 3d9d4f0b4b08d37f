//! PostgreSQL: its connections, its errors, and the threads that own a connection each.
//!
//! # The order of messages
//!
//! Messages are those of `postgres-protocol`. Who sends them when is decided here rather than by a client
//! on top of it: the way to the database and back (a round trip) is what a statement costs, and a client
//! that ends each statement with a Sync of its own pays it for each. This is the order, and why.
//!
//! **A statement** is Bind and Execute: the name of a prepared statement and its parameters, all of it
//! binary. The first time it is used on a connection Parse and Describe go before, in the same breath
//! (`statements.rs`). No answer is sent before the server is told to: Flush asks for the answers so far,
//! Sync ends what belongs together, and the server then says that it is ready (`ReadyForQuery`).
//!
//! **A read has no `BEGIN`.** What is sent between two Syncs is one transaction to the server, which it
//! begins by itself (an implicit transaction). A session that reads is set to `REPEATABLE READ, READ ONLY`
//! once, when it connects, so that all statements of a read see the moment of the first. Nothing has to
//! be committed, and nobody waits for the end: the Sync of a read is put into the buffer and goes with the
//! first statement of the next read, or by itself when no read is there (`worker.rs`).
//!
//! ```text
//! read of two statements, both told ahead         next read, on the same connection
//! ->  Bind Execute  Bind Execute  Flush           ->  Sync  Bind Execute  Flush
//! <-  rows, rows                                  <-  ReadyForQuery, rows
//! ```
//!
//! A lookup is one statement (`Query::single`) and has its Sync right behind it: it sees no other moment
//! than its own, and the server need not keep its transaction open.
//!
//! **A pipeline is what is sent before an answer is waited for.** Two kinds of statements may be in it.
//! Those that are told ahead (`Tx::prefetch`): they read, and their parameters are known before any
//! answer is. And those that are deferred (`Change::deferred`): nobody looks at their count, and what
//! fails is told at the end. Everything else is sent with a Flush, and waited for. Answers come in the
//! order of the statements, so that whoever asks for the third reads the first two as well and puts them
//! by (`ahead.rs`). A change drops what was read ahead and not yet asked for: it may be out of date.
//! No more is on its way at once than the sockets hold (`ON_THE_WAY`), or else both sides could wait
//! for each other to read.
//!
//! **A write** begins with `BEGIN READ WRITE`, which goes with its first statement: a server that only
//! follows another refuses there, before anything is done. `COMMIT` goes with the deferred statements
//! before it and with the Sync behind it.
//!
//! ```text
//! one change                              several changes of different rows (a write batch)
//! ->  BEGIN  SELECT FOR UPDATE  Flush     ->  BEGIN  SELECT FOR UPDATE SKIP LOCKED, for each  Flush
//! <-  row                                 <-  rows, or none where another has the lock
//! ->  UPDATE  COMMIT  Sync                ->  UPDATE, for each  COMMIT  Sync
//! <-  counts, COMMIT, ReadyForQuery       <-  counts, COMMIT, ReadyForQuery
//! ```
//!
//! **What waits together goes together.** Lookups that wait at the same time are sent before any of
//! them is answered, with one Sync behind the last (`read_batch.rs`). They are one transaction then,
//! which begins after all of them have come, so that each sees what it must. Changes that each lock and
//! change one row share a transaction and its commit (`write_batch.rs`). Both are known before anything
//! is run, because their statements are values (`Lookup`, `RowChange` in `statement.rs`). Only
//! statements that are prepared already are in a read batch, and only changes that can neither violate a
//! unique constraint nor wait for a lock are in a write batch: what one job is refused must be nothing to
//! the others.
//!
//! **After an error** the server passes over everything up to the next Sync, Parse included. So a
//! statement that was to be prepared behind it gets another name and is prepared again, a `COMMIT` that
//! was sent with what failed is not one, and whatever shared the pipeline is run by itself. The
//! transaction of a write is ended by Sync, `ROLLBACK` and Sync: with the first the server listens again.
//! What an error means for a job is in `fault.rs`: it is the answer, or the job is run again (a deadlock,
//! a row that has just gone, a plan that is no longer right), or the connection is lost.
//!
//! **What nobody waits for** is cancelled on another connection (`patience.rs`), with the key that the server
//! gave to the session, and comes back as an error (57014). The thread that waits for the answer does it,
//! and waits for the server to close that connection, so that what it sends next is not meant. Nothing is
//! cancelled that several wait for, nor a `COMMIT`.
//!
//! **A connection that is lost** before `COMMIT` was sent leaves nothing behind, and the job is run once
//! more on another. After that nobody knows: [`Error::Unknown`](crate::Error::Unknown), and it is not run
//! again. The same is said when the server warns before it answers a `COMMIT`: it has stopped waiting
//! for its standby.

pub(crate) mod address;
pub(crate) mod freeze;
pub(crate) mod inspect;
pub(crate) mod migrate;
pub(crate) mod replica;
pub(crate) mod row;
pub(crate) mod scratch;
pub(crate) mod start;

mod ahead;
mod backoff;
mod connection;
mod end_point;
mod ending;
mod fault;
mod patience;
mod pooler;
mod read_batch;
mod require_auth;
mod role;
mod session;
mod socket;
mod standby;
mod statements;
mod tls;
mod wire;
mod worker;
mod write_batch;
