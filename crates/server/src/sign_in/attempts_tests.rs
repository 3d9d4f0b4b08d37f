use super::*;
use crate::rows::tenant::AuthorizedApp;
use crate::store::ephemeral::Database;
use crate::store::{Options, Store, StoreUrl};
use guestlist_api::id::{ApplicationId, ObjectId};
use std::any::Any;

const START: i64 = 1_782_000_000_001;
const ONE: ApplicationId = ApplicationId(ObjectId::from_bytes([1; 12]));
const OTHER: ApplicationId = ApplicationId(ObjectId::from_bytes([2; 12]));
const DEVICE: Option<&str> = Some("a device of a user");

/// A store with two applications, and those who fail to sign in to them.
struct Door {
    store: Store,
    #[expect(dead_code, reason = "it is there as long as the store")]
    home: Box<dyn Any>,
}

type From<'a> = (ApplicationId, &'a str, Option<&'a str>, Option<&'a str>);

fn claimant((application, email, address, device): From<'_>) -> (Tenant, Claimant) {
    let address = address.map(|address| address.parse().unwrap());
    let who = Claimant::new(application, email, (address, device));
    (AuthorizedApp::allowed(application).assume_exists(), who)
}

impl Door {
    /// One on each engine.
    async fn both() -> [Self; 2] {
        let directory = tempfile::tempdir().unwrap();
        let cluster = std::env::var("GUESTLIST_TEST_POSTGRES").expect(
            "GUESTLIST_TEST_POSTGRES names no cluster: run `cargo xtask postgres -- <command>`",
        );
        let database = Database::new(&cluster).unwrap();
        let (file, place) = (StoreUrl::Sqlite(directory.path().join("s.db")), database.place());
        [Self::at(&file, Box::new(directory)).await, Self::at(&place, Box::new(database)).await]
    }

    async fn at(place: &StoreUrl, home: Box<dyn Any>) -> Self {
        let options = Options { readers: 1, writers: 1, ..Options::default() };
        let store = Store::open_at(place, &options).unwrap();
        let add = |tx: &mut Tx<'_>| {
            [ONE, OTHER].iter().try_for_each(|application| {
                let sql = "INSERT INTO applications (id, name, name_key, created, updated, kept)
                           VALUES ($1, '', '', 0, 0, '{}')";
                tx.run(sql, &[&application.to_string()]).map(drop)
            })
        };
        store.write(add).await.unwrap();
        Self { store, home }
    }

    async fn try_as(&self, from: From<'_>, moment: i64) -> Result<Counted> {
        let (tenant, who) = claimant(from);
        let now = DateTime::from_millis(moment);
        self.store.write(move |tx| attempt(tx, tenant, &who, now)).await
    }

    /// How long somebody has to wait, in seconds.
    async fn wait(&self, from: From<'_>, moment: i64) -> u32 {
        let (tenant, who) = claimant(from);
        let now = DateTime::from_millis(moment);
        let standing = self.store.read(move |tx| standing(tx, tenant, &who, now)).await.unwrap();
        standing.barred().unwrap_or_default()
    }

    /// What somebody is answered whose password is wrong: how long they have to wait, if they have.
    async fn guess(&self, from: From<'_>, moment: i64) -> Option<u32> {
        match self.try_as(from, moment).await {
            Ok(counted) => counted.told(),
            Err(Error::AccountLocked { retry_after }) => Some(retry_after),
            Err(error) => panic!("{error}"),
        }
    }

    async fn take_back(&self, from: From<'_>, counted: Counted) {
        let (tenant, who) = claimant(from);
        self.store.write(move |tx| take_back(tx, tenant, &who, &counted)).await.unwrap();
    }

    async fn knows(&self, from: From<'_>, moment: i64) -> bool {
        let (tenant, who) = claimant(from);
        let now = DateTime::from_millis(moment);
        let found = self.store.read(move |tx| standing(tx, tenant, &who, now)).await.unwrap();
        found.known.is_some()
    }

    async fn sign_in(&self, from: From<'_>, moment: i64) {
        let counted = self.try_as(from, moment).await.unwrap();
        let (tenant, who) = claimant(from);
        let now = DateTime::from_millis(moment);
        let done = move |tx: &mut Tx<'_>| succeeded(tx, tenant, &who, (&counted, now));
        self.store.write(done).await.unwrap();
    }

    /// How many rows of failures, or of those who are known, an application has.
    async fn rows(&self, application: ApplicationId, known: i64) -> i64 {
        let count = "SELECT count(*) FROM user_sign_in_attempts
                     WHERE application_id = $1 AND known = $2";
        let application = application.to_string();
        let counted = self.store.read(move |tx| tx.first(count, &[&application, &known])).await;
        counted.unwrap().unwrap()
    }
}

