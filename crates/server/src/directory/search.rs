//! Users found by parts of their address and names.
//!
//! SQLite has a trigram index for it, an FTS5 table that a migration makes. A search asks it for the
//! users that have every trigram of the parts anywhere, and compares those users with what was really
//! asked. That pays where they are few of all: otherwise all users of the
//! application are compared.
//!
//! Changed users go on a backlog, which the writer applies in batches (`search_backlog.rs`). A search compares
//! the users on the backlog as well, so its results are exact.
//!
//! PostgreSQL decides by itself whether to use its index.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::search_backlog::IndexBacklog;
use crate::error::{Error, Result};
use crate::rows::counts::{self, Counted};
use crate::rows::list::Candidates;
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, Tx, convert, tuning};
use guestlist_store::Dialect;
use std::collections::BTreeSet;

/// The length of a trigram: characters in a row that are looked up.
pub(crate) const GRAM: usize = 3;
/// How many trigrams a search looks up: more make it slower, and hardly narrower.
const MOST_GRAMS: usize = 12;
/// How many of one part it looks up, however many parts there are.
const LEAST_GRAMS: usize = 3;
/// With more parts than these the index is not used.
const MOST_PARTS: usize = 64;
/// How many bits of the number of a user are its own.
const OWN_BITS: u32 = 32;

/// What the texts of whoever is wanted have in them, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parts {
    /// This, in one of them.
    One(String),
    /// All of these.
    All(Vec<Self>),
    /// At least one of these.
    Any(Vec<Self>),
}

/// Where what candidates are compared with is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Compared {
    /// In an index.
    InIndex,
    /// In the users themselves.
    InUsers,
}

/// Whether the search has an index of its own, rather than one that `LIKE` uses by itself.
pub(crate) fn is_indexed(tx: &Tx<'_>) -> bool {
    tx.dialect() == Dialect::Sqlite
}

/// The users of the application that may have `parts` in their address and names; `None` where it is
/// better to look at all users.
pub(crate) fn candidates(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    parts: &Parts,
    compared: Compared,
) -> Result<Option<Candidates>> {
    let Some(grams) = parts.grams().filter(|_| is_indexed(tx)) else { return Ok(None) };
    let users = counts::of(tx, Counted::Users(tenant.id()))?;
    let tuning = tuning::of(tx);
    if users < tuning.search_min_users {
        return Ok(None);
    }
    let (first, last) = numbers_of(tx, tenant)?;
    let share = match compared {
        Compared::InIndex => tuning.search_share_in_index,
        Compared::InUsers => tuning.search_share_in_users,
    };
    let most = users / share;
    let limit = i64::try_from(most + 1).map_err(Error::internal)?;
    let found: Option<i64> = tx.first(
        "SELECT count(*) FROM (
            SELECT 1 FROM user_search WHERE user_search MATCH $1 AND rowid BETWEEN $2 AND $3
            UNION ALL SELECT 1 FROM user_search_late WHERE number BETWEEN $2 AND $3
            LIMIT $4) some",
        &[&grams, &first, &last, &limit],
    )?;
    let count = found.map_or(Ok(0), u64::try_from).map_err(Error::internal)?;
    Ok((count <= most).then(|| {
        Candidates::new(count, vec![Box::new(first), Box::new(last), Box::new(grams)], from_index)
    }))
}

/// All users of the application, where there are too many to read them more than once: in the order of
/// their numbers, in which they are beside each other.
pub(crate) fn everybody(tx: &mut Tx<'_>, tenant: Tenant) -> Result<Option<Candidates>> {
    if !is_indexed(tx) {
        return Ok(None);
    }
    let count = counts::of(tx, Counted::Users(tenant.id()))?;
    if count < tuning::of(tx).search_min_users {
        return Ok(None);
    }
    let (first, last) = numbers_of(tx, tenant)?;
    Ok(Some(Candidates::new(count, vec![Box::new(first), Box::new(last)], from_range)))
}

/// The first and the last number that a user of the application may have.
fn numbers_of(tx: &mut Tx<'_>, tenant: Tenant) -> Result<(i64, i64)> {
    let number: Option<i64> =
        tx.first("SELECT number FROM applications WHERE id = $1", &[&tenant.id().to_string()])?;
    number.map(numbers).ok_or(Error::NotFound("Application"))
}

/// The first and the last number that a user of the application with this number may have.
const fn numbers(of: i64) -> (i64, i64) {
    (of << OWN_BITS, ((of + 1) << OWN_BITS) - 1)
}

/// All users of the application are about to be removed. When they are many, what the table says of
/// them is left for [`forget`]: to remove it with them would take several times as long as all else.
/// The application takes another number, under which there is nothing.
pub(crate) fn abandon(tx: &mut Tx<'_>, tenant: Tenant) -> Result<()> {
    if !is_indexed(tx) {
        return Ok(());
    }
    if counts::of(tx, Counted::Users(tenant.id()))? < tuning::of(tx).search_abandon {
        return Ok(());
    }
    let application = tenant.id().to_string();
    for sql in [
        "INSERT INTO user_search_left (number) SELECT number FROM applications WHERE id = $1",
        "UPDATE applications SET number = 1 + max((SELECT max(number) FROM applications),
            (SELECT max(number) FROM user_search_left)) WHERE id = $1",
    ] {
        // No answer says the number.
        tx.change(ChangeScope::Nothing, sql, &[&application])?;
    }
    Ok(())
}

