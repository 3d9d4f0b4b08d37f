//! An image for containers in the layout of OCI, put together without a daemon and without another image: the
//! program, the libraries that it is linked with, from this machine, and nothing to log in with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Release;
use super::libraries;
use super::tree::{self, Tree};
use crate::clients::succeed;

/// Who runs it: nobody whom a machine has.
pub(crate) const USER: u32 = 65532;

const STORE: &str = "var/lib/guestlist";

/// Where Debian has what a TLS client trusts.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Under which conditions the libraries may be passed on.
const LICENCES: &[&str] = &["/usr/share/doc/libc6/copyright", "/usr/share/doc/libgcc-s1/copyright"];

/// Makes the archive of the layout in `directory`, and says where it is.
pub(crate) fn make(release: &Release<'_>, directory: &Path) -> anyhow::Result<PathBuf> {
    let tree = root(release, directory.join("root"))?;
    let layer = directory.join("layer.tar");
    let mut tar = tree::tar(release.epoch);
    tar.arg(format!("--exclude=./{STORE}")).arg("--create").arg("--file").arg(&layer);
    succeed(tar.arg("--directory").arg(tree.root()).arg("."))?;
    let mut tar = tree::tar(release.epoch);
    // The later one counts.
    tar.arg(format!("--owner={USER}")).arg(format!("--group={USER}"));
    tar.args(["--append", "--no-recursion", "--file"]).arg(&layer);
    succeed(tar.arg("--directory").arg(tree.root()).arg(format!("./{STORE}")))?;
    let unpacked = tree::sha256(&layer)?;
    tree::gzip(&layer)?;
    fs::remove_dir_all(tree.root())?;

    let layout = Tree::new(directory.join("layout"))?;
    let layer = blob(&layout, &fs::read(directory.join("layer.tar.gz"))?)?;
    fs::remove_file(directory.join("layer.tar.gz"))?;
    let config = blob(&layout, config(release, &unpacked)?.to_string().as_bytes())?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [described(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
    });
    let manifest = blob(&layout, manifest.to_string().as_bytes())?;
    let mut entry = described(manifest, "application/vnd.oci.image.manifest.v1+json");
    entry["annotations"] = json!({ "org.opencontainers.image.ref.name": release.version });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    layout.put("index.json", 0o644, index.to_string())?;
    layout.put("oci-layout", 0o644, json!({ "imageLayoutVersion": "1.0.0" }).to_string())?;
    let image = directory.join(format!("guestlist-{}-oci.tar", release.version));
    let mut tar = tree::tar(release.epoch);
    tar.arg("--create").arg("--file").arg(&image);
    succeed(tar.arg("--directory").arg(layout.root()).args(["blobs", "index.json", "oci-layout"]))?;
    fs::remove_dir_all(layout.root())?;
    Ok(image)
}

/// What a container of it has as its root.
pub(crate) fn root(release: &Release<'_>, at: PathBuf) -> anyhow::Result<Tree> {
    let tree = Tree::new(at)?;
    tree.copy(&release.binary, "usr/bin/guestlist", 0o755)?;
    libraries::copy(&release.binary, &tree)?;
    let root = &release.project.root;
    for licence in ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT"] {
        tree.copy(&root.join(licence), &format!("usr/share/doc/guestlist/{licence}"), 0o644)?;
    }
    for licence in LICENCES {
        tree.copy(Path::new(licence), licence.trim_start_matches('/'), 0o644)?;
    }
    tree.copy(Path::new(AUTHORITIES), AUTHORITIES.trim_start_matches('/'), 0o644)?;
    let user = format!("guestlist:x:{USER}:");
    tree.put("etc/passwd", 0o644, format!("{user}{USER}::/{STORE}:/nonexistent\n"))?;
    tree.put("etc/group", 0o644, format!("{user}\n"))?;
    tree.put("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n")?;
    tree.directory(STORE)?;
    let shared = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(tree.directory("tmp")?, shared)?;
    Ok(tree)
}

/// How it is run. There is no health check in it, for which OCI has no word: `guestlist health` is one.
fn config(release: &Release<'_>, layer: &str) -> anyhow::Result<Value> {
    let created = super::date(release.epoch)?;
    // As Go calls them.
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    Ok(json!({
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "ExposedPorts": { "8080/tcp": {} },
            "Env": [
                format!("GUESTLIST_STORE=/{STORE}/guestlist.db"),
                "GUESTLIST_LISTEN=0.0.0.0:8080",
            ],
            "Entrypoint": ["/usr/bin/guestlist"],
            "Cmd": ["serve"],
            "Volumes": { format!("/{STORE}"): {} },
            "WorkingDir": format!("/{STORE}"),
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": "Guestlist",
                "org.opencontainers.image.version": release.version,
                "org.opencontainers.image.revision": release.commit,
                "org.opencontainers.image.licenses": "Apache-2.0 OR MIT",
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
        "history": [{ "created": created, "created_by": "cargo xtask release" }],
    }))
}

/// Adds a blob to `layout`, and gives its digest and its length.
fn blob(layout: &Tree, content: &[u8]) -> anyhow::Result<(String, usize)> {
    layout.put("blobs/sha256/new", 0o644, content)?;
    let new = layout.root().join("blobs/sha256/new");
    let digest = tree::sha256(&new)?;
    fs::rename(&new, new.with_file_name(&digest))?;
    Ok((digest, content.len()))
}

fn described((digest, size): (String, usize), kind: &str) -> Value {
    json!({ "mediaType": kind, "digest": format!("sha256:{digest}"), "size": size })
}

/// Whether this machine has what an image is made of.
pub(crate) fn missing() -> Vec<&'static str> {
    let authorities = (!Path::new(AUTHORITIES).exists()).then_some("ca-certificates");
    authorities.into_iter().collect()
}
