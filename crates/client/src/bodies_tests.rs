use super::*;
use guestlist_api::{
    administrator, api_token, application, experience, experience_group, experience_sign_in,
    experience_user, user,
};
use schemars::JsonSchema;
use std::collections::BTreeSet;

/// The fields that a server reads, without those that it always refuses.
fn read<T: JsonSchema>() -> (BTreeSet<String>, BTreeSet<String>) {
    let schema = schemars::schema_for!(T).to_value();
    let fields = schema["properties"].as_object().unwrap().iter();
    let names = fields.filter(|(_, schema)| schema.get("not").is_none());
    let required = schema["required"].as_array().into_iter().flatten();
    (
        names.map(|(name, _)| name.clone()).collect(),
        required.map(|name| name.as_str().unwrap().to_owned()).collect(),
    )
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_field_that_a_server_reads_has_a_function() {
    macro_rules! same {
        ($($body:ident $module:ident $new:expr;)*) => {$(
            let (fields, required) = read::<$module::$body>();
            assert_eq!(names($body::FIELDS), fields, stringify!($body));
            let Value::Object(new) = Value::from($new) else { unreachable!() };
            assert_eq!(new.keys().cloned().collect::<BTreeSet<_>>(), required);
        )*};
    }
    same! {
        ExperienceUserPost experience_user ExperienceUserPost::new("a", "b");
        ExperienceUserPatch experience_user ExperienceUserPatch::new();
        ExperienceGroupPost experience_group ExperienceGroupPost::new("a");
        ExperienceGroupPatch experience_group ExperienceGroupPatch::new();
        ApplicationPost application ApplicationPost::new("a");
        ApplicationPatch application ApplicationPatch::new();
        ApiTokenPost api_token ApiTokenPost::new("a");
        ApiTokenPatch api_token ApiTokenPatch::new();
        ExperienceSignInPatch experience_sign_in ExperienceSignInPatch::new();
        ExperienceBootstrap experience ExperienceBootstrap::new();
        MePatch user MePatch::new();
        AdministratorPatch administrator AdministratorPatch::new();
    }
}

#[test]
fn a_body_is_shown_without_what_it_says() {
    let post = ExperienceUserPost::new("ann@example.com", "secret words").first_name("Ann");
    assert_eq!(format!("{post:?}"), r#"ExperienceUserPost {"email", "password", "firstName"}"#);
    let value = Value::from(post.user_tags([("a", "b")]).field("more", 1));
    assert_eq!(
        value.to_string(),
        r#"{"email":"ann@example.com","password":"secret words","firstName":"Ann","userTags":{"a":"b"},"more":1}"#
    );
}

#[test]
fn nothing_can_be_said_aloud() {
    let value = Value::from(ExperienceGroupPatch::new().parent_id(None));
    assert_eq!(value.to_string(), r#"{"parentId":null}"#);
}
