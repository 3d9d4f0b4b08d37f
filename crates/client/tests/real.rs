//! Every action, against the real server.

#[expect(clippy::unwrap_used, reason = "these are tests")]
mod demo;
#[expect(dead_code, reason = "its command line")]
#[path = "../examples/users.rs"]
mod example;

use demo::{Demo, EMAIL, PASSWORD};
use guestlist_api::api_token::{ApiTokenSort, TokenStatus};
use guestlist_api::entity::SortDirection;
use guestlist_api::experience_group::Parent;
use guestlist_api::experience_user::{ExperienceUserFilter, ExperienceUserSort, Membership};
use guestlist_api::scope::Scope;
use guestlist_client::bodies::{
    ApiTokenPatch, ApiTokenPost, ApplicationPatch, ApplicationPost, ExperienceBootstrap,
    ExperienceGroupPatch, ExperienceGroupPost, ExperienceUserPatch, ExperienceUserPost, MePatch,
};
use guestlist_client::{Client, Config, Error, Method, Request, Token, blocking};
use serde_json::json;
use std::time::Duration;

fn post(number: usize) -> ExperienceUserPost {
    ExperienceUserPost::new(format!("user{number:03}@example.com"), "a password")
}

#[tokio::test]
async fn a_user_is_made_read_changed_and_deleted() {
    let demo = Demo::start();
    let client = demo.client();
    let groups = client.experience_groups(demo.application);
    let group = groups.create(ExperienceGroupPost::new("Staff")).await.unwrap();
    let users = client.experience_users(demo.application);
    let made = users
        .create(
            post(1)
                .first_name("Ann")
                .last_name("Lee")
                .user_tags([("plan", "gold")])
                .experience_group_ids([group.id]),
        )
        .await
        .unwrap();
    assert_eq!(made.first_name.as_deref(), Some("Ann"));
    assert_eq!(made.user_tags.0["plan"], "gold");
    assert_eq!(made.experience_groups[0].id, group.id);

    let one = client.experience_user(demo.application, made.id);
    let read = one.get().await.unwrap();
    assert_eq!((read.etag(), &*read), (made.etag(), &*made));
    assert!(read.etag().is_some());

    // `made` and `read` go on from what they were read from, whoever it was.
    let changed = made.patch(ExperienceUserPatch::new().first_name("Anne")).await.unwrap();
    assert_eq!(changed.first_name.as_deref(), Some("Anne"));
    assert_eq!(changed.last_name.as_deref(), Some("Lee"));
    let stale = read.patch(ExperienceUserPatch::new().first_name("Bob")).if_unchanged().await;
    assert!(stale.unwrap_err().has_changed());
    assert!(read.delete().if_unchanged().await.unwrap_err().has_changed());
    let fresh = changed.patch(ExperienceUserPatch::new().last_name("Ray")).if_unchanged().await;
    assert_eq!(fresh.unwrap().last_name.as_deref(), Some("Ray"));
    assert_eq!(read.get().await.unwrap().first_name.as_deref(), Some("Anne"));

    one.delete().await.unwrap();
    let error = one.get().await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "Experience user was not found");
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_listed() {
    let demo = Demo::start();
    let users = demo.client().experience_users(demo.application);
    let bad = ExperienceUserPost::new("nobody", "short").field("shoeSize", 43);
    let Error::Status { status, kind, message, fields, retry_after, .. } =
        users.create(bad).await.unwrap_err()
    else {
        panic!("not a status")
    };
    assert_eq!((status, &*kind, retry_after), (400, "Validation", None));
    assert_eq!(message, "experienceUser.shoeSize is an additional property");
    let fields: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(
        fields,
        ["experienceUser.shoeSize", "experienceUser.email", "experienceUser.password"]
    );
}

