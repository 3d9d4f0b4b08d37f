//! The tag index: tables that repeat, in rows that an index finds, what a JSON column of a user or a
//! group says. They are written with it, and only read when a query looks for it.

use crate::error::Result;
use crate::rows::table::{Table, derived, text};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, Param, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ForeignId;
use guestlist_api::text::Tags;
use std::collections::{BTreeMap, BTreeSet};

/// The tags of users, one a row.
pub(crate) const USER_TAGS: Table =
    derived("user_tags", 3, &[text("application_id"), text("user_id"), text("tag"), text("value")]);

/// The tags of groups, one a row.
pub(crate) const GROUP_TAGS: Table = derived(
    "group_tags",
    3,
    &[text("application_id"), text("group_id"), text("tag"), text("value")],
);

/// The endpoints of groups, one a row.
pub(crate) const ENDPOINTS: Table =
    derived("group_endpoints", 3, &[text("application_id"), text("group_id"), text("endpoint_id")]);

/// How the tags of a kind of resource are written. Parameters are the application, the resource, the tag
/// and its value.
struct Statements {
    insert: &'static str,
    update: &'static str,
    delete: &'static str,
    delete_all: &'static str,
}

const OF_USERS: Statements = Statements {
    insert: "INSERT INTO user_tags (application_id, user_id, tag, value) VALUES ($1, $2, $3, $4)",
    update: "UPDATE user_tags SET value = $4
        WHERE application_id = $1 AND user_id = $2 AND tag = $3",
    delete: "DELETE FROM user_tags WHERE application_id = $1 AND user_id = $2 AND tag = $3",
    delete_all: "DELETE FROM user_tags WHERE application_id = $1 AND user_id = $2",
};

const OF_GROUPS: Statements = Statements {
    insert: "INSERT INTO group_tags (application_id, group_id, tag, value) VALUES ($1, $2, $3, $4)",
    update: "UPDATE group_tags SET value = $4
        WHERE application_id = $1 AND group_id = $2 AND tag = $3",
    delete: "DELETE FROM group_tags WHERE application_id = $1 AND group_id = $2 AND tag = $3",
    delete_all: "DELETE FROM group_tags WHERE application_id = $1 AND group_id = $2",
};

impl Statements {
    /// The resource `of` the application had the tags `before` and has `after` now. Only rows that
    /// differ are written: there may be a thousand, and others wait meanwhile.
    fn write(
        &self,
        tx: &mut Tx<'_>,
        scope: ChangeScope,
        (application, of): (&String, &String),
        (Tags(before), Tags(after)): (&Tags, &Tags),
    ) -> Result<()> {
        let none = BTreeMap::new();
        let gone = || before.keys().filter(|tag| !after.contains_key(*tag));
        let same = after.iter().filter(|(tag, value)| before.get(*tag) == Some(*value)).count();
        // Whatever is fewer statements.
        let before = if gone().count() > 1 + same {
            tx.change_deferred(scope, self.delete_all, &[application, of], None)?;
            &none
        } else {
            for tag in gone() {
                tx.change_deferred(scope, self.delete, &[application, of, tag], None)?;
            }
            before
        };
        for (tag, value) in after {
            let sql = match before.get(tag) {
                Some(before) if before == value => continue,
                Some(_) => self.update,
                None => self.insert,
            };
            tx.change_deferred(scope, sql, &[application, of, tag, value], None)?;
        }
        Ok(())
    }
}

/// Writes the rows of the user's tags, which were those of `before`.
pub(crate) fn tag_user(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: &Tags,
    user: &ExperienceUser,
) -> Result<()> {
    let (scope, of) = (ChangeScope::User(tenant.id(), user.id), user.id.to_string());
    OF_USERS.write(tx, scope, (&tenant.id().to_string(), &of), (before, &user.user_tags))
}

/// Removes them all.
pub(crate) fn untag_user(tx: &mut Tx<'_>, tenant: Tenant, user: &ExperienceUser) -> Result<()> {
    tx.change_deferred(
        ChangeScope::User(tenant.id(), user.id),
        OF_USERS.delete_all,
        &[&tenant.id().to_string(), &user.id.to_string()],
        None,
    )
}

/// Writes the rows of the group's tags, which were those of `before`.
pub(crate) fn tag_group(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: &Tags,
    group: &ExperienceGroup,
) -> Result<()> {
    let (scope, of) = (ChangeScope::Application(tenant.id()), group.id.to_string());
    OF_GROUPS.write(tx, scope, (&tenant.id().to_string(), &of), (before, &group.group_tags))
}

/// Removes them all.
pub(crate) fn untag_group(tx: &mut Tx<'_>, tenant: Tenant, group: &ExperienceGroup) -> Result<()> {
    tx.change(
        ChangeScope::Application(tenant.id()),
        OF_GROUPS.delete_all,
        &[&tenant.id().to_string(), &group.id.to_string()],
    )?;
    Ok(())
}

/// Writes the rows of the group's endpoints, of which it may name one twice. They were those of `before`.
pub(crate) fn put_endpoints(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    before: &[ForeignId],
    group: &ExperienceGroup,
) -> Result<()> {
    let (scope, application) = (ChangeScope::Application(tenant.id()), tenant.id().to_string());
    let distinct = |ids: &[ForeignId]| ids.iter().copied().collect::<BTreeSet<_>>();
    let (before, now) = (distinct(before), distinct(&group.experience_endpoint_ids));
    for (sql, differ) in [
        (
            "DELETE FROM group_endpoints
             WHERE application_id = $1 AND group_id = $2 AND endpoint_id = $3",
            before.difference(&now),
        ),
        (
            "INSERT INTO group_endpoints (application_id, group_id, endpoint_id)
             VALUES ($1, $2, $3)",
            now.difference(&before),
        ),
    ] {
        for endpoint in differ {
            let params = [&application, &group.id.to_string(), &endpoint.to_string()];
            tx.change_deferred(scope, sql, &params.map(|text| text as &dyn Param), None)?;
        }
    }
    Ok(())
}

/// Removes them all.
pub(crate) fn remove_endpoints(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    group: &ExperienceGroup,
) -> Result<()> {
    tx.change(
        ChangeScope::Application(tenant.id()),
        "DELETE FROM group_endpoints WHERE application_id = $1 AND group_id = $2",
        &[&tenant.id().to_string(), &group.id.to_string()],
    )?;
    Ok(())
}
