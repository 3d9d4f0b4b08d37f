//! Somebody who says that they are a user, and what an account knows them by. All are digests, as long for everybody.

use crate::http::network::Network;
use crate::rows::convert::key;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use guestlist_api::id::ApplicationId;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

const MINUTE: i64 = 60_000;
/// How long after a sign-in a network is known to the account, and a device, in milliseconds.
const NETWORK_KNOWN: i64 = 30 * 24 * 60 * MINUTE;
const DEVICE_KNOWN: i64 = 365 * 24 * 60 * MINUTE;

/// Somebody who says that they are a user.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// The account as it is tried from their network; or by all of whom nobody knows where they are.
    pub(super) own: String,
    /// The account as it is tried by all that it does not know.
    pub(super) strangers: String,
    /// Their network, at all accounts.
    pub(super) network: Option<String>,
    /// What the account knows them by.
    pub(super) mark: Option<Mark>,
}

/// What an account knows somebody by.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) who: String,
    /// As who they are counted if it does, and others have to wait.
    pub(super) own: String,
    /// How long it does after a sign-in.
    pub(super) lasts: i64,
    /// Whether it is a network, which they may share with whoever guesses.
    pub(super) is_shared: bool,
}

fn of(application: ApplicationId, email: &str, (what, whom): (&str, &str)) -> String {
    let text = format!("{what} {application} {} {whom}", key(email));
    BASE64.encode(Sha256::digest(text))
}

/// The account with the address `email`, whether or not anybody has it, as rows about it call it.
pub(super) fn account(application: ApplicationId, email: &str) -> String {
    of(application, email, ("strangers", ""))
}

impl Claimant {
    /// Somebody who says that they are the user of `application` with the address `email`, who comes from
    /// `address` with `device`, as far as the backend says so.
    #[must_use]
    pub fn new(
        application: ApplicationId,
        email: &str,
        (address, device): (Option<IpAddr>, Option<&str>),
    ) -> Self {
        let of = |what: &str, whom: &str| of(application, email, (what, whom));
        let network = address.map(|address| Network::of_client(address).to_string());
        let mark = match (device, &network) {
            (Some(device), _) => Some(Mark {
                who: of("device", device),
                own: of("own device", device),
                lasts: DEVICE_KNOWN,
                is_shared: false,
            }),
            (None, Some(network)) => Some(Mark {
                who: of("network", network),
                own: of("own network", network),
                lasts: NETWORK_KNOWN,
                is_shared: true,
            }),
            (None, None) => None,
        };
        let all = |network| {
            BASE64.encode(Sha256::digest(format!("at all accounts {application} {network}")))
        };
        Self {
            own: of("own", network.as_deref().unwrap_or_default()),
            strangers: account(application, email),
            network: network.map(all),
            mark,
        }
    }

    /// What the account knows them by, if it does.
    pub(super) fn mark(&self) -> Option<&str> {
        self.mark.as_ref().map(|mark| mark.who.as_str())
    }
}
