//! A walk by positions, in either direction, sees each row that is there all the while once, in the
//! order of the list, whatever comes and goes meanwhile, and knows when there is no more.

use super::engines::Own;
use super::listed::{
    Edit, Key, Of, Traits, World, direction, edit, found_application, of, page, traits,
};
use crate::error::Result;
use crate::rows::Tx;
use crate::rows::list::{Paging, Start};
use guestlist_api::entity::SortDirection;
use guestlist_api::id::ObjectId;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What a walk has seen.
struct Seen {
    rows: Vec<(Key, ObjectId)>,
    /// Who was there from the first page on.
    throughout: BTreeSet<ObjectId>,
}

#[derive(Debug, Clone)]
struct Walk {
    of: Of,
    direction: SortDirection,
    /// From the end of the list to its start.
    back: bool,
    begin: Vec<Traits>,
    /// How many rows each page has, and what happens then.
    pages: Vec<(u64, Vec<Edit>)>,
}

fn walk() -> impl Strategy<Value = Walk> {
    (
        of(),
        direction(),
        any::<bool>(),
        prop::collection::vec(traits(), 0..25),
        prop::collection::vec((1..6_u64, prop::collection::vec(edit(), 0..4)), 0..12),
    )
        .prop_map(|(of, direction, back, begin, pages)| Walk {
            of,
            direction,
            back,
            begin,
            pages,
        })
}

fn take(tx: &mut Tx<'_>, walk: &Walk) -> Result<()> {
    let (of, direction) = (walk.of, walk.direction);
    // In the order in which the walk comes upon them.
    let listed = |world: &World| {
        let mut all = world.listed(of, direction);
        if walk.back {
            all.reverse();
        }
        all
    };
    let mut world = World::default();
    for traits in &walk.begin {
        world.add(tx, of, traits)?;
    }
    let throughout = listed(&world).iter().map(|(_, id)| *id).collect();
    let mut seen = Seen { rows: Vec::new(), throughout };
    let mut start = if walk.back { Start::End } else { Start::Page(0) };
    let mut pages = walk.pages.iter();
    loop {
        let (per_page, edits) = pages.next().map_or((3, [].as_slice()), |(n, e)| (*n, e));
        let mut found = page(tx, of, Paging { start, per_page, direction })?;
        if walk.back {
            found.items.reverse();
        }
        let listed_now = listed(&world);
        assert_eq!(found.total, listed_now.len() as u64);
        assert!(found.items.len() as u64 <= per_page);
        for id in &found.items {
            seen.rows
                .push(listed_now.iter().find(|(_, of)| of == id).expect("it is there").clone());
        }
        let on = if walk.back { found.previous } else { found.next };
        let last_seen = seen.rows.last().map(|(_, id)| *id);
        let beyond = on.as_ref().is_none_or(|start| match start {
            Start::After(position) => !walk.back && last_seen == Some(position.id),
            Start::Before(position) => walk.back && last_seen == Some(position.id),
            Start::Page(_) | Start::End => false,
        });
        assert!(beyond, "it goes on beyond what was answered: {on:?}");
        let last = seen.rows.last().and_then(|last| listed_now.iter().position(|row| row == last));
        let left = last.map(|last| listed_now.len() - last - 1);
        if let Some(left) = left.filter(|_| !found.items.is_empty()) {
            assert_eq!(on.is_some(), left > 0, "{left} are left");
        }
        let Some(next) = on else { break };
        let anchor = seen.rows.last().map(|(_, id)| id.bytes()[11]);
        for edit in edits {
            world.edit(tx, of, edit, anchor)?;
        }
        let now: BTreeSet<_> = listed(&world).into_iter().map(|(_, id)| id).collect();
        seen.throughout.retain(|id| now.contains(id));
        start = next;
    }
    let up = (direction == SortDirection::Asc) != walk.back;
    let in_order =
        seen.rows.windows(2).all(|two| if up { two[0] < two[1] } else { two[0] > two[1] });
    assert!(in_order, "{:?}", seen.rows);
    let ids: BTreeSet<_> = seen.rows.iter().map(|(_, id)| *id).collect();
    assert!(ids.is_superset(&seen.throughout), "{:?}", seen.throughout.difference(&ids));
    Ok(())
}

#[test]
fn a_walk_neither_skips_nor_repeats() {
    walks_hold(&Own::on_sqlite());
}

#[test]
fn a_walk_neither_skips_nor_repeats_on_postgres() {
    walks_hold(&Own::on_postgres());
}

fn walks_hold(own: &Own) {
    proptest!(
        ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() },
        |(walk in walk())| {
            let outcome = own.undone(move |tx| {
                found_application(tx, walk.of)?;
                take(tx, &walk)
            });
            prop_assert!(outcome.is_ok(), "{outcome:?}");
        }
    );
}
