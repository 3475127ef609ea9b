//! The receiving loop of one folder.
//!
//! Search, read, hand over, move, wait; and again. What is never done: taking the end of an answer for its completeness,
//! moving a mail before it is accepted, letting the position pass a mail that is not accepted, trusting IDLE.

use std::time::Duration;

use guichet_domain::ambient::Clock;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::idle::Woken;
use super::position::{History, Position};
use super::reader::{Reader, Step};
use super::session::{Limits, Selected, Session};
use super::sink::{Batch, Outcome, Progress, Refusal, Sink};
use super::suspects::Suspects;
use crate::credentials::Credentials;
use crate::net::Endpoint;

/// Marks mail that is accepted and stays in place.
pub(super) const DONE: &str = "$GuichetDone";
/// While mail keeps coming, accepted mails are filed when this many wait or this much time has passed: in large sets that is
/// cheap, and a full mailbox is first made into tickets.
const FILE_AT: usize = 20_000;
const FILE_AFTER: Duration = Duration::from_secs(30);
/// How long an acceptance that is under way may go on after a stop.
const GRACE: Duration = Duration::from_millis(1_500);
/// The longest wait at a busy intake before it is asked again.
const BUSY_MAX: Duration = Duration::from_secs(30);

/// One folder to receive from.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// The server.
    pub endpoint: Endpoint,
    /// The folder that is watched; usually `INBOX`.
    pub folder: String,
    /// Where accepted mail goes; `None` leaves it in place, with the keyword `$GuichetDone` where the server keeps such.
    pub processed: Option<String>,
    /// Where mail goes that could not be understood; `None` leaves it in place.
    pub failed: Option<String>,
    /// What the first look takes.
    pub history: History,
    /// Time limits and bounds.
    pub limits: Limits,
    /// What is remembered of mails at which connections break off: keep it from one call of [`receive`] to the next.
    pub suspects: Suspects,
}

/// Receives until `stop`, then returns `Ok` within 2 s.
///
/// At most three batches are in memory: one being accepted, one being understood, one being read. An error ends the session; calling again goes on
/// where the accepted mail ends, and moves what was accepted and not yet moved. Errors say whether that makes sense
/// ([`Error::lasting`]); how long to wait before is the caller's to say.
pub async fn receive<S: Sink>(
    mailbox: &Mailbox,
    credentials: &Credentials,
    sink: &S,
    clock: &dyn Clock,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        biased;
        ended = run(mailbox, credentials, sink, clock, stop) => match ended {
            Err(Error::Stopped) => Ok(()),
            other => other,
        },
        () = late => Ok(()),
    }
}

/// Looks whether everything `mailbox` names is there, without changing anything. One line a finding.
pub async fn probe(
    mailbox: &Mailbox,
    credentials: &Credentials,
    stop: &CancellationToken,
) -> Result<Vec<String>, Error> {
    let mut session = Session::open(&mailbox.endpoint, credentials, &mailbox.limits, stop).await?;
    let mut findings = vec![format!("{}: connected and logged in", session.place())];
    let selected = session.examine(&mailbox.folder).await?;
    findings.push(format!("\"{}\" holds {} mails", mailbox.folder, selected.exists));
    for folder in mailbox.processed.iter().chain(&mailbox.failed) {
        let there = session.exists(folder).await?;
        findings.push(format!("\"{folder}\" {}", if there { "exists" } else { "will be created" }));
    }
    for (capability, instead) in [("IDLE", "it is polled instead"), ("MOVE", "mail is copied and deleted instead")] {
        if !session.can(capability) {
            findings.push(format!("the server has no {capability}: {instead}"));
        }
    }
    session.logout().await;
    Ok(findings)
}

