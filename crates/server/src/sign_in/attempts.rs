//! Attempts of users to sign in to an application: who fails often has to wait.
//!
//! As for administrators ([`crate::administrators::sign_ins`]), an attempt is written down before the password is
//! looked at, by somebody who has a place in the queue for hashing; addresses that nobody has are counted like
//! any other; and who is refused writes nothing. Each application has rows of its own, so that what is guessed in
//! one takes nothing from another.
//!
//! Failures are counted three times over: for the account as it is tried from one network; for the network, at
//! all accounts of the application; and for the account, by all who are not known to it. Who is known goes on
//! whatever the other two say: a device that has signed in to the account before, as the backend knows it; or where
//! it knows none, a network.

use crate::administrators::sign_ins::{FREE, left};
use crate::error::{Error, Result};
use crate::http::network::Network;
use crate::rows::convert::key;
use crate::rows::table::{Table, table, text, whole};
use crate::rows::tenant::Tenant;
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use guestlist_api::id::ApplicationId;
use guestlist_api::time::DateTime;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

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
/// How long after a sign-in a network is known to the account, and a device, in milliseconds.
const NETWORK_KNOWN: i64 = 30 * 24 * 60 * MINUTE;
const DEVICE_KNOWN: i64 = 365 * 24 * 60 * MINUTE;
/// How many rows of failures an application has at most, and of those who are known: a few megabytes.
const MOST: [i64; 2] = [20_000, 100_000];

/// Somebody who says that they are a user: digests, as long for everybody.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// The account as it is tried from their network; or by all of whom nobody knows where they are.
    own: String,
    /// The account as it is tried by all that it does not know.
    strangers: String,
    /// Their network, at all accounts.
    network: Option<String>,
    /// What the account knows them by.
    mark: Option<Mark>,
}

/// What an account knows somebody by.
#[derive(Debug, Clone)]
struct Mark {
    who: String,
    /// As who they are counted if it does.
    own: String,
    /// How long it does after a sign-in.
    lasts: i64,
}

impl Claimant {
    /// Somebody who says that they are the user of `application` with the address `email`, who comes from
    /// `address` with `device`, as far as the backend says so.
    #[must_use]
    pub fn new(
        application: ApplicationId,
        email: &str,
        (address, device): (Option<IpAddr>, Option<&str>),
    ) -> Self {
        let of = |what: &str, whom: &str| {
            let text = format!("{what} {application} {} {whom}", key(email));
            BASE64.encode(Sha256::digest(text))
        };
        let network = address.map(|address| Network::of_client(address).to_string());
        let own = of("own", network.as_deref().unwrap_or_default());
        let mark = match (device, &network) {
            (Some(device), _) => Some(Mark {
                who: of("device", device),
                own: of("own device", device),
                lasts: DEVICE_KNOWN,
            }),
            (None, Some(network)) => {
                Some(Mark { who: of("network", network), own: own.clone(), lasts: NETWORK_KNOWN })
            }
            (None, None) => None,
        };
        let all = |network| {
            BASE64.encode(Sha256::digest(format!("at all accounts {application} {network}")))
        };
        Self { own, strangers: of("strangers", ""), network: network.map(all), mark }
    }

    /// What the account knows them by, if it does.
    pub(super) fn mark(&self) -> Option<&str> {
        self.mark.as_ref().map(|mark| mark.who.as_str())
    }
}

/// A row.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    count: i64,
    last: i64,
}

struct Found {
    who: String,
    counts: Counts,
    until: i64,
}

impl FromRow<Error> for Found {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let counts = Counts { count: row.get("count")?, last: row.get("last")? };
        Ok(Self { who: row.get("who")?, counts, until: row.get("until")? })
    }
}

/// Whether somebody may try now, in seconds to wait; 0 is not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// After their own failures.
    pub own: u32,
    /// After those of others, unless they are known.
    pub strange: u32,
    /// Whether they are known to the account.
    pub known: bool,
}

impl Standing {
    /// How long they have to wait, if they do.
    #[must_use]
    pub fn barred(&self) -> Option<u32> {
        let strange = if self.known { 0 } else { self.strange };
        let wait = self.own.max(strange);
        (wait > 0).then_some(wait)
    }
}

