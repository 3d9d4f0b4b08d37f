//! Resources and collections of them: what can be done with each.

use crate::call::{Action, Call, json};
use crate::error::Error;
use crate::request::{Reply, Request};
use guestlist_api::administrator::{Administrator, AdministratorSession};
use guestlist_api::api_token::ApiToken;
use guestlist_api::application::Application;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_sign_in::ExperienceSignIn;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::user::Me;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::bodies::{
    AdministratorPatch, ApiTokenPatch, ApiTokenPost, ApplicationPatch, ApplicationPost,
    ExperienceBootstrap, ExperienceGroupPatch, ExperienceGroupPost, ExperienceSignInPatch,
    ExperienceUserPatch, ExperienceUserPost, MePatch,
};

/// A kind of resource.
pub trait Kind: DeserializeOwned + Send + 'static {
    /// What changes one.
    type Patch: Into<Value>;
}

/// What there are many of, each with an id: they are listed and deleted.
pub trait Listed: DeserializeOwned + Send + 'static {
    #[doc(hidden)]
    fn segment(&self) -> String;
}

/// A kind of resource that is made over the API.
pub trait Made: Kind + Listed {
    /// What makes one.
    type Post: Into<Value>;
}

macro_rules! kinds {
    ($($type:ty: $patch:ty;)*) => {$(
        impl Kind for $type {
            type Patch = $patch;
        }
    )*};
}

macro_rules! listed {
    ($($type:ty $(: $post:ty)?;)*) => {$(
        impl Listed for $type {
            fn segment(&self) -> String {
                self.id.to_string()
            }
        }
        $(impl Made for $type {
            type Post = $post;
        })?
    )*};
}

kinds! {
    ExperienceUser: ExperienceUserPatch;
    ExperienceGroup: ExperienceGroupPatch;
    Application: ApplicationPatch;
    ApiToken: ApiTokenPatch;
    Administrator: AdministratorPatch;
    Me: MePatch;
    ExperienceSignIn: ExperienceSignInPatch;
}

listed! {
    ExperienceUser: ExperienceUserPost;
    ExperienceGroup: ExperienceGroupPost;
    Application: ApplicationPost;
    ApiToken: ApiTokenPost;
    Administrator;
    AdministratorSession;
}

/// The actions: the second parameter of a [`Call`].
pub mod action {
    pub use crate::sign_in::actions::*;
    use std::marker::PhantomData;

    /// Reads one resource, and answers a [`Resource`](crate::Resource).
    #[derive(Debug)]
    pub struct Get<T>(PhantomData<fn() -> T>);
    /// Makes one resource, and answers a [`Resource`](crate::Resource).
    #[derive(Debug)]
    pub struct Create<T>(PhantomData<fn() -> T>);
    /// Changes one resource, and answers a [`Resource`](crate::Resource).
    #[derive(Debug)]
    pub struct Patch<T>(PhantomData<fn() -> T>);
    /// Deletes one resource.
    #[derive(Debug)]
    pub struct Delete<T>(PhantomData<fn() -> T>);
    /// Deletes all of a collection.
    #[derive(Debug)]
    pub struct DeleteAll<T>(PhantomData<fn() -> T>);
    /// Reads one page of a collection, and answers a [`Page`](crate::Page).
    #[derive(Debug)]
    pub struct List<T>(PhantomData<fn() -> T>);
    /// Signs in, and answers an [`AuthedUser`](crate::api::user::AuthedUser).
    #[derive(Debug)]
    pub struct SignIn(());
    /// Changes a password, and answers an [`AuthedUser`](crate::api::user::AuthedUser).
    #[derive(Debug)]
    pub struct ChangePassword(());
    /// Goes on with a new token, and answers an [`AuthedUser`](crate::api::user::AuthedUser).
    #[derive(Debug)]
    pub struct RefreshToken(());
    /// Begins an experience, and answers an
    /// [`ExperienceBootstrapResult`](crate::api::experience::ExperienceBootstrapResult).
    #[derive(Debug)]
    pub struct Bootstrap(());
    /// Deletes an experience.
    #[derive(Debug)]
    pub struct DeleteExperience(());
    /// Asks where an address signs in, and answers what the server says, if it says anything.
    #[derive(Debug)]
    pub struct SsoDomain(());
}

impl<C, T: Kind> Action<C> for action::Get<T> {
    type Answer = Resource<C, T>;
    fn answer(client: C, request: &Request, reply: &Reply) -> Result<Resource<C, T>, Error> {
        Resource::read(client, request.path.clone(), reply)
    }
}

impl<C, T: Kind> Action<C> for action::Patch<T> {
    type Answer = Resource<C, T>;
    fn answer(client: C, request: &Request, reply: &Reply) -> Result<Resource<C, T>, Error> {
        Resource::read(client, request.path.clone(), reply)
    }
}

impl<C, T: Made> Action<C> for action::Create<T> {
    type Answer = Resource<C, T>;
    fn answer(client: C, request: &Request, reply: &Reply) -> Result<Resource<C, T>, Error> {
        let mut made = Resource::<C, T>::read(client, String::new(), reply)?;
        made.path = format!("{}/{}", request.path, made.body.segment());
        Ok(made)
    }
}

impl<C, T: Listed> Action<C> for action::Delete<T> {
    type Answer = ();
    fn answer(_: C, _: &Request, _: &Reply) -> Result<(), Error> {
        Ok(())
    }
}

impl<C, T: Listed> Action<C> for action::DeleteAll<T> {
    type Answer = ();
    fn answer(_: C, _: &Request, _: &Reply) -> Result<(), Error> {
        Ok(())
    }
}

