//! The one source of chance: for names that nobody else has, and pauses that nobody else takes.

use crate::error::{Error, Result};
use std::fmt::Write as _;

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    Ok(bytes)
}

/// A name of 24 random digits.
pub(crate) fn name() -> Result<String> {
    let mut name = String::new();
    for byte in random::<12>()? {
        // Writing into a text does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    Ok(name)
}
