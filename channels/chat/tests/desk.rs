//! The core, played in memory: timelines, standings and signs as the contract says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use guichet_contract::{
    Accepted, Acted, Conversations, Cursor, CursorMove, Fault, FileContent, Health, Hours, Intake, NotAccepted, Port,
    Receipt, RequesterAct, Signal, SlotValue, Standing, TimelineEntry, TimelineFile, Updates, Verdict,
};
use guichet_domain::entry::EntryKind;
use guichet_domain::ids::{ConversationKey, MessageId, Seq, SourceName};
use guichet_domain::inbound::{Attachment, Content, Inbound, Party};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::State;
use guichet_domain::{Clock, Moment};
use guichet_testkit::{TestClock, TestIds};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

/// What everybody at this desk looks at.
pub(crate) struct Desk {
    inner: Mutex<Inner>,
    pub(crate) clock: TestClock,
    /// So many calls of `accept` are answered with Busy.
    pub(crate) busy: AtomicUsize,
    /// While it holds true, `accept` waits before it does anything.
    pub(crate) hold: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    threads: BTreeMap<String, Thread>,
    receipts: HashMap<String, Receipt>,
    slots: HashMap<String, SlotValue>,
    inbound: Vec<Inbound>,
    signs: Vec<(String, Signal)>,
    opened: u32,
    closed_desk: bool,
    healths: Vec<Health>,
}

struct Thread {
    reference: String,
    state: State,
    entries: Vec<TimelineEntry>,
    files: HashMap<Uuid, Vec<Attachment>>,
    read_upto: Seq,
    rated: bool,
    contact: Option<String>,
    verified: bool,
    acts: HashSet<Uuid>,
}

type Wakers = (watch::Sender<u64>, broadcast::Sender<Signal>);

/// Wakers live apart: somebody may listen before there is anything.
static NONE: Duration = Duration::from_millis(50);

pub(crate) struct Core {
    pub(crate) desk: Arc<Desk>,
    wakers: Mutex<HashMap<String, Wakers>>,
}

impl Core {
    pub(crate) fn new() -> Arc<Self> {
        let desk = Desk {
            inner: Mutex::default(),
            clock: TestClock::default(),
            busy: AtomicUsize::new(0),
            hold: watch::Sender::new(false),
        };
        Arc::new(Self { desk: Arc::new(desk), wakers: Mutex::default() })
    }

