//! Secrets, which are asked for, or come from standard input, and never from the command line.

use super::failure::usage;
use anyhow::Result;
use std::io::{IsTerminal as _, Read as _};
use zeroize::Zeroizing;

/// More than any secret, so that a wrong pipe is not read to its end.
const MOST: u64 = 16 * 1024;

/// What is asked for as `what`: typed without being shown, or all of standard input but the end of
/// its line. With `twice` it is typed twice, because a mistake would not be seen.
pub(super) fn read(what: &str, twice: bool) -> Result<Zeroizing<String>> {
    let text = if std::io::stdin().is_terminal() {
        let first = Zeroizing::new(rpassword::prompt_password(format!("{what}: "))?);
        if twice && *Zeroizing::new(rpassword::prompt_password("Again: ")?) != *first {
            return Err(usage("they are not the same"));
        }
        first
    } else {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().take(MOST).read_to_string(&mut text)?;
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        text
    };
    if text.is_empty() {
        return Err(usage(format!(
            "{what} is missing: type it when it is asked for, or give it on standard input"
        )));
    }
    Ok(text)
}

/// A present password and a new one: typed, or each on a line of standard input.
pub(super) fn change() -> Result<(Zeroizing<String>, Zeroizing<String>)> {
    if std::io::stdin().is_terminal() {
        let present = Zeroizing::new(rpassword::prompt_password("Present password: ")?);
        return Ok((present, read("New password", true)?));
    }
    let both = read("Present password", false)?;
    match both.split_once('\n') {
        Some((present, new)) => {
            let present = present.strip_suffix('\r').unwrap_or(present);
            Ok((present.to_owned().into(), new.to_owned().into()))
        }
        None => Err(usage("the new password is missing: it is the second line of standard input")),
    }
}
