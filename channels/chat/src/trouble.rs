//! What can go wrong, in the protocol's words.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use guichet_contract::{Fault, NotAccepted};
use guichet_domain::reason::Reason;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::protocol::VERSION;
use crate::words::Words;

macro_rules! codes {
    ($($name:ident = $word:literal, $status:ident;)*) => {
        /// The codes of errors: stable words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($name),* }

        impl Code {
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// The status of an answer by HTTP.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }
        }
    };
}

codes! {
    BadFrame = "bad_frame", UNPROCESSABLE_ENTITY;
    UnknownType = "unknown_type", UNPROCESSABLE_ENTITY;
    UnsupportedVersion = "unsupported_version", UNPROCESSABLE_ENTITY;
    HelloRequired = "hello_required", UNAUTHORIZED;
    SessionUnknown = "session_unknown", UNAUTHORIZED;
    OriginNotAllowed = "origin_not_allowed", FORBIDDEN;
    IdentityInvalid = "identity_invalid", UNAUTHORIZED;
    IdentityRequired = "identity_required", UNAUTHORIZED;
    ConvUnknown = "conv_unknown", UNPROCESSABLE_ENTITY;
    NotPossible = "not_possible", UNPROCESSABLE_ENTITY;
    Empty = "empty", UNPROCESSABLE_ENTITY;
    TooLong = "too_long", UNPROCESSABLE_ENTITY;
    FormInvalid = "form_invalid", UNPROCESSABLE_ENTITY;
    FileUnknown = "file_unknown", UNPROCESSABLE_ENTITY;
    FileTooLarge = "file_too_large", PAYLOAD_TOO_LARGE;
    FileType = "file_type", UNSUPPORTED_MEDIA_TYPE;
    RateLimited = "rate_limited", TOO_MANY_REQUESTS;
    Blocked = "blocked", UNPROCESSABLE_ENTITY;
    Busy = "busy", SERVICE_UNAVAILABLE;
    NotFound = "not_found", NOT_FOUND;
    Internal = "internal", INTERNAL_SERVER_ERROR;
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a connection is ended on purpose (RFC 6455 section 7.4, and our own from 4000 on).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Close {
    TooBig = 1009,
    Restart = 1012,
    Session = 4001,
    Version = 4002,
    Identity = 4003,
    Slow = 4008,
    Crowded = 4011,
    Rate = 4029,
}

impl Close {
    pub(crate) const fn code(self) -> u16 {
        self as u16
    }

    pub(crate) fn parse(code: u16) -> Option<Self> {
        let all = [
            Self::TooBig,
            Self::Restart,
            Self::Session,
            Self::Version,
            Self::Identity,
            Self::Slow,
            Self::Crowded,
            Self::Rate,
        ];
        all.into_iter().find(|close| close.code() == code)
    }
}

/// What is wrong, by the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Fields(pub(crate) BTreeMap<String, String>);

/// An error, as the frame that tells it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Trouble {
    pub(crate) code: Code,
    /// For the visitor; until [`said`](Self::said) only what is particular to this case.
    pub(crate) message: String,
    pub(crate) fatal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conv: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<Box<Fields>>,
    #[serde(skip_serializing_if = "<[i64]>::is_empty")]
    pub(crate) supported: &'static [i64],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Box<Reason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<Box<str>>,
}

impl Trouble {
    pub(crate) fn new(code: Code) -> Self {
        Self {
            code,
            message: String::new(),
            fatal: false,
            cid: None,
            conv: None,
            retry_after_ms: None,
            fields: None,
            supported: &[],
            reason: None,
            email: None,
        }
    }

    /// A frame that cannot be read; `what` is for whoever writes the client.
    pub(crate) fn bad_frame(what: &str) -> Self {
        Self { message: what.chars().take(300).collect(), ..Self::new(Code::BadFrame) }
    }

    /// Too much of something.
    pub(crate) fn rate(wait: Duration) -> Self {
        Self { retry_after_ms: Some(millis(wait)), ..Self::new(Code::RateLimited) }
    }

    /// Fields that are filled in wrongly, with what is wrong.
    pub(crate) fn fields(fields: BTreeMap<String, String>) -> Self {
        Self { fields: Some(Box::new(Fields(fields))), ..Self::new(Code::FormInvalid) }
    }

    /// A greeting in a version that is not spoken here.
    pub(crate) fn version() -> Self {
        Self { supported: &[VERSION], fatal: true, ..Self::new(Code::UnsupportedVersion) }
    }

    /// Ends the connection.
    #[must_use]
    pub(crate) fn fatal(self) -> Self {
        Self { fatal: true, ..self }
    }

    /// Names the frame it speaks of, where it is not named yet.
    #[must_use]
    pub(crate) fn about(self, cid: Option<Uuid>, conv: Option<Uuid>) -> Self {
        Self { cid: self.cid.or(cid), conv: self.conv.or(conv), ..self }
    }

    /// Puts it into the visitor's words; `email` is the desk's address, the way out.
    #[must_use]
    pub(crate) fn said(self, words: Words, email: Option<&str>) -> Self {
        let shown = matches!(self.code, Code::RateLimited | Code::Blocked | Code::Busy);
        let email = email.filter(|_| shown).map(Box::<str>::from);
        let message = words.of_trouble(&self, email.as_deref());
        Self { message, email, ..self }
    }

    /// How the connection ends, when this is fatal.
    pub(crate) fn close(&self) -> Close {
        match self.code {
            Code::UnsupportedVersion => Close::Version,
            Code::IdentityRequired | Code::IdentityInvalid => Close::Identity,
            Code::RateLimited => Close::Rate,
            _ => Close::Session,
        }
    }
}

impl From<NotAccepted> for Trouble {
    fn from(refusal: NotAccepted) -> Self {
        match refusal {
            NotAccepted::Busy { after, .. } => Self { retry_after_ms: Some(millis(after)), ..Self::new(Code::Busy) },
            NotAccepted::Refused { .. } => Self::new(Code::NotPossible),
        }
    }
}

impl From<Fault> for Trouble {
    fn from(_: Fault) -> Self {
        // What it was is in the health report of the core; the visitor can only come back.
        Self { retry_after_ms: Some(2000), ..Self::new(Code::Busy) }
    }
}

fn millis(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1)
}
