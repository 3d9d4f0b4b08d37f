//! Lists: which page is asked for, by its number or by a cursor, and how it is answered.

use super::call::Call;
use super::cursor::{self, ListId};
use super::memory::PageShare;
use super::outcome::Okay;
use super::query::write_query;
use super::reply::Reply;
use super::resource::{self, Neighbours, Resource};
use crate::error::{Error, Result};
use crate::store::Tx;
use crate::store::api_tokens::Grant;
use crate::store::list::{HEAVIEST_PAGE, Listed, Paging, Start};
use guestlist_api::entity::{Cursor, Entity, Page, PageNumber, PerPage, SortDirection};
use guestlist_api::id::ObjectId;
use hyper::StatusCode;
use std::borrow::Cow;
use std::marker::PhantomData;

/// The resources that pages are of.
pub(super) trait PageOf: serde::Serialize {
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

/// What a request for a list says, whatever it lists.
pub(super) struct ListRequest {
    /// The collection, such as `experienceUsers`, and whose it is.
    pub(super) list: (&'static str, String),
    pub(super) sort: &'static str,
    pub(super) direction: Option<SortDirection>,
    pub(super) page: Option<PageNumber>,
    pub(super) per_page: Option<PerPage>,
    pub(super) cursor: Option<Cursor>,
    pub(super) filter: Option<String>,
    pub(super) filter_field: Option<&'static str>,
}

/// What a list repeats of the request, and how it goes on.
pub(super) struct ListContext {
    list: ListId,
    sort: &'static str,
    pub(super) paging: Paging,
    filter: Option<String>,
    filter_field: Option<&'static str>,
    /// The query of the request, as far as it is the same for the next page.
    query: Vec<(Cow<'static, str>, String)>,
}

/// A page without its items, these, and the queries for the next page and the one before, if there
/// are any.
pub(super) struct Paged<T, O> {
    page: Page<Entity<T>, O>,
    items: Vec<T>,
    next: Option<String>,
    previous: Option<String>,
}

/// Parameters of every action that are no parameters of its own.
const VIEW: [&str; 3] = ["_actions", "_links", "_embedded"];
/// What may differ from one page of a walk to the next. The order of the list is told apart by what
/// it comes to, said or not.
const FREE: [&str; 4] = ["perPage", "sortField", "sortDirection", "excludeMembers"];

impl Call<Grant> {
    /// What is `wanted`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::error::Error::Invalid) when there is a cursor and it is not one for
    /// this list.
    pub(super) fn asked(&self, wanted: ListRequest) -> Result<ListContext> {
        let (collection, whose) = &wanted.list;
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
        let mut paging = Paging::new(wanted.page, wanted.per_page, wanted.direction);
        let order = [*collection, whose, wanted.sort, paging.direction.as_str()];
        let conditions = query
            .iter()
            .filter(|(name, _)| !FREE.contains(&&**name) && !VIEW.contains(&&**name))
            .flat_map(|(name, value)| [&**name, value.as_str()]);
        let list = ListId::of(order.into_iter().chain(conditions));
        if let Some(cursor) = wanted.cursor {
            if paging.start != Start::Page(0) {
                return Err(cursor::wrong("must not come with a page"));
            }
            paging.start = cursor::read(&self.app.seal, list, &cursor)?;
        }
        let ListRequest { sort, filter, filter_field, .. } = wanted;
        Ok(ListContext { list, sort, paging, filter, filter_field, query })
    }

    /// One page of `found`, as it was `asked` for.
    pub(super) fn page<T: Resource, O>(
        &self,
        asked: &ListContext,
        of: O,
        found: Listed<T>,
    ) -> Paged<T, O> {
        let Listed { items, total, next, previous } = found;
        let page = Page {
            count: items.len() as u64,
            items: Vec::new(),
            of,
            per_page: asked.paging.per_page,
            page: match asked.paging.start {
                Start::Page(page) => page,
                Start::After(_) | Start::Before(_) | Start::End => 0,
            },
            sort_field: asked.sort.into(),
            sort_direction: asked.paging.direction,
            total_count: total,
            filter: asked.filter.clone(),
            filter_field: asked.filter_field.map(Cow::Borrowed),
        };
        let query = |start: Start| {
            let cursor = cursor::write(&self.app.seal, asked.list, &start);
            let query = asked.query.iter().map(|(name, value)| (&**name, value.as_str()));
            write_query(query.chain(cursor.as_deref().map(|cursor| ("cursor", cursor))))
        };
        Paged { page, items, next: next.map(query), previous: previous.map(query) }
    }

    /// Reads a page.
    pub(super) async fn list<T: Resource + Send + 'static, O: PageOf + Send + 'static>(
        &self,
        find: impl Fn(&mut Tx<'_>) -> Result<Paged<T, O>> + Send + 'static,
    ) -> Result<Okay<Entity<Page<Entity<T>, O>>>> {
        let make = async {
            // For as much as it may be, so that no more lists are made at once than there is room
            // for.
            let share = PageShare::of(HEAVIEST_PAGE).await?;
            let paged = self.read(find).await?;
            let reply = Reply::new(StatusCode::OK, self.write_page(&paged)?);
            let share = share.resize(reply.body.len())?;
            Ok(reply.holding(share))
        };
        self.cached(make).await.map(|reply| Okay(reply, PhantomData))
    }

    /// A page as it is answered.
    fn write_page<T: Resource, O: PageOf>(&self, paged: &Paged<T, O>) -> Result<Vec<u8>> {
        let Paged { page, items, next, previous } = paged;
        let frame = resource::fields(page)?;
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
        let around = Neighbours { next: next.as_deref(), previous: previous.as_deref() };
        self.write_envelope(page, around, &mut out);
        Ok(out)
    }
}
