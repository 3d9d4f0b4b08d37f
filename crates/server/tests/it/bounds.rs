//! How much a client may ask for, and what everybody else notices of it.

use crate::client::{Answer, Client};
use crate::world::{Options, PASSWORD, World, shared_hash};
use flate2::Compression;
use flate2::write::GzEncoder;
use guestlist::directory::users::rows as users;
use guestlist::directory::users::rules::new_user;
use guestlist::rows::list::HEAVIEST_PAGE;
use guestlist::tokens::rows::Principal;
use guestlist_api::experience_user::{ExperienceUser, ExperienceUserPost, GroupRef};
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

struct Scene {
    world: World,
    application: ApplicationId,
    token: String,
}

impl Scene {
    fn new() -> Self {
        Self::of(World::new())
    }

    fn of(world: World) -> Self {
        let application = world.application("own");
        let token = world.token(Principal::Application(application), "all.Application");
        Self { world, application, token }
    }

    fn users(&self, rest: &str) -> String {
        format!("/applications/{}/experience/users{rest}", self.application)
    }

    fn get(&self, rest: &str) -> Answer {
        self.world.get(&self.token, &self.users(rest))
    }
}

#[test]
fn what_is_not_there_is_told_apart_from_what_is_not_allowed() {
    let scene = Scene::new();
    let call =
        |method: &str, target: &str| scene.world.call(&scene.token, method, target, &Value::Null);
    for target in ["/nowhere", "/applications/x/y/z", "/ME", "/me/tokens/x/y"] {
        call("GET", target).refused(404, &format!("{target} does not exist"));
    }
    for (method, target, allow) in [
        ("PUT", scene.users(""), "GET, POST, HEAD"),
        ("DELETE", scene.users(""), "GET, POST, HEAD"),
        ("POST", scene.users("/ffffffffffffffffffffffff"), "GET, PATCH, DELETE, HEAD"),
        ("POST", "/me/changePassword".into(), "PATCH"),
        ("PURGE", "/".into(), "GET, HEAD"),
    ] {
        let answer = call(method, &target);
        answer.refused(405, &format!("{method} is not allowed"));
        assert_eq!(answer.header("allow"), Some(allow));
    }
    // One slash at the end is forgiven.
    call("GET", &scene.users("/")).expect(200);
}

#[test]
fn a_body_is_json_of_a_bounded_size() {
    let scene = Scene::new();
    let post = || scene.world.request("POST", &scene.users("")).token(&scene.token);
    let body = json!({ "email": "a@example.com", "password": PASSWORD }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let refused = post().header("Content-Type", kind).body(body.clone()).send();
        refused.refused(415, "The request body must be application/json");
    }
    let refused = post().header("Content-Encoding", "br").body(body.clone()).send();
    refused.refused(415, "The request body must be plain or Content-Encoding: gzip");
    let large = "The request body is larger than 1048576 bytes";
    post().body(vec![b' '; (1 << 20) + 1]).send().refused(413, large);
    // A small body may be a large one.
    let packed = |bytes: &[u8]| {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).unwrap();
        post().header("Content-Encoding", "gzip").body(packer.finish().unwrap()).send()
    };
    packed(&vec![b' '; 64 << 20]).refused(413, large);
    assert_eq!(scene.get("").expect(200).json()["totalCount"], 0);
    packed(body.as_bytes()).expect(201);
}

