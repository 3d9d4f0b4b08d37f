//! Rules of the directory that know neither HTTP nor SQL.

mod administrator;
mod api_token;
mod application;
mod experience;
mod experience_group;
mod experience_user;

pub use administrator::{changed_me, full_name, new_me, with_new_password};
pub use api_token::{changed_token, ends_later, new_session, new_token};
pub use application::{ORGANIZATION, OWNER_TYPE, changed_application, new_application};
pub use experience::{example_address, example_group, example_group_name, example_user};
pub use experience_group::{blank_group, changed_group, new_group};
pub use experience_user::{avatar_url, blank_user, changed_user, new_user};

use guestlist_api::time::DateTime;

/// When something that was last changed at `before` is changed at `now`: never earlier, also when
/// the clock goes back.
#[must_use]
pub fn later(before: DateTime, now: DateTime) -> DateTime {
    before.max(now)
}