    pub(crate) fn port(self: &Arc<Self>) -> Port {
        Port {
            source: SourceName::from("site"),
            intake: Arc::clone(self) as Arc<dyn Intake>,
            conversations: Arc::clone(self) as Arc<dyn Conversations>,
            clock: Arc::new(self.desk.clock.clone()),
            ids: Arc::new(TestIds::default()),
            departures: guichet_contract::Departures::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.desk.inner.lock().unwrap()
    }

    fn wakers(&self, key: &str) -> Wakers {
        let mut wakers = self.wakers.lock().unwrap();
        wakers.entry(key.to_owned()).or_insert_with(|| (watch::Sender::new(0), broadcast::channel(32).0)).clone()
    }

    fn wake(&self, key: &str) {
        self.wakers(key).0.send_modify(|count| *count += 1);
    }

    /// The conversation of the ticket.
    pub(crate) fn key_of(&self, reference: &str) -> String {
        let inner = self.inner();
        inner.threads.iter().find(|(_, thread)| thread.reference == reference).unwrap().0.clone()
    }

    /// An agent does something on the ticket.
    pub(crate) fn agent(&self, reference: &str, does: &str, text: &str) {
        let key = self.key_of(reference);
        let now = self.desk.clock.now();
        {
            let mut inner = self.inner();
            let thread = inner.threads.get_mut(&key).unwrap();
            let ana = Party { address: "ana@desk.example".to_owned(), name: Some("Ana".to_owned()) };
            match does {
                "reply" => {
                    thread.add(EntryKind::Reply, Some(ana), text, now);
                }
                "resolve" => {
                    (thread.state, thread.rated) = (State::Resolved, false);
                    thread.add(EntryKind::Notice, None, "It is settled.", now);
                }
                "lock" => thread.state = State::Closed,
                other => panic!("no agent can {other}"),
            }
        }
        self.wake(&key);
    }

    /// A conversation that begins with a notice.
    pub(crate) fn begin(&self, key: &ConversationKey, text: &str) {
        let now = self.desk.clock.now();
        let mut inner = self.inner();
        let thread = inner.threads.entry(key.as_str().to_owned()).or_insert_with(|| Thread::new(key.as_str()));
        thread.add(EntryKind::Notice, None, text, now);
    }

    /// An agent gives a sign.
    pub(crate) fn sign(&self, reference: &str, signal: Signal) {
        drop(self.wakers(&self.key_of(reference)).1.send(signal));
    }

    /// The signs of requesters so far.
    pub(crate) fn signs(&self) -> Vec<Signal> {
        self.inner().signs.iter().map(|(_, signal)| signal.clone()).collect()
    }

    pub(crate) fn desk_closes(&self) {
        self.inner().closed_desk = true;
    }

    /// What was taken in, once each.
    pub(crate) fn taken(&self) -> Vec<Inbound> {
        self.inner().inbound.clone()
    }

    /// The texts of a conversation, in order.
    pub(crate) fn texts(&self, reference: &str) -> Vec<String> {
        let key = self.key_of(reference);
        self.inner().threads[&key].entries.iter().map(|entry| entry.text.clone()).collect()
    }

    pub(crate) fn tickets(&self) -> u32 {
        self.inner().opened
    }

    fn take(&self, item: Inbound) -> (Receipt, Option<String>) {
        let mut inner = self.inner();
        let id = item.external_id.as_str().to_owned();
        if let Some(known) = inner.receipts.get(&id) {
            return (Receipt { verdict: Verdict::Duplicate, ..known.clone() }, None);
        }
        inner.inbound.push(item.clone());
        let read = match &item.content {
            Content::Read(read) if !read.text.contains("a blocked sender") => read,
            _ => {
                let reason = Some(Reason::of("blocked.sender"));
                let aside = Receipt { verdict: Verdict::Quarantined, reference: None, seq: Seq(0), reason };
                inner.receipts.insert(id, aside.clone());
                return (aside, None);
            }
        };
        let key = read.conversation.clone().unwrap().into_string();
        let state = inner.threads.get(&key).map(|thread| thread.state);
        let opens = matches!(state, None | Some(State::Closed));
        if opens {
            inner.opened += 1;
        }
        let reference = format!("GT-{:03}-109-3755", inner.opened);
        let thread = inner.threads.entry(key.clone()).or_insert_with(|| Thread::new(&reference));
        if opens {
            (thread.reference, thread.state) = (reference, State::New);
        } else if thread.state == State::Resolved {
            thread.state = State::Open;
        }
        thread.verified |= matches!(read.trust, guichet_domain::inbound::Trust::Verified(_));
        thread.contact = thread.contact.take().or(read.contact.as_ref().map(|contact| contact.address.clone()));
        let entry = thread.add(EntryKind::Inbound, read.from.clone(), &read.text, item.received_at);
        let seq = entry.seq;
        entry.external_id = Some(item.external_id.clone());
        let file = |file: &Attachment| TimelineFile {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.bytes.len() as u64,
        };
        entry.files = read.attachments.iter().map(file).collect();
        let entry = entry.id.0;
        thread.files.insert(entry, read.attachments.clone());
        if opens {
            let words = format!("We have your request: {}.", thread.reference);
            thread.add(EntryKind::Notice, None, &words, item.received_at);
        }
        let verdict = if opens { Verdict::Opened } else { Verdict::Appended };
        let receipt = Receipt { verdict, reference: Some(thread.reference.clone()), seq, reason: None };
        inner.receipts.insert(id, receipt.clone());
        (receipt, Some(key))
    }
}

impl Thread {
    fn new(reference: &str) -> Self {
        Self {
            reference: reference.to_owned(),
            state: State::New,
            entries: Vec::new(),
            files: HashMap::new(),
            read_upto: Seq(0),
            rated: false,
            contact: None,
            verified: false,
            acts: HashSet::new(),
        }
    }

    fn add(&mut self, kind: EntryKind, author: Option<Party>, text: &str, at: Moment) -> &mut TimelineEntry {
        let seq = Seq(i64::try_from(self.entries.len()).unwrap() + 1);
        let id = MessageId(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}{}", self.reference, seq.0).as_bytes()));
        let text = text.to_owned();
        let (html, files, external_id) = (None, Vec::new(), None);
        self.entries.push(TimelineEntry { seq, kind, author, text, at, id, html, files, external_id });
        self.entries.last_mut().unwrap()
    }

    fn standing(&self) -> Standing {
        Standing {
            reference: self.reference.clone(),
            state: self.state,
            last_seq: Seq(i64::try_from(self.entries.len()).unwrap()),
            read_upto: self.read_upto,
            seen_upto: Seq(0),
            rated: self.rated,
            verified: self.verified,
            has_contact: self.contact.is_some(),
            promised_at: None,
        }
    }

