//! The guard of the code's speed: how many instructions a request takes, which is the same on every
//! day, unlike how long it takes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::Project;
use crate::steps::{Steps, cargo};
use crate::tools;

/// What was counted, and why it is as much as it is.
const RECORD: &str = "bench/instructions.txt";

const HEAD: &str = "\
# Instructions that one request takes, client and server together, as callgrind counts them.
# `cargo xtask test` fails when one differs by more than 5 %. If it has to, say why:
#   cargo xtask instructions record \"the reason\"
# writes what differs anew, with the reason, for the commit that makes it differ.
";

/// How much may be more or less, in parts of a thousand.
const TOLERANCE: u64 = 50;

/// What is counted, and with how few and how many requests: so many that what differs from start to
/// start is nothing beside them, and no more patches than fit the log before it is copied.
const COUNTED: [(&str, u64, u64); 7] = [
    ("get", 100, 900),
    ("get-again", 100, 1100),
    ("patch", 10, 90),
    ("list", 5, 25),
    ("list-again", 100, 500),
    ("query", 20, 220),
    ("token", 20, 220),
];

/// The same by a server that counts what it does, for whoever scrapes its metrics; and without. Only of
/// what is done so often that the work of each second is nothing beside it: what is added is little.
const METERED: [(&str, &str); 2] = [("get-metered", "get"), ("get-again-metered", "get-again")];

/// How many instructions that may add to a request.
const METERING: u64 = 1500;

/// What the record says.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    /// The compiler and the machine that it is of.
    compiler: String,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    what: String,
    count: u64,
    reason: String,
}

impl Record {
    fn read(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let compiler = lines.next().context("the record names no compiler")?.to_owned();
        let line = |line: &str| {
            let mut parts = line.splitn(3, char::is_whitespace);
            let (what, count) = (parts.next()?, parts.next()?.replace(',', "").parse().ok()?);
            let reason = parts.next()?.trim().to_owned();
            (!reason.is_empty()).then(|| Line { what: what.to_owned(), count, reason })
        };
        let lines = lines.map(|text| {
            line(text).with_context(|| format!("not a name, a count and a reason: {text:?}"))
        });
        Ok(Self { compiler, lines: lines.collect::<Result<_, _>>()? })
    }

    fn write(&self) -> String {
        let mut text = format!("{HEAD}{}\n", self.compiler);
        for Line { what, count, reason } in &self.lines {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{what} {count} {reason}");
        }
        text
    }

    fn of(&self, what: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.what == what)
    }

    /// The same with what `counted` says where that differs, because of `reason`.
    fn anew(&self, compiler: &str, counted: &[(&str, u64)], reason: &str) -> Self {
        let other = self.compiler != compiler;
        let lines = counted.iter().map(|&(what, count)| match self.of(what) {
            Some(line) if !other && alike(line.count, count) => line.clone(),
            _ => Line { what: what.to_owned(), count, reason: reason.to_owned() },
        });
        Self { compiler: compiler.to_owned(), lines: lines.collect() }
    }
}

fn alike(recorded: u64, counted: u64) -> bool {
    recorded.abs_diff(counted) * 1000 <= recorded * TOLERANCE
}

/// What is wrong with `counted`, if anything is.
fn differences(record: &Record, compiler: &str, counted: &[(&str, u64)]) -> Vec<String> {
    if record.compiler != compiler {
        return vec![format!(
            "the counts are of `{}`, and this is `{compiler}`: they cannot be compared",
            record.compiler
        )];
    }
    let mut wrong = Vec::new();
    for &(what, count) in counted {
        match record.of(what) {
            None => {
                wrong.push(format!("{what}: {count} instructions, of which there is no record"));
            }
            Some(line) if !alike(line.count, count) => {
                let (word, other) = if count > line.count {
                    ("more", count - line.count)
                } else {
                    ("fewer", line.count - count)
                };
                let part = other * 1000 / line.count.max(1);
                wrong.push(format!(
                    "{what}: {count} instructions, {}.{} % {word} than the {} on record",
                    part / 10,
                    part % 10,
                    line.count,
                ));
            }
            Some(_) => {}
        }
    }
    let unknown =
        record.lines.iter().filter(|line| !counted.iter().any(|(what, _)| *what == line.what));
    wrong.extend(unknown.map(|line| format!("{}: on record, and not counted", line.what)));
    wrong
}

