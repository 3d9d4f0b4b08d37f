//! Percent-encoding and query strings.

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// More pairs than any client sends; each costs a little work before the token is looked at.
const MOST_PAIRS: usize = 1000;

/// Reads a query string. Every value is a string; the values of a name that is repeated are an
/// array. A name with brackets, such as `tagFilter[0][key]`, makes the value of what precedes
/// them an object, whatever else that name is given, so that where a string is declared it is of
/// the wrong type.
///
/// # Errors
/// [`Error::Malformed`] if the encoding is broken, or there are more than a thousand pairs.
pub fn parse_query(query: &str) -> Result<Map<String, Value>> {
    let mut read = Map::new();
    for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count == MOST_PAIRS {
            return Err(Error::Malformed(format!(
                "The URL has more than {MOST_PAIRS} query parameters"
            )));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        add(&mut read, decode(name, true)?, decode(value, true)?);
    }
    Ok(read)
}

fn add(read: &mut Map<String, Value>, mut name: String, value: String) {
    // A name cannot be empty, so a leading bracket is part of it.
    if let Some(bracket) = name.find('[').filter(|&at| at > 0) {
        let path = name.split_off(bracket);
        let object = read.entry(name).or_insert(Value::Null);
        match object {
            Value::Object(fields) => drop(fields.insert(path, value.into())),
            other => *other = Map::from_iter([(path, value.into())]).into(),
        }
        return;
    }
    match read.get_mut(&name) {
        None => drop(read.insert(name, value.into())),
        Some(Value::Object(_)) => {}
        Some(Value::Array(values)) => values.push(value.into()),
        Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
    }
}

/// Reads one segment of a path; `+` means itself here.
///
/// # Errors
/// [`Error::Malformed`] if the encoding is broken.
pub fn decode_path_segment(segment: &str) -> Result<String> {
    decode(segment, false)
}

fn decode(text: &str, plus_is_space: bool) -> Result<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let high = bytes.next().and_then(nibble).ok_or_else(malformed)?;
                let low = bytes.next().and_then(nibble).ok_or_else(malformed)?;
                high << 4 | low
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| malformed())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Writes `pairs` as a query string.
pub fn write_query<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        encode(name, &mut query);
        query.push('=');
        encode(value, &mut query);
    }
    query
}

fn encode(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn malformed() -> Error {
    Error::Malformed("The URL has malformed percent-encoding".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(query: &str) -> Value {
        parse_query(query).unwrap().into()
    }

    #[test]
    fn pairs_are_strings() {
        assert_eq!(read(""), json!({}));
        assert_eq!(read("page=0&filter="), json!({ "page": "0", "filter": "" }));
        assert_eq!(read("&a&&b=c=d&"), json!({ "a": "", "b": "c=d" }));
        assert_eq!(
            read("query=%7B%22a%22%3A+1%7D&q=%C3%a9%2B"),
            json!({ "query": "{\"a\": 1}", "q": "é+" })
        );
    }

    #[test]
    fn a_repeated_name_is_an_array() {
        assert_eq!(read("a=1&a=2&b=3&a=4"), json!({ "a": ["1", "2", "4"], "b": "3" }));
    }

    #[test]
    fn brackets_make_an_object() {
        let object = json!({ "a": { "[0][key]": "v", "[1]": "w" } });
        assert_eq!(read("a[0][key]=v&a%5B1%5D=w"), object);
        assert_eq!(read("a=1&a[0][key]=v&a=2&a[1]=w"), object);
        assert_eq!(read("a=1&a=2&a[]=3"), json!({ "a": { "[]": "3" } }));
        assert_eq!(read("[a]=1"), json!({ "[a]": "1" }));
    }

    #[test]
    fn broken_encoding_is_refused() {
        for query in ["a=%", "a=%2", "a=%zz", "a=%+1", "%ff=1", "a=%C3", "a=%C3%28", "a=%é"] {
            let error = parse_query(query).unwrap_err();
            assert_eq!(error.to_string(), "The URL has malformed percent-encoding", "{query}");
        }
        assert!(decode_path_segment("%e9").is_err());
    }

    #[test]
    fn plus_means_itself_in_a_path() {
        assert_eq!(decode_path_segment("a+b%2fc").unwrap(), "a+b/c");
    }

    #[test]
    fn pairs_are_counted() {
        assert!(parse_query(&"a&".repeat(MOST_PAIRS)).is_ok());
        let error = parse_query(&"a&".repeat(MOST_PAIRS + 1)).unwrap_err();
        assert_eq!(error.to_string(), "The URL has more than 1000 query parameters");
    }

    #[test]
    fn fuzz_query_string() {
        let words =
            ["page=", "query=%7B%22", "[0][key]=", "%5B", "%C3%A9", "%00", "&&", "a=1&a=2", "+"];
        Fuzz::new("query-string").words(words).run(|bytes| {
            let Ok(text) = str::from_utf8(bytes) else { return None };
            let segment = decode_path_segment(text);
            if let Ok(segment) = &segment {
                assert!(segment.len() <= text.len());
            }
            let read = parse_query(text);
            let Ok(fields) = &read else { return Some((segment.is_ok(), 0, 0)) };
            assert!(fields.values().all(|value| !value.is_null()), "{fields:?}");
            // What is plain is what it is when it is written and read again.
            let plain =
                fields.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
            let plain: Vec<_> =
                plain.filter(|(name, _)| !name.chars().skip(1).any(|c| c == '[')).collect();
            let again = parse_query(&write_query(plain.iter().copied())).unwrap();
            assert!(
                plain.iter().all(|(name, value)| again[*name] == **value),
                "{plain:?} {again:?}"
            );
            let count = |is: fn(&Value) -> bool| fields.values().filter(|value| is(value)).count();
            let objects = count(Value::is_object).min(2);
            Some((segment.is_ok(), objects, count(Value::is_array).min(2)))
        });
    }

    proptest! {
        #[test]
        fn no_query_upsets_it(query in r"[a-c\[\]%=&+0-9é\x00]{0,40}|.{0,40}") {
            match parse_query(&query) {
                Ok(read) => prop_assert!(read.values().all(|value| !value.is_null())),
                Err(Error::Malformed(_)) => {}
                Err(other) => prop_assert!(false, "{other}"),
            }
        }

        #[test]
        fn what_is_written_is_read(
            pairs in prop::collection::btree_map("[^\\[]{1,5}", ".{0,9}", 0..4)
        ) {
            let query = write_query(pairs.iter().map(|(name, value)| (&**name, &**value)));
            prop_assert_eq!(read(&query), json!(pairs));
        }

        #[test]
        fn what_was_encoded_comes_back(text in ".{0,20}") {
            let encoded: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let encoded = encoded.concat();
            prop_assert_eq!(decode_path_segment(&encoded).unwrap(), text.clone());
            prop_assert_eq!(read(&format!("x={encoded}")), json!({ "x": text }));
        }
    }
}
