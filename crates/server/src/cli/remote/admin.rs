//! `guestlist admin`, of a store and of a server.

use super::super::admin as store;
use super::super::secret;
use super::columns::{ADMINISTRATOR, SESSION};
use super::curl;
use super::failure::{NO_LISTING, usage};
use super::resource::{self, Condition, Kind, Listing};
use super::session::Session;
use anyhow::Result;
use clap::Subcommand;
use guestlist_api::id::{ApiTokenId, UserId};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an administrator, on the store itself; the password is asked for, or is the first line of
    /// standard input
    Create {
        /// The address they sign in with
        #[arg(long)]
        email: String,
    },
    /// List the administrators
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Keep an administrator out: their sessions and API tokens are refused from the next request on
    Disable {
        /// The administrator
        #[arg(value_name = "ID")]
        id: UserId,
    },
    /// Let an administrator in again, who was disabled
    Enable {
        /// The administrator
        #[arg(value_name = "ID")]
        id: UserId,
    },
    /// Remove an administrator, with their sessions and API tokens
    Remove {
        /// The administrator
        #[arg(value_name = "ID")]
        id: UserId,
    },
    /// Give an administrator a new password, which is asked for, or is the first line of standard
    /// input; their sessions end and their API tokens are switched off
    ResetPassword {
        /// The administrator
        #[arg(value_name = "ID")]
        id: UserId,
        /// Give your own present password too, before the new one; a server asks for it unless you
        /// signed in within the last ten minutes
        #[arg(long)]
        with_password: bool,
    },
    /// List the sessions of an administrator
    Sessions {
        /// The administrator
        #[arg(value_name = "ID")]
        id: UserId,
        #[command(flatten)]
        listing: Listing,
    },
    /// End all sessions of an administrator, or one
    EndSessions {
        /// The administrator
        #[arg(value_name = "ID")]
        id: UserId,
        /// Only this one
        #[arg(long, value_name = "ID")]
        session: Option<ApiTokenId>,
    },
}

const KIND: Kind = Kind {
    one: "administrator",
    many: "administrators",
    columns: ADMINISTRATOR,
    filter: "email=*@example.com",
};
const SESSIONS: Kind = Kind {
    one: "administratorSession",
    many: "administratorSessions",
    columns: SESSION,
    filter: "",
};

impl Command {
    /// The same, done on the store itself.
    pub(crate) fn on_store(self) -> Result<store::Command> {
        Ok(match self {
            Self::Create { email } => store::Command::Create { email },
            Self::List { listing } | Self::Sessions { listing, .. } if listing.is_given() => {
                return Err(usage(NO_LISTING));
            }
            Self::List { .. } => store::Command::List,
            Self::Disable { id } => store::Command::Disable { id },
            Self::Enable { id } => store::Command::Enable { id },
            Self::Remove { id } => store::Command::Remove { id },
            Self::ResetPassword { with_password: true, .. } => {
                return Err(usage("on a store nobody asks who you are: leave --with-password out"));
            }
            Self::ResetPassword { id, .. } => store::Command::ResetPassword { id },
            Self::Sessions { id, .. } => store::Command::Sessions { id },
            Self::EndSessions { id, session } => store::Command::EndSessions { id, session },
        })
    }
}

pub(super) async fn run(command: Command, session: &Session) -> Result<()> {
    let path = |id: UserId| format!("/administrators/{id}");
    let none = Condition::default();
    let status = |id: UserId, status: &'static str| async move {
        let body = json!({ "status": status });
        resource::patch(session, &KIND, &path(id), body, &Condition::default()).await
    };
    match command {
        // It is for the store, which was looked at before.
        Command::Create { .. } => Err(usage("an administrator is made on the store itself")),
        Command::List { listing } => {
            resource::list(session, &KIND, "/administrators", &listing, &[]).await
        }
        Command::Disable { id } => status(id, "inactive").await,
        Command::Enable { id } => status(id, "active").await,
        Command::Remove { id } => {
            resource::delete(session, &KIND, &path(id), &[], &id.to_string(), &none).await
        }
        Command::ResetPassword { id, with_password } => {
            let (present, new) = match (session.curl, with_password) {
                (true, _) => {
                    (curl::PASSWORD.to_owned().into(), curl::NEW_PASSWORD.to_owned().into())
                }
                (false, true) => secret::change().map(|[present, new]| (present, new))?,
                (false, false) => (String::new().into(), secret::read("New password", true)?),
            };
            let mut body = json!({ "password": new.as_str() });
            if with_password {
                body["currentPassword"] = present.as_str().into();
            }
            resource::patch(session, &KIND, &path(id), body, &none).await
        }
        Command::Sessions { id, listing } => {
            let path = format!("{}/sessions", path(id));
            resource::list(session, &SESSIONS, &path, &listing, &[]).await
        }
        Command::EndSessions { id, session: Some(one) } => {
            let path = format!("{}/sessions/{one}", path(id));
            resource::delete(session, &SESSIONS, &path, &[], &one.to_string(), &none).await
        }
        Command::EndSessions { id, session: None } => {
            let (path, of) = (format!("{}/sessions", path(id)), format!("the sessions of {id}"));
            let all = Kind { one: SESSIONS.many, ..SESSIONS };
            resource::delete(session, &all, &path, &[], &of, &none).await
        }
    }
}
