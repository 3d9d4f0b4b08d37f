//! Attempts of users to sign in to an application: who fails often has to wait.
//!
//! As for administrators ([`crate::administrators::sign_ins`]), an attempt is written down before the password is
//! looked at, by somebody who has a place in the queue for hashing; addresses that nobody has are counted like
//! any other; and who is refused writes nothing. Each application has rows of its own, so that what is guessed in
//! one takes nothing from another.
//!
//! Failures are counted three times over: for the account as it is tried from one network; for the network, at
//! all accounts of the application; and for the account, by all who are not known to it. Who is known
//! ([`marks`]) goes on whatever the other two say: a device that has signed in to the account before, as the backend
//! knows it; or where it knows none, a network. As others may be in that, it looks like any other by all that is
//! answered: what is tried from it counts as anybody's while anybody may try, and apart while others wait.

use super::claimant::Claimant;
use super::marks;
use crate::administrators::sign_ins::{FREE, left};
use crate::error::{Error, Result};
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use guestlist_api::time::DateTime;

/// Who failed, how often and when last, and who is known. A row counts until `until`.
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
        text("account"),
    ],
);

const MINUTE: i64 = 60_000;
/// How long failures of an account from one network are remembered, in milliseconds.
const REMEMBERED: i64 = 60 * MINUTE;
/// Failures in a row of those that an account does not know, all of them together, which cost nothing (NIST SP
/// 800-63B-4: one hundred at most).
const FREE_OF_STRANGERS: i64 = 100;
/// How long they wait for each after that, in milliseconds.
const STRANGERS_WAIT: i64 = 15 * MINUTE;
/// How long they are remembered, in milliseconds.
const STRANGERS_REMEMBERED: i64 = 24 * 60 * MINUTE;
/// Failures of one network at all accounts that cost nothing.
const FREE_OF_NETWORK: i64 = 300;
/// The milliseconds after which a network is forgiven one.
const FORGIVEN: i64 = 60 * MINUTE / FREE_OF_NETWORK;
/// How many rows of failures an application has at most, and of those who are known: a few megabytes.
const MOST: [i64; 2] = [20_000, 100_000];

/// A row: how often, when last, and until when that counts.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    count: i64,
    last: i64,
    until: i64,
}

struct Found(String, Counts);

impl FromRow<Error> for Found {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let (count, last, until) = (row.get("count")?, row.get("last")?, row.get("until")?);
        Ok(Self(row.get("who")?, Counts { count, last, until }))
    }
}

/// What an account knows somebody by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// A device, which is nobody else's: they are told the truth.
    Device,
    /// A network. They are told what anybody else in it would be told.
    Network,
}

/// Whether somebody may try now, in seconds to wait; 0 is not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// After their own failures.
    pub own: u32,
    /// After those of others, unless they are known.
    pub strange: u32,
    /// What the account knows them by, if it does.
    pub known: Option<KnownBy>,
}

impl Standing {
    /// How long they are told to wait, if they have to.
    #[must_use]
    pub fn barred(&self) -> Option<u32> {
        let is_barred = self.own > 0 || (self.strange > 0 && self.known.is_none());
        is_barred.then(|| self.told().unwrap_or(self.own))
    }

    /// How long somebody from their network is told to wait who is not known, if they have to; of a device
    /// nothing.
    fn told(&self) -> Option<u32> {
        (self.strange > 0 && self.known != Some(KnownBy::Device)).then_some(self.strange)
    }
}

/// What there is of somebody who tries.
struct Record<'w> {
    /// As who they are counted by themselves, and how often they were.
    own: (&'w str, Counts),
    strangers: Counts,
    standing: Standing,
}

impl<'w> Record<'w> {
    fn read(tx: &mut Tx<'_>, tenant: Tenant, who: &'w Claimant, now: DateTime) -> Result<Self> {
        // As many for whoever is counted by less.
        let nothing = String::new();
        let network = who.network.as_ref().unwrap_or(&nothing);
        let (mark, own_if_known) =
            who.mark.as_ref().map_or((&nothing, &nothing), |mark| (&mark.who, &mark.own));
        let found: Vec<Found> = tx.all(
            "SELECT who, count, last, until FROM user_sign_in_attempts
             WHERE application_id = $1 AND who IN ($2, $3, $4, $5, $6)",
            &[&tenant.id().to_string(), &who.own, &who.strangers, network, mark, own_if_known],
        )?;
        let of = |key: &str| {
            let row = found.iter().find(|Found(who, row)| who == key && row.until > now.millis());
            row.map(|Found(_, row)| *row)
        };
        let strangers = of(&who.strangers).unwrap_or_default();
        let forgiven = of(network).map_or(now.millis(), |row| row.until);
        let strange = strange(strangers, forgiven, now);
        let mark = who.mark.as_ref().filter(|mark| of(&mark.who).is_some());
        let known =
            mark.map(|mark| if mark.is_shared { KnownBy::Network } else { KnownBy::Device });
        // What somebody tries because their network is known is no news to strangers in it: neither then, nor
        // when they may try again.
        let own = match mark {
            Some(mark) if !mark.is_shared || strange > 0 => &mark.own,
            _ => &who.own,
        };
        let counts = of(own).unwrap_or_default();
        let standing =
            Standing { own: left((counts.count, counts.last), FREE, now), strange, known };
        Ok(Self { own: (own.as_str(), counts), strangers, standing })
    }
}

