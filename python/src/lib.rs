//! The compiled half of the Python package `guestlist`.

mod action;
mod command;
mod core;
mod error;
mod from_json;
mod mailbox;
mod testing;
mod to_json;

use pyo3::prelude::*;

/// The compiled half of `guestlist`.
#[pymodule]
mod _guestlist {
    #[pymodule_export]
    use super::action::Action;
    #[pymodule_export]
    use super::command::command;
    #[pymodule_export]
    use super::core::{Core, Pending};
    #[pymodule_export]
    use super::mailbox::{Mailbox, Outcome};
    #[pymodule_export]
    use super::testing::TestServer;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
