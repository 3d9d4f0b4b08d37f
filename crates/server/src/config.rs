//! What the program is told: flags beat the environment, which beats the file, which beats what is
//! usual. Only [`Config`] goes further, and it is known to be good.

use crate::auth::hasher::HasherOptions;
use crate::backup::{BackupSettings, Recipient};
use crate::http::client_address::{ClientFrom, Proxies};
use crate::http::ingress::Ingress;
use crate::http::origins::AllowedOrigins;
use crate::http::tls::TlsFiles;
use crate::mail::MailSettings;
use crate::public_url::PublicUrl;
use crate::rows::quotas::Quotas;
use crate::rows::tuning::Tuning;
use crate::store::{Address, Options, StoreUrl};
use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the store is, unless something else is said.
pub const DEFAULT_STORE: &str = "./guestlist-data/guestlist.db";
/// Where the server listens, unless something else is said.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// The file that is read, if it is there and no other is named.
const DEFAULT_FILE: &str = "guestlist.toml";

/// What flags and environment say.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CliArgs {
    /// The store itself: `sqlite:PATH`, a path, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`
    /// [default: ./guestlist-data/guestlist.db]
    #[arg(
        long,
        env = "GUESTLIST_STORE",
        hide_env_values = true,
        value_name = "URL",
        global = true,
        help_heading = "The store"
    )]
    pub store: Option<String>,
    /// A file with settings [default: guestlist.toml, if there is one]
    #[arg(
        long,
        env = "GUESTLIST_CONFIG",
        value_name = "FILE",
        global = true,
        help_heading = "The store"
    )]
    pub config: Option<PathBuf>,
    /// The URL by which clients reach this server; its host is the `iss` of tokens [default: the
    /// address it listens on]
    #[arg(long, env = "GUESTLIST_PUBLIC_URL", value_name = "URL", global = true)]
    pub public_url: Option<String>,
}

/// What a server is told beside.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ServerArgs {
    /// The address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "GUESTLIST_LISTEN", value_name = "ADDR")]
    pub listen: Option<String>,
    /// The certificate to speak TLS with, PEM, and behind it those that have signed it
    #[arg(long, env = "GUESTLIST_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, env = "GUESTLIST_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// A standby of a PostgreSQL store, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`: reads go to it
    /// while it is up to date
    #[arg(long, env = "GUESTLIST_STORE_REPLICA", value_name = "URL", hide_env_values = true)]
    pub store_replica: Option<String>,
    /// The address at which metrics are scraped, without a token: a port of this machine, or an
    /// address and a port
    #[arg(long, env = "GUESTLIST_METRICS_LISTEN", value_name = "ADDR")]
    pub metrics_listen: Option<String>,
    /// The server that takes mail to users, `smtps://USER:PASSWORD@HOST`, or `smtp://...` for STARTTLS
    #[arg(long, env = "GUESTLIST_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Whom mail to users is from, such as `Guests <guests@example.com>`
    #[arg(long, env = "GUESTLIST_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
}

/// What the file says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    store: Option<String>,
    listen: Option<String>,
    metrics_listen: Option<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    public_url: Option<String>,
    max_connections: Option<usize>,
    max_connections_per_client: Option<usize>,
    hash_workers: Option<usize>,
    max_session: Option<usize>,
    allowed_origins: Option<Vec<String>>,
    trusted_proxies: Option<Vec<String>>,
    client_from: Option<String>,
    smtp_url: Option<String>,
    mail_from: Option<String>,
    mail_directory: Option<PathBuf>,
    store_replica: Option<String>,
    must_exist: Option<bool>,
    store_readers: Option<usize>,
    store_writers: Option<usize>,
    store_read_timeout: Option<usize>,
    store_write_timeout: Option<usize>,
    store_lock_timeout: Option<usize>,
    quota_users: Option<usize>,
    quota_groups: Option<usize>,
    quota_tokens: Option<usize>,
    quota_bytes: Option<usize>,
    quota_answer_bytes: Option<usize>,
    backup_directory: Option<PathBuf>,
    backup_every: Option<usize>,
    backup_keep: Option<usize>,
    backup_recipients: Option<Vec<String>>,
    breached_passwords: Option<PathBuf>,
}

