//! The reader of queries against the published schemas, as for bodies.
//!
//! A schema says of a value that may be written in several ways that it fits none of them, and what
//! each way has against it. Of all that the reader tells some: where it says something, the schema
//! says so too.

use super::asked::{Field, queries};
use super::complaints::{self, Complaint};
use super::{CASES, differences, published};
use guestlist_api::query::{
    Clause, Comparison, Condition, GroupCondition, GroupQuery, IdTest, IdsTest, Instant,
    MomentTest, Query, TagMatcher, TagPart, TagTest, TextOperator, TextTest, UserCondition,
    UserQuery, ValueTest,
};
use guestlist_api::time::DateTime;
use guestlist_api::wire::{self, Wire};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// A condition that can be written again.
trait Back: Condition + Clone + Debug {
    fn back(&self) -> (&'static str, Value);
}

macro_rules! fields {
    ($($kind:ident { $($field:ident $name:literal)* })*) => {$(
        impl Back for $kind {
            fn back(&self) -> (&'static str, Value) {
                match self { $(Self::$field(test) => ($name, test.again()),)* }
            }
        }
    )*};
}

fields! {
    UserCondition {
        Id "id" CreationDate "creationDate" LastUpdated "lastUpdated" FirstName "firstName"
        LastName "lastName" Email "email" LastLogin "lastLogin"
        PasswordLastUpdated "passwordLastUpdated" UserTags "userTags"
        ExperienceGroupId "experienceGroupId"
    }
    GroupCondition {
        Id "id" CreationDate "creationDate" LastUpdated "lastUpdated" Name "name"
        ParentId "parentId" AncestorId "ancestorId" GroupTags "groupTags"
        ExperienceUserId "experienceUserId" ExperienceEndpointId "experienceEndpointId"
    }
}

/// A test that can be written again, a bare value as an equality.
trait Again {
    fn again(&self) -> Value;
}

const fn word(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "$eq",
        Comparison::Ne => "$ne",
        Comparison::Gt => "$gt",
        Comparison::Lt => "$lt",
        Comparison::Gte => "$gte",
        Comparison::Lte => "$lte",
    }
}

fn strings<T: ToString>(all: &[T]) -> Value {
    all.iter().map(|one| Value::from(one.to_string())).collect()
}

impl Again for IdTest {
    fn again(&self) -> Value {
        match self {
            Self::Compare(how, id) => json!({ word(*how): id.map(|id| id.to_string()) }),
            Self::In(ids) => json!({ "$in": strings(&ids.0) }),
            Self::Nin(ids) => json!({ "$nin": strings(&ids.0) }),
        }
    }
}

impl Again for IdsTest {
    fn again(&self) -> Value {
        self.0.again()
    }
}

fn value_test<V>(test: &ValueTest<V>, back: fn(&V) -> Value) -> (&'static str, Value) {
    let all = |values: &[V]| values.iter().map(back).collect::<Value>();
    match test {
        ValueTest::Compare(how, value) => (word(*how), value.as_ref().map_or(Value::Null, back)),
        ValueTest::In(values) => ("$in", all(&values.0)),
        ValueTest::Nin(values) => ("$nin", all(&values.0)),
    }
}

fn instant(instant: &Instant) -> Value {
    match instant {
        Instant::At(millis) => json!(millis),
        Instant::After(millis) => json!([millis]),
    }
}

impl Again for MomentTest {
    fn again(&self) -> Value {
        let all = self.0.iter().map(|test| value_test(test, instant));
        Value::Object(all.map(|(word, value)| (word.to_owned(), value)).collect())
    }
}

impl Again for TextTest {
    fn again(&self) -> Value {
        let operators = self.operators.iter().map(|operator| match operator {
            TextOperator::Whole(test) => value_test(test, |text| json!(**text)),
            TextOperator::StartsWith(part) => ("$startsWith", json!(**part)),
            TextOperator::EndsWith(part) => ("$endsWith", json!(**part)),
            TextOperator::Contains(part) => ("$contains", json!(**part)),
        });
        let mut fields: Map<_, _> =
            operators.map(|(word, value)| (word.to_owned(), value)).collect();
        if self.any_case {
            fields.insert("$ci".into(), true.into());
        }
        fields.into()
    }
}

