//! The conditions of a request on the state of a resource: `If-Match` and `If-None-Match`.

use super::etag::{ETag, IfMatch, IfNoneMatch};
use super::resource;
use crate::error::{Error, Result};
use guestlist_api::wire::Problem;
use hyper::HeaderMap;
use serde::Serialize;

/// What a resource has to be, and what it must not be.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
}

impl Conditions {
    /// Those in the headers of a request; what is wrong with them is added to `problems`.
    pub(crate) fn of(headers: &HeaderMap, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |problem| problems.push(problem);
        let if_match = IfMatch::of(headers).map_err(&mut problem).ok().flatten();
        let if_none_match = IfNoneMatch::of(headers).map_err(&mut problem).ok().flatten();
        Self { if_match, if_none_match }
    }

    /// Whether there are none.
    pub(crate) const fn are_none(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Whether a reader has the resource with this tag already, and is told so.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] when it is not the resource that has to be there.
    pub(crate) fn read(&self, etag: &ETag) -> Result<bool> {
        if self.if_match.as_ref().is_some_and(|tags| !tags.holds(Some(etag))) {
            return Err(Error::PreconditionFailed);
        }
        Ok(self.if_none_match.as_ref().is_some_and(|tags| !tags.holds(Some(etag))))
    }

    /// Lets a writer change a resource that can be read in several `forms`: it is as it was if one of
    /// them is.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] when they do not hold, or what making the forms fails with.
    pub(crate) fn check<T: Serialize, I: IntoIterator<Item = T>>(
        &self,
        forms: impl FnOnce() -> Result<I>,
    ) -> Result<()> {
        if self.are_none() {
            return Ok(());
        }
        let tags: Vec<ETag> =
            forms()?.into_iter().map(|form| etag(&form)).collect::<Result<_>>()?;
        let same = self
            .if_match
            .as_ref()
            .is_none_or(|wanted| tags.iter().any(|tag| wanted.holds(Some(tag))));
        let other = self
            .if_none_match
            .as_ref()
            .is_none_or(|unwanted| tags.iter().all(|tag| unwanted.holds(Some(tag))));
        if same && other { Ok(()) } else { Err(Error::PreconditionFailed) }
    }
}

/// The tag of a resource as it is: of its own fields, whatever surrounds them.
fn etag<T: Serialize>(body: &T) -> Result<ETag> {
    Ok(ETag::of(&resource::fields(body)?))
}
