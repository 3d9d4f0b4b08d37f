//! Passwords as they come in: nothing here can be written back, shown or logged.

use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use zeroize::Zeroizing;

/// More than any passphrase, and little enough that hashing it takes no longer than a short one.
const LONGEST: usize = 2048;

/// A password, of 8 to 2048 characters. Its memory is overwritten when it goes.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// `text` as a password.
    ///
    /// # Errors
    /// The rule that it breaks, when it is too short or too long.
    pub fn new(text: String) -> Result<Self, Rule> {
        sized(text, 8).map(Self)
    }

    /// What to hash: the text as it came, in UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The password that an administrator of the server chooses: 12 to 2048 characters, among them a
/// capital, a small letter and a digit of ASCII, and one that is none of these.
#[derive(Clone)]
pub struct NewUserPassword(Password);

impl NewUserPassword {
    /// `text` as such a password.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(text: String) -> Result<Self, Rule> {
        let text = sized(text, 12)?;
        let has = |kind: fn(&char) -> bool| text.chars().any(|c| kind(&c));
        let mixed = has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit)
            && has(|c| !c.is_ascii_alphanumeric());
        if mixed { Ok(Self(Password(text))) } else { Err(Rule::Pattern) }
    }

    /// It, as any other password.
    #[must_use]
    pub fn into_password(self) -> Password {
        self.0
    }
}

impl fmt::Debug for NewUserPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewUserPassword")
    }
}

/// `text`, if it is of `shortest` to [`LONGEST`] characters.
fn sized(text: String, shortest: usize) -> Result<Zeroizing<String>, Rule> {
    let text = Zeroizing::new(text);
    match text.chars().take(LONGEST + 1).count() {
        length if length < shortest => Err(Rule::TooShort),
        length if length > LONGEST => Err(Rule::TooLong),
        _ => Ok(text),
    }
}

fn read<T>(value: Value, at: &mut Problems, new: fn(String) -> Result<T, Rule>) -> Option<T> {
    match value {
        Value::String(text) => new(text).map_err(|rule| at.push(rule)).ok(),
        _ => at.refuse(Rule::WrongType),
    }
}

impl Wire for Password {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        read(value, at, Self::new)
    }
}

impl Wire for NewUserPassword {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        read(value, at, Self::new)
    }
}

impl JsonSchema for Password {
    fn schema_name() -> Cow<'static, str> {
        "Password".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "password",
            "minLength": 8,
            "maxLength": LONGEST,
            "writeOnly": true,
        })
    }
}

impl JsonSchema for NewUserPassword {
    fn schema_name() -> Cow<'static, str> {
        "NewUserPassword".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Four patterns rather than one with look-ahead, which many readers of schemas lack.
        json_schema!({
            "type": "string",
            "format": "password",
            "minLength": 12,
            "maxLength": LONGEST,
            "allOf": [
                { "pattern": "[A-Z]" },
                { "pattern": "[a-z]" },
                { "pattern": "[0-9]" },
                { "pattern": "[^A-Za-z0-9]" },
            ],
            "writeOnly": true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_measured_in_characters() {
        for (text, rule) in [
            ("seven77".to_owned(), Some(Rule::TooShort)),
            ("äöüßäöü".to_owned(), Some(Rule::TooShort)),
            ("8 digits".to_owned(), None),
            ("ä".repeat(2048), None),
            ("a".repeat(2049), Some(Rule::TooLong)),
        ] {
            assert_eq!(Password::new(text).err(), rule);
        }
    }

    #[test]
    fn an_administrator_chooses_better() {
        for (text, rule) in [
            ("Sh0rt-enoug", Some(Rule::TooShort)),
            ("Long-en0ughs", None),
            ("Long en0ughs", None),
            ("Longen0ughsä", None),
            ("Longen0ughss", Some(Rule::Pattern)),
            ("Long-enoughs", Some(Rule::Pattern)),
            ("long-en0ughs", Some(Rule::Pattern)),
            ("LONG-EN0UGHS", Some(Rule::Pattern)),
        ] {
            assert_eq!(NewUserPassword::new(text.to_owned()).err(), rule, "{text}");
        }
    }

    #[test]
    fn is_never_shown() {
        let password = NewUserPassword::new("Long-en0ughs".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "NewUserPassword");
        let password = password.into_password();
        assert_eq!(format!("{password:?}"), "Password");
        assert_eq!(password.as_bytes(), b"Long-en0ughs");
    }
}
