//! What is handed to those who run a server: a package for Debian, an archive, an image for containers, the
//! list of what is in the program, and checksums. All of it is the same each time one commit is built.

mod deb;
mod image;
mod libraries;
mod operator;
mod root;
mod sbom;
mod tree;
mod unit;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::clients::{self, succeed};
use crate::steps::{Steps, cargo};
use crate::{Project, python, tools};
use deb::Packing;
use tree::Tree;

const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What everything is made of.
struct Release<'a> {
    project: &'a Project,
    binary: PathBuf,
    version: String,
    commit: String,
    /// Seconds since 1970: the time of everything in it, which is that of the commit.
    epoch: u64,
}

impl<'a> Release<'a> {
    fn of(project: &'a Project, binary: PathBuf) -> anyhow::Result<Self> {
        let git = |arguments: &[&str]| {
            let said =
                tools::output(Command::new("git").args(arguments).current_dir(&project.root))?;
            anyhow::Ok(said.trim().to_owned())
        };
        let epoch = match std::env::var(EPOCH) {
            Ok(epoch) => epoch,
            Err(_) => git(&["log", "-1", "--format=%ct"])?,
        };
        let epoch = epoch.parse().with_context(|| format!("{EPOCH} is `{epoch}`"))?;
        let commit = git(&["rev-parse", "HEAD"])?;
        let said = tools::output(Command::new(&binary).arg("--version"))?;
        let version = said.split_whitespace().nth(1).context("the program has no version")?;
        Ok(Self { project, version: version.to_owned(), binary, commit, epoch })
    }
}

/// A moment, as RFC 3339 has it.
fn date(epoch: u64) -> anyhow::Result<String> {
    let date = format!("--date=@{epoch}");
    let printed = tools::output(Command::new("date").args(["--utc", &date, "+%FT%TZ"]))?;
    Ok(printed.trim().to_owned())
}

/// Makes sure of what packages are made and tried with.
pub(crate) fn prerequisites() -> anyhow::Result<()> {
    let programs = [
        ("dpkg-deb", "dpkg"),
        ("systemd-analyze", "systemd"),
        ("openssl", "openssl"),
        ("git", "git"),
    ];
    let missing = programs.into_iter().filter(|(program, _)| {
        let version = if *program == "openssl" { "version" } else { "--version" };
        !tools::works(program, &[version])
    });
    let mut missing: Vec<_> = missing.map(|(_, package)| package).collect();
    missing.extend(image::missing());
    tools::system_packages(&missing)
}

/// Builds the program as it is handed out, and makes everything of it in `target/dist`.
pub(crate) fn run(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    steps.run("what packages are made with", prerequisites)?;
    let binary = match std::env::var_os(clients::BIN) {
        Some(_) => clients::server(project, steps)?,
        None => build(project, steps, &project.target.join("release-build"))?,
    };
    let dist = project.target.join("dist");
    let release = Release::of(project, binary)?;
    let mut sums = steps.run("packages", || all(&release, &dist))?;
    if std::env::var_os(clients::BIN).is_none() {
        sums += &wheel(&release, steps, &dist)?;
    } else {
        println!("\nthe wheel is left out: it is no packing of a program that is there");
    }
    let mut status = Command::new("git");
    let changed = tools::output(status.args(["status", "--porcelain"]).current_dir(&project.root))?;
    if !changed.is_empty() {
        println!("\nnot of commit {}, for these are not in it:\n{changed}", release.commit);
    }
    println!("\nin {}:\n{sums}", dist.display());
    Ok(())
}

/// Builds twice, in two places, and compares. It takes two whole builds.
pub(crate) fn twice(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    ensure!(
        std::env::var_os(clients::BIN).is_none(),
        "{} names a program that is built",
        clients::BIN
    );
    run(project, steps)?;
    let other = project.target.join("release-build-again");
    let binary = build(project, steps, &other)?;
    let release = Release::of(project, binary)?;
    let again = steps.run("packages again", || all(&release, &other.join("dist")))?;
    let first = fs::read_to_string(project.target.join("dist").join(SUMS))?;
    let same = first.lines().filter(|line| !line.contains(".whl")).eq(again.lines());
    steps.run("the same both times", || {
        ensure!(same, "they differ:\n{first}\n{again}");
        Ok(fs::remove_dir_all(&other)?)
    })
}

