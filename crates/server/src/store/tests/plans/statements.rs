//! Every statement of the store, and how each engine runs it: none reads all of a table that grows,
//! but for a few that say so. A function of the store that is not called here fails the test.

use super::super::super::ephemeral;
use super::{APPLICATION, GROUP, Plan, USER, add_like, postgres, sqlite};
use crate::administrators::rows as administrators;
use crate::administrators::rules::new_me;
use crate::administrators::sign_ins::{self, Throttled};
use crate::applications::rows as applications;
use crate::auth::experience_token;
use crate::auth::hasher::PasswordHash;
use crate::auth::seal::Seal;
use crate::directory::groups::rules::new_group;
use crate::directory::groups::{bare, forest, listing as group_listing, rows as groups};
use crate::directory::removal;
use crate::directory::search;
use crate::directory::users::by_id::ById;
use crate::directory::users::rules::new_user;
use crate::directory::users::{listing as user_listing, rows as users};
use crate::error::Result;
use crate::links::rows::{self as links, Link};
use crate::links::rules::Standing;
use crate::mail::rows::{self as mails, NewMail};
use crate::rows::idempotency::{self, Answer, RequestKey};
use crate::rows::list::{Paging, Position, Start, Value};
use crate::rows::quotas::Quotas;
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::rows::{Tx, settings};
use crate::sign_in::attempts;
use crate::sign_in::claimant::Claimant;
use crate::sign_in::keys::{self, StoredKey};
use crate::sign_in::marks;
use crate::sign_in::rows as sign_in;
use crate::sign_in::settings as sign_in_settings;
use crate::store::Store;
use crate::tokens::grant;
use crate::tokens::rows::{self as tokens, Owner};
use crate::tokens::rules::{new_session, new_token};
use crate::tokens::sessions;
use crate::work::rows::{self as work, Taken};
use guestlist_api::administrator::{AdministratorSessionSort, AdministratorSort};
use guestlist_api::api_token::{ApiToken, ApiTokenFilter, ApiTokenSort};
use guestlist_api::application::ApplicationSort;
use guestlist_api::entity::{OwnerType, SortDirection};
use guestlist_api::experience_group::{ExperienceGroup, ExperienceGroupSort, Parent};
use guestlist_api::experience_link::{ExperienceInvitationSort, LinkPurpose};
use guestlist_api::experience_mail::{ExperienceMailSort, MailPurpose, MailState};
use guestlist_api::experience_sign_in::SignInSettings;
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserFilter, ExperienceUserSort, Membership,
};
use guestlist_api::id::{
    ApiTokenId, ExperienceGroupId, ExperienceInvitationId, ExperienceMailId, ForeignId, ObjectId,
    UserId,
};
use guestlist_api::text::Email;
use guestlist_api::time::DateTime;
use guestlist_api::wire;
use serde_json::json;
use std::collections::BTreeSet;
use std::{fs, path::Path};

const NOW: DateTime = DateTime::from_millis(1_800_000_000_000);
const CHILD: ExperienceGroupId = ExperienceGroupId(ObjectId::from_bytes([5; 12]));
const ADMINISTRATOR: UserId = UserId(ObjectId::from_bytes([6; 12]));
const TOKEN: ApiTokenId = ApiTokenId(ObjectId::from_bytes([7; 12]));

/// A function of the store, and a call of it.
type Called = (&'static str, fn(&mut Tx<'_>) -> Result<()>);

