//! Passwords as they come in: nothing here can be written back, shown or logged.

use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use zeroize::Zeroizing;

/// More than any passphrase, and little enough that hashing it takes no longer than a short one.
const LONGEST: usize = 2048;

/// What an administrator's password has to be, in the words of an error.
const RULE_OF_USER: &str = "12 to 2048 characters are needed, among them a capital, a small letter \
                            and a digit of ASCII, and one that is none of these";

/// The shortest password there is, in characters.
const SHORTEST: usize = 8;
/// The shortest that an administrator may choose.
const SHORTEST_OF_USER: usize = 12;

/// The form in which a password is hashed: that of RFC 8265 (`OpaqueString`), composed (NFC) and
/// with ordinary spaces, because the same keys give other characters on another system. Nothing is
/// refused that the wire allows. `None` when `text` is in that form already.
fn normal(text: &str) -> Option<Zeroizing<String>> {
    let space = |c: char| c.is_whitespace() && !c.is_ascii() && !is_break(c);
    if text.is_ascii() || is_nfc(text) && !text.contains(space) {
        return None;
    }
    // As large as it can become, so that it is not copied on the way and left behind.
    let mut normal = Zeroizing::new(String::with_capacity(3 * text.len()));
    normal.extend(text.chars().map(|c| if space(c) { ' ' } else { c }).nfc());
    Some(normal)
}

/// White space that ends a line, which is no space.
const fn is_break(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A password to be set, of 8 to 2048 characters, in the form in which it is hashed. Its memory is
/// overwritten when it goes.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// `text` as a password.
    ///
    /// # Errors
    /// The rule that it breaks, when it is too short or too long.
    pub fn new(text: String) -> Result<Self, Rule> {
        normalized(text, SHORTEST).map(Self)
    }

    /// What to hash, in UTF-8.
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

/// A password as somebody typed it, to be checked.
#[derive(Clone)]
pub struct TypedPassword {
    typed: Zeroizing<String>,
    /// The form in which one is hashed, where it is another.
    normal: Option<Zeroizing<String>>,
}

impl TypedPassword {
    /// `text` as a password. It is long enough if either form is: one that was set before there was
    /// a normal form was measured as it was typed.
    ///
    /// # Errors
    /// The rule that it breaks, when it is too short or too long.
    pub fn new(text: String) -> Result<Self, Rule> {
        Self::of(text, SHORTEST)
    }

    /// As [`TypedPassword::new`], where one that is too short is not refused but wrong: no rule is told to
    /// whoever guesses.
    ///
    /// # Errors
    /// When it is too long.
    pub fn of_any_length(text: String) -> Result<Self, Rule> {
        Self::of(text, 0)
    }

    fn of(text: String, shortest: usize) -> Result<Self, Rule> {
        let typed = Zeroizing::new(text);
        // Decomposed, a character is four at most.
        if typed.chars().take(4 * LONGEST + 1).count() > 4 * LONGEST {
            return Err(Rule::TooLong);
        }
        let normal = normal(&typed);
        measured(normal.as_ref().unwrap_or(&typed), shortest)
            .or_else(|rule| measured(&typed, shortest).map_err(|_| rule))?;
        Ok(Self { typed, normal })
    }

    /// The form that a password is hashed in.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.normal.as_ref().unwrap_or(&self.typed).as_bytes()
    }

    /// What was typed, where that is another form: hashes that were made elsewhere, or before there
    /// was a normal form, may be of that.
    #[must_use]
    pub fn as_typed(&self) -> Option<&[u8]> {
        self.normal.as_ref().map(|_| self.typed.as_bytes())
    }
}

impl fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedPassword")
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
        let text = normalized(text, SHORTEST_OF_USER)?;
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

/// The normal form of `text`, if that and `text` are both of `shortest` to [`LONGEST`] characters:
/// otherwise the same password typed in the other form would be refused.
fn normalized(text: String, shortest: usize) -> Result<Zeroizing<String>, Rule> {
    let text = Zeroizing::new(text);
    measured(&text, shortest)?;
    match normal(&text) {
        None => Ok(text),
        Some(normal) => measured(&normal, shortest).map(|()| normal),
    }
}

