//! The columns of what a store lists as a server does.

use super::show::{Column, text};
use serde_json::Value;

/// Of applications.
pub(in crate::cli) const APPLICATION: &[Column] = &[
    ("ID", |application| text(application, "id")),
    ("NAME", |application| text(application, "name")),
    ("USERS", |application| text(&application["summary"], "experienceUserCount")),
];

/// Of administrators.
pub(in crate::cli) const ADMINISTRATOR: &[Column] = &[
    ("ID", |administrator| text(administrator, "id")),
    ("EMAIL", |administrator| text(administrator, "email")),
    ("NAME", |administrator| text(administrator, "fullName")),
    ("STATUS", |administrator| text(administrator, "status")),
];

/// Of sessions of administrators.
pub(in crate::cli) const SESSION: &[Column] = &[
    ("ID", |session| text(session, "id")),
    ("BEGAN", |session| text(session, "creationDate")),
    ("ENDS", ends),
    ("SCOPE", scope),
];

/// Of tokens.
pub(in crate::cli) const TOKEN: &[Column] = &[
    ("ID", |token| text(token, "id")),
    ("NAME", |token| text(token, "name")),
    ("STATUS", |token| text(token, "status")),
    ("ENDS", ends),
    ("SCOPE", scope),
];

fn ends(token: &Value) -> String {
    match text(token, "expirationDate") {
        never if never.is_empty() => "never".into(),
        moment => moment,
    }
}

fn scope(token: &Value) -> String {
    let words = token["scope"].as_array().into_iter().flatten();
    words.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}
