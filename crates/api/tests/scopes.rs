//! The scopes that allow each operation, and what a token may grant, against the platform's own
//! lists in `scopes-by-action.json`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use guestlist_api::scope::{Operation, Scope, Scopes};
use proptest::prelude::*;
use std::collections::BTreeMap;

const OPERATIONS: &[Operation] = &[
    Operation::organization("administrator.delete").credential(),
    Operation::organization("administrator.get").read(),
    Operation::organization("administrator.patch").credential(),
    Operation::organization("administratorSession.delete").credential(),
    Operation::organization("administratorSessions.delete").credential(),
    Operation::organization("administratorSessions.get").read(),
    Operation::organization("administrators.get").read(),
    Operation::application("application.delete"),
    Operation::application("application.get").read().cli(),
    Operation::application("application.patch").cli(),
    Operation::application("applicationApiToken.delete").credential(),
    Operation::application("applicationApiToken.get").read(),
    Operation::application("applicationApiToken.patch").credential(),
    Operation::application("applicationApiTokens.get").read(),
    Operation::application("applicationApiTokens.post").credential(),
    Operation::organization("applicationQuotas.get").read(),
    Operation::organization("applicationQuotas.patch"),
    Operation::organization("applications.get").read().cli(),
    Operation::organization("applications.post"),
    Operation::application("experience.bootstrap").cli(),
    Operation::application("experience.delete"),
    Operation::application("experienceAddressChanges.post").credential(),
    Operation::application("experienceAuth.authenticate").credential(),
    Operation::application("experienceAuth.verifyGroup").read(),
    Operation::application("experienceAuth.verifyToken").read(),
    Operation::application("experienceGroup.delete"),
    Operation::application("experienceGroup.get").read(),
    Operation::application("experienceGroup.patch"),
    Operation::application("experienceGroups.get").read(),
    Operation::application("experienceGroups.post"),
    Operation::application("experienceInvitation.delete").credential(),
    Operation::application("experienceInvitations.get").read(),
    Operation::application("experienceInvitations.post").credential(),
    Operation::application("experienceKey.delete").credential(),
    Operation::application("experienceKeys.get").read(),
    Operation::application("experienceKeys.post").credential(),
    Operation::application("experienceLinks.post").credential(),
    Operation::application("experienceMails.get").read(),
    Operation::application("experiencePasswordResets.post").credential(),
    Operation::application("experienceSignIn.get").read(),
    Operation::application("experienceSignIn.patch").credential(),
    Operation::application("experienceUser.delete"),
    Operation::application("experienceUser.get").read(),
    Operation::application("experienceUser.patch"),
    Operation::application("experienceUserTokens.delete").credential(),
    Operation::application("experienceUserTokens.post").credential(),
    Operation::application("experienceUserTokens.postForEmailOrId").credential(),
    Operation::application("experienceUsers.get").read(),
    Operation::application("experienceUsers.post"),
    Operation::user("me.changePassword").credential(),
    Operation::user("me.get").read(),
    Operation::user("me.patch").credential(),
    Operation::user("me.refreshToken").credential(),
    Operation::user("userApiToken.delete").credential(),
    Operation::user("userApiToken.get").read(),
    Operation::user("userApiToken.patch").credential(),
    Operation::user("userApiTokens.get").read(),
    Operation::user("userApiTokens.post").credential(),
];

fn scopes(text: &str) -> Scopes {
    text.parse().unwrap()
}

fn may(held: &str, wanted: &str) -> bool {
    scopes(held).may_grant(wanted.parse().unwrap(), OPERATIONS)
}

#[test]
fn the_derivation_gives_the_lists_of_the_platform() {
    let golden: BTreeMap<String, String> =
        [include_str!("scopes-by-action.json"), include_str!("scopes-by-action-ours.json")]
            .iter()
            .flat_map(|text| serde_json::from_str::<BTreeMap<String, String>>(text).unwrap())
            .collect();
    assert!(golden.keys().eq(OPERATIONS.iter().map(Operation::name)));
    for operation in OPERATIONS {
        let mut allowed: Vec<_> = operation.allowed_by().map(Scope::as_str).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(" "), golden[operation.name()], "{operation:?}");
    }
}

#[test]
fn words_are_compared_whole() {
    let get = Operation::application("experienceUsers.get").read();
    assert_eq!((get.resource(), get.action()), ("experienceUsers", "get"));
    for (held, allowed) in [
        ("experienceUsers.get", true),
        ("experienceUsers.*", true),
        ("me.get all.User.read", true),
        ("experienceUser.*", false),
        ("experience.*", false),
        ("only.User only.Organization all.Application.cli", false),
        ("", false),
    ] {
        assert_eq!(get.allowed_to(&scopes(held)), allowed, "{held}");
    }
}

#[test]
fn a_public_operation_needs_no_scope() {
    let sign_in = Operation::public("auth.authenticateUser").read().cli();
    assert!(sign_in.is_public() && sign_in.allowed_to(&Scopes::default()));
    assert_eq!(sign_in.allowed_by().count(), 0);
}

