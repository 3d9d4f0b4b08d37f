//! `guestlist application`.

use super::Output;
use super::remote::columns::APPLICATION;
use super::remote::show::Rows;
use crate::applications::rows::{self as applications, Listing};
use crate::applications::rules::new_application;
use crate::rest::App;
use crate::rows::list::Paging;
use anyhow::{Result, anyhow};
use guestlist_api::application::{Application, ApplicationPost, ApplicationSort};
use guestlist_api::id::ApplicationId;
use guestlist_api::text::Whole;
use guestlist_api::wire::{self, Problem, Wire};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What is done on the store itself.
#[derive(Debug)]
pub(super) enum Command {
    /// Make an application.
    Create {
        /// Its name.
        name: String,
        /// What it is for.
        description: Option<String>,
    },
    /// List the applications.
    List,
}

impl Command {
    /// Whether it may be the first thing that is done with a store.
    pub(super) const fn makes_a_store(&self) -> bool {
        matches!(self, Self::Create { .. })
    }
}

pub(super) async fn run(command: Command, app: Arc<App>, out: Output) -> Result<()> {
    match command {
        Command::Create { name, description } => {
            let mut body = json!({ "name": name });
            if let Some(description) = description {
                body["description"] = description.into();
            }
            let id = create(&app, parse("application", body)?).await?.id;
            out.result(&json!({ "applicationId": id }), || id.to_string())
        }
        Command::List => {
            let all = all(&app).await?;
            let mut rows = Rows::new(APPLICATION, out);
            all.iter().try_for_each(|one| rows.push(&resource("application", one)?))?;
            rows.end()
        }
    }
}

/// `one` of `kind` as a server answers it, without what depends on who asks.
pub(super) fn resource(kind: &str, one: &impl Serialize) -> Result<Value> {
    let mut value = serde_json::to_value(one)?;
    if let Value::Object(fields) = &mut value {
        fields.insert("_type".into(), kind.into());
    }
    Ok(value)
}

/// `value` as the wire would read it, under the same rules and with the same words.
pub(super) fn parse<T: Wire>(name: &'static str, value: Value) -> Result<T> {
    wire::read(name, value).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(Problem::to_string).collect();
        anyhow!("{}", all.join("\n"))
    })
}

/// Makes the application that `post` asks for.
pub(super) async fn create(app: &App, post: ApplicationPost) -> Result<Application> {
    let now = app.clock.now();
    let (id, owner) = (ApplicationId(app.ids.next(now)), app.organization);
    let made = app.store.write(move |tx| {
        let application = new_application(&post, id, owner, now);
        applications::add(tx, &application)?;
        Ok(application)
    });
    Ok(made.await?)
}

async fn all(app: &App) -> Result<Vec<Application>> {
    let mut all = Vec::new();
    let mut paging = Paging::new(None, Some(Whole(1000)), None);
    loop {
        let listing =
            Listing { only: None, name: None, sort: ApplicationSort::Id, paging: paging.clone() };
        let found = app.store.read(move |tx| applications::list(tx, &listing)).await?;
        all.extend(found.items);
        let Some(next) = found.next else { return Ok(all) };
        paging.start = next;
    }
}
