//! The search index of SQLite, against the users that it is of.

use super::Looking;
use super::finding::{Command, Few, Findings};
use crate::directory::search::GRAM;
use crate::error::Error;
use guestlist_store::Dialect;
use std::collections::BTreeSet;

const WHY: &str =
    "whoever looks for a part of an address or a name finds whom the index names, and nobody else";

/// Users who are looked for in the index by what is in their row: each takes a millisecond or so.
const SOUGHT: usize = 200;

/// Who is missing from the index, and what is in it that is nobody's.
const MEMBERS: &str = "
    SELECT 'user ' || u.id || ' has no number to be found by' FROM experience_users u
    WHERE u.number IS NULL
    UNION ALL
    SELECT 'user ' || u.id || ' is not in the search index' FROM experience_users u
    WHERE u.number IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM user_search_docsize d WHERE d.id = u.number)
        AND NOT EXISTS (SELECT 1 FROM user_search_late l WHERE l.number = u.number)
    UNION ALL
    SELECT 'the search index has the number ' || d.id || ', which is nobody''s'
    FROM user_search_docsize d
    WHERE NOT EXISTS (SELECT 1 FROM experience_users u WHERE u.number = d.id)
        AND NOT EXISTS (SELECT 1 FROM user_search_late l WHERE l.number = d.id)
        AND NOT EXISTS (SELECT 1 FROM user_search_left g WHERE g.number = d.id >> 32)";

/// A user as the index should know it.
struct Sought {
    id: String,
    number: i64,
    grams: String,
}

/// How many trigrams `text` has.
fn count(text: &str) -> u64 {
    u64::try_from(text.chars().count().saturating_sub(GRAM - 1)).unwrap_or(u64::MAX)
}

/// The numbers that FTS5 has written in `bytes`, one behind the other: seven bits a byte, the highest
/// first, and the eighth says that there are more.
fn numbers(bytes: &[u8]) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut number = 0_u64;
    for byte in bytes {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            numbers.push(number);
            number = 0;
        }
    }
    numbers
}

/// All trigrams of `text`, as FTS5 is asked for a row that has them; `None` where there are none.
fn grams(text: &str) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let grams: BTreeSet<&[char]> = characters.windows(GRAM).collect();
    let quote =
        |gram: &&[char]| format!("\"{}\"", gram.iter().collect::<String>().replace('"', "\"\""));
    let terms: Vec<_> = grams.iter().map(quote).collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

/// Whether the index has everybody, with as many trigrams as there are, and some of them with those that
/// they have.
pub(super) fn check(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    if looking.dialect == Dialect::Postgres {
        return Ok(());
    }
    let mut some = Few::default();
    looking.ask(MEMBERS, &mut some)?;
    looking.read(|tx| {
        let users: Option<i64> = tx.first("SELECT count(*) FROM experience_users", &[])?;
        let every = usize::try_from(users.unwrap_or_default()).unwrap_or_default() / SOUGHT + 1;
        let (mut place, mut sought) = (0_usize, Vec::new());
        let all = "SELECT u.id, u.number, u.email_key, u.first_name_key, u.last_name_key, d.sz
            FROM experience_users u JOIN user_search_docsize d ON d.id = u.number
            WHERE NOT EXISTS (SELECT 1 FROM user_search_late l WHERE l.number = u.number)";
        tx.each(all, &[], |row| {
            let texts = ["email_key", "first_name_key", "last_name_key"];
            let texts = texts.map(|column| row.text(column));
            let [email, first, last] = texts;
            let texts = [email?, first?, last?].map(Option::unwrap_or_default);
            let sizes: Vec<u8> = row.get("sz")?;
            let id = || row.text("id").ok().flatten().unwrap_or_default().to_owned();
            if numbers(&sizes) != texts.map(count) {
                return Ok(
                    some.add(|| format!("the search index has other texts of the user {}", id()))
                );
            }
            if place % every == 0
                && let Some(grams) = grams(texts[0])
            {
                sought.push(Sought { id: id(), number: row.get("number")?, grams });
            }
            place += 1;
            Ok(true)
        })?;
        for Sought { id, number, grams } in sought {
            let sql = "SELECT 1 FROM user_search WHERE user_search MATCH $1 AND rowid = $2";
            if tx.first::<i64>(sql, &[&grams, &number])?.is_none() {
                some.add(|| format!("the user {id} is not found by its address"));
            }
        }
        Ok(())
    })?;
    findings.add_some("search", some, WHY, Command::Mend);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_fts5_writes_them() {
        assert_eq!(numbers(&[3, 0, 0x81, 0x00]), [3, 0, 128]);
        assert_eq!((count("ab"), count("abc"), count("äbcd")), (0, 1, 2));
        assert_eq!(grams("ab\"c").as_deref(), Some("\"ab\"\"\" AND \"b\"\"c\""));
        assert_eq!(grams("ab"), None);
    }
}
