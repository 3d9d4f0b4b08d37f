//! What a client of the package stands on: it sends requests and gives answers.

use crate::action::{self, Action};
use crate::error::{self, Silence};
use crate::from_json;
use crate::mailbox::Mailbox;
use guestlist_client::{Client, Config, Error, Reply, Request, Retries, Token};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

/// How long a waiting thread does not look whether Ctrl-C was pressed.
const DEAF: Duration = Duration::from_millis(100);

/// How many connections that nobody uses are kept; so many threads wait at once seldom enough.
const IDLE_WORKERS: usize = 64;

/// A call, as it goes to the client below.
pub(crate) struct Call {
    pub(crate) request: Request,
    /// For this call alone, with everything that is tried again.
    pub(crate) timeout: Option<Duration>,
}

/// What both clients of the package stand on.
///
/// Its locks are only ever held by a thread that is attached to the interpreter. A fork is made by
/// such a thread too, so none of them can be locked in the child.
#[pyclass(frozen, module = "guestlist._guestlist")]
pub(crate) struct Core {
    settings: Mutex<Settings>,
    workers: Mutex<Vec<Worker>>,
    shared: Mutex<Option<Shared>>,
    strict: bool,
}

#[derive(Clone)]
struct Settings {
    url: String,
    token: Option<Token>,
    timeout: Duration,
    retries: u32,
    idempotency_keys: Option<bool>,
    /// Counts the changes, so that what was made before one is known.
    generation: u64,
    closed: bool,
}

/// What one waiting thread at a time uses: a connection of its own, on which the thread does the
/// work itself, so that none has to wake another.
struct Worker {
    runtime: Runtime,
    client: Client,
    made: Made,
}

/// What those that do not wait share.
#[derive(Clone)]
struct Shared {
    client: Client,
    made: Made,
}

/// When and where something was made: not for other settings, nor for another process.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Made {
    generation: u64,
    process: u32,
}

#[pymethods]
impl Core {
    #[new]
    fn new(
        url: String,
        auth_token: Option<String>,
        timeout: &Bound<'_, PyAny>,
        retries: u32,
        idempotency_keys: Option<bool>,
        strict: bool,
    ) -> PyResult<Self> {
        let settings = Settings {
            url,
            token: auth_token.map(Token::new),
            timeout: action::seconds(timeout)?.unwrap_or(Duration::MAX),
            retries,
            idempotency_keys,
            generation: 0,
            closed: false,
        };
        // What cannot work is said now and not by the first call.
        settings.client()?;
        Ok(Self {
            settings: Mutex::new(settings),
            workers: Mutex::default(),
            shared: Mutex::default(),
            strict,
        })
    }