/// What there is of somebody who tries.
struct Record {
    own: Counts,
    strangers: Counts,
    /// When their network is forgiven all.
    forgiven: i64,
    known: bool,
}

impl Record {
    fn read(tx: &mut Tx<'_>, tenant: Tenant, who: &Claimant, now: i64) -> Result<Self> {
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
        let of = |key: &String| found.iter().find(|row| row.who == *key && row.until > now);
        let counts = |key: &String| of(key).map(|row| row.counts).unwrap_or_default();
        let known = who.mark.is_some() && of(mark).is_some();
        Ok(Self {
            own: counts(if known { own_if_known } else { &who.own }),
            strangers: counts(&who.strangers),
            forgiven: of(network).map_or(now, |row| row.until),
            known,
        })
    }

    fn standing(&self, now: DateTime) -> Standing {
        let own = left((self.own.count, self.own.last), FREE, now);
        let of_strangers = if self.strangers.count < FREE_OF_STRANGERS {
            0
        } else {
            // Of two at once, the later may be written down first.
            (self.strangers.last + STRANGERS_WAIT - now.millis()).clamp(0, STRANGERS_WAIT)
        };
        let of_network = self.forgiven - now.millis() - (FREE_OF_NETWORK - 1) * FORGIVEN;
        let millis = of_strangers.max(of_network).max(0);
        let strange = u32::try_from((millis + 999).div_euclid(1000)).unwrap_or(u32::MAX);
        Standing { own, strange, known: self.known }
    }
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
    Ok(Record::read(tx, tenant, who, now.millis())?.standing(now))
}

/// An attempt that was counted, and as whose.
#[derive(Debug, Clone)]
pub struct Counted {
    own: String,
    /// Whether those whom the account does not know were counted, too.
    strange: bool,
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
    let record = Record::read(tx, tenant, who, at)?;
    let standing = record.standing(now);
    if let Some(retry_after) = standing.barred() {
        return Err(Error::AccountLocked { retry_after });
    }
    forget(tx, tenant, who, at)?;
    let own = match &who.mark {
        Some(mark) if record.known => &mark.own,
        _ => &who.own,
    };
    let strange = !record.known;
    if strange {
        let count = record.strangers.count + 1;
        put(tx, tenant, &who.strangers, [0, count, at, at + STRANGERS_REMEMBERED])?;
    }
    put(tx, tenant, own, [0, record.own.count + 1, at, at + REMEMBERED])?;
    if let Some(network) = who.network.as_ref().filter(|_| strange) {
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
    Ok(Counted { own: own.clone(), strange })
}

fn put(tx: &mut Tx<'_>, tenant: Tenant, who: &str, row: [i64; 4]) -> Result<()> {
    let [known, count, last, until] = row;
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO user_sign_in_attempts (application_id, who, known, count, last, until)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (application_id, who) DO UPDATE SET known = excluded.known,
            count = excluded.count, last = excluded.last, until = excluded.until",
        &[&tenant.id().to_string(), &who, &known, &count, &last, &until],
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

/// Takes back an attempt of `who` that was counted, whose password nobody has looked at after all.
///
/// # Errors
/// When the store fails.
pub fn take_back(tx: &mut Tx<'_>, tenant: Tenant, who: &Claimant, counted: &Counted) -> Result<()> {
    let application = tenant.id().to_string();
    let less = "UPDATE user_sign_in_attempts SET count = count - 1
                WHERE application_id = $1 AND who = $2 AND count > 0";
    if counted.strange {
        tx.change(ChangeScope::Nothing, less, &[&application, &who.strangers])?;
    }
    tx.change(ChangeScope::Nothing, less, &[&application, &counted.own])?;
    if let Some(network) = who.network.as_ref().filter(|_| counted.strange) {
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
    let (application, at) = (tenant.id().to_string(), now.millis());
    let sql = "DELETE FROM user_sign_in_attempts WHERE application_id = $1 AND who = $2";
    if counted.strange {
        tx.change(ChangeScope::Nothing, sql, &[&application, &who.strangers])?;
    }
    tx.change(ChangeScope::Nothing, sql, &[&application, &counted.own])?;
    if let Some(mark) = &who.mark {
        put(tx, tenant, &mark.who, [1, 0, at, at + mark.lasts])?;
    }
    Ok(())
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
