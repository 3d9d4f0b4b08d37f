//! What one tenant, or somebody without any token, can do to the others: scenes of the worst, and another
//! tenant that reads, lists, writes and signs in beside each.

use crate::measure::Bench;
use crate::process::Running;
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, float, number, quantile};
use crate::target::{EMAIL, PASSWORD, Seeded};
use anyhow::{Context as _, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use guestlist_bench::http::{Connection, request};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The users of the tenant that should notice nothing.
const FEW: u64 = 500;

/// What the other tenant saw: milliseconds, by what it did.
#[derive(Debug, Default)]
struct Noticed {
    get: Vec<f64>,
    list: Vec<f64>,
    patch: Vec<f64>,
    sign_in: Vec<f64>,
    /// Answers that were not 200, or 200 after over a second where somebody signed in.
    failed: u64,
    asked: u64,
}

impl Noticed {
    fn p99(millis: &[f64]) -> f64 {
        let mut sorted = millis.to_vec();
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, 0.99)
    }

    fn slow_sign_ins(&self) -> f64 {
        let slow = self.sign_in.iter().filter(|millis| **millis > 1000.0).count();
        float(slow as u64) / float(self.sign_in.len().max(1) as u64)
    }
}

/// One that does its worst until it is told to stop, and counts what it was answered.
type Attack = Box<dyn Fn(&AtomicBool) -> Result<u64> + Send + Sync>;

struct Scene {
    name: &'static str,
    /// How many do it at once.
    threads: usize,
    attack: Attack,
}

/// Sends `bytes` over and over on one connection, which is made anew when the server closes it.
fn over_and_over(to: SocketAddr, bytes: &[u8], stop: &AtomicBool) -> Result<u64> {
    let mut answered = 0;
    let mut connection = Connection::open(to)?;
    while !stop.load(Ordering::Relaxed) {
        match connection.send(bytes) {
            Ok(_) => answered += 1,
            Err(_) => connection = Connection::open(to)?,
        }
    }
    Ok(answered)
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
        out
    })
}

/// A body that is a kilobyte when packed, and a megabyte when not.
fn bomb() -> Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(format!("[{}0]", "{\"a\":0},".repeat(130_000)).as_bytes())?;
    Ok(packer.finish()?)
}

