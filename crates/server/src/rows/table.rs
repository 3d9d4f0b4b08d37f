//! The columns of a table, said once: for the statements that read and insert its rows, and for
//! moving them.

/// What a column holds, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Whole,
    Bytes,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    /// Whether it is a part of what is read of a row. A key to compare by is not, and no secret.
    read: bool,
}

pub(crate) const fn text(name: &'static str) -> Column {
    Column { name, holds: Holds::Text, read: true }
}

pub(crate) const fn whole(name: &'static str) -> Column {
    Column { name, holds: Holds::Whole, read: true }
}

pub(crate) const fn bytes(name: &'static str) -> Column {
    Column { name, holds: Holds::Bytes, read: true }
}

impl Column {
    /// The same, which is not read along with the others of its row.
    pub(crate) const fn unread(self) -> Self {
        Self { read: false, ..self }
    }
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// How many columns, from the first, are its key.
    pub(crate) key: usize,
    pub(crate) columns: &'static [Column],
    /// The column that refers to rows of the same table, forward or back: rows are inserted without
    /// it, and refer once they are all there.
    pub(crate) self_reference: Option<usize>,
    /// Whether it only says again what others say.
    pub(crate) derived: bool,
}

pub(crate) const fn table(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { name, key, columns, self_reference: None, derived: false }
}

pub(crate) const fn derived(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { derived: true, ..table(name, key, columns) }
}

impl Table {
    /// What a `SELECT` reads of a row, where the table is called `alias`.
    pub(crate) fn selected(&self, alias: &str) -> String {
        let read = self.columns.iter().filter(|column| column.read);
        read.map(|column| format!("{alias}.{}", column.name)).collect::<Vec<_>>().join(", ")
    }

    /// The statement that adds a row, with a parameter for each column, in their order.
    pub(crate) fn insert(&self) -> String {
        let (names, numbers) = (self.list(self.columns.len()), numbers(1, self.columns.len()));
        format!("INSERT INTO {} ({names}) VALUES ({numbers})", self.name)
    }

    /// The first of its columns, `count` of them, as a statement lists them.
    pub(crate) fn list(&self, count: usize) -> String {
        let names: Vec<_> = self.columns.iter().take(count).map(|column| column.name).collect();
        names.join(", ")
    }
}

/// `count` parameters, from `first` on.
pub(crate) fn numbers(first: usize, count: usize) -> String {
    let numbers: Vec<_> = (first..first + count).map(|number| format!("${number}")).collect();
    numbers.join(", ")
}
