//! Python values as JSON, with no JSON module in between.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value};

/// How deep lists and objects may be in each other. A value that holds itself ends here too.
const DEEPEST: usize = 128;

/// `value` as JSON. `place` is what it is called in an error.
pub(crate) fn value(value: &Bound<'_, PyAny>, place: &str) -> PyResult<Value> {
    Reader { place, path: Vec::new() }.value(value)
}

struct Reader<'a> {
    place: &'a str,
    /// The keys and positions that lead from the top to the value being read.
    path: Vec<String>,
}

impl Reader<'_> {
    fn value(&mut self, value: &Bound<'_, PyAny>) -> PyResult<Value> {
        // The commonest first. `bool` comes before `int`, of which it is a kind.
        if let Ok(text) = value.cast::<PyString>() {
            // A lone surrogate is no text: Python says so with a UnicodeEncodeError.
            Ok(Value::String(text.to_str()?.to_owned()))
        } else if let Ok(dict) = value.cast::<PyDict>() {
            self.object(dict)
        } else if let Ok(list) = value.cast::<PyList>() {
            self.array(list.len(), list.iter())
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.array(tuple.len(), tuple.iter())
        } else if value.is_none() {
            Ok(Value::Null)
        } else if let Ok(truth) = value.cast::<PyBool>() {
            Ok(Value::Bool(truth.is_true()))
        } else if let Ok(number) = value.cast::<PyInt>() {
            let small = number.extract::<i64>().map(Number::from);
            let number = small.or_else(|_| number.extract::<u64>().map(Number::from));
            number.map(Value::Number).map_err(|_| self.wrong("an int of more than 64 bits", ""))
        } else if let Ok(number) = value.cast::<PyFloat>() {
            Number::from_f64(number.value())
                .map(Value::Number)
                .ok_or_else(|| PyValueError::new_err(format!("{} is {number}", self.here())))
        } else {
            let kind = type_name(value);
            let hint = if kind == "datetime" { ": use its isoformat()" } else { "" };
            Err(self.wrong(&format!("a {kind}"), hint))
        }
    }

    fn array<'py>(
        &mut self,
        count: usize,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
    ) -> PyResult<Value> {
        self.shallow()?;
        let mut array = Vec::with_capacity(count);
        for (index, item) in items.enumerate() {
            self.path.push(index.to_string());
            array.push(self.value(&item)?);
            self.path.pop();
        }
        Ok(Value::Array(array))
    }

    fn object(&mut self, dict: &Bound<'_, PyDict>) -> PyResult<Value> {
        self.shallow()?;
        let mut object = Map::with_capacity(dict.len());
        for (key, value) in dict.iter() {
            let Ok(name) = key.cast::<PyString>() else {
                let kind = format!("a dict with a key that is a {}", type_name(&key));
                return Err(self.wrong(&kind, ": keys are str"));
            };
            let name = name.to_str()?;
            self.path.push(name.to_owned());
            object.insert(name.to_owned(), self.value(&value)?);
            self.path.pop();
        }
        Ok(Value::Object(object))
    }

    fn shallow(&self) -> PyResult<()> {
        if self.path.len() < DEEPEST {
            return Ok(());
        }
        let text = format!("{} is more than {DEEPEST} lists and dicts deep", self.place);
        Err(PyValueError::new_err(text))
    }

    fn here(&self) -> String {
        let mut here = self.place.to_owned();
        for step in &self.path {
            here.push('.');
            here.push_str(step);
        }
        here
    }

    fn wrong(&self, kind: &str, hint: &str) -> PyErr {
        PyTypeError::new_err(format!("{} is {kind}, which is not in JSON{hint}", self.here()))
    }
}

/// What the type of `value` is called.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "thing".into(), |name| name.to_string())
}
