//! The URL by which clients reach a server, which is theirs to say who runs it: no request is believed in that.

use hyper::Uri;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A URL such as `https://guests.example.com`, also below a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Without a slash at its end.
    text: String,
    host: String,
    name: String,
    is_https: bool,
}

impl PublicUrl {
    /// All of it, without a slash at the end: what follows begins with one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host and the port, if one is named.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host without the port, which a certificate has to be for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether clients speak TLS.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether people may be sent here with what nobody else is to read: over TLS, or within this machine.
    #[must_use]
    pub fn is_for_people(&self) -> bool {
        let is_loopback = |address: IpAddr| address.is_loopback();
        self.is_https || self.name == "localhost" || self.name.parse().is_ok_and(is_loopback)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{text:?} {why}, such as https://guests.example.com");
        let no_url = || wrong("is not a URL");
        let uri: Uri = text.parse().map_err(|_| no_url())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(no_url());
        };
        let is_https = scheme == "https";
        if !is_https && scheme != "http" {
            return Err(wrong("is no URL of http or https"));
        }
        let (host, name) = (authority.as_str(), authority.host());
        let port = host.strip_prefix(name).unwrap_or(host);
        let port_is_good = port.is_empty() || authority.port_u16().is_some_and(|port| port > 0);
        if name.is_empty() || host.contains('@') || !port_is_good {
            return Err(no_url());
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(wrong("has something behind its path: say a URL without"));
        }
        let path = uri.path().trim_end_matches('/');
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { text: format!("{scheme}://{host}{path}"), host: host.to_owned(), name, is_https })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_url_is_read_once_into_its_parts() {
        for (text, whole, host, name, is_https) in [
            (
                "https://guests.example.com",
                "https://guests.example.com",
                "guests.example.com",
                "guests.example.com",
                true,
            ),
            (
                "https://guests.example.com/",
                "https://guests.example.com",
                "guests.example.com",
                "guests.example.com",
                true,
            ),
            (
                "HTTPS://a.example:8443/x/y/",
                "https://a.example:8443/x/y",
                "a.example:8443",
                "a.example",
                true,
            ),
            ("http://127.0.0.1:80", "http://127.0.0.1:80", "127.0.0.1:80", "127.0.0.1", false),
            ("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080", "::1", false),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!((url.as_str(), url.host(), url.name()), (whole, host, name), "{text}");
            assert_eq!(url.is_https(), is_https, "{text}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_named() {
        for (text, why) in [
            ("", "is not a URL"),
            ("guests", "is not a URL"),
            ("guests.example.com", "is not a URL"),
            ("/guests", "is not a URL"),
            ("https://", "is not a URL"),
            ("https:///x", "is not a URL"),
            ("https://a b", "is not a URL"),
            ("https://me@a.example", "is not a URL"),
            ("https://me:secret@a.example", "is not a URL"),
            ("https://a.example:", "is not a URL"),
            ("https://a.example:0", "is not a URL"),
            ("https://a.example:65536", "is not a URL"),
            ("https://:8080", "is not a URL"),
            ("ftp://a.example", "is no URL of http or https"),
            ("https://a.example/?x", "has something behind its path"),
            ("https://a.example#x", "has something behind its path"),
        ] {
            let words = text.parse::<PublicUrl>().unwrap_err();
            assert!(words.starts_with(&format!("{text:?} {why}")), "{words}");
        }
    }

    proptest! {
        /// What is read stays as it is when it is read again.
        #[test]
        fn reading_is_settled(text in "(https?://)?[a-z0-9.:@\\[\\]/?#% -]{0,40}") {
            if let Ok(url) = text.parse::<PublicUrl>() {
                prop_assert_eq!(url.as_str().parse::<PublicUrl>(), Ok(url.clone()));
                prop_assert!(!url.as_str().ends_with('/'));
            }
        }
    }
}
