//! What is in the program, as `CycloneDX` 1.5 has it: the crates that are linked into it, each with its version,
//! licence and checksum, and which uses which. No tool is installed for it: cargo says all of this.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};

use super::Release;
use crate::steps::cargo;
use crate::tools;

/// The document.
pub(crate) fn of(release: &Release<'_>) -> anyhow::Result<String> {
    let root = &release.project.root;
    let inside = |command: &mut Command| tools::output(command.current_dir(root));
    let tree = inside(&mut cargo(&[
        "tree",
        "--locked",
        "--package",
        "guestlist",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let metadata = inside(&mut cargo(&["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let document = document(release, &linked(&tree), &metadata, &checksums(&lock))?;
    Ok(format!("{document:#}\n"))
}

/// A name and a version.
type Crate = (String, String);

/// The crates in what `cargo tree` prints, `NAME vVERSION ...` in each line.
fn linked(tree: &str) -> BTreeSet<Crate> {
    let crates = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    });
    crates.collect()
}

/// The checksum of each crate from a registry.
fn checksums(lock: &str) -> BTreeMap<Crate, String> {
    let crates = lock.split("[[package]]").filter_map(|block| {
        let field = |name: &str| {
            let line =
                block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
            line.map(|rest| rest.trim_end_matches('"').to_owned())
        };
        Some(((field("name")?, field("version")?), field("checksum")?))
    });
    crates.collect()
}

fn document(
    release: &Release<'_>,
    linked: &BTreeSet<Crate>,
    metadata: &Value,
    checksums: &BTreeMap<Crate, String>,
) -> anyhow::Result<Value> {
    let all = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let mut named = BTreeMap::new();
    let mut components = Vec::new();
    let mut program = None;
    for package in all {
        let text = |field: &str| package[field].as_str().unwrap_or_default();
        let key = (text("name").to_owned(), text("version").to_owned());
        if !linked.contains(&key) {
            continue;
        }
        let url = format!("pkg:cargo/{}@{}", key.0, key.1);
        named.insert(text("id"), url.clone());
        let component = component(&key, &url, text("license"), checksums.get(&key));
        if key.0 == "guestlist" {
            program = Some(component);
        } else {
            components.push(component);
        }
    }
    ensure!(components.len() + 1 == linked.len(), "cargo tree and cargo metadata disagree");
    let program = program.context("the program is not among its crates")?;
    let nodes = metadata["resolve"]["nodes"].as_array().context("cargo metadata has no graph")?;
    let graph = nodes.iter().filter_map(|node| {
        let url = named.get(node["id"].as_str()?)?;
        let ids: BTreeSet<_> = node["deps"].as_array()?.iter().filter_map(used).collect();
        let depends: Vec<_> = ids.iter().filter_map(|id| named.get(id)).collect();
        Some(json!({ "ref": url, "dependsOn": depends }))
    });
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": super::date(release.epoch)?,
            "component": program,
            "properties": [{ "name": "guestlist:commit", "value": release.commit }],
        },
        "components": components,
        "dependencies": graph.collect::<Vec<_>>(),
    }))
}

/// Whom a row of the graph uses at run time.
fn used(dependency: &Value) -> Option<&str> {
    let kinds = dependency["dep_kinds"].as_array()?;
    let normal = kinds.iter().any(|kind| kind["kind"].is_null());
    if normal { dependency["pkg"].as_str() } else { None }
}

fn component(
    (name, version): &Crate,
    url: &str,
    licence: &str,
    checksum: Option<&String>,
) -> Value {
    let mut component = Map::new();
    let kind = if name == "guestlist" { "application" } else { "library" };
    component.insert("type".into(), kind.into());
    component.insert("bom-ref".into(), url.into());
    component.insert("name".into(), name.as_str().into());
    component.insert("version".into(), version.as_str().into());
    // Old manifests have a slash for it.
    let licence = licence.replace('/', " OR ");
    component.insert("licenses".into(), json!([{ "expression": licence }]));
    if let Some(checksum) = checksum {
        component.insert("purl".into(), url.into());
        component.insert("hashes".into(), json!([{ "alg": "SHA-256", "content": checksum }]));
    }
    component.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_and_checksums_are_read() {
        let tree = "guestlist v0.1.0 (/a)\nanyhow v1.0.1\nserde_derive v1.0.2 (proc-macro) (*)\n";
        let of = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert!(linked(tree).contains(&of("serde_derive", "1.0.2")));
        assert_eq!(linked(tree).len(), 3);
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.1\"\nchecksum = \"ab\"\n
            [[package]]\nname = \"b\"\nversion = \"1.0.2\"\n";
        assert_eq!(checksums(lock), BTreeMap::from([(of("a", "1.0.1"), "ab".to_owned())]));
    }
}
