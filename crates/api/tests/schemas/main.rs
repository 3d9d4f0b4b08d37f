//! Our readers of bodies against the platform's published JSON Schemas: both accept a body or both
//! refuse it, except where a list says so and why; a refusal is in the wire's words; and what is
//! accepted is kept whole.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod asked;
mod back;
mod complaints;
mod differences;
mod formats;
mod near;
mod published;
mod query;

use back::Back;
use complaints::Complaint;
use differences::{DIFFERENCES, Kind};
use guestlist_api::api_token::{ApiTokenPatch, ApiTokenPost};
use guestlist_api::experience_group::{ExperienceGroupPatch, ExperienceGroupPost};
use guestlist_api::experience_user::{ExperienceUserPatch, ExperienceUserPost};
use guestlist_api::user::UserCredentials;
use guestlist_api::wire;
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;

/// How many bodies of each kind are tried.
const CASES: u32 = 5000;

/// How many problems a request is told of.
const MOST_PROBLEMS: usize = 100;

/// A kind of body: its schema, and its name in messages.
struct Body {
    name: &'static str,
    schema: Value,
    validator: Validator,
}

/// What became of a body.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    accepted: bool,
    differences: Vec<&'static str>,
}

impl Body {
    fn new(name: &'static str, schema: Value) -> Self {
        Self { name, validator: differences::validator(&schema), schema }
    }

    /// Holds our reader of `T` against the schema. The error is how they differ, when it is in a
    /// way that is not listed.
    fn judge<T: Back>(&self, body: &Value) -> Result<Verdict, TestCaseError> {
        let (mut wrong, mut differences) = complaints::of_schema(&self.validator, body, self.name);
        for (complaint, difference) in differences::ours(&self.schema, body, self.name) {
            wrong.insert(complaint);
            differences.push(difference);
        }
        let problems = match wire::read::<T>(self.name, body.clone()) {
            Ok(read) => {
                prop_assert!(wrong.is_empty(), "accepted, but {wrong:?}");
                prop_assert_eq!(read.back(), back::expected(&self.schema, body));
                return Ok(Verdict { accepted: true, differences });
            }
            Err(problems) => problems,
        };
        let told: Vec<Complaint> = problems.iter().map(Complaint::from).collect();
        for one in &told {
            prop_assert!(wrong.contains(one), "{one:?} is made up: {wrong:?}");
        }
        // A field is told of once, and nothing of what is in it when it is no good itself. What is
        // no scope is not looked for twice.
        let inside = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        for one in wrong.iter().filter(|_| told.len() < MOST_PROBLEMS) {
            let twice = one.words == "must be unique";
            let covers = |told: &Complaint| {
                inside(&one.field, &told.field) || twice && inside(&told.field, &one.field)
            };
            prop_assert!(told.iter().any(covers), "{one:?} is not told: {told:?}");
        }
        Ok(Verdict { accepted: false, differences })
    }

    /// Tries [`CASES`] bodies.
    fn try_many<T: Back>(&self) {
        let (accepted, refused) = (Cell::new(0), Cell::new(0));
        // Shrunk bodies are small enough to be copied into a test of their own.
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
        let outcome = TestRunner::new(config).run(&near::near(&self.schema), |body| {
            let count = if self.judge::<T>(&body)?.accepted { &accepted } else { &refused };
            count.set(count.get() + 1);
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{error}");
        }
        // A property that is never put to the test says nothing.
        let (accepted, refused) = (accepted.get(), refused.get());
        assert!(accepted > CASES / 4 && refused > CASES / 4, "{accepted} and {refused}");
    }
}

#[test]
fn experience_user_post() {
    Body::new("experienceUser", published::experience_user_post()).try_many::<ExperienceUserPost>();
}

#[test]
fn experience_user_patch() {
    Body::new("experienceUser", published::experience_user_patch())
        .try_many::<ExperienceUserPatch>();
}

#[test]
fn api_token_post() {
    Body::new("apiToken", published::api_token_post()).try_many::<ApiTokenPost>();
}

#[test]
fn api_token_patch() {
    Body::new("apiToken", published::api_token_patch()).try_many::<ApiTokenPatch>();
}

#[test]
fn experience_group_post() {
    Body::new("experienceGroup", published::experience_group_post())
        .try_many::<ExperienceGroupPost>();
}

#[test]
fn experience_group_patch() {
    Body::new("experienceGroup", published::experience_group_patch())
        .try_many::<ExperienceGroupPatch>();
}

#[test]
fn user_credentials() {
    Body::new("credentials", published::user_credentials()).try_many::<UserCredentials>();
}

/// The kind of body, and one that is good but for `value`, which is of `kind`.
fn with(kind: Kind, value: &Value) -> (Body, Value) {
    let field = match kind {
        Kind::Email | Kind::TypedEmail => "email",
        Kind::Text => "twoFactorCode",
        Kind::TimeToLive => "tokenTTL",
        Kind::Moment => {
            let body = Body::new("experienceUser", published::experience_user_patch());
            return (body, json!({ "tokenCutoff": value }));
        }
    };
    let mut body = json!({ "email": "ada@example.com", "password": "password" });
    body[field] = value.clone();
    (Body::new("credentials", published::user_credentials()), body)
}

#[test]
fn each_listed_difference_is_one() {
    for difference in DIFFERENCES {
        for example in difference.examples {
            let value = match difference.kind {
                Kind::TimeToLive => serde_json::from_str(example).unwrap(),
                _ => json!(example),
            };
            let (body, value) = with(difference.kind, &value);
            assert_eq!(body.validator.is_valid(&value), difference.schema_accepts, "{value}");
            let verdict = match difference.kind {
                Kind::Moment => body.judge::<ExperienceUserPatch>(&value),
                _ => body.judge::<UserCredentials>(&value),
            };
            let expected = Verdict {
                accepted: !difference.schema_accepts,
                differences: vec![difference.name],
            };
            assert_eq!(verdict.unwrap(), expected, "{example:?}");
        }
    }
}

#[test]
fn a_word_that_is_no_scope_is_told_without_the_five_hundred() {
    let body = json!({ "name": "x", "scope": ["experienceUser.get", "experienceUser.fly"] });
    let problems = wire::read::<ApiTokenPost>("apiToken", body).unwrap_err();
    assert_eq!(problems[0].to_string(), "apiToken.scope.1 is not a known scope");
}
