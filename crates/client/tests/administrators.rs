//! What administrators do to one another, against the real server.

#![expect(clippy::unwrap_used, reason = "these are tests")]

#[expect(dead_code, reason = "what other tests use")]
mod demo;

use demo::{Demo, EMAIL, OTHER, PASSWORD};
use guestlist_api::administrator::{
    AdministratorFilter, AdministratorSessionSort, AdministratorSort, AdministratorStatus,
};
use guestlist_api::id::UserId;
use guestlist_client::bodies::AdministratorPatch;
use guestlist_client::{Client, Config, Token, blocking};

const NEW: &str = "Another-h0rse";

/// Who the other administrator is.
async fn other(client: &Client) -> UserId {
    let page = client.administrators().list().filter_field(AdministratorFilter::Email);
    page.filter(OTHER).await.unwrap().items[0].id
}

/// A client with a session of the administrator with this address.
async fn signed_in(demo: &Demo, email: &str, password: &str) -> Client {
    let stranger = Client::new(Config::new(&demo.url)).unwrap();
    let session = stranger.sign_in(email, password).await.unwrap();
    stranger.with_token(&Token::new(session.token.unwrap())).unwrap()
}

#[tokio::test]
async fn an_administrator_is_listed_disabled_given_a_password_and_removed() {
    let demo = Demo::start();
    let client = signed_in(&demo, EMAIL, PASSWORD).await;
    let bob = other(&client).await;
    let list = client.administrators().list().sort_field(AdministratorSort::Email);
    let page = list.filter_field(AdministratorFilter::Email).filter("*@example.com").await.unwrap();
    let emails: Vec<_> = page.items.iter().map(|one| one.email.as_str()).collect();
    assert!(emails.contains(&OTHER), "{emails:?}");
    let read = client.administrator(bob).get().await.unwrap();
    assert_eq!((read.id, read.status), (bob, AdministratorStatus::Active));

    let theirs = signed_in(&demo, OTHER, PASSWORD).await;
    let disable = AdministratorPatch::new().status(AdministratorStatus::Inactive);
    let disabled = read.patch(disable).if_unchanged().await.unwrap();
    assert_eq!(disabled.status, AdministratorStatus::Inactive);
    assert_eq!(theirs.me().get().await.unwrap_err().status(), Some(401));
    let enable = AdministratorPatch::new().status(AdministratorStatus::Active);
    disabled.patch(enable).if_unchanged().await.unwrap();
    assert_eq!(theirs.me().get().await.unwrap().id, bob);

    let weak = client.administrator(bob).patch(AdministratorPatch::new().password("weak")).await;
    assert_eq!(weak.unwrap_err().status(), Some(400));
    let reset = AdministratorPatch::new().password(NEW).current_password(PASSWORD);
    client.administrator(bob).patch(reset).await.unwrap();
    assert_eq!(theirs.me().get().await.unwrap_err().status(), Some(401));
    signed_in(&demo, OTHER, NEW).await;

    client.administrator(bob).delete().await.unwrap();
    assert!(read.get().await.unwrap_err().is_not_found());
    let me = client.me().get().await.unwrap().id;
    let oneself = client.administrator(me).delete().await.unwrap_err();
    assert_eq!(oneself.status(), Some(400));
}

#[tokio::test]
async fn sessions_of_an_administrator_are_listed_and_ended() {
    let demo = Demo::start();
    let (first, second) =
        (signed_in(&demo, OTHER, PASSWORD).await, signed_in(&demo, OTHER, PASSWORD).await);
    let client = demo.client();
    let bob = other(&client).await;
    let sessions = client.administrator_sessions(bob);
    let list = || sessions.list().sort_field(AdministratorSessionSort::CreationDate);
    let page = list().await.unwrap();
    assert_eq!((page.total_count, page.items[0].administrator_id), (2, bob));
    client.administrator_session(bob, page.items[0].id).delete().await.unwrap();
    let statuses = [first.me().get().await.is_ok(), second.me().get().await.is_ok()];
    assert_eq!(statuses.iter().filter(|good| **good).count(), 1);
    let again = client.administrator_session(bob, page.items[0].id).delete().await;
    assert!(again.unwrap_err().is_not_found());
    sessions.delete().await.unwrap();
    assert_eq!(list().await.unwrap().total_count, 0);
}

#[test]
fn a_thread_that_waits_has_the_same() {
    let demo = Demo::start();
    let client = blocking::Client::new(demo.config()).unwrap();
    let all: Result<Vec<_>, _> = client.administrators().list().items().collect();
    let all = all.unwrap();
    assert_eq!(all.len(), 2);
    let bob = all.iter().find(|one| one.email == OTHER).unwrap().id;
    assert_eq!(client.administrator(bob).get().send().unwrap().email, OTHER);
    client.administrator_sessions(bob).delete().send().unwrap();
    client.administrator(bob).delete().send().unwrap();
}
