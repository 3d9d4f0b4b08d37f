//! What becomes of an application.

use crate::clock::later;
use guestlist_api::application::{
    Application, ApplicationPatch, ApplicationPost, ApplicationSummary, FtueTracking,
    FtueTrackingPost, Global, GlobalPost, OpaqueFields,
};
use guestlist_api::id::{ApplicationId, OrgId};
use guestlist_api::text::List;
use guestlist_api::time::DateTime;

fn globals(list: &List<GlobalPost, 100>) -> Vec<Global> {
    let global = |post: &GlobalPost| Global {
        key: post.key.to_string(),
        json: post.json.to_string(),
        cloud_only: post.cloud_only,
        description: post.description.as_deref().map(str::to_owned),
    };
    list.0.iter().map(global).collect()
}

fn tracking(list: &List<FtueTrackingPost, 100>) -> Vec<FtueTracking> {
    let tracking = |post: &FtueTrackingPost| FtueTracking {
        name: post.name.to_string(),
        version: post.version.0.clone(),
        status: post.status,
    };
    list.0.iter().map(tracking).collect()
}

/// What owns applications.
pub const OWNER_TYPE: &str = "organization";
/// The name of the one organization.
pub const ORGANIZATION: &str = "Guestlist";

/// The application that `post` asks for.
#[must_use]
pub fn new_application(
    post: &ApplicationPost,
    id: ApplicationId,
    owner_id: OrgId,
    now: DateTime,
) -> Application {
    let none = Some(0);
    Application {
        id,
        application_id: id,
        creation_date: now,
        last_updated: now,
        owner_id,
        owner_type: OWNER_TYPE.into(),
        organization_name: ORGANIZATION.into(),
        name: post.name.to_string(),
        description: post.description.as_deref().map(str::to_owned),
        exp_user_token_cutoff: post.exp_user_token_cutoff,
        summary: ApplicationSummary {
            api_token_count: none,
            experience_group_count: none,
            experience_user_count: none,
        },
        opaque: OpaqueFields {
            applied_template_ids: post.applied_template_ids.clone().map(|list| list.0),
            endpoint_slug: post.endpoint_slug.clone().map(|slug| slug.0),
            endpoint_default_cors: post.endpoint_default_cors,
            globals: post.globals.as_ref().map(globals),
            ftue_tracking: None,
            blob_url_ttl: post.blob_url_ttl.as_ref().map(|ttl| ttl.0.clone()),
        },
    }
}

/// `before` after `patch`. When nothing differs it is `before`.
#[must_use]
pub fn changed_application(
    before: &Application,
    patch: &ApplicationPatch,
    now: DateTime,
) -> Application {
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = name.to_string();
    }
    if let Some(description) = &patch.description {
        after.description = Some(description.to_string());
    }
    after.exp_user_token_cutoff = patch.exp_user_token_cutoff.or(before.exp_user_token_cutoff);
    let opaque = &mut after.opaque;
    if let Some(slug) = &patch.endpoint_slug {
        opaque.endpoint_slug = Some(slug.0.clone());
    }
    opaque.endpoint_default_cors = patch.endpoint_default_cors.or(opaque.endpoint_default_cors);
    if let Some(list) = &patch.globals {
        opaque.globals = Some(globals(list));
    }
    if let Some(list) = &patch.ftue_tracking {
        opaque.ftue_tracking = Some(tracking(list));
    }
    if let Some(ttl) = &patch.blob_url_ttl {
        opaque.blob_url_ttl = Some(ttl.0.clone());
    }
    if after != *before {
        after.last_updated = later(before.last_updated, now);
    }
    after
}
