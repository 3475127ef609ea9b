//! A good channel, made bad in one way at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use guichet_contract::{
    Abilities, Accepted, Channel, Cursor, CursorMove, Delivery, Departures, Fault, Health, Held, Holdings, Intake,
    NotAccepted, Outgoing, Port, Receipt, SlotValue, Stop, TimelineEntry, Updates, Verdict,
};
use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId, Seq};
use guichet_domain::inbound::{Content, Inbound};
use guichet_testkit::PaperPost;
use uuid::Uuid;

/// What is done to the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    AcknowledgesEarly,
    TakesBusyForYes,
    ChangesIds,
    RunsAhead,
    NeverAcknowledges,
    HearsNoStop,
    LastsWhenAway,
    EndsWhenAway,
    NeverGood,
    BreaksSubjects,
    LeavesOutNul,
    ChangesAbilities,
    DeliversNothing,
    DeliversHalf,
    RepeatsShow,
    RetriesRefused,
    RefusesWhenDown,
    HidesTheWait,
    WaitsForDays,
    DeliversUnknown,
    TakesTooLong,
    LosesPermits,
    SendsTooLong,
    SplitsAtDots,
    FindsNothing,
    SendsNotAndRetries,
    LogsTheText,
    LogsTheAddress,
    TellsTheSecret,
    ChecksNothing,
    SendsWhenChecking,
    ReadsAnew,
    ShoutsAddresses,
    PanicsOnDelivery,
    PanicsOnRead,
    NotesLate,
    SendsUnnoted,
    ListsWhatNobodyTook,
    ListsNothingWhenAway,
}

use Sabotage as S;

impl Sabotage {
    /// Each with the rule it breaks.
    pub const ALL: &[(Self, &str)] = &[
        (S::AcknowledgesEarly, "C1"),
        (S::TakesBusyForYes, "C2"),
        (S::ChangesIds, "C3"),
        (S::RunsAhead, "C4"),
        (S::NeverAcknowledges, "C5"),
        (S::HearsNoStop, "C6"),
        (S::LastsWhenAway, "C7"),
        (S::EndsWhenAway, "C7"),
        (S::NeverGood, "C8"),
        (S::BreaksSubjects, "C9"),
        (S::LeavesOutNul, "C10"),
        (S::ChangesAbilities, "C11"),
        (S::DeliversNothing, "C12"),
        (S::DeliversHalf, "C12"),
        (S::RepeatsShow, "C13"),
        (S::RetriesRefused, "C14"),
        (S::RefusesWhenDown, "C15"),
        (S::HidesTheWait, "C16"),
        (S::WaitsForDays, "C16"),
        (S::DeliversUnknown, "C17"),
        (S::TakesTooLong, "C18"),
        (S::LosesPermits, "C19"),
        (S::SendsTooLong, "C20"),
        (S::SplitsAtDots, "C21"),
        (S::FindsNothing, "C22"),
        (S::SendsNotAndRetries, "C23"),
        (S::LogsTheText, "C24"),
        (S::LogsTheAddress, "C24"),
        (S::TellsTheSecret, "C24"),
        (S::ChecksNothing, "C25"),
        (S::SendsWhenChecking, "C25"),
        (S::ReadsAnew, "C26"),
        (S::ShoutsAddresses, "C27"),
        (S::PanicsOnDelivery, "C28"),
        (S::PanicsOnRead, "C28"),
        (S::NotesLate, "C39"),
        (S::SendsUnnoted, "C39"),
        (S::ListsWhatNobodyTook, "C40"),
        (S::ListsNothingWhenAway, "C40"),
    ];
}

/// A channel under sabotage.
pub struct Sabotaged {
    inner: Arc<dyn Channel>,
    how: Sabotage,
    post: PaperPost,
    count: AtomicU64,
    permits: tokio::sync::Semaphore,
}

