//! Hashes that were made with less than one is made with now.

use super::{ADA, Backend, WRONG, credentials};
use crate::world::{PASSWORD, World};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use guestlist::auth::hasher::PasswordHash;
use guestlist::auth::places::Asker;
use guestlist::sign_in::rows;
use guestlist_api::secret::TypedPassword;
use std::thread;
use std::time::{Duration, Instant};

const STRONG: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// A hash of `password` that came from elsewhere.
fn weak(password: &str) -> PasswordHash {
    let (salt, mut tag) = ([7; 16], [0; 32]);
    let parameters = Params::new(1024, 1, 1, Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    argon2.hash_password_into(password.as_bytes(), &salt, &mut tag).unwrap();
    let (salt, tag) = (BASE64.encode(salt), BASE64.encode(tag));
    PasswordHash::from_stored(format!("$argon2id$v=19$m=1024,t=1,p=1${salt}${tag}"))
}

fn stored(backend: &Backend<'_>) -> PasswordHash {
    backend.world.write_in(backend.application, |tx, tenant| {
        Ok(rows::by_email(tx, tenant, ADA)?.unwrap().hash)
    })
}

fn put(backend: &Backend<'_>, new: &PasswordHash) {
    let (user, old, new) = (backend.ada.id, stored(backend), new.clone());
    backend.world.write_in(backend.application, move |tx, tenant| {
        rows::rehash(tx, tenant, user, (&old, &new))
    });
}

fn wait_until_strong(backend: &Backend<'_>) {
    for _ in 0..6000 {
        if stored(backend).as_stored().starts_with(STRONG) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the hash is as it was");
}

#[test]
fn a_sign_in_has_a_weak_hash_made_anew() {
    let world = World::new();
    let backend = Backend::new(&world);
    // One that was set elsewhere may be shorter than any that is set here.
    for password in [PASSWORD, "abc"] {
        put(&backend, &weak(password));
        backend.authenticate(&credentials(ADA, WRONG)).expect(401);
        assert_eq!(stored(&backend).as_stored(), weak(password).as_stored());
        let shown = backend.authenticate(&credentials(ADA, password)).expect(200).json();
        wait_until_strong(&backend);
        assert_eq!(backend.shown(), shown["experienceUser"], "nobody sees it");
        let strong = stored(&backend);
        backend.authenticate(&credentials(ADA, password)).expect(200);
        backend.authenticate(&credentials(ADA, WRONG)).expect(401);
        assert_eq!(stored(&backend).as_stored(), strong.as_stored());
    }
}

#[test]
fn a_weak_hash_is_not_told_from_none_with_a_watch() {
    let world = World::new();
    // One costs a fortieth of the other. Whatever else the machine does only makes it longer.
    let soonest = |stored: Option<PasswordHash>| {
        let look = || {
            let (began, stored) = (Instant::now(), stored.clone());
            let wrong = TypedPassword::new(WRONG.to_owned()).unwrap();
            let verified = world.app.hasher.verify(Asker::OWN, wrong, stored);
            assert!(!world.runtime.block_on(verified).unwrap());
            began.elapsed()
        };
        (0..12).map(|_| look()).min().unwrap()
    };
    let (weak, none) = (soonest(Some(weak(PASSWORD))), soonest(None));
    assert!(weak * 2 > none, "{weak:?} {none:?}");
}

#[test]
fn all_who_sign_in_at_once_get_in_while_it_is_made_anew() {
    let world = World::new();
    let backend = Backend::new(&world);
    put(&backend, &weak(PASSWORD));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| backend.authenticate(&credentials(ADA, PASSWORD)).expect(200));
        }
    });
    wait_until_strong(&backend);
}

#[test]
fn a_hash_of_another_password_stays() {
    let world = World::new();
    let backend = Backend::new(&world);
    let (user, now) = (backend.ada.id, stored(&backend));
    world.write_in(backend.application, move |tx, tenant| {
        rows::rehash(tx, tenant, user, (&weak(WRONG), &weak("another one")))
    });
    assert_eq!(stored(&backend).as_stored(), now.as_stored());
}
