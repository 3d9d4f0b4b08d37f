//! What those who watch are given, held against what a server tells: each metric and each label that an
//! alert or the dashboard names is in the scrape.

use super::scrape::Scrape;
use super::{busy, guide, on_sqlite};
use serde_json::Value;
use std::collections::BTreeSet;

const RULES: &str = include_str!("../../../../../ops/prometheus/guestlist.rules.yml");
const TESTS: &str = include_str!("../../../../../ops/prometheus/guestlist.rules.test.yml");
const DASHBOARD: &str = include_str!("../../../../../ops/grafana/guestlist.json");
const MONITORING: &str = include_str!("../../../../../docs/operate/monitoring.md");

/// What Prometheus adds to whatever it scrapes.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];

/// A series that is asked for, and what is asked of its labels.
#[derive(Debug, PartialEq, Eq)]
struct Selector {
    series: String,
    /// The label, and the value that it has to have.
    labels: Vec<(String, String)>,
}

/// What an expression of an alert or a panel asks for, and by which labels it tells results apart.
fn asked(expression: &str) -> (Vec<Selector>, BTreeSet<String>) {
    let (mut selectors, mut by) = (Vec::new(), BTreeSet::new());
    let mut rest = expression;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '"') {
        if let Some(text) = rest[start..].strip_prefix('"') {
            rest = &text[text.find('"').unwrap() + 1..];
            continue;
        }
        let word = &rest[start..];
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        rest = behind;
        if word == "by" {
            let (labels, behind) = rest.trim_start_matches([' ', '(']).split_once(')').unwrap();
            by.extend(labels.split(',').map(|label| label.trim().to_owned()));
            rest = behind;
        } else if word == "up" || word.starts_with("guestlist_") || word.starts_with("process_") {
            let mut labels = Vec::new();
            if let Some(inside) = rest.strip_prefix('{') {
                let (matchers, behind) = inside.split_once('}').unwrap();
                for matcher in matchers.split(", ") {
                    let (label, value) = matcher.split_once('=').unwrap();
                    let value = value.trim_start_matches('~').trim_matches('"');
                    labels.push((label.to_owned(), value.to_owned()));
                }
                rest = behind;
            }
            selectors.push(Selector { series: word.to_owned(), labels });
        } else if rest.starts_with('[') {
            panic!("{word} is no metric of ours");
        }
    }
    (selectors, by)
}

/// Holds `expression` against what was scraped of a server, where another would tell the series
/// `elsewhere`: the labels that its results have.
fn check(expression: &str, scrape: &Scrape, elsewhere: &BTreeSet<String>) -> BTreeSet<String> {
    let (selectors, by) = asked(expression);
    assert!(!selectors.is_empty(), "{expression}");
    let mut known: BTreeSet<String> = OF_PROMETHEUS.map(str::to_owned).into();
    let mut told = true;
    for Selector { series, labels } in &selectors {
        let samples: Vec<_> = scrape.samples(series, &[]).collect();
        if samples.is_empty() {
            told = false;
            assert!(series == "up" || elsewhere.contains(metric(series)), "{series}: {expression}");
        }
        known.extend(samples.iter().flat_map(|sample| sample.labels.keys().cloned()));
        for (label, value) in labels.iter().filter(|_| !samples.is_empty()) {
            if OF_PROMETHEUS.contains(&label.as_str()) {
                continue;
            }
            assert!(known.contains(label), "{series} has no {label}: {expression}");
            // Which statuses there were is another matter than which there can be.
            let is_there = |value| samples.iter().any(|sample| sample.labels[label] == value);
            assert!(label == "status" || value.split('|').all(is_there), "{value}: {expression}");
        }
    }
    assert!(!told || by.is_subset(&known), "{by:?} of {known:?}: {expression}");
    if by.is_empty() { known } else { by }
}

/// The metric that a series is of.
fn metric(series: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end)).unwrap_or(series)
}

/// Another server's metrics: on the other engine, or with a standby.
fn elsewhere(sqlite: bool) -> BTreeSet<String> {
    let here = guide(sqlite, false);
    let all = [guide(true, true), guide(false, true)].into_iter().flatten();
    all.map(|(name, _)| name).filter(|name| !here.contains_key(name)).collect()
}

