// A server in this process with an administrator, for tests and for the examples of the docs.

use guestlist::administrators::rows;
use guestlist::administrators::rules::new_me;
use guestlist::auth::places::Asker;
use guestlist::clock::Clock;
use guestlist::config::Config;
use guestlist::server::Server;
use guestlist::tokens::rows::{self as tokens, Principal};
use guestlist::tokens::rules::new_token;
use guestlist_api::api_token::ApiTokenPost;
use guestlist_api::id::{ApiTokenId, ApplicationId, UserId};
use guestlist_api::scope::{Scope, Scopes};
use guestlist_api::secret::Password;
use guestlist_api::text::Email;
use guestlist_api::wire;
use guestlist_client::blocking;
use guestlist_client::bodies::ApplicationPost;
use guestlist_client::{Client, Config as ClientConfig, Token};
use tokio::sync::oneshot;

/// The address of the administrator.
pub(crate) const EMAIL: &str = "admin@example.com";
/// The address of another.
pub(crate) const OTHER: &str = "other@example.com";
/// The password of both.
pub(crate) const PASSWORD: &str = "Correct-h0rse";

/// A running server. It ends with this.
pub(crate) struct Demo {
    /// Where it is.
    pub(crate) url: String,
    /// A token of the administrator that may do everything.
    pub(crate) token: Token,
    /// An application.
    pub(crate) application: ApplicationId,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Demo {
    /// A server on a thread of its own, ready.
    pub(crate) fn start() -> Self {
        let (told, ready) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let directory = tempfile::tempdir().unwrap();
                let config = Config {
                    store: guestlist::store::StoreUrl::Sqlite(directory.path().join("demo.db")),
                    options: guestlist::store::Options::default(),
                    listen: "127.0.0.1:0".parse().unwrap(),
                    metrics_listen: None,
                    public_url: None,
                    max_connections: None,
                    max_connections_per_client: None,
                    hashing: guestlist::auth::hasher::HasherOptions {
                        workers: 1,
                        ..Default::default()
                    },
                    max_session: None,
                    breached: None,
                    ingress: guestlist::http::ingress::Ingress::default(),
                    mail: None,
                    backups: None,
                    recipients: Vec::new(),
                };
                let server = Server::bind(&config, Clock::System).await.unwrap();
                let token = administrators(&server).await;
                told.send((format!("http://{}", server.address()), token)).unwrap();
                server.run(async move { stopped.await.unwrap_or_default() }).await;
            });
        });
        let (url, token) = ready.recv().unwrap();
        let token = Token::new(token);
        let client = ClientConfig::new(&url).token(token.clone());
        let client = blocking::Client::new(client).unwrap();
        let made = client.applications().create(ApplicationPost::new("Demo")).send().unwrap();
        Self { url, token, application: made.id, stop: Some(stop), thread: Some(thread) }
    }

    /// How a client reaches it, with the token.
    pub(crate) fn config(&self) -> ClientConfig {
        ClientConfig::new(&self.url).token(self.token.clone())
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Makes the administrators, and a token of the first that may do everything.
async fn administrators(server: &Server) -> String {
    let (app, now) = (&server.app, server.app.clock.now());
    let hash = app.hasher.hash(Asker::OWN, Password::new(PASSWORD.into()).unwrap()).await.unwrap();
    let user = UserId(app.ids.next(now));
    let me = new_me(user, Email::parse(EMAIL).unwrap(), now);
    let other = new_me(UserId(app.ids.next(now)), Email::parse(OTHER).unwrap(), now);
    let post = serde_json::json!({ "name": "demo" });
    let post: ApiTokenPost = wire::read("apiToken", post).unwrap();
    let (id, owner) = (ApiTokenId(app.ids.next(now)), Principal::User(user));
    let scopes: Scopes = [Scope::ALL_USER].into_iter().collect();
    let token = new_token(&post, id, owner.id(), owner.kind(), scopes, now);
    let record = token.clone();
    let made = app.store.write(move |tx| {
        rows::add(tx, &me, &hash)?;
        rows::add(tx, &other, &hash)?;
        tokens::add(tx, &record)
    });
    made.await.unwrap();
    app.mint(&token, false).unwrap().expose().to_owned()
}