/// How many more than of `counted` without it a request took that was metered.
fn metering(what: &str, count: u64, counted: &[(&str, u64)]) -> u64 {
    let without = METERED.iter().find(|(metered, _)| *metered == what).map(|(_, without)| without);
    let without = counted.iter().find(|(what, _)| Some(what) == without).map(|(_, count)| *count);
    without.map_or(u64::MAX, |without| count.saturating_sub(without))
}

/// Makes sure that there is something to count with.
pub(crate) fn prerequisites() -> anyhow::Result<()> {
    let found = tools::works("valgrind", &["--version"]);
    tools::system_packages(if found { &[] } else { &["valgrind"] })
}

/// Counts, and fails if it is not what is on record.
pub(crate) fn check(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let (counted, metered) = count(project, steps)?;
    steps.run("compare instructions", || {
        let text = fs::read_to_string(project.root.join(RECORD))
            .with_context(|| format!("there is no {RECORD}"))?;
        let record = Record::read(&text)?;
        for (what, count) in &counted {
            let recorded = record.of(what).map_or(0, |line| line.count);
            println!("{what:10} {count:>10}  on record {recorded:>10}");
        }
        let mut wrong = differences(&record, &compiler()?, &counted);
        for (what, count) in &metered {
            let more = metering(what, *count, &counted);
            println!("{what:18} {count:>10}  metering {more:>10}");
            if more > METERING {
                wrong.push(format!("{what}: metering takes {more} instructions, of {METERING}"));
            }
        }
        ensure!(
            wrong.is_empty(),
            "{}\nwhat to do: find out why (the profiles are in target/instructions, for \
             callgrind_annotate); if it has to be so, `cargo xtask instructions record \"the \
             reason\"`, and commit that with the change",
            wrong.join("\n")
        );
        Ok(())
    })
}

/// Counts, and writes down what differs, because of `reason`.
pub(crate) fn record(project: &Project, steps: &mut Steps, reason: &str) -> anyhow::Result<()> {
    ensure!(!reason.trim().is_empty() && !reason.contains('\n'), "say why, in one line");
    let (counted, _) = count(project, steps)?;
    let path = project.root.join(RECORD);
    let known = match fs::read_to_string(&path) {
        Ok(text) => Record::read(&text)?,
        Err(_) => Record { compiler: String::new(), lines: Vec::new() },
    };
    let anew = known.anew(&compiler()?, &counted, reason.trim());
    fs::write(&path, anew.write())?;
    println!("{}", anew.write());
    Ok(())
}

/// The compiler and the kind of machine, which decide about instructions.
fn compiler() -> anyhow::Result<String> {
    let said = tools::output(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).context("no host")?;
    Ok(format!("{} {host}", said.lines().next().unwrap_or_default()))
}

