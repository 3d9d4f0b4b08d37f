//! What the server counts, as whoever scrapes it reads it at `/metrics` of a listener of its own.
//!
//! What happens is counted where it happens, by a meter (`http/meter.rs`, `rest/meter.rs`,
//! `auth/meter.rs`, `crates/store/src/meter.rs`). What is so at a moment is asked for here, when it is
//! scraped. `docs/reference/metrics.md` has a line for each.

use super::process;
use crate::config::Config;
use crate::directory::search_backlog::IndexBacklog;
use crate::error::{Error, Result};
use crate::http::body::{self, Body};
use crate::http::limits::Limits;
use crate::http::listen::Handler;
use crate::http::meter::Meter;
use crate::http::reply::{Reply, RequestMeta};
use crate::http::tls::Tls;
use crate::rest::{self, App};
use crate::store::{StoreUrl, Writes};
use crate::telemetry;
use crate::work::rows as work;
use hyper::header::{self, HeaderValue};
use hyper::{Method, StatusCode};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What all our metrics begin with.
const PREFIX: &str = "guestlist";
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// How long the store may take to take a change before it is said that it takes none: one that is only
/// busy takes less, and whoever scrapes waits for longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// And to count something, which is left out otherwise.
const SHORT_PATIENCE: Duration = Duration::from_millis(500);

/// Connections of those who scrape: more than there are of them.
const MOST_CONNECTIONS: usize = 32;

/// What is counted of a server, from before its store is opened.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(crate) http: Arc<Meter>,
    pub(crate) rest: Arc<rest::Meter>,
    pub(crate) store: Arc<guestlist_store::Meter>,
}

impl Meters {
    /// `config`, of a server that these count.
    pub(crate) fn of(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.options.meter = Some(Arc::clone(&self.store));
        config
    }
}

/// Answers whoever scrapes.
pub(crate) struct Scraped {
    app: Arc<App>,
    place: StoreUrl,
    tls: Option<Arc<Tls>>,
    counted: Registry,
}

impl Scraped {
    /// What `meters` count of `app`, which is run as `config` says, over `tls` if there is any.
    pub(crate) fn new(
        app: Arc<App>,
        tls: Option<Arc<Tls>>,
        meters: &Meters,
        config: &Config,
    ) -> Self {
        let mut counted = Registry::with_prefix(PREFIX);
        meters.http.register(&mut counted);
        meters.rest.register(&mut counted);
        meters.store.register(&mut counted, &config.store, config.options.replica.is_some());
        app.hasher.meter().register(&mut counted);
        Self { app, place: config.store.clone(), tls, counted }
    }

    /// What a client may take of its listener.
    pub(crate) fn limits() -> Limits {
        Limits {
            max_connections: MOST_CONNECTIONS,
            max_connections_per_client: MOST_CONNECTIONS,
            ..Limits::default()
        }
    }

    async fn scrape(&self) -> Result<Reply> {
        let (mut own, mut of_process) = (Registry::with_prefix(PREFIX), Registry::default());
        self.register_build(&mut own);
        self.register_state(&mut own).await;
        self.register_caches(&mut own);
        if let StoreUrl::Sqlite(path) = &self.place {
            register_files(&mut own, path);
        }
        if let Some(tls) = &self.tls {
            own.register_with_unit(
                "tls_certificate_end_timestamp",
                "When the certificate ends that clients are shown, in seconds since 1970",
                Unit::Seconds,
                ConstGauge::new(tls.ends().millis().div_euclid(1000)),
            );
        }
        process::register(&mut of_process);
        let mut text = String::with_capacity(64 << 10);
        let encoded = text::encode_registry(&mut text, &self.counted)
            .and_then(|()| text::encode_registry(&mut text, &own))
            .and_then(|()| text::encode(&mut text, &of_process));
        encoded.map_err(Error::internal)?;
        Ok(Reply::new(StatusCode::OK, text).with(header::CONTENT_TYPE, OPENMETRICS))
    }

    fn register_build(&self, registry: &mut Registry) {
        let engine = match self.place {
            StoreUrl::Sqlite(_) => "sqlite",
            StoreUrl::Postgres(_) => "postgres",
        };
        let build = [("version", env!("CARGO_PKG_VERSION")), ("engine", engine)];
        registry.register("build", "What is running", Info::new(build));
        registry.register(
            "log_dropped_lines",
            "Lines of the log that nobody read in time",
            ConstCounter::new(telemetry::dropped()),
        );
    }