/// What is called, by name, in this order: each finds what those before it have made.
const CALLED: &[Called] = &[
    ("settings::put", |tx| settings::put(tx, "organization", "0".repeat(24).as_bytes())),
    ("settings::get", |tx| settings::get(tx, "organization").map(drop)),
    ("settings::get_or_make", |tx| settings::get_or_make(tx, "a", || Ok(vec![1])).map(drop)),
    ("tenant::require", |tx| tenant(tx).map(drop)),
    ("tenant::require_locked", |tx| {
        AuthorizedApp::allowed(APPLICATION).require_locked(tx).map(drop)
    }),
    ("applications::get", |tx| tenant(tx).and_then(|own| applications::get(tx, own)).map(drop)),
    ("applications::lock", |tx| tenant(tx).and_then(|own| applications::lock(tx, own)).map(drop)),
    ("applications::quotas", |tx| {
        let own = tenant(tx)?;
        applications::quotas(tx, own).map(drop)
    }),
    ("applications::put_quotas", |tx| {
        let own = tenant(tx)?;
        applications::put_quotas(tx, own, Quotas { bytes: Some(1 << 40), ..Quotas::NONE })
    }),
    ("applications::put", |tx| {
        let own = tenant(tx)?;
        let application = applications::get(tx, own)?;
        applications::put(tx, &application)
    }),
    ("applications::add", |tx| {
        let own = tenant(tx)?;
        let mut application = applications::get(tx, own)?;
        application.id.0 = ObjectId::from_bytes([8; 12]);
        applications::add(tx, &application).map(drop)
    }),
    ("applications::list", list_applications),
    ("groups::add", |tx| {
        let own = tenant(tx)?;
        groups::add(tx, own, &child())
    }),
    ("groups::get", |tx| group(tx).map(drop)),
    ("groups::bare::get", |tx| {
        let own = tenant(tx)?;
        bare::get(tx, own, GROUP).map(drop)
    }),
    ("groups::lock", |tx| {
        let own = tenant(tx)?;
        groups::lock(tx, own, GROUP).map(drop)
    }),
    ("groups::with_name", |tx| {
        let own = tenant(tx)?;
        groups::with_name(tx, own, "a", 9).map(drop)
    }),
    ("groups::forest::place", |tx| {
        let own = tenant(tx)?;
        forest::place(tx, own, Some(CHILD), Some(GROUP), None).map(drop)
    }),
    ("groups::forest::height", |tx| {
        let own = tenant(tx)?;
        let known = forest::height(tx, own, CHILD)?;
        forest::place(tx, own, Some(CHILD), Some(GROUP), Some(known)).map(drop)
    }),
    ("groups::members", |tx| {
        let own = tenant(tx)?;
        groups::members(tx, own, &[USER]).map(drop)
    }),
    ("groups::forest::device_counts", |tx| {
        let group = group(tx)?;
        forest::device_counts(tx, &group).map(drop)
    }),
    ("groups::listing::list", list_groups),
    ("groups::put", |tx| {
        let own = tenant(tx)?;
        let before = group(tx)?;
        let mut after = ExperienceGroup { experience_user_ids: Some(Vec::new()), ..before.clone() };
        after.group_tags.0.insert("a".into(), "b".into());
        after.experience_endpoint_ids.push(ForeignId(USER.0));
        groups::put(tx, own, &before, &after)?;
        groups::put(tx, own, &after, &before)
    }),
    ("users::get", |tx| {
        let own = tenant(tx)?;
        users::get(tx, own, USER).map(drop)
    }),
    ("users::lock", |tx| {
        let own = tenant(tx)?;
        users::lock(tx, own, USER).map(drop)
    }),
    ("users::by_id::ById", |tx| {
        tx.find(&ById { within: AuthorizedApp::allowed(APPLICATION), id: USER }).map(drop)
    }),
    ("users::get_within", |tx| {
        users::get_within(tx, AuthorizedApp::allowed(APPLICATION), USER).map(drop)
    }),
    ("users::lock_within", |tx| {
        users::lock_within(tx, AuthorizedApp::allowed(APPLICATION), USER).map(drop)
    }),
    ("users::with_address", |tx| {
        let own = tenant(tx)?;
        users::with_address(tx, own, "a@b").map(drop)
    }),
    ("users::groups", |tx| {
        let own = tenant(tx)?;
        users::groups(tx, own, &[GROUP], "x").map(drop)
    }),
    ("users::listing::list", list_users),
    ("users::put", |tx| {
        let own = tenant(tx)?;
        let before = users::get(tx, own, USER)?;
        let mut after = before.clone();
        (after.email, after.first_name) = ("c@d".into(), Some("c".into()));
        (after.last_name, after.token_cutoff) = (Some("d".into()), Some(NOW));
        after.experience_groups.clear();
        // Tags are added, changed, removed one by one, and all at once.
        let mut tagged = after.clone();
        let tags = [("a", "c"), ("b", "c"), ("c", "c")];
        tagged.user_tags.0 = tags.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into();
        users::put(tx, own, &before, &tagged, Some(&hash()))?;
        let mut fewer = tagged.clone();
        fewer.user_tags.0.remove("c");
        fewer.user_tags.0.insert("a".into(), "d".into());
        users::put(tx, own, &tagged, &fewer, None)?;
        after.user_tags.0.clear();
        users::put(tx, own, &fewer, &after, None)
    }),
    ("users::delete", |tx| {
        let own = tenant(tx)?;
        let user = users::get(tx, own, USER)?;
        users::delete(tx, own, &user)
    }),
    ("users::add", |tx| {
        let post = json!({ "email": "a@b", "password": "Correct-h0rse", "userTags": { "a": "b" } });
        let post = wire::read("experienceUser", post).unwrap();
        let own = tenant(tx)?;
        let groups = users::groups(tx, own, &[GROUP, CHILD], "x")?;
        let user = new_user(&post, USER, APPLICATION, groups, NOW);
        users::add(tx, own, &user, &hash())
    }),
    ("groups::delete", |tx| {
        let own = tenant(tx)?;
        let group = group(tx)?;
        groups::delete(tx, own, &group)
    }),
    ("administrators::add", |tx| {
        let me = new_me(ADMINISTRATOR, Email::parse("a@b").unwrap(), NOW);
        administrators::add(tx, &me, &hash())
    }),
    ("administrators::get", |tx| administrators::get(tx, ADMINISTRATOR).map(drop)),
    ("administrators::lock", |tx| administrators::lock(tx, ADMINISTRATOR).map(drop)),
    ("administrators::by_email", |tx| administrators::by_email(tx, "a@b").map(drop)),
    ("administrators::put", |tx| {
        let me = administrators::get(tx, ADMINISTRATOR)?;
        administrators::put(tx, &me, Some(&hash()))
    }),
    ("administrators::account", |tx| administrators::account(tx, ADMINISTRATOR).map(drop)),
    ("administrators::lock_account", |tx| {
        administrators::lock_account(tx, ADMINISTRATOR).map(drop)
    }),
    ("administrators::list", list_administrators),
    ("administrators::set_password", |tx| {
        administrators::set_password(tx, ADMINISTRATOR, &hash(), NOW)
    }),
    ("administrators::disable", |tx| {
        administrators::disable(tx, ADMINISTRATOR, Some(NOW), NOW)?;
        administrators::disable(tx, ADMINISTRATOR, None, NOW)
    }),
    ("tokens::add", |tx| {
        let post = wire::read("apiToken", json!({ "name": "t" })).unwrap();
        let owner = (ForeignId(APPLICATION.0), OwnerType::Application);
        let scopes = [].into_iter().collect();
        tokens::add(tx, &new_token(&post, TOKEN, owner.0, owner.1, scopes, NOW))
    }),
    ("tokens::grant::grant", |tx| grant::grant(tx, TOKEN, NOW).map(drop)),
    ("tokens::grant::prefetch_grant", |tx| grant::prefetch_grant(tx, TOKEN)),
    ("tokens::administrator", |tx| Owner::administrator(tx, ADMINISTRATOR).map(drop)),
    ("tokens::get", |tx| token(tx).map(drop)),
    ("tokens::lock", |tx| {
        let owner = owner(tx)?;
        tokens::lock(tx, owner, TOKEN).map(drop)
    }),
    ("tokens::find", |tx| tokens::find(tx, TOKEN).map(drop)),
    ("tokens::list", list_tokens),
    ("tokens::put", |tx| {
        let token = token(tx)?;
        tokens::put(tx, &token, &token)
    }),
    ("tokens::lock_against_removal", |tx| tokens::lock_against_removal(tx, TOKEN)),
    ("tokens::delete_with_children", |tx| {
        let token = token(tx)?;
        tokens::delete_with_children(tx, &token)?;
        tokens::add(tx, &token)
    }),
    ("tokens::delete", |tx| {
        let token = token(tx)?;
        tokens::delete(tx, &token)
    }),
    ("tokens::sessions::begin", |tx| {
        let scopes = [].into_iter().collect();
        sessions::begin(tx, &new_session(TOKEN, ADMINISTRATOR, scopes, None, NOW), Some(NOW))
    }),
    ("tokens::sessions::signed_in", |tx| sessions::signed_in(tx, TOKEN).map(drop)),
    ("tokens::sessions::list", list_sessions),
    ("tokens::sessions::lock", |tx| sessions::lock(tx, ADMINISTRATOR, TOKEN).map(drop)),
    ("tokens::sessions::end", |tx| sessions::end(tx, TOKEN)),
    ("tokens::sessions::end_all", |tx| sessions::end_all(tx, ADMINISTRATOR)),
    ("tokens::switch_off", |tx| tokens::switch_off(tx, ADMINISTRATOR, NOW)),
    ("sign_in::keys::add", |tx| {
        let own = tenant(tx)?;
        keys::add(tx, own, &experience_key())
    }),
    ("sign_in::keys::current", |tx| {
        let own = tenant(tx)?;
        keys::current(tx, own, NOW).map(drop)
    }),
    ("sign_in::keys::find", |tx| {
        let own = tenant(tx)?;
        keys::find(tx, own, "k").map(drop)
    }),
    ("sign_in::keys::all", |tx| {
        let own = tenant(tx)?;
        keys::all(tx, own).map(drop)
    }),
    ("sign_in::keys::rotate", |tx| {
        let (own, seal) = (tenant(tx)?, Seal::new(b"secret", experience_token::PURPOSE)?);
        keys::rotate(tx, own, &seal, NOW, false)?;
        keys::rotate(tx, own, &seal, NOW, true).map(drop)
    }),
    ("sign_in::keys::withdraw", |tx| {
        let (own, seal) = (tenant(tx)?, Seal::new(b"secret", experience_token::PURPOSE)?);
        let (next, _) = keys::rotate(tx, own, &seal, NOW, false)?;
        keys::withdraw(tx, own, &next.kid, NOW)
    }),
    ("sign_in::settings::put", |tx| {
        let own = tenant(tx)?;
        sign_in_settings::put(tx, own, &SignInSettings::default())
    }),
    ("sign_in::settings::get", |tx| {
        let own = tenant(tx)?;
        sign_in_settings::get(tx, own).map(drop)
    }),
    ("sign_in::by_email", |tx| {
        let own = tenant(tx)?;
        sign_in::by_email(tx, own, "a@example.com").map(drop)
    }),
    ("sign_in::attempts::standing", |tx| {
        let own = tenant(tx)?;
        attempts::standing(tx, own, &claimant(), NOW).map(drop)
    }),
    ("sign_in::attempts::attempt", |tx| {
        let own = tenant(tx)?;
        attempts::attempt(tx, own, &claimant(), NOW).map(drop)
    }),
    ("sign_in::attempts::take_back", |tx| {
        let own = tenant(tx)?;
        let counted = attempts::attempt(tx, own, &claimant(), NOW)?;
        attempts::take_back(tx, own, &claimant(), &counted)
    }),
    ("sign_in::attempts::succeeded", |tx| {
        let own = tenant(tx)?;
        let counted = attempts::attempt(tx, own, &claimant(), NOW)?;
        attempts::succeeded(tx, own, &claimant(), (&counted, NOW))
    }),
    ("sign_in::marks::forget", |tx| {
        let own = tenant(tx)?;
        marks::forget(tx, own, "a@example.com")
    }),
    ("sign_in::attempts::delete_some", |tx| {
        let own = tenant(tx)?;
        attempts::delete_some(tx, own, 0).map(drop)
    }),
    ("sign_in::rehash", |tx| {
        let own = tenant(tx)?;
        let hash = PasswordHash::from_stored("h".into());
        sign_in::rehash(tx, own, USER, (&hash, &hash))
    }),
    ("sign_in::cutoffs", |tx| {
        let own = tenant(tx)?;
        let user = users::get(tx, own, USER)?;
        sign_in::cutoffs(tx, own, &user).map(drop)
    }),
    ("sign_in::put", |tx| {
        let own = tenant(tx)?;
        let user = users::get(tx, own, USER)?;
        sign_in::put(tx, own, &user)
    }),
    ("sign_in::verified", |tx| {
        let own = tenant(tx)?;
        sign_in::verified(tx, own, USER, NOW)
    }),
    ("links::put", |tx| {
        let own = tenant(tx)?;
        let user = users::get(tx, own, USER)?;
        links::put(tx, own, &link(LinkPurpose::Reset, Some(&user)), &[1; 32])?;
        links::put(tx, own, &link(LinkPurpose::Invite, None), &[2; 32])
    }),
    ("links::with_address", |tx| {
        let own = tenant(tx)?;
        links::with_address(tx, own, "a@b").map(drop)
    }),
    ("links::find", |tx| {
        let own = tenant(tx)?;
        links::find(tx, own, &[1; 32]).map(drop)
    }),
    ("links::invitations", list_invitations),
    ("links::lock_invitation", |tx| {
        let own = tenant(tx)?;
        links::lock_invitation(tx, own, INVITATION).map(drop)
    }),
    ("links::delete_invitation", |tx| {
        let own = tenant(tx)?;
        links::delete_invitation(tx, own, INVITATION)
    }),
    ("links::take", |tx| {
        let own = tenant(tx)?;
        links::take(tx, own, &[2; 32]).map(drop)
    }),
    ("links::delete_of_user", |tx| {
        let own = tenant(tx)?;
        links::delete_of_user(tx, own, USER)
    }),
    ("links::forget", |tx| links::forget(tx, NOW, 9).map(drop)),
    ("mail::add", |tx| {
        let own = tenant(tx)?;
        mails::add(tx, own, &mail())
    }),
    ("mail::wait", |tx| {
        let own = tenant(tx)?;
        mails::wait(tx, own, "a@b", NOW).map(drop)
    }),
    ("mail::are_many", |tx| {
        let own = tenant(tx)?;
        mails::are_many(tx, own, NOW).map(drop)
    }),
    ("mail::due", |tx| {
        let own = tenant(tx)?;
        mails::due(tx, own, mail().id.0).map(drop)
    }),
    ("mail::list", list_mails),
    ("mail::tried", |tx| {
        let own = tenant(tx)?;
        let id = mail().id.0;
        mails::tried(tx, own, id, (MailState::Queued, 1), Some("no"), NOW)?;
        mails::tried(tx, own, id, (MailState::Sent, 2), None, NOW)
    }),
    ("mail::forget", |tx| mails::forget(tx, NOW, 9).map(drop)),
    ("work::add", |tx| {
        let own = tenant(tx)?;
        work::add(tx, own, "kind", CHILD.0, NOW)
    }),
    ("work::is_due", |tx| work::is_due(tx, NOW).map(drop)),
    ("work::waiting", |tx| work::waiting(tx).map(drop)),
    ("work::take", |tx| work::take(tx, NOW, 9).map(drop)),
    ("work::again", |tx| work::again(tx, &taken(), NOW)),
    ("work::done", |tx| work::done(tx, &taken())),
    ("administrators::sign_ins::attempt", |tx| {
        sign_ins::attempt(tx, &Throttled::administrator(ADMINISTRATOR), NOW).map(drop)
    }),
    ("administrators::sign_ins::standing", |tx| sign_ins::standing(tx, &stranger(), NOW).map(drop)),
    ("administrators::sign_ins::take_back", |tx| {
        let counted = sign_ins::attempt(tx, &stranger(), NOW)?;
        sign_ins::take_back(tx, &counted)
    }),
    ("administrators::sign_ins::succeeded", |tx| {
        let counted = sign_ins::attempt(tx, &stranger(), NOW)?;
        sign_ins::succeeded(tx, &stranger(), &counted, NOW)
    }),
    ("administrators::sign_ins::clear", |tx| {
        sign_ins::clear(tx, &Throttled::administrator(ADMINISTRATOR))
    }),
    ("administrators::delete", |tx| administrators::delete(tx, ADMINISTRATOR)),
    ("idempotency::reserve", |tx| idempotency::reserve(tx, &key(), NOW).map(drop)),
    ("idempotency::put", |tx| {
        let answer =
            Answer { status: 200, etag: None, body: Vec::new(), mint: None, resource: None };
        idempotency::put(tx, &key(), NOW, &answer)
    }),
    ("idempotency::find", |tx| idempotency::find(tx, &key(), NOW).map(drop)),
    ("idempotency::held", |tx| idempotency::held(tx, APPLICATION).map(drop)),
    ("idempotency::forget", |tx| idempotency::forget(tx, NOW, 9).map(drop)),
    ("removal::some_of_group", |tx| {
        let own = tenant(tx)?;
        more_than_a_part(tx, own)?;
        while removal::some_of_group(tx, own, CHILD)? {}
        Ok(())
    }),
    ("removal::some_with_name", |tx| {
        let own = tenant(tx)?;
        removal::some_with_name(tx, own, "t").map(drop)
    }),
    ("removal::some_groups", |tx| {
        let own = tenant(tx)?;
        while removal::some_groups(tx, own)? {}
        Ok(())
    }),
    ("removal::some_users", |tx| {
        let own = tenant(tx)?;
        while removal::some_users(tx, own)? {}
        Ok(())
    }),
    ("applications::delete_some", |tx| {
        let own = tenant(tx)?;
        while applications::delete_some(tx, own, TOKEN)? {}
        Ok(())
    }),
    ("users::delete_all", |tx| tenant(tx).and_then(|own| users::delete_all(tx, own))),
    ("search::forget", |tx| search::forget(tx, 9).map(drop)),
    ("search::apply_backlog", |tx| search::apply_backlog(tx, 9).map(drop)),
    ("groups::delete_all", |tx| tenant(tx).and_then(|own| groups::delete_all(tx, own))),
    ("applications::delete", |tx| tenant(tx).and_then(|own| applications::delete(tx, own))),
    ("ephemeral::clear", |tx| {
        let (_, proof) = Store::ephemeral(&super::super::super::Options::default()).unwrap();
        ephemeral::clear(tx, &proof)
    }),
];

