//! `experienceMails`: what is mailed to the users of an application.

use crate::entity::{Cursor, PageNumber, PerPage, SortDirection};
use crate::experience_user::Glob;
use crate::id::{ApplicationId, ExperienceMailId, ExperienceUserId};
use crate::time::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

crate::words! {
    /// What a mail is for.
    MailPurpose {
        /// A link by which its reader becomes a user.
        Register "register",
        /// The same, as the application asked them to.
        Invite "invite",
        /// A link by which a user chooses a new password.
        Reset "reset",
        /// A link by which a user says that the address is theirs.
        Verify "verify",
        /// The same of the address that they want to have.
        ChangeAddress "changeAddress",
        /// Somebody wanted to register with the address of a user.
        AddressInUse "addressInUse",
        /// A user has another address now; to the old one.
        AddressChanged "addressChanged",
        /// A user has another password now.
        PasswordChanged "passwordChanged",
    }
    /// What has become of a mail.
    MailState {
        /// It will be sent, or tried again.
        Queued "queued",
        /// The server for mail has taken it.
        Sent "sent",
        /// It was given up.
        Failed "failed",
    }
    /// What a list of mails can be sorted by.
    ExperienceMailSort {
        /// When the mail was made.
        CreationDate "creationDate",
        /// The id.
        Id "id",
    }
    /// What a pattern can be matched against in a list of mails.
    ExperienceMailFilter {
        /// To whom.
        Recipient "recipient",
    }
}

/// A mail. What it says is not kept, and neither is the secret of a link once it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceMail")]
pub struct ExperienceMail {
    /// Which mail it is.
    pub id: ExperienceMailId,
    /// The same as `id`.
    pub experience_mail_id: ExperienceMailId,
    /// The application that it is from.
    pub application_id: ApplicationId,
    /// When it was made.
    pub creation_date: DateTime,
    /// When its state last changed, or it was last tried.
    pub last_updated: DateTime,
    /// What it is for.
    pub purpose: MailPurpose,
    /// To whom.
    pub recipient: String,
    /// The user that it is about, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experience_user_id: Option<ExperienceUserId>,
    /// What has become of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it could not be sent when it was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

crate::object! {
    /// Which mails are listed, and how.
    allow_unknown ExperienceMailList where filtered {
        /// What they are sorted by; `creationDate` unless said.
        optional sort_field "sortField": ExperienceMailSort = "creationDate",
        /// In which direction; `asc` unless said.
        optional sort_direction "sortDirection": SortDirection = "asc",
        /// Which page; 0 unless said.
        optional page "page": PageNumber = 0,
        /// How many a page; 100 unless said.
        optional per_page "perPage": PerPage = 100,
        /// Where to go on, instead of `page`: from `_links.next` of the page before, or from
        /// `_links.previous` of the page after.
        optional cursor "cursor": Cursor,
        /// What `filter` is matched against.
        optional filter_field "filterField": ExperienceMailFilter,
        /// The pattern that `filterField` has to match as a whole.
        optional filter "filter": Glob,
    }
}

fn filtered(list: &ExperienceMailList, at: &mut crate::wire::Problems) {
    crate::entity::filter_has_field(list.filter.is_some(), list.filter_field.is_some(), at);
}
