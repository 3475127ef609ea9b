//! The core, played: takes in as the script says, and remembers everything.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use guichet_domain::ids::{ConversationKey, ExternalId, Seq, SourceName};
use guichet_domain::inbound::{Content, Inbound};
use guichet_domain::{Clock, Ids};
use tokio::sync::watch;

use crate::channel::{Fault, Health};
use crate::conversation::NoConversations;
use crate::intake::{
    Accepted, Cursor, CursorMove, Intake, NotAccepted, Receipt, SlotValue, TimelineEntry, Updates, Verdict,
};
use crate::port::{Departures, Port};

/// How `accept` is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All is taken in.
    Accept,
    /// Not now; come back after this time.
    Busy(Duration),
    /// Never in this form.
    Refuse,
}

/// Where calls of `accept` are held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    /// Nowhere.
    #[default]
    No,
    /// Before anything is taken in: a database that takes its time.
    Before,
    /// After it was taken in and before the channel hears of it.
    After,
}

/// One call of `accept`.
#[derive(Debug, Clone)]
pub struct HandedIn {
    /// The items.
    pub items: Vec<Inbound>,
    /// The cursors that came along.
    pub moves: Vec<CursorMove>,
    /// The answer; `None` while it is held, and for ever when the call was dropped.
    pub answer: Option<Answer>,
}

#[derive(Default)]
struct State {
    calls: Vec<HandedIn>,
    /// Answers to come; when there are none left, `always`.
    next: Vec<Answer>,
    always: Option<Answer>,
    known: HashMap<String, Receipt>,
    cursors: BTreeMap<String, Cursor>,
    slots: BTreeMap<String, SlotValue>,
    timelines: HashMap<ConversationKey, Vec<TimelineEntry>>,
    wakers: HashMap<ConversationKey, watch::Sender<u64>>,
    healths: Vec<Health>,
}

/// A double of the core's [`Intake`]: accepts everything until told otherwise, deduplicates as the core does, keeps
/// cursors, slots and timelines in memory. Shared between two lives of a channel it stands for the database.
#[derive(Default)]
pub struct ScriptedIntake {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    hold: watch::Sender<Hold>,
}

impl ScriptedIntake {
    /// One that accepts everything.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A port to it for a source of this name.
    pub fn port(self: &Arc<Self>, source: &str, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Port {
        Port {
            source: SourceName::from(source),
            intake: Arc::clone(self) as Arc<dyn Intake>,
            conversations: Arc::new(NoConversations),
            clock,
            ids,
            departures: Departures::default(),
        }
    }

    /// Answers the next calls so, in order, before it goes on as before.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.with(|state| state.next.extend(answers));
    }

    /// Answers so from now on, after what [`answer_next`](Self::answer_next) still has.
    pub fn answer_always(&self, answer: Answer) {
        self.with(|state| state.always = Some(answer));
    }

