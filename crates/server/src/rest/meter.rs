//! What is counted of caches and credentials, where somebody wants to know.

use crate::audit::{Action, Entry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::fmt;

type Labels = [(&'static str, &'static str); 2];
type Label = [(&'static str, &'static str); 1];

/// What is counted of a service.
pub struct Meter {
    lookups: Family<Labels, Counter>,
    /// The response cache.
    pub(crate) responses: CacheMeter,
    /// The grant cache.
    pub(crate) grants: CacheMeter,
    credentials: Family<Label, Counter>,
    mails: Family<Label, Counter>,
}

/// What became of looking into a cache.
pub(crate) struct CacheMeter {
    hits: Counter,
    misses: Counter,
}

impl CacheMeter {
    fn new(lookups: &Family<Labels, Counter>, cache: &'static str) -> Self {
        let of = |result| lookups.get_or_create_owned(&[("cache", cache), ("result", result)]);
        Self { hits: of("hit"), misses: of("miss") }
    }

    /// It was looked into, and what was wanted was there or not.
    pub(crate) fn looked(&self, hit: bool) {
        if hit { &self.hits } else { &self.misses }.inc();
    }
}

impl Default for Meter {
    fn default() -> Self {
        let lookups = Family::default();
        let (responses, grants) =
            (CacheMeter::new(&lookups, "response"), CacheMeter::new(&lookups, "grant"));
        let credentials = Family::<Label, Counter>::default();
        for action in Action::ALL {
            drop(credentials.get_or_create(&[("event", action.name())]));
        }
        let mails = Family::<Label, Counter>::default();
        for result in ["sent", "retried", "failed"] {
            drop(mails.get_or_create(&[("result", result)]));
        }
        Self { lookups, responses, grants, credentials, mails }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Meter {
    /// Has `registry` show all of it.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "cache_lookups",
            "How often a cache was looked into, and whether what was wanted was there",
            self.lookups.clone(),
        );
        registry.register(
            "credential_events",
            "What was done to credentials, by the event that the log has of it",
            self.credentials.clone(),
        );
        registry.register(
            "mails",
            "Mails that were tried, by what became of them",
            self.mails.clone(),
        );
    }

    /// A mail was tried.
    pub(crate) fn mailed(&self, result: &'static str) {
        self.mails.get_or_create(&[("result", result)]).inc();
    }

    /// Something was done to a credential.
    pub(crate) fn noted(&self, entry: &Entry) {
        self.credentials.get_or_create(&[("event", entry.event())]).inc();
    }
}
