//! Who calls, and what tells a request from every other one.

use super::input::Common;
use crate::error::{Error, Result};
use crate::rows::idempotency::RequestKey;
use crate::tokens::grant::Grant;
use guestlist_api::id::{ApiTokenId, ApplicationId};
use guestlist_api::scope::Operation;
use zeroize::Zeroizing;

/// What tells a request from every other one. The body may hold a password, hence its type.
pub(crate) struct RequestText {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// The application that it is about, as it says.
    pub(crate) application: Option<ApplicationId>,
}

impl RequestText {
    /// Whether the request only looks.
    pub(crate) fn is_read(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD")
    }

    /// What the answer to this request is stored under, if it asks for that. Reads are safe to
    /// repeat as they are.
    pub(crate) fn key(&self, common: &Common, token: ApiTokenId) -> Option<RequestKey> {
        let key = common.idempotency_key.as_deref().filter(|_| !self.is_read())?;
        let parts: [&[u8]; 3] = [self.method.as_bytes(), self.target.as_bytes(), &self.body];
        Some(RequestKey::new(token, self.application, key, &parts))
    }
}

/// Whoever calls: somebody with a good token that allows the operation, or anybody.
pub(crate) trait Caller: Send + Sync + Sized + 'static {
    /// Lets `grant` in, or not.
    fn admit(operation: &Operation, grant: Option<Grant>) -> Result<Self>;
    /// Who it is, if that is known.
    fn grant(&self) -> Option<&Grant>;
}

impl Caller for Grant {
    fn admit(operation: &Operation, grant: Option<Grant>) -> Result<Self> {
        grant.filter(|grant| operation.allowed_to(&grant.scopes)).ok_or(Error::Forbidden)
    }
    fn grant(&self) -> Option<&Grant> {
        Some(self)
    }
}

/// Anybody. A token that came along had to be good, and is not asked for anything.
pub(crate) struct Anybody;

impl Caller for Anybody {
    fn admit(_: &Operation, _: Option<Grant>) -> Result<Self> {
        Ok(Self)
    }
    fn grant(&self) -> Option<&Grant> {
        None
    }
}
