//! What a request says that cannot be meant is refused, and says what to write, rather than being
//! passed over.

use crate::client::Answer;
use crate::world::{PASSWORD, World};
use guestlist::auth::hasher::PasswordHash;
use guestlist::tokens::rows::Principal;
use guestlist_api::id::{ApplicationId, UserId};
use guestlist_api::secret::TypedPassword;
use serde_json::{Value, json};

struct Scene {
    world: World,
    application: ApplicationId,
    administrator: UserId,
    token: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let application = world.application("own");
        let administrator = world.administrator("admin@example.com");
        let token = world.token(Principal::User(administrator), "all.User");
        Self { world, application, administrator, token }
    }

    fn get(&self, target: &str) -> Answer {
        self.world.get(&self.token, target)
    }

    fn path(&self, rest: &str) -> String {
        format!("/applications/{}/{rest}", self.application)
    }

    fn send(&self, method: &str, target: &str, body: &Value) -> Answer {
        self.world.call(&self.token, method, target, body)
    }

    fn sign_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.world.call("", "POST", "/auth/user", &body)
    }

    /// How many users a query finds.
    fn count(&self, query: &Value) -> Value {
        let query = encoded(&query.to_string());
        self.get(&self.path(&format!("experience/users?query={query}"))).expect(200).json()
            ["totalCount"]
            .take()
    }
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    })
}

#[test]
fn a_filter_names_its_field() {
    let scene = Scene::new();
    scene.world.user(scene.application, json!({ "email": "a@example.com" }), &[]);
    let message = "filterField is required: it names the field that filter is matched against";
    let lists = [
        (scene.path("experience/users"), "email", true),
        (scene.path("experience/groups"), "name", true),
        (scene.path("tokens"), "name", false),
        ("/applications".to_owned(), "name", false),
        ("/me/tokens".to_owned(), "status", false),
    ];
    for (list, field, queries) in lists {
        for without in ["filter=x", "filter=x&filterField=", "filter=%2A&perPage=1"] {
            scene.get(&format!("{list}?{without}")).refused(400, message);
        }
        // Before the token is looked at, as everything that a request says.
        scene.world.get("", &format!("{list}?filter=x")).refused(400, message);
        for with in [format!("filterField={field}&filter=x"), format!("filterField={field}")] {
            scene.get(&format!("{list}?{with}")).expect(200);
        }
        // Blank is the same as not there, and what is not known is passed over.
        scene.get(&format!("{list}?filter=&filterField=&per_page=1&x=y")).expect(200);
        if queries {
            scene.get(&format!("{list}?filter=x&query=%7B%7D")).expect(200);
        }
    }
}

#[test]
fn a_date_that_is_none_finds_neither_nobody_nor_everybody() {
    let scene = Scene::new();
    scene.world.user(scene.application, json!({ "email": "a@example.com" }), &[]);
    for list in ["users", "groups"] {
        let list = scene.path(&format!("experience/{list}"));
        // `+` is not escaped, so that it comes as a space.
        let query =
            "{%22$nor%22:[{%22creationDate%22:{%22$gt%22:%222026-11-27T10:00:00+01:00%22}}]}";
        let answer = scene.get(&format!("{list}?query={query}"));
        answer.refused(
            400,
            "query.$nor.0.creationDate.$gt must be date-time format: there is a space before the \
             offset: in a URL its + is sent as %2B",
        );
        scene.get(&format!("{list}?query={}", query.replace('+', "%2B"))).expect(200);
        for (query, path) in [
            (json!({ "creationDate": "2026-11" }), "creationDate"),
            (json!({ "lastUpdated": { "$ne": "yesterday" } }), "lastUpdated.$ne"),
            (json!({ "$nor": [{ "lastUpdated": "soon" }] }), "$nor.0.lastUpdated"),
        ] {
            let answer = scene.get(&format!("{list}?query={}", encoded(&query.to_string())));
            let message = answer.expect(400).json()["message"].to_string();
            let begins = format!("\"query.{path} must be date-time format: write a date such as ");
            assert!(message.starts_with(&begins), "{message}");
        }
    }
}

#[test]
fn with_nothing_to_match_all_and_any_find_everybody_and_none_nobody() {
    let scene = Scene::new();
    scene.world.user(scene.application, json!({ "email": "a@example.com" }), &[]);
    for (query, count) in [
        (json!({ "$and": [] }), 1),
        (json!({ "$or": [] }), 1),
        (json!({ "$nor": [] }), 0),
        (json!({ "$nor": [{ "$nor": [] }] }), 1),
        (json!({ "$or": [{ "$nor": [] }, { "email": "a@example.com" }] }), 1),
        (json!({ "$nor": [], "email": "a@example.com" }), 0),
    ] {
        assert_eq!(scene.count(&query), count, "{query}");
    }
}

