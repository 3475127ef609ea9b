//! Tickets as they are shown.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use guichet_domain::Moment;
use guichet_domain::entry::EntryKind;
use guichet_domain::event::TimerKind;
use guichet_domain::ids::{MessageId, SourceName, TicketId};
use guichet_domain::inbound::{Explained, Party};
use guichet_domain::language::Language;
use guichet_domain::priority::{Impact, Priority, Urgency};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::{Kind, State, Tier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::DeliveryView;
use super::words;

/// A ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketView {
    /// Its key; stable, never shown to requesters.
    #[schema(value_type = String, format = "uuid")]
    pub id: TicketId,
    /// The number people read aloud.
    #[schema(example = "GT-482-109-3753")]
    pub reference: String,
    /// Where it stands.
    #[schema(schema_with = words::state)]
    pub state: State,
    /// What kind of request it is.
    #[schema(schema_with = words::kind)]
    pub kind: Kind,
    /// One line; empty when the requester gave none.
    pub subject: String,
    /// The language the requester is answered in.
    #[schema(schema_with = words::language)]
    pub language: Language,
    /// The source it came by, and by which it is answered.
    #[schema(value_type = String)]
    pub source: SourceName,
    /// Who asks.
    pub requester: Option<PartyView>,
    /// Whether somebody vouched for the requester.
    pub verified: bool,
    /// Whether a machine opened it: it gets no automatic message.
    pub machine: bool,
    /// The queue it waits in.
    pub queue: String,
    /// Key of its category.
    pub category: String,
    /// How wide.
    #[schema(schema_with = words::impact)]
    pub impact: Impact,
    /// How soon.
    #[schema(schema_with = words::urgency)]
    pub urgency: Urgency,
    /// Computed from impact and urgency.
    #[schema(schema_with = words::priority)]
    pub priority: Priority,
    /// The agent it is assigned to.
    pub assignee: Option<String>,
    /// The level it is worked at.
    #[schema(schema_with = words::tier)]
    pub tier: Tier,
    /// Something an agent must look at, until an agent acts.
    pub attention: Option<ReasonView>,
    /// When an answer is promised.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub promised_at: Option<Moment>,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Moment,
    /// When an agent first wrote to the requester.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered_at: Option<Moment>,
    /// When it was last resolved.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Moment>,
    /// When it was locked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Moment>,
    /// When anything last happened.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Moment,
    /// How many times it was resolved.
    pub closures: i64,
    /// How many times it was reopened.
    pub reopened: i64,
    /// Reference of the closed ticket this one follows.
    pub follows: Option<String>,
    /// Reference of a ticket a stranger named when this one was opened.
    pub linked: Option<String>,
    /// Reference of the ticket later messages go to.
    pub merged_into: Option<String>,
    /// Grows with each change; send it back to be told when somebody else was quicker.
    pub version: i64,
}

/// Tickets, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketPage {
    /// In the order asked for.
    pub tickets: Vec<TicketView>,
    /// Pass it as `after` with the same filters; null on the last page.
    pub next: Option<String>,
}

/// A ticket with everything that happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketDetail {
    /// The ticket.
    pub ticket: TicketView,
    /// Who takes part, the requester first.
    pub participants: Vec<ParticipantView>,
    /// Its messages, notes and events, oldest first.
    pub timeline: Vec<EntryView>,
    /// Pass it as `after` to read on in the timeline; null when this is its end.
    pub next: Option<i64>,
    /// What left or is to leave, in order.
    pub deliveries: Vec<DeliveryView>,
    /// Its changes of state, in order.
    pub transitions: Vec<TransitionView>,
    /// What happens by itself, and when.
    pub timers: Vec<TimerView>,
}

/// A person or machine on a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartyView {
    /// The address; empty for agents.
    pub address: String,
    /// The name shown beside it.
    pub name: Option<String>,
}

impl From<Party> for PartyView {
    fn from(party: Party) -> Self {
        Self { address: party.address, name: party.name }
    }
}

/// Somebody who takes part in a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParticipantView {
    /// Who.
    pub party: PartyView,
    /// `requester` or `other`.
    pub role: String,
}

/// An item of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryView {
    /// Its key.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// Its place among all entries: pass it as `after` to read on behind it.
    pub number: i64,
    /// What it is.
    #[schema(schema_with = words::entry_kind)]
    pub kind: EntryKind,
    /// Its place among what the requester sees; null for notes and events.
    pub seq: Option<i64>,
    /// Who wrote it: a participant's address, an agent's name, or nobody.
    pub author: Option<PartyView>,
    /// Whether its writer was known or vouched for.
    pub verified: bool,
    /// One line, if it has one.
    pub subject: Option<String>,
    /// The text that is shown: of an inbound message the part its writer added.
    pub text: String,
    /// The whole text, when more than `text`.
    pub full_text: Option<String>,
    /// Sanitised HTML, if any.
    pub html: Option<String>,
    /// The source it came by or leaves by.
    #[schema(value_type = Option<String>)]
    pub source: Option<SourceName>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
    /// Its files.
    pub attachments: Vec<AttachmentView>,
    /// Why things were decided as they were at this entry.
    pub reasons: Vec<ReasonView>,
}

/// A file of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttachmentView {
    /// Its place among the files of its entry, from 0.
    pub position: i64,
    /// Its name.
    pub name: String,
    /// Its media type as declared by whoever sent it.
    pub media_type: String,
    /// Octets.
    pub size: i64,
}

/// Why something was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonView {
    /// The stable code.
    #[schema(value_type = String, example = "located.token")]
    pub code: Reason,
    /// What the code means.
    pub explanation: String,
    /// What it was about; may be empty.
    pub detail: String,
}

impl From<Explained> for ReasonView {
    fn from(why: Explained) -> Self {
        Self { explanation: explanation(&why.code).to_owned(), code: why.code, detail: why.detail }
    }
}

/// What a code means, whether it is the core's or a channel's; the code itself when nobody wrote it down.
fn explanation(code: &Reason) -> &str {
    static OF_CHANNELS: LazyLock<BTreeMap<&str, &str>> =
        LazyLock::new(|| guichet_channels::kinds().iter().flat_map(|kind| kind.explanations()).copied().collect());
    OF_CHANNELS.get(code.as_str()).copied().unwrap_or_else(|| code.explanation())
}

impl From<Reason> for ReasonView {
    fn from(code: Reason) -> Self {
        Explained::new(code, "").into()
    }
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransitionView {
    /// From; null when it was opened.
    #[schema(schema_with = words::maybe_state)]
    pub from: Option<State>,
    /// To.
    #[schema(schema_with = words::state)]
    pub to: State,
    /// The agent, or nobody for the requester and for timers.
    pub by: Option<String>,
    /// Why.
    pub why: ReasonView,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
}

/// What happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimerView {
    /// What for: `window` closes a resolved ticket, `promise` says that an answer is late.
    #[schema(schema_with = words::timer_kind)]
    pub kind: TimerKind,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Moment,
}
