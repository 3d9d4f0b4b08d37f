//! The trace that a request belongs to, as whoever calls names it (W3C Trace Context): for the log, so
//! that the line of a request is found from a trace of the services in front. None is made here.

use hyper::header::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 32]);

impl TraceId {
    /// The one that the headers name, if they name one as they should.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(TRACEPARENT)?.as_bytes();
        let (known, more) = value.split_at_checked(55)?;
        let mut parts = known.split(|byte| *byte == b'-');
        let mut part = |length: usize| parts.next().filter(|part| is_hex(part, length));
        let (version, trace) = (part(2)?, part(32)?);
        let (parent, _flags) = (part(16)?, part(2)?);
        let is_zero = |digits: &[u8]| digits.iter().all(|digit| *digit == b'0');
        // A later version may say more behind what this one has.
        let ends = match version {
            b"00" => more.is_empty(),
            b"ff" => false,
            _ => more.first().is_none_or(|next| *next == b'-'),
        };
        let sound = ends && !is_zero(trace) && !is_zero(parent);
        trace.try_into().ok().filter(|_| sound).map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn is_hex(digits: &[u8], length: usize) -> bool {
    digits.len() == length && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn id(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_str(value).unwrap());
        TraceId::of(&headers).map(|id| id.as_str().to_owned())
    }

    #[test]
    fn a_trace_is_taken_as_the_recommendation_has_it() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for good in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what.comes",
        ] {
            assert_eq!(id(good).as_deref(), Some(trace), "{good}");
        }
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        ] {
            assert_eq!(id(bad), None, "{bad}");
        }
        assert_eq!(TraceId::of(&HeaderMap::new()), None);
    }
}
