//! What is around a store: the machine, how it is served, and its backups. Its files and their disk are for `disk`.

use super::Examination;
use super::disk::{self, directory_of, free, shown};
use super::finding::{Command, Findings};
use crate::backup::{self, BackupError};
use crate::config::Config;
use crate::http::limits::Limits;
use crate::store::StoreUrl;
use rustix::fs::statvfs;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// The memory that a server takes with everything but what hashes, about.
const MEMORY: u64 = 256 << 20;
/// The memory of a thread that hashes.
const HASHING: u64 = 19 << 20;

/// The files that a server has open beside its connections, about.
const FILES: u64 = 100;

/// How soon the end of a certificate is found: two weeks, in milliseconds.
const CERTIFICATE_ENDS: i64 = 14 * 24 * 60 * 60 * 1000;

/// The first moment of 2026, before which there was no Guestlist.
const FIRST: i64 = 1_767_225_600_000;

/// How old the last backup may be where nobody says how often one is made: a day, and two hours to make it.
const OLDEST: Duration = Duration::from_hours(26);

pub(super) fn check(of: &Examination, findings: &mut Findings) {
    if let StoreUrl::Sqlite(path) = &of.config.store {
        disk::check(path, &of.config.store, findings);
    }
    machine(of, findings);
    settings(&of.config, findings);
    exposure(&of.config, findings);
    certificate(of, findings);
    backups(of, findings);
}

/// How much memory this process may have, as far as that is known.
fn memory() -> Option<u64> {
    let number = |text: String| text.trim().parse::<u64>().ok();
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(number);
    let all = fs::read_to_string("/proc/meminfo").ok()?;
    let all = all.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let all = all.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    group.into_iter().chain(all.map(|kib| kib << 10)).min()
}

fn machine(of: &Examination, findings: &mut Findings) {
    use rustix::process::{Resource, getrlimit};
    if of.now.millis() < FIRST {
        findings.add(
            "clock",
            format!("the clock of this machine says {}", of.now),
            "tokens that have ended are good by a clock that is behind",
            Command::Run("timedatectl set-ntp true".into()),
        );
    }
    let connections = of.config.max_connections.unwrap_or(Limits::default().max_connections);
    let readers = of.config.options.readers.saturating_mul(3);
    let wanted = u64::try_from(connections + readers).unwrap_or(u64::MAX).saturating_add(FILES);
    if let Some(most) = getrlimit(Resource::Nofile).maximum.filter(|most| *most < wanted) {
        findings.add(
            "limits",
            format!(
                "a process may have {most} files open, and {connections} connections need {wanted}"
            ),
            "what comes beyond that is refused without an answer",
            Command::Run("set LimitNOFILE=65536 in the unit, or max-connections lower".into()),
        );
    }
    let hashing = u64::try_from(of.config.hashing.workers).unwrap_or(u64::MAX);
    let wanted = hashing.saturating_mul(HASHING).saturating_add(MEMORY);
    if let Some(most) = memory().filter(|most| *most < wanted) {
        findings.add(
            "limits",
            format!(
                "there are {} MiB of memory, and {hashing} threads that hash want {}",
                most >> 20,
                wanted >> 20
            ),
            "the kernel ends a process that takes more than there is",
            Command::Run("set hash-workers lower, or give it more memory".into()),
        );
    }
}

fn settings(config: &Config, findings: &mut Findings) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if config.hashing.workers > cores {
        findings.add(
            "settings",
            format!("hash-workers is {}, and there are {cores} processors", config.hashing.workers),
            "everything else waits for a processor while people sign in",
            Command::Run(format!("set hash-workers = {}", cores.saturating_sub(1).max(1))),
        );
    }
    let usual = Limits::default();
    let all = config.max_connections.unwrap_or(usual.max_connections);
    if config.max_connections_per_client.is_some_and(|own| own > all) {
        findings.add(
            "settings",
            format!("max-connections-per-client is more than max-connections, which is {all}"),
            "one client can take every connection there is",
            Command::Run(format!("set max-connections-per-client = {}", (all / 4).max(1))),
        );
    }
    if let Some(settings) = &config.backups
        && let StoreUrl::Sqlite(path) = &config.store
    {
        let device = |path: &Path| fs::metadata(path).ok().map(|of| of.dev());
        let (store, backups) = (device(&directory_of(path)), device(&settings.directory));
        if store.is_some() && store == backups {
            findings.add(
                "backup",
                "backups are on the disk of the store",
                "what takes the disk takes both",
                Command::Run("set backup-directory to a directory of another disk, or copy what is in it elsewhere".into()),
            );
        }
    }
}

