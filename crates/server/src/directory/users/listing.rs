//! The lists of users: what narrows them, by which index they are found, and how they are sorted.

use super::rows::{COLUMNS, sorted};
use crate::directory::filter;
use crate::directory::memberships;
use crate::directory::search::{self, Compared, Parts};
use crate::error::Result;
use crate::rows::convert::{id, key};
use crate::rows::counts::{self, Counted};
use crate::rows::list::{Budget, Folded, Key, Listed, Order, Paging, Select};
use crate::rows::tenant::Tenant;
use crate::rows::{FromRow, Tx};
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserFilter, ExperienceUserSort, GroupRef, Membership,
};
use guestlist_api::id::ExperienceUserId;
use guestlist_api::query::UserQuery;
use guestlist_api::search::Search;
use std::collections::{BTreeSet, HashMap};

/// Which users are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only those of whom this holds. Then nothing else that would leave users out counts.
    pub query: Option<UserQuery>,
    /// Only those of whom this field matches this glob.
    pub filter: Option<(ExperienceUserFilter, String)>,
    /// Only those who have each of these words in their address or one of their names. It counts
    /// beside a query too.
    pub search: Option<Search>,
    /// Only those in these groups.
    pub membership: Option<Membership>,
    /// Whether members of a group's ancestors count as its members.
    pub ancestors: bool,
    /// What they are sorted by.
    pub sort: ExperienceUserSort,
    /// Which page.
    pub paging: Paging,
}

/// The group `$2` of the application `$1` and every group above it.
const ANCESTRY: &str = "WITH RECURSIVE line (id, parent_id) AS (
    SELECT id, parent_id FROM experience_groups WHERE application_id = $1 AND id = $2
    UNION
    SELECT g.id, g.parent_id FROM experience_groups g JOIN line ON g.id = line.parent_id
    WHERE g.application_id = $1) ";

/// Only the users that the simple parameters ask for.
fn narrowed(mut select: Select, application: &str, listing: &Listing) -> Select {
    let members = format!("memberships m WHERE m.application_id = {application}");
    // A user is looked at, and then whether there is a group: not all who are in one are found first.
    let member = format!("EXISTS (SELECT 1 FROM {members} AND m.user_id = u.id)");
    match listing.membership {
        None => {}
        Some(Membership::Any) => select.only(member),
        Some(Membership::None) => select.only(format!("NOT {member}")),
        Some(Membership::Of(group)) => {
            let group = select.bind(group.to_string());
            if listing.ancestors {
                select = select.with(ANCESTRY);
                let members = format!("{members} AND m.group_id IN (SELECT id FROM line)");
                select.among("u.id", "m.user_id", &members, false);
            } else {
                let members = format!("{members} AND m.group_id = {group}");
                select.among("u.id", "m.user_id", &members, true);
            }
        }
    }
    if let Some((field, glob)) = &listing.filter {
        let text = match field {
            ExperienceUserFilter::FirstName => Folded::FIRST_NAME,
            ExperienceUserFilter::LastName => Folded::LAST_NAME,
            ExperienceUserFilter::Email => Folded::short("u.email_key"),
        };
        select.matching(text, glob);
    }
    select
}

/// How many users there are of those that the simple parameters ask for, where that is counted as it changes.
fn counted(tx: &mut Tx<'_>, tenant: Tenant, listing: &Listing) -> Result<Option<u64>> {
    let application = tenant.id();
    let users = Counted::Users(application);
    Ok(match listing.membership {
        _ if listing.filter.is_some() => None,
        None => Some(counts::of(tx, users)?),
        Some(Membership::Any) => Some(counts::of(tx, Counted::Members(application))?),
        Some(Membership::None) => {
            let members = counts::of(tx, Counted::Members(application))?;
            Some(counts::of(tx, users)?.saturating_sub(members))
        }
        // Somebody may be a member of a group and of its ancestors.
        Some(Membership::Of(_)) if listing.ancestors => None,
        Some(Membership::Of(group)) => {
            Some(counts::of(tx, Counted::MembersOf(application, group))?)
        }
    })
}

/// The words of `search`, folded, each once.
fn folded_words(search: &Search) -> BTreeSet<String> {
    search.words().map(key).collect()
}

