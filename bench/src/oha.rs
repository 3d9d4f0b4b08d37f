//! Load from `oha`, and what it saw.

use crate::process::{output, pinned};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where requests go.
#[derive(Debug, Clone)]
pub(crate) enum To {
    One(String),
    /// One of the URLs of a file, by chance.
    Any(PathBuf),
}

/// A load.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) to: To,
    pub(crate) token: String,
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    /// Requests a second, whether the last one is answered or not; as many as there can be
    /// without.
    pub(crate) rate: Option<f64>,
    /// A method and a body.
    pub(crate) body: Option<(&'static str, String)>,
    /// Whether what is under way when the time is up is waited for.
    pub(crate) wait: bool,
    /// What every answer must say.
    pub(crate) status: u16,
}

/// What a load saw; times in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Load {
    /// GETs, as many as can be.
    pub(crate) fn get(to: To, token: &str, connections: usize, seconds: f64) -> Self {
        let token = token.to_owned();
        Self { to, token, connections, seconds, rate: None, body: None, wait: false, status: 200 }
    }

    /// The same at `rate`, late answers counted from when they were due.
    pub(crate) fn at(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self
    }

    pub(crate) fn run(&self, program: &Path, processors: Option<&str>) -> Result<Seen> {
        let mut command = pinned(processors, program);
        command.args(["--no-tui", "--output-format", "json", "--no-color"]);
        command.args([
            "-z",
            &format!("{:.0}ms", self.seconds * 1000.0),
            "-c",
            &self.connections.to_string(),
        ]);
        // Both sides would have to pack the bytes, and the floor does not.
        command.arg("--disable-compression");
        command.args(["-H", "Accept: application/json"]);
        command.args(["-H", &format!("Authorization: Bearer {}", self.token)]);
        if let Some(rate) = self.rate {
            command.args(["--latency-correction", "-q", &format!("{rate:.0}")]);
        }
        if self.wait {
            command.arg("--wait-ongoing-requests-after-deadline");
        }
        if let Some((method, body)) = &self.body {
            command.args(["-m", method, "-T", "application/json", "-d", body]);
        }
        match &self.to {
            To::One(url) => command.arg(url),
            To::Any(file) => command.arg("--urls-from-file").arg(file),
        };
        let printed = output(&mut command)?;
        let said: Value = serde_json::from_str(&printed).context("oha did not print JSON")?;
        self.read(&said)
    }

    /// What `said` means, if every request was answered as it should be.
    fn read(&self, said: &Value) -> Result<Seen> {
        let statuses = said["statusCodeDistribution"].as_object().context("no statuses")?;
        ensure!(
            statuses.len() == 1 && statuses.contains_key(&self.status.to_string()),
            "not every answer was {}: {statuses:?}; errors: {}",
            self.status,
            said["errorDistribution"]
        );
        // Those under way when the time is up are no failures.
        let failed: Vec<&String> = said["errorDistribution"]
            .as_object()
            .into_iter()
            .flat_map(|errors| errors.keys())
            .filter(|error| !error.contains("deadline"))
            .collect();
        ensure!(failed.is_empty(), "requests failed: {failed:?}");
        let count: u64 = statuses.values().filter_map(Value::as_u64).sum();
        let total = said["summary"]["total"].as_f64().context("no duration")?;
        let millis = |name: &str| {
            let seconds = said["latencyPercentiles"][name].as_f64();
            seconds.map(|seconds| seconds * 1000.0).with_context(|| format!("no {name}"))
        };
        let rate = crate::stats::float(count) / total;
        // A generator that does not keep its pace would make the answers look quick.
        if let Some(wanted) = self.rate {
            ensure!(rate > wanted * 0.9, "{rate:.0} requests a second rather than {wanted:.0}");
        }
        Ok(Seen { rate, p50: millis("p50")?, p99: millis("p99")?, p999: millis("p99.9")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(said: &Value) -> Result<Seen> {
        Load::get(To::One(String::new()), "", 1, 1.0).read(said)
    }

    #[test]
    fn a_run_counts_only_if_every_answer_is_right() {
        let mut said = json!({
            "summary": { "total": 2.0 },
            "latencyPercentiles": { "p50": 0.001, "p99": 0.002, "p99.9": 0.003 },
            "statusCodeDistribution": { "200": 10 },
            "errorDistribution": { "aborted due to deadline": 3 },
        });
        let seen = read(&said).unwrap();
        assert_eq!((seen.rate, seen.p50, seen.p999), (5.0, 1.0, 3.0));
        said["statusCodeDistribution"]["503"] = json!(1);
        assert!(read(&said).unwrap_err().to_string().contains("503"));
        said["statusCodeDistribution"] = json!({ "200": 10 });
        said["errorDistribution"] = json!({ "connection refused": 1 });
        assert!(read(&said).unwrap_err().to_string().contains("connection refused"));
        said["statusCodeDistribution"] = json!({});
        assert!(read(&said).is_err());
    }

    #[test]
    fn a_generator_that_is_too_slow_does_not_count() {
        let said = json!({
            "summary": { "total": 1.0 },
            "latencyPercentiles": { "p50": 0.001, "p99": 0.002, "p99.9": 0.003 },
            "statusCodeDistribution": { "200": 80 },
            "errorDistribution": {},
        });
        let load = Load::get(To::One(String::new()), "", 1, 1.0);
        assert!(load.clone().at(100.0).read(&said).is_err());
        assert!(load.at(85.0).read(&said).is_ok());
    }
}