fn network(number: i64) -> String {
    format!("2001:db8:{:x}:{:x}::1", number / 65_536, number % 65_536)
}

#[tokio::test]
async fn an_account_is_tried_a_hundred_times_by_those_it_does_not_know() {
    for door in Door::both().await {
        let owner = (ONE, "a@b.c", Some("192.0.2.1"), DEVICE);
        let at_home = (ONE, "a@b.c", Some("192.0.2.2"), None);
        door.sign_in(owner, START).await;
        door.sign_in(at_home, START).await;
        // For an hour, each four seconds, from many networks.
        let mut tries = 0;
        for second in (0..3600).step_by(4) {
            let (moment, address) = (START + second * 1000, network(second % 1000));
            let guess = (ONE, "A@b.c", Some(address.as_str()), None);
            tries += i64::from(door.try_as(guess, moment).await.is_ok());
            if second % 600 == 0 {
                assert_eq!(door.wait(owner, moment).await, 0);
                // Wherever it is.
                let elsewhere = (ONE, "a@b.c", Some("198.51.100.1"), DEVICE);
                assert_eq!(door.wait(elsewhere, moment).await, 0);
                assert_eq!(door.wait(at_home, moment).await, 0);
            }
        }
        assert_eq!(tries, 100 + 3);
        let over = START + 3_600_000;
        let new = (ONE, "a@b.c", Some("198.51.100.1"), Some("another device of theirs"));
        let wait = door.wait(new, over).await;
        assert!((1..=900).contains(&wait), "{wait}");
        // In a known network it is a stranger too, and another application is not concerned.
        let of_home = (ONE, "a@b.c", Some("192.0.2.2"), Some("another device of theirs"));
        assert_eq!(door.wait(of_home, over).await, wait);
        assert_eq!(door.wait((OTHER, "a@b.c", Some("198.51.100.1"), None), over).await, 0);
        assert_eq!(door.wait((ONE, "b@b.c", Some("198.51.100.1"), None), over).await, 0);
        let then = over + i64::from(wait) * 1000;
        assert_eq!(door.wait(new, then - 1000).await, 1);
        door.sign_in(new, then).await;
        // That was no failure, so there are none in a row.
        assert_eq!(door.wait((ONE, "a@b.c", Some("203.0.113.1"), None), then).await, 0);
    }
}

#[tokio::test]
async fn who_is_known_ends_no_row_of_failures_of_others() {
    for door in Door::both().await {
        let owner = (ONE, "a@b.c", Some("192.0.2.1"), DEVICE);
        door.sign_in(owner, START).await;
        for number in 0..100 {
            door.try_as((ONE, "a@b.c", Some(&network(number)), None), START).await.unwrap();
        }
        door.sign_in(owner, START).await;
        let stranger = (ONE, "a@b.c", Some("198.51.100.1"), None);
        assert_eq!(door.wait(stranger, START).await, 900);
        // Nor do their own failures count for others.
        for _ in 0..20 {
            door.try_as(owner, START).await.unwrap();
        }
        assert_ne!(door.wait(owner, START).await, 0);
        assert_eq!(door.wait((ONE, "a@b.c", Some("192.0.2.1"), None), START).await, 900);
    }
}

