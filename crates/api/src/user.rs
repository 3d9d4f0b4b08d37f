//! `auth` and `me`: administrators of this server (the wire's `user`) and how they sign in.

use crate::api_token::TokenTtl;
use crate::id::UserId;
use crate::scope::Scopes;
use crate::secret::{NewUserPassword, TypedPassword};
use crate::text::{Email, Switch, Text, Trimmed};
use crate::time::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The administrator who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "me")]
pub struct Me {
    /// Who it is.
    pub id: UserId,
    /// The same as `id`.
    pub user_id: UserId,
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
    /// A picture, found by the address.
    pub avatar_url: String,
    /// Always true: administrators are made on the command line.
    pub email_verified: bool,
    /// Always false.
    pub needs_to_verify_email: bool,
    /// Always false: there is no second factor here.
    pub two_factor_auth_enabled: bool,
    /// Sessions and API tokens from before this moment are not good any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_cutoff: Option<DateTime>,
    /// What the administrator says of themselves.
    #[serde(flatten)]
    pub profile: Profile,
}

/// What an administrator says of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Web page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

crate::object! {
    /// What changes of an administrator; what is not there stays as it is.
    deny_unknown MePatch {
        /// The new address.
        optional email "email": Email,
        /// Given name.
        optional first_name "firstName": Text<1, 1024>,
        /// Family name.
        optional last_name "lastName": Text<1, 1024>,
        /// Company.
        optional company_name "companyName": Text<0, 1024>,
        /// Title.
        optional title "title": Text<0, 1024>,
        /// Phone number.
        optional phone_number "phoneNumber": Text<0, 1024>,
        /// Place.
        optional location "location": Text<0, 1024>,
        /// Web page.
        optional url "url": Text<0, 1024>,
        /// The new password.
        optional password "password": NewUserPassword,
        /// The present password: needed for a new address or a new password, unless it was given within
        /// the last ten minutes to sign in.
        optional current_password "currentPassword": TypedPassword,
        /// Sessions and API tokens from before this moment are not good any more.
        optional token_cutoff "tokenCutoff": DateTime,
    }
}

crate::object! {
    /// Switches of the `me` actions; what they ask for is not here.
    allow_unknown MeGet {
        /// Whether what was looked at lately is answered.
        optional include_recent "includeRecent": Switch = false,
        /// Parts of the summary that are not answered.
        optional summary_exclude "summaryExclude": Text<0, 4096>,
        /// The only parts of the summary that are answered.
        optional summary_include "summaryInclude": Text<0, 4096>,
    }
}

crate::object! {
    /// A new password for the administrator who asks.
    deny_unknown ChangePassword {
        /// A second factor; there is none here.
        optional two_factor_code "twoFactorCode": Text<0, 2048>,
        /// The present password.
        required password "password": TypedPassword,
        /// The new one.
        required new_password "newPassword": NewUserPassword,
        /// Whether every session that there is ends, and every API token of one's own is inactive.
        optional invalidate_existing_tokens "invalidateExistingTokens": bool = false,
        /// How long the new session lasts.
        optional token_ttl "tokenTTL": TokenTtl,
    }
}

crate::object! {
    /// An administrator signs in.
    deny_unknown UserCredentials {
        /// The address; white space around it does not count.
        required email "email": Trimmed<Email>,
        /// The password.
        required password "password": TypedPassword,
        /// A second factor; there is none here.
        optional two_factor_code "twoFactorCode": Text<0, 2048>,
        /// What the session may do; `all.User` unless said.
        optional requested_scopes "requestedScopes": Scopes,
        /// How long the session lasts.
        optional token_ttl "tokenTTL": TokenTtl,
    }
}

crate::object! {
    /// Whose domain is looked up.
    allow_unknown SsoDomain {
        /// The address; white space around it does not count.
        required email "email": Trimmed<Email>,
    }
}

/// A session has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "authedUser")]
pub struct AuthedUser {
    /// Who signed in.
    pub user_id: UserId,
    /// The token of the session; there unless the session has been ended since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
