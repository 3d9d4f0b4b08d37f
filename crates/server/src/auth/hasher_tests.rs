use super::*;
use crate::auth::password_hash::{CHEAP_MARK, LANES, MEMORY, PASSES, PREFIX};
use std::sync::mpsc;

/// Made by libargon2, through argon2-cffi for Python.
const KNOWN: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$\
                     nN42oL6v7T8e+vnfx3jBIoSIC6EDTmnJoP+5aapuj5I";
const OLDER: &str = "$argon2id$v=19$m=4096,t=3,p=2$c2FsdHNhbHRzYWx0c2FsdA$\
                     N78cqwZniqNbIcmwvFrXN4d0w2N882wLMFuuwNunyEI";

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).unwrap()
}

fn typed(text: &str) -> TypedPassword {
    TypedPassword::new(text.to_owned()).unwrap()
}

fn stored(text: &str) -> PasswordHash {
    PasswordHash::from_stored(text.to_owned())
}

fn one_worker(queue_per_worker: usize, deadline: Duration) -> Hasher {
    Hasher::start(&HasherOptions { workers: 1, queue_per_worker, deadline }).unwrap()
}

fn holder(number: u8) -> Asker {
    Asker::Holder(guestlist_store::Flow::new(1, [number; 12]))
}

fn is_busy<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Busy { what: "Password hashing is busy", retry_after: 1 }))
}

/// Keeps the only worker occupied until the sender is dropped.
async fn occupy(hasher: &Hasher) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (start, started) = oneshot::channel();
    let hasher = hasher.clone();
    tokio::spawn(async move {
        let job = hasher.run(hasher.reserve(Asker::OWN).unwrap(), move |_| {
            let _ = start.send(());
            let _ = held.recv();
            Ok(())
        });
        drop(job.await);
    });
    started.await.unwrap();
    release
}

/// Whether it was made with the parameters of today.
fn is_of_today(hash: &PasswordHash) -> bool {
    hash.as_stored().starts_with(PREFIX)
}

