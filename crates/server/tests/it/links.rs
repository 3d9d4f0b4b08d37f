//! Links: each is for one purpose, used once, and ends with what it was made for.

use crate::client::Answer;
use crate::mail::{Backend, with};
use crate::world::{PASSWORD, World};
use guestlist::mail::Received;
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::id::ApplicationId;
use serde_json::{Value, json};
use std::thread;

const ADA: &str = "ada@example.com";
const OTHER: &str = "An0ther-passw0rd";
const PAGE: &str = "https://app.example.com/link";
const MINUTE: i64 = 60 * 1000;
const PURPOSES: [&str; 5] = ["register", "invite", "reset", "verify", "changeAddress"];

impl Backend<'_> {
    fn change_address(&self, email: &str, more: Value) -> Answer {
        let path = format!("/users/{}/addressChange", self.ada.id);
        self.ask("POST", &path, &with(json!({ "email": email, "linkUrl": PAGE }), more))
    }

    fn use_link(&self, purpose: &str, token: &str, more: Value) -> Answer {
        let takes_password = ["register", "invite", "reset"].contains(&purpose);
        let password = takes_password.then(|| json!({ "password": OTHER }));
        let body = with(json!({ "token": token }), password.unwrap_or_else(|| json!({})));
        self.ask("POST", &format!("/links/{purpose}"), &with(body, more))
    }

    fn sign_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "mode": "emailPassword", "email": email, "password": password });
        self.ask("POST", "/authenticate", &body)
    }

    fn patch(&self, body: &Value) {
        self.ask("PATCH", &format!("/users/{}", self.ada.id), body).expect(200);
    }
}

/// The secret of a link that nobody mailed.
fn secret(made: &Answer) -> String {
    secret_of(made.json()["link"].as_str().unwrap())
}

fn secret_of(link: &str) -> String {
    link.split_once("token=").unwrap().1.to_owned()
}

#[track_caller]
fn is_gone(answer: &Answer) {
    answer.refused(410, "The link is not good any more: ask for a new one");
}

fn last(world: &World, purpose: MailPurpose) -> Received {
    let mails = world.mails();
    mails.into_iter().rfind(|mail| mail.purpose == purpose).unwrap()
}

#[test]
fn a_password_is_reset_by_whoever_reads_the_mail() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let before = backend.sign_in(ADA, PASSWORD).expect(200).json();
    world.pass(1000);
    backend.reset(json!({})).expect(202);
    let mail = last(&world, MailPurpose::Reset);
    assert_eq!(mail.recipient, ADA);
    let link = mail.link.unwrap();
    assert!(link.starts_with(&format!("{PAGE}?purpose=reset&token=")), "{link}");
    let token = secret_of(&link);
    // What is wrong with the rest is told, and does not use it.
    let path = "/links/reset";
    backend.ask("POST", path, &json!({ "token": token })).refused(400, "link.password is required");
    let short = json!({ "token": token, "password": "short" });
    backend.ask("POST", path, &short).expect(400);
    let named = json!({ "token": token, "password": OTHER, "firstName": "Eve" });
    backend.ask("POST", path, &named).expect(400);

    let answer = backend.use_link("reset", &token, json!({})).expect(200).json();
    let user = &answer["experienceUser"];
    assert_eq!(user["id"], backend.ada.id.to_string());
    assert_eq!(user["passwordLastUpdated"], world.now().to_string());
    is_gone(&backend.use_link("reset", &token, json!({})));
    backend.sign_in(ADA, PASSWORD).expect(401);
    backend.sign_in(ADA, OTHER).expect(200);
    // Whoever knew the old one is out.
    let shown = json!({ "token": before["token"] });
    let verified = backend.ask("POST", "/verifyToken", &shown).expect(200).json();
    assert_eq!(verified, json!({ "active": false }));
    assert_eq!(last(&world, MailPurpose::PasswordChanged).recipient, ADA);
}

