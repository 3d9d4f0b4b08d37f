//! Where we and the published schemas, read with their formats asserted, do not agree. The list is
//! closed: a body about which we differ for another reason fails the test.
//!
//! `docs/reference/schema-differences.md` has the same list for people.

use super::complaints::Complaint;
use jsonschema::{Draft, EmailOptions, Validator};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// One way in which we differ about a value.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether it is the schema that accepts it.
    pub(crate) schema_accepts: bool,
    /// Values of this sort.
    pub(crate) examples: &'static [&'static str],
    applies: fn(&str) -> bool,
}

/// The sort of value that a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Email,
    /// An address that somebody signs in by, as opposed to one that is kept.
    TypedEmail,
    Moment,
    Text,
    TimeToLive,
}

impl Kind {
    /// The kind of a value with this format in the body called `path`.
    pub(crate) fn of_format(format: &str, path: &str) -> Self {
        match format {
            "email" if path.starts_with("credentials") => Self::TypedEmail,
            "email" => Self::Email,
            _ => Self::Moment,
        }
    }

    /// Whether what is said of `other` is said of this one.
    fn is_a(self, other: Self) -> bool {
        self == other || (self, other) == (Self::TypedEmail, Self::Email)
    }
}

const fn we_accept(
    kind: Kind,
    name: &'static str,
    examples: &'static [&'static str],
    applies: fn(&str) -> bool,
) -> Difference {
    Difference { name, kind, schema_accepts: false, examples, applies }
}

const fn schema_accepts(
    kind: Kind,
    name: &'static str,
    examples: &'static [&'static str],
    applies: fn(&str) -> bool,
) -> Difference {
    Difference { name, kind, schema_accepts: true, examples, applies }
}

/// 1,000 years.
const LONGEST_LIFE: f64 = 31_536_000_000_000.0;

pub(crate) const DIFFERENCES: &[Difference] = &[
    // An address is what every browser's form takes (the WHATWG production), as that is where
    // addresses come from; the schema's `email` is RFC 5321's mailbox.
    we_accept(Kind::Email, "dots anywhere", &[".a@b", "a.@b.c", "a..b@c"], |text| {
        let local = local(text);
        local.starts_with('.') || local.ends_with('.') || local.contains("..")
    }),
    we_accept(Kind::Email, "a long local part", &[LONG_LOCAL], |text| local(text).len() > 64),
    we_accept(Kind::Email, "a long domain", &[LONG_DOMAIN], |text| domain(text).len() > 253),
    we_accept(
        Kind::Email,
        "hyphens that IDNA keeps for itself",
        &["a@ab--c", "a@xn--a.b"],
        |text| domain(text).split('.').any(|label| label.get(2..4) == Some("--")),
    ),
    schema_accepts(Kind::Email, "a quoted local part", &["\"a b\"@c", "\"\"@c"], |text| {
        text.starts_with('"')
    }),
    schema_accepts(Kind::Email, "an address literal", &["a@[127.0.0.1]", "a@[IPv6:::1]"], |text| {
        domain(text).starts_with('[')
    }),
    // Who signs in is looked for, and nothing is kept of what was typed.
    we_accept(
        Kind::TypedEmail,
        "white space around an address to sign in by",
        &[" a@b", "a@b ", "a@b\r\n"],
        |text| text.trim() != text,
    ),
    // The platform's own reader takes these, for clients that leave the zone out.
    we_accept(Kind::Moment, "no zone", &["2016-06-13T04:00:00", "2016-06-13T04:00:00.5"], |text| {
        zone(text).is_empty()
    }),
    we_accept(
        Kind::Moment,
        "white space before the time",
        &["2016-06-13 04:00:00Z", "2016-06-13\t04:00:00Z", "2016-06-13\n04:00:00+02:00"],
        |text| text.get(10..11).is_some_and(|t| " \t\n\r".contains(t)),
    ),
    we_accept(
        Kind::Moment,
        "a short zone",
        &["2016-06-13T04:00:00+02", "2016-06-13T04:00:00-0230"],
        |text| matches!(zone(text).len(), 3 | 5),
    ),
    // What is answered is in UTC and has a year of four digits, and there was no year 0.
    schema_accepts(
        Kind::Moment,
        "outside the years 1 to 9999 in UTC",
        &[
            "0000-01-01T00:00:00Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ],
        outside,
    ),
    // Not every database can keep it.
    schema_accepts(Kind::Text, "U+0000 in text", &["a\0b"], |text| text.contains('\0')),
    // What ends later is outside the calendar, sooner or later; 0 is for ever.
    schema_accepts(Kind::TimeToLive, "over 1,000 years", &["31536000000001", "1e300"], |text| {
        text.parse::<f64>().is_ok_and(|millis| millis > LONGEST_LIFE)
    }),
];

const LONG_LOCAL: &str = "lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll@d";
const LONG_DOMAIN: &str = "l@a123456789b123456789c123456789d123456789e123456789f123456789.\
    a123456789b123456789c123456789d123456789e123456789f123456789.\
    a123456789b123456789c123456789d123456789e123456789f123456789.\
    a123456789b123456789c123456789d123456789e123456789f123456789.a123456789";

fn local(text: &str) -> &str {
    text.split_once('@').unwrap_or_default().0
}

fn domain(text: &str) -> &str {
    text.rsplit_once('@').unwrap_or_default().1
}

/// What follows the seconds and their fraction.
fn zone(text: &str) -> &str {
    let rest = text.get(19..).unwrap_or("no zone at all");
    let Some(fraction) = rest.strip_prefix('.') else { return rest };
    fraction.trim_start_matches(|c: char| c.is_ascii_digit())
}

/// `text` with its white space, its zone and the zone's minutes as RFC 3339 has them.
pub(crate) fn completed(text: &str) -> String {
    let zone = zone(text);
    let signed = zone.is_ascii() && zone.starts_with(['+', '-']);
    let mut full = match zone.len() {
        0 => format!("{text}Z"),
        3 if signed => format!("{text}:00"),
        5 if signed => format!("{}:{}", &text[..text.len() - 2], &text[text.len() - 2..]),
        _ => text.to_owned(),
    };
    if text.get(10..11).is_some_and(|t| " \t\n\r".contains(t)) {
        full.replace_range(10..11, "T");
    }
    full
}

/// Whether a moment is before the year 1 or after the year 9999 of UTC.
fn outside(text: &str) -> bool {
    let text = completed(text);
    let minutes = |at: usize| -> Option<i64> {
        let (hour, minute) = (text.get(at..at + 2)?, text.get(at + 3..at + 5)?);
        Some(hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?)
    };
    let east = match minutes(text.len().wrapping_sub(5)) {
        Some(offset) if text[..text.len() - 5].ends_with('+') => offset,
        Some(offset) if text[..text.len() - 5].ends_with('-') => -offset,
        _ => 0,
    };
    match (text.get(..10), minutes(11)) {
        (Some("0000-12-31"), Some(local)) => local - east < 24 * 60,
        (Some("0001-01-01"), Some(local)) => local < east,
        (Some("9999-12-31"), Some(local)) => local - east >= 24 * 60,
        (Some(date), _) => date.starts_with("0000-"),
        _ => false,
    }
}

/// What reads the schemas. Its `email` would also take `Ada <a@b>`, which RFC 5321 calls no
/// mailbox.
pub(crate) fn validator(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .with_email_options(EmailOptions::default().without_display_text())
        .build(schema)
        .expect("the schema is one")
}

/// The production of the HTML standard, as it stands there.
static WHATWG: LazyLock<Validator> = LazyLock::new(|| {
    const LABEL: &str = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
    let local = r"[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+";
    validator(&json!({ "pattern": format!(r"^{local}@{LABEL}(?:\.{LABEL})*$") }))
});
static RFC_3339: LazyLock<Validator> =
    LazyLock::new(|| validator(&json!({ "format": "date-time" })));

/// Whether `text` should be a good one to us, by what is said of us rather than by our code.
fn good(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Email => WHATWG.is_valid(&json!(text)),
        Kind::TypedEmail => WHATWG.is_valid(&json!(text.trim())),
        Kind::Moment => RFC_3339.is_valid(&json!(completed(text))) && !outside(text),
        Kind::Text | Kind::TimeToLive => {
            !DIFFERENCES.iter().any(|one| one.kind == kind && (one.applies)(text))
        }
    }
}

