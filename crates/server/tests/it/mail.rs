//! Mail to users: that it is sent for what was committed and for nothing else, at least once, and not too often.

use crate::client::Answer;
use crate::world::{NOON, Options, World};
use guestlist::mail::MailSettings;
use guestlist::rows::tenant::AuthorizedApp;
use guestlist::tokens::rows::Principal;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ApplicationId;
use guestlist_testbed::{MailFate, MailServer};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const PAGE: &str = "https://app.example.com/link";
const MINUTE: i64 = 60 * 1000;

/// An application with a user, and its backend.
pub(crate) struct Backend<'w> {
    pub(crate) world: &'w World,
    pub(crate) application: ApplicationId,
    pub(crate) ada: ExperienceUser,
    pub(crate) token: String,
}

impl<'w> Backend<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let application = world.application("Demo");
        let ada = world.user(application, json!({ "email": ADA }), &[]);
        let token = world.token(Principal::Application(application), "all.Application");
        Self { world, application, ada, token }
    }

    pub(crate) fn ask(&self, method: &str, rest: &str, body: &Value) -> Answer {
        let path = format!("/applications/{}/experience{rest}", self.application);
        self.world.call(&self.token, method, &path, body)
    }

    /// Has a link be made for Ada to choose a password.
    pub(crate) fn reset(&self, more: Value) -> Answer {
        let path = format!("/users/{}/passwordReset", self.ada.id);
        self.ask("POST", &path, &with(json!({ "linkUrl": PAGE }), more))
    }

    pub(crate) fn invite(&self, email: &str, more: Value) -> Answer {
        let body = with(json!({ "email": email, "linkUrl": PAGE }), more);
        self.ask("POST", "/invitations", &body)
    }

    pub(crate) fn mails(&self) -> Vec<Value> {
        let page = self.ask("GET", "/mails", &Value::Null).expect(200).json();
        page["items"].as_array().unwrap().clone()
    }

    /// The one mail that there is.
    fn mail(&self) -> Value {
        let mut mails = self.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }
}

pub(crate) fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more} is no object") };
    body.as_object_mut().unwrap().extend(more);
    body
}

fn over(server: &MailServer) -> World {
    let mail = MailSettings::smtp(&server.url(), "Guests <guests@example.com>").unwrap();
    World::with(&Options { manual_clock: true, mail: Some(mail), ..Options::default() })
}

#[test]
fn a_mail_is_sent_over_smtp_and_forgets_its_secret() {
    let server = MailServer::start();
    let world = over(&server);
    let backend = Backend::new(&world);
    let made = backend.reset(json!({})).expect(202).json();
    // Whoever asks is not told the link that is mailed.
    assert_eq!(made, json!({ "expirationDate": world.now().plus_millis(60 * MINUTE).to_string() }));
    world.drain();
    let [mail] = server.taken(1).try_into().unwrap();
    assert_eq!(mail.recipients, ["<ada@example.com>"]);
    let id = backend.mail()["id"].as_str().unwrap().to_owned();
    for part in [
        "From: Guests <guests@example.com>\n",
        "To: ada@example.com\n",
        "Subject: Choose a new password for Demo\n",
        "Auto-Submitted: auto-generated\n",
        "Date: Sun, 21 Jun 2026 00:00:00 +0000\n",
        &format!("Message-ID: <{id}@guests.example.com>\n"),
        "Content-Type: multipart/alternative;",
    ] {
        assert!(mail.text.contains(part), "{part}\n{}", mail.text);
    }
    let joined = mail.text.replace("=\n", "").replace("=3D", "=");
    assert!(joined.contains(&format!("{PAGE}?purpose=reset&token=")), "{joined}");
    let mail = backend.mail();
    assert_eq!((&mail["state"], &mail["attempts"]), (&json!("sent"), &json!(1)));
    assert_eq!((&mail["recipient"], &mail["purpose"]), (&json!(ADA), &json!("reset")));
    assert_eq!(mail["experienceUserId"], backend.ada.id.to_string());
    let left =
        world.write(|tx| tx.first::<i64>("SELECT count(*) FROM mails WHERE seed IS NOT NULL", &[]));
    assert_eq!(left, Some(0));
}