#[tokio::test]
async fn a_list_takes_every_parameter() {
    let demo = Demo::start();
    let client = demo.client();
    let users = client.experience_users(demo.application);
    for number in 0..5 {
        users.create(post(number)).await.unwrap();
    }
    let parent = client
        .experience_groups(demo.application)
        .create(ExperienceGroupPost::new("All"))
        .await
        .unwrap();
    let member = users.create(post(9).experience_group_ids([parent.id])).await.unwrap();
    let child = ExperienceGroupPost::new("Some").parent_id(parent.id);
    let child = client.experience_groups(demo.application).create(child).await.unwrap();

    let page = users
        .list()
        .sort_field(ExperienceUserSort::Email)
        .sort_direction(SortDirection::Desc)
        .filter_field(ExperienceUserFilter::Email)
        .filter("user00?@*")
        .page(1)
        .per_page(2)
        .await
        .unwrap();
    assert_eq!((page.total_count, page.page, page.per_page), (6, 1, 2));
    let emails: Vec<_> = page.items.iter().map(|user| user.email.as_str()).collect();
    assert_eq!(emails, ["user003@example.com", "user002@example.com"]);

    let of = |membership| users.list().experience_group_id(membership);
    assert_eq!(of(Membership::Any).await.unwrap().items, [member.clone().into_inner()]);
    assert_eq!(of(Membership::None).await.unwrap().total_count, 5);
    assert_eq!(of(Membership::Of(child.id)).await.unwrap().total_count, 0);
    let with_ancestors = of(Membership::Of(child.id)).include_ancestor_groups(true).await.unwrap();
    assert_eq!(with_ancestors.items, [member.into_inner()]);
    let query = json!({ "email": { "$startsWith": "user003" } });
    let found = users.list().query(&query).await.unwrap().items;
    assert_eq!(found.iter().map(|user| &*user.email).collect::<Vec<_>>(), ["user003@example.com"]);
    let found = users.list().search("EXAM r003").await.unwrap().items;
    assert_eq!(found.iter().map(|user| &*user.email).collect::<Vec<_>>(), ["user003@example.com"]);
    let refused = users.list().query(&json!({ "shoeSize": 43 })).await.unwrap_err();
    assert_eq!(refused.status(), Some(400));
}

#[tokio::test]
async fn a_stream_gives_every_item_once_and_stops() {
    let demo = Demo::start();
    let client = demo.client();
    let users = client.experience_users(demo.application);
    assert!(users.list().stream().next().await.is_none());
    for number in (0..7).rev() {
        users.create(post(number)).await.unwrap();
    }
    for per_page in [1, 2, 3, 7, 8] {
        let mut stream = users.list().per_page(per_page).stream();
        let mut emails = Vec::new();
        while let Some(user) = stream.next().await {
            emails.push(user.unwrap().email);
            if emails.len() == 3 && per_page == 2 {
                // In the order of ids, what is new comes last and moves nothing.
                users.create(post(999)).await.unwrap();
            }
        }
        let expected = if per_page == 1 { 7 } else { 8 };
        assert_eq!(emails.len(), expected, "{per_page}");
        assert_eq!(emails[0], "user006@example.com");
        emails.sort_unstable();
        emails.dedup();
        assert_eq!(emails.len(), expected, "{per_page}");
    }
    let mut some = users.list().sort_field(ExperienceUserSort::Email).page(1).per_page(6).stream();
    assert_eq!(some.next().await.unwrap().unwrap().email, "user006@example.com");
    assert!(some.next().await.is_some());
    assert!(some.next().await.is_none());

    let mut refused = users.list().per_page(5000).stream();
    assert_eq!(refused.next().await.unwrap().unwrap_err().status(), Some(400));
    assert!(refused.next().await.is_none());
}

#[tokio::test]
async fn groups() {
    let demo = Demo::start();
    let client = demo.client();
    let groups = client.experience_groups(demo.application);
    let user = client.experience_users(demo.application).create(post(1)).await.unwrap();
    let device = "0123456789abcdef01234567".parse().unwrap();
    let root = ExperienceGroupPost::new("Root")
        .description("all")
        .experience_user_ids([user.id])
        .device_ids([device])
        .group_tags([("a", "b")]);
    let root = groups.create(root).await.unwrap();
    assert_eq!(root.experience_user_ids.as_deref(), Some(&[user.id][..]));
    let leaf = groups.create(ExperienceGroupPost::new("Leaf")).await.unwrap();
    let moved = leaf.patch(ExperienceGroupPatch::new().parent_id(root.id)).if_unchanged().await;
    assert_eq!(moved.unwrap().ancestor_ids, [root.id]);
    let counted = client
        .experience_group(demo.application, root.id)
        .get()
        .include_direct_device_count(true)
        .include_total_device_count(true)
        .await
        .unwrap();
    assert_eq!((counted.direct_device_count, counted.total_device_count), (Some(1), Some(1)));
    let top = groups.list().parent_id(Parent::None).exclude_members(true).await.unwrap();
    let bare = &top.items[0];
    assert_eq!((top.items.len(), bare.id, bare.has_children), (1, root.id, Some(true)));
    assert_eq!((bare.direct_user_count, bare.direct_device_count), (Some(1), Some(1)));
    assert_eq!((&bare.experience_user_ids, &bare.device_ids), (&None, &None));
    let below = groups.list().parent_id(Parent::Of(root.id)).await.unwrap();
    assert_eq!(below.items.iter().map(|group| group.id).collect::<Vec<_>>(), [leaf.id]);
    let one = client.experience_group(demo.application, leaf.id).get().exclude_members(true);
    let one = one.await.unwrap();
    assert_eq!((one.direct_user_count, one.has_children), (Some(0), Some(false)));
    let up = leaf.patch(ExperienceGroupPatch::new().parent_id(None)).await.unwrap();
    assert_eq!(up.parent_id, None);
    up.delete().if_unchanged().await.unwrap();
    let left = groups.list().await.unwrap();
    assert_eq!(left.items.iter().map(|group| group.id).collect::<Vec<_>>(), [root.id]);
}

