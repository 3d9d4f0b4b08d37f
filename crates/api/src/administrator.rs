//! `administrator(s)` and `administratorSession(s)`: administrators of this server, as they see one
//! another. The platform has no such operations.

use crate::entity::{Cursor, PageNumber, PerPage, SortDirection, filter_has_field};
use crate::experience_user::Glob;
use crate::id::{ApiTokenId, UserId};
use crate::scope::Scopes;
use crate::secret::{NewUserPassword, TypedPassword};
use crate::time::DateTime;
use crate::wire::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An administrator of this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "administrator")]
pub struct Administrator {
    /// Who it is.
    pub id: UserId,
    /// The same as `id`.
    pub administrator_id: UserId,
    /// When the account was made.
    pub creation_date: DateTime,
    /// When it last changed.
    pub last_updated: DateTime,
    /// When its password last changed.
    pub password_last_updated: DateTime,
    /// Its address.
    pub email: String,
    /// Given and family name, or the address when there is neither.
    pub full_name: String,
    /// Whether they may sign in, and their sessions and API tokens are good.
    pub status: AdministratorStatus,
    /// Sessions and API tokens from before this moment are not good any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_cutoff: Option<DateTime>,
}

/// A session of an administrator. Its token is answered when it begins, and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "administratorSession")]
pub struct AdministratorSession {
    /// Which session it is.
    pub id: ApiTokenId,
    /// The same as `id`.
    pub session_id: ApiTokenId,
    /// Whose it is.
    pub administrator_id: UserId,
    /// When it began.
    pub creation_date: DateTime,
    /// When the password was given for it, or for the session that it goes on from; left out for one
    /// of a time when that was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_date: Option<DateTime>,
    /// When it ends; never, if this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<DateTime>,
    /// What it may do.
    pub scope: Scopes,
}

crate::words! {
    /// Whether an administrator may do anything at present.
    AdministratorStatus {
        /// They may.
        Active "active",
        /// They may not.
        Inactive "inactive",
    }
    /// What a list of administrators can be sorted by.
    AdministratorSort {
        /// The address.
        Email "email",
        /// The id.
        Id "id",
        /// When the account was made.
        CreationDate "creationDate",
        /// When it last changed.
        LastUpdated "lastUpdated",
    }
    /// What a pattern can be matched against in a list of administrators.
    AdministratorFilter {
        /// The address.
        Email "email",
    }
    /// What a list of sessions can be sorted by.
    AdministratorSessionSort {
        /// When the session began.
        CreationDate "creationDate",
        /// The id.
        Id "id",
        /// When the session ends.
        ExpirationDate "expirationDate",
    }
}

crate::object! {
    /// What changes of an administrator; what is not there stays as it is.
    deny_unknown AdministratorPatch {
        /// Whether they may do anything from now on.
        optional status "status": AdministratorStatus,
        /// A new password; their sessions end with the old one, and their API tokens are inactive.
        optional password "password": NewUserPassword,
        /// The present password of whoever asks: needed for a new password, unless it was given within
        /// the last ten minutes to sign in.
        optional current_password "currentPassword": TypedPassword,
    }
}

crate::object! {
    /// Names one administrator.
    allow_unknown OneAdministrator {
        /// The administrator.
        required administrator_id "administratorId": UserId,
    }
}

crate::object! {
    /// Names one session of an administrator.
    allow_unknown OneAdministratorSession {
        /// The administrator.
        required administrator_id "administratorId": UserId,
        /// The session.
        required session_id "sessionId": ApiTokenId,
    }
}

crate::object! {
    /// Which administrators are listed, and how.
    allow_unknown AdministratorList where filtered {
        /// What they are sorted by; `email` unless said.
        optional sort_field "sortField": AdministratorSort = "email",
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
        optional filter_field "filterField": AdministratorFilter,
        /// The pattern that `filterField` has to match as a whole.
        optional filter "filter": Glob,
    }
}

fn filtered(list: &AdministratorList, at: &mut Problems) {
    filter_has_field(list.filter.is_some(), list.filter_field.is_some(), at);
}

crate::object! {
    /// Which sessions are listed, and how.
    allow_unknown AdministratorSessionList {
        /// What they are sorted by; `creationDate` unless said.
        optional sort_field "sortField": AdministratorSessionSort = "creationDate",
        /// In which direction; `asc` unless said.
        optional sort_direction "sortDirection": SortDirection = "asc",
        /// Which page; 0 unless said.
        optional page "page": PageNumber = 0,
        /// How many a page; 100 unless said.
        optional per_page "perPage": PerPage = 100,
        /// Where to go on, instead of `page`: from `_links.next` of the page before, or from
        /// `_links.previous` of the page after.
        optional cursor "cursor": Cursor,
    }
}
