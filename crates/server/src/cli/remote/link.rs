//! `guestlist user invite`, `invitations` and `reset`.

use super::body::Data;
use super::resource::{self, Kind, Listing};
use super::session::Session;
use super::show::text;
use anyhow::Result;
use clap::Args;
use guestlist_api::id::{ExperienceGroupId, ExperienceUserId};

/// Where a link leads, and who is given it.
#[derive(Debug, Args)]
pub(super) struct LinkOptions {
    /// The page of yours that the link leads to
    #[arg(long, value_name = "URL")]
    link_url: Option<String>,
    /// Print the link rather than mail it
    #[arg(long)]
    no_mail: bool,
    #[command(flatten)]
    data: Data,
}

impl LinkOptions {
    /// The body that says so, and which field of the answer people are shown.
    fn body(self, otherwise: &'static str) -> Result<(super::body::Body, &'static str)> {
        let body = self.data.read()?.set("linkUrl", self.link_url);
        let body = body.set("sendMail", self.no_mail.then_some(false));
        Ok((body, if self.no_mail { "link" } else { otherwise }))
    }
}

/// Whom to invite.
#[derive(Debug, Args)]
pub(super) struct Invite {
    /// The address
    #[arg(long)]
    email: Option<String>,
    /// The given name
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// The family name
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// A tag that the user will have
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// A group that the user will be in
    #[arg(long, value_name = "ID")]
    group: Vec<ExperienceGroupId>,
    #[command(flatten)]
    link: LinkOptions,
}

const INVITATION: Kind = Kind {
    one: "experienceInvitation",
    many: "experienceInvitations",
    columns: &[
        ("ID", |invitation| text(invitation, "id")),
        ("EMAIL", |invitation| text(invitation, "email")),
        ("EXPIRES", |invitation| text(invitation, "expirationDate")),
    ],
    filter: "email=*@example.com",
};

const RESET: Kind = Kind {
    one: "experiencePasswordReset",
    many: "experiencePasswordResets",
    columns: &[],
    filter: "",
};

pub(super) async fn invite(session: &Session, within: &str, invite: Invite) -> Result<()> {
    let (body, shown) = invite.link.body("id")?;
    let body = body
        .set("email", invite.email)
        .set("firstName", invite.first_name)
        .set("lastName", invite.last_name)
        .list("experienceGroupIds", &invite.group)
        .tags("userTags", &invite.tag)?;
    let path = format!("{within}/invitations");
    resource::create(session, &INVITATION, &path, body.value(), shown).await
}

pub(super) async fn invitations(session: &Session, within: &str, listing: &Listing) -> Result<()> {
    let path = format!("{within}/invitations");
    resource::list(session, &INVITATION, &path, listing, &[]).await
}

pub(super) async fn reset(
    session: &Session,
    within: &str,
    id: ExperienceUserId,
    link: LinkOptions,
) -> Result<()> {
    let (body, shown) = link.body("expirationDate")?;
    let path = format!("{within}/users/{id}/passwordReset");
    resource::create(session, &RESET, &path, body.value(), shown).await
}