#[test]
fn who_is_still_sending_is_told() {
    let scene = Scene::new();
    let mut connection = scene.world.connect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
        scene.users(""),
        scene.token,
        4 << 20
    );
    connection.get_mut().write_all(head.as_bytes()).unwrap();
    // All of it is sent before the answer is looked at, as many clients do.
    let part = vec![b' '; 64 << 10];
    for _ in 0..64 {
        connection.get_mut().write_all(&part).unwrap();
    }
    let answer = Answer::read(&mut connection, "POST").unwrap();
    answer.refused(413, "The request body is larger than 1048576 bytes");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn urls_and_headers_are_bounded() {
    let scene = Scene::new();
    scene
        .get(&format!("?filter={}", "a".repeat(16 << 10)))
        .refused(414, "The URL is longer than 16384 bytes");
    // A long one is no mistake in itself.
    scene.get(&format!("?other={}", "a".repeat(15 << 10))).expect(200);
    let ask = |length: usize| {
        let ask = scene.world.request("GET", &scene.users("")).token(&scene.token);
        ask.header("X-Long", &"a".repeat(length)).send()
    };
    ask(17 << 10).refused(431, "The request headers are larger than 16384 bytes");
    ask(14 << 10).expect(200);
    // So much that the server does not read it to its end.
    let far = scene.world.request("GET", "/").header("X-Long", &"a".repeat(100 << 10)).send();
    far.refused(431, "The request headers are larger than 16384 bytes");
    let many: Vec<String> = (0..1001).map(|n| format!("a{n}=")).collect();
    scene
        .get(&format!("?{}", many.join("&")))
        .refused(400, "The URL has more than 1000 query parameters");
    scene.get("?filter=%zz").refused(400, "The URL has malformed percent-encoding");
    scene.get("/%ff").refused(400, "The URL has malformed percent-encoding");
}

#[test]
fn a_page_has_one_to_a_thousand_items() {
    let scene = Scene::new();
    let within = |rest: &str| format!("/applications/{}/{rest}", scene.application);
    for path in [scene.users(""), within("experience/groups"), within("tokens")] {
        let get = |query: &str| scene.world.get(&scene.token, &format!("{path}?{query}"));
        for (query, message) in [
            ("perPage=0", "perPage is less than minimum"),
            ("perPage=1001", "perPage is more than maximum"),
            ("perPage=-1", "perPage is less than minimum"),
            ("perPage=ten", "perPage is the wrong type"),
            ("perPage=1.5", "perPage is the wrong type"),
            ("perPage=1e2", "perPage is the wrong type"),
            ("perPage=99999999999999999999", "perPage is more than maximum"),
            ("page=-1", "page is less than minimum"),
            ("page=x", "page is the wrong type"),
            ("perPage=1&perPage=2", "perPage is the wrong type"),
        ] {
            get(query).refused(400, message);
        }
        for (query, per_page) in
            [("", 100), ("perPage=", 100), ("perPage=1", 1), ("perPage=1000", 1000)]
        {
            assert_eq!(get(query).expect(200).json()["perPage"], per_page, "{query}");
        }
        let past = get("page=1000000").expect(200).json();
        assert_eq!((&past["items"], &past["count"]), (&json!([]), &json!(0)));
    }
}

/// A user with nearly the largest tags that a request can make.
fn heavy(scene: &Scene, number: usize) -> ExperienceUser {
    let tags: Map<String, Value> =
        (0..1000).map(|tag| (format!("{tag:0255}"), "x".repeat(255).into())).collect();
    let body = json!({
        "email": format!("heavy{number:02}@example.com"), "password": PASSWORD, "userTags": tags,
    });
    let post: ExperienceUserPost = crate::world::read("experienceUser", body);
    let now = scene.world.now();
    let id = ExperienceUserId(scene.world.app.ids.next(now));
    new_user(&post, id, scene.application, Vec::new(), now)
}

#[test]
fn a_page_is_bounded_in_bytes() {
    let scene = Scene::new();
    let users: Vec<ExperienceUser> = (0..24).map(|number| heavy(&scene, number)).collect();
    let hash = shared_hash();
    scene.world.write_in(scene.application, move |tx, tenant| {
        users.iter().try_for_each(|user| users::add(tx, tenant, user, &hash))
    });
    let heaviest = HEAVIEST_PAGE;
    scene.get("").refused(
        400,
        &format!("perPage asks for a page over {heaviest} bytes: ask for fewer items"),
    );
    // Whoever does as they are told gets all of it.
    for page in 0..2 {
        let answer = scene.get(&format!("?perPage=12&page={page}")).expect(200);
        assert!(answer.body.len() < heaviest && answer.body.len() > heaviest / 3);
        assert_eq!(answer.json()["count"], 12);
    }
}

