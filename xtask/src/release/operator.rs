//! What an operator does with the package, from the first day to the worst one: install, start with TLS, make a
//! user, back up, lose the machine, restore on another, sign in with the same token, upgrade from long ago.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Release;
use super::deb::{self, Packing};
use super::image;
use super::root::{PATH, Root, SETTINGS};
use super::tree::Tree;
use crate::clients::succeed;
use crate::steps::Steps;
use crate::tools;

const STORE: &str = "var/lib/guestlist/guestlist.db";
const BACKUPS: &str = "var/lib/guestlist/backups";
const PASSWORD: &str = "A long enough password, 1\n";

/// A version before any that there was.
const OLDER: &str = "0.0.1";

/// The oldest store that there is, and who is in it.
const OLDEST: &str = "tests/stores/0001.sqlite.gz";
const KNOWN: &str = "tests/stores/known.json";

/// Does it, in roots below `place`.
pub(crate) fn test(
    release: &Release<'_>,
    steps: &mut Steps,
    package: &Path,
    place: &Path,
) -> anyhow::Result<()> {
    if tools::output(Command::new("id").arg("-u"))?.trim() != "0" {
        println!("\nwhat an operator does is left out: only root installs a package");
        return Ok(());
    }
    let install = |name: &str| Root::install(release, package, place.join(name));
    let elsewhere = place.join("elsewhere");
    let lost = steps.run("install, start with TLS, make a user, back up", || {
        let machine = install("machine")?;
        let lost = before(&machine)?;
        succeed(Command::new("cp").arg("-a").arg(machine.path(BACKUPS)).arg(&elsewhere))?;
        Ok(lost)
    })?;
    steps.run("lose the machine, restore on another", || {
        fs::remove_dir_all(place.join("machine"))?;
        let machine = install("another")?;
        succeed(Command::new("cp").arg("-a").arg(&elsewhere).arg(machine.path(BACKUPS)))?;
        after(&machine, &lost)
    })?;
    steps.run("upgrade from an older package, with the oldest store", || {
        let older = Release {
            version: OLDER.to_owned(),
            binary: release.binary.clone(),
            commit: String::new(),
            ..*release
        };
        let there = Tree::new(place.join("older"))?;
        let older = deb::make(&older, there.root(), Packing::Fast)?;
        upgrade(release, &Root::install(release, &older, place.join("old"))?, package)
    })?;
    steps.run("remove and purge the package", || removed(&place.join("old")))?;
    steps.run("the program in the root of a container", || container(release, place))
}

/// Who is remembered when the machine is lost.
struct Lost {
    application: String,
    token: String,
    user: Value,
    checksum: Value,
}

fn before(machine: &Root) -> anyhow::Result<Lost> {
    let settings = format!("/{SETTINGS}");
    let begin = |arguments: &[&str], said: &str| {
        machine.run(&[arguments, &["--config", &settings]].concat(), said)
    };
    with_tls(machine)?;
    begin(&["admin", "create", "--email", "ada@example.com"], PASSWORD)?;
    let made = begin(&["application", "create", "--name", "Guests"], "")?;
    let application = text(&made, "applicationId")?;
    let mut token = vec!["token", "create", "--application", &application];
    token.extend(["--name", "operator", "--scope", "all.Application"]);
    let token = text(&begin(&token, "")?, "token")?;

    let serving = machine.serve()?;
    ensure!(serving.url.starts_with("https://"), "it speaks no TLS: {}", serving.url);
    let data =
        r#"{"email":"grace@example.com","firstName":"Grace","password":"Of no consequence 1"}"#;
    let create = ["user", "create", "--application", &application, "--data", data];
    let user = machine.ask(&serving.url, &token, &create)?.pop().context("nobody was made")?;
    begin(&["backup", &format!("/{BACKUPS}")], "")?;
    let checksum = begin(&["checksum"], "")?;
    Ok(Lost { application, token, user, checksum })
}

