//! Removing all users or all groups of an application, or many of those, a few at a time. All at once
//! would keep others waiting for as long as that takes; between one part and the next they have their
//! turn, and all counts are right. Each function removes a part and says so, or removes nothing where
//! little is left: that goes in one transaction with all else.
//!
//! # Errors
//! When the store fails.

#![expect(clippy::missing_errors_doc, reason = "the head of the module says it")]

use super::groups::rows as groups;
use super::memberships::{self, Members, TOGETHER, any_of};
use super::sizes::{self, Gone};
use crate::error::Result;
use crate::rows::counts::{self, Counted};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, Tx};
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ExperienceGroupId;
use std::collections::BTreeSet;

/// Rows that are a part: some 20 ms of work, for which others wait.
pub(crate) const PART: i64 = 250;

/// How many bytes of tags and endpoints go with a part, as each of those is a row too.
const BYTES: i64 = 32 * 1024;

/// What a membership counts among those bytes.
const MEMBERSHIP: i64 = 32;

/// What is removed together.
#[derive(Default)]
struct Part {
    ids: Vec<String>,
    rows: i64,
    bytes: i64,
}

impl Part {
    /// Adds a row with what goes along, if there is room. There is for the first, whatever it is.
    fn add(&mut self, id: String, bytes: i64) -> bool {
        let room = self.rows == 0 || (self.rows < PART && self.bytes + bytes <= BYTES);
        if room {
            self.ids.push(id);
            self.rows += 1;
            self.bytes += bytes;
        }
        room
    }
}

/// Removes some users of the application, also from its groups.
pub fn some_users(tx: &mut Tx<'_>, tenant: Tenant) -> Result<bool> {
    let (all, application) = (ChangeScope::Application(tenant.id()), tenant.id().to_string());
    let found: Vec<(String, i64)> = tx.all(
        "SELECT u.id, length(u.tags) + $3 * (SELECT count(*) FROM memberships m
            WHERE m.application_id = u.application_id AND m.user_id = u.id)
         FROM experience_users u WHERE u.application_id = $1 ORDER BY u.id LIMIT $2",
        &[&application, &PART, &MEMBERSHIP],
    )?;
    let mut part = Part::default();
    let fits = found.into_iter().all(|(id, bytes)| part.add(id, bytes));
    if fits && part.rows < PART {
        return Ok(false);
    }
    memberships::without_users(tx, tenant, &part.ids)?;
    let mut gone = Vec::new();
    for some in part.ids.chunks(TOGETHER) {
        let (list, params) = any_of(&application, some);
        let sql =
            format!("DELETE FROM user_tags WHERE application_id = $1 AND user_id IN ({list})");
        tx.change(all, &sql, &params)?;
        let sql = format!(
            "DELETE FROM experience_users WHERE application_id = $1 AND id IN ({list}) RETURNING {}",
            Gone::<ExperienceUser>::COLUMNS
        );
        gone.extend(tx.change_all::<Gone<ExperienceUser>>(all, &sql, &params)?);
    }
    sizes::uncount(tx, Counted::Users(tenant.id()), &gone)?;
    Ok(true)
}

/// A group that is looked at: how many bytes go with it, and whether those in it have been looked at.
struct Looked {
    id: String,
    bytes: i64,
    below: bool,
}

/// Some groups of the application, those in a group before it; and whether that is all of them.
fn part_of_groups(tx: &mut Tx<'_>, application: &String) -> Result<(Vec<String>, bool)> {
    let new = |(id, bytes)| Looked { id, bytes, below: false };
    let first: Vec<(String, i64)> = tx.all(
        "SELECT id, length(tags) + length(endpoint_ids) FROM experience_groups
         WHERE application_id = $1 ORDER BY id LIMIT $2",
        &[application, &PART],
    )?;
    let mut left: Vec<Looked> = first.into_iter().rev().map(new).collect();
    let (mut seen, mut part) = (BTreeSet::new(), Part::default());
    while let Some(next) = left.pop() {
        if next.below {
            if !part.add(next.id, next.bytes) {
                return Ok((part.ids, false));
            }
        } else if seen.insert(next.id.clone()) {
            // Of more than these a part has no room, so the group itself is not in it then.
            let children: Vec<(String, i64)> = tx.all(
                "SELECT id, length(tags) + length(endpoint_ids) FROM experience_groups
                 WHERE application_id = $1 AND parent_id = $2 LIMIT $3",
                &[application, &next.id, &PART],
            )?;
            left.push(Looked { below: true, ..next });
            left.extend(children.into_iter().map(new));
        }
    }
    let everything = part.rows < PART;
    Ok((part.ids, everything))
}