fn owner(tx: &mut Tx<'_>) -> Result<Owner> {
    tenant(tx).map(Owner::of)
}

fn token(tx: &mut Tx<'_>) -> Result<ApiToken> {
    let owner = owner(tx)?;
    tokens::get(tx, owner, TOKEN)
}

fn tenant(tx: &mut Tx<'_>) -> Result<Tenant> {
    AuthorizedApp::allowed(APPLICATION).require(tx)
}

fn group(tx: &mut Tx<'_>) -> Result<ExperienceGroup> {
    let own = tenant(tx)?;
    groups::get(tx, own, GROUP)
}

fn child() -> ExperienceGroup {
    let post = json!({ "name": "child", "parentId": GROUP.to_string(), "groupTags": { "a": "b" } });
    let post = wire::read("experienceGroup", post).unwrap();
    new_group(&post, CHILD, APPLICATION, vec![USER], vec![GROUP], NOW)
}

fn hash() -> PasswordHash {
    PasswordHash::from_stored("$argon2id$".into())
}

fn key() -> RequestKey {
    RequestKey::new(TOKEN, Some(APPLICATION), "key", &[b"a"])
}

/// More of everything than is removed at once.
fn more_than_a_part(tx: &mut Tx<'_>, own: Tenant) -> Result<()> {
    let user = users::get(tx, own, USER)?;
    add_like(tx, own, &user, "many", 260)?;
    for number in 0..260_u16 {
        let mut bytes = [9; 12];
        bytes[10..].copy_from_slice(&number.to_be_bytes());
        let (id, post) = (ObjectId::from_bytes(bytes), json!({ "name": "t" }));
        let group = wire::read("experienceGroup", post.clone()).unwrap();
        let id_of_group = ExperienceGroupId(id);
        let group = new_group(&group, id_of_group, APPLICATION, Vec::new(), Vec::new(), NOW);
        groups::add(tx, own, &ExperienceGroup { parent_id: Some(CHILD), ..group })?;
        let (token, owner) = (wire::read("apiToken", post).unwrap(), ForeignId(APPLICATION.0));
        let (token_id, kind) = (ApiTokenId(id), OwnerType::Application);
        let scopes = [].into_iter().collect();
        tokens::add(tx, &new_token(&token, token_id, owner, kind, scopes, NOW))?;
        let key = RequestKey::new(TOKEN, Some(APPLICATION), &number.to_string(), &[b"a"]);
        let answer =
            Answer { status: 200, etag: None, body: Vec::new(), mint: None, resource: None };
        idempotency::put(tx, &key, NOW, &answer)?;
    }
    Ok(())
}