#[test]
fn an_invitation_makes_a_user_who_is_as_it_says() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let (staff, gone) = (
        world.group(backend.application, json!({ "name": "Staff" })),
        world.group(backend.application, json!({ "name": "Gone" })),
    );
    let details = json!({
        "firstName": "Bob", "lastName": "Builder", "userTags": { "plan": "gold" },
        "experienceGroupIds": [staff.id.to_string(), gone.id.to_string()],
    });
    let made = backend.invite("bob@example.com", details).expect(201).json();
    assert_eq!(made["expirationDate"], world.now().plus_millis(7 * 24 * 60 * MINUTE).to_string());
    assert_eq!((made.get("link"), &made["firstName"]), (None, &json!("Bob")));
    // There is nobody until then.
    backend.sign_in("bob@example.com", OTHER).expect(401);
    let users =
        || backend.ask("GET", "/users", &Value::Null).expect(200).json()["totalCount"].clone();
    assert_eq!(users(), 1);
    let listed = backend.ask("GET", "/invitations", &Value::Null).expect(200).json();
    assert_eq!((&listed["totalCount"], &listed["items"][0]["id"]), (&json!(1), &made["id"]));

    backend.ask("DELETE", &format!("/groups/{}", gone.id), &Value::Null).expect(200);
    let mail = last(&world, MailPurpose::Invite);
    assert_eq!(mail.subject, "You are invited to Demo");
    let token = mail.token.unwrap();
    let more = json!({ "lastName": "Baumeister" });
    let answer = backend.use_link("invite", &token, more).expect(200).json();
    let user = &answer["experienceUser"];
    assert_eq!((&user["firstName"], &user["lastName"]), (&json!("Bob"), &json!("Baumeister")));
    assert_eq!(user["userTags"], json!({ "plan": "gold" }));
    let groups = user["experienceGroups"].as_array().unwrap();
    assert_eq!((groups.len(), &groups[0]["name"]), (1, &json!("Staff")));
    backend.sign_in("bob@example.com", OTHER).expect(200);
    assert_eq!(users(), 2);
    is_gone(&backend.use_link("invite", &token, json!({})));
    assert_eq!(backend.ask("GET", "/invitations", &Value::Null).json()["totalCount"], 0);
    // Who is there is not invited.
    let again = backend.invite("BOB@example.com", json!({}));
    again.refused(409, "Email address \"BOB@example.com\" already exists");
    let body = json!({ "experienceGroupIds": [gone.id.to_string()] });
    let answer = backend.invite("carol@example.com", body).expect(400);
    assert!(
        answer.text().contains("experienceInvitation.experienceGroupIds.0"),
        "{}",
        answer.text()
    );
}

#[test]
fn an_invitation_is_taken_back() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let made = backend.invite("bob@example.com", json!({ "sendMail": false })).expect(201);
    let token = secret(&made);
    let path = format!("/invitations/{}", made.json()["id"].as_str().unwrap());
    backend.ask("DELETE", &path, &Value::Null).expect(200);
    backend.ask("DELETE", &path, &Value::Null).refused(404, "Experience invitation was not found");
    is_gone(&backend.use_link("invite", &token, json!({})));
}

