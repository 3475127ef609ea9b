//! Why things are as they are.

use guichet_domain::Moment;
use guichet_domain::ids::InboundId;
use guichet_domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ticket::{EntryView, ReasonView, TicketView};
use super::{DeliveryView, words};

/// Every decision about a ticket, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplanationView {
    /// The ticket.
    pub ticket: TicketView,
    /// What happened and why, in order of time.
    pub steps: Vec<Step>,
}

/// One thing that happened or was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
    /// What kind of thing.
    pub kind: StepKind,
    /// In words.
    pub what: String,
    /// Why, with its stable code; null where nothing was decided.
    pub reason: Option<ReasonView>,
}

/// Kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Something came in.
    Inbound,
    /// Something was decided.
    Decision,
    /// The state changed.
    Transition,
    /// Something was queued to leave, or came to its end.
    Delivery,
    /// One try to send it.
    Attempt,
    /// Something that will happen by itself.
    Timer,
}

/// What would become of an item, all decisions included; nothing of it was kept and nothing will be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Simulation {
    /// The outcome.
    #[schema(schema_with = words::verdict)]
    pub verdict: Verdict,
    /// The row it would have had.
    #[schema(value_type = String, format = "uuid")]
    pub inbound: InboundId,
    /// Why, when it would be kept aside or is here already.
    pub reason: Option<ReasonView>,
    /// The ticket as it would be; its reference is drawn anew for a real one.
    pub ticket: Option<TicketView>,
    /// What would be added to its timeline.
    pub timeline: Vec<EntryView>,
    /// What would be sent.
    pub deliveries: Vec<DeliveryView>,
    /// Every decision in order.
    pub steps: Vec<Step>,
}
