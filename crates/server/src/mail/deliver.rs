//! Sends a mail that is due.

use super::letter::{Facts, Letter};
use super::rows::{self, Due, WORK};
use super::transport::{Ready, Refused};
use crate::clock::random;
use crate::error::Result;
use crate::links::secret::Secret;
use crate::rest::App;
use crate::rows::tenant::AuthorizedApp;
use crate::work::rows::{self as work, Taken};
use crate::work::{Kind, rules};
use guestlist_api::experience_mail::{MailPurpose, MailState};
use guestlist_api::id::ExperienceMailId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a mail server may take over one mail: less than nobody else may have it.
const LONGEST: Duration = Duration::from_mins(2);

/// How the queue has a mail sent.
pub(crate) const KIND: Kind = Kind { name: WORK, run: |app, taken| Box::pin(deliver(app, taken)) };

async fn deliver(app: Arc<App>, taken: Taken) -> Result<()> {
    let within = AuthorizedApp::allowed(taken.application);
    let id = taken.id;
    let store = app.store.for_application(taken.application);
    let due = store.read(move |tx| rows::due(tx, within.assume_exists(), id)).await?;
    let Some((due, purpose)) = due.and_then(|due| due.purpose.map(|purpose| (due, purpose))) else {
        // Its user is gone, or nobody has the address.
        return store.write(move |tx| work::done(tx, &taken)).await;
    };
    let sent = if due.expires.is_some_and(|end| end <= app.clock.now()) {
        Err(Refused { why: "its link ended before it could be sent".to_owned(), for_good: true })
    } else {
        let ready = ready(&app, &taken, &due, purpose)?;
        // Of the transport only what connects has an end of its own.
        timeout(LONGEST, app.mail.send(ready)).await.unwrap_or_else(|_| {
            let why = format!("the mail server said nothing for {} seconds", LONGEST.as_secs());
            Err(Refused { why, for_good: false })
        })
    };
    let now = app.clock.now();
    let (state, error, again) = match sent {
        Ok(()) => (MailState::Sent, None, None),
        Err(Refused { why, for_good }) => {
            let [chance] = random::<1>()?;
            let pause = rules::pause(taken.attempts, chance).filter(|_| !for_good);
            let state = if pause.is_some() { MailState::Queued } else { MailState::Failed };
            (state, Some(why), pause)
        }
    };
    tell(&app, &taken, state, error.as_deref());
    let again = again.map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
    let again = again.map(|pause| now.plus_millis(pause));
    let done = store.write(move |tx| {
        let how = (state, taken.attempts);
        rows::tried(tx, within.assume_exists(), taken.id, how, error.as_deref(), now)?;
        match again {
            Some(due) => work::again(tx, &taken, due),
            None => work::done(tx, &taken),
        }
    });
    done.await
}

/// Says what has become of a mail, and of nobody whom it is for.
fn tell(app: &App, taken: &Taken, state: MailState, error: Option<&str>) {
    let result = match state {
        MailState::Sent => "sent",
        MailState::Queued => "retried",
        MailState::Failed => "failed",
    };
    if let Some(meter) = &app.meter {
        meter.mailed(result);
    }
    let (application, mail) = (taken.application.to_string(), taken.id.to_string());
    match (state, error.unwrap_or_default()) {
        (MailState::Sent, _) => tracing::debug!(application, mail, "a mail was sent"),
        (MailState::Queued, error) => {
            tracing::warn!(application, mail, error, "a mail could not be sent: it is tried again");
        }
        (MailState::Failed, error) => {
            tracing::error!(application, mail, error, "a mail was given up");
        }
    }
}

/// The URL of a link for `purpose` to `page`, whose secret is `secret`.
pub(crate) fn url(page: &str, purpose: &str, secret: &Secret) -> String {
    let and = if page.contains('?') { '&' } else { '?' };
    format!("{page}{and}purpose={purpose}&token={}", secret.expose())
}

fn ready<'d>(app: &App, taken: &Taken, due: &'d Due, purpose: MailPurpose) -> Result<Ready<'d>> {
    let application = taken.application;
    let link = due.seed.as_ref().zip(due.details.link_url.as_deref());
    let link =
        link.map(|(seed, page)| url(page, purpose.as_str(), &Secret::of(&app.link_seal, seed)));
    let facts = Facts {
        purpose,
        application: &due.application,
        link: link.as_deref(),
        expires: due.expires,
        new_address: due.details.new_address.as_deref(),
    };
    let letter = Letter::of(&facts)?;
    Ok(Ready {
        application,
        id: ExperienceMailId(taken.id),
        purpose,
        recipient: &due.recipient,
        from: due.from.as_deref(),
        created: due.created,
        letter,
        link,
    })
}
