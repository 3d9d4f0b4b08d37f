//! Networks of addresses: those that are trusted, and those by which clients are told apart.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The bits of an IPv6 address that a subscriber does not choose. All of a /64 is one's own.
const SUBSCRIBER: u8 = 64;

/// A range of addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// The network that `address` is counted as: an IPv4 address is one client's, or that of those
    /// who share it; of an IPv6 address the first half is.
    #[must_use]
    pub fn of_client(address: IpAddr) -> Self {
        Self::around(address, 32, SUBSCRIBER)
    }

    /// The network around `address` that has so many bits in common with it, by what it is.
    #[must_use]
    pub fn around(address: IpAddr, v4: u8, v6: u8) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { v4 } else { v6 };
        Self { base: masked(address, prefix), prefix }
    }

    /// The first of its addresses.
    pub(crate) const fn base(&self) -> IpAddr {
        self.base
    }

    /// Whether `address` is in it. One of IPv4 in the form of IPv6 is one of IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && masked(address, self.prefix) == self.base
    }
}

/// `address` with nothing behind its first `prefix` bits.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads an address, or one with the length of its prefix behind a slash.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a network, such as 10.0.0.0/8 or ::1");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits: u8 = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok());
        let prefix = prefix.filter(|prefix| *prefix <= bits).ok_or_else(wrong)?;
        let base = masked(address, prefix);
        if base != address {
            return Err(format!(
                "{text:?} is an address in a network: say {base}/{prefix} for all of it, or \
                 {address} for the one"
            ));
        }
        // Those of IPv4 are compared as what they are.
        Ok(match base.to_canonical() {
            v4 @ IpAddr::V4(_) if bits == 128 && prefix >= 96 => {
                Self { base: v4, prefix: prefix - 96 }
            }
            _ => Self { base, prefix },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_what_begins_as_it_does() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("::1", "::1", "::2"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
        ] {
            let of: Network = network.parse().unwrap();
            assert!(of.contains(ip(inside)), "{network} {inside}");
            assert!(!of.contains(ip(outside)), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in [
            "",
            "10",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/a",
            "a.example",
            "10.0.0.0/-1",
        ] {
            let words = wrong.parse::<Network>().unwrap_err();
            assert!(words.starts_with(&format!("{wrong:?} is not a network")), "{words}");
        }
        let words = "10.1.2.3/8".parse::<Network>().unwrap_err();
        assert!(
            words.ends_with("say 10.0.0.0/8 for all of it, or 10.1.2.3 for the one"),
            "{words}"
        );
    }

    #[test]
    fn a_client_is_an_address_or_the_first_half_of_one() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8:0:1::5", "2001:db8:0:1::/64"),
            ("2001:db8:0:1:ffff::", "2001:db8:0:1::/64"),
        ] {
            assert_eq!(Network::of_client(ip(address)).to_string(), network);
        }
    }
}
