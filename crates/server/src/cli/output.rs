//! Where results go: standard output, as text for people or as JSON for programs.

use anyhow::Result;
use serde::Serialize;
use std::fmt;
use std::io::{ErrorKind, IsTerminal as _, Write as _, stdout};

/// Where results go: standard output, as text or as JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// One result: an object on one line for programs, `text` for people.
    pub(super) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.json { line(&serde_json::to_string(value)?) } else { line(&text()) }
    }
}

/// Nobody reads standard output any more, as when it is piped into `head`.
#[derive(Debug)]
pub(super) struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the output")
    }
}

impl std::error::Error for ReaderGone {}

/// `text` on standard output, at once.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        done => Ok(done?),
    }
}

/// `text` on a line of its own.
pub(super) fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// `text` on a line of its own, of a server: it serves whether somebody reads that or not.
pub(super) fn announce(text: &str) -> Result<()> {
    line(text).or_else(|error| if error.is::<ReaderGone>() { Ok(()) } else { Err(error) })
}

/// `text` on one line, without what a terminal would take for a command.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Rows under titles, in columns that are as wide as what is in them, and on a terminal so narrow
/// that a row is a line.
pub(super) struct Table {
    titles: Vec<&'static str>,
    widths: Vec<usize>,
    /// The width of the terminal, if it is one.
    most: Option<usize>,
}

impl Table {
    pub(super) fn new(titles: impl IntoIterator<Item = &'static str>) -> Self {
        let titles: Vec<_> = titles.into_iter().collect();
        let widths = titles.iter().map(|title| title.len()).collect();
        Self { titles, widths, most: terminal_width() }
    }

    /// The line of the titles.
    pub(super) fn head(&self) -> String {
        let titles: Vec<_> = self.titles.iter().map(|title| (*title).to_owned()).collect();
        self.line(&titles)
    }

    /// Makes room for `rows`.
    pub(super) fn measure(&mut self, rows: &[Vec<String>]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        if let Some(most) = self.most {
            fit(&mut self.widths, most);
        }
    }

    /// One row.
    pub(super) fn line(&self, row: &[String]) -> String {
        let cells = row.iter().zip(&self.widths).map(|(cell, width)| {
            let cell = cut(&visible(cell), *width);
            format!("{cell:width$}")
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

/// `rows` under `titles`.
pub(super) fn table<const N: usize>(titles: [&'static str; N], rows: &[[String; N]]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
    let mut table = Table::new(titles);
    table.measure(&rows);
    let lines = rows.iter().map(|row| table.line(row));
    std::iter::once(table.head()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// How many characters a line of the terminal has, if standard output is one.
fn terminal_width() -> Option<usize> {
    if !stdout().is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// No column is made narrower than this.
const NARROWEST: usize = 8;

/// Takes from the widest of `widths` until a row of them has at most `most` characters. The first
/// stays: it is an id, which is of no use in part.
fn fit(widths: &mut [usize], most: usize) {
    let between = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + between > most {
        let widest = widths.iter_mut().skip(1).max_by_key(|width| **width);
        let Some(widest) = widest.filter(|width| **width > NARROWEST) else { return };
        *widest -= 1;
    }
}

/// `text` in at most `width` characters; a mark says that there is more.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let start: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{start}\u{2026}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_reaches_a_terminal_as_a_command() {
        assert_eq!(visible("a\u{1b}[31mb\nc\u{9b}"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}");
        let shown = table(["ID", "NAME"], &[["1".into(), "\u{1b}[2J".into()]]);
        assert_eq!(shown, "ID  NAME\n1   \u{fffd}[2J");
    }

    #[test]
    fn a_row_fits_into_a_line_of_the_terminal() {
        let mut table =
            Table { titles: vec!["ID", "EMAIL", "NAME"], widths: vec![2, 5, 4], most: Some(60) };
        let row = vec!["5".repeat(24), format!("{}@example.com", "a".repeat(200)), "b".repeat(30)];
        table.measure(std::slice::from_ref(&row));
        let line = table.line(&row);
        assert_eq!(line.chars().count(), 60, "{line}");
        assert!(line.starts_with(&"5".repeat(24)) && line.contains('\u{2026}'), "{line}");
        // What fits is left as it is, and what is not a terminal gets all of it.
        let short = vec!["5".repeat(24), "a@b.example".into(), "c".into()];
        assert!(table.line(&short).contains("a@b.example"));
        table.most = None;
        table.measure(std::slice::from_ref(&row));
        assert!(table.line(&row).contains(&row[1]));
    }
}
