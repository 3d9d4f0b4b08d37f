//! Where a store is, as an operator writes it.

use crate::migrate::OpenError;
use crate::postgres::address::Address;
use crate::sqlite::files;
use std::fmt;
use std::path::PathBuf;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// In a file of SQLite.
    Sqlite(PathBuf),
    /// In a database of PostgreSQL.
    Postgres(Address),
}

impl StoreUrl {
    /// Reads `postgres://…`, `sqlite:PATH` or a path.
    ///
    /// # Errors
    /// When it is something else; the words say what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = match scheme(text) {
            None => text,
            Some((name, rest)) => match name.to_ascii_lowercase().as_str() {
                "postgres" | "postgresql" => return Address::parse(text).map(Self::Postgres),
                // Who reads it as a host, or as a path from here, would look elsewhere.
                "sqlite" if rest.starts_with("//") && !rest.starts_with("///") => {
                    return Err("two slashes are neither a path nor the start of one: give \
                        sqlite:PATH"
                        .into());
                }
                "sqlite" => rest,
                _ => {
                    return Err(format!(
                        "there are no stores of the kind {name:?}: give sqlite:PATH, a path or \
                         postgres://USER:PASSWORD@HOST:PORT/DATABASE. A path in which a colon \
                         comes this early begins with ./ or /"
                    ));
                }
            },
        };
        match path {
            "" => Err("the path is empty: give sqlite:PATH or a path".into()),
            ":memory:" => Err("a store in memory would be lost: give sqlite:PATH or a path".into()),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }

    /// What is in the way of whoever writes to it, as far as that is to be seen on this machine.
    #[must_use]
    pub fn obstacle(&self) -> Option<OpenError> {
        match self {
            Self::Sqlite(path) => files::obstacle(path),
            Self::Postgres(_) => None,
        }
    }
}

/// The word before the first colon, if it can be the scheme of a URL, and what comes after.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(':')?;
    let letter = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let word = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    (letter && name.chars().all(word)).then_some((name, rest))
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}
