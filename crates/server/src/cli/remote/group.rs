//! `guestlist group`.

use super::body::{Body, Data};
use super::resource::{self, Condition, Kind, Listing};
use super::session::Session;
use super::show::text;
use super::tree::{self, EXCLUDE_MEMBERS};
use anyhow::Result;
use clap::{Args, Subcommand};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use serde_json::Value;

#[derive(Debug, Args)]
pub(crate) struct Group {
    /// The application [env: `GUESTLIST_APPLICATION`, or that of the profile]
    #[arg(long, value_name = "ID", global = true)]
    application: Option<ApplicationId>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a group
    Get {
        /// The group
        #[arg(value_name = "ID")]
        id: ExperienceGroupId,
        /// Count its devices
        #[arg(long)]
        counts: bool,
        /// Say how many members it has, and not which
        #[arg(long)]
        exclude_members: bool,
    },
    /// List the groups of an application
    List {
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        part: ForestPart,
    },
    /// Make a group
    Create {
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a group; what is not said stays as it is
    Patch {
        /// The group
        #[arg(value_name = "ID")]
        id: ExperienceGroupId,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        condition: Condition,
    },
    /// Delete a group; the groups in it move up, its users stay
    Delete {
        /// The group
        #[arg(value_name = "ID")]
        id: ExperienceGroupId,
        #[command(flatten)]
        condition: Condition,
    },
}

#[derive(Debug, Args)]
struct ForestPart {
    /// Only those in this group
    #[arg(long, value_name = "ID")]
    parent: Option<ExperienceGroupId>,
    /// Only those in no group
    #[arg(long, conflicts_with = "parent")]
    root: bool,
    /// Each below the group that it is in, by their names unless said; all that are below those
    #[arg(long, conflicts_with_all = ["filter", "page", "cursor"])]
    tree: bool,
    /// With --json: how many members each has, and not which; else it is always so
    #[arg(long)]
    exclude_members: bool,
}

impl ForestPart {
    fn parent(&self) -> Option<String> {
        let parent = self.parent.map(|parent| parent.to_string());
        parent.or_else(|| (self.root || self.tree).then(|| "none".into()))
    }
}

#[derive(Debug, Args)]
struct Fields {
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The group it is in
    #[arg(long, value_name = "ID")]
    parent: Option<ExperienceGroupId>,
    /// It is in no group
    #[arg(long, conflicts_with = "parent")]
    root: bool,
    /// A tag; those that are given are all that the group has
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// A member; those that are given are all that the group has
    #[arg(long, value_name = "ID")]
    user: Vec<ExperienceUserId>,
    #[command(flatten)]
    data: Data,
}

impl Fields {
    fn body(self) -> Result<Body> {
        self.data
            .read()?
            .set("name", self.name)
            .set("description", self.description)
            .set("parentId", self.parent.map(|parent| parent.to_string()))
            .set("parentId", self.root.then_some(Value::Null))
            .list("experienceUserIds", &self.user)
            .tags("groupTags", &self.tag)
    }
}

fn users(group: &Value) -> String {
    let named = || group["experienceUserIds"].as_array().map(|ids| ids.len() as u64);
    group["directUserCount"].as_u64().or_else(named).unwrap_or_default().to_string()
}

const KIND: Kind = Kind {
    one: "experienceGroup",
    many: "experienceGroups",
    columns: &[
        ("ID", |group| text(group, "id")),
        ("NAME", |group| text(group, "name")),
        ("USERS", users),
        ("PARENT", |group| text(group, "parentId")),
    ],
    filter: "name=a*",
};

pub(super) async fn run(group: Group, session: &Session) -> Result<()> {
    let application = session.application(group.application)?;
    let all = format!("/applications/{application}/experience/groups");
    let path = |id: ExperienceGroupId| format!("{all}/{id}");
    match group.command {
        Command::Get { id, counts, exclude_members } => {
            let query = [
                ("includeDirectDeviceCount", counts),
                ("includeTotalDeviceCount", counts),
                (EXCLUDE_MEMBERS, exclude_members),
            ];
            let query: Vec<_> =
                query.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name, "true")).collect();
            resource::get(session, &KIND, &path(id), &query).await
        }
        Command::List { listing, part } => {
            let parent = part.parent();
            if part.tree {
                return tree::print(session, &KIND, &all, &listing, parent.as_deref()).await;
            }
            let mut query: Vec<_> = parent.map(|parent| ("parentId", parent)).into_iter().collect();
            if part.exclude_members || !session.out.json {
                query.push((EXCLUDE_MEMBERS, "true".into()));
            }
            resource::list(session, &KIND, &all, &listing, &query).await
        }
        Command::Create { fields } => {
            resource::create(session, &KIND, &all, fields.body()?.value(), "id").await
        }
        Command::Patch { id, fields, condition } => {
            let body = fields.body()?.changes()?;
            resource::patch(session, &KIND, &path(id), body, &condition).await
        }
        Command::Delete { id, condition } => {
            resource::delete(session, &KIND, &path(id), &[], &id.to_string(), &condition).await
        }
    }
}
