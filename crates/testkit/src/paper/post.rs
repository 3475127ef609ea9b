//! The network: boxes of letters to us, and the letters we sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use guichet_contract::conformance::Behaviour;
use guichet_contract::{Outgoing, Receipt, TimelineEntry};
use guichet_domain::ids::{ConversationKey, ExternalId, Seq};
use tokio::sync::watch;

use super::letter::{Letter, Received};

/// The network of letters. Clones are the same network.
#[derive(Clone, Default)]
pub struct PaperPost(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    letters: Vec<Posted>,
    sent: Vec<Received>,
    windows: BTreeMap<ConversationKey, Vec<TimelineEntry>>,
    behaviour: Option<Behaviour>,
    next: VecDeque<Behaviour>,
    refused: BTreeSet<String>,
    attempts: u64,
}

#[derive(Clone)]
pub(super) struct Posted {
    pub(super) id: ExternalId,
    /// Place within its box: 1, 2, 3.
    pub(super) place: u64,
    pub(super) letter: Letter,
    pub(super) state: LetterState,
}

/// What its writer sees of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterState {
    /// Still in the box.
    Waiting,
    /// Taken out by us; the receipt when we gave one.
    Acknowledged(Option<Receipt>),
}

impl PaperPost {
    /// An empty network that works.
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody posts a letter; answers its id on the network.
    pub fn write(&self, letter: Letter) -> ExternalId {
        self.change(|state| {
            let id = ExternalId::new(format!("letter-{}", state.letters.len() + 1));
            state.post(id.clone(), letter);
            id
        })
    }

    /// The network delivers a letter once more, as networks do: same id, a new place in its box.
    pub fn redeliver(&self, id: &ExternalId) {
        self.change(|state| {
            let letter = state.letters.iter().find(|posted| posted.id == *id).map(|posted| posted.letter.clone());
            if let Some(letter) = letter {
                state.post(id.clone(), letter);
            }
        });
    }

    /// What became of a letter; of its last delivery, when there were several. `None` for an unknown id.
    pub fn state(&self, id: &ExternalId) -> Option<LetterState> {
        self.look(|state| state.letters.iter().rev().find(|posted| posted.id == *id).map(|posted| posted.state.clone()))
    }

    /// Returns when every letter was acknowledged.
    pub async fn until_all_taken(&self) {
        self.until(|state| state.letters.iter().all(|posted| posted.state != LetterState::Waiting)).await;
    }

    /// Returns when this letter was acknowledged, with its receipt.
    pub async fn until_taken(&self, id: &ExternalId) -> Option<Receipt> {
        self.until(|state| {
            let mut these = state.letters.iter().filter(|posted| posted.id == *id);
            these.all(|posted| posted.state != LetterState::Waiting)
        })
        .await;
        match self.state(id) {
            Some(LetterState::Acknowledged(receipt)) => receipt,
            Some(LetterState::Waiting) | None => None,
        }
    }

    /// All letters we sent, oldest first.
    pub fn sent(&self) -> Vec<Received> {
        self.look(|state| state.sent.clone())
    }

    /// The letters that lie before this person, oldest first.
    pub fn received_by(&self, address: &str) -> Vec<Received> {
        let key = guichet_domain::inbound::address_key(address);
        self.sent().into_iter().filter(|received| received.notice.to.key() == key).collect()
    }

    /// Returns when so many letters lie before this person.
    pub async fn until_received(&self, address: &str, count: usize) -> Vec<Received> {
        let key = guichet_domain::inbound::address_key(address);
        self.until(|state| state.sent.iter().filter(|sent| sent.notice.to.key() == key).count() >= count).await;
        self.received_by(address)
    }

    /// Somebody looks at a conversation as it goes on, through a window: its timeline is shown there from now on.
    pub fn open_window(&self, conversation: &ConversationKey) {
        self.change(|state| {
            state.windows.entry(conversation.clone()).or_default();
        });
    }

    /// What the window shows.
    pub fn window(&self, conversation: &ConversationKey) -> Vec<TimelineEntry> {
        self.look(|state| state.windows.get(conversation).cloned()).unwrap_or_default()
    }

    /// Returns when the window shows so many entries.
    pub async fn until_shown(&self, conversation: &ConversationKey, count: usize) -> Vec<TimelineEntry> {
        self.until(|state| state.windows.get(conversation).is_some_and(|entries| entries.len() >= count)).await;
        self.window(conversation)
    }

