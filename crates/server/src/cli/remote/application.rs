//! `guestlist application`, of a store and of a server.

use super::super::application as store;
use super::body::{Body, Data};
use super::columns::APPLICATION;
use super::failure::{NO_LISTING, OF_A_SERVER, usage};
use super::resource::{self, Condition, Kind, Listing};
use super::session::Session;
use anyhow::Result;
use clap::{Args, Subcommand};
use guestlist_api::id::ApplicationId;
use serde_json::{Map, Value};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show an application
    Get {
        /// The application
        #[arg(value_name = "ID")]
        id: ApplicationId,
        /// Without counting what it holds, which is part of its tag
        #[arg(long)]
        without_counts: bool,
    },
    /// List the applications
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Make an application
    Create {
        #[command(flatten)]
        fields: Fields,
    },
    /// Change an application; what is not said stays as it is
    Patch {
        /// The application
        #[arg(value_name = "ID")]
        id: ApplicationId,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        condition: Condition,
    },
    /// Show what an application holds and may hold, or change what it may
    Quotas {
        /// The application
        #[arg(value_name = "ID")]
        id: ApplicationId,
        #[command(flatten)]
        limits: Limits,
    },
    /// Delete an application and everything in it
    Delete {
        /// The application
        #[arg(value_name = "ID")]
        id: ApplicationId,
        #[command(flatten)]
        condition: Condition,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Tokens of its users issued before this moment are not good, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    user_token_cutoff: Option<String>,
    #[command(flatten)]
    data: Data,
}

impl Fields {
    fn body(self) -> Result<Body> {
        Ok(self
            .data
            .read()?
            .set("name", self.name)
            .set("description", self.description)
            .set("expUserTokenCutoff", self.user_token_cutoff))
    }
}

/// How much there may be, each a number, or `server` for what the server says for all.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// Users: a number, or `server` for what the server says for all
    #[arg(long, value_name = "N", value_parser = limit)]
    users: Option<Limit>,
    /// Groups
    #[arg(long, value_name = "N", value_parser = limit)]
    groups: Option<Limit>,
    /// API tokens
    #[arg(long, value_name = "N", value_parser = limit)]
    tokens: Option<Limit>,
    /// Bytes of users, groups and tokens
    #[arg(long, value_name = "N", value_parser = limit)]
    bytes: Option<Limit>,
    /// Bytes of answers that are stored under an Idempotency-Key
    #[arg(long, value_name = "N", value_parser = limit)]
    answer_bytes: Option<Limit>,
}

/// How much there may be.
#[derive(Debug, Clone, Copy)]
enum Limit {
    /// What the server says for all.
    Server,
    /// So much.
    Most(u64),
}

fn limit(text: &str) -> Result<Limit, String> {
    match text.parse() {
        Ok(most) => Ok(Limit::Most(most)),
        Err(_) if text == "server" => Ok(Limit::Server),
        Err(_) => Err("it is a whole number, or `server`".into()),
    }
}

impl Limits {
    /// What changes, if anything does.
    fn changes(self) -> Option<Value> {
        let all = [
            ("users", self.users),
            ("groups", self.groups),
            ("apiTokens", self.tokens),
            ("bytes", self.bytes),
            ("answerBytes", self.answer_bytes),
        ];
        let said = |(name, limit): (&str, Option<Limit>)| {
            let limit = match limit? {
                Limit::Server => Value::Null,
                Limit::Most(most) => most.into(),
            };
            Some((name.to_owned(), limit))
        };
        let said: Map<String, Value> = all.into_iter().filter_map(said).collect();
        (!said.is_empty()).then_some(said.into())
    }
}

impl Command {
    /// The same, done on the store itself.
    pub(crate) fn on_store(self) -> Result<store::Command> {
        match self {
            Self::Create { fields } => {
                let Fields { name, description, user_token_cutoff, data } = fields;
                if user_token_cutoff.is_some() || data.is_given() {
                    return Err(usage(
                        "on a store, `application create` takes no --user-token-cutoff or --data: \
                         name a server with --url or --profile for these",
                    ));
                }
                let name = name.ok_or_else(|| {
                    usage("say what the application is called: --name is missing")
                })?;
                Ok(store::Command::Create { name, description })
            }
            Self::List { listing } if listing.is_given() => Err(usage(NO_LISTING)),
            Self::List { .. } => Ok(store::Command::List),
            _ => Err(usage(OF_A_SERVER)),
        }
    }
}

const KIND: Kind =
    Kind { one: "application", many: "applications", columns: APPLICATION, filter: "name=a*" };

const QUOTAS: &str = "applicationQuotas";

const COUNTS: &str = "apiTokenCount,experienceGroupCount,experienceUserCount";

pub(super) async fn run(command: Command, session: &Session) -> Result<()> {
    let path = |id: ApplicationId| format!("/applications/{id}");
    match command {
        Command::Get { id, without_counts } => {
            let query = [("summaryExclude", COUNTS)];
            let query = if without_counts { query.as_slice() } else { &[] };
            resource::get(session, &KIND, &path(id), query).await
        }
        Command::List { listing } => {
            resource::list(session, &KIND, "/applications", &listing, &[]).await
        }
        Command::Create { fields } => {
            let body = fields.body()?.value();
            resource::create(session, &KIND, "/applications", body, "id").await
        }
        Command::Patch { id, fields, condition } => {
            let body = fields.body()?.changes()?;
            resource::patch(session, &KIND, &path(id), body, &condition).await
        }
        Command::Quotas { id, limits } => {
            let (path, kind) = (format!("{}/quotas", path(id)), Kind { one: QUOTAS, ..KIND });
            match limits.changes() {
                Some(body) => {
                    resource::patch(session, &kind, &path, body, &Condition::default()).await
                }
                None => resource::get(session, &kind, &path, &[]).await,
            }
        }
        Command::Delete { id, condition } => {
            resource::delete(session, &KIND, &path(id), &[], &id.to_string(), &condition).await
        }
    }
}
