//! What is bound to a statement, the same for both engines.

use std::borrow::Cow;
use std::sync::Arc;

use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::reason::Reason;
use guichet_domain::reference::Reference;
use ring::digest;
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use uuid::Uuid;

use crate::error::StoreError;

/// A value for a placeholder.
#[derive(Debug, Clone)]
pub(crate) enum Value<'v> {
    /// A key: BLOB or UUID.
    Uuid(Option<Uuid>),
    /// Text.
    Text(Option<Cow<'v, str>>),
    /// A whole number or an instant.
    Int(Option<i64>),
    /// Bytes: BLOB or BYTEA.
    Bytes(Option<Cow<'v, [u8]>>),
    /// Yes or no: INTEGER or BOOLEAN.
    Bool(bool),
}

impl<'v> Value<'v> {
    /// Text from outside. PostgreSQL cannot hold U+0000 in text: it becomes U+FFFD, on both engines alike.
    pub(crate) fn text(text: impl Into<Cow<'v, str>>) -> Self {
        Self::Text(Some(without_zeros(text.into())))
    }

    /// Text from outside, or NULL.
    pub(crate) fn maybe(text: Option<&'v str>) -> Self {
        text.map_or(Self::Text(None), Self::text)
    }

    /// A key made of text from outside, short enough for an index: from 396 octets on its tail is replaced by its hash.
    pub(crate) fn key(text: &'v str) -> Self {
        Self::text(bounded(text))
    }

    /// An instant, or NULL.
    pub(crate) fn at(moment: Option<Moment>) -> Self {
        Self::Int(moment.map(Moment::micros))
    }
}

/// The values of a statement, as the driver of its engine takes them.
pub(crate) enum Bound {
    /// For SQLite.
    Sqlite(SqliteArguments),
    /// For PostgreSQL.
    Postgres(PgArguments),
}

impl Bound {
    /// Binds them.
    pub(crate) fn new(postgres: bool, values: &[Value<'_>]) -> Result<Self, StoreError> {
        Ok(if postgres { Self::Postgres(for_postgres(values)?) } else { Self::Sqlite(for_sqlite(values)?) })
    }
}

fn for_sqlite(values: &[Value<'_>]) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Value::Uuid(value) => arguments.add(*value),
            // The driver would copy a text twice; shared, it is copied once.
            Value::Text(Some(value)) => arguments.add(Arc::<str>::from(value.as_ref())),
            Value::Text(None) => arguments.add(None::<&str>),
            Value::Int(value) => arguments.add(*value),
            Value::Bytes(value) => arguments.add(value.as_deref()),
            Value::Bool(value) => arguments.add(*value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn for_postgres(values: &[Value<'_>]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Value::Uuid(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_deref()),
            Value::Int(value) => arguments.add(*value),
            Value::Bytes(value) => arguments.add(value.as_deref()),
            Value::Bool(value) => arguments.add(*value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Keys that were cut have at least so many octets.
pub(crate) const CUT: usize = 396;

/// `text`, or when it is too long for an index its first 400 octets or so and the hash of the whole.
pub(crate) fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() < CUT {
        return without_zeros(text.into());
    }
    let cut = (0..=CUT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let cut = without_zeros(text.get(..cut).unwrap_or_default().into());
    Cow::Owned(format!("{cut}#{}", data_encoding::HEXLOWER.encode(hash.as_ref())))
}

fn without_zeros(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text }
}

macro_rules! from_key {
    ($($name:ident),*) => {$(
        impl From<$name> for Value<'_> {
            fn from(key: $name) -> Self {
                Self::Uuid(Some(key.0))
            }
        }

        impl From<Option<$name>> for Value<'_> {
            fn from(key: Option<$name>) -> Self {
                Self::Uuid(key.map(|key| key.0))
            }
        }
    )*};
}

macro_rules! from_name {
    ($($name:ident),*) => {$(
        impl<'v> From<&'v $name> for Value<'v> {
            fn from(name: &'v $name) -> Self {
                Self::text(name.as_str())
            }
        }

        impl<'v> From<Option<&'v $name>> for Value<'v> {
            fn from(name: Option<&'v $name>) -> Self {
                Self::maybe(name.map($name::as_str))
            }
        }
    )*};
}

from_key!(TicketId, MessageId, InboundId, DeliveryId);
from_name!(SourceName, ConversationKey, Reason);

impl<'v> From<&'v ExternalId> for Value<'v> {
    fn from(id: &'v ExternalId) -> Self {
        Self::key(id.as_str())
    }
}

impl From<&Reference> for Value<'_> {
    fn from(reference: &Reference) -> Self {
        Self::text(reference.digits())
    }
}

impl From<Uuid> for Value<'_> {
    fn from(key: Uuid) -> Self {
        Self::Uuid(Some(key))
    }
}

impl From<Moment> for Value<'_> {
    fn from(moment: Moment) -> Self {
        Self::Int(Some(moment.micros()))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<Seq>> for Value<'_> {
    fn from(seq: Option<Seq>) -> Self {
        Self::Int(seq.map(|seq| seq.0))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(Some(Cow::Borrowed(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_index_could_hold_is_cut_and_stays_told_from_its_neighbours() {
        let (one, other) = (format!("{}1", "é".repeat(2_000)), format!("{}2", "é".repeat(2_000)));
        assert!(bounded(&one).len() <= 500);
        assert_ne!(bounded(&one), bounded(&other));
        assert_eq!(bounded("<short@x.test>"), "<short@x.test>");
    }

    #[test]
    fn a_zero_character_does_not_reach_a_database_that_cannot_hold_it() {
        let Value::Text(Some(text)) = Value::text("a\0b") else { panic!("text stays text") };
        assert_eq!(text, "a\u{fffd}b");
    }
}
