//! What was found, and what to do about it.

use crate::backup::BackupSettings;
use crate::store::StoreUrl;
use serde::Serialize;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check has found it.
    pub check: &'static str,
    /// What it is.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// What mends it.
    pub command: String,
}

/// What came of an examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// All that is wrong.
    pub findings: Vec<Finding>,
    /// What was not looked at.
    pub left_out: Vec<&'static str>,
}

/// What mends something.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// Making anew what other rows say.
    Mend,
    /// A store made of a backup.
    Restore,
    /// A backup made now.
    BackUp,
    /// A backup, and then the server, which brings the store up to date.
    BackUpAndServe,
    /// These words.
    Run(String),
}

/// How many of the same kind are named.
const NAMED: usize = 3;
/// How many of the same kind are counted.
const COUNTED: usize = 1000;

/// What a check finds of one kind, of which the first are named and some are counted.
#[derive(Debug, Default)]
pub(super) struct Few {
    named: Vec<String>,
    count: usize,
}

impl Few {
    /// Adds `what`, and says whether more are of interest.
    pub(super) fn add(&mut self, what: impl FnOnce() -> String) -> bool {
        if self.named.len() < NAMED {
            self.named.push(what());
        }
        self.count += 1;
        self.count < COUNTED
    }

    /// How many there are, in words, if there are any.
    fn end(self) -> Option<String> {
        let named = self.named.join("; ");
        match self.count - self.named.len() {
            _ if self.count == 0 => None,
            0 => Some(named),
            _ if self.count >= COUNTED => Some(format!("{named}; and a thousand more like it")),
            more => Some(format!("{named}; and {more} more like it")),
        }
    }
}

/// What was found so far.
pub(super) struct Findings {
    store: String,
    backups: String,
    found: Report,
}

impl Findings {
    pub(super) fn new(store: &StoreUrl, backups: Option<&BackupSettings>) -> Self {
        let backups = backups.map(|settings| settings.directory.display().to_string());
        Self {
            store: quoted(&store.to_string()),
            backups: backups.map_or_else(|| "BACKUPS".into(), |path| quoted(&path)),
            found: Report { findings: Vec::new(), left_out: Vec::new() },
        }
    }

    /// Adds one.
    pub(super) fn add(
        &mut self,
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
        command: Command,
    ) {
        let (store, backups) = (&self.store, &self.backups);
        let command = match command {
            Command::Mend => format!("guestlist mend --store {store}"),
            Command::Restore => {
                format!("guestlist restore {backups} --to NEW-STORE --keep-tokens")
            }
            Command::BackUp => format!("guestlist backup {backups} --store {store}"),
            Command::BackUpAndServe => {
                format!(
                    "guestlist backup {backups} --store {store}, with the Guestlist that has served it; then guestlist serve --store {store}"
                )
            }
            Command::Run(words) => words,
        };
        self.found.findings.push(Finding { check, what: what.into(), why, command });
    }

    /// Adds one where it is `so`.
    pub(super) fn add_if(
        &mut self,
        so: bool,
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
        command: Command,
    ) {
        if so {
            self.add(check, what, why, command);
        }
    }

    /// Adds what there is of a kind, if there is any.
    pub(super) fn add_some(
        &mut self,
        check: &'static str,
        some: Few,
        why: &'static str,
        command: Command,
    ) {
        if let Some(what) = some.end() {
            self.add(check, what, why, command);
        }
    }

    /// Says that nobody looked at `name`.
    pub(super) fn left_out(&mut self, name: &'static str) {
        self.found.left_out.push(name);
    }

    /// The store, as a shell takes it.
    pub(super) fn store(&self) -> &str {
        &self.store
    }

    pub(super) fn end(self) -> Report {
        self.found
    }
}

/// `text` as a shell takes it for one word.
pub(super) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@=%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_named_and_the_rest_is_counted() {
        let of = |count: usize| {
            let mut some = Few::default();
            (0..count).take_while(|number| some.add(|| number.to_string())).count();
            some.end()
        };
        assert_eq!(of(0), None);
        assert_eq!(of(2).as_deref(), Some("0; 1"));
        assert_eq!(of(5).as_deref(), Some("0; 1; 2; and 2 more like it"));
        assert_eq!(of(5000).as_deref(), Some("0; 1; 2; and a thousand more like it"));
    }

    #[test]
    fn a_path_is_one_word_to_a_shell() {
        assert_eq!(quoted("/var/lib/a.db"), "/var/lib/a.db");
        assert_eq!(quoted("it's here"), "'it'\\''s here'");
    }
}
