//! A server: the store, what stands on it, and a socket.

use crate::audit::{Action, By, Entry};
use crate::auth::breached::Breached;
use crate::auth::hasher::Hasher;
use crate::auth::keys;
use crate::backup::BackupSettings;
use crate::clock::Clock;
use crate::config::Config;
use crate::directory::search;
use crate::error::Error;
use crate::http::limits::Limits;
use crate::http::listen;
use crate::http::tls::{Hangups, Tls};
use crate::links::rows as links;
use crate::mail::{self, Mail};
use crate::moving::{self, Record, State};
use crate::operations::metrics::{Meters, Scraped};
use crate::public_url::PublicUrl;
use crate::rest::{App, AppParts, Service};
use crate::rows::{idempotency, settings};
use crate::store::{Options, Store, StoreUrl, shared_time};
use crate::work::Kind;
use anyhow::{Context as _, Result, anyhow, bail};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

/// A server that has its socket and is ready to run.
pub struct Server {
    /// What its handlers see.
    pub app: Arc<App>,
    service: Arc<Service>,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    /// From before anybody is told that it serves: a signal that nobody listens for ends the process.
    hangups: Hangups,
    address: SocketAddr,
    limits: Limits,
    metrics: Option<Metrics>,
    /// The backups that it makes, and of what.
    backups: Option<(BackupSettings, StoreUrl)>,
}

/// Where metrics are scraped.
struct Metrics {
    scraped: Arc<Scraped>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens the store, making it if there is none, and takes the address.
    ///
    /// # Errors
    /// When one of them cannot be had; the message says which and why.
    pub async fn bind(config: &Config, clock: Clock) -> Result<Self> {
        Self::start(config, clock).await.map_err(|error| explained(error, &config.store))
    }

    async fn start(config: &Config, clock: Clock) -> Result<Self> {
        let listener = listen::bind(config.listen)
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let tls = tls(config, &clock)?;
        let metrics_listener = match config.metrics_listen {
            Some(at) => Some(
                listen::bind(at)
                    .with_context(|| format!("metrics-listen: cannot listen on {at}"))?,
            ),
            None => None,
        };
        let meters = metrics_listener.as_ref().map(|_| Meters::default());
        let metered = meters.as_ref().map(|meters| meters.of(config));
        let config = metered.as_ref().unwrap_or(config);
        let store = open(config, &config.options).await?;
        let clock = shared_time::shared(&config.store, &store, clock).await?;
        let mut limits = Limits::default();
        limits.max_connections = config.max_connections.unwrap_or(limits.max_connections);
        let own = config.max_connections_per_client;
        limits.max_connections_per_client = own.unwrap_or(limits.max_connections_per_client);
        let issuer = named_issuer(config).unwrap_or_else(|| address.to_string());
        remember_issuer(&store, &issuer).await?;
        let service =
            Arc::new(service(config, store, clock, limits, issuer, meters.as_ref()).await?);
        let app = Arc::clone(service.app());
        let metrics = match (metrics_listener, meters) {
            (Some(listener), Some(meters)) => {
                let scraped = Scraped::new(Arc::clone(&app), tls.clone(), &meters, config);
                let scraped = Arc::new(scraped);
                let address = listener.local_addr()?;
                Some(Metrics { scraped, listener, address })
            }
            _ => None,
        };
        let backups = config.backups.clone().map(|settings| (settings, config.store.clone()));
        let hangups = Hangups::listen();
        Ok(Self { app, service, listener, tls, hangups, address, limits, metrics, backups })
    }

    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address at which metrics are scraped, if they are.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|metrics| metrics.address)
    }

    /// The same, as a client on this machine has it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Answers requests until `shutdown`, then finishes what is under way and closes the store.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let sweeping = tokio::spawn(sweep(Arc::clone(&self.app)));
        let watching = tokio::spawn(watch_keys(Arc::clone(&self.app)));
        let working = tokio::spawn(work(Arc::clone(&self.app)));
        let backing_up = self
            .backups
            .map(|(settings, store)| tokio::spawn(settings.run(store, self.app.clock.clone())));
        let (store, clock) = (self.app.store.clone(), self.app.clock.clone());
        let telling_time = tokio::spawn(shared_time::follow(store, clock));
        let following = tokio::spawn(follow_files(self.tls.clone(), self.hangups));
        // For as long as requests are finished, too.
        let (over, is_over) = oneshot::channel::<()>();
        let scraping = self.metrics.map(|metrics| tokio::spawn(metrics.serve(is_over)));
        listen::serve(self.listener, self.tls, self.service, self.limits, shutdown).await;
        drop(over);
        if let Some(scraping) = scraping {
            drop(scraping.await);
        }
        sweeping.abort();
        watching.abort();
        // What is under way is done again.
        working.abort();
        following.abort();
        telling_time.abort();
        // What is under way is no backup, and the next one removes it.
        if let Some(backing_up) = backing_up {
            backing_up.abort();
        }
        self.app.store.clone().close().await;
    }
}

