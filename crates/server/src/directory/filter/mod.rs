//! An advanced query as a condition of SQL: words of this crate, and parameters for all that a
//! person wrote.
//!
//! Every condition here is true or false, never NULL, so that `NOT` turns it round. What is missing
//! equals `null`, differs from any value, and is neither more nor less than one.

mod id;
mod scalar;
mod sql;
mod tags;

use super::search::Parts;
use crate::rows::convert::contains;
use crate::rows::list::{Folded, Select};
use guestlist_api::query::{
    Clause, Comparison, Condition, GroupCondition, GroupQuery, IdTest, Query, TagMatcher, TagPart,
    TagTest, TextTest, UserCondition, UserQuery,
};
use id::Set;
use scalar::{Moment, Text};
use sql::{FALSE, Filter, joined};
use tags::Tagged;

/// What holds of the users `u` of the application that the parameter called `application` names.
pub(crate) fn users(select: &mut Select, application: &str, query: &UserQuery) -> String {
    Filter { select, application }.query(query)
}

/// Where the ids are of all of whom `query` holds, each once, if it asks for one thing that says so:
/// an expression, and where it is from.
pub(crate) fn ids(
    select: &mut Select,
    application: &str,
    query: &UserQuery,
) -> Option<(&'static str, String)> {
    match query.clauses() {
        [Clause::And(all)] => match all.as_slice() {
            [one] => ids(select, application, one),
            _ => None,
        },
        [Clause::Field(UserCondition::UserTags(TagTest::Eq(Some(TagMatcher::Named(parts)))))] => {
            let [(name, TagPart::Is(Some(value)))] = parts.as_slice() else { return None };
            let (name, value) = (select.bind(name.clone()), select.bind(value.to_string()));
            let tag = format!("t.tag = {name} AND t.value = {value}");
            Some((
                "t.user_id",
                format!("user_tags t WHERE t.application_id = {application} AND {tag}"),
            ))
        }
        [Clause::Field(UserCondition::ExperienceGroupId(test))] => {
            let IdTest::Compare(Comparison::Eq, Some(group)) = test else { return None };
            let group = select.bind(group.to_string());
            let of = format!("m.application_id = {application} AND m.group_id = {group}");
            Some(("m.user_id", format!("memberships m WHERE {of}")))
        }
        _ => None,
    }
}

/// What a text starts with, folded, of whomever `query` holds, and which.
pub(crate) fn starts(query: &UserQuery) -> Vec<(Folded, String)> {
    let mut all = Vec::new();
    for clause in query.clauses() {
        if let Clause::And(queries) = clause {
            all.extend(queries.iter().flat_map(starts));
        } else if let Some((text, test)) = text_of(clause) {
            all.extend(text.starts(test));
        }
    }
    all
}

/// What the texts have in them of whomever `query` holds. What one of them starts with or is has an
/// index of its own, unless it is one of several ways for the query to hold, as with `or`.
pub(crate) fn parts(query: &UserQuery, or: bool) -> Parts {
    let mut all = Vec::new();
    for clause in query.clauses() {
        match clause {
            Clause::And(queries) => all.extend(queries.iter().map(|query| parts(query, or))),
            Clause::Or(queries) if !queries.is_empty() => {
                all.push(Parts::Any(queries.iter().map(|query| parts(query, true)).collect()));
            }
            clause => all.extend(
                text_of(clause)
                    .into_iter()
                    .flat_map(|(_, test)| scalar::parts(test, or).into_iter().map(Parts::One)),
            ),
        }
    }
    Parts::All(all)
}

/// The users `u` who have `word`, folded, in their address or one of their names. It is NULL rather
/// than false of those who lack one, so there must be no `NOT` around it: PostgreSQL would not look
/// where it is in its index if it said so.
pub(crate) fn anywhere(select: &mut Select, word: &str) -> String {
    let pattern = select.bind(contains(word));
    let has = |text: Text| format!(r"{} LIKE {pattern} ESCAPE '\'", text.key.whole);
    format!("({})", [EMAIL, FIRST_NAME, LAST_NAME].map(has).join(" OR "))
}

