//! What people ask of an application themselves: nothing tells who is a user, and nobody is one before they have read
//! their mail.

use crate::client::Answer;
use crate::mail::Backend;
use crate::world::{PASSWORD, World, forwarded};
use guestlist::mail::Received;
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::thread;

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const BOB: &str = "bob@example.com";
const CHOSEN: &str = "a passphrase of words";
const PAGE: &str = "https://app.example.com/link";
const MINUTE: i64 = 60 * 1000;

impl Backend<'_> {
    fn opens(&self, settings: &Value) {
        self.ask("PATCH", "/signIn", settings).expect(200);
    }

    fn is_open(&self) {
        let doors =
            json!({ "publicJson": true, "register": true, "forgot": true, "linkUrl": PAGE });
        self.opens(&doors);
    }

    fn visit(&self, rest: &str, body: &Value) -> Answer {
        visit(self.world, self.application, rest, body)
    }

    fn asks(&self, what: &str, email: &str) {
        let answer = self.visit(what, &json!({ "email": email })).expect(202);
        assert_eq!(answer.json(), json!({ "success": true }));
    }

    fn uses(&self, purpose: &str, token: &str, password: &str) -> Answer {
        let body = json!({ "token": token, "password": password });
        self.visit(&format!("links/{purpose}"), &body)
    }

    fn signs_in(&self, email: &str, password: &str) -> u16 {
        let body = json!({ "mode": "emailPassword", "email": email, "password": password });
        self.ask("POST", "/authenticate", &body).status
    }
}

fn visit(world: &World, application: ApplicationId, rest: &str, body: &Value) -> Answer {
    world.call("", "POST", &format!("/a/{application}/auth/{rest}"), body)
}

/// The mails since it was last asked.
fn mails(world: &World) -> Vec<Received> {
    let mails = world.mails();
    world.app.mail.inbox().unwrap().clear();
    mails
}

#[test]
fn a_door_that_is_closed_looks_like_an_application_that_is_not_there() {
    let world = World::new();
    let backend = Backend::new(&world);
    let gone: ApplicationId = "f".repeat(24).parse().unwrap();
    let asks = [
        ("register", json!({ "email": ADA })),
        ("forgot", json!({ "email": ADA })),
        ("links/reset", json!({ "token": "x", "password": CHOSEN })),
    ];
    let closed = [json!({}), json!({ "publicJson": true }), json!({ "publicJson": false })];
    for settings in closed {
        if settings != json!({}) {
            backend.opens(&settings);
        }
        for (rest, body) in &asks {
            if settings["publicJson"] == true && rest.starts_with("links") {
                continue;
            }
            let (there, nowhere) = (backend.visit(rest, body), visit(&world, gone, rest, body));
            assert_eq!((there.status, &there.body), (404, &nowhere.body), "{rest}");
            let without = |answer: &Answer| {
                let mut head = answer.headers.clone();
                head.retain(|(name, _)| {
                    !["x-request-id", "date"].contains(&name.to_lowercase().as_str())
                });
                head
            };
            assert_eq!(without(&there), without(&nowhere));
        }
    }
    assert_eq!(mails(&world), []);
}

#[test]
fn nobody_is_a_user_before_they_have_read_their_mail() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    backend.is_open();
    // Whoever it is that asks.
    backend.asks("register", EVE);
    assert_eq!(backend.signs_in(EVE, CHOSEN), 401);
    let [mail] = mails(&world).try_into().unwrap();
    assert_eq!((mail.purpose, mail.recipient.as_str()), (MailPurpose::Register, EVE));
    let token = mail.token.unwrap();
    let short = backend.uses("register", &token, "fourteen chars").expect(400);
    assert!(short.text().contains("it has to have 15 characters"), "{}", short.text());
    let used = backend.uses("register", &token, CHOSEN).expect(200);
    assert_eq!(used.json(), json!({ "success": true }));
    assert_eq!(backend.signs_in(EVE, CHOSEN), 200);
    let again = backend.uses("register", &token, "another passphrase");
    again.refused(410, "The link is not good any more: ask for a new one");

    // Nobody registers where that was switched off meanwhile.
    world.pass(2 * MINUTE);
    backend.asks("register", BOB);
    let [mail] = mails(&world).try_into().unwrap();
    let token = mail.token.unwrap();
    for (is_on, status) in [(false, 410), (true, 200)] {
        backend.opens(&json!({ "register": is_on }));
        assert_eq!(backend.uses("register", &token, CHOSEN).status, status);
    }
}