    /// Holds calls up from now on, or lets them go.
    pub fn hold(&self, hold: Hold) {
        self.hold.send_replace(hold);
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<HandedIn> {
        self.with(|state| state.calls.clone())
    }

    /// Every item that was taken in, once each, in order.
    pub fn accepted(&self) -> Vec<Inbound> {
        let mut seen = std::collections::HashSet::new();
        let taken = |call: &HandedIn| call.answer == Some(Answer::Accept);
        let calls = self.calls().into_iter().filter(taken);
        calls.flat_map(|call| call.items).filter(|item| seen.insert(item.external_id.clone())).collect()
    }

    /// Every report of health so far.
    pub fn healths(&self) -> Vec<Health> {
        self.with(|state| state.healths.clone())
    }

    /// Where a cursor stands.
    pub fn cursor_at(&self, key: &str) -> Option<Cursor> {
        self.with(|state| state.cursors.get(key).cloned())
    }

    /// Adds an entry to a conversation's timeline, behind the others, and wakes who follows it. Its `seq` is set here.
    pub fn add_entry(&self, conversation: &ConversationKey, mut entry: TimelineEntry) {
        self.with(|state| {
            let timeline = state.timelines.entry(conversation.clone()).or_default();
            entry.seq = Seq(i64::try_from(timeline.len()).unwrap_or(i64::MAX).saturating_add(1));
            timeline.push(entry);
            if let Some(waker) = state.wakers.get(conversation) {
                waker.send_modify(|count| *count += 1);
            }
        });
    }

    /// Returns when `so` holds of the calls and the reports of health. Waits for ever otherwise: set a limit around it.
    pub async fn until(&self, mut so: impl FnMut(&[HandedIn], &[Health]) -> bool) {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if self.with(|state| so(&state.calls, &state.healths)) {
                return;
            }
            // The sender lives as long as `self`.
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    async fn held(&self, at: Hold) {
        // The sender lives as long as `self`: the wait can only end by the hold's end.
        drop(self.hold.subscribe().wait_for(|hold| *hold != at).await);
    }
}

impl State {
    fn answer(&mut self) -> Answer {
        if self.next.is_empty() { self.always.clone().unwrap_or(Answer::Accept) } else { self.next.remove(0) }
    }

    fn take_in(&mut self, batch: &[Inbound], moves: Vec<CursorMove>) -> Accepted {
        let receipts = batch.iter().map(|item| self.receipt(item)).collect();
        self.cursors.extend(moves.into_iter().map(|step| (step.key, step.to)));
        Accepted { receipts }
    }

    fn receipt(&mut self, item: &Inbound) -> Receipt {
        let own: &ExternalId = &item.external_id;
        let keys: Vec<String> =
            std::iter::once(format!("id {own}")).chain(item.same_as.iter().map(|key| format!("same {key}"))).collect();
        if let Some(known) = keys.iter().find_map(|key| self.known.get(key)) {
            return Receipt { verdict: Verdict::Duplicate, ..known.clone() };
        }
        let receipt = match &item.content {
            Content::Read(_) => Receipt {
                verdict: Verdict::Opened,
                reference: Some(format!("GT-{:03}-000-0000", self.known.len())),
                seq: Seq(1),
                reason: None,
            },
            Content::Unreadable { reason, .. } => Receipt {
                verdict: Verdict::Quarantined,
                reference: None,
                seq: Seq::default(),
                reason: Some(reason.clone()),
            },
        };
        self.known.extend(keys.into_iter().map(|key| (key, receipt.clone())));
        receipt
    }
}

#[async_trait]
impl Intake for ScriptedIntake {
    async fn accept(&self, batch: Vec<Inbound>, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        let call = self.with(|state| {
            state.calls.push(HandedIn { items: batch.clone(), moves: moves.clone(), answer: None });
            state.calls.len() - 1
        });
        self.wake();
        // The script speaks of items: cursors alone are taken at once.
        let scripted = !batch.is_empty();
        if scripted {
            self.held(Hold::Before).await;
        }
        let end = self.with(|state| {
            let answer = if scripted { state.answer() } else { Answer::Accept };
            if let Some(call) = state.calls.get_mut(call) {
                call.answer = Some(answer.clone());
            }
            match answer {
                Answer::Accept => Ok(state.take_in(&batch, moves)),
                Answer::Busy(after) => Err(NotAccepted::Busy { after, why: "the script says so".to_owned() }),
                Answer::Refuse => Err(NotAccepted::Refused { why: "the script says so".to_owned() }),
            }
        });
        self.wake();
        if scripted {
            self.held(Hold::After).await;
        }
        end
    }

    async fn cursor(&self, key: &str) -> Result<Option<Cursor>, Fault> {
        Ok(self.cursor_at(key))
    }

    async fn slot(&self, key: &str) -> Result<SlotValue, Fault> {
        Ok(self.with(|state| state.slots.get(key).cloned()).unwrap_or_default())
    }

    async fn put_slot(&self, key: &str, seen: i64, value: Option<String>) -> Result<bool, Fault> {
        Ok(self.with(|state| {
            let slot = state.slots.entry(key.to_owned()).or_default();
            let unchanged = slot.version == seen;
            if unchanged {
                *slot = SlotValue { value, version: seen + 1 };
            }
            unchanged
        }))
    }

    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault> {
        let all = self.with(|state| state.timelines.get(conversation).cloned()).unwrap_or_default();
        Ok(all.into_iter().filter(|entry| entry.seq > after).take(200).collect())
    }

    fn subscribe(&self, conversation: &ConversationKey) -> Updates {
        self.with(|state| state.wakers.entry(conversation.clone()).or_default().subscribe())
    }

    fn report(&self, health: Health) {
        self.with(|state| state.healths.push(health));
        self.wake();
    }
}
