//! A store is moved to the other engine and back while it is served, and through whatever happens.

use super::program::{Done, Place, Serving};
use crate::client::{Answer, Client};
use guestlist::moving::Moving;
use guestlist::rows::Tx;
use guestlist::store::ephemeral::Database;
use guestlist::store::{self, Store};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const MOVING: &str =
    "The store is being moved and takes no changes until that is done: try again in 10 s";
const MOVED: &str = "The store was moved and takes no changes here any more: try again in 60 s";

/// A database of PostgreSQL, as the command line names it.
pub(super) struct Postgres {
    database: Database,
    pub(super) url: String,
}

impl Postgres {
    pub(super) fn new() -> Self {
        let cluster = std::env::var("GUESTLIST_TEST_POSTGRES").expect(
            "GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`",
        );
        let database = Database::new(&cluster).unwrap();
        let shown = database.place().to_string();
        let (_, name) = shown.rsplit_once('/').unwrap();
        let (server, query) = cluster.split_once('?').unwrap_or((&cluster, ""));
        let (server, _) = server.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}?{query}");
        Self { database, url }
    }

    fn password(&self) -> &str {
        let (login, _) = self.url.split_once('@').unwrap();
        login.rsplit_once(':').unwrap().1
    }

    pub(super) fn open(&self) -> Store {
        let options = store::Options { readers: 1, writers: 1, ..store::Options::default() };
        Store::open_at(&self.database.place(), &options).unwrap()
    }
}

pub(super) fn serve(place: &Place, store: &str) -> Serving {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", "http://g.test", "--store"];
    Serving::start(place.command(&[&serve[..], &[store]].concat()))
}

/// A store with people in it, and somebody who may do everything.
pub(super) struct People {
    users: String,
    some: String,
    pub(super) token: String,
    administrator: Value,
}

impl People {
    pub(super) fn new(place: &Place, store: &str, count: &str) -> Self {
        let made = place.run(&["user", "seed", "--store", store, "--json", "--count", count]);
        let made = made.json();
        let application = made["applicationId"].as_str().unwrap();
        let token = [
            "token",
            "create",
            "--public-url",
            "http://g.test",
            "--store",
            store,
            "--name",
            "t",
            "--scope",
            "all.Application",
            "--application",
            application,
        ];
        let token = place.run(&token).ok().trim().to_owned();
        let administrator = json!({ "email": "admin@example.com", "password": "Correct-h0rse" });
        let create = ["admin", "create", "--store", store, "--email", "admin@example.com"];
        place.run_with(&create, "Correct-h0rse\n").ok();
        let users = format!("/applications/{application}/experience/users");
        let serving = serve(place, store);
        let post = serving.client.request("POST", &users).token(&token).key("once");
        let some = post.json(&zoe()).send().expect(201).json();
        let some = format!("{users}/{}", some["id"].as_str().unwrap());
        sign_in(&serving.client, &administrator).expect(200);
        serving.stop();
        Self { users, some, token, administrator }
    }

    /// The id of the application that they are of.
    pub(super) fn application(&self) -> &str {
        self.users.split('/').nth(2).unwrap()
    }

    fn get(&self, client: &Client) -> Answer {
        self.ask(client).expect(200)
    }

    /// As it comes.
    pub(super) fn ask(&self, client: &Client) -> Answer {
        client.get(&self.token, &self.some)
    }

    pub(super) fn patch(&self, client: &Client, name: &str) -> Answer {
        client.call(&self.token, "PATCH", &self.some, &json!({ "lastName": name }))
    }

