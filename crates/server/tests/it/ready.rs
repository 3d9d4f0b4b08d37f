//! What is answered to a GET of a user is what there is, however often it was answered before.

use crate::client::Answer;
use crate::world::{Options as WorldOptions, World, forwarded};
use flate2::read::GzDecoder;
use guestlist::directory::groups::rows as groups;
use guestlist::rows::tenant::AuthorizedApp;
use guestlist::store::{Options, Store, StoreUrl};
use guestlist::tokens::rows::{self as tokens, Principal};
use guestlist_api::api_token::ApiToken;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ApplicationId;
use guestlist_api::time::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::Cell;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

/// Something that happens between two looks.
#[derive(Debug, Clone)]
enum Event {
    PatchUser(usize, u8),
    JoinAndLeave(usize, bool),
    RenameGroup(u8),
    MoveGroup(bool),
    SetMembers(bool),
    DeleteGroup,
    PatchApplication(u8),
    SwitchToken(usize, bool),
    PatchTokenBeside(usize, bool),
    RenameGroupBeside(u8),
    DeleteUser(usize),
    DeleteAll(&'static str),
    Wait,
}

fn event() -> impl Strategy<Value = Event> {
    let (user, token, name) = (0..2_usize, 0..2_usize, any::<u8>());
    prop_oneof![
        4 => (user.clone(), name).prop_map(|(user, name)| Event::PatchUser(user, name)),
        2 => (user.clone(), any::<bool>()).prop_map(|(user, on)| Event::JoinAndLeave(user, on)),
        2 => name.prop_map(Event::RenameGroup),
        1 => any::<bool>().prop_map(Event::MoveGroup),
        1 => any::<bool>().prop_map(Event::SetMembers),
        1 => Just(Event::DeleteGroup),
        1 => name.prop_map(Event::PatchApplication),
        2 => (token.clone(), any::<bool>()).prop_map(|(token, on)| Event::SwitchToken(token, on)),
        1 => (token, any::<bool>()).prop_map(|(token, on)| Event::PatchTokenBeside(token, on)),
        1 => name.prop_map(Event::RenameGroupBeside),
        1 => user.prop_map(Event::DeleteUser),
        1 => prop_oneof![Just("keepUsers"), Just("keepGroups")].prop_map(Event::DeleteAll),
        1 => Just(Event::Wait),
    ]
}

struct Scene {
    world: World,
    application: ApplicationId,
    users: [ExperienceUser; 2],
    group: ExperienceGroup,
    above: ExperienceGroup,
    /// The second has an end.
    tokens: [(ApiToken, String); 2],
    administrator: String,
    /// As a command that is run beside the server.
    beside: Store,
    /// Which of the tokens are good, and since when the scene goes on.
    active: Cell<[bool; 2]>,
    began: DateTime,
    /// How often was looked: each time from another place, for nobody may show bad tokens this often.
    looks: Cell<u32>,
}

impl Scene {
    fn new() -> Self {
        let ingress = forwarded();
        let world =
            World::with(&WorldOptions { manual_clock: true, ingress, ..Default::default() });
        let application = world.application("own");
        let above = world.group(application, json!({ "name": "above" }));
        let group = world.group(application, json!({ "name": "group" }));
        let users = ["a@example.com", "b@example.com"]
            .map(|email| world.user(application, json!({ "email": email }), &[&group]));
        let scopes = ["all.Application", "experienceUser.get"];
        let tokens = scopes.map(|scopes| {
            let mut record = world.record(Principal::Application(application), scopes);
            if scopes != "all.Application" {
                record.expiration_date = Some(world.now().plus_millis(5_000));
            }
            let text = world.keep(&record);
            (record, text)
        });
        let administrator = world.administrator("c@example.com");
        let administrator = world.token(Principal::User(administrator), "all.User");
        let options = Options { readers: 1, writers: 1, ..Options::default() };
        let beside = Store::open_at(&world.place(), &options).unwrap();
        let (active, began) = (Cell::new([true; 2]), world.now());
        Self {
            world,
            application,
            users,
            group,
            above,
            tokens,
            administrator,
            beside,
            active,
            began,
            looks: Cell::new(0),
        }
    }

    fn tell(&self, method: &str, path: &str, body: &Value) {
        let target = format!("/applications/{}{path}", self.application);
        let answer = self.world.call(&self.administrator, method, &target, body);
        assert!(matches!(answer.status, 200 | 404), "{method} {target}: {}", answer.status);
    }