/// Posts users until told to stop: how many were made, and how many were refused for now.
fn sign_up(scene: &Scene, client: &Client, number: usize, enough: &AtomicBool) -> (u64, u64) {
    let (mut made, mut refused) = (0, 0);
    while !enough.load(Ordering::Relaxed) {
        let email = format!("a{number}x{made}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = client.call(&scene.token, "POST", &scene.users(""), &body);
        if answer.status == 503 {
            answer.refused(503, "Password hashing is busy: try again in 1 s");
            assert_eq!(answer.header("retry-after"), Some("1"));
            refused += 1;
        } else {
            answer.expect(201);
            made += 1;
        }
    }
    (made, refused)
}

#[test]
fn reads_go_on_while_too_many_passwords_are_hashed() {
    // One thread that hashes, and eight places before it.
    let scene = Scene::of(World::with(&Options { hash_workers: Some(1), ..Options::default() }));
    let (enough, gate) = (AtomicBool::new(false), Barrier::new(33));
    let (writers, meanwhile) = thread::scope(|threads| {
        let writers: Vec<_> = (0..32)
            .map(|number| {
                let (scene, enough, gate) = (&scene, &enough, &gate);
                threads.spawn(move || {
                    gate.wait();
                    sign_up(scene, &scene.world, number, enough)
                })
            })
            .collect();
        gate.wait();
        let (began, hasher) = (Instant::now(), &scene.world.app.hasher);
        let mut meanwhile = Vec::new();
        while began.elapsed() < Duration::from_secs(1) || hasher.hashed() < 10 {
            let before = hasher.hashed();
            scene.get("?perPage=1").expect(200);
            meanwhile.push(hasher.hashed() - before);
        }
        enough.store(true, Ordering::Relaxed);
        let writers: Vec<_> = writers.into_iter().map(|one| one.join().unwrap()).collect();
        (writers, meanwhile)
    });
    let made: u64 = writers.iter().map(|(made, _)| made).sum();
    let refused: u64 = writers.iter().map(|(_, refused)| refused).sum();
    assert!(made > 8 && refused > 0, "{made} made and {refused} refused");
    // What was answered was made, and nothing else.
    assert_eq!(scene.get("?perPage=1").expect(200).json()["totalCount"], made);
    assert_eq!(scene.world.app.hasher.hashed(), made);
    // One that waited behind the hashes would see those be made that were there before it.
    let waited = meanwhile.iter().filter(|hashes| **hashes >= 8).count();
    assert!(waited * 2 < meanwhile.len(), "hashes that were made while one read: {meanwhile:?}");
}

#[test]
fn a_group_names_all_its_members() {
    let scene = Scene::new();
    let group = scene.world.group(scene.application, json!({ "name": "crowd" }));
    let hash = shared_hash();
    let made = GroupRef { id: group.id, name: group.name, parent_id: None };
    let users: Vec<ExperienceUser> = (0..1100)
        .map(|number| {
            let email = format!("member{number}@example.com");
            let body = json!({ "email": email, "password": PASSWORD });
            let post: ExperienceUserPost = crate::world::read("experienceUser", body);
            let now = scene.world.now();
            let id = ExperienceUserId(scene.world.app.ids.next(now));
            new_user(&post, id, scene.application, vec![made.clone()], now)
        })
        .collect();
    scene.world.write_in(scene.application, move |tx, tenant| {
        users.iter().try_for_each(|user| users::add(tx, tenant, user, &hash))
    });
    let path = format!("/applications/{}/experience/groups/{}", scene.application, group.id);
    let ids = &scene.world.get(&scene.token, &path).expect(200).json()["experienceUserIds"];
    assert_eq!(ids.as_array().unwrap().len(), 1100);
    scene
        .world
        .call(&scene.token, "PATCH", &path, &json!({ "experienceUserIds": ids }))
        .refused(400, "experienceGroup.experienceUserIds has more items than allowed");
}

#[test]
fn many_who_list_at_once_wait_for_each_other_also_when_they_take_gzip() {
    let scene = Scene::new();
    for number in 0..20 {
        let email = format!("user.{number}@example.com");
        scene.world.user(scene.application, json!({ "email": email }), &[]);
    }
    // More than there is memory for pages as large as they may be.
    let all = Barrier::new(64);
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                all.wait();
                for _ in 0..10 {
                    let users = scene.users("");
                    let asked = scene.world.request("GET", &users).token(&scene.token);
                    let answer = asked.header("Accept-Encoding", "gzip").send().expect(200);
                    assert_eq!(answer.header("content-encoding"), Some("gzip"));
                }
            });
        }
    });
}
