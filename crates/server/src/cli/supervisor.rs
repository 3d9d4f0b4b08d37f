//! What is told to whoever started this process and waits to hear it, such as systemd: that it serves, and
//! that it ends. The words are those of `sd_notify(3)`.

use std::os::unix::net::UnixDatagram;

/// It serves.
pub(super) const READY: &str = "READY=1";
/// It finishes what is under way, and ends.
pub(super) const STOPPING: &str = "STOPPING=1";

/// Tells it, where there is somebody to be told.
pub(super) fn tell(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let told = UnixDatagram::unbound().and_then(|own| own.send_to(state.as_bytes(), &socket));
    if let Err(error) = told {
        tracing::warn!(%error, state, "whoever started this process cannot be told");
    }
}