/// Every way to begin a page of what is sorted by `word`, in both directions.
fn pagings(word: &str) -> Vec<Paging> {
    let some = match word {
        "id" | "ownerId" => Value::Nothing,
        "firstName" | "lastName" | "email" | "name" | "status" => Value::Text("a".into()),
        _ => Value::Moment(7),
    };
    let mut values = vec![some];
    if ["firstName", "lastName", "lastLogin", "expirationDate"].contains(&word) {
        values.push(Value::Nothing);
    }
    let mut starts = vec![Start::Page(0), Start::End];
    for value in values {
        let position = Position { value, id: USER.0 };
        starts.extend([Start::After(position.clone()), Start::Before(position)]);
    }
    let mut pagings = Vec::new();
    for start in starts {
        for direction in [SortDirection::Asc, SortDirection::Desc] {
            pagings.push(Paging { start: start.clone(), per_page: 100, direction });
        }
    }
    pagings
}

fn stranger() -> Throttled {
    Throttled::stranger("a@example.com", "192.0.2.1".parse().unwrap())
}

fn list_users(tx: &mut Tx<'_>) -> Result<()> {
    let own = tenant(tx)?;
    let memberships = [Membership::Of(GROUP), Membership::Any, Membership::None];
    let filters = ExperienceUserFilter::WORDS.iter().map(|word| ExperienceUserFilter::parse(word));
    for word in ExperienceUserSort::WORDS {
        for paging in pagings(word) {
            let all = user_listing::Listing {
                query: None,
                filter: None,
                membership: None,
                search: None,
                ancestors: false,
                sort: ExperienceUserSort::parse(word).unwrap(),
                paging,
            };
            user_listing::list(tx, own, &all)?;
            for membership in memberships {
                for ancestors in [false, true] {
                    let some = Some(membership);
                    let listing =
                        user_listing::Listing { membership: some, ancestors, ..all.clone() };
                    user_listing::list(tx, own, &listing)?;
                }
            }
            for words in ["abc", "abc de"] {
                let search = Some(wire::read("search", words.into()).unwrap());
                let listing = user_listing::Listing { search, ..all.clone() };
                user_listing::list(tx, own, &listing)?;
            }
            for field in filters.clone().flatten() {
                for glob in ["*a*", "a*", "*abc*"] {
                    let filter = Some((field, glob.to_owned()));
                    let listing = user_listing::Listing { filter, ..all.clone() };
                    user_listing::list(tx, own, &listing)?;
                }
            }
        }
    }
    Ok(())
}