    fn act(&mut self, id: Uuid, act: RequesterAct, now: Moment) -> Acted {
        if !self.acts.insert(id) {
            return Acted::Already;
        }
        let refused = |code: &'static str, why: &str| Acted::Refused { code: Reason::of(code), why: why.to_owned() };
        match act {
            RequesterAct::Close if self.state.is_live() => {
                self.state = State::Resolved;
                self.add(EntryKind::Notice, None, "You closed it.", now);
            }
            RequesterAct::Reopen if self.state == State::Closed => {
                self.acts.remove(&id);
                return refused("act.window_over", "write instead: a new ticket that follows is opened");
            }
            RequesterAct::Reopen => self.state = State::Open,
            RequesterAct::Rate { .. } if self.state == State::Resolved => self.rated = true,
            RequesterAct::Rate { .. } => return refused("act.not_resolved", "rate it when it is closed"),
            RequesterAct::Read { upto } => self.read_upto = self.read_upto.max(upto),
            RequesterAct::Contact { address } => self.contact = Some(address),
            RequesterAct::Transcript if self.contact.is_none() => {
                return refused("act.address", "give an address first");
            }
            RequesterAct::Close | RequesterAct::Transcript => {}
        }
        Acted::Done
    }
}

#[async_trait]
impl Intake for Core {
    async fn accept(&self, batch: Vec<Inbound>, _: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        drop(self.desk.hold.subscribe().wait_for(|held| !held).await);
        let busy = self.desk.busy.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        if busy.is_ok() {
            return Err(NotAccepted::Busy { after: NONE, why: "the script says so".to_owned() });
        }
        let mut receipts = Vec::new();
        for item in batch {
            let (receipt, grown) = self.take(item);
            receipts.push(receipt);
            if let Some(key) = &grown {
                self.wake(key);
            }
        }
        Ok(Accepted { receipts })
    }

    async fn cursor(&self, _: &str) -> Result<Option<Cursor>, Fault> {
        Ok(None)
    }

    async fn slot(&self, key: &str) -> Result<SlotValue, Fault> {
        Ok(self.inner().slots.get(key).cloned().unwrap_or_default())
    }

    async fn put_slot(&self, key: &str, seen: i64, value: Option<String>) -> Result<bool, Fault> {
        let mut inner = self.inner();
        let slot = inner.slots.entry(key.to_owned()).or_default();
        let unchanged = slot.version == seen;
        if unchanged {
            *slot = SlotValue { value, version: seen + 1 };
        }
        Ok(unchanged)
    }

    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault> {
        let inner = self.inner();
        let entries = inner.threads.get(conversation.as_str()).map(|thread| thread.entries.clone());
        Ok(entries.unwrap_or_default().into_iter().filter(|entry| entry.seq > after).take(200).collect())
    }

    fn subscribe(&self, conversation: &ConversationKey) -> Updates {
        self.wakers(conversation.as_str()).0.subscribe()
    }

    fn report(&self, health: Health) {
        self.inner().healths.push(health);
    }
}

#[async_trait]
impl Conversations for Core {
    async fn standing(&self, conversation: &ConversationKey) -> Result<Option<Standing>, Fault> {
        Ok(self.inner().threads.get(conversation.as_str()).map(Thread::standing))
    }

    async fn begun_with(&self, prefix: &str, limit: usize) -> Result<Vec<(ConversationKey, Standing)>, Fault> {
        let inner = self.inner();
        let all = inner.threads.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(all.take(limit).map(|(key, thread)| (ConversationKey::new(key.clone()), thread.standing())).collect())
    }

    async fn act(&self, conversation: &ConversationKey, id: Uuid, act: RequesterAct) -> Result<Acted, NotAccepted> {
        let now = self.desk.clock.now();
        let acted = self.inner().threads.get_mut(conversation.as_str()).unwrap().act(id, act, now);
        self.wake(conversation.as_str());
        Ok(acted)
    }

    async fn file(
        &self,
        conversation: &ConversationKey,
        entry: MessageId,
        position: usize,
    ) -> Result<Option<FileContent>, Fault> {
        let inner = self.inner();
        let files = inner.threads.get(conversation.as_str()).and_then(|thread| thread.files.get(&entry.0));
        let file = files.and_then(|files| files.get(position)).cloned();
        Ok(file.map(|file| FileContent { name: file.name, media_type: file.media_type, bytes: file.bytes }))
    }

    fn signal(&self, conversation: &ConversationKey, signal: Signal) {
        self.inner().signs.push((conversation.as_str().to_owned(), signal));
    }

    fn signals(&self, conversation: &ConversationKey) -> broadcast::Receiver<Signal> {
        self.wakers(conversation.as_str()).1.subscribe()
    }

    fn hours(&self) -> Hours {
        let open = !self.inner().closed_desk;
        let next_open_at = (!open).then(|| self.desk.clock.now() + Duration::from_hours(12));
        Hours { open, next_open_at, zone: "Europe/Paris".to_owned() }
    }
}
