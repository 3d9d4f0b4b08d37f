//! What a person who reads the log on a terminal sees of it: all that there is, and nothing that
//! moves the cursor or turns the text around. Much of what is logged was said by strangers.

use std::fmt::{self, Write};
use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// Whether `c` is not shown but acts on what is: a control character, a line end, or one by which
/// text runs the other way (Unicode TR9, "Trojan Source").
pub(super) fn is_invisible(c: char) -> bool {
    // Most are seen to be shown by one comparison.
    !(' '..='~').contains(&c)
        && (c.is_control()
            || matches!(
                c,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            ))
}

/// How fields of an event are written for people: what is invisible in them as `\u{1b}`.
pub(super) fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(|to: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug| {
        if field.name() != "message" {
            write!(to, "{}=", field.name())?;
        }
        write!(Visible(to), "{value:?}")
    })
    .delimited(" ")
}

/// Writes what is invisible so that it is seen.
struct Visible<'a, 'w>(&'a mut Writer<'w>);

impl Write for Visible<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(is_invisible) {
            match part.chars().next_back().filter(|last| is_invisible(*last)) {
                Some(last) => {
                    self.0.write_str(part.strip_suffix(last).unwrap_or_default())?;
                    write!(self.0, "{}", last.escape_unicode())?;
                }
                None => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_that_is_logged_acts_on_a_terminal() {
        let written = Written::default();
        let to = written.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || to.clone())
            .compact()
            .fmt_fields(fields())
            .finish();
        let path = "/a\u{202e}b\u{1b}[2J\u{9b}31m\r\nForged";
        tracing::subscriber::with_default(log, || {
            tracing::info!(path, shown = %path, debug = ?path, n = 1, "said {path}");
        });
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let line = written.strip_suffix('\n').unwrap();
        assert!(line.chars().all(|c| (' '..='~').contains(&c)), "{line:?}");
        assert!(line.contains(r"shown=/a\u{202e}b\u{1b}[2J\u{9b}31m\u{d}\u{a}Forged"), "{line}");
        assert!(line.contains(r"said /a\u{202e}b"), "{line}");
        assert!(line.contains(" n=1"), "{line}");
    }
}
