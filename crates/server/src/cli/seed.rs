//! `guestlist user seed`: a population, straight into the store.

use super::progress::Progress;
use super::{Output, application};
use crate::auth::hasher::PasswordHash;
use crate::auth::places::Asker;
use crate::clock::random;
use crate::directory::groups::rows as groups;
use crate::directory::search;
use crate::directory::users::rows as users;
use crate::error::{self, Error};
use crate::population::{MOST, Population};
use crate::rest::App;
use crate::rows::tenant::AuthorizedApp;
use anyhow::{Context as _, Result, anyhow};
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ApplicationId;
use guestlist_api::secret::NewUserPassword;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

/// Users that are written in one transaction: enough that its sync is nothing, and few enough
/// that another writer does not wait for long.
const AT_ONCE: u64 = 10_000;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// How many users
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    count: u64,
    /// The name of the new application that is made unless one is given [default: Seeded]
    #[arg(long, conflicts_with = "application")]
    name: Option<String>,
    /// That of all these commands.
    #[arg(skip)]
    application: Option<ApplicationId>,
    /// What the users are made of: the same number makes the same users
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u32,
    /// Write the ids of the users into this file, one a line
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
}

impl Args {
    /// The same, added to `application` if there is one.
    pub(super) fn in_application(self, application: Option<ApplicationId>) -> Self {
        Self { application, ..self }
    }

    /// Whether it may be the first thing that is done with a store.
    pub(super) const fn makes_a_store(&self) -> bool {
        self.application.is_none()
    }
}

/// What was put into the store so far.
#[derive(Default)]
struct Planted {
    users: u64,
    memberships: usize,
    tags: usize,
}

pub(super) async fn run(args: Args, app: Arc<App>, out: Output) -> Result<()> {
    // Before the store is touched, so that a mistyped path leaves nothing half done.
    let ids = args.ids.as_ref().map(|path| {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok::<_, anyhow::Error>((BufWriter::new(file), path))
    });
    let mut ids = ids.transpose()?;
    let target = if let Some(id) = args.application {
        AuthorizedApp::allowed(id)
    } else {
        let name = args.name.as_deref().unwrap_or("Seeded");
        let post = application::parse("application", json!({ "name": name }))?;
        AuthorizedApp::allowed(application::create(&app, post).await?.id)
    };
    let application = app.store.read(move |tx| target.require(tx)).await?.id();
    let hash = app.hasher.hash(Asker::OWN, password()?).await?;
    let people = Population::new(application, args.seed, args.count);

    let groups: Vec<_> = people.groups().collect();
    let (made, taken) = (groups.len(), taken(args.seed));
    let planting = app.store.write(move |tx| {
        let tenant = target.require(tx)?;
        groups.iter().try_for_each(|group| groups::add(tx, tenant, group))
    });
    planting.await.map_err(&taken)?;

    let (mut progress, mut planted) = (Progress::new("users", 0, args.count), Planted::default());
    while planted.users < people.count() {
        let end = (planted.users + AT_ONCE).min(people.count());
        let users: Vec<ExperienceUser> = people.users(planted.users..end).collect();
        if let Some((file, path)) = &mut ids {
            let written = users.iter().try_for_each(|user| writeln!(file, "{}", user.id));
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
        planted.memberships += users.iter().map(|user| user.experience_groups.len()).sum::<usize>();
        planted.tags += users.iter().map(|user| user.user_tags.0.len()).sum::<usize>();
        plant(&app, target, users, hash.clone()).await.map_err(&taken)?;
        planted.users = end;
        progress.show(end);
    }
    // Otherwise the first server would be busy with it for its first seconds.
    while app.store.write(|tx| search::apply_backlog(tx, AT_ONCE)).await.map_err(&taken)? {}
    progress.end();
    if let Some((mut file, path)) = ids {
        file.flush().with_context(|| format!("cannot write {}", path.display()))?;
    }
    let Planted { users, memberships, tags } = planted;
    let object = json!({
        "applicationId": application,
        "users": users,
        "groups": made,
        "memberships": memberships,
        "tags": tags,
    });
    out.result(&object, || {
        format!(
            "{users} users with {tags} tags, {made} groups with {memberships} members, in \
             application {application}"
        )
    })
}

async fn plant(
    app: &App,
    target: AuthorizedApp,
    users: Vec<ExperienceUser>,
    hash: PasswordHash,
) -> error::Result<()> {
    let planting = app.store.write(move |tx| {
        let tenant = target.require(tx)?;
        users.iter().try_for_each(|user| users::add(tx, tenant, user, &hash))
    });
    planting.await
}

/// A password that nobody is told: these users are not there to sign in.
fn password() -> Result<guestlist_api::secret::Password> {
    let text = random::<16>()?.map(|byte| format!("{byte:02x}")).concat();
    let made = NewUserPassword::new(format!("Aa-{text}"));
    made.map(NewUserPassword::into_password).map_err(|rule| anyhow!("the made password {rule}"))
}

/// What an error of the store means here.
fn taken(seed: u32) -> impl Fn(Error) -> anyhow::Error {
    move |error| match error {
        Error::AlreadyExists(_) | Error::Taken(_) => anyhow!(
            "the application has users or groups of seed {seed} already: choose another --seed, or \
             leave --application out to make a new one"
        ),
        error => error.into(),
    }
}
