//! Attempts to sign in: who fails often has to wait, so that passwords cannot be tried one by one.
//!
//! An attempt is written down before the password is looked at, so that many at once count as many, on
//! all nodes together; and by somebody who has a place in the queue for hashing, so that a server which is too
//! busy to look at a password counts nothing, and what is written is bounded by how many are looked at.
//! Addresses that nobody has are counted like any other: the answers tell nothing of who exists.
//!
//! An account is only barred to the network that failed, or else anybody could keep an administrator out.
//! Where an account meets many failures, from all networks together, those that have not signed in
//! to it lately have fewer tries, and share them with the networks around them. One that has, goes on as
//! before ([`Standing`]).

use crate::error::{Error, Result};
use crate::http::network::Network;
use crate::rows::convert::key;
use crate::rows::table::{Table, table, text, whole};
use crate::rows::{ChangeScope, FromRow, Row, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use guestlist_api::id::UserId;
use guestlist_api::time::DateTime;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Who failed to sign in, how often, and when last. A row is forgotten an hour after that, so
/// what is to be remembered for longer has it in the future.
pub(crate) const TABLE: Table =
    table("sign_in_attempts", 1, &[text("who"), whole("count"), whole("last")]);

/// Failures in a row that cost nothing: people mistype, and programs sign in side by side.
pub(crate) const FREE: i64 = 20;
/// The longest wait, in seconds: guessing at a minute a try is without hope.
const LONGEST_WAIT: i64 = 60;
/// How long attempts are remembered, in milliseconds.
const REMEMBERED: i64 = 60 * 60 * 1000;
/// How long after a sign-in its network is known to the account, in milliseconds.
const KNOWN: i64 = 30 * 24 * 60 * 60 * 1000;
/// The milliseconds after which an account forgets a failure. One network that fails as often as it
/// may, twenty times and then each minute, is not many.
const FORGIVEN: i64 = REMEMBERED / 100;
/// Rows beyond which the oldest go, a few megabytes: more than an hour of failures at the rate at which two
/// cores look at passwords.
const MOST_ROWS: i64 = 200_000;

/// How networks that are not known are counted while an account meets many failures.
struct Siege {
    /// So many.
    failures: i64,
    /// The bits of an IPv4 address that those who are counted as one have in common.
    v4: u8,
    /// The same of an IPv6 address.
    v6: u8,
    /// Failures in a row that cost them nothing.
    free: i64,
}

/// From the mild to the hard one: a provider's customer, and then a provider.
const SIEGES: [Siege; 2] = [
    Siege { failures: 100, v4: 24, v6: 48, free: 3 },
    Siege { failures: 1000, v4: 16, v6: 32, free: 1 },
];

/// Who tries: digests, as long for everybody.
#[derive(Debug, Clone)]
pub struct Throttled {
    /// Whoever has to wait after their own failures.
    own: String,
    /// What else a stranger is counted by.
    account: Option<Account>,
}

/// An account that a stranger says is theirs, known or not.
#[derive(Debug, Clone)]
struct Account {
    /// The account, wherever they are.
    all: String,
    /// The same from their network, if it is known.
    known: String,
    /// The same from the networks around theirs, as in [`SIEGES`].
    around: [String; SIEGES.len()],
}

impl Throttled {
    /// Somebody who says that their address is `email`.
    #[must_use]
    pub fn stranger(email: &str, peer: IpAddr) -> Self {
        let email = &key(email);
        let network = Network::of_client(peer);
        let account = Account {
            all: digest(&format!("all {email}")),
            known: digest(&format!("known {email} {network}")),
            around: SIEGES.map(|siege| {
                digest(&format!("around {email} {}", Network::around(peer, siege.v4, siege.v6)))
            }),
        };
        Self { own: digest(&format!("{email} {network}")), account: Some(account) }
    }

    /// An administrator who says their password again, with whichever token: each would be another
    /// twenty guesses.
    #[must_use]
    pub fn administrator(user: UserId) -> Self {
        Self { own: digest(&user.to_string()), account: None }
    }

    /// The row that all attempts change which count together.
    fn lock(&self) -> &str {
        self.account.as_ref().map_or(&self.own, |account| &account.all)
    }
}

fn digest(who: &str) -> String {
    BASE64.encode(Sha256::digest(who))
}

/// A row.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: i64,
    last: i64,
}

