//! Where it happens: a store, on a disk whose power can be cut where this may mount one, and what is asked of it.

use super::OWN_TOKEN;
use super::layers::Layer;
use guestlist::clock::Clock;
use guestlist::config::{CliArgs, Config, ServerArgs};
use guestlist::doctor::Examination;
use guestlist_testbed::process::Place;
use guestlist_testbed::{Cluster, Disk, Proxy, Settings};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

const OF_A_FILE: u64 = 96 << 20;
const OF_A_DATABASE: u64 = 512 << 20;

/// What the machine of a test may be like, which no store can help.
const OF_THE_MACHINE: [&str; 3] = ["disk", "file system", "limits"];

/// What is behind the server.
pub(super) enum Home {
    File(PathBuf),
    Database(Box<Database>),
}

pub(super) struct Database {
    pub(super) cluster: Cluster,
    /// What the server reaches it by.
    pub(super) wire: Proxy,
}

pub(super) struct Site {
    pub(super) place: Place,
    pub(super) application: String,
    pub(super) token: String,
    pub(super) home: Home,
    /// What it is on, if only root mounts one and this is root.
    pub(super) disk: Option<Disk>,
    /// What the store is called by whoever does not go by the wire.
    url: String,
}

/// The program: that of this build, or a worse one that is to be found out.
fn program() -> String {
    let other = std::env::var("GUESTLIST_TORTURE_PROGRAM");
    other.unwrap_or_else(|_| env!("CARGO_BIN_EXE_guestlist").to_owned())
}

impl Site {
    /// A new store in a file.
    pub(super) fn of_a_file() -> Self {
        let disk = Disk::new(OF_A_FILE).expect("a disk");
        let Some(disk) = disk else {
            let place = Place::new(&program());
            let store = place.store();
            let url = store.display().to_string();
            return Self::of(place, Home::File(store), None, url);
        };
        let store = disk.path().join("guestlist.db");
        let url = store.display().to_string();
        Self::of(Place::beside(&program(), url.clone()), Home::File(store), Some(disk), url)
    }

    /// A new database of PostgreSQL that waits for its disk.
    pub(super) fn of_a_database() -> Self {
        let settings = Settings { fsync: true, ..Settings::default() };
        let cluster = Cluster::start(&settings).expect("a cluster");
        let disk = Disk::new(OF_A_DATABASE).expect("a disk");
        if let Some(disk) = &disk {
            cluster.move_to(&disk.path()).expect("a cluster on a disk");
        }
        let wire = Proxy::start(cluster.address()).expect("a proxy");
        let by_wire = cluster.url_through(&[wire.address()], "postgres") + "?sslmode=disable";
        let url = cluster.url();
        let home = Home::Database(Box::new(Database { cluster, wire }));
        Self::of(Place::beside(&program(), by_wire), home, disk, url)
    }

    fn of(place: Place, home: Home, disk: Option<Disk>, url: String) -> Self {
        let made = place.run(&["application", "create", "--name", "Torture"]);
        let application = made["applicationId"].as_str().expect("an id").to_owned();
        let scope = ["--scope", "all.Application"];
        let arguments = ["token", "create", "--application", &application, "--name", OWN_TOKEN];
        let made = place.run(&[&arguments[..], &scope[..]].concat());
        let token = made["token"].as_str().expect("a token").to_owned();
        Self { place, application, token, home, disk, url }
    }

    /// Whether this can go wrong here.
    pub(super) fn may(&self, layer: Layer) -> bool {
        self.disk.is_some() || !matches!(layer, Layer::Power | Layer::Full)
    }

    /// The files of the store, if it has any.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let Home::File(store) = &self.home else { return Vec::new() };
        let beside = |suffix: &str| {
            let mut name = store.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        ["", "-wal", "-shm"].map(beside).into()
    }

    /// Has the power back after it was cut, and everything but the server.
    pub(super) fn restore_power(&mut self) {
        let disk = self.disk.as_mut().expect("a disk whose power was cut");
        disk.restore_power().expect("the disk is back");
        if let Home::Database(database) = &self.home {
            database.cluster.begin().expect("it starts");
        }
    }

    /// Has the doctor look at all of the store.
    ///
    /// # Panics
    /// When there is something wrong.
    pub(super) fn examine(&self) {
        let given = CliArgs { store: Some(self.url.clone()), ..CliArgs::default() };
        let config = Config::read(&given, &ServerArgs::default()).expect("a configuration");
        let now = Clock::System.now();
        let examination = Examination { config, backups: None, quick: false, now };
        let report = examination.run(&AtomicU64::new(0)).expect("it can be looked at");
        let of_it = report.findings.iter().filter(|one| !OF_THE_MACHINE.contains(&one.check));
        let wrong: Vec<_> = of_it.collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
