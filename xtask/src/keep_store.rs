//! Keeps a store of each version of the schema: one is filled by this Guestlist, with something in every table, and
//! the unit tests that read those that are kept make the ones that are missing of it.

use guestlist_testbed::http::{Client, Request};
use guestlist_testbed::process::Place;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::Project;
use crate::clients;
use crate::postgres;
use crate::steps::{Steps, cargo};

const ADMINISTRATOR: &str = "ada@example.com";
const PASSWORD: &str = "Of-n0-consequence";

pub(crate) fn run(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let program = clients::server(project, steps)?;
    let place = Place::new(program.to_str().context("a path that is text")?);
    steps.run("fill a store", || fill(&place))?;
    let _server = postgres::start(steps)?;
    let mut write = cargo(&["test", "--workspace", "--lib", "a_store_is_kept_of_every_version"]);
    write.env("GUESTLIST_KEEP_STORE", place.store());
    steps.command("keep it", write, "the output above says why")?;
    let read = cargo(&["test", "--workspace", "--lib", "store::tests::upgrades"]);
    steps.command("read all that are kept", read, "mend what the output above names")
}

/// Somebody who asks a server, with a token.
struct Asker {
    client: Client,
}

impl Asker {
    fn ask(&mut self, method: &'static str, path: &str, body: Value) -> anyhow::Result<Value> {
        let mut request = Request::new(method, path.to_owned(), Some(body));
        // An answer that is stored.
        let name = request.body.as_ref().and_then(|body| body["name"].as_str());
        request.key = name.filter(|_| path.ends_with("/groups")).map(str::to_owned);
        let answer = self.client.send(&request)?;
        ensure!(answer.status < 300, "{method} {path}: {}", answer.body);
        Ok(answer.body)
    }
}

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap_or_default().to_owned()
}

/// Something in every table.
fn fill(place: &Place) -> anyhow::Result<()> {
    place.run_with(&["admin", "create", "--email", ADMINISTRATOR], PASSWORD);
    place.run_with(&["admin", "create", "--email", "gone@example.com"], PASSWORD);
    let server = place.spawn().ready();
    let with = |token: &str| {
        Ok::<_, anyhow::Error>(Asker { client: Client::connect(&server.address, token)? })
    };
    let sign_in = |password: &str| {
        Request::new(
            "POST",
            "/auth/user".into(),
            Some(json!({ "email": ADMINISTRATOR, "password": password })),
        )
    };
    let mut anybody = with("")?.client;
    let session =
        anybody.send(&sign_in(PASSWORD))?.body["token"].as_str().context("a session")?.to_owned();
    // One who fails is remembered.
    ensure!(anybody.send(&sign_in("something else"))?.status == 401, "a wrong password is refused");

    let mut ada = with(&session)?;
    let all = ada.client.send(&Request::new("GET", "/administrators".into(), None))?.body;
    let gone = all["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["email"] == "gone@example.com");
    ada.ask(
        "PATCH",
        &format!("/administrators/{}", id(gone.context("the other")?)),
        json!({ "status": "inactive" }),
    )?;
    ada.ask("POST", "/me/tokens", json!({ "name": "of Ada", "scope": ["all.User.read"] }))?;
    for name in ["Guests", "Émile's"] {
        let globals = json!([{ "key": "k", "json": "{\"a\":1}" }]);
        let application =
            ada.ask("POST", "/applications", json!({ "name": name, "globals": globals }))?;
        let path = format!("/applications/{}", id(&application));
        ada.ask("PATCH", &format!("{path}/quotas"), json!({ "users": 1000 }))?;
        let token = ada.ask(
            "POST",
            &format!("{path}/tokens"),
            json!({ "name": "all", "scope": ["all.Application"] }),
        )?;
        let mut backend = with(token["token"].as_str().context("a token")?)?;
        backend.ask(
            "POST",
            &format!("{path}/tokens"),
            json!({ "name": "child", "scope": ["experienceUsers.get"] }),
        )?;
        backend.ask(
            "POST",
            &format!("{path}/tokens"),
            json!({ "name": "ends", "scope": ["experienceUsers.get"], "status": "inactive",
                "expirationDate": "2100-01-01T00:00:00.000Z" }),
        )?;
        directory(&mut backend, &path)?;
    }
    server.kill();
    // What a server has written when it was killed is in its log; a command closes the store.
    let _ = place.run(&["checksum"]);
    Ok(())
}

/// Groups and users, one of whom signs in.
fn directory(backend: &mut Asker, path: &str) -> anyhow::Result<()> {
    let (users, groups) = (format!("{path}/experience/users"), format!("{path}/experience/groups"));
    let endpoint = "575ec8687ae143cd83dc4a97";
    let staff = backend.ask(
        "POST",
        &groups,
        json!({ "name": "Staff", "groupTags": { "floor": "1", "wing": "é" }, "experienceEndpointIds": [endpoint],
            "deviceTags": [{ "key": "k", "value": "v" }] }),
    )?;
    let kitchen =
        backend.ask("POST", &groups, json!({ "name": "Kitchen", "parentId": staff["id"] }))?;
    backend.ask(
        "POST",
        &groups,
        json!({ "name": "Bakery", "parentId": kitchen["id"], "description": "up early" }),
    )?;
    let long = "Ünterstraß".repeat(100);
    for (email, first, last) in [
        ("grace@example.com", json!("Grace"), json!("Hopper")),
        ("ZOE@example.com", json!("Zoë"), Value::Null),
        ("long@example.com", json!(long), json!("It's 100 % \\ \"quoted\"")),
        ("none@example.com", Value::Null, Value::Null),
    ] {
        let mut body = json!({ "email": email, "password": PASSWORD, "userTags": { "made": email, "b": "x y" },
            "experienceGroupIds": [staff["id"], kitchen["id"]] });
        for (name, value) in [("firstName", first), ("lastName", last)] {
            if !value.is_null() {
                body[name] = value;
            }
        }
        backend.ask("POST", &users, body)?;
    }
    let authenticate = format!("{path}/experience/authenticate");
    let sign_in = |password: &str| {
        json!({ "mode": "emailPassword", "email": "grace@example.com", "password": password,
            "client": { "device": "the laptop of Grace" } })
    };
    backend.ask("POST", &authenticate, sign_in(PASSWORD))?;
    let wrong = Request::new("POST", authenticate, Some(sign_in("something else")));
    ensure!(backend.client.send(&wrong)?.status == 401, "a wrong password is refused");
    let settings = json!({ "displayName": "Émile's", "passwordMinLength": 20 });
    backend.ask("PATCH", &format!("{path}/experience/signIn"), settings)?;
    Ok(())
}
