//! A user as a register: its value is in its names, in its tags and in which groups it is in, where
//! there are any for it, and all of that has to agree whenever it is read.

use serde_json::{Value, json};

/// The groups of the application, in the order of the bits of a value.
pub(crate) type Groups = [String; 3];

/// What a request says to make a user hold `value`: nothing of groups where there are none.
pub(crate) fn fields(value: u64, groups: &[String]) -> Value {
    let word = format!("v{value}");
    let mut fields = json!({
        "firstName": word,
        "lastName": word,
        "userTags": { "value": word, &word: "x".repeat(40) },
    });
    if !groups.is_empty() {
        fields["experienceGroupIds"] = json!(members_of(value, groups));
    }
    fields
}

fn members_of(value: u64, groups: &[String]) -> Vec<&String> {
    groups.iter().enumerate().filter(|(bit, _)| value >> bit & 1 == 1).map(|(_, id)| id).collect()
}

/// What a user holds.
///
/// # Panics
/// When its parts do not agree.
pub(crate) fn value(user: &Value, groups: &[String]) -> u64 {
    let word = user["firstName"].as_str().expect("a name");
    let value = word.strip_prefix('v').and_then(|value| value.parse().ok()).expect("a value");
    let expected = fields(value, groups);
    for name in ["lastName", "userTags"] {
        assert_eq!(user[name], expected[name], "half a write: {user}");
    }
    let mut ids: Vec<&str> = user["experienceGroups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| group["experienceGroupId"].as_str().or(group["id"].as_str()).expect("an id"))
        .collect();
    let mut expected = members_of(value, groups);
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected, "half a write: {user}");
    value
}
