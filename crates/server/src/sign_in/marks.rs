//! What an account knows those by who have signed in to it: a few rows of the table of attempts.

use super::claimant::{self, Claimant};
use crate::error::Result;
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, Tx};

/// How many an account has at most. The one that was used last goes last: somebody who signs in a hundred
/// thousand times pushes out nobody else's.
const MOST: i64 = 20;

/// Knows `who` from `now` on, who has signed in.
pub(super) fn add(tx: &mut Tx<'_>, tenant: Tenant, who: &Claimant, now: i64) -> Result<()> {
    let Some(mark) = &who.mark else { return Ok(()) };
    let application = tenant.id().to_string();
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO user_sign_in_attempts (application_id, who, known, count, last, until, account)
         VALUES ($1, $2, 1, 0, $3, $4, $5)
         ON CONFLICT (application_id, who) DO UPDATE SET known = 1, count = 0,
            last = excluded.last, until = excluded.until, account = excluded.account",
        &[&application, &mark.who, &now, &(now + mark.lasts), &who.strangers],
    )?;
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM user_sign_in_attempts WHERE application_id = $1 AND who IN
            (SELECT who FROM user_sign_in_attempts
             WHERE application_id = $1 AND account = $2 AND who <> $3
             ORDER BY last DESC LIMIT 512 OFFSET $4 FOR UPDATE SKIP LOCKED)",
        &[&application, &who.strangers, &mark.who, &(MOST - 1)],
    )?;
    Ok(())
}

/// Forgets whom the account with the address `email` knows: its password is another, its tokens are ended, or
/// it is gone.
///
/// # Errors
/// When the store fails.
pub fn forget(tx: &mut Tx<'_>, tenant: Tenant, email: &str) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM user_sign_in_attempts WHERE application_id = $1 AND who IN
            (SELECT who FROM user_sign_in_attempts WHERE application_id = $1 AND account = $2
             FOR UPDATE SKIP LOCKED)",
        &[&tenant.id().to_string(), &claimant::account(tenant.id(), email)],
    )?;
    Ok(())
}
