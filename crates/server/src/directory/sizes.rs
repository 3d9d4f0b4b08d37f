//! How many bytes users and groups take of what their application may hold. The migration that began to count
//! them has the same rules in SQL.

use crate::error::{Error, Result};
use crate::rows::convert::{json, to_json};
use crate::rows::counts::{self, Counted};
use crate::rows::quotas::{ROW, in_blocks};
use crate::rows::{FromRow, Row, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::text::Tags;
use std::marker::PhantomData;

/// Each is a row of its own, in two indexes.
fn of_tags(tags: &Tags) -> usize {
    tags.0.iter().map(|(tag, value)| 256 + 3 * (tag.len() + value.len())).sum()
}

fn of_parts(email: &str, first: Option<&str>, last: Option<&str>, tags: &Tags) -> i64 {
    let names = first.map_or(0, str::len) + last.map_or(0, str::len);
    in_blocks(ROW + 5 * email.len() + 4 * names + of_tags(tags))
}

/// What `user` takes, without the groups that it is in.
pub(crate) fn of_user(user: &ExperienceUser) -> i64 {
    let (first, last) = (user.first_name.as_deref(), user.last_name.as_deref());
    of_parts(&user.email, first, last, &user.user_tags)
}

/// How much more a user takes who was `before`. Mostly nothing differs that is counted, and then nothing
/// is added up.
pub(super) fn growth(before: &ExperienceUser, after: &ExperienceUser) -> i64 {
    let length = |text: &Option<String>| text.as_deref().map_or(0, str::len);
    let same = before.email.len() == after.email.len()
        && length(&before.first_name) == length(&after.first_name)
        && length(&before.last_name) == length(&after.last_name)
        && before.user_tags == after.user_tags;
    if same { 0 } else { of_user(after) - of_user(before) }
}

/// What `group` takes, without its members.
pub(crate) fn of_group(group: &ExperienceGroup) -> Result<i64> {
    let endpoints = to_json(&group.experience_endpoint_ids)?.len();
    let devices = to_json(&group.device_ids.as_deref().unwrap_or_default())?.len();
    let texts = [&group.description, &group.device_query_json];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let rest = 8 * endpoints + devices + to_json(&group.device_tags)?.len() + texts;
    Ok(in_blocks(ROW + 4 * group.name.len() + rest + of_tags(&group.group_tags)))
}

/// What a `T` took that has just been removed.
pub(super) struct Gone<T>(i64, PhantomData<T>);

impl Gone<ExperienceUser> {
    /// What a statement that removes users gives of each.
    pub(super) const COLUMNS: &str = "email, first_name, last_name, tags";
}

impl FromRow<Error> for Gone<ExperienceUser> {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let email = row.text("email")?.unwrap_or_default();
        let (first, last) = (row.text("first_name")?, row.text("last_name")?);
        Ok(Self(of_parts(email, first, last, &json(row, "tags")?), PhantomData))
    }
}

impl FromRow<Error> for Gone<ExperienceGroup> {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        of_group(&ExperienceGroup::from_row(row)?).map(|bytes| Self(bytes, PhantomData))
    }
}

/// Counts what has gone of what is `counted`.
pub(super) fn uncount<T>(tx: &mut Tx<'_>, counted: Counted, gone: &[Gone<T>]) -> Result<()> {
    let rows = i64::try_from(gone.len()).map_err(Error::internal)?;
    let bytes: i64 = gone.iter().map(|Gone(bytes, _)| bytes).sum();
    counts::grow(tx, counted, (-rows, -bytes))
}
