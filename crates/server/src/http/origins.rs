//! Which pages may call the API from a browser.

use super::reply::RequestMeta;
use crate::error::{Error, Result};
use hyper::header::{self, HeaderMap, HeaderValue};

/// The origins of pages that may call: any, unless some are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Option<Vec<String>>);

impl AllowedOrigins {
    /// Reads origins such as `https://app.example.com`, or `*` for any.
    ///
    /// # Errors
    /// When one is none; the words name it.
    pub fn parse(given: &[String]) -> Result<Self, String> {
        if let [any] = given
            && any == "*"
        {
            return Ok(Self(None));
        }
        let origins = given.iter().map(|origin| match normal(origin) {
            Some(normal) => Ok(normal),
            None => Err(format!(
                "{origin:?} is not an origin, such as https://app.example.com: a scheme, a host and \
                 a port if there is one, and nothing behind"
            )),
        });
        Ok(Self(Some(origins.collect::<Result<_, _>>()?)))
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.0.as_ref().is_none_or(|all| all.iter().any(|one| one.as_bytes() == origin.as_bytes()))
    }

    /// Whether whoever sent `headers` may call. Those that are of no page may; and where origins
    /// are named, no page but theirs may read the answer, which `meta` has to know.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(super) fn check(&self, headers: &HeaderMap, meta: &mut RequestMeta) -> Result<()> {
        if self.0.is_none() {
            return Ok(());
        }
        let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
        if origins.peek().is_none() {
            meta.hide_from_pages();
            return Ok(());
        }
        if origins.all(|origin| self.allows(origin)) {
            return Ok(());
        }
        meta.hide_from_pages();
        Err(Error::Forbidden)
    }
}

/// An origin as browsers send it (RFC 6454 6.2): in small letters, without the usual port.
fn normal(origin: &str) -> Option<String> {
    let origin = origin.to_ascii_lowercase();
    let (scheme, host) = origin.split_once("://")?;
    let known = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let in_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let sound = !scheme.is_empty() && scheme.chars().all(known);
    if !sound || host.is_empty() || !host.chars().all(in_host) {
        return None;
    }
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return Some(origin),
    };
    Some(format!("{scheme}://{}", host.strip_suffix(usual).unwrap_or(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(origins: &[&str]) -> Result<AllowedOrigins, String> {
        AllowedOrigins::parse(&origins.iter().map(|&origin| origin.to_owned()).collect::<Vec<_>>())
    }

    fn may_call(allowed: &AllowedOrigins, origins: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(header::ORIGIN, HeaderValue::from_static(origin));
        }
        let mut meta = RequestMeta::of(&headers);
        allowed.check(&headers, &mut meta).is_ok()
    }

    #[test]
    fn only_the_pages_that_are_named_may_call() {
        let some = of(&["https://App.example:443", "http://[::1]:8080", "app://x"]).unwrap();
        for (origin, named) in [
            ("https://app.example", true),
            ("http://[::1]:8080", true),
            ("app://x", true),
            ("http://app.example", false),
            ("https://app.example:8443", false),
            ("https://app.example.evil", false),
            ("https://evil.app.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(may_call(&some, &[origin]), named, "{origin}");
            assert!(may_call(&AllowedOrigins::default(), &[origin]));
            assert!(may_call(&of(&["*"]).unwrap(), &[origin]));
            assert!(!may_call(&of(&[]).unwrap(), &[origin]));
        }
        assert!(may_call(&some, &[]), "it is of no page");
        assert!(!may_call(&some, &["https://app.example", "https://evil.example"]));
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for wrong in
            ["app.example", "https://app.example/", "https://", "null", "*.example", "://a"]
        {
            let words = of(&["https://a.example", wrong]).unwrap_err();
            assert!(words.starts_with(&format!("{wrong:?} is not an origin")), "{words}");
        }
        assert!(of(&["https://a.example", "*"]).is_err());
    }
}