/// Removes up to `most` of what the table says of users that were removed with all others of their
/// application, and tells how many.
pub fn forget(tx: &mut Tx<'_>, most: i64) -> Result<u64> {
    if !is_indexed(tx) {
        return Ok(0);
    }
    let left: Option<Option<i64>> = tx.first("SELECT min(number) FROM user_search_left", &[])?;
    let Some(number) = left.flatten() else { return Ok(0) };
    let (first, last) = numbers(number);
    let gone = tx.change(
        ChangeScope::Nothing,
        "DELETE FROM user_search WHERE rowid IN
            (SELECT id FROM user_search_docsize WHERE id BETWEEN $1 AND $2 LIMIT $3)",
        &[&first, &last, &most],
    )?;
    if gone == 0 {
        let sql = "DELETE FROM user_search_left WHERE number = $1";
        tx.change(ChangeScope::Nothing, sql, &[&number])?;
    }
    Ok(gone)
}

/// Applies some `most` users of the backlog to the index, and says whether there were any. The writer
/// does so by and by: this is for whoever fills a store and hands it on.
pub fn apply_backlog(tx: &mut Tx<'_>, most: u64) -> Result<bool> {
    if is_indexed(tx) { IndexBacklog::default().apply(tx, most) } else { Ok(false) }
}

/// Whether the index is whole and has every user, and nobody else, once the backlog is applied. What
/// is left to forget has to be forgotten.
pub(crate) fn is_whole(tx: &mut Tx<'_>) -> Result<bool> {
    if !is_indexed(tx) {
        return Ok(true);
    }
    while apply_backlog(tx, 0)? {}
    // Fails where it is not whole.
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO user_search (user_search) VALUES ('integrity-check')",
        &[],
    )?;
    let differ: Option<i64> = tx.first(
        "SELECT (SELECT count(*) FROM experience_users u
                WHERE NOT EXISTS (SELECT 1 FROM user_search_docsize d WHERE d.id = u.number))
            + (SELECT count(*) FROM user_search_docsize d
                WHERE NOT EXISTS (SELECT 1 FROM experience_users u WHERE u.number = d.id))",
        &[],
    )?;
    Ok(differ == Some(0))
}

/// Where candidates are, and nobody else: all users whose number is in a range. They are called `u`;
/// the parameters begin with `first`.
fn from_range(first: usize) -> String {
    let last = first + 1;
    format!(
        "(SELECT ${first} AS first, ${last} AS last) found
                 CROSS JOIN experience_users u INDEXED BY experience_users_by_number
                    ON u.number BETWEEN found.first AND found.last"
    )
}

/// As [`from_range`], of whom the index or the backlog says that they may have what is searched for.
fn from_index(first: usize) -> String {
    let (last, grams) = (first + 1, first + 2);
    let range = format!("BETWEEN ${first} AND ${last}");
    format!(
        "(SELECT rowid AS number FROM user_search
                WHERE user_search MATCH ${grams} AND rowid {range}
                    AND rowid NOT IN (SELECT number FROM user_search_late)
              UNION ALL SELECT number FROM user_search_late WHERE number {range}) found
             CROSS JOIN experience_users u ON u.number = found.number"
    )
}

impl Parts {
    /// Whether the table can be asked for these.
    pub(crate) fn can_be_looked_up(&self) -> bool {
        self.grams().is_some()
    }

    /// What asks the table for these; `None` where that could be anybody.
    fn grams(&self) -> Option<String> {
        let mut texts = BTreeSet::new();
        self.texts(&mut texts);
        if texts.is_empty() || texts.len() > MOST_PARTS {
            return None;
        }
        let each = (MOST_GRAMS / texts.len()).max(LEAST_GRAMS);
        self.terms(each).map(|terms| joined(terms, " AND "))
    }

    fn texts<'p>(&'p self, texts: &mut BTreeSet<&'p str>) {
        match self {
            Self::One(text) => drop(texts.insert(text)),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.texts(texts)),
        }
    }

    /// What all has to hold: of each text every three characters in a row, or up to `each` of them
    /// from everywhere.
    fn terms(&self, each: usize) -> Option<BTreeSet<String>> {
        match self {
            Self::One(text) => {
                let characters: Vec<char> = text.chars().collect();
                let grams: BTreeSet<&[char]> = characters.windows(GRAM).collect();
                let step = grams.len().div_ceil(each).max(1);
                let quote = |gram: &&[char]| {
                    format!("\"{}\"", gram.iter().collect::<String>().replace('"', "\"\""))
                };
                let terms: BTreeSet<_> = grams.iter().step_by(step).map(quote).collect();
                (!terms.is_empty()).then_some(terms)
            }
            Self::All(parts) => {
                let terms = parts.iter().filter_map(|part| part.terms(each));
                terms.reduce(|mut all, more| {
                    all.extend(more);
                    all
                })
            }
            Self::Any(parts) => {
                let ways: Option<BTreeSet<_>> = parts.iter().map(|part| part.terms(each)).collect();
                let mut ways = ways?;
                if ways.len() <= 1 {
                    return ways.pop_first();
                }
                let ways = ways.into_iter().map(|terms| format!("({})", joined(terms, " AND ")));
                Some(BTreeSet::from([format!("({})", joined(ways, " OR "))]))
            }
        }
    }
}

fn joined(terms: impl IntoIterator<Item = String>, between: &str) -> String {
    terms.into_iter().collect::<Vec<_>>().join(between)
}

/// The parts of `glob`, if they are worth a search: not what it starts with, which an index in the
/// order of the text finds.
pub(crate) fn of_glob(glob: &str) -> Option<Parts> {
    let parts: Vec<_> = convert::parts(glob).into_iter().map(Parts::One).collect();
    let parts = Parts::All(parts);
    parts.grams()?;
    Some(Parts::All(vec![parts, Parts::One(convert::prefix(glob))]))
}