/// Removes some groups of the application, or some of who is in which. The users stay.
pub fn some_groups(tx: &mut Tx<'_>, tenant: Tenant) -> Result<bool> {
    let (all, application) = (ChangeScope::Application(tenant.id()), tenant.id().to_string());
    let members = Members { tenant, group: None };
    if members.are_more_than(tx, PART)? {
        return members.delete_some(tx, PART).map(|()| true);
    }
    let (part, everything) = part_of_groups(tx, &application)?;
    if everything {
        return Ok(false);
    }
    members.delete_some(tx, PART)?;
    let (columns, mut gone) = (groups::TABLE.list(groups::TABLE.columns.len()), Vec::new());
    for some in part.chunks(TOGETHER) {
        let (list, params) = any_of(&application, some);
        for sql in [
            format!("DELETE FROM group_tags WHERE application_id = $1 AND group_id IN ({list})"),
            format!(
                "DELETE FROM group_endpoints WHERE application_id = $1 AND group_id IN ({list})"
            ),
        ] {
            tx.change(all, &sql, &params)?;
        }
        let sql = format!(
            "DELETE FROM experience_groups WHERE application_id = $1 AND id IN ({list})
             RETURNING {columns}"
        );
        gone.extend(tx.change_all::<Gone<ExperienceGroup>>(all, &sql, &params)?);
        counts::forget_groups(tx, list, &params)?;
    }
    sizes::uncount(tx, Counted::Groups(tenant.id()), &gone)?;
    Ok(true)
}

/// Removes some members of a group, which is about to be removed, or moves some of the groups in it up to
/// where it is. The users stay.
pub fn some_of_group(tx: &mut Tx<'_>, tenant: Tenant, group: ExperienceGroupId) -> Result<bool> {
    let members = Members { tenant, group: Some(group) };
    if members.are_more_than(tx, PART)? {
        return members.delete_some(tx, PART).map(|()| true);
    }
    let (application, id) = (tenant.id().to_string(), group.to_string());
    let more: Option<i64> = tx.first(
        "SELECT 1 AS found FROM experience_groups WHERE application_id = $1 AND parent_id = $2
         LIMIT 1 OFFSET $3",
        &[&application, &id, &PART],
    )?;
    if more.is_some() {
        tx.change(
            ChangeScope::Application(tenant.id()),
            "UPDATE experience_groups SET parent_id = (SELECT parent_id FROM experience_groups
                WHERE application_id = $1 AND id = $2)
             WHERE application_id = $1 AND id IN (SELECT id FROM experience_groups
                WHERE application_id = $1 AND parent_id = $2 LIMIT $3)",
            &[&application, &id, &PART],
        )?;
    }
    Ok(more.is_some())
}

/// Groups with one name that go at once. Each may have a thousand tags.
pub(crate) const ALIKE: i64 = 10;

/// Removes some of the groups that are called exactly `name`, or a part of what is in one of them.
pub fn some_with_name(tx: &mut Tx<'_>, tenant: Tenant, name: &str) -> Result<bool> {
    let alike = groups::with_name(tx, tenant, name, ALIKE)?;
    for id in &alike {
        if some_of_group(tx, tenant, *id)? {
            return Ok(true);
        }
    }
    let more = groups::with_name(tx, tenant, name, ALIKE + 1)?.len() > alike.len();
    if more {
        for id in alike {
            let group = groups::lock(tx, tenant, id)?;
            groups::delete(tx, tenant, &group)?;
        }
    }
    Ok(more)
}
