//! Secrets, which are asked for, or come from standard input, and never from the command line.

use super::remote::failure::usage;
use anyhow::{Context as _, Result};
use std::io::{IsTerminal as _, Read as _};
use zeroize::Zeroizing;

/// More than any secret, so that a wrong pipe is not read to its end.
const MOST: u64 = 16 * 1024;

/// What is asked for as `what`: typed without being shown, or the first line of standard input. With
/// `twice` it is typed twice, because a mistake would not be seen.
pub(super) fn read(what: &str, twice: bool) -> Result<Zeroizing<String>> {
    if std::io::stdin().is_terminal() {
        return typed(what, twice);
    }
    let [secret] = lines(&piped()?, [what])?;
    Ok(secret)
}

/// A present password and a new one: typed, or each on a line of standard input.
pub(super) fn change() -> Result<[Zeroizing<String>; 2]> {
    const BOTH: [&str; 2] = ["Present password", "New password"];
    if std::io::stdin().is_terminal() {
        return Ok([typed(BOTH[0], false)?, typed(BOTH[1], true)?]);
    }
    lines(&piped()?, BOTH)
}

fn typed(what: &str, twice: bool) -> Result<Zeroizing<String>> {
    let first = Zeroizing::new(rpassword::prompt_password(format!("{what}: "))?);
    if twice && *Zeroizing::new(rpassword::prompt_password("Again: ")?) != *first {
        return Err(usage("they are not the same"));
    }
    if first.is_empty() {
        return Err(usage(format!("{what} is missing: nothing was typed")));
    }
    Ok(first)
}

fn piped() -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().take(MOST + 1).read_to_string(&mut text);
    let read = read.context("standard input cannot be read as a secret")?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MOST {
        return Err(usage("standard input is too long to be a secret"));
    }
    Ok(text)
}

/// The first lines of `text`, one for each of `names`. More than these is refused: a password manager
/// that prints notes after the password is a mistake that would be found out at the next sign-in.
fn lines<const N: usize>(text: &str, names: [&str; N]) -> Result<[Zeroizing<String>; N]> {
    let mut lines = text.lines();
    let found = names.map(|name| (name, lines.next().unwrap_or_default().to_owned()));
    if lines.any(|line| !line.trim().is_empty()) {
        let what = names.join(", then ");
        return Err(usage(format!(
            "standard input has more lines than are read ({what}): leave the others out, such as \
             with `| head -n {N}`"
        )));
    }
    let missing = found.iter().position(|(_, line)| line.is_empty());
    if let Some(at) = missing {
        let line = if N == 1 { "the line".into() } else { format!("line {}", at + 1) };
        return Err(usage(format!(
            "{} is missing: type it when it is asked for, or give it as {line} of standard input",
            names[at],
        )));
    }
    Ok(found.map(|(_, line)| Zeroizing::new(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<String, String> {
        lines(text, ["Password"]).map(|[line]| line.to_string()).map_err(|why| why.to_string())
    }

    #[test]
    fn a_secret_is_the_first_line() {
        for text in ["a b ", "a b \n", "a b \r\n", "a b \n\n \n"] {
            assert_eq!(one(text).unwrap(), "a b ");
        }
        for text in ["", "\n", "\r\n\n"] {
            assert!(one(text).unwrap_err().starts_with("Password is missing"), "{text:?}");
        }
    }

    #[test]
    fn more_than_is_read_is_refused_and_not_told() {
        for text in ["secret\nlogin: me\n", "secret\n\nnote", "\nsecret"] {
            let why = one(text).unwrap_err();
            assert!(why.contains("more lines than are read") && why.contains("head -n 1"), "{why}");
            assert!(!why.contains("secret") && !why.contains("note"), "{why}");
        }
        let two = |text| lines(text, ["Present password", "New password"]);
        assert_eq!(*two("a\nb\n").unwrap()[1], "b");
        assert!(two("a\n").unwrap_err().to_string().starts_with("New password is missing"));
        assert!(two("a\nb\nc").unwrap_err().to_string().contains("head -n 2"));
    }
}
