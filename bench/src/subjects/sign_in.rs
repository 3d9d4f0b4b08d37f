//! Signing in: administrators, and the users of applications, as their backends ask.

use super::hashing::goal;
use super::neighbours::attackers::{Scene, one_network};
use super::writes::slower;
use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::process::Running;
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, number};
use crate::target::{EMAIL, PASSWORD, Seeded, hashes};
use anyhow::Result;
use guestlist_bench::http::{Connection, request};
use serde_json::json;

/// Those who show no token have half of the places, and so have users.
const SIGNING_IN: usize = 4;
/// So many times as many as sign in elsewhere.
const MANY: u64 = 10;
/// GETs a second beside all of that.
const RATE: f64 = 2000.0;

pub(super) fn login(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "login",
        "Signing in",
        "An administrator signs in, over 4 connections, beside the bare hash as above. Then a user of an \
         application, as its backend asks; the same while the backend of another application asks for ten times \
         as many, with addresses that nobody has, each from another network; and GETs at a fixed rate beside those.",
    );
    let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
    let other = copy.seeded.beside(bench, "signs-in", 10)?;
    let server = copy.seeded.serve(bench)?;
    let url = format!("http://{}/auth/user", server.address);
    let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    let load = Load {
        body: Some(("POST", body)),
        ..Load::get(To::One(url), &copy.seeded.token, SIGNING_IN, bench.seconds)
    };
    bench.load(&load)?;
    let (mut bare, mut signed, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        bare.push(hashes(bench, bench.seconds)?);
        let (seen, took) = server.watch(None, || bench.load(&load))?;
        signed.push(seen);
        watched.push(took);
    }
    page.series("sign-in, 4 connections", &signed, &watched);
    page.goal(goal("sign-in", &signed, &bare, Bound::None));
    users(bench, &mut page, (&copy.seeded, &other), &server)?;
    server.stop()?;
    Ok(page)
}

/// Measures sign-ins of users of `own`, alone and beside those of `other`, which does its worst.
fn users(
    bench: &Bench,
    page: &mut Page,
    (own, other): (&Seeded, &Seeded),
    server: &Running,
) -> Result<()> {
    let email = "signs.in@bench.example";
    let user = json!({ "email": email, "password": PASSWORD }).to_string();
    let made = request("POST", &own.users_path(), &own.token, &user);
    Connection::open(server.address)?.expect(201, &made)?;
    let body = json!({
        "mode": "emailPassword", "email": email, "password": PASSWORD, "maxAge": 3_600_000,
    });
    let url = format!("http://{}{}/authenticate", server.address, own.experience());
    let sign_in = Load {
        body: Some(("POST", body.to_string())),
        ..Load::get(To::One(url), &own.token, SIGNING_IN, bench.seconds)
    };
    bench.load(&sign_in)?;

    let (path, token) = (format!("{}/authenticate", other.experience()), other.token.clone());
    let threads = MANY * u64::try_from(SIGNING_IN)?;
    let storm = Scene::asking(
        "wrong passwords",
        threads,
        (server.address, one_network),
        move |n| {
            let body = json!({
                "mode": "emailPassword", "email": format!("nobody{n}@bench.example"),
                "password": "A-bad-passw0rd",
                "client": { "address": format!("2001:db8:{:x}:{:x}::1", n / 65_536 % 65_536, n % 65_536) },
            });
            request("POST", &path, &token, &body.to_string())
        },
    );
    let urls = To::Any(own.urls(bench, server, Some(10_000))?);
    let get = Load::get(urls, &own.token, 16, bench.seconds).at(RATE);

    let (mut bare, mut alone, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    let (mut beside, mut quiet, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        bare.push(hashes(bench, bench.seconds)?);
        let (seen, took) = server.watch(None, || bench.load(&sign_in))?;
        alone.push(seen);
        watched.push(took);
        beside.push(storm.during(|| bench.load(&sign_in))?.0);
        quiet.push(bench.load(&get)?);
        busy.push(storm.during(|| bench.load(&get))?.0);
    }
    page.series("sign-in of a user, 4 connections", &alone, &watched);
    page.series("the same, while another application has ten times as many", &beside, &[]);
    page.series("GET, 2,000 a second, nothing else", &quiet, &[]);
    page.series("GET, 2,000 a second, beside those", &busy, &[]);
    page.goal(goal("sign-in of a user", &alone, &bare, Bound::AtLeast(0.90, 0.97)));
    page.goal(kept(&beside, &alone));
    let what = "GET p99 at a fixed rate while another application signs in";
    page.goal(slower(what, &quiet, &busy, Bound::AtMost(3.0, 1.5)));
    Ok(())
}

/// What is left of the sign-ins of one application beside those of another.
fn kept(beside: &[Seen], alone: &[Seen]) -> Goal {
    let rate = |seen: &[Seen]| number(Spread::of(seen.iter().map(|seen| seen.rate)).median);
    Goal {
        what: "sign-in of a user, beside ten times as many of another application".into(),
        ours: format!("{}/s", rate(beside)),
        base: format!("{}/s alone", rate(alone)),
        figure: Spread::of(beside.iter().zip(alone).map(|(one, other)| one.rate / other.rate)),
        unit: "",
        bound: Bound::AtLeast(0.40, 0.50),
    }
}
