//! Who is in which group. Users and groups both say it; it is written here alone, with the counts
//! of members.
//!
//! # Errors
//! When the store fails; a function says what else it refuses.

use crate::error::{Error, Result};
use crate::rows::counts::{self, Counted};
use crate::rows::quotas::MEMBERSHIP;
use crate::rows::table::{Table, table, text};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, Param, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Who is in which group.
pub(crate) const TABLE: Table =
    table("memberships", 3, &[text("application_id"), text("user_id"), text("group_id")]);

/// Users asked about in one statement.
pub(crate) const TOGETHER: usize = 100;

/// What a statement asks about up to [`TOGETHER`] users of an application: their ids as a list of
/// parameters, and all parameters, of which the first is the application. There are two sizes of
/// lists, so that there are two statements and not a hundred.
pub(crate) fn any_of<'a>(
    application: &'a String,
    users: &'a [String],
) -> (&'static str, Vec<&'a dyn Param>) {
    static NAMES: LazyLock<String> = LazyLock::new(|| {
        let names: Vec<String> = (2..).take(TOGETHER).map(|n| format!("${n}")).collect();
        names.join(", ")
    });
    let (size, names) = if users.len() <= 1 { (1, "$2") } else { (TOGETHER, NAMES.as_str()) };
    let mut params: Vec<&dyn Param> = vec![application];
    // To ask about one twice changes nothing; and there is no user without an id.
    let last = users.last().unwrap_or(application);
    params.extend((0..size).map(|index| users.get(index).unwrap_or(last) as &dyn Param));
    (names, params)
}

/// What has changed in an application, until it is counted.
struct Changes {
    application: ApplicationId,
    /// How many members more each group has.
    groups: BTreeMap<ExperienceGroupId, i64>,
    /// In how many groups more each user is.
    users: BTreeMap<ExperienceUserId, i64>,
}

impl Changes {
    fn of(application: ApplicationId) -> Self {
        Self { application, groups: BTreeMap::new(), users: BTreeMap::new() }
    }

    fn record_change(&mut self, user: ExperienceUserId, group: ExperienceGroupId, by: i64) {
        *self.groups.entry(group).or_default() += by;
        *self.users.entry(user).or_default() += by;
    }

    /// Each user is in the group no more that stands beside it.
    fn record_parted(&mut self, parted: Vec<(String, String)>) -> Result<()> {
        for (user, group) in parted {
            let user = user.parse().map_err(Error::internal)?;
            self.record_change(user, group.parse().map_err(Error::internal)?, -1);
        }
        Ok(())
    }

    /// Adds the user to the group, if it is not in it.
    fn join(
        &mut self,
        tx: &mut Tx<'_>,
        user: ExperienceUserId,
        group: ExperienceGroupId,
    ) -> Result<()> {
        let joined = tx.change(
            ChangeScope::User(self.application, user),
            "INSERT INTO memberships (application_id, user_id, group_id) VALUES ($1, $2, $3)
             ON CONFLICT (application_id, user_id, group_id) DO NOTHING",
            &[&self.application.to_string(), &user.to_string(), &group.to_string()],
        )?;
        if joined > 0 {
            self.record_change(user, group, 1);
        }
        Ok(())
    }

    /// Removes the user from the group, if it is in it.
    fn part(
        &mut self,
        tx: &mut Tx<'_>,
        user: ExperienceUserId,
        group: ExperienceGroupId,
    ) -> Result<()> {
        let parted = tx.change(
            ChangeScope::User(self.application, user),
            "DELETE FROM memberships
             WHERE application_id = $1 AND user_id = $2 AND group_id = $3",
            &[&self.application.to_string(), &user.to_string(), &group.to_string()],
        )?;
        if parted > 0 {
            self.record_change(user, group, -1);
        }
        Ok(())
    }

