//! Ids, and lists of ids.

use super::rows::Rows;
use super::sql::{Filter, joined, order_of};
use guestlist_api::id::ObjectId;
use guestlist_api::query::{Asked, Values};

type Ids = Asked<Values<ObjectId>>;

impl Filter<'_> {
    /// What is asked of the id in `column`.
    pub(super) fn id(&mut self, column: &str, asked: &Ids) -> String {
        self.values(column, asked, |filter, id| filter.bind(id.to_string()))
    }

    /// What is asked of the ids in `column` of these `rows`.
    pub(super) fn ids(&mut self, rows: Rows, column: &str, asked: &Ids) -> String {
        let conditions = self.one_of(column, &asked.values);
        self.some(rows, conditions, asked.holds, asked.values.are_single())
    }

    /// What is asked of the groups above a group. They are found from those ids down, which is where
    /// they are ancestors.
    pub(super) fn ancestors(&mut self, asked: &Ids) -> String {
        let condition = joined(self.one_of("c.parent_id", &asked.values), " OR ");
        let (application, not) = (self.application, if asked.holds { "" } else { "NOT " });
        format!(
            "{not}g.id IN (WITH RECURSIVE below (id) AS (
                SELECT c.id FROM experience_groups c
                WHERE c.application_id = {application} AND {condition}
                UNION
                SELECT c.id FROM experience_groups c JOIN below b ON c.parent_id = b.id
                WHERE c.application_id = {application})
              SELECT below.id FROM below)"
        )
    }

    /// Each way for the id in `column`, which may lack one, to be one of `ids`.
    fn one_of(&mut self, column: &str, ids: &Values<ObjectId>) -> Vec<String> {
        let mut parts = Vec::new();
        if ids.any {
            parts.push(format!("{column} IS NOT NULL"));
        }
        parts.extend(self.among(column, ids.some.iter().map(ToString::to_string)));
        for (end, order) in [(&ids.below, '<'), (&ids.above, '>')] {
            if let Some(end) = end {
                let at = self.bind(end.at.to_string());
                parts.push(format!("{column} {} {at}", order_of(order, end.with)));
            }
        }
        parts
    }
}
