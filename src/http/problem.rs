//! What a request gets that cannot be carried out: one form everywhere (RFC 9457).
//!
//! A handler returns a [`Problem`]; `frame.rs` gives it its `instance` and writes it. To add a kind: a line in the table.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guichet_domain::event::Refusal;
use guichet_store::{ErrorKind, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{IntoResponses, ToSchema};

use crate::desk::DeskError;
use crate::desk::views::EntryView;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not carried out. Nothing was changed, unless the detail says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: stable, for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:guichet:problem:version-conflict")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What exactly is wrong.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Names this request; the daemon's log has a line with the same id.
    pub instance: String,
    /// The ticket's version now (version-conflict).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What came since the version that was named (version-conflict).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meanwhile: Vec<EntryView>,
    /// Seconds after which to come back (busy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u64>,
    /// For the log alone.
    #[serde(skip)]
    pub(crate) cause: Option<String>,
}

/// The kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// It cannot be read.
    Malformed,
    /// Nobody vouches for the caller.
    Unauthenticated,
    /// The caller may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The thing cannot do that.
    Method,
    /// Somebody else was quicker.
    Version,
    /// The state does not allow it.
    State,
    /// The same request is being carried out.
    KeyInProgress,
    /// The body is too large.
    TooLarge,
    /// The body is of another kind.
    MediaType,
    /// A value cannot be used.
    Invalid,
    /// The key was used for another request.
    KeyReused,
    /// A defect here.
    Internal,
    /// Not now.
    Busy,
    /// It took too long.
    Timeout,
}

impl ProblemKind {
    const fn words(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Malformed => ("malformed", 400, "The request cannot be read"),
            Self::Unauthenticated => ("unauthenticated", 401, "A valid token is needed"),
            Self::Forbidden => ("forbidden", 403, "The token does not allow this"),
            Self::NotFound => ("not-found", 404, "There is no such thing"),
            Self::Method => ("method-not-allowed", 405, "This address does not take that method"),
            Self::Version => ("version-conflict", 409, "The ticket has changed since"),
            Self::State => ("state-conflict", 409, "Its state does not allow this"),
            Self::KeyInProgress => ("key-in-progress", 409, "The same request is being carried out"),
            Self::TooLarge => ("too-large", 413, "The body is too large"),
            Self::MediaType => ("media-type", 415, "The body is of another kind than is taken here"),
            Self::Invalid => ("invalid", 422, "A value cannot be used"),
            Self::KeyReused => ("key-reused", 422, "The key was used for another request"),
            Self::Internal => ("internal", 500, "Something went wrong here"),
            Self::Busy => ("busy", 503, "Not now"),
            Self::Timeout => ("timeout", 504, "It took too long"),
        }
    }

    /// The kind that fits a bare HTTP status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::Method,
            413 => Self::TooLarge,
            415 => Self::MediaType,
            422 => Self::Invalid,
            503 => Self::Busy,
            504 | 408 => Self::Timeout,
            400..=499 => Self::Malformed,
            _ => Self::Internal,
        }
    }
}

impl Problem {
    /// A problem of a kind.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let (slug, status, title) = kind.words();
        Self {
            kind: format!("urn:guichet:problem:{slug}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            ..Self::default()
        }
    }

    /// With what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Whether it is of this kind.
    pub fn is(&self, kind: ProblemKind) -> bool {
        self.kind.strip_prefix("urn:guichet:problem:") == Some(kind.words().0)
    }

    fn busy(after: Duration, detail: impl Into<String>) -> Self {
        let secs = after.as_secs().max(1);
        let problem = Self::new(ProblemKind::Busy, detail).remedy(format!("send it again in {secs} s"));
        Self { retry_after_secs: Some(secs), ..problem }
    }

    /// The body and the headers that belong to it.
    pub(crate) fn write(&self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let mut add = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        if let Some(secs) = self.retry_after_secs {
            add(header::RETRY_AFTER, &secs.to_string());
        }
        if status == StatusCode::UNAUTHORIZED {
            add(header::WWW_AUTHENTICATE, "Bearer realm=\"guichet\"");
        }
        response
    }
}

/// Left for the frame around every request, which knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound { what, remedy } => Self::new(ProblemKind::NotFound, what).remedy(remedy),
            DeskError::State { what, remedy } => Self::new(ProblemKind::State, what).remedy(remedy),
            DeskError::Refused(Refusal::State { state, remedy }) => {
                Self::new(ProblemKind::State, format!("the ticket is {}", state.as_str())).remedy(remedy)
            }
            DeskError::Invalid { what, remedy } | DeskError::Refused(Refusal::Value { what, remedy }) => {
                Self::new(ProblemKind::Invalid, what).remedy(remedy)
            }
            DeskError::Refused(Refusal::Impossible { code, why }) => {
                Self::new(ProblemKind::State, code.explanation().to_owned()).remedy(why)
            }
            DeskError::Outdated { version, meanwhile } => {
                let detail = format!("it is at version {version} now");
                let problem =
                    Self::new(ProblemKind::Version, detail).remedy("look at what came meanwhile, then decide again");
                Self { version: Some(version), meanwhile, ..problem }
            }
            DeskError::KeyReused => {
                Self::new(ProblemKind::KeyReused, "this Idempotency-Key came with another request before")
                    .remedy("use a new key for a new request")
            }
            DeskError::KeyInProgress => {
                Self::new(ProblemKind::KeyInProgress, "a request with this Idempotency-Key has not ended yet")
                    .remedy("wait for its answer, or send it again in a moment")
            }
            DeskError::Busy { after, why } => Self::busy(after, why),
            DeskError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let problem = match error.kind() {
            ErrorKind::Busy | ErrorKind::Full | ErrorKind::ReadOnly => Self {
                remedy: Some(error.remedy().to_owned()),
                ..Self::busy(Duration::from_secs(5), "the database cannot do it now")
            },
            ErrorKind::Conflict => Self::busy(Duration::from_secs(1), "too many people change this at once"),
            ErrorKind::Newer | ErrorKind::Corrupt | ErrorKind::Other => {
                Self::new(ProblemKind::Internal, "it was not carried out").remedy("tell the operator the instance")
            }
        };
        Self { cause: Some(error.to_string()), ..problem }
    }
}

/// What every operation may answer instead of its own, for the document.
pub(crate) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response =
            ResponseBuilder::new().description("Why it was not carried out.").content(MEDIA_TYPE, content).build();
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}
