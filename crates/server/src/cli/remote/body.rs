//! What is sent: JSON that was given whole, and fields that were given one by one.

use super::super::secret;
use super::curl;
use super::failure::usage;
use anyhow::{Context as _, Result};
use serde_json::{Map, Value};
use std::io::Read as _;

/// Fields that no flag is for.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Data {
    /// The body as JSON, from a file with @FILE, or from standard input with -; flags beat what it
    /// says
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
}

/// More than a server takes.
const MOST: u64 = 16 << 20;

/// A body that is put together.
#[derive(Default)]
pub(super) struct Body {
    fields: Map<String, Value>,
    /// Whether standard input is used up.
    read_stdin: bool,
}

impl Data {
    /// The body so far.
    pub(super) fn read(&self) -> Result<Body> {
        let Some(data) = self.data.as_deref() else {
            return Ok(Body::default());
        };
        let text = if data == "-" {
            let mut text = String::new();
            std::io::stdin().take(MOST).read_to_string(&mut text)?;
            text
        } else if let Some(path) = data.strip_prefix('@') {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?
        } else {
            data.to_owned()
        };
        let fields = serde_json::from_str(&text)
            .map_err(|error| usage(format!("--data is not a JSON object: {error}")))?;
        Ok(Body { fields, read_stdin: data == "-" })
    }

    /// Whether anything was given.
    pub(super) const fn is_given(&self) -> bool {
        self.data.is_some()
    }
}

impl Body {
    /// With the field called `name`, if there is a value for it.
    pub(super) fn set(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.fields.insert(name.to_owned(), value.into());
        }
        self
    }

    /// With the list called `name`, if it has items.
    pub(super) fn list<T: ToString>(self, name: &str, items: &[T]) -> Self {
        let list: Vec<String> = items.iter().map(ToString::to_string).collect();
        self.set(name, (!list.is_empty()).then_some(list))
    }

    /// With the tags called `name`, each `KEY=VALUE`.
    pub(super) fn tags(self, name: &str, tags: &[String]) -> Result<Self> {
        let mut map = Map::new();
        for tag in tags {
            let (key, value) = tag
                .split_once('=')
                .ok_or_else(|| usage(format!("--tag: {tag:?} is not KEY=VALUE")))?;
            map.insert(key.to_owned(), value.into());
        }
        Ok(self.set(name, (!map.is_empty()).then_some(map)))
    }

    /// With a password: asked for, or a variable if the request is only shown.
    pub(super) fn password(self, name: &str, show: bool) -> Result<Self> {
        if self.fields.contains_key(name) {
            return Ok(self);
        }
        if show {
            return Ok(self.set(name, Some(curl::PASSWORD)));
        }
        if self.read_stdin {
            return Err(usage(
                "standard input has the body, so that it must have the password too",
            ));
        }
        let password = secret::read("Password", true)?;
        Ok(self.set(name, Some(password.as_str())))
    }

    /// What is sent.
    pub(super) fn value(self) -> Value {
        Value::Object(self.fields)
    }

    /// What is sent, if it says anything.
    pub(super) fn changes(self) -> Result<Value> {
        if self.fields.is_empty() {
            return Err(usage("there is nothing to change: say what, with a flag or with --data"));
        }
        Ok(self.value())
    }
}
