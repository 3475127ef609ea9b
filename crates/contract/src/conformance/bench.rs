//! What a channel's test supplies: its network, under a script.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::channel::Channel;
use crate::outgoing::Outgoing;
use crate::port::Port;

/// How items come into a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inward {
    /// `listen` goes and gets them: a mailbox, a gateway, long polling.
    Fetches,
    /// They are pushed to it, through `routes`.
    IsGiven,
    /// It only sends.
    Nothing,
}

/// How a network takes what is sent to it, and how it answers whoever fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It works.
    Works,
    /// It is there and refuses every message for good (an unknown recipient, a forbidden text).
    Refuses,
    /// It is there and asks to come back after this time.
    AsksToWait(Duration),
    /// Nobody is there: connections are refused.
    Down,
    /// The connection dies before a message was taken.
    DiesBefore,
    /// A message is taken, and the connection dies before the answer.
    DiesAfter,
    /// Connections are taken and nothing is ever answered.
    Silent,
}

/// One message as the people on the network see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its text, decoded.
    pub text: String,
}

/// Makes networks for the suite, each new and empty.
#[async_trait]
pub trait Bench: Send {
    /// A new network that works and holds nothing.
    async fn network(&mut self) -> Arc<dyn Network>;

    /// How items come in.
    fn inward(&self) -> Inward;

    /// The secrets in the channel's settings, each at least 12 characters: none may be told to anybody but the network.
    fn secrets(&self) -> Vec<String>;

    /// How long the suite waits for a thing that must happen before it calls the rule broken.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// Whether tokio's clock is paused, so that waiting for the channel's own time limits costs nothing.
    fn clock_is_paused(&self) -> bool {
        false
    }
}

/// A network, scripted.
#[async_trait]
pub trait Network: Send + Sync {
    /// A channel on this network as the daemon makes it at its start: called again, it is the daemon started again,
    /// and what the earlier one had in memory is gone. A network that pushes mounts the channel's routes here, in the
    /// place of the earlier one's.
    async fn plug(&self, port: &Port) -> Arc<dyn Channel>;

    /// Somebody writes `text`; the suite calls the item `mark`, which stands in the text too. Answers false when this
    /// network cannot carry such a text. Does not wait for the channel.
    async fn write(&self, mark: &str, text: &str) -> bool;

    /// Offers again what was not acknowledged: pushes once more, cuts the connection, wakes a poll. A network whose
    /// channel comes back by itself does nothing.
    async fn again(&self) {}

    /// Whether the network believes that the item is taken: it will not offer it again.
    async fn acknowledged(&self, mark: &str) -> bool;

    /// Returns when [`acknowledged`](Self::acknowledged) holds. The suite sets the limit.
    async fn until_acknowledged(&self, mark: &str);

    /// Behaves so from now on. Answers false when it cannot be made to.
    async fn behave(&self, behaviour: Behaviour) -> bool;

    /// Makes a notice of the suite one that this channel can be handed: its kind, its recipient, its conversation. The
    /// text must hold the suite's text.
    fn dress(&self, notice: Outgoing) -> Outgoing {
        notice
    }

    /// All that was ever sent on it, as people see it, oldest first. A message that came twice and is recognised by
    /// its id stands here once.
    async fn shown(&self) -> Vec<Shown>;
}
