//! Whose work waits: a store that many share serves them in turn.

/// Those whose jobs share a queue, and take turns with the jobs of all others (a flow, as in fair
/// queueing). What it stands for is the caller's to say: a customer, an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow(u128);

impl Flow {
    /// What the owner of the store does, of which nobody's share is a bound.
    pub const OWN: Self = Self(0);

    /// The flow of whoever has this `id` among those of this `kind`, which begins at 1.
    #[must_use]
    pub const fn new(kind: u8, id: [u8; 12]) -> Self {
        let mut bytes = [0; 16];
        bytes[0] = kind;
        let mut at = 0;
        while at < id.len() {
            bytes[at + 4] = id[at];
            at += 1;
        }
        Self(u128::from_be_bytes(bytes))
    }
}

/// How long a job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// It finds a few rows by their keys.
    Key,
    /// It takes what it takes.
    Any,
}
