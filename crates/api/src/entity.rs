//! What surrounds a resource on the wire: `_type`, `_links`, `_actions`, pages, success and errors.

use crate::id::{ApplicationId, ForeignId};
use crate::text::{Flag, Whole};
use crate::wire::{Problems, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A link to somewhere: a path relative to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The path.
    pub href: String,
}

/// Something the caller may do with a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// The path.
    pub href: String,
    /// The HTTP method.
    pub method: Cow<'static, str>,
    /// The names of its query and body parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Cow<'static, str>>,
}

/// A resource as it is answered: its own fields, then what it is and what can be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}")]
pub struct Entity<T> {
    /// The resource.
    #[serde(flatten)]
    pub body: T,
    /// The name of the resource, such as `experienceUser`.
    #[serde(rename = "_type")]
    pub kind: Cow<'static, str>,
    /// What the caller may do with it; left out when the request says `_actions=false`.
    #[serde(rename = "_actions", default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<BTreeMap<Cow<'static, str>, Action>>,
    /// Where it is (`self`), and of a list where its next page is (`next`) and the one before
    /// (`previous`), if there are such; left out when the request says `_links=false`.
    #[serde(rename = "_links", default, skip_serializing_if = "Option::is_none")]
    pub links: Option<BTreeMap<Cow<'static, str>, Link>>,
}

crate::object! {
    /// Switches that every action takes in its query string.
    allow_unknown View {
        /// Whether `_actions` is answered; on unless it is switched off.
        optional actions "_actions": Flag = true,
        /// Whether `_links` is answered; on unless it is switched off.
        optional links "_links": Flag = true,
        /// Whether `_embedded` is answered; nothing is embedded here.
        optional embedded "_embedded": Flag,
    }
}

/// Which page of a list, counted from 0.
pub type PageNumber = Whole<0, { crate::text::MAX_EXACT }>;
/// How many items a page holds: 1 to 1,000.
pub type PerPage = Whole<1, 1000>;
/// How many items a page holds unless the request says otherwise.
pub const DEFAULT_PER_PAGE: PerPage = Whole(100);

/// Where a list goes on, as `_links.next` of the page before says it or `_links.previous` of the page
/// after: opaque, and good only along with the other parameters of that page.
pub type Cursor = crate::text::Text<1, 8192>;

/// A list that is asked for with a `filter`, if there is one that counts, has to say of which field,
/// `has_field`. The platform passes over such a filter; whoever sends one would be told of everybody
/// as if they all matched, and the filter with it.
pub(crate) fn filter_has_field(counts: bool, has_field: bool, at: &mut Problems) {
    if counts && !has_field {
        at.nested("filterField", |at| {
            at.push(Rule::Required.because("it names the field that filter is matched against"));
        });
    }
}

crate::words! {
    /// The direction of a list.
    SortDirection {
        /// Smallest first.
        Asc "asc",
        /// Largest first.
        Desc "desc",
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{O}")]
pub struct Page<T, O> {
    /// How many items this page has.
    pub count: u64,
    /// The items.
    pub items: Vec<T>,
    /// Whose they are.
    #[serde(flatten)]
    pub of: O,
    /// The most a page holds.
    pub per_page: u64,
    /// Which page this is, counted from 0; 0 for one that a cursor was sent for.
    pub page: u64,
    /// What the list is sorted by.
    pub sort_field: Cow<'static, str>,
    /// In which direction.
    pub sort_direction: SortDirection,
    /// How many items all pages have together.
    pub total_count: u64,
    /// The pattern that the items match, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The field that the pattern is matched against, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_field: Option<Cow<'static, str>>,
}

/// The items of a page belong to an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct OfApplication {
    /// The application.
    pub application_id: ApplicationId,
    /// The group that the list was narrowed to, if it was one group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experience_group_id: Option<crate::id::ExperienceGroupId>,
}

crate::words! {
    /// What kind of thing owns a token.
    OwnerType {
        /// An application.
        Application "application",
        /// An administrator.
        User "user",
    }
}

/// The items of a page, all API tokens, belong to an application or to an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct OfOwner {
    /// The owner.
    pub owner_id: ForeignId,
    /// What it is.
    pub owner_type: OwnerType,
}

/// The items of a page belong to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct OfServer {}

/// The answer of a DELETE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Success {
    /// Always true: a failure is an [`Error`].
    pub success: bool,
}

/// The one shape of every error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// The kind of error, such as `NotFound`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// What happened, in words fit for the person at the screen.
    pub message: String,
    /// Every field that is wrong, when there is more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_errors: Vec<FieldError>,
    /// `unknown` where nobody knows whether the change was made; nothing was otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Cow<'static, str>>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// The dotted path of the field.
    pub field: String,
    /// What is wrong with it: the words that follow the field in a message.
    pub validation_message: String,
}