#[test]
fn what_is_answered_does_not_tell_who_is_a_user() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    backend.is_open();
    let rows = || world.write(|tx| tx.first::<i64>("SELECT count(*) FROM mails", &[])).unwrap();
    for what in ["register", "forgot"] {
        for email in [ADA, "ADA@Example.com", EVE] {
            world.pass(61 * MINUTE);
            let before = rows();
            backend.asks(what, email);
            // The same is written for everybody; a newer link takes the place of an older.
            assert_eq!(rows() - before, 1, "{what} {email}");
            mails(&world);
        }
    }
    world.pass(61 * MINUTE);
    for (what, email, purpose) in [
        ("register", ADA, Some(MailPurpose::AddressInUse)),
        ("register", EVE, Some(MailPurpose::Register)),
        ("forgot", ADA, Some(MailPurpose::Reset)),
        ("forgot", EVE, None),
    ] {
        backend.asks(what, email);
        let sent: Vec<_> = mails(&world).iter().map(|mail| mail.purpose).collect();
        assert_eq!(sent, purpose.into_iter().collect::<Vec<_>>(), "{what} {email}");
        world.pass(2 * MINUTE);
    }
    // Of what was not sent nothing is shown.
    assert!(
        !backend.mails().iter().any(|mail| mail["recipient"] == EVE && mail["purpose"] == "reset")
    );
    // What is wrong with an address is told, as it tells of nobody.
    backend.visit("forgot", &json!({ "email": "nobody" })).expect(400);
}

#[test]
fn a_forgotten_password_is_chosen_anew() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    backend.is_open();
    backend.asks("forgot", ADA);
    let [mail] = mails(&world).try_into().unwrap();
    assert!(mail.link.unwrap().starts_with(&format!("{PAGE}?purpose=reset&token=")));
    let token = mail.token.unwrap();
    backend.uses("reset", &token, CHOSEN).expect(200);
    assert_eq!([PASSWORD, CHOSEN].map(|password| backend.signs_in(ADA, password)), [401, 200]);
    // A link that nobody was sent makes no user, and no password.
    backend.asks("forgot", EVE);
    assert_eq!(backend.signs_in(EVE, CHOSEN), 401);
}

#[test]
fn a_stranger_has_nobody_flooded_with_mail() {
    let world = World::with(&crate::world::Options {
        manual_clock: true,
        ingress: forwarded(),
        ..crate::world::Options::default()
    });
    let backend = Backend::new(&world);
    backend.is_open();
    let path = format!("/a/{}/auth/forgot", backend.application);
    let from = |place: i64, email: &str| {
        let request = world.request("POST", &path).json(&json!({ "email": email }));
        let place = format!("10.{}.{}.1", place / 256, place % 256);
        request.header("X-Forwarded-For", &place).send().expect(202);
    };
    for number in 0..1000 {
        from(number, ADA);
        world.pass(3600);
    }
    assert_eq!(mails(&world).len(), 5);
    // One network, at many addresses.
    for number in 0..100 {
        world.user(backend.application, json!({ "email": format!("u{number}@example.com") }), &[]);
        from(5000, &format!("u{number}@example.com"));
    }
    assert_eq!(mails(&world).len(), 30);
}

#[test]
fn of_many_who_ask_at_once_one_has_mail_sent() {
    let world = World::new();
    let backend = Backend::new(&world);
    backend.is_open();
    for (what, email) in [("forgot", ADA), ("register", EVE)] {
        thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| backend.asks(what, email));
            }
        });
        assert_eq!(mails(&world).len(), 1, "{what}");
    }
}

#[test]
fn what_is_for_programs_of_this_server_is_nothing_to_a_visitor() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    backend.is_open();
    let path = format!("/a/{}/auth/forgot", backend.application);
    let body = json!({ "email": ADA });
    // No token is looked at, good or bad, wherever it is.
    for (number, token) in ["nonsense", &backend.token].into_iter().enumerate() {
        let query = format!("{path}?access_token={token}");
        world.pass(2 * MINUTE);
        world.request("POST", &query).token(token).json(&body).send().expect(202);
        assert_eq!(mails(&world).len(), 1, "{number}");
    }
    // And no answer is stored.
    for _ in 0..2 {
        let request = world.request("POST", &path).json(&body).header("Idempotency-Key", "a");
        request.send().expect(202);
    }
    let stored = world.write(|tx| tx.first::<i64>("SELECT count(*) FROM answers", &[]));
    assert_eq!(stored, Some(0));
    // A page of somebody else cannot have a browser ask without asking it first.
    let request = world.request("POST", &path).header("Origin", "https://evil.example");
    request
        .header("Content-Type", "text/plain")
        .body(br#"{"email":"ada@example.com"}"#)
        .send()
        .expect(415);
}
