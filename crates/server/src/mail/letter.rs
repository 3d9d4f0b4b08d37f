//! What mails say. Of what people have written only the name of the application is in them, and an address.

use crate::error::{Error, Result};
use askama::Template;
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::time::DateTime;

/// A mail as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// What a mail is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) purpose: MailPurpose,
    /// What the application is called.
    pub(crate) application: &'a str,
    /// Its link, if it has one.
    pub(crate) link: Option<&'a str>,
    /// When that ends.
    pub(crate) expires: Option<DateTime>,
    /// The address that a user has now.
    pub(crate) new_address: Option<&'a str>,
}

/// How much of a name is in a mail, in characters.
const LONGEST_NAME: usize = 64;

/// What is done to no line of a mail: no break, and no more than that of a name.
fn one_line(name: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let name: String = name.chars().map(visible).collect();
    let words: Vec<_> = name.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_NAME).collect()
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    subject: &'a str,
    paragraphs: &'a [String],
    button: Option<(&'a str, &'a str)>,
    end: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.txt", escape = "none")]
struct Plain<'a> {
    subject: &'a str,
    paragraphs: &'a [String],
    button: Option<(&'a str, &'a str)>,
    end: &'a str,
}

/// Who gets a mail that nobody should have asked for.
const NOT_YOU: &str = "If you did not ask for this, do nothing: without the link nothing happens.";
const TELL: &str = "If this was not you, tell whoever runs the application.";

/// What `facts` come to: the subject, what is said, and what the button says.
fn words(facts: &Facts<'_>, name: &str) -> (String, Vec<String>, &'static str) {
    let said = |subject: String, paragraphs: &[&str], button| {
        (subject, paragraphs.iter().map(|&paragraph| paragraph.to_owned()).collect(), button)
    };
    match facts.purpose {
        MailPurpose::Register => said(
            format!("Finish your registration at {name}"),
            &["Follow the link and choose a password.", NOT_YOU],
            "Choose a password",
        ),
        MailPurpose::Invite => said(
            format!("You are invited to {name}"),
            &["Follow the link and choose a password, and you are a user.", NOT_YOU],
            "Accept the invitation",
        ),
        MailPurpose::Reset => said(
            format!("Choose a new password for {name}"),
            &["Follow the link to choose a new password.", NOT_YOU],
            "Choose a new password",
        ),
        MailPurpose::Verify => said(
            format!("Is this your address at {name}?"),
            &["Follow the link to say that it is.", NOT_YOU],
            "It is mine",
        ),
        MailPurpose::ChangeAddress => said(
            format!("Your new address at {name}"),
            &["Follow the link, and you sign in with this address from then on.", NOT_YOU],
            "Take this address",
        ),
        MailPurpose::AddressInUse => said(
            format!("You have an account at {name}"),
            &[
                "Somebody wanted to register with this address, which has an account. Sign in with it. If \
                 you do not know the password, ask for a new one there.",
                "If this was not you, do nothing.",
            ],
            "",
        ),
        MailPurpose::AddressChanged => {
            let now = facts.new_address.map(one_line_address);
            let now = now.map_or_else(String::new, |now| format!(" It is {now} now."));
            let first = format!("Your address at {name} was changed.{now}");
            said(format!("Your address at {name} was changed"), &[&first, TELL], "")
        }
        MailPurpose::PasswordChanged => said(
            format!("Your password at {name} was changed"),
            &["You have a new password, and are signed out everywhere else.", TELL],
            "",
        ),
    }
}

/// The first and the last of an address: enough to know one's own by.
fn one_line_address(address: &str) -> String {
    let (user, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first: String = user.chars().take(1).collect();
    format!("{first}…@{domain}")
}

impl Letter {
    /// The mail that `facts` ask for.
    ///
    /// # Errors
    /// [`Error::Internal`] when a template fails.
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Self> {
        let name = one_line(facts.application);
        let (subject, mut paragraphs, label) = words(facts, &name);
        if let Some(end) = facts.expires.filter(|_| facts.link.is_some()) {
            paragraphs.push(format!("The link is good once, until {} UTC.", minute(end)));
        }
        let button = facts.link.map(|link| (label, link));
        let end = format!("This mail was sent by {name}, and nobody reads answers to it.");
        let parts = (subject.as_str(), paragraphs.as_slice(), end.as_str());
        let html = Html { subject: parts.0, paragraphs: parts.1, button, end: parts.2 };
        let text = Plain { subject: parts.0, paragraphs: parts.1, button, end: parts.2 };
        let (html, text) = (html.render(), text.render());
        Ok(Self {
            html: html.map_err(Error::internal)?,
            text: text.map_err(Error::internal)?,
            subject,
        })
    }
}

/// `moment` to the minute, as people read it.
fn minute(moment: DateTime) -> String {
    let text = moment.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(purpose: MailPurpose, application: &str) -> Facts<'_> {
        Facts {
            purpose,
            application,
            link: Some("https://guests.example.com/a/1/link/reset?token=x&y=1"),
            expires: Some(DateTime::from_millis(1_782_000_000_000)),
            new_address: Some("ada@new.example"),
        }
    }

    #[test]
    fn each_purpose_has_its_words() {
        let mut subjects = Vec::new();
        for word in MailPurpose::WORDS {
            let purpose = MailPurpose::parse(word).unwrap();
            let letter = Letter::of(&facts(purpose, "Demo")).unwrap();
            assert!(letter.subject.contains("Demo"), "{word}");
            assert!(letter.text.contains("token=x&y=1") && letter.html.contains("token=x&#38;y=1"));
            assert!(letter.text.contains("until 2026-06-21 00:00 UTC"), "{}", letter.text);
            assert!(!subjects.contains(&letter.subject));
            subjects.push(letter.subject);
        }
        let told = Letter::of(&facts(MailPurpose::AddressChanged, "Demo")).unwrap();
        assert!(told.text.contains("It is a…@new.example now.") && !told.text.contains("ada@"));
    }

    #[test]
    fn a_name_is_text_on_one_line_and_not_long() {
        for name in [
            "<script>alert(1)</script>",
            "\"><img src=x onerror=alert(1)>",
            "Demo\r\nBcc: victim@example.com",
            "Demo\u{2028}\u{85}\u{b}Subject: x",
            "{{ subject }}{% raw %}",
            &"x".repeat(255),
            "&lt;b&gt;",
            "'onmouseover='alert(1)",
        ] {
            let letter = Letter::of(&facts(MailPurpose::Invite, name)).unwrap();
            let lines = letter.subject.chars().any(|c| c.is_control() || c == '\u{2028}');
            assert!(!lines && letter.subject.chars().count() <= 64 + 20, "{name}");
            for part in ["<script", "<img", "<b>", "'onmouse"] {
                assert!(!letter.html.contains(part), "{name}: {}", letter.html);
            }
        }
    }
}
