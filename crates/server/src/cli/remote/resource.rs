//! The five actions that every kind of resource has.

use super::super::{Output, line};
use super::failure::usage;
use super::session::Session;
use super::show::{Column, Rows, one, text};
use anyhow::Result;
use guestlist_client::{Method, Page, Reply, Request};
use serde_json::Value;
use std::io::{Write as _, stderr};

/// A kind of resource.
pub(super) struct Kind {
    /// One of them, as scopes name it.
    pub(super) one: &'static str,
    /// Many of them, as scopes name them.
    pub(super) many: &'static str,
    /// How a list of them looks.
    pub(super) columns: &'static [Column],
    /// What a filter of them looks like, such as `name=a*`.
    pub(super) filter: &'static str,
}

/// Which of them are listed, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Listing {
    /// Sort by this field, such as creationDate; in the order of their ids, oldest first, unless said
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
    /// The largest first
    #[arg(long)]
    desc: bool,
    /// Only those whose field matches: email, firstName or lastName of a user, the name of all else;
    /// * is any run of characters, as in email=*@example.com
    #[arg(long, value_name = "FIELD=PATTERN")]
    filter: Option<String>,
    /// Only this page, counted from 0; all of them unless said
    #[arg(long, value_name = "N")]
    page: Option<u64>,
    /// Only the page beyond this, as the page beside it said, if there is more
    #[arg(long, value_name = "CURSOR", conflicts_with = "page")]
    cursor: Option<String>,
    /// How many to ask for at a time: 1 to 1000
    #[arg(long, value_name = "N")]
    per_page: Option<u64>,
}

impl Listing {
    /// Whether anything was asked of it.
    pub(super) const fn is_given(&self) -> bool {
        let Self { sort, desc, filter, page, cursor, per_page } = self;
        let texts = sort.is_some() || filter.is_some() || cursor.is_some();
        texts || *desc || page.is_some() || per_page.is_some()
    }

    /// Asks for the list at `path`, in the order of `sort` and so many at a time unless said.
    pub(super) fn request(
        &self,
        path: &str,
        kind: &Kind,
        sort: &str,
        per_page: Option<u64>,
    ) -> Result<Request> {
        let mut request = Request::new(Method::GET, path).query("_actions", "false");
        request = request.query("sortField", self.sort.as_deref().unwrap_or(sort));
        if self.desc {
            request = request.query("sortDirection", "desc");
        }
        if let Some(filter) = &self.filter {
            let (field, pattern) = filter.split_once('=').ok_or_else(|| {
                let such = kind.filter;
                usage(format!("--filter: {filter:?} is not FIELD=PATTERN, such as {such}"))
            })?;
            request = request.query("filterField", field).query("filter", pattern);
        }
        if let Some(page) = self.page {
            request = request.query("page", page.to_string());
        }
        if let Some(cursor) = &self.cursor {
            request = request.query("cursor", cursor);
        }
        if let Some(count) = self.per_page.or(per_page) {
            request = request.query("perPage", count.to_string());
        }
        Ok(request)
    }
}

/// What a change depends on.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Condition {
    /// Only if it still has this tag (`ETag`)
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Condition {
    /// Whether there is one.
    pub(super) const fn is_given(&self) -> bool {
        self.if_match.is_some()
    }

    fn on(&self, request: Request) -> Request {
        match &self.if_match {
            Some(etag) => request.if_match(etag),
            None => request,
        }
    }
}

/// A request for a resource as it is, without what surrounds it.
fn plain(method: Method, path: &str) -> Request {
    Request::new(method, path).query("_actions", "false").query("_links", "false")
}

/// `request` with `query`.
fn asking(request: Request, query: &[(&str, &str)]) -> Request {
    query.iter().fold(request, |request, (name, value)| request.query(*name, *value))
}

/// The whole answer.
pub(super) fn value(session: &Session, reply: &Reply, scope: &str) -> Result<Value> {
    reply.json().map_err(|error| session.failed(&error, scope))
}

