//! `guestlist backup` and `guestlist restore`.

use super::progress::Progress;
use super::{Output, must_exist, table};
use crate::backup::{
    Begun, Extract, Manifest, Recipient, Scratch, Tokens, Unpacked, find, list, must_be_free,
    read_identities, scratch,
};
use crate::clock::Clock;
use crate::config::{self, CliArgs, Config, ServerArgs};
use crate::store::StoreUrl;
use anyhow::{Result, anyhow};
use guestlist_api::id::{ApplicationId, ExperienceUserId};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The directory in which the backup is made, itself made if there is none. There is to be room for the
    /// store as it is, and for the packed one
    #[arg(value_name = "DIRECTORY", required = true)]
    to: Option<PathBuf>,
    /// Encrypt it to this recipient of age, who alone can read it then; may be given several times
    /// [default: backup-recipients of the settings]
    #[arg(long = "recipient", value_name = "AGE1...")]
    recipients: Vec<Recipient>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the backups in a directory, the oldest first
    List {
        /// The directory
        #[arg(value_name = "DIRECTORY")]
        at: PathBuf,
    },
    /// Unpack a backup and read all of it, to know that it can be restored
    Verify(Look),
    /// Take one application, or one user, out of a backup into a store that is there, also beside its server
    Extract(ExtractArgs),
}

#[derive(Debug, clap::Args)]
struct ExtractArgs {
    #[command(flatten)]
    look: Look,
    /// The application
    #[arg(long, value_name = "ID")]
    application: ApplicationId,
    /// Only this user of it, who joins those that are there, and those of its groups that are
    #[arg(long, value_name = "ID")]
    user: Option<ExperienceUserId>,
    /// The store that it goes to: there is to be no such application, or no such user
    #[arg(long, env = "GUESTLIST_RESTORE_TO", hide_env_values = true, value_name = "URL")]
    to: String,
    #[command(flatten)]
    tokens: TokenArgs,
}

#[derive(Debug, clap::Args)]
struct Look {
    /// The manifest of the backup, or a directory, of which the newest is taken
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Where the store is unpacked: on a disk with room for it; at first beside where it is to be, or beside
    /// the backup
    #[arg(long, value_name = "DIRECTORY")]
    scratch: Option<PathBuf>,
    /// The file with the key of a recipient, as `age-keygen` writes it, for a backup that is encrypted
    #[arg(long, value_name = "FILE")]
    identity: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    look: Look,
    /// The store to make: a path at which there is nothing, or a database that nothing has used
    #[arg(long, env = "GUESTLIST_RESTORE_TO", hide_env_values = true, value_name = "URL")]
    to: String,
    #[command(flatten)]
    tokens: TokenArgs,
    /// Bring a store of an older version up to date
    #[arg(long)]
    upgrade: bool,
}

/// There is no default: the one is a risk, the other has everybody make new tokens.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct TokenArgs {
    /// Tokens and sessions are good as they were; those that were ended since are good again
    #[arg(long)]
    keep_tokens: bool,
    /// No token or session is good any more: the store signs by a new key
    #[arg(long)]
    end_tokens: bool,
}

impl TokenArgs {
    const fn read(&self) -> Tokens {
        if self.keep_tokens { Tokens::Keep } else { Tokens::End }
    }
}

pub(super) async fn run(args: Args, given: &CliArgs, out: Output) -> Result<()> {
    match (args.command, args.to) {
        (Some(Command::List { at }), _) => show_all(&at, out),
        (Some(Command::Verify(look)), _) => verify(look, out).await,
        (Some(Command::Extract(args)), _) => extract(args, out).await,
        (None, Some(to)) => make(&to, args.recipients, given, out).await,
        (None, None) => Err(anyhow!("give the directory in which the backup is to be made")),
    }
}

async fn make(to: &Path, recipients: Vec<Recipient>, given: &CliArgs, out: Output) -> Result<()> {
    let began = Instant::now();
    let config = Config::read(given, &ServerArgs::default())?;
    let place = config.store;
    must_exist(&place, "--store")?;
    let recipients = if recipients.is_empty() { config.recipients } else { recipients };
    let backup = Begun::begin(&place, to, &recipients, Clock::System.now())?;
    let (what, all) = backup.size().await?;
    let seen = counter();
    let copied = Progress::new(what, 0, all).of(&seen, backup.copy(Arc::clone(&seen))).await?;
    let (seen, rows) = (counter(), copied.rows().await?);
    let reading = Progress::new("rows checked", 0, rows);
    let checked = reading.of(&seen, copied.check(Arc::clone(&seen))).await?;
    let (seen, bytes) = (counter(), checked.bytes()?);
    let packed =
        Progress::new("bytes packed", 0, bytes).of(&seen, checked.pack(Arc::clone(&seen))).await?;
    let (seen, bytes) = (counter(), packed.store_bytes());
    let reading = Progress::new("bytes read back", 0, bytes);
    let (path, manifest) = reading.of(&seen, packed.finish(Arc::clone(&seen))).await?;
    let took = began.elapsed();
    let mut object = shown(&path, &manifest);
    object["seconds"] = took.as_secs_f64().into();
    out.result(&object, || {
        format!(
            "{}\n{} rows with checksum {}, {} bytes packed, in {} s; read back, and whole",
            path.display(),
            manifest.rows,
            manifest.checksum,
            manifest.bytes,
            took.as_secs()
        )
    })
}

