//! The parity page names a test on every line. Here each of them is looked for, so that the page
//! cannot promise what nothing pins.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/reference/parity.md";
const MARKS: [&str; 4] = ["same", "addition", "differs", "unknown"];

/// Fails with every line of the page that has no mark or names no test, and every test that is
/// not there.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("no {PAGE}"))?;
    let mut wrong = Vec::new();
    let mut lines = 0;
    for (number, line) in (1..).zip(page.lines()).filter(|(_, line)| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if cells.iter().all(|cell| cell.chars().all(|c| "-|".contains(c)))
            || cells.last() == Some(&"Test")
        {
            continue;
        }
        lines += 1;
        if !cells.iter().any(|cell| MARKS.contains(cell)) {
            wrong.push(format!("line {number} has no mark: one of {}", MARKS.join(", ")));
        }
        let tests: Vec<(&str, &str)> = cells
            .last()
            .into_iter()
            .flat_map(|cell| cell.split('`'))
            .filter_map(|word| word.split_once("::"))
            .collect();
        if tests.is_empty() {
            wrong.push(format!("line {number} names no test"));
        }
        for (file, name) in tests {
            match find(root, file) {
                Some(path) if has_test(&path, name)? => {}
                Some(path) => {
                    wrong.push(format!("line {number}: no test `{name}` in {}", path.display()));
                }
                None => wrong.push(format!("line {number}: no file {file}")),
            }
        }
    }
    if lines == 0 {
        wrong.push("the page has no lines".into());
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{PAGE}:\n  {}", wrong.join("\n  ")) }
}

fn find(root: &Path, file: &str) -> Option<PathBuf> {
    ["", "tests/clients/python", "tests/clients/js"]
        .iter()
        .map(|directory| root.join(directory).join(file))
        .find(|path| path.is_file())
}

fn has_test(path: &Path, name: &str) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(path)?;
    Ok([format!("fn {name}("), format!("def {name}("), format!("test('{name}',")]
        .iter()
        .any(|head| text.contains(head)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_needs_a_mark_and_a_test_that_exists() {
        let root = tempfile::tempdir().unwrap();
        let check = |line: &str| {
            std::fs::create_dir_all(root.path().join("docs/reference")).unwrap();
            std::fs::write(root.path().join("t.rs"), "fn here() {}").unwrap();
            let page = format!("| What | Mark | Test |\n|---|---|---|\n{line}\n");
            std::fs::write(root.path().join(PAGE), page).unwrap();
            check(root.path()).map_err(|error| error.to_string())
        };
        assert_eq!(check("| a | same | `t.rs::here` |"), Ok(()));
        let wrong = |line: &str| check(line).unwrap_err();
        assert!(wrong("| a | alike | `t.rs::here` |").contains("line 3 has no mark"));
        assert!(wrong("| a | same | none |").contains("line 3 names no test"));
        assert!(wrong("| a | same | `t.rs::there` |").contains("no test `there`"));
        assert!(wrong("| a | same | `u.rs::here` |").contains("no file u.rs"));
        assert!(wrong("").contains("the page has no lines"));
    }
}
