//! What is sent to make and to change resources.
//!
//! They are built as JSON, field by field, rather than as the types that a server reads: those know
//! that they are good, which is for the server to say, whose version may be another; and their
//! passwords cannot be written back, which is to stay so. A body is shown by the names of its
//! fields only.

use crate::call::json;
use guestlist_api::administrator::AdministratorStatus;
use guestlist_api::api_token::{OrgRole, Role, TokenStatus};
use guestlist_api::application::{FtueTracking, Global};
use guestlist_api::experience_group::DeviceTag;
use guestlist_api::experience_sign_in::BreachedPasswords;
use guestlist_api::id::{ExperienceGroupId, ExperienceUserId, ForeignId, OrgId};
use guestlist_api::scope::Scope;
use guestlist_api::time::DateTime;
use serde_json::{Map, Value};
use std::fmt;

/// Declares a body: what it has to have, and what it may have. `set` takes a value, `list` anything
/// that gives values, `tags` anything that gives keys and values.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident($($need:ident $need_wire:literal),*) {
        $($(#[$field_doc:meta])* $how:ident $field:ident $wire:literal $(: $type:ty)?,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone)]
        #[must_use]
        pub struct $name(Map<String, Value>);

        impl $name {
            body!(@new [$($need)*] $($need $need_wire)*);

            $(body!{ @$how $(#[$field_doc])* $field $wire $($type)? })*

            /// Any other field, as the wire calls it: for those that have no function here.
            pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
                self.0.insert(name.into(), value.into());
                self
            }

            /// The fields that have a function or are needed.
            #[cfg(test)]
            const FIELDS: &[&str] = &[$($need_wire,)* $($wire),*];
        }

        impl From<$name> for Value {
            fn from(body: $name) -> Self {
                Self::Object(body.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), " "))?;
                f.debug_set().entries(self.0.keys()).finish()
            }
        }
    };
    (@new []) => {
        /// One that says nothing yet.
        pub fn new() -> Self {
            Self(Map::new())
        }
    };
    (@new [$($all:ident)*] $($need:ident $wire:literal)*) => {
        /// One with what it needs.
        pub fn new($($need: impl Into<String>),*) -> Self {
            Self(Map::from_iter([$(($wire.to_owned(), Value::String($need.into()))),*]))
        }
    };
    (@set $(#[$doc:meta])* $field:ident $wire:literal $type:ty) => {
        $(#[$doc])*
        pub fn $field(mut self, $field: impl Into<$type>) -> Self {
            let value: $type = $field.into();
            self.0.insert($wire.into(), json(value));
            self
        }
    };
    (@list $(#[$doc:meta])* $field:ident $wire:literal $type:ty) => {
        $(#[$doc])*
        pub fn $field(mut self, $field: impl IntoIterator<Item = $type>) -> Self {
            self.0.insert($wire.into(), $field.into_iter().map(json).collect());
            self
        }
    };
    (@tags $(#[$doc:meta])* $field:ident $wire:literal) => {
        $(#[$doc])*
        pub fn $field<K: Into<String>, V: Into<String>>(
            mut self,
            $field: impl IntoIterator<Item = (K, V)>,
        ) -> Self {
            let pairs = $field.into_iter().map(|(key, value)| (key.into(), value.into().into()));
            self.0.insert($wire.into(), Value::Object(pairs.collect()));
            self
        }
    };
}

body! {
    /// A new user, with an address and a password of 8 to 2,048 characters.
    ExperienceUserPost(email "email", password "password") {
        /// Its given name.
        set first_name "firstName": String,
        /// Its family name.
        set last_name "lastName": String,
        /// Tokens issued before this moment are not good.
        set token_cutoff "tokenCutoff": DateTime,
        /// Its tags.
        tags user_tags "userTags",
        /// The groups it joins.
        list experience_group_ids "experienceGroupIds": ExperienceGroupId,
    }
}

body! {
    /// What changes of a user; what is not said stays as it is.
    #[derive(Default)]
    ExperienceUserPatch() {
        /// Its new address.
        set email "email": String,
        /// Its new password.
        set password "password": String,
        /// Its new given name.
        set first_name "firstName": String,
        /// Its new family name.
        set last_name "lastName": String,
        /// Tokens issued before this moment are not good any more.
        set token_cutoff "tokenCutoff": DateTime,
        /// All its tags from now on.
        tags user_tags "userTags",
        /// All the groups it is a direct member of from now on.
        list experience_group_ids "experienceGroupIds": ExperienceGroupId,
    }
}

body! {
    /// A new group, with a name.
    ExperienceGroupPost(name "name") {
        /// What it is for.
        set description "description": String,
        /// Its direct members.
        list experience_user_ids "experienceUserIds": ExperienceUserId,
        /// Endpoints.
        list experience_endpoint_ids "experienceEndpointIds": ForeignId,
        /// Its tags.
        tags group_tags "groupTags",
        /// Devices.
        list device_ids "deviceIds": ForeignId,
        /// Device tags.
        list device_tags "deviceTags": DeviceTag,
        /// A device query, as JSON text.
        set device_query_json "deviceQueryJson": Option<String>,
        /// The group it is in; `None` for the root.
        set parent_id "parentId": Option<ExperienceGroupId>,
    }
}

body! {
    /// What changes of a group; what is not said stays as it is.
    #[derive(Default)]
    ExperienceGroupPatch() {
        /// Its new name.
        set name "name": String,
        /// What it is for.
        set description "description": String,
        /// All its direct members from now on.
        list experience_user_ids "experienceUserIds": ExperienceUserId,
        /// Endpoints.
        list experience_endpoint_ids "experienceEndpointIds": ForeignId,
        /// All its tags from now on.
        tags group_tags "groupTags",
        /// Devices.
        list device_ids "deviceIds": ForeignId,
        /// Device tags.
        list device_tags "deviceTags": DeviceTag,
        /// A device query, as JSON text.
        set device_query_json "deviceQueryJson": Option<String>,
        /// The group it moves into; `None` for the root.
        set parent_id "parentId": Option<ExperienceGroupId>,
    }
}

body! {
    /// A new application, with a name.
    ApplicationPost(name "name") {
        /// The organization it belongs to.
        set org_id "orgId": OrgId,
        /// What it is for.
        set description "description": String,
        /// Templates it was made from.
        list applied_template_ids "appliedTemplateIds": ForeignId,
        /// The name of its endpoints' host.
        set endpoint_slug "endpointSlug": String,
        /// Tokens of its users issued before this moment are not good.
        set exp_user_token_cutoff "expUserTokenCutoff": DateTime,
        /// Whether its endpoints answer other origins.
        set endpoint_default_cors "endpointDefaultCors": bool,
        /// Its globals.
        list globals "globals": Global,
        /// How long links to its blobs live, in seconds.
        set blob_url_ttl "blobUrlTTL": u64,
    }
}

body! {
    /// What changes of an application; what is not said stays as it is.
    #[derive(Default)]
    ApplicationPatch() {
        /// Its new name.
        set name "name": String,
        /// What it is for.
        set description "description": String,
        /// The name of its endpoints' host.
        set endpoint_slug "endpointSlug": String,
        /// Tokens of its users issued before this moment are not good any more.
        set exp_user_token_cutoff "expUserTokenCutoff": DateTime,
        /// Whether its endpoints answer other origins.
        set endpoint_default_cors "endpointDefaultCors": bool,
        /// Its globals.
        list globals "globals": Global,
        /// How far its people have come in tours.
        list ftue_tracking "ftueTracking": FtueTracking,
        /// How long links to its blobs live, in seconds.
        set blob_url_ttl "blobUrlTTL": u64,
    }
}

body! {
    /// A new API token, with a name.
    ApiTokenPost(name "name") {
        /// What it is for.
        set description "description": String,
        /// When it ends; never, unless said.
        set expiration_date "expirationDate": DateTime,
        /// A role in every organization.
        set default_role "defaultRole": Role,
        /// Roles in some organizations.
        list org_roles "orgRoles": OrgRole,
        /// What it may do; everything, unless said.
        list scope "scope": Scope,
        /// Whether it is good at present; it is, unless said.
        set status "status": TokenStatus,
    }
}

body! {
    /// What changes of an API token; what is not said stays as it is.
    #[derive(Default)]
    ApiTokenPatch() {
        /// Its new name.
        set name "name": String,
        /// What it is for.
        set description "description": String,
        /// A role in every organization.
        set default_role "defaultRole": Role,
        /// Roles in some organizations.
        list org_roles "orgRoles": OrgRole,
        /// Whether it is good from now on.
        set status "status": TokenStatus,
    }
}

body! {
    /// What changes of an administrator; what is not said stays as it is.
    #[derive(Default)]
    AdministratorPatch() {
        /// Whether they may do anything from now on.
        set status "status": AdministratorStatus,
        /// A new password, as in [`MePatch::password`]; their sessions end, and their API tokens are
        /// inactive.
        set password "password": String,
        /// The present password of whoever asks: needed for a new password, unless it was given within
        /// the last ten minutes to sign in.
        set current_password "currentPassword": String,
    }
}

body! {
    /// What changes of what an application offers to the people who sign in to it; what is not said stays as it
    /// is.
    #[derive(Default)]
    ExperienceSignInPatch() {
        /// Whether programs of the application ask without an API token.
        set public_json "publicJson": bool,
        /// Whether there are pages for people.
        set pages "pages": bool,
        /// Whether people register by themselves.
        set register "register": bool,
        /// Whether people who have forgotten their password are sent a link.
        set forgot "forgot": bool,
        /// The shortest password that people may choose, in characters.
        set password_min_length "passwordMinLength": u64,
        /// Whether people may choose a password that others have lost.
        set breached_passwords "breachedPasswords": BreachedPasswords,
        /// Whom mails are from; `None` for whom the server says.
        set mail_from "mailFrom": Option<String>,
        /// What people know the application as; `None` for its name.
        set display_name "displayName": Option<String>,
        /// The page that links in mails lead to; `None` for none.
        set link_url "linkUrl": Option<String>,
        /// The languages that people are spoken to in, the usual one first.
        list locales "locales": String,
    }
}

body! {
    /// What an experience begins with; a user and a group, unless said.
    #[derive(Default)]
    ExperienceBootstrap() {
        /// Whether what is there under the plain names is replaced, rather than other names taken.
        set replace_existing "replaceExisting": bool,
        /// Whether a user is made.
        set create_users "createUsers": bool,
        /// Whether a group is made.
        set create_groups "createGroups": bool,
        /// The name of a host, where there are hosts.
        set slug "slug": String,
    }
}

body! {
    /// What changes of the administrator who asks; what is not said stays as it is.
    #[derive(Default)]
    MePatch() {
        /// The new address.
        set email "email": String,
        /// Given name.
        set first_name "firstName": String,
        /// Family name.
        set last_name "lastName": String,
        /// Company.
        set company_name "companyName": String,
        /// Title.
        set title "title": String,
        /// Phone number.
        set phone_number "phoneNumber": String,
        /// Place.
        set location "location": String,
        /// Web page.
        set url "url": String,
        /// The new password: 12 to 2,048 characters, a capital, a small letter, a digit and one
        /// that is none of these among them.
        set password "password": String,
        /// The present password: needed for a new address or a new password, unless it was given within
        /// the last ten minutes to sign in.
        set current_password "currentPassword": String,
        /// Sessions and API tokens from before this moment are not good any more.
        set token_cutoff "tokenCutoff": DateTime,
    }
}

#[cfg(test)]
#[path = "bodies_tests.rs"]
mod tests;