fn counter() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(0))
}

fn shown(path: &Path, manifest: &Manifest) -> Value {
    let encryption = manifest.encryption.as_ref();
    json!({
        "backup": path.display().to_string(),
        "createdAt": manifest.created_at,
        "bytes": manifest.bytes,
        "rows": manifest.rows,
        "checksum": manifest.checksum,
        "encryptedTo": encryption.map(|encryption| &encryption.recipients),
    })
}

fn show_all(at: &Path, out: Output) -> Result<()> {
    let found = list(at)?;
    let objects: Vec<_> = found.iter().map(|(path, manifest)| shown(path, manifest)).collect();
    out.result(&objects, || {
        let rows: Vec<_> = found
            .iter()
            .map(|(path, manifest)| {
                let (rows, bytes) = (manifest.rows.to_string(), manifest.bytes.to_string());
                [path.display().to_string(), manifest.created_at.to_string(), rows, bytes]
            })
            .collect();
        table(["BACKUP", "CREATED AT", "ROWS", "BYTES"], &rows)
    })
}

/// Unpacks the backup that `look` names and reads all of it.
async fn unpack(look: Look, to: Option<&StoreUrl>, upgrade: bool) -> Result<(PathBuf, Unpacked)> {
    let (path, manifest) = find(&look.backup)?;
    Unpacked::allowed(&manifest, upgrade)?;
    let mut identities = Vec::new();
    for file in &look.identity {
        identities.extend(read_identities(file)?);
    }
    let scratch = look.scratch.map_or_else(|| scratch(to, &path), Scratch);
    let (seen, bytes, rows) = (counter(), manifest.store_bytes, manifest.rows);
    let unpacking = Unpacked::unpack(&path, manifest, scratch, identities, Arc::clone(&seen));
    let unpacked = Progress::new("bytes unpacked", 0, bytes).of(&seen, unpacking).await?;
    let seen = counter();
    let checking = unpacked.check(Arc::clone(&seen));
    Progress::new("rows checked", 0, rows).of(&seen, checking).await?;
    Ok((path, unpacked))
}

async fn verify(look: Look, out: Output) -> Result<()> {
    // One of an older version is brought up to date, which is part of what it would take to restore it.
    let (path, unpacked) = unpack(look, None, true).await?;
    let manifest = unpacked.manifest();
    out.result(&shown(&path, manifest), || {
        format!(
            "{} can be restored: {} rows with checksum {}, of {}",
            path.display(),
            manifest.rows,
            manifest.checksum,
            manifest.created_at
        )
    })
}

/// The store that `--to` names.
fn target(text: &str) -> Result<StoreUrl> {
    let to = StoreUrl::parse(&config::path(text, Path::new("")));
    to.map_err(|why| anyhow!("--to: {why}"))
}

async fn extract(args: ExtractArgs, out: Output) -> Result<()> {
    let to = target(&args.to)?;
    must_exist(&to, "--to")?;
    let what = match args.user {
        Some(user) => Extract::User(args.application, user),
        None => Extract::Application(args.application),
    };
    // The scratch is not beside the store, which somebody serves.
    let (_, unpacked) = unpack(args.look, None, true).await?;
    let at = unpacked.manifest().created_at;
    let extracted = unpacked.extract(what, &to, args.tokens.read(), Clock::System.now()).await?;
    out.result(&extracted, || {
        let gone = match extracted.groups_gone.join(", ") {
            none if none.is_empty() => String::new(),
            gone => format!("; not in these groups, which are not there any more: {gone}"),
        };
        format!("{to} has {} rows more, as they were on {at}{gone}", extracted.rows)
    })
}

pub(super) async fn restore(args: RestoreArgs, out: Output) -> Result<()> {
    let began = Instant::now();
    let to = target(&args.to)?;
    must_be_free(&to).await?;
    let tokens = args.tokens.read();
    let (path, unpacked) = unpack(args.look, Some(&to), args.upgrade).await?;
    let manifest = unpacked.manifest().clone();
    let seen = counter();
    let restoring = unpacked.restore(&to, tokens, Clock::System.now(), Arc::clone(&seen));
    let restored = Progress::new("rows copied", 0, manifest.rows).of(&seen, restoring).await?;
    let mut object = shown(&path, &manifest);
    object["store"] = to.to_string().into();
    object["rows"] = restored.rows.into();
    object["seconds"] = began.elapsed().as_secs_f64().into();
    out.result(&object, || {
        let tokens = match tokens {
            Tokens::Keep => "Tokens that were ended since are good again: end them anew.",
            Tokens::End => {
                "No token is good any more: make new ones with `guestlist token create`."
            }
        };
        format!(
            "{to} is the store of {}, with {} rows. {tokens}",
            manifest.created_at, restored.rows
        )
    })
}