/// The seconds that those have to wait whom the account does not know.
fn strange(strangers: Counts, forgiven: i64, now: DateTime) -> u32 {
    let of_strangers = if strangers.count < FREE_OF_STRANGERS {
        0
    } else {
        // Of two at once, the later may be written down first.
        (strangers.last + STRANGERS_WAIT - now.millis()).clamp(0, STRANGERS_WAIT)
    };
    let of_network = forgiven - now.millis() - (FREE_OF_NETWORK - 1) * FORGIVEN;
    let millis = of_strangers.max(of_network).max(0);
    u32::try_from((millis + 999).div_euclid(1000)).unwrap_or(u32::MAX)
}

/// Whether `who` may try now. It writes nothing.
///
/// # Errors
/// When the store fails.
pub fn standing(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    who: &Claimant,
    now: DateTime,
) -> Result<Standing> {
    Ok(Record::read(tx, tenant, who, now)?.standing)
}

/// An attempt that was counted, and as whose.
#[derive(Debug, Clone)]
pub struct Counted {
    /// When.
    at: i64,
    /// As who by themselves, and what there was before.
    own: (String, Counts),
    /// What there was of strangers before, where it counts as one of theirs.
    strangers: Option<Counts>,
    standing: Standing,
}

impl Counted {
    /// How long whoever was wrong is told to wait, if they are, so that nobody finds out whether their network
    /// is known.
    pub(super) fn told(&self) -> Option<u32> {
        self.standing.told()
    }
}

/// Writes down that `who` tries, and forgets some of what is too old or too much.
///
/// # Errors
/// [`Error::AccountLocked`] when they have to wait first. Such an attempt does not count.
pub fn attempt(tx: &mut Tx<'_>, tenant: Tenant, who: &Claimant, now: DateTime) -> Result<Counted> {
    let (application, at) = (tenant.id().to_string(), now.millis());
    // Of two at once, one waits here for the other.
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO user_sign_in_attempts (application_id, who, known, count, last, until)
         VALUES ($1, $2, 0, 0, $3, $3)
         ON CONFLICT (application_id, who) DO UPDATE SET count = user_sign_in_attempts.count",
        &[&application, &who.strangers, &at],
    )?;
    let Record { own: (own, before), strangers, standing } = Record::read(tx, tenant, who, now)?;
    if let Some(retry_after) = standing.barred() {
        return Err(Error::AccountLocked { retry_after });
    }
    forget(tx, tenant, who, at)?;
    // From a known network they count as anybody does in it while anybody may try, or else it would be seen
    // by when others have to wait.
    let strangers =
        (standing.known != Some(KnownBy::Device) && standing.strange == 0).then_some(strangers);
    if let Some(strangers) = strangers {
        put(tx, tenant, &who.strangers, [strangers.count + 1, at, at + STRANGERS_REMEMBERED])?;
    }
    put(tx, tenant, own, [before.count + 1, at, at + REMEMBERED])?;
    if let Some(network) = who.network.as_ref().filter(|_| strangers.is_some()) {
        // Others count for the same network at once.
        tx.change(
            ChangeScope::Nothing,
            "INSERT INTO user_sign_in_attempts (application_id, who, known, count, last, until)
             VALUES ($1, $2, 0, $3, $4, $5)
             ON CONFLICT (application_id, who) DO UPDATE SET last = excluded.last,
                until = CASE WHEN user_sign_in_attempts.until > excluded.last
                    THEN user_sign_in_attempts.until + $6 ELSE excluded.until END",
            &[&application, network, &FREE_OF_NETWORK, &at, &(at + FORGIVEN), &FORGIVEN],
        )?;
    }
    Ok(Counted { at, own: (own.to_owned(), before), strangers, standing })
}

fn put(tx: &mut Tx<'_>, tenant: Tenant, who: &str, row: [i64; 3]) -> Result<()> {
    let [count, last, until] = row;
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO user_sign_in_attempts (application_id, who, known, count, last, until)
         VALUES ($1, $2, 0, $3, $4, $5)
         ON CONFLICT (application_id, who) DO UPDATE SET
            count = excluded.count, last = excluded.last, until = excluded.until",
        &[&tenant.id().to_string(), &who, &count, &last, &until],
    )?;
    Ok(())
}

