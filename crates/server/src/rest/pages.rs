//! Lists: which page is asked for, by its number or by a cursor, and how it is answered.

use super::call::Call;
use super::cursor::{self, ListId};
use super::outcome::Okay;
use super::resource::{self, Neighbours, Resource};
use crate::error::{Error, Result};
use crate::http::memory::{PageShare, TOO_MANY_PAGES};
use crate::http::query::write_query;
use crate::http::reply::Reply;
use crate::rows::Tx;
use crate::rows::list::{HEAVIEST_PAGE, Listed, Paging, Start};
use crate::tokens::grant::Grant;
use guestlist_api::entity::{Cursor, Entity, Page};
use guestlist_api::id::ObjectId;
use hyper::StatusCode;
use std::borrow::Cow;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

/// The resources that pages are of.
pub(crate) trait PageOf: serde::Serialize {
    /// The name of the collection, such as `experienceUsers`.
    fn collection(&self) -> &'static str;
    /// The variable parts of its path.
    fn ids(&self) -> Vec<(&'static str, ObjectId)>;
}

impl<T: serde::Serialize, O: PageOf> Resource for Page<T, O> {
    fn resource(&self) -> &'static str {
        self.of.collection()
    }
    fn ids(&self) -> Vec<(&'static str, ObjectId)> {
        self.of.ids()
    }
}

/// What every list can be asked for. Each list has a type of the wire for its query, and
/// [`list_query!`] implements this for it.
pub(crate) trait ListQuery {
    /// What it can be sorted by.
    type Sort;
    /// What it is sorted by, said or not.
    fn sort(&self) -> Self::Sort;
    /// The same, as the wire says it.
    fn sort_field(&self) -> &'static str;
    /// Which page, as far as no cursor says it.
    fn paging(&self) -> Paging;
    /// Where it goes on.
    fn cursor(&self) -> Option<&Cursor>;
    /// The pattern that its items match.
    fn filter(&self) -> Option<String>;
    /// The field that the pattern is matched against.
    fn filter_field(&self) -> Option<&'static str>;
}

/// Implements [`ListQuery`] for the type of a query, which is sorted by one word unless it says
/// another.
macro_rules! list_query {
    ($query:ident sorted by $sort:ident::$usual:ident) => {
        impl $crate::rest::pages::ListQuery for $query {
            type Sort = $sort;
            fn sort(&self) -> $sort {
                self.sort_field.unwrap_or($sort::$usual)
            }
            fn sort_field(&self) -> &'static str {
                self.sort().as_str()
            }
            fn paging(&self) -> $crate::rows::list::Paging {
                $crate::rows::list::Paging::new(self.page, self.per_page, self.sort_direction)
            }
            fn cursor(&self) -> Option<&::guestlist_api::entity::Cursor> {
                self.cursor.as_ref()
            }
            fn filter(&self) -> Option<String> {
                self.filter.as_ref().map(|glob| glob.to_string())
            }
            fn filter_field(&self) -> Option<&'static str> {
                self.filter_field.map(|field| field.as_str())
            }
        }
    };
}
pub(crate) use list_query;

/// What a request for a list says, whatever it lists: what is read, and what the answer repeats.
pub(crate) struct ListRequest {
    pub(crate) paging: Paging,
    /// The pattern that the items match, if one was asked for.
    pub(crate) filter: Option<String>,
    list: ListId,
    sort_field: &'static str,
    filter_field: Option<&'static str>,
    /// The query of the request, as far as it is the same for the next page.
    query: Vec<(Cow<'static, str>, String)>,
}

/// Parameters of every action that are no parameters of its own.
const VIEW: [&str; 3] = ["_actions", "_links", "_embedded"];
/// What may differ from one page of a walk to the next. The order of the list is told apart by what
/// it comes to, said or not.
const FREE: [&str; 4] = ["perPage", "sortField", "sortDirection", "excludeMembers"];

impl Call<Grant> {
    /// What `wanted` says of a list of what belongs to `owner`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is a cursor and it is not one for this list.
    pub(crate) fn list_request(
        &self,
        owner: impl Display,
        wanted: &impl ListQuery,
    ) -> Result<ListRequest> {
        let collection = self.context.operation.resource();
        let routes = self.app.routes_of(collection);
        let own = routes.iter().find(|route| route.operation.action() == "get");
        let names = own.into_iter().flat_map(|route| route.params.iter().cloned());
        let sent = &self.context.common.query;
        let query: Vec<_> = names
            .chain(VIEW.map(Cow::Borrowed))
            .filter(|name| name != "page" && name != "cursor")
            .filter_map(|name| Some((sent.get(&*name)?.as_str()?.to_owned(), name)))
            .map(|(value, name)| (name, value))
            .collect();
        let (mut paging, sort_field, owner) =
            (wanted.paging(), wanted.sort_field(), owner.to_string());
        let order = [collection, &owner, sort_field, paging.direction.as_str()];
        let conditions = query
            .iter()
            .filter(|(name, _)| !FREE.contains(&&**name) && !VIEW.contains(&&**name))
            .flat_map(|(name, value)| [&**name, value.as_str()]);
        let list = ListId::of(order.into_iter().chain(conditions));
        if let Some(cursor) = wanted.cursor() {
            if paging.start != Start::Page(0) {
                return Err(cursor::wrong("must not come with a page"));
            }
            paging.start = cursor::read(&self.app.seal, list, cursor)?;
        }
        let (filter, filter_field) = (wanted.filter(), wanted.filter_field());
        Ok(ListRequest { paging, filter, list, sort_field, filter_field, query })
    }