struct Found(String, Failures);

impl FromRow<Error> for Found {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self(row.get("who")?, Failures { count: row.get("count")?, last: row.get("last")? }))
    }
}

/// Whether somebody may try now, in seconds to wait; 0 is not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// After their own failures.
    pub own: u32,
    /// After those of others, unless their network is known.
    pub strange: u32,
    /// Whether somebody has signed in from their network lately.
    pub known: bool,
}

impl Standing {
    /// How long they have to wait, if they do.
    #[must_use]
    pub fn barred(&self) -> Option<u32> {
        let barred = self.own > 0 || (self.strange > 0 && !self.known);
        barred.then_some(if self.strange > 0 { self.strange } else { self.own })
    }
}

/// What there is of somebody who tries.
struct Record {
    own: Failures,
    /// The siege of their account, which of them it is, and what its row has.
    siege: Option<(usize, Failures)>,
    /// When the account has forgotten all.
    forgiven: i64,
    known: bool,
}

impl Record {
    fn read(tx: &mut Tx<'_>, who: &Throttled, now: DateTime) -> Result<Self> {
        // As many for whoever is counted by less.
        let nothing = String::new();
        let (all, known, [near, far]) = who.account.as_ref().map_or_else(
            || (&nothing, &nothing, [&nothing; 2]),
            |account| (&account.all, &account.known, account.around.each_ref()),
        );
        let sql = "SELECT who, count, last FROM sign_in_attempts WHERE who IN ($1, $2, $3, $4, $5)";
        let found: Vec<Found> = tx.all(sql, &[&who.own, all, known, near, far])?;
        let old = now.millis() - REMEMBERED;
        let of = |key: &str| {
            let row = found.iter().find(|Found(who, row)| who == key && row.last > old);
            row.map_or(Failures { count: 0, last: old }, |Found(_, row)| *row)
        };
        let forgiven = of(all).last.max(now.millis());
        let many = (forgiven - now.millis()) / FORGIVEN;
        let siege = SIEGES.iter().rposition(|siege| many >= siege.failures);
        let siege = siege.zip(who.account.as_ref());
        let siege = siege.and_then(|(which, of_account)| {
            of_account.around.get(which).map(|key| (which, of(key)))
        });
        Ok(Self { own: of(&who.own), siege, forgiven, known: of(known).last > old })
    }

    fn standing(&self, now: DateTime) -> Standing {
        let strange = self.siege.and_then(|(which, row)| {
            SIEGES.get(which).map(|siege| left((row.count, row.last), siege.free, now))
        });
        let own = left((self.own.count, self.own.last), FREE, now);
        Standing { own, strange: strange.unwrap_or(0), known: self.known }
    }
}

/// The seconds to wait after `count` failures in a row, of which so many are `free`.
fn wait(count: i64, free: i64) -> i64 {
    match count - free {
        over @ 0..=5 => 1 << over,
        over if over > 5 => LONGEST_WAIT,
        _ => 0,
    }
}

/// The seconds that are left to wait at `now` after `count` failures in a row, the last of them at `last`, of which
/// so many are `free`.
pub(crate) fn left((count, last): (i64, i64), free: i64, now: DateTime) -> u32 {
    // Of two at once, the later may be written down first.
    let left = wait(count, free) * 1000 - (now.millis() - last).max(0);
    if left > 0 { u32::try_from(left.div_euclid(1000) + 1).unwrap_or(u32::MAX) } else { 0 }
}

/// Whether `who` may try now. It writes nothing.
///
/// # Errors
/// When the store fails.
pub fn standing(tx: &mut Tx<'_>, who: &Throttled, now: DateTime) -> Result<Standing> {
    Ok(Record::read(tx, who, now)?.standing(now))
}

/// The rows in which an attempt was counted.
#[derive(Debug, Clone)]
pub struct Counted {
    keys: Vec<String>,
    all: Option<String>,
}

