//! Rules of the directory that know neither HTTP nor SQL.

mod application;
mod experience_group;
mod experience_user;

pub use application::{changed_application, new_application};
pub use experience_group::{changed_group, new_group};
pub use experience_user::{avatar_url, changed_user, new_user};

use guestlist_api::time::DateTime;

/// When something that was last changed at `before` is changed at `now`: never earlier, also when
/// the clock goes back.
#[must_use]
pub fn later(before: DateTime, now: DateTime) -> DateTime {
    before.max(now)
}
