//! File systems on which a store of SQLite is not safe.

use rustix::fs::StatFs;

/// What is known of a file system by the number that the kernel has for its kind.
const KNOWN: &[(u64, &str, &str)] = &[
    (0x6969, "NFS", NETWORK),
    (0xff53_4d42, "SMB", NETWORK),
    (0xfe53_4d42, "SMB", NETWORK),
    (0x517b, "SMB", NETWORK),
    (0x0102_1997, "9P", NETWORK),
    (0x00c3_6400, "Ceph", NETWORK),
    (0x6573_5546, "FUSE", FUSE),
    (0x0102_1994, "tmpfs", MEMORY),
    (0x8584_58f6, "ramfs", MEMORY),
    (0x794c_7630, "overlay", OVERLAY),
];

const NETWORK: &str = "locks and memory that is shared do not reach across machines, and a store is damaged without them";
const FUSE: &str =
    "whether what is synced is on a disk is for the program behind it to say, and many do not";
const MEMORY: &str = "all of it is gone with the machine";
const OVERLAY: &str = "it is the layer of a container, and all of it is gone with that";

/// What the file system is called, and why it is not good for a store, if it is not.
pub(super) fn unsafe_kind(of: &StatFs) -> Option<(&'static str, &'static str)> {
    // The type of the field differs between machines.
    #[expect(clippy::cast_sign_loss, reason = "it is a number of 32 bits, however it is signed")]
    let kind = (of.f_type as u64) & 0xffff_ffff;
    let found = KNOWN.iter().find(|(number, ..)| *number == kind);
    found.map(|(_, name, why)| (*name, *why))
}