/// In a constant it does not compile.
#[test]
#[should_panic(expected = "an operation is a word in scopes.txt or scopes-ours.txt")]
fn there_is_no_operation_without_a_word_for_it() {
    let _ = Operation::application("experienceUsers.polish");
}

#[test]
fn a_token_grants_what_it_may_do_itself() {
    for (held, wanted) in [
        ("experienceUser.*", "experienceUser.get"),
        ("all.Application", "all.Application.bounded"),
        ("all.Application", "applicationApiToken.*"),
        ("all.Application", "device.get"),
        ("all.Application", "application.*"),
        ("all.Application.bounded", "experienceUser.*"),
        ("all.Application.bounded", "all.Application.cli"),
        ("all.Application.read", "experienceUsers.get"),
        ("all.Organization", "org.*"),
        ("all.User.read", "all.Instance.read"),
        ("all.User", "all.Device"),
        ("all.User.cli", "all.Application.cli"),
        ("only.User", "me.patch"),
    ] {
        assert!(may(held, wanted), "{held} grants {wanted}");
    }
}

#[test]
fn a_token_grants_nothing_wider() {
    for (held, wanted) in [
        ("", "me.get"),
        ("experienceUser.get", "experienceUser.*"),
        ("experienceUser.get experienceUser.patch experienceUser.delete", "experienceUser.*"),
        ("experienceUser.*", "experienceUsers.get"),
        ("all.Application.read", "experienceUser.*"),
        ("all.Application.read", "device.get"),
        ("all.Application.bounded", "device.get"),
        ("all.Application.bounded", "all.Application"),
        ("all.Application.bounded", "applicationApiTokens.post"),
        ("all.Application.bounded", "applicationApiToken.*"),
        ("all.Application.cli", "all.Application.read"),
        ("all.Application", "applications.get"),
        ("all.Application", "org.get"),
        ("all.Application", "all.Organization.read"),
        ("all.Organization", "me.get"),
        ("all.Organization", "only.User.read"),
        ("only.User", "all.User.read"),
        ("only.User", "instances.get"),
        ("only.Organization", "org.get"),
        ("all.Instance", "me.get"),
    ] {
        assert!(!may(held, wanted), "{held} grants {wanted}");
    }
}

#[test]
fn no_bounded_token_grants_the_power_over_credentials() {
    let credentials = |wanted| {
        OPERATIONS.iter().any(|operation| {
            operation.is_allowed_by(wanted)
                && !operation.allowed_by().any(|scope| scope.as_str().ends_with(".bounded"))
        })
    };
    for held in Scope::all().filter(|scope| scope.as_str().ends_with(".bounded")) {
        let held = Scopes::from_iter([held]);
        for wanted in Scope::all().filter(|&wanted| credentials(wanted)) {
            assert!(!held.may_grant(wanted, OPERATIONS), "{held} grants {wanted}");
        }
    }
}

#[test]
fn each_word_alone_grants_itself_and_nothing_it_may_not_do() {
    for scope in Scope::all() {
        let held = Scopes::from_iter([scope]);
        assert!(held.may_grant(scope, OPERATIONS));
        assert!(held.may_grant(scope, &[]));
        for wanted in Scope::all().filter(|&wanted| held.may_grant(wanted, OPERATIONS)) {
            sound(&held, wanted);
        }
    }
}

#[test]
fn granting_is_transitive() {
    let grants: Vec<Vec<bool>> = Scope::all()
        .map(|held| {
            let held = Scopes::from_iter([held]);
            Scope::all().map(|wanted| held.may_grant(wanted, OPERATIONS)).collect()
        })
        .collect();
    for (first, by_first) in grants.iter().enumerate() {
        for (second, by_second) in grants.iter().enumerate().filter(|&(at, _)| by_first[at]) {
            for (third, granted) in by_second.iter().enumerate() {
                assert!(!granted || by_first[third], "{first} to {second} to {third}");
            }
        }
    }
}

fn sound(held: &Scopes, wanted: Scope) {
    for operation in OPERATIONS.iter().filter(|operation| operation.is_allowed_by(wanted)) {
        assert!(operation.allowed_to(held), "{held} grants {wanted}, and with it {operation:?}");
    }
}

proptest! {
    #[test]
    fn many_words_together_grant_nothing_they_may_not_do(
        held in proptest::collection::vec(0..500_usize, 0..8),
    ) {
        let held: Scopes = held.iter().filter_map(|&index| Scope::all().nth(index)).collect();
        for wanted in Scope::all().filter(|&wanted| held.may_grant(wanted, OPERATIONS)) {
            sound(&held, wanted);
        }
    }

    #[test]
    fn reads_what_it_writes(held in proptest::collection::vec(0..500_usize, 0..50)) {
        let held: Scopes = held.iter().filter_map(|&index| Scope::all().nth(index)).collect();
        prop_assert_eq!(held.to_string().parse(), Ok(held));
    }
}
