//! One good request for each row of the table, and what it meets.

use crate::client::Answer;
use crate::world::{PASSWORD, World};
use guestlist::tokens::rows::{self as tokens, Principal};
use guestlist::tokens::rules::new_token;
use guestlist_api::api_token::ApiTokenPost;
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceGroupId, ExperienceUserId, UserId};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is in everything that the other application has, and must be in no answer.
pub(super) const MARKER: &str = "canary-7f3a9c";
/// An id that nothing has.
const ABSENT: &str = "ffffffffffffffffffffffff";

/// What takes a body, and does without.
pub(super) const OPTIONAL: &str = "experience.bootstrap";

/// A request that would be granted to whoever is allowed it.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) name: &'static str,
    pub(super) method: String,
    path: &'static str,
    pub(super) target: String,
    pub(super) body: Value,
    /// The status of the answer to an administrator who is allowed it.
    pub(super) allowed: u16,
}

impl Ask {
    pub(super) fn is_of_user(&self) -> bool {
        self.path.starts_with("/me") || self.path.starts_with("/administrators")
    }

    pub(super) fn is_in_application(&self) -> bool {
        self.path.contains("{applicationId}")
    }

    /// The same with each part of its path in turn malformed, without its body if it needs one, and
    /// with a body that breaks a rule.
    pub(super) fn broken(&self) -> Vec<Self> {
        let parts = self.path.split('/').zip(self.target.split('/')).skip(1);
        let parts = parts.filter(|(name, _)| name.starts_with('{')).map(|(_, id)| {
            // Once: the id of what is absent may be there twice.
            let target = self.target.replacen(id, "not-an-id", 1);
            Self { target, ..self.clone() }
        });
        let body = (!self.body.is_null()).then(|| {
            let needed = self.name != OPTIONAL;
            let none = needed.then_some(Value::Null);
            let broken = none.into_iter().chain([json!({ "noSuchField": 1 })]);
            broken.map(|body| Self { body, ..self.clone() }).collect::<Vec<_>>()
        });
        parts.chain(body.into_iter().flatten()).collect()
    }
}

/// What the other application has.
pub(super) struct Other {
    pub(super) application: ApplicationId,
    pub(super) user: ExperienceUserId,
    pub(super) group: ExperienceGroupId,
    token: ApiTokenId,
}

/// Two applications of one server, alike but for their names.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) own: ApplicationId,
    pub(super) user: ExperienceUserId,
    pub(super) administrator: UserId,
    group: ExperienceGroupId,
    token: ApiTokenId,
    token_of_user: ApiTokenId,
    pub(super) other: Other,
    made: AtomicUsize,
}

impl Scene {
    pub(super) fn new() -> Self {
        let world = World::new();
        let furnish = |name: &str| {
            let id = world.application("an application");
            let group = world.group(id, json!({ "name": name, "groupTags": { "tag": name } }));
            let body = json!({
                "email": format!("{name}@example.com"), "firstName": name, "lastName": name,
                "userTags": { "tag": name },
            });
            let user = world.user(id, body, &[&group]);
            let mut token = world.record(Principal::Application(id), "all.Application");
            name.clone_into(&mut token.name);
            token.description = Some(name.to_owned());
            world.keep(&token);
            (id, user.id, group.id, token.id)
        };
        let (own, user, group, token) = furnish("own");
        let (application, of_user, of_group, of_token) = furnish(MARKER);
        let other = Other { application, user: of_user, group: of_group, token: of_token };
        let administrator = world.administrator("administrator@example.com");
        let of_administrator = world.record(Principal::User(administrator), "me.get");
        world.keep(&of_administrator);
        let token_of_user = of_administrator.id;
        let made = AtomicUsize::new(0);
        Self { world, own, user, administrator, group, token, token_of_user, other, made }
    }

    /// Good tokens: of each of `owners` with the first of `scopes` alone, then with the second,
    /// and so on.
    pub(super) fn tokens(&self, owners: &[Principal], scopes: &[&str]) -> Vec<String> {
        let pairs = scopes.iter().flat_map(|scope| owners.iter().map(move |owner| (*owner, scope)));
        let post: ApiTokenPost = crate::world::read("apiToken", json!({ "name": "one scope" }));
        let now = self.world.now();
        let records: Vec<_> = pairs
            .map(|(owner, scope)| {
                let id = ApiTokenId(self.world.app.ids.next(now));
                new_token(&post, id, owner.id(), owner.kind(), scope.parse().unwrap(), now)
            })
            .collect();
        let mint = |record| self.world.app.mint(record, false).unwrap().expose().to_owned();
        let tokens = records.iter().map(mint).collect();
        self.world.write(move |tx| records.iter().try_for_each(|record| tokens::add(tx, record)));
        tokens
    }

    /// A good request for each row of the table.
    pub(super) fn asks(&self) -> Vec<Ask> {
        let rows = guestlist::rest::table().iter();
        rows.map(|row| {
            let name = row.operation.name();
            let (allowed, body) = good(name);
            assert_eq!(row.body.is_some(), !body.is_null(), "the body of {name}");
            // Whoever is allowed to remove something is let remove what is not there.
            let ids: [(&str, String); 9] = match (name, row.method.as_str()) {
                ("application.delete", _) => {
                    [("applicationId", ABSENT); 9].map(|(part, id)| (part, id.to_owned()))
                }
                (_, method) => {
                    let one = |id: String| if method == "DELETE" { ABSENT.to_owned() } else { id };
                    let of_user = row.path.starts_with("/me");
                    let token = if of_user { self.token_of_user } else { self.token };
                    [
                        ("applicationId", self.own.to_string()),
                        ("experienceUserId", one(self.user.to_string())),
                        ("experienceGroupId", one(self.group.to_string())),
                        ("apiTokenId", one(token.to_string())),
                        ("administratorId", one(self.administrator.to_string())),
                        ("sessionId", ABSENT.to_owned()),
                        ("kid", "k".repeat(43)),
                        ("experienceInvitationId", ABSENT.to_owned()),
                        ("purpose", "reset".to_owned()),
                    ]
                }
            };
            let mut target = row.path.to_owned();
            for (part, id) in &ids {
                target = target.replace(&format!("{{{part}}}"), id);
            }
            assert!(!target.contains('{'), "{target} has a part that no test knows");
            match name {
                "auth.ssoDomain" => target.push_str("?email=a@example.com"),
                // There is no id to name what is not there.
                "experience.delete" => target.push_str("?keepUsers=1&keepGroups=1"),
                _ => {}
            }
            let method = row.method.to_string();
            Ask { name, method, path: row.path, target, body, allowed }
        })
        .collect()
    }

