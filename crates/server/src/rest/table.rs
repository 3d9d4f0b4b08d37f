//! The route table.

use super::resources::{
    administrators, api_tokens, applications, experience, experience_groups, experience_users, root,
};
use super::route::{Route, Routes};

use std::sync::LazyLock;

static TABLE: LazyLock<Vec<Route>> = LazyLock::new(|| {
    root::routes()
        .into_iter()
        .chain(administrators::routes())
        .chain(applications::routes())
        .chain(api_tokens::routes())
        .chain(experience::routes())
        .chain(experience_users::routes())
        .chain(experience_groups::routes())
        .flat_map(Routes::into_rows)
        .collect()
});

/// Every route of the service: the whole of what it offers.
#[must_use]
pub fn table() -> &'static [Route] {
    &TABLE
}
