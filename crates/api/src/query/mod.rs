//! The advanced query: which users or groups are wanted, said in JSON.
//!
//! It is read into a closed tree. A value that may be written in two ways is read by its JSON type
//! alone (an object is operators or a matcher, anything else a value), so that a mistake is named
//! where it is and once, in the order of the text.

mod id;
mod json;
mod read;
mod scalar;
mod tags;

#[cfg(test)]
mod tests;

pub use id::IdTest;
pub use json::Json;
pub use read::{MOST_CONDITIONS, MOST_DEPTH};
pub use scalar::{Instant, Literal, MomentTest, Part, TextOperator, TextTest, ValueTest};
pub use tags::{TagMatcher, TagPart, TagTest, TagText};

use crate::text::List;
use crate::wire::{Problems, Rule, Wire};
use read::{Budget, Test};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A list in a query: at most 100 elements.
pub type Listed<T> = List<T, 100>;

/// A query about things with the fields of `C`. It can only be read, so it is never deeper than
/// [`MOST_DEPTH`] nor larger than [`MOST_CONDITIONS`].
#[derive(Debug, Clone, PartialEq)]
pub struct Query<C>(Vec<Clause<C>>);

/// A part of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Clause<C> {
    /// Each of these holds.
    And(Vec<Query<C>>),
    /// One of these holds; or there are none.
    Or(Vec<Query<C>>),
    /// None of these holds, and there is at least one.
    Nor(Vec<Query<C>>),
    /// This holds of a field.
    Field(C),
}

impl<C> Query<C> {
    /// What has to hold, all of it, in the order in which it was written.
    #[must_use]
    pub fn clauses(&self) -> &[Clause<C>] {
        &self.0
    }
}

/// How a value is compared with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `$eq`.
    Eq,
    /// `$ne`.
    Ne,
    /// `$gt`.
    Gt,
    /// `$lt`.
    Lt,
    /// `$gte`.
    Gte,
    /// `$lte`.
    Lte,
}

impl Comparison {
    const WORDS: [&str; 6] = ["$eq", "$ne", "$gt", "$lt", "$gte", "$lte"];

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "$eq" => Self::Eq,
            "$ne" => Self::Ne,
            "$gt" => Self::Gt,
            "$lt" => Self::Lt,
            "$gte" => Self::Gte,
            "$lte" => Self::Lte,
            _ => return None,
        })
    }
}

/// What can be asked of the fields of one kind of thing; made by `conditions!`.
pub trait Condition: Sized {
    /// What the schema of such a query is called.
    const NAME: &'static str;

    #[doc(hidden)]
    fn of(name: &str, value: Value, at: &mut Problems, budget: &mut Budget) -> read::Known<Self>;

    #[doc(hidden)]
    fn schemas(schemas: &mut SchemaGenerator) -> Map<String, Value>;
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident $schema:literal {
        $($(#[$field_doc:meta])* $field:ident $wire:literal: $test:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[$field_doc])* $field($test),)*
        }

        impl Condition for $name {
            const NAME: &'static str = $schema;

            fn of(
                name: &str,
                value: Value,
                at: &mut Problems,
                budget: &mut Budget,
            ) -> read::Known<Self> {
                match name {
                    $($wire => read::Known::Yes(<$test>::read(value, at, budget).map(Self::$field)),)*
                    _ => read::Known::No,
                }
            }

            fn schemas(schemas: &mut SchemaGenerator) -> Map<String, Value> {
                let mut fields = Map::new();
                $(fields.insert($wire.into(), schemas.subschema_for::<$test>().to_value());)*
                fields
            }
        }
    )*};
}

conditions! {
    /// What can be asked of a user.
    UserCondition "advancedExperienceUserQuery" {
        /// Which user it is.
        Id "id": IdTest,
        /// When it was made.
        CreationDate "creationDate": MomentTest,
        /// When it last changed.
        LastUpdated "lastUpdated": MomentTest,
        /// Its given name.
        FirstName "firstName": TextTest,
        /// Its family name.
        LastName "lastName": TextTest,
        /// Its address. As with every text, letter case matters unless `$ci` is true, while two
        /// users cannot have addresses that differ in nothing else.
        Email "email": TextTest,
        /// When it last signed in.
        LastLogin "lastLogin": MomentTest,
        /// When its password last changed.
        PasswordLastUpdated "passwordLastUpdated": MomentTest,
        /// Its tags.
        UserTags "userTags": TagTest,
        /// The groups it is a direct member of.
        ExperienceGroupId "experienceGroupId": IdTest,
    }

    /// What can be asked of a group.
    GroupCondition "advancedExperienceGroupQuery" {
        /// Which group it is.
        Id "id": IdTest,
        /// When it was made.
        CreationDate "creationDate": MomentTest,
        /// When it last changed.
        LastUpdated "lastUpdated": MomentTest,
        /// Its name.
        Name "name": TextTest,
        /// The group it is in.
        ParentId "parentId": IdTest,
        /// The groups above it, the one it is in and all above that.
        AncestorId "ancestorId": IdTest,
        /// Its tags.
        GroupTags "groupTags": TagTest,
        /// Its direct members.
        ExperienceUserId "experienceUserId": IdTest,
        /// Its endpoints.
        ExperienceEndpointId "experienceEndpointId": IdTest,
    }
}

/// Which users are wanted.
pub type UserQuery = Query<UserCondition>;
/// Which groups are wanted.
pub type GroupQuery = Query<GroupCondition>;

impl<C: Condition> Wire for Query<C> {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let mut budget = Budget::new();
        let query = Self::read_nested(value, at, &mut budget);
        if budget.is_spent() {
            let rule = format!("must not hold more than {MOST_CONDITIONS} conditions");
            return at.refuse(Rule::Other(rule.into()));
        }
        query
    }
}

impl<C: Condition> Query<C> {
    fn read_nested(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Self> {
        let Value::Object(fields) = value else { return at.refuse(Rule::WrongType) };
        let mut clauses = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let clause = at.nested(name.clone(), |at| match name.as_str() {
                "$and" => Self::several(value, at, budget).map(Clause::And),
                "$or" => Self::several(value, at, budget).map(Clause::Or),
                "$nor" => Self::several(value, at, budget).map(Clause::Nor),
                field => match C::of(field, value, at, budget) {
                    read::Known::Yes(condition) => condition.map(Clause::Field),
                    read::Known::No => at.refuse(Rule::Additional),
                },
            });
            clauses.push(clause);
        }
        clauses.into_iter().collect::<Option<_>>().map(Self)
    }

    fn several(value: Value, at: &mut Problems, budget: &mut Budget) -> Option<Vec<Self>> {
        read::listed(value, at, |query, at| {
            budget.deeper(at, |at, budget| Self::read_nested(query, at, budget))
        })
    }
}

impl<C: Condition> JsonSchema for Query<C> {
    fn schema_name() -> Cow<'static, str> {
        C::NAME.into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let several = json_schema!({
            "type": "array", "maxItems": 100, "items": schemas.subschema_for::<Self>(),
        });
        let mut fields: Map<String, Value> = ["$and", "$or", "$nor"]
            .map(|name| (name.into(), several.clone().to_value()))
            .into_iter()
            .collect();
        fields.extend(C::schemas(schemas));
        json_schema!({
            "type": "object",
            "description": format!(
                "At most {MOST_DEPTH} deep, and at most {MOST_CONDITIONS} conditions"
            ),
            "properties": fields,
            "additionalProperties": false,
        })
    }
}
