//! Stored words and keys back into the values of the trade.

use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, SourceName, TicketId};
use guichet_domain::inbound::Party;
use guichet_domain::language::Language;
use guichet_domain::reason::Reason;
use guichet_domain::reference::Reference;
use uuid::Uuid;

use crate::error::StoreError;
use crate::sql::Row;

impl Row {
    /// Text that must be a known word.
    pub(crate) fn word<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let word: String = self.get(column)?;
        parse(&word).ok_or_else(|| StoreError::corrupt(format!("{column} holds an unknown word")))
    }

    /// An instant.
    pub(crate) fn at(&self, column: &str) -> Result<Moment, StoreError> {
        Ok(Moment::from_micros(self.get(column)?))
    }

    /// An instant, if there is one.
    pub(crate) fn maybe_at(&self, column: &str) -> Result<Option<Moment>, StoreError> {
        Ok(self.get::<Option<i64>>(column)?.map(Moment::from_micros))
    }

    /// A key.
    pub(crate) fn key<T>(&self, column: &str, make: impl Fn(Uuid) -> T) -> Result<T, StoreError> {
        Ok(make(self.get(column)?))
    }

    /// A key, if there is one.
    pub(crate) fn maybe_key<T>(&self, column: &str, make: impl Fn(Uuid) -> T) -> Result<Option<T>, StoreError> {
        Ok(self.get::<Option<Uuid>>(column)?.map(make))
    }

    /// A key of a ticket.
    pub(crate) fn ticket(&self, column: &str) -> Result<TicketId, StoreError> {
        self.key(column, TicketId)
    }

    /// A source's name.
    pub(crate) fn source(&self, column: &str) -> Result<SourceName, StoreError> {
        Ok(SourceName::new(self.get::<String>(column)?))
    }

    /// A conversation.
    pub(crate) fn conversation(&self, column: &str) -> Result<ConversationKey, StoreError> {
        Ok(ConversationKey::new(self.get::<String>(column)?))
    }

    /// A reason code, if there is one.
    pub(crate) fn maybe_reason(&self, column: &str) -> Result<Option<Reason>, StoreError> {
        Ok(self.get::<Option<String>>(column)?.map(Reason::from))
    }

    /// A language.
    pub(crate) fn language(&self, column: &str) -> Result<Language, StoreError> {
        self.word(column, Language::parse)
    }

    /// A reference.
    pub(crate) fn reference(&self, column: &str) -> Result<Reference, StoreError> {
        let digits: String = self.get(column)?;
        let digits: Vec<u8> = digits.bytes().map(|digit| digit.wrapping_sub(b'0')).collect();
        Reference::from_digits(&digits).map_err(|error| StoreError::corrupt(format!("{column}: {error}")))
    }

    /// A party of an address and a name column, if there is an address.
    pub(crate) fn party(&self, address: &str, name: &str) -> Result<Option<Party>, StoreError> {
        let address: Option<String> = self.get(address)?;
        let name = self.get(name)?;
        Ok(address.map(|address| Party { address, name }))
    }
}
