//! `applicationQuotas`: what an application holds and may hold, for those who run the server.

use super::rows as applications;
use crate::error::Result;
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::Okay;
use crate::rest::resource::Resource;
use crate::rest::route::Routes;
use crate::rows::quotas::Quotas;
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::entity::Entity;
use guestlist_api::id::ObjectId;
use guestlist_api::quotas::{ApplicationQuotas, ApplicationQuotasPatch, Limit};
use guestlist_api::scope::Operation;

/// No scope for an application as a whole allows these: its own tokens would raise what it may hold.
pub(crate) fn routes() -> [Routes; 1] {
    [Routes::at("/applications/{applicationId}/quotas")
        .get(
            Operation::organization("applicationQuotas.get").read(),
            "Show what an application holds and may hold",
            get,
        )
        .patch(
            Operation::organization("applicationQuotas.patch"),
            "Change what an application may hold",
            patch,
        )]
}

bodies! {
    ApplicationQuotasPatch = "applicationQuotas",
}

impl Resource for ApplicationQuotas {
    fn resource(&self) -> &'static str {
        "applicationQuotas"
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        vec![("applicationId", self.application_id.0)]
    }
}

async fn get(
    call: Call<Grant>,
    input: In<OneApplication>,
) -> Result<Okay<Entity<ApplicationQuotas>>> {
    let app = call.authorized_app(input.path.application_id)?;
    call.show(move |tx| {
        let tenant = app.require(tx)?;
        applications::quotas(tx, tenant).map(|(_, shown)| shown)
    })
    .await
}

async fn patch(
    call: Call<Grant>,
    input: In<OneApplication, (), ApplicationQuotasPatch>,
) -> Result<Okay<Entity<ApplicationQuotas>>> {
    let (app, patch) = (call.authorized_app(input.path.application_id)?, input.body);
    let request = call.clone();
    let changed = call.change(move |tx| {
        let tenant = app.require_locked(tx)?;
        let (own, before) = applications::quotas(tx, tenant)?;
        request.check(&before)?;
        applications::put_quotas(tx, tenant, changed_quotas(own, &patch))?;
        applications::quotas(tx, tenant).map(|(_, shown)| shown)
    });
    let changed = changed.await;
    call.app.answers.forget(app.id());
    changed
}

/// `own` after `patch`.
fn changed_quotas(own: Quotas, patch: &ApplicationQuotasPatch) -> Quotas {
    let said = |own: Option<u64>, limit: Option<&Limit>| match limit {
        Some(limit) => limit.0.map(|most| most.0),
        None => own,
    };
    Quotas {
        users: said(own.users, patch.users.as_ref()),
        groups: said(own.groups, patch.groups.as_ref()),
        tokens: said(own.tokens, patch.api_tokens.as_ref()),
        bytes: said(own.bytes, patch.bytes.as_ref()),
        answer_bytes: said(own.answer_bytes, patch.answer_bytes.as_ref()),
    }
}
