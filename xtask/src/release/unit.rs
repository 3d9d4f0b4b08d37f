//! The unit for systemd, read and scored by systemd's own tool, which needs no systemd that runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::Release;
use super::tree::Tree;
use crate::steps::Steps;

const UNIT: &str = "ops/systemd/guestlist.service";

const PROGRAM: &str = "/usr/bin/guestlist";

/// How exposed the service may be, in tenths. The rest of it is the network, which a server has to have.
const EXPOSURE: &str = "--threshold=12";

/// Has the unit read, and scored.
pub(crate) fn check(release: &Release<'_>, steps: &mut Steps, place: &Path) -> anyhow::Result<()> {
    let unit = release.project.root.join(UNIT);
    steps.run("the unit is understood", || {
        let text = fs::read_to_string(&unit)?;
        ensure!(text.contains(PROGRAM), "{UNIT} does not start {PROGRAM}");
        // It is looked whether the program is there.
        let text = text.replace(PROGRAM, &release.binary.to_string_lossy());
        let tree = Tree::new(place.join("unit"))?;
        tree.put("guestlist.service", 0o644, text)?;
        let copy = tree.root().join("guestlist.service");
        let mut analyze = Command::new("systemd-analyze");
        let output = analyze.args(["verify", "--man=no"]).arg(copy).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        // A key that it does not know is a warning; what it says of other units is theirs.
        let ours = said.lines().any(|line| line.contains("guestlist"));
        ensure!(output.status.success() && !ours, "{said}");
        Ok(())
    })?;
    steps.run("how exposed the service is", || {
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["security", "--offline=true", "--no-pager", EXPOSURE]).arg(&unit);
        let output = analyze.output().context("cannot start systemd-analyze")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "it may do more than it needs:\n{said}");
        println!("{}", said.lines().last().unwrap_or_default());
        Ok(())
    })
}
