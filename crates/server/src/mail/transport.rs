//! How mails leave: over SMTP, or, where nobody is to be written to, into a directory or the memory of a test.

use super::inbox::Inbox;
use super::letter::Letter;
use crate::clock::random;
use crate::error::{Error, Result};
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::id::{ApplicationId, ExperienceMailId};
use guestlist_api::time::DateTime;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// How long a server for mail may take over one.
const PATIENCE: Duration = Duration::from_mins(1);

/// How mails leave, as it was said.
#[derive(Clone)]
pub struct MailSettings {
    route: Route,
    from: Mailbox,
}

#[derive(Clone)]
enum Route {
    /// The URL has a password in it.
    Smtp(String),
    Directory(PathBuf),
    Memory,
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = match &self.route {
            Route::Smtp(_) => "smtp",
            Route::Directory(_) => "directory",
            Route::Memory => "memory",
        };
        f.debug_struct("MailSettings").field("route", &route).finish_non_exhaustive()
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        format!(
            "{text:?} is not an address, such as Guests <guests@example.com> or guests@example.com"
        )
    })
}

/// `url` as the library has it, which by itself encrypts nothing where nothing is said of that.
fn encrypted(url: &str) -> Result<String, String> {
    let such = "such as smtps://USER:PASSWORD@mail.example.com or smtp://USER:PASSWORD@mail.example.com:587";
    if url.starts_with("smtps://") {
        return if url.contains('?') {
            Err(format!("leave out what follows `?`: {such}"))
        } else {
            Ok(url.to_owned())
        };
    }
    if !url.starts_with("smtp://") {
        return Err(format!("is no URL of smtps or smtp: {such}"));
    }
    match url.split_once('?') {
        None => Ok(format!("{url}?tls=required")),
        Some((plain, "tls=none")) => Ok(plain.to_owned()),
        Some(_) => Err("what may follow `?` is tls=none, for a server on this machine".to_owned()),
    }
}

impl MailSettings {
    /// Mails are handed to the server that `url` names, as those of `from`.
    ///
    /// # Errors
    /// What is wrong with one of them, without the password.
    pub fn smtp(url: &str, from: &str) -> Result<Self, String> {
        let url = encrypted(url)?;
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
            .map_err(|_| "is not a URL of a server for mail".to_owned())?;
        Ok(Self { route: Route::Smtp(url), from: mailbox(from)? })
    }

    /// Mails are files of `directory`.
    ///
    /// # Errors
    /// When `from` is not an address.
    pub fn directory(directory: PathBuf, from: &str) -> Result<Self, String> {
        Ok(Self { route: Route::Directory(directory), from: mailbox(from)? })
    }

    /// Mails stay in the memory of the process, for tests.
    #[must_use]
    pub fn memory() -> Self {
        let from = Address::new("guestlist", "example.com");
        // The address is one.
        let from = from.unwrap_or_else(|_| unreachable!("a constant"));
        Self { route: Route::Memory, from: Mailbox::new(None, from) }
    }

    /// What sends them, for a server that clients reach at `host`.
    ///
    /// # Errors
    /// When the directory cannot be made.
    fn open(&self, host: &str) -> Result<Transport> {
        Ok(match &self.route {
            Route::Smtp(url) => {
                let smtp = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
                let smtp = smtp.map_err(Error::internal)?.timeout(Some(PATIENCE));
                let name = host.split(':').next().unwrap_or(host).to_owned();
                Transport::Smtp(Box::new(smtp.hello_name(ClientId::Domain(name)).build()))
            }
            Route::Directory(path) => {
                make_private(path).map_err(Error::internal)?;
                Transport::Directory(path.clone())
            }
            Route::Memory => Transport::Memory(Arc::default()),
        })
    }
}

/// A directory that only its owner can read.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

enum Transport {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Directory(PathBuf),
    Memory(Arc<Inbox>),
}

/// What a server sends mails with.
pub struct Mail {
    /// In the ids of mails.
    host: String,
    out: Option<(Mailbox, Transport)>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("sends", &self.out.is_some()).finish_non_exhaustive()
    }
}

/// Why a mail was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    /// In words, without any address.
    pub(super) why: String,
    /// Whether it is of no use to try again.
    pub(super) for_good: bool,
}

/// A mail, ready to go.
pub(super) struct Ready<'a> {
    pub(super) application: ApplicationId,
    pub(super) id: ExperienceMailId,
    pub(super) purpose: MailPurpose,
    pub(super) recipient: &'a str,
    /// Whom it is from, if not from whom the server says.
    pub(super) from: Option<&'a str>,
    pub(super) created: DateTime,
    pub(super) letter: Letter,
    pub(super) link: Option<String>,
}

impl Mail {
    /// What sends mails as `settings` say, if they are sent, for a server that clients reach at `host`.
    ///
    /// # Errors
    /// When what they say cannot be had.
    pub fn new(settings: Option<&MailSettings>, host: &str) -> Result<Self> {
        let out = match settings {
            Some(settings) => Some((settings.from.clone(), settings.open(host)?)),
            None => None,
        };
        Ok(Self { host: host.to_owned(), out })
    }

