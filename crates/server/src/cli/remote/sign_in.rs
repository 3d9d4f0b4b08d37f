//! `guestlist sign-in`.

use super::body::{Body, Data};
use super::resource::{self, Condition, Kind};
use super::session::Session;
use super::show::{Rows, text};
use anyhow::Result;
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use guestlist_api::id::ApplicationId;
use guestlist_client::{Method, Request};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct SignIn {
    /// The application [env: `GUESTLIST_APPLICATION`, or that of the profile]
    #[arg(long, value_name = "ID", global = true)]
    application: Option<ApplicationId>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what an application offers to the people who sign in to it
    Get,
    /// Change what an application offers to people; what is not said stays as it is
    Set {
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        condition: Condition,
    },
    /// The keys that sign the tokens of users
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// List the keys, the newest first
    List,
    /// Make a key that signs from ten minutes on; what those before it have signed stays good
    Rotate {
        /// Have it sign at once, as where the present one is known to others
        #[arg(long)]
        immediately: bool,
    },
    /// Withdraw a key: none of its tokens is good any more
    Withdraw {
        /// The key, as the list calls it
        // One in 64 begins with a hyphen.
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        kid: String,
    },
}

#[derive(Debug, Args)]
struct Fields {
    /// Whether programs of the application ask without an API token
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    public_json: Option<bool>,
    /// Whether there are pages for people
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    pages: Option<bool>,
    /// Whether people register by themselves
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    register: Option<bool>,
    /// Whether people who have forgotten their password are sent a link
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    forgot: Option<bool>,
    /// The shortest password that people may choose: 15 to 64 characters
    #[arg(long, value_name = "N")]
    password_min_length: Option<u64>,
    /// What becomes of passwords that others have lost: refuse or off
    #[arg(long, value_name = "refuse|off")]
    breached_passwords: Option<String>,
    /// Whom mails are from; an empty one for whom the server says
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// What people know the application as; an empty one for its name
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// A language that people are spoken to in, such as de-CH; those that are given are all, the usual one first
    #[arg(long, value_name = "LANGUAGE")]
    locale: Vec<String>,
    /// The page of the application that links in mails lead to; an empty one for none
    #[arg(long, value_name = "URL")]
    link_url: Option<String>,
    #[command(flatten)]
    data: Data,
}

impl Fields {
    fn body(self) -> Result<Body> {
        let none_if_empty =
            |text: String| if text.is_empty() { Value::Null } else { Value::from(text) };
        Ok(self
            .data
            .read()?
            .set("publicJson", self.public_json)
            .set("pages", self.pages)
            .set("register", self.register)
            .set("forgot", self.forgot)
            .set("passwordMinLength", self.password_min_length)
            .set("breachedPasswords", self.breached_passwords)
            .set("mailFrom", self.mail_from.map(none_if_empty))
            .set("displayName", self.display_name.map(none_if_empty))
            .set("linkUrl", self.link_url.map(none_if_empty))
            .list("locales", &self.locale))
    }
}

const KIND: Kind =
    Kind { one: "experienceSignIn", many: "experienceSignIn", columns: &[], filter: "" };

pub(super) async fn run(sign_in: SignIn, session: &Session) -> Result<()> {
    let application = session.application(sign_in.application)?;
    let path = format!("/applications/{application}/experience/signIn");
    match sign_in.command {
        Command::Get => resource::get(session, &KIND, &path, &[]).await,
        Command::Set { fields, condition } => {
            let body = fields.body()?.changes()?;
            resource::patch(session, &KIND, &path, body, &condition).await
        }
        Command::Keys(keys) => {
            let path = format!("/applications/{application}/experience/keys");
            run_keys(keys, session, &path).await
        }
    }
}

const KEYS: Kind = Kind {
    one: "experienceKey",
    many: "experienceKeys",
    columns: &[
        ("KID", |key| text(key, "kid")),
        ("STATE", |key| text(key, "state")),
        ("SIGNS FROM", |key| text(key, "signsFrom")),
    ],
    filter: "",
};

async fn run_keys(keys: Keys, session: &Session, path: &str) -> Result<()> {
    match keys {
        Keys::List => {
            let scope = "experienceKeys.get";
            let request = Request::new(Method::GET, path);
            let Some(reply) = session.send(&request, scope).await? else { return Ok(()) };
            let all = resource::value(session, &reply, scope)?;
            let mut rows = Rows::new(KEYS.columns, session.out);
            for key in all["items"].as_array().into_iter().flatten() {
                rows.push(key)?;
            }
            rows.end()
        }
        Keys::Rotate { immediately } => {
            let body = json!({ "immediately": immediately });
            resource::create(session, &KEYS, path, body, "kid").await
        }
        Keys::Withdraw { kid } => {
            let one = format!("{path}/{kid}");
            resource::delete(session, &KEYS, &one, &[], &kid, &Condition::default()).await
        }
    }
}
