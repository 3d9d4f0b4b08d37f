//! An action with its parameters, on its way to be done.

use crate::error::Error;
use crate::request::{Reply, Request};
use crate::{Client, blocking};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

/// What an action answers. Each is one of the types of [`action`](crate::action).
pub trait Action<C>: 'static {
    /// The answer.
    type Answer;
    #[doc(hidden)]
    fn answer(client: C, request: &Request, reply: &Reply) -> Result<Self::Answer, Error>;
}

/// An action with its parameters. It is done by awaiting it, or by [`Call::send`].
#[must_use = "nothing is done until it is awaited or sent"]
pub struct Call<C, A> {
    client: C,
    request: Request,
    read: Option<String>,
    unreadable: bool,
    action: PhantomData<fn() -> A>,
}

impl<C, A> Call<C, A> {
    pub(crate) const fn new(client: C, request: Request) -> Self {
        Self { client, request, read: None, unreadable: false, action: PhantomData }
    }

    /// On a resource that was read with this tag.
    pub(crate) fn having_read(mut self, etag: Option<&str>) -> Self {
        self.read = etag.map(str::to_owned);
        self
    }

    /// With one more parameter, as the wire calls it: for those that have no function here.
    pub fn param(mut self, name: &str, value: impl Serialize) -> Self {
        self.request = self.request.query(name, text(value));
        self
    }

    /// With one more field in its body.
    pub(crate) fn field(mut self, name: &str, value: impl Serialize) -> Self {
        if let Some(Value::Object(fields)) = &mut self.request.body {
            fields.insert(name.to_owned(), json(value));
        }
        self
    }

    /// With a header, such as `losantdomain`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Only if the resource has this tag; else it is a 412 ([`Error::has_changed`]).
    pub fn if_match(mut self, etag: impl Into<String>) -> Self {
        self.request = self.request.if_match(etag);
        self
    }

    /// Only if the resource is as it was when it was read; else it is a 412
    /// ([`Error::has_changed`]). If it was read without a tag, as from a server that has none,
    /// nothing is sent and this is an [`Error::Config`].
    pub fn if_unchanged(mut self) -> Self {
        match self.read.take() {
            Some(etag) => self.if_match(etag),
            None => Self { unreadable: true, ..self },
        }
    }

    /// Under a key of the caller's; see [`Request::idempotency_key`].
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.request = self.request.idempotency_key(key);
        self
    }

    /// Sent once; see [`Request::without_idempotency_key`].
    pub fn without_idempotency_key(mut self) -> Self {
        self.request = self.request.without_idempotency_key();
        self
    }

    /// What is sent.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    pub(crate) const fn client(&self) -> &C {
        &self.client
    }

    fn ready(&self) -> Result<(), Error> {
        if self.unreadable {
            let why = "the resource was read without an ETag, so that there is nothing to compare";
            return Err(Error::Config(why.into()));
        }
        Ok(())
    }
}

impl<A: Action<Client>> Call<Client, A> {
    /// Does it.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::Body`] if the answer cannot be read.
    pub async fn send(self) -> Result<A::Answer, Error> {
        self.ready()?;
        let reply = self.client.send(&self.request).await?;
        A::answer(self.client, &self.request, &reply)
    }
}

impl<A: Action<blocking::Client>> Call<blocking::Client, A> {
    /// Does it, and waits for the answer.
    ///
    /// # Errors
    /// As [`blocking::Client::send`]; [`Error::Body`] if the answer cannot be read.
    pub fn send(self) -> Result<A::Answer, Error> {
        self.ready()?;
        let reply = self.client.send(&self.request)?;
        A::answer(self.client, &self.request, &reply)
    }
}

impl<A: Action<Client>> IntoFuture for Call<Client, A> {
    type Output = Result<A::Answer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<C: Clone, A> Clone for Call<C, A> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            request: self.request.clone(),
            read: self.read.clone(),
            unreadable: self.unreadable,
            action: PhantomData,
        }
    }
}

impl<C, A> fmt::Debug for Call<C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.request).finish()
    }
}

/// `value` as JSON. What is sent are texts, numbers, lists and objects of them, which all have a
/// form in JSON.
pub(crate) fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// `value` as a parameter.
fn text(value: impl Serialize) -> String {
    match json(value) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Declares functions that set parameters of an action.
macro_rules! params {
    ($action:ty, $all:ident: $($(#[$doc:meta])* $name:ident $wire:literal: $type:ty,)*) => {
        impl<C> $crate::call::Call<C, $action> {
            $($(#[$doc])*
            pub fn $name(self, $name: $type) -> Self {
                self.param($wire, $name)
            })*
        }

        /// The parameters that have a function.
        #[cfg(test)]
        pub(crate) const $all: &[&str] = &[$($wire),*];
    };
}
pub(crate) use params;
