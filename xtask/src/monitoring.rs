//! The alert rules and the dashboard in `ops`, read and tried by Prometheus's own tool. That what they name
//! is in a scrape is for the integration tests.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::Project;
use crate::steps::Steps;
use crate::tools;

const RULES: &str = "ops/prometheus/guestlist.rules.yml";
const TESTS: &str = "ops/prometheus/guestlist.rules.test.yml";
const DASHBOARD: &str = "ops/grafana/guestlist.json";

/// Makes sure that the tool is there.
pub(crate) fn prerequisites() -> anyhow::Result<()> {
    let found = tools::works("promtool", &["--version"]);
    tools::system_packages(if found { &[] } else { &["prometheus"] })
}

/// Has the rules checked and tried, and the expressions of the dashboard read.
pub(crate) fn check(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let promtool = |arguments: &[&str], file: &Path| {
        let mut command = Command::new("promtool");
        command.args(arguments).arg(file);
        command
    };
    let hint = "mend the rule that is named";
    steps.command("alert rules", promtool(&["check", "rules"], &project.root.join(RULES)), hint)?;
    steps.command("alerts", promtool(&["test", "rules"], &project.root.join(TESTS)), hint)?;
    let shown = project.target.join("xtask/dashboard.rules.yml");
    steps.run("read the dashboard", || {
        let text = fs::read_to_string(project.root.join(DASHBOARD))?;
        let expressions = expressions(&text);
        ensure!(!expressions.is_empty(), "{DASHBOARD} shows nothing");
        fs::create_dir_all(shown.parent().context("it is in no directory")?)?;
        Ok(fs::write(&shown, as_rules(&expressions))?)
    })?;
    let hint = "mend the expression of the panel, which is named by its number";
    steps.command("dashboard", promtool(&["check", "rules"], &shown), hint)
}

/// The expressions in a dashboard. Reading the strings spares a JSON parser here.
fn expressions(dashboard: &str) -> Vec<String> {
    let behind = dashboard.split("\"expr\": \"").skip(1);
    let strings = behind.map(|rest| {
        let mut escaped = false;
        let is_end = |c: char| {
            let end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            end
        };
        rest.split(is_end).next().unwrap_or_default().replace("\\\"", "\"")
    });
    strings.collect()
}

/// Rules that ask for these, each a line, with what Grafana puts in place of its variables.
fn as_rules(expressions: &[String]) -> String {
    let mut text = String::from("groups:\n- name: dashboard\n  rules:\n");
    for (number, expression) in expressions.iter().enumerate() {
        let expression = expression.replace("$__rate_interval", "5m").replace('\'', "''");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  - record: shown:{number}\n    expr: '{expression}'");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_and_written() {
        let dashboard = r#"{"expr": "a{b=\"c\"}", "x": 1},
            {"expr": "rate(d[$__rate_interval])"}"#;
        let read = expressions(dashboard);
        assert_eq!(read, [r#"a{b="c"}"#, "rate(d[$__rate_interval])"]);
        let rules = as_rules(&read);
        assert!(rules.contains("expr: 'a{b=\"c\"}'\n") && rules.contains("expr: 'rate(d[5m])'\n"));
    }
}