    /// Whether mails are sent.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.out.is_some()
    }

    /// That mails are sent.
    ///
    /// # Errors
    /// [`Error::SwitchedOff`] when they are not.
    pub(crate) fn require(&self) -> Result<()> {
        let off = Error::SwitchedOff("This server sends no mail: it has no smtp-url");
        if self.is_on() { Ok(()) } else { Err(off) }
    }

    /// The mails that were sent, where they stay in memory.
    #[must_use]
    pub fn inbox(&self) -> Option<&Inbox> {
        match &self.out {
            Some((_, Transport::Memory(inbox))) => Some(inbox),
            _ => None,
        }
    }

    /// Hands `ready` on.
    pub(super) async fn send(&self, ready: Ready<'_>) -> Result<(), Refused> {
        let Some((from, transport)) = &self.out else {
            return Err(Refused { why: "mail is switched off".to_owned(), for_good: false });
        };
        let message = self.message(from, &ready);
        let message = message.map_err(|why| Refused { why, for_good: true })?;
        match transport {
            Transport::Smtp(smtp) => {
                smtp.send(message).await.map(drop).map_err(|error| refused(&error))
            }
            Transport::Directory(path) => {
                let path = path.join(format!("{}.eml", ready.id));
                let written = write_private(&path, &message.formatted());
                written.map_err(|error| Refused { why: error.to_string(), for_good: false })
            }
            Transport::Memory(inbox) => {
                inbox.put(ready);
                Ok(())
            }
        }
    }

    fn message(&self, from: &Mailbox, ready: &Ready<'_>) -> Result<Message, String> {
        let to: Address = ready.recipient.parse().map_err(|_| "no mail can go to this address")?;
        let from = match ready.from {
            Some(own) => own.parse().map_err(|_| "no mail can come from mailFrom")?,
            None => from.clone(),
        };
        let millis = u64::try_from(ready.created.millis()).unwrap_or_default();
        let header = |name| HeaderName::new_from_ascii_str(name);
        Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(ready.letter.subject.clone())
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            // The same each time that it is tried.
            .message_id(Some(format!("<{}@{}>", ready.id, self.host)))
            .raw_header(HeaderValue::new(header("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(
                ready.letter.text.clone(),
                ready.letter.html.clone(),
            ))
            .map_err(|error| error.to_string())
    }
}

/// Why a server for mail did not take one. That an address is refused is for good; that we are is not.
fn refused(error: &lettre::transport::smtp::Error) -> Refused {
    let code = error.status().map(u16::from);
    let for_good = matches!(code, Some(500..=599)) && !matches!(code, Some(530..=539));
    let mut why = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        why = format!("{why}: {cause}");
        next = cause.source();
    }
    Refused { why: without_addresses(&why), for_good }
}

/// `text` without words that may name a person, of a length to be stored.
fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.contains('@') { "…" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(500).collect()
}

/// Writes a file that only its owner can read, over what was there.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let half = path.with_extension(format!(
        "{:08x}",
        u32::from_be_bytes(random().map_err(std::io::Error::other)?)
    ));
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
    file.write_all(bytes)?;
    std::fs::rename(&half, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_to_be_plain_is_encrypted() {
        for (url, read) in [
            ("smtps://me:secret@mail.example.com", Ok("smtps://me:secret@mail.example.com")),
            ("smtp://mail.example.com:587", Ok("smtp://mail.example.com:587?tls=required")),
            ("smtp://127.0.0.1:2525?tls=none", Ok("smtp://127.0.0.1:2525")),
            ("smtp://mail.example.com?tls=opportunistic", Err("tls=none")),
            ("smtps://mail.example.com?tls=none", Err("leave out")),
            ("mail.example.com", Err("is no URL of smtps or smtp")),
            ("https://mail.example.com", Err("is no URL of smtps or smtp")),
        ] {
            match (encrypted(url), read) {
                (Ok(got), Ok(read)) => assert_eq!(got, read),
                (Err(got), Err(part)) => assert!(got.contains(part), "{got}"),
                (got, _) => panic!("{url}: {got:?}"),
            }
        }
    }

    #[test]
    fn settings_tell_no_password_and_refuse_what_is_no_address() {
        let settings =
            MailSettings::smtp("smtps://me:secret@mail.example.com", "Guests <a@b.example>");
        assert!(!format!("{:?}", settings.unwrap()).contains("secret"));
        for from in ["", "guests", "a@b\r\nBcc: c@d", "<a@b"] {
            assert!(MailSettings::smtp("smtps://mail.example.com", from).is_err(), "{from:?}");
        }
        let error = MailSettings::smtp("smtps://me:secret@", "a@b.example").unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn what_is_stored_of_a_refusal_names_nobody() {
        let said = "permanent error (550): 5.1.1 <ada@example.com>: Recipient address rejected";
        assert_eq!(
            without_addresses(said),
            "permanent error (550): 5.1.1 … Recipient address rejected"
        );
        assert_eq!(without_addresses(&"x".repeat(1000)).len(), 500);
    }
}
