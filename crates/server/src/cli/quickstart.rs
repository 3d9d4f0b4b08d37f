//! `guestlist quickstart`: a demo to call within a minute.

use super::output::announce;
use super::serve::{Signals, leave_no_core_dump, listen};
use super::{Output, application};
use crate::administrators::rows as administrators;
use crate::administrators::rules::{new_me, with_new_password};
use crate::applications::rows as applications;
use crate::applications::rules::new_application;
use crate::auth::hasher::PasswordHash;
use crate::auth::places::Asker;
use crate::clock::{Clock, random};
use crate::config::{CliArgs, Config, ServerArgs};
use crate::directory::groups::rules::new_group;
use crate::directory::groups::{forest, rows as groups};
use crate::directory::users::rules::new_user;
use crate::directory::users::{listing as user_listing, rows as users};
use crate::error::Error;
use crate::mail::MailSettings;
use crate::rest::App;
use crate::rows::list::Paging;
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::rows::{Tx, settings};
use crate::server::Server;
use crate::store::{OnDiskFailure, StoreUrl};
use crate::telemetry;
use crate::tokens::grant;
use crate::tokens::rows::{self as tokens, Principal};
use crate::tokens::rules::new_token;
use crate::tokens::sessions;
use anyhow::{Context as _, Result};
use guestlist_api::api_token::ApiTokenPost;
use guestlist_api::application::ApplicationPost;
use guestlist_api::experience_group::ExperienceGroupPost;
use guestlist_api::experience_user::{ExperienceUserPost, ExperienceUserSort, GroupRef};
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceGroupId, ExperienceUserId, UserId};
use guestlist_api::secret::NewUserPassword;
use guestlist_api::text::{Email, Whole};
use guestlist_api::time::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// What is printed, and kept beside the store for the next start.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Demo {
    application_id: ApplicationId,
    token: String,
    user_id: UserId,
    email: String,
    password: String,
}

pub(super) async fn run(given: &CliArgs, server: &ServerArgs, out: Output) -> Result<()> {
    let mut config = Config::read(given, server)?;
    // It begins a store.
    config.options.must_exist = false;
    config.options.on_disk_failure = OnDiskFailure::EndProcess;
    config.mail = match config.mail.take() {
        None => Some(mails_beside(&config.store)?),
        mail => mail,
    };
    let _log = telemetry::start();
    leave_no_core_dump();
    let (server, signals) = Signals::new()?.end_while(Server::bind(&config, Clock::System)).await?;
    let server = server?;
    let path = match &config.store {
        StoreUrl::Sqlite(path) => path.with_extension("quickstart.json"),
        StoreUrl::Postgres(_) => PathBuf::from("guestlist.quickstart.json"),
    };
    let demo = match earlier_demo(&path, &server.app).await? {
        Some(demo) => demo,
        None => make(&server.app, &path).await?,
    };
    let url = server.url();
    let ids = user_ids(&server.app, demo.application_id).await?;
    if out.json {
        announce(
            &json!({
                "url": url,
                "applicationId": demo.application_id,
                "token": demo.token,
                "experienceUserIds": ids,
                "email": demo.email,
                "password": demo.password,
            })
            .to_string(),
        )?;
    } else {
        let shown = Shown::on(std::io::stdout().is_terminal(), &demo, &path)?;
        announce(&instructions(&demo, &shown, &url, &ids, &path))?;
    }
    listen(server, signals, out).await
}

/// Mails of a demo are files beside its store: nobody is written to.
fn mails_beside(store: &StoreUrl) -> Result<MailSettings> {
    let directory = match store {
        StoreUrl::Sqlite(path) => path.with_extension("mails"),
        StoreUrl::Postgres(_) => PathBuf::from("guestlist.mails"),
    };
    let mails = MailSettings::directory(directory, "Guestlist <guestlist@example.com>");
    mails.map_err(|why| anyhow::anyhow!(why))
}