fn list_groups(tx: &mut Tx<'_>) -> Result<()> {
    let own = tenant(tx)?;
    for word in ExperienceGroupSort::WORDS {
        for paging in pagings(word) {
            for (name, parent) in [
                (None, None),
                (Some("*a*".to_owned()), None),
                (None, Some(Parent::Of(GROUP))),
                (None, Some(Parent::None)),
                (Some("*a*".to_owned()), Some(Parent::Of(GROUP))),
            ] {
                let sort = ExperienceGroupSort::parse(word).unwrap();
                let (bare, paging) = (parent.is_some(), paging.clone());
                let query = None;
                let listing = group_listing::Listing { query, name, parent, bare, sort, paging };
                group_listing::list(tx, own, &listing)?;
            }
        }
    }
    Ok(())
}

fn list_applications(tx: &mut Tx<'_>) -> Result<()> {
    for word in ApplicationSort::WORDS {
        for paging in pagings(word) {
            for only in [None, Some(APPLICATION)] {
                for name in [None, Some("*a*".to_owned())] {
                    let sort = ApplicationSort::parse(word).unwrap();
                    let paging = paging.clone();
                    applications::list(tx, &applications::Listing { only, name, sort, paging })?;
                }
            }
        }
    }
    Ok(())
}

fn list_administrators(tx: &mut Tx<'_>) -> Result<()> {
    for word in AdministratorSort::WORDS {
        for paging in pagings(word) {
            for email in [None, Some("a*".to_owned())] {
                let (sort, paging) = (AdministratorSort::parse(word).unwrap(), paging.clone());
                administrators::list(tx, &administrators::Listing { email, sort, paging })?;
            }
        }
    }
    Ok(())
}

