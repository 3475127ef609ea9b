//! How the daemon and its sources do.

use guichet_domain::Moment;
use guichet_domain::ids::SourceName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the daemon can do its work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// Whether it can.
    pub ready: bool,
    /// Why not; empty when it can.
    pub reasons: Vec<String>,
    /// The version of the program.
    pub version: String,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// Free bytes where the state folder is; null when that cannot be told.
    pub disk_free_bytes: Option<u64>,
    /// Seconds the oldest due row of the outbox has waited; 0 when nothing waits.
    pub outbox_age_secs: u64,
    /// The sources by name.
    pub sources: Vec<SourceView>,
    /// The parts of the daemon that are kept running, by name; empty where only a command runs.
    pub parts: Vec<PartView>,
}

/// A part of the daemon itself and how it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartView {
    /// Its name.
    pub name: String,
    /// Whether it runs; else it waits for its restart.
    pub runs: bool,
    /// Why it fell the last time; empty when it never did.
    pub note: String,
    /// Restarts since the daemon started.
    pub restarts: u64,
}

/// A source and how it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// Its name.
    #[schema(value_type = String)]
    pub name: SourceName,
    /// The kind of channel.
    pub channel: String,
    /// Whether it listens and sends.
    pub enabled: bool,
    /// How it does.
    pub state: SourceState,
    /// What it does, or what is wrong and what to do.
    pub note: String,
    /// When it last did well.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub good_at: Option<Moment>,
    /// Seconds since then.
    pub good_age_secs: Option<u64>,
    /// Restarts since the daemon started.
    pub restarts: u64,
}

/// How a source does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Switched off, or no daemon runs it.
    Idle,
    /// Not heard of yet.
    Starting,
    /// Works.
    Good,
    /// Works; something will need attention.
    Warning,
    /// Does not work now; it tries again by itself.
    Troubled,
    /// Down until somebody acts.
    Down,
}
