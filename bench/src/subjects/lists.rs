//! Lists, at three sizes.

use super::reads::generator;
use crate::measure::Bench;
use crate::oha::{Load, Seen, To};
use crate::process::Running;
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, float, number};
use crate::target::{Copied, Floor, Seeded};
use anyhow::{Context as _, Result};
use guestlist_bench::http::{Connection, request};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

const FEW: u64 = 1000;
const SOME: u64 = 100_000;
/// URLs that one load has to choose from: many more than it has answers kept for.
const UNASKED: u64 = 30_000;

/// A list that is asked for, and what the rounds saw.
struct Asked {
    what: &'static str,
    /// Its query at this size; there may be none.
    query: Option<String>,
    seen: Vec<Seen>,
    /// How long it may take at the most users, in milliseconds, if that is said.
    bound: Option<Bound>,
}

/// What may be searched for as it is typed.
const TYPED: Bound = Bound::AtMost(50.0, 5.0);

/// A store of one size, and its lists.
struct Size {
    copied: Copied,
    server: Running,
    asked: Vec<Asked>,
}

impl Size {
    fn new(bench: &Bench, users: u64) -> Result<Self> {
        let copied = Seeded::with(bench, users)?.copy(bench)?;
        let server = copied.seeded.serve(bench)?;
        let mut size = Self { copied, server, asked: Vec::new() };
        size.asked = size.lists()?;
        Ok(size)
    }

    fn get(&self, query: &str) -> Result<Value> {
        let seeded = &self.copied.seeded;
        let path = format!("{}?{query}", seeded.users_path());
        let mut connection = Connection::open(self.server.address)?;
        connection.expect(200, &request("GET", &path, &seeded.token, ""))?.json()
    }

    fn lists(&self) -> Result<Vec<Asked>> {
        let users = self.copied.seeded.users;
        let middle = users / 200;
        let deep = format!("perPage=100&page={middle}");
        // What the page in the middle says of the next one, if it does.
        let links = self.get(&deep)?["_links"].take();
        let link = |name: &str| {
            let href = links[name]["href"].as_str()?;
            href.split_once('?').map(|(_, query)| query.to_owned())
        };
        let (next, previous) = (link("next"), link("previous"));
        let first = self.get("perPage=100&sortField=id")?;
        let groups = first["items"].as_array().into_iter().flatten();
        let mut groups = groups.filter_map(|user| user["experienceGroups"].as_array()).flatten();
        let site = groups.find(|group| !group["parentId"].is_null()).context("no group")?;
        let site = site["id"].as_str().context("a group without an id")?;
        // A number that few addresses have in them, and as many digits as there are.
        let digits = users.saturating_sub(1).to_string().len();
        let rare = &"742424242"[..digits.min(9)];
        let query = |query: &Value| format!("perPage=100&query={}", encoded(&query.to_string()));
        let badge = json!({ "userTags": { "badge": format!("B{:07}", users / 20 * 10) } });
        let plan = json!({ "userTags": { "plan": "enterprise" } });
        let list = |what, query| Asked { what, query: Some(query), seen: Vec::new(), bound: None };
        let typed = |what, query| Asked { bound: Some(TYPED), ..list(what, query) };
        let any = ["email", "firstName", "lastName"];
        let any = any.map(|field| json!({ field: { "$contains": "smit", "$ci": true } }));
        Ok(vec![
            list("first page of 100, with `totalCount`", "perPage=100".into()),
            list("the page in the middle (5,000 of 1,000,000), by number", deep),
            Asked { query: next, ..list("the page after it, by cursor", String::new()) },
            list("by `firstName`", "perPage=100&sortField=firstName".into()),
            list("by `lastName`", "perPage=100&sortField=lastName".into()),
            list("by `email`, descending", "perPage=100&sortField=email&sortDirection=desc".into()),
            list("by `id`", "perPage=100&sortField=id".into()),
            list("by `creationDate`", "perPage=100&sortField=creationDate".into()),
            list(
                "by `lastLogin`, descending",
                "perPage=100&sortField=lastLogin&sortDirection=desc".into(),
            ),
            list("by `lastUpdated`", "perPage=100&sortField=lastUpdated".into()),
            typed(
                "`*foo*` in the address, of one",
                format!("perPage=100&filterField=email&filter=*{rare}*"),
            ),
            typed(
                "`*foo*` in the address, of one in a hundred",
                "perPage=100&filterField=email&filter=*.smith.*".into(),
            ),
            typed(
                "`*foo*` in the last name, of one in a hundred",
                "perPage=100&filterField=lastName&filter=*mit*".into(),
            ),
            typed(
                "`*foo*` in the first name, of one in sixty",
                "perPage=100&filterField=firstName&filter=*riya*".into(),
            ),
            typed(
                "`search` for a part that one in a hundred have",
                "perPage=100&search=smit".into(),
            ),
            typed(
                "the same, by `lastName`",
                "perPage=100&search=smit&sortField=lastName&sortDirection=desc".into(),
            ),
            typed("`search` for two parts, of one in 6,000", "perPage=100&search=riya+smit".into()),
            list(
                "`$or` of `$contains` of the three, of one in a hundred",
                query(&json!({ "$or": any })),
            ),
            list("`search` for a part that all have", "perPage=100&search=example".into()),
            list("`search` for two characters", "perPage=100&search=zq".into()),
            list("a tag that one has, by `query`", query(&badge)),
            list("a tag that one in fifty has, by `query`", query(&plan)),
            list("members of a group", format!("perPage=100&experienceGroupId={site}")),
            Asked {
                query: previous,
                ..list("the page before the one in the middle, by cursor", String::new())
            },
        ])
    }

