//! Hostile texts for every type that is read from a request.

use guestlist_api::administrator::AdministratorPatch;
use guestlist_api::api_token::{ApiTokenPatch, ApiTokenPost};
use guestlist_api::application::{ApplicationPatch, ApplicationPost};
use guestlist_api::experience::ExperienceBootstrap;
use guestlist_api::experience_auth::{ExperienceCredentials, ExperienceUserTokenPost, VerifyToken};
use guestlist_api::experience_group::{ExperienceGroupPatch, ExperienceGroupPost};
use guestlist_api::experience_user::{ExperienceUserPatch, ExperienceUserPost};
use guestlist_api::id::ObjectId;
use guestlist_api::query::{GroupQuery, Json, UserQuery};
use guestlist_api::scope::Scopes;
use guestlist_api::text::Email;
use guestlist_api::time::DateTime;
use guestlist_api::user::{ChangePassword, MePatch, UserCredentials};
use guestlist_api::wire::{self, Wire};
use guestlist_testbed::Fuzz;
use serde_json::Value;

/// How many problems a request is told of.
const MOST_PROBLEMS: usize = 100;

/// How `value` is read as `T`: the rule that it breaks first, and how many there are.
fn outcome<T: Wire>(value: &Value) -> Option<(String, usize)> {
    let problems = wire::read::<T>("x", value.clone()).err()?;
    assert!((1..=MOST_PROBLEMS).contains(&problems.len()), "{} problems", problems.len());
    let rule = problems.first().map(|problem| problem.rule.to_string()).unwrap_or_default();
    // Not what of the value is repeated.
    let rule =
        rule.split(|c: char| "\"`:".contains(c) || c.is_ascii_digit()).next().unwrap_or_default();
    Some((rule.to_owned(), problems.len().min(3)))
}

/// What becomes of a body.
type Read = fn(&Value) -> Option<(String, usize)>;

/// Every type that is the body of a request.
const BODIES: [(&str, Read); 16] = [
    ("user", outcome::<ExperienceUserPost>),
    ("user patch", outcome::<ExperienceUserPatch>),
    ("group", outcome::<ExperienceGroupPost>),
    ("group patch", outcome::<ExperienceGroupPatch>),
    ("application", outcome::<ApplicationPost>),
    ("application patch", outcome::<ApplicationPatch>),
    ("token", outcome::<ApiTokenPost>),
    ("token patch", outcome::<ApiTokenPatch>),
    ("administrator patch", outcome::<AdministratorPatch>),
    ("me", outcome::<MePatch>),
    ("password", outcome::<ChangePassword>),
    ("credentials", outcome::<UserCredentials>),
    ("bootstrap", outcome::<ExperienceBootstrap>),
    ("sign-in", outcome::<ExperienceCredentials>),
    ("user token", outcome::<ExperienceUserTokenPost>),
    ("verify", outcome::<VerifyToken>),
];

#[test]
fn fuzz_bodies() {
    let words = [
        "\"email\":\"a@b.c\"",
        "\"password\":\"12345678\"",
        "\"userTags\":{\"a\":\"b\"}",
        "\"name\":\"n\"",
        "\"parentId\":null",
        "\"experienceGroupIds\":[]",
        "\"scope\":[\"all.Application\"]",
        "\"status\":\"active\"",
        "\"expirationDate\":\"2030-01-01T00:00:00.000Z\"",
        "\"token\":\"a.b.c\"",
        "575ec8687ae143cd83dc4a97",
        "\\u0000",
        "\\ud800",
        "1e400",
        "[[[[",
        "{\"a\":",
        "-0",
        "null",
        "true",
    ];
    Fuzz::new("bodies").words(words).run(|bytes| {
        // The first byte says what it is the body of.
        let (which, text) = bytes.split_first()?;
        let value: Value = serde_json::from_slice(text).ok()?;
        let (name, read) = BODIES[usize::from(*which) % BODIES.len()];
        Some((name, read(&value)))
    });
}

#[test]
fn fuzz_queries() {
    let words = [
        "\"$and\":[",
        "\"$or\":[",
        "\"$nor\":[{",
        "\"$in\":[",
        "\"$nin\":[]",
        "{\"$ne\":null}",
        "\"$startsWith\":\"a\"",
        "\"$ci\":true",
        "\"$tagKey\":\"k\"",
        "\"$tagValue\":{\"$like\":\"*a*\"}",
        "\"userTags\":{",
        "\"email\":",
        "\"creationDate\":{\"$gt\":",
        "2016-06-13T04:00:00Z",
        "\"experienceGroupId\":\"",
        "\"ancestorId\":\"",
        "575ec8687ae143cd83dc4a97",
        "{}",
        "]}",
        "null",
    ];
    Fuzz::new("queries").words(words).run(|bytes| {
        let text = str::from_utf8(bytes).ok()?;
        let users = outcome::<Json<UserQuery>>(&text.into());
        let groups = outcome::<Json<GroupQuery>>(&text.into());
        if let Ok(Json(query)) = wire::read::<Json<UserQuery>>("query", text.into()) {
            // Whatever is asked can be asked in the simplest form, too.
            drop(query.logic());
        }
        Some((users, groups))
    });
}

#[test]
fn fuzz_words() {
    let words = [
        "all.Application",
        "experienceUsers.get",
        " ",
        "2016-06-13T04:00:00.000Z",
        "T23:59:60",
        "+00:00",
        "9999-12-31",
        "0000-01-01",
        "575ec8687ae143cd83dc4a97",
        "@",
        "xn--",
        ".example",
        "é",
    ];
    Fuzz::new("words").words(words).run(|bytes| {
        let text = str::from_utf8(bytes).ok()?;
        let scopes = text.parse::<Scopes>().ok();
        if let Some(scopes) = &scopes {
            assert_eq!(scopes.to_string().parse::<Scopes>().as_ref(), Ok(scopes));
        }
        let moment = text.parse::<DateTime>().ok();
        if let Some(moment) = moment {
            assert_eq!(moment.to_string().parse::<DateTime>(), Ok(moment));
        }
        let id = text.parse::<ObjectId>().ok();
        if let Some(id) = id {
            assert_eq!(id.to_string().parse::<ObjectId>(), Ok(id));
        }
        let email = Email::parse(text);
        if let Some(email) = &email {
            assert_eq!(&**email, text);
        }
        let told = wire::read::<Email>("email", text.into()).err();
        assert_eq!(told.is_none(), email.is_some());
        let told = told.map(|problems| {
            // Advice is good advice.
            let words = problems.first().expect("a problem").to_string();
            if let Some((_, domain)) = words.split_once("write the domain as ") {
                let (user, _) = text.rsplit_once('@').expect("a domain");
                assert!(Email::parse(&format!("{user}@{domain}")).is_some(), "{words}");
            }
            words.chars().take(40).collect::<String>()
        });
        let scopes = scopes.map(|scopes| scopes.to_string().len().min(3));
        Some((scopes, moment.is_some(), id.is_some(), email.is_some(), told))
    });
}