    /// What the tokens, the passwords, the history and the people are worth at `client`, which
    /// takes changes.
    pub(super) fn all_is_well(&self, client: &Client, name: &str) {
        assert_eq!(self.get(client).json()["firstName"], "Zoë 💡");
        assert_eq!(self.patch(client, name).expect(200).json()["lastName"], name);
        let post = client.request("POST", &self.users).token(&self.token).key("once").json(&zoe());
        let again = post.send().expect(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert!(self.some.ends_with(again.json()["id"].as_str().unwrap()));
        sign_in(client, &self.administrator).expect(200);
        let query = "{\"userTags\":{\"plan\":\"ﬀ\"}}";
        let query = query.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        let found = client.get(&self.token, &format!("{}?query={query}", self.users)).expect(200);
        assert_eq!(found.json()["totalCount"], 1, "{}", found.text());
    }
}

/// As she was first made.
fn zoe() -> Value {
    json!({
        "email": "Zoe@Example.com",
        "password": "Correct-h0rse",
        "firstName": "Zoë 💡",
        "userTags": { "plan": "ﬀ", "_x-1": " " },
    })
}

fn sign_in(client: &Client, who: &Value) -> Answer {
    client.call("", "POST", "/auth/user", who)
}

fn bring(place: &Place, from: &str, to: &str) -> Done {
    place.run(&["move", "--from", from, "--to", to, "--json"])
}

#[test]
fn a_store_is_moved_there_and_back_under_a_running_server() {
    let (place, postgres) = (Place::new(), Postgres::new());
    let people = People::new(&place, "a.db", "2500");
    let serving = serve(&place, "a.db");
    let before = people.get(&serving.client).json();
    let there = bring(&place, "a.db", &postgres.url).json();
    let checksum = |store: &str| place.run(&["checksum", "--json", "--store", store]).json();
    assert!(there["rows"].as_u64().unwrap() > 8_000, "{there}");
    for store in ["a.db", &postgres.url] {
        let printed = checksum(store);
        for what in ["rows", "checksum", "tables"] {
            assert_eq!(printed[what], there[what]);
        }
    }
    // The old one is read on, and refuses to be written.
    assert_eq!(people.get(&serving.client).json(), before);
    let refused = people.patch(&serving.client, "x");
    refused.refused(503, MOVED);
    assert_eq!(refused.header("retry-after"), Some("60"));
    serving.client.get("", "/readyz").expect(200);

    let served = serve(&place, &postgres.url);
    assert_eq!(people.get(&served.client).json(), before);
    people.all_is_well(&served.client, "there");
    let now = people.get(&served.client).json();
    let back = bring(&place, &postgres.url, "back/b.db").json();
    assert_ne!(back["checksum"], there["checksum"]);
    // At once, on a node that has been running all the time.
    people.patch(&served.client, "x").refused(503, MOVED);
    assert_eq!(people.get(&served.client).json(), now);
    assert_eq!(checksum("back/b.db")["checksum"], back["checksum"]);
    let returned = serve(&place, "back/b.db");
    assert_eq!(people.get(&returned.client).json(), now);
    people.all_is_well(&returned.client, "back");
    returned.stop();

    // It has become another since, so that it is not moved again by mistake.
    bring(&place, "a.db", "c.db").failed("was moved to postgres://");
    bring(&place, "back/b.db", &postgres.url).failed("is not empty");
    // Giving a move up that is done has the old store serve as it was.
    let given_up = place.run(&["move", "--abandon", "--from", "a.db"]).ok();
    assert!(given_up.ends_with("a.db takes changes\n"), "{given_up}");
    people.patch(&serving.client, "old").expect(200);
    assert_eq!(people.get(&served.client).json(), now);
    let log = serving.stop() + &served.stop();
    assert!(!log.contains(postgres.password()), "{log}");
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Starts a move that cannot get beyond the memberships, waits until it is there, and kills it.
fn kill_in_the_middle(place: &Place, from: &str, to: &str, groups: impl Fn() -> i64) {
    let mut command = place.command(&["move", "--from", from, "--to", to]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    // They are copied right before.
    while groups() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        assert!(since.elapsed() < Duration::from_secs(30), "it gets nowhere");
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_move_that_is_killed_goes_on_where_it_was() {
    let (place, postgres) = (Place::new(), Postgres::new());
    let people = People::new(&place, "a.db", "3000");
    let serving = serve(&place, "a.db");
    let before = people.get(&serving.client).json();
    // Begun here, so that what is in its way comes after the copy is made.
    let (from, to) = (store::StoreUrl::Sqlite(place.path("a.db")), postgres.database.place());
    drop(in_runtime(Moving::begin(&from, &to)).unwrap());
    let (held, is_held) = channel();
    let (release, released) = channel();
    let released = Mutex::new(released);
    let store = postgres.open();
    let holder = store.clone();
    let holding = thread::spawn(move || {
        in_runtime(holder.write(move |tx| {
            tx.run("LOCK TABLE memberships IN SHARE MODE", &[])?;
            held.send(()).unwrap();
            let () = released.lock().unwrap().recv().unwrap();
            Ok(())
        }))
    });
    is_held.recv().unwrap();
    let count = |tx: &mut Tx<'_>| tx.first("SELECT count(*) FROM experience_groups", &[]);
    let groups = || in_runtime(store.read(count)).unwrap().unwrap();
    kill_in_the_middle(&place, "a.db", &postgres.url, groups);
    release.send(()).unwrap();
    holding.join().unwrap().unwrap();

    // Reads go on, also on a server that starts now; changes wait.
    let second = serve(&place, "a.db");
    for client in [&serving.client, &second.client] {
        assert_eq!(people.get(client).json(), before);
        let refused = people.patch(client, "x");
        refused.refused(503, MOVING);
        assert_eq!(refused.header("retry-after"), Some("10"));
        client.call(&people.token, "DELETE", &people.some, &Value::Null).refused(503, MOVING);
        client.get("", "/readyz").expect(200);
    }
    second.stop();
    // Half a store is not served, and not taken for anything else.
    let half = ["serve", "--listen", "127.0.0.1:0", "--store", &postgres.url];
    place.run(&half).failed("is an unfinished copy of ");
    let listed = place.run(&["application", "list", "--store", &postgres.url]);
    listed.failed("is an unfinished copy of ");
    assert!(!listed.stderr.contains(postgres.password()), "{}", listed.stderr);
    bring(&place, "a.db", "other.db").failed("is being moved to postgres://");
    bring(&place, &postgres.url, "other.db").failed("is an unfinished copy of ");

    // One row that is not as it was.
    let broken = "UPDATE experience_users SET first_name = 'Zoe' WHERE first_name = 'Zoë 💡'";
    postgres.database.run(broken).unwrap();
    let done = bring(&place, "a.db", &postgres.url);
    done.failed("experience_users is not the same: ");
    assert!(done.stderr.contains("give the same command to go on"), "{}", done.stderr);
    assert!(!done.stderr.contains(postgres.password()), "{}", done.stderr);
    place.run(&half).failed("is an unfinished copy of ");
    let mended = "UPDATE experience_users SET first_name = 'Zoë 💡' WHERE first_name = 'Zoe'
        AND email = 'Zoe@Example.com'";
    postgres.database.run(mended).unwrap();

    let done = bring(&place, "a.db", &postgres.url).json();
    let source = place.run(&["checksum", "--json", "--store", "a.db"]).json();
    assert_eq!(done["checksum"], source["checksum"]);
    people.patch(&serving.client, "x").refused(503, MOVED);
    serving.stop();
    let served = serve(&place, &postgres.url);
    assert_eq!(people.get(&served.client).json(), before);
    people.all_is_well(&served.client, "there");
    served.stop();
}

#[test]
fn a_move_to_a_file_that_is_killed_goes_on_or_is_given_up() {
    let (place, postgres) = (Place::new(), Postgres::new());
    let people = People::new(&place, &postgres.url, "3000");
    let serving = serve(&place, &postgres.url);
    let before = people.get(&serving.client).json();
    // The first membership is never done with.
    let to = store::StoreUrl::Sqlite(place.path("b.db"));
    in_runtime(Store::open_at(&to, &store::Options::default()).unwrap().close());
    let file = rusqlite::Connection::open(place.path("b.db")).unwrap();
    let kill = || {
        file.execute_batch(
            "CREATE VIEW endless AS WITH RECURSIVE n (i) AS
                (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT i FROM n;
             CREATE TRIGGER stalled BEFORE INSERT ON memberships BEGIN
                SELECT count(*) FROM endless; END;",
        )
        .unwrap();
        let count = "SELECT count(*) FROM experience_groups";
        let groups = || file.query_row(count, [], |row| row.get(0)).unwrap();
        kill_in_the_middle(&place, &postgres.url, "b.db", groups);
        file.execute_batch("DROP TRIGGER stalled; DROP VIEW endless").unwrap();
    };
    kill();
    assert_eq!(people.get(&serving.client).json(), before);
    people.patch(&serving.client, "x").refused(503, MOVING);
    place.run(&["serve", "--store", "b.db"]).failed("is an unfinished copy of postgres://");
    let both = ["--from", &postgres.url, "--to", "b.db"];
    place.run(&[&["move", "--abandon"], &both[..]].concat()).ok();
    people.patch(&serving.client, "changed").expect(200);

    kill();
    people.patch(&serving.client, "x").refused(503, MOVING);
    let kept = [&["move", "--keep-source"], &both[..]].concat();
    let kept = place.run(&kept).ok();
    assert!(kept.contains("takes changes again") && !kept.contains(postgres.password()), "{kept}");
    people.patch(&serving.client, "kept").expect(200);
    let copy = serve(&place, "b.db");
    assert_eq!(people.get(&copy.client).json()["lastName"], "changed");
    people.all_is_well(&copy.client, "copy");
    copy.stop();
    serving.stop();
}

#[test]
fn what_cannot_be_moved_is_refused_and_stays_as_it_is() {
    let place = Place::new();
    bring(&place, "no.db", "b.db").failed("there is no store at no.db");
    place.run(&["checksum", "--store", "no.db"]).failed("there is no store at no.db");
    assert!(!place.path("b.db").exists() && !place.path("no.db").exists());
    for store in ["a.db", "b.db"] {
        place.run(&["application", "create", "--store", store, "--name", "own"]).ok();
    }
    bring(&place, "a.db", "b.db").failed("b.db is not empty");
    bring(&place, "a.db", "./a.db").failed("cannot be moved to itself");
    bring(&place, "a.db", "postgres://u:hidden@127.0.0.1:1/x").failed("postgres://u@127.0.0.1:1/x");
    place.run(&["move", "--abandon", "--from", "a.db"]).failed("neither being moved nor was it");
    place.run(&["move", "--abandon", "--to", "b.db"]).failed("is no unfinished copy");
    place.run(&["application", "create", "--store", "a.db", "--name", "more"]).ok();
    let misused = place.run(&["move", "--from", "a.db"]);
    assert_eq!(misused.code, Some(2));
    assert!(misused.stderr.contains("--to <URL>"), "{}", misused.stderr);
}

#[test]
fn two_files_that_hold_the_same_have_the_same_checksum() {
    let place = Place::new();
    place.run(&["application", "create", "--store", "a.db", "--name", "own"]).ok();
    let text = place.run(&["move", "--from", "a.db", "--to", "b.db"]).ok();
    assert!(text.contains("both are the same"), "{text}");
    let printed = |store: &str| place.run(&["checksum", "--store", store]).ok();
    let (a, b) = (printed("a.db"), printed("b.db"));
    assert_eq!(a, b);
    assert!(a.starts_with("TABLE  ") && text.starts_with(&a), "{a}");
    place.run(&["application", "create", "--store", "b.db", "--name", "more"]).ok();
    assert_ne!(printed("b.db"), a);
}
