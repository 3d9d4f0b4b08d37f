//! What a query means, said once more: over the JSON as it is sent and the things as they are
//! answered, with nothing of the server's.

use super::population::Population;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;
use serde_json::Value;
use std::cmp::Ordering;

/// The value of a field.
enum Field<'a> {
    Text(Option<&'a str>),
    Moment(Option<DateTime>),
    /// One id, or none.
    Id(Option<String>),
    /// Any number of ids.
    Ids(Vec<String>),
    Tags(&'a Tags),
}

/// Whether `query` holds of something whose fields `field` gives.
fn holds<'a>(query: &Value, field: &impl Fn(&str) -> Field<'a>) -> bool {
    let clauses = query.as_object().expect("a query is an object");
    clauses.iter().all(|(name, value)| {
        let among = |inner: &[Value]| inner.iter().any(|query| holds(query, field));
        match (name.as_str(), value.as_array()) {
            ("$and", Some(inner)) => inner.iter().all(|query| holds(query, field)),
            ("$or", Some(inner)) => inner.is_empty() || among(inner),
            ("$nor", Some(inner)) => !inner.is_empty() && !among(inner),
            (name, _) => asked(&field(name), value),
        }
    })
}

/// Whether what `test` asks of `field` is so.
fn asked(field: &Field<'_>, test: &Value) -> bool {
    if let Field::Tags(tags) = field {
        return tagged(tags, test);
    }
    let Some(operators) = test.as_object() else { return one(field, "$eq", test, false) };
    let any_case = operators.get("$ci") == Some(&Value::Bool(true));
    operators.iter().all(|(word, value)| word == "$ci" || one(field, word, value, any_case))
}

/// Whether one operator holds.
fn one(field: &Field<'_>, word: &str, operand: &Value, any_case: bool) -> bool {
    match (word, operand) {
        ("$ne", _) => !one(field, "$eq", operand, any_case),
        ("$in", Value::Array(all)) => all.iter().any(|value| one(field, "$eq", value, any_case)),
        ("$nin", _) => !one(field, "$in", operand, any_case),
        ("$eq", Value::Null) => match field {
            Field::Text(value) => value.is_none(),
            Field::Moment(value) => value.is_none(),
            Field::Id(value) => value.is_none(),
            Field::Ids(all) => all.is_empty(),
            Field::Tags(_) => unreachable!("tags have a meaning of their own"),
        },
        ("$startsWith" | "$endsWith" | "$contains", Value::String(part)) => {
            let Field::Text(Some(text)) = field else { return false };
            let (text, part) = (folded(text, any_case), folded(part, any_case));
            match word {
                "$startsWith" => text.starts_with(&part),
                "$endsWith" => text.ends_with(&part),
                _ => text.contains(&part),
            }
        }
        _ => compared(field, operand, any_case).into_iter().any(|order| match word {
            "$eq" => order.is_eq(),
            "$gt" => order.is_gt(),
            "$lt" => order.is_lt(),
            "$gte" => order.is_ge(),
            "$lte" => order.is_le(),
            other => panic!("no operator {other}"),
        }),
    }
}

/// How what is in the field compares with `operand`: nothing where it cannot.
fn compared(field: &Field<'_>, operand: &Value, any_case: bool) -> Vec<Ordering> {
    match (field, operand) {
        (Field::Text(Some(text)), Value::String(other)) => {
            vec![folded(text, any_case).cmp(&folded(other, any_case))]
        }
        (Field::Moment(Some(moment)), other) => {
            #[expect(clippy::cast_precision_loss, reason = "moments are below 2^53")]
            let moment = moment.millis() as f64;
            number(other).into_iter().map(|other| moment.total_cmp(&other)).collect()
        }
        (Field::Id(Some(id)), Value::String(other)) => vec![id.cmp(&other.to_lowercase())],
        (Field::Ids(all), Value::String(other)) => {
            all.iter().map(|id| id.cmp(&other.to_lowercase())).collect()
        }
        _ => Vec::new(),
    }
}

/// `value` as milliseconds, if it is a moment.
fn number(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "moments are below 2^53")]
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.len() == 10 => number(&format!("{text}T00:00:00Z").into()),
        Value::String(text) => text.parse::<DateTime>().ok().map(|moment| moment.millis() as f64),
        _ => None,
    }
}

/// Character by character, where that makes one of one; the end of a Greek word is not minded.
fn folded(text: &str, any_case: bool) -> String {
    if !any_case {
        return text.to_owned();
    }
    let fold = |c: char| {
        let lower: Vec<char> = c.to_lowercase().collect();
        match lower[..] {
            ['ς'] => 'σ',
            [one] => one,
            _ => c,
        }
    };
    text.chars().map(fold).collect()
}