#[test]
fn a_yes_is_a_yes_in_every_language() {
    let scene = Scene::new();
    let post = json!({ "name": "group" });
    let group = scene.send("POST", &scene.path("experience/groups"), &post).expect(201).json();
    let group = scene.path(&format!("experience/groups/{}", group["id"].as_str().unwrap()));
    for flag in ["includeDirectDeviceCount", "includeTotalDeviceCount"] {
        let counted = |value: &str| {
            let group = scene.get(&format!("{group}?{flag}={value}")).expect(200).json();
            group.get(flag.replace("includeD", "d").replace("includeT", "t")).is_some()
        };
        assert!(["true", "True", "1", "yes"].into_iter().all(counted));
        assert!(!["false", "False", "0", "no", ""].into_iter().any(counted));
    }
    let users = scene.path("experience/users");
    for (path, flag) in [
        (&group, "includeDirectDeviceCount"),
        (&group, "includeTotalDeviceCount"),
        (&users, "includeAncestorGroups"),
        (&"/me".to_owned(), "includeRecent"),
    ] {
        scene.get(&format!("{path}?{flag}=True")).expect(200);
        let message = format!("{flag} must be one of: true, 1, yes, false, 0, no");
        for neither in ["TRUE", "on", "flase", "2"] {
            scene.get(&format!("{path}?{flag}={neither}")).refused(400, &message);
        }
        let twice = format!("{path}?{flag}=true&{flag}=false");
        scene.get(&twice).refused(400, &format!("{flag} is the wrong type"));
        // What surrounds the answer is switched as the platform's framework does.
        let plain = scene.get(&format!("{path}?_links=True&_actions=flase")).expect(200).json();
        assert!(plain.get("_links").is_none() && plain.get("_actions").is_none());
    }
}

#[test]
fn a_token_does_not_end_before_it_is_made() {
    let world = World::standing_still();
    let application = world.application("own");
    let administrator = world.administrator("admin@example.com");
    let token = world.token(Principal::User(administrator), "all.User");
    let paths = [format!("/applications/{application}/tokens"), "/me/tokens".to_owned()];
    for (index, path) in paths.iter().enumerate() {
        let post = |end: &str| {
            let request = world.request("POST", path).token(&token).key(&format!("k{index}{end}"));
            request.json(&json!({ "name": "t", "expirationDate": end })).send()
        };
        let now = world.now().to_string();
        let message = format!("apiToken.expirationDate must be in the future: it is {now} now");
        for end in ["2016-06-13T04:00:00.000Z", &now] {
            post(end).refused(400, &message);
        }
        assert_eq!(world.get(&token, path).json()["items"].as_array().unwrap().len(), index);
        // What is sent again is answered again, also when the token has ended.
        let end = world.now().plus_millis(1).to_string();
        let first = post(&end).expect(201);
        world.pass(1000);
        assert_eq!(post(&end).expect(201).json(), first.json());
    }
}

#[test]
fn there_was_no_year_0() {
    let scene = Scene::new();
    let user = scene.world.user(scene.application, json!({ "email": "a@example.com" }), &[]);
    let path = scene.path(&format!("experience/users/{}", user.id));
    for (cutoff, status) in [
        ("0000-12-31T23:59:59Z", 400),
        ("0001-01-01T00:00:00+00:01", 400),
        ("0001-01-01T00:00:00Z", 200),
    ] {
        let answer = scene.send("PATCH", &path, &json!({ "tokenCutoff": cutoff })).expect(status);
        if status == 400 {
            answer.refused(400, "experienceUser.tokenCutoff must be date-time format");
        }
    }
}

#[test]
fn slashes_before_the_path_are_one() {
    let scene = Scene::new();
    let path = scene.path("experience/users");
    let plain = scene.get(&path).expect(200);
    for slashes in ["/", "//", "///"] {
        assert_eq!(scene.get(&format!("{slashes}{path}")).expect(200).json(), plain.json());
        assert_eq!(scene.get(&format!("{slashes}{path}/")).expect(200).json(), plain.json());
    }
    scene.get("//healthz").expect(200);
    scene.get("//").expect(200);
    scene.get("//nowhere").refused(404, "//nowhere does not exist");
    let inside = path.replace("/experience", "//experience");
    scene.get(&inside).refused(404, &format!("{inside} does not exist"));
}

