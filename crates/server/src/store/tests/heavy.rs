//! A page has a weight as well as a length.

use super::Scratch;
use crate::error::{Error, Result};
use crate::rows::list::{HEAVIEST_PAGE, Order, Paging, Select, Start};
use crate::rows::{FromRow, Row};
use guestlist_api::entity::SortDirection;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how many rows are read.
struct Counted;

static COUNTED: AtomicUsize = AtomicUsize::new(0);

impl FromRow<Error> for Counted {
    fn from_row(_: &Row<'_>) -> Result<Self> {
        COUNTED.fetch_add(1, Ordering::Relaxed);
        Ok(Self)
    }
}

#[tokio::test]
async fn a_page_that_is_too_heavy_is_not_read_to_its_end() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let part = HEAVIEST_PAGE / 32;
    scratch
        .beside()
        .execute_batch(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
             INSERT INTO settings (name, value) SELECT printf('%024d', i), zeroblob({part}) FROM n"
        ))
        .unwrap();
    let page = |per_page| {
        let start = Start::Page(0);
        let paging = Paging { start, per_page, direction: SortDirection::Asc };
        store.read(move |tx| {
            COUNTED.store(0, Ordering::Relaxed);
            let rows = Select::from("settings s").page::<Counted>(
                tx,
                "s.name AS id, s.value",
                Order { key: None, id: "s.name" },
                &paging,
            );
            rows.map(|rows| rows.items.len())
        })
    };
    assert_eq!(page(31).await.unwrap(), 31);
    let Err(Error::Invalid(problems)) = page(100).await else { panic!("not refused") };
    assert_eq!(problems.first().unwrap().field, "perPage");
    assert!(COUNTED.load(Ordering::Relaxed) < 33);
}