fn part(part: &TagPart) -> Value {
    let all = |texts: &[guestlist_api::query::TagText]| {
        texts.iter().map(|text| Value::from(&**text)).collect::<Value>()
    };
    match part {
        TagPart::Is(text) => text.as_deref().into(),
        TagPart::In(texts) => json!({ "$in": all(&texts.0) }),
        TagPart::Nin(texts) => json!({ "$nin": all(&texts.0) }),
    }
}

impl Again for TagTest {
    fn again(&self) -> Value {
        let matcher = |matcher: &Option<TagMatcher>| match matcher {
            None => Value::Null,
            Some(TagMatcher::Key(key)) => json!({ "$tagKey": part(key) }),
            Some(TagMatcher::Value(value)) => json!({ "$tagValue": part(value) }),
            Some(TagMatcher::Pair { key, value }) => {
                json!({ "$tagKey": part(key), "$tagValue": part(value) })
            }
            Some(TagMatcher::Named(all)) => {
                all.iter().map(|(name, one)| (name.clone(), part(one))).collect()
            }
        };
        match self {
            Self::Eq(wanted) => json!({ "$eq": matcher(wanted) }),
            Self::Ne(unwanted) => json!({ "$ne": matcher(unwanted) }),
        }
    }
}

fn back<C: Back>(query: &Query<C>) -> Value {
    let several = |all: &[Query<C>]| all.iter().map(back).collect::<Value>();
    let clauses = query.clauses().iter().map(|clause| match clause {
        Clause::And(all) => ("$and", several(all)),
        Clause::Or(all) => ("$or", several(all)),
        Clause::Nor(all) => ("$nor", several(all)),
        Clause::Field(condition) => condition.back(),
    });
    Value::Object(clauses.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `query` as it is expected to come back.
fn expected(query: &Value) -> Value {
    let fields = query.as_object().expect("it was accepted");
    let field = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Array(all) => all.iter().map(expected).collect(),
            Value::Object(operators) if name.ends_with("Tags") => {
                let plain = !operators.contains_key("$eq") && !operators.contains_key("$ne");
                if plain { json!({ "$eq": value }) } else { value.clone() }
            }
            Value::Object(operators) => {
                let mut operators = operators.clone();
                let moment = matches!(Field::of(name), Field::Moment);
                if moment || operators.get("$ci") == Some(&json!(false)) {
                    operators.shift_remove("$ci");
                }
                plain(name, &operators.into())
            }
            bare => plain(name, &json!({ "$eq": bare })),
        };
        (name.clone(), value)
    };
    Value::Object(fields.iter().map(field).collect())
}

/// Ids in lower case, and moments in milliseconds, in a list of their own where they are between two.
fn plain(field: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(field, value))).collect()
        }
        Value::Array(all) => all.iter().map(|one| plain(field, one)).collect(),
        Value::String(text) if field == "id" || field.ends_with("Id") => text.to_lowercase().into(),
        #[expect(clippy::cast_possible_truncation, reason = "no moment is at the ends")]
        _ if matches!(Field::of(field), Field::Moment) => match (value, millis(value)) {
            (Value::Null, _) => Value::Null,
            (_, Some(millis)) if millis.fract() == 0.0 => json!(millis as i64),
            (_, millis) => json!([millis.expect("a moment").floor() as i64]),
        },
        other => other.clone(),
    }
}

/// The milliseconds of what is written for a moment, if it is one.
#[expect(clippy::cast_precision_loss, reason = "moments are below 2^53")]
fn millis(value: &Value) -> Option<f64> {
    let of = |text: &str| text.parse::<DateTime>().ok().map(|moment| moment.millis() as f64);
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.len() == 10 => of(&format!("{text}T00:00:00Z")),
        Value::String(text) => of(text),
        _ => None,
    }
}

/// What the schema allows to be asked of a field, and nothing of that kind can be true: a text that
/// is none, a moment that is none, or a part of a moment.
fn never(query: &Value, path: &str) -> BTreeSet<Complaint> {
    let mut found = BTreeSet::new();
    for (name, value) in query.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match Field::of(name) {
            Field::Other => {
                for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(never(inner, &format!("{path}.{at}")));
                }
            }
            field => never_of(&field, value, &path, &mut found),
        }
    }
    found
}

