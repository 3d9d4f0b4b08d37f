//! The threads and connections of a store that is open.

use crate::error::Result;
use crate::job::Job;
use crate::postgres::replica::Replica;
use crate::queue::Queue;
use crate::sqlite::disk::Disk;
use crate::sqlite::readers::Readers;
use crate::versions::Versions;
use std::sync::Arc;

/// Threads and connections, by what they do. Taking them away is how the store is closed.
pub(crate) struct Pools {
    pub(crate) readers: Queue,
    /// Connections that callers may use on their own threads, where the database is in this process.
    pub(crate) inline_readers: Option<Arc<Readers>>,
    pub(crate) writer: Queue,
    pub(crate) replica: Option<Replica>,
    /// Reads something of the database, whatever is in it; and writes something.
    pub(crate) probe: &'static str,
    pub(crate) probe_write: String,
    pub(crate) versions: Option<Arc<Versions>>,
    /// What the files are on, where the database is in files of ours.
    pub(crate) disk: Option<Arc<Disk>>,
}

impl Pools {
    pub(crate) fn read(&self, job: Box<dyn Job>) -> Result<()> {
        match &self.replica {
            Some(replica) if replica.follows() => replica.send(job),
            _ => self.readers.send(job),
        }
    }
}
