//! Whose turn it is on a processor.

/// A tenth of a processor that others want, and all of one that nobody does.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lets threads that answer go before this one, which would keep them waiting for milliseconds.
pub(super) fn give_way() {
    // Elsewhere this would be said of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "threads that hash passwords have the priority of those that answer");
    }
}