impl Sabotaged {
    pub fn plugged(inner: Arc<dyn Channel>, how: Sabotage, post: PaperPost) -> Arc<dyn Channel> {
        let permits = tokio::sync::Semaphore::new(inner.abilities().concurrency);
        Arc::new(Self { inner, how, post, count: AtomicU64::new(0), permits })
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    fn wrapped(&self, port: &Port) -> Port {
        let intake = BadIntake {
            inner: Arc::clone(&port.intake),
            how: self.how,
            post: self.post.clone(),
            count: AtomicU64::new(0),
        };
        Port { intake: Arc::new(intake), ..port.clone() }
    }

    /// The notice as the sabotage sends it.
    fn bent(&self, notice: &Outgoing) -> Outgoing {
        let mut bent = notice.clone();
        match self.how {
            S::DeliversHalf => bent.text = bent.text.chars().take(bent.text.chars().count() / 2).collect(),
            S::RepeatsShow => {
                bent.id =
                    DeliveryId(Uuid::from_u128(((u128::from(self.next()) + 1) << 64) | (bent.id.0.as_u128() >> 64)));
            }
            _ => {}
        }
        bent
    }

    fn told(&self, delivery: Delivery) -> Delivery {
        let detail = String::new();
        match (self.how, delivery) {
            (S::RetriesRefused, Delivery::Refused { .. }) => {
                Delivery::Retry { detail, after: None, source_down: false }
            }
            (S::RefusesWhenDown, Delivery::Retry { source_down: true, .. }) => {
                Delivery::Refused { detail, hard: false }
            }
            (S::HidesTheWait, Delivery::Retry { source_down, .. }) => {
                Delivery::Retry { detail, after: None, source_down }
            }
            (S::WaitsForDays, Delivery::Retry { after: Some(after), source_down, .. }) if after.as_secs() > 3000 => {
                Delivery::Retry { detail, after: Some(after * 25), source_down }
            }
            (S::DeliversUnknown, Delivery::Unknown { .. }) => Delivery::Delivered { external_id: None, detail },
            (S::TellsTheSecret, Delivery::Delivered { external_id, .. }) => {
                Delivery::Delivered { external_id, detail: "sealed with paper-seal-canary".to_owned() }
            }
            (_, delivery) => delivery,
        }
    }
}

#[async_trait]
impl Channel for Sabotaged {
    fn abilities(&self) -> Abilities {
        let inner = self.inner.abilities();
        match self.how {
            S::ChangesAbilities => Abilities { html: self.next().is_multiple_of(2), ..inner },
            S::SendsTooLong => Abilities { max_chars: Some(50), ..inner },
            S::SendsNotAndRetries => Abilities { sends: false, ..inner },
            _ => inner,
        }
    }

    fn addresses(&self) -> Vec<String> {
        match self.how {
            S::ShoutsAddresses => vec!["Desk@Paper.Test".to_owned()],
            _ => self.inner.addresses(),
        }
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        let stop = if self.how == S::HearsNoStop { Stop::new() } else { stop };
        match (self.how, self.inner.listen(self.wrapped(&port), stop).await) {
            (S::LastsWhenAway, Err(Fault::Passing { what })) => Err(Fault::lasting(what, "call somebody")),
            (S::EndsWhenAway, Err(_)) => Ok(()),
            (_, end) => end,
        }
    }

    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery {
        let done = |external_id| Delivery::Delivered { external_id, detail: String::new() };
        match self.how {
            S::DeliversNothing => return done(None),
            S::PanicsOnDelivery => panic!("sabotage"),
            S::SendsNotAndRetries => return Delivery::Retry { detail: String::new(), after: None, source_down: false },
            S::TakesTooLong => tokio::time::sleep(Duration::from_secs(31)).await,
            S::LosesPermits => {
                let Ok(permit) = self.permits.try_acquire() else {
                    return Delivery::Unknown { detail: "none left".to_owned() };
                };
                permit.forget();
                let delivery = self.inner.deliver(port, notice).await;
                self.permits.add_permits(1);
                return delivery;
            }
            S::SplitsAtDots => {
                for (count, text) in notice.text.split("\n.\n").enumerate() {
                    let id = DeliveryId(Uuid::from_u128(notice.id.0.as_u128() + count as u128));
                    self.inner.deliver(port, &Outgoing { id, text: text.to_owned(), ..notice.clone() }).await;
                }
                return done(None);
            }
            S::LogsTheText => tracing::debug!(target: "guichet_paper", text = notice.text, "sending"),
            S::LogsTheAddress => tracing::info!(target: "guichet_paper", "sending to {}", notice.to.address),
            _ => {}
        }
        if matches!(self.how, S::NotesLate | S::SendsUnnoted) {
            let unheard = Port { departures: Departures::default(), ..port.clone() };
            let delivery = self.inner.deliver(&unheard, notice).await;
            let noted = if self.how == S::NotesLate { port.departures.note(notice.id) } else { Ok(()) };
            return noted.map_or_else(|detail| Delivery::Unknown { detail }, |()| delivery);
        }
        self.told(self.inner.deliver(port, &self.bent(notice)).await)
    }

    async fn find_sent(&self, port: &Port, notice: &Outgoing) -> Result<Option<ExternalId>, Fault> {
        if self.how == S::FindsNothing { Ok(None) } else { self.inner.find_sent(port, notice).await }
    }

