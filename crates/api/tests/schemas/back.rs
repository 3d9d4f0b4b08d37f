//! What was read, written again field by field, to see that nothing was lost.

use super::differences::completed;
use guestlist_api::api_token::{ApiTokenPatch, ApiTokenPost, OrgRole, OrgRolePost, TokenTtl};
use guestlist_api::experience_group::{DeviceTagPost, ExperienceGroupPatch, ExperienceGroupPost};
use guestlist_api::experience_user::{ExperienceUserPatch, ExperienceUserPost};
use guestlist_api::secret::{Password, TypedPassword};
use guestlist_api::text::{Email, Key, List, Nullable, Tags, Text, Trimmed};
use guestlist_api::time::DateTime;
use guestlist_api::user::UserCredentials;
use guestlist_api::wire::Wire;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization as _;

/// Something that can be written again.
pub(crate) trait Back: Wire {
    fn back(&self) -> Value;
}

macro_rules! by_deref {
    ($([$($generic:tt)*] $kind:ty;)*) => {$(
        impl<$($generic)*> Back for $kind {
            fn back(&self) -> Value {
                let text: &str = self;
                text.into()
            }
        }
    )*};
}
by_deref! {
    [] Email;
    [] Key;
    [const MIN: usize, const MAX: usize] Text<MIN, MAX>;
}

macro_rules! by_serde {
    ($($kind:ty)*) => {$(
        impl Back for $kind {
            fn back(&self) -> Value {
                serde_json::to_value(self).expect("it can be written")
            }
        }
    )*};
}
by_serde! {
    DateTime
    Tags
    guestlist_api::id::ExperienceGroupId
    guestlist_api::id::ExperienceUserId
    guestlist_api::id::ForeignId
    guestlist_api::scope::Scopes
    guestlist_api::api_token::Role
    guestlist_api::api_token::TokenStatus
}

impl Back for Password {
    fn back(&self) -> Value {
        std::str::from_utf8(self.as_bytes()).expect("it came as text").into()
    }
}

impl Back for TypedPassword {
    fn back(&self) -> Value {
        std::str::from_utf8(self.as_bytes()).expect("it came as text").into()
    }
}

impl<T: Back> Back for Trimmed<T> {
    fn back(&self) -> Value {
        self.0.back()
    }
}

impl Back for TokenTtl {
    fn back(&self) -> Value {
        json!(self.ends(DateTime::from_millis(0)).map_or(0, DateTime::millis))
    }
}

impl Back for OrgRolePost {
    fn back(&self) -> Value {
        serde_json::to_value(OrgRole::from(self.clone())).expect("it can be written")
    }
}

impl<T: Back, const MAX: usize> Back for List<T, MAX> {
    fn back(&self) -> Value {
        self.0.iter().map(Back::back).collect()
    }
}

impl<T: Back> Back for Nullable<T> {
    fn back(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, Back::back)
    }
}

macro_rules! structs {
    ($($kind:ident { $($required:ident $name:literal)* ; $($field:ident $wire:literal)* })*) => {$(
        impl Back for $kind {
            fn back(&self) -> Value {
                // Every field by its name: one that is added has to be added here.
                let Self { $($required,)* $($field,)* } = self;
                let fields = [
                    $(($name, Some($required.back())),)*
                    $(($wire, $field.as_ref().map(Back::back)),)*
                ];
                let there = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
                Value::Object(fields.into_iter().filter_map(there).collect::<Map<_, _>>())
            }
        }
    )*};
}

structs! {
    ExperienceUserPost {
        email "email" password "password" ;
        first_name "firstName" last_name "lastName" token_cutoff "tokenCutoff"
        user_tags "userTags" experience_group_ids "experienceGroupIds"
    }
    ExperienceUserPatch {
        ;
        email "email" password "password" first_name "firstName" last_name "lastName"
        token_cutoff "tokenCutoff" user_tags "userTags" experience_group_ids "experienceGroupIds"
    }
    ApiTokenPost {
        name "name" ;
        description "description" expiration_date "expirationDate" default_role "defaultRole"
        org_roles "orgRoles" scope "scope" status "status"
    }
    ApiTokenPatch {
        ;
        name "name" description "description" default_role "defaultRole" org_roles "orgRoles"
        status "status"
    }
    DeviceTagPost {
        ;
        key "key" value "value"
    }
    ExperienceGroupPost {
        name "name" ;
        description "description" experience_user_ids "experienceUserIds"
        experience_endpoint_ids "experienceEndpointIds" group_tags "groupTags"
        device_ids "deviceIds" device_tags "deviceTags" device_query_json "deviceQueryJson"
        parent_id "parentId"
    }
    ExperienceGroupPatch {
        ;
        name "name" description "description" experience_user_ids "experienceUserIds"
        experience_endpoint_ids "experienceEndpointIds" group_tags "groupTags"
        device_ids "deviceIds" device_tags "deviceTags" device_query_json "deviceQueryJson"
        parent_id "parentId"
    }
    UserCredentials {
        email "email" password "password" ;
        two_factor_code "twoFactorCode" requested_scopes "requestedScopes" token_ttl "tokenTTL"
    }
}

/// `body` as it is expected to come back: ids in lower case, moments in UTC to the millisecond, and
/// passwords in the form in which they are hashed.
pub(crate) fn expected(schema: &Value, body: &Value) -> Value {
    match body {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "password" => (name.clone(), hashed(text).into()),
                value => (name.clone(), expected(&schema["properties"][name], value)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| expected(&schema["items"], item)).collect(),
        Value::String(text) if schema["format"] == "date-time" => moment(text).into(),
        // Where white space is accepted around an address, it does not count.
        Value::String(text) if schema["format"] == "email" => text.trim().into(),
        Value::String(text) if is_id(schema) => text.to_lowercase().into(),
        // 1.0 is as whole a number as 1 is.
        #[expect(clippy::cast_possible_truncation, reason = "accepted numbers are small and whole")]
        Value::Number(number) => json!(number.as_f64().map(|number| number as i64)),
        other => other.clone(),
    }
}

/// `text` composed, with ordinary spaces (RFC 8265, `OpaqueString`).
fn hashed(text: &str) -> String {
    let space = |c: char| c.is_whitespace() && !c.is_ascii();
    let breaks = ['\u{85}', '\u{2028}', '\u{2029}'];
    text.chars().map(|c| if space(c) && !breaks.contains(&c) { ' ' } else { c }).nfc().collect()
}

fn is_id(schema: &Value) -> bool {
    let hex = |schema: &Value| schema["pattern"].as_str().is_some_and(|p| p.contains("{24}"));
    hex(schema) || hex(&schema["oneOf"][0])
}

/// `text` in UTC, cut to milliseconds; the last one of its minute for a leap second.
fn moment(text: &str) -> String {
    let text = completed(text);
    let local: jiff::civil::DateTime = text[..16].parse().expect("a date, an hour and a minute");
    let (seconds, rest) = text[17..].split_at(2);
    let (fraction, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).expect("a zone"));
    let utc = match zone.split_at(1) {
        ("Z" | "z", _) => local,
        (sign, zone) => {
            let number = |text: &str| text.parse::<i64>().expect("digits");
            let east = number(&zone[..2]) * 60 + number(&zone[3..]);
            local - jiff::Span::new().minutes(if sign == "+" { east } else { -east })
        }
    };
    let (seconds, fraction) = if seconds == "60" { ("59", ".999") } else { (seconds, fraction) };
    let fraction = fraction.trim_start_matches('.');
    format!("{}{seconds}.{fraction:0<3.3}Z", utc.strftime("%Y-%m-%dT%H:%M:"))
}
