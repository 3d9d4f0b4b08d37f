//! A connection that only looks at a database.

use super::address::Address;
use super::connection::Connection;
use super::ending::Ending;
use super::fault::{self, unusable};
use super::migrate::version;
use super::role::{Role, SLACK, connect};
use super::session::Session;
use crate::error::Error;
use crate::migrate::OpenError;
use crate::options::Options;
use crate::tx::Tx;
use std::any::Any;
use std::time::{Duration, Instant};

pub(crate) struct Inspector {
    link: Connection,
    time: Duration,
    extension: &'static (dyn Any + Send + Sync),
}

impl Inspector {
    /// Connects to the database at `address`, of which versions up to `known` can be read, and says which
    /// it has.
    pub(crate) fn open(
        address: &Address,
        known: usize,
        options: &Options,
    ) -> Result<(Self, usize), OpenError> {
        let time = options.read_deadline;
        let link = connect(address, &Role::Read.setup(options), time + SLACK);
        let mut link = link.map_err(|failure| unusable(address, failure))?;
        let version = version(&mut link, address, known)?;
        Ok((Self { link, time, extension: options.extension }, version))
    }

    pub(crate) fn read<T, E: From<Error>>(
        &mut self,
        f: impl FnOnce(&mut Tx<'_, E>) -> Result<T, E>,
    ) -> Result<T, E> {
        let until = Instant::now() + self.time;
        let mut session = Session::new(&mut self.link, Role::Read, until, self.extension, None);
        let done = f(&mut Tx::new(&mut session));
        match session.end(done.is_ok()) {
            Ending::Settled => done,
            Ending::Refused(error) => done.and(Err(error.into())),
            _ => done.and(Err(fault::away().into())),
        }
    }
}
