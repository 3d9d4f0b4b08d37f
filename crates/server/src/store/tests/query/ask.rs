//! Queries that find something, as often as not.

use super::population::{
    KEYS, MOMENTS, MOST_GROUPS, MOST_USERS, NAMES, VALUES, email, endpoint_id, group_id, user_id,
};
use guestlist_api::time::DateTime;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const ORDERS: [&str; 6] = ["$eq", "$ne", "$gt", "$lt", "$gte", "$lte"];

fn object(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `plain`, or one or several `operators`.
fn either(
    plain: impl Strategy<Value = Value> + 'static,
    operators: impl Strategy<Value = (&'static str, Value)> + 'static,
    most: usize,
) -> BoxedStrategy<Value> {
    let least = usize::from(most == 1);
    let operators = operators.boxed();
    prop_oneof![
        1 => plain,
        3 => operators.clone().prop_map(|one| object(vec![one])),
        1 => prop::collection::vec(operators, least..=most).prop_map(object),
    ]
    .boxed()
}

fn several(one: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(one, 0..5).prop_map(Value::from)
}

fn words(words: &[&'static str]) -> BoxedStrategy<&'static str> {
    select(words.to_vec()).boxed()
}

/// What is asked of ids of this pool.
fn ids(pool: BoxedStrategy<String>) -> BoxedStrategy<Value> {
    let id = prop_oneof![
        4 => pool.clone(),
        1 => pool.prop_map(|id| id.to_uppercase()),
        1 => Just("77".repeat(12)),
    ];
    let id = id.prop_map(Value::from).boxed();
    let maybe = prop_oneof![5 => id.clone(), 1 => Just(Value::Null)].boxed();
    let operators = prop_oneof![
        4 => (words(&ORDERS), maybe.clone()),
        2 => (words(&["$in", "$nin"]), several(id)),
    ];
    either(maybe, operators, 1)
}

/// What is asked of a text or a moment: values of this pool, and `more` operators.
fn scalars(
    pool: BoxedStrategy<Value>,
    more: BoxedStrategy<(&'static str, Value)>,
) -> BoxedStrategy<Value> {
    let maybe = prop_oneof![6 => pool.clone(), 1 => Just(Value::Null)].boxed();
    let operators = prop_oneof![
        6 => (words(&ORDERS), maybe.clone()),
        2 => (words(&["$in", "$nin"]), several(pool)),
        6 => more,
    ];
    either(maybe, operators, 3)
}

/// Whether letter case matters.
fn case() -> BoxedStrategy<(&'static str, Value)> {
    (Just("$ci"), any::<bool>().prop_map(Value::from)).boxed()
}

fn texts(pool: BoxedStrategy<String>) -> BoxedStrategy<Value> {
    let odd = select(&["2016-06-13", "x", "7", "true"][..]);
    let value = prop_oneof![8 => pool, 1 => odd.prop_map(str::to_owned)];
    let parts =
        ["a", "A", "ada", "Ada", "e", "É", "Σ", "ς", "%", "_", "\\", "@", "i", "00", "ß", "1"];
    let part = select(parts.map(Value::from).to_vec());
    let part = (words(&["$startsWith", "$endsWith", "$contains"]), part);
    scalars(value.prop_map(Value::from).boxed(), prop_oneof![part, case()].boxed())
}

fn names() -> BoxedStrategy<Value> {
    texts(select(&NAMES[..]).prop_map(str::to_owned).boxed())
}

fn emails() -> BoxedStrategy<Value> {
    let address = user_index().prop_map(email);
    texts(
        (address, 0..3)
            .prop_map(|(address, how)| match how {
                0 => address.to_uppercase(),
                _ => address,
            })
            .boxed(),
    )
}

fn moments() -> BoxedStrategy<Value> {
    let written = (select(&MOMENTS[..]), select(&[0, 0, 0, -1, 1_i64][..]), 0..8).prop_map(
        |(moment, off, how)| {
            let millis = moment + off;
            match how {
                0 => json!(DateTime::from_millis(millis).to_string()),
                #[expect(clippy::cast_precision_loss, reason = "moments are below 2^53")]
                1 => json!(millis as f64 + 0.5),
                _ => json!(millis),
            }
        },
    );
    let far = select(vec![json!(1e300), json!(-1e300), json!(u64::MAX)]);
    let odd = select(vec![json!(7), json!(-1.5), json!("2016-06-13")]);
    scalars(prop_oneof![20 => written, 1 => far, 2 => odd].boxed(), case())
}

fn part(pool: &'static [&'static str]) -> BoxedStrategy<Value> {
    let text = prop_oneof![6 => select(pool), 1 => Just("nothing"), 1 => Just("")];
    let text = text.prop_map(Value::from).boxed();
    prop_oneof![
        4 => text.clone(),
        1 => Just(Value::Null),
        2 => several(text.clone()).prop_map(|all| json!({ "$in": all })),
        2 => several(text).prop_map(|all| json!({ "$nin": all })),
    ]
    .boxed()
}

fn tags() -> BoxedStrategy<Value> {
    let pair = (part(&KEYS), part(&VALUES), 0..4).prop_map(|(key, value, which)| match which {
        0 => json!({ "$tagKey": key }),
        1 => json!({ "$tagValue": value }),
        _ => json!({ "$tagKey": key, "$tagValue": value }),
    });
    let named = prop_oneof![8 => select(&KEYS[..]), 1 => Just("a b%$1")];
    let named = prop::collection::vec((named, part(&VALUES)), 0..3).prop_map(object);
    let matcher = prop_oneof![1 => Just(Value::Null), 5 => pair, 5 => named].boxed();
    prop_oneof![
        2 => matcher.clone(),
        1 => matcher.clone().prop_map(|matcher| json!({ "$eq": matcher })),
        1 => matcher.prop_map(|matcher| json!({ "$ne": matcher })),
    ]
    .boxed()
}

fn user_index() -> BoxedStrategy<usize> {
    prop_oneof![3 => 0..8_usize, 1 => 0..MOST_USERS].boxed()
}

fn user_ids() -> BoxedStrategy<Value> {
    ids(user_index().prop_map(|index| user_id(index).to_string()).boxed())
}

fn group_ids() -> BoxedStrategy<Value> {
    ids((0..MOST_GROUPS).prop_map(|index| group_id(index).to_string()).boxed())
}

fn endpoint_ids() -> BoxedStrategy<Value> {
    ids((0..4_usize).prop_map(|index| endpoint_id(index).to_string()).boxed())
}

type Field = (&'static str, BoxedStrategy<Value>);

/// Queries about these fields, up to four deep.
fn queries(fields: Vec<Field>) -> BoxedStrategy<Value> {
    // Several of one field, which are read together.
    let together = fields.iter().map(|(name, test)| {
        let name = *name;
        let one = test.clone().prop_map(move |value| object(vec![(name, value)]));
        (words(&["$and", "$or", "$nor"]), prop::collection::vec(one, 2..6)).boxed()
    });
    let together = proptest::strategy::Union::new(together).boxed();
    let field = fields.into_iter().map(|(name, test)| test.prop_map(move |v| (name, v)).boxed());
    let field = proptest::strategy::Union::new(field).boxed();
    let flat = prop_oneof![
        8 => field.clone().prop_map(|one| object(vec![one])),
        1 => prop::collection::vec(field.clone(), 0..3).prop_map(object),
        3 => together.prop_map(|(how, all)| object(vec![(how, Value::from(all))])),
    ];
    let flat = flat.boxed();
    let deep = flat
        .clone()
        .prop_recursive(3, 24, 3, move |inner| {
            let some = prop::collection::vec(inner.clone(), 1..=2);
            let any = prop::collection::vec(inner, 0..4);
            let several = prop_oneof![3 => some, 1 => any].prop_map(Value::from);
            let logical = (words(&["$and", "$or", "$nor"]), several);
            let plain = prop::option::weighted(0.2, field.clone());
            let logical = prop_oneof![
                4 => logical.clone().prop_map(|one| vec![one]),
                1 => prop::collection::vec(logical, 1..3),
            ];
            (logical, plain).prop_map(|(logical, fields)| {
                let all = logical.into_iter().chain(fields);
                let all = all.map(|(name, value)| (name.to_owned(), value));
                Value::Object(all.collect::<Map<_, _>>())
            })
        })
        .boxed();
    prop_oneof![flat, deep].boxed()
}

pub(super) fn about_users() -> BoxedStrategy<Value> {
    queries(vec![
        ("id", user_ids()),
        ("creationDate", moments()),
        ("lastUpdated", moments()),
        ("firstName", names()),
        ("lastName", names()),
        ("email", emails()),
        ("lastLogin", moments()),
        ("passwordLastUpdated", moments()),
        ("userTags", tags()),
        ("userTags", tags()),
        ("experienceGroupId", group_ids()),
    ])
}

pub(super) fn about_groups() -> BoxedStrategy<Value> {
    queries(vec![
        ("id", group_ids()),
        ("creationDate", moments()),
        ("lastUpdated", moments()),
        ("name", names()),
        ("parentId", group_ids()),
        ("ancestorId", group_ids()),
        ("ancestorId", group_ids()),
        ("groupTags", tags()),
        ("experienceUserId", user_ids()),
        ("experienceEndpointId", endpoint_ids()),
    ])
}