    /// Counts what has changed.
    fn count(self, tx: &mut Tx<'_>) -> Result<()> {
        if self.users.is_empty() {
            return Ok(());
        }
        for (group, by) in &self.groups {
            counts::change(tx, Counted::MembersOf(self.application, *group), *by)?;
        }
        // Whether a user is in any group depends on what others do: nobody else may count before
        // the answer is written.
        counts::change(tx, Counted::Members(self.application), 0)?;
        let users: Vec<_> = self.users.iter().map(|(user, by)| (user.to_string(), *by)).collect();
        let mut members = 0;
        for some in users.chunks(TOGETHER) {
            let now = groups_of_each(tx, self.application, some)?;
            for (user, by) in some {
                let now = now.get(user).copied().unwrap_or_default();
                members += i64::from(now > 0) - i64::from(now > *by);
            }
        }
        let bytes = self.groups.values().sum::<i64>() * MEMBERSHIP;
        counts::grow(tx, Counted::Members(self.application), (members, bytes))
    }
}

/// In how many groups each of `users` is, if it is in any.
fn groups_of_each(
    tx: &mut Tx<'_>,
    application: ApplicationId,
    users: &[(String, i64)],
) -> Result<BTreeMap<String, i64>> {
    let (ids, application): (Vec<String>, _) =
        (users.iter().map(|(user, _)| user.clone()).collect(), application.to_string());
    let (list, params) = any_of(&application, &ids);
    let counted: Vec<(String, i64)> = tx.all(
        &format!(
            "SELECT user_id, count(*) FROM memberships
             WHERE application_id = $1 AND user_id IN ({list}) GROUP BY user_id"
        ),
        &params,
    )?;
    Ok(counted.into_iter().collect())
}

fn groups(user: &ExperienceUser) -> BTreeSet<ExperienceGroupId> {
    user.experience_groups.iter().map(|group| group.id).collect()
}

fn members(group: &ExperienceGroup) -> BTreeSet<ExperienceUserId> {
    group.experience_user_ids.iter().flatten().copied().collect()
}

/// The user is in the groups it names, and was in those that `before` names.
pub(crate) fn of_user(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: Option<&ExperienceUser>,
    after: &ExperienceUser,
) -> Result<()> {
    let (before, now) = (before.map(groups).unwrap_or_default(), groups(after));
    let mut changes = Changes::of(tenant.id());
    for group in before.difference(&now) {
        changes.part(tx, after.id, *group)?;
    }
    for group in now.difference(&before) {
        changes.join(tx, after.id, *group)?;
    }
    changes.count(tx)
}

/// The members of the group are those it names, and were those that `before` names.
pub(crate) fn of_group(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: Option<&ExperienceGroup>,
    after: &ExperienceGroup,
) -> Result<()> {
    let (before, now) = (before.map(members).unwrap_or_default(), members(after));
    let mut changes = Changes::of(tenant.id());
    for user in before.difference(&now) {
        changes.part(tx, *user, after.id)?;
    }
    for user in now.difference(&before) {
        changes.join(tx, *user, after.id)?;
    }
    changes.count(tx)
}

/// Members of the groups of an application, each once for each of its groups; or of one `group`.
#[derive(Clone, Copy)]
pub(crate) struct Members {
    pub(crate) tenant: Tenant,
    pub(crate) group: Option<ExperienceGroupId>,
}

impl Members {
    /// Whether there are more than `most`.
    pub(crate) fn are_more_than(self, tx: &mut Tx<'_>, most: i64) -> Result<bool> {
        let (application, group) = self.ids();
        let next: Option<i64> = match &group {
            None => tx.first(
                "SELECT 1 AS found FROM memberships WHERE application_id = $1
                 ORDER BY user_id, group_id LIMIT 1 OFFSET $2",
                &[&application, &most],
            ),
            Some(group) => tx.first(
                "SELECT 1 AS found FROM memberships WHERE application_id = $1 AND group_id = $2
                 ORDER BY user_id LIMIT 1 OFFSET $3",
                &[&application, group, &most],
            ),
        }?;
        Ok(next.is_some())
    }

