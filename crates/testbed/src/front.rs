//! A throwaway proxy in front of a server, such as those that operators have there.

use crate::cluster::free_port;
use crate::keeper::Keeper;
use crate::programs;
use anyhow::{Context as _, bail};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which proxy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontProgram {
    /// nginx, whose settings are those of a site: what Debian has around them is added.
    Nginx,
    /// `HAProxy`.
    HaProxy,
    /// Caddy.
    Caddy,
}

/// What nginx needs to run a site without being root.
const AROUND_A_SITE: &str = "daemon off;\npid nginx.pid;\nworker_processes 1;\nevents {\nworker_connections 8192;\n}\nhttp {\n\
    access_log off;\nclient_body_temp_path t1;\nproxy_temp_path t2;\nfastcgi_temp_path t3;\n\
    uwsgi_temp_path t4;\nscgi_temp_path t5;\ninclude settings;\n}\n";

impl FrontProgram {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nginx, Self::HaProxy, Self::Caddy];

    /// The name of the program.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::HaProxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }

    /// Where it is.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find(self) -> anyhow::Result<PathBuf> {
        programs::found(self.name())
    }
}

/// A proxy on a port of the loopback interface. It never runs as root, and is stopped and removed when this is
/// dropped or the process is gone.
#[derive(Debug)]
pub struct Front {
    keeper: Mutex<Keeper>,
    port: u16,
}

impl Front {
    /// Starts one with the settings for a port, and with files beside them by their names.
    ///
    /// # Errors
    /// When it is not there, or does not start; the words are its own.
    pub fn start(
        program: FrontProgram,
        settings: impl Fn(u16) -> String,
        files: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let path = program.find()?;
        let path = path.to_str().context("a path that is text")?;
        let mut keeper = Keeper::of(None)?;
        let port = free_port()?;
        keeper.write("settings", &settings(port))?;
        for (name, text) in files {
            keeper.write(name, text)?;
        }
        let home = keeper.directory().to_str().context("a path that is text")?.to_owned();
        match program {
            FrontProgram::Nginx => {
                keeper.write("around", AROUND_A_SITE)?;
                let around = format!("{home}/around");
                keeper.run(&["front", path, "-p", &home, "-e", "stderr", "-c", &around])?;
            }
            FrontProgram::HaProxy => keeper.run(&["front", path, "-db", "-f", "settings"])?,
            FrontProgram::Caddy => {
                let [data, config] =
                    ["XDG_DATA_HOME", "XDG_CONFIG_HOME"].map(|name| format!("{name}={home}"));
                let caddy = ["run", "--adapter", "caddyfile", "--config", "settings"];
                keeper.run(&[&["front", "env", &data, &config, path], &caddy[..]].concat())?;
            }
        }
        let mut front = Self { keeper: Mutex::new(keeper), port };
        front.wait(program)?;
        Ok(front)
    }

    fn wait(&mut self, program: FrontProgram) -> anyhow::Result<()> {
        let address = self.address();
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if keeper.run(&["runs"]).is_err() || Instant::now() >= until {
                let log = std::fs::read_to_string(keeper.directory().join("log"));
                bail!("{} does not listen: {}", program.name(), log.unwrap_or_default());
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
