//! Reading requests, with refusals in the one form: what is wrong, and where.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Problem, ProblemKind};
use crate::desk::Repeat;

/// Longest key of a request, in characters.
const LONGEST_KEY: usize = 200;

/// A JSON body, with its bytes.
pub(super) struct Asked<T> {
    pub(super) value: T,
    pub(super) bytes: Bytes,
}

/// A query.
pub(super) struct Params<T>(pub(super) T);

/// The variable parts of the path.
pub(super) struct At<T>(pub(super) T);

/// A body that is a message as it is.
pub(super) struct Raw(pub(super) Bytes);

/// The key by which the caller tells a request from its repetition (the `Idempotency-Key` header), with the place it was
/// sent to.
pub(super) struct Key {
    key: Option<String>,
    place: String,
}

impl Key {
    /// What tells the request with this body from its repetition.
    pub(super) fn with(&self, body: &[u8]) -> Option<Repeat> {
        self.key.as_ref().map(|key| Repeat::new(key, &self.place, body))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence =
            media_type.and_then(|value| value.split(';').next()).map(|value| value.trim().to_ascii_lowercase());
        let is_json = essence.is_some_and(|essence| essence == "application/json" || essence.ends_with("+json"));
        if !is_json {
            let problem = Problem::new(ProblemKind::MediaType, "JSON is taken here");
            return Err(problem.remedy("send Content-Type: application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        let value = axum::Json::<T>::from_bytes(&bytes).map_err(|rejection| of_json(&rejection))?.0;
        Ok(Self { value, bytes })
    }
}

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| unread(&rejection))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|rejection: QueryRejection| {
            Problem::new(ProblemKind::Malformed, after_colon(&rejection.body_text()))
                .remedy("see the document for its parameters")
        })
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|rejection: PathRejection| {
            Problem::new(ProblemKind::NotFound, after_colon(&rejection.body_text())).remedy("check the address")
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let place = format!("{} {}", parts.method, parts.uri.path());
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self { key: None, place }) };
        let key = value.to_str().unwrap_or_default().trim().trim_matches('"');
        if key.is_empty() || key.chars().count() > LONGEST_KEY {
            let problem = Problem::new(ProblemKind::Malformed, "Idempotency-Key: it cannot be used");
            return Err(problem.remedy("send 1 to 200 printable ASCII characters, a UUID for one"));
        }
        Ok(Self { key: Some(key.to_owned()), place })
    }
}

fn unread(rejection: &BytesRejection) -> Problem {
    match rejection.status().as_u16() {
        413 => Problem::new(ProblemKind::TooLarge, "the body is larger than is taken here")
            .remedy("send less; [http] max_body bounds messages that are handed in"),
        _ => Problem::new(ProblemKind::Malformed, "the body ended early").remedy("send it again, whole"),
    }
}

fn of_json(rejection: &JsonRejection) -> Problem {
    let kind = match rejection {
        JsonRejection::JsonDataError(_) => ProblemKind::Invalid,
        _ => ProblemKind::Malformed,
    };
    // axum's words behind the colon: the path of the value, what is wrong, line and column.
    Problem::new(kind, after_colon(&rejection.body_text())).remedy("see /api/v1/openapi.json for its form")
}

/// The part of a message that says what is wrong, without the name of the type it was read for.
fn after_colon(words: &str) -> String {
    words.split_once(": ").map_or(words, |(_, rest)| rest).to_owned()
}