fn after(machine: &Root, lost: &Lost) -> anyhow::Result<()> {
    let (backups, store) = (format!("/{BACKUPS}"), format!("/{STORE}"));
    machine.run(&["backup", "verify", &backups], "")?;
    machine.run(&["restore", &backups, "--to", &store, "--keep-tokens"], "")?;
    let checksum = machine.run(&["checksum", "--store", &store], "")?;
    ensure!(checksum == lost.checksum, "the store is another: {checksum}, {}", lost.checksum);
    with_tls(machine)?;
    let serving = machine.serve()?;
    let Lost { application, token, user, .. } = lost;
    machine.ask(&serving.url, token, &["health", "--writes"])?;
    let id = text(user, "id")?;
    let get = ["user", "get", &id, "--application", application];
    let found = machine.ask(&serving.url, token, &get)?;
    ensure!(found == [user.clone()], "the user is another: {found:?}");
    let patch = ["user", "patch", &id, "--application", application, "--first-name", "Amazing"];
    machine.ask(&serving.url, token, &patch)?;
    Ok(())
}

/// Has a store of the first version under an older package, which is upgraded, and finds in it who was there.
fn upgrade(release: &Release<'_>, machine: &Root, package: &Path) -> anyhow::Result<()> {
    let root = &release.project.root;
    let unpack = File::create(machine.path(STORE))?;
    let mut gzip = Command::new("gzip");
    gzip.args(["--decompress", "--stdout"]).arg(root.join(OLDEST));
    succeed(gzip.stdout(Stdio::from(unpack)))?;
    machine.give(STORE)?;
    with_tls(machine)?;
    let settings = fs::read_to_string(machine.path(SETTINGS))?;
    let there = machine.upgrade(package)?;
    ensure!(there == format!("ii {}", release.version), "{there} is installed");
    let kept = fs::read_to_string(machine.path(SETTINGS))?;
    ensure!(kept == settings, "the settings are others:\n{kept}");
    let known: Value = serde_json::from_str(&fs::read_to_string(root.join(KNOWN))?)?;
    let serving = machine.serve()?;
    let application = text(&known, "applicationId")?;
    let list = ["user", "list", "--application", &application];
    let found = machine.ask(&serving.url, &text(&known, "token")?, &list)?;
    let emails: Value = found.iter().map(|user| user["email"].clone()).collect();
    ensure!(emails == known["emails"], "they are others: {emails}");
    drop(serving);
    // Where something is wrong it ends with 1.
    machine.run(&["doctor", "--config", &format!("/{SETTINGS}")], "")?;
    Ok(())
}

/// What is left when the package is removed, and then purged: who was in the store.
fn removed(machine: &Path) -> anyhow::Result<()> {
    let root = format!("--root={}", machine.display());
    for how in ["--remove", "--purge"] {
        let mut dpkg = Command::new("dpkg");
        succeed(dpkg.args([&root, "--force-script-chrootless", how, "guestlist"]))?;
        ensure!(!machine.join("usr/bin/guestlist").exists(), "the program is still there");
        ensure!(machine.join(STORE).exists(), "the store is gone");
    }
    ensure!(!machine.join(SETTINGS).exists(), "the settings are still there");
    Ok(())
}

/// The image's root has all that the program needs.
fn container(release: &Release<'_>, place: &Path) -> anyhow::Result<()> {
    let tree = image::root(release, place.join("container"))?;
    let home = tree.root().join("var/lib/guestlist");
    std::os::unix::fs::chown(&home, Some(image::USER), Some(image::USER))?;
    let mut create = Command::new("chroot");
    create
        .env_clear()
        .env("PATH", PATH)
        .arg(format!("--userspec={0}:{0}", image::USER))
        .arg(tree.root());
    create.args(["/usr/bin/guestlist", "application", "create", "--name", "Guests"]);
    succeed(create.args(["--store", "/var/lib/guestlist/guestlist.db"]))
}

/// Gives the machine a certificate, and has its settings say so where they show how.
fn with_tls(machine: &Root) -> anyhow::Result<()> {
    let (cert, key) = ("etc/guestlist/cert.pem", "etc/guestlist/key.pem");
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "30", "-subj", "/CN=guests"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(machine.path(key))
        .arg("-out")
        .arg(machine.path(cert))
        .stderr(Stdio::null());
    succeed(&mut openssl)?;
    machine.give(cert)?;
    machine.give(key)?;
    machine.set(|settings| {
        settings
            .replace("# tls-", "tls-")
            .replace("listen = \"127.0.0.1:8080\"", "listen = \"127.0.0.1:0\"")
    })
}

fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    let text = value[name].as_str().with_context(|| format!("there is no {name} in {value}"))?;
    Ok(text.to_owned())
}