fn never_of(field: &Field, value: &Value, path: &str, found: &mut BTreeSet<Complaint>) {
    let mut push = |words: &str| {
        found.insert(Complaint { field: path.to_owned(), words: words.to_owned() });
    };
    match (field, value) {
        (_, Value::Object(operators)) => {
            for (word, value) in operators.iter().filter(|(word, _)| *word != "$ci") {
                let path = format!("{path}.{word}");
                let part = ["$startsWith", "$endsWith", "$contains"].contains(&word.as_str());
                match field {
                    Field::Moment if part => {
                        let words = "is an additional property".to_owned();
                        found.insert(Complaint { field: path, words });
                    }
                    _ => never_of(field, value, &path, found),
                }
            }
        }
        (_, Value::Array(all)) => {
            for (at, one) in all.iter().enumerate() {
                never_of(field, one, &format!("{path}.{at}"), found);
            }
        }
        (Field::Text, Value::Number(_) | Value::Bool(_)) | (Field::Moment, Value::Bool(_)) => {
            push("is the wrong type");
        }
        (Field::Moment, Value::String(_)) if millis(value).is_none() => {
            push("must be date-time format");
        }
        _ => {}
    }
}

/// What we refuse although the schema allows it: U+0000 in any text but those of lists too long.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(all) => all.iter().any(has_nul),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

const NUL: &str = "must not contain U+0000";

/// Whether it was accepted.
fn judge<C: Back>(schema: &Validator, query: &Value) -> Result<bool, TestCaseError>
where
    Query<C>: Wire,
{
    let (mut wrong, _) = complaints::of_schema(schema, query, "query");
    let problems = match wire::read::<Query<C>>("query", query.clone()) {
        Ok(read) => {
            wrong.extend(never(query, "query"));
            prop_assert!(wrong.is_empty() && !has_nul(query), "accepted, but {wrong:?}");
            prop_assert_eq!(back(&read), expected(query));
            return Ok(true);
        }
        Err(problems) => problems,
    };
    wrong.extend(never(query, "query"));
    let told: Vec<Complaint> = problems.iter().map(Complaint::from).collect();
    if has_nul(query) {
        wrong.extend(told.iter().filter(|one| one.words == NUL).cloned());
    }
    for one in &told {
        prop_assert!(wrong.contains(one), "{one:?} is made up: {wrong:?}");
    }
    Ok(false)
}

fn try_many<C: Back>(schema: &Value)
where
    Query<C>: Wire,
{
    let validator = differences::validator(schema);
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
    let outcome = TestRunner::new(config).run(&queries(schema, 3), |query| {
        let count = if judge::<C>(&validator, &query)? { &accepted } else { &refused };
        count.set(count.get() + 1);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let (accepted, refused) = (accepted.get(), refused.get());
    assert!(accepted > CASES / 4 && refused > CASES / 4, "{accepted} and {refused}");
}

#[test]
fn experience_user_query() {
    try_many::<UserCondition>(&published::experience_user_query());
}

#[test]
fn experience_group_query() {
    try_many::<GroupCondition>(&published::experience_group_query());
}

/// What the schemas do not bound, and we do.
#[test]
fn queries_that_are_too_much_are_refused() {
    let schemas = [published::experience_user_query(), published::experience_group_query()];
    let deep = (0..20).fold(json!({}), |query, _| json!({ "$or": [query] }));
    let large = json!({ "$and": vec![json!({ "$or": vec![json!({}); 100] }); 5] });
    let nul = json!({ "$or": [{ "id": null }, { "lastUpdated": "\0" }] });
    // Nothing is so, and all is not.
    let never = [
        json!({ "creationDate": "2026-11" }),
        json!({ "$nor": [{ "lastUpdated": { "$gt": "yesterday" } }] }),
        json!({ "lastUpdated": { "$in": ["2026-11-27T10:00:00 01:00"] } }),
        json!({ "creationDate": { "$startsWith": "2026" } }),
        json!({ "creationDate": { "$ne": true } }),
    ];
    for query in [deep, large, nul].into_iter().chain(never) {
        for schema in &schemas {
            assert!(differences::validator(schema).is_valid(&query));
        }
        assert!(wire::read::<UserQuery>("query", query.clone()).is_err());
        assert!(wire::read::<GroupQuery>("query", query).is_err());
    }
}
