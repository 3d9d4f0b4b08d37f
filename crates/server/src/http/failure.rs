//! How each [`Error`] looks on the wire. No other place knows.

use super::reply::Reply;
use crate::error::Error;
use guestlist_api::wire::Problem;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde_json::{Value, json};

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        let (status, kind) = kind(&error);
        let mut body = json!({ "type": kind, "message": error.to_string() });
        if let Error::Invalid(problems) = &error
            && problems.len() > 1
        {
            body["validationErrors"] = problems.iter().map(listed).collect();
        }
        if matches!(error, Error::Unknown { .. }) {
            // For programs: a 503 without it was not done.
            body["outcome"] = "unknown".into();
        }
        if matches!(error, Error::DoneBefore) {
            body["outcome"] = "done".into();
        }
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            // A violated constraint names tables and columns, which are nobody's business.
            body["message"] = "internal error".into();
            tracing::error!(cause = causes(&error), "internal error");
        }
        let reply = Self::new(status, body.to_string());
        match error {
            Error::Busy { retry_after, .. }
            | Error::Unknown { retry_after, .. }
            | Error::AccountLocked { retry_after }
            | Error::TooManyMails { retry_after } => {
                reply.with(header::RETRY_AFTER, retry_after.into())
            }
            _ if status == StatusCode::UNAUTHORIZED => {
                reply.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            _ => reply,
        }
    }
}

/// The `type` that the answer gives.
pub(super) fn type_of(error: &Error) -> &'static str {
    kind(error).1
}

/// The status and the `type` of the body.
fn kind(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::Invalid(_) | Error::Malformed(_) | Error::TooMuch => {
            (StatusCode::BAD_REQUEST, "Validation")
        }
        Error::BadCredentials | Error::TokenExpired | Error::TokenInvalid => {
            (StatusCode::UNAUTHORIZED, "Unauthorized")
        }
        Error::ReauthenticationRequired => (StatusCode::UNAUTHORIZED, "ReauthenticationRequired"),
        Error::AccountLocked { .. } => (StatusCode::TOO_MANY_REQUESTS, "AccountLocked"),
        Error::TooManyMails { .. } => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
        Error::NoToken | Error::Forbidden => (StatusCode::FORBIDDEN, "Forbidden"),
        Error::QuotaExceeded { .. } => (StatusCode::FORBIDDEN, "QuotaExceeded"),
        Error::NotFound(_) | Error::NoRoute(_) => (StatusCode::NOT_FOUND, "NotFound"),
        Error::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        Error::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "RequestTimeout"),
        Error::AlreadyExists(_) => (StatusCode::CONFLICT, "AlreadyExists"),
        Error::TokensSuspended => (StatusCode::CONFLICT, "TokensSuspended"),
        Error::SwitchedOff(_) => (StatusCode::CONFLICT, "SwitchedOff"),
        Error::LinkExpired => (StatusCode::GONE, "LinkExpired"),
        Error::DoneBefore => (StatusCode::CONFLICT, "AnswerTooLarge"),
        Error::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
        Error::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge"),
        Error::UrlTooLong { .. } => (StatusCode::URI_TOO_LONG, "URITooLong"),
        Error::UnsupportedMediaType(_) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType")
        }
        Error::TransferCoding => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        Error::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "Validation"),
        Error::HeadersTooLarge { .. } => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "HeadersTooLarge")
        }
        Error::Busy { .. } | Error::Unknown { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
        }
        Error::Taken(_) | Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Error"),
    }
}

fn listed(problem: &Problem) -> Value {
    json!({ "field": problem.field, "validationMessage": problem.rule.to_string() })
}

