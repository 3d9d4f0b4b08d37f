//! Tags.

use super::rows::Rows;
use super::sql::{Filter, TRUE, joined};
use guestlist_api::query::{Asked, TagBox, TagBoxes, TagTexts};

impl Filter<'_> {
    /// What is asked of the tags in these `rows`, called `t`.
    pub(super) fn tags(&mut self, rows: Rows, asked: &Asked<TagBoxes>) -> String {
        let boxes = &asked.values.0;
        let conditions = boxes.iter().map(|one| self.tag(one)).collect();
        // An index has the tags of a key.
        let found = boxes.iter().all(|one| one.keys.is_some());
        self.some(rows, conditions, asked.holds, found)
    }

    /// That a tag is in this box.
    pub(super) fn tag(&mut self, one: &TagBox) -> String {
        let mut half = |column: &str, texts: &TagTexts| {
            texts.as_ref().and_then(|texts| self.among(column, texts.iter().cloned()))
        };
        let key = half("t.tag", &one.keys);
        let both: Vec<String> = key.into_iter().chain(half("t.value", &one.values)).collect();
        if both.is_empty() { TRUE.into() } else { joined(both, " AND ") }
    }
}
