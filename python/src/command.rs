//! The `guestlist` command, of which pip makes a script.

use pyo3::prelude::*;
use std::ffi::OsString;

/// Does what `arguments` say, of which the first is what the program is called, and answers the exit code.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| guestlist::cli::run(arguments))
}
