//! The narrow waist between the core and the channels.
//!
//! A channel turns what a network speaks into [`Inbound`](guichet_domain::inbound::Inbound) items and hands them to
//! [`Intake`]; the core hands it [`Outgoing`] messages, one at a time, to [`Channel::deliver`]. Nothing else passes:
//! a channel sees no SQL and no ticket, the core knows no channel by name. `docs/CONTRACT.md` says in RFC 2119 words
//! what each side must do, and [`conformance`] checks it against every channel.

pub mod channel;
/// Only in tests: the daemon is built without the feature.
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod conversation;
pub mod holdings;
pub mod intake;
pub mod outgoing;
pub mod port;
pub mod reach;
pub mod secret;
pub mod settings;
pub mod web;

pub use channel::{Abilities, Channel, Fault, Health, Kind, SettingsError, Stop};
pub use conversation::{Acted, Conversations, FileContent, Hours, NoConversations, RequesterAct, Signal, Standing};
pub use holdings::{Held, Holdings};
pub use intake::{
    Accepted, Cursor, CursorMove, Intake, NotAccepted, Receipt, SlotValue, Staged, TimelineEntry, TimelineFile,
    Updates, Verdict,
};
pub use outgoing::{Delivery, Outgoing};
pub use port::{Departures, Port};
pub use secret::{Secret, SecretKeys};