/// A row, as those of an application are told apart that are too many.
struct Least(i64, i64);

impl FromRow<Error> for Least {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self(row.get("count")?, row.get("until")?))
    }
}

/// Deletes some of the rows that are too old, and now and then some of those of the application that are too many:
/// those that have counted least.
fn forget(tx: &mut Tx<'_>, tenant: Tenant, who: &Claimant, now: i64) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM user_sign_in_attempts WHERE (application_id, who) IN
            (SELECT application_id, who FROM user_sign_in_attempts WHERE until <= $1 AND who <> $2
             ORDER BY until LIMIT 16 FOR UPDATE SKIP LOCKED)",
        &[&now, &who.strangers],
    )?;
    if now % 64 != 0 {
        return Ok(());
    }
    let application = tenant.id().to_string();
    for (known, most) in (0_i64..).zip(MOST) {
        let least: Option<Least> = tx.first(
            "SELECT count, until FROM user_sign_in_attempts WHERE application_id = $1 AND known = $2
             ORDER BY count DESC, until DESC LIMIT 1 OFFSET $3",
            &[&application, &known, &most],
        )?;
        let Some(Least(count, until)) = least else { continue };
        tx.change(
            ChangeScope::Nothing,
            "DELETE FROM user_sign_in_attempts WHERE application_id = $1 AND who IN
                (SELECT who FROM user_sign_in_attempts
                 WHERE application_id = $1 AND known = $2 AND (count, until) <= ($3, $4) AND who <> $5
                 ORDER BY count, until LIMIT 512 FOR UPDATE SKIP LOCKED)",
            &[&application, &known, &count, &until, &who.strangers],
        )?;
    }
    Ok(())
}

/// Takes back an attempt of `who` that was counted, whose password nobody has looked at after all. Where nobody has
/// tried since, all is as it was before.
///
/// # Errors
/// When the store fails.
pub fn take_back(tx: &mut Tx<'_>, tenant: Tenant, who: &Claimant, counted: &Counted) -> Result<()> {
    let application = tenant.id().to_string();
    let of_strangers = counted.strangers.map(|before| (who.strangers.as_str(), before));
    let (own, before) = &counted.own;
    for (key, before) in of_strangers.into_iter().chain([(own.as_str(), *before)]) {
        tx.change(
            ChangeScope::Nothing,
            "UPDATE user_sign_in_attempts SET count = count - 1,
                until = CASE WHEN last = $3 THEN $5 ELSE until END,
                last = CASE WHEN last = $3 THEN $4 ELSE last END
             WHERE application_id = $1 AND who = $2 AND count > 0",
            &[&application, &key, &counted.at, &before.last, &before.until],
        )?;
    }
    if let Some(network) = who.network.as_ref().filter(|_| counted.strangers.is_some()) {
        let forgive = "UPDATE user_sign_in_attempts SET until = until - $3
                       WHERE application_id = $1 AND who = $2";
        tx.change(ChangeScope::Nothing, forgive, &[&application, network, &FORGIVEN])?;
    }
    Ok(())
}

/// Forgets what `who` failed at before, whose attempt has succeeded, and knows them from then on. What others
/// failed at in a row ends only with the success of one whom the account did not know.
///
/// # Errors
/// When the store fails.
pub fn succeeded(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    who: &Claimant,
    (counted, now): (&Counted, DateTime),
) -> Result<()> {
    take_back(tx, tenant, who, counted)?;
    let application = tenant.id().to_string();
    let sql = "DELETE FROM user_sign_in_attempts WHERE application_id = $1 AND who = $2";
    if counted.standing.known.is_none() {
        tx.change(ChangeScope::Nothing, sql, &[&application, &who.strangers])?;
    }
    tx.change(ChangeScope::Nothing, sql, &[&application, &counted.own.0])?;
    marks::add(tx, tenant, who, now.millis())
}

/// Deletes `most` of the rows of the application where there are more, and says so.
///
/// # Errors
/// When the store fails.
pub fn delete_some(tx: &mut Tx<'_>, tenant: Tenant, most: i64) -> Result<bool> {
    let application = tenant.id().to_string();
    let more: Option<i64> = tx.first(
        "SELECT 1 AS found FROM user_sign_in_attempts WHERE application_id = $1 LIMIT 1 OFFSET $2",
        &[&application, &most],
    )?;
    if more.is_some() {
        tx.run(
            "DELETE FROM user_sign_in_attempts WHERE application_id = $1 AND who IN
                (SELECT who FROM user_sign_in_attempts WHERE application_id = $1 LIMIT $2)",
            &[&application, &most],
        )?;
    }
    Ok(more.is_some())
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
