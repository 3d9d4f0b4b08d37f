//! A server and its one client in a process with little else, to count instructions in: a run with
//! many requests less a run with few is what the requests in between took, whatever it took to
//! start. `cargo xtask instructions` runs it under callgrind.

use anyhow::{Context as _, Result, bail, ensure};
use guestlist::applications::rows as applications;
use guestlist::applications::rules::new_application;
use guestlist::auth::hasher::PasswordHash;
use guestlist::clock::Clock;
use guestlist::config::{CliArgs, Config, ServerArgs};
use guestlist::directory::groups::rows as groups;
use guestlist::directory::search;
use guestlist::directory::users::rows as users;
use guestlist::population::Population;
use guestlist::server::Server;
use guestlist::tokens::rows as tokens;
use guestlist::tokens::rules::new_token;
use guestlist_api::api_token::ApiTokenPost;
use guestlist_api::application::ApplicationPost;
use guestlist_api::entity::OwnerType;
use guestlist_api::id::{ApiTokenId, ApplicationId, ForeignId, ObjectId};
use guestlist_api::scope::{Scope, Scopes};
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use guestlist_bench::http::{gzip_request, head, request};
use serde_json::json;
use std::fs;
use std::path::Path;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USERS: u64 = 3000;
const TOKENS: u8 = 250;
/// No password is checked here.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["prepare", place] => prepare(Path::new(place)).await,
        ["run", place, what, count] => run(Path::new(place), what, count.parse()?).await,
        _ => bail!("usage: instructions prepare DIRECTORY | run DIRECTORY WHAT COUNT"),
    }
}

async fn bind(place: &Path, metered: bool) -> Result<Server> {
    let store = place.join("guestlist.db").to_string_lossy().into_owned();
    let given = CliArgs { store: Some(store), ..CliArgs::default() };
    let free = Some("127.0.0.1:0".to_owned());
    let metrics_listen = free.clone().filter(|_| metered);
    let server = ServerArgs { listen: free, metrics_listen, ..ServerArgs::default() };
    Server::bind(&Config::read(&given, &server)?, Clock::System).await
}

fn application() -> ApplicationId {
    ApplicationId(ObjectId::from_bytes([0xa1; 12]))
}

fn posted<T: wire::Wire>(what: &'static str, body: serde_json::Value) -> Result<T> {
    wire::read(what, body).map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

/// Makes a store that is always the same, and tokens for it.
async fn prepare(place: &Path) -> Result<()> {
    let server = bind(place, false).await?;
    let (app, id) = (&server.app, application());
    let now = DateTime::from_millis(1_700_000_000_000);
    let post: ApplicationPost = posted("application", json!({ "name": "counted" }))?;
    let made = new_application(&post, id, app.organization, now);
    let token: ApiTokenPost = posted("apiToken", json!({ "name": "counted" }))?;
    let tokens: Vec<_> = (0..TOKENS)
        .map(|number| {
            let record = ApiTokenId(ObjectId::from_bytes([number; 12]));
            let scopes = Scopes::from_iter([Scope::ALL_APPLICATION]);
            let owner = ForeignId(id.0);
            new_token(&token, record, owner, OwnerType::Application, scopes, now)
        })
        .collect();
    let minted = tokens.iter().map(|token| Ok(app.mint(token, false)?.expose().to_owned()));
    fs::write(place.join("tokens.txt"), minted.collect::<Result<Vec<_>>>()?.join("\n"))?;
    let people = Population::new(id, 1, USERS);
    let ids: Vec<String> = people.users(0..USERS).map(|user| user.id.to_string()).collect();
    fs::write(place.join("ids.txt"), ids.join("\n"))?;
    let hash = PasswordHash::from_stored(HASH.into());
    let planting = app.store.write(move |tx| {
        let tenant = applications::add(tx, &made)?;
        tokens.iter().try_for_each(|token| tokens::add(tx, token))?;
        people.groups().try_for_each(|group| groups::add(tx, tenant, &group))?;
        people.users(0..USERS).try_for_each(|user| users::add(tx, tenant, &user, &hash))
    });
    planting.await?;
    // Or else the server tells it while its requests are counted.
    while app.store.write(|tx| search::apply_backlog(tx, USERS)).await? {}
    app.store.clone().close().await;
    Ok(())
}

/// What the name of what is done ends in where the server counts it.
const METERED: &str = "-metered";

/// Does `what` for `count` times.
async fn run(place: &Path, what: &str, count: usize) -> Result<()> {
    let read = |name: &str| -> Result<Vec<String>> {
        Ok(fs::read_to_string(place.join(name))?.lines().map(str::to_owned).collect())
    };
    let metered = what.ends_with(METERED);
    let what = what.trim_end_matches(METERED);
    let (tokens, ids) = (read("tokens.txt")?, read("ids.txt")?);
    let most = match what {
        "token" => tokens.len(),
        "get" | "patch" => ids.len(),
        "list" => ids.len() / 100,
        "query" => ids.len() / 10,
        _ => usize::MAX,
    };
    ensure!(count < most, "there are not so many to ask for");
    let server = bind(place, metered).await?;
    let app = std::sync::Arc::clone(&server.app);
    if what == "token" {
        for token in &tokens[..count] {
            app.signer.verify(token, app.clock.now())?;
        }
        return Ok(());
    }
    let users = format!("/applications/{}/experience/users", application());
    let token = &tokens[0];
    let get = |path: &str| request("GET", path, token, "");
    // Each for another user, as an answer that is asked for again may be kept.
    let query = |number: usize| {
        let badge = json!({ "userTags": { "badge": format!("B{:07}", (number + 1) * 10) } });
        badge.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
    };
    let requests: Vec<Vec<u8>> = (0..count)
        .map(|number| {
            Ok(match what {
                "get" => get(&format!("{users}/{}", ids[number + 1])),
                "get-again" => get(&format!("{users}/{}", ids[0])),
                "get-again-gzip" => gzip_request(&format!("{users}/{}", ids[0]), token),
                "list" => get(&format!("{users}?perPage=100&page={number}")),
                "list-again" => get(&format!("{users}?perPage=100")),
                "query" => get(&format!("{users}?query={}", query(number))),
                "patch" => {
                    let body = format!(r#"{{"firstName":"Visitor {number:04}"}}"#);
                    request("PATCH", &format!("{users}/{}", ids[number + 1]), token, &body)
                }
                _ => bail!("nothing here is called {what}"),
            })
        })
        .collect::<Result<_>>()?;
    let address = server.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let client = async move {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // The first request knows nothing yet of its token.
        let first = get(&format!("{users}/{}", ids[0]));
        let mut read = Vec::with_capacity(1 << 20);
        for request in std::iter::once(&first).chain(&requests) {
            stream.write_all(request).await?;
            read.clear();
            loop {
                ensure!(stream.read_buf(&mut read).await? > 0, "the connection was closed");
                let Some(head) = head(&read)? else { continue };
                if read.len() >= head.end + head.length {
                    ensure!(head.status == 200, "{}", String::from_utf8_lossy(&read));
                    break;
                }
            }
        }
        drop(stop);
        Ok(())
    };
    let stopping = async {
        drop(stopped.await);
    };
    let (done, ()) = tokio::join!(client, server.run(stopping));
    done.context(what.to_owned())
}
