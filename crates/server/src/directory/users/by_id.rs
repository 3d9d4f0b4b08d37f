//! One end user, looked for by its id: a single statement says who it is and which groups it is in.

use super::rows::{self, COLUMNS, sorted};
use crate::error::{Error, Result};
use crate::rows::convert::maybe_id;
use crate::rows::tenant::AuthorizedApp;
use crate::rows::{FromRow, Lookup, Rows, Statement, Tx};
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::ExperienceUserId;
use std::sync::LazyLock;

/// Groups that come along with a user in one statement. Each repeats what is known of the user, so
/// that one who is in many is read in two statements.
const MOST_GROUPS: usize = 16;

static WITH_GROUPS: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS.as_str();
    format!(
        "SELECT {columns}, g.id AS group_id, g.name AS group_name, g.parent_id AS group_parent_id
         FROM experience_users u
         LEFT JOIN memberships m ON m.application_id = u.application_id AND m.user_id = u.id
         LEFT JOIN experience_groups g ON g.application_id = m.application_id AND g.id = m.group_id
         WHERE u.application_id = $1 AND u.id = $2 LIMIT {}",
        MOST_GROUPS + 1
    )
});

/// The user `id` of an application where the caller may act.
///
/// # Errors
/// [`Error::NotFound`] when there is no such application, or it has no such user.
#[derive(Debug, Clone, Copy)]
pub struct ById {
    /// The application.
    pub within: AuthorizedApp,
    /// The user.
    pub id: ExperienceUserId,
}

impl Lookup<Error> for ById {
    type Found = ExperienceUser;

    fn statement(&self) -> Statement {
        Statement::new(&WITH_GROUPS, [self.within.id().to_string(), self.id.to_string()])
    }

    fn read(&self, rows: Rows<'_>) -> Result<Option<ExperienceUser>> {
        let (mut count, mut user, mut groups) = (0, None, Vec::new());
        rows.each(|row| -> Result<()> {
            count += 1;
            if count == 1 {
                user = Some(ExperienceUser::from_row(row)?);
            }
            if let Some(id) = maybe_id(row, "group_id")? {
                let (name, parent_id) = (row.get("group_name")?, maybe_id(row, "group_parent_id")?);
                groups.push(GroupRef { id, name, parent_id });
            }
            Ok(())
        })?;
        Ok(user.filter(|_| count <= MOST_GROUPS).map(|mut user: ExperienceUser| {
            user.experience_groups = sorted(groups);
            user
        }))
    }

    fn otherwise(&self, tx: &mut Tx<'_>) -> Result<ExperienceUser> {
        rows::get_within(tx, self.within, self.id)
    }
}
