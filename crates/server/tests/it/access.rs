//! Who may do what: every row of the route table under every scope there is, and under every kind
//! of token that is not good. The rows come from the server; what each demands is written down
//! here and in the platform's own lists, so that nothing is held against itself.

mod ask;
mod minting;

use crate::client::Answer;
use crate::world::World;
use ask::{Ask, MARKER, Scene};
use guestlist::administrators::rows as administrators;
use guestlist::auth::token::{Claims, Signer, Subtype};
use guestlist::tokens::rows::{self as tokens, Principal};
use guestlist_api::api_token::TokenStatus;
use guestlist_api::scope::Scope;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What needs no token: a new row is a guarded one until somebody writes it down here.
const PUBLIC: [&str; 10] = [
    "auth.authenticateUser",
    "auth.ssoDomain",
    "root.get",
    "root.healthz",
    "root.openapi",
    "root.readyz",
    "visitor.forgot",
    "visitor.register",
    "visitor.useLink",
    "whitelabel.domain",
];

/// The scopes that allow each guarded operation: as the platform publishes them, and for operations
/// of our own as we have written them down.
fn published() -> BTreeMap<String, BTreeSet<String>> {
    let lists: [BTreeMap<String, String>; 2] = [
        include_str!("../../../api/tests/scopes-by-action.json"),
        include_str!("../../../api/tests/scopes-by-action-ours.json"),
    ]
    .map(|text| serde_json::from_str(text).unwrap());
    let count: usize = lists.iter().map(BTreeMap::len).sum();
    let lists: BTreeMap<String, String> = lists.into_iter().flatten().collect();
    assert_eq!(lists.len(), count, "what the platform has is not ours");
    let words = |list: String| list.split(' ').map(str::to_owned).collect();
    lists.into_iter().map(|(name, list)| (name, words(list))).collect()
}

/// Calls `each` for every row and each of `count` numbers, on several threads. All calls of a row
/// are made by one thread, in turn.
fn for_every_row(scene: &Scene, count: usize, each: impl Fn(&Ask, usize) + Sync) {
    let next = AtomicUsize::new(0);
    let asks = scene.asks();
    thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                while let Some(ask) = asks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    (0..count).for_each(|number| each(ask, number));
                }
            });
        }
    });
}

#[test]
fn every_row_is_either_public_by_name_or_in_the_published_lists() {
    let rows: Vec<_> = guestlist::rest::table().iter().map(|row| row.operation.name()).collect();
    let distinct: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(rows.len(), distinct.len(), "an operation has two rows");
    let published = published();
    let known: BTreeSet<&str> =
        published.keys().map(String::as_str).chain(PUBLIC.iter().copied()).collect();
    assert_eq!(distinct, known);
    let places: BTreeSet<_> =
        guestlist::rest::table().iter().map(|row| (row.path, &row.method)).collect();
    assert_eq!(places.len(), rows.len());
}