#[tokio::test]
async fn a_network_does_not_try_all_accounts() {
    for door in Door::both().await {
        let here = Some("192.0.2.1");
        door.sign_in((ONE, "known@b.c", here, None), START).await;
        for number in 0..300 {
            let email = format!("{number}@b.c");
            door.try_as((ONE, &email, here, None), START).await.unwrap();
        }
        assert_eq!(door.wait((ONE, "new@b.c", here, None), START).await, 12);
        assert_eq!(door.wait((ONE, "known@b.c", here, None), START).await, 0);
        assert_eq!(door.wait((OTHER, "new@b.c", here, None), START).await, 0);
        assert_eq!(door.wait((ONE, "new@b.c", Some("192.0.2.2"), None), START).await, 0);
        // One in twelve seconds, and all after an hour.
        door.try_as((ONE, "new@b.c", here, None), START + 12_000).await.unwrap();
        assert_eq!(door.wait((ONE, "new@b.c", here, None), START + 12_000).await, 12);
        for number in 0..299 {
            let email = format!("{number}@c.d");
            door.try_as((ONE, &email, here, None), START + 3_612_000).await.unwrap();
        }
        // A success is none.
        for _ in 0..5 {
            door.sign_in((ONE, "good@b.c", here, None), START + 3_612_000).await;
        }
        assert_eq!(door.wait((ONE, "new@b.c", here, None), START + 3_612_000).await, 0);
    }
}

#[tokio::test]
async fn what_nobody_has_looked_at_does_not_count() {
    for door in Door::both().await {
        let here = (ONE, "a@b.c", Some("192.0.2.1"), None);
        for _ in 0..400 {
            let counted = door.try_as(here, START).await.unwrap();
            door.take_back(here, counted).await;
        }
        assert_eq!(door.wait(here, START).await, 0);
        // Where nobody knows where they are, all are one.
        let nowhere = (ONE, "a@b.c", None, None);
        for _ in 0..20 {
            door.try_as(nowhere, START).await.unwrap();
        }
        assert_eq!(door.wait(nowhere, START).await, 2);
        assert_eq!(door.wait(here, START).await, 0);
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_what_is_too_much_goes_first() {
    for door in Door::both().await {
        let fill = |tx: &mut Tx<'_>| {
            let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < CAST($4 AS BIGINT))
                   INSERT INTO user_sign_in_attempts
                       (application_id, who, known, count, last, until)
                   SELECT CAST($1 AS TEXT), 'made up ' || n || ' ' || CAST($2 AS BIGINT), 0,
                       CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($3 AS BIGINT) + 1000 + n FROM n";
            for (application, count, most) in
                [(ONE, 1_i64, 20_600_i64), (ONE, 2, 10), (OTHER, 1, 10)]
            {
                tx.run(sql, &[&application.to_string(), &count, &START, &most])?;
            }
            Ok(())
        };
        door.store.write(fill).await.unwrap();
        door.sign_in((ONE, "a@b.c", Some("192.0.2.1"), DEVICE), START).await;
        let here = (ONE, "a@b.c", Some("192.0.2.1"), None);
        // Now and then, and each time so many.
        let moment = (START / 64 + 1) * 64;
        for count in 0..2 {
            door.try_as(here, moment + count * 64).await.unwrap();
        }
        let rows = door.rows(ONE, 0).await;
        assert!((20_000..20_010).contains(&rows), "{rows}");
        let twice =
            "SELECT count(*) FROM user_sign_in_attempts WHERE count = 2 AND who LIKE 'made%'";
        let twice: Option<i64> = door.store.read(move |tx| tx.first(twice, &[])).await.unwrap();
        assert_eq!((twice, door.rows(ONE, 1).await, door.rows(OTHER, 0).await), (Some(10), 1, 10));
        // A little with each attempt, of all applications.
        for count in 0..4 {
            door.try_as((ONE, "b@b.c", None, None), START + 100_000 + count).await.unwrap();
        }
        let left = door.rows(ONE, 0).await + door.rows(OTHER, 0).await;
        assert!((rows + 10 - 64..rows + 10 - 50).contains(&left), "{left} of {rows}");
        // Who is known, for long.
        let day = 24 * 3_600_000;
        for (device, days) in [(None, 30), (DEVICE, 365)] {
            let from = (OTHER, "a@b.c", Some("192.0.2.1"), device);
            door.sign_in(from, START).await;
            for (moment, known) in [(START + days * day - 1, true), (START + days * day, false)] {
                assert_eq!(door.knows(from, moment).await, known);
            }
        }
    }
}

