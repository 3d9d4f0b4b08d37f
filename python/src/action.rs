//! A call of an action, as the request that it is.

use crate::core::Call;
use crate::error;
use crate::to_json::{self, type_name};
use guestlist_client::{Method, Request};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple};
use std::time::Duration;

/// The switches that the official client sends with every call, and their values there.
const SWITCHES: [(&str, &str); 3] =
    [("_actions", "false"), ("_links", "true"), ("_embedded", "true")];

/// How many path parameters an action has at most.
const MOST_PATH_NAMES: usize = 3;

/// One action of the API, from the table of the package.
#[pyclass(frozen, module = "guestlist._guestlist")]
pub(crate) struct Action {
    name: String,
    method: Method,
    /// What is between the path parameters, in order: one more than there are parameters.
    literals: Vec<String>,
    path: Vec<String>,
    query: Vec<String>,
    json: Vec<String>,
    body: Option<String>,
}

#[pymethods]
impl Action {
    #[new]
    fn new(
        name: String,
        method: &str,
        path: &str,
        query: Vec<String>,
        json: Vec<String>,
        body: Option<String>,
    ) -> PyResult<Self> {
        let mut pieces = path.split('{');
        let mut literals = vec![pieces.next().unwrap_or_default().to_owned()];
        let mut names = Vec::new();
        for piece in pieces {
            let (name, literal) = piece
                .split_once('}')
                .ok_or_else(|| PyValueError::new_err(format!("{path} has a brace too many")))?;
            names.push(name.to_owned());
            literals.push(literal.to_owned());
        }
        if names.len() > MOST_PATH_NAMES {
            return Err(PyValueError::new_err(format!("{path} has too many parameters")));
        }
        Ok(Self { name, method: verb(method)?, literals, path: names, query, json, body })
    }

    /// The keywords that are in the path.
    #[getter]
    fn path_names(&self) -> Vec<String> {
        self.path.clone()
    }
}

