//! How users of an application sign in, against the real server.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod demo;

use demo::Demo;
use guestlist_client::Error;
use guestlist_client::bodies::{ExperienceGroupPost, ExperienceSignInPatch, ExperienceUserPost};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn users_sign_in_and_their_tokens_end() {
    let demo = Demo::start();
    let client = demo.client();
    let users = client.experience_users(demo.application);
    let ann = users.create(ExperienceUserPost::new("ann@example.com", "a password")).await.unwrap();
    let group = client.experience_groups(demo.application);
    let staff = group.create(ExperienceGroupPost::new("Staff").experience_user_ids([ann.id]));
    let staff = staff.await.unwrap();
    let (app, one) =
        (client.experience(demo.application), client.experience_user(demo.application, ann.id));
    let here = Some("192.0.2.1".parse().unwrap());
    let extra = json!({ "role": "x" }).as_object().unwrap().clone();
    let signed_in = app
        .authenticate("ann@example.com", "a password")
        .coming_from(here, Some("a cookie of her browser"))
        .max_age(Duration::from_mins(1))
        .extra_data(extra.clone())
        .await
        .unwrap();
    assert_eq!(signed_in.experience_user.id, ann.id);
    let token = signed_in.token.unwrap();
    let verified = app.verify_token(&token).email("ann@example.com").await.unwrap();
    assert_eq!((verified.active, verified.extra_data.map(|it| it.0)), (true, Some(extra)));
    let again = app.authenticate_by_token(&token).of_user("ann@example.com", Some("a password"));
    assert!(again.without_token().await.unwrap().token.is_none());
    let refused = app.authenticate("ann@example.com", "another one").await.unwrap_err();
    assert!(matches!(refused, Error::Status { status: 401, .. }));

    let made = one.make_token().actor("support").treat_as_login().await.unwrap();
    assert!(app.verify_token(&made.token).await.unwrap().active);
    let made = app.make_token_for(ann.id.to_string()).invalidate_existing_tokens();
    let alone = made.await.unwrap().token.unwrap();
    assert_eq!(app.make_token_for("nobody@example.com").await.unwrap().token, None);
    let third = one.make_token().await.unwrap().token;
    let good = [&token, &third, &alone].map(|token| app.verify_token(token));
    let mut active = Vec::new();
    for call in good {
        active.push(call.await.unwrap().active);
    }
    assert_eq!(active, [false, true, true]);
    assert!(one.end_tokens().await.unwrap().success);
    assert!(!app.verify_token(&alone).await.unwrap().active);
    assert!(one.verify_group(staff.id).await.unwrap().member);

    let next = app.rotate_key().await.unwrap();
    assert_eq!(app.keys().await.unwrap().items[0], next);
    let current = app.rotate_key().immediately().await.unwrap();
    let old = app.keys().await.unwrap().items[1].kid.clone();
    assert_eq!(current.kid, next.kid);
    app.withdraw_key(&old).await.unwrap();
    assert_eq!(app.keys().await.unwrap().count, 1);

    let settings = app.sign_in().get().await.unwrap();
    assert!(!settings.settings.pages);
    let patch =
        ExperienceSignInPatch::new().display_name("Ann's".to_owned()).locales(["de".into()]);
    let settings = settings.patch(patch).if_unchanged().await.unwrap();
    assert_eq!(settings.settings.display_name.as_deref(), Some("Ann's"));
}
