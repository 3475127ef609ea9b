//! The socket by which a source is plugged into the core.

use std::sync::Arc;

use guichet_domain::ids::{DeliveryId, SourceName};
use guichet_domain::{Clock, Ids};

use crate::conversation::Conversations;
use crate::intake::Intake;

type Note = dyn Fn(DeliveryId) -> Result<(), String> + Send + Sync;

/// All that a source may use of the core. Cheap to clone.
#[derive(Clone)]
pub struct Port {
    /// The source's name.
    pub source: SourceName,
    /// Where requests go.
    pub intake: Arc<dyn Intake>,
    /// The conversations people hold by this source.
    pub conversations: Arc<dyn Conversations>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and randomness.
    pub ids: Arc<dyn Ids>,
    /// Where a channel notes that a message is about to leave.
    pub departures: Departures,
}

/// Notes of what is about to leave, for the next life of a process that is killed: of the attempts it made, only those
/// noted here may have arrived. Cheap to clone; by default nobody notes.
#[derive(Clone, Default)]
pub struct Departures(Option<Arc<Note>>);

impl Departures {
    /// Notes by `note`, which must have written when it returns, and must not wait for long.
    pub fn noted_by(note: impl Fn(DeliveryId) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(note)))
    }

    /// A channel with [`Abilities::notes_departure`](crate::Abilities::notes_departure) calls this in each `deliver`, at the
    /// last moment at which the network surely has not taken the message. On an error it must not go on. Twice does no harm.
    pub fn note(&self, id: DeliveryId) -> Result<(), String> {
        self.0.as_ref().map_or(Ok(()), |note| note(id))
    }
}
