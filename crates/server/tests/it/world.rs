//! A server of the test's own, and what is in it. What a test needs but is not about is put
//! straight into the store.

use crate::client::Client;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use guestlist::administrators::rows as administrators;
use guestlist::administrators::rules::new_me;
use guestlist::applications::rows as applications;
use guestlist::applications::rules::new_application;
use guestlist::auth::hasher::{HasherOptions, PasswordHash};
use guestlist::clock::{Clock, Settable};
use guestlist::config::{Config, with_quotas};
use guestlist::directory::groups::rows as groups;
use guestlist::directory::groups::rules::new_group;
use guestlist::directory::users::rows as users;
use guestlist::directory::users::rules::new_user;
use guestlist::error::Result;
use guestlist::http::client_address::Proxies;
use guestlist::http::ingress::Ingress;
use guestlist::mail::{Inbox, MailSettings, Received};
use guestlist::rest::App;
use guestlist::rows::Tx;
use guestlist::rows::quotas::Quotas;
use guestlist::rows::tenant::{AuthorizedApp, Tenant};
use guestlist::server::{self, Server};
use guestlist::store::ephemeral::Database;
use guestlist::store::{self, StoreUrl};
use guestlist::tokens::rows::{self as tokens, Principal};
use guestlist::tokens::rules::{new_session, new_token};
use guestlist::tokens::sessions;
use guestlist_api::api_token::{ApiToken, ApiTokenPost};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceGroupId, ExperienceUserId, UserId};
use guestlist_api::text::Email;
use guestlist_api::time::DateTime;
use guestlist_api::wire::{self, Wire};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

/// The password of everybody whom a world makes.
pub(crate) const PASSWORD: &str = "Correct-h0rse";
/// Where a manual clock stands at first: the middle of 2026.
pub(crate) const NOON: i64 = 1_782_000_000_000;

/// What a world is made with.
#[derive(Default)]
pub(crate) struct Options {
    /// Threads that hash passwords, if it matters.
    pub(crate) hash_workers: Option<usize>,
    /// The most connections, and those of one client, if it matters.
    pub(crate) connections: Option<(usize, usize)>,
    /// How long a session lasts at most, if it is bounded.
    pub(crate) max_session: Option<Duration>,
    /// A clock that stands still, rather than the machine's.
    pub(crate) manual_clock: bool,
    /// How much work a read may be, if it matters: see the option of the store.
    pub(crate) steps_per_second: Option<u64>,
    /// Who may reach it, and how.
    pub(crate) ingress: Ingress,
    /// What an application may hold, if it is not what is usual.
    pub(crate) quotas: Option<Quotas>,
    /// Whether metrics are scraped.
    pub(crate) metrics: bool,
    /// How mails leave, if not into memory.
    pub(crate) mail: Option<MailSettings>,
}

/// Believes whoever asks in what `X-Forwarded-For` says of where they are.
pub(crate) fn forwarded() -> Ingress {
    let trusted = vec!["127.0.0.0/8".parse().unwrap()];
    let proxies = Proxies { trusted, client_from: "x-forwarded-for".parse().unwrap() };
    Ingress { proxies, ..Ingress::default() }
}

/// Where the store of a world is.
pub(crate) enum Home {
    Directory(TempDir),
    Database(Box<Database>),
}

impl Home {
    /// A new one, of the kind that these tests are built for.
    fn new() -> Self {
        if env!("CARGO_CRATE_NAME") != "it_postgres" {
            return Self::Directory(tempfile::tempdir().unwrap());
        }
        let url = std::env::var("GUESTLIST_TEST_POSTGRES").expect(
            "GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`",
        );
        Self::Database(Box::new(Database::new(&url).unwrap()))
    }

    fn place(&self) -> StoreUrl {
        match self {
            Self::Directory(directory) => StoreUrl::Sqlite(directory.path().join("guestlist.db")),
            Self::Database(database) => database.place(),
        }
    }
}

