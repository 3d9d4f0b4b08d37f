//! Whether what happened was as promised.

use super::client::{Client, Scene};
use super::user;
use guestlist_testbed::Cluster;
use guestlist_testbed::http::Request;
use guestlist_testbed::linear::{self, Action, Operation};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What a user held before anybody changed it.
pub(crate) const INITIAL: u64 = 0;

/// Judges all that `clients` were told, and what is there now, with `cluster` to be written to.
pub(crate) fn judge(scene: &Scene<'_>, clients: &mut [Client], cluster: &Cluster) {
    // What every node says last is part of the story.
    for (user, _) in scene.users.iter().enumerate() {
        for client in &mut *clients {
            client.read(scene, user);
        }
    }
    for client in &*clients {
        for history in client.histories.values() {
            no_answer_is_older_than_an_own_write(history, clients);
        }
    }
    for user in 0..scene.users.len() {
        let history: Vec<Operation<u64>> = clients
            .iter()
            .filter_map(|client| client.histories.get(&user))
            .flatten()
            .cloned()
            .collect();
        if let Err(objection) = linear::check(&INITIAL, &history) {
            panic!("user {user}: {objection}");
        }
    }
    made_as_told(scene, clients);
    nothing_is_half_there(cluster);
}

/// After a client was told that its write is done, it is not told what the user held before that.
fn no_answer_is_older_than_an_own_write(history: &[Operation<u64>], clients: &[Client]) {
    // When each value was written for certain.
    let all = clients.iter().flat_map(|client| client.histories.values()).flatten();
    let ends: HashMap<u64, u64> = all
        .filter_map(|operation| match operation.action {
            Action::Write(value) | Action::Swap { to: value, .. } => Some((value, operation.end?)),
            _ => None,
        })
        .collect();
    let mut own: Option<&Operation<u64>> = None;
    for operation in history {
        match (&operation.action, own) {
            (Action::Write(_) | Action::Swap { .. }, _) if operation.end.is_some() => {
                own = Some(operation);
            }
            (Action::Read(value), Some(own)) => {
                let older =
                    *value == INITIAL || ends.get(value).is_some_and(|end| *end < own.start);
                assert!(!older, "{own:?} was answered, and then {operation:?}");
            }
            _ => {}
        }
    }
}

/// What was to be made is there, or not, as it was answered, and no address is there twice.
fn made_as_told(scene: &Scene<'_>, clients: &[Client]) {
    for node in 0..scene.site.nodes.len() {
        let users = list(scene, node);
        let mut found = BTreeMap::<String, &Value>::new();
        for user in &users {
            let email = user["email"].as_str().expect("an address").to_lowercase();
            let again = found.insert(email, user);
            assert!(again.is_none(), "there twice: {user} and {again:?}");
        }
        let mut owners = HashMap::<&str, Vec<&super::client::Made>>::new();
        for made in clients.iter().flat_map(|client| &client.made) {
            owners.entry(&made.email).or_default().push(made);
        }
        for (email, made) in owners {
            let there = found.remove(email);
            let value = there.map(|user| user::value(user, &scene.groups));
            let id = there.map(|user| user["id"].as_str().expect("an id"));
            for made in &made {
                let is_it = value == Some(made.value);
                assert!(!made.must || is_it, "it was answered and is lost: {made:?}, {there:?}");
                assert!(made.may || !is_it, "it was refused or removed: {made:?}, {there:?}");
                let known = made.id.as_deref().is_none_or(|made| !is_it || id == Some(made));
                assert!(known, "it was answered otherwise: {made:?}, {there:?}");
            }
            let known = value.is_none() || made.iter().any(|made| value == Some(made.value));
            assert!(known, "nobody has made it: {there:?}");
        }
        let left: Vec<String> = found.into_keys().collect();
        let own = |email: &String| email.starts_with("register-");
        assert!(left.iter().all(own) && left.len() == scene.users.len(), "{left:?}");
    }
}

fn list(scene: &Scene<'_>, node: usize) -> Vec<Value> {
    let mut client = scene.site.client(node).expect("it serves");
    let (mut users, mut total) = (Vec::new(), 0);
    for page in 0.. {
        let path = format!("experience/users?perPage=500&page={page}");
        let request = Request::new("GET", scene.site.path(&path), None);
        let answer = client.send(&request).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.body);
        total = answer.body["totalCount"].as_u64().expect("a number");
        let items = answer.body["items"].as_array().expect("items");
        users.extend(items.iter().cloned());
        if items.is_empty() {
            break;
        }
    }
    assert_eq!(total, users.len() as u64, "the count that is kept with the users");
    users
}

/// Tables that say the same say the same. Each statement gives what does not fit.
fn nothing_is_half_there(cluster: &Cluster) {
    let wrong = [
        "SELECT application_id, email_key FROM experience_users GROUP BY 1, 2 HAVING count(*) > 1",
        "SELECT * FROM (SELECT application_id, id, key, value
            FROM experience_users, jsonb_each_text(tags::jsonb)) AS a
         FULL JOIN user_tags b
            ON (a.application_id, a.id, a.key, a.value)
                = (b.application_id, b.user_id, b.tag, b.value)
         WHERE a.id IS NULL OR b.user_id IS NULL",
        "SELECT * FROM memberships m
         WHERE NOT EXISTS (SELECT FROM experience_users u WHERE u.id = m.user_id)
            OR NOT EXISTS (SELECT FROM experience_groups g WHERE g.id = m.group_id)",
        "SELECT * FROM (
            SELECT application_id, 'users' AS counted, count(*) AS total
                FROM experience_users GROUP BY 1
            UNION ALL SELECT application_id, 'groups', count(*) FROM experience_groups GROUP BY 1
            UNION ALL SELECT application_id, 'members', count(DISTINCT user_id)
                FROM memberships GROUP BY 1
            UNION ALL SELECT application_id, group_id, count(*) FROM memberships GROUP BY 1, 2
            UNION ALL SELECT owner_id, 'tokens', count(*)
                FROM api_tokens WHERE kind = 'application' GROUP BY 1
         ) AS a FULL JOIN (
            SELECT * FROM counts WHERE total <> 0 AND application_id <> ''
         ) AS b USING (application_id, counted)
         WHERE a.total IS DISTINCT FROM b.total",
    ];
    for statement in wrong {
        assert_eq!(cluster.sql(statement).expect("an answer"), "", "{statement}");
    }
}
