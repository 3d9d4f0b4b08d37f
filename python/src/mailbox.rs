//! How the outcome of a request comes to an event loop.
//!
//! The threads that do the requests never attach to the interpreter: one that does when the
//! interpreter is going away takes the process down with it. They put the outcome into a box and a
//! byte into a socket, which the event loop watches as it does its own.

use crate::core::{body, exception, lock, tagged};
use guestlist_client::{Error, Reply};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

/// The outcomes for one event loop.
#[pyclass(frozen, module = "guestlist._guestlist")]
pub(crate) struct Mailbox(Arc<Post>);

struct Post {
    arrived: Mutex<Vec<(u64, Outcome)>>,
    bell: UnixStream,
    ear: UnixStream,
}

/// Where one outcome goes.
pub(crate) struct Slot {
    post: Arc<Post>,
    number: u64,
    tagged: bool,
}

/// What a request ended in.
#[pyclass(frozen, module = "guestlist._guestlist")]
pub(crate) struct Outcome {
    result: Mutex<Option<Result<Reply, Error>>>,
    tagged: bool,
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new() -> PyResult<Self> {
        let (bell, ear) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        Ok(Self(Arc::new(Post { arrived: Mutex::default(), bell, ear })))
    }

    /// What can be read when something has arrived.
    fn fileno(&self) -> i32 {
        self.0.ear.as_raw_fd()
    }

    /// What has arrived, with the numbers that it was asked for under.
    fn collect(&self) -> Vec<(u64, Outcome)> {
        // In this order: what comes in between rings again.
        let mut bytes = [0; 64];
        while matches!((&self.0.ear).read(&mut bytes), Ok(count) if count == bytes.len()) {}
        std::mem::take(&mut *lock(&self.0.arrived))
    }
}

impl Mailbox {
    pub(crate) fn slot(&self, number: u64, tagged: bool) -> Slot {
        Slot { post: Arc::clone(&self.0), number, tagged }
    }
}

impl Slot {
    pub(crate) fn fill(self, result: Result<Reply, Error>) {
        let outcome = Outcome { result: Mutex::new(Some(result)), tagged: self.tagged };
        let mut arrived = lock(&self.post.arrived);
        let first = arrived.is_empty();
        arrived.push((self.number, outcome));
        drop(arrived);
        if first {
            // There is room: no byte is left in it when the box is empty, but for a late one.
            let _ = (&self.post.bell).write(&[1]);
        }
    }
}

#[pymethods]
impl Outcome {
    /// Answers or raises it, once.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match lock(&self.result).take() {
            Some(Ok(reply)) if self.tagged => tagged(py, &reply),
            Some(Ok(reply)) => body(py, &reply),
            Some(Err(error)) => Err(exception(py, error)),
            None => Err(PyValueError::new_err("the outcome was taken before")),
        }
    }
}