fn tagged(tags: &Tags, test: &Value) -> bool {
    match test.as_object() {
        None => tags.0.is_empty(),
        Some(test) => match (test.get("$eq"), test.get("$ne")) {
            (Some(matcher), _) => tagged(tags, matcher),
            (_, Some(matcher)) => !tagged(tags, matcher),
            _ if test.contains_key("$tagKey") || test.contains_key("$tagValue") => {
                pair(tags, test.get("$tagKey"), test.get("$tagValue"))
            }
            _ => test.iter().all(|(name, part)| {
                let value = tags.0.get(name).map(String::as_str);
                match (value, part) {
                    (value, Value::Null) => value.is_none(),
                    (None, part) => part.get("$nin").is_some(),
                    (Some(value), part) => negative(part) != listed(part, value),
                }
            }),
        },
    }
}

/// Whether `part` asks for what is not there.
fn negative(part: &Value) -> bool {
    part.is_null() || part.get("$nin").is_some()
}

/// Whether `text` is what `part` names, to have or to miss; `null` names everything.
fn listed(part: &Value, text: &str) -> bool {
    let list = part.get("$in").or(part.get("$nin"));
    match list.and_then(Value::as_array) {
        Some(all) => all.iter().any(|one| one == text),
        None => part.is_null() || part == text,
    }
}

fn pair(tags: &Tags, key: Option<&Value>, value: Option<&Value>) -> bool {
    let names = |half: Option<&Value>, text: &str| half.is_none_or(|part| listed(part, text));
    let mut tags = tags.0.iter();
    match (key.is_some_and(negative), value.is_some_and(negative)) {
        (false, false) => tags.any(|(k, v)| names(key, k) && names(value, v)),
        (true, true) => tags.all(|(k, v)| !names(key, k) && !names(value, v)),
        _ => tags.all(|(k, v)| !(names(key, k) && names(value, v))),
    }
}

/// The users of whom `query` holds.
pub(super) fn users<'p>(query: &Value, population: &'p Population) -> Vec<&'p ExperienceUser> {
    let of = |user: &ExperienceUser| {
        holds(query, &|name| match name {
            "id" => Field::Id(Some(user.id.to_string())),
            "creationDate" => Field::Moment(Some(user.creation_date)),
            "lastUpdated" => Field::Moment(Some(user.last_updated)),
            "firstName" => Field::Text(user.first_name.as_deref()),
            "lastName" => Field::Text(user.last_name.as_deref()),
            "email" => Field::Text(Some(&user.email)),
            "lastLogin" => Field::Moment(user.last_login),
            "passwordLastUpdated" => Field::Moment(user.password_last_updated),
            "userTags" => Field::Tags(&user.user_tags),
            "experienceGroupId" => {
                Field::Ids(user.experience_groups.iter().map(|g| g.id.to_string()).collect())
            }
            other => panic!("no field {other}"),
        })
    };
    population.users.iter().filter(|user| of(user)).collect()
}

/// Whether each of `words` is in the address or a name of `user`.
pub(super) fn has(user: &ExperienceUser, words: &str) -> bool {
    let texts = [Some(&user.email), user.first_name.as_ref(), user.last_name.as_ref()];
    let texts: Vec<_> = texts.into_iter().flatten().map(|text| folded(text, true)).collect();
    words.split(' ').all(|word| texts.iter().any(|text| text.contains(&folded(word, true))))
}

/// The groups of which `query` holds.
pub(super) fn groups<'p>(query: &Value, population: &'p Population) -> Vec<&'p ExperienceGroup> {
    let of = |group: &ExperienceGroup| {
        holds(query, &|name| match name {
            "id" => Field::Id(Some(group.id.to_string())),
            "creationDate" => Field::Moment(Some(group.creation_date)),
            "lastUpdated" => Field::Moment(Some(group.last_updated)),
            "name" => Field::Text(Some(&group.name)),
            "parentId" => Field::Id(group.parent_id.map(|id| id.to_string())),
            "ancestorId" => Field::Ids(strings(&group.ancestor_ids)),
            "groupTags" => Field::Tags(&group.group_tags),
            "experienceUserId" => {
                Field::Ids(strings(group.experience_user_ids.as_deref().unwrap_or_default()))
            }
            "experienceEndpointId" => Field::Ids(strings(&group.experience_endpoint_ids)),
            other => panic!("no field {other}"),
        })
    };
    population.groups.iter().filter(|group| of(group)).collect()
}

fn strings<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// How `user` sorts by `field`: what is missing first, text without regard to case.
pub(super) fn user_key(user: &ExperienceUser, field: &str) -> (Option<String>, Option<DateTime>) {
    let text = |text: &str| Some(folded(text, true));
    match field {
        "email" => (text(&user.email), None),
        "firstName" => (user.first_name.as_deref().and_then(text), None),
        "lastName" => (user.last_name.as_deref().and_then(text), None),
        "creationDate" => (None, Some(user.creation_date)),
        "lastUpdated" => (None, Some(user.last_updated)),
        "lastLogin" => (None, user.last_login),
        _ => (None, None),
    }
}

/// The same of `group`.
pub(super) fn group_key(
    group: &ExperienceGroup,
    field: &str,
) -> (Option<String>, Option<DateTime>) {
    match field {
        "name" => (Some(folded(&group.name, true)), None),
        "creationDate" => (None, Some(group.creation_date)),
        "lastUpdated" => (None, Some(group.last_updated)),
        _ => (None, None),
    }
}
