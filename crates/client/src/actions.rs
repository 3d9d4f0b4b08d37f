//! Where each resource is, and the parameters that its actions take beside those that all have.

use crate::call::{Action, Call, json, params};
use crate::error::Error;
use crate::request::{Reply, Request};
use crate::resource::action::{
    Bootstrap, ChangePassword, Create, DeleteExperience, Get, List, Patch, RefreshToken, SignIn,
    SsoDomain,
};
use crate::resource::{Experience, Many, One};
use crate::{Client, blocking};
use guestlist_api::api_token::{ApiToken, ApiTokenFilter, ApiTokenSort};
use guestlist_api::application::{Application, ApplicationSort};
use guestlist_api::experience::ExperienceBootstrapResult;
use guestlist_api::experience_group::{ExperienceGroup, ExperienceGroupSort, NameFilter, Parent};
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserFilter, ExperienceUserSort, Membership,
};
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceGroupId, ExperienceUserId, OrgId};
use guestlist_api::scope::Scope;
use guestlist_api::user::{AuthedUser, Me};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

macro_rules! entrances {
    ($client:ty) => {
        impl $client {
            /// All that an application has for its end users.
            #[must_use]
            pub fn experience(&self, of: ApplicationId) -> Experience<Self> {
                Experience::new(self.clone(), format!("/applications/{of}/experience"))
            }

            /// One user of an application.
            #[must_use]
            pub fn experience_user(
                &self,
                application: ApplicationId,
                user: ExperienceUserId,
            ) -> One<Self, ExperienceUser> {
                let path = format!("/applications/{application}/experience/users/{user}");
                One::new(self.clone(), path)
            }

            /// The users of an application.
            #[must_use]
            pub fn experience_users(&self, of: ApplicationId) -> Many<Self, ExperienceUser> {
                Many::new(self.clone(), format!("/applications/{of}/experience/users"))
            }

            /// One group of an application.
            #[must_use]
            pub fn experience_group(
                &self,
                application: ApplicationId,
                group: ExperienceGroupId,
            ) -> One<Self, ExperienceGroup> {
                let path = format!("/applications/{application}/experience/groups/{group}");
                One::new(self.clone(), path)
            }

            /// The groups of an application.
            #[must_use]
            pub fn experience_groups(&self, of: ApplicationId) -> Many<Self, ExperienceGroup> {
                Many::new(self.clone(), format!("/applications/{of}/experience/groups"))
            }

            /// One application.
            #[must_use]
            pub fn application(&self, application: ApplicationId) -> One<Self, Application> {
                One::new(self.clone(), format!("/applications/{application}"))
            }

            /// The applications.
            #[must_use]
            pub fn applications(&self) -> Many<Self, Application> {
                Many::new(self.clone(), "/applications".into())
            }

            /// One API token of an application.
            #[must_use]
            pub fn application_api_token(
                &self,
                application: ApplicationId,
                token: ApiTokenId,
            ) -> One<Self, ApiToken> {
                One::new(self.clone(), format!("/applications/{application}/tokens/{token}"))
            }

            /// The API tokens of an application.
            #[must_use]
            pub fn application_api_tokens(&self, of: ApplicationId) -> Many<Self, ApiToken> {
                Many::new(self.clone(), format!("/applications/{of}/tokens"))
            }

            /// One API token of the administrator who asks.
            #[must_use]
            pub fn user_api_token(&self, token: ApiTokenId) -> One<Self, ApiToken> {
                One::new(self.clone(), format!("/me/tokens/{token}"))
            }

            /// The API tokens of the administrator who asks.
            #[must_use]
            pub fn user_api_tokens(&self) -> Many<Self, ApiToken> {
                Many::new(self.clone(), "/me/tokens".into())
            }

            /// The administrator who asks.
            #[must_use]
            pub fn me(&self) -> One<Self, Me> {
                One::new(self.clone(), "/me".into())
            }

            /// Signs an administrator in. It is sent once: each answer is a session of its own.
            pub fn sign_in(
                &self,
                email: impl Into<String>,
                password: impl Into<String>,
            ) -> Call<Self, SignIn> {
                let body = json!({ "email": email.into(), "password": password.into() });
                let request = Request::new(Method::POST, "/auth/user").body(body);
                Call::new(self.clone(), request.without_idempotency_key())
            }

            /// Asks where the person with this address signs in, if it is elsewhere.
            pub fn sso_domain(&self, email: impl Into<String>) -> Call<Self, SsoDomain> {
                let request = Request::new(Method::GET, "/auth/ssoDomain");
                Call::new(self.clone(), request.query("email", email))
            }
        }
    };
}

entrances!(Client);
entrances!(blocking::Client);

impl<C: Clone> One<C, Me> {
    /// Changes the password, and begins a new session.
    pub fn change_password(
        &self,
        present: impl Into<String>,
        new: impl Into<String>,
    ) -> Call<C, ChangePassword> {
        let body = json!({ "password": present.into(), "newPassword": new.into() });
        let request = Request::new(Method::PATCH, "/me/changePassword").body(body);
        Call::new(self.client().clone(), request)
    }