fn packed(path: &str, token: &str, body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Content-Encoding: gzip\r\nContent-Length: {}\r\n",
        body.len()
    );
    if !token.is_empty() {
        head += &format!("Authorization: Bearer {token}\r\n");
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// The scenes, with `one` as the tenant that does its worst.
fn scenes(one: &Seeded, to: SocketAddr) -> Result<Vec<Scene>> {
    let users = one.users_path();
    let ids = one.all_ids()?;
    let group = "ffffffffffffffffffffffff";
    let condition = json!({ "experienceGroupId": { "$gt": group } });
    let query = escaped(&json!({ "$nor": vec![condition; 30] }).to_string());
    let long = request("GET", &format!("{users}?query={query}"), &one.token, "");
    let leave = long.clone();
    let tags: Value = (0..1000).map(|tag| (format!("t{tag}"), json!("v"))).collect();
    let other: Value = (0..1000).map(|tag| (format!("t{tag}"), json!("w"))).collect();
    let large = [tags, other].map(|tags| {
        let body = json!({ "userTags": tags }).to_string();
        request("PATCH", &format!("{users}/{}", ids[0]), &one.token, &body)
    });
    let bomb = bomb()?;
    let (nobody, somebody) = (packed(&users, "", &bomb), packed(&users, &one.token, &bomb));
    let password = json!({ "password": PASSWORD }).to_string();
    let hashes = request("PATCH", &format!("{users}/{}", ids[1]), &one.token, &password);
    let number = AtomicU64::new(0);
    Ok(vec![
        Scene { name: "nothing", threads: 0, attack: Box::new(|_| Ok(0)) },
        Scene {
            name: "four long queries at a time",
            threads: 4,
            attack: Box::new(move |stop| over_and_over(to, &long, stop)),
        },
        Scene {
            name: "long queries that nobody waits for",
            threads: 4,
            attack: Box::new(move |stop| {
                let mut sent = 0;
                while !stop.load(Ordering::Relaxed) {
                    Connection::open(to)?.leave(&leave)?;
                    sent += 1;
                    thread::sleep(Duration::from_millis(200));
                }
                Ok(sent)
            }),
        },
        Scene {
            name: "a thousand tags changed over and over, eight at a time",
            threads: 8,
            attack: Box::new(move |stop| {
                let (mut answered, mut connection) = (0, Connection::open(to)?);
                while !stop.load(Ordering::Relaxed) {
                    connection.send(&large[usize::from(answered % 2 == 1)])?;
                    answered += 1;
                }
                Ok(answered)
            }),
        },
        Scene {
            name: "a megabyte in a kilobyte without a token, 32 at a time",
            threads: 32,
            attack: Box::new(move |stop| over_and_over(to, &nobody, stop)),
        },
        Scene {
            name: "a megabyte in a kilobyte with a token, 16 at a time",
            threads: 16,
            attack: Box::new(move |stop| over_and_over(to, &somebody, stop)),
        },
        Scene {
            name: "passwords of users changed, 16 at a time",
            threads: 16,
            attack: Box::new(move |stop| over_and_over(to, &hashes, stop)),
        },
        Scene {
            name: "strangers who sign in to accounts that nobody has, 24 at a time",
            threads: 24,
            attack: Box::new(move |stop| {
                let (mut answered, mut connection) = (0, Connection::open(to)?);
                while !stop.load(Ordering::Relaxed) {
                    let email =
                        format!("nobody{}@example.com", number.fetch_add(1, Ordering::Relaxed));
                    let body = json!({ "email": email, "password": "A-bad-passw0rd" }).to_string();
                    connection.send(&request("POST", "/auth/user", "", &body))?;
                    answered += 1;
                }
                Ok(answered)
            }),
        },
    ])
}

/// What `other` notices in a turn, beside whoever signs in.
fn notice(bench: &Bench, other: &Seeded, server: &Running) -> Result<Noticed> {
    let (to, users, ids) = (server.address, other.users_path(), other.all_ids()?);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let signing_in = scope.spawn(|| -> Result<Noticed> {
            let mut seen = Noticed::default();
            let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
            let mut connection = Connection::open(to)?;
            while !done.load(Ordering::Relaxed) {
                let began = Instant::now();
                let answer = connection.send(&request("POST", "/auth/user", "", &body))?;
                seen.sign_in.push(began.elapsed().as_secs_f64() * 1000.0);
                seen.failed += u64::from(answer.status != 200);
                seen.asked += 1;
                thread::sleep(Duration::from_millis(100));
            }
            Ok(seen)
        });
        let mut seen = Noticed::default();
        let mut connection = Connection::open(to)?;
        let (began, mut round) = (Instant::now(), 0_usize);
        while began.elapsed().as_secs_f64() < bench.seconds {
            let id = &ids[round % ids.len()];
            let name = json!({ "firstName": format!("Visitor {round}") }).to_string();
            let asked = [
                request("GET", &format!("{users}/{id}"), &other.token, ""),
                request("GET", &format!("{users}?perPage=10"), &other.token, ""),
                request("PATCH", &format!("{users}/{id}"), &other.token, &name),
            ];
            let kinds = [&mut seen.get, &mut seen.list, &mut seen.patch];
            for (asked, kind) in asked.iter().zip(kinds) {
                let began = Instant::now();
                let answer = connection.send(asked)?;
                kind.push(began.elapsed().as_secs_f64() * 1000.0);
                seen.failed += u64::from(answer.status != 200);
                seen.asked += 1;
            }
            round += 1;
        }
        let ready = connection.send(&request("GET", "/readyz", "", ""))?;
        seen.failed += u64::from(ready.status != 200);
        done.store(true, Ordering::Relaxed);
        let mut signed_in = signing_in.join().ok().context("a thread ended badly")??;
        seen.sign_in.append(&mut signed_in.sign_in);
        seen.failed += signed_in.failed;
        seen.asked += signed_in.asked + 1;
        Ok(seen)
    })
}

