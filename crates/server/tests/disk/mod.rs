//! The promise about writes on a disk that fails: calls of the system that end in errors, a disk that is
//! full, files that are taken away, and power that is cut. What was answered is there. What was refused
//! as not done is not found, not even after a crash. What nobody knows is there as a whole, or not.
//!
//! Errors come from strace, and disks are images of ext4 on loop devices, which only root can mount.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod files;
mod ledger;
mod power;
mod scene;
mod space;
mod syncs;
mod writes;
