//! Links that are mailed to people, and what makes them: `experienceInvitation(s)`, `experiencePasswordResets`,
//! `experienceAddressChanges` and `experienceLinks`.

use crate::entity::{Cursor, PageNumber, PerPage, SortDirection, filter_has_field};
use crate::experience_user::{ExperienceUser, Glob};
use crate::id::{ApplicationId, ExperienceGroupId, ExperienceInvitationId};
use crate::secret::Password;
use crate::text::{Email, List, PersonName, Tags, Text, Trimmed, Whole};
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// A minute, in milliseconds.
const MINUTE: u64 = 60 * 1000;
/// Thirty days.
const MONTH: u64 = 30 * 24 * 60 * MINUTE;

/// How long a link lasts, in milliseconds: a minute to thirty days.
pub type LinkTtl = Whole<MINUTE, MONTH>;

/// The secret of a link, as its page has it. One that was never made is as good as one that has ended.
pub type LinkToken = Text<0, 255>;

crate::words! {
    /// What a link is for. One of another purpose does not do.
    LinkPurpose {
        /// Its reader becomes a user, and chooses a password.
        Register "register",
        /// The same, as the application asked them to.
        Invite "invite",
        /// A user chooses a new password.
        Reset "reset",
        /// A user shows that the address is theirs.
        Verify "verify",
        /// A user gets another address, and shows that it is theirs.
        ChangeAddress "changeAddress",
    }
    /// What a list of invitations can be sorted by.
    ExperienceInvitationSort {
        /// When the invitation was made.
        CreationDate "creationDate",
        /// The id.
        Id "id",
    }
    /// What a pattern can be matched against in a list of invitations.
    ExperienceInvitationFilter {
        /// The address.
        Email "email",
    }
}

impl LinkPurpose {
    /// Whether whoever uses the link chooses a password.
    #[must_use]
    pub const fn takes_password(self) -> bool {
        matches!(self, Self::Register | Self::Invite | Self::Reset)
    }
}

/// The page that a link leads to, with the `purpose` and the `token` added to its query: a URL of `https`, or of
/// `http` on the machine of whoever reads the mail, for development; without a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkUrl(String);

const LONGEST_URL: usize = 2048;

impl LinkUrl {
    /// The URL `text`, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, secure) = match text.strip_prefix("https://") {
            Some(rest) => (rest, true),
            None => (text.strip_prefix("http://")?, false),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split_once(']')?.0,
            None => authority.split(':').next().unwrap_or_default(),
        };
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let local = matches!(host, "localhost" | "127.0.0.1" | "::1");
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte);
        let good = !host.is_empty()
            && authority.bytes().all(named)
            && (secure || local)
            && text.len() <= LONGEST_URL
            && text.bytes().all(plain);
        good.then(|| Self(text.to_owned()))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for LinkUrl {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Wire for LinkUrl {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Value::String(text) = value else { return at.refuse(Rule::WrongType) };
        let why = "it is to be of https, or of http on localhost, and without a fragment";
        Self::parse(&text).or_else(|| at.refuse(Rule::Format("uri").because(why)))
    }
}

impl JsonSchema for LinkUrl {
    fn schema_name() -> Cow<'static, str> {
        "LinkUrl".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "maxLength": LONGEST_URL })
    }
}

/// Somebody who was asked to become a user, and has not done so yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceInvitation")]
pub struct ExperienceInvitation {
    /// Which invitation it is.
    pub id: ExperienceInvitationId,
    /// The same as `id`.
    pub experience_invitation_id: ExperienceInvitationId,
    /// The application that asks.
    pub application_id: ApplicationId,
    /// When it was made.
    pub creation_date: DateTime,
    /// When its link ends.
    pub expiration_date: DateTime,
    /// Who was asked.
    pub email: String,
    /// Their given name, unless they say another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Their family name, unless they say another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The tags that they will have.
    pub user_tags: Tags,
    /// The groups that they will be in, those that there are by then.
    pub experience_group_ids: Vec<ExperienceGroupId>,
}

