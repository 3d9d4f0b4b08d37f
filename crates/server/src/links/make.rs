//! Makes a link: it is mailed, or given to whoever asks for it.

use super::rows::{self, Details, Link};
use super::rules::Standing;
use super::secret::{Secret, new_seed};
use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::mail::rows::{self as mails, NewMail};
use crate::mail::url;
use crate::rest::App;
use crate::rows::Tx;
use crate::rows::tenant::Tenant;
use crate::sign_in::settings;
use guestlist_api::experience_link::{LinkPurpose, LinkUrl};
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::{ExperienceMailId, ExperienceUserId};
use guestlist_api::time::DateTime;
use guestlist_api::wire::{Problem, Rule};

/// How a link is made.
#[derive(Debug, Clone)]
pub(super) struct How {
    /// How many milliseconds it lasts.
    pub(super) ttl: u64,
    /// Whether it is mailed.
    pub(super) send: bool,
    /// The page that it leads to, if it is not the application's.
    pub(super) page: Option<LinkUrl>,
    /// How the body is called that may say it.
    pub(super) body: &'static str,
}

impl How {
    /// What a body that calls its fields so says, where the server can do it.
    ///
    /// # Errors
    /// [`Error::SwitchedOff`] when it cannot.
    pub(super) fn new(
        app: &App,
        body: &'static str,
        (ttl, send, page): (u64, Option<bool>, Option<LinkUrl>),
    ) -> Result<Self> {
        let send = send.unwrap_or(true);
        if send {
            app.mail.require()?;
        }
        Ok(Self { ttl, send, page, body })
    }

    /// The page that the link leads to.
    fn page(&self, tx: &mut Tx<'_>, tenant: Tenant) -> Result<String> {
        let page = match &self.page {
            Some(page) => Some(page.as_str().to_owned()),
            None => settings::get(tx, tenant)?.link_url,
        };
        page.ok_or_else(|| {
            let why =
                "it is the page of yours that the link leads to, and the application has none";
            let rule = Rule::Required.because(why);
            Error::Invalid(vec![Problem::new(format!("{}.linkUrl", self.body), rule)])
        })
    }

    fn expires(&self, now: DateTime) -> DateTime {
        now.plus_millis(i64::try_from(self.ttl).unwrap_or(i64::MAX))
    }
}

/// The mail that a link for `purpose` goes out with.
const fn mail_of(purpose: LinkPurpose) -> MailPurpose {
    match purpose {
        LinkPurpose::Register => MailPurpose::Register,
        LinkPurpose::Invite => MailPurpose::Invite,
        LinkPurpose::Reset => MailPurpose::Reset,
        LinkPurpose::Verify => MailPurpose::Verify,
        LinkPurpose::ChangeAddress => MailPurpose::ChangeAddress,
    }
}

/// A link that was made.
pub(super) struct Made {
    pub(super) link: Link,
    /// Where it leads, if it was not mailed.
    pub(super) url: Option<String>,
}

/// Makes a link for `purpose`, which goes to `email` and is of `user` or makes one, in a transaction that has locked
/// the application.
///
/// # Errors
/// [`Error::TooManyMails`] when whoever has the address was just sent one.
pub(super) fn make(
    app: &App,
    (tx, tenant, now): (&mut Tx<'_>, Tenant, DateTime),
    (purpose, email): (LinkPurpose, &str),
    (user, details): (Option<&ExperienceUser>, Details),
    how: &How,
) -> Result<Made> {
    let (seed, expires, page) = (new_seed()?, how.expires(now), how.page(tx, tenant)?);
    let secret = Secret::of(&app.link_seal, &seed);
    let id = app.ids.next(now);
    let link = Link {
        id,
        email: email.to_owned(),
        user: user.map(|user| user.id),
        created: now,
        standing: Standing { purpose, expires, owner: user.map(rows::owner) },
        details,
    };
    rows::put(tx, tenant, &link, &secret.digest())?;
    if !how.send {
        let url = url(&page, purpose.as_str(), &secret);
        return Ok(Made { link, url: Some(url) });
    }
    match mails::wait(tx, tenant, email, now)? {
        0 => {}
        retry_after => return Err(Error::TooManyMails { retry_after }),
    }
    let new = NewMail {
        id: ExperienceMailId(app.ids.next(now)),
        purpose: Some(mail_of(purpose)),
        recipient: email.to_owned(),
        user: link.user,
        created: now,
        expires: Some(expires),
        seed: Some(seed),
        details: mails::Details { link_url: Some(page), ..mails::Details::default() },
    };
    mails::add(tx, tenant, &new)?;
    Ok(Made { link, url: None })
}

/// Tells somebody by mail of what was done, if mails are sent. It is no more than what was done, so that it is sent
/// however many were.
pub(super) fn tell(
    app: &App,
    (tx, tenant, now): (&mut Tx<'_>, Tenant, DateTime),
    purpose: MailPurpose,
    (user, recipient): (ExperienceUserId, &str),
    new_address: Option<String>,
) -> Result<()> {
    if !app.mail.is_on() {
        return Ok(());
    }
    let new = NewMail {
        id: ExperienceMailId(app.ids.next(now)),
        purpose: Some(purpose),
        recipient: recipient.to_owned(),
        user: Some(user),
        created: now,
        expires: None,
        seed: None,
        details: mails::Details { new_address, ..mails::Details::default() },
    };
    mails::add(tx, tenant, &new)
}

/// What the log has of a link that was made.
pub(super) fn noted(tenant: Tenant, user: Option<ExperienceUserId>) -> Entry {
    Entry::of(Action::UserLinkMade).to_user(tenant.id(), user)
}
