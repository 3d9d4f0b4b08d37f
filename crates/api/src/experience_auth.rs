//! `experienceAuth` and `experienceUserTokens`: how the users of an application sign in to it, for its backends.

use crate::experience_user::ExperienceUser;
use crate::id::{ApplicationId, ExperienceGroupId, ExperienceUserId};
use crate::secret::{Password, TypedPassword};
use crate::text::{Email, Text, Trimmed, Whole};
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::net::IpAddr;

/// The longest a token may last, in milliseconds: 1,000 years, which keeps every moment inside the calendar.
const LONGEST: u64 = 1000 * 365 * 24 * 3600 * 1000;

/// How long a token lasts, in milliseconds.
pub type MaxAge = Whole<1, LONGEST>;

/// A token of a user, as it is shown. One of the longest that are made takes a third of it.
pub type ShownToken = Text<0, 16_384>;

crate::words! {
    /// What somebody signs in with. All of it has to be right.
    AuthMode {
        /// An address and the password.
        EmailPassword "emailPassword",
        /// A token.
        Token "token",
        /// A token, and the address of its user.
        TokenEmail "tokenEmail",
        /// A token, the address of its user, and the password.
        TokenEmailPassword "tokenEmailPassword",
    }
}

impl AuthMode {
    /// Whether it asks for an address, for a password and for a token.
    const fn asks(self) -> [bool; 3] {
        match self {
            Self::EmailPassword => [true, true, false],
            Self::Token => [false, false, true],
            Self::TokenEmail => [true, false, true],
            Self::TokenEmailPassword => [true, true, true],
        }
    }
}

/// A password that somebody gives to sign in, of at most 2048 characters. One that is too short to be right is
/// wrong like any other.
#[derive(Debug, Clone)]
pub struct GivenPassword(pub TypedPassword);

impl Wire for GivenPassword {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) => {
                TypedPassword::of_any_length(text).map(Self).map_err(|rule| at.push(rule)).ok()
            }
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for GivenPassword {
    fn schema_name() -> Cow<'static, str> {
        "GivenPassword".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let mut schema = Password::json_schema(schemas);
        schema.remove("minLength");
        schema
    }
}

/// What a backend wants to find in a token again: a JSON object of at most 4 KiB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ExtraData(pub Map<String, Value>);

/// The most bytes of [`ExtraData`], as JSON without spaces.
const MOST_EXTRA: usize = 4096;

impl Wire for ExtraData {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        if value.to_string().len() > MOST_EXTRA {
            return at.refuse(Rule::TooLong);
        }
        match value {
            Value::Object(fields) => Some(Self(fields)),
            _ => at.refuse(Rule::WrongType),
        }
    }
}

/// An address of the Internet Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub IpAddr);

impl Wire for Address {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Value::String(text) = value else { return at.refuse(Rule::WrongType) };
        text.parse().map(Self).map_err(|_| at.push(Rule::Format("ip"))).ok()
    }
}

impl JsonSchema for Address {
    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] })
    }
}

crate::object! {
    /// From where somebody signs in, as their backend sees it.
    deny_unknown AuthClient {
        /// Their address. Wrong passwords are counted by where they come from: without it all who sign in
        /// with one address are counted together.
        optional address "address": Address,
        /// What their backend knows their browser by, such as a cookie of a year that nobody can guess. Who has
        /// signed in with it before does not wait after the wrong passwords of others.
        optional device "device": Text<16, 255>,
    }
}

crate::object! {
    /// Somebody signs in.
    deny_unknown ExperienceCredentials where complete {
        /// What is given below.
        required mode "mode": AuthMode,
        /// The address; white space around it does not count.
        optional email "email": Trimmed<Email>,
        /// The password.
        optional password "password": GivenPassword,
        /// A token of the user.
        optional token "token": ShownToken,
        /// From where they sign in.
        optional client "client": AuthClient,
        /// Whether a new token is answered.
        optional generate_token "generateToken": bool = true,
        /// How many milliseconds the new token lasts; for ever unless said. A token ends with a second.
        optional max_age "maxAge": MaxAge,
        /// What the new token has in it besides.
        optional extra_data "extraData": ExtraData,
        /// Whether every token from before is not good any more.
        optional invalidate_existing_tokens "invalidateExistingTokens": bool = false,
    }
}

fn complete(given: &ExperienceCredentials, at: &mut Problems) {
    let there = [
        ("email", given.email.is_some()),
        ("password", given.password.is_some()),
        ("token", given.token.is_some()),
    ];
    for ((name, is_there), is_asked) in there.into_iter().zip(given.mode.asks()) {
        let rule = match (is_asked, is_there) {
            (true, false) => Rule::Required,
            // Whoever gives it means that it has to be right.
            (false, true) => Rule::Other("is not looked at in this mode: leave it out".into()),
            _ => continue,
        };
        at.nested(name, |at| at.push(rule));
    }
}

/// Somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "authenticatedExperienceUser")]
pub struct Authenticated {
    /// Who it is.
    pub experience_user: ExperienceUser,
    /// The new token, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When that ends; never, if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime>,
}

