//! The query planner of lists: one page of a table, and how many rows the list has.
//!
//! A capability says which rows with a `Select`: conditions, and with each whether it may hold of
//! few rows (`Select::narrow`), whether an index has its texts in order (`Select::matching`), and
//! what is known of their number (`Select::known`). `Select::page` then reads a page by one of
//! these plans:
//!
//! - **Ordered**: in the order of an index, until the page is full.
//! - **Sorted**: by the index that finds the rows, which are sorted then; where they are few.
//! - **Try**: as ordered, with a budget of SQLite's VM steps. When that is spent the plan is
//!   abandoned, and the next one runs.
//! - **Gathered** (`gather.rs`): what a search index found is read once, in no order. The rows of
//!   the page are selected in memory.
//!
//! Words of this crate become SQL; what a person typed is always a parameter. Pagination is by
//! keyset: a page begins beyond the sort key and the id of the last row of the one before. Each
//! statement asks for one row more than a page has, to see whether there is a next page.
//!
//! *Users by creation date, the first 50.* How many there are is stored (`rows/counts.rs`), nothing
//! narrows them, so the plan is ordered:
//!
//! ```sql
//! SELECT u.application_id, …, CAST(u.created AS TEXT) AS sorted_by
//! FROM experience_users u WHERE u.application_id = $1
//! ORDER BY u.created ASC, u.id ASC LIMIT 51 OFFSET 0
//! ```
//!
//! *Members of a group by last name, descending, after a cursor.* The group is small, so its members
//! are found first. `coalesce` hides the sort key from the index of last names, or an engine might
//! read all users in that order. Users without a last name are a part of their own, read if the
//! first does not fill the page:
//!
//! ```sql
//! SELECT …, CAST(u.last_name_start AS TEXT) AS sorted_by
//! FROM experience_users u WHERE u.application_id = $1
//!   AND u.id IN (SELECT m.user_id FROM memberships m
//!                WHERE m.application_id = $1 AND m.group_id = $2)
//!   AND (coalesce(u.last_name_start, u.last_name_start), u.id) < ($3, $4)
//! ORDER BY coalesce(u.last_name_start, u.last_name_start) DESC NULLS LAST, u.id DESC
//! LIMIT 51 OFFSET 0
//! ```
//!
//! Of a large group the ordered plan is tried before: `FROM experience_users u INDEXED BY …`, without
//! `coalesce`, where that index has the ids too.
//!
//! *Users whose address matches `*smith*`, by address, on SQLite.* The trigram index has candidates.
//! They are read, compared and counted at once, and the rows of the page by their numbers then:
//!
//! ```sql
//! SELECT u.number, '' AS id, u.email_key AS sorted_by
//! FROM (SELECT rowid AS number FROM user_search WHERE user_search MATCH $5
//!         AND rowid BETWEEN $3 AND $4 AND rowid NOT IN (SELECT number FROM user_search_late)
//!       UNION ALL SELECT number FROM user_search_late WHERE number BETWEEN $3 AND $4) found
//! CROSS JOIN experience_users u ON u.number = found.number
//! WHERE u.email_key LIKE $2 ESCAPE '\'
//!
//! SELECT …, u.number FROM json_each($1) wanted
//! CROSS JOIN experience_users u ON u.number = wanted.value
//! ```

mod candidates;
mod gather;
mod order;
mod page;
mod plan;
mod select;

pub(crate) use candidates::Candidates;
pub(crate) use order::{Folded, Key, Order};
pub use order::{Position, Value};
pub(crate) use page::{Budget, ID};
pub use page::{HEAVIEST_PAGE, Listed, Paging, Start};
pub(crate) use select::Select;
