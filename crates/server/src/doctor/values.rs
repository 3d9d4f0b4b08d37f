//! Whether what is stored is what can be stored: each row is read as the server reads it, held against the
//! bounds of the wire, and what it takes is added up.

use super::Looking;
use super::finding::{Command, Few, Findings};
use crate::directory::sizes;
use crate::error::{Error, Result};
use crate::rows::convert::key;
use crate::rows::quotas::MEMBERSHIP;
use crate::rows::table::Table;
use crate::rows::{FromRow, Row, Tx};
use crate::tokens::rows as tokens;
use guestlist_api::api_token::ApiToken;
use guestlist_api::entity::OwnerType;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::text::{Email, Name, PersonName, Tags, Text};
use guestlist_api::time::DateTime;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How much each application has of something, in bytes.
pub(super) type Sizes = BTreeMap<String, i64>;

/// A description of a group or a token.
type Description = Text<0, 32_767>;
/// What an application or an administrator goes by: a name, or an address.
type Named = Text<1, 1024>;

/// The latest moment that can be written: the end of the year 9999.
const LATEST: i64 = 253_402_300_799_999;

const WHY: &str =
    "what the server would not take cannot be answered, found or changed as everything else is";

/// How much a row takes, and of which application; nothing where it is not counted.
type Size = Option<(String, i64)>;

/// What is wrong with a row, as a list that ends at the first.
type Wrong = Option<String>;

fn when(wrong: bool, what: impl FnOnce() -> String) -> Wrong {
    wrong.then(what)
}

fn moments(moments: &[Option<DateTime>]) -> Wrong {
    let outside = |moment: &DateTime| !(0..=LATEST).contains(&moment.millis());
    let found = moments.iter().flatten().find(|moment| outside(moment));
    found.map(|moment| format!("{} is no moment of its life", moment.millis()))
}

fn text(what: &str, text: &str, lengths: &RangeInclusive<usize>) -> Wrong {
    let length = text.chars().count();
    when(!lengths.contains(&length), || {
        let (least, most) = (lengths.start(), lengths.end());
        format!("its {what} has {length} characters, and {least} to {most} may be")
    })
}

/// Whether the column `column` of `row` has `of` as it is compared.
fn folded(row: &Row<'_>, column: &str, of: Option<&str>) -> Result<Wrong> {
    let found = row.text(column)?;
    Ok(when(found != of.map(key).as_deref(), || format!("{column} is not what it is compared by")))
}

fn tags(tags: &Tags) -> Wrong {
    let good = |text: &str| Name::LENGTHS.contains(&text.chars().count());
    let wrong =
        tags.0.len() > Tags::MOST || tags.0.iter().any(|(tag, value)| !good(tag) || !good(value));
    when(wrong, || "its tags are too many, too long or empty".into())
}

fn user(row: &Row<'_>) -> Result<(ExperienceUser, Wrong)> {
    let user = ExperienceUser::from_row(row)?;
    let (first, last) = (user.first_name.as_deref(), user.last_name.as_deref());
    let wrong = when(Email::parse(&user.email).is_none(), || "its address is none".into())
        .or(folded(row, "email_key", Some(&user.email))?)
        .or(folded(row, "first_name_key", first)?)
        .or(folded(row, "last_name_key", last)?)
        .or(first.and_then(|name| text("first name", name, &PersonName::LENGTHS)))
        .or(last.and_then(|name| text("last name", name, &PersonName::LENGTHS)))
        .or(tags(&user.user_tags))
        .or(when(row.text("password_hash")?.is_none_or(str::is_empty), || {
            "it has no password".into()
        }))
        .or(moments(&[
            Some(user.creation_date),
            Some(user.last_updated),
            user.password_last_updated,
            user.last_login,
            user.token_cutoff,
        ]));
    Ok((user, wrong))
}

fn group(row: &Row<'_>) -> Result<(ExperienceGroup, Wrong)> {
    let group = ExperienceGroup::from_row(row)?;
    let wrong = text("name", &group.name, &Name::LENGTHS)
        .or(folded(row, "name_key", Some(&group.name))?)
        .or(group
            .description
            .as_deref()
            .and_then(|of| text("description", of, &Description::LENGTHS)))
        .or(tags(&group.group_tags))
        .or(moments(&[Some(group.creation_date), Some(group.last_updated)]));
    Ok((group, wrong))
}

fn token(row: &Row<'_>) -> Result<(ApiToken, Wrong)> {
    let token = ApiToken::from_row(row)?;
    let wrong = folded(row, "name_key", Some(&token.name))?
        .or(token
            .description
            .as_deref()
            .and_then(|of| text("description", of, &Description::LENGTHS)))
        .or(moments(&[Some(token.creation_date), Some(token.last_updated), token.expiration_date]));
    Ok((token, wrong))
}