    /// Begins another session like the one of the token: of the same scopes, and for as long again.
    /// The token goes on until its own end. An API token is answered as it is.
    pub fn refresh_token(&self) -> Call<C, RefreshToken> {
        Call::new(self.client().clone(), Request::new(Method::GET, "/me/refreshToken"))
    }
}

impl<C> Action<C> for SignIn {
    type Answer = AuthedUser;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<AuthedUser, Error> {
        reply.json()
    }
}

impl<C> Action<C> for ChangePassword {
    type Answer = AuthedUser;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<AuthedUser, Error> {
        reply.json()
    }
}

impl<C> Action<C> for RefreshToken {
    type Answer = AuthedUser;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<AuthedUser, Error> {
        reply.json()
    }
}

impl<C> Action<C> for Bootstrap {
    type Answer = ExperienceBootstrapResult;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<ExperienceBootstrapResult, Error> {
        reply.json()
    }
}

impl<C> Action<C> for DeleteExperience {
    type Answer = ();
    fn answer(_: C, _: &Request, _: &Reply) -> Result<(), Error> {
        Ok(())
    }
}

impl<C> Action<C> for SsoDomain {
    type Answer = Option<Value>;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<Option<Value>, Error> {
        reply.json()
    }
}

/// `ttl` as the wire has it: in milliseconds, and 0 for ever.
fn millis(ttl: Option<Duration>) -> u64 {
    // A time of less than a millisecond must not become one without end.
    ttl.map_or(0, |ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1))
}

impl<C> Call<C, SignIn> {
    /// What the session may do; everything, unless said.
    pub fn scopes(self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.field("requestedScopes", scopes.into_iter().map(json).collect::<Value>())
    }

    /// How long the session lasts; `None` is for ever.
    pub fn token_ttl(self, ttl: Option<Duration>) -> Self {
        self.field("tokenTTL", millis(ttl))
    }

    /// A second factor.
    pub fn two_factor_code(self, code: impl Into<String>) -> Self {
        self.field("twoFactorCode", code.into())
    }
}

impl<C> Call<C, ChangePassword> {
    /// Whether every session that there is ends.
    pub fn invalidate_existing_tokens(self, end: bool) -> Self {
        self.field("invalidateExistingTokens", end)
    }

    /// How long the new session lasts; `None` is for ever.
    pub fn token_ttl(self, ttl: Option<Duration>) -> Self {
        self.field("tokenTTL", millis(ttl))
    }

    /// A second factor.
    pub fn two_factor_code(self, code: impl Into<String>) -> Self {
        self.field("twoFactorCode", code.into())
    }
}

