//! Ids, and sets of ids. What is asked of a set holds if it holds of one of them; `$ne` and `$nin`
//! if they hold of all.

use super::sql::{FALSE, Filter, TRUE, order, with_null};
use guestlist_api::query::{Comparison, IdTest};

/// Ids that a user or a group has many of.
#[derive(Clone, Copy)]
pub(super) enum Set {
    /// The groups that a user is a direct member of.
    GroupsOfUser,
    /// The direct members of a group.
    UsersOfGroup,
    /// The endpoints of a group.
    EndpointsOfGroup,
    /// The groups above a group.
    AncestorsOfGroup,
}

impl Set {
    /// One of the ids fulfils `condition`, which follows the id.
    fn some(self, application: &str, condition: &str) -> String {
        match self {
            Self::GroupsOfUser => format!(
                "u.id IN (SELECT m.user_id FROM memberships m
                    WHERE m.application_id = {application} AND m.group_id {condition})"
            ),
            Self::UsersOfGroup => format!(
                "g.id IN (SELECT m.group_id FROM memberships m
                    WHERE m.application_id = {application} AND m.user_id {condition})"
            ),
            Self::EndpointsOfGroup => format!(
                "g.id IN (SELECT e.group_id FROM group_endpoints e
                    WHERE e.application_id = {application} AND e.endpoint_id {condition})"
            ),
            // From those ids down, which is where they are ancestors.
            Self::AncestorsOfGroup => format!(
                "g.id IN (WITH RECURSIVE below (id) AS (
                    SELECT c.id FROM experience_groups c
                    WHERE c.application_id = {application} AND c.parent_id {condition}
                    UNION
                    SELECT c.id FROM experience_groups c JOIN below b ON c.parent_id = b.id
                    WHERE c.application_id = {application})
                  SELECT below.id FROM below)"
            ),
        }
    }
}

impl Filter<'_> {
    /// What `test` asks of the id in `column`.
    pub(super) fn id(&mut self, column: &str, test: &IdTest) -> String {
        match test {
            IdTest::Compare(comparison, None) => with_null(column, *comparison),
            IdTest::Compare(comparison, Some(id)) => {
                let id = self.bind(id.to_string());
                match (order(*comparison), comparison) {
                    (Some(order), _) => format!("({column} {order} {id} AND {column} IS NOT NULL)"),
                    (None, Comparison::Ne) => format!("({column} IS NULL OR {column} <> {id})"),
                    (None, _) => format!("({column} = {id} AND {column} IS NOT NULL)"),
                }
            }
            IdTest::In(ids) => {
                self.list(ids.0.iter().map(ToString::to_string)).map_or(FALSE.into(), |list| {
                    format!("({column} IN {list} AND {column} IS NOT NULL)")
                })
            }
            IdTest::Nin(ids) => {
                self.list(ids.0.iter().map(ToString::to_string)).map_or(TRUE.into(), |list| {
                    format!("({column} IS NULL OR {column} NOT IN {list})")
                })
            }
        }
    }

    /// What `test` asks of the ids in `set`.
    pub(super) fn set(&mut self, set: Set, test: &IdTest) -> String {
        let (not, condition) = match test {
            IdTest::Compare(Comparison::Eq, None) => ("NOT ", "IS NOT NULL".into()),
            IdTest::Compare(Comparison::Ne, None) => ("", "IS NOT NULL".into()),
            IdTest::Compare(_, None) => return FALSE.into(),
            IdTest::Compare(comparison, Some(id)) => {
                let id = self.bind(id.to_string());
                let not = if *comparison == Comparison::Ne { "NOT " } else { "" };
                (not, format!("{} {id}", order(*comparison).unwrap_or("=")))
            }
            IdTest::In(ids) | IdTest::Nin(ids) => {
                let none = matches!(test, IdTest::Nin(_));
                let Some(list) = self.list(ids.0.iter().map(ToString::to_string)) else {
                    return if none { TRUE.into() } else { FALSE.into() };
                };
                (if none { "NOT " } else { "" }, format!("IN {list}"))
            }
        };
        format!("{not}{}", set.some(self.application, &condition))
    }
}
