//! How a transaction ends.

use crate::error::Error;

/// What becomes of a job.
pub(super) enum Ending {
    /// It is settled, and answers by itself.
    Settled,
    /// It is undone, and this is the answer.
    Refused(Error),
    /// It is undone, and may do better another time.
    Again,
    /// It is undone, and the connection is gone.
    Lost,
    /// The connection is gone, and nobody knows whether it is kept.
    Unknown,
}
