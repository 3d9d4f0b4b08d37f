//! What each action answers, whole, as a client sees it: a typical request, and the answer beside it.
//!
//! A second passes before each. What is made by chance is shown by what it is, such as `<user>` or `<token>`. To
//! see what has changed, run the test: it prints an answer that differs as it would have to be here.

mod shown;

use crate::client::Answer;
use crate::world::{PASSWORD, World};
use guestlist::tokens::rows::Principal;
use serde_json::{Value, json};
use shown::SHOWN;
use std::collections::BTreeSet;

/// What is there before the first request.
struct Scene {
    world: World,
    token: String,
    /// What stands for each id.
    names: Vec<(String, &'static str)>,
}

impl Scene {
    fn new() -> Self {
        let world = World::standing_still();
        let application = world.application("Demo");
        let group = world.group(application, json!({ "name": "Staff" }));
        let body = json!({ "email": "ann@example.com", "firstName": "Ann", "userTags": { "plan": "gold" } });
        let user = world.user(application, body, &[&group]);
        let administrator = world.administrator("administrator@example.com");
        let of_application =
            world.record(Principal::Application(application), "all.Application.read");
        let of_user = world.record(Principal::User(administrator), "me.get");
        world.keep(&of_application);
        world.keep(&of_user);
        let colleague = world.administrator("colleague@example.com");
        let session = id_of(&world.session(colleague, 0));
        let token = world.session(administrator, 0);
        let names = vec![
            (application.to_string(), "application"),
            (group.id.to_string(), "group"),
            (user.id.to_string(), "user"),
            (administrator.to_string(), "administrator"),
            (colleague.to_string(), "colleague"),
            (session, "session"),
            (of_application.id.to_string(), "token of the application"),
            (of_user.id.to_string(), "token of the administrator"),
        ];
        Self { world, token, names }
    }

    /// Sends the request for the row of `action`.
    fn ask(&self, action: &str, query: &str, body: &Value) -> Answer {
        let row =
            guestlist::rest::table().iter().find(|row| row.operation.name() == action).unwrap();
        let of_user = row.path.starts_with("/me");
        let token = if of_user { "token of the administrator" } else { "token of the application" };
        let mut target = row.path.to_owned();
        for (part, name) in [
            ("{applicationId}", "application"),
            ("{experienceUserId}", "user"),
            ("{experienceGroupId}", "group"),
            ("{apiTokenId}", token),
            ("{administratorId}", "colleague"),
            ("{sessionId}", "session"),
        ] {
            let id = self.names.iter().find(|(_, other)| *other == name).unwrap();
            target = target.replace(part, &id.0);
        }
        if target.contains("{kid}") {
            let keys = target.replace("/{kid}", "");
            let newest = self.world.get(&self.token, &keys).expect(200).json();
            target = target.replace("{kid}", newest["items"][0]["kid"].as_str().unwrap());
        }
        // Nothing has these.
        let target = target
            .replace("{experienceInvitationId}", &"f".repeat(24))
            .replace("{purpose}", "reset");
        let method = row.method.to_string();
        self.world.call(&self.token, &method, &(target + query), body)
    }

    /// The status and the body, with names for what is made by chance.
    fn show(&self, answer: &Answer) -> String {
        if answer.body.is_empty() {
            return answer.status.to_string();
        }
        let mut body = answer.json();
        self.name(&mut body);
        format!("{} {}", answer.status, pretty(&body, 0))
    }

    fn name(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.name(item)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match key.as_str() {
                        "version" => *value = "<version>".into(),
                        "token" if value.as_str().is_some_and(|it| it.starts_with("ey")) => {
                            *value = "<token>".into();
                        }
                        "password" => *value = "<password>".into(),
                        "kid" => *value = "<kid>".into(),
                        // The document is tested by itself.
                        "paths" | "schemas" | "securitySchemes" | "responses" | "parameters" => {
                            *value = "...".into();
                        }
                        _ => self.name(value),
                    }
                }
            }
            Value::String(text) => {
                for (id, name) in &self.names {
                    *text = text.replace(id, &format!("<{name}>"));
                }
                while let Some(at) = id_in(text) {
                    text.replace_range(at..at + 24, "<new>");
                }
            }
            _ => {}
        }
    }
}

/// The id of the session that `token` is of.
fn id_of(token: &str) -> String {
    use base64::Engine as _;
    let middle = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["sub"].as_str().unwrap().to_owned()
}

/// Where an id is in `text`: so many digits and no more.
fn id_in(text: &str) -> Option<usize> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let mut at = 0;
    for word in text.as_bytes().split(|byte| !is_hex(byte)) {
        if word.len() == 24 {
            return Some(at);
        }
        at += word.len() + 1;
    }
    None
}

/// As JSON, on one line where that is short.
fn pretty(value: &Value, depth: usize) -> String {
    let short = value.to_string();
    let parts: Vec<String> = match value {
        _ if short.len() <= 90 => return short,
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| format!("{}: {}", json!(key), pretty(value, depth + 1)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| pretty(item, depth + 1)).collect(),
        _ => return short,
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    let indent = "  ".repeat(depth);
    let parts = parts.join(&format!(",\n{indent}  "));
    format!("{open}\n{indent}  {parts}\n{indent}{close}")
}

#[test]
fn each_action_answers_as_it_is_shown() {
    let scene = Scene::new();
    let mut differ = Vec::new();
    for shown in SHOWN {
        let body = if shown.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&shown.body.replace("PASSWORD", PASSWORD)).unwrap()
        };
        scene.world.pass(1_000);
        let told = scene.show(&scene.ask(shown.action, shown.query, &body));
        if told != shown.answer {
            differ.push(format!("=== {}\n{told}", shown.action));
        }
    }
    assert!(differ.is_empty(), "\n{}\n===", differ.join("\n"));
}

#[test]
fn no_action_is_missing() {
    let rows: BTreeSet<&str> =
        guestlist::rest::table().iter().map(|row| row.operation.name()).collect();
    let shown: BTreeSet<&str> = SHOWN.iter().map(|shown| shown.action).collect();
    assert_eq!((shown, SHOWN.len()), (rows.clone(), rows.len()));
}