/// One page of the application's users, and how many there are.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &mut Tx<'_>, tenant: Tenant, listing: &Listing) -> Result<Listed<ExperienceUser>> {
    let words = listing.search.as_ref().map(folded_words).unwrap_or_default();
    let mut parts: Vec<Parts> = words.iter().cloned().map(Parts::One).collect();
    parts.extend(match (&listing.query, &listing.filter) {
        (Some(query), _) => Some(filter::parts(query, false)),
        (None, Some((_, glob))) => search::of_glob(glob),
        (None, None) => None,
    });
    let compared = match (&listing.query, &listing.filter) {
        (None, Some((ExperienceUserFilter::Email, _))) if words.is_empty() => Compared::InIndex,
        _ => Compared::InUsers,
    };
    let parts = Parts::All(parts);
    let mut candidates = search::candidates(tx, tenant, &parts, compared)?;
    // Nothing else says where they are, and no index has all three texts.
    let words_alone =
        listing.query.is_none() && listing.filter.is_none() && listing.membership.is_none();
    if !words.is_empty() && words_alone && !parts.can_be_looked_up() {
        candidates = search::everybody(tx, tenant)?;
    }
    let mut select = Select::from("experience_users u");
    let application = select.bind(tenant.id().to_string());
    select.of(format!("u.application_id = {application}"), Counted::Users(tenant.id()));
    if let Some(query) = &listing.query {
        if let Some((expression, from)) =
            filter::ids(&mut select, tx.dialect(), &application, query)
        {
            select.among("u.id", expression, &from, true);
        } else {
            let condition = filter::users(&mut select, tx.dialect(), &application, query);
            select.narrow(condition);
        }
        for (text, prefix) in filter::starts(query) {
            select.starting(text, &prefix);
        }
    } else {
        select = narrowed(select, &application, listing);
        if words.is_empty()
            && let Some(total) = counted(tx, tenant, listing)?
        {
            select.known(total);
        }
    }
    for word in &words {
        let condition = filter::anywhere(&mut select, word);
        select.narrow(condition);
    }
    if let Some(candidates) = candidates {
        select.found(candidates);
    } else if parts.can_be_looked_up() && !search::is_indexed(tx) {
        select.by_part();
    }
    let key = match listing.sort {
        ExperienceUserSort::FirstName => Some(Key::text(Folded::FIRST_NAME).or_nothing()),
        ExperienceUserSort::LastName => Some(Key::text(Folded::LAST_NAME).or_nothing()),
        ExperienceUserSort::Email => {
            let address = Folded::short("u.email_key");
            Some(Key::text(address).with_ids_in("experience_users_by_email").unique())
        }
        ExperienceUserSort::Id => None,
        ExperienceUserSort::CreationDate => Some(Key::moment("u.created")),
        ExperienceUserSort::LastLogin => Some(Key::moment("u.last_login").or_nothing()),
        ExperienceUserSort::LastUpdated => Some(Key::moment("u.updated")),
    };
    let order = Order { key, id: "u.id" };
    let mut page: Listed<ExperienceUser> = select.page(tx, &COLUMNS, order, &listing.paging)?;
    for some in page.items.chunks_mut(memberships::TOGETHER) {
        add_groups(tx, tenant, some, &mut page.budget)?;
    }
    Ok(page)
}

/// Adds their groups to some users of the application, as long as `budget` lasts.
fn add_groups(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    users: &mut [ExperienceUser],
    budget: &mut Budget,
) -> Result<()> {
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    let application = tenant.id().to_string();
    let (list, params) = memberships::any_of(&application, &ids);
    let sql = format!(
        "SELECT m.user_id, g.id, g.name, g.parent_id FROM memberships m
         JOIN experience_groups g ON g.application_id = m.application_id AND g.id = m.group_id
         WHERE m.application_id = $1 AND m.user_id IN ({list})"
    );
    let mut of: HashMap<ExperienceUserId, Vec<GroupRef>> = HashMap::with_capacity(users.len());
    tx.each(&sql, &params, |row| {
        budget.spend(row.size()?)?;
        of.entry(id(row, "user_id")?).or_default().push(GroupRef::from_row(row)?);
        Ok(true)
    })?;
    for user in users {
        user.experience_groups = sorted(of.remove(&user.id).unwrap_or_default());
    }
    Ok(())
}
