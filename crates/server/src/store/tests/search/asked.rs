//! Lists that are asked for, and held to what a plain reading of all users finds.

use super::*;

pub(super) fn glob() -> impl Strategy<Value = String> {
    let wild = select(&["*", "?", "", "**", "*?"][..]);
    let pieces = prop::collection::vec((wild, select(&WORDS[..])), 0..4);
    let any = (pieces, select(&["*", "?", "", "@example.com"][..])).prop_map(|(pieces, end)| {
        let text: String = pieces.iter().flat_map(|(wild, word)| [*wild, *word]).collect();
        text + end
    });
    // Most of what is made like that matches nobody.
    prop_oneof![any, select(&WORDS[..]).prop_map(|word| format!("*{word}*"))]
}

/// What somebody might type: words of which some are in nobody's texts and some too short to be looked
/// up.
pub(super) fn typed() -> impl Strategy<Value = String> {
    let word = select(&WORDS[..]).prop_map(|word| word.split_whitespace().collect::<String>());
    let half = word.clone().prop_map(|word| word.chars().skip(1).take(3).collect());
    let both = (word.clone(), word.clone()).prop_map(|(one, other)| one + &other);
    let piece = prop_oneof![4 => word, 2 => half, 1 => both, 1 => Just("@exam".to_owned())];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.join(" "))
}

/// Whether `text` as a whole matches `glob`, character by character.
fn matches(glob: &[char], text: &[char]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|skip| matches(rest, &text[skip..])),
        Some((one, rest)) => text
            .split_first()
            .is_some_and(|(first, others)| (*one == '?' || one == first) && matches(rest, others)),
    }
}

pub(super) const ALL: Listing = Listing {
    query: None,
    filter: None,
    membership: None,
    search: None,
    ancestors: false,
    sort: ExperienceUserSort::Id,
    paging: Paging { start: Start::Page(0), per_page: 1000, direction: SortDirection::Asc },
};

