//! The route table.

use super::route::{Route, Routes};
use crate::administrators::{accounts, routes as administrators};
use crate::applications::{quotas, routes as applications};
use crate::directory::experience::routes as experience;
use crate::directory::groups::routes as groups;
use crate::directory::users::routes as users;
use crate::links::{public, routes as links};
use crate::mail::routes as mail;
use crate::operations::routes as root;
use crate::sign_in::{key_routes, routes as sign_in, settings};
use crate::tokens::routes as tokens;

use std::sync::LazyLock;

static TABLE: LazyLock<Vec<Route>> = LazyLock::new(|| {
    root::routes()
        .into_iter()
        .chain(administrators::routes())
        .chain(accounts::routes())
        .chain(applications::routes())
        .chain(quotas::routes())
        .chain(tokens::routes())
        .chain(experience::routes())
        .chain(users::routes())
        .chain(sign_in::routes())
        .chain(settings::routes())
        .chain(key_routes::routes())
        .chain(links::routes())
        .chain(public::routes())
        .chain(mail::routes())
        .chain(groups::routes())
        .flat_map(Routes::into_rows)
        .collect()
});

/// Every route of the service: the whole of what it offers.
#[must_use]
pub fn table() -> &'static [Route] {
    &TABLE
}