async fn run<S: Sink>(
    mailbox: &Mailbox,
    credentials: &Credentials,
    sink: &S,
    clock: &dyn Clock,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let mut session = Session::open(&mailbox.endpoint, credentials, &mailbox.limits, stop).await?;
    for folder in mailbox.processed.iter().chain(&mailbox.failed) {
        session.ensure_folder(folder).await?;
    }
    let selected = session.select(&mailbox.folder).await?;
    if selected.read_only && (mailbox.processed.is_some() || mailbox.failed.is_some()) {
        return Err(Error::ReadOnly { place: session.place().to_owned(), folder: mailbox.folder.clone() });
    }
    sink.progress(Progress::Opened { exists: selected.exists });
    let stored = sink.position(&mailbox.folder).await;
    let stored = stored.map_err(|reason| Error::Position { folder: mailbox.folder.clone(), reason })?;
    let position = start(&mut session, &selected, stored, mailbox.history, clock).await?;
    let mut loop_ = Loop {
        mailbox,
        sink,
        stop,
        session,
        position,
        keywords: selected.keywords,
        unfiled: Vec::new(),
        filed_at: Instant::now(),
    };
    if stored != Some(position) {
        if stored.is_some() {
            sink.progress(Progress::NewEpoch);
        }
        loop_.keep_position(u64::from(if position.last_uid > 0 { selected.exists } else { 0 })).await?;
    }
    loop_.look(selected.uidnext).await
}

/// Where to go on: the stored position if the folder continues it, else the start of a look or of an epoch.
async fn start(
    session: &mut Session,
    selected: &Selected,
    stored: Option<Position>,
    history: History,
    clock: &dyn Clock,
) -> Result<Position, Error> {
    if let Some(position) = stored.filter(|position| position.continued_by(selected)) {
        return Ok(position);
    }
    let uidnext = match selected.uidnext {
        Some(next) => next,
        None => session.search_after(0).await?.last().map_or(1, |last| last.saturating_add(1)),
    };
    Ok(match stored {
        Some(position) => position.anew(selected, uidnext),
        None => Position::first(selected, uidnext, history, clock.now()),
    })
}

struct Loop<'a, S> {
    mailbox: &'a Mailbox,
    sink: &'a S,
    stop: &'a CancellationToken,
    session: Session,
    position: Position,
    keywords: bool,
    unfiled: Vec<(u32, Outcome)>,
    filed_at: Instant,
}

/// What is under way between the server and the intake.
struct Line<R> {
    /// Read, and to be understood.
    read: Option<Batch>,
    /// Understood, and to be accepted.
    ready: Option<(Label, R)>,
    /// The position behind all that was read.
    last: Position,
    /// Set when nothing more is to be read: all is, or reading failed.
    ended: Option<Result<(), Error>>,
}

/// What stays of a batch while the sink has it.
struct Label {
    uids: Vec<u32>,
    position: Position,
    large: bool,
}

impl Label {
    fn of(batch: &Batch, whole: u32) -> Self {
        let uids = batch.mails.iter().map(|mail| mail.uid).collect();
        Self { uids, position: batch.position, large: is_large(batch, whole) }
    }
}

fn is_large(batch: &Batch, whole: u32) -> bool {
    batch.mails.iter().any(|mail| mail.size > whole)
}

impl<R> Line<R> {
    /// Whether it holds a large mail: one at a time is in memory, and nothing is read beside it.
    fn has_large(&self, whole: u32) -> bool {
        let waiting = self.ready.as_ref().is_some_and(|(label, _)| label.large);
        waiting || self.read.as_ref().is_some_and(|batch| is_large(batch, whole))
    }

    fn is_empty(&self) -> bool {
        self.read.is_none() && self.ready.is_none()
    }

    /// Enters what was read. Where reading failed, what was read before is handed over all the same, so that the next
    /// connection does not begin with it again; a stop waits for nothing.
    fn enter(&mut self, read: Option<Result<Option<Batch>, Error>>) -> Result<(), Error> {
        match read {
            Some(Ok(None)) => self.ended = Some(Ok(())),
            Some(Err(Error::Stopped)) => return Err(Error::Stopped),
            Some(Err(error)) => self.ended = Some(Err(error)),
            Some(Ok(Some(batch))) if !batch.mails.is_empty() || batch.position != self.last => {
                self.last = batch.position;
                self.read = Some(batch);
            }
            None | Some(Ok(Some(_))) => {}
        }
        Ok(())
    }
}

/// How handing over went.
enum Handed {
    All,
    Busy,
}

