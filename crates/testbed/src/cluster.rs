//! A throwaway PostgreSQL.

use crate::identity::Identity;
use crate::keeper::Keeper;
use crate::programs::Programs;
use anyhow::{Context as _, bail, ensure};
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Below the ports that systems give to whoever asks for any, so that nobody is given it while the
/// server is down for a moment.
const PORTS: std::ops::Range<u32> = 15_000..32_000;

/// How a cluster is run.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether it waits for the disk. A process that is killed loses nothing that the system has,
    /// so only what is measured, or tested as operated, needs it.
    pub fsync: bool,
    /// What it proves its name with to those who ask for TLS. Without it there is no TLS.
    pub tls: Option<Certificate>,
    /// More settings of the server, by name.
    pub more: Vec<(String, String)>,
}

/// A certificate and its key, both in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// What anybody may see.
    pub certificate: String,
    /// What nobody may.
    pub key: String,
}

/// A cluster in a temporary directory, on a port of the loopback interface, for a superuser with a
/// password that nobody else knows. It never runs as root, and is stopped and removed when this is
/// dropped or the process is gone.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    keeper: Mutex<Keeper>,
    settings: Settings,
    port: u16,
    password: String,
}

impl Cluster {
    /// Makes one and starts it.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn start(settings: &Settings) -> anyhow::Result<Self> {
        let programs = Programs::find()?;
        let password = chance()?.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        let mut cluster = Self::prepare(programs, settings, password)?;
        let version = cluster.programs.version;
        let keeper = cluster.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        keeper.write("password", &cluster.password)?;
        let initdb = cluster.programs.path("initdb");
        let mut words = vec![
            initdb.to_str().context("a path that is text")?,
            "--pgdata=data",
            "--username=postgres",
            "--pwfile=password",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        ];
        // An order that is not that of the bytes, so that a statement which needs the latter and
        // does not say so is found out.
        match version {
            ..15 => words.push("--no-locale"),
            _ => words.extend(["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]),
        }
        keeper.run(&words)?;
        cluster.begin()?;
        Ok(cluster)
    }

    /// A standby that follows this one through a slot called `name`, and is called that where
    /// standbys are named. It is not waited for: see [`Cluster::wait_for`].
    ///
    /// # Errors
    /// When it cannot be copied or does not start.
    pub fn standby(&self, name: &str) -> anyhow::Result<Self> {
        let standby = Self::prepare(self.programs.clone(), &self.settings, self.password.clone())?;
        let copy = standby.programs.path("pg_basebackup");
        let source = format!(
            "host=127.0.0.1 port={} user=postgres password={} application_name={name}",
            self.port, self.password
        );
        standby.keeper().run(&[
            copy.to_str().context("a path that is text")?,
            "--pgdata=data",
            "--write-recovery-conf",
            "--wal-method=stream",
            "--create-slot",
            &format!("--slot={name}"),
            "--checkpoint=fast",
            "--no-sync",
            &format!("--dbname={source}"),
        ])?;
        standby.begin()?;
        Ok(standby)
    }

    fn prepare(programs: Programs, settings: &Settings, password: String) -> anyhow::Result<Self> {
        let mut keeper = Keeper::new(&programs)?;
        if let Some(Certificate { certificate, key }) = &settings.tls {
            keeper.write("certificate", certificate)?;
            keeper.write("key", key)?;
        }
        let port = free_port()?;
        let settings = settings.clone();
        Ok(Self { programs, keeper: Mutex::new(keeper), settings, port, password })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The version of the server.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.programs.version
    }

    /// A URL of its superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_through(&[self.address()], "postgres")
    }

    /// A URL of its superuser for one of its databases, by way of other addresses.
    #[must_use]
    pub fn url_through(&self, addresses: &[SocketAddr], database: &str) -> String {
        let hosts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        format!("postgres://postgres:{}@{}/{database}", self.password, hosts.join(","))
    }

