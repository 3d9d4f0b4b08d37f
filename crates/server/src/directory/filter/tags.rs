//! Tags.
//!
//! A text or `$in` asks for a tag. `null` and `$nin` ask that there be none: of those that the other
//! half of a matcher asks for, if it has one, none whose key or value is there (`null`) or listed
//! (`$nin`). So `{"$tagKey": "a", "$tagValue": X}` is the same as `{"a": X}`.

use super::sql::{FALSE, Filter, TRUE, joined};
use guestlist_api::query::{Listed, TagMatcher, TagPart, TagTest, TagText};

/// What has tags.
#[derive(Clone, Copy)]
pub(super) enum Tagged {
    Users,
    Groups,
}

/// Which tags half a matcher is about.
enum Half {
    /// There has to be one of these.
    Some(String),
    /// There must be none of these.
    None(String),
}

impl Half {
    fn condition(&self) -> &str {
        let (Self::Some(condition) | Self::None(condition)) = self;
        condition
    }
}

impl Tagged {
    /// One of the tags fulfils `condition`.
    fn some(self, application: &str, condition: &str) -> String {
        let (own, id, table) = match self {
            Self::Users => ("u.id", "user_id", "user_tags"),
            Self::Groups => ("g.id", "group_id", "group_tags"),
        };
        format!(
            "{own} IN (SELECT t.{id} FROM {table} t
                WHERE t.application_id = {application} AND {condition})"
        )
    }
}

impl Filter<'_> {
    /// What `test` asks of tags.
    pub(super) fn tags(&mut self, tagged: Tagged, test: &TagTest) -> String {
        let (TagTest::Eq(matcher) | TagTest::Ne(matcher)) = test;
        let condition = match matcher {
            None => self.no_tag(tagged, TRUE),
            Some(matcher) => self.matcher(tagged, matcher),
        };
        if matches!(test, TagTest::Ne(_)) { format!("NOT ({condition})") } else { condition }
    }

    fn matcher(&mut self, tagged: Tagged, matcher: &TagMatcher) -> String {
        match matcher {
            TagMatcher::Key(part) => {
                let key = self.half("t.tag", part);
                self.one(tagged, &key)
            }
            TagMatcher::Value(part) => {
                let value = self.half("t.value", part);
                self.one(tagged, &value)
            }
            TagMatcher::Pair { key, value } => {
                let (key, value) = (self.half("t.tag", key), self.half("t.value", value));
                self.both(tagged, &key, &value)
            }
            TagMatcher::Named(parts) => {
                let all = parts.iter().map(|(name, part)| {
                    let name = self.bind(name.as_str());
                    let key = Half::Some(format!("t.tag = {name}"));
                    let value = self.half("t.value", part);
                    self.both(tagged, &key, &value)
                });
                joined(all.collect(), " AND ")
            }
        }
    }

    fn half(&mut self, column: &str, part: &TagPart) -> Half {
        match part {
            TagPart::Is(None) => Half::None(TRUE.into()),
            TagPart::Is(Some(text)) => {
                let text = self.bind(&**text);
                Half::Some(format!("{column} = {text}"))
            }
            TagPart::In(texts) => Half::Some(self.among(column, texts)),
            TagPart::Nin(texts) => Half::None(self.among(column, texts)),
        }
    }

    fn among(&mut self, column: &str, texts: &Listed<TagText>) -> String {
        self.list(texts.0.iter().map(|text| text.to_string()))
            .map_or(FALSE.into(), |list| format!("{column} IN {list}"))
    }

    fn one(&self, tagged: Tagged, half: &Half) -> String {
        match half {
            Half::Some(condition) => tagged.some(self.application, condition),
            Half::None(condition) => self.no_tag(tagged, condition),
        }
    }

    fn both(&self, tagged: Tagged, key: &Half, value: &Half) -> String {
        let together = format!("{} AND {}", key.condition(), value.condition());
        match (key, value) {
            (Half::Some(_), Half::Some(_)) => tagged.some(self.application, &together),
            (Half::None(key), Half::None(value)) => {
                self.no_tag(tagged, &format!("({key} OR {value})"))
            }
            _ => self.no_tag(tagged, &together),
        }
    }

    fn no_tag(&self, tagged: Tagged, condition: &str) -> String {
        format!("NOT {}", tagged.some(self.application, condition))
    }
}