impl<S: Sink> Loop<'_, S> {
    async fn look(&mut self, mut uidnext: Option<u32>) -> Result<(), Error> {
        // Only where nothing accepted stays: else each connection would read the whole folder again.
        let mut leftovers = self.mailbox.processed.is_some();
        loop {
            self.catch_up(uidnext.take()).await?;
            self.file().await?;
            if std::mem::take(&mut leftovers) {
                self.offer_leftovers().await?;
                self.file().await?;
            }
            self.sink.progress(Progress::Waiting);
            if self.session.idle(self.mailbox.limits.poll).await? == Woken::Unsupported {
                self.pause(self.mailbox.limits.poll_without_idle).await?;
            }
        }
    }

    /// Takes in everything above the position, and what comes meanwhile.
    async fn catch_up(&mut self, uidnext: Option<u32>) -> Result<(), Error> {
        let expected = uidnext.is_some_and(|next| next > self.position.last_uid.saturating_add(1));
        let mut doubtful = expected;
        loop {
            let mut uids = self.session.search_after(self.position.last_uid).await?;
            if uids.is_empty() && std::mem::take(&mut doubtful) {
                // The server numbered mail above our position and lists none: gone, or not yet visible. Ask once more.
                self.session.noop().await?;
                uids = self.session.search_after(self.position.last_uid).await?;
            }
            if uids.is_empty() {
                if self.session.news() {
                    continue;
                }
                return Ok(());
            }
            let steps = self.steps(uids).await?;
            let handed = self.hand_over(steps).await?;
            if matches!(handed, Handed::All) && !self.session.news() {
                return Ok(());
            }
        }
    }

    /// What to do with each of `uids`: mail from before the first look is asked for by date before its size is.
    async fn steps(&mut self, uids: Vec<u32>) -> Result<Vec<Step>, Error> {
        let old = uids.iter().rev().copied().find(|&uid| self.position.by_date(uid));
        let young = match old {
            Some(last) => self.session.search_since(self.position.since, last).await?,
            None => Vec::new(),
        };
        let step = |uid: u32| {
            let left_aside = self.position.by_date(uid) && young.binary_search(&uid).is_err();
            if left_aside { Step::Skip(uid) } else { Step::Take(uid) }
        };
        Ok(uids.into_iter().map(step).collect())
    }

    /// Mail at or below the position that still lies here was accepted and not moved: the process or the connection
    /// ended in between. It is offered again, found to be known, and moved.
    async fn offer_leftovers(&mut self) -> Result<(), Error> {
        let mut uids = self.session.search_left(self.position.since, self.position.last_uid).await?;
        uids.retain(|uid| !self.unfiled.iter().any(|(unfiled, _)| unfiled == uid));
        let steps: Vec<Step> = uids.into_iter().map(Step::Take).collect();
        while matches!(self.hand_over(steps.clone()).await?, Handed::Busy) {}
        Ok(())
    }

    /// Reads and hands over, three batches at once: while one is accepted, the next is understood and the one behind it
    /// read. After `Busy` the rest is to be listed anew.
    async fn hand_over(&mut self, steps: Vec<Step>) -> Result<Handed, Error> {
        let mut reader = Reader::new(&self.mailbox.folder, self.mailbox.suspects.clone(), self.position, steps);
        let mut line: Line<S::Ready> = Line { read: None, ready: None, last: self.position, ended: None };
        loop {
            let (sink, large) = (self.sink, line.has_large(self.mailbox.limits.whole));
            let (read, ready) = (line.read.take(), line.ready.take());
            let going_on = line.ended.is_none() && !large;
            let reading = async { if going_on { Some(reader.next(&mut self.session).await) } else { None } };
            let understanding = async {
                let batch = read?;
                let label = Label::of(&batch, self.mailbox.limits.whole);
                Some((label, sink.understand(batch).await))
            };
            let accepting = async {
                let (label, ready) = ready?;
                Some((label, sink.accept(ready).await))
            };
            let (read, ready, taken) = tokio::join!(reading, understanding, accepting);
            line.ready = ready;
            line.enter(read)?;
            if let Some((label, taken)) = taken
                && let Some(pause) = self.settle(label, taken)?
            {
                if let Some(Err(error)) = line.ended {
                    return Err(error);
                }
                reader.discard(&mut self.session).await?;
                self.pause(pause).await?;
                return Ok(Handed::Busy);
            }
            if line.is_empty()
                && let Some(ended) = line.ended
            {
                return ended.map(|()| Handed::All);
            }
            if self.unfiled.len() >= FILE_AT || self.filed_at.elapsed() > FILE_AFTER {
                self.file().await?;
            }
        }
    }

    /// Enters what became of a batch; how long to wait where it was not accepted.
    fn settle(&mut self, label: Label, taken: Result<Vec<Outcome>, Refusal>) -> Result<Option<Duration>, Error> {
        match taken {
            Ok(outcomes) if outcomes.len() == label.uids.len() => {
                self.position = label.position;
                self.unfiled.extend(label.uids.into_iter().zip(outcomes));
                Ok(None)
            }
            Ok(outcomes) => {
                let reason = format!("{} outcomes for {} mails", outcomes.len(), label.uids.len());
                Err(Error::NotTaken { reason })
            }
            Err(Refusal::Busy { after, why }) => {
                self.sink.progress(Progress::Busy { why });
                Ok(Some(after.clamp(Duration::from_millis(10), BUSY_MAX)))
            }
            Err(Refusal::Refused { why }) => Err(Error::NotTaken { reason: why }),
        }
    }

    /// Stores the position before anything is read: what the first look found must not depend on when a crash comes.
    async fn keep_position(&mut self, skipped: u64) -> Result<(), Error> {
        loop {
            let (folder, position) = (self.mailbox.folder.clone(), self.position);
            let batch = Batch { folder, mails: Vec::new(), position, skipped, gone: 0 };
            match self.sink.accept(self.sink.understand(batch).await).await {
                Ok(_) => return Ok(()),
                Err(Refusal::Busy { after, why }) => {
                    self.sink.progress(Progress::Busy { why });
                    self.pause(after.clamp(Duration::from_millis(10), BUSY_MAX)).await?;
                }
                Err(Refusal::Refused { why }) => return Err(Error::NotTaken { reason: why }),
            }
        }
    }

    /// Moves or marks what was accepted. A server that refuses loses us nothing: the mail is tried again later.
    async fn file(&mut self) -> Result<(), Error> {
        self.filed_at = Instant::now();
        for outcome in [Outcome::Processed, Outcome::Failed, Outcome::Keep] {
            let mut uids: Vec<u32> =
                self.unfiled.iter().filter(|(_, of)| *of == outcome).map(|(uid, _)| *uid).collect();
            uids.sort_unstable();
            uids.dedup();
            if uids.is_empty() {
                continue;
            }
            match self.put(&uids, outcome).await {
                Ok(()) => self.unfiled.retain(|(_, of)| *of != outcome),
                Err(refused @ Error::Refused { .. }) => {
                    self.sink.progress(Progress::NotFiled { why: refused.to_string() });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    async fn put(&mut self, uids: &[u32], outcome: Outcome) -> Result<(), Error> {
        let folder = match outcome {
            Outcome::Processed => self.mailbox.processed.as_deref(),
            Outcome::Failed => self.mailbox.failed.as_deref(),
            Outcome::Keep => None,
        };
        if self.keywords && outcome != Outcome::Keep {
            match self.session.mark(uids, DONE).await {
                // Some servers keep only so many keywords. The mark is a courtesy to people, moving is not.
                Err(Error::Refused { .. }) => self.keywords = false,
                other => other?,
            }
        }
        let Some(folder) = folder else { return Ok(()) };
        match self.session.move_to(uids, folder).await {
            Err(Error::Refused { reason, .. }) if reason.contains("[TRYCREATE]") => {
                self.session.ensure_folder(folder).await?;
                self.session.move_to(uids, folder).await
            }
            other => other,
        }
    }

    async fn pause(&self, span: Duration) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Error::Stopped),
            () = tokio::time::sleep(span) => Ok(()),
        }
    }
}
