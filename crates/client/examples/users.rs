//! Signs in, lists the users of an application, and gives one of them another name.
//!
//! `guestlist quickstart` makes a demo and prints what this wants to know:
//!
//! ```sh
//! cargo run --package guestlist-client --example users -- URL EMAIL PASSWORD APPLICATION_ID
//! ```

use guestlist_client::bodies::ExperienceUserPatch;
use guestlist_client::{Client, Config, Token};
use std::error::Error;
use std::io::{Write, stdout};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, email, password, application] = &arguments[..] else {
        return Err("usage: users URL EMAIL PASSWORD APPLICATION_ID".into());
    };
    users(url, email, password, application, &mut stdout()).await
}

pub(crate) async fn users(
    url: &str,
    email: &str,
    password: &str,
    application: &str,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    // To sign in takes no token, and gives one.
    let client = Client::new(Config::new(url))?;
    let session = client.sign_in(email, password).await?;
    let client = client.with_token(&Token::new(session.token.unwrap_or_default()))?;

    // All users, page by page. The stream asks for the next page when it comes to the end of one.
    let users = client.experience_users(application.parse()?);
    let mut all = users.list().stream();
    let mut last = None;
    while let Some(user) = all.next().await {
        let user = user?;
        writeln!(out, "{} {}", user.id, user.email)?;
        last = Some(user);
    }

    // The last one gets another name, unless somebody else changes that user at the same time: then
    // this is an `Error::Status` with the status 412.
    if let Some(user) = last {
        let user = client.experience_user(application.parse()?, user.id).get().await?;
        let patch = ExperienceUserPatch::new().first_name("Ada");
        let user = user.patch(patch).if_unchanged().await?;
        writeln!(out, "{} is {:?} now", user.email, user.first_name)?;
    }
    Ok(())
}
