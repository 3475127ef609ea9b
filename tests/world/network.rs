//! The networks' ends, made to fail where a channel or a daemon can: in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use guichet_contract::{
    Abilities, Accepted, Channel, Cursor, CursorMove, Delivery, Fault, Health, Holdings, Intake, NotAccepted, Outgoing,
    Port, SlotValue, Stop, TimelineEntry, Updates,
};
use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, ExternalId, Seq};
use guichet_domain::inbound::Inbound;
use tokio::sync::Notify;

/// Where something stops for ever, as it does for whoever is killed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// Before it is done.
    Before,
    /// When it is done, and nobody was told.
    After,
}

/// The handle by which a test halts what others do. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Brake(Arc<(AtomicU8, Notify)>);

impl Brake {
    /// From now on, stop there.
    pub(super) fn set(&self, halt: Halt) {
        self.0.0.store(if halt == Halt::Before { 1 } else { 2 }, Ordering::SeqCst);
    }

    /// Go on as usual. What has stopped stays so.
    pub(super) fn release(&self) {
        self.0.0.store(0, Ordering::SeqCst);
    }

    /// Returns when somebody has stopped.
    pub(super) async fn halted(&self) {
        self.0.1.notified().await;
    }

    async fn pass(&self, here: Halt) {
        let set = match self.0.0.load(Ordering::SeqCst) {
            1 => Some(Halt::Before),
            2 => Some(Halt::After),
            _ => None,
        };
        if set == Some(here) {
            self.0.1.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A channel whose deliveries can be halted.
pub(super) struct Braked {
    pub(super) channel: Arc<dyn Channel>,
    pub(super) brake: Brake,
}

#[async_trait]
impl Channel for Braked {
    fn abilities(&self) -> Abilities {
        self.channel.abilities()
    }

    fn addresses(&self) -> Vec<String> {
        self.channel.addresses()
    }

    fn events(&self) -> Option<Vec<String>> {
        self.channel.events()
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        self.channel.listen(port, stop).await
    }

    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery {
        self.brake.pass(Halt::Before).await;
        let delivery = self.channel.deliver(port, notice).await;
        self.brake.pass(Halt::After).await;
        delivery
    }

    async fn find_sent(&self, port: &Port, notice: &Outgoing) -> Result<Option<ExternalId>, Fault> {
        self.channel.find_sent(port, notice).await
    }

    async fn check(&self, port: &Port) -> Result<Vec<String>, Fault> {
        self.channel.check(port).await
    }

    async fn holdings(&self, port: &Port) -> Result<Option<Holdings>, Fault> {
        self.channel.holdings(port).await
    }

    fn read(&self, bytes: &[u8], position: &str, now: Moment) -> Option<Inbound> {
        self.channel.read(bytes, position, now)
    }
}

/// The core's end of a port, halted before or after what comes in is durable.
pub(super) struct BrakedIntake {
    pub(super) intake: Arc<dyn Intake>,
    pub(super) brake: Brake,
}

#[async_trait]
impl Intake for BrakedIntake {
    async fn accept(&self, batch: Vec<Inbound>, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        self.brake.pass(Halt::Before).await;
        let accepted = self.intake.accept(batch, moves).await;
        self.brake.pass(Halt::After).await;
        accepted
    }

    async fn cursor(&self, key: &str) -> Result<Option<Cursor>, Fault> {
        self.intake.cursor(key).await
    }

    async fn slot(&self, key: &str) -> Result<SlotValue, Fault> {
        self.intake.slot(key).await
    }

    async fn put_slot(&self, key: &str, seen: i64, value: Option<String>) -> Result<bool, Fault> {
        self.intake.put_slot(key, seen, value).await
    }

    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault> {
        self.intake.timeline(conversation, after).await
    }

    fn subscribe(&self, conversation: &ConversationKey) -> Updates {
        self.intake.subscribe(conversation)
    }

    fn report(&self, health: Health) {
        self.intake.report(health);
    }
}
