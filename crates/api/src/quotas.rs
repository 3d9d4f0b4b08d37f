//! `applicationQuotas`: what an application holds, and what it may hold. The platform has no such operations.

use crate::id::ApplicationId;
use crate::text::{MAX_EXACT, Nullable, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an application holds, and what it may hold at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "applicationQuotas")]
pub struct ApplicationQuotas {
    /// The application.
    pub application_id: ApplicationId,
    /// Users.
    pub users: Quota,
    /// Groups.
    pub groups: Quota,
    /// API tokens.
    pub api_tokens: Quota,
    /// Bytes of users, groups and tokens, and of who is in which group.
    pub bytes: Quota,
    /// Bytes of answers that are stored for a day under an `Idempotency-Key`.
    pub answer_bytes: Quota,
}

/// How much there is of something, and how much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "quota")]
pub struct Quota {
    /// How much there is.
    pub used: u64,
    /// How much there may be; any number, if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Whether the limit is this application's own, and not what the server says for all.
    pub own: bool,
}

/// How much there may be of something; `null` for what the server says for all.
pub type Limit = Nullable<Whole<1, MAX_EXACT>>;

crate::object! {
    /// What changes of the quotas of an application; what is not there stays as it is.
    deny_unknown ApplicationQuotasPatch {
        /// Users.
        optional users "users": Limit,
        /// Groups.
        optional groups "groups": Limit,
        /// API tokens.
        optional api_tokens "apiTokens": Limit,
        /// Bytes of users, groups and tokens, and of who is in which group.
        optional bytes "bytes": Limit,
        /// Bytes of answers that are stored for a day under an `Idempotency-Key`.
        optional answer_bytes "answerBytes": Limit,
    }
}
