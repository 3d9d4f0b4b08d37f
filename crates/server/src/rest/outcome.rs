//! What handlers answer with. The type has the status and the schema, so that the table can describe
//! an answer that nobody has made yet.

use super::schemas::Schemas;
use crate::error::Result;
use crate::http::reply::Reply;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use std::marker::PhantomData;

/// What a handler answers with, so that its kind is in its type.
pub(crate) trait Output: Send {
    const STATUS: StatusCode;
    fn into_reply(self) -> Reply;
    fn describe(schemas: &mut Schemas) -> Value;
}

macro_rules! outputs {
    ($($(#[$doc:meta])* $name:ident $status:ident)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name<T>(pub(crate) Reply, pub(crate) PhantomData<fn() -> T>);

        impl<T: Serialize> $name<T> {
            /// A plain answer, not a resource.
            pub(crate) fn plain(value: &T) -> Result<Self> {
                Ok(Self(Reply::json(StatusCode::$status, value)?, PhantomData))
            }
        }

        impl<T: JsonSchema> Output for $name<T> {
            const STATUS: StatusCode = StatusCode::$status;
            fn into_reply(self) -> Reply {
                self.0
            }
            fn describe(schemas: &mut Schemas) -> Value {
                let schema = schemas.answered::<T>();
                json!({
                    "description": Self::STATUS.canonical_reason(),
                    "content": { "application/json": { "schema": schema } },
                })
            }
        }
    )*};
}

outputs! {
    /// 200.
    Okay OK
    /// 201.
    Created CREATED
    /// 202.
    Accepted ACCEPTED
}

/// 204.
pub(crate) struct NoContent;

impl Output for NoContent {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    fn into_reply(self) -> Reply {
        Reply::empty(Self::STATUS)
    }
    fn describe(_: &mut Schemas) -> Value {
        json!({ "description": "No Content" })
    }
}
