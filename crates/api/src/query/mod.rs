//! The advanced query: which users or groups are wanted, said in JSON.
//!
//! It is read into a closed tree. A value that may be written in two ways is read by its JSON type
//! alone (an object is operators or a matcher, anything else a value), so that a mistake is named
//! where it is and once, in the order of the text.

mod id;
mod json;
mod logic;
mod read;
mod scalar;
mod tagged;
mod tags;
mod texts;
mod values;

#[cfg(test)]
mod tests;

pub use id::{IdTest, IdsTest};
pub use json::Json;
pub use logic::{Asked, Logic};
pub use read::{MOST_APART, MOST_CONDITIONS, MOST_DEPTH};
pub use scalar::{Instant, Literal, MomentTest, Part, TextOperator, TextTest, ValueTest};
pub use tagged::{TagBox, TagBoxes, TagTexts};
pub use tags::{TagMatcher, TagPart, TagTest, TagText};
pub use texts::{Like, Texts};
pub use values::{End, Values};

use crate::text::List;
use crate::wire::{Problems, Rule, Wire};
use logic::Term;
use read::{Budget, Test};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A list in a query: at most 100 elements.
pub type Listed<T> = List<T, 100>;

/// A query about things with the fields of `C`. It can only be read, so it is never deeper than
/// [`MOST_DEPTH`] nor larger than [`MOST_CONDITIONS`] and [`MOST_APART`] say.
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

impl<C: Condition> Query<C> {
    /// What it asks, in its simplest form.
    #[must_use]
    pub fn logic(&self) -> Logic<C::Term> {
        self.turned(true)
    }

    /// The same, or its opposite unless it `holds`. So whatever is inside is negated once at most.
    fn turned(&self, holds: bool) -> Logic<C::Term> {
        let several = |all: bool, queries: &[Self], holds: bool| {
            Logic::of(all == holds, queries.iter().map(|query| query.turned(holds)))
        };
        let clauses = self.0.iter().map(|clause| match clause {
            Clause::And(all) => several(true, all, holds),
            // As the platform's page has it: with nothing to match, all and any find everybody, and
            // none finds nobody.
            Clause::Or(none) if none.is_empty() => several(true, none, holds),
            Clause::Or(one) => several(false, one, holds),
            Clause::Nor(none) if none.is_empty() => several(false, none, holds),
            Clause::Nor(none) => several(false, none, !holds),
            Clause::Field(condition) => condition.logic(holds),
        });
        Logic::of(holds, clauses)
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

    /// What is asked of a field in the simplest form.
    type Term: Term;

    #[doc(hidden)]
    fn logic(&self, holds: bool) -> Logic<Self::Term>;

    /// Whether it is asked of rows of their own, of which a thing may have many.
    fn is_apart(term: &Self::Term) -> bool;

    #[doc(hidden)]
    fn of(name: &str, value: Value, at: &mut Problems, budget: &mut Budget) -> read::Known<Self>;

    #[doc(hidden)]
    fn schemas(schemas: &mut SchemaGenerator) -> Map<String, Value>;
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident $term:ident $schema:literal {
        $($(#[$field_doc:meta])* $field:ident $wire:literal: $test:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[$field_doc])* $field($test),)*
        }

        $(#[$doc])*
        ///
        /// In the simplest form.
        #[derive(Debug, Clone, PartialEq)]
        pub enum $term {
            $($(#[$field_doc])* $field(Asked<<$test as Test>::Set>),)*
        }

        impl Term for $term {
            fn and(&mut self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$field(one), Self::$field(other)) => one.and(other),)*
                    _ => false,
                }
            }

            fn or(&mut self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$field(one), Self::$field(other)) => one.or(other),)*
                    _ => false,
                }
            }
        }

        impl Condition for $name {
            const NAME: &'static str = $schema;

            type Term = $term;

            fn logic(&self, holds: bool) -> Logic<$term> {
                match self {
                    $(Self::$field(test) => test.logic(holds).map(&$term::$field),)*
                }
            }

            fn is_apart(term: &$term) -> bool {
                match term {
                    $($term::$field(_) => <$test>::APART,)*
                }
            }

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
    UserCondition UserTerm "advancedExperienceUserQuery" {
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
        ExperienceGroupId "experienceGroupId": IdsTest,
    }

    /// What can be asked of a group.
    GroupCondition GroupTerm "advancedExperienceGroupQuery" {
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
        AncestorId "ancestorId": IdsTest,
        /// Its tags.
        GroupTags "groupTags": TagTest,
        /// Its direct members.
        ExperienceUserId "experienceUserId": IdsTest,
        /// Its endpoints.
        ExperienceEndpointId "experienceEndpointId": IdsTest,
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
        if query.as_ref().is_some_and(|query| query.logic().count(C::is_apart) > MOST_APART) {
            let rule = format!(
                "must not hold more than {MOST_APART} conditions on tags or lists of ids that cannot \
                 be read together"
            );
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
