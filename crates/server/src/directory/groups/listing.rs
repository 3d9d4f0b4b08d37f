//! The lists of groups: what narrows them, and how they are sorted.

use super::bare;
use super::rows::{COLUMNS, complete};
use crate::directory::filter;
use crate::error::Result;
use crate::rows::Tx;
use crate::rows::counts::{self, Counted};
use crate::rows::list::{Folded, ID, Key, Listed, Order, Paging, Select};
use crate::rows::tenant::Tenant;
use guestlist_api::experience_group::{ExperienceGroup, ExperienceGroupSort, Parent};
use guestlist_api::query::GroupQuery;

/// Which groups are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only those of which this holds. Then the name does not count.
    pub query: Option<GroupQuery>,
    /// Only those whose name matches this glob.
    pub name: Option<String>,
    /// Only those in this group, or in none. It does not count beside a query either.
    pub parent: Option<Parent>,
    /// Without the ids of members, and with their number.
    pub bare: bool,
    /// What they are sorted by.
    pub sort: ExperienceGroupSort,
    /// Which page.
    pub paging: Paging,
}

/// One page of the application's groups, and how many there are.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &mut Tx<'_>, tenant: Tenant, listing: &Listing) -> Result<Listed<ExperienceGroup>> {
    let mut select = Select::from("experience_groups g");
    let application = select.bind(tenant.id().to_string());
    select.only(format!("g.application_id = {application}"));
    if let Some(query) = &listing.query {
        let condition = filter::groups(&mut select, tx.dialect(), &application, query);
        select.narrow(condition);
    } else {
        let condition = listing.parent.map(|parent| match parent {
            Parent::Of(id) => format!("g.parent_id = {}", select.bind(id.to_string())),
            Parent::None => "g.parent_id IS NULL".into(),
        });
        match condition {
            // There is an index of the children of each group in this order.
            Some(condition) if listing.sort == ExperienceGroupSort::Name => select.only(condition),
            Some(condition) => select.narrow(condition),
            None if listing.name.is_none() => {
                select.known(counts::of(tx, Counted::Groups(tenant.id()))?);
            }
            None => {}
        }
        if let Some(glob) = &listing.name {
            select.matching(Folded::short("g.name_key"), glob);
        }
    }
    let key = match listing.sort {
        ExperienceGroupSort::Name => Some(Key::text(Folded::short("g.name_key"))),
        ExperienceGroupSort::Id => None,
        ExperienceGroupSort::CreationDate => Some(Key::moment("g.created")),
        ExperienceGroupSort::LastUpdated => Some(Key::moment("g.updated")),
    };
    let order = Order { key, id: "g.id" };
    if listing.bare {
        let page = select.page(tx, &COLUMNS, order, &listing.paging)?;
        return bare::page(tx, tenant, page);
    }
    let mut page: Listed<ExperienceGroup> = select.page(tx, &COLUMNS, order, &listing.paging)?;
    for group in &mut page.items {
        complete(tx, group)?;
        let members = group.experience_user_ids.as_ref().map_or(0, Vec::len);
        page.budget.spend((members + group.ancestor_ids.len()) * ID)?;
    }
    Ok(page)
}