/// The words between braces in a legend or a summary.
fn named(text: &str) -> Vec<&str> {
    let inside = text.split("{{").skip(1).filter_map(|part| part.split("}}").next());
    inside.map(|words| words.trim().trim_start_matches("$labels.")).collect()
}

/// What stands behind `key` in each line of the rules.
fn lines<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.trim().strip_prefix(key)).map(str::trim)
}

#[test]
fn each_alert_names_what_there_is() {
    let (world, ..) = busy();
    let scrape = Scrape::once(world.scraper(), Scrape::is_whole);
    let elsewhere = elsewhere(on_sqlite(&world));
    let alerts: Vec<_> = lines(RULES, "- alert:").collect();
    let expressions: Vec<_> = lines(RULES, "expr:").collect();
    let summaries: Vec<_> = lines(RULES, "summary:").collect();
    assert_eq!((alerts.len(), expressions.len()), (summaries.len(), summaries.len()));
    for (expression, summary) in expressions.iter().zip(summaries) {
        let known = check(expression, &scrape, &elsewhere);
        for name in named(summary).iter().filter(|name| !name.starts_with("$value")) {
            assert!(known.contains(*name), "{name}: {summary}");
        }
    }
    for alert in alerts {
        assert!(TESTS.contains(&format!("- name: {alert}\n")), "nothing tries {alert}");
    }
}

#[test]
fn it_is_written_what_to_do_about_each_alert() {
    let headings = lines(MONITORING, "### Guestlist").flat_map(|rest| rest.split(", Guestlist"));
    let told: Vec<_> = headings.map(|name| format!("Guestlist{name}")).collect();
    let alerts: Vec<_> = lines(RULES, "- alert:").collect();
    assert_eq!(told, alerts);
}

#[test]
fn the_dashboard_names_what_there_is() {
    let (world, ..) = busy();
    let scrape = Scrape::once(world.scraper(), Scrape::is_whole);
    let elsewhere = elsewhere(on_sqlite(&world));
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let list = |of: &Value| of.as_array().unwrap().clone();
    let variables = list(&dashboard["templating"]["list"]);
    let names: Vec<_> = variables.iter().map(|of| of["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "job", "instance"]);
    let (mut shown, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for panel in list(&dashboard["panels"]) {
        assert!(ids.insert(panel["id"].as_u64().unwrap()));
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}");
        for target in list(&panel["targets"]) {
            let expression = target["expr"].as_str().unwrap();
            let known = check(expression, &scrape, &elsewhere);
            let legend = target["legendFormat"].as_str().unwrap();
            let told = !asked(expression).0.iter().any(|of| elsewhere.contains(metric(&of.series)));
            for name in named(legend).iter().filter(|_| told) {
                assert!(known.contains(*name), "{name}: {expression}");
            }
            shown.extend(asked(expression).0.iter().map(|of| metric(&of.series).to_owned()));
        }
    }
    let all = [guide(true, true), guide(false, true)].into_iter().flatten();
    let all: BTreeSet<_> = all.map(|(name, _)| name).collect();
    assert_eq!(shown, all, "each metric is somewhere");
}

#[test]
fn an_expression_is_read() {
    let (selectors, by) = asked(
        r#"sum by (a, le) (rate(guestlist_x_bucket{job=~"$job", b="c"}[5m])) / up{job="up"} > 0.5"#,
    );
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let first = vec![label("job", "$job"), label("b", "c")];
    assert_eq!(
        selectors,
        [
            Selector { series: "guestlist_x_bucket".into(), labels: first },
            Selector { series: "up".into(), labels: vec![label("job", "up")] },
        ]
    );
    assert_eq!(by, ["a".to_owned(), "le".to_owned()].into());
    let scrape = Scrape::read("guestlist_x{a=\"1\"} 1\n# EOF\n");
    let holds = |expression: &'static str| {
        let scrape = &scrape;
        std::panic::catch_unwind(move || check(expression, scrape, &BTreeSet::new())).is_ok()
    };
    assert!(holds(r#"guestlist_x{a="1"}"#) && holds("sum by (a) (guestlist_x)"));
    for wrong in [
        "guestlist_y",
        r#"guestlist_x{b="1"}"#,
        r#"guestlist_x{a="2"}"#,
        "sum by (b) (guestlist_x)",
        "rate(other_x[5m])",
    ] {
        assert!(!holds(wrong), "{wrong}");
    }
}