#[tokio::test]
async fn a_place_that_is_not_free_is_asked_for_once_more() {
    let hasher = one_worker(2, Duration::from_mins(1));
    let held: Vec<Place> = std::iter::from_fn(|| hasher.reserve(holder(1)).ok()).collect();
    assert!(!held.is_empty() && is_busy(&hasher.place(holder(1)).await));
    // All of it runs on one thread: it has asked once, and not again, when they are given back.
    let waits = tokio::spawn({
        let hasher = hasher.clone();
        async move { hasher.place(holder(1)).await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert!(!waits.is_finished(), "it was refused at once");
    drop(held);
    waits.await.unwrap().unwrap();
}

#[tokio::test]
async fn verifies_what_others_made() {
    let hasher = one_worker(8, Duration::from_mins(1));
    let right = || typed("correct horse battery staple ü");
    assert!(hasher.verify(Asker::OWN, right(), Some(stored(KNOWN))).await.unwrap());
    assert!(!hasher.verify(Asker::OWN, typed("correct horse"), Some(stored(KNOWN))).await.unwrap());
    assert!(!hasher.verify(Asker::OWN, right(), Some(stored(OLDER))).await.unwrap());
    assert!(
        hasher.verify(Asker::OWN, typed("older parameters"), Some(stored(OLDER))).await.unwrap()
    );
    assert!(is_of_today(&stored(KNOWN)));
    assert!(!is_of_today(&stored(OLDER)));
}

#[tokio::test]
async fn a_panic_ends_its_job_and_no_thread() {
    let hasher = one_worker(8, Duration::from_mins(1));
    for _ in 0..3 {
        let broken: Result<()> =
            hasher.run(hasher.reserve(Asker::OWN).unwrap(), |_| panic!("asked for")).await;
        assert!(matches!(broken, Err(Error::Internal(_))), "{broken:?}");
        let hash = tokio::time::timeout(
            Duration::from_mins(1),
            hasher.hash(Asker::OWN, password("a good password")),
        );
        let hash = hash.await.expect("the thread goes on").unwrap();
        assert!(hasher.verify(Asker::OWN, typed("a good password"), Some(hash)).await.unwrap());
        hasher.intact().unwrap();
    }
}

#[tokio::test]
async fn a_thread_that_has_ended_is_noticed() {
    let hasher = one_worker(8, Duration::from_mins(1));
    let ended = thread::spawn(|| ());
    while !ended.is_finished() {
        thread::yield_now();
    }
    let hasher = Hasher { threads: Arc::new([ended]), ..hasher };
    assert!(matches!(hasher.intact(), Err(Error::Internal(_))));
}

#[tokio::test]
async fn verifies_what_it_made() {
    let hasher = one_worker(8, Duration::from_mins(1));
    let hash = hasher.hash(Asker::OWN, password("a good password")).await.unwrap();
    let again = hasher.hash(Asker::OWN, password("a good password")).await.unwrap();
    assert_ne!(hash.as_stored(), again.as_stored());
    assert!(is_of_today(&hash));
    assert_eq!(format!("{hash:?}"), "PasswordHash");
    assert!(hasher.verify(Asker::OWN, typed("a good password"), Some(hash.clone())).await.unwrap());
    assert!(!hasher.verify(Asker::OWN, typed("a good Password"), Some(hash)).await.unwrap());
}

const COMPOSED: &str = "p\u{e4}ssword";
const DECOMPOSED: &str = "pa\u{308}ssword";

#[tokio::test]
async fn a_password_is_one_in_whatever_form_it_is_typed() {
    let hasher = one_worker(8, Duration::from_mins(1));
    for set in [COMPOSED, DECOMPOSED] {
        let hash = hasher.hash(Asker::OWN, password(set)).await.unwrap();
        for given in [COMPOSED, DECOMPOSED] {
            assert!(
                hasher.verify(Asker::OWN, typed(given), Some(hash.clone())).await.unwrap(),
                "{set} {given}"
            );
        }
        assert!(!hasher.verify(Asker::OWN, typed("password"), Some(hash)).await.unwrap());
    }
}

#[tokio::test]
async fn a_hash_of_what_was_typed_is_good_as_well() {
    let hasher = one_worker(8, Duration::from_mins(1));
    // As it was made before passwords had a normal form, or elsewhere.
    let made = hasher.run(hasher.reserve(Asker::OWN).unwrap(), |bench| {
        let (salt, parameters) = ([7; SALT], bench.costs.parameters()?);
        let tag = bench.tag(DECOMPOSED.as_bytes(), &salt, TAG, parameters)?;
        Ok(PasswordHash::encode(bench.costs, &salt, &tag))
    });
    let old = made.await.unwrap();
    assert!(hasher.verify(Asker::OWN, typed(DECOMPOSED), Some(old.clone())).await.unwrap());
    // Nobody can know what the other form of it was.
    assert!(!hasher.verify(Asker::OWN, typed(COMPOSED), Some(old)).await.unwrap());
}

#[tokio::test]
async fn only_a_failure_with_a_second_form_takes_two_hashes() {
    let hasher = one_worker(8, Duration::from_mins(1));
    let right = hasher.hash(Asker::OWN, password(DECOMPOSED)).await.unwrap();
    let other = hasher.hash(Asker::OWN, password("something else")).await.unwrap();
    for (given, stored, good, hashes) in [
        (COMPOSED, Some(&right), true, 1),
        (DECOMPOSED, Some(&right), true, 1),
        (COMPOSED, Some(&other), false, 1),
        (DECOMPOSED, Some(&other), false, 2),
        // Who is not known takes as long as who is.
        (COMPOSED, None, false, 1),
        (DECOMPOSED, None, false, 2),
    ] {
        let before = hasher.hashed();
        let same = hasher.verify(Asker::OWN, typed(given), stored.cloned()).await.unwrap();
        assert_eq!((same, hasher.hashed() - before), (good, hashes), "{given} {stored:?}");
    }
}

#[test]
fn the_prefix_says_the_parameters() {
    assert_eq!(PREFIX, format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$"));
}

#[tokio::test]
async fn with_nothing_stored_it_works_as_hard() {
    let hasher = one_worker(8, Duration::from_mins(1));
    assert!(!hasher.verify(Asker::OWN, typed("whatever it is"), None).await.unwrap());
    assert_eq!(hasher.hashed(), 1);
    assert!(is_of_today(&hasher.decoy));
}

#[tokio::test]
async fn refuses_what_is_no_hash_or_too_dear() {
    let hasher = one_worker(8, Duration::from_mins(1));
    for (good, bad, why) in [
        (OLDER, "", "is not sound"),
        (OLDER, "a good password", "is not sound"),
        ("argon2id", "argon2i", "is not sound"),
        ("v=19", "v=16", "is not sound"),
        (",p=2", "", "is not sound"),
        (",p=2", ",p=2,x=1", "is not sound"),
        (",p=2", ",p=0", "is not sound"),
        ("c2FsdHNhbHRzYWx0c2FsdA", "c2Fs", "too short"),
        ("c2FsdHNhbHRzYWx0c2FsdA", "c2FsdHNhbHRzYWx0c2FsdA==", "is not sound"),
        ("wNunyEI", "wNunyEI$", "is not sound"),
        ("N78cqwZniqNbIcmwvFrXN4d0w2N882wLMFuuwNunyEI", "N78cqwZniqNb", "is not sound"),
        ("m=4096", "m=19457", "takes more"),
        ("m=4096", "m=4294967295", "takes more"),
        ("t=3", "t=17", "takes more"),
    ] {
        let text = OLDER.replace(good, bad);
        match hasher.verify(Asker::OWN, typed("older parameters"), Some(stored(&text))).await {
            Err(Error::Internal(cause)) => {
                let said = cause.to_string();
                assert!(said.contains(why), "{text}: {said}");
                assert!(!said.contains("c2Fs"), "{said}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(hasher.hashed(), 0);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_while_others_go_on() {
    let hasher = one_worker(1, Duration::from_mins(1));
    let release = occupy(&hasher).await;
    let waiting = tokio::spawn({
        let hasher = hasher.clone();
        async move { hasher.hash(holder(1), password("the one that waits")).await }
    });
    while hasher.places.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(is_busy(&hasher.hash(holder(1), password("one too many")).await));
    assert!(is_busy(&hasher.verify(holder(1), typed("one too many"), None).await));
    assert_eq!((hasher.hashed(), waiting.is_finished()), (0, false));
    drop(release);
    assert!(waiting.await.unwrap().is_ok());
    assert_eq!(hasher.hashed(), 1);
}

#[tokio::test]
async fn what_waited_too_long_is_refused_unhashed() {
    let hasher = one_worker(8, Duration::ZERO);
    assert!(is_busy(&hasher.hash(Asker::OWN, password("no time for that")).await));
    assert_eq!(hasher.hashed(), 0);
}

#[tokio::test]
async fn what_nobody_waits_for_is_skipped() {
    let hasher = one_worker(8, Duration::from_mins(1));
    let release = occupy(&hasher).await;
    let gone = tokio::spawn({
        let hasher = hasher.clone();
        async move { hasher.hash(Asker::OWN, password("nobody waits for me")).await }
    });
    while hasher.places.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(release);
    hasher.hash(Asker::OWN, password("the next in the queue")).await.unwrap();
    assert_eq!(hasher.hashed(), 1);
}

#[test]
fn each_worker_takes_its_memory_once() {
    let mut bench = Bench::new(USUAL, Counter::default());
    assert_eq!(bench.blocks.capacity(), 0);
    let known = stored(KNOWN);
    let older = stored(OLDER);
    bench.verify(b"one", &known).unwrap();
    let taken = (bench.blocks.as_ptr(), bench.blocks.capacity());
    assert_eq!(taken.1 * Block::SIZE, 19 << 20);
    for hash in [&older, &known] {
        assert!(!bench.verify(b"another", hash).unwrap());
        assert_eq!((bench.blocks.as_ptr(), bench.blocks.capacity()), taken);
    }
    // What the last hash left behind does not show in the next.
    assert!(bench.verify(b"older parameters", &older).unwrap());
}

#[test]
fn leaves_a_core_to_the_rest() {
    let options = HasherOptions::default();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    assert!(options.workers == cores - 1 || (cores, options.workers) == (1, 1));
}

fn ephemeral() -> (crate::store::Store, Ephemeral) {
    crate::store::Store::ephemeral(&crate::store::Options::default()).unwrap()
}

#[tokio::test]
async fn a_cheap_hash_is_none_to_any_other_hasher() {
    let (_store, proof) = ephemeral();
    let cheap = Hasher::cheap(&HasherOptions::default(), &proof).unwrap();
    let usual = one_worker(8, Duration::from_mins(1));
    assert!(cheap.is_cheap() && !usual.is_cheap());
    let hash = cheap.hash(Asker::OWN, password("a good password")).await.unwrap();
    assert!(hash.as_stored().starts_with(CHEAP_PREFIX));
    assert!(cheap.verify(Asker::OWN, typed("a good password"), Some(hash.clone())).await.unwrap());
    assert!(!cheap.verify(Asker::OWN, typed("a bad password"), Some(hash.clone())).await.unwrap());
    assert!(!cheap.verify(Asker::OWN, typed("a good password"), None).await.unwrap());
    let refused = usual.verify(Asker::OWN, typed("a good password"), Some(hash)).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    assert_eq!(usual.hashed(), 0);
    let refused = cheap.verify(Asker::OWN, typed("older parameters"), Some(stored(OLDER))).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
}

#[test]
fn the_cheap_prefix_says_the_parameters() {
    let Costs { memory, passes, prefix } = CHEAP;
    assert_eq!(prefix, format!("{CHEAP_MARK}$argon2id$v=19$m={memory},t={passes},p={LANES}$"));
}

#[tokio::test]
async fn no_service_over_a_store_that_is_kept_hashes_cheaply() {
    use crate::http::limits::Limits;
    use crate::rest::{AppParts, Service};
    let (_other, proof) = ephemeral();
    let directory = tempfile::tempdir().unwrap();
    let options = crate::store::Options::default();
    let store = crate::store::Store::open(&directory.path().join("a.db"), &options).unwrap();
    let parts = AppParts {
        store,
        hasher: Hasher::cheap(&HasherOptions::default(), &proof).unwrap(),
        clock: crate::clock::Clock::System,
        issuer: String::new(),
        public_url: String::new(),
        public_url_is_for_people: false,
        breached: None,
        mail: crate::mail::Mail::new(None, "").unwrap(),
        max_session: None,
        meter: None,
    };
    let started = Service::new(parts, Limits::default()).await;
    let Err(Error::Internal(why)) = started else { panic!("it starts") };
    assert_eq!(why.to_string(), "a store that is kept needs hashes that cost something");
}

#[tokio::test]
async fn a_hash_is_weak_that_was_made_with_less() {
    let hasher = Hasher::start(&HasherOptions::default()).unwrap();
    let strong = hasher.hash(Asker::OWN, password("correct horse")).await.unwrap();
    assert!(!hasher.is_weak(&strong) && !hasher.is_weak(&stored(KNOWN)));
    assert!(hasher.is_weak(&stored(OLDER)));
    let salt = "c2FsdHNhbHRzYWx0c2FsdA";
    let tag = "dGFndGFndGFndGFndGFndGFndGFndGFndGFndGFndGE";
    let of = |costs: &str, salt: &str, tag: &str| {
        hasher.is_weak(&PasswordHash::from_stored(format!("$argon2id$v=19${costs}${salt}${tag}")))
    };
    for (costs, is_weak) in [
        ("m=19456,t=2,p=1", false),
        ("m=19456,t=4,p=1", false),
        ("m=19456,t=1,p=1", true),
        ("m=12288,t=3,p=1", true),
    ] {
        assert_eq!(of(costs, salt, tag), is_weak, "{costs}");
    }
    assert!(of("m=19456,t=2,p=1", "c2FsdHNhbHQ", tag));
    assert!(of("m=19456,t=2,p=1", salt, "dGFndGFndGFndGFndGFndA"));
}

/// Linux keeps the niceness of each thread: it is the nineteenth field of its state.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn its_threads_give_way() {
    let hasher = one_worker(1, Duration::from_mins(1));
    hasher.hash(Asker::OWN, password("Correct-h0rse")).await.unwrap();
    let mut nice = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = thread.unwrap().path();
        // Threads of other tests may end meanwhile.
        let Ok(name) = std::fs::read_to_string(path.join("comm")) else { continue };
        let Ok(state) = std::fs::read_to_string(path.join("stat")) else { continue };
        if name.starts_with("hash-") {
            let fields = state.rsplit(')').next().unwrap();
            nice.push(fields.split_whitespace().nth(16).unwrap().to_owned());
        }
    }
    assert!(nice.iter().any(|nice| nice == "10"), "{nice:?}");
}
