//! A resource as it is answered: its own fields, and what surrounds them. The surroundings are the
//! same for all resources of a kind but for the ids in them, so that they are put together once.

use crate::error::{Error, Result};
use crate::rows::Tx;
use crate::rows::tenant::AuthorizedApp;
use guestlist_api::entity::Action;
use guestlist_api::id::ObjectId;
use guestlist_api::scope::Operation;
use serde::Serialize;
use std::borrow::Cow;

/// A resource that is answered with what is known of it beside its fields.
pub(crate) trait Resource: Serialize {
    /// The name of the resource, such as `experienceUser`.
    fn resource(&self) -> &'static str;
    /// The variable parts of its path.
    fn ids(&self) -> Vec<(&'static str, ObjectId)>;
    /// The one with this `id`, the last in its path, in an application that the caller may act in: as a
    /// change of it is answered. Nothing where no answer is so large that it is read again for it.
    ///
    /// # Errors
    /// When there is none any more, and when the store fails.
    fn read_again(_: &mut Tx<'_>, _: AuthorizedApp, _id: ObjectId) -> Result<Option<Self>>
    where
        Self: Sized,
    {
        Ok(None)
    }
}

/// Names of the variable parts of a path, and the digits of the ids that they are.
type Ids = [(&'static str, [u8; 24])];

/// What an ordinary resource takes, so that what it is written into seldom has to grow.
pub(crate) const TYPICAL_BYTES: usize = 2048;

/// The fields of `body`, with room for what surrounds them.
///
/// # Errors
/// [`Error::Internal`] if there is no JSON for it.
pub(crate) fn fields<T: Serialize>(body: &T) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(TYPICAL_BYTES);
    serde_json::to_writer(&mut out, body).map_err(Error::internal)?;
    Ok(out)
}

/// What can be done with a resource: JSON of an [`Action`], around the path of one resource.
pub(crate) struct ResourceRoute {
    pub(crate) operation: Operation,
    pub(crate) params: Vec<Cow<'static, str>>,
    before: String,
    path: Path,
    after: String,
}

impl ResourceRoute {
    /// What `operation` does: by `method`, at `path`, with `params`.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no JSON for it.
    pub(crate) fn new(
        operation: Operation,
        method: &'static str,
        path: &'static str,
        params: Vec<Cow<'static, str>>,
    ) -> Result<Self> {
        let action =
            Action { href: path.to_owned(), method: method.into(), params: params.clone() };
        let text = serde_json::to_string(&action).map_err(Error::internal)?;
        let (before, after) = text
            .split_once(path)
            .ok_or_else(|| Error::internal("a path is not written as itself in JSON"))?;
        Ok(Self {
            operation,
            params,
            before: format!("\"{}\":{before}", operation.action()),
            path: Path::of(path),
            after: after.to_owned(),
        })
    }

    /// Adds it to a JSON object, for the resource that `ids` name.
    fn write(&self, ids: &Ids, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        self.path.write(ids, out);
        out.extend_from_slice(self.after.as_bytes());
    }
}

/// A path with room for ids: each a text, and the name of what comes after it.
struct Path {
    parts: Vec<(&'static str, &'static str)>,
    end: &'static str,
}

impl Path {
    fn of(path: &'static str) -> Self {
        let (mut parts, mut end) = (Vec::new(), path);
        while let Some((before, rest)) = end.split_once('{')
            && let Some((name, after)) = rest.split_once('}')
        {
            parts.push((before, name));
            end = after;
        }
        Self { parts, end }
    }

    fn write(&self, ids: &Ids, out: &mut Vec<u8>) {
        for (before, name) in &self.parts {
            out.extend_from_slice(before.as_bytes());
            match ids.iter().find(|(of, _)| of == name) {
                Some((_, id)) => out.extend_from_slice(id),
                None => out.extend_from_slice(format!("{{{name}}}").as_bytes()),
            }
        }
        out.extend_from_slice(self.end.as_bytes());
    }
}

/// What is answered with a resource, for one caller.
pub(crate) struct Envelope<'a> {
    pub(crate) kind: &'static str,
    pub(crate) ids: &'a Ids,
    /// All that can be done with it, in the order of their names.
    pub(crate) routes: &'a [ResourceRoute],
    pub(crate) neighbours: Neighbours<'a>,
}

/// The queries for the page after a page of a list and for the one before, if there are such.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Neighbours<'a> {
    pub(crate) next: Option<&'a str>,
    pub(crate) previous: Option<&'a str>,
}

impl Envelope<'_> {
    /// Adds it to the object that `out` ends with, which has fields: the actions for which
    /// `allowed` holds if there is such a question, and `links` if they are wanted.
    pub(crate) fn write(
        &self,
        allowed: Option<impl Fn(&Operation) -> bool>,
        links: bool,
        out: &mut Vec<u8>,
    ) {
        out.pop();
        out.extend_from_slice(br#","_type":""#);
        out.extend_from_slice(self.kind.as_bytes());
        out.push(b'"');
        if let Some(allowed) = allowed {
            out.extend_from_slice(br#","_actions":{"#);
            let mut first = true;
            for route in self.routes.iter().filter(|route| allowed(&route.operation)) {
                if !first {
                    out.push(b',');
                }
                first = false;
                route.write(self.ids, out);
            }
            out.push(b'}');
        }
        if links {
            out.extend_from_slice(br#","_links":{"#);
            if let Some(own) = self.routes.iter().find(|route| route.operation.action() == "get") {
                let Neighbours { next, previous } = self.neighbours;
                for (name, query) in [("next", next), ("previous", previous)] {
                    if let Some(query) = query {
                        self.link(name, own, query, out);
                        out.push(b',');
                    }
                }
                self.link("self", own, "", out);
            }
            out.push(b'}');
        }
        out.push(b'}');
    }

    /// Adds a link to `own` with a query, in which nothing needs to be escaped.
    fn link(&self, name: &str, own: &ResourceRoute, query: &str, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(br#"":{"href":""#);
        own.path.write(self.ids, out);
        if !query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(query.as_bytes());
        }
        out.extend_from_slice(br#""}"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::route::Route;
    use crate::rest::service::catalog;
    use crate::rest::{openapi, table};
    use guestlist_api::entity::{Entity, Link};
    use std::collections::BTreeMap;

    const IDS: [(&str, [u8; 24]); 2] = [
        ("applicationId", *b"0a0a0a0a0a0a0a0a0a0a0a0a"),
        ("experienceUserId", *b"f1f1f1f1f1f1f1f1f1f1f1f1"),
    ];

    #[derive(Serialize, Debug, PartialEq)]
    struct Body {
        name: &'static str,
    }

    fn href(path: &str) -> String {
        IDS.iter().fold(path.to_owned(), |path, (name, id)| {
            path.replace(&format!("{{{name}}}"), std::str::from_utf8(id).unwrap())
        })
    }

    /// What is written is what serde makes of an [`Entity`], for each resource there is.
    #[test]
    fn what_surrounds_a_resource_is_that_of_an_entity() {
        let table = table();
        let catalog = catalog(table).unwrap();
        for kind in table.iter().map(|row| row.operation.resource()) {
            let mut rows: Vec<_> =
                table.iter().filter(|row| row.operation.resource() == kind).collect();
            rows.sort_by_key(|row| row.operation.action());
            let routes = &catalog.routes[kind];
            for (reads, links, next, previous) in [
                (None, true, None, Some("")),
                (Some(true), true, Some("a=b&cursor=c"), Some("cursor=d")),
                (Some(false), false, None, None),
            ] {
                let neighbours = Neighbours { next, previous };
                let allowed = reads.map(|reads: bool| {
                    move |operation: &Operation| !reads || operation.action() == "get"
                });
                let action = |row: &&&Route| {
                    let action = Action {
                        href: href(row.path),
                        method: openapi::method(&row.method).into(),
                        params: openapi::own_params(row),
                    };
                    (row.operation.action().into(), action)
                };
                let own = rows.iter().find(|row| row.operation.action() == "get");
                let link = |query: &str| {
                    let query = if query.is_empty() { "" } else { &format!("?{query}") };
                    own.map(|row| Link { href: format!("{}{query}", href(row.path)) })
                };
                let all = [
                    ("self", link("")),
                    ("next", next.and_then(link)),
                    ("previous", previous.and_then(link)),
                ];
                let wanted = Entity {
                    body: Body { name: "a\"}" },
                    kind: kind.into(),
                    actions: allowed.as_ref().map(|allowed| {
                        rows.iter()
                            .filter(|row| allowed(&row.operation))
                            .map(|row| action(&row))
                            .collect()
                    }),
                    links: links.then(|| {
                        let there =
                            all.into_iter().filter_map(|(name, link)| Some((name.into(), link?)));
                        there.collect::<BTreeMap<Cow<'static, str>, Link>>()
                    }),
                };
                let mut out = fields(&wanted.body).unwrap();
                Envelope { kind, ids: &IDS, routes, neighbours }.write(allowed, links, &mut out);
                let out = String::from_utf8(out).unwrap();
                assert_eq!(out, serde_json::to_string(&wanted).unwrap());
            }
        }
    }

    #[test]
    fn an_id_that_is_not_there_is_left_to_the_reader() {
        let mut out = Vec::new();
        Path::of("/a/{b}/c/{applicationId}").write(&IDS, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "/a/{b}/c/0a0a0a0a0a0a0a0a0a0a0a0a");
    }
}
