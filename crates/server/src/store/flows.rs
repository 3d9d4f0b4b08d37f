//! Who takes turns in the store: each application, each administrator, each token that is looked up,
//! and of those who have shown no token each network.

use super::Store;
use crate::http::network::Network;
use crate::rows::convert::key;
use guestlist_api::id::{ApiTokenId, ApplicationId, UserId};
use guestlist_store::Flow;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// The account that somebody says is theirs who signs in with this address, known or not.
pub(crate) fn account(email: &str) -> Flow {
    digest(5, &key(email))
}

/// The same account, as those say who come from the network of `address`, which it knows.
pub(crate) fn known_account(email: &str, address: IpAddr) -> Flow {
    digest(6, &format!("{} {}", key(email), Network::of_client(address)))
}

/// An account of a user, as those say whom it knows by `mark`.
pub(crate) fn known_user(mark: &str) -> Flow {
    digest(6, mark)
}

fn digest(kind: u8, text: &str) -> Flow {
    let mut id = [0; 12];
    id.iter_mut().zip(Sha256::digest(text)).for_each(|(to, from)| *to = from);
    Flow::new(kind, id)
}

impl Store {
    /// The store, as those who act in `application` take turns in it.
    #[must_use]
    pub fn for_application(&self, application: ApplicationId) -> Self {
        self.for_flow(Flow::new(1, application.0.bytes()))
    }

    /// The same for an administrator who acts in none.
    pub(crate) fn for_administrator(&self, user: UserId) -> Self {
        self.for_flow(Flow::new(2, user.0.bytes()))
    }

    /// The same for whoever shows `token`, as long as nobody knows whose it is.
    pub(crate) fn for_token(&self, token: ApiTokenId) -> Self {
        self.for_flow(Flow::new(3, token.0.bytes()))
    }

    /// The same for whoever comes from the network of `address` and shows no token.
    pub(crate) fn for_network(&self, address: IpAddr) -> Self {
        self.for_flow(Flow::new(4, network(address)))
    }

    fn for_flow(&self, flow: Flow) -> Self {
        Self(self.0.of(flow))
    }
}

fn network(address: IpAddr) -> [u8; 12] {
    let mut id = [0; 12];
    match Network::of_client(address).base() {
        IpAddr::V4(address) => id[8..].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => id[..8].copy_from_slice(&address.octets()[..8]),
    }
    id
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn networks_have_flows_of_their_own() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::4"));
        let all = ["2001:db8:1:2::3", "2001:db8:1:3::3", "192.0.2.1", "192.0.2.2"].map(of);
        assert!((1..all.len()).all(|place| !all[..place].contains(&all[place])));
    }
}
