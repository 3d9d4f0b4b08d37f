//! Groups without the ids of their members, which may be most of what is known of them: the numbers are
//! there instead.

use super::forest::ancestry;
use super::rows::{One, one_row};
use crate::directory::memberships::{TOGETHER, any_of};
use crate::error::{Error, Result};
use crate::rows::list::{ID, Listed};
use crate::rows::tenant::Tenant;
use crate::rows::{FromRow, Row, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::id::{ExperienceGroupId, ForeignId};
use std::collections::{BTreeMap, BTreeSet};

/// A group without its members, whose ids may be most of it.
pub(crate) struct Bare(ExperienceGroup);

impl FromRow<Error> for Bare {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let mut group = ExperienceGroup::from_row(row)?;
        let devices: BTreeSet<ForeignId> = group.device_ids.take().into_iter().flatten().collect();
        group.direct_device_count = Some(devices.len() as u64);
        group.experience_user_ids = None;
        Ok(Self(group))
    }
}

/// The group `id` of the application.
///
/// # Errors
/// [`Error::NotFound`] when it has no such group.
pub fn get(tx: &mut Tx<'_>, tenant: Tenant, id: ExperienceGroupId) -> Result<ExperienceGroup> {
    let Bare(mut group) = one_row(tx, tenant, id, "")?;
    complete(tx, tenant, std::slice::from_mut(&mut group))?;
    Ok(group)
}

/// A page of them.
///
/// # Errors
/// When the store fails, or the page would be too heavy.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    bare: Listed<Bare>,
) -> Result<Listed<ExperienceGroup>> {
    let mut page = bare.map(|Bare(group)| group);
    complete(tx, tenant, &mut page.items)?;
    for group in &page.items {
        page.budget.spend(group.ancestor_ids.len() * ID)?;
    }
    Ok(page)
}

/// Adds what other rows say of groups without their members: how many there are, whether there are
/// groups in them, and their ancestors.
fn complete(tx: &mut Tx<'_>, tenant: Tenant, groups: &mut [ExperienceGroup]) -> Result<()> {
    let application = tenant.id().to_string();
    let mut lines = BTreeMap::new();
    for some in groups.chunks_mut(TOGETHER) {
        let ids: Vec<String> = some.iter().map(|group| group.id.to_string()).collect();
        let (list, params) = any_of(&application, &ids);
        let counted: Vec<(String, i64)> = tx.all(
            &format!(
                "SELECT counted, total FROM counts
                 WHERE application_id = $1 AND counted IN ({list})"
            ),
            &params,
        )?;
        let counted: BTreeMap<String, i64> = counted.into_iter().collect();
        let parents: Vec<One<ExperienceGroupId>> = tx.all(
            &format!(
                "SELECT g.id FROM experience_groups g
                 WHERE g.application_id = $1 AND g.id IN ({list}) AND EXISTS (
                     SELECT 1 FROM experience_groups b
                     WHERE b.application_id = g.application_id AND b.parent_id = g.id)"
            ),
            &params,
        )?;
        let parents: BTreeSet<_> = parents.into_iter().map(|One(id)| id).collect();
        for (group, id) in some.iter_mut().zip(&ids) {
            let users = counted.get(id).copied().unwrap_or_default();
            group.direct_user_count = Some(u64::try_from(users).unwrap_or_default());
            group.has_children = Some(parents.contains(&group.id));
            let line = if let Some(line) = lines.get(&group.parent_id) {
                line
            } else {
                let line = ancestry(tx, &application, group.parent_id)?;
                lines.entry(group.parent_id).or_insert(line)
            };
            group.ancestor_ids.clone_from(line);
        }
    }
    Ok(())
}