#[tokio::test]
async fn an_experience_begins_and_ends() {
    let demo = Demo::start();
    let client = demo.client();
    let (users, groups) =
        (client.experience_users(demo.application), client.experience_groups(demo.application));
    let experience = client.experience(demo.application);
    let made = experience.bootstrap(ExperienceBootstrap::new()).await.unwrap();
    let user = &users.list().await.unwrap().items[0];
    assert_eq!(made.email.as_deref(), Some(&*user.email));
    assert_eq!(made.password.map(|password| password.len()), Some(32));
    let again = ExperienceBootstrap::new().replace_existing(true).create_users(false);
    let again = experience.bootstrap(again).await.unwrap();
    assert_eq!((again.resource_suffix.as_str(), again.email), ("", None));
    experience.delete().keep_users().await.unwrap();
    let left = (users.list().await.unwrap(), groups.list().await.unwrap());
    assert_eq!((left.0.total_count, left.1.total_count), (1, 0));
    experience.delete().await.unwrap();
    assert_eq!(users.list().await.unwrap().total_count, 0);
}

#[tokio::test]
async fn applications() {
    let demo = Demo::start();
    let client = demo.client();
    let made = client
        .applications()
        .create(ApplicationPost::new("Other").description("second"))
        .await
        .unwrap();
    let read = client.application(made.id).get().without_counts().await.unwrap();
    assert_eq!(read.summary.experience_user_count, None);
    client.experience_users(made.id).create(post(1)).await.unwrap();
    let patch = ApplicationPatch::new().name("Renamed").endpoint_default_cors(true);
    let renamed = read.patch(patch).if_unchanged().await.unwrap();
    assert_eq!(
        (renamed.name.as_str(), renamed.summary.experience_user_count),
        ("Renamed", Some(1))
    );
    let found = client.applications().list().summary_include("apiTokenCount").await.unwrap();
    assert_eq!(found.total_count, 2);
    assert!(found.items.iter().all(|app| app.summary.experience_user_count.is_none()));
    client.application(made.id).delete().await.unwrap();
    assert!(made.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn tokens_of_an_application_and_of_an_administrator() {
    let demo = Demo::start();
    let client = demo.client();
    let scope: Scope = "experienceUser.get".parse().unwrap();
    let tokens = client.application_api_tokens(demo.application);
    let made = tokens.create(ApiTokenPost::new("narrow").scope([scope])).await.unwrap();
    let narrow = client.with_token(&Token::new(made.token.clone().unwrap())).unwrap();
    let refused = narrow.experience_users(demo.application).list().await.unwrap_err();
    assert_eq!(refused.status(), Some(403));
    let off = made.patch(ApiTokenPatch::new().status(TokenStatus::Inactive)).await.unwrap();
    assert_eq!((off.status, off.token.as_deref()), (TokenStatus::Inactive, None));
    let refused = narrow.experience_users(demo.application).list().await.unwrap_err();
    assert_eq!(refused.status(), Some(401));
    let list = tokens.list().sort_field(ApiTokenSort::CreationDate).await.unwrap();
    assert_eq!(list.items.iter().map(|token| token.id).collect::<Vec<_>>(), [made.id]);
    client.application_api_token(demo.application, made.id).delete().await.unwrap();
    assert!(made.get().await.unwrap_err().is_not_found());

    let mine = client.user_api_tokens().create(ApiTokenPost::new("mine")).await.unwrap();
    assert_eq!(client.user_api_tokens().list().await.unwrap().total_count, 2);
    assert_eq!(client.user_api_token(mine.id).get().await.unwrap().name, "mine");
    mine.delete().await.unwrap();
}

#[tokio::test]
async fn an_administrator_signs_in_and_changes() {
    let demo = Demo::start();
    let stranger = Client::new(Config::new(&demo.url)).unwrap();
    assert_eq!(stranger.sso_domain(EMAIL).await.unwrap(), None);
    let wrong = stranger.sign_in(EMAIL, "wrong password").await.unwrap_err();
    assert_eq!((wrong.status(), wrong.to_string().as_str()), (Some(401), "Unauthorized"));
    let session = stranger
        .sign_in(EMAIL, PASSWORD)
        .scopes([Scope::ALL_USER])
        .token_ttl(Some(Duration::from_mins(1)))
        .await
        .unwrap();
    let client = stranger.with_token(&Token::new(session.token.unwrap())).unwrap();
    let me = client.me().get().await.unwrap();
    assert_eq!((me.id, me.email.as_str()), (session.user_id, EMAIL));
    let named = me.patch(MePatch::new().first_name("Ada")).if_unchanged().await.unwrap();
    assert_eq!(named.full_name, "Ada");
    assert!(me.patch(MePatch::new()).if_unchanged().await.unwrap_err().has_changed());
    let next = client.me().change_password(PASSWORD, "Another-h0rse").token_ttl(None).await;
    let next = client.with_token(&Token::new(next.unwrap().token.unwrap())).unwrap();
    assert_eq!(next.me().get().await.unwrap().full_name, "Ada");
    let again = next.me().refresh_token().await.unwrap();
    let again = next.with_token(&Token::new(again.token.unwrap())).unwrap();
    assert_eq!(again.me().get().await.unwrap().full_name, "Ada");
    stranger.sign_in(EMAIL, PASSWORD).await.unwrap_err();
    stranger.sign_in(EMAIL, "Another-h0rse").await.unwrap();
}

#[tokio::test]
async fn a_write_under_one_key_is_done_once() {
    let demo = Demo::start();
    let client = demo.client();
    let users = client.experience_users(demo.application);
    let make = || users.create(post(1)).idempotency_key("one");
    assert_eq!(make().await.unwrap().id, make().await.unwrap().id);
    let other = users.create(post(2)).idempotency_key("one").await.unwrap_err();
    assert_eq!(other.status(), Some(422));
    assert_eq!(users.list().await.unwrap().total_count, 1);
}

#[test]
fn threads_that_wait_share_a_client() {
    let demo = Demo::start();
    let client = blocking::Client::new(demo.config()).unwrap();
    let users = client.experience_users(demo.application);
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let users = &users;
            threads.spawn(move || {
                for number in 0..5 {
                    users.create(post(thread * 10 + number)).send().unwrap();
                }
            });
        }
    });
    let all: Result<Vec<_>, _> = users.list().per_page(7).items().collect();
    assert_eq!(all.unwrap().len(), 20);
    let one = client.experience_users(demo.application).list().send().unwrap().items[0].id;
    let user = client.experience_user(demo.application, one).get().send().unwrap();
    user.delete().if_unchanged().send().unwrap();
    assert!(user.get().send().unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_thread_of_a_runtime_may_wait_too() {
    let demo = Demo::start();
    let client = blocking::Client::new(demo.config()).unwrap();
    let reply = client.send(&Request::new(Method::GET, "/me")).unwrap();
    assert_eq!(reply.json::<serde_json::Value>().unwrap()["email"], EMAIL);
}

#[tokio::test]
async fn the_example_does_what_it_says() {
    let demo = Demo::start();
    let users = demo.client().experience_users(demo.application);
    let mut ids = Vec::new();
    for number in 1..=2 {
        ids.push(users.create(post(number)).await.unwrap().id);
    }
    let (mut said, application) = (Vec::new(), demo.application.to_string());
    example::users(&demo.url, EMAIL, PASSWORD, &application, &mut said).await.unwrap();
    let expected = format!(
        "{} user001@example.com\n{} user002@example.com\nuser002@example.com is Some(\"Ada\") now\n",
        ids[0], ids[1]
    );
    assert_eq!(String::from_utf8(said).unwrap(), expected);
}
