//! What leaves, as it is shown.

use guichet_domain::Moment;
use guichet_domain::ids::{DeliveryId, SourceName};
use guichet_domain::outgoing::{DeliveryState, NoticeKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ticket::{PartyView, ReasonView};
use super::words;

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// Its key: the same for every attempt.
    #[schema(value_type = String, format = "uuid")]
    pub id: DeliveryId,
    /// Its place in the order in which rows were queued.
    pub number: i64,
    /// What it is.
    #[schema(schema_with = words::notice_kind)]
    pub kind: NoticeKind,
    /// The ticket it speaks of.
    pub reference: String,
    /// By which source it leaves.
    #[schema(value_type = String)]
    pub source: SourceName,
    /// Whom it is for.
    pub to: PartyView,
    /// Where it stands.
    #[schema(schema_with = words::delivery_state)]
    pub state: DeliveryState,
    /// Why it is suppressed, refused, unknown, delayed or expired.
    pub reason: Option<ReasonView>,
    /// The network's last words.
    pub detail: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// Attempts of which nobody knows whether the network took it.
    pub doubts: i64,
    /// Not before.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Moment,
    /// Not after.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Moment,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Moment>,
    /// What the network calls it.
    pub external_id: Option<String>,
    /// Its attempts, in order; filled where one row is shown.
    pub tries: Vec<AttemptView>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptView {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Moment,
    /// When it ended; null while it runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Moment>,
    /// `sent`, `retry`, `refused`, `unknown`, `expired`, `suppressed`; null while it runs.
    pub outcome: Option<String>,
    /// The network's words.
    pub detail: Option<String>,
}

/// Rows of the outbox, the latest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryPage {
    /// The rows.
    pub deliveries: Vec<DeliveryView>,
    /// Pass it as `before` with the same filters; null on the last page.
    pub next: Option<i64>,
}
