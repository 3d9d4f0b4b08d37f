//! The exceptions of the package, which are written in Python.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// A name of `guestlist._errors`.
fn named<'py>(
    py: Python<'py>,
    cell: &PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    cell.get_or_try_init(py, || Ok(py.import("guestlist._errors")?.getattr(name)?.unbind()))
        .map(|found| found.bind(py).clone())
}

/// Makes an exception by calling `made`; what goes wrong in that is the exception then.
fn made(made: PyResult<Bound<'_, PyAny>>) -> PyErr {
    made.map_or_else(|error| error, PyErr::from_value)
}

/// The server answered with a status of 400 or more.
pub(crate) fn refused<'py>(
    py: Python<'py>,
    status: u16,
    data: &Bound<'py, PyAny>,
    retry_after: Option<f64>,
) -> PyErr {
    static CELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    made(
        named(py, &CELL, "GuestlistError")
            .and_then(|class| class.call1((status, data, retry_after))),
    )
}

pub(crate) fn missing_argument(py: Python<'_>, action: &str, name: &str) -> PyErr {
    static CELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let text = format!("{action}() needs the keyword `{name}`");
    made(named(py, &CELL, "MissingArgument").and_then(|class| class.call1((text,))))
}

pub(crate) fn unknown_keyword(py: Python<'_>, action: &str, name: &str, known: Vec<&str>) -> PyErr {
    static CELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    made(named(py, &CELL, "unknown_keyword").and_then(|make| make.call1((action, name, known))))
}

/// There is no answer.
pub(crate) enum Silence {
    Connection,
    Timeout,
    Other,
}

pub(crate) fn no_answer(py: Python<'_>, why: &Silence, text: String) -> PyErr {
    static CONNECTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static TIMEOUT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static OTHER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let (cell, name) = match why {
        Silence::Connection => (&CONNECTION, "ConnectionFailed"),
        Silence::Timeout => (&TIMEOUT, "TimedOut"),
        Silence::Other => (&OTHER, "RequestFailed"),
    };
    made(named(py, cell, name).and_then(|class| class.cast::<PyType>()?.call1((text,))))
}
