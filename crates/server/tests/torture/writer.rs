//! Writers: each changes what is its own, one request after the other, and so knows exactly what
//! there has to be.

use super::world::{Kind, World, is};
use guestlist_testbed::Random;
use guestlist_testbed::http::{Answer, Client, Request};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many answers may have come after the power was cut and before that was noticed.
const RECENT: usize = 8;
/// What a writer waits after a refusal before it asks again.
const PAUSE: Duration = Duration::from_millis(5);

/// A request, and what there is after it.
#[derive(Debug, Clone)]
struct Act {
    request: Request,
    kind: Kind,
    name: String,
    after: World,
}

/// What became of the requests that were not answered.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) answered: u32,
    pub(crate) kept: u32,
    pub(crate) lost: u32,
    pub(crate) replayed: u32,
    /// Those that were answered as not done.
    pub(crate) refused: u32,
    /// Those that were answered when the power was gone, and are not there.
    pub(crate) undone: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.kept += other.kept;
        self.lost += other.lost;
        self.replayed += other.replayed;
        self.refused += other.refused;
        self.undone += other.undone;
    }
}

pub(crate) struct Writer {
    number: u64,
    application: String,
    names: u64,
    world: World,
    /// What there was before the last answers, and when those came.
    recent: VecDeque<(Instant, World)>,
    /// All tokens that were told, by name, also those that are revoked.
    tokens: BTreeMap<String, String>,
    /// The request of which nobody knows what became.
    doubt: Option<Act>,
    /// The last request with a key that was answered, and its answer.
    keyed: Option<(Request, Value)>,
    pub(crate) tally: Tally,
}

impl Writer {
    pub(crate) fn new(number: u64, application: &str) -> Self {
        Self {
            number,
            application: application.to_owned(),
            names: 0,
            world: World::default(),
            recent: VecDeque::new(),
            tokens: BTreeMap::new(),
            doubt: None,
            keyed: None,
            tally: Tally::default(),
        }
    }

    /// Writes until it is over, the server is gone, or nobody knows what became of a request.
    pub(crate) fn work(
        &mut self,
        address: &str,
        token: &str,
        mut random: Random,
        over: &AtomicBool,
    ) {
        let Ok(mut client) = Client::connect(address, token) else { return };
        while !over.load(Ordering::Relaxed) {
            let Some(mut act) = self.plan(&mut random) else { continue };
            if random.once_in(2) {
                act.request.key = Some(self.name());
            }
            let Ok(answer) = client.send(&act.request) else {
                self.doubt = Some(act);
                return;
            };
            self.settle(act, answer);
            if self.doubt.is_some() {
                return;
            }
        }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("w{}-{}", self.number, self.names)
    }

    /// Something to do, if what chance says can be done.
    fn plan(&mut self, random: &mut Random) -> Option<Act> {
        let users = self.world.users.len();
        match random.below(100) {
            _ if users < 2 => Some(self.post_user(random)),
            0..40 => self.patch_user(random),
            40..50 => self.move_user(random),
            50..62 => self.patch_group(random),
            62..69 if self.world.groups.len() < 8 => Some(self.post_group(random)),
            69..74 => self.delete(Kind::Group, random),
            74..78 if users < 8 => Some(self.post_user(random)),
            78..81 => self.delete(Kind::User, random),
            81..88 if self.world.tokens.len() < 6 => Some(self.post_token()),
            88..93 => self.patch_token(random),
            93..97 => self.delete(Kind::Token, random),
            _ => None,
        }
    }

    fn ids(&self, kind: Kind, names: &[String]) -> Value {
        names.iter().map(|name| self.world.id(kind, name)).collect()
    }

    /// Makes `body`, of which `fields` will be in the answer.
    fn post(
        &self,
        kind: Kind,
        name: String,
        fields: Value,
        relations: &Value,
        after: World,
    ) -> Act {
        let mut body = fields.clone();
        for (name, value) in relations.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let request = Request::new("POST", kind.path(&self.application), Some(body));
        let mut act = Act { request, kind, name: name.clone(), after };
        act.after.all_mut(kind).insert(name, fields);
        act
    }

    fn patch(
        &self,
        kind: Kind,
        name: String,
        fields: &Value,
        relations: &Value,
        after: World,
    ) -> Act {
        let mut act = self.post(kind, name.clone(), fields.clone(), relations, after);
        act.request.method = "PATCH";
        act.request.path = self.one(kind, &name);
        let mut entity = self.world.clone().all_mut(kind)[&name].clone();
        for (name, value) in fields.as_object().expect("fields") {
            entity[name] = value.clone();
        }
        entity.as_object_mut().expect("an entity").shift_remove("lastUpdated");
        act.after.all_mut(kind).insert(name, entity);
        act
    }

