//! Applications, tokens and administrators, made on the command line beside a running server.

use super::program::{Done, Place, Serving};
use crate::world::PASSWORD;
use serde_json::{Value, json};

const STORE: [&str; 2] = ["--store", "a.db"];

struct Scene {
    place: Place,
    serving: Serving,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let serving = place.serve();
        Self { place, serving }
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.place.run(&[arguments, &STORE].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    fn application(&self) -> String {
        let made = self.json(&["application", "create", "--name", "own"]);
        made["applicationId"].as_str().unwrap().to_owned()
    }

    fn create_token(&self, application: &str, more: &[&str]) -> Done {
        let create = ["token", "create", "--application", application, "--name", "made"];
        self.run(&[&create, more].concat())
    }

    fn tokens(&self, application: &str) -> Vec<Value> {
        self.lines(&["token", "list", "--application", application])
    }

    /// What a command lists, an object a line.
    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.run(&[arguments, &["--json"]].concat()).ok();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn applications_are_made_and_listed() {
    let scene = Scene::new();
    assert_eq!(scene.lines(&["application", "list"]), Vec::<Value>::new());
    let made = scene.json(&["application", "create", "--name", "first", "--description", "d"]);
    let first = made["applicationId"].as_str().unwrap();
    assert_eq!(made, json!({ "applicationId": first }));
    let second = scene.run(&["application", "create", "--name", "second"]).ok();
    let second = second.strip_suffix('\n').unwrap();
    assert!(second.len() == 24 && second.bytes().all(|byte| byte.is_ascii_hexdigit()), "{second}");

    let mut listed = scene.lines(&["application", "list"]);
    // In the order of ids, which tells apart what was made in different seconds only.
    assert!(listed.is_sorted_by_key(|one| one["id"].as_str().unwrap().to_owned()));
    listed.sort_by_key(|one| one["name"].as_str().unwrap().to_owned());
    let of = |field: &str| listed.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
    assert_eq!(
        (of("id"), of("name")),
        (vec![first.into(), second.into()], vec!["first".into(), "second".into()])
    );
    assert_eq!(listed[0]["description"], "d");
    let table = scene.run(&["application", "list"]).ok();
    let mut lines: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.remove(0), ["ID", "NAME", "USERS"]);
    lines.sort_by_key(|line| line[1]);
    assert_eq!(lines, [[first, "first", "0"], [second, "second", "0"]]);

    scene
        .run(&["application", "create", "--name", ""])
        .failed("application.name has less length than allowed");
    assert_eq!(scene.lines(&["application", "list"]).len(), 2);
    // What it would not do is refused rather than passed over.
    for (arguments, why) in [
        (vec!["application", "list", "--sort", "name"], "lists all of them by their ids"),
        (vec!["application", "create"], "--name is missing"),
    ] {
        let refused = scene.run(&arguments);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    scene.serving.stop();
}

#[test]
fn a_token_works_at_once_and_not_after_it_is_revoked() {
    let scene = Scene::new();
    let application = scene.application();
    let users = format!("/applications/{application}/experience/users");
    let scope = ["--scope", "experienceUsers.get,experienceUser.get", "experienceUsers.post"];
    let made = scene
        .create_token(&application, &[&scope, ["--expires", "30d", "--json"].as_slice()].concat())
        .json();
    let (id, token) = (made["apiTokenId"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(made, json!({ "apiTokenId": id, "token": token }));
    scene.serving.client.get(token, &users).expect(200);
    let groups = format!("/applications/{application}/experience/groups");
    scene.serving.client.get(token, &groups).refused(403, "Access is forbidden");

    let plain = scene.create_token(&application, &["--scope", "all.Application"]).ok();
    let plain = plain.strip_suffix('\n').unwrap();
    scene.serving.client.get(plain, &groups).expect(200);

    let listed = scene.tokens(&application);
    assert_eq!(listed.len(), 2);
    let first = listed.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(
        first["scope"],
        json!(["experienceUsers.get", "experienceUser.get", "experienceUsers.post"])
    );
    assert!(first["expirationDate"].is_string() && first["token"].is_null(), "{first}");
    let table = scene.run(&["token", "list", "--application", &application]).ok();
    assert!(table.starts_with("ID ") && table.lines().count() == 3, "{table}");
    assert!(table.contains(" never "), "{table}");
    assert!(!table.contains(token.rsplit_once('.').unwrap().1), "{table}");

    let tokens = format!("/applications/{application}/tokens");
    let child = scene.serving.client.call(plain, "POST", &tokens, &json!({ "name": "child" }));
    let child = child.expect(201).json()["token"].as_str().unwrap().to_owned();

    let revoked = scene.json(&["token", "revoke", id]);
    assert_eq!(revoked, json!({ "apiTokenId": id, "revoked": true }));
    scene.serving.client.get(token, &users).refused(401, "Invalid access token");
    scene.serving.client.get(plain, &users).expect(200);
    scene.run(&["token", "revoke", id]).failed("API token was not found");
    let rest = scene.tokens(&application);
    let rest = rest.iter().find(|one| one["name"] != "child").unwrap()["id"].as_str().unwrap();
    let all = ["token", "revoke", rest, "--with-children"];
    assert_eq!(scene.run(&all).ok(), format!("revoked {rest}\n"));
    for token in [plain, &child] {
        scene.serving.client.get(token, &users).refused(401, "Invalid access token");
    }
    assert_eq!(scene.tokens(&application), Vec::<Value>::new());
    scene.serving.stop();
}

#[test]
fn a_token_that_cannot_be_is_not_made() {
    let scene = Scene::new();
    let application = scene.application();
    let create = |more: &[&str]| scene.create_token(&application, more);
    create(&["--scope", "experienceUser.fly"]).failed("apiToken.scope.0 is not a known scope");
    create(&["--scope", "me.get", "me.get"]).failed("apiToken.scope must be unique");
    for expires in ["30", "soon", "0d", "1y", "9999999w"] {
        create(&["--scope", "me.get", "--expires", expires]).failed("--expires: ");
    }
    let absent = "ffffffffffffffffffffffff";
    let nowhere = scene.create_token(absent, &["--scope", "me.get"]);
    nowhere.failed("Application was not found");
    scene.run(&["token", "list", "--application", absent]).failed("Application was not found");
    assert_eq!(scene.tokens(&application), Vec::<Value>::new());
    // What is no id at all is a mistake in the use of the command.
    let misused = scene.create_token("nonsense", &["--scope", "me.get"]);
    assert_eq!((misused.code, misused.stdout.as_str()), (Some(2), ""));
    assert!(misused.stderr.contains("an id is 24 hexadecimal digits"), "{}", misused.stderr);
    let missing = create(&[]);
    assert_eq!(missing.code, Some(2), "a token without scopes has to be asked for");
    assert!(missing.stderr.contains("--scope is missing"), "{}", missing.stderr);
    let unnamed =
        scene.run(&["token", "create", "--application", &application, "--scope", "me.get"]);
    assert!(unnamed.stderr.contains("--name is missing"), "{}", unnamed.stderr);
    scene.serving.stop();
}

#[test]
fn an_administrator_is_made_with_a_password_from_standard_input() {
    let scene = Scene::new();
    let create = |email: &str, password: &str, more: &[&str]| {
        let create = ["admin", "create", "--email", email];
        scene.place.run_with(&[create.as_slice(), &STORE, more].concat(), password)
    };
    let sign_in = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        scene.serving.client.call("", "POST", "/auth/user", &body)
    };
    let made = create("a@example.com", &format!("{PASSWORD}\n"), &["--json"]).json();
    assert_eq!(made, json!({ "userId": made["userId"], "email": "a@example.com" }));
    let session = sign_in("a@example.com", PASSWORD).expect(200).json();
    assert_eq!(session["userId"], made["userId"]);
    let plain = create("b@example.com", PASSWORD, &[]).ok();
    assert_eq!(sign_in("b@example.com", PASSWORD).expect(200).json()["userId"], plain.trim_end());

    let rule = "the password must have 12 to 2048 characters: a capital and a small letter, a \
                digit and one that is none of these among them";
    for empty in ["", "\n"] {
        let refused = create("c@example.com", empty, &[]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains("Password is missing"), "{}", refused.stderr);
    }
    // What a password manager prints after the password is not part of it.
    let notes = create("c@example.com", &format!("{PASSWORD}\nlogin: c\n"), &[]);
    assert_eq!((notes.code, notes.stdout.as_str()), (Some(2), ""));
    assert!(notes.stderr.contains("more lines than are read"), "{}", notes.stderr);
    for weak in ["Sh0rt-enoug", "no-capital-but-1-digit", "No-Digit-At-All"] {
        let refused = create("c@example.com", weak, &[]);
        refused.failed(rule);
        assert!(!refused.stderr.contains(weak), "the password is told");
    }
    sign_in("c@example.com", "no-capital-but-1-digit").refused(401, "Unauthorized");
    let taken = create("A@Example.com", "An0ther-password", &["--json"]);
    taken.failed("Email address \"A@Example.com\" already exists");
    sign_in("a@example.com", PASSWORD).expect(200);
    create("nobody", PASSWORD, &[]).failed("--email: \"nobody\" is not an e-mail address");
    scene.serving.stop();
}
