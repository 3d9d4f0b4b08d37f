use super::*;
use crate::store::{Options, Store};

const START: i64 = 1_000_000_000_001;

/// A store, and those who fail to sign in to it.
struct Door(
    Store,
    #[expect(dead_code, reason = "it is there as long as the store")] tempfile::TempDir,
);

impl Door {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self(Store::open(&directory.path().join("s.db"), &Options::default()).unwrap(), directory)
    }

    async fn try_as(&self, email: &str, peer: &str, moment: i64) -> Result<Counted> {
        let who = Throttled::stranger(email, peer.parse().unwrap());
        self.0.write(move |tx| attempt(tx, &who, DateTime::from_millis(moment))).await
    }

    async fn sign_in(&self, email: &str, peer: &str, moment: i64) {
        let counted = self.try_as(email, peer, moment).await.unwrap();
        let who = Throttled::stranger(email, peer.parse().unwrap());
        let now = DateTime::from_millis(moment);
        self.0.write(move |tx| succeeded(tx, &who, &counted, now)).await.unwrap();
    }

    /// How often somebody may fail at once.
    async fn tries(&self, email: &str, peer: &str, moment: i64) -> i64 {
        let mut tries = 0;
        while self.try_as(email, peer, moment).await.is_ok() {
            tries += 1;
        }
        tries
    }

    async fn rows(&self) -> i64 {
        let count = "SELECT count(*) FROM sign_in_attempts";
        self.0.read(move |tx| tx.first(count, &[])).await.unwrap().unwrap()
    }
}

#[test]
fn the_wait_doubles_up_to_a_minute() {
    assert_eq!([19, 20, 21, 25, 26, 1000].map(|count| wait(count, FREE)), [0, 1, 2, 32, 60, 60]);
}

#[tokio::test]
async fn who_fails_often_has_to_wait_and_is_forgiven() {
    let (door, here) = (Door::new(), "10.1.2.3");
    assert_eq!(door.tries("a@B.c", here, START).await, FREE);
    let refused = door.try_as("A@b.c", here, START).await;
    assert!(matches!(refused, Err(Error::AccountLocked { retry_after: 2 })), "{refused:?}");
    // Neither another address nor the same one from elsewhere is barred.
    door.try_as("other@b.c", here, START).await.unwrap();
    door.try_as("a@b.c", "10.1.2.4", START).await.unwrap();
    door.try_as("a@b.c", here, START + 1000).await.unwrap();
    assert!(door.try_as("a@b.c", here, START + 2000).await.is_err());
    // Attempts that meet are written down in any order.
    door.try_as("b@b.c", here, START + 9).await.unwrap();
    door.try_as("b@b.c", here, START).await.unwrap();
    let own = |peer: &str| Throttled::stranger("a@b.c", peer.parse().unwrap()).own;
    assert_eq!(own("2001:db8:0:1::5"), own("2001:db8:0:1:9::"));
    door.sign_in("a@b.c", here, START + 3000).await;
    assert_eq!(door.tries("a@b.c", here, START + 3000).await, FREE);
}

#[tokio::test]
async fn an_account_that_many_guess_is_closed_to_networks_that_it_does_not_know() {
    let (door, hour, day) = (Door::new(), 3_600_000, 86_400_000);
    // Somebody signed in from here, and another half a year ago.
    door.sign_in("a@b.c", "192.0.2.1", START - 180 * day).await;
    door.sign_in("a@b.c", "10.1.2.3", START - 20 * day).await;
    for network in 0..100 {
        door.try_as("a@b.c", &format!("2001:db8:0:{network}::1"), START).await.unwrap();
    }
    // All of a provider's customer is one, and so is what is beside an address.
    assert_eq!(door.tries("a@b.c", "2001:db8:0:ffff::1", START).await, 3);
    assert_eq!(door.tries("a@b.c", "2001:db8:0:fffe::1", START).await, 0);
    assert_eq!(door.tries("a@b.c", "2001:db8:1::1", START).await, 3);
    assert_eq!(door.tries("a@b.c", "192.0.2.1", START).await, 3);
    assert_eq!(door.tries("a@b.c", "192.0.2.2", START).await, 0);
    // Who is known goes on, and others are not concerned.
    assert_eq!(door.tries("a@b.c", "10.1.2.3", START).await, FREE);
    assert_eq!(door.tries("b@b.c", "2001:db8:0:ffff::1", START).await, FREE);
    // It is over when there are fewer again.
    assert_eq!(door.tries("a@b.c", "198.51.100.1", START + hour).await, FREE);
    // Many more are counted in larger parts.
    for network in 0..1000 {
        let peer = format!("2001:db8:{network:x}::1");
        door.try_as("c@b.c", &peer, START).await.unwrap();
    }
    assert_eq!(door.tries("c@b.c", "2001:db8:ffff::1", START).await, 1);
    assert_eq!(door.tries("c@b.c", "2001:db8:fffe::1", START).await, 0);
    assert_eq!(door.tries("c@b.c", "198.51.100.1", START).await, 1);
    assert_eq!(door.tries("c@b.c", "198.51.7.1", START).await, 0);
}

#[tokio::test]
async fn what_nobody_has_looked_at_does_not_count() {
    let door = Door::new();
    for _ in 0..300 {
        let counted = door.try_as("a@b.c", "10.1.2.3", START).await.unwrap();
        door.0.write(move |tx| take_back(tx, &counted)).await.unwrap();
    }
    assert_eq!(door.tries("a@b.c", "10.1.2.3", START).await, FREE);
}

#[tokio::test]
async fn what_is_old_is_forgotten() {
    let door = Door::new();
    for minute in 0..200 {
        let moment = START + minute * 60_000;
        door.try_as(&format!("{minute}@b.c"), "10.1.2.3", moment).await.unwrap();
    }
    // A network for each minute of the last hour, and an account, which forgets a little later.
    assert_eq!(door.rows().await, 60 + 61);
}

#[tokio::test]
async fn so_many_are_remembered_at_most() {
    let door = Door::new();
    door.sign_in("a@b.c", "10.1.2.3", START).await;
    let many = door.0.write(|tx| {
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
             INSERT INTO sign_in_attempts SELECT 'made up ' || n, 1, $2 + n FROM n";
        tx.run(sql, &[&(MOST_ROWS + 1000), &(START - 1000)])
    });
    many.await.unwrap();
    let even = START - START % 64 + 64;
    for turn in 0..4 {
        door.try_as("b@b.c", "10.1.2.3", even + 64 * turn).await.unwrap();
    }
    assert!(door.rows().await <= MOST_ROWS + 8, "{}", door.rows().await);
    let known = Throttled::stranger("a@b.c", "10.1.2.3".parse().unwrap());
    let now = DateTime::from_millis(START);
    let standing = door.0.read(move |tx| standing(tx, &known, now)).await.unwrap();
    assert!(standing.known);
}
