//! Reading JSON that is no part of the wire, in the wire's way: everything that is wrong is named
//! under its path.

use crate::error::{Error, Result};
use guestlist_api::wire::{Problems, Rule, Wire};
use serde_json::{Map, Value};

/// Reads the object called `name`, of which `read` takes every field that there may be.
///
/// # Errors
/// [`Error::Invalid`] with everything that is wrong.
pub(super) fn read<T>(
    name: &'static str,
    value: Value,
    read: impl FnOnce(&mut Map<String, Value>, &mut Problems) -> Option<T>,
) -> Result<T> {
    let mut at = Problems::default();
    let read = at.nested(name, |at| {
        let mut fields = object(value, at)?;
        let read = read(&mut fields, at);
        nothing_else(&fields, at);
        read
    });
    match read {
        Some(read) if at.count() == 0 => Ok(read),
        _ => Err(Error::Invalid(at.into_found())),
    }
}

/// The fields of an object.
pub(super) fn object(value: Value, at: &mut Problems) -> Option<Map<String, Value>> {
    match value {
        Value::Object(fields) => Some(fields),
        _ => at.refuse(Rule::WrongType),
    }
}

/// Reads the field called `name`, and takes it out.
pub(super) fn take<T: Wire>(
    fields: &mut Map<String, Value>,
    name: &'static str,
    at: &mut Problems,
) -> Option<T> {
    let value = fields.shift_remove(name)?;
    at.nested(name, |at| T::read(value, at))
}

/// The same, for what is no part of the wire.
pub(super) fn take_as<T>(
    fields: &mut Map<String, Value>,
    name: &'static str,
    at: &mut Problems,
    read: impl FnOnce(&Value, &mut Problems) -> Option<T>,
) -> Option<T> {
    let value = fields.shift_remove(name)?;
    at.nested(name, |at| read(&value, at))
}

/// The same for an object, which is empty if it is not there.
pub(super) fn part<T>(
    fields: &mut Map<String, Value>,
    name: &'static str,
    at: &mut Problems,
    read: impl FnOnce(Map<String, Value>, &mut Problems) -> Option<T>,
) -> Option<T> {
    let value = fields.shift_remove(name).unwrap_or_else(|| Value::Object(Map::new()));
    at.nested(name, |at| read(object(value, at)?, at))
}

/// The same for a list.
pub(super) fn list<T>(
    fields: &mut Map<String, Value>,
    name: &'static str,
    at: &mut Problems,
    read: impl Fn(Value, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let Some(value) = fields.shift_remove(name) else { return Vec::new() };
    at.nested(name, |at| {
        let Value::Array(items) = value else {
            at.push(Rule::WrongType);
            return Vec::new();
        };
        let each = items.into_iter().enumerate();
        each.filter_map(|(index, item)| at.nested(index.to_string(), |at| read(item, at))).collect()
    })
}

/// Refuses what nobody took.
pub(super) fn nothing_else(fields: &Map<String, Value>, at: &mut Problems) {
    for name in fields.keys() {
        at.nested(name.clone(), |at| at.push(Rule::Additional));
    }
}
