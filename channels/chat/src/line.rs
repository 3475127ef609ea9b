//! What one client is sent: its conversations from behind its cursors, in order, then live.
//!
//! Each conversation has a follower, which reads the timeline behind what it sent and fills the line's queue. It subscribes
//! before it reads, so that nothing falls between. What is not in the queue is not in memory: a client that takes nothing
//! costs a bounded queue, and then its line.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::{Fault, Signal, Standing};
use guichet_domain::ids::{ConversationKey, Seq};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::channel::App;
use crate::hub::{Entry, Handle, Out};
use crate::person::{Person, Place};
use crate::protocol::{Desk, From, MAX_CONVERSATIONS, MAX_FRAME, Said, Summary, VERSION, Welcome};
use crate::translate::event;
use crate::trouble::{Close, Trouble};

/// How long a full queue may stay full.
const SLOW: Duration = Duration::from_secs(5);
/// How long to wait where the timeline cannot be read.
const AWAY: Duration = Duration::from_secs(1);
/// Entries of one look at the timeline: fewer are the last.
const PAGE: usize = 200;
/// How long the sign of an agent holds.
const TYPING_TTL: u32 = 6_000;
const PRESENCE_TTL: u32 = 60_000;
/// The interval of pings.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(25);

/// One client's line. Ends, with its followers, when dropped.
pub(crate) struct Line {
    app: Arc<App>,
    entry: Entry,
    queue: mpsc::Receiver<Out>,
    followers: JoinSet<()>,
    followed: BTreeSet<Uuid>,
}

/// The conversations of a person that a line begins with.
pub(crate) struct Convs {
    /// The newest, newest first.
    newest: Vec<(Place, Standing)>,
    /// Older ones that a cursor names.
    older: Vec<(Place, Standing)>,
}

impl Convs {
    /// Those the person has here.
    pub(crate) async fn of(app: &App, person: &Person, cursors: &BTreeMap<Uuid, Seq>) -> Result<Self, Fault> {
        let (mut all, mut older) = (Vec::new(), Vec::new());
        for owner in person.owners() {
            let prefix = format!("{owner}:");
            for (key, standing) in app.port.conversations.begun_with(&prefix, MAX_CONVERSATIONS).await? {
                if let Some(place) = place(person, owner, &key, &prefix) {
                    all.push((place, standing));
                }
            }
        }
        all.truncate(MAX_CONVERSATIONS);
        for conv in cursors.keys().filter(|conv| !all.iter().any(|(place, _)| place.conv == **conv)) {
            older.extend(app.find(person, *conv).await?);
        }
        Ok(Self { newest: all, older })
    }

    /// Whether there is one that `cursors` does not name.
    pub(crate) fn hold_more_than(&self, cursors: &BTreeMap<Uuid, Seq>) -> bool {
        self.newest.iter().any(|(place, _)| !cursors.contains_key(&place.conv))
    }

    /// The frame that greets the person.
    pub(crate) async fn welcome(&self, app: &App, person: &Person) -> Result<Said, Fault> {
        let settings = &app.shared.settings;
        let mut convs = Vec::with_capacity(self.newest.len());
        for (place, standing) in &self.newest {
            convs.push(app.summary(place, standing).await?);
        }
        Ok(Said::Welcome(Box::new(Welcome {
            v: VERSION,
            verified: person.identity.is_some(),
            resumed: !convs.is_empty(),
            heartbeat_ms: u64::try_from(HEARTBEAT.as_millis()).unwrap_or_default(),
            limits: app.shared.limits(MAX_FRAME),
            desk: Desk::from(app.port.conversations.hours()),
            convs,
            email: settings.email.clone(),
        })))
    }
}

fn place(person: &Person, owner: &str, key: &ConversationKey, prefix: &str) -> Option<Place> {
    let conv = key.as_str().strip_prefix(prefix).and_then(|conv| Uuid::parse_str(conv).ok())?;
    Some(person.place(owner, conv))
}

impl Line {
    /// Opens a line: what `cursors` name is sent from behind its cursor, the others of `convs` from where they stand.
    pub(crate) fn open(
        app: &Arc<App>,
        person: &Person,
        address: IpAddr,
        convs: &Convs,
        cursors: &BTreeMap<Uuid, Seq>,
    ) -> Result<Self, Trouble> {
        let most = app.shared.settings.limits.sockets;
        let (entry, queue) = app.shared.hub.enter(person, address, most)?;
        let (followers, followed) = (JoinSet::new(), BTreeSet::new());
        let mut line = Self { app: Arc::clone(app), entry, queue, followers, followed };
        line.follow_all(convs, cursors);
        Ok(line)
    }

    /// The person has become known: the conversations of the identity are followed too.
    pub(crate) fn identified(&mut self, person: &Person, convs: &Convs) {
        self.entry.identified(person);
        self.follow_all(convs, &BTreeMap::new());
    }

    /// The next frame. Dropping the future loses none. Never answers when there is nothing: see
    /// [`ended`](Self::ended).
    pub(crate) async fn next(&mut self) -> Box<str> {
        loop {
            match self.queue.recv().await {
                Some(Out::Frame(frame)) => return frame,
                Some(Out::Follow(from)) => self.follow(from.0, from.1, None),
                // The line holds a sender itself.
                None => std::future::pending().await,
            }
        }
    }

