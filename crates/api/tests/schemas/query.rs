//! The reader of queries against the published schemas, as for bodies.
//!
//! A schema says of a value that may be written in several ways that it fits none of them, and what
//! each way has against it. Of all that the reader tells some: where it says something, the schema
//! says so too.

use super::complaints::{self, Complaint};
use super::near::{STRANGE, anything, near};
use super::{CASES, differences, published};
use guestlist_api::query::{
    Clause, Comparison, Condition, GroupCondition, GroupQuery, IdTest, Operator, Query, Scalar,
    ScalarTest, TagMatcher, TagPart, TagTest, UserCondition, UserQuery,
};
use guestlist_api::wire::{self, Wire};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::fmt::Debug;

/// Queries near those that `schema` describes, up to `depth` deep. They are not so large that their
/// size is a matter.
fn queries(schema: &Value, depth: usize) -> BoxedStrategy<Value> {
    let properties = schema["properties"].as_object().expect("properties");
    let fields = properties.iter().filter_map(|(name, test)| {
        let name = name.clone();
        if !name.starts_with('$') {
            let test = tests(test);
            return Some(test.prop_map(move |value| (name.clone(), value)).boxed());
        }
        let inner = (depth > 1).then(|| queries(schema, depth - 1))?;
        let few = prop::collection::vec(inner, 0..3).prop_map(Value::from);
        let full = (99..=101_usize).prop_map(|count| json!(vec![json!({}); count]));
        let several = prop_oneof![30 => few, 1 => full, 1 => anything()];
        Some(several.prop_map(move |value| (name.clone(), value)).boxed())
    });
    let field = proptest::strategy::Union::new(fields).boxed();
    let strange = (select(&STRANGE[..]), anything()).prop_map(|(name, v)| (name.to_owned(), v));
    let field = prop_oneof![20 => field, 1 => strange];
    let object = prop::collection::vec(field, 1..5)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()));
    prop_oneof![60 => object, 1 => anything()].boxed()
}

/// Values near what can be asked of a field.
fn tests(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(ways) = schema["oneOf"].as_array() {
        return proptest::strategy::Union::new(ways.iter().map(tests)).boxed();
    }
    if let Some(kinds) = schema["type"].as_array() {
        let of = |kind: &Value| match kind.as_str() {
            Some("string") => near(&json!({ "type": "string", "maxLength": 40 })),
            Some("number") => {
                prop_oneof![any::<f64>().prop_map(Value::from), any::<i64>().prop_map(Value::from)]
                    .boxed()
            }
            Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
            _ => Just(Value::Null).boxed(),
        };
        let good = proptest::strategy::Union::new(kinds.iter().map(of));
        return prop_oneof![60 => good, 1 => anything()].boxed();
    }
    match schema["type"].as_str() {
        Some("null") => Just(Value::Null).boxed(),
        Some("boolean") => {
            prop_oneof![20 => any::<bool>().prop_map(Value::from), 1 => anything()].boxed()
        }
        Some("array") => {
            let item = tests(&schema["items"]);
            let few = prop::collection::vec(item.clone(), 0..4).prop_map(Value::from);
            let full = (item, 99..=101_usize).prop_map(|(item, n)| json!(vec![item; n]));
            prop_oneof![30 => few, 1 => full, 1 => anything()].boxed()
        }
        Some("object") => objects(schema),
        _ => near(schema),
    }
}

fn objects(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(patterns) = schema["patternProperties"].as_object() {
        let part = tests(patterns.values().next().expect("a pattern"));
        let name = prop_oneof![20 => "[0-9a-zA-Z_-]{1,3}", 2 => "[a-z][ .$%\0é]", 1 => "[ $.é]?"];
        let named = prop::collection::vec((name, part), 0..4);
        return named.prop_map(|all| Value::Object(all.into_iter().collect())).boxed();
    }
    let fields =
        schema["properties"].as_object().expect("properties").iter().map(|(name, test)| {
            let name = name.clone();
            tests(test).prop_map(move |value| (name.clone(), value)).boxed()
        });
    let field = proptest::strategy::Union::new(fields).boxed();
    let strange = select(&["$like", "$eq", "a", "", "$in", "$tagKey"][..]);
    let strange = (strange, anything()).prop_map(|(name, v)| (name.to_owned(), v));
    let field = prop_oneof![60 => field, 1 => strange].boxed();
    // Most kinds take one field, and some take any number.
    let most = if schema["properties"].get("$ci").is_some() { 4 } else { 1 };
    let usual = prop::collection::vec(field.clone(), 1..=most);
    prop_oneof![20 => usual, 1 => prop::collection::vec(field, 0..4)]
        .prop_map(|all| Value::Object(all.into_iter().collect()))
        .boxed()
}

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

fn scalar(value: &Scalar) -> Value {
    match value {
        Scalar::Text(text) => json!(text),
        Scalar::Number(number) => json!(number),
        Scalar::Bool(truth) => json!(truth),
    }
}

impl Again for ScalarTest {
    fn again(&self) -> Value {
        let all = |values: &[Scalar]| values.iter().map(scalar).collect::<Value>();
        let operators = self.operators.iter().map(|operator| match operator {
            Operator::Compare(how, value) => {
                (word(*how), value.as_ref().map_or(Value::Null, scalar))
            }
            Operator::StartsWith(part) => ("$startsWith", json!(**part)),
            Operator::EndsWith(part) => ("$endsWith", json!(**part)),
            Operator::Contains(part) => ("$contains", json!(**part)),
            Operator::In(values) => ("$in", all(&values.0)),
            Operator::Nin(values) => ("$nin", all(&values.0)),
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
        let ids = name == "id" || name.ends_with("Id");
        let value = match value {
            Value::Array(all) => all.iter().map(expected).collect(),
            Value::Object(operators) if name.ends_with("Tags") => {
                let plain = !operators.contains_key("$eq") && !operators.contains_key("$ne");
                if plain { json!({ "$eq": value }) } else { value.clone() }
            }
            Value::Object(operators) => {
                let mut operators = operators.clone();
                if operators.get("$ci") == Some(&json!(false)) {
                    operators.shift_remove("$ci");
                }
                plain(ids, &operators.into())
            }
            bare => plain(ids, &json!({ "$eq": bare })),
        };
        (name.clone(), value)
    };
    Value::Object(fields.iter().map(field).collect())
}

/// Numbers as they are compared; ids, in lower case.
fn plain(ids: bool, value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(ids, value))).collect()
        }
        Value::Array(all) => all.iter().map(|one| plain(ids, one)).collect(),
        Value::String(text) if ids => text.to_lowercase().into(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
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
            prop_assert!(wrong.is_empty() && !has_nul(query), "accepted, but {wrong:?}");
            prop_assert_eq!(back(&read), expected(query));
            return Ok(true);
        }
        Err(problems) => problems,
    };
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
    for query in [deep, large, nul] {
        for schema in &schemas {
            assert!(differences::validator(schema).is_valid(&query));
        }
        assert!(wire::read::<UserQuery>("query", query.clone()).is_err());
        assert!(wire::read::<GroupQuery>("query", query).is_err());
    }
}
