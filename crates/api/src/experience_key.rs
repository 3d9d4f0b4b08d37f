//! `experienceKey` and `experienceKeys`: what the tokens of an application's users are signed with.

use crate::id::ApplicationId;
use crate::time::DateTime;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

crate::words! {
    /// What a key does.
    KeyState {
        /// It is going to sign.
        Next "next",
        /// It signs.
        Current "current",
        /// It has signed; what it has signed is good.
        Retired "retired",
    }
}

/// A key that signs the tokens of an application's users, or did, or is going to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceKey")]
pub struct ExperienceKey {
    /// Its name, which its tokens say: its thumbprint (RFC 7638).
    pub kid: String,
    /// How it signs.
    pub alg: Cow<'static, str>,
    /// What it does.
    pub state: KeyState,
    /// When it was made.
    pub creation_date: DateTime,
    /// Since when it signs, or from when on.
    pub signs_from: DateTime,
}

/// The keys of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceKeys")]
pub struct ExperienceKeys {
    /// The application.
    pub application_id: ApplicationId,
    /// How many there are.
    pub count: u64,
    /// All of them, the newest first.
    pub items: Vec<ExperienceKey>,
}

/// The name of a key: a SHA-256 in base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kid(pub String);

impl Wire for Kid {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Value::String(text) = value else { return at.refuse(Rule::WrongType) };
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if text.len() == 43 && text.bytes().all(sound) {
            Some(Self(text))
        } else {
            at.refuse(Rule::Pattern)
        }
    }
}

impl JsonSchema for Kid {
    fn schema_name() -> Cow<'static, str> {
        "Kid".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9A-Za-z_-]{43}$" })
    }
}

crate::object! {
    /// A new key.
    deny_unknown ExperienceKeyPost {
        /// Whether it signs at once, as where the present one is known to others, and not only when everybody has had time to
        /// learn of it.
        optional immediately "immediately": bool = false,
    }
}

crate::object! {
    /// Names a key of an application.
    allow_unknown OneExperienceKey {
        /// The application.
        required application_id "applicationId": ApplicationId,
        /// The name of the key.
        required kid "kid": Kid,
    }
}