fn list_sessions(tx: &mut Tx<'_>) -> Result<()> {
    for word in AdministratorSessionSort::WORDS {
        for paging in pagings(word) {
            let sort = AdministratorSessionSort::parse(word).unwrap();
            sessions::list(tx, ADMINISTRATOR, &sessions::Listing { sort, paging })?;
        }
    }
    Ok(())
}

fn list_tokens(tx: &mut Tx<'_>) -> Result<()> {
    for word in ApiTokenSort::WORDS {
        for paging in pagings(word) {
            for owner in [owner(tx)?, Owner::administrator(tx, ADMINISTRATOR)?] {
                for filter in [None, Some((ApiTokenFilter::Name, "*a*".to_owned()))] {
                    let sort = ApiTokenSort::parse(word).unwrap();
                    let paging = paging.clone();
                    tokens::list(tx, owner, &tokens::Listing { filter, sort, paging })?;
                }
            }
        }
    }
    Ok(())
}

fn claimant() -> Claimant {
    let from = (Some([192, 0, 2, 1].into()), Some("a device of a user"));
    Claimant::new(APPLICATION, "a@example.com", from)
}

const INVITATION: ExperienceInvitationId = ExperienceInvitationId(ObjectId::from_bytes([9; 12]));

fn link(purpose: LinkPurpose, user: Option<&ExperienceUser>) -> Link {
    let owner = user.map(links::owner);
    Link {
        id: user.map_or(INVITATION.0, |user| user.id.0),
        email: "a@b".into(),
        user: user.map(|user| user.id),
        created: NOW,
        standing: Standing { purpose, expires: NOW, owner },
        details: links::Details::default(),
    }
}