/// An invitation that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "madeExperienceInvitation")]
pub struct MadeInvitation {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: ExperienceInvitation,
    /// The link, where nothing was mailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

crate::object! {
    /// Asks somebody to become a user.
    deny_unknown ExperienceInvitationPost {
        /// Who is asked.
        required email "email": Email,
        /// Their given name, unless they say another.
        optional first_name "firstName": PersonName,
        /// Their family name, unless they say another.
        optional last_name "lastName": PersonName,
        /// The tags that they will have.
        optional user_tags "userTags": Tags,
        /// The groups that they will be in.
        optional experience_group_ids "experienceGroupIds": List<ExperienceGroupId, 1000>,
        /// How many milliseconds the link lasts; seven days unless said.
        optional ttl "ttl": LinkTtl = 604_800_000,
        /// Whether the link is mailed. It is answered otherwise.
        optional send_mail "sendMail": bool = true,
        /// The page of yours that the link leads to.
        optional link_url "linkUrl": LinkUrl,
    }
}

crate::object! {
    /// Lets a user choose a new password.
    deny_unknown PasswordResetPost {
        /// How many milliseconds the link lasts; an hour unless said.
        optional ttl "ttl": LinkTtl = 3_600_000,
        /// Whether the link is mailed. It is answered otherwise.
        optional send_mail "sendMail": bool = true,
        /// The page of yours that the link leads to.
        optional link_url "linkUrl": LinkUrl,
    }
}

crate::object! {
    /// Lets a user show that an address is theirs.
    deny_unknown AddressChangePost {
        /// The address; the user gets it when the link is used.
        required email "email": Email,
        /// How many milliseconds the link lasts; a day unless said.
        optional ttl "ttl": LinkTtl = 86_400_000,
        /// Whether the link is mailed. It is answered otherwise.
        optional send_mail "sendMail": bool = true,
        /// The page of yours that the link leads to.
        optional link_url "linkUrl": LinkUrl,
    }
}

/// A link was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "madeExperienceLink")]
pub struct MadeLink {
    /// When it ends.
    pub expiration_date: DateTime,
    /// The link, where nothing was mailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

crate::object! {
    /// Names the links of a purpose.
    allow_unknown LinksOfPurpose {
        /// The application.
        required application_id "applicationId": ApplicationId,
        /// What the link is for.
        required purpose "purpose": LinkPurpose,
    }
}

crate::object! {
    /// What somebody who followed a link says.
    deny_unknown LinkUse {
        /// The secret of the link.
        required token "token": LinkToken,
        /// The password that they choose, where the link is for that.
        optional password "password": Password,
        /// The given name of a new user.
        optional first_name "firstName": PersonName,
        /// The family name of a new user.
        optional last_name "lastName": PersonName,
    }
}

crate::object! {
    /// Somebody says which address is theirs.
    deny_unknown AddressGiven {
        /// The address; white space around it does not count.
        required email "email": Trimmed<Email>,
    }
}

/// A link was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "usedExperienceLink")]
pub struct UsedLink {
    /// Its user, as they are now.
    pub experience_user: ExperienceUser,
}

crate::object! {
    /// Names one invitation.
    allow_unknown OneExperienceInvitation {
        /// The application.
        required application_id "applicationId": ApplicationId,
        /// The invitation.
        required experience_invitation_id "experienceInvitationId": ExperienceInvitationId,
    }
}

crate::object! {
    /// Which invitations are listed, and how.
    allow_unknown ExperienceInvitationList where filtered {
        /// What they are sorted by; `creationDate` unless said.
        optional sort_field "sortField": ExperienceInvitationSort = "creationDate",
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
        optional filter_field "filterField": ExperienceInvitationFilter,
        /// The pattern that `filterField` has to match as a whole.
        optional filter "filter": Glob,
    }
}

fn filtered(list: &ExperienceInvitationList, at: &mut Problems) {
    filter_has_field(list.filter.is_some(), list.filter_field.is_some(), at);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_page_of_https_or_of_this_machine() {
        for (url, good) in [
            ("https://app.example.com", true),
            ("https://app.example.com:8443/reset?lang=de", true),
            ("http://localhost:3000/reset", true),
            ("http://127.0.0.1/", true),
            ("http://[::1]:3000/", true),
            ("http://app.example.com/reset", false),
            ("http://localhost.example.com/", false),
            ("https://", false),
            ("https:///reset", false),
            ("https://me@app.example.com/", false),
            ("https://app.example.com/#reset", false),
            ("https://app.example.com/a b", false),
            ("https://app.example.com/\"><b>", false),
            ("https://app.example.com/\r\nBcc: x", false),
            ("javascript:alert(1)", false),
            ("//app.example.com", false),
            ("", false),
        ] {
            assert_eq!(LinkUrl::parse(url).is_some(), good, "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(LONGEST_URL));
        assert_eq!(LinkUrl::parse(&long), None);
    }
}
