//! An advanced query as a condition of SQL: words of this crate, and parameters for all that a
//! person wrote.
//!
//! It is written from the simplest form of the query, in which nothing is negated but what is asked of
//! one field. What is missing equals `null`, differs from any value, and is neither more nor less than
//! one.

mod id;
mod rows;
mod scalar;
mod sql;
mod tags;

use super::search::Parts;
use crate::rows::convert::contains;
use crate::rows::list::{Folded, Select};
use guestlist_api::query::{
    Asked, Clause, Condition, GroupCondition, GroupQuery, GroupTerm, Logic, TagBox, TagBoxes,
    TextTest, UserCondition, UserQuery, UserTerm,
};
use guestlist_store::Dialect;
use rows::{ENDPOINTS_OF_GROUP, GROUPS_OF_USER, TAGS_OF_GROUP, TAGS_OF_USER, USERS_OF_GROUP};
use scalar::Text;
use sql::{FALSE, Filter, joined};

/// What holds of the users `u` of the application that the parameter called `application` names.
pub(crate) fn users(
    select: &mut Select,
    dialect: Dialect,
    application: &str,
    query: &UserQuery,
) -> String {
    Filter::of::<UserCondition>(select, dialect, application, &query.logic())
}

/// Where the ids are of all of whom `query` holds, each once, if it asks for one thing that says so:
/// an expression, and where it is from.
pub(crate) fn ids(
    select: &mut Select,
    dialect: Dialect,
    application: &str,
    query: &UserQuery,
) -> Option<(&'static str, String)> {
    let Logic::Field(term) = query.logic() else { return None };
    let mut filter = Filter { select, application, dialect, alone: true };
    let (rows, condition) = match &term {
        UserTerm::UserTags(Asked { holds: true, values: TagBoxes(boxes) }) => {
            let [TagBox { keys: Some(keys), values: Some(_) }] = boxes.as_slice() else {
                return None;
            };
            // Who has two of them is there twice.
            if keys.len() != 1 {
                return None;
            }
            (TAGS_OF_USER, boxes.iter().map(|one| filter.tag(one)).collect())
        }
        UserTerm::ExperienceGroupId(Asked { holds: true, values })
            if values.are_single() && values.some.len() == 1 =>
        {
            let group = values.some.iter().map(ToString::to_string);
            (GROUPS_OF_USER, filter.among("m.group_id", group).into_iter().collect())
        }
        _ => return None,
    };
    Some((rows.of, rows.from(application, &joined(condition, " OR "))))
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
pub(crate) fn groups(
    select: &mut Select,
    dialect: Dialect,
    application: &str,
    query: &GroupQuery,
) -> String {
    Filter::of::<GroupCondition>(select, dialect, application, &query.logic())
}

/// What is asked of fields, which becomes SQL.
trait Filtered: Condition {
    fn sql(term: &Self::Term, filter: &mut Filter<'_>) -> String;
}

const EMAIL: Text = Text { column: "u.email", key: Folded::short("u.email_key") };
const FIRST_NAME: Text = Text { column: "u.first_name", key: Folded::FIRST_NAME };
const LAST_NAME: Text = Text { column: "u.last_name", key: Folded::LAST_NAME };
const NAME: Text = Text { column: "g.name", key: Folded::short("g.name_key") };

impl Filtered for UserCondition {
    fn sql(term: &UserTerm, filter: &mut Filter<'_>) -> String {
        match term {
            UserTerm::Id(asked) => filter.id("u.id", asked),
            UserTerm::CreationDate(asked) => filter.moment("u.created", asked),
            UserTerm::LastUpdated(asked) => filter.moment("u.updated", asked),
            UserTerm::FirstName(asked) => filter.text(FIRST_NAME, asked),
            UserTerm::LastName(asked) => filter.text(LAST_NAME, asked),
            UserTerm::Email(asked) => filter.text(EMAIL, asked),
            UserTerm::LastLogin(asked) => filter.moment("u.last_login", asked),
            UserTerm::PasswordLastUpdated(asked) => filter.moment("u.password_updated", asked),
            UserTerm::UserTags(asked) => filter.tags(TAGS_OF_USER, asked),
            UserTerm::ExperienceGroupId(asked) => filter.ids(GROUPS_OF_USER, "m.group_id", asked),
        }
    }
}

impl Filtered for GroupCondition {
    fn sql(term: &GroupTerm, filter: &mut Filter<'_>) -> String {
        match term {
            GroupTerm::Id(asked) => filter.id("g.id", asked),
            GroupTerm::CreationDate(asked) => filter.moment("g.created", asked),
            GroupTerm::LastUpdated(asked) => filter.moment("g.updated", asked),
            GroupTerm::Name(asked) => filter.text(NAME, asked),
            GroupTerm::ParentId(asked) => filter.id("g.parent_id", asked),
            GroupTerm::AncestorId(asked) => filter.ancestors(asked),
            GroupTerm::GroupTags(asked) => filter.tags(TAGS_OF_GROUP, asked),
            GroupTerm::ExperienceUserId(asked) => filter.ids(USERS_OF_GROUP, "m.user_id", asked),
            GroupTerm::ExperienceEndpointId(asked) => {
                filter.ids(ENDPOINTS_OF_GROUP, "e.endpoint_id", asked)
            }
        }
    }
}

impl Filter<'_> {
    /// `logic` as SQL.
    fn of<C: Filtered>(
        select: &mut Select,
        dialect: Dialect,
        application: &str,
        logic: &Logic<C::Term>,
    ) -> String {
        let alone = logic.count(C::is_apart) == 1;
        Filter { select, application, dialect, alone }.logic::<C>(logic)
    }

    fn logic<C: Filtered>(&mut self, logic: &Logic<C::Term>) -> String {
        match logic {
            Logic::Field(term) => C::sql(term, self),
            Logic::All(all) => self.several::<C>(all, " AND "),
            Logic::Any(none) if none.is_empty() => FALSE.into(),
            Logic::Any(one) => self.several::<C>(one, " OR "),
        }
    }

    fn several<C: Filtered>(&mut self, parts: &[Logic<C::Term>], between: &str) -> String {
        // What has been read comes first, and may be all that is looked at.
        let (own, apart): (Vec<_>, Vec<_>) =
            parts.iter().partition(|part| part.count(C::is_apart) == 0);
        let parts = own.into_iter().chain(apart).map(|part| self.logic::<C>(part));
        joined(parts.collect(), between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_api::query::Json;
    use guestlist_api::wire;
    use guestlist_testbed::Fuzz;

    /// What no text of this crate has in it.
    const SOMEBODYS: &str = "zq9";

    /// Whatever somebody asks, it is only ever a parameter.
    #[test]
    fn fuzz_filter() {
        let words = [
            "\"$and\":[",
            "\"$or\":[",
            "\"$nor\":[{",
            "\"$in\":[",
            "{\"$ne\":null}",
            "\"$startsWith\":\"zq9\"",
            "\"$ci\":true",
            "\"$tagKey\":\"zq9\"",
            "\"$tagValue\":{\"$contains\":\"zq9%_\"}",
            "\"userTags\":{",
            "\"email\":\"zq9'\"",
            "\"creationDate\":{\"$gt\":1}",
            "575ec8687ae143cd83dc4a97",
            "' OR 1=1 --",
            "{}",
        ];
        Fuzz::new("filter").words(words).run(|bytes| {
            let Ok(text) = str::from_utf8(bytes) else { return None };
            let users = wire::read::<Json<UserQuery>>("query", text.into()).ok();
            let groups = wire::read::<Json<GroupQuery>>("query", text.into()).ok();
            let mut kinds = Vec::new();
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                for of_users in [true, false] {
                    let mut select = Select::from("t");
                    let application = select.bind("a".to_owned());
                    let sql = match (&users, &groups) {
                        (Some(Json(query)), _) if of_users => {
                            starts(query);
                            parts(query, false);
                            super::users(&mut select, dialect, &application, query)
                        }
                        (_, Some(Json(query))) if !of_users => {
                            super::groups(&mut select, dialect, &application, query)
                        }
                        _ => continue,
                    };
                    assert!(!sql.contains(SOMEBODYS), "{sql}");
                    let next = select.bind(0_i64);
                    let count: usize = next[1..].parse().unwrap();
                    let named = sql.split('$').skip(1).filter_map(|rest| {
                        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                        rest[..digits].parse::<usize>().ok()
                    });
                    assert!(named.max().is_none_or(|most| most < count), "{sql}");
                    // The words without numbers are what there is to the SQL.
                    kinds.push(sql.replace(|c: char| c.is_ascii_digit(), ""));
                }
            }
            Some(kinds)
        });
    }
}
