//! The threads of a store in a file.

use super::connect::{Durability, Opening, PROBE};
use super::disk::Disk;
use super::{files, migrate, readers, writer};
use crate::migrate::OpenError;
use crate::options::{OnDiskFailure, Options};
use crate::pools::Pools;
use crate::schema::Schema;
use crate::versions::Versions;
use std::path::Path;
use std::sync::Arc;

/// Says so where others on the machine can read or change the files of the store.
fn warn_of_others(path: &Path, secret: &str) {
    let exposed = files::exposed(path);
    if exposed.is_empty() {
        return;
    }
    let names: Vec<String> = exposed.iter().map(|(file, _)| file.display().to_string()).collect();
    let modes: Vec<String> = exposed.iter().map(|(_, mode)| format!("{mode:04o}")).collect();
    tracing::warn!(
        modes = modes.join(" "),
        "others on this machine can read or change the store, and {secret} is in it: chmod go= {}",
        names.join(" ")
    );
}

/// Brings the database at `path` up to date, made if there is none, and starts its threads.
///
/// # Errors
/// When one of them fails, or the file is not ours to touch.
pub(crate) fn start(
    path: &Path,
    schema: &Schema,
    options: &Options,
    durability: Durability,
) -> Result<Pools, OpenError> {
    let opening = Opening {
        durability,
        must_exist: options.must_exist,
        // What another process that serves the store has written is for that to look after.
        after_failure: options.on_disk_failure == OnDiskFailure::EndProcess,
    };
    let path = migrate::prepare(path, schema.migrations, opening)?;
    let (readers, here) = readers::start(&path, options, durability)?;
    warn_of_others(&path, schema.secret);
    // Nobody else knows of an ephemeral store. The readers are connected, so that there is
    // something to look at.
    let versions = match durability {
        Durability::None => Versions::exclusive(),
        Durability::Synced => Versions::shared(&path)
            .map_err(|source| OpenError::File { path: path.clone(), source })?,
    };
    let versions = Arc::new(versions);
    let disk = Disk::watch(&path, Arc::clone(&versions), options.on_disk_failure)
        .map_err(|source| OpenError::File { path: path.clone(), source })?;
    let disk = Arc::new(disk);
    let upkeep = schema.upkeep.map(|upkeep| upkeep(options));
    let writer = writer::start(&path, options, durability, Arc::clone(&versions), &disk, upkeep)?;
    Ok(Pools {
        readers,
        inline_readers: Some(here),
        writer,
        replica: None,
        probe: PROBE,
        probe_write: migrate::mark(),
        versions: Some(versions),
        disk: Some(disk),
    })
}