/// Reads all rows of `table` by `read`, adds up what those take that `size` says, for each application,
/// and tells `some` what is wrong with them.
fn walk<T>(
    tx: &mut Tx<'_>,
    table: &Table,
    some: &mut Few,
    read: fn(&Row<'_>) -> Result<(T, Wrong)>,
    size: fn(&T) -> Result<Size>,
) -> Result<Sizes> {
    let mut sizes = Sizes::new();
    let sql = format!("SELECT {} FROM {}", table.list(table.columns.len()), table.name);
    tx.each(&sql, &[], |row| {
        let wrong = match read(row) {
            Ok((read, wrong)) => {
                if let Some((application, bytes)) = size(&read)? {
                    *sizes.entry(application).or_default() += bytes;
                }
                wrong
            }
            Err(error) => Some(format!("it cannot be read: {}", super::detail(&error))),
        };
        if let Some(wrong) = wrong {
            let id = row.text("id").ok().flatten().unwrap_or_default().to_owned();
            // All of them are added up, whatever is wrong with some.
            some.add(|| format!("{} {id}: {wrong}", table.name));
        }
        Ok(true)
    })?;
    Ok(sizes)
}

/// What the users of each application take.
pub(super) fn sizes_of_users(tx: &mut Tx<'_>, some: &mut Few) -> Result<Sizes> {
    let size =
        |user: &ExperienceUser| Ok(Some((user.application_id.to_string(), sizes::of_user(user))));
    walk(tx, &crate::directory::users::rows::TABLE, some, user, size)
}

/// What the groups of each application take.
pub(super) fn sizes_of_groups(tx: &mut Tx<'_>, some: &mut Few) -> Result<Sizes> {
    let size = |group: &ExperienceGroup| {
        Ok(Some((group.application_id.to_string(), sizes::of_group(group)?)))
    };
    walk(tx, &crate::directory::groups::rows::TABLE, some, group, size)
}

/// What the tokens of each application take.
pub(super) fn sizes_of_tokens(tx: &mut Tx<'_>, some: &mut Few) -> Result<Sizes> {
    let size = |token: &ApiToken| {
        let counted = token.owner_type == OwnerType::Application;
        Ok(counted.then(|| (token.owner_id.to_string(), tokens::size(token))))
    };
    walk(tx, &tokens::TABLE, some, token, size)
}

/// What each application takes that says who is in which group.
pub(super) fn sizes_of_memberships(tx: &mut Tx<'_>) -> Result<Sizes> {
    let mut sizes = Sizes::new();
    let sql = "SELECT application_id, count(*) FROM memberships GROUP BY application_id";
    tx.each(sql, &[], |row| {
        sizes.insert(row.get_at(0)?, row.get_at::<i64>(1)?.saturating_mul(MEMBERSHIP));
        Ok(true)
    })?;
    Ok(sizes)
}

/// Holds `sizes`, which were read in the same transaction, against those that are counted of `word`.
fn against_counted(tx: &mut Tx<'_>, word: &str, mut sizes: Sizes, some: &mut Few) -> Result<()> {
    let sql = "SELECT application_id, bytes FROM counts WHERE counted = $1";
    let mut differ = |application: &str, there: i64, counted: i64| {
        if there != counted {
            some.add(|| {
                format!(
                    "the {word} of the application {application} take {there} bytes, and {counted} \
                     are counted"
                )
            });
        }
    };
    tx.each(sql, &[&word], |row| {
        let application: String = row.get_at(0)?;
        let there = sizes.remove(&application).unwrap_or_default();
        differ(&application, there, row.get_at(1)?);
        Ok(true)
    })?;
    for (application, there) in sizes {
        differ(&application, there, 0);
    }
    Ok(())
}

/// Reads by `read`, in one transaction, and says what is wrong with the rows, and with what is counted of
/// `word`.
fn examine(
    looking: &mut Looking<'_>,
    findings: &mut Findings,
    word: &str,
    read: impl FnOnce(&mut Tx<'_>, &mut Few) -> Result<Sizes>,
) -> Result<(), Error> {
    let (mut some, mut counted) = (Few::default(), Few::default());
    looking.read(|tx| {
        let sizes = read(tx, &mut some)?;
        against_counted(tx, word, sizes, &mut counted)
    })?;
    findings.add_some("values", some, WHY, Command::Restore);
    let why = "what an application may hold is held against what is counted";
    findings.add_some("bytes", counted, why, Command::Mend);
    Ok(())
}

/// Users, and what they take.
pub(super) fn users(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    examine(looking, findings, "users", sizes_of_users)
}

/// Groups and who is in them, and what they take.
pub(super) fn groups(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    examine(looking, findings, "groups", sizes_of_groups)?;
    examine(looking, findings, "members", |tx, _| sizes_of_memberships(tx))
}

/// Tokens, and what they take.
pub(super) fn tokens(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    examine(looking, findings, "tokens", sizes_of_tokens)
}

/// Applications and administrators, of which there are few.
pub(super) fn others(looking: &mut Looking<'_>, findings: &mut Findings) -> Result<(), Error> {
    let mut some = Few::default();
    looking.read(|tx| {
        let sql = "SELECT 'application ' || id AS what, name AS named, name_key AS folded,
                created, updated FROM applications
            UNION ALL SELECT 'administrator ' || id, email, email_key, created, updated FROM users";
        tx.each(sql, &[], |row| {
            let (what, named): (String, String) = (row.get("what")?, row.get("named")?);
            let moment = |column| Ok::<_, Error>(DateTime::from_millis(row.get(column)?));
            let wrong = folded(row, "folded", Some(&named))?
                .or(text("name", &named, &Named::LENGTHS))
                .or(moments(&[Some(moment("created")?), Some(moment("updated")?)]));
            Ok(wrong.is_none_or(|wrong| some.add(|| format!("{what}: {wrong}"))))
        })
    })?;
    findings.add_some("values", some, WHY, Command::Restore);
    Ok(())
}
