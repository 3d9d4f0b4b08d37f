//! The files of a store, and the disk that they are on.

use super::file_systems::unsafe_kind;
use super::finding::{Command, Findings, quoted};
use crate::store::{OpenError, StoreUrl};
use rustix::fs::{StatVfs, statfs, statvfs};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is to be free beside a store: three times what the WAL has at most, usually.
const ROOM: u64 = 192 << 20;

/// How often a page is synced to know how long that takes, and how long it may take.
const SYNCS: usize = 21;
const SLOW_SYNC: Duration = Duration::from_millis(50);

pub(super) fn check(path: &Path, store: &StoreUrl, findings: &mut Findings) {
    files(path, store, findings);
    room(path, findings);
    syncs(&directory_of(path), findings);
}

/// Where the file at `path` is.
pub(super) fn directory_of(path: &Path) -> PathBuf {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

pub(super) fn shown(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn files(path: &Path, store: &StoreUrl, findings: &mut Findings) {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(obstacle) = store.obstacle() {
        let command = match &obstacle {
            OpenError::ReadOnly(at) => format!("mount -o remount,rw what {} is on", shown(at)),
            OpenError::Full(_) => "make room on the disk".to_owned(),
            _ => format!(
                "run it as the user whose the files are, or chown them to the one it runs as: ls -l {}",
                shown(path)
            ),
        };
        let why = "a server that may not write its files answers 503 to every change";
        findings.add("files", obstacle.to_string(), why, Command::Run(command));
    }
    for (file, mode) in guestlist_store::exposed(path) {
        findings.add(
            "files",
            format!(
                "others on this machine can read or change {}, of mode {mode:04o}",
                file.display()
            ),
            "the key that signs tokens is in it, and so are the hashes of passwords",
            Command::Run(format!("chmod go= {}", shown(&file))),
        );
    }
    let directory = directory_of(path);
    let mode = fs::metadata(&directory).map_or(0, |of| of.mode());
    // Where only its owner may remove a file, others may add some.
    if mode & 0o022 != 0 && mode & 0o1000 == 0 {
        findings.add(
            "files",
            format!(
                "others on this machine can replace what is in {}, of mode {:04o}",
                directory.display(),
                mode & 0o7777
            ),
            "whoever may write a directory may put another store in the place of this one",
            Command::Run(format!("chmod go-w {}", shown(&directory))),
        );
    }
}

pub(super) fn free(of: &StatVfs) -> u64 {
    of.f_bavail.saturating_mul(of.f_frsize)
}

fn room(path: &Path, findings: &mut Findings) {
    let directory = directory_of(path);
    if let Ok(of) = statvfs(&directory) {
        if free(&of) < ROOM {
            findings.add(
                "disk",
                format!("{} MiB are free where the store is", free(&of) >> 20),
                "the WAL needs room to grow; a full disk refuses every change",
                Command::Run(format!("make room: du -x {} | sort -n", shown(&directory))),
            );
        }
        if of.f_files > 0 && of.f_favail == 0 {
            findings.add(
                "disk",
                "the file system has no names left for new files",
                "SQLite makes files beside the store when it is opened",
                Command::Run(format!("df -i {}", shown(&directory))),
            );
        }
    }
    if let Some((name, why)) = statfs(&directory).ok().as_ref().and_then(unsafe_kind) {
        findings.add(
            "file system",
            format!("the store is on {name}"),
            why,
            Command::Run(format!(
                "put it on a disk of the machine: guestlist move --from {} --to ...",
                findings.store()
            )),
        );
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if let Some(options) = mount_options(&mounts, &directory)
        && options.split(',').any(|option| ["nobarrier", "barrier=0"].contains(&option))
    {
        findings.add(
            "file system",
            "the disk is mounted without barriers",
            "what was synced, and so answered, is lost with the power",
            Command::Run(format!("mount -o remount,barrier=1 what {} is on", shown(&directory))),
        );
    }
}

/// How long the disk takes to sync a page, which each group of changes waits for.
fn syncs(directory: &Path, findings: &mut Findings) {
    const PAGE: [u8; 4096] = [0x5a; 4096];
    let probe = || {
        // It is gone with this, whatever comes of it.
        let mut file = nameless_file(directory)?;
        let mut took = Vec::with_capacity(SYNCS);
        while took.len() < SYNCS {
            file.write_all(&PAGE)?;
            let start = Instant::now();
            file.sync_data()?;
            took.push(start.elapsed());
        }
        took.sort_unstable();
        Ok::<_, std::io::Error>(took.get(SYNCS / 2).copied().unwrap_or_default())
    };
    // Where nothing can be written, that is found for itself.
    let Ok(median) = probe() else { return };
    findings.add_if(
        median > SLOW_SYNC,
        "disk",
        format!("the disk of the store takes {} ms to sync a page", median.as_millis()),
        "each change waits for a sync, together with those that came at the same time",
        Command::Run(
            "look at what else writes to the disk: iostat -x 1; or put the store on another".into(),
        ),
    );
}

/// A new file in `directory` that nobody else finds.
fn nameless_file(directory: &Path) -> std::io::Result<File> {
    let name = format!(".guestlist-doctor-{}", std::process::id());
    let path = directory.join(name);
    let file = File::options().write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// How what `path` is on is mounted, as `mounts` say it: the fifth word is where, and the last is how.
fn mount_options<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let of = |line: &'m str| {
        let at = line.split(' ').nth(4)?;
        path.starts_with(at).then_some((at.len(), line.rsplit(' ').next()?))
    };
    // The last of those at one place is the one that is seen.
    mounts.lines().filter_map(of).max_by_key(|(length, _)| *length).map(|(_, options)| options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_on_what_is_mounted_nearest_to_it() {
        let mounts = "21 1 8:1 / / rw,relatime - ext4 /dev/a rw,barrier=0\n\
            22 21 8:2 / /var/lib rw - ext4 /dev/b rw,errors=remount-ro\n\
            23 21 8:3 / /var/lib2 rw - ext4 /dev/c rw,nobarrier";
        let of = |path: &str| mount_options(mounts, Path::new(path));
        assert_eq!(of("/home"), Some("rw,barrier=0"));
        assert_eq!(of("/var/lib/guestlist"), Some("rw,errors=remount-ro"));
    }
}
