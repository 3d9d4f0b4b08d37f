//! What a handler does with a resource: show it, change it, create it, remove it. Each takes a
//! closure that finds or makes the resource in a transaction, and answers with it.

use super::call::Call;
use super::etag::ETag;
use super::idempotency::Written;
use super::outcome::{Created, Okay};
use super::resource::{self, Neighbours, Resource};
use crate::error::{Error, Result};
use crate::http::reply::Reply;
use crate::rows::idempotency::{Answer, LONGEST_BODY, Outline};
use crate::rows::tenant::AuthorizedApp;
use crate::rows::{Lookup, RowChange, Tx};
use crate::store::Snapshot;
use crate::tokens::grant::Grant;
use guestlist_api::entity::{Entity, Success};
use hyper::{StatusCode, header};
use std::marker::PhantomData;

impl Call<Grant> {
    /// Reads a resource.
    pub(crate) async fn show<T: Resource + Send + 'static>(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Okay<Entity<T>>> {
        let snapshot = self.snapshot();
        let found = self.read(find).await?;
        self.show_found(snapshot, &found)
    }

    /// As [`Call::show`], of a resource that one statement finds.
    pub(crate) async fn find<L: Lookup<Error, Found: Resource>>(
        &self,
        lookup: L,
    ) -> Result<Okay<Entity<L::Found>>> {
        let snapshot = self.snapshot();
        let found = self.context.gate.find(&self.app, self.store(), self.now, lookup).await?;
        self.show_found(snapshot, &found)
    }

    fn show_found<T: Resource>(
        &self,
        snapshot: Option<Snapshot>,
        found: &T,
    ) -> Result<Okay<Entity<T>>> {
        let reply = self.found(found)?;
        self.cache(snapshot, &reply);
        Ok(Okay(reply, PhantomData))
    }

    /// Answers with `found`, unless the conditions of the request are against it.
    fn found<T: Resource>(&self, found: &T) -> Result<Reply> {
        let mut body = resource::fields(found)?;
        let etag = ETag::of(&body);
        let reply = if self.context.common.conditions.read(&etag)? {
            Reply::empty(StatusCode::NOT_MODIFIED)
        } else {
            self.write_envelope(found, Neighbours::default(), &mut body);
            Reply::new(StatusCode::OK, body)
        };
        Ok(reply.with(header::ETAG, etag.header()))
    }

    async fn write_resource<T: Resource, W: Into<Written<T>>>(
        &self,
        status: StatusCode,
        row: impl Fn() -> Option<RowChange> + Send + 'static,
        work: impl Fn(&mut Tx<'_>) -> Result<W> + Send + 'static,
    ) -> Result<Reply> {
        let (call, again) = (self.clone(), self.clone());
        let work = move |tx: &mut Tx<'_>| {
            let written = work(tx)?.into();
            let (etag, body) = call.whole(&written.body)?;
            let mut answer =
                Answer { status: status.as_u16(), etag, body, mint: None, resource: None };
            if answer.body.len() > LONGEST_BODY {
                answer.resource = written.body.ids().last().map(|(_, id)| *id);
            }
            Ok((answer, written.secret))
        };
        let read_again = move |tx: &mut Tx<'_>, outline: &Outline| {
            let (Some(application), Some(id)) = (outline.application, outline.resource) else {
                return Ok(None);
            };
            match T::read_again(tx, AuthorizedApp::allowed(application), id) {
                Ok(Some(found)) => {
                    let (etag, body) = again.whole(&found)?;
                    Ok(etag.map(|etag| (etag, body)))
                }
                Ok(None) | Err(Error::NotFound(_)) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.write(row, work, read_again).await
    }

    /// The tag of `body`, and `body` with what surrounds it.
    fn whole<T: Resource>(&self, body: &T) -> Result<(Option<String>, Vec<u8>)> {
        let mut out = resource::fields(body)?;
        let etag = ETag::of(&out).header().to_str().map(str::to_owned).ok();
        self.write_envelope(body, Neighbours::default(), &mut out);
        Ok((etag, out))
    }

    /// Changes a resource.
    pub(crate) async fn change<T: Resource>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Okay<Entity<T>>> {
        self.change_row(|| None, work).await
    }

    /// As [`Call::change`], where it may be known beforehand which `row` is changed.
    pub(crate) async fn change_row<T: Resource>(
        &self,
        row: impl Fn() -> Option<RowChange> + Send + 'static,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Okay<Entity<T>>> {
        self.write_resource(StatusCode::OK, row, work).await.map(|reply| Okay(reply, PhantomData))
    }

    /// Makes a resource.
    pub(crate) async fn create<T: Resource, W: Into<Written<T>>>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<W> + Send + 'static,
    ) -> Result<Created<Entity<T>>> {
        let reply = self.write_resource(StatusCode::CREATED, || None, work).await?;
        Ok(Created(reply, PhantomData))
    }

    /// Removes a resource.
    pub(crate) async fn remove(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
    ) -> Result<Okay<Success>> {
        self.do_once(move |tx| work(tx).map(|()| Success { success: true }.into())).await
    }
}
