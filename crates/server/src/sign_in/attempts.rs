//! Attempts of users to sign in to an application.

use crate::rows::table::{Table, table, text, whole};

/// Who failed, how often and when last, and who is known.
pub(crate) const TABLE: Table = table(
    "user_sign_in_attempts",
    2,
    &[
        text("application_id"),
        text("who"),
        whole("known"),
        whole("count"),
        whole("last"),
        whole("until"),
    ],
);