macro_rules! flags {
    ($action:ty, $all:ident: $($(#[$doc:meta])* $name:ident $wire:literal,)*) => {
        impl<C> Call<C, $action> {
            $($(#[$doc])*
            pub fn $name(self) -> Self {
                self.param($wire, true)
            })*
        }

        /// The parameters that have a function.
        #[cfg(test)]
        const $all: &[&str] = &[$($wire),*];
    };
}

// A function without a parameter, for a flag is set whatever its value.
flags! { DeleteExperience, PARTS:
    /// Its users stay.
    keep_users "keepUsers",
    /// Its groups stay.
    keep_groups "keepGroups",
    /// Its slugs stay, where there are slugs.
    keep_slugs "keepSlugs",
    /// Its domains stay, where there are domains.
    keep_domains "keepDomains",
    /// Its versions go, where there are versions.
    remove_versions "removeVersions",
    /// Its views stay, where there are views.
    keep_views "keepViews",
    /// Its endpoints stay, where there are endpoints.
    keep_endpoints "keepEndpoints",
    /// Its workflows go, where there are workflows.
    remove_workflows "removeWorkflows",
}

params! { List<ExperienceUser>, USERS:
    /// What the list is sorted by; the address unless said.
    sort_field "sortField": ExperienceUserSort,
    /// The field that [`Call::filter`] is matched against.
    filter_field "filterField": ExperienceUserFilter,
    /// The pattern that the field has to match as a whole: `*` is any run of characters.
    filter "filter": &str,
    /// Whether members of the group's ancestors count as its members.
    include_ancestor_groups "includeAncestorGroups": bool,
    /// An advanced query, which takes the place of every other filter but [`Call::search`].
    query "query": &Value,
    /// Words that each have to be a part of the address or of one of the names, in any case.
    search "search": &str,
}

impl<C> Call<C, List<ExperienceUser>> {
    /// Only members of a group, of any, or of none.
    pub fn experience_group_id(self, membership: Membership) -> Self {
        let text = match membership {
            Membership::Of(group) => group.to_string(),
            Membership::Any => "any".into(),
            Membership::None => "none".into(),
        };
        self.param("experienceGroupId", text)
    }
}

params! { List<ExperienceGroup>, GROUPS:
    /// What the list is sorted by; the name unless said.
    sort_field "sortField": ExperienceGroupSort,
    /// The field that [`Call::filter`] is matched against.
    filter_field "filterField": NameFilter,
    /// The pattern that the field has to match as a whole: `*` is any run of characters.
    filter "filter": &str,
    /// Whether counts take the place of the ids of members, which may be most of the answer.
    exclude_members "excludeMembers": bool,
    /// An advanced query, which takes the place of every other filter.
    query "query": &Value,
}

impl<C> Call<C, List<ExperienceGroup>> {
    /// Only groups that are in a group, or in none.
    pub fn parent_id(self, parent: Parent) -> Self {
        let text = match parent {
            Parent::Of(group) => group.to_string(),
            Parent::None => "none".into(),
        };
        self.param("parentId", text)
    }
}

params! { List<Application>, APPLICATIONS:
    /// What the list is sorted by; the name unless said.
    sort_field "sortField": ApplicationSort,
    /// The field that [`Call::filter`] is matched against.
    filter_field "filterField": NameFilter,
    /// The pattern that the field has to match as a whole: `*` is any run of characters.
    filter "filter": &str,
    /// Only applications of this organization.
    org_id "orgId": OrgId,
    /// All parts of the summary but these, with commas between them.
    summary_exclude "summaryExclude": &str,
    /// Only these parts of the summary, with commas between them.
    summary_include "summaryInclude": &str,
}

params! { List<ApiToken>, TOKENS:
    /// What the list is sorted by; the name unless said.
    sort_field "sortField": ApiTokenSort,
    /// The field that [`Call::filter`] is matched against.
    filter_field "filterField": ApiTokenFilter,
    /// The pattern that the field has to match as a whole: `*` is any run of characters.
    filter "filter": &str,
}

params! { Get<ExperienceGroup>, GROUP:
    /// Whether counts take the place of the ids of members. The tag of such an answer is good to ask
    /// whether it is still the same, and not for a change.
    exclude_members "excludeMembers": bool,
    /// Whether `direct_device_count` is answered.
    include_direct_device_count "includeDirectDeviceCount": bool,
    /// Whether `total_device_count` is answered.
    include_total_device_count "includeTotalDeviceCount": bool,
}

/// Every count of a summary.
const COUNTS: &str = "apiTokenCount,experienceGroupCount,experienceUserCount";

macro_rules! summaries {
    ($($type:ty, $all:ident: $($more:literal $name:ident: $kind:ty)?;)*) => {$(
        params! { $type, $all:
            /// All parts of the summary but these, with commas between them.
            summary_exclude "summaryExclude": &str,
            /// Only these parts of the summary, with commas between them.
            summary_include "summaryInclude": &str,
            $(
                /// Whether what was looked at lately is answered.
                $name $more: $kind,
            )?
        }
    )*};
}

summaries! {
    Get<Application>, APPLICATION:;
    Patch<Application>, CHANGED_APPLICATION:;
    Create<Application>, NEW_APPLICATION:;
    Get<Me>, ME: "includeRecent" include_recent: bool;
}

impl<C> Call<C, Get<Application>> {
    /// Without counting what the application holds. The counts are part of its tag, so that
    /// [`Call::if_unchanged`] takes a new user for a change unless it was read like this.
    pub fn without_counts(self) -> Self {
        self.summary_exclude(COUNTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_api::{
        api_token, application, experience, experience_group, experience_user, user,
    };
    use schemars::JsonSchema;
    use std::collections::BTreeSet;

    fn read<T: JsonSchema>() -> BTreeSet<String> {
        let schema = schemars::schema_for!(T).to_value();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_parameter_that_a_server_reads_has_a_function() {
        const PAGES: [&str; 4] = ["page", "cursor", "perPage", "sortDirection"];
        let lists = |own: &[&str], more: &[&str]| {
            PAGES.iter().chain(own).chain(more).map(|name| (*name).to_owned()).collect()
        };
        let own = |own: &[&str]| own.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            read::<experience_user::ExperienceUserList>(),
            lists(USERS, &["experienceGroupId"])
        );
        assert_eq!(read::<experience_group::ExperienceGroupList>(), lists(GROUPS, &["parentId"]));
        assert_eq!(read::<application::ApplicationList>(), lists(APPLICATIONS, &[]));
        assert_eq!(read::<api_token::ApiTokenList>(), lists(TOKENS, &[]));
        assert_eq!(read::<experience_group::ExperienceGroupGet>(), own(GROUP));
        for all in [APPLICATION, CHANGED_APPLICATION, NEW_APPLICATION] {
            assert_eq!(read::<application::SummaryFields>(), own(all));
        }
        assert_eq!(read::<user::MeGet>(), own(ME));
        assert_eq!(read::<experience::ExperienceDelete>(), own(PARTS));
    }

    #[test]
    fn no_time_to_live_becomes_for_ever() {
        assert_eq!(millis(None), 0);
        assert_eq!(millis(Some(Duration::ZERO)), 1);
        assert_eq!(millis(Some(Duration::from_secs(2))), 2000);
    }
}
