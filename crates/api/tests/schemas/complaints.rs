//! What is wrong with a body, in the wire's own words, from what the schema says.

use super::differences::{Kind, about};
use guestlist_api::wire::{Problem, Rule};
use jsonschema::error::ValidationErrorKind as Wrong;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    pub(crate) field: String,
    pub(crate) words: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.words)
    }
}

impl From<&Problem> for Complaint {
    fn from(problem: &Problem) -> Self {
        // What we add to the words of the wire is ours alone.
        let rule = match &problem.rule {
            Rule::Explained(rule, _) => rule,
            rule => rule,
        };
        Self { field: problem.field.clone(), words: rule.to_string() }
    }
}

/// What the schema has against `value`, which is called `name`, but for what we let pass; and the
/// names of the differences by which we do.
pub(crate) fn of_schema(
    schema: &Validator,
    value: &Value,
    name: &str,
) -> (BTreeSet<Complaint>, Vec<&'static str>) {
    let (mut found, mut passed) = (BTreeSet::new(), Vec::new());
    for error in schema.iter_errors(value) {
        if let Wrong::Format { format } = error.kind() {
            let kind = Kind::of_format(format, name);
            let text = error.instance().as_str().expect("only text has a format");
            if let Some(difference) = about(kind, text, false) {
                passed.push(difference.name);
                continue;
            }
        }
        say(&error, name, &mut found);
    }
    (found, passed)
}

fn say(error: &ValidationError<'_>, name: &str, found: &mut BTreeSet<Complaint>) {
    let path = error.instance_path().as_str().replace("~1", "/").replace("~0", "~");
    let field = format!("{name}{}", path.replace('/', "."));
    let mut push = |field: &str, words: &str| {
        found.insert(Complaint { field: field.to_owned(), words: words.to_owned() });
    };
    match error.kind() {
        Wrong::Required { property } => {
            let property = property.as_str().expect("a name");
            push(&format!("{field}.{property}"), "is required");
        }
        Wrong::Type { .. } => push(&field, "is the wrong type"),
        Wrong::AdditionalProperties { unexpected } => {
            for extra in unexpected {
                push(&format!("{field}.{extra}"), "is an additional property");
            }
        }
        Wrong::Enum { options } => {
            let words: Vec<&str> = words(options).collect();
            // The one place with words of our own: there are 500 of those.
            if words.iter().any(|word| word.contains('.')) {
                push(&field, "is not a known scope");
            } else {
                push(&field, &format!("must be one of: {}", words.join(", ")));
            }
        }
        Wrong::Pattern { .. } => push(&field, "pattern mismatch"),
        Wrong::Format { format } => push(&field, &format!("must be {format} format")),
        Wrong::MinLength { .. } => push(&field, "has less length than allowed"),
        Wrong::MaxLength { .. } => push(&field, "has longer length than allowed"),
        Wrong::MaxItems { .. } => push(&field, "has more items than allowed"),
        Wrong::UniqueItems => push(&field, "must be unique"),
        Wrong::MinProperties { .. } => push(&field, "has less properties than allowed"),
        Wrong::MaxProperties { .. } => push(&field, "has more properties than allowed"),
        Wrong::Minimum { .. } => push(&field, "is less than minimum"),
        Wrong::OneOfNotValid { context } => {
            for inner in context.iter().flatten() {
                say(inner, name, found);
            }
        }
        other => panic!("no words for {other:?}"),
    }
}

fn words(options: &Value) -> impl Iterator<Item = &str> {
    options.as_array().into_iter().flatten().filter_map(Value::as_str)
}
