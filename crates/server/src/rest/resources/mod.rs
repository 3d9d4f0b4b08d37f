//! The resources of the API: for each the rows of the route table, and a handler for each row.

pub(super) mod administrators;
pub(super) mod api_tokens;
pub(super) mod applications;
pub(super) mod experience;
pub(super) mod experience_groups;
pub(super) mod experience_users;
pub(super) mod root;
