//! Receipts and the balance of what came in.

use guichet_domain::ids::SourceName;
use guichet_domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ticket::ReasonView;
use super::words;

/// What became of an item that was handed in. It is durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// The outcome.
    #[schema(schema_with = words::verdict)]
    pub verdict: Verdict,
    /// Its ticket; null when it was kept aside.
    pub reference: Option<String>,
    /// Its place in what the requester sees; 0 when it has none.
    pub seq: i64,
    /// Why, when it was kept aside.
    pub reason: Option<ReasonView>,
}

/// Whether everything that came in is accounted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reconciliation {
    /// Whether every check holds.
    pub sound: bool,
    /// Everything that was ever handed in.
    pub received: i64,
    /// By source.
    pub sources: Vec<SourceBalance>,
    /// What the sources' networks hold, by source: those that can be listed. Empty when no network was asked.
    pub upstream: Vec<Upstream>,
    /// What was checked.
    pub checks: Vec<Check>,
}

/// What came by one source: received = opened + appended + duplicate + quarantined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceBalance {
    /// The source.
    #[schema(value_type = String)]
    pub source: SourceName,
    /// The sum.
    pub received: i64,
    /// New tickets.
    pub opened: i64,
    /// Tied to existing ones.
    pub appended: i64,
    /// Here already, or our own come back.
    pub duplicate: i64,
    /// Kept aside.
    pub quarantined: i64,
}

/// What one source's network holds: held = known + missing + ahead + aside + nameless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Upstream {
    /// The source.
    #[schema(value_type = String)]
    pub source: SourceName,
    /// Everything that lies there.
    pub held: i64,
    /// Had to be taken in by now, and is here.
    pub known: i64,
    /// Had to be taken in by now, and is not here.
    pub missing: i64,
    /// Where what is missing lies, at most 100 of them.
    pub places: Vec<String>,
    /// Not taken in yet.
    pub ahead: i64,
    /// Not for us to take in: history that was left aside, what others have put there.
    pub aside: i64,
    /// Was taken in, and can be told from others no more.
    pub nameless: i64,
    /// Why its network could not be listed; the numbers are 0 then.
    pub trouble: Option<String>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// Its stable name.
    #[schema(example = "every_ticket_answered")]
    pub name: String,
    /// What must hold.
    pub rule: String,
    /// How many things break it; 0 is sound.
    pub broken: i64,
    /// Which, as far as that helps.
    pub detail: String,
}
