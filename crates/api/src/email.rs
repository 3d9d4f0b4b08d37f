//! E-mail addresses: to be kept, and to be recognized by.

use crate::text::read_sized;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;
use std::ops::Deref;

/// An e-mail address: the WHATWG "valid e-mail address" production, at most 1,024 characters,
/// kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

const MAX_EMAIL: usize = 1024;

fn is_email(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && user.bytes().all(local) && domain.split('.').all(label)
    })
}

impl Email {
    /// The address `text`, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() <= MAX_EMAIL && is_email(text)).then(|| Self(text.into()))
    }

    /// The address as it was written.
    #[must_use]
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl Deref for Email {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Wire for Email {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let text = read_sized(value, 0, MAX_EMAIL, at)?;
        if is_email(&text) { Some(Self(text)) } else { at.refuse(no_email(&text)) }
    }
}

/// What is wrong with `text` as an address, and how to write it where that is known. It is not
/// written so for whoever sent it: two forms of one address would be two users.
fn no_email(text: &str) -> Rule {
    let rule = Rule::Format("email");
    let trimmed = text.trim();
    if trimmed.len() < text.len() && is_email(trimmed) {
        return rule.because("there is white space around it");
    }
    let Some((user, domain)) = text.rsplit_once('@') else { return rule };
    if !user.is_ascii() {
        return rule.because("what is before the @ must be ASCII");
    }
    match idna::domain_to_ascii(domain) {
        Ok(ascii) if !domain.is_ascii() && is_email(&format!("{user}@{ascii}")) => {
            rule.because(format!("write the domain as {ascii}"))
        }
        _ => rule,
    }
}

impl JsonSchema for Email {
    fn schema_name() -> Cow<'static, str> {
        "Email".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "email", "maxLength": MAX_EMAIL })
    }
}

/// What is read without the white space around it: what a person types or pastes to be recognized
/// by, as opposed to what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trimmed<T>(pub T);

impl<T> Deref for Trimmed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wire> Wire for Trimmed<T> {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let value = match value {
            Value::String(text) => text.trim().into(),
            other => other,
        };
        T::read(value, at).map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Trimmed<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        T::json_schema(schemas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;
    use serde_json::json;

    fn problem<T: Wire + std::fmt::Debug>(value: Value) -> String {
        wire::read::<T>("x", value).unwrap_err()[0].to_string()
    }

    #[test]
    fn emails_follow_the_whatwg_production() {
        for good in ["a@b", "a.b+c@d-e.f", "!#$%&'*+/=?^_`{|}~-@x.y", "A@B.C"] {
            assert!(wire::read::<Email>("x", json!(good)).is_ok(), "{good}");
        }
        let long_label = format!("a@{}", "b".repeat(64));
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a\0@b",
            "a@-b",
            "a@b-",
            "a@b..c",
            "a@ä b",
            "a@\u{ad}",
            &long_label,
        ] {
            assert_eq!(problem::<Email>(json!(bad)), "x must be email format", "{bad}");
        }
        let most = format!("{}@b", "a".repeat(1022));
        assert!(wire::read::<Email>("x", json!(most)).is_ok());
        let more = format!("{}@b", "a".repeat(1023));
        assert_eq!(problem::<Email>(json!(more)), "x has longer length than allowed");
        assert_eq!(problem::<Email>(json!(7)), "x is the wrong type");
    }

    #[test]
    fn an_address_that_cannot_be_kept_says_how_to_write_it() {
        for (bad, how) in [
            ("a@münchen.de", "write the domain as xn--mnchen-3ya.de"),
            ("a@MÜNCHEN.de", "write the domain as xn--mnchen-3ya.de"),
            ("a@mu\u{308}nchen.de", "write the domain as xn--mnchen-3ya.de"),
            ("a@例え.テスト", "write the domain as xn--r8jz45g.xn--zckzah"),
            ("ä@b", "what is before the @ must be ASCII"),
            (" a@b", "there is white space around it"),
            ("a@b\n", "there is white space around it"),
        ] {
            assert_eq!(problem::<Email>(json!(bad)), format!("x must be email format: {how}"));
        }
        assert!(wire::read::<Email>("x", json!("a@xn--mnchen-3ya.de")).is_ok());
    }

    #[test]
    fn an_address_to_be_recognized_by_is_trimmed() {
        type Typed = Trimmed<Email>;
        for typed in ["a@b", " a@b", "a@b ", "\ta@b\r\n", "a@b\u{a0}"] {
            assert_eq!(wire::read::<Typed>("x", json!(typed)).unwrap().to_string(), "a@b");
        }
        assert_eq!(problem::<Typed>(json!("a b@c")), "x must be email format");
        assert_eq!(problem::<Typed>(json!(" ")), "x must be email format");
        assert_eq!(problem::<Typed>(json!(7)), "x is the wrong type");
    }
}