/// What to do, known to be good.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the store is.
    pub store: StoreUrl,
    /// How it is run.
    pub options: Options,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address at which metrics are scraped, if they are.
    pub metrics_listen: Option<SocketAddr>,
    /// The URL by which clients reach the server, if one was named. Its host is the `iss` of tokens.
    pub public_url: Option<PublicUrl>,
    /// The most connections at once, if it was said.
    pub max_connections: Option<usize>,
    /// The most connections of one client at once, if it was said.
    pub max_connections_per_client: Option<usize>,
    /// How passwords are hashed.
    pub hashing: HasherOptions,
    /// How long a session lasts at most, if it was said.
    pub max_session: Option<Duration>,
    /// The folder with passwords that others have lost, if one was named. It may not be there: only who serves looks.
    pub breached: Option<PathBuf>,
    /// Who may reach the server, and how.
    pub ingress: Ingress,
    /// How mails to users leave, if any do.
    pub mail: Option<MailSettings>,
    /// The backups that a server makes by itself, if it is to make any.
    pub backups: Option<BackupSettings>,
    /// Whom every backup is encrypted to, if it is.
    pub recipients: Vec<Recipient>,
}

/// How passwords are hashed, with what is not said as usual.
fn hashing(file: &File) -> HasherOptions {
    let usual = HasherOptions::default();
    HasherOptions { workers: file.hash_workers.unwrap_or(usual.workers), ..usual }
}

impl Config {
    /// Reads the file and puts everything together.
    ///
    /// # Errors
    /// When something is not good; the message names it and says what it should be.
    pub fn read(given: &CliArgs, server: &ServerArgs) -> Result<Self> {
        let file = read_file(given.config.as_deref())?;
        let listen = server.listen.as_ref().or(file.listen.as_ref());
        let metrics = server.metrics_listen.as_ref().or(file.metrics_listen.as_ref());
        let public_url = given.public_url.as_ref().or(file.public_url.as_ref());
        bounds(&file)?;
        let store = match (&given.store, &file.store) {
            (Some(text), _) => self::path(text, Path::new("")),
            // Where the command is run would be another place each time.
            (None, Some(text)) => self::path(text, &beside(given.config.as_deref())),
            (None, None) => DEFAULT_STORE.to_owned(),
        };
        let place = StoreUrl::parse(&store).map_err(|why| anyhow!("store: {why}"))?;
        let replica = server.store_replica.as_ref().or(file.store_replica.as_ref());
        Ok(Self {
            options: Options {
                replica: replica.map(|url| self::replica(url, &place)).transpose()?,
                must_exist: file.must_exist.unwrap_or_default(),
                ..options(&file)
            },
            store: place,
            listen: address(listen.map_or(DEFAULT_LISTEN, String::as_str))?,
            metrics_listen: metrics.map(|text| metrics_address(text)).transpose()?,
            public_url: public_url.map(|url| self::public_url(url)).transpose()?,
            mail: mail(given, server, &file)?,
            max_connections: file.max_connections,
            max_connections_per_client: file.max_connections_per_client,
            hashing: hashing(&file),
            max_session: file.max_session.map(seconds),
            breached: breached(&file, given.config.as_deref()),
            ingress: Ingress { tls: tls(given, server, &file)?, ..ingress(&file)? },
            backups: backups(&file, given.config.as_deref())?,
            recipients: recipients(&file)?,
        })
    }
}

/// The list of passwords that others have lost, in a folder beside the file that names it.
fn breached(file: &File, config: Option<&Path>) -> Option<PathBuf> {
    file.breached_passwords.as_ref().map(|folder| beside(config).join(home(folder)))
}

/// Whether anything says where the store is.
///
/// # Errors
/// When the file is not good.
pub fn names_store(given: &CliArgs) -> Result<bool> {
    Ok(given.store.is_some() || read_file(given.config.as_deref())?.store.is_some())
}

/// The directory of the file that is read.
fn beside(named: Option<&Path>) -> PathBuf {
    named.and_then(|named| home(named).parent().map(Path::to_owned)).unwrap_or_default()
}

/// The store that `text` names, if that is a path: below the home of whoever asks if it begins with
/// `~/`, which no shell has put there inside quotes or after `=`, and below `base` if it is relative.
pub(crate) fn path(text: &str, base: &Path) -> String {
    let (scheme, path) = match text.strip_prefix("sqlite:") {
        Some(path) => ("sqlite:", path),
        None => ("", text),
    };
    // What names a scheme, or nothing, is no path; `StoreUrl` knows what to make of it.
    let named = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let other = path.split_once(':').is_some_and(|(word, _)| word.chars().all(named));
    if path.is_empty() || scheme.is_empty() && other {
        return text.to_owned();
    }
    let path = home(Path::new(path));
    // Joined to nothing it would be the same, but for a path such as `./a`, which people know it by.
    let path = if base.as_os_str().is_empty() { path } else { base.join(path) };
    format!("{scheme}{}", path.display())
}