/// The error and everything below it, for the log.
fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_api::wire::Rule;

    fn body(error: Error) -> Value {
        serde_json::from_slice(&Reply::from(error).body).unwrap()
    }

    fn problems() -> Vec<Problem> {
        vec![
            Problem::new("experienceUser.email", Rule::Required),
            Problem::new("experienceUser.foo", Rule::Additional),
        ]
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a row for each error")]
    fn each_error_has_its_status_type_and_message() {
        for (error, status, kind, message) in [
            (Error::Malformed("m".into()), 400, "Validation", "m"),
            (Error::Invalid(problems()), 400, "Validation", "experienceUser.email is required"),
            (
                Error::TooMuch,
                400,
                "Validation",
                "The request takes more work than one may: ask with fewer conditions, for something \
                 that is in an index, or from a cursor on rather than for a page far from the first",
            ),
            (Error::BadCredentials, 401, "Unauthorized", "Unauthorized"),
            (Error::TokenExpired, 401, "Unauthorized", "Access token has expired"),
            (Error::TokenInvalid, 401, "Unauthorized", "Invalid access token"),
            (
                Error::ReauthenticationRequired,
                401,
                "ReauthenticationRequired",
                "Give the present password as currentPassword, or sign in again",
            ),
            (Error::NoToken, 403, "Forbidden", "Access is forbidden"),
            (Error::Forbidden, 403, "Forbidden", "Access is forbidden"),
            (
                Error::QuotaExceeded { what: "users", limit: 9, remedy: "delete some" },
                403,
                "QuotaExceeded",
                "The application may hold 9 users and no more: delete some",
            ),
            (Error::NotFound("Application"), 404, "NotFound", "Application was not found"),
            (Error::NoRoute("/x".into()), 404, "NotFound", "/x does not exist"),
            (Error::MethodNotAllowed("PUT".into()), 405, "MethodNotAllowed", "PUT is not allowed"),
            (
                Error::RequestTimeout,
                408,
                "RequestTimeout",
                "The request body did not arrive in time",
            ),
            (Error::AlreadyExists("a".into()), 409, "AlreadyExists", "a"),
            (
                Error::TokensSuspended,
                409,
                "TokensSuspended",
                "No token of the user is good before its cutoff, which is in the future",
            ),
            (Error::SwitchedOff("There is none"), 409, "SwitchedOff", "There is none"),
            (
                Error::LinkExpired,
                410,
                "LinkExpired",
                "The link is not good any more: ask for a new one",
            ),
            (
                Error::TooManyMails { retry_after: 9 },
                429,
                "TooManyRequests",
                "Too many mails to this address: try again in 9 s",
            ),
            (
                Error::DoneBefore,
                409,
                "AnswerTooLarge",
                "The request was done when it first came with this Idempotency-Key, and its answer was \
                 too large to store: read what it was about",
            ),
            (
                Error::PreconditionFailed,
                412,
                "PreconditionFailed",
                "The resource has changed since it was read: get it again and retry",
            ),
            (
                Error::BodyTooLarge { limit: 9 },
                413,
                "PayloadTooLarge",
                "The request body is larger than 9 bytes",
            ),
            (Error::UrlTooLong { limit: 9 }, 414, "URITooLong", "The URL is longer than 9 bytes"),
            (Error::UnsupportedMediaType("u".into()), 415, "UnsupportedMediaType", "u"),
            (
                Error::KeyReused,
                422,
                "Validation",
                "Idempotency-Key was used with a different request",
            ),
            (
                Error::HeadersTooLarge { limit: 9 },
                431,
                "HeadersTooLarge",
                "The request headers are larger than 9 bytes",
            ),
            (
                Error::TransferCoding,
                501,
                "NotImplemented",
                "The Transfer-Encoding must be chunked and nothing else",
            ),
            (
                Error::Busy { what: "The store is busy", retry_after: 2 },
                503,
                "ServiceUnavailable",
                "The store is busy: try again in 2 s",
            ),
            (
                Error::Unknown { what: "The disk failed", retry_after: 2 },
                503,
                "ServiceUnavailable",
                "The disk failed: the change may be there, as a whole, or not. Look, or send it \
                 again with the same Idempotency-Key",
            ),
            (Error::Taken("users.email".into()), 500, "Error", "internal error"),
            (Error::internal("the disk is gone"), 500, "Error", "internal error"),
        ] {
            let reply = Reply::from(error);
            assert_eq!(reply.status.as_u16(), status, "{message}");
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(body["type"], kind);
            assert_eq!(body["message"], message);
            let challenged =
                reply.headers.iter().any(|(name, _)| *name == header::WWW_AUTHENTICATE);
            assert_eq!(challenged, status == 401, "{message}");
        }
    }

    #[test]
    fn several_problems_are_listed_and_one_is_not() {
        assert_eq!(
            body(Error::Invalid(problems()))["validationErrors"],
            json!([
                {
                    "field": "experienceUser.email",
                    "validationMessage": "is required",
                },
                {
                    "field": "experienceUser.foo",
                    "validationMessage": "is an additional property",
                },
            ])
        );
        let one = body(Error::Invalid(problems().split_off(1)));
        assert_eq!(one.get("validationErrors"), None);
    }

    #[test]
    fn a_busy_server_says_when_to_come_back() {
        let reply = Reply::from(Error::Busy { what: "x", retry_after: 7 });
        assert_eq!(reply.headers, [(header::RETRY_AFTER, HeaderValue::from(7))]);
    }

    #[test]
    fn only_what_nobody_knows_says_so_to_programs() {
        let unknown = body(Error::Unknown { what: "x", retry_after: 7 });
        assert_eq!(unknown["outcome"], "unknown");
        let reply = Reply::from(Error::Unknown { what: "x", retry_after: 7 });
        assert_eq!(reply.headers, [(header::RETRY_AFTER, HeaderValue::from(7))]);
        assert_eq!(body(Error::Busy { what: "x", retry_after: 7 }).get("outcome"), None);
    }

    #[test]
    fn the_log_has_every_cause() {
        let cause = std::io::Error::other(Error::Taken("users.email".into()));
        assert_eq!(
            causes(&Error::internal(cause)),
            "internal error: unique constraint violated: users.email"
        );
    }
}