/// `value` with its tag for programs, beside what else is about it and not of it.
fn tagged(mut value: Value, reply: &Reply, out: Output) -> Value {
    if let (true, Some(etag), Value::Object(fields)) = (out.json, &reply.etag, &mut value) {
        fields.insert("_etag".into(), etag.as_str().into());
    }
    value
}

/// Reads and prints one.
pub(super) async fn get(
    session: &Session,
    kind: &Kind,
    path: &str,
    query: &[(&str, &str)],
) -> Result<()> {
    let scope = format!("{}.get", kind.one);
    let request = asking(plain(Method::GET, path), query);
    let Some(reply) = session.send(&request, &scope).await? else { return Ok(()) };
    one(&tagged(value(session, &reply, &scope)?, &reply, session.out), session.out)?;
    match reply.etag {
        Some(etag) if !session.out.json => line(&format!("\nETag: {etag}")),
        _ => Ok(()),
    }
}

/// `item` of a list without its links. The list is asked for with them, because one of its own says how
/// it goes on.
fn unlinked(mut item: Value) -> Value {
    if let Value::Object(fields) = &mut item {
        fields.shift_remove("_links");
    }
    item
}

/// Reads and prints all of them, or a page.
pub(super) async fn list(
    session: &Session,
    kind: &Kind,
    path: &str,
    listing: &Listing,
    query: &[(&str, String)],
) -> Result<()> {
    let scope = format!("{}.get", kind.many);
    let mut request = listing.request(path, kind, "id", None)?;
    for (name, value) in query {
        request = request.query(*name, value);
    }
    let mut rows = Rows::new(kind.columns, session.out);
    if listing.page.is_some() || listing.cursor.is_some() || session.curl {
        let Some(reply) = session.send(&request, &scope).await? else { return Ok(()) };
        let page: Page<Value> = reply.json().map_err(|error| session.failed(&error, &scope))?;
        for item in &page.items {
            rows.push(&unlinked(item.clone()))?;
        }
        rows.end()?;
        // Nothing is lost with somebody who does not listen.
        if let Some(cursor) = page.previous_cursor() {
            let _ = writeln!(stderr(), "guestlist: there is more before: --cursor {cursor}");
        }
        if let Some(cursor) = page.cursor() {
            let _ = writeln!(stderr(), "guestlist: there is more: --cursor {cursor}");
        }
        return Ok(());
    }
    let mut items = session.authorized()?.items::<Value>(&request);
    while let Some(item) = items.next().await {
        rows.push(&unlinked(item.map_err(|error| session.failed(&error, &scope))?))?;
    }
    rows.end()
}

/// Makes one, and prints it, or for people only `field` of it.
pub(super) async fn create(
    session: &Session,
    kind: &Kind,
    path: &str,
    body: Value,
    field: &str,
) -> Result<()> {
    let scope = format!("{}.post", kind.many);
    let request = plain(Method::POST, path).body(body);
    let Some(reply) = session.send(&request, &scope).await? else { return Ok(()) };
    let made = tagged(value(session, &reply, &scope)?, &reply, session.out);
    session.out.result(&made, || text(&made, field))
}

/// Changes one, and prints it.
pub(super) async fn patch(
    session: &Session,
    kind: &Kind,
    path: &str,
    body: Value,
    condition: &Condition,
) -> Result<()> {
    let scope = format!("{}.patch", kind.one);
    let request = condition.on(plain(Method::PATCH, path).body(body));
    let Some(reply) = session.send(&request, &scope).await? else { return Ok(()) };
    one(&tagged(value(session, &reply, &scope)?, &reply, session.out), session.out)
}

/// Deletes one, which is called `id`, as `query` says.
pub(super) async fn delete(
    session: &Session,
    kind: &Kind,
    path: &str,
    query: &[(&str, &str)],
    id: &str,
    condition: &Condition,
) -> Result<()> {
    let scope = format!("{}.delete", kind.one);
    let request = condition.on(asking(Request::new(Method::DELETE, path), query));
    let Some(reply) = session.send(&request, &scope).await? else { return Ok(()) };
    let done = value(session, &reply, &scope)?;
    session.out.result(&done, || format!("deleted {id}"))
}
