//! The tag index says what users and groups say, whatever they said before.

use super::engines::Own;
use crate::applications::rows as applications;
use crate::applications::rules::new_application;
use crate::auth::hasher::PasswordHash;
use crate::directory::groups::rows as groups;
use crate::directory::groups::rules::new_group;
use crate::directory::users::rows as users;
use crate::directory::users::rules::new_user;
use crate::error::{Error, Result};
use crate::rows::{Tx, settings};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId, ForeignId, ObjectId};
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const APPLICATION: ApplicationId = ApplicationId(ObjectId::from_bytes([1; 12]));
const GROUP: ExperienceGroupId = ExperienceGroupId(ObjectId::from_bytes([2; 12]));
const USER: ExperienceUserId = ExperienceUserId(ObjectId::from_bytes([3; 12]));
const NOW: DateTime = DateTime::from_millis(0);

/// Tags and endpoints, of so few that those of two steps are often alike.
type Step = (BTreeMap<String, String>, Vec<u8>);

fn step() -> impl Strategy<Value = Step> {
    let tags = prop::collection::btree_map("[a-f]", "[xy]", 0..6);
    (tags, prop::collection::vec(0_u8..5, 0..5))
}

/// The index has what the user and the group say.
fn index(tx: &mut Tx<'_>, (tags, endpoints): &Step) -> Result<()> {
    for sql in [
        "SELECT tag, value FROM user_tags WHERE application_id = $1 AND user_id <> $2",
        "SELECT tag, value FROM group_tags WHERE application_id = $1 AND group_id <> $2",
    ] {
        let rows: Vec<(String, String)> = tx.all(sql, &[&APPLICATION.to_string(), &""])?;
        if &rows.into_iter().collect::<BTreeMap<_, _>>() != tags {
            return Err(Error::internal(format!("{sql}: {tags:?}")));
        }
    }
    let sql = "SELECT endpoint_id FROM group_endpoints WHERE application_id = $1";
    let rows: Vec<String> = tx.all(sql, &[&APPLICATION.to_string()])?;
    let wanted: BTreeSet<_> = endpoints.iter().map(|byte| endpoint(*byte).to_string()).collect();
    if rows.len() == wanted.len() && rows.into_iter().collect::<BTreeSet<_>>() == wanted {
        return Ok(());
    }
    Err(Error::internal(format!("{endpoints:?}")))
}

fn endpoint(byte: u8) -> ForeignId {
    ForeignId(ObjectId::from_bytes([byte; 12]))
}

fn follow(tx: &mut Tx<'_>, steps: &[Step]) -> Result<()> {
    settings::put(tx, "organization", "0".repeat(24).as_bytes())?;
    let post = wire::read("application", json!({ "name": "a" })).unwrap();
    let new = new_application(&post, APPLICATION, "0".repeat(24).parse().unwrap(), NOW);
    let tenant = applications::add(tx, &new)?;
    let post = wire::read("experienceGroup", json!({ "name": "g" })).unwrap();
    let group = new_group(&post, GROUP, APPLICATION, Vec::new(), Vec::new(), NOW);
    groups::add(tx, tenant, &group)?;
    let post = json!({ "email": "a@b", "password": "Correct-h0rse" });
    let post = wire::read("experienceUser", post).unwrap();
    let user = new_user(&post, USER, APPLICATION, Vec::new(), NOW);
    users::add(tx, tenant, &user, &PasswordHash::from_stored("x".into()))?;
    for step in steps {
        let (before, tags) = (users::lock(tx, tenant, USER)?, Tags(step.0.clone()));
        let mut after = before.clone();
        after.user_tags = tags.clone();
        users::put(tx, tenant, &before, &after, None)?;
        let before = groups::lock(tx, tenant, GROUP)?;
        let mut after = before.clone();
        after.group_tags = tags;
        after.experience_endpoint_ids = step.1.iter().map(|byte| endpoint(*byte)).collect();
        groups::put(tx, tenant, &before, &after)?;
        index(tx, step)?;
    }
    Ok(())
}

fn the_index_follows(own: &Own) {
    proptest!(
        ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() },
        |(steps in prop::collection::vec(step(), 1..10))| {
            let outcome = own.undone(move |tx| follow(tx, &steps));
            prop_assert!(outcome.is_ok(), "{outcome:?}");
        }
    );
}

#[test]
fn tags_are_found_by_what_they_are() {
    the_index_follows(&Own::on_sqlite());
}

#[test]
fn tags_are_found_by_what_they_are_on_postgres() {
    the_index_follows(&Own::on_postgres());
}