/// The text that `clause` is about, and what it asks of it.
fn text_of(clause: &Clause<UserCondition>) -> Option<(Text, &TextTest)> {
    match clause {
        Clause::Field(UserCondition::Email(test)) => Some((EMAIL, test)),
        Clause::Field(UserCondition::FirstName(test)) => Some((FIRST_NAME, test)),
        Clause::Field(UserCondition::LastName(test)) => Some((LAST_NAME, test)),
        _ => None,
    }
}

/// What holds of the groups `g` of the application that the parameter called `application` names.
pub(crate) fn groups(select: &mut Select, application: &str, query: &GroupQuery) -> String {
    Filter { select, application }.query(query)
}

/// A condition on a field, which becomes SQL.
trait Filtered: Condition {
    fn sql(&self, filter: &mut Filter<'_>) -> String;
}

const EMAIL: Text = Text { column: "u.email", key: Folded::short("u.email_key") };
const FIRST_NAME: Text = Text { column: "u.first_name", key: Folded::FIRST_NAME };
const LAST_NAME: Text = Text { column: "u.last_name", key: Folded::LAST_NAME };
const NAME: Text = Text { column: "g.name", key: Folded::short("g.name_key") };

impl Filtered for UserCondition {
    fn sql(&self, filter: &mut Filter<'_>) -> String {
        match self {
            Self::Id(test) => filter.id("u.id", test),
            Self::CreationDate(test) => filter.moment(Moment("u.created"), test),
            Self::LastUpdated(test) => filter.moment(Moment("u.updated"), test),
            Self::FirstName(test) => filter.text(FIRST_NAME, test),
            Self::LastName(test) => filter.text(LAST_NAME, test),
            Self::Email(test) => filter.text(EMAIL, test),
            Self::LastLogin(test) => filter.moment(Moment("u.last_login"), test),
            Self::PasswordLastUpdated(test) => filter.moment(Moment("u.password_updated"), test),
            Self::UserTags(test) => filter.tags(Tagged::Users, test),
            Self::ExperienceGroupId(test) => filter.set(Set::GroupsOfUser, test),
        }
    }
}

impl Filtered for GroupCondition {
    fn sql(&self, filter: &mut Filter<'_>) -> String {
        match self {
            Self::Id(test) => filter.id("g.id", test),
            Self::CreationDate(test) => filter.moment(Moment("g.created"), test),
            Self::LastUpdated(test) => filter.moment(Moment("g.updated"), test),
            Self::Name(test) => filter.text(NAME, test),
            Self::ParentId(test) => filter.id("g.parent_id", test),
            Self::AncestorId(test) => filter.set(Set::AncestorsOfGroup, test),
            Self::GroupTags(test) => filter.tags(Tagged::Groups, test),
            Self::ExperienceUserId(test) => filter.set(Set::UsersOfGroup, test),
            Self::ExperienceEndpointId(test) => filter.set(Set::EndpointsOfGroup, test),
        }
    }
}

impl Filter<'_> {
    fn query<C: Filtered>(&mut self, query: &Query<C>) -> String {
        let clauses = query.clauses().iter().map(|clause| match clause {
            Clause::And(all) => self.several(all, " AND "),
            // As the platform's page has it: with nothing to match, all and any find everybody, and
            // none finds nobody.
            Clause::Or(one) => self.several(one, " OR "),
            Clause::Nor(none) if none.is_empty() => FALSE.into(),
            Clause::Nor(none) => format!("NOT {}", self.several(none, " OR ")),
            Clause::Field(condition) => condition.sql(self),
        });
        joined(clauses.collect(), " AND ")
    }

    fn several<C: Filtered>(&mut self, queries: &[Query<C>], between: &str) -> String {
        joined(queries.iter().map(|query| self.query(query)).collect(), between)
    }
}
