//! The order of a list, the places in it, and how SQL says both.

use crate::error::{Error, Result};
use crate::rows::Param;
use guestlist_api::entity::SortDirection;
use guestlist_api::id::ObjectId;

/// Where in a list a row is, or was: rows are told apart by what they are sorted by, and then by
/// their ids. So it is a place whether or not that row is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What the row is sorted by.
    pub value: Value,
    /// Its id.
    pub id: ObjectId,
}

/// What a row is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing: it lacks the value, or the list is sorted by the id alone.
    Nothing,
    /// A text, folded.
    Text(String),
    /// A moment, in milliseconds.
    Moment(i64),
}

/// So many characters of a long text are in an index, as the columns are made: of four bytes each,
/// PostgreSQL has room for them beside two ids.
const INDEXED: usize = 512;

/// A folded text: the column that has all of it, and the one that has what is in an index, which
/// rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folded {
    /// All of it.
    pub(crate) whole: &'static str,
    /// As much as is in an index: all of it, or its beginning.
    pub(crate) indexed: &'static str,
}

impl Folded {
    /// The text in `column`, all of which is in an index.
    pub(crate) const fn short(column: &'static str) -> Self {
        Self { whole: column, indexed: column }
    }

    /// The first name of a user.
    pub(crate) const FIRST_NAME: Self =
        Self { whole: "u.first_name_key", indexed: "u.first_name_start" };

    /// The last name of a user.
    pub(crate) const LAST_NAME: Self =
        Self { whole: "u.last_name_key", indexed: "u.last_name_start" };

    /// What the index has where this is `text`.
    pub(crate) fn cut(self, text: &str) -> String {
        let most = if self.whole == self.indexed { usize::MAX } else { INDEXED };
        text.chars().take(most).collect()
    }
}

/// What rows are sorted by before their id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(super) column: &'static str,
    least: Least,
    may_lack: bool,
    pub(super) index: &'static str,
    unique: bool,
}

/// What no value of a column is less than.
#[derive(Debug, Clone, Copy)]
enum Least {
    Text,
    Moment,
}

impl Key {
    /// What an index has of `text`.
    pub(crate) const fn text(text: Folded) -> Self {
        Self { column: text.indexed, least: Least::Text, may_lack: false, index: "", unique: false }
    }

    /// The moment in `column`.
    pub(crate) const fn moment(column: &'static str) -> Self {
        Self { column, least: Least::Moment, may_lack: false, index: "", unique: false }
    }

    /// As this, which a row may lack. The order says where such rows go only for these: PostgreSQL
    /// reads an index in order when it says the same, and those of the others do not.
    pub(crate) const fn or_nothing(self) -> Self {
        Self { may_lack: true, ..self }
    }

    /// As this; of two indexes in this order, SQLite's `index` has the id too.
    pub(crate) const fn with_ids_in(self, index: &'static str) -> Self {
        Self { index, ..self }
    }

    /// As this, of which no two rows of an owner have the same.
    pub(crate) const fn unique(self) -> Self {
        Self { unique: true, ..self }
    }

    pub(super) const fn is_unique(self) -> bool {
        self.unique
    }

    pub(super) const fn is_moment(self) -> bool {
        matches!(self.least, Least::Moment)
    }

    /// What the column holds, as text.
    pub(super) fn value(self, text: Option<String>) -> Result<Value> {
        Ok(match (text, self.least) {
            (None, _) => Value::Nothing,
            (Some(text), Least::Text) => Value::Text(text),
            (Some(text), Least::Moment) => Value::Moment(text.parse().map_err(Error::internal)?),
        })
    }
}

/// The order of a list: by a key if there is one, and then by the id, which is in the column `id`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// What comes before the id.
    pub(crate) key: Option<Key>,
    /// The column of the id.
    pub(crate) id: &'static str,
}

impl Order {
    /// Where the row is that has this in the column of the key, and this id.
    pub(super) fn position(self, text: Option<String>, id: ObjectId) -> Result<Position> {
        let value = self.key.map_or(Ok(Value::Nothing), |key| key.value(text))?;
        Ok(Position { value, id })
    }
}

/// Some of the rows of a list, together with others before or after them.
pub(super) struct Part {
    /// What holds of them.
    pub(super) condition: Option<String>,
    /// The values in it.
    pub(super) values: Vec<Box<dyn Param>>,
    pub(super) skip: u64,
}

impl Part {
    fn of(condition: String, values: Vec<Box<dyn Param>>) -> Self {
        Self { condition: Some(condition), values, skip: 0 }
    }
}

/// How an order is written.
pub(super) struct Written {
    order: Order,
    direction: SortDirection,
    /// The column of the key and that of the id: as they are, or so that no index has their order.
    key: String,
    id: String,
}

impl Written {
    pub(super) fn new(order: Order, direction: SortDirection, hidden: bool) -> Self {
        let write = |column: &str| {
            if hidden { format!("coalesce({column}, {column})") } else { column.to_owned() }
        };
        let key = order.key.map_or(String::new(), |key| write(key.column));
        // Of two columns it is the first that an index is looked for by.
        let id = if order.key.is_some() { order.id.to_owned() } else { write(order.id) };
        Self { order, direction, key, id }
    }

    /// What stands after `ORDER BY`.
    pub(super) fn by(&self) -> String {
        let Self { order, direction, key, id } = self;
        let (way, nulls) = match direction {
            SortDirection::Asc => ("ASC", " NULLS FIRST"),
            SortDirection::Desc => ("DESC", " NULLS LAST"),
        };
        match order.key {
            None => format!("{id} {way}"),
            Some(Key { may_lack: false, .. }) => format!("{key} {way}, {id} {way}"),
            Some(Key { may_lack: true, .. }) => format!("{key} {way}{nulls}, {id} {way}"),
        }
    }

    /// What comes after `position`, in its order; `free` is the number of the next parameter. A row
    /// without a value is neither more nor less than another, so that such rows are a part of their
    /// own: each part is one range of the index, where both together would be none.
    pub(super) fn after(&self, position: &Position, free: usize) -> Vec<Part> {
        let Self { order, direction, key, id } = self;
        let next = free + 1;
        let beyond = match direction {
            SortDirection::Asc => ">",
            SortDirection::Desc => "<",
        };
        let tie: Box<dyn Param> = Box::new(position.id.to_string());
        let Some(of) = order.key else {
            return vec![Part::of(format!("{id} {beyond} ${free}"), vec![tie])];
        };
        let value: Box<dyn Param> = match &position.value {
            Value::Text(text) => Box::new(text.clone()),
            Value::Moment(millis) => Box::new(*millis),
            Value::Nothing => {
                let same = format!("{key} IS NULL AND {id} {beyond} ${free}");
                let mut parts = vec![Part::of(same, vec![tie])];
                if *direction == SortDirection::Asc {
                    let least: Box<dyn Param> = match of.least {
                        Least::Text => Box::new(String::new()),
                        Least::Moment => Box::new(i64::MIN),
                    };
                    parts.push(Part::of(format!("{key} >= ${free}"), vec![least]));
                }
                return parts;
            }
        };
        let more = format!("({key}, {id}) {beyond} (${free}, ${next})");
        let mut parts = vec![Part::of(more, vec![value, tie])];
        if of.may_lack && *direction == SortDirection::Desc {
            parts.push(Part::of(format!("{key} IS NULL"), Vec::new()));
        }
        parts
    }
}
