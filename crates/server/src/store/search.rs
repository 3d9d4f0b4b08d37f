//! Users found by parts of their address and names.
//!
//! SQLite keeps a table for it, of which a migration says how it is kept. Whoever searches asks it
//! for the users that have every three characters of the parts anywhere, and compares those users
//! with what was really asked. That pays where they are few: when there are many, or few users at
//! all, all users of the application are compared, which takes a second for ten millions of them.
//!
//! PostgreSQL decides by itself whether to use its index.

use super::applications::Tenant;
use super::counts::{self, Counted};
use super::list::{FEW, Select};
use super::{Tx, convert};
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// Where to look for users that were found like this; they are called `u`.
pub(super) const FOUND: &str =
    "user_search CROSS JOIN experience_users u ON u.number = user_search.rowid";

/// An application with fewer users is read as a whole, in some milliseconds.
const SMALL: u64 = if cfg!(test) { 3 } else { 20_000 };
/// How many characters in a row are looked up.
const GRAM: usize = 3;
/// How many of them are asked for: more make a search slower, and hardly narrower.
const MOST_GRAMS: usize = 12;
/// How many bits of the number of a user are its own.
const OWN_BITS: u32 = 32;

/// Users that may have what is searched for.
pub(super) struct Candidates {
    grams: String,
    first: i64,
    last: i64,
}

/// The users of the application that may have all of `parts`, folded, in their address and names;
/// `None` where it is better to look at all users.
///
/// # Errors
/// When the store fails.
pub(super) fn candidates(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    parts: &[String],
) -> Result<Option<Candidates>> {
    let grams = grams(parts);
    if grams.is_empty()
        || !tx.0.has_user_search()
        || counts::of(tx, Counted::Users(tenant.id()))? < SMALL
    {
        return Ok(None);
    }
    let number: Option<i64> =
        tx.first("SELECT number FROM applications WHERE id = $1", &[&tenant.id().to_string()])?;
    let number = number.ok_or(Error::NotFound("Application"))?;
    let candidates =
        Candidates { grams, first: number << OWN_BITS, last: ((number + 1) << OWN_BITS) - 1 };
    let most = i64::try_from(FEW).map_err(Error::internal)?;
    let found: Option<i64> = tx.first(
        "SELECT count(*) FROM (SELECT 1 FROM user_search
            WHERE user_search MATCH $1 AND rowid BETWEEN $2 AND $3 LIMIT $4) some",
        &[&candidates.grams, &candidates.first, &candidates.last, &(most + 1)],
    )?;
    Ok(found.is_some_and(|found| found <= most).then_some(candidates))
}

impl Candidates {
    /// Only these, of [`FOUND`].
    pub(super) fn only(self, select: &mut Select) {
        let (grams, first, last) =
            (select.bind(self.grams), select.bind(self.first), select.bind(self.last));
        select.narrow(format!(
            "user_search MATCH {grams} AND user_search.rowid BETWEEN {first} AND {last}"
        ));
    }
}

/// What asks the table for all of `parts`: each three characters of them, or as many as are asked
/// for, from everywhere; nothing when no part is long enough.
fn grams(parts: &[String]) -> String {
    let mut all = BTreeSet::new();
    for part in parts {
        let characters: Vec<char> = part.chars().collect();
        all.extend(characters.windows(GRAM).map(|gram| gram.iter().collect::<String>()));
    }
    let step = all.len().div_ceil(MOST_GRAMS).max(1);
    let quoted = all.iter().step_by(step).map(|gram| format!("\"{}\"", gram.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(" AND ")
}

/// The parts of `glob` that are worth a search: not what it starts with, which an index in the order
/// of the text finds.
pub(super) fn of_glob(glob: &str) -> Vec<String> {
    let mut parts = convert::parts(glob);
    if grams(&parts).is_empty() {
        return Vec::new();
    }
    parts.push(convert::prefix(glob));
    parts
}
