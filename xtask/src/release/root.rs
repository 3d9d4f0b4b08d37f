//! A machine for the tests: a directory in which there is what the package brings, what it depends on, and
//! nothing else.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::{Deserializer, Value};

use super::tree::Tree;
use super::{Release, libraries};
use crate::clients::succeed;
use crate::tools;

/// The settings that the package brings.
pub(crate) const SETTINGS: &str = "etc/guestlist/guestlist.toml";

/// Where this machine has `chroot`.
pub(crate) const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) struct Root {
    tree: Tree,
    /// The numbers of the user and the group that the package has made.
    user: (u32, u32),
}

impl Root {
    /// Installs the package at `place`, in place of what was there. That takes root.
    pub(crate) fn install(
        release: &Release<'_>,
        package: &Path,
        place: PathBuf,
    ) -> anyhow::Result<Self> {
        let tree = Tree::new(place)?;
        for directory in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log", "tmp"] {
            tree.directory(directory)?;
        }
        tree.put("var/lib/dpkg/status", 0o644, "")?;
        put(&tree, package)?;
        libraries::copy(&release.binary, &tree)?;
        let users = fs::read_to_string(tree.root().join("etc/passwd"))?;
        let user = user(&users).context("the package has made no user `guestlist`")?;
        Ok(Self { tree, user })
    }

    /// Installs another version of the package over the one that is there, and gives the one that is there then.
    pub(crate) fn upgrade(&self, package: &Path) -> anyhow::Result<String> {
        put(&self.tree, package)?;
        let root = format!("--admindir={}", self.path("var/lib/dpkg").display());
        let mut query = Command::new("dpkg-query");
        tools::output(query.args([
            &root,
            "--show",
            "--showformat=${db:Status-Abbrev}${Version}",
            "guestlist",
        ]))
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.tree.root().join(inside)
    }

    /// Changes the settings that the package brought.
    pub(crate) fn set(&self, change: impl FnOnce(String) -> String) -> anyhow::Result<()> {
        let place = self.path(SETTINGS);
        Ok(fs::write(&place, change(fs::read_to_string(&place)?))?)
    }

    /// Gives a file to the user of the server, and to nobody else.
    pub(crate) fn give(&self, inside: &str) -> anyhow::Result<()> {
        let (user, group) = self.user;
        fs::set_permissions(self.path(inside), fs::Permissions::from_mode(0o600))?;
        Ok(chown(self.path(inside), Some(user), Some(group))?)
    }

    /// The program, run in there by the user of the server, with nothing of this machine's.
    fn command(&self, arguments: &[&str]) -> Command {
        let (user, group) = self.user;
        let mut command = Command::new("chroot");
        command
            .env_clear()
            .env("PATH", PATH)
            .arg(format!("--userspec={user}:{group}"))
            .arg(self.tree.root())
            .arg("/usr/bin/guestlist")
            .args(arguments);
        command
    }

    /// What a command prints in JSON; `said` is its standard input.
    pub(crate) fn run(&self, arguments: &[&str], said: &str) -> anyhow::Result<Value> {
        self.run_with(arguments, said, &[])?.pop().context("it printed nothing")
    }

    /// What `arguments` ask of the server at `url`, whose certificate is the one in there: a value, or one for
    /// each thing in a list.
    pub(crate) fn ask(
        &self,
        url: &str,
        token: &str,
        arguments: &[&str],
    ) -> anyhow::Result<Vec<Value>> {
        let environment = [
            ("GUESTLIST_URL", url),
            ("GUESTLIST_TOKEN", token),
            ("SSL_CERT_FILE", "/etc/guestlist/cert.pem"),
        ];
        self.run_with(arguments, "", &environment)
    }

    fn run_with(
        &self,
        arguments: &[&str],
        said: &str,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Vec<Value>> {
        println!("$ guestlist {}", arguments.join(" "));
        let mut command = self.command(arguments);
        command.arg("--json").envs(environment.iter().copied());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start chroot")?;
        child.stdin.take().context("it has no input")?.write_all(said.as_bytes())?;
        let output = child.wait_with_output()?;
        let printed = String::from_utf8(output.stdout)?;
        ensure!(output.status.success(), "it ended with {}\n{printed}", output.status);
        let values: Result<_, _> = Deserializer::from_str(&printed).into_iter().collect();
        values.with_context(|| format!("it printed `{printed}`"))
    }

    /// Starts the server as the unit does, and waits until it serves.
    pub(crate) fn serve(&self) -> anyhow::Result<Serving> {
        let settings = format!("/{SETTINGS}");
        let arguments = ["serve", "--config", &settings];
        println!("$ guestlist {} &", arguments.join(" "));
        let log = self.path("var/log/guestlist.log");
        let mut child = self
            .command(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start chroot")?;
        let printed = child.stdout.take().context("it has no output")?;
        // From here on it ends with this.
        let mut serving = Serving { child, url: String::new() };
        let mut line = String::new();
        BufReader::new(printed).read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ");
        let said = fs::read_to_string(&log)?;
        let url = url.with_context(|| format!("it does not serve:\n{said}"))?;
        url.clone_into(&mut serving.url);
        println!("{line}");
        Ok(serving)
    }
}

/// Has the package manager put `package` into `tree`.
fn put(tree: &Tree, package: &Path) -> anyhow::Result<()> {
    let root = format!("--root={}", tree.root().display());
    // There is no shell in there to run scripts with, and nothing that it depends on.
    let mut dpkg = Command::new("dpkg");
    dpkg.args([&root, "--force-script-chrootless", "--force-depends", "--install"]);
    succeed(dpkg.arg(package).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()))
}

/// A server that runs until this is dropped, and then dies without a word.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The numbers of the user and the group of the server, in a file of users.
fn user(users: &str) -> Option<(u32, u32)> {
    let mut fields = users.lines().find_map(|line| line.strip_prefix("guestlist:"))?.split(':');
    fields.next()?;
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_found_by_name() {
        let users = "root:x:0:0::/:\nguestlist:x:999:998:Guestlist:/var/lib/guestlist:\n";
        assert_eq!(user(users), Some((999, 998)));
        assert_eq!(user("root:x:0:0::/:\n"), None);
    }
}
