//! What somebody types to find users: words, each a part of a text.

use crate::text::read_text;
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// The most words of a search.
pub const MOST_WORDS: usize = 8;
/// The most characters of a search.
pub const MOST_CHARACTERS: usize = 256;

/// Up to 8 words with white space between them, at most 256 characters in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its words; there may be none.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_whitespace()
    }
}

impl Wire for Search {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let search = Self(read_text(value, 0, MOST_CHARACTERS, at)?);
        if search.words().count() > MOST_WORDS {
            return at.refuse(Rule::Other(format!("has more than {MOST_WORDS} words").into()));
        }
        Some(search)
    }
}

impl JsonSchema for Search {
    fn schema_name() -> Cow<'static, str> {
        "Search".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": MOST_CHARACTERS,
            "pattern": format!(r"^\s*(\S+\s+){{0,{}}}\S*\s*$", MOST_WORDS - 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn read(text: &str) -> Result<Search, String> {
        let read = wire::read::<Search>("search", text.into());
        read.map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn words_are_split_at_white_space() {
        let search = read(" Ada \t\u{3000}love\u{a0}lace\n").unwrap();
        assert_eq!(search.words().collect::<Vec<_>>(), ["Ada", "love", "lace"]);
        assert_eq!(read("  ").unwrap().words().count(), 0);
    }

    #[test]
    fn it_has_a_bound() {
        assert!(read("1 2 3 4 5 6 7 8").is_ok());
        assert_eq!(read("1 2 3 4 5 6 7 8 9").unwrap_err(), "search has more than 8 words");
        assert!(read(&"é".repeat(256)).is_ok());
        let long = read(&"é".repeat(257)).unwrap_err();
        assert_eq!(long, "search has longer length than allowed");
        assert_eq!(read("a\0").unwrap_err(), "search must not contain U+0000");
    }
}
