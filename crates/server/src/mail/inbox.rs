//! Mails that stay in memory, for tests to look at.

use super::transport::Ready;
use guestlist_api::experience_mail::MailPurpose;
use guestlist_api::id::{ApplicationId, ExperienceMailId};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Mails that stay in memory.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<VecDeque<Received>>);

/// A mail that was sent to memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// Which it is.
    pub id: ExperienceMailId,
    /// The application that it is from.
    pub application_id: ApplicationId,
    /// What it is for.
    pub purpose: MailPurpose,
    /// To whom.
    pub recipient: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Its link, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The secret of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// As many as are remembered.
const MOST: usize = 1000;

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Received>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, ready: Ready<'_>) {
        let mut all = self.lock();
        if all.len() == MOST {
            all.pop_front();
        }
        let token = ready.link.as_deref().and_then(|link| link.split_once("token="));
        all.push_back(Received {
            id: ready.id,
            application_id: ready.application,
            purpose: ready.purpose,
            recipient: ready.recipient.to_owned(),
            subject: ready.letter.subject,
            text: ready.letter.text,
            html: ready.letter.html,
            token: token.map(|(_, token)| token.to_owned()),
            link: ready.link,
        });
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Received> {
        self.lock().iter().cloned().collect()
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.lock().clear();
    }
}
