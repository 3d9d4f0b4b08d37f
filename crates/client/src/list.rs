//! Pages, and walks over all of them.

use crate::call::{Action, Call};
use crate::error::Error;
use crate::request::{Reply, Request};
use crate::resource::{Listed, action::List};
use crate::{Client, blocking};
use futures_core::Stream;
use guestlist_api::entity::SortDirection;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Which page this is, counted from 0; 0 for one that a cursor was sent for.
    #[serde(default)]
    pub page: u64,
    /// The most a page holds.
    #[serde(default)]
    pub per_page: u64,
    /// How many items all pages have together.
    pub total_count: u64,
    #[serde(default, rename = "_links")]
    links: BTreeMap<String, Link>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Link {
    href: String,
}

impl<T> Page<T> {
    /// The cursor of the next page, if there is one and the server has cursors. It is good for the
    /// same list, asked for in the same way.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        cursor_of(self.next()?)
    }

    /// The cursor of the page before, if this is not the first and the server has such cursors. It
    /// is good for the same list, asked for in the same way.
    #[must_use]
    pub fn previous_cursor(&self) -> Option<&str> {
        cursor_of(self.link("previous")?)
    }

    /// The path of the next page, if the server says where it is.
    fn next(&self) -> Option<&str> {
        self.link("next")
    }

    fn link(&self, name: &str) -> Option<&str> {
        let href = self.links.get(name)?.href.as_str();
        // A token goes to its own server only; `//` would name another.
        (href.starts_with('/') && !href.starts_with("//")).then_some(href)
    }
}

fn cursor_of(href: &str) -> Option<&str> {
    let (_, query) = href.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("cursor="))
}

impl<C, T: Listed> Action<C> for List<T> {
    type Answer = Page<T>;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<Page<T>, Error> {
        reply.json()
    }
}

impl<C, T> Call<C, List<T>> {
    /// Which page, counted from 0.
    pub fn page(self, page: u64) -> Self {
        self.param("page", page)
    }

    /// The page after the one that [`Page::cursor`] came with, or before the one that
    /// [`Page::previous_cursor`] came with, whatever was made or deleted since.
    pub fn cursor(self, cursor: impl Into<String>) -> Self {
        self.param("cursor", cursor.into())
    }

    /// How many items a page holds: 1 to 1,000; 100 unless said.
    pub fn per_page(self, count: u64) -> Self {
        self.param("perPage", count)
    }

    /// In which direction the list is sorted.
    pub fn sort_direction(self, direction: SortDirection) -> Self {
        self.param("sortDirection", direction)
    }
}

/// How many items a walk asks for at a time, unless the call says.
const STEP: u64 = 500;

/// Where a walk over all pages has come to.
struct Walk<T> {
    request: Request,
    page: u64,
    found: VecDeque<T>,
    /// Whether the server says where the next page is, rather than the number of this one.
    led: bool,
    ended: bool,
}

impl<T> Walk<T> {
    fn new(request: &Request) -> Self {
        let mut request = request.clone();
        let given = |request: &Request, name| request.query.iter().any(|(n, _)| n == name);
        let first = request.query.iter().find(|(name, _)| name == "page");
        let page: u64 = first.and_then(|(_, page)| page.parse().ok()).unwrap_or_default();
        request.query.retain(|(name, _)| name != "page");
        if !given(&request, "perPage") {
            request = request.query("perPage", STEP.to_string());
        }
        // A cursor knows its order, and its place.
        let led = given(&request, "cursor");
        if !led && !given(&request, "sortField") {
            // What is made while the walk is on comes at its end, instead of moving the rest.
            request = request.query("sortField", "id");
        }
        if !led {
            request = request.query("page", page.to_string());
        }
        Self { request, page, found: VecDeque::new(), led, ended: false }
    }

    /// Takes in a page, and prepares to ask for the next.
    fn take(&mut self, page: Page<T>) {
        let count = page.items.len() as u64;
        let before = self.page.saturating_mul(page.per_page);
        self.ended = count == 0;
        if let Some(next) = page.next() {
            next.clone_into(&mut self.request.path);
            self.request.query.clear();
            self.led = true;
        } else if self.led {
            self.ended = true;
        } else {
            self.ended |= before + count >= page.total_count;
            self.page += 1;
            self.request.query.retain(|(name, _)| name != "page");
            self.request.query.push(("page".into(), self.page.to_string()));
        }
        self.found = page.items.into();
    }

    /// The next item, `None` if there is none on this page.
    fn next(&mut self) -> Option<T> {
        self.found.pop_front()
    }
}

type Fetch<T> = Pin<Box<dyn Future<Output = Result<Page<T>, Error>> + Send>>;

/// All items of a list, page by page; one page is held at a time. After an error it has ended.
///
/// It is a [`Stream`]; [`Items::next`] is for who has no use for one.
pub struct Items<T> {
    client: Client,
    walk: Walk<T>,
    fetch: Option<Fetch<T>>,
}

impl<T: DeserializeOwned + Unpin + 'static> Items<T> {
    /// The next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T> Items<T> {
    fn fetch(&self) -> Fetch<T>
    where
        T: DeserializeOwned + 'static,
    {
        let (client, request) = (self.client.clone(), self.walk.request.clone());
        Box::pin(async move { client.send(&request).await?.json() })
    }
}

impl<T: DeserializeOwned + Unpin + 'static> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.walk.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.walk.ended {
                return Poll::Ready(None);
            }
            let mut fetch = self.fetch.take().unwrap_or_else(|| self.fetch());
            let Poll::Ready(page) = fetch.as_mut().poll(context) else {
                self.fetch = Some(fetch);
                return Poll::Pending;
            };
            match page {
                Ok(page) => self.walk.take(page),
                Err(error) => {
                    self.walk.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Items").field(&self.walk.request).finish()
    }
}