impl Metrics {
    /// Answers those who scrape until it `is_over`.
    async fn serve(self, is_over: oneshot::Receiver<()>) {
        let Self { scraped, listener, address } = self;
        if address.ip().is_loopback() {
            tracing::info!(%address, "metrics are at /metrics");
        } else {
            tracing::warn!(%address, "metrics are at /metrics, for whoever reaches this address");
        }
        let limits = Limits { drain: SCRAPE_DRAIN, ..Scraped::limits() };
        listen::serve(listener, None, scraped, limits, async { drop(is_over.await) }).await;
    }
}

/// TLS, if it is spoken, as the URL has it by which clients come.
fn tls(config: &Config, clock: &Clock) -> Result<Option<Arc<Tls>>> {
    let (ingress, url) = (&config.ingress, config.public_url.as_ref());
    let Some(files) = &ingress.tls else {
        if url.is_some_and(PublicUrl::is_https) && ingress.proxies.trusted.is_empty() {
            tracing::warn!(
                "public-url is https, and this server does not speak TLS: name the proxy that does in \
                 trusted-proxies, or all clients are one"
            );
        }
        return Ok(None);
    };
    let tls = Tls::open(files.clone(), url.map(PublicUrl::name), clock.clone());
    Ok(Some(Arc::new(tls.map_err(|why| anyhow!(why))?)))
}

/// Opens the store, made if there is none.
///
/// # Errors
/// When it cannot be opened, or is the unfinished copy of another.
pub async fn open(config: &Config, options: &Options) -> Result<Store> {
    let store = Store::open_at(&config.store, options)?;
    if let Some(Record { state: State::Arriving, other, .. }) = store.read(moving::look).await? {
        bail!(
            "{} is an unfinished copy of {other}: finish that move by the same `guestlist move`, \
             or give it up with --abandon",
            config.store
        );
    }
    Ok(store)
}

/// `error`, or what is in the way of the store at `place` on this machine, where the store would only
/// ask to be tried again: that is for those who sent a request.
#[must_use]
pub fn explained(error: anyhow::Error, place: &StoreUrl) -> anyhow::Error {
    match error.downcast_ref() {
        Some(Error::Busy { .. }) => place.obstacle().map_or(error, Into::into),
        _ => error,
    }
}

/// How long those who scrape are answered when the server ends.
const SCRAPE_DRAIN: Duration = Duration::from_millis(200);

/// Reads files again when they change or somebody says so, for as long as it runs.
async fn follow_files(tls: Option<Arc<Tls>>, mut hangups: Hangups) {
    if let Some(tls) = tls {
        tls.watch(&mut hangups).await;
    }
    loop {
        hangups.next().await;
        tracing::info!("SIGHUP: there is no file to read again");
    }
}

/// How often the keys that tokens are signed with are looked at, which `guestlist key` changes.
const KEYS_EVERY: Duration = Duration::from_secs(1);

/// Takes the keys of the store in place of those that there are, for as long as it runs.
async fn watch_keys(app: Arc<App>) {
    let mut seconds = tokio::time::interval(KEYS_EVERY);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let keys = app.store.read(keys::load).await;
        let before = app.signer.kids();
        // It is tried again soon; until then tokens of the keys that are known are good.
        if let Err(error) = keys.and_then(|keys| app.signer.replace(&keys)) {
            tracing::debug!(%error, "the signing keys could not be looked at");
        }
        let after = app.signer.kids();
        for (these, those, action) in
            [(&after, &before, Action::KeyMade), (&before, &after, Action::KeyRetired)]
        {
            for kid in these.iter().filter(|kid| !those.contains(kid)) {
                Entry::of(action).key(kid.clone()).log(&By::OPERATOR);
            }
        }
    }
}

/// What is done beside requests.
const KINDS: &[Kind] = &[mail::KIND];

