//! What a request says, read before anything else is asked: path, query, headers and body become
//! types, or the request is a 400.

use super::conditions::Conditions;
use super::schemas::Schemas;
use crate::error::{Error, Result};
use guestlist_api::entity::View;
use guestlist_api::wire::{Problem, Problems, Rule, Wire};
use hyper::HeaderMap;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A type that is the body of a request, under the name that its validation messages start with.
pub(crate) trait BodyParam: Wire {
    /// The name of the parameter, such as `experienceUser`.
    const NAME: &'static str;
}

macro_rules! bodies {
    ($($type:ty = $name:literal,)*) => {
        $(impl BodyParam for $type {
            const NAME: &'static str = $name;
        })*
    };
}
pub(crate) use bodies;

/// A body, or none (`()`).
pub(crate) trait Body: Sized + Send + 'static {
    /// The name of the parameter, if there is one.
    const NAME: Option<&'static str>;
    fn read(body: Option<Value>, at: &mut Problems) -> Option<Self>;
    fn describe(schemas: &mut Schemas) -> Option<Value>;
}

impl Body for () {
    const NAME: Option<&'static str> = None;
    fn read(_: Option<Value>, _: &mut Problems) -> Option<Self> {
        Some(())
    }
    fn describe(_: &mut Schemas) -> Option<Value> {
        None
    }
}

impl<T: BodyParam + Send + 'static> Body for T {
    const NAME: Option<&'static str> = Some(T::NAME);
    fn read(body: Option<Value>, at: &mut Problems) -> Option<Self> {
        at.nested(<T as BodyParam>::NAME, |at| match body {
            Some(body) => T::read(body, at),
            None => at.refuse(Rule::Required),
        })
    }
    fn describe(schemas: &mut Schemas) -> Option<Value> {
        let schema = schemas.read::<T>();
        Some(json!({ "required": true, "content": { "application/json": { "schema": schema } } }))
    }
}

/// A body that may be left out.
impl<T: BodyParam + Send + 'static> Body for Option<T> {
    const NAME: Option<&'static str> = Some(T::NAME);
    fn read(body: Option<Value>, at: &mut Problems) -> Option<Self> {
        match body {
            Some(body) => <T as Body>::read(Some(body), at).map(Some),
            None => Some(None),
        }
    }
    fn describe(schemas: &mut Schemas) -> Option<Value> {
        let mut body = <T as Body>::describe(schemas)?;
        body["required"] = false.into();
        Some(body)
    }
}

/// Parameters, or none (`()`, which reads anything).
pub(crate) trait Params: Sized + Send + 'static {
    fn read(given: Map<String, Value>, at: &mut Problems) -> Option<Self>;
    /// Each as OpenAPI describes it.
    fn describe(place: &str, schemas: &mut Schemas) -> Vec<Value>;
}

impl<T: Wire + Send + 'static> Params for T {
    fn read(given: Map<String, Value>, at: &mut Problems) -> Option<Self> {
        T::read(Value::Object(given), at)
    }
    fn describe(place: &str, schemas: &mut Schemas) -> Vec<Value> {
        let mut all = schemas.fields_of::<T>();
        let required = all["required"].take();
        let required =
            |name: &str| required.as_array().is_some_and(|all| all.iter().any(|it| it == name));
        let fields = all["properties"].as_object_mut().into_iter().flatten();
        fields
            .map(|(name, schema)| {
                // OpenAPI has a place of its own for what a parameter is for.
                let description = schema.as_object_mut().and_then(|it| it.remove("description"));
                json!({
                    "in": place,
                    "name": name,
                    "required": required(name),
                    "description": description.unwrap_or_default(),
                    "schema": schema,
                })
            })
            .collect()
    }
}

/// What a request says.
pub(crate) struct In<P = (), Q = (), B = ()> {
    /// The parts of its path.
    pub(crate) path: P,
    /// Its query.
    pub(crate) query: Q,
    /// Its body.
    pub(crate) body: B,
}

/// What a request says, before it is read.
pub(crate) struct Raw {
    pub(crate) path: Map<String, Value>,
    pub(crate) query: Map<String, Value>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Value>,
}

/// What any request may say, whatever it asks for.
#[derive(Debug, Default)]
pub(crate) struct Common {
    pub(crate) actions: bool,
    pub(crate) links: bool,
    pub(crate) conditions: Conditions,
    pub(crate) idempotency_key: Option<String>,
    /// Its query as it was sent, without what is blank.
    pub(crate) query: Map<String, Value>,
}

/// The header that makes a write safe to repeat.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
pub(crate) const LONGEST_KEY: usize = 255;

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = lines.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    let rule = if lines.next().is_some() {
        Cow::from("must be sent once")
    } else if visible && (1..=LONGEST_KEY).contains(&key.len()) {
        return Ok(Some(key.to_owned()));
    } else {
        format!("must be 1 to {LONGEST_KEY} visible ASCII characters without a space").into()
    };
    Err(Problem::new("Idempotency-Key", Rule::Other(rule)))
}

impl<P: Params, Q: Params, B: Body> In<P, Q, B> {
    /// Reads all of it, so that one answer tells of everything that is wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub(crate) fn read(raw: Raw) -> Result<(Self, Common)> {
        let mut at = Problems::default();
        let mut query = raw.query;
        // Blank is the same as not there.
        query.retain(|_, value| value.as_str() != Some(""));
        let path = P::read(raw.path, &mut at);
        let view = <View as Params>::read(query.clone(), &mut at);
        let sent = query.clone();
        let query = Q::read(query, &mut at);
        let body = B::read(raw.body, &mut at);
        let mut problems = at.into_found();
        let conditions = Conditions::of(&raw.headers, &mut problems);
        let key = idempotency_key(&raw.headers).map_err(|problem| problems.push(problem));
        match (path, query, body, view) {
            (Some(path), Some(query), Some(body), Some(view)) if problems.is_empty() => {
                let on = |flag: Option<guestlist_api::text::Flag>| flag.is_none_or(|flag| flag.0);
                let common = Common {
                    actions: on(view.actions),
                    links: on(view.links),
                    conditions,
                    idempotency_key: key.ok().flatten(),
                    query: sent,
                };
                Ok((Self { path, query, body }, common))
            }
            _ => Err(Error::Invalid(problems)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;
    use hyper::header::HeaderValue;

    #[test]
    fn fuzz_idempotency_key() {
        Fuzz::new("idempotency-key").words(["\n", "x".repeat(LONGEST_KEY).as_str()]).run(|bytes| {
            let mut headers = HeaderMap::new();
            for line in bytes.split(|byte| *byte == b'\n') {
                let Ok(value) = HeaderValue::from_bytes(line) else { return None };
                headers.append(IDEMPOTENCY_KEY, value);
            }
            let key = idempotency_key(&headers);
            if let Ok(key) = &key {
                let key = key.as_ref().expect("one was sent");
                assert!(key.as_bytes() == bytes && key.len() <= LONGEST_KEY && key.is_ascii());
            }
            Some(key.map(|key| key.is_some()).map_err(|problem| problem.to_string()))
        });
    }
}
