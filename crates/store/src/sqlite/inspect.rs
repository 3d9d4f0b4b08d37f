//! A connection that only looks at a file.

use super::connect::{Durability, Role, connect};
use super::files;
use super::migrate::found;
use super::readers::look;
use super::session::{Bounds, Session};
use crate::error::Error;
use crate::migrate::OpenError;
use crate::options::Options;
use crate::tx::Tx;
use std::path::Path;
use std::time::Duration;

pub(crate) struct Inspector {
    session: Session,
    time: Duration,
}

impl Inspector {
    /// Opens the database at `path`, of which versions up to `known` can be read, and says which it has.
    pub(crate) fn open(
        path: &Path,
        known: usize,
        options: &Options,
    ) -> Result<(Self, usize), OpenError> {
        let path = &files::resolve(path).map_err(|error| files::failed(path, error))?;
        let failed = |error: rusqlite::Error| files::unusable(path, &error);
        let connection = connect(path, Role::Read, Durability::Synced).map_err(failed)?;
        let version = found(&connection, path, known, failed)?;
        let session = Session::new(connection, Role::Read, options).map_err(failed)?;
        Ok((Self { session, time: options.read_deadline }, version))
    }

    pub(crate) fn read<T, E: From<Error>>(
        &mut self,
        f: impl FnOnce(&mut Tx<'_, E>) -> Result<T, E>,
    ) -> Result<T, E> {
        look(&mut self.session, Bounds::time(self.time), |session| f(&mut Tx::new(session)))?
    }
}