/// What has compilers say nothing of where something was built.
fn nowhere(project: &Project, target: &Path) -> anyhow::Result<[(&'static str, OsString); 2]> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let home = home.context("neither CARGO_HOME nor HOME says where the crates are")?;
    let places = [(&*project.root, "/guestlist"), (&home, "/cargo"), (target, "/target")];
    let mapped = places.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    // The same for what is compiled from C.
    let in_c = places.map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display()));
    Ok([
        ("CARGO_ENCODED_RUSTFLAGS", mapped.join("\u{1f}").into()),
        ("CFLAGS", in_c.join(" ").into()),
    ])
}

/// The program, in which nothing says where it was built.
fn build(project: &Project, steps: &mut Steps, target: &Path) -> anyhow::Result<PathBuf> {
    let mut command =
        cargo(&["build", "--release", "--locked", "--package", "guestlist", "--bin", "guestlist"]);
    command.arg("--target-dir").arg(target).envs(nowhere(project, target)?);
    steps.command("build the program", command, "mend the code that the compiler names")?;
    Ok(target.join("release/guestlist"))
}

const SUMS: &str = "SHA256SUMS";

/// Makes everything in `dist`, in place of what was there, and gives the checksums.
fn all(release: &Release<'_>, dist: &Path) -> anyhow::Result<String> {
    Tree::new(dist.to_owned())?;
    let sbom = dist.join(format!("guestlist-{}.cdx.json", release.version));
    fs::write(&sbom, sbom::of(release)?)?;
    let made = [
        deb::make(release, dist, Packing::Small)?,
        archive(release, dist)?,
        image::make(release, dist)?,
        sbom,
    ];
    let mut sums = String::new();
    for file in made {
        let name = file.file_name().context("it has no name")?.to_string_lossy();
        // As `sha256sum --check` reads it. Writing to a String cannot fail.
        let _ = writeln!(sums, "{} *{name}", tree::sha256(&file)?);
    }
    fs::write(dist.join(SUMS), &sums)?;
    Ok(sums)
}

/// The Python package, which brings the command too, added to what is in `dist`: its checksum. It is not compared
/// with another, as what packs it is not ours.
fn wheel(release: &Release<'_>, steps: &mut Steps, dist: &Path) -> anyhow::Result<String> {
    let target = release.project.target.join("release-build");
    let mut environment = nowhere(release.project, &target)?.to_vec();
    environment.push((EPOCH, release.epoch.to_string().into()));
    environment.push(("CARGO_TARGET_DIR", target.into()));
    let made = python::wheel(release.project, steps, &environment)?;
    let name = made.file_name().context("it has no name")?.to_owned();
    fs::copy(&made, dist.join(&name))?;
    let sum = format!("{} *{}\n", tree::sha256(&made)?, name.to_string_lossy());
    fs::write(dist.join(SUMS), fs::read_to_string(dist.join(SUMS))? + &sum)?;
    Ok(sum)
}

/// What the package for Debian has, for any other Linux: to be unpacked at `/`, or anywhere.
fn archive(release: &Release<'_>, dist: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("guestlist-{}-{}-linux", release.version, std::env::consts::ARCH);
    let tree = Tree::new(dist.join("archive"))?;
    deb::installed(release, &tree)?;
    let file = dist.join(format!("{name}.tar"));
    let mut tar = tree::tar(release.epoch);
    tar.arg(format!("--transform=s,^\\.,{name},")).arg("--create").arg("--file").arg(&file);
    succeed(tar.arg("--directory").arg(tree.root()).arg("."))?;
    fs::remove_dir_all(tree.root())?;
    tree::gzip(&file)?;
    Ok(dist.join(format!("{name}.tar.gz")))
}

/// Makes packages of the program that the suite is about, twice, and does with them what an operator does.
pub(crate) fn test(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let server = clients::server(project, steps)?;
    let release = Release::of(project, server)?;
    let place = project.target.join("xtask/packages");
    Tree::new(place.clone())?;
    let package = steps.run("the same package twice", || {
        let (one, other) = (place.join("one"), place.join("other"));
        let packages = [Tree::new(one)?, Tree::new(other)?]
            .map(|tree| deb::make(&release, tree.root(), Packing::Fast));
        let [one, other] = packages;
        let (one, other) = (one?, other?);
        ensure!(tree::sha256(&one)? == tree::sha256(&other)?, "the packages differ");
        Ok(one)
    })?;
    steps.run("what is in the program", || {
        Ok(fs::write(place.join("guestlist.cdx.json"), sbom::of(&release)?)?)
    })?;
    unit::check(&release, steps, &place)?;
    operator::test(&release, steps, &package, &place)?;
    // Some hundred megabytes.
    Ok(fs::remove_dir_all(&place)?)
}
