//! What a command over the API ends with when it fails, and what it says to do next.

use guestlist_client::Error;
use std::fmt::{self, Write as _};

/// A failure that has an exit code of its own.
#[derive(Debug)]
pub(super) struct Failed {
    code: u8,
    text: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failed {}

/// The command cannot be understood as it was given.
pub(super) fn usage(text: impl Into<String>) -> anyhow::Error {
    Failed { code: 2, text: text.into() }.into()
}

/// The exit code that says how `error` came about.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Failed>().map_or(1, |failed| failed.code)
}

/// What was asked for when it failed.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The command, such as `user`.
    pub(super) command: &'a str,
    /// The scope that allows it, such as `experienceUser.get`, if it takes one.
    pub(super) scope: Option<&'a str>,
    /// Where.
    pub(super) url: &'a str,
}

/// `error`, with what to do about it.
pub(super) fn failed(error: &Error, asked: Asked<'_>) -> anyhow::Error {
    let mut text = error.to_string();
    if let Error::Status { fields, .. } = error {
        for field in fields.iter().skip(1) {
            // Writing to a text cannot fail.
            let _ = write!(text, "\n  {} {}", field.field, field.validation_message);
        }
    }
    if let Some(hint) = hint(error, asked) {
        text = format!("{text}\n{hint}");
    }
    Failed { code: code(error), text }.into()
}

fn code(error: &Error) -> u8 {
    match error {
        Error::Transport(_) | Error::Timeout(_) => 6,
        Error::Status { status, .. } => match status {
            401 | 403 => 4,
            404 => 3,
            409 | 412 => 5,
            429 | 502 | 503 | 504 => 6,
            _ => 1,
        },
        Error::Config(_) => 2,
        _ => 1,
    }
}

fn hint(error: &Error, asked: Asked<'_>) -> Option<String> {
    let Asked { command, scope, url } = asked;
    Some(match (error, error.status()) {
        (Error::Transport(_), _) if url.starts_with("https:") => format!(
            "Is there a server at {url}, with a certificate that this system trusts? Name another \
             with --url or GUESTLIST_URL, or the certificate's authority with SSL_CERT_FILE."
        ),
        (Error::Transport(_) | Error::Timeout(_), _) => format!(
            "Is there a server at {url}? Name another with --url or GUESTLIST_URL, or start one \
             with `guestlist serve`."
        ),
        (_, Some(401)) if scope.is_some() => {
            "Get a token that is good: sign in with `guestlist login`, or set GUESTLIST_TOKEN."
                .into()
        }
        (_, Some(401)) => "The address or the password is wrong.".into(),
        (_, Some(403)) => format!(
            "The token may not do this: it needs the scope {}, or one that includes it.",
            scope.unwrap_or("for it")
        ),
        (_, Some(404)) if command == "experience" => {
            "See what is there with `guestlist application list`.".into()
        }
        (_, Some(404)) if command != "me" => {
            format!("See what is there with `guestlist {command} list`.")
        }
        (_, Some(412)) => format!("See what it is now with `guestlist {command} get`."),
        _ => return None,
    })
}
