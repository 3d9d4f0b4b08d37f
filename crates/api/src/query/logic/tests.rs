use super::super::{
    Asked, End, GroupQuery, Json, Like, Logic, MOST_APART, TagBox, TagBoxes, UserQuery, UserTerm,
    Values,
};
use crate::wire;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn logic(query: &Value) -> Logic<UserTerm> {
    wire::read::<UserQuery>("query", query.clone()).unwrap().logic()
}

fn id(number: usize) -> String {
    format!("{number:024}")
}

/// The one term that `query` comes to.
fn term(query: &Value) -> UserTerm {
    match logic(query) {
        Logic::Field(term) => term,
        other => panic!("{query} is {other:?}"),
    }
}

fn groups(query: &Value) -> (bool, Values<crate::id::ObjectId>) {
    match term(query) {
        UserTerm::ExperienceGroupId(Asked { holds, values }) => (holds, values),
        other => panic!("{query} is {other:?}"),
    }
}

fn tags(query: &Value) -> (bool, Vec<TagBox>) {
    match term(query) {
        UserTerm::UserTags(Asked { holds, values: TagBoxes(boxes) }) => (holds, boxes),
        other => panic!("{query} is {other:?}"),
    }
}

#[test]
fn what_is_said_twice_is_asked_once() {
    let one = json!({ "email": { "$contains": "a" } });
    for query in [
        json!({ "$and": [one, one, { "$or": [one] }] }),
        json!({ "$or": [one, { "$and": [one, one] }] }),
        json!({ "$nor": [{ "$nor": [one] }] }),
        json!({ "$and": [{}, one, { "$or": [] }] }),
        json!({ "$or": [one, { "$nor": [] }, { "id": { "$in": [] } }] }),
    ] {
        assert_eq!(logic(&query), logic(&one), "{query}");
    }
    assert_eq!(logic(&json!({ "$or": [one, {}] })), Logic::ALWAYS);
    assert_eq!(logic(&json!({ "$and": [one, { "$nor": [{}] }] })), Logic::NEVER);
    assert_eq!(logic(&json!({ "creationDate": { "$gt": null } })), Logic::NEVER);
    assert_eq!(logic(&json!({ "creationDate": { "$ne": 0.5 } })), Logic::ALWAYS);
    assert_eq!(logic(&json!({ "userTags": { "a": { "$nin": [] } } })), Logic::ALWAYS);
}

#[test]
fn bounds_of_one_field_are_one() {
    let dates = |all: &[(&str, i64)]| {
        all.iter().map(|(word, at)| json!({ "creationDate": { *word: at } })).collect::<Vec<_>>()
    };
    let end = |at, with| Some(End { at, with });
    for (query, holds, above, below) in [
        (
            json!({ "$and": dates(&[("$gt", 3), ("$gt", 5), ("$gte", 5)]) }),
            true,
            end(5, false),
            None,
        ),
        (json!({ "$or": dates(&[("$gt", 3), ("$gte", 3), ("$gt", 5)]) }), true, end(3, true), None),
        (json!({ "$or": dates(&[("$gt", 7), ("$lt", 3)]) }), true, end(7, false), end(3, false)),
        (
            json!({ "$nor": dates(&[("$lt", 3), ("$lte", 3), ("$gt", 9)]) }),
            false,
            end(9, false),
            end(3, true),
        ),
        (
            json!({ "$and": dates(&[("$gt", 3)]), "creationDate": { "$gte": 3.5 } }),
            true,
            end(3, false),
            None,
        ),
    ] {
        let UserTerm::CreationDate(asked) = term(&query) else { panic!("{query}") };
        let Asked { holds: is, values } = asked;
        assert_eq!((is, values.above, values.below), (holds, above, below), "{query}");
    }
    let email = |ci: bool| {
        let one = |text: &str| json!({ "email": { "$gt": text, "$ci": ci } });
        logic(&json!({ "$and": [one("B"), one("a")] }))
    };
    assert!(matches!(email(false), Logic::Field(_)));
    // Which of the two comes first when they are folded is not known here.
    assert!(matches!(email(true), Logic::All(all) if all.len() == 2));
}