    fn one(&self, kind: Kind, name: &str) -> String {
        let id = self.world.id(kind, name);
        format!("{}/{}", kind.path(&self.application), id.as_str().expect("an id"))
    }

    fn post_user(&mut self, random: &mut Random) -> Act {
        let name = self.name() + "@crash.test";
        let groups = random.some_of(self.world.groups.keys().cloned());
        let fields = json!({ "email": name, "firstName": name, "userTags": { "made": name } });
        let relations =
            json!({ "password": "password", "experienceGroupIds": self.ids(Kind::Group, &groups) });
        let mut after = self.world.clone();
        after.members.extend(groups.into_iter().map(|group| (name.clone(), group)));
        self.post(Kind::User, name, fields, &relations, after)
    }

    /// Several fields together, which have to stay together.
    fn patch_user(&mut self, random: &mut Random) -> Option<Act> {
        let name = random.one_of(self.world.users.keys().cloned())?;
        let word = self.name();
        let tags = json!({ "one": word, "two": word, &word: "x".repeat(40) });
        let fields = json!({ "firstName": word, "lastName": word, "userTags": tags });
        if random.once_in(4) {
            let (relations, after) = self.moved(&name, random);
            return Some(self.patch(Kind::User, name, &fields, &relations, after));
        }
        Some(self.patch(Kind::User, name, &fields, &json!({}), self.world.clone()))
    }

    /// `user` in other groups.
    fn moved(&self, user: &str, random: &mut Random) -> (Value, World) {
        let groups = random.some_of(self.world.groups.keys().cloned());
        let mut after = self.world.clone();
        after.members.retain(|(email, _)| email != user);
        after.members.extend(groups.iter().map(|group| (user.to_owned(), group.clone())));
        (json!({ "experienceGroupIds": self.ids(Kind::Group, &groups) }), after)
    }

    fn move_user(&mut self, random: &mut Random) -> Option<Act> {
        let name = random.one_of(self.world.users.keys().cloned())?;
        let (relations, after) = self.moved(&name, random);
        // What changes nothing could not be told from what was lost.
        let moves = after.members != self.world.members;
        moves.then(|| self.patch(Kind::User, name, &json!({}), &relations, after))
    }

    fn members(&self, group: &str, random: &mut Random) -> (Value, World) {
        let users = random.some_of(self.world.users.keys().cloned());
        let mut after = self.world.clone();
        after.members.retain(|(_, name)| name != group);
        after.members.extend(users.iter().map(|user| (user.clone(), group.to_owned())));
        (json!({ "experienceUserIds": self.ids(Kind::User, &users) }), after)
    }

    fn post_group(&mut self, random: &mut Random) -> Act {
        let name = self.name();
        let (mut relations, mut after) = self.members(&name, random);
        if let Some(parent) = random.one_of(self.world.groups.keys().cloned()) {
            relations["parentId"] = self.world.id(Kind::Group, &parent);
            after.parents.insert(name.clone(), parent);
        }
        let fields = json!({ "name": name, "description": name, "groupTags": { "made": name } });
        self.post(Kind::Group, name, fields, &relations, after)
    }

    fn patch_group(&mut self, random: &mut Random) -> Option<Act> {
        let name = random.one_of(self.world.groups.keys().cloned())?;
        let word = self.name();
        let (relations, after) = self.members(&name, random);
        let fields = json!({ "description": word, "groupTags": { "word": word } });
        Some(self.patch(Kind::Group, name, &fields, &relations, after))
    }

    fn post_token(&mut self) -> Act {
        let name = self.name();
        let fields = json!({ "name": name, "scope": ["experienceUsers.get"], "status": "active" });
        self.post(Kind::Token, name, fields, &json!({}), self.world.clone())
    }

    fn patch_token(&mut self, random: &mut Random) -> Option<Act> {
        let name = random.one_of(self.world.tokens.keys().cloned())?;
        let status = if random.once_in(2) { "active" } else { "inactive" };
        let fields = json!({ "description": self.name(), "status": status });
        Some(self.patch(Kind::Token, name, &fields, &json!({}), self.world.clone()))
    }

    /// Removes one, and with it every membership; the groups in a group move up.
    fn delete(&self, kind: Kind, random: &mut Random) -> Option<Act> {
        let mut after = self.world.clone();
        let name = random.one_of(after.all_mut(kind).keys().cloned())?;
        after.all_mut(kind).remove(&name);
        after.members.retain(|(user, group)| *user != name && *group != name);
        let above = after.parents.remove(&name);
        let below: Vec<String> = after.parents.keys().cloned().collect();
        for group in below {
            match &above {
                _ if after.parents[&group] != name => {}
                Some(above) => drop(after.parents.insert(group, above.clone())),
                None => drop(after.parents.remove(&group)),
            }
        }
        let request = Request::new("DELETE", self.one(kind, &name), None);
        Some(Act { request, kind, name, after })
    }

