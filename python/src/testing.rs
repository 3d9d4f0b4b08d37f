//! The real server, inside the process of a test.

use crate::to_json;
use guestlist::testing::{self, Fault, Seen, Source};
use guestlist_api::time::DateTime;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A request that was made: milliseconds since 1970, method, path, status.
type Parts = (i64, String, String, Option<u16>);

/// A server of the test's own. It has threads of its own and touches nothing of Python.
#[pyclass(frozen, module = "guestlist._guestlist")]
pub(crate) struct TestServer {
    url: String,
    server: Mutex<Option<Arc<testing::Server>>>,
}

#[pymethods]
impl TestServer {
    /// Starts it, and returns when it is ready.
    #[new]
    fn new(py: Python<'_>, seed: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut builder = testing::Server::builder();
        if let Some(seed) = seed.filter(|seed| !seed.is_none()) {
            // A path, or what would be in the file.
            let source = match seed.cast::<PyDict>() {
                Ok(value) => Source::Value(to_json::value(value, "seed")?),
                Err(_) => Source::File(seed.extract::<PathBuf>()?),
            };
            builder = builder.seed(source);
        }
        let started = py.detach(|| builder.blocking());
        let server = started.map_err(|error| PyValueError::new_err(format!("{error:#}")))?;
        Ok(Self { url: server.url().to_owned(), server: Mutex::new(Some(Arc::new(server))) })
    }

    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    #[getter]
    fn token(&self) -> PyResult<String> {
        Ok(self.running()?.token().to_owned())
    }

    #[getter]
    fn application_id(&self) -> PyResult<String> {
        Ok(self.running()?.application_id().to_string())
    }

    #[getter]
    fn application_token(&self) -> PyResult<String> {
        Ok(self.running()?.application_token().to_owned())
    }

    #[getter]
    fn email(&self) -> PyResult<String> {
        Ok(self.running()?.email().to_owned())
    }

    fn seeded_token(&self, name: &str) -> PyResult<Option<String>> {
        Ok(self.running()?.seeded_token(name).map(str::to_owned))
    }

    fn new_application(&self, py: Python<'_>, name: &str) -> PyResult<(String, String)> {
        let server = self.running()?;
        let made = py.detach(|| server.new_application(name));
        let (id, token) = made.map_err(|error| PyValueError::new_err(format!("{error:#}")))?;
        Ok((id.to_string(), token))
    }

    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        let server = self.running()?;
        py.detach(|| server.reset()).map_err(|error| PyRuntimeError::new_err(format!("{error:#}")))
    }

    /// The time there, in milliseconds since 1970.
    fn now(&self) -> PyResult<i64> {
        Ok(self.running()?.clock().now().millis())
    }

    fn set_clock(&self, millis: i64) -> PyResult<()> {
        self.running()?.clock().set(DateTime::from_millis(millis));
        Ok(())
    }

    fn advance_clock(&self, millis: i64) -> PyResult<()> {
        self.running()?.clock().advance(millis);
        Ok(())
    }

    fn run_clock(&self) -> PyResult<()> {
        self.running()?.clock().run();
        Ok(())
    }

    fn reset_clock(&self) -> PyResult<()> {
        self.running()?.clock().reset();
        Ok(())
    }

    /// Adds a fault; `amount` is a number of seconds, for the kinds that have one.
    #[pyo3(signature = (kind, amount, times, method, path))]
    fn add_fault(
        &self,
        kind: &str,
        amount: f64,
        times: u32,
        method: Option<&str>,
        path: Option<&str>,
    ) -> PyResult<()> {
        let pause = Duration::try_from_secs_f64(amount)
            .map_err(|error| PyValueError::new_err(format!("{amount} seconds: {error}")))?;
        let seconds = u32::try_from(pause.as_secs()).unwrap_or(u32::MAX);
        let fault = match kind {
            "too_many_requests" => Fault::too_many_requests(seconds),
            "internal" => Fault::internal(),
            "unavailable" => Fault::unavailable(seconds),
            "delay" => Fault::delay(pause),
            "drop_request" => Fault::drop_request(),
            "drop_answer" => Fault::drop_answer(),
            "tear_answer" => Fault::tear_answer(),
            other => return Err(PyValueError::new_err(format!("no fault is called {other:?}"))),
        };
        let mut fault = fault.times(times);
        if let Some(method) = method {
            fault = fault.method(method);
        }
        if let Some(path) = path {
            fault = fault.path(path);
        }
        self.running()?.faults().add(fault);
        Ok(())
    }

    fn clear_faults(&self) -> PyResult<()> {
        self.running()?.faults().clear();
        Ok(())
    }

    fn faults_left(&self) -> PyResult<u64> {
        Ok(self.running()?.faults().left())
    }

    fn requests(&self) -> PyResult<Vec<Parts>> {
        let seen = self.running()?.requests();
        let parts = |seen: Seen| (seen.time.millis(), seen.method, seen.path, seen.status);
        Ok(seen.into_iter().map(parts).collect())
    }

    /// The mails to users, as JSON.
    fn mails(&self, py: Python<'_>) -> PyResult<String> {
        let server = self.running()?;
        let mails = py.detach(|| server.mails());
        let mails = mails.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        serde_json::to_string(&mails).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    /// Ends it. A second time this does nothing.
    fn stop(&self, py: Python<'_>) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(server));
    }
}

impl TestServer {
    fn running(&self) -> PyResult<Arc<testing::Server>> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        server.ok_or_else(|| PyValueError::new_err("the server has been stopped"))
    }
}