#[test]
fn conditions_on_many_groups_are_one() {
    let all = |word: &str| {
        (0..30).map(|n| json!({ "experienceGroupId": { word: id(n) } })).collect::<Vec<_>>()
    };
    let (holds, values) = groups(&json!({ "$nor": all("$gt") }));
    assert_eq!(
        (holds, values.above),
        (false, Some(End { at: id(0).parse().unwrap(), with: false }))
    );
    let (holds, values) = groups(&json!({ "$and": all("$gt") }));
    assert_eq!(
        (holds, values.above),
        (true, Some(End { at: id(29).parse().unwrap(), with: false }))
    );
    for (query, expected) in [
        (json!({ "$or": all("$eq") }), true),
        (json!({ "$nor": all("$eq") }), false),
        (json!({ "$and": all("$ne") }), false),
        (json!({ "$nor": [{ "$and": all("$ne") }] }), true),
    ] {
        let (holds, values) = groups(&query);
        assert_eq!(
            (holds, values.some.len(), values.are_single()),
            (expected, 30, true),
            "{query}"
        );
    }
    // Somebody may be in both, and in neither.
    let both = logic(&json!({ "$and": &all("$eq")[..20] }));
    assert!(matches!(&both, Logic::All(all) if all.len() == 20), "{both:?}");
}

#[test]
fn conditions_on_many_tags_are_one() {
    let texts = |all: &[&str]| Some(all.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
    let (holds, boxes) = tags(&json!({ "$or": [
        { "userTags": { "a": "1" } },
        { "userTags": { "a": { "$in": ["2", "3"] } } },
        { "userTags": { "$tagKey": "a", "$tagValue": "4" } },
    ] }));
    assert!(holds);
    assert_eq!(boxes, [TagBox { keys: texts(&["a"]), values: texts(&["1", "2", "3", "4"]) }]);
    let (holds, boxes) = tags(&json!({ "$nor": [
        { "userTags": { "$tagKey": "a" } },
        { "userTags": { "$tagKey": { "$in": ["a", "b"] } } },
        { "userTags": { "a": "5" } },
    ] }));
    assert!(!holds);
    assert_eq!(boxes, [TagBox { keys: texts(&["a", "b"]), values: None }]);
    let neither = json!({ "$tagKey": { "$nin": ["a"] }, "$tagValue": { "$nin": ["x"] } });
    let (holds, boxes) = tags(&json!({ "userTags": neither }));
    assert!(!holds && boxes.len() == 2);
}

/// A list of ids or tags may fulfil one condition with one of them, and another with another.
#[test]
fn what_cannot_be_read_together_is_bounded() {
    let many = |count: usize| {
        let one = |n| json!({ "userTags": { format!("k{n}"): "v" } });
        json!({ "$and": (0..count).map(one).collect::<Vec<_>>() })
    };
    assert!(wire::read::<UserQuery>("query", many(MOST_APART)).is_ok());
    let text = many(MOST_APART + 1).to_string();
    let problems = wire::read::<Json<UserQuery>>("query", text.into()).unwrap_err();
    let rule = format!(
        "query must not hold more than {MOST_APART} conditions on tags or lists of ids that cannot be \
         read together"
    );
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [rule]);
    // Ids of things themselves are no lists.
    let ids = (0..90).map(|n| json!({ "$or": [{ "id": id(n) }, { "email": format!("{n}") }] }));
    assert!(wire::read::<UserQuery>("query", json!({ "$and": ids.collect::<Vec<_>>() })).is_ok());
    let parents =
        (0..90).map(|n| json!({ "$or": [{ "parentId": id(n) }, { "name": format!("{n}") }] }));
    assert!(
        wire::read::<GroupQuery>("query", json!({ "$and": parents.collect::<Vec<_>>() })).is_ok()
    );
}

#[test]
fn letter_case_is_kept_apart() {
    let one = |text: &str, ci: bool| json!({ "email": { "$eq": text, "$ci": ci } });
    let query =
        json!({ "$or": [one("a", true), one("b", true), one("A", false), one("B", false)] });
    let Logic::Any(terms) = logic(&query) else { panic!("one of two") };
    let count = |term: &Logic<UserTerm>| match term {
        Logic::Field(UserTerm::Email(asked)) => match &asked.values.like {
            Like::Whole(values) => values.some.len(),
            _ => 0,
        },
        _ => 0,
    };
    assert_eq!(terms.iter().map(count).collect::<Vec<_>>(), [2, 2]);
}