#[test]
fn an_address_is_had_by_whoever_reads_its_mail() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let verified = || {
        world.write(|tx| {
            tx.first::<i64>(
                "SELECT count(*) FROM experience_users WHERE email_verified IS NOT NULL",
                &[],
            )
        })
    };
    // The one that there is.
    let made = backend.change_address("ADA@example.com", json!({ "sendMail": false })).expect(202);
    let token = secret(&made);
    is_gone(&backend.use_link("changeAddress", &token, json!({})));
    assert_eq!(verified(), Some(0));
    backend.use_link("verify", &token, json!({})).expect(200);
    assert_eq!(verified(), Some(1));
    // Another that REST sets is not known to be theirs.
    backend.patch(&json!({ "email": "ada2@example.com" }));
    assert_eq!(verified(), Some(0));
    backend.patch(&json!({ "email": ADA }));

    let reset = backend.reset(json!({ "sendMail": false })).expect(202);
    let reset = secret(&reset);
    backend.change_address("ada@new.example", json!({})).expect(202);
    let mail = last(&world, MailPurpose::ChangeAddress);
    assert_eq!(mail.recipient, "ada@new.example");
    let used =
        backend.use_link("changeAddress", &mail.token.unwrap(), json!({})).expect(200).json();
    assert_eq!(used["experienceUser"]["email"], "ada@new.example");
    assert_eq!(verified(), Some(1));
    backend.sign_in("ada@new.example", PASSWORD).expect(200);
    // The old one is told, and what was mailed there ends.
    let told = last(&world, MailPurpose::AddressChanged);
    assert_eq!(told.recipient, ADA);
    assert!(told.text.contains("a…@new.example"), "{}", told.text);
    is_gone(&backend.use_link("reset", &reset, json!({})));

    world.user(backend.application, json!({ "email": "bob@example.com" }), &[]);
    backend.change_address("bob@example.com", json!({})).expect(409);
    // Somebody is faster.
    let made =
        backend.change_address("carol@example.com", json!({ "sendMail": false })).expect(202);
    world.user(backend.application, json!({ "email": "Carol@example.com" }), &[]);
    is_gone(&backend.use_link("changeAddress", &secret(&made), json!({})));
}

/// A link of each purpose that a backend makes.
fn one_of_each(backend: &Backend<'_>) -> Vec<(&'static str, String)> {
    let quiet = || json!({ "sendMail": false });
    let made = [
        ("invite", backend.invite("bob@example.com", quiet()).expect(201)),
        ("reset", backend.reset(quiet()).expect(202)),
        ("verify", backend.change_address(ADA, quiet()).expect(202)),
        ("changeAddress", backend.change_address("ada@new.example", quiet()).expect(202)),
    ];
    made.map(|(purpose, made)| (purpose, secret(&made))).into()
}

#[test]
fn a_link_is_for_one_purpose_in_one_application_and_for_so_long() {
    let world = World::standing_still();
    let (backend, other) = (Backend::new(&world), Backend::new(&world));
    let links = one_of_each(&backend);
    for (purpose, token) in &links {
        for wrong in PURPOSES.iter().filter(|wrong| *wrong != purpose) {
            is_gone(&backend.use_link(wrong, token, json!({})));
        }
        is_gone(&other.use_link(purpose, token, json!({})));
        for wrong in
            [format!("{token}A"), token[1..].to_owned(), String::new(), token.to_uppercase()]
        {
            is_gone(&backend.use_link(purpose, &wrong, json!({})));
        }
    }
    // None of it has used one. A reset ends the others of its user.
    for (purpose, token) in [&links[0], &links[2], &links[1]] {
        backend.use_link(purpose, token, json!({})).expect(200);
        is_gone(&backend.use_link(purpose, token, json!({})));
    }

    let backend = Backend::new(&world);
    let reset = |ttl: i64| {
        let made = backend.reset(json!({ "sendMail": false, "ttl": ttl })).expect(202);
        secret(&made)
    };
    let token = reset(MINUTE);
    world.pass(MINUTE);
    is_gone(&backend.use_link("reset", &token, json!({})));
    let token = reset(MINUTE);
    world.pass(MINUTE - 1);
    backend.use_link("reset", &token, json!({})).expect(200);
    // A newer one takes the place of an older.
    let (older, newer) = (reset(MINUTE), reset(MINUTE));
    is_gone(&backend.use_link("reset", &older, json!({})));
    backend.use_link("reset", &newer, json!({})).expect(200);
    let refused = backend.ask("POST", "/links/polish", &json!({ "token": "x" })).expect(400);
    assert!(refused.text().contains("purpose must be one of: register"), "{}", refused.text());
}