#[tokio::test]
async fn a_known_network_looks_like_any_other_to_whoever_counts() {
    for door in Door::both().await {
        let here = Some("192.0.2.1");
        for email in ["a@b.c", "c@b.c"] {
            door.sign_in((ONE, email, here, None), START).await;
        }
        let mut seen = Vec::new();
        for application in [ONE, OTHER] {
            let guess = (application, "a@b.c", here, None);
            for _ in 0..20 {
                assert_eq!(door.guess(guess, START).await, None);
            }
            // How many others try until they have to wait.
            let mut others = 0;
            while door
                .guess((application, "a@b.c", Some(&network(others)), None), START)
                .await
                .is_none()
            {
                others += 1;
            }
            let mut told = Vec::new();
            for second in 0..25 {
                told.push(door.guess(guess, START + second * 1000).await);
            }
            // When anybody may try again.
            told.push(door.guess(guess, START + 900_000).await);
            told.push(door.guess(guess, START + 900_000).await);
            // And how many accounts they try from there.
            let then = START + 7_200_000;
            for _ in 0..20 {
                let guess = (application, "c@b.c", here, None);
                assert_eq!(door.guess(guess, then).await, None);
            }
            let mut accounts = 0;
            loop {
                let email = format!("{accounts}@b.c");
                if door.guess((application, email.as_str(), here, None), then).await.is_some() {
                    break;
                }
                accounts += 1;
            }
            seen.push((others, told, accounts));
        }
        assert_eq!((seen[0].0, seen[0].2), (80, 280));
        assert_eq!(seen[0].1[..3], [Some(900), Some(899), Some(898)]);
        assert_eq!(seen[0], seen[1]);
    }
}

#[tokio::test]
async fn what_is_taken_back_leaves_the_try_to_the_next() {
    for door in Door::both().await {
        for number in 0..100 {
            door.try_as((ONE, "a@b.c", Some(&network(number)), None), START).await.unwrap();
        }
        let then = START + 900_000;
        let (here, next) =
            ((ONE, "a@b.c", Some("192.0.2.1"), None), (ONE, "a@b.c", Some("192.0.2.2"), None));
        let counted = door.try_as(here, then).await.unwrap();
        assert_eq!(door.wait(next, then).await, 900);
        door.take_back(here, counted).await;
        assert_eq!(door.wait(next, then).await, 0);
        let nowhere = (ONE, "b@b.c", None, None);
        for _ in 0..20 {
            door.try_as(nowhere, START).await.unwrap();
        }
        let counted = door.try_as(nowhere, START + 2000).await.unwrap();
        assert_ne!(door.wait(nowhere, START + 2000).await, 0);
        door.take_back(nowhere, counted).await;
        assert_eq!(door.wait(nowhere, START + 2000).await, 0);
        // Where somebody else has tried meanwhile, their try is the last.
        let [one, two] = [then, then + 1].map(|moment| (next, moment));
        let counted = door.try_as(one.0, one.1).await.unwrap();
        door.take_back(one.0, counted).await;
        door.try_as(two.0, two.1).await.unwrap();
        assert_ne!(door.wait(here, two.1).await, 0);
    }
}