    /// The first `most` are in the group no more.
    pub(crate) fn delete_some(self, tx: &mut Tx<'_>, most: i64) -> Result<()> {
        let (application, group) = self.ids();
        let some: Vec<(String, String)> = match &group {
            None => tx.all(
                "SELECT user_id, group_id FROM memberships WHERE application_id = $1
                 ORDER BY user_id, group_id LIMIT $2",
                &[&application, &most],
            ),
            Some(group) => tx.all(
                "SELECT user_id, group_id FROM memberships
                 WHERE application_id = $1 AND group_id = $2 ORDER BY user_id LIMIT $3",
                &[&application, group, &most],
            ),
        }?;
        let Some((user, last)) = some.last() else { return Ok(()) };
        let sql = match group {
            None => {
                "DELETE FROM memberships
                 WHERE application_id = $1 AND (user_id, group_id) <= ($2, $3)
                 RETURNING user_id, group_id"
            }
            Some(_) => {
                "DELETE FROM memberships
                 WHERE application_id = $1 AND user_id <= $2 AND group_id = $3
                 RETURNING user_id, group_id"
            }
        };
        let of = ChangeScope::Application(self.tenant.id());
        let parted = tx.change_all(of, sql, &[&application, user, last])?;
        let mut changes = Changes::of(self.tenant.id());
        changes.record_parted(parted)?;
        changes.count(tx)
    }

    fn ids(self) -> (String, Option<String>) {
        (self.tenant.id().to_string(), self.group.map(|group| group.to_string()))
    }
}

/// The users go, and are in no group any more.
pub(crate) fn without_users(tx: &mut Tx<'_>, tenant: Tenant, users: &[String]) -> Result<()> {
    let (application, mut changes) = (tenant.id().to_string(), Changes::of(tenant.id()));
    for some in users.chunks(TOGETHER) {
        let (list, params) = any_of(&application, some);
        let parted: Vec<(String, String)> = tx.change_all(
            ChangeScope::Application(tenant.id()),
            &format!(
                "DELETE FROM memberships WHERE application_id = $1 AND user_id IN ({list})
                 RETURNING user_id, group_id"
            ),
            &params,
        )?;
        changes.record_parted(parted)?;
    }
    changes.count(tx)
}

/// The user goes, and is in no group any more.
pub(crate) fn without_user(tx: &mut Tx<'_>, tenant: Tenant, user: &ExperienceUser) -> Result<()> {
    let parted: Vec<String> = tx.change_all(
        ChangeScope::User(tenant.id(), user.id),
        "DELETE FROM memberships WHERE application_id = $1 AND user_id = $2 RETURNING group_id",
        &[&tenant.id().to_string(), &user.id.to_string()],
    )?;
    let mut changes = Changes::of(tenant.id());
    for group in parted {
        changes.record_change(user.id, group.parse().map_err(Error::internal)?, -1);
    }
    changes.count(tx)
}

/// The group goes, and has no members any more.
pub(crate) fn without_group(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    group: &ExperienceGroup,
) -> Result<()> {
    let parted: Vec<String> = tx.change_all(
        ChangeScope::Application(tenant.id()),
        "DELETE FROM memberships WHERE application_id = $1 AND group_id = $2 RETURNING user_id",
        &[&tenant.id().to_string(), &group.id.to_string()],
    )?;
    let mut changes = Changes::of(tenant.id());
    for user in parted {
        changes.record_change(user.parse().map_err(Error::internal)?, group.id, -1);
    }
    changes.count(tx)?;
    counts::forget(tx, Counted::MembersOf(tenant.id(), group.id))
}

/// Nobody of the application is in a group any more.
pub(crate) fn delete_all(tx: &mut Tx<'_>, application: ApplicationId) -> Result<()> {
    tx.change(
        ChangeScope::Application(application),
        "DELETE FROM memberships WHERE application_id = $1",
        &[&application.to_string()],
    )?;
    counts::forget_members(tx, application)
}