#[test]
fn an_address_says_how_to_write_it() {
    let scene = Scene::new();
    let post = |email: &str| {
        let body = json!({ "email": email, "password": PASSWORD });
        scene.send("POST", &scene.path("experience/users"), &body)
    };
    post("a@münchen.de").refused(
        400,
        "experienceUser.email must be email format: write the domain as xn--mnchen-3ya.de",
    );
    post("a@xn--mnchen-3ya.de").expect(201);
    post("a@example.com ")
        .refused(400, "experienceUser.email must be email format: there is white space around it");
}

#[test]
fn a_mistake_says_the_rule_and_the_place() {
    let scene = Scene::new();
    let users = scene.path("experience/users");
    scene
        .get(&format!("{users}?query=%7B%22email%22:1,%7D"))
        .refused(400, "query is the wrong type: no JSON, trailing comma at line 1 column 12");
    let change = json!({ "password": PASSWORD, "newPassword": "correct-horse" });
    scene.send("PATCH", "/me/changePassword", &change).refused(
        400,
        "data.newPassword pattern mismatch: 12 to 2048 characters are needed, among them a capital, \
         a small letter and a digit of ASCII, and one that is none of these",
    );
    for header in ["If-Match", "If-None-Match"] {
        let request = scene.world.request("GET", "/me").token(&scene.token).header(header, "a1");
        let message = format!(
            "{header} pattern mismatch: write *, or ETags with their quotes and commas between \
             them, such as \"a1\", \"b2\""
        );
        request.send().refused(400, &message);
    }
}

#[test]
fn the_address_at_sign_in_is_trimmed() {
    let scene = Scene::new();
    for typed in ["admin@example.com ", " admin@example.com", "\tAdmin@example.com\r\n"] {
        scene.sign_in(typed, PASSWORD).expect(200);
    }
    scene
        .sign_in("admin@exam ple.com", PASSWORD)
        .refused(400, "credentials.email must be email format");
    scene.get("/auth/ssoDomain?email=admin%40example.com+").expect(204);
}

/// As most systems hand it on, and as a Mac may.
const COMPOSED: &str = "K\u{f6}nig-h0rse-1";
const DECOMPOSED: &str = "Ko\u{308}nig-h0rse-1";

#[test]
fn an_administrator_signs_in_whatever_the_form_of_the_letters() {
    let scene = Scene::new();
    let email = "admin@example.com";
    for (set, before) in [(DECOMPOSED, PASSWORD), (COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)] {
        let token = scene.world.session(scene.administrator, 0);
        let change = json!({ "password": before, "newPassword": set });
        scene.world.call(&token, "PATCH", "/me/changePassword", &change).expect(200);
        for typed in [COMPOSED, DECOMPOSED] {
            scene.sign_in(email, typed).expect(200);
        }
    }
    let patch = json!({ "password": format!("{DECOMPOSED}2"), "currentPassword": DECOMPOSED });
    scene.send("PATCH", "/me", &patch).expect(200);
    scene.sign_in(email, &format!("{COMPOSED}2")).expect(200);
    scene.sign_in(email, "Konig-h0rse-12").refused(401, "Unauthorized");
}

#[test]
fn a_users_password_is_set_composed() {
    let scene = Scene::new();
    let hash = |id: &str| {
        let id = id.to_owned();
        let hash = scene.world.write(move |tx| {
            tx.first::<String>("SELECT password_hash FROM experience_users WHERE id = $1", &[&id])
        });
        PasswordHash::from_stored(hash.unwrap())
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let is = |id: &str, typed: &str| {
        let typed = TypedPassword::new(typed.to_owned()).unwrap();
        runtime
            .block_on(scene.world.app.hasher.verify(
                guestlist::auth::places::Asker::OWN,
                typed,
                Some(hash(id)),
            ))
            .unwrap()
    };
    let users = scene.path("experience/users");
    let post = json!({ "email": "a@example.com", "password": DECOMPOSED });
    let user = scene.send("POST", &users, &post).expect(201).json();
    let id = user["id"].as_str().unwrap();
    assert!(is(id, COMPOSED) && is(id, DECOMPOSED) && !is(id, "Konig-h0rse-1"));
    let patch = json!({ "password": format!("{DECOMPOSED}2") });
    scene.send("PATCH", &format!("{users}/{id}"), &patch).expect(200);
    assert!(is(id, &format!("{COMPOSED}2")) && !is(id, COMPOSED));
    // Seven characters, however they are typed.
    let short = json!({ "password": "sevenu\u{308}7" });
    scene
        .send("PATCH", &format!("{users}/{id}"), &short)
        .refused(400, "experienceUser.password has less length than allowed");
}
