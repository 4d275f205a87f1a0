//! How the inspector answers: JSON, or why not in a sentence.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::VALUE_BYTES;

pub(super) type Answered<T> = Result<T, Unanswered>;

/// Why there is no answer: for a program, and for a person.
#[derive(Debug)]
pub(super) struct Unanswered {
    status: StatusCode,
    sentence: String,
}

impl Unanswered {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }

    pub(super) fn unauthorized(sentence: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, sentence)
    }

    pub(super) fn nothing_here() -> Self {
        Self::missing("there is nothing at this address")
    }

    pub(super) fn missing(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }

    /// It was there, and is not any more.
    pub(super) fn gone(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, sentence)
    }

    pub(super) fn bad(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    pub(super) fn too_much(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
    }

    pub(super) fn failed(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, sentence)
    }

    pub(super) fn busy() -> Self {
        let sentence = "the inspector is busy with other requests: try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, sentence)
    }

    pub(super) fn late() -> Self {
        let sentence = "it takes longer than the inspector waits: try an earlier version";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, sentence)
    }
}

impl IntoResponse for Unanswered {
    fn into_response(self) -> Response {
        let mut response = json_text(json!({ "error": self.sentence }).to_string());
        *response.status_mut() = self.status;
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// JSON that nobody keeps.
pub(super) fn json_text(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A value, or what it begins with when it is long.
pub(super) fn shortened(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= VALUE_BYTES {
        return value;
    }
    let begins = &text[..text.floor_char_boundary(VALUE_BYTES / 16)];
    json!({ "…": format!("{} bytes of JSON, beginning with", text.len()), "begins": begins })
}