#[test]
fn each_scope_allows_exactly_what_the_published_lists_say() {
    let scene = Scene::new();
    let published = published();
    let scopes: Vec<&str> = Scope::all().map(Scope::as_str).collect();
    assert_eq!(scopes.len(), 543);
    let owners = [Principal::Application(scene.own), Principal::User(scene.administrator)];
    let tokens = scene.tokens(&owners, &scopes);
    // Whether a row allows a scope is asked of all rows with all of them. Over HTTP each row is asked with
    // those that are let in, and with a sixteenth of the others, another for each row. So is what is public.
    let lets_in = |name: &str, scope: &str| match published.get(name) {
        None => PUBLIC.contains(&name),
        Some(list) => list.contains(scope),
    };
    for row in guestlist::rest::table() {
        for scope in Scope::all() {
            let (name, held) = (row.operation.name(), scope.as_str());
            let allowed = row.operation.allowed_to(&held.parse().unwrap());
            assert_eq!(allowed, lets_in(name, held), "{name} with {held}");
        }
    }
    for_every_row(&scene, tokens.len(), |ask, number| {
        let (owner, scope) = (owners[number % 2], scopes[number / 2]);
        let of_application = matches!(owner, Principal::Application(_));
        // An application that its own token makes would be beyond the reach of that token.
        let out_of_reach = ask.name == "applications.post" && of_application;
        let allowed = !out_of_reach && lets_in(ask.name, scope);
        // Whatever comes along, anybody is let in to what is public.
        let is_told = allowed && !PUBLIC.contains(&ask.name);
        if !is_told && !(number / 2 + ask.name.len()).is_multiple_of(16) {
            return;
        }
        let answer = scene.send(ask, &tokens[number]);
        let what = format!("{} with {scope} of {owner:?}: {}", ask.name, answer.status);
        if !allowed {
            assert_eq!(answer.status, 403, "{what}");
            answer.refused(403, "Access is forbidden");
        } else if of_application && ask.is_of_user() {
            assert_eq!(answer.status, 404, "{what}");
        } else {
            assert_eq!(answer.status, ask.allowed, "{what}");
        }
    });
    scene.other_is_untouched();
}

#[test]
fn without_a_token_only_public_rows_answer() {
    let scene = Scene::new();
    for_every_row(&scene, 1, |ask, _| {
        let answer = scene.send(ask, "");
        if PUBLIC.contains(&ask.name) {
            assert_eq!(answer.status, ask.allowed, "{}", ask.name);
        } else {
            answer.refused(403, "Access is forbidden");
        }
    });
}

/// Tokens that are not good, by what is wrong with them, and whether that is their age.
fn bad_tokens(scene: &Scene) -> Vec<(&'static str, String, bool)> {
    let world = &scene.world;
    let own = Principal::Application(scene.own);
    let all = "all.User all.Application";
    let good = world.token(own, all);

    let mut expired = world.record(own, all);
    expired.expiration_date = Some(world.now().plus_millis(-1));
    let mut expired_of_user = world.record(Principal::User(scene.administrator), all);
    expired_of_user.expiration_date = Some(world.now().plus_millis(-10_000));

    let mut inactive = world.record(own, all);
    inactive.status = TokenStatus::Inactive;

    let revoked = world.record(own, all);
    let revoked_token = world.keep(&revoked);
    world.write(move |tx| tokens::delete(tx, &revoked));

    let record = world.record(own, all);
    world.keep(&record);
    let claims = Claims {
        issuer: &world.app.issuer,
        id: record.id,
        subtype: Subtype::ApiToken,
        scope: &record.scope,
        issued: record.creation_date,
        expires: None,
    };
    let elsewhere = Signer::generate().unwrap().0.mint(&claims, world.now());

    let leaver = world.administrator("leaver@example.com");
    let cut = world.session(leaver, 60_000);
    let cutoff = world.now().plus_millis(-30_000);
    world.write(move |tx| {
        let mut me = administrators::get(tx, leaver)?;
        me.token_cutoff = Some(cutoff);
        administrators::put(tx, &me, None)
    });
    // What is cut off is the sessions before the moment, and nothing else.
    let after = world.session(leaver, 1_000);
    world.get(&after, "/me").expect(200);

    let gone = world.application("gone");
    let of_gone = world.token(Principal::Application(gone), all);
    let root = world.token(Principal::User(scene.administrator), all);
    world.call(&root, "DELETE", &format!("/applications/{gone}"), &Value::Null).expect(200);

    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    vec![
        ("expired", world.keep(&expired), true),
        ("expired, of a user", world.keep(&expired_of_user), true),
        ("inactive", world.keep(&inactive), false),
        ("revoked", revoked_token, false),
        ("signed elsewhere", elsewhere.unwrap().expose().to_owned(), false),
        ("a session before the cutoff", cut, false),
        ("of an application that is gone", of_gone, false),
        ("no token at all", "nonsense".into(), false),
        ("with half a signature", good[..good.len() - 20].to_owned(), false),
        ("without its signature", format!("{head}."), false),
        ("with the claims of another", format!("{header}.{claims}x.{signature}"), false),
        ("very long", "x".repeat(10_000), false),
    ]
}