crate::object! {
    /// A token for a user, who need not be there.
    deny_unknown ExperienceUserTokenPost {
        /// How many milliseconds it lasts; for ever unless said. A token ends with a second.
        optional max_age "maxAge": MaxAge,
        /// What it has in it besides.
        optional extra_data "extraData": ExtraData,
        /// Whether every token from before is not good any more.
        optional invalidate_existing_tokens "invalidateExistingTokens": bool = false,
        /// Whether this counts as a sign-in of the user, which `lastLogin` tells.
        optional treat_as_login "treatAsLogin": bool = false,
        /// Who acts for the user with it, which it has as `act` (RFC 8693).
        optional actor "actor": Text<1, 255>,
    }
}

crate::object! {
    /// A token for a user whom a backend knows by an address or by an id.
    deny_unknown ExperienceUserTokenFor {
        /// The address or the id of the user, told apart by its form; white space around it does not count.
        required email_or_id "emailOrId": Text<1, 1024>,
        /// How many milliseconds it lasts; for ever unless said. A token ends with a second.
        optional max_age "maxAge": MaxAge,
        /// What it has in it besides.
        optional extra_data "extraData": ExtraData,
        /// Whether every token from before is not good any more.
        optional invalidate_existing_tokens "invalidateExistingTokens": bool = false,
        /// Whether this counts as a sign-in of the user, which `lastLogin` tells.
        optional treat_as_login "treatAsLogin": bool = false,
        /// Who acts for the user with it, which it has as `act` (RFC 8693).
        optional actor "actor": Text<1, 255>,
    }
}

/// A user as a backend knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailOrId {
    /// By the address.
    Email(String),
    /// By the id.
    Id(ExperienceUserId),
}

impl ExperienceUserTokenFor {
    /// For whom it is, and the token itself.
    #[must_use]
    pub fn split(self) -> (EmailOrId, ExperienceUserTokenPost) {
        let Self {
            email_or_id,
            max_age,
            extra_data,
            invalidate_existing_tokens,
            treat_as_login,
            actor,
        } = self;
        let who = email_or_id.trim();
        // No address is a number of 24 digits: it has an @.
        let who = who.parse().map_or_else(|_| EmailOrId::Email(who.to_owned()), EmailOrId::Id);
        let post = ExperienceUserTokenPost {
            max_age,
            extra_data,
            invalidate_existing_tokens,
            treat_as_login,
            actor,
        };
        (who, post)
    }
}

/// A token that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceUserToken")]
pub struct ExperienceUserToken {
    /// The token.
    pub token: String,
    /// When it ends; never, if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime>,
}

/// A token that was made, if there is such a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceUserTokenOrNone")]
pub struct TokenOrNone {
    /// The token; `null` where there is no such user.
    pub token: Option<String>,
    /// When it ends; never, if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime>,
}

/// All tokens of a user have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceUserTokensEnded")]
pub struct TokensEnded {
    /// Always true.
    pub success: bool,
    /// Those from before this moment.
    pub token_cutoff: DateTime,
}

crate::object! {
    /// A token that a backend was shown.
    deny_unknown VerifyToken {
        /// The token.
        required token "token": ShownToken,
        /// The address that its user has to have.
        optional email "email": Trimmed<Email>,
    }
}

/// What became of a token that a backend was shown. Of one that is not good there is nothing but that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "verifiedExperienceToken")]
pub struct VerifiedToken {
    /// Whether it is good.
    pub active: bool,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experience_user: Option<ExperienceUser>,
    /// What was put into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_data: Option<ExtraData>,
    /// All that it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<ExtraData>,
}

crate::object! {
    /// Names a user and a group of an application.
    allow_unknown OneUserAndGroup {
        /// The application.
        required application_id "applicationId": ApplicationId,
        /// The user.
        required experience_user_id "experienceUserId": ExperienceUserId,
        /// The group.
        required experience_group_id "experienceGroupId": ExperienceGroupId,
    }
}

/// Whether a user is a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceGroupMembership")]
pub struct GroupMembership {
    /// Whether it is: of the group, or of one that this is in.
    pub member: bool,
    /// The nearest of these that it is a direct member of; `null` where there is none.
    pub through: Option<ExperienceGroupId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::read;
    use serde_json::json;

    #[test]
    fn what_a_mode_asks_is_given_and_nothing_else() {
        let all =
            [("email", json!("a@b.example")), ("password", json!("x")), ("token", json!("t"))];
        for (mode, asked) in [
            ("emailPassword", &all[..2]),
            ("token", &all[2..]),
            ("tokenEmail", &[all[0].clone(), all[2].clone()]),
            ("tokenEmailPassword", &all[..]),
        ] {
            for given in 0..8 {
                let given = (0..3).filter(|bit| given >> bit & 1 == 1).map(|bit| all[bit].clone());
                let given: Vec<_> = given.collect();
                let mut body = json!({ "mode": mode });
                for (name, value) in &given {
                    body[*name] = value.clone();
                }
                let read = read::<ExperienceCredentials>("credentials", body);
                assert_eq!(read.is_ok(), given == asked, "{mode} {given:?}");
            }
        }
    }

    #[test]
    fn extra_data_is_an_object_of_4_kib() {
        let read = |value| read::<ExtraData>("extraData", value);
        assert!(read(json!({ "a": "x".repeat(MOST_EXTRA - 8) })).is_ok());
        assert!(read(json!({ "a": "x".repeat(MOST_EXTRA - 7) })).is_err());
        assert!(read(json!([])).is_err());
    }
}
