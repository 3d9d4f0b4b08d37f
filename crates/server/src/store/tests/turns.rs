//! Pages forwards and backwards in turn: each is what the list has beside the page before it at that
//! moment, whatever was made and deleted meanwhile, and leads on wherever there may be more.

use super::engines::Own;
use super::listed::{
    Edit, Key, Of, Traits, World, direction, edit, found_application, of, page, traits,
};
use crate::error::Result;
use crate::rows::Tx;
use crate::rows::list::{Listed, Paging, Start};
use guestlist_api::entity::SortDirection;
use guestlist_api::id::ObjectId;
use proptest::prelude::*;

type Line = (Key, ObjectId);

/// Where a page is, in terms of the rows that were seen.
#[derive(Debug, Clone)]
enum Place {
    Number(u64),
    After(Line),
    Before(Line),
    End,
}

#[derive(Debug, Clone)]
struct Turns {
    of: Of,
    direction: SortDirection,
    begin: Vec<Traits>,
    /// How many rows each page has, whether the page before it comes next, and what happens then.
    pages: Vec<(u64, bool, Vec<Edit>)>,
    /// Which page is begun with.
    number: u64,
}

fn turns(edits: usize) -> impl Strategy<Value = Turns> {
    let page = (1..6_u64, any::<bool>(), prop::collection::vec(edit(), 0..=edits));
    (
        of(),
        direction(),
        prop::collection::vec(traits(), 0..25),
        prop::collection::vec(page, 1..15),
        0..4_u64,
    )
        .prop_map(|(of, direction, begin, pages, number)| Turns {
            of,
            direction,
            begin,
            pages,
            number,
        })
}

/// What a page has of `all`, and whether there is anything before and after.
fn expected(
    all: &[Line],
    place: &Place,
    per_page: u64,
    direction: SortDirection,
) -> (Vec<ObjectId>, bool, bool) {
    let size = usize::try_from(per_page).unwrap();
    let less = |one: &Line, other: &Line| match direction {
        SortDirection::Asc => one < other,
        SortDirection::Desc => one > other,
    };
    let (from, to) = match place {
        Place::Number(number) => {
            let from = usize::try_from(*number).unwrap() * size;
            (from.min(all.len()), (from + size).min(all.len()))
        }
        Place::After(row) => {
            let from = all.iter().take_while(|other| !less(row, other)).count();
            (from, (from + size).min(all.len()))
        }
        Place::Before(row) => {
            let to = all.iter().take_while(|other| less(other, row)).count();
            (to.saturating_sub(size), to)
        }
        Place::End => (all.len().saturating_sub(size), all.len()),
    };
    (all[from..to].iter().map(|(_, id)| *id).collect(), from > 0, to < all.len())
}

/// Where the page before it is, or the one after, by the rows of the page.
fn turn(back: bool, rows: &[Line]) -> Place {
    match (back, rows) {
        (true, [first, ..]) => Place::Before(first.clone()),
        (true, []) => Place::End,
        (false, [.., last]) => Place::After(last.clone()),
        (false, []) => Place::Number(0),
    }
}

fn take(tx: &mut Tx<'_>, turns: &Turns) -> Result<()> {
    let (of, direction) = (turns.of, turns.direction);
    let mut world = World::default();
    for traits in &turns.begin {
        world.add(tx, of, traits)?;
    }
    let (mut start, mut place) = (Start::Page(turns.number), Place::Number(turns.number));
    for (per_page, back, edits) in &turns.pages {
        let all = world.listed(of, direction);
        let found = page(tx, of, Paging { start, per_page: *per_page, direction })?;
        let (wanted, before, after) = expected(&all, &place, *per_page, direction);
        assert_eq!((&found.items, found.total), (&wanted, all.len() as u64), "{place:?}");
        let Listed { next, previous, .. } = &found;
        let there = !all.is_empty();
        // What it came from may be gone, so that only the other side is certain.
        let (next_is, previous_is) = match place {
            Place::Number(0) => (after, false),
            Place::Number(_) | Place::After(_) => (after, there),
            Place::Before(_) => (there, before),
            Place::End => (false, before),
        };
        assert_eq!((next.is_some(), previous.is_some()), (next_is, previous_is), "{place:?}");
        let rows: Vec<Line> =
            all.iter().filter(|(_, id)| found.items.contains(id)).cloned().collect();
        let edge = if *back { rows.first() } else { rows.last() };
        let edge = edge.map(|(_, id)| id.bytes()[11]);
        (start, place) = match (*back, next.clone(), previous.clone()) {
            (true, _, Some(previous)) | (false, None, Some(previous)) => {
                (previous, turn(true, &rows))
            }
            (false, Some(next), _) | (true, Some(next), None) => (next, turn(false, &rows)),
            (_, None, None) => (Start::Page(0), Place::Number(0)),
        };
        for edit in edits {
            world.edit(tx, of, edit, edge)?;
        }
    }
    Ok(())
}

/// Where nothing changes, the way back has the pages of the way there.
fn there_and_back(tx: &mut Tx<'_>, turns: &Turns) -> Result<()> {
    let (of, direction) = (turns.of, turns.direction);
    let mut world = World::default();
    for traits in &turns.begin {
        world.add(tx, of, traits)?;
    }
    let per_page = turns.pages[0].0;
    let (mut there, mut start) = (Vec::new(), Some(Start::Page(0)));
    let mut back = None;
    while let Some(at) = start {
        let found = page(tx, of, Paging { start: at, per_page, direction })?;
        (start, back) = (found.next, found.previous);
        there.push(found.items);
    }
    while let Some(at) = back {
        there.pop();
        let found = page(tx, of, Paging { start: at, per_page, direction })?;
        assert_eq!(Some(&found.items), there.last());
        assert!(found.next.is_some());
        back = found.previous;
    }
    assert_eq!(there.len(), 1, "the first page has none before it, and no other");
    Ok(())
}

fn hold(own: &Own, edits: usize, take: fn(&mut Tx<'_>, &Turns) -> Result<()>) {
    proptest!(
        ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() },
        |(turns in turns(edits))| {
            let outcome = own.undone(move |tx| {
                found_application(tx, turns.of)?;
                take(tx, &turns)
            });
            prop_assert!(outcome.is_ok(), "{outcome:?}");
        }
    );
}

#[test]
fn each_page_is_beside_the_one_it_was_come_from() {
    hold(&Own::on_sqlite(), 3, take);
}

#[test]
fn each_page_is_beside_the_one_it_was_come_from_on_postgres() {
    hold(&Own::on_postgres(), 3, take);
}

#[test]
fn the_way_back_has_the_pages_of_the_way_there() {
    hold(&Own::on_sqlite(), 0, there_and_back);
}

#[test]
fn the_way_back_has_the_pages_of_the_way_there_on_postgres() {
    hold(&Own::on_postgres(), 0, there_and_back);
}