fn refused_for_its_token(answer: &Answer, is_old: bool, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    let message = if is_old { "Access token has expired" } else { "Invalid access token" };
    assert_eq!(answer.message(), message, "{what}");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[test]
fn a_token_that_is_not_good_opens_nothing() {
    let scene = Scene::new();
    let bad = bad_tokens(&scene);
    for_every_row(&scene, bad.len(), |ask, number| {
        let (what, token, is_old) = &bad[number];
        let answer = scene.send(ask, token);
        if ask.name.starts_with("visitor.") {
            // It opens nothing there either, and nobody looks at it.
            return answer.refused(404, "Application was not found");
        }
        refused_for_its_token(&answer, *is_old, &format!("{} with a token {what}", ask.name));
    });
    scene.other_is_untouched();
}

#[test]
fn a_token_is_refused_from_the_moment_it_ends() {
    let world = World::standing_still();
    let own = world.application("own");
    let mut record = world.record(Principal::Application(own), "all.Application");
    record.expiration_date = Some(world.now().plus_millis(5_000));
    let token = world.keep(&record);
    let path = format!("/applications/{own}");
    world.pass(4_999);
    world.get(&token, &path).expect(200);
    world.pass(1);
    refused_for_its_token(&world.get(&token, &path), true, "at its end");
}

#[test]
fn what_a_request_says_is_looked_at_before_its_token() {
    let scene = Scene::new();
    let root = scene.world.token(Principal::User(scene.administrator), "all.User");
    let mut looked_at = AtomicUsize::new(0);
    for_every_row(&scene, 1, |ask, _| {
        for broken in ask.broken() {
            for token in ["nonsense", "", &root] {
                let answer = scene.send(&broken, token);
                assert_eq!(answer.status, 400, "{} {:?}", broken.target, broken.body);
            }
            looked_at.fetch_add(1, Ordering::Relaxed);
        }
    });
    // One for each part of a path, and two for each body, or one where it may be left out.
    let rows = guestlist::rest::table();
    let parts: usize = rows.iter().map(|row| row.path.matches('{').count()).sum();
    let bodies = rows.iter().filter(|row| row.body.is_some()).count();
    assert_eq!(*looked_at.get_mut(), parts + 2 * bodies - 1);
    scene.other_is_untouched();
}

#[test]
fn an_application_is_nothing_to_the_token_of_another() {
    let scene = Scene::new();
    let outsider = scene.world.application("outsider");
    // Everything that can be done: the one scope of each list, and the widest there is. A token that says each word
    // is longer than the head of a request may be.
    let wide = |scope: &&str| {
        scope.ends_with(".*") || scope.starts_with("all.") || scope.starts_with("only.")
    };
    let all: Vec<&str> = Scope::all().map(Scope::as_str).filter(wide).collect();
    let tokens = [
        scene.world.token(Principal::Application(outsider), "all.Application"),
        scene.world.token(Principal::Application(outsider), &all.join(" ")),
    ];
    for_every_row(&scene, 2, |ask, number| {
        if PUBLIC.contains(&ask.name) {
            return;
        }
        let answer = scene.send(ask, &tokens[number]);
        let everything = number == 1;
        match ask.name {
            "applications.get" if everything => {
                let page = answer.expect(200).json();
                assert_eq!(page["totalCount"], 1);
                assert_eq!(page["items"][0]["id"], outsider.to_string());
            }
            "applications.post" => answer.refused(403, "Access is forbidden"),
            "applicationQuotas.get" | "applicationQuotas.patch" if !everything => {
                answer.refused(403, "Access is forbidden");
            }
            _ if ask.is_in_application() => answer.refused(404, "Application was not found"),
            _ if everything => answer.refused(404, "User was not found"),
            _ => answer.refused(403, "Access is forbidden"),
        }
    });
    scene.other_is_untouched();
}

#[test]
fn what_is_in_one_application_is_not_in_another() {
    let scene = Scene::new();
    let root = scene.world.token(Principal::User(scene.administrator), "all.User");
    let of_own = scene.world.token(Principal::Application(scene.own), "all.Application");
    let seen = AtomicUsize::new(0);
    for_every_row(&scene, 1, |ask, _| {
        let Some((crossed, what)) = scene.crossed(ask) else { return };
        for token in [&root, &of_own] {
            scene.send(&crossed, token).refused(404, &format!("{what} was not found"));
        }
        seen.fetch_add(1, Ordering::Relaxed);
    });
    // Get, patch and delete of a user, of a group and of a token of an application.
    assert_eq!(seen.into_inner(), 9);
    for (body, field) in [
        (json!({ "name": "x", "experienceUserIds": [scene.other.user] }), "experienceUserIds.0"),
        (json!({ "name": "x", "parentId": scene.other.group }), "parentId"),
    ] {
        let path = format!("/applications/{}/experience/groups", scene.own);
        let message = scene.world.call(&of_own, "POST", &path, &body).expect(400).message();
        assert!(message.starts_with(&format!("experienceGroup.{field} ")), "{message}");
        assert!(!message.contains(MARKER), "{message}");
    }
    let path = format!("/applications/{}/experience/users/{}", scene.own, scene.user);
    let body = json!({ "experienceGroupIds": [scene.other.group] });
    scene.world.call(&of_own, "PATCH", &path, &body).expect(400);
    scene.other_is_untouched();
}

#[test]
fn a_token_that_was_good_a_moment_ago_is_refused_like_any_other() {
    let world = World::new();
    let (own, other) = (world.application("own"), world.application("other"));
    let root = world.token(Principal::User(world.administrator("a@example.com")), "all.User");
    let id = "0123456789abcdef01234567";
    let paths = [
        format!("/applications/{own}/experience/users"),
        format!("/applications/{own}/experience/users/{id}"),
        format!("/applications/{own}"),
        format!("/applications/{other}"),
        "/applications".to_owned(),
        "/me".to_owned(),
    ];
    for end in ["revoked", "inactive"] {
        let record = world.record(Principal::Application(own), "all.Application applications.get");
        let token = world.keep(&record);
        let statuses = || paths.each_ref().map(|path| world.get(&token, path).status);
        assert_eq!(statuses(), [200, 404, 200, 404, 200, 403]);
        // Known by now.
        assert_eq!(statuses(), [200, 404, 200, 404, 200, 403]);
        let path = format!("/applications/{own}/tokens/{}", record.id);
        if end == "revoked" {
            world.call(&root, "DELETE", &path, &json!({})).expect(200);
        } else {
            world.call(&root, "PATCH", &path, &json!({ "status": "inactive" })).expect(200);
        }
        for path in &paths {
            world.get(&token, path).refused(401, "Invalid access token");
        }
    }
}

/// Whoever gives such a token away has to know.
#[test]
fn a_token_that_patches_reads_what_it_patches() {
    let world = World::new();
    let own = world.application("own");
    let body = json!({ "email": "ada@example.com", "userTags": { "secret": "x" } });
    let user = world.user(own, body, &[]);
    let token = world.token(Principal::Application(own), "experienceUser.patch");
    let path = format!("/applications/{own}/experience/users/{}", user.id);
    world.get(&token, &path).refused(403, "Access is forbidden");
    let answer = world.call(&token, "PATCH", &path, &json!({})).expect(200).json();
    assert_eq!(
        (&answer["email"], &answer["userTags"]["secret"]),
        (&json!("ada@example.com"), &json!("x"))
    );
}
