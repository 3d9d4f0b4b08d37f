//! `guestlist me`.

use super::super::secret;
use super::super::token::ttl;
use super::body::{Body, Data};
use super::curl;
use super::resource::{self, Condition, Kind};
use super::session::Session;
use super::show::text;
use anyhow::Result;
use clap::{Args, Subcommand};
use guestlist_client::{Method, Request};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the administrator whose token it is
    Get,
    /// Change them; what is not said stays as it is
    Patch {
        #[command(flatten)]
        fields: Fields,
        /// Give the present password, which is asked for, or is the first line of standard input; a new
        /// address needs it unless you signed in within the last ten minutes
        #[arg(long)]
        with_password: bool,
        #[command(flatten)]
        condition: Condition,
    },
    /// Change the password; it is asked for, or standard input has the present one on its first
    /// line and the new one on its second; the token of a new session is printed
    ChangePassword {
        /// End every session that there is, and switch every API token of one's own off
        #[arg(long)]
        sign_out_everywhere: bool,
        /// When the new session ends, such as 12h or 30d, or never
        #[arg(long, value_name = "TIME", default_value = "30d")]
        expires: String,
    },
    /// Begin another session like that of the token, for as long again, and print its token
    RefreshToken,
}

#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// The address
    #[arg(long)]
    email: Option<String>,
    /// The given name
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// The family name
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// The company
    #[arg(long, value_name = "NAME")]
    company_name: Option<String>,
    #[command(flatten)]
    data: Data,
}

impl Fields {
    fn body(self) -> Result<Body> {
        Ok(self
            .data
            .read()?
            .set("email", self.email)
            .set("firstName", self.first_name)
            .set("lastName", self.last_name)
            .set("companyName", self.company_name))
    }
}

const KIND: Kind = Kind { one: "me", many: "me", columns: &[], filter: "" };

pub(super) async fn run(command: Command, session: &Session) -> Result<()> {
    match command {
        Command::Get => resource::get(session, &KIND, "/me", &[]).await,
        Command::Patch { fields, with_password, condition } => {
            let mut body = fields.body()?.changes()?;
            if with_password {
                let present = if session.curl {
                    curl::PASSWORD.to_owned().into()
                } else {
                    secret::read("Present password", false)?
                };
                body["currentPassword"] = present.as_str().into();
            }
            resource::patch(session, &KIND, "/me", body, &condition).await
        }
        Command::ChangePassword { sign_out_everywhere, expires } => {
            change_password(session, sign_out_everywhere, &expires).await
        }
        Command::RefreshToken => {
            let scope = "me.refreshToken";
            let request = Request::new(Method::GET, "/me/refreshToken");
            let Some(reply) = session.send(&request, scope).await? else { return Ok(()) };
            let answer = resource::value(session, &reply, scope)?;
            session.out.result(&answer, || text(&answer, "token"))
        }
    }
}

async fn change_password(session: &Session, everywhere: bool, expires: &str) -> Result<()> {
    const SCOPE: &str = "me.changePassword";
    let ttl = ttl(expires)?;
    let [present, new] = if session.curl {
        [curl::PASSWORD.to_owned().into(), curl::NEW_PASSWORD.to_owned().into()]
    } else {
        secret::change()?
    };
    let body = json!({
        "password": present.as_str(),
        "newPassword": new.as_str(),
        "invalidateExistingTokens": everywhere,
        "tokenTTL": ttl.unwrap_or_default(),
    });
    let request = Request::new(Method::PATCH, "/me/changePassword").body(body);
    let Some(reply) = session.send(&request, SCOPE).await? else { return Ok(()) };
    let answer = resource::value(session, &reply, SCOPE)?;
    session.out.result(&answer, || text(&answer, "token"))
}
