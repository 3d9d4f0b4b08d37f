//! What the log has of credentials: that each action is there, who did it to whom, and no secret.

use crate::client::Answer;
use crate::world::{PASSWORD, World};
use guestlist::audit::{Action, TARGET};
use guestlist::tokens::rows::Principal;
use guestlist_api::id::UserId;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, Once};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

const OTHER: &str = "Battery-staple-2";

type Fields = BTreeMap<&'static str, String>;

/// What was logged in this process.
static LOGGED: Mutex<Vec<Fields>> = Mutex::new(Vec::new());

struct Capture;

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            let mut seen = Seen(Fields::new());
            event.record(&mut seen);
            LOGGED.lock().unwrap().push(seen.0);
        }
    }
}

struct Seen(Fields);

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// A server, and what its log had of the requests so far.
struct Scene {
    world: World,
    ada: UserId,
    mine: String,
    count: usize,
    all: Vec<Fields>,
    /// What must be in none of them.
    secrets: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        static START: Once = Once::new();
        START.call_once(|| tracing_subscriber::registry().with(Capture).init());
        let world = World::standing_still();
        let ada = world.administrator("ada@example.com");
        let mine = world.session(ada, 0);
        let secrets = vec![PASSWORD.into(), OTHER.into(), mine.clone(), "@".into()];
        Self { world, ada, mine, count: 0, all: Vec::new(), secrets }
    }

    /// Does something that is answered so, and gives what was logged of it.
    #[track_caller]
    fn does(
        &mut self,
        token: &str,
        (method, path): (&'static str, &str),
        body: &Value,
        status: u16,
    ) -> (Answer, Vec<Fields>) {
        self.count += 1;
        let id = format!("{}-{}", self.ada, self.count);
        let request = self.world.request(method, path).token(token).header("X-Request-Id", &id);
        let request = request.key(&id);
        let answer = if body.is_null() { request.send() } else { request.json(body).send() };
        let answer = answer.expect(status);
        // Whoever sends it again does nothing, whatever became of it.
        let of = |fields: &&Fields| fields.get("request_id") == Some(&id);
        let logged: Vec<_> = LOGGED.lock().unwrap().iter().filter(of).cloned().collect();
        for fields in &logged {
            assert_eq!(fields["peer"], "127.0.0.1");
            assert_eq!(fields["message"], "audit");
        }
        self.all.extend(logged.clone());
        (answer, logged)
    }

    /// The names of what is logged when the administrator does something.
    #[track_caller]
    fn names(&mut self, what: (&'static str, &str), body: &Value) -> Vec<String> {
        let mine = self.mine.clone();
        let (_, logged) = self.does(&mine, what, body, 200);
        for fields in &logged {
            assert_eq!(fields["by"], format!("administrator {}", self.ada));
            assert!(fields.contains_key("with"));
        }
        logged.into_iter().map(|fields| fields["event"].clone()).collect()
    }

    #[track_caller]
    fn sign_in(&mut self, email: &str, password: &str, status: u16) -> Fields {
        let body = json!({ "email": email, "password": password });
        let (answer, logged) = self.does("", ("POST", "/auth/user"), &body, status);
        if let Some(token) = answer.json()["token"].as_str() {
            self.secrets.push(token.to_owned());
        }
        let [fields] = logged.try_into().unwrap();
        assert_eq!(fields["by"], "nobody");
        fields
    }

    /// Makes a token, switches it off and on, and revokes it.
    fn tokens(&mut self, path: &str, owner: (&str, &str)) {
        let mine = self.mine.clone();
        for query in ["", "?withChildren=true"] {
            let body = json!({ "name": "of a test" });
            let (made, logged) = self.does(&mine, ("POST", path), &body, 201);
            let made = made.json();
            let [fields] = logged.try_into().unwrap();
            assert_eq!(
                (&*fields["event"], &*fields["token"], &*fields[owner.0]),
                ("token.made", made["id"].as_str().unwrap(), owner.1)
            );
            self.secrets.push(made["token"].as_str().unwrap().to_owned());
            let one = format!("{path}/{}", made["id"].as_str().unwrap());
            let (what, body) = (("PATCH", one.as_str()), json!({ "status": "inactive" }));
            assert_eq!(self.names(what, &body), ["token.deactivated"]);
            assert_eq!(self.names(what, &body), Vec::<String>::new(), "it was so before");
            let body = json!({ "status": "active", "name": "new" });
            assert_eq!(self.names(what, &body), ["token.activated"]);
            let revoked = self.names(("DELETE", &format!("{one}{query}")), &Value::Null);
            let name =
                if query.is_empty() { "token.revoked" } else { "token.revoked_with_children" };
            assert_eq!(revoked, [name]);
        }
    }
}

fn event(fields: &Fields) -> &str {
    &fields["event"]
}

#[test]
fn each_thing_that_is_done_to_a_credential_is_one_event() {
    let mut scene = Scene::new();
    let (ada, null) = (scene.ada.to_string(), Value::Null);

    let failed = scene.sign_in("ada@example.com", "Wrong-passw0rd", 401);
    assert_eq!((event(&failed), failed.get("administrator")), ("sign_in.failed", Some(&ada)));
    let unknown = scene.sign_in("nobody@example.com", "Wrong-passw0rd", 401);
    assert_eq!((event(&unknown), unknown.get("administrator")), ("sign_in.failed", None));
    let good = scene.sign_in("ada@example.com", PASSWORD, 200);
    assert_eq!((event(&good), good.get("administrator")), ("sign_in.succeeded", Some(&ada)));
    assert!(good.contains_key("token"));

    // Others.
    let bob = scene.world.administrator("bob@example.com");
    let session = |scene: &mut Scene| {
        let begun = scene.sign_in("bob@example.com", PASSWORD, 200);
        begun["token"].clone()
    };
    let one = session(&mut scene);
    let path = format!("/administrators/{bob}");
    let sessions = format!("{path}/sessions");
    assert_eq!(scene.names(("DELETE", &format!("{sessions}/{one}")), &null), ["session.ended"]);
    assert_eq!(scene.names(("DELETE", &sessions), &null), ["sessions.ended"]);
    let inactive = json!({ "status": "inactive" });
    assert_eq!(scene.names(("PATCH", &path), &inactive), ["administrator.disabled"]);
    assert_eq!(scene.names(("PATCH", &path), &inactive), Vec::<String>::new());
    let disabled = scene.sign_in("bob@example.com", PASSWORD, 401);
    assert_eq!(event(&disabled), "sign_in.failed");
    assert_eq!(disabled["administrator"], bob.to_string());
    let active = json!({ "status": "active" });
    assert_eq!(scene.names(("PATCH", &path), &active), ["administrator.enabled"]);
    let reset = ["password.reset", "sessions.ended", "tokens.deactivated"];
    assert_eq!(scene.names(("PATCH", &path), &json!({ "password": OTHER })), reset);
    assert_eq!(scene.names(("DELETE", &path), &null), ["administrator.removed"]);
    // Once it was right, and they were disabled.
    for _ in 0..19 {
        scene.sign_in("bob@example.com", "Wrong-passw0rd", 401);
    }
    let throttled = scene.sign_in("bob@example.com", "Wrong-passw0rd", 429);
    assert_eq!(event(&throttled), "sign_in.throttled");

    // Tokens.
    let application = scene.world.application("one").to_string();
    scene.tokens(&format!("/applications/{application}/tokens"), ("application", &application));
    scene.tokens("/me/tokens", ("administrator", &ada));

    // One's own.
    assert_eq!(scene.names(("GET", "/me/refreshToken"), &null), ["session.begun"]);
    assert_eq!(scene.names(("PATCH", "/me"), &json!({ "firstName": "A" })), Vec::<String>::new());
    let address = json!({ "email": "new@example.com" });
    assert_eq!(scene.names(("PATCH", "/me"), &address), ["address.changed"]);
    let password = json!({ "password": OTHER });
    assert_eq!(scene.names(("PATCH", "/me"), &password), ["password.changed"]);
    let mine = scene.mine.clone();
    let change = ("PATCH", "/me/changePassword");
    let wrong = json!({ "password": "Wrong-passw0rd", "newPassword": PASSWORD });
    let (_, refused) = scene.does(&mine, change, &wrong, 401);
    assert_eq!(event(&refused[0]), "password.refused");
    let body =
        json!({ "password": OTHER, "newPassword": PASSWORD, "invalidateExistingTokens": true });
    let begun = scene.does(&mine, change, &body, 200);
    let names: Vec<_> = begun.1.iter().map(event).collect();
    let changed = ["password.changed", "sessions.ended", "tokens.deactivated", "session.begun"];
    assert_eq!(names, changed);
    scene.mine = begun.0.json()["token"].as_str().unwrap().to_owned();
    scene.secrets.push(scene.mine.clone());
    let mine = scene.mine.clone();
    for _ in 0..20 {
        scene.does(&mine, change, &wrong, 401);
    }
    let (_, throttled) = scene.does(&mine, change, &wrong, 429);
    assert_eq!(event(&throttled[0]), "password.throttled");
    let cutoff = json!({ "tokenCutoff": scene.world.now().to_string() });
    assert_eq!(scene.names(("PATCH", "/me"), &cutoff), ["credentials.cut_off"]);

    users_are_told_of(&mut scene);

    // What is done on the store alone is in the tests of the command line.
    let mut names: BTreeSet<&str> = scene.all.iter().map(event).collect();
    names.extend(["administrator.made", "key.made", "key.retired"]);
    assert_eq!(names, Action::ALL.iter().map(|action| action.name()).collect());
    let operations: BTreeSet<&str> = scene.all.iter().map(|of| of["operation"].as_str()).collect();
    for row in guestlist::rest::table() {
        let bounded = |scope: guestlist_api::scope::Scope| scope.as_str().ends_with(".bounded");
        let credential = !row.operation.is_public() && !row.operation.allowed_by().any(bounded);
        let name = row.operation.name();
        assert!(!credential || operations.contains(name), "{name} notes nothing for the log");
    }
    for fields in &scene.all {
        for secret in &scene.secrets {
            assert!(!fields.values().any(|value| value.contains(secret)), "{fields:?}");
        }
    }
}

/// What is done to the users of an application.
fn users_are_told_of(scene: &mut Scene) {
    let application = scene.world.application("of users");
    let user = scene.world.user(application, json!({ "email": "ben@example.com" }), &[]);
    let token = scene.world.token(Principal::Application(application), "all.Application");
    let within = format!("/applications/{application}/experience");
    let authenticate = format!("{within}/authenticate");
    let given = |password: &str| json!({ "mode": "emailPassword", "email": user.email, "password": password });
    let tokens = format!("{within}/users/{}/tokens", user.id);
    let named = format!("{within}/tokens");
    let for_named = json!({ "emailOrId": user.email });
    let mut told = Vec::new();
    let (good, wrong) = (given(PASSWORD), given(OTHER));
    for (what, body, status) in [
        (("POST", authenticate.as_str()), good, 200),
        (("POST", tokens.as_str()), json!({}), 201),
        (("POST", named.as_str()), for_named, 200),
        (("DELETE", tokens.as_str()), Value::Null, 200),
        (("POST", authenticate.as_str()), wrong.clone(), 401),
    ] {
        let (answer, logged) = scene.does(&token, what, &body, status);
        if let Some(token) = answer.json()["token"].as_str() {
            scene.secrets.push(token.to_owned());
        }
        let [fields] = logged.try_into().unwrap();
        assert_eq!(fields["application"], application.to_string());
        assert_eq!(fields["user"], user.id.to_string());
        told.push(fields["event"].clone());
    }
    assert_eq!(
        told,
        [
            "user_sign_in.succeeded",
            "user_token.made",
            "user_token.made",
            "user_tokens.ended",
            "user_sign_in.failed"
        ]
    );
    let settings = format!("{within}/signIn");
    let named = json!({ "displayName": "a" });
    let (_, changed) = scene.does(&token, ("PATCH", &settings), &named, 200);
    assert_eq!(event(&changed[0]), "sign_in_settings.changed");
    let (_, same) = scene.does(&token, ("PATCH", &settings), &named, 200);
    assert!(same.is_empty(), "it was so before");
    let keys = format!("{within}/keys");
    let mut made = (String::new(), String::new());
    for now in [false, true] {
        let (answer, logged) =
            scene.does(&token, ("POST", &keys), &json!({ "immediately": now }), 201);
        made = (answer.json()["kid"].as_str().unwrap().to_owned(), logged[0]["key"].clone());
        assert_eq!((event(&logged[0]), &made.0), ("user_key.made", &made.1));
    }
    scene.world.pass(1);
    scene.does(&token, ("POST", &keys), &json!({ "immediately": true }), 201);
    for count in [1, 0] {
        let (_, logged) = scene.does(&token, ("POST", &keys), &json!({}), 201);
        assert_eq!(logged.len(), count, "the next one is there already");
    }
    let (_, gone) =
        scene.does(&token, ("DELETE", &format!("{keys}/{}", made.0)), &Value::Null, 200);
    assert_eq!((event(&gone[0]), &gone[0]["key"]), ("user_key.withdrawn", &made.0));
    links_are_told_of(scene, &within, &token, &format!("{within}/users/{}", user.id));
    for _ in 0..19 {
        scene.does(&token, ("POST", &authenticate), &wrong, 401);
    }
    let (_, throttled) = scene.does(&token, ("POST", &authenticate), &wrong, 429);
    assert_eq!(event(&throttled[0]), "user_sign_in.throttled");
}

/// Links of the user whose path is `user`, and an invitation.
fn links_are_told_of(scene: &mut Scene, within: &str, token: &str, user: &str) {
    let quiet = |email: &str| {
        let mut body = json!({ "linkUrl": "https://app.example.com", "sendMail": false });
        if !email.is_empty() {
            body["email"] = email.into();
        }
        body
    };
    let mut does =
        |method: &'static str, path: String, body: &Value, (status, expected): (u16, &str)| {
            let (answer, logged) = scene.does(token, (method, &path), body, status);
            assert_eq!(event(&logged[0]), expected, "{path}");
            let link = (status != 410).then(|| answer.json()["link"].as_str().map(str::to_owned));
            let secret =
                link.flatten().and_then(|link| link.split("token=").nth(1).map(str::to_owned));
            scene.secrets.extend(secret.clone());
            (answer, secret.unwrap_or_default())
        };
    let made = (201, "user_link.made");
    let (invited, _) = does("POST", format!("{within}/invitations"), &quiet("c@d.example"), made);
    let id = invited.json()["id"].as_str().unwrap().to_owned();
    let path = format!("{within}/invitations/{id}");
    does("DELETE", path, &Value::Null, (200, "user_link.revoked"));
    let made = (202, "user_link.made");
    does("POST", format!("{user}/addressChange"), &quiet("e@f.example"), made);
    let (_, secret) = does("POST", format!("{user}/passwordReset"), &quiet(""), made);
    let body = json!({ "token": secret, "password": "A-third-passw0rd" });
    for expected in [(200, "user_link.used"), (410, "user_link.refused")] {
        does("POST", format!("{within}/links/reset"), &body, expected);
    }
}

#[test]
fn what_is_sent_again_is_logged_once() {
    let mut scene = Scene::new();
    let application = scene.world.application("one");
    let token = scene.world.token(Principal::Application(application), "all.Application");
    let (path, body) = (format!("/applications/{application}/tokens"), json!({ "name": "a" }));
    let (_, made) = scene.does(&token, ("POST", &path), &body, 201);
    assert_eq!(made[0]["by"], format!("application {application}"));
    // By the same name, so that it would be found.
    scene.count -= 1;
    let (again, logged) = scene.does(&token, ("POST", &path), &body, 201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(logged.len(), 1, "{logged:?}");
}
