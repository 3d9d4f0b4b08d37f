//! The field guide of the log, `docs/reference/log.md`, for tests that hold it against the events
//! themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

const GUIDE: &str = include_str!("../../../../docs/reference/log.md");

/// The names in the first column of the tables of `section` that tell of fields.
pub(crate) fn fields(section: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_of_fields = false;
    for line in part(section).lines() {
        if line.starts_with("| Field |") || line.is_empty() {
            is_of_fields = !line.is_empty();
        } else if let Some(cells) = line.strip_prefix("| ")
            && is_of_fields
        {
            let cell = cells.split('|').next().unwrap();
            names.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    assert!(!names.is_empty(), "{section}");
    names
}

fn part(section: &str) -> &'static str {
    let (_, rest) = GUIDE.split_once(&format!("\n## {section}\n")).expect(section);
    rest.split("\n## ").next().unwrap()
}

/// An event: the names of its fields in their order, but for the message, and the values that it has.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) names: Vec<String>,
    pub(crate) values: BTreeMap<String, String>,
}

/// What is logged while `work` runs.
pub(crate) fn events(work: impl FnOnce()) -> Vec<Seen> {
    let seen = Capture::default();
    let log = tracing_subscriber::registry().with(seen.clone());
    tracing::subscriber::with_default(log, work);
    Arc::into_inner(seen.0).map_or_else(Vec::new, |seen| seen.into_inner().unwrap())
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Seen>>>);

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let names = event.metadata().fields().iter().map(|field| field.name().to_owned());
        let names = names.filter(|name| name != "message").collect();
        let mut seen = Seen { names, values: BTreeMap::new() };
        event.record(&mut seen);
        self.0.lock().unwrap().push(seen);
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.values.insert(field.name().to_owned(), value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.values.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

/// An event as its source has it: its level, what its message begins with, and its fields.
type Written = (String, String, BTreeSet<String>);

/// Every event of these levels, but for those that have a section of their own.
fn written() -> BTreeSet<Written> {
    let sources =
        ["src", "../store/src"].map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let (mut all, mut folders) = (BTreeSet::new(), Vec::from(sources));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            // What is only there in a test.
            if name.contains("test") || name == "guide.rs" || name == "scratch.rs" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for level in ["error", "warn", "info"] {
                let begins = format!("tracing::{level}!(");
                let begun = text.split(&begins).skip(1);
                all.extend(begun.map(arguments).filter_map(|arguments| read(level, &arguments)));
            }
        }
    }
    all
}

/// The arguments of a macro, up to its closing parenthesis.
fn arguments(text: &str) -> Vec<String> {
    let (mut all, mut depth, mut quoted, mut escaped) = (vec![String::new()], 0, false, false);
    for c in text.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ')' if !quoted && depth == 0 => break,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        all.last_mut().unwrap().push(c);
    }
    all.into_iter().map(|argument| argument.trim().to_owned()).collect()
}

fn read(level: &str, arguments: &[String]) -> Option<Written> {
    if arguments.iter().any(|argument| argument.starts_with("target:")) {
        return None;
    }
    let message = arguments.iter().position(|argument| argument.starts_with('"'))?;
    let fields = arguments[..message].iter().map(|field| {
        let name = field.split(" = ").next().unwrap();
        name.trim_start_matches(['%', '?']).to_owned()
    });
    let words = arguments[message].trim_matches('"').split([':', '{', ',']).next().unwrap();
    Some((level.to_uppercase(), words.trim().to_owned(), fields.collect()))
}

/// The same, as the guide has it.
fn told() -> BTreeSet<Written> {
    let lines = part("Everything else").lines().filter(|line| line.starts_with("| `"));
    let read = |line: &str| {
        let cells: Vec<&str> = line.split('|').skip(1).map(str::trim).collect();
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[1].to_owned(), cells[0].trim_matches('`').to_owned(), names(cells[2]))
    };
    lines.map(read).collect()
}

#[test]
fn each_event_has_a_line_of_the_field_guide_and_no_other() {
    let (written, told) = (written(), told());
    let missing: Vec<_> = written.difference(&told).collect();
    let stale: Vec<_> = told.difference(&written).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "docs/reference/log.md, \"Everything else\": no line for {missing:#?}, and none logs {stale:#?}"
    );
}

#[test]
fn an_event_is_read_from_its_source() {
    let source = r#"%error, n = f(1, "a,b"), at = %x.y(), ?why, "it is \"so\": do {this}", and)"#;
    let (level, words, fields) = read("warn", &arguments(source)).unwrap();
    assert_eq!((level.as_str(), words.as_str()), ("WARN", r#"it is \"so\""#));
    assert_eq!(fields, ["error", "n", "at", "why"].map(str::to_owned).into());
}
