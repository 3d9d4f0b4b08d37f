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
pub(crate) fn usage(text: impl Into<String>) -> anyhow::Error {
    Failed { code: 2, text: text.into() }.into()
}

/// The exit code that says how `error` came about.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(failed) = error.downcast_ref::<Failed>() {
        return failed.code;
    }
    match error.downcast_ref::<crate::error::Error>() {
        // `EX_IOERR` of `sysexits.h`: the disk of the store, or its connection, failed in a commit.
        Some(crate::error::Error::Unknown { .. }) => 74,
        _ => 1,
    }
}

/// The tokens of the administrator who asks, as a command.
pub(super) const MY_TOKENS: &str = "token --mine";

/// Why a store does not do something.
pub(super) const OF_A_SERVER: &str = "this is asked of a server, and a store is named: name the \
     server with --url, or with --profile after `guestlist login`";

/// Why a store does not sort or filter what it lists.
pub(super) const NO_LISTING: &str = "on a store, `list` lists all of them by their ids: name a server with \
     --url or --profile to sort, to filter or for a page";

/// What was sent to the server when it failed.
#[derive(Clone, Copy)]
pub(super) struct FailedRequest<'a> {
    /// The command, such as `user`.
    pub(super) command: &'a str,
    /// The scope that allows it, such as `experienceUser.get`, if it takes one.
    pub(super) scope: Option<&'a str>,
    /// Where.
    pub(super) url: &'a str,
    /// Through which proxy, if the environment names one for it.
    pub(super) proxy: Option<&'a str>,
    /// Where the token comes from.
    pub(super) token: TokenFrom<'a>,
}

/// Where a token comes from, which decides how to get a better one.
#[derive(Clone, Copy)]
pub(super) enum TokenFrom<'a> {
    /// It was typed, or there was none.
    Typed,
    /// `GUESTLIST_TOKEN`.
    Environment,
    /// The profile of this name.
    Profile(&'a str),
}

/// `error`, with what to do about it.
pub(super) fn failed(error: &Error, request: FailedRequest<'_>) -> anyhow::Error {
    let mut text = error.to_string();
    if let Error::Status { fields, .. } = error {
        for field in fields.iter().skip(1) {
            // Writing to a text cannot fail.
            let _ = write!(text, "\n  {} {}", field.field, field.validation_message);
        }
    }
    if let Some(hint) = hint(error, request) {
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

fn hint(error: &Error, request: FailedRequest<'_>) -> Option<String> {
    let FailedRequest { command, scope, url, proxy, .. } = request;
    let unreached = matches!(error, Error::Transport(_) | Error::Timeout(_));
    let refused = matches!(error.status(), Some(407 | 502..=504));
    if let Some(proxy) = proxy.filter(|_| unreached || refused) {
        return Some(format!(
            "It was asked through the proxy {proxy}, which the environment names (HTTPS_PROXY, \
             HTTP_PROXY or ALL_PROXY). Put the server's host into NO_PROXY to reach {url} without it."
        ));
    }
    Some(match (error, error.status()) {
        (Error::Transport(_), _) if url.starts_with("https:") => format!(
            "Is there a server at {url}, with a certificate that this system trusts? Name another \
             with --url or GUESTLIST_URL, or the certificate's authority with SSL_CERT_FILE."
        ),
        (Error::Transport(_) | Error::Timeout(_), _) => format!(
            "Is there a server at {url}? Name another with --url or GUESTLIST_URL, or start one \
             with `guestlist serve`."
        ),
        (_, Some(401)) if scope.is_none() => "The address or the password is wrong.".into(),
        (Error::Status { kind, .. }, Some(401)) if **kind == *"ReauthenticationRequired" => {
            "Say it with --with-password.".into()
        }
        (Error::Status { message, .. }, Some(401)) if **message == *"Unauthorized" => {
            "The present password is wrong.".into()
        }
        (_, Some(401)) => match request.token {
            TokenFrom::Environment => format!(
                "GUESTLIST_TOKEN is not a token that is good at {url}: set it to another, or unset \
                 it and sign in with `guestlist login`."
            ),
            TokenFrom::Profile(name) => {
                format!("Sign in again with `guestlist login --profile {name}`.")
            }
            TokenFrom::Typed => format!("What was typed is not a token that is good at {url}."),
        },
        (Error::Status { kind, .. }, Some(403)) if **kind == *"QuotaExceeded" => {
            "See what it holds and may hold with `guestlist application quotas`.".into()
        }
        (_, Some(403)) => {
            let scope = scope.unwrap_or("for it");
            let mine = scope.starts_with("me.") || scope.starts_with("userApiToken");
            let of = if mine {
                ", and to be of an administrator, as one of `guestlist login`"
            } else {
                ""
            };
            format!(
                "The token may not do this: it needs the scope {scope}, or one that includes it{of}."
            )
        }
        (Error::Status { message, kind, .. }, Some(404)) => absent(message, kind, request),
        (_, Some(503)) if error.may_be_done() => {
            format!("See what is there with `guestlist {command} list` before you do it again.")
        }
        (_, Some(412)) => format!("See what it is now with `guestlist {command} get`."),
        _ => return None,
    })
}

/// What to do where there is no such thing: to list it helps when it is what was named that is not
/// there, and not when it is what it would be in.
fn absent(message: &str, kind: &str, request: FailedRequest<'_>) -> String {
    let FailedRequest { command, url, .. } = request;
    if kind != "NotFound" || message.ends_with("does not exist") {
        return format!(
            "Is {url} the address of a Guestlist? It does not know what was asked of it."
        );
    }
    match (message, command) {
        ("Application was not found", "application") => {
            "See what is there with `guestlist application list`.".into()
        }
        ("Application was not found", _) => {
            "It is named by --application, GUESTLIST_APPLICATION or the profile: see what is there \
             with `guestlist application list`. A token of an application reaches no other."
                .into()
        }
        ("User was not found", _) => {
            "The token speaks for an application: this takes one of an administrator, such as \
             `guestlist login` gets."
                .into()
        }
        (_, MY_TOKENS) => "See what is there with `guestlist token list --mine`.".into(),
        _ => format!("See what is there with `guestlist {command} list`."),
    }
}
