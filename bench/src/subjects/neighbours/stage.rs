//! Where it is played: a server on either engine, the tenant that does its worst with what it needs for that,
//! and the one that should notice nothing.

use crate::measure::{Bench, Engine};
use crate::process::Running;
use crate::stats::float;
use crate::subjects::postgres;
use crate::target::{Copied, Seeded};
use anyhow::{Context as _, Result};
use guestlist_bench::http::{Connection, request};
use guestlist_testbed::{Cluster, Front, FrontProgram};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The users of the tenant that should notice nothing.
const FEW: u64 = 500;

/// The settings of the guide, which are for a site with TLS.
const NGINX: &str = include_str!("../../../../ops/proxy/nginx.conf");
/// Where the proxy is as the server sees it; whoever does their worst is elsewhere.
const PROXY: &str = "127.0.0.77";

/// nginx in front of `server`, without TLS.
fn front(server: SocketAddr) -> Result<Front> {
    let settings = |port: u16| {
        let mut settings = NGINX.to_owned();
        for (from, to) in [
            ("listen 443 ssl http2;", format!("listen 127.0.0.1:{port};")),
            ("server 127.0.0.1:8080;", format!("server {server};")),
            ("proxy_http_version", format!("proxy_bind {PROXY};\n        proxy_http_version")),
        ] {
            settings = settings.replace(from, &to);
        }
        let plain = settings.lines().filter(|line| !line.trim_start().starts_with("ssl_"));
        plain.collect::<Vec<_>>().join("\n")
    };
    Front::start(FrontProgram::Nginx, settings, &[])
}

pub(super) struct Stage {
    pub(super) server: Running,
    /// A proxy in front of it.
    pub(super) front: Front,
    pub(super) other: Seeded,
    pub(super) worst: Worst,
    // What goes after the server that stands on it.
    home: Home,
}

enum Home {
    Files(Copied),
    Cluster(Cluster),
}

/// The tenant that does its worst.
pub(super) struct Worst {
    pub(super) seeded: Seeded,
    pub(super) ids: Vec<String>,
    /// Applications whose users are deleted, each for one turn.
    pub(super) doomed: Vec<Seeded>,
    /// A group with many groups in it, each with a thousand devices.
    pub(super) tree: String,
    pub(super) branches: Vec<String>,
    /// Two groups far below the root.
    pub(super) hubs: [String; 2],
}

impl Stage {
    pub(super) fn new(bench: &Bench, engine: Engine) -> Result<Self> {
        let (home, seeded) = match engine {
            Engine::Sqlite => {
                let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
                let seeded = copy.seeded.clone();
                (Home::Files(copy), seeded)
            }
            Engine::Postgres => {
                let (cluster, seeded) = postgres::filled(bench)?;
                (Home::Cluster(cluster), seeded)
            }
        };
        let other = seeded.beside(bench, "other", FEW)?;
        let some = (seeded.users / 5).min(50_000);
        let doomed =
            (0..bench.rounds).map(|round| seeded.beside(bench, &format!("doomed-{round}"), some));
        let doomed = doomed.collect::<Result<_>>()?;
        if let Home::Cluster(cluster) = &home {
            cluster.sql("VACUUM ANALYZE")?;
        }
        let settings = format!("trusted-proxies = ['{PROXY}']\nclient-from = 'x-forwarded-for'\n");
        let server = seeded.serve_with(bench, &settings)?;
        let front = front(server.address)?;
        let worst = Worst::prepare(seeded, doomed, &server)?;
        Ok(Self { server, front, other, worst, home })
    }

    /// How large the store is, in MiB.
    pub(super) fn size(&self) -> Result<f64> {
        let bytes = match &self.home {
            Home::Files(copy) => {
                let log = copy.log().metadata().map_or(0, |file| file.len());
                copy.seeded.path.metadata()?.len() + log
            }
            Home::Cluster(cluster) => {
                cluster.sql("SELECT pg_database_size(current_database())")?.trim().parse()?
            }
        };
        Ok(float(bytes) / 1024.0 / 1024.0)
    }
}

impl Worst {
    fn prepare(seeded: Seeded, doomed: Vec<Seeded>, server: &Running) -> Result<Self> {
        let mut connection = Connection::open(server.address)?;
        let groups = seeded.experience() + "/groups";
        let mut add = |body: &Value| -> Result<String> {
            let asked = request("POST", &groups, &seeded.token, &body.to_string());
            let made = connection.expect(201, &asked)?.json()?;
            Ok(made["id"].as_str().context("a group without an id")?.to_owned())
        };
        let tree = add(&json!({ "name": "tree" }))?;
        let branches = usize::try_from(seeded.users / 100)?.clamp(20, 2000);
        let branches = (0..branches).map(|number| {
            let devices: Vec<String> =
                (0..1000).map(|device| format!("{:024x}", number * 1000 + device)).collect();
            let name = format!("branch {number}");
            add(&json!({ "name": name, "parentId": tree, "deviceIds": devices }))
        });
        let branches: Vec<String> = branches.collect::<Result<_>>()?;
        let mut far = |name: &str| {
            (0..8).try_fold(None, |parent: Option<String>, depth| {
                let name = format!("{name} {depth}");
                add(&json!({ "name": name, "parentId": parent })).map(Some)
            })
        };
        let hubs = [far("left")?, far("right")?].map(Option::unwrap_or_default);
        // Users of a quarter of a megabyte each, of whom thirty are about as much as a page may be.
        let tags: Value =
            (0..1000).map(|tag| (format!("tag{tag}"), json!("v".repeat(250)))).collect();
        let large = json!({ "userTags": tags }).to_string();
        let ids = seeded.all_ids()?;
        for id in &ids[..LARGE] {
            let path = format!("{}/{id}", seeded.users_path());
            connection.expect(200, &request("PATCH", &path, &seeded.token, &large))?;
        }
        Ok(Self { seeded, ids, doomed, tree, branches, hubs })
    }
}

/// How many users are large: the first of its ids, and the last that were changed.
pub(super) const LARGE: usize = 24;