/// A resource as it was read, with the means to change it.
///
/// It derefs to its fields.
pub struct Resource<C, T> {
    client: C,
    path: String,
    etag: Option<String>,
    body: T,
}

impl<C, T: Kind> Resource<C, T> {
    fn read(client: C, path: String, reply: &Reply) -> Result<Self, Error> {
        Ok(Self { client, path, etag: reply.etag.clone(), body: reply.json()? })
    }
}

impl<C, T> Resource<C, T> {
    /// Its tag, if the server sent one: what it was when it was read.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Its fields, without the client.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.body
    }
}

impl<C: Clone, T: Kind> Resource<C, T> {
    /// Reads it again.
    pub fn get(&self) -> Call<C, action::Get<T>> {
        One::new(self.client.clone(), self.path.clone()).get()
    }

    /// Changes it: whatever it has become, or with [`Call::if_unchanged`] only what was read.
    pub fn patch(&self, patch: T::Patch) -> Call<C, action::Patch<T>> {
        let one = One::new(self.client.clone(), self.path.clone());
        one.patch(patch).having_read(self.etag())
    }
}

impl<C: Clone, T: Kind + Listed> Resource<C, T> {
    /// Deletes it: whatever it has become, or with [`Call::if_unchanged`] only what was read.
    pub fn delete(&self) -> Call<C, action::Delete<T>> {
        let one = One::<C, T>::new(self.client.clone(), self.path.clone());
        one.delete().having_read(self.etag())
    }
}

impl<C, T> Deref for Resource<C, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.body
    }
}

impl<C: Clone, T: Clone> Clone for Resource<C, T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            path: self.path.clone(),
            etag: self.etag.clone(),
            body: self.body.clone(),
        }
    }
}

impl<C, T: fmt::Debug> fmt::Debug for Resource<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("path", &self.path)
            .field("etag", &self.etag)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// One resource, by its id; nothing is known of it yet.
pub struct One<C, T> {
    client: C,
    path: String,
    kind: PhantomData<fn() -> T>,
}

/// Resources answer without what surrounds them, which has no place in their types.
fn plain(method: Method, path: &str) -> Request {
    Request::new(method, path).query("_actions", "false").query("_links", "false")
}

impl<C, T> One<C, T> {
    pub(crate) const fn new(client: C, path: String) -> Self {
        Self { client, path, kind: PhantomData }
    }

    pub(crate) const fn client(&self) -> &C {
        &self.client
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl<C: Clone, T: Kind> One<C, T> {
    /// Reads it.
    pub fn get(&self) -> Call<C, action::Get<T>> {
        Call::new(self.client.clone(), plain(Method::GET, &self.path))
    }

    /// Changes it.
    pub fn patch(&self, patch: T::Patch) -> Call<C, action::Patch<T>> {
        let request = plain(Method::PATCH, &self.path).body(patch.into());
        Call::new(self.client.clone(), request)
    }
}

impl<C: Clone, T: Listed> One<C, T> {
    /// Deletes it.
    pub fn delete(&self) -> Call<C, action::Delete<T>> {
        Call::new(self.client.clone(), Request::new(Method::DELETE, &self.path))
    }
}

impl<C, T> fmt::Debug for One<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("One").field(&self.path).finish()
    }
}

/// All that an application has for its end users.
pub struct Experience<C> {
    client: C,
    path: String,
}

impl<C: Clone> Experience<C> {
    pub(crate) const fn new(client: C, path: String) -> Self {
        Self { client, path }
    }

    pub(crate) const fn client(&self) -> &C {
        &self.client
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Makes a user and a group to begin with.
    pub fn bootstrap(&self, options: ExperienceBootstrap) -> Call<C, action::Bootstrap> {
        let request = Request::new(Method::PATCH, format!("{}/bootstrap", self.path));
        Call::new(self.client.clone(), request.body(options.into()))
    }

    /// Deletes all users and all groups, but for what is kept.
    pub fn delete(&self) -> Call<C, action::DeleteExperience> {
        Call::new(self.client.clone(), Request::new(Method::DELETE, &self.path))
    }
}

impl<C> fmt::Debug for Experience<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Experience").field(&self.path).finish()
    }
}

/// A collection of resources.
pub struct Many<C, T> {
    client: C,
    path: String,
    kind: PhantomData<fn() -> T>,
}

impl<C: Clone, T: Listed> Many<C, T> {
    pub(crate) const fn new(client: C, path: String) -> Self {
        Self { client, path, kind: PhantomData }
    }

    /// Reads a page of it, or with [`Call::stream`] or [`Call::items`] all of it.
    pub fn list(&self) -> Call<C, action::List<T>> {
        let request = Request::new(Method::GET, &self.path).query("_actions", "false");
        Call::new(self.client.clone(), request)
    }
}

impl<C: Clone, T: Made> Many<C, T> {
    /// Makes one.
    pub fn create(&self, post: T::Post) -> Call<C, action::Create<T>> {
        Call::new(self.client.clone(), plain(Method::POST, &self.path).body(json(post.into())))
    }
}

impl<C: Clone> Many<C, AdministratorSession> {
    /// Ends all of them.
    pub fn delete(&self) -> Call<C, action::DeleteAll<AdministratorSession>> {
        Call::new(self.client.clone(), Request::new(Method::DELETE, &self.path))
    }
}

impl<C, T> fmt::Debug for Many<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Many").field(&self.path).finish()
    }
}