    /// Asks for each list for a while, over one connection.
    fn take(&mut self, bench: &Bench) -> Result<()> {
        let seeded = &self.copied.seeded;
        for asked in &mut self.asked {
            let Some(query) = &asked.query else { continue };
            let url = format!("http://{}{}?{query}", self.server.address, seeded.users_path());
            let urls = To::Any(unasked(bench, &url)?);
            let mut load = Load::get(urls, &seeded.token, 1, bench.seconds / 4.0);
            // The last one is waited for, as one may take longer than a turn.
            load.wait = true;
            asked.seen.push(bench.load(&load)?);
        }
        Ok(())
    }
}

/// A file of URLs for what `url` is for, none of which was asked for before: the server keeps the
/// answers to those that were. What tells them apart is a parameter that nobody reads.
fn unasked(bench: &Bench, url: &str) -> Result<PathBuf> {
    let run = bench.next_run();
    let urls: Vec<String> = (0..UNASKED).map(|number| format!("{url}&n={run}.{number}")).collect();
    let file = bench.place.join("unasked.txt");
    fs::write(&file, urls.join("\n"))?;
    Ok(file)
}

/// `text` as it stands in a URL.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

pub(super) fn list(bench: &Bench) -> Result<Page> {
    let mut page = Page::new(
        "list",
        "Lists",
        "Lists of the users of one application, 100 a page, at three sizes: how long one client waits \
         for each, and how that compares with an application of 1,000 users. Every page says how many \
         users there are in all, and every request is one that was not made before, so that no answer \
         had been kept. Below that the first page over 64 connections, beside a bare axum handler that \
         answers with the same bytes: asked for again and again, and never asked for before.",
    );
    let mut sizes = [FEW, SOME, bench.users]
        .into_iter()
        .map(|users| Size::new(bench, users))
        .collect::<Result<Vec<_>>>()?;
    for _ in 0..bench.rounds {
        sizes.iter_mut().try_for_each(|size| size.take(bench))?;
    }
    page.tables.push(table(&sizes));
    let [few, .., most] = sizes.as_slice() else { return Ok(page) };
    for (place, what, bound) in [
        (0, "first page at the most users against 1,000, p50", Bound::AtMost(2.0, 1.2)),
        (2, "cursor page at the most users against 1,000, p50", Bound::AtMost(2.0, 1.2)),
    ] {
        let (ours, base) = (&most.asked[place].seen, &few.asked[place].seen);
        if ours.is_empty() {
            page.notes.push("This version has no cursors.".into());
            continue;
        }
        page.goal(Goal {
            what: what.into(),
            ours: format!("{} ms", number(p50(ours).median)),
            base: format!("{} ms", number(p50(base).median)),
            figure: Spread::of(ours.iter().zip(base).map(|(ours, base)| ours.p50 / base.p50)),
            unit: "",
            bound,
        });
    }
    for asked in &most.asked {
        let Some(bound) = asked.bound else { continue };
        page.goal(Goal {
            what: format!("{}, at the most users, p50", asked.what),
            ours: format!("{} ms", number(p50(&asked.seen).median)),
            base: String::new(),
            figure: p50(&asked.seen),
            unit: " ms",
            bound,
        });
    }
    first_page(bench, &mut page, most)?;
    sizes.into_iter().try_for_each(|size| size.server.stop())?;
    Ok(page)
}

