//! Which proxy stands between a client and its server.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use std::net::IpAddr;

/// The proxy that the environment names for `url`, without the name and password in it. It is found as
/// reqwest finds it, so that what is said of it is what is done.
pub(crate) fn of(url: &Url) -> Option<String> {
    if is_loopback(url) {
        return None;
    }
    let found = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    Some(found.uri().to_string().trim_end_matches('/').to_owned())
}

/// Whether `url` is of this machine: a proxy would ask its own.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    match address {
        Ok(IpAddr::V6(ip)) => ip.to_canonical().is_loopback(),
        Ok(ip) => ip.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_many_names() {
        for (host, is) in [
            ("127.0.0.1:8080", true),
            ("127.9.9.9", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost", true),
            ("LOCALHOST.", true),
            ("a.localhost", true),
            ("localhost.example.com", false),
            ("10.0.0.1", false),
            ("guests.example.com", false),
        ] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(is_loopback(&url), is, "{host}");
        }
    }
}
