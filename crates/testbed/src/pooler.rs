//! A throwaway PgBouncer in front of a database server.

use crate::cluster::free_port;
use crate::keeper::Keeper;
use crate::programs;
use anyhow::{Context as _, bail};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PROGRAM: &str = "pgbouncer";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is behind a pooler, and how it shares that.
#[derive(Debug, Clone)]
pub struct Pooling<'s> {
    /// The database server.
    pub target: SocketAddr,
    /// Whom it knows.
    pub user: &'s str,
    /// Their password.
    pub password: &'s str,
    /// `session`, `transaction` or `statement`.
    pub mode: &'s str,
    /// More settings, by name.
    pub more: &'s [(&'s str, &'s str)],
}

/// A PgBouncer on a port of the loopback interface, for one user and all databases of one server. It
/// never runs as root, and is stopped and removed when this is dropped or the process is gone.
#[derive(Debug)]
pub struct Pooler {
    keeper: Mutex<Keeper>,
    port: u16,
}

impl Pooler {
    /// Where the program is: on `PATH`, or where systems keep what is run by no person.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> anyhow::Result<PathBuf> {
        programs::found(PROGRAM)
    }

    /// Starts one.
    ///
    /// # Errors
    /// When there is no PgBouncer, or it does not start.
    pub fn start(pooling: &Pooling<'_>) -> anyhow::Result<Self> {
        let program = Self::find()?;
        let program = program.to_str().context("a path that is text")?;
        let mut keeper = Keeper::of(None)?;
        let port = free_port()?;
        let Pooling { target, user, password, mode, more } = pooling;
        keeper.write("users", &format!("\"{user}\" \"{password}\"\n"))?;
        let mut settings = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\n\
             auth_file = users\npool_mode = {mode}\n",
            target.ip(),
            target.port()
        );
        for (name, value) in *more {
            // Writing to a String cannot fail.
            let _ = writeln!(settings, "{name} = {value}");
        }
        keeper.write("settings", &settings)?;
        keeper.run(&["pool", program])?;
        let mut pooler = Self { keeper: Mutex::new(keeper), port };
        pooler.wait()?;
        Ok(pooler)
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let address = self.address();
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if keeper.run(&["runs"]).is_err() || Instant::now() >= until {
                let log = std::fs::read_to_string(keeper.directory().join("log"));
                bail!("{PROGRAM} does not listen: {}", log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}