    /// Does what `action` says, and waits for it.
    fn call<'py>(
        &self,
        action: &Bound<'py, Action>,
        arguments: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = action.get().call(arguments, self.strict)?;
        body(action.py(), &self.send(action.py(), &call)?)
    }

    /// The same, with the tag of what is answered.
    fn call_tagged<'py>(
        &self,
        action: &Bound<'py, Action>,
        arguments: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = action.get().call(arguments, self.strict)?;
        tagged(action.py(), &self.send(action.py(), &call)?)
    }

    /// Begins what `action` says. The outcome comes to `mailbox` under `number`.
    fn start(
        &self,
        action: &Bound<'_, Action>,
        arguments: &Bound<'_, PyDict>,
        tagged: bool,
        mailbox: &Bound<'_, Mailbox>,
        number: u64,
    ) -> PyResult<Pending> {
        let call = action.get().call(arguments, self.strict)?;
        self.begin(call, tagged, mailbox, number)
    }

    /// Sends a request that no action makes, and waits for the answer.
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        params: Option<&Bound<'py, PyDict>>,
        headers: Option<&Bound<'py, PyDict>>,
        content: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        body(py, &self.send(py, &action::bare(method, path, params, headers, content)?)?)
    }

    /// Begins a request that no action makes.
    #[expect(clippy::too_many_arguments, reason = "they are those of `request`, and two more")]
    fn start_request(
        &self,
        method: &str,
        path: &str,
        params: Option<&Bound<'_, PyDict>>,
        headers: Option<&Bound<'_, PyDict>>,
        content: Option<&Bound<'_, PyAny>>,
        mailbox: &Bound<'_, Mailbox>,
        number: u64,
    ) -> PyResult<Pending> {
        self.begin(action::bare(method, path, params, headers, content)?, false, mailbox, number)
    }

    #[getter]
    fn auth_token(&self) -> Option<String> {
        lock(&self.settings).token.as_ref().map(|token| token.expose().to_owned())
    }

    #[setter]
    fn set_auth_token(&self, token: Option<String>) -> PyResult<()> {
        self.change(|settings| settings.token = token.map(Token::new))
    }

    #[getter]
    fn url(&self) -> String {
        lock(&self.settings).url.clone()
    }

    #[setter]
    fn set_url(&self, url: String) -> PyResult<()> {
        self.change(|settings| settings.url = url)
    }

    #[getter]
    fn sends_idempotency_keys(&self) -> bool {
        lock(&self.settings).keys()
    }

    /// Closes the connections that nobody uses, for good.
    fn close(&self) {
        let mut settings = lock(&self.settings);
        settings.closed = true;
        settings.generation += 1;
        drop(settings);
        let process = std::process::id();
        for worker in std::mem::take(&mut *lock(&self.workers)) {
            worker.end(process);
        }
        lock(&self.shared).take();
    }
}

impl Core {
    fn change(&self, change: impl FnOnce(&mut Settings)) -> PyResult<()> {
        let mut changed = lock(&self.settings).clone();
        change(&mut changed);
        changed.generation += 1;
        changed.client()?;
        *lock(&self.settings) = changed;
        Ok(())
    }

    /// What has to be true of what is used for the next request.
    fn wanted(&self) -> PyResult<Made> {
        let settings = lock(&self.settings);
        if settings.closed {
            return Err(PyValueError::new_err("the client is closed"));
        }
        Ok(Made { generation: settings.generation, process: std::process::id() })
    }

    fn new_client(&self) -> PyResult<Client> {
        let settings = lock(&self.settings).clone();
        settings.client()
    }

    fn send(&self, py: Python<'_>, call: &Call) -> PyResult<Reply> {
        let worker = self.take()?;
        let answer = worker.send(py, call);
        self.give_back(worker);
        answer?.map_err(|error| exception(py, error))
    }

    /// A worker that nobody uses, or a new one.
    fn take(&self) -> PyResult<Worker> {
        let wanted = self.wanted()?;
        loop {
            let free = lock(&self.workers).pop();
            match free {
                Some(worker) if worker.made == wanted => return Ok(worker),
                Some(other) => other.end(wanted.process),
                None => break,
            }
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Worker { runtime, client: self.new_client()?, made: wanted })
    }

    fn give_back(&self, worker: Worker) {
        let mut workers = lock(&self.workers);
        if workers.len() < IDLE_WORKERS {
            workers.push(worker);
        }
    }

    fn begin(
        &self,
        call: Call,
        tagged: bool,
        mailbox: &Bound<'_, Mailbox>,
        number: u64,
    ) -> PyResult<Pending> {
        let wanted = self.wanted()?;
        let there = lock(&self.shared).clone().filter(|shared| shared.made == wanted);
        let client = if let Some(shared) = there {
            shared.client
        } else {
            let client = self.new_client()?;
            let shared = Shared { client: client.clone(), made: wanted };
            if let Some(old) = lock(&self.shared).replace(shared)
                && old.made.process != wanted.process
            {
                // It belongs to the parent, with the runtime that its connections are on.
                std::mem::forget(old);
            }
            client
        };
        let slot = mailbox.get().slot(number, tagged);
        let task = runtime(mailbox.py())?.spawn(async move {
            slot.fill(within(call.timeout, client.send(&call.request)).await);
        });
        Ok(Pending { task: task.abort_handle() })
    }
}

