//! What fills the response cache. A row of the table says that its answers may be cached, and what
//! they depend on beside the token; its handler knows nothing of it.

use super::gate::Gate;
use super::response_cache::CachedResponse;
use super::state::App;
use crate::http::coding::Gzip;
use crate::http::reply::Reply;
use crate::store::Snapshot;
use crate::tokens::grant::Grant;
use bytes::Bytes;
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use guestlist_api::time::DateTime;
use guestlist_store::Flow;
use hyper::header;
use serde_json::{Map, Value};
use std::str::FromStr;

/// What the answers of a row depend on, beside the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependsOn {
    /// The user whom its path names.
    User,
    /// The users and the groups of the application that its path names.
    Lists,
}

/// What one answer depends on, beside the token.
enum Dependency {
    User(ApplicationId, ExperienceUserId),
    Lists(ApplicationId),
}

/// Where the answer to a request goes in the response cache.
pub(crate) struct CacheSlot {
    target: Box<str>,
    dependency: Dependency,
}

/// The part of a path that is called `name`, if it is an id.
pub(crate) fn id_in<T: FromStr>(path: &Map<String, Value>, name: &str) -> Option<T> {
    path.get(name)?.as_str()?.parse().ok()
}

impl CacheSlot {
    /// That of the answer to a GET of `target`, the parts of whose path are `path`, of a row whose
    /// answers depend on `depends`.
    pub(crate) fn of(depends: DependsOn, path: &Map<String, Value>, target: &str) -> Option<Self> {
        let application = id_in(path, "applicationId")?;
        let dependency = match depends {
            DependsOn::User => Dependency::User(application, id_in(path, "experienceUserId")?),
            DependsOn::Lists => Dependency::Lists(application),
        };
        Some(Self { target: target.into(), dependency })
    }

    /// The generations of what the answer depends on, taken before it is read, if it is going to be
    /// cached: it was requested before, and nothing of that is changing.
    pub(crate) fn snapshot(
        &self,
        app: &App,
        gate: &Gate,
        grant: &Grant,
        now: DateTime,
    ) -> Option<Snapshot> {
        if !app.responses.requested_before(grant.token, &self.target) {
            return None;
        }
        let snapshot = match self.dependency {
            Dependency::User(application, user) => {
                app.store.snapshot(application, user, grant.token)
            }
            Dependency::Lists(application) => app.store.snapshot_of_lists(application, grant.token),
        }?;
        gate.is_good_from_now(app, now).then_some(snapshot)
    }

    /// Caches `reply`, which `operation` made for a client of `flow` after `snapshot` was taken.
    pub(crate) fn fill(
        &self,
        app: &App,
        grant: &Grant,
        (operation, flow): (&'static str, Flow),
        snapshot: Snapshot,
        reply: &Reply,
    ) {
        let etag = reply.headers.iter().find(|(name, _)| name == header::ETAG);
        let response = CachedResponse {
            snapshot,
            expires: grant.expires,
            operation,
            flow,
            etag: etag.map(|(_, etag)| etag.clone()),
            // As much as it takes, where what was written into has room to spare.
            body: Bytes::copy_from_slice(&reply.body),
            gzip: Gzip::Untried,
        };
        app.responses.put(grant.token, &self.target, response);
    }
}
