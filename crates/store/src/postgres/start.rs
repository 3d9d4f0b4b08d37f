//! The threads of a store in a database.

use super::address::Address;
use super::migrate;
use super::replica::Replica;
use super::role::Role;
use super::worker::Worker;
use crate::migrate::OpenError;
use crate::options::Options;
use crate::pools::Pools;
use crate::queue::{Queue, Room};
use crate::schema::Schema;
use crate::versions::Versions;
use std::sync::Arc;

/// Reads something of the database, whatever is in it.
const PROBE: &str = "SELECT count(*) FROM guestlist_store";

/// Writes something of the database that is there already.
const PROBE_WRITE: &str = "UPDATE guestlist_store SET version = version";

/// Brings the database at `address` up to date and starts the threads.
///
/// # Errors
/// When it cannot be reached or is not ours to touch, or when a migration or a thread fails.
pub(crate) fn start(
    address: &Address,
    schema: &Schema,
    options: &Options,
) -> Result<Pools, OpenError> {
    let address = &address.by(schema.name);
    migrate::prepare(address, schema.migrations, options.must_exist)?;
    let versions = Arc::new(Versions::with_trust(options.trust));
    let threads = |role: Role| {
        (0..role.threads(options))
            .map(|_| Worker::start(address, role, options, Arc::clone(&versions)))
            .collect::<Result<Vec<_>, _>>()
    };
    let readers = threads(Role::Read)?;
    let writers = threads(Role::Write)?;
    let room = Room::shared(options.read_queue, readers.len());
    let readers = Queue::start("store-read", room, readers)?;
    let room = Room::halved(options.write_queue, writers.len());
    let replica = options.replica.as_ref().map(|at| at.by(schema.name));
    let replica = replica.map(|at| Replica::start(address, &at, &readers.feed(), schema, options));
    Ok(Pools {
        inline_readers: None,
        replica: replica.transpose()?,
        readers,
        writer: Queue::start("store-write", room, writers)?,
        probe: PROBE,
        probe_write: PROBE_WRITE.to_owned(),
        disk: None,
        versions: Some(versions),
    })
}