#[test]
fn what_changes_of_a_user_ends_links() {
    let world = World::standing_still();
    for (body, ended) in [
        (json!({ "firstName": "Augusta" }), &[][..]),
        (json!({ "password": OTHER }), &["reset", "changeAddress"]),
        (json!({ "email": "ada@else.example" }), &["reset", "verify", "changeAddress"]),
    ] {
        for which in 0..4 {
            let backend = Backend::new(&world);
            let (purpose, token) = one_of_each(&backend).remove(which);
            world.pass(1);
            backend.patch(&body);
            let answer = backend.use_link(purpose, &token, json!({}));
            let status = if ended.contains(&purpose) { 410 } else { 200 };
            assert_eq!(answer.status, status, "{body} {purpose}");
        }
    }
    let backend = Backend::new(&world);
    let links = one_of_each(&backend);
    backend.ask("DELETE", &format!("/users/{}", backend.ada.id), &Value::Null).expect(200);
    for (purpose, token) in links.iter().filter(|(purpose, _)| *purpose != "invite") {
        is_gone(&backend.use_link(purpose, token, json!({})));
    }
    let backend = Backend::new(&world);
    let made = backend.invite("bob@example.com", json!({ "sendMail": false })).expect(201);
    world.user(backend.application, json!({ "email": "Bob@example.com" }), &[]);
    is_gone(&backend.use_link("invite", &secret(&made), json!({})));
}

#[test]
fn of_many_who_use_a_link_at_once_one_does() {
    let world = World::new();
    let backend = Backend::new(&world);
    for (purpose, token) in one_of_each(&backend).into_iter().take(2) {
        let used = thread::scope(|threads| {
            let use_it = || backend.use_link(purpose, &token, json!({})).status;
            let all: Vec<_> = (0..8).map(|_| threads.spawn(use_it)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        let count = |status| used.iter().filter(|&&one| one == status).count();
        assert_eq!((count(200), count(410)), (1, 7), "{purpose} {used:?}");
    }
}

#[test]
fn nothing_of_a_secret_is_stored() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    backend.reset(json!({})).expect(202);
    backend.invite("bob@example.com", json!({})).expect(201);
    let tokens: Vec<_> = world.mails().into_iter().map(|mail| mail.token.unwrap()).collect();
    assert_eq!(tokens.len(), 2);
    let stored = world.write(|tx| {
        let mut all = tx.all::<String>("SELECT details FROM links", &[])?;
        all.extend(tx.all::<String>("SELECT details FROM mails", &[])?);
        all.extend(tx.all::<String>("SELECT coalesce(error, '') FROM mails", &[])?);
        Ok(all)
    });
    let secrets = world.write(|tx| tx.all::<Vec<u8>>("SELECT secret FROM links", &[]));
    for token in &tokens {
        assert!(!stored.iter().any(|text| text.contains(token)));
        assert!(!secrets.iter().any(|secret| secret == token.as_bytes()));
        assert!(secrets.iter().all(|secret| secret.len() == 32));
    }
    // Nor can it be made again.
    let seeds =
        world.write(|tx| tx.first::<i64>("SELECT count(*) FROM mails WHERE seed IS NOT NULL", &[]));
    assert_eq!(seeds, Some(0));
}

#[test]
fn a_header_of_a_request_is_in_no_link() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let application: ApplicationId = backend.application;
    let path =
        format!("/applications/{application}/experience/users/{}/passwordReset", backend.ada.id);
    let mut request = world.request("POST", &path).token(&backend.token);
    for (name, value) in [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "http"),
        ("Forwarded", "host=evil.example;proto=http"),
        ("Origin", "https://evil.example"),
    ] {
        request = request.header(name, value);
    }
    request.header("Host", "evil.example").json(&json!({ "linkUrl": PAGE })).send().expect(202);
    let mail = last(&world, MailPurpose::Reset);
    for part in [&mail.text, &mail.html, &mail.subject] {
        assert!(!part.contains("evil"), "{part}");
    }
}
