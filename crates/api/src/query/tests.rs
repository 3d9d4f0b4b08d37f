use super::{Clause, Comparison, IdTest, Json, MOST_CONDITIONS, MOST_DEPTH, Query, TagTest};
use super::{GroupQuery, UserCondition, UserQuery};
use crate::wire;
use serde_json::{Value, json};

fn problems(query: &Value) -> Vec<String> {
    let text = Value::from(query.to_string());
    let problems = wire::read::<Json<UserQuery>>("query", text).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn accepts(query: Value) -> bool {
    wire::read::<UserQuery>("query", query).is_ok()
}

#[test]
fn what_is_no_json_is_of_the_wrong_type() {
    for text in ["null", "[]", "7", "\"{}\""] {
        let problems = wire::read::<Json<UserQuery>>("query", text.into()).unwrap_err();
        assert_eq!(problems[0].to_string(), "query is the wrong type", "{text}");
    }
    for (text, why) in [
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("error", "expected value at line 1 column 1"),
        ("{'a': 1}", "key must be a string at line 1 column 2"),
        ("{} {}", "trailing characters at line 1 column 4"),
        ("{\n  \"a\": 1,\n}", "trailing comma at line 3 column 1"),
    ] {
        let problems = wire::read::<Json<UserQuery>>("query", text.into()).unwrap_err();
        assert_eq!(problems[0].to_string(), format!("query is the wrong type: no JSON, {why}"));
    }
    for other in [json!({}), json!(["{}", "{}"]), json!({ "[email]": "a" })] {
        let problems = wire::read::<Json<UserQuery>>("query", other).unwrap_err();
        assert_eq!(problems[0].to_string(), "query is the wrong type");
    }
}

#[test]
fn a_mistake_is_named_where_it_is() {
    const ID: &str = "0123456789abcdef01234567";
    let lots = vec![json!("a"); 101];
    for (query, message) in [
        (json!({ "shoeSize": 7 }), "query.shoeSize is an additional property"),
        (json!({ "$and": {} }), "query.$and is the wrong type"),
        (json!({ "$or": [{}, 7] }), "query.$or.1 is the wrong type"),
        (json!({ "$nor": vec![json!({}); 101] }), "query.$nor has more items than allowed"),
        (
            json!({ "$and": [{ "$or": [{ "firstName": { "$like": "x" } }] }] }),
            "query.$and.0.$or.0.firstName.$like is an additional property",
        ),
        (json!({ "firstName": [] }), "query.firstName is the wrong type"),
        (json!({ "firstName": { "$eq": {} } }), "query.firstName.$eq is the wrong type"),
        (json!({ "firstName": { "$ci": 1 } }), "query.firstName.$ci is the wrong type"),
        (
            json!({ "email": { "$contains": "" } }),
            "query.email.$contains has less length than allowed",
        ),
        (json!({ "email": { "$contains": 1 } }), "query.email.$contains is the wrong type"),
        (json!({ "email": { "$in": ["a", null] } }), "query.email.$in.1 is the wrong type"),
        (json!({ "email": { "$nin": lots } }), "query.email.$nin has more items than allowed"),
        (json!({ "email": "a\0" }), "query.email must not contain U+0000"),
        (json!({ "id": "x" }), "query.id pattern mismatch"),
        (json!({ "id": 7 }), "query.id is the wrong type"),
        (json!({ "id": {} }), "query.id has less properties than allowed"),
        (json!({ "id": { "$eq": ID, "$ne": ID } }), "query.id has more properties than allowed"),
        (json!({ "id": { "$in": [ID, "x"] } }), "query.id.$in.1 pattern mismatch"),
        (json!({ "id": { "$contains": "a" } }), "query.id.$contains is an additional property"),
        (json!({ "userTags": "a" }), "query.userTags is the wrong type"),
        (json!({ "userTags": { "a": 1 } }), "query.userTags.a is the wrong type"),
        (json!({ "userTags": { "a": {} } }), "query.userTags.a.$in is required"),
        (
            json!({ "userTags": { "a": { "$in": [], "$nin": [] } } }),
            "query.userTags.a.$nin is an additional property",
        ),
        (
            json!({ "userTags": { "a": { "$gt": "b" } } }),
            "query.userTags.a.$gt is an additional property",
        ),
        (json!({ "userTags": { " a": "b" } }), "query.userTags. a is an additional property"),
        (
            json!({ "userTags": { "$tagKey": "a", "b": "c" } }),
            "query.userTags.b is an additional property",
        ),
        (
            json!({ "userTags": { "$tagValue": "a".repeat(256) } }),
            "query.userTags.$tagValue has longer length than allowed",
        ),
        (
            json!({ "userTags": { "$ne": { "$tagKey": 1 } } }),
            "query.userTags.$ne.$tagKey is the wrong type",
        ),
        (
            json!({ "userTags": { "$ne": null, "$eq": null } }),
            "query.userTags.$eq is an additional property",
        ),
    ] {
        assert_eq!(problems(&query), [message], "{query}");
    }
}

#[test]
fn what_a_field_can_never_be_is_refused() {
    const HOW: &str = "write a date such as 2026-01-31 or 2026-01-31T18:30:00Z, or milliseconds \
                       since 1970 as a number";
    const SPACE: &str = "there is a space before the offset: in a URL its + is sent as %2B";
    let no_date = |at: &str, why: &str| format!("query.{at} must be date-time format: {why}");
    for (query, message) in [
        (json!({ "creationDate": "2026-11" }), no_date("creationDate", HOW)),
        (json!({ "creationDate": "" }), no_date("creationDate", HOW)),
        (json!({ "creationDate": "2026-02-30" }), no_date("creationDate", HOW)),
        (json!({ "creationDate": "0000-01-01" }), no_date("creationDate", HOW)),
        (json!({ "creationDate": "1612189931000" }), no_date("creationDate", HOW)),
        (json!({ "lastLogin": { "$gt": "yesterday" } }), no_date("lastLogin.$gt", HOW)),
        (json!({ "lastUpdated": { "$nin": [1, "x"] } }), no_date("lastUpdated.$nin.1", HOW)),
        (
            json!({ "$nor": [{ "passwordLastUpdated": { "$lt": "2026-11-27T10:00:00 01:00" } }] }),
            no_date("$nor.0.passwordLastUpdated.$lt", SPACE),
        ),
        (json!({ "creationDate": "2026-11-27 10:00 0100" }), no_date("creationDate", HOW)),
        (json!({ "creationDate": "2026-11-27 10:00:00 0100" }), no_date("creationDate", SPACE)),
        (json!({ "creationDate": true }), format!("query.creationDate is the wrong type: {HOW}")),
        (json!({ "creationDate": "a\0" }), "query.creationDate must not contain U+0000".into()),
        (
            json!({ "creationDate": { "$contains": "2026" } }),
            "query.creationDate.$contains is an additional property: a date has no parts: use \
             $gte and $lt"
                .into(),
        ),
        (
            json!({ "firstName": 7 }),
            "query.firstName is the wrong type: this field is text, so write \"7\"".into(),
        ),
        (
            json!({ "email": { "$ne": true } }),
            "query.email.$ne is the wrong type: this field is text, so write \"true\"".into(),
        ),
    ] {
        assert_eq!(problems(&query), [message], "{query}");
    }
    for good in [
        json!({ "creationDate": "2026-11-27" }),
        json!({ "creationDate": "2026-11-27 10:00:00" }),
        json!({ "creationDate": { "$gt": "2026-11-27T10:00:00+01:00", "$ci": true } }),
        json!({ "creationDate": { "$lt": 1.5e300, "$ne": null } }),
    ] {
        assert!(accepts(good.clone()), "{good}");
    }
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_text() {
    let query = json!({ "zip": 1, "email": { "$eq": [], "$ci": 0 }, "$and": [{ "id": "x" }, 1] });
    let told = [
        "query.zip is an additional property",
        "query.email.$eq is the wrong type",
        "query.email.$ci is the wrong type",
        "query.$and.0.id pattern mismatch",
        "query.$and.1 is the wrong type",
    ];
    assert_eq!(problems(&query), told);
}

#[test]
fn each_kind_has_its_own_fields() {
    let group = json!({ "name": "a", "parentId": null, "groupTags": null });
    assert!(wire::read::<GroupQuery>("query", group.clone()).is_ok());
    assert!(!accepts(group));
}

#[test]
fn a_query_is_so_deep_at_most() {
    let nested = |levels: usize| (1..levels).fold(json!({}), |query, _| json!({ "$and": [query] }));
    assert!(accepts(nested(MOST_DEPTH)));
    let path = ".$and.0".repeat(MOST_DEPTH);
    let message = format!("query{path} must not be nested more than 20 deep");
    assert_eq!(problems(&nested(MOST_DEPTH + 1)), [message]);
    // The depth is that of the deepest, not of all together.
    assert!(accepts(json!({ "$or": vec![nested(MOST_DEPTH - 1); 5] })));
}

#[test]
fn a_query_is_so_large_at_most() {
    let message = ["query must not hold more than 500 conditions"];
    let several = |count: usize| json!({ "email": { "$in": vec!["a"; count] } });
    let five = |last: usize| {
        // Each of the five costs one, and so does each address.
        let mut all = vec![several(99); 4];
        all.push(several(last));
        json!({ "$or": all })
    };
    assert!(accepts(five(99)));
    assert_eq!(problems(&five(100)), message);
    // None is as much to ask as one.
    let none = vec![json!({ "userTags": { "a": { "$in": [] } } }); 100];
    assert_eq!(MOST_CONDITIONS, 500);
    assert!(accepts(json!({ "$or": none })));
    assert_eq!(problems(&json!({ "$or": none, "$and": none })), message);
    let empty = vec![json!({}); 100];
    assert!(accepts(json!({ "$and": vec![json!({ "$and": empty }); 4] })));
    assert_eq!(problems(&json!({ "$and": vec![json!({ "$and": empty }); 5] })), message);
}

#[test]
fn a_bare_value_is_an_equality() {
    let read = |query| wire::read::<UserQuery>("query", query).unwrap();
    assert_eq!(read(json!({ "email": "a" })), read(json!({ "email": { "$eq": "a" } })));
    assert_eq!(read(json!({ "userTags": null })), read(json!({ "userTags": { "$eq": null } })));
    let none = Clause::Field(UserCondition::Id(IdTest::Compare(Comparison::Eq, None)));
    assert_eq!(read(json!({ "id": null })), Query(vec![none]));
    let tags = Clause::Field(UserCondition::UserTags(TagTest::Ne(None)));
    assert_eq!(read(json!({ "userTags": { "$ne": null } })), Query(vec![tags]));
}