impl<T: Listed> Call<Client, List<T>> {
    /// All items from this page on, in the order of their ids unless the call says otherwise.
    ///
    /// Guestlist says where the next page starts, so that each item which is there all the while
    /// comes once, whatever is made and deleted meanwhile. The pages of another server are numbered,
    /// and there what is deleted makes the walk pass over as many.
    #[must_use]
    pub fn stream(&self) -> Items<T> {
        self.client().items(self.request())
    }
}

impl Client {
    /// All items that the list `request` asks for, from its page on, as [`Call::stream`] gives
    /// them.
    #[must_use]
    pub fn items<T>(&self, request: &Request) -> Items<T> {
        Items { client: self.clone(), walk: Walk::new(request), fetch: None }
    }
}

/// All items of a list, page by page; one page is held at a time. After an error it has ended.
pub struct Iter<T> {
    client: blocking::Client,
    walk: Walk<T>,
}

impl<T: DeserializeOwned> Iterator for Iter<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.walk.next() {
                return Some(Ok(item));
            }
            if self.walk.ended {
                return None;
            }
            match self.client.send(&self.walk.request).and_then(|reply| reply.json()) {
                Ok(page) => self.walk.take(page),
                Err(error) => {
                    self.walk.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<T> fmt::Debug for Iter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Iter").field(&self.walk.request).finish()
    }
}

impl<T: Listed> Call<blocking::Client, List<T>> {
    /// All items from this page on; see [`Call::stream`].
    #[must_use]
    pub fn items(&self) -> Iter<T> {
        self.client().items(self.request())
    }
}

impl blocking::Client {
    /// All items that the list `request` asks for, from its page on, as [`Call::items`] gives
    /// them.
    #[must_use]
    pub fn items<T>(&self, request: &Request) -> Iter<T> {
        Iter { client: self.clone(), walk: Walk::new(request) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Method;
    use serde_json::{Value, json};

    fn page(answer: Value) -> Page<u64> {
        serde_json::from_value(answer).unwrap()
    }

    fn asks(walk: &Walk<u64>, name: &str) -> Option<String> {
        let query = &walk.request.query;
        query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_walk_goes_by_numbers_and_leaves_what_was_asked_for() {
        let list = Request::new(Method::GET, "/x").query("filter", "a").query("page", "2");
        let mut walk = Walk::<u64>::new(&list);
        assert_eq!(asks(&walk, "page").as_deref(), Some("2"));
        assert_eq!(asks(&walk, "perPage").as_deref(), Some("500"));
        assert_eq!(asks(&walk, "sortField").as_deref(), Some("id"));
        // A server that does not say which page it is makes no walk without end.
        walk.take(page(json!({ "items": [1, 2], "perPage": 2, "totalCount": 7 })));
        assert!(!walk.ended);
        assert_eq!(asks(&walk, "page").as_deref(), Some("3"));
        assert_eq!(asks(&walk, "filter").as_deref(), Some("a"));
        walk.take(page(json!({ "items": [3], "perPage": 2, "totalCount": 7 })));
        assert!(walk.ended);
        let mut walk = Walk::<u64>::new(&list);
        walk.take(page(json!({ "items": [], "perPage": 2, "totalCount": 99 })));
        assert!(walk.ended);
    }

    #[test]
    fn a_walk_goes_where_the_server_says_but_not_elsewhere() {
        let next = |href: &str| {
            page(json!({ "items": [1], "totalCount": 1, "_links": { "next": { "href": href } } }))
        };
        let mut walk = Walk::<u64>::new(&Request::new(Method::GET, "/x"));
        walk.take(next("/x?cursor=abc"));
        assert!(!walk.ended, "the server knows better than the count");
        assert_eq!((walk.request.path.as_str(), walk.request.query.len()), ("/x?cursor=abc", 0));
        walk.take(page(json!({ "items": [2], "perPage": 1, "totalCount": 9 })));
        assert!(walk.ended, "and says when it is the last");
        for elsewhere in ["https://elsewhere.example/x", "//elsewhere.example/x", "x"] {
            let mut walk = Walk::<u64>::new(&Request::new(Method::GET, "/x"));
            walk.take(next(elsewhere));
            assert_eq!((walk.request.path.as_str(), walk.ended), ("/x", true), "{elsewhere}");
        }
    }

    #[test]
    fn a_cursor_is_read_from_a_page_and_a_walk_begins_with_it() {
        let href = "/x?perPage=1&cursor=a-b_&sortField=id";
        let first =
            page(json!({ "items": [1], "totalCount": 9, "_links": { "next": { "href": href } } }));
        assert_eq!(first.cursor(), Some("a-b_"));
        assert_eq!(page(json!({ "items": [1], "totalCount": 1 })).cursor(), None);
        assert_eq!(first.previous_cursor(), None);
        let links = json!({ "previous": { "href": "/x?perPage=1&cursor=b" } });
        let last = page(json!({ "items": [1], "totalCount": 2, "_links": links }));
        assert_eq!((last.previous_cursor(), last.cursor()), (Some("b"), None));
        let request = Request::new(Method::GET, "/x").query("cursor", "a-b_");
        let mut walk = Walk::<u64>::new(&request);
        assert_eq!((asks(&walk, "cursor").as_deref(), asks(&walk, "page")), (Some("a-b_"), None));
        walk.take(page(json!({ "items": [1], "perPage": 1, "totalCount": 9 })));
        assert!(walk.ended);
    }
}