/// Does what is to be done beside requests, for as long as it runs, where mails are sent.
pub(crate) async fn work(app: Arc<App>) {
    if app.mail.is_on() {
        app.worker.run(Arc::clone(&app), KINDS).await;
    }
}

/// Does what is to be done beside requests and is due, and waits for what is being done: for tests, which look at it
/// then.
///
/// # Errors
/// When the store fails.
pub async fn drain(app: &Arc<App>) -> Result<(), Error> {
    app.worker.drain(app, KINDS).await
}

/// How often what is to be forgotten is looked for.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How much of it goes in one write, so that no other waits for long.
const SWEEP_AT_ONCE: i64 = 500;

/// Forgets answers that are too old, and what is left of users that have gone, for as long as it
/// runs.
async fn sweep(app: Arc<App>) {
    let mut minutes = tokio::time::interval(SWEEP_EVERY);
    loop {
        minutes.tick().await;
        let now = app.clock.now();
        loop {
            let work = app.store.write(move |tx| {
                let answers = idempotency::forget(tx, now, SWEEP_AT_ONCE)?;
                let searched = search::forget(tx, SWEEP_AT_ONCE)?;
                let mailed = links::forget(tx, now, SWEEP_AT_ONCE)?
                    | mail::rows::forget(tx, now, SWEEP_AT_ONCE)?;
                Ok(answers
                    || mailed
                    || i64::try_from(searched).is_ok_and(|gone| gone >= SWEEP_AT_ONCE))
            });
            match work.await {
                Ok(true) => {}
                Ok(false) => break,
                // It is tried again soon, and nothing depends on it.
                Err(error) => {
                    tracing::warn!(%error, "what is to be forgotten is still there");
                    break;
                }
            }
        }
    }
}

/// Where a server says how it is reached, for the tokens that commands make beside it.
const ISSUER: &str = "issuer";

async fn remember_issuer(store: &Store, issuer: &str) -> Result<(), Error> {
    let issuer = issuer.as_bytes().to_vec();
    store
        .write(move |tx| match settings::get(tx, ISSUER)? {
            Some(known) if known == issuer => Ok(()),
            // One that is moved or was takes no changes, and can be served all the same.
            _ if moving::look(tx)?.is_some() => Ok(()),
            _ => settings::put(tx, ISSUER, &issuer),
        })
        .await
}

/// The `iss` of tokens, if one was named.
fn named_issuer(config: &Config) -> Option<String> {
    config.public_url.as_ref().map(|url| url.host().to_owned())
}

/// The `iss` of tokens that a command makes: what `config` says, or where the store was served last.
///
/// # Errors
/// When the store fails.
pub async fn issuer(config: &Config, store: &Store) -> Result<String, Error> {
    if let Some(issuer) = named_issuer(config) {
        return Ok(issuer);
    }
    let known = store.read(|tx| settings::get(tx, ISSUER)).await?;
    let known = known.and_then(|issuer| String::from_utf8(issuer).ok());
    Ok(known.unwrap_or_else(|| config.listen.to_string()))
}

/// The service over `store`, as a server or a command that needs no socket uses it, which `meters` may
/// count.
///
/// # Errors
/// When the store fails, or passwords that others have lost are not where they are said to be.
pub(crate) async fn service(
    config: &Config,
    store: Store,
    clock: Clock,
    limits: Limits,
    issuer: String,
    meters: Option<&Meters>,
) -> Result<Service> {
    let breached = config.breached.clone().map(Breached::open).transpose()?;
    let hasher = Hasher::start(&config.hashing)?;
    let scheme = if config.ingress.tls.is_some() { "https" } else { "http" };
    let public_url_is_for_people = config.public_url.as_ref().is_some_and(PublicUrl::is_for_people);
    let public_url = config.public_url.as_ref().map(ToString::to_string);
    let mail = Mail::new(config.mail.as_ref(), &issuer)?;
    let public_url = public_url.unwrap_or_else(|| format!("{scheme}://{issuer}"));
    let max_session = config.max_session;
    let meter = meters.map(|meters| Arc::clone(&meters.rest));
    let parts = AppParts {
        store,
        hasher,
        clock,
        issuer,
        public_url,
        public_url_is_for_people,
        breached,
        mail,
        max_session,
        meter,
    };
    let service = Service::new(parts, limits).await?;
    let meter = meters.map(|meters| Arc::clone(&meters.http));
    Ok(service.behind(config.ingress.clone()).metered(meter))
}
