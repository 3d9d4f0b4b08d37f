//! What was answered, for people and for programs.

use super::super::{Output, line};
use anyhow::Result;
use serde_json::Value;

/// A column of a list: its title, and what is in it.
pub(super) type Column = (&'static str, fn(&Value) -> String);

/// The text of the field called `name`, or nothing.
pub(super) fn text(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `text` on one line, without what a terminal would take for a command.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
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
pub(super) struct Rows<'c> {
    columns: &'c [Column],
    widths: Vec<usize>,
    waiting: Vec<Vec<String>>,
    titled: bool,
    out: Output,
}

/// How many rows are looked at together.
const TOGETHER: usize = 1000;

impl<'c> Rows<'c> {
    pub(super) fn new(columns: &'c [Column], out: Output) -> Self {
        let widths = columns.iter().map(|(title, _)| title.len()).collect();
        Self { columns, widths, waiting: Vec::new(), titled: false, out }
    }

    pub(super) fn push(&mut self, item: &Value) -> Result<()> {
        if self.out.json {
            return line(&item.to_string());
        }
        let cells: Vec<String> =
            self.columns.iter().map(|(_, cell)| visible(&cell(item))).collect();
        for (width, cell) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(cell.chars().count());
        }
        self.waiting.push(cells);
        if self.waiting.len() == TOGETHER { self.print() } else { Ok(()) }
    }

    /// Prints what waits; the titles even if nothing does.
    pub(super) fn end(mut self) -> Result<()> {
        if self.out.json { Ok(()) } else { self.print() }
    }

    fn print(&mut self) -> Result<()> {
        let titles = self.columns.iter().map(|(title, _)| (*title).to_owned()).collect();
        let first = (!self.titled).then_some(titles);
        self.titled = true;
        for cells in first.into_iter().chain(self.waiting.drain(..)) {
            let padded: Vec<String> = cells
                .iter()
                .zip(&self.widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            line(padded.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_reaches_a_terminal_as_a_command() {
        assert_eq!(visible("a\u{1b}[31mb\nc\u{9b}"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}");
    }
}
