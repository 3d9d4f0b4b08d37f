//! Lists the migrations: what is in `migrations/`, in the order of its numbers, which are the
//! versions that they lead to.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// The texts of a migration: what follows the name of its file.
const TEXTS: [(&str, &str); 3] = [("both", ""), ("sqlite", ".sqlite"), ("postgres", ".postgres")];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=migrations");
    let directory = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("migrations");
    let mut versions: BTreeMap<usize, BTreeMap<&str, String>> = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let number = stem.split('_').next().unwrap_or_default();
        let version = number.parse().map_err(|_| format!("{stem}: no number and name"))?;
        let engine = stem.find('.').map_or("", |dot| &stem[dot..]);
        let (text, _) = TEXTS
            .into_iter()
            .find(|(_, end)| *end == engine)
            .ok_or_else(|| format!("{stem}: there is no engine {engine:?}"))?;
        if versions.entry(version).or_default().insert(text, stem.clone()).is_some() {
            return Err(format!("{stem}: the number {number} is taken").into());
        }
    }
    let mut list = String::from("&[");
    for (expected, (version, texts)) in (1..).zip(&versions) {
        if *version != expected {
            return Err(format!("there is no migration {expected}, but {version}").into());
        }
        list.push_str("\nMigration {");
        for (text, _) in TEXTS {
            match texts.get(text) {
                Some(stem) => write!(
                    list,
                    " {text}: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/migrations/{stem}.sql\")),"
                )?,
                None => write!(list, " {text}: \"\",")?,
            }
        }
        list.push_str(" },");
    }
    list.push_str("\n]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), list)?;
    Ok(())
}
