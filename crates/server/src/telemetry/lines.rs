//! An event as one line of JSON: its time, its level, its fields, and where it comes from.

use super::visible::is_invisible;
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes events so. There is one for each request, so it takes no detour through a tree of JSON.
pub(super) struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let about = event.metadata();
        to.write_str(r#"{"timestamp":""#)?;
        SystemTime.format_time(&mut to)?;
        write!(to, r#"","level":"{}""#, about.level())?;
        let mut fields = Fields { to: to.by_ref(), outcome: Ok(()) };
        event.record(&mut fields);
        fields.outcome?;
        to.write_str(r#","target":"#)?;
        write_text(&mut to, about.target())?;
        to.write_str("}\n")
    }
}

/// The fields of an event, each after a comma.
struct Fields<'w> {
    to: Writer<'w>,
    outcome: fmt::Result,
}

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.outcome.is_ok() {
            self.outcome = write!(self.to, r#","{}":"#, field.name());
        }
        if self.outcome.is_ok() {
            self.outcome = value(&mut self.to);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinities, and no numbers that are none.
        self.add(field, |to| {
            if value.is_finite() { write!(to, "{value}") } else { write!(to, r#""{value}""#) }
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, |to| write!(to, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, |to| write!(to, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, |to| write!(to, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, |to| write_text(to, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, |to| {
            to.write_char('"')?;
            write!(Escaping(to), "{value:?}")?;
            to.write_char('"')
        });
    }
}

fn write_text(to: &mut Writer<'_>, text: &str) -> fmt::Result {
    to.write_char('"')?;
    Escaping(to).write_str(text)?;
    to.write_char('"')
}

/// Writes what is inside of a JSON string (RFC 8259 7). More is escaped than has to be, because
/// people read the lines on a terminal as well.
struct Escaping<'a, 'w>(&'a mut Writer<'w>);

/// Whether `text` has nothing to escape. All of it is looked at, which several bytes at a time are.
fn is_plain(text: &str) -> bool {
    let escaped = |byte: u8| !(b' '..=b'~').contains(&byte) || matches!(byte, b'"' | b'\\');
    !text.bytes().fold(false, |any, byte| any | escaped(byte))
}

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        // As nearly all text is.
        if is_plain(text) {
            return self.0.write_str(text);
        }
        while let Some(at) = text.find(|c: char| matches!(c, '"' | '\\') || is_invisible(c)) {
            let (plain, special) = text.split_at(at);
            self.0.write_str(plain)?;
            let mut characters = special.chars();
            match characters.next() {
                Some('"') => self.0.write_str(r#"\""#)?,
                Some('\\') => self.0.write_str(r"\\")?,
                // None of them is beyond U+FFFF, where JSON would need two.
                Some(invisible) => write!(self.0, r"\u{:04x}", u32::from(invisible))?,
                None => {}
            }
            text = characters.as_str();
        }
        self.0.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

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

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;
        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What is written while `work` runs, line by line.
    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let log_text = Written::default();
        let log =
            tracing_subscriber::fmt().event_format(Lines).with_writer(log_text.clone()).finish();
        tracing::subscriber::with_default(log, work);
        let written = String::from_utf8(log_text.0.lock().unwrap().clone()).unwrap();
        written.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    #[test]
    fn an_event_is_a_line() {
        let lines = logged(|| {
            tracing::info!(target: "a::b", text = "x", peer = %"y", n = 1_u64, on = true, "done");
            tracing::warn!(share = 0.5, none = f64::NAN, "\"quoted\" \\ \n \u{1} ö");
        });
        let [first, second] = lines.as_slice() else { panic!("{lines:?}") };
        let time = first["timestamp"].as_str().unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        let mut first = first.clone();
        first["timestamp"].take();
        assert_eq!(
            first,
            json!({
                "timestamp": null, "level": "INFO", "message": "done", "text": "x", "peer": "y",
                "n": 1, "on": true, "target": "a::b",
            })
        );
        assert_eq!(second["message"], "\"quoted\" \\ \n \u{1} ö");
        assert_eq!((&second["share"], &second["none"]), (&json!(0.5), &json!("NaN")));
        assert_eq!(second["level"], "WARN");
    }

    #[test]
    fn what_would_act_on_a_terminal_is_escaped() {
        let log_text = Written::default();
        let log =
            tracing_subscriber::fmt().event_format(Lines).with_writer(log_text.clone()).finish();
        let path = "/a\u{1b}[2J\u{7f}\u{9b}31m\u{202e}b\u{2066}\u{2028}";
        tracing::subscriber::with_default(log, || tracing::info!(path, shown = %path, "x"));
        let written = String::from_utf8(log_text.0.lock().unwrap().clone()).unwrap();
        let escaped = r"/a\u001b[2J\u007f\u009b31m\u202eb\u2066\u2028";
        for field in ["path", "shown"] {
            assert!(written.contains(&format!(r#""{field}":"{escaped}""#)), "{written:?}");
        }
        let line: Value = serde_json::from_str(&written).unwrap();
        assert_eq!((&line["path"], &line["shown"]), (&json!(path), &json!(path)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back(text: String) {
            let lines = logged(|| tracing::info!(text, debug = ?text, "x"));
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0]["text"], text);
            assert_eq!(lines[0]["debug"], format!("{text:?}"));
        }
    }
}
