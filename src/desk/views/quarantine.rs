//! What is kept aside, as it is shown.

use guichet_domain::Moment;
use guichet_domain::ids::{InboundId, SourceName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ticket::ReasonView;

/// Where a quarantined item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Kept aside, to be looked at.
    #[default]
    Held,
    /// Let in after all.
    Released,
    /// Seen, and left out.
    Discarded,
}

/// One item that was kept aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuarantineItem {
    /// Its key.
    #[schema(value_type = String, format = "uuid")]
    pub id: InboundId,
    /// The source it came by.
    #[schema(value_type = String)]
    pub source: SourceName,
    /// What the source calls it.
    pub external_id: String,
    /// Where it stands.
    pub standing: Standing,
    /// Why it was kept aside.
    pub reason: Option<ReasonView>,
    /// Its writer's address, if one could be read.
    pub from: Option<String>,
    /// Its subject, if one could be read.
    pub subject: Option<String>,
    /// Octets as they came.
    pub size: i64,
    /// Whether its raw bytes are still kept.
    pub has_raw: bool,
    /// The ticket it became, when it was released.
    pub reference: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Moment,
}

/// Items that were kept aside, the latest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuarantinePage {
    /// The items.
    pub items: Vec<QuarantineItem>,
    /// Pass it as `before`; null on the last page.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub next: Option<InboundId>,
    /// How many are held in all.
    pub held: i64,
}