/// `path`, below the home of whoever asks if it begins with `~/`.
fn home(path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn read_file(named: Option<&Path>) -> Result<File> {
    let path = home(named.unwrap_or(Path::new(DEFAULT_FILE)));
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            toml::from_str(&text).with_context(|| format!("{} is not good", path.display()))
        }
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            Ok(File::default())
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// The most threads of a kind: each has connections or memory of its own, and more than these only
/// take turns.
const MOST_THREADS: usize = 256;
/// The most connections: what one address and port can have of a peer, and more than a process may.
const MOST_CONNECTIONS: usize = 65_535;
/// The longest that anything is let go on, in seconds: a day. What PostgreSQL takes ends at 24 of them.
const LONGEST: usize = 24 * 60 * 60;

/// The longest that a session may be let last, in seconds: a year.
const LONGEST_SESSION: usize = 365 * LONGEST;

/// The most that a quota may allow: what a number of JSON is sure to be exact up to.
const MOST_HELD: usize = (1 << 53) - 1;

/// The longest that two backups may be apart, in seconds: a month.
const LONGEST_BETWEEN_BACKUPS: usize = 31 * LONGEST;
/// The most backups that may be said to stay.
const MOST_BACKUPS: usize = 10_000;

/// Refuses numbers that no machine can do, by the name of the setting.
fn bounds(file: &File) -> Result<()> {
    for (name, value, most) in [
        ("max-connections", file.max_connections, MOST_CONNECTIONS),
        ("max-connections-per-client", file.max_connections_per_client, MOST_CONNECTIONS),
        ("hash-workers", file.hash_workers, MOST_THREADS),
        ("max-session", file.max_session, LONGEST_SESSION),
        ("store-readers", file.store_readers, MOST_THREADS),
        ("store-writers", file.store_writers, MOST_THREADS),
        ("store-read-timeout", file.store_read_timeout, LONGEST),
        ("store-write-timeout", file.store_write_timeout, LONGEST),
        ("store-lock-timeout", file.store_lock_timeout, LONGEST),
        ("quota-users", file.quota_users, MOST_HELD),
        ("quota-groups", file.quota_groups, MOST_HELD),
        ("quota-tokens", file.quota_tokens, MOST_HELD),
        ("quota-bytes", file.quota_bytes, MOST_HELD),
        ("quota-answer-bytes", file.quota_answer_bytes, MOST_HELD),
        ("backup-every", file.backup_every, LONGEST_BETWEEN_BACKUPS),
        ("backup-keep", file.backup_keep, MOST_BACKUPS),
    ] {
        match value {
            Some(value) if !(1..=most).contains(&value) => {
                bail!("{name} must be from 1 to {most}, not {value}");
            }
            _ => {}
        }
    }
    Ok(())
}

fn seconds(value: usize) -> Duration {
    Duration::from_secs(u64::try_from(value).unwrap_or(u64::MAX))
}

fn options(file: &File) -> Options {
    let seconds = |value: Option<usize>, usual| value.map_or(usual, seconds);
    let usual = Options::default();
    Options {
        readers: file.store_readers.unwrap_or(usual.readers),
        writers: file.store_writers.unwrap_or(usual.writers),
        read_deadline: seconds(file.store_read_timeout, usual.read_deadline),
        write_deadline: seconds(file.store_write_timeout, usual.write_deadline),
        lock_deadline: seconds(file.store_lock_timeout, usual.lock_deadline),
        extension: with_quotas(quotas(file)),
        ..usual
    }
}

fn quotas(file: &File) -> Quotas {
    let said = |value: Option<usize>| value.and_then(|value| u64::try_from(value).ok());
    let own = Quotas {
        users: said(file.quota_users),
        groups: said(file.quota_groups),
        tokens: said(file.quota_tokens),
        bytes: said(file.quota_bytes),
        answer_bytes: said(file.quota_answer_bytes),
    };
    own.or(Quotas::DEFAULT)
}

/// What a store is opened with whose applications have `quotas`. A process reads its configuration once,
/// and a store refers to this for as long as that goes on.
#[must_use]
pub fn with_quotas(quotas: Quotas) -> &'static Tuning {
    match quotas {
        Quotas::DEFAULT => &Tuning::DEFAULT,
        quotas => Box::leak(Box::new(Tuning { quotas, ..Tuning::DEFAULT })),
    }
}

/// The backups that the file at `named` asks for: a directory that is relative is beside it.
fn backups(file: &File, named: Option<&Path>) -> Result<Option<BackupSettings>> {
    let Some(directory) = &file.backup_directory else {
        if file.backup_every.is_some() || file.backup_keep.is_some() {
            bail!("backup-directory says where backups are made, and is missing");
        }
        return Ok(None);
    };
    Ok(Some(BackupSettings {
        directory: beside(named).join(home(directory)),
        every: seconds(file.backup_every.unwrap_or(LONGEST)),
        keep: file.backup_keep,
        recipients: recipients(file)?,
    }))
}

