//! A test with a server of its own: what a program does when users come, leave, or cannot be reached.
//!
//! ```sh
//! cargo run --package guestlist --example in_a_test
//! ```
//!
//! In a project of your own, `guestlist` and `guestlist-client` are dev-dependencies, and `main` is a
//! `#[test]`.

use anyhow::{Context as _, Result, ensure};
use guestlist::testing::{Fault, Server};
use guestlist_client::{Config, Retries, Token, blocking};
use serde_json::json;

/// What is tested: whether somebody is a member of the staff.
fn is_staff(
    guests: &blocking::Client,
    application: guestlist_api::id::ApplicationId,
    email: &str,
) -> Result<bool> {
    for user in guests.experience_users(application).list().items() {
        let user = user?;
        if user.email == email {
            return Ok(user.experience_groups.iter().any(|group| group.name == "Staff"));
        }
    }
    Ok(false)
}

pub(crate) fn main() -> Result<()> {
    // It takes a few milliseconds to start, on a port of its own, and is gone at the end of `main`.
    let server = Server::builder()
        .seed(json!({
            "groups": [{ "name": "Staff" }],
            "users": [
                { "email": "ada@example.com", "groups": ["Staff"] },
                { "email": "bob@example.com" },
            ],
            "tokens": [{ "name": "reader", "scope": ["all.Application.read"] }],
        }))
        .blocking()?;

    // With no more than the program needs in production.
    let token = server.seeded_token("reader").context("the seed has it")?;
    let config = Config::new(server.url()).token(Token::new(token));
    let guests = blocking::Client::new(config.clone())?;
    let application = server.application_id();
    ensure!(is_staff(&guests, application, "ada@example.com")?);
    ensure!(!is_staff(&guests, application, "bob@example.com")?);
    ensure!(!is_staff(&guests, application, "nobody@example.com")?);

    // What goes wrong for a moment is tried again by the client: the program does not notice.
    server.faults().add(Fault::unavailable(0));
    ensure!(is_staff(&guests, application, "ada@example.com")?);
    // What goes on going wrong is an error, also in the program.
    let hasty = blocking::Client::new(config.retries(Retries::none()))?;
    server.faults().add(Fault::internal());
    ensure!(is_staff(&hasty, application, "ada@example.com").is_err());

    // What the program has asked for.
    let asked = server.requests();
    ensure!(asked.iter().all(|request| request.path.ends_with("/experience/users")));
    Ok(())
}
