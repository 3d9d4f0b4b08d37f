//! The hash of a password, as it is stored, and what one costs.

use crate::error::{Error, Result};
use argon2::Params;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use std::fmt;
use zeroize::Zeroizing;

/// The memory of one hash in KiB, the passes over it and the lanes: the least that OWASP
/// recommends for Argon2id, at 16 ms a core. More would cost every sign-in what it costs a thief.
pub(super) const MEMORY: u32 = 19 * 1024;
pub(super) const PASSES: u32 = 2;
pub(super) const LANES: u32 = 1;
/// What every stored hash that was made with these begins with.
pub(super) const PREFIX: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// The same for passwords that protect nothing: the least that Argon2 takes.
pub(super) const CHEAP: Costs = Costs { memory: 8, passes: 1, prefix: CHEAP_PREFIX };
pub(super) const USUAL: Costs = Costs { memory: MEMORY, passes: PASSES, prefix: PREFIX };
/// What a cheap hash begins with. It is no PHC string, so that no other hasher takes it for one.
pub(super) const CHEAP_PREFIX: &str = "$ephemeral$argon2id$v=19$m=8,t=1,p=1$";
pub(super) const CHEAP_MARK: &str = "$ephemeral";
/// The bytes of a salt and of what is made with it.
pub(super) const SALT: usize = 16;
pub(super) const TAG: usize = 32;

/// What a hash costs, and how one that cost it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    pub(super) memory: u32,
    pub(super) passes: u32,
    pub(super) prefix: &'static str,
}

impl Costs {
    pub(super) fn parameters(self) -> Result<Params> {
        Params::new(self.memory, self.passes, LANES, Some(TAG)).map_err(Error::internal)
    }
}

/// The hash of a password as it is stored: a PHC string, `$argon2id$v=19$m=..,t=..,p=..$salt$tag`.
#[derive(Clone)]
pub struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// A hash that [`PasswordHash::as_stored`] gave. One that is not sound comes to light when a
    /// password is verified with it.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text to store.
    #[must_use]
    pub fn as_stored(&self) -> &str {
        &self.0
    }

    pub(super) fn encode(costs: Costs, salt: &[u8], tag: &[u8]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(128));
        text.push_str(costs.prefix);
        BASE64.encode_string(salt, &mut text);
        text.push('$');
        BASE64.encode_string(tag, &mut text);
        Self(text)
    }

    /// Whether it was made with less than `costs`.
    pub(super) fn is_weak(&self, costs: Costs) -> bool {
        self.decode(costs).is_some_and(|(parameters, salt, tag)| {
            parameters.m_cost() < costs.memory
                || parameters.t_cost() < costs.passes
                || salt.len() < SALT
                || tag.len() < TAG
        })
    }

    /// The parameters, the salt and the tag, if it is sound and of the kind that `costs` are for.
    pub(super) fn decode(&self, costs: Costs) -> Option<(Params, Vec<u8>, Zeroizing<Vec<u8>>)> {
        let text: &str = match costs.prefix {
            CHEAP_PREFIX => self.0.strip_prefix(CHEAP_MARK)?,
            _ => &self.0,
        };
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = costs.split(',');
        let mut cost = |name| costs.next()?.strip_prefix(name)?.parse().ok();
        let (memory, passes, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
        let salt = BASE64.decode(salt).ok()?;
        let tag = Zeroizing::new(BASE64.decode(tag).ok()?);
        // A shorter tag would be easy to hit.
        let sound = parts.next().is_none() && costs.next().is_none() && tag.len() >= SALT;
        let parameters = Params::new(memory, passes, lanes, Some(tag.len())).ok()?;
        sound.then_some((parameters, salt, tag))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}