impl Settings {
    fn keys(&self) -> bool {
        self.idempotency_keys.unwrap_or_else(|| !is_hosted(&self.url))
    }

    fn client(&self) -> PyResult<Client> {
        let retries = if self.keys() { Retries::default() } else { Retries::hosted() };
        let retries = retries.attempts(self.retries.saturating_add(1));
        let config = Config::new(self.url.clone())
            .timeout(self.timeout)
            .retries(retries)
            .user_agent(concat!("guestlist-python/", env!("CARGO_PKG_VERSION")));
        let config = match &self.token {
            Some(token) => config.token(token.clone()),
            None => config,
        };
        Client::new(config).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

/// Whether this is the hosted platform, which knows nothing of `Idempotency-Key`.
fn is_hosted(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    host == "losant.com" || host.ends_with(".losant.com")
}

impl Worker {
    /// Sends a request while other threads of Python run. The outer error is an exception that has
    /// nothing to do with it: Ctrl-C.
    fn send(&self, py: Python<'_>, call: &Call) -> PyResult<Result<Reply, Error>> {
        let mut sent = pin!(within(call.timeout, self.client.send(&call.request)));
        loop {
            let wait =
                || self.runtime.block_on(async { tokio::time::timeout(DEAF, sent.as_mut()).await });
            match py.detach(wait) {
                Ok(answer) => return Ok(answer),
                Err(_) => py.check_signals()?,
            }
        }
    }

    /// Closes its connections, unless they are the parent's: to close those would reach into the
    /// parent's event queue, which the child shares.
    fn end(self, process: u32) {
        if self.made.process != process {
            std::mem::forget(self);
        }
    }
}

async fn within(
    limit: Option<Duration>,
    answer: impl Future<Output = Result<Reply, Error>>,
) -> Result<Reply, Error> {
    match limit {
        Some(limit) => {
            tokio::time::timeout(limit, answer).await.unwrap_or(Err(Error::Timeout(limit)))
        }
        None => answer.await,
    }
}

/// The runtime of those that do not wait. It is never taken down: its threads end with the process.
fn runtime(_attached: Python<'_>) -> PyResult<&'static Runtime> {
    static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);
    let process = std::process::id();
    let mut there = lock(&RUNTIME);
    match *there {
        Some((its, runtime)) if its == process => Ok(runtime),
        // None yet, or the parent's, whose threads are not in this process.
        _ => {
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("guestlist-client")
                .enable_all()
                .build()?;
            let runtime: &'static Runtime = Box::leak(Box::new(runtime));
            *there = Some((process, runtime));
            Ok(runtime)
        }
    }
}

/// Nothing is left half done by a thread that panics with one of these.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request under way.
#[pyclass(frozen, module = "guestlist._guestlist")]
pub(crate) struct Pending {
    task: AbortHandle,
}

#[pymethods]
impl Pending {
    /// Lets go of it: its connection is closed if it has been sent.
    fn cancel(&self) {
        self.task.abort();
    }
}

/// The body of an answer: what it is as JSON, or its text; `""` when there is none.
pub(crate) fn body<'py>(py: Python<'py>, reply: &Reply) -> PyResult<Bound<'py, PyAny>> {
    from_json::read(py, &reply.body)
}

pub(crate) fn tagged<'py>(py: Python<'py>, reply: &Reply) -> PyResult<Bound<'py, PyAny>> {
    (body(py, reply)?, reply.etag.as_deref()).into_bound_py_any(py)
}

pub(crate) fn exception(py: Python<'_>, error: Error) -> PyErr {
    let silence = match error {
        Error::Status { status, ref body, retry_after, .. } => {
            return match from_json::read(py, body) {
                Ok(data) => {
                    error::refused(py, status, &data, retry_after.map(|it| it.as_secs_f64()))
                }
                Err(error) => error,
            };
        }
        Error::Config(text) => return PyValueError::new_err(text),
        Error::Transport(_) => Silence::Connection,
        Error::Timeout(_) => Silence::Timeout,
        _ => Silence::Other,
    };
    error::no_answer(py, &silence, error.to_string())
}