    /// Whether the store serves, as `/readyz` finds out, and what waits for it.
    async fn register_state(&self, registry: &mut Registry) {
        let store = &self.app.store;
        let serves = store.serves(PATIENCE).await;
        let (reads, writes) = (serves.is_ok(), matches!(serves, Ok(Writes::Taken)));
        registry.register("store_readable", "1 if the store is read", ConstGauge::new(one(reads)));
        registry.register(
            "store_writable",
            "1 if the store takes changes",
            ConstGauge::new(one(writes)),
        );
        if let Ok((reads, writes)) = store.waiting() {
            let waiting = Family::<[(&str, &str); 1], Gauge>::default();
            for (queue, count) in [("read", reads), ("write", writes)] {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                waiting.get_or_create(&[("queue", queue)]).set(count);
            }
            registry.register("store_queue_waiting", "Jobs that wait for a thread", waiting);
        }
        if reads && self.app.mail.is_on() {
            self.register_work(registry).await;
        }
        if reads && matches!(self.place, StoreUrl::Sqlite(_)) {
            let waiting = timeout(SHORT_PATIENCE, store.read(IndexBacklog::waiting)).await;
            if let Ok(Ok(waiting)) = waiting {
                registry.register(
                    "search_backlog_users",
                    "Users that the search index has yet to be told of",
                    ConstGauge::new(i64::try_from(waiting).unwrap_or(i64::MAX)),
                );
            }
        }
    }

    /// What is to be done beside requests.
    async fn register_work(&self, registry: &mut Registry) {
        let waiting = timeout(SHORT_PATIENCE, self.app.store.read(work::waiting)).await;
        let Ok(Ok((waiting, oldest))) = waiting else { return };
        registry.register(
            "work_waiting",
            "What is to be done beside requests, up to 10000",
            ConstGauge::new(waiting),
        );
        let now = self.app.clock.now().millis();
        let late = oldest.map_or(0, |due| (now - due.millis()).max(0) / 1000);
        registry.register_with_unit(
            "work_late",
            "Since when the oldest of it is due",
            Unit::Seconds,
            ConstGauge::new(late),
        );
    }

    fn register_caches(&self, registry: &mut Registry) {
        let (answers, bytes) = self.app.responses.size();
        registry.register(
            "response_cache_answers",
            "Answers in the response cache",
            ConstGauge::new(i64::try_from(answers).unwrap_or(i64::MAX)),
        );
        registry.register_with_unit(
            "response_cache",
            "What they take",
            Unit::Bytes,
            ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX)),
        );
    }
}

const fn one(is: bool) -> i64 {
    if is { 1 } else { 0 }
}

/// How large the files of a store are, and what is left of their disk.
fn register_files(registry: &mut Registry, path: &Path) {
    let size = |path: &Path| fs::metadata(path).ok().and_then(|of| i64::try_from(of.len()).ok());
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let files = Family::<[(&str, &str); 1], Gauge>::default();
    for (file, bytes) in [("database", size(path)), ("wal", size(Path::new(&wal)))] {
        files.get_or_create(&[("file", file)]).set(bytes.unwrap_or_default());
    }
    registry.register_with_unit(
        "store_file",
        "How large a file of the store is",
        Unit::Bytes,
        files,
    );
    if let Ok(disk) = rustix::fs::statvfs(path) {
        let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(disk.f_frsize));
        registry.register_with_unit(
            "store_disk_free",
            "What is free on the disk of the store",
            Unit::Bytes,
            ConstGauge::new(bytes(disk.f_bavail).unwrap_or(i64::MAX)),
        );
        registry.register_with_unit(
            "store_disk_size",
            "How large that disk is",
            Unit::Bytes,
            ConstGauge::new(bytes(disk.f_blocks).unwrap_or(i64::MAX)),
        );
    }
}

impl Handler for Scraped {
    async fn handle(&self, request: hyper::Request<Body>, _: &RequestMeta, _: SocketAddr) -> Reply {
        let (head, body) = request.into_parts();
        body::discard(&head.headers, body).await;
        let answered = match (head.method, head.uri.path()) {
            (Method::GET | Method::HEAD, "/metrics") => self.scrape().await,
            (method, "/metrics") => Err(Error::MethodNotAllowed(method.to_string())),
            (_, path) => Err(Error::NoRoute(path.to_owned())),
        };
        answered.unwrap_or_else(Reply::from)
    }
}
