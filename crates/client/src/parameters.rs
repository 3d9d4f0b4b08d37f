//! The parameters that each action takes beside those that all have.

use crate::call::{Call, json, params};
use crate::resource::action::{
    ChangePassword, Create, Delete, DeleteExperience, Get, List, Patch, SignIn,
};
use guestlist_api::administrator::{
    Administrator, AdministratorFilter, AdministratorSession, AdministratorSessionSort,
    AdministratorSort,
};
use guestlist_api::api_token::{ApiToken, ApiTokenFilter, ApiTokenSort};
use guestlist_api::application::{Application, ApplicationSort};
use guestlist_api::experience_group::{ExperienceGroup, ExperienceGroupSort, NameFilter, Parent};
use guestlist_api::experience_user::{
    ExperienceUser, ExperienceUserFilter, ExperienceUserSort, Membership,
};
use guestlist_api::id::OrgId;
use guestlist_api::scope::Scope;
use guestlist_api::user::Me;
use serde_json::Value;
use std::time::Duration;

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
    /// Whether every session that there is ends, and every API token of one's own is inactive.
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

params! { List<Administrator>, ADMINISTRATORS:
    /// What the list is sorted by; the address unless said.
    sort_field "sortField": AdministratorSort,
    /// The field that [`Call::filter`] is matched against.
    filter_field "filterField": AdministratorFilter,
    /// The pattern that the field has to match as a whole: `*` is any run of characters.
    filter "filter": &str,
}

params! { List<AdministratorSession>, SESSIONS:
    /// What the list is sorted by; when they began, unless said.
    sort_field "sortField": AdministratorSessionSort,
}

params! { Delete<ApiToken>, REVOKED:
    /// Whether the tokens that it has made go too, those that they have made, and so on.
    with_children "withChildren": bool,
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
        administrator, api_token, application, experience, experience_group, experience_user, user,
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
        assert_eq!(read::<administrator::AdministratorList>(), lists(ADMINISTRATORS, &[]));
        assert_eq!(read::<administrator::AdministratorSessionList>(), lists(SESSIONS, &[]));
        assert_eq!(read::<experience_group::ExperienceGroupGet>(), own(GROUP));
        for all in [APPLICATION, CHANGED_APPLICATION, NEW_APPLICATION] {
            assert_eq!(read::<application::SummaryFields>(), own(all));
        }
        assert_eq!(read::<api_token::ApiTokenDelete>(), own(REVOKED));
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