/// Writes down that `who` tries, and forgets some of what is too old.
///
/// # Errors
/// [`Error::AccountLocked`] when they have to wait first. Such an attempt does not count.
pub fn attempt(tx: &mut Tx<'_>, who: &Throttled, now: DateTime) -> Result<Counted> {
    let old = now.millis() - REMEMBERED;
    // Of two at once, one waits here for the other.
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO sign_in_attempts (who, count, last) VALUES ($1, 0, $2)
         ON CONFLICT (who) DO UPDATE SET count = sign_in_attempts.count",
        &[&who.lock(), &old],
    )?;
    let record = Record::read(tx, who, now)?;
    let standing = record.standing(now);
    if let Some(retry_after) = standing.barred() {
        return Err(Error::AccountLocked { retry_after });
    }
    forget(tx, who, now)?;
    put(tx, &who.own, record.own.count + 1, now.millis())?;
    let mut counted = Counted { keys: vec![who.own.clone()], all: None };
    // What somebody tries because their network is known is no news to strangers: they would see it by
    // how long they have to wait.
    if let Some(account) = &who.account
        && standing.strange == 0
    {
        if let Some((which, row)) = record.siege
            && let Some(key) = account.around.get(which)
        {
            put(tx, key, row.count + 1, now.millis())?;
            counted.keys.push(key.clone());
        }
        put(tx, &account.all, 0, record.forgiven + FORGIVEN)?;
        counted.all = Some(account.all.clone());
    }
    Ok(counted)
}

fn put(tx: &mut Tx<'_>, who: &str, count: i64, last: i64) -> Result<()> {
    tx.change(
        ChangeScope::Nothing,
        "INSERT INTO sign_in_attempts (who, count, last) VALUES ($1, $2, $3)
         ON CONFLICT (who) DO UPDATE SET count = excluded.count, last = excluded.last",
        &[&who, &count, &last],
    )?;
    Ok(())
}

/// Deletes some of the rows that are too old, and now and then of those that are too many.
fn forget(tx: &mut Tx<'_>, who: &Throttled, now: DateTime) -> Result<()> {
    let (mut old, mut most) = (now.millis() - REMEMBERED, 16_i64);
    if now.millis() % 64 == 0 {
        let last = "SELECT last FROM sign_in_attempts ORDER BY last DESC LIMIT 1 OFFSET $1";
        if let Some(last) = tx.first::<i64>(last, &[&MOST_ROWS])? {
            (old, most) = (old.max(last), 512);
        }
    }
    tx.change(
        ChangeScope::Nothing,
        "DELETE FROM sign_in_attempts WHERE who IN
            (SELECT who FROM sign_in_attempts WHERE last <= $1 AND who <> $2
             ORDER BY last LIMIT $3 FOR UPDATE SKIP LOCKED)",
        &[&old, &who.lock(), &most],
    )?;
    Ok(())
}

/// Takes back an attempt that was counted, of somebody whose password nobody has looked at after all.
///
/// # Errors
/// When the store fails.
pub fn take_back(tx: &mut Tx<'_>, counted: &Counted) -> Result<()> {
    if let Some(all) = &counted.all {
        let sql = "UPDATE sign_in_attempts SET last = last - $2 WHERE who = $1";
        tx.change(ChangeScope::Nothing, sql, &[all, &FORGIVEN])?;
    }
    let sql = "UPDATE sign_in_attempts SET count = count - 1 WHERE who = $1 AND count > 0";
    for key in &counted.keys {
        tx.change(ChangeScope::Nothing, sql, &[key])?;
    }
    Ok(())
}

/// Forgets the failures of `who`, whose attempt has succeeded. Their network is known from then on.
///
/// # Errors
/// When the store fails.
pub fn succeeded(tx: &mut Tx<'_>, who: &Throttled, counted: &Counted, now: DateTime) -> Result<()> {
    take_back(tx, counted)?;
    clear(tx, who)?;
    match &who.account {
        Some(account) => put(tx, &account.known, 0, now.millis() + KNOWN - REMEMBERED),
        None => Ok(()),
    }
}

/// Forgets the failures of `who`.
///
/// # Errors
/// When the store fails.
pub fn clear(tx: &mut Tx<'_>, who: &Throttled) -> Result<()> {
    let sql = "DELETE FROM sign_in_attempts WHERE who = $1";
    tx.change(ChangeScope::Nothing, sql, &[&who.own])?;
    Ok(())
}

#[cfg(test)]
#[path = "sign_ins_tests.rs"]
mod tests;
