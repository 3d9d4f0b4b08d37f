//! Entity tags and the conditions of RFC 9110 13.1 that name them.

use guestlist_api::wire::{Problem, Rule};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use std::fmt;

/// What an answer that was compressed adds to the tag of its plain form.
const GZIP: &[u8] = b"-gzip";

/// What a condition has to be, in the words of an error.
const GRAMMAR: &str = "write *, or ETags with their quotes and commas between them, such as \"a1\", \
                       \"b2\"";

/// The strong tag of one state of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of a resource that is represented by `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let half =
            digest.iter().take(16).fold(0_u128, |number, &byte| number << 8 | u128::from(byte));
        Self(format!("{half:032x}"))
    }

    /// The value of the header that carries it.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        // It is made of hexadecimal digits, which a header always takes.
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static("\"\""))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// `If-Match`: go ahead only if the resource is in one of these states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Tags);

impl IfMatch {
    /// Reads it from the headers of a request, if it is there.
    ///
    /// # Errors
    /// A pattern mismatch of `If-Match`.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        Ok(Tags::of(headers, &header::IF_MATCH, "If-Match")?.map(Self))
    }

    /// Whether the request may go ahead (else it is a 412) on a resource whose tag is `current`,
    /// or that does not exist. Weak tags match nothing here.
    #[must_use]
    pub fn holds(&self, current: Option<&ETag>) -> bool {
        self.0.name(current, |weak| !weak)
    }
}

/// `If-None-Match`: go ahead only if the resource is in none of these states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfNoneMatch(Tags);

impl IfNoneMatch {
    /// Reads it from the headers of a request, if it is there.
    ///
    /// # Errors
    /// A pattern mismatch of `If-None-Match`.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        Ok(Tags::of(headers, &header::IF_NONE_MATCH, "If-None-Match")?.map(Self))
    }

    /// Whether the request may go ahead (else it is a 304 for GET and HEAD, and a 412 for others)
    /// on a resource whose tag is `current`, or that does not exist. Weak tags match as strong
    /// ones do.
    #[must_use]
    pub fn holds(&self, current: Option<&ETag>) -> bool {
        !self.0.name(current, |_| true)
    }
}

/// What either condition looks like, as a regular expression for documents. Empty elements and bytes
/// above ASCII are read too, but nobody has to be told.
pub(crate) const CONDITION: &str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    Listed(Vec<Tag>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: Vec<u8>,
}

impl Tags {
    fn of(
        headers: &HeaderMap,
        name: &HeaderName,
        field: &'static str,
    ) -> Result<Option<Self>, Problem> {
        let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if lines.is_empty() {
            return Ok(None);
        }
        let read = Self::read(&lines.join(&b','));
        read.map(Some).ok_or_else(|| Problem::new(field, Rule::Pattern.because(GRAMMAR)))
    }

