//! `guestlist experience`.

use super::body::Body;
use super::failure::usage;
use super::resource::value;
use super::session::Session;
use super::show::one;
use anyhow::Result;
use clap::{Args, Subcommand};
use guestlist_api::id::ApplicationId;
use guestlist_client::{Method, Request};

#[derive(Debug, Args)]
pub(crate) struct Experience {
    /// The application [env: `GUESTLIST_APPLICATION`, or that of the profile]
    #[arg(long, value_name = "ID", global = true)]
    application: Option<ApplicationId>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a user and a group to begin with; prints the password of the user
    Bootstrap {
        /// Replace what is there under their names, rather than take other names
        #[arg(long)]
        replace: bool,
        /// Make no user
        #[arg(long)]
        no_user: bool,
        /// Make no group
        #[arg(long)]
        no_group: bool,
    },
    /// Delete all users and all groups of an application
    Delete {
        /// Not the users
        #[arg(long)]
        keep_users: bool,
        /// Not the groups
        #[arg(long)]
        keep_groups: bool,
        /// Yes, all of them
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(experience: Experience, session: &Session) -> Result<()> {
    let application = session.application(experience.application)?;
    let all = format!("/applications/{application}/experience");
    match experience.command {
        Command::Bootstrap { replace, no_user, no_group } => {
            let options = Body::default()
                .set("replaceExisting", replace.then_some(true))
                .set("createUsers", no_user.then_some(false))
                .set("createGroups", no_group.then_some(false));
            let scope = "experience.bootstrap";
            let request =
                Request::new(Method::PATCH, format!("{all}/bootstrap")).body(options.value());
            let Some(reply) = session.send(&request, scope).await? else { return Ok(()) };
            one(&value(session, &reply, scope)?, session.out)
        }
        Command::Delete { keep_users, keep_groups, yes } => {
            let parts: Vec<&str> = [("users", keep_users), ("groups", keep_groups)]
                .into_iter()
                .filter_map(|(part, kept)| (!kept).then_some(part))
                .collect();
            if parts.is_empty() {
                return Err(usage("there is nothing to delete: all is kept"));
            }
            let what = format!("all {} of {application}", parts.join(" and all "));
            if !yes && !session.curl {
                return Err(usage(format!("this deletes {what}: say --yes if it is meant")));
            }
            let mut request = Request::new(Method::DELETE, all);
            for (flag, kept) in [("keepUsers", keep_users), ("keepGroups", keep_groups)] {
                if kept {
                    request = request.query(flag, "true");
                }
            }
            let scope = "experience.delete";
            let Some(reply) = session.send(&request, scope).await? else { return Ok(()) };
            let done = value(session, &reply, scope)?;
            session.out.result(&done, || format!("deleted {what}"))
        }
    }
}
