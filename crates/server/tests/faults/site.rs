//! What is operated: nodes, a primary that waits for its standby, and the wires between them.

use guestlist_testbed::http::{Client, Request};
use guestlist_testbed::process::{Place, Server};
use guestlist_testbed::{Cluster, Proxy, Settings};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const NODES: usize = 3;

/// Far longer than it takes to be back.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Site {
    pub(crate) primary: Cluster,
    pub(crate) standby: Cluster,
    pub(crate) nodes: Vec<Node>,
    pub(crate) application: String,
    pub(crate) token: String,
}

/// One node, which runs or does not.
pub(crate) struct Node {
    place: Place,
    /// Its wires to the primary and to the standby.
    pub(crate) wires: [Proxy; 2],
    server: Mutex<Option<Server>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        // As operated: a commit is on the disks of both.
        let settings = Settings { fsync: true, ..Settings::default() };
        let primary = Cluster::start(&settings).expect("a primary");
        let standby = primary.standby("standby").expect("a standby");
        primary.wait_for(Some("standby")).expect("it follows");
        let nodes: Vec<Node> = (0..NODES).map(|_| Node::new(&primary, &standby)).collect();
        // With few connections changes wait, and are kept together.
        for node in nodes.iter().skip(1) {
            node.place.configure("store-writers = 1");
        }
        let place = &nodes[0].place;
        let made = place.run(&["application", "create", "--name", "Faults"]);
        let application = made["applicationId"].as_str().expect("an id").to_owned();
        let scope = ["--name", "all", "--scope", "all.Application"];
        let arguments = ["token", "create", "--application", &application];
        let made = place.run(&[&arguments[..], &scope[..]].concat());
        let token = made["token"].as_str().expect("a token").to_owned();
        let site = Self { primary, standby, nodes, application, token };
        // At once, which is how they are started where nobody looks.
        thread::scope(|scope| {
            for node in &site.nodes {
                scope.spawn(|| node.start());
            }
        });
        site
    }

    /// Waits until every node serves.
    ///
    /// # Panics
    /// When one does not.
    pub(crate) fn recovered(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            let start = Instant::now();
            while !node.is_ready() {
                assert!(start.elapsed() < PATIENCE, "node {number}: {}", node.log());
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    pub(crate) fn client(&self, node: usize) -> Option<Client> {
        self.client_with(node, &self.token)
    }

    pub(crate) fn client_with(&self, node: usize, token: &str) -> Option<Client> {
        let address = self.nodes[node].server().as_ref()?.address.clone();
        Client::connect(&address, token).ok()
    }

    pub(crate) fn make_administrator(&self, email: &str, password: &str) {
        self.nodes[0].place.run_with(&["admin", "create", "--email", email], password);
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/applications/{}/{rest}", self.application)
    }
}

impl Node {
    fn new(primary: &Cluster, standby: &Cluster) -> Self {
        let wires = [primary, standby].map(|to| Proxy::start(to.address()).expect("a proxy"));
        let addresses: Vec<_> = wires.iter().map(Proxy::address).collect();
        let url = primary.url_through(&addresses, "postgres") + "?sslmode=disable";
        let place = Place::beside(env!("CARGO_BIN_EXE_guestlist"), url);
        Self { place, wires, server: Mutex::new(None) }
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().expect("nobody panics with it")
    }

    /// Starts it, which takes until it listens.
    pub(crate) fn start(&self) {
        let server = self.place.spawn().ready();
        *self.server() = Some(server);
    }

    /// Kills it without a word, if it runs.
    pub(crate) fn kill(&self) {
        let server = self.server().take();
        if let Some(server) = server {
            server.kill();
        }
    }

    fn is_ready(&self) -> bool {
        let Some(address) = self.server().as_ref().map(|server| server.address.clone()) else {
            return false;
        };
        let ready = Request::new("GET", "/readyz?writes=1".to_owned(), None);
        let answer = Client::connect(&address, "").and_then(|mut client| client.send(&ready));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    fn log(&self) -> String {
        self.server().as_ref().map_or_else(|| "it does not run".to_owned(), Server::log)
    }
}