#[test]
fn a_mail_that_is_not_taken_is_tried_again_and_then_given_up() {
    let server = MailServer::start();
    let world = over(&server);
    let backend = Backend::new(&world);
    server.next(&[MailFate::Refused(451); 2]);
    backend.reset(json!({ "ttl": 7 * 24 * 60 * MINUTE })).expect(202);
    world.drain();
    let mail = backend.mail();
    assert_eq!((&mail["state"], &mail["attempts"]), (&json!("queued"), &json!(1)));
    let error = mail["error"].as_str().unwrap();
    assert!(error.contains("451") && !error.contains('@'), "{error}");
    // Not at once.
    world.drain();
    assert_eq!(backend.mail()["attempts"], 1);
    world.pass(2 * MINUTE);
    world.drain();
    assert_eq!(backend.mail()["attempts"], 2);
    world.pass(3 * MINUTE);
    world.drain();
    assert_eq!(backend.mail()["state"], "sent");
    assert_eq!(server.taken(1).len(), 1);

    // Another, which is never taken.
    server.next(&[MailFate::Refused(421); 12]);
    backend.invite("bob@example.com", json!({ "ttl": 30_i64 * 24 * 60 * MINUTE })).expect(201);
    for _ in 0..12 {
        world.drain();
        world.pass(6 * 60 * MINUTE);
    }
    let mail = backend.mails().pop().unwrap();
    assert_eq!((&mail["state"], &mail["attempts"]), (&json!("failed"), &json!(12)), "{mail}");
    let left = world.write(|tx| tx.first::<i64>("SELECT count(*) FROM work", &[]));
    assert_eq!(left, Some(0));

    // An address that does not exist is not tried again, and who refuses us is.
    for (code, state) in [(550, "failed"), (535, "queued")] {
        server.next(&[MailFate::Refused(code)]);
        backend.invite(&format!("of{code}@example.com"), json!({})).expect(201);
        world.drain();
        let mail = backend.mails().pop().unwrap();
        assert_eq!(mail["state"], state, "{mail}");
    }
}

#[test]
fn a_mail_of_which_nobody_knows_whether_it_was_taken_is_sent_again_as_the_same() {
    let server = MailServer::start();
    let world = over(&server);
    let backend = Backend::new(&world);
    server.next(&[MailFate::TakenInSilence]);
    backend.reset(json!({})).expect(202);
    world.drain();
    world.pass(2 * MINUTE);
    world.drain();
    let [first, second] = server.taken(2).try_into().unwrap();
    let id =
        |text: &str| text.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned);
    assert!(id(&first.text).is_some());
    assert_eq!(id(&first.text), id(&second.text));
    assert_eq!(backend.mail()["state"], "sent");
}

#[test]
fn what_is_to_be_sent_outlives_the_process_and_ends_with_its_link() {
    let server = MailServer::start();
    let world = over(&server);
    let backend = Backend::new(&world);
    server.next(&[MailFate::Refused(451)]);
    backend.reset(json!({ "ttl": 10 * MINUTE })).expect(202);
    world.drain();
    let (application, token) = (backend.application, backend.token.clone());
    let world = world.restarted();
    world.pass(9 * MINUTE);
    world.drain();
    assert_eq!(server.taken(1).len(), 1);
    let again = |world: &World| {
        let path = format!("/applications/{application}/experience/mails");
        world.get(&token, &path).expect(200).json()["items"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    };
    assert_eq!(again(&world)["state"], "sent");

    server.next(&[MailFate::Refused(451)]);
    let invite = json!({ "email": "bob@example.com", "linkUrl": PAGE, "ttl": 5 * MINUTE });
    let path = format!("/applications/{application}/experience/invitations");
    world.call(&token, "POST", &path, &invite).expect(201);
    world.drain();
    world.pass(5 * MINUTE);
    world.drain();
    let mail = again(&world);
    assert_eq!((&mail["state"], &mail["attempts"]), (&json!("failed"), &json!(2)), "{mail}");
    assert_eq!(server.taken(1).len(), 1);
}

#[test]
fn somebody_gets_only_so_many_mails() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    let mut sent = 0;
    for _ in 0..1000 {
        let answer = backend.reset(json!({}));
        if answer.status == 202 {
            sent += 1;
        } else {
            let wait = answer.header("retry-after").unwrap().parse::<i64>().unwrap();
            answer.refused(429, &format!("Too many mails to this address: try again in {wait} s"));
        }
        world.pass(3600);
    }
    // Within an hour.
    assert_eq!((sent, world.mails().len()), (5, 5));
    // Others are not concerned, and neither is who asks for the link alone.
    backend.invite("bob@example.com", json!({})).expect(201);
    backend.reset(json!({ "sendMail": false })).expect(202);
    // In whatever case the address is written.
    backend.invite("BOB@example.com", json!({})).expect(429);
    for _ in 0..40 {
        world.pass(60 * MINUTE);
        sent += i32::from(backend.reset(json!({})).status == 202);
    }
    assert!((10..=20).contains(&sent), "{sent}");
}