    /// What a statement gives: a line for each row, `|` between columns.
    ///
    /// # Errors
    /// When the server is not there or refuses it.
    pub fn sql(&self, statement: &str) -> anyhow::Result<String> {
        let mut psql = Command::new(self.programs.path("psql"));
        psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet"])
            .args(["--set=ON_ERROR_STOP=1", "--host=127.0.0.1", "--username=postgres"])
            .arg(format!("--port={}", self.port))
            .args(["--dbname=postgres", "--command", statement])
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "10")
            .stdin(Stdio::null());
        let output = psql.output().context("`psql` does not start")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{statement}`: {}", errors.trim_end());
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// From now on a commit waits until the standby `name` has it as well; with `None`, for none.
    /// Returns when that standby is there.
    ///
    /// # Errors
    /// When the server is not there, or the standby does not come.
    pub fn wait_for(&self, name: Option<&str>) -> anyhow::Result<()> {
        let names = name.map_or(String::new(), |name| format!("\"{name}\""));
        self.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"))?;
        self.sql("SELECT pg_reload_conf()")?;
        let Some(name) = name else { return Ok(()) };
        let question = format!(
            "SELECT count(*) FROM pg_stat_replication \
             WHERE application_name = '{name}' AND sync_state = 'sync'"
        );
        for _ in 0..600 {
            if self.sql(&question)? == "1" {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        bail!("{name} does not follow:\n{}", self.sql("SELECT * FROM pg_stat_replication")?)
    }

    /// Makes a standby a server that is written to.
    ///
    /// # Errors
    /// When it is none, or does not become one within a minute.
    pub fn promote(&self) -> anyhow::Result<()> {
        // Not by a query, for one may be in the way of what the standby has yet to do.
        let program = self.programs.path("pg_ctl");
        let program = program.to_str().context("a path that is text")?;
        self.keeper().run(&[program, "--pgdata=data", "--wait", "--timeout=60", "promote"])
    }

    /// Ends all its processes at once, as if the machine had lost its power. Nothing is done where
    /// it does not run.
    ///
    /// # Errors
    /// When they cannot be ended.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.keeper().run(&["crash"])
    }

    /// Stops it in order, with those who are connected sent away.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.keeper().run(&["end", "INT"])
    }

    /// Starts it on the same port after [`Cluster::kill`] or [`Cluster::stop`].
    ///
    /// # Errors
    /// When it does not start.
    pub fn begin(&self) -> anyhow::Result<()> {
        let fsync = if self.settings.fsync { "on" } else { "off" };
        let mut settings = vec![
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            // Its directory is nobody else's, so neither is what is in it.
            "unix_socket_directories=..".to_owned(),
            "max_connections=300".to_owned(),
            "shared_buffers=64MB".to_owned(),
            format!("fsync={fsync}"),
        ];
        if self.settings.tls.is_some() {
            settings.extend(
                ["ssl=on", "ssl_cert_file=../certificate", "ssl_key_file=../key"].map(Into::into),
            );
        }
        settings.extend(self.settings.more.iter().map(|(name, value)| format!("{name}={value}")));
        let mut words = vec!["begin"];
        for setting in &settings {
            words.extend(["-c", setting]);
        }
        self.keeper().run(&words)
    }

    /// Has its files on what is mounted at `directory` from now on, and nothing else there.
    ///
    /// # Errors
    /// When they cannot be copied, or it does not start there.
    pub fn move_to(&self, directory: &std::path::Path) -> anyhow::Result<()> {
        if let Some(identity) = Identity::to_assume()? {
            identity.own(directory)?;
        }
        self.stop()?;
        let to = directory.join("data");
        let to = to.to_str().context("a path that is text")?;
        self.run(&["cp", "-a", "data", to])?;
        self.run(&["rm", "-r", "data"])?;
        self.run(&["ln", "-s", to, "data"])?;
        self.begin()
    }

    /// Runs a program as the user whose the cluster is, in its directory: `data` there is the database.
    ///
    /// # Errors
    /// When it does not end well; what it said is in the error.
    pub fn run(&self, words: &[&str]) -> anyhow::Result<()> {
        self.keeper().run(words)
    }

    /// Writes a file called `name` into its directory, which that user can read and nobody else.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.keeper().write(name, text)
    }

    /// Where all of it is.
    #[must_use]
    pub fn directory(&self) -> std::path::PathBuf {
        self.keeper().directory().to_owned()
    }

    /// What the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        let log = std::fs::read(self.keeper().directory().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    for _ in 0..200 {
        let [a, b, c, d, ..] = chance()?;
        let number = u32::from_le_bytes([a, b, c, d]) % (PORTS.end - PORTS.start) + PORTS.start;
        let port = u16::try_from(number)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port of {PORTS:?} is free")
}

fn chance() -> anyhow::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
