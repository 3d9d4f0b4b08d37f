//! `guestlist token`, of a store and of a server.

use super::super::token as store;
use super::body::{Body, Data};
use super::columns::TOKEN;
use super::failure::{NO_LISTING, OF_A_SERVER, usage};
use super::resource::{self, Condition, Kind, Listing};
use super::session::Session;
use crate::clock::Clock;
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::id::{ApiTokenId, ApplicationId};

#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The application [env: `GUESTLIST_APPLICATION`, or that of the profile]
    #[arg(long, value_name = "ID", global = true)]
    application: Option<ApplicationId>,
    /// The tokens of the administrator who asks, rather than those of an application
    #[arg(long, global = true, conflicts_with = "application")]
    mine: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a token: what it may do, not the token itself
    Get {
        /// The token
        #[arg(value_name = "ID")]
        id: ApiTokenId,
    },
    /// List the tokens of an application
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Make a token of an application; it is printed once and cannot be had again
    Create {
        #[command(flatten)]
        fields: Fields,
        /// What it may do, such as experienceUser.get or all.Application.read
        #[arg(long, value_name = "SCOPE", num_args = 1.., value_delimiter = ',')]
        scope: Vec<String>,
        /// When it ends, such as 30d, 12h or 90m; never unless said
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Change a token; what it may do cannot be changed
    Patch {
        /// The token
        #[arg(value_name = "ID")]
        id: ApiTokenId,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        condition: Condition,
    },
    /// Revoke a token: it is refused from the next request on
    #[command(alias = "delete")]
    Revoke {
        /// The token
        #[arg(value_name = "ID")]
        id: ApiTokenId,
        /// With the tokens that it has made, those that they have made, and so on
        #[arg(long)]
        with_children: bool,
        #[command(flatten)]
        condition: Condition,
    },
}

/// Whether a token is good.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    /// It is
    Active,
    /// It is refused until it is active again
    Inactive,
}

#[derive(Debug, Args)]
struct Fields {
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether it is good
    #[arg(long)]
    status: Option<Status>,
    #[command(flatten)]
    data: Data,
}

impl Fields {
    fn body(self) -> Result<Body> {
        let status = self.status.map(|status| match status {
            Status::Active => "active",
            Status::Inactive => "inactive",
        });
        Ok(self
            .data
            .read()?
            .set("name", self.name)
            .set("description", self.description)
            .set("status", status))
    }

    /// Whether more than the name was said.
    const fn says_more(&self) -> bool {
        self.description.is_some() || self.status.is_some() || self.data.is_given()
    }
}

impl Token {
    /// Whether it is about those of the administrator who asks.
    pub(super) const fn is_mine(&self) -> bool {
        self.mine
    }

    /// The same, done on the store itself.
    pub(crate) fn on_store(self) -> Result<store::Command> {
        let application = self.application.filter(|_| !self.mine).ok_or_else(|| {
            usage("on a store, the tokens are those of an application: say --application ID")
        });
        match self.command {
            Command::Create { fields, scope, expires } => {
                if fields.says_more() {
                    return Err(usage(
                        "on a store, `token create` takes no --description, --status or --data: \
                         name a server with --url or --profile for these",
                    ));
                }
                let name = fields
                    .name
                    .ok_or_else(|| usage("say what the token is called: --name is missing"))?;
                if scope.is_empty() {
                    return Err(usage(
                        "say what the token may do: --scope is missing, such as --scope \
                         experienceUsers.get, or all.Application for everything in the application",
                    ));
                }
                Ok(store::Command::Create { application: application?, name, scope, expires })
            }
            Command::List { listing } if listing.is_given() => Err(usage(NO_LISTING)),
            Command::List { .. } => Ok(store::Command::List { application: application? }),
            Command::Revoke { condition, .. } if condition.is_given() => Err(usage(
                "on a store, `token revoke` takes no --if-match: name a server with --url or \
                 --profile for it",
            )),
            Command::Revoke { id, with_children, .. } => {
                Ok(store::Command::Revoke { id, with_children })
            }
            _ => Err(usage(OF_A_SERVER)),
        }
    }
}

const fn kind(one: &'static str, many: &'static str) -> Kind {
    Kind { one, many, columns: TOKEN, filter: "name=a*" }
}

const OF_APPLICATION: Kind = kind("applicationApiToken", "applicationApiTokens");
const OF_USER: Kind = kind("userApiToken", "userApiTokens");

pub(super) async fn run(token: Token, session: &Session) -> Result<()> {
    let (kind, all) = if token.mine {
        (&OF_USER, "/me/tokens".to_owned())
    } else {
        let application = session.application(token.application)?;
        (&OF_APPLICATION, format!("/applications/{application}/tokens"))
    };
    let path = |id: ApiTokenId| format!("{all}/{id}");
    match token.command {
        Command::Get { id } => resource::get(session, kind, &path(id), &[]).await,
        Command::List { listing } => resource::list(session, kind, &all, &listing, &[]).await,
        Command::Create { fields, scope, expires } => {
            let ends = expires.map(|text| store::millis(&text)).transpose()?;
            let ends = ends.map(|millis| Clock::System.now().plus_millis(millis).to_string());
            let body = fields.body()?.list("scope", &scope).set("expirationDate", ends);
            resource::create(session, kind, &all, body.value(), "token").await
        }
        Command::Patch { id, fields, condition } => {
            let body = fields.body()?.changes()?;
            resource::patch(session, kind, &path(id), body, &condition).await
        }
        Command::Revoke { id, with_children, condition } => {
            let query: &[_] = if with_children { &[("withChildren", "true")] } else { &[] };
            let path = path(id);
            resource::delete(session, kind, &path, query, &id.to_string(), &condition).await
        }
    }
}
