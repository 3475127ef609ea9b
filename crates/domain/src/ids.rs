//! Names and keys, one type each, so that a ticket's key cannot be passed where a message's belongs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Gives the text back.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

key!(
    /// Key of a ticket: a UUIDv7, never shown to a requester (that is the [`Reference`](crate::reference::Reference)).
    TicketId
);
key!(
    /// Key of one item in a ticket's timeline.
    MessageId
);
key!(
    /// Key of one thing taken in: what came, whatever became of it.
    InboundId
);
key!(
    /// Key of one outbox row. Derived from ticket, kind and cause, so that deciding twice gives the same row.
    DeliveryId
);

impl DeliveryId {
    const SPACE: Uuid = Uuid::from_u128(0x7e1c_5d0a_9f43_4b8e_b0c6_2d51_8a3f_6e97);

    /// The row for `kind` about `ticket`, caused by `cause` (an inbound, a transition, an agent's action), for `recipient`: UUIDv5 (RFC 9562
    /// section 5.5). The same four always give the same id: a decision that is taken twice cannot send twice.
    pub fn derive(ticket: TicketId, kind: &str, cause: Uuid, recipient: &str) -> Self {
        let name = format!("{}/{kind}/{cause}/{recipient}", ticket.0);
        Self(Uuid::new_v5(&Self::SPACE, name.as_bytes()))
    }
}

name!(
    /// Name of a source as the operator wrote it: `support-mail`. Lower-case letters, digits and dashes.
    SourceName
);
name!(
    /// How the network itself names a thing (a folder position, a Message-ID, a snowflake). Opaque to the core: only
    /// the channel that made it reads it; kept for ever, so its form must stay readable by later versions.
    ExternalId
);
name!(
    /// What the network groups by: a mail thread, a chat session, a call. Opaque to the core.
    ConversationKey
);

/// Place of an entry among the public entries of a ticket: 1, 2, 3, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_notice_has_the_same_row_and_another_has_another() {
        let ticket = TicketId(Uuid::from_u128(1));
        let cause = Uuid::from_u128(2);
        let row = DeliveryId::derive(ticket, "acknowledgement", cause, "a@x.test");
        assert_eq!(row, DeliveryId::derive(ticket, "acknowledgement", cause, "a@x.test"));
        assert_ne!(row, DeliveryId::derive(ticket, "closure", cause, "a@x.test"));
        assert_ne!(row, DeliveryId::derive(ticket, "acknowledgement", Uuid::from_u128(3), "a@x.test"));
        assert_ne!(row, DeliveryId::derive(TicketId(Uuid::from_u128(9)), "acknowledgement", cause, "a@x.test"));
        assert_ne!(row, DeliveryId::derive(ticket, "acknowledgement", cause, "b@x.test"));
    }
}