/// The same, while `scene` goes on; and how often that was answered.
fn beside(
    bench: &Bench,
    scene: &Scene,
    (other, server): (&Seeded, &Running),
) -> Result<(Noticed, u64)> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let attackers: Vec<_> =
            (0..scene.threads).map(|_| scope.spawn(|| (scene.attack)(&stop))).collect();
        thread::sleep(Duration::from_millis(500));
        let noticed = notice(bench, other, server);
        stop.store(true, Ordering::Relaxed);
        let mut answered = 0;
        for attacker in attackers {
            answered += attacker.join().ok().context("a thread ended badly")??;
        }
        Ok((noticed?, answered))
    })
}

pub(super) fn neighbours(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "neighbours",
        "Neighbours",
        "One tenant, or somebody without any token, does the worst that is known, over and over. Another \
         tenant, of 500 users, reads one of them, lists ten, changes one, and so on over one connection, and an \
         administrator signs in ten times a second at most. The scene called nothing is the same without any \
         of the worst, in the same rounds. Server, load and the other tenant share all processors.",
    );
    let copy = Seeded::with(bench, bench.users)?.copy(bench)?;
    let other = copy.seeded.beside(bench, FEW)?;
    let server = copy.seeded.serve(bench)?;
    let scenes = scenes(&copy.seeded, server.address)?;
    notice(bench, &other, &server)?;
    let mut rounds: Vec<Vec<Noticed>> = scenes.iter().map(|_| Vec::new()).collect();
    for _ in 0..bench.rounds {
        for (scene, seen) in scenes.iter().zip(&mut rounds) {
            let (noticed, answered) = beside(bench, scene, (&other, &server))?;
            ensure!(scene.threads == 0 || answered > 0, "{}: nothing was answered", scene.name);
            println!(
                "{}: GET p99 {:.1} ms, PATCH p99 {:.1} ms, {} of {} failed",
                scene.name,
                Noticed::p99(&noticed.get),
                Noticed::p99(&noticed.patch),
                noticed.failed,
                noticed.asked
            );
            seen.push(noticed);
        }
    }
    let mut table = String::from(
        "| Beside | GET p99, ms | list p99, ms | PATCH p99, ms | sign-in p99, ms | Failed |\n\
         |---|---|---|---|---|---|\n",
    );
    let quiet = rounds.first().context("no rounds")?;
    let of = |seen: &[Noticed], what: fn(&Noticed) -> f64| Spread::of(seen.iter().map(what));
    let get = |seen: &Noticed| Noticed::p99(&seen.get);
    let patch = |seen: &Noticed| Noticed::p99(&seen.patch);
    let (quiet_get, quiet_patch) = (of(quiet, get).median, of(quiet, patch).median);
    for (scene, seen) in scenes.iter().zip(&rounds) {
        let failed: u64 = seen.iter().map(|seen| seen.failed).sum();
        let asked: u64 = seen.iter().map(|seen| seen.asked).sum();
        table += &format!(
            "| {} | {} | {} | {} | {} | {failed} of {asked} |\n",
            scene.name,
            of(seen, get),
            of(seen, |seen| Noticed::p99(&seen.list)),
            of(seen, patch),
            of(seen, |seen| Noticed::p99(&seen.sign_in)),
        );
        if scene.threads == 0 {
            continue;
        }
        // What is allowed is a multiple of what is quiet, or so little that nobody minds.
        for (what, quiet, most, figure) in [
            ("GET", quiet_get, (3.0 * quiet_get).max(20.0), of(seen, get)),
            ("PATCH", quiet_patch, (5.0 * quiet_patch).max(100.0), of(seen, patch)),
        ] {
            page.goal(Goal {
                what: format!("{what} p99 beside {}", scene.name),
                ours: format!("{} ms", number(figure.median)),
                base: format!("{} ms", number(quiet)),
                figure,
                unit: " ms",
                bound: Bound::AtMost(most, quiet),
            });
        }
        page.goal(Goal {
            what: format!("failures beside {}", scene.name),
            ours: failed.to_string(),
            base: "0".into(),
            figure: Spread::of([float(failed)]),
            unit: "",
            bound: Bound::AtMost(0.0, 0.0),
        });
        page.goal(Goal {
            what: format!("sign-ins of over a second beside {}", scene.name),
            ours: String::new(),
            base: String::new(),
            figure: of(seen, Noticed::slow_sign_ins),
            unit: "",
            bound: Bound::AtMost(0.05, 0.0),
        });
    }
    page.tables.push(table);
    server.stop()?;
    Ok(page)
}