fn measured(text: &str, shortest: usize) -> Result<(), Rule> {
    match text.chars().take(LONGEST + 1).count() {
        length if length < shortest => Err(Rule::TooShort),
        length if length > LONGEST => Err(Rule::TooLong),
        _ => Ok(()),
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

impl Wire for TypedPassword {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        read(value, at, Self::new)
    }
}

impl Wire for NewUserPassword {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        read(value, at, |text| Self::new(text).map_err(|rule| rule.because(RULE_OF_USER)))
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
            "minLength": SHORTEST,
            "maxLength": LONGEST,
            "writeOnly": true,
        })
    }
}

impl JsonSchema for TypedPassword {
    fn schema_name() -> Cow<'static, str> {
        "TypedPassword".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        Password::json_schema(schemas)
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
        // One pattern rather than `allOf` of four, which generators make four unknown types of.
        json_schema!({
            "type": "string",
            "format": "password",
            "minLength": SHORTEST_OF_USER,
            "maxLength": LONGEST,
            "pattern": r"^(?=[\s\S]*[A-Z])(?=[\s\S]*[a-z])(?=[\s\S]*[0-9])(?=[\s\S]*[^A-Za-z0-9])",
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

    /// As a Mac hands it on, and as most other systems do.
    const DECOMPOSED: &str = "Pa\u{308}ssword-1";
    const COMPOSED: &str = "P\u{e4}ssword-1";

    #[test]
    fn a_password_is_set_composed() {
        let set = |text: &str| Password::new(text.to_owned()).unwrap().0.to_string();
        assert_eq!(set(DECOMPOSED), COMPOSED);
        assert_eq!(set(COMPOSED), COMPOSED);
        // Spaces that some keyboards give.
        assert_eq!(set("two\u{a0}good\u{3000}words"), "two good words");
        // Not what only looks alike, nor control characters.
        for same in ["\u{fb01}ne password", "\u{ff11}2345678", "pass\tword\n1", "a\u{2028}bcdefgh"]
        {
            assert_eq!(set(same), same);
        }
        let chosen = NewUserPassword::new("Long-en0ughs\u{308}".to_owned()).unwrap();
        assert_eq!(chosen.into_password().as_bytes(), "Long-en0ugh\u{73}\u{308}".as_bytes());
    }

    #[test]
    fn a_password_is_checked_in_both_forms() {
        let typed = |text: &str| TypedPassword::new(text.to_owned()).unwrap();
        let same = typed(COMPOSED);
        assert_eq!((same.as_bytes(), same.as_typed()), (COMPOSED.as_bytes(), None));
        let other = typed(DECOMPOSED);
        let both = (COMPOSED.as_bytes(), Some(DECOMPOSED.as_bytes()));
        assert_eq!((other.as_bytes(), other.as_typed()), both);
        assert_eq!(typed("all of ASCII").as_typed(), None);
    }

    #[test]
    fn both_forms_are_measured() {
        // Eight characters that are seven, and one that is three.
        let (short, long) = ("a\u{308}bcdefg".to_owned(), "\u{1d160}".repeat(2000));
        assert_eq!(Password::new(short.clone()).err(), Some(Rule::TooShort));
        assert_eq!(Password::new(long.clone()).err(), Some(Rule::TooLong));
        // What may have been set before is let through to be checked.
        assert!(TypedPassword::new(short).is_ok());
        assert!(TypedPassword::new(long).is_ok());
        for (text, rule) in [
            ("a\u{308}bcdef".to_owned(), Some(Rule::TooShort)),
            ("a\u{308}".repeat(2048), None),
            ("a\u{308}".repeat(2049), Some(Rule::TooLong)),
            ("a".repeat(2049), Some(Rule::TooLong)),
            ("a".repeat(1 << 20), Some(Rule::TooLong)),
        ] {
            assert_eq!(TypedPassword::new(text).err(), rule);
        }
        // It is the composed form that has to have a small letter.
        let capital = "LONG-EN0UGH-a\u{308}".to_owned();
        assert_eq!(NewUserPassword::new(capital).err(), Some(Rule::Pattern));
    }

    #[test]
    fn what_is_wrong_with_a_choice_is_said() {
        for (text, words) in
            [("short", "has less length than allowed"), ("long-enough-all", "pattern mismatch")]
        {
            let problems = crate::wire::read::<NewUserPassword>("x", text.into()).unwrap_err();
            assert_eq!(problems[0].to_string(), format!("x {words}: {RULE_OF_USER}"));
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
        let typed = TypedPassword::new("Long-en0ughs".to_owned()).unwrap();
        assert_eq!(format!("{typed:?}"), "TypedPassword");
    }
}