fn mail() -> NewMail {
    NewMail {
        id: ExperienceMailId(ObjectId::from_bytes([10; 12])),
        purpose: Some(MailPurpose::Reset),
        recipient: "a@b".into(),
        user: Some(USER),
        created: NOW,
        expires: None,
        seed: Some(vec![0; 32]),
        details: mails::Details::default(),
    }
}

fn taken() -> Taken {
    Taken { id: CHILD.0, kind: "kind".into(), application: APPLICATION, attempts: 1 }
}

fn list_invitations(tx: &mut Tx<'_>) -> Result<()> {
    let own = tenant(tx)?;
    for word in ExperienceInvitationSort::WORDS {
        for paging in pagings(word) {
            for email in [None, Some("a*".to_owned())] {
                let sort = ExperienceInvitationSort::parse(word).unwrap();
                let paging = paging.clone();
                links::invitations(tx, own, &links::Listing { email, sort, paging })?;
            }
        }
    }
    Ok(())
}

fn list_mails(tx: &mut Tx<'_>) -> Result<()> {
    let own = tenant(tx)?;
    for word in ExperienceMailSort::WORDS {
        for paging in pagings(word) {
            for recipient in [None, Some("a*".to_owned())] {
                let sort = ExperienceMailSort::parse(word).unwrap();
                let paging = paging.clone();
                mails::list(tx, own, &mails::Listing { recipient, sort, paging })?;
            }
        }
    }
    Ok(())
}

fn experience_key() -> StoredKey {
    StoredKey { kid: "k".into(), seed: vec![0; 32], created: NOW, signs_from: NOW }
}

/// Folders whose functions are of no table, but put together what those of others do, or read all that there is
/// because that is what they are for.
const NOT_OF_TABLES: [&str; 6] = ["cli", "doctor", "moving", "rest", "testing", "store/tests"];

