//! A store that is only looked at: nothing in it is made, brought up to date, written or looked after.

use crate::error::Error;
use crate::migrate::OpenError;
use crate::options::Options;
use crate::schema::Schema;
use crate::tx::Tx;
use crate::url::StoreUrl;
use crate::{postgres, sqlite};

/// A connection that only looks at a store, beside those that use it.
pub struct Inspector {
    engine: Inspected,
    version: usize,
}

enum Inspected {
    Sqlite(Box<sqlite::inspect::Inspector>),
    Postgres(Box<postgres::inspect::Inspector>),
}

impl Inspector {
    /// Connects to the store at `url`, of whatever version of `schema` it is. Of the `options` it has the
    /// deadlines of what reads, and the extension.
    ///
    /// # Errors
    /// When there is no store, or a newer Guestlist has made it, or it cannot be reached or read.
    pub fn open(url: &StoreUrl, schema: &Schema, options: &Options) -> Result<Self, OpenError> {
        let known = schema.migrations.len();
        let (engine, version) = match url {
            StoreUrl::Sqlite(path) => {
                let (engine, version) = sqlite::inspect::Inspector::open(path, known, options)?;
                (Inspected::Sqlite(Box::new(engine)), version)
            }
            StoreUrl::Postgres(address) => {
                let address = &address.by(schema.name);
                let (engine, version) =
                    postgres::inspect::Inspector::open(address, known, options)?;
                (Inspected::Postgres(Box::new(engine)), version)
            }
        };
        if version == 0 {
            return Err(OpenError::Missing(url.to_string()));
        }
        Ok(Self { engine, version })
    }

    /// How many migrations have made it.
    #[must_use]
    pub const fn version(&self) -> usize {
        self.version
    }

    /// Runs `f`, of which all statements see one moment.
    ///
    /// # Errors
    /// As [`Store::read`](crate::Store::read).
    pub fn read<T, E: From<Error>>(
        &mut self,
        f: impl FnOnce(&mut Tx<'_, E>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &mut self.engine {
            Inspected::Sqlite(inspector) => inspector.read(f),
            Inspected::Postgres(inspector) => inspector.read(f),
        }
    }
}
