//! `guestlist group list --tree`: each group below the one that it is in.

use super::super::output::{line, visible};
use super::resource::{Kind, Listing};
use super::session::Session;
use super::show::text;
use anyhow::{Result, anyhow};
use guestlist_client::{Items, Request};
use serde_json::Value;

/// The switch that leaves the ids of members out, which may be most of an answer.
pub(super) const EXCLUDE_MEMBERS: &str = "excludeMembers";

const SCOPE: &str = "experienceGroups.get";

/// How many groups of a level are asked for at a time: a page of each level is held.
const PER_PAGE: u64 = 100;

/// The deepest a group may be. A walk gets deeper only where groups are moved meanwhile.
const MAX_DEPTH: usize = 100;

/// The groups in one group: what is left of them, and the next.
struct Level {
    items: Items<Value>,
    next: Option<Value>,
}

impl Level {
    async fn begin(session: &Session, request: &Request) -> Result<Self> {
        let mut level = Self { items: session.authorized()?.items(request), next: None };
        level.step(session).await?;
        Ok(level)
    }

    /// The next group, once it is known whether there is one after it.
    async fn step(&mut self, session: &Session) -> Result<Option<Value>> {
        let next = self.items.next().await.transpose();
        let next = next.map_err(|error| session.failed(&error, SCOPE))?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

/// Prints the groups below `parent`, each with how many are in it: a tree for people, for programs
/// an object a line, in the order of the tree.
pub(super) async fn print(
    session: &Session,
    kind: &Kind,
    all: &str,
    listing: &Listing,
    parent: Option<&str>,
) -> Result<()> {
    let children = |parent: &str| -> Result<Request> {
        let request = listing.request(all, kind, "name", Some(PER_PAGE))?;
        Ok(request.query(EXCLUDE_MEMBERS, "true").query("parentId", parent))
    };
    let first = children(parent.unwrap_or("none"))?;
    if session.curl {
        return session.send(&first, SCOPE).await.map(drop);
    }
    let mut levels = vec![Level::begin(session, &first).await?];
    while let Some(level) = levels.last_mut() {
        let Some(group) = level.step(session).await? else {
            levels.pop();
            continue;
        };
        let has_children = group["hasChildren"].as_bool().ok_or_else(|| {
            // It would list all groups again for each of them.
            anyhow!("this server does not list groups by the group that they are in")
        })?;
        if session.out.json {
            line(&group.to_string())?;
        } else {
            line(&drawn(&levels, &group))?;
        }
        if has_children {
            if levels.len() == MAX_DEPTH {
                return Err(anyhow!("groups were moved while they were listed: try again"));
            }
            levels.push(Level::begin(session, &children(&text(&group, "id"))?).await?);
        }
    }
    Ok(())
}

/// A group on its line, below those on the way to it.
fn drawn(levels: &[Level], group: &Value) -> String {
    let more: Vec<bool> = levels.iter().map(|level| level.next.is_some()).collect();
    let users = match group["directUserCount"].as_u64() {
        Some(1) => "1 user".to_owned(),
        count => format!("{} users", count.unwrap_or_default()),
    };
    let (name, id) = (visible(&text(group, "name")), visible(&text(group, "id")));
    format!("{}{name} ({users})  {id}", branches(&more))
}

/// What leads to a group from the left: of each level whether more groups come after.
fn branches(more: &[bool]) -> String {
    let Some((own, above)) = more.get(1..).and_then(|below| below.split_last()) else {
        return String::new();
    };
    let above = above.iter().map(|more| if *more { "│   " } else { "    " });
    above.chain([if *own { "├── " } else { "└── " }]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_goes_on_where_more_groups_come() {
        for (more, drawn) in [
            (&[true][..], ""),
            (&[false], ""),
            (&[true, true], "├── "),
            (&[false, false], "└── "),
            (&[true, true, false], "│   └── "),
            (&[true, false, true], "    ├── "),
        ] {
            assert_eq!(branches(more), drawn, "{more:?}");
        }
    }
}