fn p50(seen: &[Seen]) -> Spread {
    Spread::of(seen.iter().map(|seen| seen.p50))
}

fn table(sizes: &[Size]) -> String {
    let mut text = String::from("| List |");
    for size in sizes {
        let users = number(float(size.copied.seeded.users));
        text += &format!(" {users} users: p50, ms | p99, ms | ratio |");
    }
    text += "\n|---|";
    text += &"---|".repeat(sizes.len() * 3);
    text.push('\n');
    for place in 0..sizes[0].asked.len() {
        text += &format!("| {} |", sizes[0].asked[place].what);
        for size in sizes {
            let (seen, base) = (&size.asked[place].seen, &sizes[0].asked[place].seen);
            if seen.is_empty() {
                text += " | | |";
                continue;
            }
            let ratio = Spread::of(seen.iter().zip(base).map(|(seen, base)| seen.p50 / base.p50));
            let p99 = Spread::of(seen.iter().map(|seen| seen.p99));
            text += &format!(" {} | {p99} | {} |", p50(seen), number(ratio.median));
        }
        text.push('\n');
    }
    println!("{text}");
    text
}

/// The first page, as often as can be, beside the floor.
fn first_page(bench: &Bench, page: &mut Page, size: &Size) -> Result<()> {
    let seeded = &size.copied.seeded;
    let floor = Floor::of(bench, seeded, &size.server)?.running;
    let url = |at: &Running| format!("http://{}{}?perPage=100", at.address, seeded.users_path());
    let load = |at: &Running| Load::get(To::One(url(at)), &seeded.token, 64, bench.seconds);
    let (mut ours, mut base, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ours_took, mut base_took, mut fresh_took) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let (seen, took) = floor.watch(None, || bench.load(&load(&floor)))?;
        base.push(seen);
        base_took.push(took);
        let (seen, took) = size.server.watch(None, || bench.load(&load(&size.server)))?;
        ours.push(seen);
        ours_took.push(took);
        let urls = To::Any(unasked(bench, &url(&size.server))?);
        let unkept = Load::get(urls, &seeded.token, 64, bench.seconds);
        let (seen, took) = size.server.watch(None, || bench.load(&unkept))?;
        fresh.push(seen);
        fresh_took.push(took);
    }
    page.series("floor, the same bytes", &base, &base_took);
    page.series("first page of 100, again", &ours, &ours_took);
    page.series("first page of 100, not asked for before", &fresh, &fresh_took);
    let rate = |seen: &[Seen]| number(Spread::of(seen.iter().map(|seen| seen.rate)).median);
    for (what, ours) in [("again", &ours), ("not asked for before", &fresh)] {
        page.goal(Goal {
            what: format!("list, the first page of 100 at the most users, {what}"),
            ours: format!("{}/s", rate(ours)),
            base: format!("floor {}/s", rate(&base)),
            figure: Spread::of(ours.iter().zip(&base).map(|(ours, base)| ours.rate / base.rate)),
            unit: "",
            bound: Bound::AtLeast(0.25, 0.5),
        });
    }
    let busy = Spread::of(base_took.iter().map(|took| took.cores));
    page.notes.push(generator(busy, bench.split.cores));
    Ok(())
}
