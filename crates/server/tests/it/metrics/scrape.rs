//! What was scraped, read as Prometheus reads it.

use crate::client::Client;
use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far longer than anything takes that is waited for here.
const PATIENCE: Duration = Duration::from_secs(30);

/// One scrape.
pub(crate) struct Scrape {
    /// What each metric is, by the name that it is asked for by.
    pub(crate) kinds: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Scrape {
    pub(crate) fn of(client: &Client) -> Self {
        let answer = client.request("GET", "/metrics").try_send().unwrap().expect(200);
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(answer.header("content-type"), Some(kind));
        Self::read(answer.text())
    }

    /// The first scrape that is `settled`: on a busy machine the store may take longer for what it is
    /// asked than whoever scrapes would wait, and a thread for its part of what is counted.
    pub(crate) fn once(client: &Client, settled: impl Fn(&Self) -> bool) -> Self {
        let since = Instant::now();
        loop {
            let scrape = Self::of(client);
            if settled(&scrape) || since.elapsed() > PATIENCE {
                return scrape;
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Whether the store has told all that it was asked.
    pub(crate) fn is_whole(&self) -> bool {
        let engine = [("engine", "sqlite")];
        let on_sqlite = self.samples("guestlist_build_info", &engine).next().is_some();
        self.sum("guestlist_store_writable", &[]) > 0.5
            && (!on_sqlite || self.kinds.contains_key("guestlist_search_backlog_users"))
    }

    pub(crate) fn read(text: &str) -> Self {
        let (mut kinds, mut samples) = (BTreeMap::new(), Vec::new());
        let lines = text.strip_suffix("# EOF\n").expect("all of it came").lines();
        for line in lines {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                let ending = match kind {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                let before = kinds.insert(format!("{name}{ending}"), kind.to_owned());
                assert_eq!(before, None, "{name} is there twice");
            } else if !line.starts_with('#') {
                samples.push(Sample::read(line));
            }
        }
        Self { kinds, samples }
    }

    /// The samples of the series `name` that have these labels, and others.
    pub(crate) fn samples<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name && sample.has(labels))
    }

    /// The sum of those.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples(name, labels).map(|sample| sample.value).sum()
    }

    /// The labels of a metric, beside those that its kind brings.
    pub(crate) fn labels(&self, metric: &str) -> BTreeSet<String> {
        let is_of = |name: &str| {
            let rest = name.strip_prefix(metric);
            rest.is_some_and(|rest| ["", "_bucket", "_sum", "_count"].contains(&rest))
        };
        let of_it = self.samples.iter().filter(|sample| is_of(&sample.name));
        of_it.flat_map(|sample| sample.labels.keys().cloned()).filter(|name| name != "le").collect()
    }

    /// Every series there is.
    pub(crate) fn series(&self) -> BTreeSet<String> {
        let written = |sample: &Sample| format!("{} {:?}", sample.name, sample.labels);
        self.samples.iter().map(written).collect()
    }
}

impl Sample {
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap();
        let labels = labels.split(',').filter(|label| !label.is_empty()).map(|label| {
            let (name, value) = label.split_once('=').unwrap();
            (name.to_owned(), value.trim_matches('"').to_owned())
        });
        let (name, labels) = (name.to_owned(), labels.collect());
        Self { name, labels, value: value.parse().unwrap() }
    }

    fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(name, value)| self.labels.get(*name).is_some_and(|is| is == value))
    }
}