/// The functions that work in a transaction, and the lookups, as their files have them: after the name
/// of the folder and of the file, but for names that say nothing of the table.
fn functions() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut functions, mut folders) = (BTreeSet::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let place = path.strip_prefix(&root).unwrap().with_extension("");
            if path.is_dir() {
                if !NOT_OF_TABLES.iter().any(|other| place == Path::new(other)) {
                    folders.push(path);
                }
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let parts = place.iter().map(|part| part.to_str().unwrap());
            let parts = parts.filter(|part| !["directory", "rows", "store"].contains(part));
            let module = parts.collect::<Vec<_>>().join("::");
            // Only what anybody may call: what is made of it is called with it.
            for part in text.split("pub fn ").skip(1) {
                let head = part.split('{').next().unwrap();
                if head.contains("tx: &mut Tx<'_>") {
                    let name = part.split(['(', '<']).next().unwrap();
                    functions.insert(format!("{module}::{name}"));
                }
            }
            for part in text.split("impl Lookup<Error> for ").skip(1) {
                let name = part.split([' ', '<']).next().unwrap();
                functions.insert(format!("{module}::{name}"));
            }
        }
    }
    functions
}

/// Calls every function there is.
fn call_all(tx: &mut Tx<'_>) -> Result<()> {
    let called: BTreeSet<String> = CALLED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(called, functions());
    CALLED.iter().try_for_each(|(_, call)| call(tx))
}

fn distinct(plans: &[Plan]) -> usize {
    plans.iter().map(|plan| plan.sql.as_str()).collect::<BTreeSet<_>>().len()
}

#[test]
fn no_statement_reads_all_of_what_grows() {
    let all = sqlite::plans(call_all);
    assert!(distinct(&all) > 200, "{}", distinct(&all));
}

#[test]
fn no_statement_reads_all_of_what_grows_on_postgres() {
    let all = postgres::plans(call_all);
    assert!(distinct(&all) > 200, "{}", distinct(&all));
}

/// In every order, from the first page on, from the last, and from any position on and back: the index of the order is read, and
/// nothing is sorted.
#[test]
fn a_page_is_a_range_of_the_index_of_its_order() {
    let all = sqlite::plans(|tx| {
        list_all_users(tx)?;
        list_all_groups(tx)?;
        list_all_applications(tx)
    });
    let pages: Vec<&Plan> = all.iter().filter(|plan| plan.sql.contains(" LIMIT ")).collect();
    assert!(pages.len() > 120, "{}", pages.len());
    for page in pages {
        assert!(!page.sorts(), "{}\n{:?}", page.sql, page.steps);
        // From a position, the index is entered there.
        let range = page.uses(">?") || page.uses("<?") || page.uses(",?)") || page.uses("=? AND");
        let beyond = page.sql.contains(" > (") || page.sql.contains(" < (");
        assert!(range || !beyond, "{}\n{:?}", page.sql, page.steps);
    }
}

fn list_all_users(tx: &mut Tx<'_>) -> Result<()> {
    let own = tenant(tx)?;
    for word in ExperienceUserSort::WORDS {
        for paging in pagings(word) {
            let listing = user_listing::Listing {
                query: None,
                filter: None,
                membership: None,
                search: None,
                ancestors: false,
                sort: ExperienceUserSort::parse(word).unwrap(),
                paging,
            };
            user_listing::list(tx, own, &listing)?;
        }
    }
    Ok(())
}

fn list_all_groups(tx: &mut Tx<'_>) -> Result<()> {
    let own = tenant(tx)?;
    for word in ExperienceGroupSort::WORDS {
        for paging in pagings(word) {
            let sort = ExperienceGroupSort::parse(word).unwrap();
            // By their names the groups in one are a range too.
            let by_name = sort == ExperienceGroupSort::Name;
            let parents = [Parent::Of(GROUP), Parent::None].map(Some).into_iter();
            for parent in [None].into_iter().chain(parents.filter(|_| by_name)) {
                let (query, name, bare, paging) = (None, None, false, paging.clone());
                let listing = group_listing::Listing { query, name, parent, bare, sort, paging };
                group_listing::list(tx, own, &listing)?;
            }
        }
    }
    Ok(())
}

fn list_all_applications(tx: &mut Tx<'_>) -> Result<()> {
    settings::put(tx, "organization", "0".repeat(24).as_bytes())?;
    for word in ApplicationSort::WORDS {
        for paging in pagings(word) {
            let sort = ApplicationSort::parse(word).unwrap();
            let listing = applications::Listing { only: None, name: None, sort, paging };
            applications::list(tx, &listing)?;
        }
    }
    Ok(())
}
