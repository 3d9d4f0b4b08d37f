//! The columns of a table, said once: for the statements that read and insert its rows, and for
//! moving them.

/// What a column holds, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Whole,
    Bytes,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    /// Whether it is a part of what is read of a row. A key to compare by is not, and no secret.
    read: bool,
}

pub(super) const fn text(name: &'static str) -> Column {
    Column { name, holds: Holds::Text, read: true }
}

pub(super) const fn whole(name: &'static str) -> Column {
    Column { name, holds: Holds::Whole, read: true }
}

pub(super) const fn bytes(name: &'static str) -> Column {
    Column { name, holds: Holds::Bytes, read: true }
}

impl Column {
    /// The same, which is not read along with the others of its row.
    pub(super) const fn unread(self) -> Self {
        Self { read: false, ..self }
    }
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// How many columns, from the first, are its key.
    pub(super) key: usize,
    pub(super) columns: &'static [Column],
    /// The column that refers to other rows of the table, in whatever order.
    pub(super) later: Option<usize>,
    /// Whether it only says again what others say.
    pub(super) derived: bool,
}

pub(super) const fn table(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { name, key, columns, later: None, derived: false }
}

pub(super) const fn derived(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { derived: true, ..table(name, key, columns) }
}

impl Table {
    /// What a `SELECT` reads of a row, where the table is called `alias`.
    pub(super) fn selected(&self, alias: &str) -> String {
        let read = self.columns.iter().filter(|column| column.read);
        read.map(|column| format!("{alias}.{}", column.name)).collect::<Vec<_>>().join(", ")
    }

    /// The statement that adds a row, with a parameter for each column, in their order.
    pub(super) fn insert(&self) -> String {
        let (names, numbers) = (self.list(self.columns.len()), numbers(1, self.columns.len()));
        format!("INSERT INTO {} ({names}) VALUES ({numbers})", self.name)
    }

    /// The first of its columns, `count` of them, as a statement lists them.
    pub(super) fn list(&self, count: usize) -> String {
        let names: Vec<_> = self.columns.iter().take(count).map(|column| column.name).collect();
        names.join(", ")
    }
}

/// `count` parameters, from `first` on.
pub(super) fn numbers(first: usize, count: usize) -> String {
    let numbers: Vec<_> = (first..first + count).map(|number| format!("${number}")).collect();
    numbers.join(", ")
}