/// The demo of an earlier start, if it still is one.
async fn earlier_demo(path: &Path, app: &App) -> Result<Option<Demo>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    let demo: Demo = serde_json::from_str(&text)
        .with_context(|| format!("{} is not good: delete it for a new token", path.display()))?;
    let now = app.clock.now();
    let Ok(verified) = app.signer.verify(&demo.token, now) else { return Ok(None) };
    let (id, application) = (verified.id, AuthorizedApp::allowed(demo.application_id));
    let there = app.store.read(move |tx| {
        grant::grant(tx, id, now)?;
        application.require(tx).map(|_| ())
    });
    match there.await {
        Ok(()) => Ok(Some(demo)),
        Err(Error::TokenInvalid | Error::TokenExpired | Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sixteen characters out of 32, and what makes them a password that anybody accepts.
fn password() -> Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes: [u8; 16] = random()?;
    let text: String =
        bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(format!("A1-{text}"))
}

/// What the store remembers of the demo, whatever becomes of the file beside it.
#[derive(Serialize, Deserialize)]
struct Remembered {
    application: ApplicationId,
    user: UserId,
    token: ApiTokenId,
}

/// The setting under which it does.
const SETTING: &str = "quickstart";

/// Makes what is missing of the demo, with a new token and a new password for its administrator,
/// and writes these down. The store has all of it or nothing, so that no crash leaves half a demo
/// that the next start would make again.
async fn make(app: &App, path: &Path) -> Result<Demo> {
    let now = app.clock.now();
    let application: ApplicationPost = application::parse(
        "application",
        json!({ "name": "Demo", "description": "Made by guestlist quickstart" }),
    )?;
    let application =
        new_application(&application, ApplicationId(app.ids.next(now)), app.organization, now);
    let people = People::new(app).await?;
    let password = password()?;
    let secret = NewUserPassword::new(password.clone())
        .map_err(|rule| anyhow::anyhow!("the made password {rule}"))?;
    let hash = app.hasher.hash(Asker::OWN, secret.into_password()).await?;
    let post: ApiTokenPost =
        application::parse("apiToken", json!({ "name": "quickstart", "scope": ["all.User"] }))?;
    let (user, token) = (UserId(app.ids.next(now)), ApiTokenId(app.ids.next(now)));
    let made = app.store.write(move |tx| {
        let before = remembered(tx)?;
        let tenant =
            before.as_ref().map(|before| AuthorizedApp::allowed(before.application).require(tx));
        let application_id = match tenant {
            Some(Ok(tenant)) => tenant.id(),
            None | Some(Err(Error::NotFound(_))) => {
                let tenant = applications::add(tx, &application)?;
                people.plant(tx, tenant, now)?;
                tenant.id()
            }
            Some(Err(error)) => return Err(error),
        };
        let me = if let Some(before) = &before {
            let me = with_new_password(&administrators::lock(tx, before.user)?, now);
            administrators::put(tx, &me, Some(&hash))?;
            // What is lost may have been found: the old token and the sessions end.
            sessions::end_all(tx, me.id)?;
            if let Some((old, _)) = tokens::find(tx, before.token)? {
                tokens::delete(tx, &old)?;
            }
            me
        } else {
            let me = new_me(user, free_address(tx)?, now);
            administrators::add(tx, &me, &hash)?;
            me
        };
        let owner = Principal::User(me.id);
        let scopes = post.scope.clone().unwrap_or_default();
        let token = new_token(&post, token, owner.id(), owner.kind(), scopes, now);
        tokens::add(tx, &token)?;
        let remembered = Remembered { application: application_id, user: me.id, token: token.id };
        let remembered = serde_json::to_vec(&remembered).map_err(Error::internal)?;
        settings::put(tx, SETTING, &remembered)?;
        Ok((application_id, me, token))
    });
    let (application_id, me, token) = made.await?;
    let token = app.mint(&token, false)?.expose().to_owned();
    let demo = Demo { application_id, token, user_id: me.id, email: me.email, password };
    write_private(path, &serde_json::to_string_pretty(&demo)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(demo)
}

fn remembered(tx: &mut Tx<'_>) -> crate::error::Result<Option<Remembered>> {
    let found = settings::get(tx, SETTING)?;
    found.map(|found| serde_json::from_slice(&found).map_err(Error::internal)).transpose()
}

/// An address for the administrator that the demo's token speaks for.
fn free_address(tx: &mut Tx<'_>) -> crate::error::Result<Email> {
    let mut address = "admin@example.com".to_owned();
    let mut number = 1;
    while administrators::by_email(tx, &address)?.is_some() {
        number += 1;
        address = format!("admin{number}@example.com");
    }
    Email::parse(&address).ok_or_else(|| Error::internal("the made address is none"))
}

/// A few groups, and users in them.
struct People {
    groups: Vec<(ExperienceGroupPost, ExperienceGroupId, Option<usize>)>,
    users: Vec<(ExperienceUserPost, ExperienceUserId, Option<usize>)>,
    /// Of one random password that nobody is told.
    hash: PasswordHash,
}

impl People {
    async fn new(app: &App) -> Result<Self> {
        let now = app.clock.now();
        let shared = password()?;
        let groups = GROUPS.iter().map(|(name, parent)| {
            let post = application::parse("experienceGroup", json!({ "name": name }))?;
            Ok((post, ExperienceGroupId(app.ids.next(now)), *parent))
        });
        let users = PEOPLE.iter().map(|(first, last, group, tags)| {
            let email = format!("{first}.{last}@example.com").to_lowercase();
            let body = json!({
                "email": email, "firstName": first, "lastName": last, "password": shared,
                "userTags": serde_json::from_str::<Value>(tags)?,
            });
            let post = application::parse("experienceUser", body)?;
            Ok((post, ExperienceUserId(app.ids.next(now)), *group))
        });
        let secret = NewUserPassword::new(shared.clone())
            .map_err(|rule| anyhow::anyhow!("the made password {rule}"))?;
        Ok(Self {
            groups: groups.collect::<Result<_>>()?,
            users: users.collect::<Result<_>>()?,
            hash: app.hasher.hash(Asker::OWN, secret.into_password()).await?,
        })
    }

    /// Puts them into an application.
    fn plant(&self, tx: &mut Tx<'_>, tenant: Tenant, now: DateTime) -> crate::error::Result<()> {
        let mut made: Vec<GroupRef> = Vec::new();
        for (post, id, parent) in &self.groups {
            let parent_id = parent.and_then(|parent: usize| made.get(parent)).map(|group| group.id);
            let ancestors = forest::place(tx, tenant, None, parent_id, None)?;
            let mut group = new_group(post, *id, tenant.id(), Vec::new(), ancestors, now);
            group.parent_id = parent_id;
            groups::add(tx, tenant, &group)?;
            made.push(GroupRef { id: *id, name: group.name, parent_id });
        }
        for (post, id, group) in &self.users {
            let groups = group.and_then(|group| made.get(group)).cloned();
            let user = new_user(post, *id, tenant.id(), groups.into_iter().collect(), now);
            users::add(tx, tenant, &user, &self.hash)?;
        }
        Ok(())
    }
}

/// Names, and the position of the group they are in.
const GROUPS: [(&str, Option<usize>); 3] =
    [("Everybody", None), ("Operators", Some(0)), ("Visitors", Some(0))];

/// Given and family name, the position of the group, and tags.
const PEOPLE: [(&str, &str, Option<usize>, &str); 4] = [
    ("Ada", "Lovelace", Some(1), r#"{"role":"operator","site":"london"}"#),
    ("Grace", "Hopper", Some(1), r#"{"role":"operator","site":"arlington"}"#),
    ("Alan", "Turing", Some(2), r#"{"role":"visitor"}"#),
    ("Edsger", "Dijkstra", None, "{}"),
];

async fn user_ids(app: &App, application: ApplicationId) -> Result<Vec<ExperienceUserId>> {
    let listing = user_listing::Listing {
        query: None,
        filter: None,
        membership: None,
        search: None,
        ancestors: false,
        sort: ExperienceUserSort::Id,
        paging: Paging::new(None, Some(Whole(100)), None),
    };
    let listed = app.store.read(move |tx| {
        let tenant = AuthorizedApp::allowed(application).require(tx)?;
        user_listing::list(tx, tenant, &listing)
    });
    Ok(listed.await?.items.into_iter().map(|user| user.id).collect())
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut half = path.as_os_str().to_owned();
    half.push(".new");
    let half = PathBuf::from(half);
    match std::fs::remove_file(&half) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&half, path)
}

/// What can be done with a user, for a shell in which the values are set. The README shows the same.
const WITH_A_USER: &str = r#"# Read a user.
curl -H "Authorization: Bearer $TOKEN" \
  "$URL/applications/$APPLICATION_ID/experience/users/$USER_ID"

# Change the first name.
curl -X PATCH -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
  -d '{"firstName": "Augusta"}' \
  "$URL/applications/$APPLICATION_ID/experience/users/$USER_ID"

# Delete the user.
curl -X DELETE -H "Authorization: Bearer $TOKEN" \
  "$URL/applications/$APPLICATION_ID/experience/users/$USER_ID"
"#;

/// The same where there is none.
const WITHOUT_USERS: &str = r#"# No user is left. Make one, and start again to see how to change it.
curl -X POST -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
  -d '{"email": "new.user@example.com", "password": "aNewPassword"}' \
  "$URL/applications/$APPLICATION_ID/experience/users"
"#;

/// The password and the token, as they are printed.
struct Shown {
    password: String,
    token: String,
}

impl Shown {
    /// The values themselves for a person, or where they are: what is not a terminal may be a journal
    /// that lasts and that others read. A shell reads the token all the same when it is told to.
    fn on(terminal: bool, demo: &Demo, path: &Path) -> Result<Self> {
        if terminal {
            return Ok(Self { password: demo.password.clone(), token: demo.token.clone() });
        }
        let path = std::path::absolute(path)?.display().to_string().replace('\'', r"'\''");
        let script = r#"s/^ *"token": "\([^"]*\)".*/\1/p"#;
        Ok(Self {
            password: "(its password is in the file)".to_owned(),
            token: format!("\"$(sed -n '{script}' '{path}')\""),
        })
    }
}

fn instructions(
    demo: &Demo,
    shown: &Shown,
    url: &str,
    ids: &[ExperienceUserId],
    path: &Path,
) -> String {
    let user = ids.first().map(|id| format!("export USER_ID={id}\n")).unwrap_or_default();
    format!(
        "Guestlist {version}\n\n\
         Administrator  {email}  {password}\n\
         Kept for the next start in {path}, which only you can read.\n\n\
         # Paste this into another shell.\n\
         export URL={url}\n\
         export APPLICATION_ID={application}\n\
         {user}\
         export TOKEN={token}\n\n\
         {calls}",
        version = env!("CARGO_PKG_VERSION"),
        email = demo.email,
        password = shown.password,
        path = path.display(),
        application = demo.application_id,
        token = shown.token,
        calls = if ids.is_empty() { WITHOUT_USERS } else { WITH_A_USER },
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_shows_what_is_printed() {
        assert!(include_str!("../../../../README.md").contains(super::WITH_A_USER));
    }
}