    fn happen(&self, event: &Event) {
        let user = |at: usize| format!("/experience/users/{}", self.users[at].id);
        let group = format!("/experience/groups/{}", self.group.id);
        let status = |on: bool| if on { "active" } else { "inactive" };
        match event {
            Event::PatchUser(at, name) => {
                self.tell("PATCH", &user(*at), &json!({ "firstName": name.to_string() }));
            }
            Event::JoinAndLeave(at, on) => {
                let groups = if *on { vec![&self.above.id] } else { vec![] };
                // 400 once that group is gone.
                let body = json!({ "experienceGroupIds": groups });
                let target = format!("/applications/{}{}", self.application, user(*at));
                self.world.call(&self.administrator, "PATCH", &target, &body);
            }
            Event::RenameGroup(name) => {
                self.tell("PATCH", &group, &json!({ "name": name.to_string() }));
            }
            Event::MoveGroup(on) => {
                let parent = on.then_some(&self.above.id);
                self.tell("PATCH", &group, &json!({ "parentId": parent }));
            }
            Event::SetMembers(on) => {
                let members = if *on { vec![&self.users[0].id] } else { vec![] };
                let above = format!("/experience/groups/{}", self.above.id);
                // 400 once that user is gone.
                let body = json!({ "experienceUserIds": members });
                let target = format!("/applications/{}{above}", self.application);
                self.world.call(&self.administrator, "PATCH", &target, &body);
            }
            Event::DeleteGroup => self.tell("DELETE", &group, &Value::Null),
            Event::PatchApplication(name) => {
                self.tell("PATCH", "", &json!({ "name": name.to_string() }));
            }
            Event::SwitchToken(at, on) => {
                self.switch(*at, *on);
                let path = format!("/tokens/{}", self.tokens[*at].0.id);
                self.tell("PATCH", &path, &json!({ "status": status(*on) }));
            }
            Event::PatchTokenBeside(at, on) => {
                self.switch(*at, *on);
                let mut record = self.tokens[*at].0.clone();
                record.status = guestlist_api::api_token::TokenStatus::parse(status(*on)).unwrap();
                self.write_beside(move |tx| tokens::put(tx, &record, &record));
                if matches!(self.world.place(), StoreUrl::Postgres(_)) {
                    // What is promised of a token that another process ends. All else is at once.
                    thread::sleep(Duration::from_secs(1));
                }
            }
            Event::RenameGroupBeside(name) => {
                let mut after = self.group.clone();
                after.name = name.to_string();
                let before = self.group.clone();
                let application = AuthorizedApp::allowed(self.application);
                self.write_beside(move |tx| {
                    let tenant = application.require(tx)?;
                    groups::put(tx, tenant, &before, &after)
                });
            }
            Event::DeleteAll(but) => {
                self.tell("DELETE", &format!("/experience?{but}=1"), &Value::Null);
            }
            Event::DeleteUser(at) => self.tell("DELETE", &user(*at), &Value::Null),
            Event::Wait => self.world.pass(1_000),
        }
    }

    fn switch(&self, at: usize, on: bool) {
        let mut active = self.active.get();
        active[at] = on;
        self.active.set(active);
    }

    /// Whether the token `at` is good.
    fn good(&self, at: usize) -> bool {
        self.active.get()[at] && (at == 0 || self.world.now() < self.began.plus_millis(5_000))
    }

    fn write_beside(
        &self,
        work: impl Fn(&mut guestlist::rows::Tx<'_>) -> guestlist::error::Result<()> + Send + 'static,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.beside.write(work)).unwrap();
    }

