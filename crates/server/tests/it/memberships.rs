//! Who is in which groups, as it is answered.

use crate::world::World;
use guestlist::tokens::rows::Principal;
use guestlist_api::experience_group::ExperienceGroup;
use serde_json::{Value, json};

/// One statement reads a user with its first few groups, and another what it is in beyond those.
#[test]
fn a_user_is_answered_with_all_its_groups_however_many_there_are() {
    let world = World::new();
    let application = world.application("own");
    let token = world.token(Principal::Application(application), "all.Application");
    // Neither made in the order of their names nor all of different names.
    let groups: Vec<ExperienceGroup> = (0..40)
        .map(|index| world.group(application, json!({ "name": format!("g{:02}", index * 7 % 20) })))
        .collect();
    for count in [0, 1, 15, 16, 17, 18, 40] {
        let within: Vec<&ExperienceGroup> = groups.iter().take(count).collect();
        let body = json!({ "email": format!("in{count}@example.com") });
        let user = world.user(application, body, &within);
        let target = format!("/applications/{application}/experience/users/{}", user.id);
        let found = world.get(&token, &target).expect(200).json();
        let mut expected = within.clone();
        expected.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        let id = |group: &Value| group["id"].as_str().unwrap().to_owned();
        let found: Vec<String> =
            found["experienceGroups"].as_array().unwrap().iter().map(id).collect();
        let expected: Vec<String> = expected.iter().map(|group| group.id.to_string()).collect();
        assert_eq!(found, expected, "{count}");
    }
}