    /// Reads the page that `request` is for, and whose it is.
    pub(crate) async fn list<T: Resource + Send + 'static, O: PageOf + Send + 'static>(
        &self,
        request: ListRequest,
        find: impl Fn(&mut Tx<'_>) -> Result<(O, Listed<T>)> + Send + Sync + 'static,
    ) -> Result<Okay<Entity<Page<Entity<T>, O>>>> {
        let snapshot = self.snapshot();
        let find = Arc::new(find);
        let usual = usize::try_from(request.paging.per_page).unwrap_or(usize::MAX);
        let usual = usual.saturating_mul(resource::TYPICAL_BYTES).min(HEAVIEST_PAGE);
        let read = match self.read_page(usual, Arc::clone(&find)).await {
            // It is heavier than most, and there was no room for that.
            Err(Error::Busy { what: TOO_MANY_PAGES, .. }) if usual < HEAVIEST_PAGE => {
                self.read_page(HEAVIEST_PAGE, find).await?
            }
            read => read?,
        };
        let ((of, found), share) = read;
        let reply = Reply::new(StatusCode::OK, self.write_page(&request, of, &found)?);
        drop(found);
        self.cache(snapshot, &reply);
        let share = share.resize(reply.body.len())?;
        Ok(Okay(reply.holding(share), PhantomData))
    }

    /// What `find` finds, with a share of the memory for it: for so many bytes as soon as there is one,
    /// and for more if it turns out to be heavier. No more than a page for each thread that reads has none.
    async fn read_page<O: Send + 'static, T: Send + 'static>(
        &self,
        bytes: usize,
        find: Arc<impl Fn(&mut Tx<'_>) -> Result<(O, Listed<T>)> + Send + Sync + 'static>,
    ) -> Result<((O, Listed<T>), PageShare)> {
        let share = PageShare::of(self.store().flow(), bytes).await?;
        let share = Arc::new(Mutex::new(Some(share)));
        let growing = Arc::clone(&share);
        let found = self.read(move |tx| {
            let (of, found) = find(tx)?;
            let mut share = growing.lock().unwrap_or_else(PoisonError::into_inner);
            share.iter_mut().try_for_each(|share| share.grow(found.bytes()))?;
            Ok((of, found))
        });
        let found = found.await;
        // Whoever has read it may still hold the closure.
        let share = share.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok((found?, share.ok_or_else(|| Error::internal("a page without a share"))?))
    }

    /// The page that was `found`, as it is answered.
    fn write_page<T: Resource, O: PageOf>(
        &self,
        request: &ListRequest,
        of: O,
        found: &Listed<T>,
    ) -> Result<Vec<u8>> {
        let Listed { items, total, next, previous, .. } = found;
        let page: Page<Entity<T>, O> = Page {
            count: items.len() as u64,
            // They are written one by one, each with what surrounds it.
            items: Vec::new(),
            of,
            per_page: request.paging.per_page,
            page: match request.paging.start {
                Start::Page(page) => page,
                Start::After(_) | Start::Before(_) | Start::End => 0,
            },
            sort_field: request.sort_field.into(),
            sort_direction: request.paging.direction,
            total_count: *total,
            filter: request.filter.clone(),
            filter_field: request.filter_field.map(Cow::Borrowed),
        };
        let frame = resource::fields(&page)?;
        // Of its fields only the number of the items comes before them.
        let items_at = frame.iter().position(|byte| *byte == b'[').map_or(0, |at| at + 1);
        let (before, after) = frame.split_at(items_at);
        let mut out = Vec::with_capacity(frame.len() + (items.len() + 1) * resource::TYPICAL_BYTES);
        out.extend_from_slice(before);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            serde_json::to_writer(&mut out, item).map_err(Error::internal)?;
            self.write_envelope(item, Neighbours::default(), &mut out);
        }
        out.extend_from_slice(after);
        let query = |start: &Start| {
            let cursor = cursor::write(&self.app.seal, request.list, start);
            let query = request.query.iter().map(|(name, value)| (&**name, value.as_str()));
            write_query(query.chain(cursor.as_deref().map(|cursor| ("cursor", cursor))))
        };
        let (next, previous) = (next.as_ref().map(query), previous.as_ref().map(query));
        let around = Neighbours { next: next.as_deref(), previous: previous.as_deref() };
        self.write_envelope(&page, around, &mut out);
        Ok(out)
    }
}