/// Whether `name`, of a URL, is this machine.
fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether people reach the server by a network, and what is said there can be read.
fn exposure(config: &Config, findings: &mut Findings) {
    const WHY: &str = "passwords and tokens are read by whoever is on the way";
    let tls =
        Command::Run("set tls-cert and tls-key, or put TLS in front, and public-url to one of https: docs/operate".into());
    match &config.public_url {
        _ if config.ingress.tls.is_some() => {}
        Some(url) if url.is_https() => {
            // What the server does not speak itself is spoken in front of it.
            let why = "all who come by a proxy are one client: who guesses passwords keeps everybody waiting";
            let what = "public-url is one of https, and no proxy is trusted";
            let set = Command::Run("set trusted-proxies and client-from".into());
            findings.add_if(config.ingress.proxies.trusted.is_empty(), "proxies", what, why, set);
        }
        Some(url) => {
            let what = format!("public-url is {url}, which is not https");
            findings.add_if(!is_loopback(url.name()), "tls", what, WHY, tls);
        }
        None if !config.listen.ip().is_loopback() => {
            let what = format!("it listens on {} and has no public-url", config.listen);
            findings.add("tls", what, WHY, tls);
        }
        None => {}
    }
}

/// Whether clients will be shown a certificate that is good.
fn certificate(of: &Examination, findings: &mut Findings) {
    let Some(files) = &of.config.ingress.tls else { return };
    let (what, why) = match files.end() {
        Err(what) => (what, "a server that has no certificate to show does not start"),
        Ok(end) if end < of.now.plus_millis(CERTIFICATE_ENDS) => (
            format!("the certificate in {} ends on {end}", files.certificate.display()),
            "clients refuse a server whose certificate has ended",
        ),
        Ok(_) => return,
    };
    let renew = "have it renewed, such as by certbot renew; the server reads the new one by itself";
    findings.add("tls", what, why, Command::Run(renew.into()));
}

fn backups(of: &Examination, findings: &mut Findings) {
    const WHY: &str = "a disk that fails takes with it what was written since the last backup";
    let Some(settings) = &of.backups else {
        return findings
            .left_out("backups: neither backup-directory nor --backups says where they are");
    };
    let directory = &settings.directory;
    let found = match backup::list(directory) {
        Ok(found) => found,
        Err(BackupError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Vec::new()
        }
        Err(error) => {
            let what = format!("{error}");
            findings.add("backup", what, "what is there cannot be told", Command::BackUp);
            return;
        }
    };
    if let Some(failure) = backup::last_failure(directory) {
        findings.add(
            "backup",
            format!("the backup of {} has failed: {}", failure.at, failure.why),
            WHY,
            Command::BackUp,
        );
    }
    let Some((_, newest)) = found.last() else {
        let what = format!("there is no backup in {}", directory.display());
        return findings.add("backup", what, WHY, Command::BackUp);
    };
    let most = of.config.backups.as_ref().map_or(OLDEST, |settings| {
        // The next one takes its time.
        settings.every.saturating_mul(2).max(Duration::from_mins(10))
    });
    let age = of.now.millis().saturating_sub(newest.created_at.millis());
    if age > i64::try_from(most.as_millis()).unwrap_or(i64::MAX) {
        let what =
            format!("the last backup is of {}, {} h ago", newest.created_at, age / 3_600_000);
        findings.add("backup", what, WHY, Command::BackUp);
    }
    if let Ok(room) = statvfs(directory) {
        let wanted = newest.store_bytes.saturating_add(newest.bytes);
        if free(&room) < wanted {
            findings.add(
                "backup",
                format!(
                    "the next backup needs {} MiB, and {} are free",
                    wanted >> 20,
                    free(&room) >> 20
                ),
                WHY,
                Command::Run(format!(
                    "remove old backups: guestlist backup list {}",
                    shown(directory)
                )),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for host in ["localhost", "127.0.0.1", "::1", "127.8.8.8"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["guests.example.com", "192.0.2.1", "2001:db8::1", "localhost.example.com"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
