//! `experience`: what an application has for its end users, as one thing.

use crate::application::Slug;
use crate::text::Set;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the beginning of an experience came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceBootstrapResult")]
pub struct ExperienceBootstrapResult {
    /// What the names of what was made end in; nothing, unless the plain names were taken.
    pub resource_suffix: String,
    /// The address of the user that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

crate::object! {
    /// What an experience begins with.
    deny_unknown ExperienceBootstrap {
        /// Whether what is there under the plain names is replaced, rather than other names taken;
        /// it is not unless said.
        optional replace_existing "replaceExisting": bool = false,
        /// Whether a user is made; one is unless said.
        optional create_users "createUsers": bool = true,
        /// Whether a group is made; one is unless said.
        optional create_groups "createGroups": bool = true,
        /// The name of a host; there is none to make here.
        optional slug "slug": Slug,
    }
}

crate::object! {
    /// Which parts of an experience stay and which go.
    allow_unknown ExperienceDelete {
        /// Its users stay.
        optional keep_users "keepUsers": Set,
        /// Its groups stay.
        optional keep_groups "keepGroups": Set,
        /// Its slugs stay; there are none here.
        optional keep_slugs "keepSlugs": Set,
        /// Its domains stay; there are none here.
        optional keep_domains "keepDomains": Set,
        /// Its versions go; there are none here.
        optional remove_versions "removeVersions": Set,
        /// Its views stay; there are none here.
        optional keep_views "keepViews": Set,
        /// Its endpoints stay; there are none here.
        optional keep_endpoints "keepEndpoints": Set,
        /// Its workflows go; there are none here.
        optional remove_workflows "removeWorkflows": Set,
    }
}
