//! Moments, to the millisecond.

use crate::wire::{Problems, Rule, Wire};
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The first and the last moment that can be written with a year of four digits in UTC.
const YEARS_0_TO_9999: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;
/// The first moment that is taken. There was no year 0, and what reads answers may have none: the
/// dates of Python begin with the year 1.
const YEAR_1: i64 = -62_135_596_800_000;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A moment: milliseconds since 1970, written as `2016-06-13T04:00:00.000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(i64);

/// The text is not a date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADateTime;

impl fmt::Display for NotADateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date and time such as 2016-06-13T04:00:00.000Z")
    }
}

impl std::error::Error for NotADateTime {}

impl DateTime {
    /// The moment `millis` milliseconds after the start of 1970, UTC.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the start of 1970, UTC.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment `millis` milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// As it is written, which has room for the years that can be read.
    fn written(self) -> [u8; 24] {
        let (days, millis) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let date = EPOCH.saturating_add(jiff::Span::new().try_days(days).unwrap_or_default());
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[0..4], date.year().max(0).into());
        put(&mut text[5..7], date.month().into());
        put(&mut text[8..10], date.day().into());
        put(&mut text[11..13], millis / 3_600_000);
        put(&mut text[14..16], millis / 60_000 % 60);
        put(&mut text[17..19], millis / 1000 % 60);
        put(&mut text[20..23], millis % 1000);
        text
    }
}

/// Writes the last digits of `number`, which is not negative, over `place`.
fn put(place: &mut [u8], mut number: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(number % 10).unwrap_or_default()];
        number /= 10;
    }
}

/// Takes `count` ASCII digits from the front of `text`.
fn digits<'t>(text: &mut &'t [u8], count: usize) -> Option<&'t [u8]> {
    let (head, tail) = text.split_at_checked(count)?;
    *text = tail;
    head.iter().all(u8::is_ascii_digit).then_some(head)
}

fn number(text: &mut &[u8], count: usize) -> Option<i64> {
    Some(digits(text, count)?.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
}

fn skip(text: &mut &[u8], wanted: &[u8]) -> Option<u8> {
    let (&first, tail) = text.split_first()?;
    *text = tail;
    wanted.contains(&first).then_some(first)
}

/// RFC 3339, and like the platform's own reader: any white space or `t` before the time, no
/// zone for UTC, and the zone's colon and minutes left out. A leap second is the moment before it.
fn parse(text: &str) -> Option<i64> {
    let rest = &mut text.as_bytes();
    let year = number(rest, 4)?;
    skip(rest, b"-")?;
    let month = number(rest, 2)?;
    skip(rest, b"-")?;
    let day = number(rest, 2)?;
    skip(rest, b"Tt \t\n\r")?;
    let hour = number(rest, 2)?;
    skip(rest, b":")?;
    let minute = number(rest, 2)?;
    skip(rest, b":")?;
    let second = number(rest, 2)?;
    let mut millis = 0;
    if rest.first() == Some(&b'.') {
        *rest = &rest[1..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let fraction = digits(rest, length).filter(|fraction| !fraction.is_empty())?;
        for place in 0..3 {
            millis = millis * 10 + i64::from(fraction.get(place).map_or(0, |digit| digit - b'0'));
        }
    }
    let mut offset = 0;
    if let Some(sign) = rest.first().copied() {
        skip(rest, b"Zz+-")?;
        if matches!(sign, b'+' | b'-') {
            let hours = number(rest, 2)?;
            if rest.first() == Some(&b':') {
                *rest = &rest[1..];
            }
            let minutes = if rest.is_empty() { 0 } else { number(rest, 2)? };
            (hours <= 23 && minutes <= 59).then_some(())?;
            offset = (hours * 60 + minutes) * if sign == b'-' { -1 } else { 1 };
        }
    }
    let leap = second == 60;
    (rest.is_empty() && hour <= 23 && minute <= 59 && second <= 60).then_some(())?;
    let date =
        Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
            .ok()?;
    let days = i64::from((date - EPOCH).get_days());
    let minutes = days * 1440 + hour * 60 + minute - offset;
    // A second number 60 is only ever the last of a UTC day.
    (!leap || minutes.rem_euclid(1440) == 1439).then_some(())?;
    let (second, millis) = if leap { (59, 999) } else { (second, millis) };
    let moment = (minutes * 60 + second) * 1000 + millis;
    YEARS_0_TO_9999.contains(&moment).then_some(moment)
}

/// The first day that counts, 1970-01-01.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

impl FromStr for DateTime {
    type Err = NotADateTime;
    fn from_str(text: &str) -> Result<Self, NotADateTime> {
        parse(text).filter(|&moment| moment >= YEAR_1).map(Self).ok_or(NotADateTime)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.written()).unwrap_or_default())
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(std::str::from_utf8(&self.written()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // What was answered, where older servers have the year 0.
        let moment = parse(&<Cow<'de, str>>::deserialize(from)?).map(Self);
        moment.ok_or(NotADateTime).map_err(serde::de::Error::custom)
    }
}

impl Wire for DateTime {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        match value {
            Value::String(text) => {
                text.parse().map_err(|_| at.push(Rule::Format("date-time"))).ok()
            }
            _ => at.refuse(Rule::WrongType),
        }
    }
}

impl JsonSchema for DateTime {
    fn schema_name() -> Cow<'static, str> {
        "DateTime".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(text: &str) -> Option<i64> {
        text.parse::<DateTime>().ok().map(DateTime::millis)
    }

    #[test]
    fn reads_the_forms_that_clients_send() {
        let moment = Some(1_465_790_400_000);
        for same in [
            "2016-06-13T04:00:00.000Z",
            "2016-06-13T04:00:00Z",
            "2016-06-13t04:00:00.0z",
            "2016-06-13 04:00:00",
            "2016-06-13T06:00:00+02:00",
            "2016-06-13T06:00:00+0200",
            "2016-06-13T06:00:00+02",
            "2016-06-12T23:30:00.000999-04:30",
        ] {
            assert_eq!(millis(same), moment, "{same}");
        }
        assert_eq!(millis("2016-12-31T23:59:60Z"), millis("2016-12-31T23:59:59.999Z"));
    }

    #[test]
    fn the_last_and_the_first_moment_are_themselves() {
        for text in ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"] {
            assert_eq!(text.parse::<DateTime>().unwrap().to_string(), text);
        }
        assert_eq!(millis("0001-01-01T00:00:00Z"), Some(YEAR_1));
        for millis in [i64::MIN, i64::MAX] {
            assert_eq!(DateTime::from_millis(millis).to_string().len(), 24);
        }
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for bad in [
            "",
            "now",
            "2016-06-13",
            "2016-06-13T04:00",
            "2016-06-13T04:00:00.Z",
            "2016-02-30T00:00:00Z",
            "2016-13-01T00:00:00Z",
            "2016-06-13T24:00:00Z",
            "2016-06-13T04:60:00Z",
            "2016-06-13T04:00:60Z",
            "2016-06-13T04:00:00+24:00",
            "2016-06-13T04:00:00Zx",
            "2016-06-13T04:00:00+2",
            "+016-06-13T04:00:00Z",
            "0000-01-01T00:00:00+00:01",
            "0000-02-29T12:00:00Z",
            "0000-12-31T23:59:59.999Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(millis(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_an_older_server_answers_is_read() {
        let text = "0000-02-29T12:00:00.000Z";
        let read: DateTime = serde_json::from_value(text.into()).unwrap();
        assert_eq!(read.to_string(), text);
        assert!(serde_json::from_value::<DateTime>("9999-12-31T23:59:59-00:01".into()).is_err());
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(millis in YEAR_1..=*YEARS_0_TO_9999.end()) {
            let moment = DateTime::from_millis(millis);
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<DateTime>();
        }
    }
}