    /// Every answer there is, plain and packed, held against the same that was not kept: no answer is kept
    /// for a request with a condition.
    fn look(&self, after: &Event) {
        self.looks.set(self.looks.get() + 1);
        let from = Ipv4Addr::from(0x0a00_0000 + self.looks.get()).to_string();
        let within = format!("/applications/{}/experience", self.application);
        let users = self.users.iter().map(|user| format!("{within}/users/{}", user.id));
        let lists = [
            "users",
            "groups",
            "users?sortField=id&perPage=1",
            "users?filterField=email&filter=a*",
        ];
        for path in users.chain(lists.map(|list| format!("{within}/{list}"))) {
            for (at, (_, token)) in self.tokens.iter().enumerate() {
                for flags in ["", "_actions=false", "_links=false"] {
                    let mark = if path.contains('?') { '&' } else { '?' };
                    let target = if flags.is_empty() {
                        path.clone()
                    } else {
                        format!("{path}{mark}{flags}")
                    };
                    let ask = || {
                        let ask = self.world.request("GET", &target).token(token);
                        ask.header("X-Forwarded-For", &from)
                    };
                    let fresh = ask().header("If-None-Match", "\"none\"").send();
                    assert_eq!(fresh.status == 401, !self.good(at), "{target} after {after:?}");
                    // Kept, packed, and as it was packed; then plain again.
                    for accepted in ["identity", PACKED, PACKED, "identity"] {
                        let answer = ask().header("Accept-Encoding", accepted).send();
                        assert_eq!(answer.status, fresh.status, "{target} after {after:?}");
                        let (body, tag) = plain(&answer);
                        assert_eq!(body, fresh.body, "{target} after {after:?}");
                        assert_eq!(tag.as_deref(), fresh.header("etag"), "{target}");
                    }
                }
            }
        }
    }
}

/// Takes no other form, so that short answers are packed as well.
const PACKED: &str = "gzip, identity;q=0";

/// The body and the tag of `answer` as they are in the plain form.
fn plain(answer: &Answer) -> (Vec<u8>, Option<String>) {
    let tag = answer.header("etag");
    if answer.header("content-encoding").is_none() {
        return (answer.body.clone(), tag.map(str::to_owned));
    }
    let mut body = Vec::new();
    GzDecoder::new(&*answer.body).read_to_end(&mut body).unwrap();
    assert!(answer.body.len() < body.len());
    let plain = |tag: &str| format!("{}\"", tag.strip_suffix("-gzip\"").expect("another tag"));
    (body, tag.map(plain))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn a_user_is_answered_as_it_is(events in prop::collection::vec(event(), 1..24)) {
        let scene = Scene::new();
        scene.look(&Event::Wait);
        for event in &events {
            scene.happen(event);
            scene.look(event);
        }
    }
}

#[test]
fn an_application_that_is_gone_takes_its_answers_along() {
    let scene = Scene::new();
    scene.look(&Event::Wait);
    scene.tell("DELETE", "", &Value::Null);
    (0..2).for_each(|at| scene.switch(at, false));
    scene.look(&Event::Wait);
    let user =
        format!("/applications/{}/experience/users/{}", scene.application, scene.users[0].id);
    scene.world.get(&scene.administrator, &user).expect(404);
    scene.world.get(&scene.tokens[0].1, &user).expect(401);
}

#[test]
fn both_forms_of_an_answer_have_their_headers_each_time() {
    let scene = Scene::new();
    let (within, token) =
        (format!("/applications/{}/experience", scene.application), &scene.tokens[0].1);
    let user = format!("{within}/users/{}", scene.users[0].id);
    for target in [&user, &format!("{within}/users")] {
        let ask = |method, accepted: &str| {
            let ask = scene.world.request(method, target).token(token);
            ask.header("Accept-Encoding", accepted)
        };
        let first = ask("GET", "identity").send().expect(200);
        let packed = ask("GET", PACKED).send().expect(200);
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        // Each time the same, however it was made.
        for (accepted, same) in [("identity", &first), (PACKED, &packed)].repeat(3) {
            for method in ["GET", "HEAD"] {
                let answer = ask(method, accepted).send().expect(200);
                let named = ["etag", "vary", "content-encoding", "content-length", "content-type"];
                for name in named {
                    assert_eq!(answer.header(name), same.header(name), "{method} {name}");
                }
                assert_eq!(answer.header("vary"), Some("origin, accept-encoding"));
                if method == "GET" {
                    assert_eq!(answer.body, same.body, "{target}");
                }
            }
        }
        // A page has no tag.
        for tag in [&first, &packed].into_iter().filter_map(|answer| answer.header("etag")) {
            for accepted in ["identity", PACKED] {
                let known = ask("GET", accepted).header("If-None-Match", tag).send().expect(304);
                assert_eq!(known.etag(), tag, "the one that the client has");
                ask("GET", accepted).header("If-Match", tag).send().expect(200);
            }
        }
    }
}

#[test]
fn a_token_in_the_url_is_read_each_time() {
    let scene = Scene::new();
    let user =
        format!("/applications/{}/experience/users/{}", scene.application, scene.users[0].id);
    let (good, bad) = (&scene.tokens[0].1, &scene.tokens[1].1);
    scene.world.get(good, &user).expect(200);
    scene.world.get(good, &user).expect(200);
    let target = format!("{user}?access_token={bad}");
    scene.world.get(good, &target).expect(200);
    scene.world.pass(5_000);
    for _ in 0..2 {
        scene.world.get(good, &target).expect(401);
        scene.world.get(good, &user).expect(200);
        scene.world.get(bad, &user).expect(401);
    }
}