impl Action {
    /// The request that a call with `arguments` is.
    pub(crate) fn call(&self, arguments: &Bound<'_, PyDict>, strict: bool) -> PyResult<Call> {
        let py = arguments.py();
        let mut path: [Option<String>; MOST_PATH_NAMES] = [const { None }; MOST_PATH_NAMES];
        let mut switches: [Option<Bound<'_, PyAny>>; 3] = [const { None }; 3];
        let mut query = Query(Vec::with_capacity(8));
        let mut call = Call { request: Request::new(self.method.clone(), ""), timeout: None };
        for (key, value) in arguments.iter() {
            let key = key.cast::<PyString>()?;
            let key = key.to_str()?;
            if let Some(index) = self.path.iter().position(|name| name == key) {
                path[index] = Some(segment(key, &value)?);
            } else if self.body.as_deref() == Some(key) {
                call.request.body = Some(to_json::value(&value, key)?);
            } else if self.query.iter().any(|name| name == key) {
                query.push(key, &value)?;
            } else if self.json.iter().any(|name| name == key) {
                if !value.is_none() {
                    query.pair(key, to_json::value(&value, key)?.to_string());
                }
            } else if let Some(index) = SWITCHES.iter().position(|(name, _)| *name == key) {
                switches[index] = Some(value);
            } else if !self.extra(&mut call, key, &value)? && strict {
                return Err(error::unknown_keyword(py, &self.name, key, self.keywords()));
            }
        }
        let mut target = String::with_capacity(128);
        for ((literal, name), given) in self.literals.iter().zip(&self.path).zip(path) {
            let given = given.ok_or_else(|| error::missing_argument(py, &self.name, name))?;
            target.push_str(literal);
            target.push_str(&given);
        }
        target.push_str(self.literals.last().map_or("", String::as_str));
        call.request.path = target;

        let mut sent = Query(Vec::with_capacity(3 + query.0.len()));
        for ((name, default), given) in SWITCHES.iter().zip(switches) {
            match given {
                Some(given) => sent.push(name, &given)?,
                None => sent.pair(name, *default),
            }
        }
        sent.0.append(&mut query.0);
        call.request.query = sent.0;
        Ok(call)
    }

    /// Takes a keyword that is about the request rather than the action. Says whether it is one.
    fn extra(&self, call: &mut Call, key: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Call { request, timeout } = call;
        match key {
            "timeout" => *timeout = seconds(value)?,
            "losantdomain" if value.is_none() => {}
            "losantdomain" => request.headers.push((key.to_owned(), text(key, value)?)),
            "if_match" if self.takes_if_match() => {
                if !value.is_none() {
                    request.headers.push(("If-Match".to_owned(), text(key, value)?));
                }
            }
            "idempotency_key" if self.writes() => {
                if !value.is_none() {
                    *request = request.clone().idempotency_key(text(key, value)?);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn writes(&self) -> bool {
        self.method != Method::GET
    }

    fn takes_if_match(&self) -> bool {
        self.method == Method::PATCH || self.method == Method::DELETE
    }

    /// Every keyword that it takes.
    fn keywords(&self) -> Vec<&str> {
        let own = self.path.iter().chain(&self.query).chain(&self.json).chain(&self.body);
        let mut all: Vec<&str> = own.map(String::as_str).collect();
        all.extend(SWITCHES.map(|(name, _)| name));
        all.extend(["losantdomain", "timeout"]);
        if self.takes_if_match() {
            all.push("if_match");
        }
        if self.writes() {
            all.push("idempotency_key");
        }
        all
    }
}

/// A request that no action makes.
pub(crate) fn bare(
    method: &str,
    path: &str,
    params: Option<&Bound<'_, PyDict>>,
    headers: Option<&Bound<'_, PyDict>>,
    content: Option<&Bound<'_, PyAny>>,
) -> PyResult<Call> {
    if !path.starts_with('/') {
        return Err(PyValueError::new_err("the path has to begin with a slash"));
    }
    let mut request = Request::new(verb(method)?, path);
    let mut query = Query(Vec::new());
    for (key, value) in params.into_iter().flatten() {
        query.push(key.cast::<PyString>()?.to_str()?, &value)?;
    }
    request.query = query.0;
    for (key, value) in headers.into_iter().flatten() {
        let key = text("the name of a header", &key)?;
        let value = text(&key, &value)?;
        request.headers.push((key, value));
    }
    if let Some(content) = content.filter(|content| !content.is_none()) {
        request.body = Some(to_json::value(content, "body")?);
    }
    Ok(Call { request, timeout: None })
}

/// A path parameter, encoded. What would make the path another one is refused.
fn segment(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = text(name, value)?;
    if text.is_empty() || text == "." || text == ".." {
        return Err(PyValueError::new_err(format!("{name} is {text:?}, which is no id")));
    }
    let mut encoded = String::with_capacity(text.len());
    encode(&mut encoded, &text);
    Ok(encoded)
}

fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.to_owned()),
        Err(_) => Err(PyTypeError::new_err(format!("{name} is a {}, not a str", type_name(value)))),
    }
}

/// A number of seconds; `None` is for ever.
pub(crate) fn seconds(value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let Some(seconds) = value.extract::<Option<f64>>()? else { return Ok(None) };
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(PyValueError::new_err(format!("a timeout of {seconds} seconds"))),
    }
}

fn verb(method: &str) -> PyResult<Method> {
    method
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| PyValueError::new_err(format!("{method:?} is no HTTP method")))
}

/// The parameters after the path.
struct Query(Vec<(String, String)>);

impl Query {
    /// Adds a parameter. Lists and dicts become one parameter an element, `name[key]`, and `None`
    /// none at all. A truth is `true` or `false`: of the `True` that the official client makes of
    /// it the server knows nothing, and takes it for false.
    fn push(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(text) = value.cast::<PyString>() {
            self.pair(name, text.to_str()?);
        } else if value.is_none() {
        } else if let Ok(truth) = value.cast::<PyBool>() {
            self.pair(name, if truth.is_true() { "true" } else { "false" });
        } else if let Ok(dict) = value.cast::<PyDict>() {
            for (key, value) in dict.iter() {
                self.push(&format!("{name}[{}]", key.str()?), &value)?;
            }
        } else if value.cast::<PyList>().is_ok() || value.cast::<PyTuple>().is_ok() {
            for (index, item) in value.try_iter()?.enumerate() {
                self.push(&format!("{name}[{index}]"), &item?)?;
            }
        } else {
            // Numbers, enumerations, dates and the like, as they print themselves.
            self.pair(name, value.str()?.to_str()?);
        }
        Ok(())
    }

    fn pair(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encode(out: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}