pub(super) fn listed(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    listing: &Listing,
) -> Result<Vec<ExperienceUserId>> {
    let found = user_listing::list(tx, tenant, listing)?;
    if found.items.len() as u64 != found.total {
        return Err(Error::internal(format!("{} of {}", found.total, found.items.len())));
    }
    let mut ids: Vec<_> = found.items.iter().map(|user| user.id).collect();
    // And page by page.
    for direction in [SortDirection::Asc, SortDirection::Desc] {
        let paging = Paging { per_page: 3, direction, ..listing.paging.clone() };
        let mut walked = Vec::new();
        let page = |tx: &mut Tx<'_>, start: Start| {
            let paging = Paging { start, ..paging.clone() };
            user_listing::list(tx, tenant, &Listing { paging, ..listing.clone() })
        };
        let mut start = Start::Page(0);
        loop {
            let page = page(tx, start)?;
            walked.extend(page.items.iter().map(|user| user.id));
            let Some(next) = page.next else { break };
            start = next;
        }
        // And back again.
        let (mut back, mut start) = (Vec::new(), Start::End);
        loop {
            let page = page(tx, start)?;
            if page.total != found.total {
                return Err(Error::internal(format!("{} of {}", page.total, found.total)));
            }
            back.extend(page.items.iter().rev().map(|user| user.id));
            let Some(previous) = page.previous else { break };
            start = previous;
        }
        back.reverse();
        if back != walked {
            return Err(Error::internal(format!("{back:?}, not {walked:?}")));
        }
        if direction == SortDirection::Desc {
            walked.reverse();
        }
        if walked != ids {
            return Err(Error::internal(format!("{walked:?}, not {ids:?}")));
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Every list that `glob` and its words ask for is as it should be.
pub(super) fn ask(tx: &mut Tx<'_>, number: u8, glob: &str, sort: ExperienceUserSort) -> Result<()> {
    let tenant = enter(tx, number)?;
    let everybody = user_listing::list(tx, tenant, &ALL)?.items;
    let wanted = |holds: &dyn Fn(&ExperienceUser) -> bool| -> Vec<ExperienceUserId> {
        everybody.iter().filter(|user| holds(user)).map(|user| user.id).collect()
    };
    for (field, wire_name) in [
        (ExperienceUserFilter::Email, "email"),
        (ExperienceUserFilter::FirstName, "firstName"),
        (ExperienceUserFilter::LastName, "lastName"),
    ] {
        let text = |user: &ExperienceUser| match field {
            ExperienceUserFilter::Email => Some(user.email.clone()),
            ExperienceUserFilter::FirstName => user.first_name.clone(),
            ExperienceUserFilter::LastName => user.last_name.clone(),
        };
        let listing = Listing { filter: Some((field, glob.to_owned())), sort, ..ALL };
        let pattern = folded(glob);
        let right =
            wanted(&|user| text(user).is_some_and(|text| matches(&pattern, &folded(&text))));
        let found = listed(tx, tenant, &listing)?;
        if found != right {
            return Err(Error::internal(format!("{field:?} {glob:?}: {found:?}, not {right:?}")));
        }
        let part = glob.replace(['*', '?'], "");
        if part.is_empty() {
            continue;
        }
        for operator in ["$contains", "$endsWith", "$startsWith"] {
            for any_case in [false, true] {
                let asked = json!({ wire_name: { operator: part, "$ci": any_case } });
                let query: UserQuery = wire::read("query", json!({ "$and": [asked] })).unwrap();
                let fold = |text: &str| if any_case { key(text) } else { text.to_owned() };
                let right = wanted(&|user| {
                    text(user).is_some_and(|text| match operator {
                        "$contains" => fold(&text).contains(&fold(&part)),
                        "$endsWith" => fold(&text).ends_with(&fold(&part)),
                        _ => fold(&text).starts_with(&fold(&part)),
                    })
                });
                let found = listed(tx, tenant, &Listing { query: Some(query), sort, ..ALL })?;
                if found != right {
                    let what = format!("{wire_name} {operator} {part:?} {any_case}");
                    return Err(Error::internal(format!("{what}: {found:?}, not {right:?}")));
                }
            }
        }
    }
    Ok(())
}

/// Every list that the words of `typed` ask for is as it should be: by themselves, beside a filter,
/// and as what they are in a query.
pub(super) fn ask_search(
    tx: &mut Tx<'_>,
    number: u8,
    typed: &str,
    glob: &str,
    sort: ExperienceUserSort,
) -> Result<()> {
    let tenant = enter(tx, number)?;
    let everybody = user_listing::list(tx, tenant, &ALL)?.items;
    let words: Vec<String> = typed.split_whitespace().map(key).collect();
    let has = |user: &ExperienceUser, word: &str| {
        let texts = [Some(&user.email), user.first_name.as_ref(), user.last_name.as_ref()];
        texts.into_iter().flatten().any(|text| key(text).contains(word))
    };
    let wanted = |more: &dyn Fn(&ExperienceUser) -> bool| -> Vec<ExperienceUserId> {
        let holds = |user: &&ExperienceUser| words.iter().all(|word| has(user, word)) && more(user);
        everybody.iter().filter(holds).map(|user| user.id).collect()
    };
    let search: Search = wire::read("search", typed.into()).unwrap();
    let filter = Some((ExperienceUserFilter::Email, glob.to_owned()));
    let start = json!({ "email": { "$startsWith": "1", "$ci": true } });
    let start: UserQuery = wire::read("query", start).unwrap();
    let contains =
        |field: &str, word: &String| json!({ field: { "$contains": word, "$ci": true } });
    let any = |word| {
        let all = ["email", "firstName", "lastName"].map(|field| contains(field, word));
        json!({ "$or": all })
    };
    let same = json!({ "$and": words.iter().map(any).collect::<Vec<_>>() });
    let same: UserQuery = wire::read("query", same).unwrap();
    let pattern = folded(glob);
    let matching = wanted(&|user| matches(&pattern, &folded(&user.email)));
    let starting = wanted(&|user| user.email.starts_with('1'));
    let listing = Listing { search: Some(search), sort, ..ALL };
    for (listing, right) in [
        (listing.clone(), wanted(&|_| true)),
        (Listing { filter, ..listing.clone() }, matching),
        (Listing { query: Some(start), ..listing.clone() }, starting),
        (Listing { search: None, query: Some(same), ..listing }, wanted(&|_| true)),
    ] {
        let found = listed(tx, tenant, &listing)?;
        if found != right {
            return Err(Error::internal(format!("{listing:?}: {found:?}, not {right:?}")));
        }
    }
    Ok(())
}

pub(super) fn ask_filter(tx: &mut Tx<'_>, glob: &str) -> Result<()> {
    let tenant = enter(tx, 0)?;
    let filter = Some((ExperienceUserFilter::Email, glob.to_owned()));
    let found = listed(tx, tenant, &Listing { filter, ..ALL })?;
    let right: usize = if glob == "*ab?d*" { 20 } else { 0 };
    let value: Value = json!(found.len());
    if value == json!(right) { Ok(()) } else { Err(Error::internal(format!("{glob}: {value}"))) }
}