/// The difference that makes us judge `text` otherwise than the schema, if we should.
///
/// # Panics
/// When we should, and the list does not say so.
pub(crate) fn about(kind: Kind, text: &str, schema: bool) -> Option<&'static Difference> {
    if good(kind, text) == schema {
        return None;
    }
    let listed = DIFFERENCES
        .iter()
        .find(|one| kind.is_a(one.kind) && one.schema_accepts == schema && (one.applies)(text));
    Some(listed.unwrap_or_else(|| panic!("no listed difference about {kind:?} {text:?}")))
}

/// What we should complain of although `schema` allows it, each with its difference.
pub(crate) fn ours(schema: &Value, value: &Value, path: &str) -> Vec<(Complaint, &'static str)> {
    let within = |schema, value, name: &str| ours(schema, value, &format!("{path}.{name}"));
    let complaint = |words: &str, one: &Difference| {
        vec![(Complaint { field: path.to_owned(), words: words.to_owned() }, one.name)]
    };
    match value {
        Value::Object(fields) => {
            let of = |name: &String| {
                let own = schema["properties"].get(name);
                own.or_else(|| schema["patternProperties"].as_object()?.values().next())
            };
            let fields = fields.iter().filter_map(|(name, value)| Some((name, value, of(name)?)));
            fields.flat_map(|(name, value, schema)| within(schema, value, name)).collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.flat_map(|(n, item)| within(&schema["items"], item, &n.to_string())).collect()
        }
        Value::Number(number) if path.ends_with(".tokenTTL") => {
            let found = about(Kind::TimeToLive, &number.to_string(), true);
            found.map_or(Vec::new(), |one| complaint("is more than maximum", one))
        }
        Value::String(text) => match schema["format"].as_str() {
            Some(format) => {
                let kind = Kind::of_format(format, path);
                let allowed = validator(schema).is_valid(value);
                let found = allowed.then(|| about(kind, text, true)).flatten();
                found.map_or(Vec::new(), |one| complaint(&format!("must be {format} format"), one))
            }
            // A password is kept as a hash.
            None if !schema["maxLength"].is_u64() || path.ends_with(".password") => Vec::new(),
            None => about(Kind::Text, text, true)
                .map_or(Vec::new(), |one| complaint("must not contain U+0000", one)),
        },
        _ => Vec::new(),
    }
}