/// How mails leave: a directory that is relative is beside the file.
fn mail(given: &CliArgs, server: &ServerArgs, file: &File) -> Result<Option<MailSettings>> {
    let (url, from) = (
        server.smtp_url.as_ref().or(file.smtp_url.as_ref()),
        server.mail_from.as_ref().or(file.mail_from.as_ref()),
    );
    // What is said to this one program goes before what a file says to all.
    let directory = file.mail_directory.as_ref().filter(|_| server.smtp_url.is_none());
    let Some(from) = from else {
        if url.is_some() || directory.is_some() {
            bail!("mail-from says whom mails are from, and is missing");
        }
        return Ok(None);
    };
    let settings = match (url, directory) {
        (Some(_), Some(_)) => bail!("smtp-url and mail-directory: mails go one way, leave one out"),
        (None, None) => bail!("smtp-url says which server takes mails, and is missing"),
        (Some(url), None) => {
            MailSettings::smtp(url, from).map_err(|why| anyhow!("smtp-url, mail-from: {why}"))?
        }
        (None, Some(directory)) => {
            let directory = beside(given.config.as_deref()).join(home(directory));
            MailSettings::directory(directory, from).map_err(|why| anyhow!("mail-from: {why}"))?
        }
    };
    Ok(Some(settings))
}

fn recipients(file: &File) -> Result<Vec<Recipient>> {
    let all = file.backup_recipients.iter().flatten();
    all.map(|text| text.parse().context("backup-recipients")).collect()
}

fn ingress(file: &File) -> Result<Ingress> {
    let origins = file.allowed_origins.as_deref().map(AllowedOrigins::parse).transpose();
    let origins = origins.map_err(|why| anyhow!("allowed-origins: {why}"))?.unwrap_or_default();
    Ok(Ingress { origins, proxies: proxies(file)?, tls: None })
}

/// Where the certificate is. What the file names is beside it, as a store is.
fn tls(given: &CliArgs, server: &ServerArgs, file: &File) -> Result<Option<TlsFiles>> {
    let beside = beside(given.config.as_deref());
    let place = |said: &Option<PathBuf>, filed: &Option<PathBuf>| {
        let filed = || filed.as_deref().map(|path| beside.join(home(path)));
        said.as_deref().map(home).or_else(filed)
    };
    let certificate = place(&server.tls_cert, &file.tls_cert);
    match (certificate, place(&server.tls_key, &file.tls_key)) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("tls-cert: say in tls-key where its private key is"),
        (None, Some(_)) => bail!("tls-key: say in tls-cert where its certificate is"),
    }
}

fn proxies(file: &File) -> Result<Proxies> {
    let trusted =
        file.trusted_proxies.iter().flatten().map(|network| {
            network.parse().map_err(|why: String| anyhow!("trusted-proxies: {why}"))
        });
    let trusted: Vec<_> = trusted.collect::<Result<_>>()?;
    let client_from = file.client_from.as_deref().map_or(Ok(ClientFrom::Nothing), str::parse);
    let client_from = client_from.map_err(|why| anyhow!("client-from: {why}"))?;
    if client_from != ClientFrom::Nothing && trusted.is_empty() {
        bail!(
            "client-from: anybody can say where they are: name in trusted-proxies where the proxies are"
        );
    }
    Ok(Proxies { trusted, client_from })
}

fn replica(url: &str, of: &StoreUrl) -> Result<Address> {
    if !matches!(of, StoreUrl::Postgres(_)) {
        bail!("store-replica: only a store in PostgreSQL has one");
    }
    Address::of_replica(url).map_err(|why| anyhow!("store-replica: {why}"))
}

/// The address that `text` names.
pub(crate) fn address(text: &str) -> Result<SocketAddr> {
    let text = text.replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        let port = text.trim_start_matches(['*', ':']).parse::<u16>();
        let hint = match (port, text.parse::<IpAddr>()) {
            (Ok(port), _) => format!(
                "say 127.0.0.1:{port} for this machine alone, or 0.0.0.0:{port} for whoever reaches it"
            ),
            (_, Ok(ip)) => format!("say {}", SocketAddr::new(ip, 8080)),
            _ => format!("such as {DEFAULT_LISTEN}"),
        };
        anyhow!("listen: {text:?} is not an address and a port: {hint}")
    })
}

/// Where metrics are scraped: nobody shows a token there, so that a port alone is one of this machine.
fn metrics_address(text: &str) -> Result<SocketAddr> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let text = text.replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        anyhow!(
            "metrics-listen: {text:?} is neither a port nor an address and a port, such as 9464"
        )
    })
}

fn public_url(text: &str) -> Result<PublicUrl> {
    text.parse().map_err(|why| anyhow!("public-url: {why}"))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
