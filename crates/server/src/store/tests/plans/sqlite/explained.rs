//! What SQLite says of how it runs statements, and what of it is right.

use super::super::super::engines::Own;
use super::super::{Plan, noted, populate};
use crate::error::Result;
use crate::rows::{Param, Tx};
use guestlist_store::Engine;

fn explain(engine: &mut dyn Engine, sql: &str, params: &[&dyn Param]) -> Result<Vec<String>> {
    let mut steps = Vec::new();
    Tx::new(engine).each(&format!("EXPLAIN QUERY PLAN {sql}"), params, |row| {
        steps.push(row.get("detail")?);
        Ok(true)
    })?;
    Ok(steps)
}

/// The plans of everything that `work` does.
pub(in super::super) fn plans(
    work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
) -> Vec<Plan> {
    let noted = noted(&Own::on_sqlite(), explain, populate, work);
    for plan in &noted {
        plan.check();
    }
    noted
}

impl Plan {
    /// No table that grows is read from its start to its end, whether by itself or by an index, and
    /// no more is sorted than is answered.
    fn check(&self) {
        for step in &self.steps {
            let scan = step.strip_prefix("SCAN ").map(|rest| rest.split(' ').next());
            // Rows that a statement has made for itself are not a table.
            let made = ["line", "below", "b", "some", "found", "wanted", "CONSTANT"].map(Some);
            // This is kept short.
            let own = |of| made.contains(&of) || of == Some("user_search_late");
            // Of this it reads what has all that is searched for, within one application.
            let searched = step.starts_with("SCAN user_search VIRTUAL TABLE INDEX 0:M")
                && step.ends_with("><")
                || step == "SCAN user_search VIRTUAL TABLE INDEX 0:=";
            let fine = searched || scan.is_none_or(own);
            assert!(fine || self.may_read_all() && !self.sorts(), "{step}\n{}", self.sql);
        }
    }
}
