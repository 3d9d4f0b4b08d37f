//! What was answered, for people and for programs.

use super::super::output::{Output, Table, line, visible};
use anyhow::Result;
use serde_json::Value;

/// A column of a list: its title, and what is in it.
pub(crate) type Column = (&'static str, fn(&Value) -> String);

/// The text of the field called `name`, or nothing.
pub(crate) fn text(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One resource: as it is for programs, field by field for people.
pub(super) fn one(value: &Value, out: Output) -> Result<()> {
    out.result(value, || {
        let fields: Vec<(String, String)> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !name.starts_with('_'))
            .map(|(name, _)| (visible(name), visible(&text(value, name))))
            .collect();
        let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let lines = fields.iter().map(|(name, value)| format!("{name:width$}  {value}"));
        lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    })
}

/// A list that is printed as it comes: an object a line for programs, a table for people. Its
/// columns are as wide as the first rows ask for, and grow.
pub(in crate::cli) struct Rows<'c> {
    columns: &'c [Column],
    table: Table,
    waiting: Vec<Vec<String>>,
    titled: bool,
    out: Output,
}

/// How many rows are looked at together.
const TOGETHER: usize = 1000;

impl<'c> Rows<'c> {
    pub(in crate::cli) fn new(columns: &'c [Column], out: Output) -> Self {
        let table = Table::new(columns.iter().map(|(title, _)| *title));
        Self { columns, table, waiting: Vec::new(), titled: false, out }
    }

    pub(in crate::cli) fn push(&mut self, item: &Value) -> Result<()> {
        if self.out.json {
            return line(&item.to_string());
        }
        self.waiting.push(self.columns.iter().map(|(_, cell)| cell(item)).collect());
        if self.waiting.len() == TOGETHER { self.print() } else { Ok(()) }
    }

    /// Prints what waits; the titles even if nothing does.
    pub(in crate::cli) fn end(mut self) -> Result<()> {
        if self.out.json { Ok(()) } else { self.print() }
    }

    fn print(&mut self) -> Result<()> {
        self.table.measure(&self.waiting);
        if !std::mem::replace(&mut self.titled, true) {
            line(&self.table.head())?;
        }
        self.waiting.drain(..).try_for_each(|cells| line(&self.table.line(&cells)))
    }
}