/// A running server.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    client: Client,
    metrics: Option<Client>,
    clock: Clock,
    pub(crate) config: Config,
    pub(crate) home: Arc<Home>,
    pub(crate) runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Deref for World {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&Options::default())
    }

    /// A world in which time stands still until it is told to go on.
    pub(crate) fn standing_still() -> Self {
        Self::with(&Options { manual_clock: true, ..Options::default() })
    }

    pub(crate) fn with(options: &Options) -> Self {
        let home = Arc::new(Home::new());
        let usual = HasherOptions::default();
        let hashing = HasherOptions {
            workers: options.hash_workers.unwrap_or(usual.workers),
            // Threads that hash give way to all others, and a machine may have much to do.
            deadline: Duration::from_mins(1),
            ..usual
        };
        let usual = store::Options::default();
        let config = Config {
            options: store::Options {
                readers: 3,
                writers: 4,
                steps_per_second: options.steps_per_second.unwrap_or(usual.steps_per_second),
                extension: with_quotas(options.quotas.unwrap_or(Quotas::DEFAULT)),
                ..usual
            },
            store: home.place(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            metrics_listen: options.metrics.then(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            public_url: Some("https://guests.example.com".parse().unwrap()),
            max_connections: options.connections.map(|(all, _)| all),
            max_connections_per_client: options.connections.map(|(_, one)| one),
            hashing,
            max_session: options.max_session,
            breached: None,
            ingress: options.ingress.clone(),
            mail: Some(options.mail.clone().unwrap_or_else(MailSettings::memory)),
            backups: None,
            recipients: Vec::new(),
        };
        let clock = if options.manual_clock {
            let clock = Settable::running();
            clock.set(DateTime::from_millis(NOON));
            Clock::Settable(Arc::new(clock))
        } else {
            Clock::System
        };
        Self::start(config, clock, home)
    }

    pub(crate) fn start(config: Config, clock: Clock, home: Arc<Home>) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, server) = mpsc::channel();
        let (given, time) = (config.clone(), clock.clone());
        let thread = thread::spawn(move || {
            let runtime = Runtime::new().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&given, time).await.unwrap();
                let handle = Handle::current();
                let addresses = (server.address(), server.metrics_address());
                started.send((Arc::clone(&server.app), addresses, handle)).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        let (app, (address, metrics), runtime) = server.recv().expect("the server starts");
        let (stop, thread) = (Some(stop), Some(thread));
        let (client, metrics) = (Client::new(address), metrics.map(Client::new));
        Self { app, client, metrics, clock, config, home, runtime, stop, thread }
    }

    /// The same store under a new server.
    pub(crate) fn restarted(mut self) -> Self {
        self.end();
        Self::start(self.config.clone(), self.clock.clone(), Arc::clone(&self.home))
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Who scrapes it.
    pub(crate) fn scraper(&self) -> &Client {
        self.metrics.as_ref().expect("its metrics are scraped")
    }

    /// Where the store is.
    pub(crate) fn place(&self) -> StoreUrl {
        self.home.place()
    }

    /// The directory of its files, if it keeps any.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match &*self.home {
            Home::Directory(directory) => Some(directory.path()),
            Home::Database(_) => None,
        }
    }

    pub(crate) fn now(&self) -> DateTime {
        self.clock.now()
    }

    /// Lets `millis` milliseconds pass.
    pub(crate) fn pass(&self, millis: i64) {
        match &self.clock {
            Clock::Settable(clock) => clock.advance(millis),
            _ => panic!("this world's clock is the machine's"),
        }
    }

    /// Has `work` done beside all else.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Does what is due beside requests, and waits for it.
    pub(crate) fn drain(&self) {
        self.runtime.block_on(server::drain(&self.app)).unwrap();
    }

    /// The mails that were sent, those that are due among them.
    pub(crate) fn mails(&self) -> Vec<Received> {
        self.drain();
        self.app.mail.inbox().map(Inbox::list).unwrap()
    }

    /// Writes to the store itself.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.app.store.write(work)).unwrap()
    }

    /// As [`World::write`], in an application that is there.
    pub(crate) fn write_in<T: Send + 'static>(
        &self,
        application: ApplicationId,
        work: impl Fn(&mut Tx<'_>, Tenant) -> Result<T> + Send + 'static,
    ) -> T {
        self.write(move |tx| {
            let tenant = AuthorizedApp::allowed(application).require(tx)?;
            work(tx, tenant)
        })
    }

    pub(crate) fn application(&self, name: &str) -> ApplicationId {
        let post = read("application", json!({ "name": name }));
        let id = ApplicationId(self.app.ids.next(self.now()));
        let new = new_application(&post, id, self.app.organization, self.now());
        self.write(move |tx| applications::add(tx, &new).map(drop));
        id
    }

    /// A user of `application`, in `groups`, as `body` has it beside the password.
    pub(crate) fn user(
        &self,
        application: ApplicationId,
        mut body: Value,
        groups: &[&ExperienceGroup],
    ) -> ExperienceUser {
        body["password"] = PASSWORD.into();
        let post = read("experienceUser", body);
        let id = ExperienceUserId(self.app.ids.next(self.now()));
        let of = |group: &&ExperienceGroup| GroupRef {
            id: group.id,
            name: group.name.clone(),
            parent_id: group.parent_id,
        };
        let groups = groups.iter().map(of).collect();
        let new = new_user(&post, id, application, groups, self.now());
        let (hash, user) = (shared_hash(), new.clone());
        self.write_in(application, move |tx, tenant| users::add(tx, tenant, &user, &hash));
        new
    }

    pub(crate) fn group(&self, application: ApplicationId, body: Value) -> ExperienceGroup {
        let post = read("experienceGroup", body);
        let id = ExperienceGroupId(self.app.ids.next(self.now()));
        let new = new_group(&post, id, application, Vec::new(), Vec::new(), self.now());
        let group = new.clone();
        self.write_in(application, move |tx, tenant| groups::add(tx, tenant, &group));
        new
    }

    pub(crate) fn administrator(&self, email: &str) -> UserId {
        let id = UserId(self.app.ids.next(self.now()));
        let new = new_me(id, Email::parse(email).unwrap(), self.now());
        let hash = shared_hash();
        self.write(move |tx| administrators::add(tx, &new, &hash));
        id
    }

    /// The record of a token of `owner`, not kept yet.
    pub(crate) fn record(&self, owner: Principal, scopes: &str) -> ApiToken {
        let post: ApiTokenPost = read("apiToken", json!({ "name": "of a test" }));
        let id = ApiTokenId(self.app.ids.next(self.now()));
        let scopes = scopes.parse().unwrap();
        new_token(&post, id, owner.id(), owner.kind(), scopes, self.now())
    }

    /// Keeps `record`, and gives its token.
    pub(crate) fn keep(&self, record: &ApiToken) -> String {
        let kept = record.clone();
        self.write(move |tx| tokens::add(tx, &kept));
        self.app.mint(record, false).unwrap().expose().to_owned()
    }

    /// A good token of `owner` with these scopes.
    pub(crate) fn token(&self, owner: Principal, scopes: &str) -> String {
        self.keep(&self.record(owner, scopes))
    }

    /// A session of `user` that may do everything, and began `ago` milliseconds ago.
    pub(crate) fn session(&self, user: UserId, ago: i64) -> String {
        let id = ApiTokenId(self.app.ids.next(self.now()));
        let scopes = "all.User".parse().unwrap();
        let session = new_session(id, user, scopes, None, self.now().plus_millis(-ago));
        let kept = session.clone();
        self.write(move |tx| sessions::begin(tx, &kept, Some(kept.creation_date)));
        self.app.mint(&session, true).unwrap().expose().to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            // The failure that is under way says more than whatever ends badly after it.
            drop(self.stop.take());
        } else {
            self.end();
        }
    }
}

/// `value` as the wire would read it.
pub(crate) fn read<T: Wire>(name: &'static str, value: Value) -> T {
    wire::read(name, value).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// The hash of [`PASSWORD`], made with as little work as there is so that tests are fast.
pub(crate) fn shared_hash() -> PasswordHash {
    let (salt, mut tag) = ([7; 16], [0; 32]);
    let parameters = Params::new(8, 1, 1, Some(tag.len())).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into(PASSWORD.as_bytes(), &salt, &mut tag)
        .unwrap();
    let (salt, tag) = (BASE64.encode(salt), BASE64.encode(tag));
    PasswordHash::from_stored(format!("$argon2id$v=19$m=8,t=1,p=1${salt}${tag}"))
}
