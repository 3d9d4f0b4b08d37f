//! Between columns and the types of the wire.

use super::Row;
use crate::error::{Error, Result};
use guestlist_api::time::DateTime;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// The id in `column`.
pub(super) fn id<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get::<String>(column)?.parse().map_err(Error::internal)
}

/// The id in `column`, if there is one.
pub(super) fn maybe_id<T: FromStr>(row: &Row<'_>, column: &str) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get::<Option<String>>(column)?.map(|text| text.parse().map_err(Error::internal)).transpose()
}

/// The moment in `column`.
pub(super) fn moment(row: &Row<'_>, column: &str) -> Result<DateTime> {
    row.get(column).map(DateTime::from_millis)
}

/// The moment in `column`, if there is one.
pub(super) fn maybe_moment(row: &Row<'_>, column: &str) -> Result<Option<DateTime>> {
    Ok(row.get::<Option<i64>>(column)?.map(DateTime::from_millis))
}

/// What the JSON text in `column` says.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    serde_json::from_str(&row.get::<String>(column)?).map_err(Error::internal)
}

/// `value` as JSON text.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// `text` as it is compared, sorted and matched.
pub(super) fn key(text: &str) -> String {
    text.to_lowercase()
}

/// A glob as a pattern for `LIKE .. ESCAPE '\'` against a `*_key` column: `*` is any run of
/// characters and `?` one; nothing else is special.
pub(super) fn like(glob: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn only_the_star_and_the_question_mark_are_special() {
        assert_eq!(like("*A?b*"), "%a_b%");
        assert_eq!(like("100%_\\"), "100\\%\\_\\\\");
        assert_eq!(like("a***b"), "a%b");
        assert_eq!(like("%*"), "\\%%");
    }
}