type Counts = Vec<(&'static str, u64)>;

/// What is on record, and the same metered.
fn count(project: &Project, steps: &mut Steps) -> anyhow::Result<(Counts, Counts)> {
    let mut build = cargo(&["build", "--release", "--package", "guestlist-bench"]);
    build.args(["--bin", "instructions"]);
    steps.command("build what is counted", build, "mend the code that the compiler names")?;
    let program = project.target.join("release/instructions");
    let place = project.target.join("instructions");
    steps.run("count instructions", || {
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        let pristine = place.join("pristine");
        fs::create_dir_all(&pristine)?;
        tools::output(Command::new(&program).arg("prepare").arg(&pristine))?;
        let each = |what: &str, few: u64, many: u64| -> anyhow::Result<u64> {
            // Neither knows of the other, so they may run together.
            let few_ = start(&program, &place, what, few)?;
            let many_ = start(&program, &place, what, many)?;
            let (less, more) = (few_.total()?, many_.total()?);
            let each = more.checked_sub(less).map(|rest| rest / (many - few));
            each.context("more requests took fewer instructions")
        };
        let counted = COUNTED.iter().map(|&(what, few, many)| Ok((what, each(what, few, many)?)));
        let counted = counted.collect::<anyhow::Result<_>>()?;
        let metered = METERED.iter().map(|&(what, of)| {
            let (_, few, many) = COUNTED.iter().find(|(what, ..)| *what == of).context(of)?;
            Ok((what, each(what, *few, *many)?))
        });
        Ok((counted, metered.collect::<anyhow::Result<_>>()?))
    })
}

/// A count under way.
struct Counting {
    child: Child,
    profile: std::path::PathBuf,
}

fn start(program: &Path, place: &Path, what: &str, count: u64) -> anyhow::Result<Counting> {
    let own = place.join(format!("{what}-{count}"));
    fs::create_dir_all(&own)?;
    for entry in fs::read_dir(place.join("pristine"))? {
        let entry = entry?;
        fs::copy(entry.path(), own.join(entry.file_name()))?;
    }
    let profile = own.join("callgrind.out");
    let mut out = std::ffi::OsString::from("--callgrind-out-file=");
    out.push(&profile);
    let child = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(out)
        .arg(program)
        .arg("run")
        .arg(&own)
        .args([what, &count.to_string()])
        .env("GUESTLIST_LOG", "off")
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start valgrind")?;
    Ok(Counting { child, profile })
}

impl Counting {
    /// How many instructions there were, once it is done.
    fn total(mut self) -> anyhow::Result<u64> {
        let status = self.child.wait()?;
        ensure!(status.success(), "callgrind ended with {status}");
        let text = fs::read_to_string(&self.profile)?;
        let Some(total) = text.lines().find_map(|line| line.strip_prefix("totals: ")) else {
            bail!("{} has no totals", self.profile.display());
        };
        Ok(total.trim().parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSTC: &str = "rustc 1.95.0 x86_64-unknown-linux-gnu";

    fn record() -> Record {
        Record::read(&format!("# about\n{RUSTC}\nget 1000 first record\nlist 2000 lists grew\n"))
            .unwrap()
    }

    #[test]
    fn what_differs_by_more_than_five_percent_is_named() {
        let wrong = |get, list| differences(&record(), RUSTC, &[("get", get), ("list", list)]);
        assert!(wrong(1000, 2000).is_empty());
        assert!(wrong(1050, 1900).is_empty());
        assert_eq!(
            wrong(1051, 2000),
            ["get: 1051 instructions, 5.1 % more than the 1000 on record"]
        );
        assert_eq!(
            wrong(1000, 1000),
            ["list: 1000 instructions, 50.0 % fewer than the 2000 on record"]
        );
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let other = differences(&record(), "rustc 1.96.0", &[("get", 1000), ("list", 2000)]);
        assert_eq!(other.len(), 1);
        assert!(other[0].contains("1.95.0") && other[0].contains("1.96.0"), "{other:?}");
        let wrong = differences(&record(), RUSTC, &[("get", 1000), ("new", 1)]);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(Record::read(&format!("{RUSTC}\nget 1000\n")).is_err());
        assert!(Record::read(&format!("{RUSTC}\nget many reasons\n")).is_err());
    }

    #[test]
    fn what_metering_adds_is_told_of_the_same_request() {
        let counted = [("get", 1000), ("get-again", 100), ("patch", 2000)];
        assert_eq!(metering("get-metered", 1900, &counted), 900);
        assert_eq!(metering("get-again-metered", 99, &counted), 0);
        assert!(metering("other-metered", 1, &counted) > METERING);
    }

    #[test]
    fn only_what_differs_is_written_anew() {
        let counted = [("get", 1040), ("list", 2500), ("new", 7)];
        let anew = record().anew(RUSTC, &counted, "why");
        let lines: Vec<_> =
            anew.lines.iter().map(|line| (line.count, line.reason.as_str())).collect();
        assert_eq!(lines, [(1000, "first record"), (2500, "why"), (7, "why")]);
        assert_eq!(Record::read(&anew.write()).unwrap(), anew);
        let other = record().anew("rustc 1.96.0", &counted, "another compiler");
        assert!(other.lines.iter().all(|line| line.reason == "another compiler"));
    }
}
