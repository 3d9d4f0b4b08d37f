//! The package for Debian and what descends from it. `dpkg-deb`, which is on every such machine, packs a tree
//! that is put together here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::Release;
use super::tree::{self, Tree};
use crate::clients::succeed;
use crate::tools;

/// How it is packed.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    /// As small as it gets.
    Small,
    /// As fast as it gets: for one that is only installed once, in a test.
    Fast,
}

/// Where the files of the repository go that are installed as they are.
const FILES: &[(&str, &str)] = &[
    ("ops/systemd/guestlist.service", "usr/lib/systemd/system/guestlist.service"),
    ("ops/systemd/guestlist.sysusers", "usr/lib/sysusers.d/guestlist.conf"),
    ("ops/systemd/guestlist.tmpfiles", "usr/lib/tmpfiles.d/guestlist.conf"),
    ("ops/guestlist.toml", "etc/guestlist/guestlist.toml"),
    ("LICENSE", "usr/share/doc/guestlist/copyright"),
    ("LICENSE-APACHE", "usr/share/doc/guestlist/LICENSE-APACHE"),
    ("LICENSE-MIT", "usr/share/doc/guestlist/LICENSE-MIT"),
    ("CHANGELOG.md", "usr/share/doc/guestlist/changelog"),
];

/// The same of whole directories.
const DIRECTORIES: &[(&str, &str)] = &[
    ("docs/operate", "usr/share/doc/guestlist/operate"),
    ("docs/reference", "usr/share/doc/guestlist/reference"),
    ("ops/grafana", "usr/share/guestlist/grafana"),
    ("ops/prometheus", "usr/share/guestlist/prometheus"),
    ("ops/proxy", "usr/share/guestlist/proxy"),
];

/// Where each shell looks for what completes a command.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/guestlist"),
    ("zsh", "usr/share/zsh/vendor-completions/_guestlist"),
    ("fish", "usr/share/fish/vendor_completions.d/guestlist.fish"),
];

const SCRIPTS: &[&str] = &["postinst", "prerm", "postrm"];

/// Makes the package in `directory`, and says where it is.
pub(crate) fn make(
    release: &Release<'_>,
    directory: &Path,
    packing: Packing,
) -> anyhow::Result<PathBuf> {
    let architecture = tools::output(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let name = format!("guestlist_{}_{architecture}", release.version);
    let tree = Tree::new(directory.join("tree"))?;
    installed(release, &tree)?;
    let control = control(release, architecture, tree.blocks()?)?;
    tree.put("DEBIAN/control", 0o644, control)?;
    let ops = release.project.root.join("ops/debian");
    tree.copy(&ops.join("conffiles"), "DEBIAN/conffiles", 0o644)?;
    for script in SCRIPTS {
        tree.copy(&ops.join(script), &format!("DEBIAN/{script}"), 0o755)?;
    }
    let package = directory.join(format!("{name}.deb"));
    let mut pack = Command::new("dpkg-deb");
    pack.args(match packing {
        Packing::Small => ["-Zxz", "--threads-max=1"].as_slice(),
        Packing::Fast => &["-Znone"],
    });
    pack.args(["--root-owner-group", "--build"]).arg(tree.root()).arg(&package);
    // It sorts, and has nothing later than this.
    succeed(pack.env("SOURCE_DATE_EPOCH", release.epoch.to_string()))?;
    fs::remove_dir_all(tree.root())?;
    Ok(package)
}

/// Puts what is installed into `tree`.
pub(crate) fn installed(release: &Release<'_>, tree: &Tree) -> anyhow::Result<()> {
    let root = &release.project.root;
    tree.copy(&release.binary, "usr/bin/guestlist", 0o755)?;
    for (from, to) in FILES {
        tree.copy(&root.join(from), to, 0o644)?;
    }
    tree::gzip(&tree.root().join("usr/share/doc/guestlist/changelog"))?;
    for (from, to) in DIRECTORIES {
        tree.copy_all(&root.join(from), to)?;
    }
    for (shell, to) in COMPLETIONS {
        let script = Command::new(&release.binary).args(["completions", shell]).output()?;
        ensure!(script.status.success(), "there are no completions for {shell}");
        tree.put(to, 0o644, script.stdout)?;
    }
    manual(release, tree)
}

/// Puts the pages of the manual into `tree`, packed.
fn manual(release: &Release<'_>, tree: &Tree) -> anyhow::Result<()> {
    let pages = "usr/share/man/man1";
    let directory = tree.directory(pages)?;
    succeed(Command::new(&release.binary).arg("manual").arg(&directory))?;
    for page in fs::read_dir(&directory)?.collect::<Result<Vec<_>, _>>()? {
        let path = format!("{pages}/{}", page.file_name().to_string_lossy());
        // Whatever mode new files have here.
        tree.copy(&page.path(), &path, 0o644)?;
        tree::gzip(&page.path())?;
    }
    Ok(())
}

fn control(release: &Release<'_>, architecture: &str, blocks: u64) -> anyhow::Result<String> {
    let mut grep = Command::new("grep");
    grep.args(["--text", "--only-matching", "--extended-regexp", r"GLIBC_2\.[0-9]+"]);
    let symbols = tools::output(grep.arg(&release.binary).env("LC_ALL", "C"))?;
    let libc = newest_libc(&symbols).context("the program asks for no version of libc")?;
    Ok(format!(
        "Package: guestlist\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The Guestlist contributors\n\
         Installed-Size: {blocks}\n\
         Depends: libc6 (>= 2.{libc}), libgcc-s1, \
         systemd | systemd-standalone-sysusers | systemd-sysusers, \
         systemd | systemd-standalone-tmpfiles | systemd-tmpfiles\n\
         Suggests: age, ca-certificates\n\
         Section: net\n\
         Priority: optional\n\
         Description: directory and sign-in service for the end users of applications\n \
         It keeps who they are, which groups they are in, and who may change that, in one file\n \
         or in PostgreSQL, and speaks the Losant REST API for experience users.\n",
        version = release.version,
    ))
}

/// The minor version of the newest symbols of the C library among those that a program asks for, each in a
/// line: 34 for `GLIBC_2.34`.
fn newest_libc(symbols: &str) -> Option<u32> {
    symbols.lines().filter_map(|line| line.strip_prefix("GLIBC_2.")?.parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_symbol_says_which_library_is_needed() {
        assert_eq!(newest_libc("GLIBC_2.2\nGLIBC_2.34\nGLIBC_2.17\n"), Some(34));
        assert_eq!(newest_libc(""), None);
    }
}