    async fn check(&self, port: &Port) -> Result<Vec<String>, Fault> {
        match self.how {
            S::ChecksNothing => return Ok(vec!["all is well".to_owned()]),
            S::SendsWhenChecking => {
                let notice = trial();
                self.inner.deliver(port, &notice).await;
            }
            _ => {}
        }
        self.inner.check(port).await
    }

    async fn holdings(&self, port: &Port) -> Result<Option<Holdings>, Fault> {
        match (self.how, self.inner.holdings(port).await) {
            (S::ListsWhatNobodyTook, Ok(Some(mut listed))) => {
                let held = Held { place: "the floor".to_owned(), external_id: None, same_as: Vec::new() };
                listed.due.push(held);
                Ok(Some(listed))
            }
            (S::ListsNothingWhenAway, Err(_)) => Ok(Some(Holdings::default())),
            (_, listed) => listed,
        }
    }

    fn read(&self, bytes: &[u8], position: &str, now: Moment) -> Option<Inbound> {
        assert!(self.how != S::PanicsOnRead || !bytes.is_empty(), "sabotage");
        let read = self.inner.read(bytes, position, now)?;
        let external_id = match self.how {
            S::ReadsAnew => ExternalId::new(format!("{}-{}", read.external_id, self.next())),
            _ => read.external_id.clone(),
        };
        Some(Inbound { external_id, ..read })
    }
}

/// A notice of no importance.
pub fn trial() -> Outgoing {
    use guichet_domain::{inbound::Party, language::Language, outgoing::NoticeKind};
    Outgoing {
        id: DeliveryId(Uuid::from_u128(1)),
        attempt: 1,
        kind: NoticeKind::Reply,
        to: Party::new("operator@paper.test"),
        conversation: ConversationKey::new("trial"),
        reference: String::new(),
        language: Language::En,
        subject: "trial".to_owned(),
        text: "trial".to_owned(),
        html: None,
        attachments: Vec::new(),
        reply_token: String::new(),
        message_token: String::new(),
        loop_token: String::new(),
        bounce_token: String::new(),
        in_reply_to: None,
        thread: Vec::new(),
    }
}

struct BadIntake {
    inner: Arc<dyn Intake>,
    how: Sabotage,
    post: PaperPost,
    count: AtomicU64,
}

impl BadIntake {
    fn bend(&self, batch: &mut Vec<Inbound>, moves: &mut [CursorMove]) {
        match self.how {
            S::ChangesIds => {
                for item in batch {
                    let count = self.count.fetch_add(1, Ordering::Relaxed);
                    item.external_id = ExternalId::new(format!("{}-{count}-{:p}", item.external_id, self));
                }
            }
            S::RunsAhead => {
                batch.truncate(1);
                for step in moves {
                    step.to = Cursor("3".to_owned());
                }
            }
            S::BreaksSubjects => {
                for item in batch {
                    if let Content::Read(read) = &mut item.content {
                        read.subject = Some("one\r\ntwo".to_owned());
                    }
                }
            }
            S::LeavesOutNul => batch.retain(|item| !item.raw.contains(&0)),
            _ => {}
        }
    }
}

#[async_trait]
impl Intake for BadIntake {
    async fn accept(&self, mut batch: Vec<Inbound>, mut moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        let count = batch.len();
        self.bend(&mut batch, &mut moves);
        if self.how == S::AcknowledgesEarly {
            self.post.acknowledge_everything();
        }
        match (self.how, self.inner.accept(batch, moves).await) {
            (S::TakesBusyForYes, Err(NotAccepted::Busy { .. })) | (S::LeavesOutNul | S::RunsAhead, Ok(_)) => {
                Ok(yes(count))
            }
            (S::NeverAcknowledges, Ok(_)) => std::future::pending().await,
            (_, end) => end,
        }
    }

    async fn cursor(&self, key: &str) -> Result<Option<Cursor>, Fault> {
        if self.how == S::NeverAcknowledges { Ok(None) } else { self.inner.cursor(key).await }
    }

    async fn slot(&self, key: &str) -> Result<SlotValue, Fault> {
        self.inner.slot(key).await
    }

    async fn put_slot(&self, key: &str, seen: i64, value: Option<String>) -> Result<bool, Fault> {
        self.inner.put_slot(key, seen, value).await
    }

    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault> {
        self.inner.timeline(conversation, after).await
    }

    fn subscribe(&self, conversation: &ConversationKey) -> Updates {
        self.inner.subscribe(conversation)
    }

    fn report(&self, health: Health) {
        if self.how != S::NeverGood {
            self.inner.report(health);
        }
    }
}

fn yes(count: usize) -> Accepted {
    let receipt = Receipt { verdict: Verdict::Opened, reference: None, seq: Seq::default(), reason: None };
    Accepted { receipts: vec![receipt; count] }
}
