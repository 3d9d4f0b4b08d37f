//! The libraries that a program is linked with: what has to be in a root that has nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::tree::Tree;
use crate::tools;

/// What libc6 and libgcc-s1 have, on which the package for Debian depends.
const PACKAGED: &[&str] = &["ld-linux", "libc.so", "libm.so", "libgcc_s.so"];

/// The paths at which the loader finds them on this machine, itself among them.
pub(crate) fn of(binary: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let printed = tools::output(Command::new("ldd").arg(binary))?;
    let found: Vec<PathBuf> = named(&printed).into_iter().map(PathBuf::from).collect();
    ensure!(!printed.contains("not found") && !found.is_empty(), "ldd printed:\n{printed}");
    for library in &found {
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        let known = PACKAGED.iter().any(|known| name.starts_with(known));
        ensure!(known, "no package that ours depends on has {name}");
    }
    Ok(found)
}

/// Copies them into `tree`, where the loader finds them there.
pub(crate) fn copy(binary: &Path, tree: &Tree) -> anyhow::Result<()> {
    of(binary)?.iter().try_for_each(|library| {
        let path = library.strip_prefix("/")?.to_string_lossy();
        tree.copy(library, &path, 0o755)
    })
}

/// The paths in what ldd prints, of which each line has one or none.
fn named(printed: &str) -> Vec<&str> {
    printed
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_is_one_of_them_and_the_kernels_is_none() {
        let printed = "\tlinux-vdso.so.1 (0x00007f86d8fff000)
            \tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f86d7900000)
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f86d9001000)\n";
        let found = named(printed);
        assert_eq!(found, ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    }
}
