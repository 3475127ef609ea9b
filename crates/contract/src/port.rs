//! The socket by which a source is plugged into the core.

use std::sync::Arc;

use guichet_domain::ids::SourceName;
use guichet_domain::{Clock, Ids};

use crate::intake::Intake;

/// All that a source may use of the core. Cheap to clone.
#[derive(Clone)]
pub struct Port {
    /// The source's name.
    pub source: SourceName,
    /// Where requests go.
    pub intake: Arc<dyn Intake>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and randomness.
    pub ids: Arc<dyn Ids>,
}
