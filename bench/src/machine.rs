//! What it is measured on.

use std::fs;
use std::path::Path;

/// Which processors the server has and which the load, where there are enough for both.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    pub(crate) server: Option<String>,
    pub(crate) load: Option<String>,
    /// How many the server has.
    pub(crate) cores: usize,
}

impl Split {
    pub(crate) fn of(cores: usize) -> Self {
        if cores < 4 {
            return Self { server: None, load: None, cores };
        }
        let half = cores / 2;
        let list = |from: usize, to: usize| Some(format!("{from}-{}", to - 1));
        Self { server: list(0, half), load: list(half, cores), cores: half }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn field(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map(|rest| rest.trim_start_matches([':', ' ', '\t']).to_owned()).unwrap_or_default()
}

/// The load average of the last minute.
pub(crate) fn load_average() -> String {
    read("/proc/loadavg").split(' ').next().unwrap_or("unknown").to_owned()
}

/// One line about the machine, and the file system that `place` is on.
pub(crate) fn describe(place: &Path, cores: usize) -> String {
    let model = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let memory = memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{model}, {cores} logical processors, {} GiB of memory, Linux {}, {}",
        memory.div_ceil(1024 * 1024),
        kernel.trim(),
        file_system(place),
    )
}

fn file_system(place: &Path) -> String {
    let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
    let mounts = read("/proc/mounts");
    let mounts = mounts.lines().filter_map(|line| {
        let mut parts = line.split(' ');
        let (_, at, kind) = (parts.next()?, parts.next()?, parts.next()?);
        place.starts_with(at).then(|| (at.len(), kind.to_owned()))
    });
    mounts.max().map_or_else(|| "unknown file system".into(), |(_, kind)| kind)
}
