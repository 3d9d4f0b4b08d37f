//! `guestlist user`.

use super::super::seed;
use super::super::token::ttl;
use super::body::Data;
use super::failure::usage;
use super::link;
use super::resource::{self, Condition, Kind, Listing};
use super::session::Session;
use super::show::text;
use anyhow::Result;
use clap::{Args, Subcommand};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use guestlist_client::{Method, Request};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct User {
    /// The application [env: `GUESTLIST_APPLICATION`, or that of the profile]
    #[arg(long, value_name = "ID", global = true)]
    application: Option<ApplicationId>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a user
    Get {
        /// The user
        #[arg(value_name = "ID")]
        id: ExperienceUserId,
    },
    /// List the users of an application
    List {
        #[command(flatten)]
        listing: Listing,
        /// Only users who have each of these words in their address or in one of their names
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
        /// Only members of a group; any: of at least one; none: of none
        #[arg(long, value_name = "ID|any|none")]
        group: Option<String>,
        /// Count members of the groups above as members
        #[arg(long, requires = "group")]
        ancestors: bool,
    },
    /// Make a user; the password is asked for, or is the first line of standard
    /// input
    Create {
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a user; what is not said stays as it is
    Patch {
        /// The user
        #[arg(value_name = "ID")]
        id: ExperienceUserId,
        /// Change the password; it is asked for, or is the first line of standard input
        #[arg(long)]
        password: bool,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        condition: Condition,
    },
    /// Delete a user
    Delete {
        /// The user
        #[arg(value_name = "ID")]
        id: ExperienceUserId,
        #[command(flatten)]
        condition: Condition,
    },
    /// Make a token for a user, who need not be there, and print it
    Token {
        /// The user
        #[arg(value_name = "ID")]
        id: ExperienceUserId,
        /// When it ends, such as 12h or 30d, or never
        #[arg(long, value_name = "TIME", default_value = "1h")]
        expires: String,
        /// Who acts for the user with it, such as your help desk
        #[arg(long, value_name = "NAME")]
        actor: Option<String>,
        /// End every token from before
        #[arg(long)]
        alone: bool,
    },
    /// End every token of a user, which is signing out everywhere
    SignOut {
        /// The user
        #[arg(value_name = "ID")]
        id: ExperienceUserId,
    },
    /// Ask somebody to become a user: they are mailed a link, and choose a password
    Invite(link::Invite),
    /// List those who were asked and have not become users yet
    Invitations {
        #[command(flatten)]
        listing: Listing,
    },
    /// Let a user choose a new password: they are mailed a link
    Reset {
        /// The user
        #[arg(value_name = "ID")]
        id: ExperienceUserId,
        #[command(flatten)]
        link: link::LinkOptions,
    },
    /// Fill the store itself with users that nobody made, for demonstrations and measurements
    Seed(seed::Args),
}

#[derive(Debug, Args)]
struct Fields {
    /// The address
    #[arg(long)]
    email: Option<String>,
    /// The given name
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// The family name
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// A tag; those that are given are all that the user has
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// A group; those that are given are all that the user is in
    #[arg(long, value_name = "ID")]
    group: Vec<ExperienceGroupId>,
    /// Tokens issued before this moment are not good, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    token_cutoff: Option<String>,
    #[command(flatten)]
    data: Data,
}

impl Fields {
    fn body(self) -> Result<super::body::Body> {
        self.data
            .read()?
            .set("email", self.email)
            .set("firstName", self.first_name)
            .set("lastName", self.last_name)
            .set("tokenCutoff", self.token_cutoff)
            .list("experienceGroupIds", &self.group)
            .tags("userTags", &self.tag)
    }
}

impl User {
    /// What to fill the store with, if it is that.
    pub(super) fn seed(&self) -> Option<seed::Args> {
        match &self.command {
            Command::Seed(args) => Some(args.clone().in_application(self.application)),
            _ => None,
        }
    }
}

fn name(user: &Value) -> String {
    let name = format!("{} {}", text(user, "firstName"), text(user, "lastName"));
    name.trim().to_owned()
}

fn groups(user: &Value) -> String {
    let groups = user["experienceGroups"].as_array().into_iter().flatten();
    groups.map(|group| text(group, "name")).collect::<Vec<_>>().join(", ")
}

const KIND: Kind = Kind {
    one: "experienceUser",
    many: "experienceUsers",
    columns: &[
        ("ID", |user| text(user, "id")),
        ("EMAIL", |user| text(user, "email")),
        ("NAME", name),
        ("GROUPS", groups),
    ],
    filter: "email=*@example.com",
};

/// Why a server is not asked to seed.
pub(super) const FOR_A_STORE: &str =
    "users are seeded into the store itself, not over a server: give --store";

pub(super) async fn run(user: User, session: &Session) -> Result<()> {
    let application = session.application(user.application)?;
    let within = format!("/applications/{application}/experience");
    let all = format!("{within}/users");
    let path = |id: ExperienceUserId| format!("{all}/{id}");
    match user.command {
        Command::Get { id } => resource::get(session, &KIND, &path(id), &[]).await,
        Command::List { listing, search, group, ancestors } => {
            let mut query = Vec::new();
            query.extend(search.map(|words| ("search", words)));
            query.extend(group.map(|group| ("experienceGroupId", group)));
            query.extend(ancestors.then(|| ("includeAncestorGroups", "true".to_owned())));
            resource::list(session, &KIND, &all, &listing, &query).await
        }
        Command::Create { fields } => {
            let body = fields.body()?.password("password", session.curl)?;
            resource::create(session, &KIND, &all, body.value(), "id").await
        }
        Command::Patch { id, password, fields, condition } => {
            let mut body = fields.body()?;
            if password {
                body = body.password("password", session.curl)?;
            }
            resource::patch(session, &KIND, &path(id), body.changes()?, &condition).await
        }
        Command::Delete { id, condition } => {
            resource::delete(session, &KIND, &path(id), &[], &id.to_string(), &condition).await
        }
        Command::Token { id, expires, actor, alone } => {
            let mut body = json!({ "invalidateExistingTokens": alone });
            if let Some(millis) = ttl(&expires)? {
                body["maxAge"] = millis.into();
            }
            if let Some(actor) = actor {
                body["actor"] = actor.into();
            }
            resource::create(session, &TOKENS, &tokens_of(&path(id)), body, "token").await
        }
        Command::SignOut { id } => {
            let scope = "experienceUserTokens.delete";
            let request = Request::new(Method::DELETE, tokens_of(&path(id)));
            let Some(reply) = session.send(&request, scope).await? else { return Ok(()) };
            let ended = resource::value(session, &reply, scope)?;
            let since = text(&ended, "tokenCutoff");
            session.out.result(&ended, || format!("ended all from before {since}"))
        }
        Command::Invite(invite) => link::invite(session, &within, invite).await,
        Command::Invitations { listing } => link::invitations(session, &within, &listing).await,
        Command::Reset { id, link } => link::reset(session, &within, id, link).await,
        Command::Seed(_) => Err(usage(FOR_A_STORE)),
    }
}

/// Of tokens of users.
const TOKENS: Kind =
    Kind { one: "experienceUserTokens", many: "experienceUserTokens", columns: &[], filter: "" };

fn tokens_of(user: &str) -> String {
    format!("{user}/tokens")
}
