//! Between columns and the types of the wire.

use super::Row;
use crate::error::{Error, Result};
use guestlist_api::time::DateTime;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// The id in `column`.
pub(crate) fn id<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text(row, column)?.parse().map_err(Error::internal)
}

/// The text in `column`, which has to be there.
fn text<'r>(row: &'r Row<'_>, column: &str) -> Result<&'r str> {
    row.text(column)?.ok_or_else(|| Error::internal(format!("there is nothing in {column}")))
}

/// The id in `column`, if there is one.
pub(crate) fn maybe_id<T: FromStr>(row: &Row<'_>, column: &str) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.text(column)?.map(|text| text.parse().map_err(Error::internal)).transpose()
}

/// The moment in `column`.
pub(crate) fn moment(row: &Row<'_>, column: &str) -> Result<DateTime> {
    Ok(DateTime::from_millis(row.get(column)?))
}

/// The moment in `column`, if there is one.
pub(crate) fn maybe_moment(row: &Row<'_>, column: &str) -> Result<Option<DateTime>> {
    Ok(row.get::<Option<i64>>(column)?.map(DateTime::from_millis))
}

/// What the JSON text in `column` says.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    serde_json::from_str(text(row, column)?).map_err(Error::internal)
}

/// `value` as JSON text.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// `text` as it is compared, sorted and matched: character by character, so that a pattern and a
/// part of a text fold alike wherever they stand. (Lower-casing as a whole minds the end of a Greek
/// word, and makes two characters of one `İ`, which a `?` then does not match.)
pub(crate) fn key(text: &str) -> String {
    let fold = |character: char| {
        let mut lower = character.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some('ς'), None) => 'σ',
            (Some(one), None) => one,
            _ => character,
        }
    };
    text.chars().map(fold).collect()
}

/// What it means that the address `email` cannot be stored twice.
pub(crate) fn email_taken(email: &str) -> impl Fn(Error) -> Error + use<> {
    let email = email.to_owned();
    move |error| match error {
        Error::Taken(_) => Error::AlreadyExists(email_exists(&email)),
        other => other,
    }
}

/// That the address `email` is another's, in the words of the wire.
pub(crate) fn email_exists(email: &str) -> String {
    format!("Email address \"{email}\" already exists")
}

/// A glob as a pattern for `LIKE .. ESCAPE '\'` against a `*_key` column: `*` is any run of
/// characters and `?` one; nothing else is special.
pub(crate) fn like(glob: &str) -> String {
    let mut pattern = String::with_capacity(glob.len() + 8);
    for character in key(glob).chars() {
        match character {
            // A second run beside the first would match the same and only cost time.
            '*' if pattern.ends_with('%') && !pattern.ends_with("\\%") => {}
            '*' => pattern.push('%'),
            '?' => pattern.push('_'),
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            other => pattern.push(other),
        }
    }
    pattern
}

/// What each text that matches `glob` starts with, folded.
pub(crate) fn prefix(glob: &str) -> String {
    key(glob).chars().take_while(|character| !matches!(character, '*' | '?')).collect()
}

/// What each text that matches `glob` has in it after what it starts with, folded: the characters
/// between a `*` or `?` and the next.
pub(crate) fn parts(glob: &str) -> Vec<String> {
    key(glob).split(['*', '?']).skip(1).map(str::to_owned).collect()
}

/// The first text after all those that start with `prefix`, in the order of code points, if there
/// is one.
pub(crate) fn after(prefix: &str) -> Option<String> {
    let mut text: Vec<char> = prefix.chars().collect();
    while let Some(last) = text.pop() {
        // The next one that is a character: there are none from U+D800 to U+DFFF.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text.into_iter().collect());
        }
    }
    None
}

/// `text` where a pattern for `LIKE .. ESCAPE '\'` means nothing but itself.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// The pattern for `LIKE .. ESCAPE '\'` of what starts with `part`.
pub(crate) fn starts_with(part: &str) -> String {
    format!("{}%", literally(part))
}

/// The pattern for `LIKE .. ESCAPE '\'` of what ends with `part`.
pub(crate) fn ends_with(part: &str) -> String {
    format!("%{}", literally(part))
}

/// The pattern for `LIKE .. ESCAPE '\'` of what has `part` in it.
pub(crate) fn contains(part: &str) -> String {
    format!("%{}%", literally(part))
}

#[cfg(test)]
mod tests {
    use super::{after, key, like, parts, prefix};

    #[test]
    fn characters_fold_one_by_one() {
        assert_eq!(key("ΟΔΟΣ"), key("οδος"));
        assert!(key("ΟΔΟΣΑ").starts_with(&key("ΟΔΟΣ")));
        assert_eq!(key("İ").chars().count(), 1);
    }

    #[test]
    fn what_starts_with_a_text_is_before_the_one_after_it() {
        assert_eq!(after("foo").as_deref(), Some("fop"));
        assert_eq!(after("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!((after(""), after("\u{10ffff}")), (None, None));
    }

    #[test]
    fn a_glob_has_a_start_and_parts() {
        assert_eq!((prefix("Foo*"), parts("Foo*")), ("foo".into(), vec![String::new()]));
        assert_eq!((prefix("foo"), parts("foo")), ("foo".into(), Vec::new()));
        assert_eq!(parts("a*B?c"), ["b", "c"]);
    }

    #[test]
    fn only_the_star_and_the_question_mark_are_special() {
        assert_eq!(like("*A?b*"), "%a_b%");
        assert_eq!(like("100%_\\"), "100\\%\\_\\\\");
        assert_eq!(like("a***b"), "a%b");
        assert_eq!(like("%*"), "\\%%");
    }
}