    /// `ask` for what the other application has, in this one, and what that is called.
    pub(super) fn crossed(&self, ask: &Ask) -> Option<(Ask, &'static str)> {
        let (own, other) = match ask.path.rsplit('/').next()? {
            "{experienceUserId}" => (self.user.0, self.other.user.0),
            "{experienceGroupId}" => (self.group.0, self.other.group.0),
            "{apiTokenId}" if ask.is_in_application() => (self.token.0, self.other.token.0),
            _ => return None,
        };
        let what = match ask.path.rsplit('/').next()? {
            "{experienceUserId}" => "Experience user",
            "{experienceGroupId}" => "Experience group",
            _ => "API token",
        };
        let target = ask.target.replace(&own.to_string(), &other.to_string());
        let target = target.replace(ABSENT, &other.to_string());
        assert!(target.ends_with(&other.to_string()));
        Some((Ask { target, ..ask.clone() }, what))
    }

    /// Sends `ask`; whatever the answer, there is nothing of the other application in it.
    pub(super) fn send(&self, ask: &Ask, token: &str) -> Answer {
        let mut body = ask.body.clone();
        if body.get("email").is_some_and(|email| email == "") {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            body["email"] = format!("made{number}@example.com").into();
        }
        let answer = self.world.call(token, &ask.method, &ask.target, &body);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains(MARKER), "{} tells: {text}", ask.name);
        answer
    }

    /// What the other application has is all there and nothing is new in it.
    pub(super) fn other_is_untouched(&self) {
        let root = self.world.token(Principal::User(self.administrator), "all.User");
        let within = format!("/applications/{}", self.other.application);
        for (kind, id) in [
            ("experience/users", self.other.user.0),
            ("experience/groups", self.other.group.0),
            ("tokens", self.other.token.0),
        ] {
            let page = self.world.get(&root, &format!("{within}/{kind}")).expect(200);
            assert!(page.text().contains(MARKER), "the marker is not where it should be");
            let page = page.json();
            assert_eq!(
                (&page["totalCount"], &page["items"][0]["id"]),
                (&1.into(), &json!(id.to_string()))
            );
            assert_eq!(page["items"][0]["creationDate"], page["items"][0]["lastUpdated"]);
        }
    }
}

/// What a good request for `name` is answered with, and its body.
fn good(name: &str) -> (u16, Value) {
    let (resource, action) = name.rsplit_once('.').unwrap();
    let body = match (resource, action) {
        ("auth", "authenticateUser") => {
            json!({ "email": "administrator@example.com", "password": PASSWORD })
        }
        ("me", "changePassword") => json!({ "password": PASSWORD, "newPassword": PASSWORD }),
        // A token that may do nothing is one that anybody may make.
        ("applicationApiTokens" | "userApiTokens", "post") => {
            json!({ "name": "made", "scope": [] })
        }
        ("experienceUsers", "post") => json!({ "email": "", "password": PASSWORD }),
        ("experience", "bootstrap") => json!({ "createUsers": false, "createGroups": false }),
        ("experienceAuth", "authenticate") => {
            json!({ "mode": "emailPassword", "email": "own@example.com", "password": PASSWORD })
        }
        ("experienceAuth", "verifyToken") => json!({ "token": "none" }),
        ("experienceKeys", "post") => json!({}),
        ("experienceSignIn", "patch") => json!({ "displayName": "Some" }),
        ("experienceUserTokens", "postForEmailOrId") => json!({ "emailOrId": "own@example.com" }),
        ("experienceUserTokens", "post") => json!({ "maxAge": 1000 }),
        ("experienceInvitations" | "experienceAddressChanges", "post") => {
            json!({ "email": "", "sendMail": false, "linkUrl": "https://app.example.com" })
        }
        ("experiencePasswordResets", "post") => {
            json!({ "sendMail": false, "linkUrl": "https://app.example.com" })
        }
        ("experienceLinks", "post") | ("visitor", "useLink") => {
            json!({ "token": "none", "password": PASSWORD })
        }
        ("visitor", _) => json!({ "email": "own@example.com" }),
        ("applicationQuotas", "patch") => json!({ "users": null }),
        ("administrator", "patch") => json!({ "status": "active" }),
        ("me" | "experienceUser", "patch") => json!({ "firstName": "Some" }),
        ("applications" | "experienceGroups", "post") => json!({ "name": "made" }),
        (_, "patch") => json!({ "description": "changed" }),
        _ => Value::Null,
    };
    let status = match (resource, action) {
        ("auth", "ssoDomain") => 204,
        ("experienceLinks", "post") => 410,
        ("visitor", _) => 404,
        ("experiencePasswordResets" | "experienceAddressChanges", "post") => 202,
        (_, "post") => 201,
        ("experience", "delete") => 200,
        (_, "delete") => 404,
        _ => 200,
    };
    (status, body)
}
