//! The tag index: tables that repeat, in rows that an index finds, what a JSON column of a user or a
//! group says. They are written with it, and only read when a query looks for it.

use crate::error::Result;
use crate::rows::table::{Table, derived, text};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use std::collections::BTreeSet;

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

/// Adds the rows of the user's tags.
pub(crate) fn tag_user(tx: &mut Tx<'_>, tenant: Tenant, user: &ExperienceUser) -> Result<()> {
    for (tag, value) in &user.user_tags.0 {
        tx.change_deferred(
            ChangeScope::User(tenant.id(), user.id),
            "INSERT INTO user_tags (application_id, user_id, tag, value) VALUES ($1, $2, $3, $4)",
            &[&tenant.id().to_string(), &user.id.to_string(), tag, value],
            None,
        )?;
    }
    Ok(())
}

/// Removes them.
pub(crate) fn untag_user(tx: &mut Tx<'_>, tenant: Tenant, user: &ExperienceUser) -> Result<()> {
    tx.change_deferred(
        ChangeScope::User(tenant.id(), user.id),
        "DELETE FROM user_tags WHERE application_id = $1 AND user_id = $2",
        &[&tenant.id().to_string(), &user.id.to_string()],
        None,
    )
}

/// Adds the rows of the group's tags.
pub(crate) fn tag_group(tx: &mut Tx<'_>, tenant: Tenant, group: &ExperienceGroup) -> Result<()> {
    for (tag, value) in &group.group_tags.0 {
        tx.change(
            ChangeScope::Application(tenant.id()),
            "INSERT INTO group_tags (application_id, group_id, tag, value) VALUES ($1, $2, $3, $4)",
            &[&tenant.id().to_string(), &group.id.to_string(), tag, value],
        )?;
    }
    Ok(())
}

/// Removes them.
pub(crate) fn untag_group(tx: &mut Tx<'_>, tenant: Tenant, group: &ExperienceGroup) -> Result<()> {
    tx.change(
        ChangeScope::Application(tenant.id()),
        "DELETE FROM group_tags WHERE application_id = $1 AND group_id = $2",
        &[&tenant.id().to_string(), &group.id.to_string()],
    )?;
    Ok(())
}

/// Adds the rows of the group's endpoints, of which it may name one twice.
pub(crate) fn add_endpoints(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    group: &ExperienceGroup,
) -> Result<()> {
    let distinct: BTreeSet<String> =
        group.experience_endpoint_ids.iter().map(ToString::to_string).collect();
    for endpoint in distinct {
        tx.change(
            ChangeScope::Application(tenant.id()),
            "INSERT INTO group_endpoints (application_id, group_id, endpoint_id)
             VALUES ($1, $2, $3)",
            &[&tenant.id().to_string(), &group.id.to_string(), &endpoint],
        )?;
    }
    Ok(())
}

/// Removes them.
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
