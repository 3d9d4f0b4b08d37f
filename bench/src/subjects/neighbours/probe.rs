//! The other tenant, which should notice nothing, with its administrator and whoever asks whether the
//! server is ready.

use crate::measure::Bench;
use crate::stats::{float, quantile};
use crate::target::{EMAIL, PASSWORD, Seeded};
use anyhow::{Result, anyhow};
use guestlist_bench::http::{Connection, request, request_with};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The network of the other tenant.
pub(super) const HOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How long there is between two sign-ins, and between two looks at whether the server is ready.
const PAUSE: Duration = Duration::from_millis(100);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Get,
    List,
    Patch,
    /// A PATCH with an `Idempotency-Key`.
    KeyedPatch,
    Password,
    SignIn,
    Ready,
}

impl Asked {
    pub(super) const ALL: [Self; 7] = [
        Self::Get,
        Self::List,
        Self::Patch,
        Self::KeyedPatch,
        Self::Password,
        Self::SignIn,
        Self::Ready,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::List => "list",
            Self::Patch => "PATCH",
            Self::KeyedPatch => "PATCH with a key",
            Self::Password => "PATCH of a password",
            Self::SignIn => "sign-in",
            Self::Ready => "`/readyz`",
        }
    }
}

/// What was seen in a turn.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    /// Milliseconds, by what was asked.
    millis: BTreeMap<Asked, Vec<f64>>,
    /// Sign-ins that were answered well, and within a second.
    signed_in: u64,
    /// How often something else than a 200 was the answer, and which.
    pub(super) unexpected: BTreeMap<(Asked, String), u64>,
}

impl Noticed {
    pub(super) fn p99(&self, what: Asked) -> f64 {
        let mut sorted = self.millis.get(&what).cloned().unwrap_or_default();
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, 0.99)
    }

    /// The share of sign-ins that were answered well, and within a second.
    pub(super) fn signed_in(&self) -> f64 {
        let tried = self.millis.get(&Asked::SignIn).map_or(0, Vec::len) as u64;
        float(self.signed_in) / float(tried.max(1))
    }

    pub(super) fn failed(&self) -> u64 {
        self.unexpected.values().sum()
    }

    pub(super) fn asked(&self) -> u64 {
        self.millis.values().map(|millis| millis.len() as u64).sum()
    }

    fn add(&mut self, other: Self) {
        for (what, millis) in other.millis {
            self.millis.entry(what).or_default().extend(millis);
        }
        for (what, count) in other.unexpected {
            *self.unexpected.entry(what).or_default() += count;
        }
        self.signed_in += other.signed_in;
    }

    /// Asks on a connection, which is opened if there is none.
    fn ask(&mut self, what: Asked, at: &mut At, request: &[u8]) {
        let began = Instant::now();
        let answer = at.open.take().map_or_else(|| Connection::open_from(HOME, at.to), Ok);
        let answer = answer.and_then(|mut open| Ok((open.send(request)?, open)));
        let took = began.elapsed();
        self.millis.entry(what).or_default().push(took.as_secs_f64() * 1000.0);
        let unexpected = match answer {
            Ok((answer, open)) => {
                at.open = Some(open).filter(|_| !answer.close);
                if answer.status == 200 {
                    let in_time = what == Asked::SignIn && took <= Duration::from_secs(1);
                    self.signed_in += u64::from(in_time);
                    return;
                }
                let message =
                    answer.json().ok().and_then(|json| Some(json.get("message")?.to_string()));
                format!("{} {}", answer.status, message.unwrap_or_default())
            }
            Err(error) => format!("no answer ({error})"),
        };
        *self.unexpected.entry((what, unexpected)).or_default() += 1;
    }
}

/// A server, and the connection with it.
struct At {
    to: SocketAddr,
    open: Option<Connection>,
}

/// What is done over and over.
type Work<'a> = dyn Fn(&mut Noticed, &mut At) + Sync + 'a;

/// What `other` notices in a turn.
pub(super) fn notice(bench: &Bench, other: &Seeded, to: SocketAddr) -> Result<Noticed> {
    let (users, ids) = (other.users_path(), other.all_ids()?);
    let done = AtomicBool::new(false);
    let until_done = |work: &Work<'_>| {
        let (mut seen, mut at) = (Noticed::default(), At { to, open: None });
        while !done.load(Ordering::Relaxed) {
            work(&mut seen, &mut at);
            thread::sleep(PAUSE);
        }
        seen
    };
    let sign_in = |seen: &mut Noticed, at: &mut At| {
        // Each on a connection of its own, as those who sign in have none.
        at.open = None;
        let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        seen.ask(Asked::SignIn, at, &request("POST", "/auth/user", "", &body));
    };
    let password = |seen: &mut Noticed, at: &mut At| {
        let body = json!({ "password": PASSWORD }).to_string();
        let path = format!("{users}/{}", ids[0]);
        seen.ask(Asked::Password, at, &request("PATCH", &path, &other.token, &body));
        // Half as often as somebody signs in.
        thread::sleep(PAUSE);
    };
    let ready = |seen: &mut Noticed, at: &mut At| {
        seen.ask(Asked::Ready, at, &request("GET", "/readyz", "", ""));
    };
    thread::scope(|scope| {
        let beside: [&Work<'_>; 3] = [&sign_in, &password, &ready];
        let until_done = &until_done;
        let beside = beside.map(|work| scope.spawn(move || until_done(work)));
        let (mut seen, mut at) = (Noticed::default(), At { to, open: None });
        let (began, mut round) = (Instant::now(), 0_usize);
        while began.elapsed().as_secs_f64() < bench.seconds {
            let user = format!("{users}/{}", ids[round % ids.len()]);
            let list = format!("{users}?perPage=10");
            let name = json!({ "firstName": format!("Visitor {round}") }).to_string();
            let key = format!("Idempotency-Key: {}\r\n", bench.next_run());
            let again = json!({ "firstName": format!("Visitor {round} again") }).to_string();
            let token = &other.token;
            for (what, request) in [
                (Asked::Get, request("GET", &user, token, "")),
                (Asked::List, request("GET", &list, token, "")),
                (Asked::Patch, request("PATCH", &user, token, &name)),
                (Asked::KeyedPatch, request_with(&key, "PATCH", &user, token, &again)),
            ] {
                seen.ask(what, &mut at, &request);
            }
            round += 1;
        }
        done.store(true, Ordering::Relaxed);
        for one in beside {
            seen.add(one.join().map_err(|_| anyhow!("a thread ended badly"))?);
        }
        Ok(seen)
    })
}