    /// A frame that is there already.
    pub(crate) fn ready(&mut self) -> Option<Box<str>> {
        loop {
            match self.queue.try_recv().ok()? {
                Out::Frame(frame) => return Some(frame),
                Out::Follow(from) => self.follow(from.0, from.1, None),
            }
        }
    }

    /// Returns when the line is to end, with why. Dropping the future loses nothing.
    pub(crate) async fn ended(handle: &Handle) -> Close {
        loop {
            if let Some(why) = handle.why() {
                return why;
            }
            handle.ended.notified().await;
        }
    }

    /// The near end.
    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.entry.handle
    }

    fn follow_all(&mut self, convs: &Convs, cursors: &BTreeMap<Uuid, Seq>) {
        for (place, standing) in convs.newest.iter().chain(&convs.older) {
            let from = cursors.get(&place.conv).copied().unwrap_or(standing.last_seq).min(standing.last_seq);
            self.follow(place.clone(), from, Some(Summary::of(place.conv, standing)));
        }
    }

    fn follow(&mut self, place: Place, from: Seq, told: Option<Summary>) {
        if self.followed.insert(place.conv) {
            let follower = Follower {
                app: Arc::clone(&self.app),
                handle: Arc::clone(&self.entry.handle),
                place,
                sent: from,
                told,
            };
            self.followers.spawn(follower.run());
        }
    }
}

/// Fills a line's queue with one conversation.
struct Follower {
    app: Arc<App>,
    handle: Arc<Handle>,
    place: Place,
    sent: Seq,
    /// The last summary the client was told.
    told: Option<Summary>,
}

/// The client takes nothing.
struct Gone;

impl Follower {
    async fn run(mut self) {
        let mut updates = self.app.port.intake.subscribe(&self.place.key);
        let mut signals = self.app.port.conversations.signals(&self.place.key);
        let mut deaf = false;
        loop {
            match Box::pin(self.catch_up()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    tokio::time::sleep(AWAY).await;
                    continue;
                }
                Err(Gone) => return,
            }
            loop {
                let signal = tokio::select! {
                    change = updates.changed() => match change {
                        Ok(()) => break,
                        Err(_) => return,
                    },
                    signal = signals.recv(), if !deaf => signal,
                };
                match signal {
                    Ok(signal) => self.pass(signal),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => deaf = true,
                }
            }
        }
    }

    /// Sends what the timeline holds behind what was sent, and where the conversation stands when that is news.
    async fn catch_up(&mut self) -> Result<Result<(), Fault>, Gone> {
        // A conversation that began elsewhere is introduced before its entries.
        if self.told.is_none()
            && let Err(fault) = self.stand().await?
        {
            return Ok(Err(fault));
        }
        loop {
            let entries = match self.app.port.intake.timeline(&self.place.key, self.sent).await {
                Ok(entries) => entries,
                Err(fault) => return Ok(Err(fault)),
            };
            let last = entries.len() < PAGE;
            if entries.is_empty() {
                return self.stand().await;
            }
            let links = match self.app.links().await {
                Ok(links) => links,
                Err(fault) => return Ok(Err(fault)),
            };
            for entry in entries {
                let seq = entry.seq;
                let said = Said::Event(Box::new(event(&self.place, entry, links, self.app.port.clock.now())));
                self.push(said.text()).await?;
                self.sent = seq;
            }
            if last {
                return self.stand().await;
            }
        }
    }

    async fn stand(&mut self) -> Result<Result<(), Fault>, Gone> {
        let standing = match self.app.port.conversations.standing(&self.place.key).await {
            Ok(standing) => standing,
            Err(fault) => return Ok(Err(fault)),
        };
        let Some(standing) = standing else { return Ok(Ok(())) };
        let summary = Summary::of(self.place.conv, &standing);
        if self.told.as_ref().is_none_or(|told| summary.differs(told)) {
            match self.app.summary(&self.place, &standing).await {
                Ok(summary) => self.push(Said::Conv(Box::new(summary)).text()).await?,
                Err(fault) => return Ok(Err(fault)),
            }
        }
        self.told = Some(summary);
        Ok(Ok(()))
    }

    /// Waits for room, and not for ever.
    async fn push(&self, frame: Box<str>) -> Result<(), Gone> {
        match self.handle.queue.try_send(Out::Frame(frame)) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Gone),
            Err(mpsc::error::TrySendError::Full(frame)) => {
                if let Ok(sent) = tokio::time::timeout(SLOW, self.handle.queue.send(frame)).await {
                    sent.map_err(|_| Gone)
                } else {
                    self.handle.end(Close::Slow);
                    Err(Gone)
                }
            }
        }
    }

    /// A sign may be lost.
    fn pass(&self, signal: Signal) {
        let conv = self.place.conv;
        let said = match signal {
            Signal::Typing { name, on } => {
                Said::Typing { conv, from: From { kind: "agent", name }, on, ttl_ms: TYPING_TTL }
            }
            Signal::Read { upto } => Said::Read { conv, upto },
            Signal::Present { name, on } => Said::Presence { conv, name, on, ttl_ms: PRESENCE_TTL },
        };
        drop(self.handle.queue.try_send(Out::Frame(said.text())));
    }
}
