//! What is promised of what was answered, while processes are killed, disks fail, connections are cut
//! and standbys take over.

#![expect(clippy::unwrap_used, reason = "in a test this is a failure that says where")]

mod disk;
mod faults;
mod replica;
mod torture;