    /// Takes the answer for what is now true.
    fn settle(&mut self, act: Act, answer: Answer) {
        let Act { request, kind, name, mut after } = act;
        // A 500 says nothing either way, as where a disk without power cannot be read. A 503 says whether
        // nothing was done, or nobody knows: then it is found out later.
        if answer.status == 500 || answer.status == 503 && answer.body["outcome"] == "unknown" {
            self.doubt = Some(Act { request, kind, name, after });
            return;
        }
        if answer.status == 503 {
            self.tally.refused += 1;
            return thread::sleep(PAUSE);
        }
        let expected = if request.method == "POST" { 201 } else { 200 };
        assert_eq!(answer.status, expected, "{request:?}: {}", answer.body);
        if request.method == "DELETE" {
            assert_eq!(answer.body, json!({ "success": true }));
        } else {
            let entity = kind.own_fields(answer.body.clone());
            assert!(is(&after.all_mut(kind)[&name], &entity), "{request:?}: {entity}");
            if let Some(token) = answer.body["token"].as_str() {
                self.tokens.insert(name.clone(), token.to_owned());
            }
            after.all_mut(kind).insert(name, entity);
        }
        let before = std::mem::replace(&mut self.world, after);
        self.recent.push_back((Instant::now(), before));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.tally.answered += 1;
        if request.key.is_some() {
            self.keyed = Some((request, answer.body));
        }
    }

    /// After a crash, when there is `actual`: all that was answered is there, and what was not is
    /// there as a whole or not at all, and done once when it is sent again. Where the power was `cut`,
    /// what was answered after that is in doubt too.
    pub(crate) fn recover(&mut self, actual: &World, client: &mut Client, cut: Option<Instant>) {
        let late = self.recent.drain(..).filter(|(at, _)| cut.is_some_and(|cut| *at >= cut));
        // What there may be, in the order in which it was.
        let mut worlds: Vec<World> = late.map(|(_, before)| before).collect();
        let answered = worlds.len();
        worlds.push(self.world.clone());
        let doubt = self.doubt.take();
        worlds.extend(doubt.as_ref().map(|act| act.after.clone()));
        let Some(found) = worlds.iter().rposition(|world| world.differences(actual).is_empty())
        else {
            let differences: Vec<_> =
                worlds.iter().map(|world| world.differences(actual)).collect();
            panic!(
                "writer {}: what is there is neither what was answered nor that and what was under \
                 way, {:?}, of {answered} that came after the power was cut: {differences:#?}",
                self.number,
                doubt.map(|act| act.request)
            );
        };
        self.world = actual.clone();
        if found < answered {
            // What was built upon what is gone is nothing to go on from.
            self.tally.undone += u32::try_from(answered - found).unwrap_or(u32::MAX);
            self.keyed = None;
            return;
        }
        let keyed = self.keyed.clone();
        if let Some(act) = doubt {
            let kept = found > answered;
            *(if kept { &mut self.tally.kept } else { &mut self.tally.lost }) += 1;
            if act.request.key.is_some() {
                self.send_again(act, kept, client);
            }
        }
        if let Some((request, body)) = keyed {
            self.expect_replay(&request, &body, client);
        }
    }

    fn send_again(&mut self, act: Act, kept: bool, client: &mut Client) {
        let request = act.request.clone();
        let answer = client.send(&request).expect("an answer");
        assert_eq!(answer.replayed, kept, "{request:?}");
        let body = answer.body.clone();
        self.settle(act, answer);
        self.expect_replay(&request, &body, client);
    }

    fn expect_replay(&mut self, request: &Request, body: &Value, client: &mut Client) {
        let again = client.send(request).expect("an answer");
        assert!(again.replayed, "{request:?}");
        // A token that is revoked by now is not told again.
        assert_eq!(Kind::Token.own_fields(again.body), Kind::Token.own_fields(body.clone()));
        self.tally.replayed += 1;
    }

    /// When nothing is in doubt any more: `actual` is what is expected, and tokens are good or not.
    pub(crate) fn check(&self, actual: &World, address: &str, random: &mut Random) {
        assert_eq!(self.world.differences(actual), [""; 0], "writer {}", self.number);
        let path = format!("{}?perPage=1", Kind::User.path(&self.application));
        let request = Request::new("GET", path, None);
        let status = |token: &str| {
            let mut client = Client::connect(address, token).expect("a connection");
            client.send(&request).expect("an answer").status
        };
        for _ in 0..2 {
            let Some((name, token)) = random.one_of(&self.tokens) else { return };
            // One that is revoked is not there.
            let there = self.world.tokens.get(name);
            let active = there.is_some_and(|there| there["status"] == "active");
            assert_eq!(status(token), if active { 200 } else { 401 }, "{name}");
        }
    }
}
