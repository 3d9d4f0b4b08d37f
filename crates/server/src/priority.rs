//! Which threads go before which.

/// Lets threads that answer go before this one, which would keep them waiting for milliseconds: with a
/// `niceness` of 10 it has a tenth of a processor that others want, with 19 a hundredth, and all of one that
/// nobody does. `what` it does is for the log.
#[cfg(target_os = "linux")]
pub(crate) fn give_way(niceness: i32, what: &'static str) {
    if let Err(error) = rustix::process::nice(niceness) {
        tracing::warn!(%error, what, "a thread has the priority of those that answer");
    }
}

/// Does nothing: elsewhere this would be said of the whole process.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn give_way(_niceness: i32, _what: &'static str) {}