    fn read(list: &[u8]) -> Option<Self> {
        if list.trim_ascii() == b"*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = list.trim_ascii_start();
        while let Some(&first) = rest.first() {
            // Elements may be empty (RFC 9110 5.6.1.2).
            if first == b',' {
                rest = rest[1..].trim_ascii_start();
                continue;
            }
            let weak = rest.strip_prefix(b"W/");
            let opened = weak.unwrap_or(rest).strip_prefix(b"\"")?;
            let length = opened.iter().position(|&byte| byte == b'"')?;
            let (opaque, closed) = opened.split_at(length);
            if opaque.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
                return None;
            }
            let opaque = opaque.strip_suffix(GZIP).unwrap_or(opaque).to_vec();
            tags.push(Tag { weak: weak.is_some(), opaque });
            rest = closed[1..].trim_ascii_start();
            if !(rest.is_empty() || rest.starts_with(b",")) {
                return None;
            }
        }
        (!tags.is_empty()).then_some(Self::Listed(tags))
    }

    /// Whether `current` is among them, of those that are `fit`.
    fn name(&self, current: Option<&ETag>, fit: impl Fn(bool) -> bool) -> bool {
        let Some(current) = current else { return false };
        match self {
            Self::Any => true,
            Self::Listed(tags) => {
                tags.iter().any(|tag| fit(tag.weak) && tag.opaque == current.0.as_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;
    use proptest::prelude::*;

    const X: &str = "2d711642b726b04401627ca9fbac32f5";

    fn x() -> ETag {
        ETag::of(b"x")
    }

    fn headers(value: &[u8]) -> HeaderMap {
        let value = HeaderValue::from_bytes(value).unwrap();
        [(header::IF_MATCH, value.clone()), (header::IF_NONE_MATCH, value)].into_iter().collect()
    }

    /// What both conditions say of a resource at `x`.
    fn both(value: &str) -> (bool, bool) {
        let headers = headers(value.as_bytes());
        let if_match = IfMatch::of(&headers).unwrap().unwrap();
        let if_none_match = IfNoneMatch::of(&headers).unwrap().unwrap();
        (if_match.holds(Some(&x())), if_none_match.holds(Some(&x())))
    }

    #[test]
    fn a_tag_is_half_a_digest_in_quotes() {
        assert_eq!(x().to_string(), format!("\"{X}\""));
        assert_eq!(x().header(), format!("\"{X}\""));
        assert_ne!(x(), ETag::of(b"y"));
    }

    #[test]
    fn conditions_hold_as_the_standard_says() {
        assert_eq!(both("*"), (true, false));
        assert_eq!(both(&format!("\"{X}\"")), (true, false));
        assert_eq!(both(&format!("\"{X}-gzip\"")), (true, false));
        assert_eq!(both(&format!("\"a,b\" , ,W/\"c\",\"{X}\"")), (true, false));
        assert_eq!(both("\"other\""), (false, true));
        assert_eq!(both(&format!("W/\"{X}\"")), (false, false));
        assert_eq!(both("\"\""), (false, true));
    }

    #[test]
    fn nothing_matches_what_is_not_there() {
        for value in ["*", "\"a\""] {
            let headers = headers(value.as_bytes());
            assert!(!IfMatch::of(&headers).unwrap().unwrap().holds(None));
            assert!(IfNoneMatch::of(&headers).unwrap().unwrap().holds(None));
        }
        assert_eq!(IfMatch::of(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = headers(b"\"a\"");
        headers.append(header::IF_MATCH, x().header());
        assert!(IfMatch::of(&headers).unwrap().unwrap().holds(Some(&x())));
    }

    #[test]
    fn what_is_not_a_list_of_tags_is_a_problem() {
        for value in [
            "",
            ",",
            "a",
            "\"a",
            "a\"",
            "w/\"a\"",
            "\"a\" \"b\"",
            "\"a\"b",
            "*,\"a\"",
            "\"a b\"",
            "W/",
            "W/*",
        ] {
            let headers = headers(value.as_bytes());
            let problem = IfMatch::of(&headers).unwrap_err();
            let mismatch = format!("If-Match pattern mismatch: {GRAMMAR}");
            assert_eq!(problem.to_string(), mismatch, "{value}");
            let problem = IfNoneMatch::of(&headers).unwrap_err();
            let mismatch = format!("If-None-Match pattern mismatch: {GRAMMAR}");
            assert_eq!(problem.to_string(), mismatch, "{value}");
        }
    }

    #[test]
    fn fuzz_conditions() {
        let own = x().to_string();
        let words = [own.as_bytes(), b"W/", b"-gzip\"", b"\"\"", b"\", \"", b"*", b"\xff", b","];
        Fuzz::new("conditions").words(words).run(|bytes| {
            let mut headers = HeaderMap::new();
            for line in bytes.split(|byte| *byte == b'\n') {
                let Ok(value) = HeaderValue::from_bytes(line) else { return None };
                headers.append(header::IF_MATCH, value.clone());
                headers.append(header::IF_NONE_MATCH, value);
            }
            let (Ok(Some(wanted)), Ok(Some(unwanted))) =
                (IfMatch::of(&headers), IfNoneMatch::of(&headers))
            else {
                assert!(IfMatch::of(&headers).is_err() && IfNoneMatch::of(&headers).is_err());
                return Some((false, false, 0));
            };
            assert!(!wanted.holds(None) && unwanted.holds(None), "there is nothing to be the same");
            let (same, other) = (wanted.holds(Some(&x())), unwanted.holds(Some(&x())));
            assert!(!(same && other), "it is named, and it is not");
            let star = bytes.contains(&b'*');
            let text = String::from_utf8_lossy(bytes);
            assert!(!same || star || text.contains(X), "nobody named it");
            let Tags::Listed(tags) = wanted.0 else { return Some((same, other, usize::MAX)) };
            Some((same, other, tags.len().min(3)))
        });
    }

    proptest! {
        #[test]
        fn what_documents_say_is_read(value in CONDITION.trim_matches(['^', '$'])) {
            prop_assert!(IfMatch::of(&headers(value.as_bytes())).unwrap().is_some());
        }

        #[test]
        fn no_header_value_upsets_it(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            if HeaderValue::from_bytes(&value).is_ok()
                && let Ok(Some(condition)) = IfMatch::of(&headers(&value))
            {
                prop_assert!(!condition.holds(None));
            }
        }

        #[test]
        fn a_list_of_tags_is_read(tags in proptest::collection::vec("[!#-~]{0,8}", 1..6)) {
            let list: Vec<_> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
            let headers = headers(list.join(", ").as_bytes());
            prop_assert!(IfMatch::of(&headers).unwrap().is_some());
        }
    }
}