    /// Behaves so from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.change(|state| state.behaviour = Some(behaviour));
    }

    /// Behaves so at the next attempts to send, one each, before it behaves as before.
    pub fn behave_next(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.change(|state| state.next.extend(behaviours));
    }

    /// Nobody lives at this address: letters to it are refused for good.
    pub fn refuse(&self, address: &str) {
        self.change(|state| state.refused.insert(guichet_domain::inbound::address_key(address)));
    }

    /// Takes every letter out of its box, as a channel does that says yes too early: for tests of tests.
    pub fn acknowledge_everything(&self) {
        for post_box in self.boxes() {
            self.acknowledge_up_to(&post_box, u64::MAX);
        }
    }

    /// How many attempts to send there were.
    pub fn attempts(&self) -> u64 {
        self.look(|state| state.attempts)
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        self.look(|state| state.behaviour.unwrap_or(Behaviour::Works))
    }

    /// An attempt to send begins: how it goes.
    pub(super) fn begin_attempt(&self) -> Behaviour {
        self.change(|state| {
            state.attempts += 1;
            state.next.pop_front().or(state.behaviour).unwrap_or(Behaviour::Works)
        })
    }

    pub(super) fn is_refused(&self, address: &str) -> bool {
        self.look(|state| state.refused.contains(address))
    }

    /// Puts a letter of ours before its reader. Where `once`, one that has this id lies there already is not doubled.
    pub(super) fn take(&self, notice: Outgoing, once: bool) -> ExternalId {
        self.change(|state| {
            let known = state.sent.iter().find(|sent| once && sent.notice.id == notice.id);
            if let Some(known) = known {
                return known.external_id.clone();
            }
            let copies = state.sent.iter().filter(|sent| sent.notice.id == notice.id).count();
            let external_id = ExternalId::new(format!("ours-{}-{}", notice.id, copies + 1));
            state.sent.push(Received { external_id: external_id.clone(), notice });
            external_id
        })
    }

    /// The letters behind these places that wait, in the order in which they were posted.
    pub(super) fn waiting(&self, places: &BTreeMap<String, u64>, most: usize) -> Vec<Posted> {
        let behind = |posted: &&Posted| posted.place > places.get(&posted.letter.post_box).copied().unwrap_or(0);
        self.look(|state| state.letters.iter().filter(behind).take(most).cloned().collect())
    }

    /// The letters of a box up to a place, with theirs; and how many lie behind it.
    pub(super) fn around(&self, post_box: &str, place: u64) -> (Vec<(u64, ExternalId)>, u64) {
        self.look(|state| {
            let here = state.letters.iter().filter(|posted| posted.letter.post_box == post_box);
            let (due, ahead): (Vec<_>, Vec<_>) = here.partition(|posted| posted.place <= place);
            (due.into_iter().map(|posted| (posted.place, posted.id.clone())).collect(), ahead.len() as u64)
        })
    }

    pub(super) fn boxes(&self) -> BTreeSet<String> {
        self.look(|state| state.letters.iter().map(|posted| posted.letter.post_box.clone()).collect())
    }

    pub(super) fn acknowledge(&self, post_box: &str, place: u64, receipt: Option<Receipt>) {
        self.change(|state| {
            let here = |posted: &&mut Posted| posted.letter.post_box == post_box && posted.place == place;
            if let Some(posted) = state.letters.iter_mut().find(here) {
                posted.state = LetterState::Acknowledged(receipt);
            }
        });
    }

    /// Acknowledges what waits up to a place: it was taken in, and the life that did so could not say it.
    pub(super) fn acknowledge_up_to(&self, post_box: &str, place: u64) {
        self.change(|state| {
            for posted in &mut state.letters {
                let here = posted.letter.post_box == post_box && posted.place <= place;
                if here && posted.state == LetterState::Waiting {
                    posted.state = LetterState::Acknowledged(None);
                }
            }
        });
    }

    pub(super) fn windows(&self) -> Vec<ConversationKey> {
        self.look(|state| state.windows.keys().cloned().collect())
    }

    pub(super) fn shown_up_to(&self, conversation: &ConversationKey) -> Seq {
        self.window(conversation).last().map(|entry| entry.seq).unwrap_or_default()
    }

    pub(super) fn show(&self, conversation: &ConversationKey, entries: Vec<TimelineEntry>) {
        self.change(|state| state.windows.entry(conversation.clone()).or_default().extend(entries));
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    fn look<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let changed = change(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.changed.send_modify(|count| *count += 1);
        changed
    }

    async fn until(&self, mut so: impl FnMut(&State) -> bool) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            // The sender lives as long as `self`.
            if self.look(&mut so) || changes.changed().await.is_err() {
                return;
            }
        }
    }
}

impl State {
    fn post(&mut self, id: ExternalId, letter: Letter) {
        let same = |posted: &&Posted| posted.letter.post_box == letter.post_box;
        let place = self.letters.iter().filter(same).map(|posted| posted.place).max().unwrap_or(0) + 1;
        self.letters.push(Posted { id, place, letter, state: LetterState::Waiting });
    }
}