#[test]
fn a_mail_is_gone_with_its_user_and_with_its_application() {
    let server = MailServer::start();
    let world = over(&server);
    let backend = Backend::new(&world);
    server.next(&[MailFate::Refused(451)]);
    backend.reset(json!({})).expect(202);
    world.drain();
    backend.ask("DELETE", &format!("/users/{}", backend.ada.id), &Value::Null).expect(200);
    assert_eq!(backend.mails(), Vec::<Value>::new());
    world.pass(2 * MINUTE);
    world.drain();
    let rows = |what: &'static str| {
        world
            .write(move |tx| tx.first::<i64>(&format!("SELECT count(*) FROM {what}"), &[]))
            .unwrap()
    };
    assert_eq!(["links", "mails", "work"].map(rows), [0, 0, 0]);

    server.next(&[MailFate::Refused(451)]);
    backend.invite("bob@example.com", json!({})).expect(201);
    world.drain();
    assert_eq!(["links", "mails", "work"].map(rows), [1, 1, 1]);
    let root = world.token(Principal::User(world.administrator("root@example.com")), "all.User");
    world
        .call(&root, "DELETE", &format!("/applications/{}", backend.application), &Value::Null)
        .expect(200);
    assert_eq!(["links", "mails", "work"].map(rows), [0, 0, 0]);
    let within = AuthorizedApp::allowed(backend.application);
    assert!(world.write(move |tx| Ok(within.require(tx).is_err())));
}

#[test]
fn a_server_that_does_not_encrypt_gets_no_mail_unless_it_is_said() {
    let server = MailServer::start();
    let url = server.url();
    let mail = MailSettings::smtp(url.trim_end_matches("?tls=none"), "guests@example.com").unwrap();
    let options = Options { manual_clock: true, mail: Some(mail), ..Options::default() };
    let world = World::with(&options);
    let backend = Backend::new(&world);
    backend.reset(json!({})).expect(202);
    world.drain();
    let mail = backend.mail();
    assert_eq!((&mail["state"], &mail["attempts"]), (&json!("queued"), &json!(1)), "{mail}");
    assert_eq!(server.taken(0).len(), 0);
}

#[test]
fn what_people_have_written_is_text_in_a_mail() {
    let server = MailServer::start();
    let world = over(&server);
    let names = [
        "Demo\r\nBcc: victim@example.com",
        "Demo\nSubject: Pay",
        "Demo\u{2028}\r\n\r\n<script>alert(1)</script>",
        "\"><a href='https://evil.example'>Demo</a>",
        "=?utf-8?q?Bcc:_victim?=",
        "\u{202e}omeD <victim@example.com>",
    ];
    for (index, name) in names.iter().enumerate() {
        let application = world.application(name);
        let token = world.token(Principal::Application(application), "all.Application");
        let body = json!({ "email": format!("a{index}@example.com"), "linkUrl": PAGE });
        let path = format!("/applications/{application}/experience/invitations");
        world.call(&token, "POST", &path, &body).expect(201);
        world.drain();
        let mail = server.taken(index + 1).pop().unwrap();
        assert_eq!(mail.recipients, [format!("<a{index}@example.com>")]);
        let (head, body) = mail.text.split_once("\n\n").unwrap();
        let names: Vec<_> = head
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        for wrong in ["Bcc", "Cc"] {
            assert!(!names.contains(&wrong), "{name:?}: {head}");
        }
        let subjects = names.iter().filter(|name| **name == "Subject").count();
        assert_eq!(subjects, 1, "{head}");
        let (_, html) = body.split_once("Content-Type: text/html").unwrap();
        for part in ["<script", "<a href='https://evil", "<a href=3D'"] {
            assert!(!html.contains(part), "{name:?}: {html}");
        }
    }
}

#[test]
fn an_application_says_whom_its_mails_are_from() {
    let server = MailServer::start();
    let world = over(&server);
    let backend = Backend::new(&world);
    let settings = json!({ "mailFrom": "hello@app.example", "displayName": "The App" });
    backend.ask("PATCH", "/signIn", &settings).expect(200);
    backend.reset(json!({})).expect(202);
    world.drain();
    let [mail] = server.taken(1).try_into().unwrap();
    for part in ["From: hello@app.example\n", "Subject: Choose a new password for The App\n"] {
        assert!(mail.text.contains(part), "{part}\n{}", mail.text);
    }
}

#[test]
fn mails_are_listed_for_a_month() {
    let world = World::standing_still();
    let backend = Backend::new(&world);
    for email in ["b@example.com", "a@example.com", "c@other.example"] {
        backend.invite(email, json!({})).expect(201);
        world.pass(1000);
    }
    let list = |query: &str| {
        let page = backend.ask("GET", &format!("/mails?{query}"), &Value::Null).expect(200).json();
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|mail| mail["recipient"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(""), ["b@example.com", "a@example.com", "c@other.example"]);
    assert_eq!(list("sortDirection=desc&perPage=1"), ["c@other.example"]);
    assert_eq!(
        list("filterField=recipient&filter=*@EXAMPLE.com"),
        ["b@example.com", "a@example.com"]
    );
    assert_eq!(world.now().millis(), NOON + 3000);
    // In no answer is what a link is made of.
    for mail in backend.mails() {
        let names: Vec<&String> = mail.as_object().unwrap().keys().collect();
        assert!(
            !names.iter().any(|name| ["seed", "token", "link"].contains(&name.as_str())),
            "{names:?}"
        );
    }
}
