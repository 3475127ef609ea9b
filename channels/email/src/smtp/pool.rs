//! The connections of one source.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::envelope::Envelope;
use super::exchange::{self, Departure, Lost};
use super::handshake;
use super::limits::Patience;
use super::outcome::{NotTried, Outcome};
use super::pace::Pace;
use super::relay::{Dial, Relay, Tcp};
use super::session::{How, Session};

/// Sends mails over at most [`Relay::connections`] connections, kept while they are in use.
///
/// Cheap to clone; clones share everything. A `send` whose future is dropped closes its connection: no later mail can
/// hear an answer meant for an earlier one.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    relay: Relay,
    dial: Box<dyn Dial>,
    slots: Semaphore,
    pace: Option<Pace>,
    idle: Mutex<Idle>,
}

/// Connections without mail, the last used at the end: it is taken first, and the others get old enough to be closed.
#[derive(Default)]
struct Idle {
    sessions: Vec<Session>,
    /// A task is there to close them.
    watched: bool,
}

impl Pool {
    /// A pool that connects over TCP when it first has a mail.
    pub fn new(relay: Relay) -> Self {
        let host = relay.endpoint.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tcp = Tcp { host, port: relay.endpoint.port, limit: relay.limits.connect };
        Self::over(relay, Box::new(tcp))
    }

    /// A pool that connects by `dial`.
    pub fn over(relay: Relay, dial: Box<dyn Dial>) -> Self {
        let slots = Semaphore::new(relay.connections.max(1));
        let pace = relay.per_minute.map(Pace::new);
        Self { shared: Arc::new(Shared { relay, dial, slots, pace, idle: Mutex::default() }) }
    }

    /// Sends one mail and tells what became of it, within [`Limits::queue`](super::Limits::queue) plus
    /// [`Limits::whole`](super::Limits::whole).
    ///
    /// `message` is the whole message, header and body; its line ends are made CRLF. One call is one try, except that a
    /// kept connection which turns out to be dead before the server answered MAIL is replaced by a new one. Dropping the
    /// future before the final dot sends nothing; later, nobody knows.
    pub async fn send(&self, envelope: &Envelope, message: &[u8]) -> Outcome {
        self.send_noting(envelope, message, &|| Ok(())).await
    }

    /// The same; `departs` is called before the first octet of the body leaves. Up to then the server surely has not taken
    /// the mail, and where `departs` fails it never does.
    pub async fn send_noting(
        &self,
        envelope: &Envelope,
        message: &[u8],
        departs: &(dyn Fn() -> Result<(), String> + Send + Sync),
    ) -> Outcome {
        let shared = &*self.shared;
        let queued_until = Instant::now() + shared.relay.limits.queue;
        let Ok(Ok(_slot)) = timeout_at(queued_until, shared.slots.acquire()).await else {
            return Outcome::NotTried(NotTried::passing(format!(
                "all connections to {} are busy",
                shared.relay.name()
            )));
        };
        if let Some(pace) = &shared.pace
            && let Err(wait) = pace.take(queued_until).await
        {
            let why = format!("the rate of {} a minute is used up", shared.relay.per_minute.map_or(0, u32::from));
            return Outcome::NotTried(NotTried::Passing { why, retry_after: Some(wait) });
        }
        match shared.send(envelope, message, departs).await {
            Ok((outcome, session)) => {
                if let Some(session) = session {
                    self.park(session);
                }
                outcome
            }
            Err(fault) => Outcome::NotTried(fault),
        }
    }

    /// Connects, logs in and takes leave, without mail: for `doctor`.
    pub async fn probe(&self) -> Result<(), NotTried> {
        let patience = Patience::start(self.shared.relay.limits);
        let session = handshake::open(&self.shared.relay, &*self.shared.dial, &patience).await?;
        session.quit(&patience).await;
        Ok(())
    }

    /// Closes the idle connections politely. Connections in use are closed when their mail is done and the pool dropped.
    pub async fn close(&self) {
        let patience = Patience::start(self.shared.relay.limits);
        let sessions = std::mem::take(&mut self.shared.idle().sessions);
        futures_util::future::join_all(sessions.into_iter().map(|session| session.quit(&patience))).await;
    }

    fn park(&self, mut session: Session) {
        session.tidy();
        let mut idle = self.shared.idle();
        idle.sessions.push(session);
        if !idle.watched {
            idle.watched = true;
            tokio::spawn(close_idle(Arc::downgrade(&self.shared)));
        }
    }
}

impl Shared {
    /// The outcome, and the session where it may be kept.
    async fn send(
        &self,
        envelope: &Envelope,
        message: &[u8],
        departs: Departure<'_>,
    ) -> Result<(Outcome, Option<Session>), NotTried> {
        let patience = Patience::start(self.relay.limits);
        if let Some(mut session) = self.kept() {
            match exchange::send(&mut session, envelope, message, &patience, departs).await {
                // A server that had enough of the connection says 421 to the next command, or just closes.
                Ok(settled) if settled.begun || !matches!(settled.outcome, Outcome::Transient { code: 421, .. }) => {
                    return Ok((settled.outcome, settled.reusable.then_some(session)));
                }
                Err(lost) if lost.begun || matches!(lost.broken.how, How::TimedOut) => return Err(self.lost(&lost)),
                // It likely left the others as well.
                Ok(_) | Err(_) => self.idle().sessions.clear(),
            }
        }
        let mut session = handshake::open(&self.relay, &*self.dial, &patience).await?;
        match exchange::send(&mut session, envelope, message, &patience, departs).await {
            Ok(settled) => Ok((settled.outcome, settled.reusable.then_some(session))),
            Err(lost) => Err(self.lost(&lost)),
        }
    }

    fn lost(&self, lost: &Lost) -> NotTried {
        NotTried::passing(format!("{}: {}", self.relay.name(), lost.broken.why()))
    }

    /// A kept connection that still seems alive.
    fn kept(&self) -> Option<Session> {
        let mut idle = self.idle();
        while let Some(mut session) = idle.sessions.pop() {
            if session.parked_at.elapsed() < self.relay.idle && session.is_quiet() {
                return Some(session);
            }
        }
        None
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what is too old; and when the next will be, if there is one.
    fn expired(&self) -> (Vec<Session>, Option<Instant>) {
        let mut idle = self.idle();
        let sessions = std::mem::take(&mut idle.sessions);
        let (old, kept): (Vec<_>, Vec<_>) =
            sessions.into_iter().partition(|session| session.parked_at.elapsed() >= self.relay.idle);
        idle.sessions = kept;
        let next = idle.sessions.iter().map(|session| session.parked_at + self.relay.idle).min();
        idle.watched = next.is_some();
        (old, next)
    }
}

/// Closes connections as they get old; ends with the last of them.
async fn close_idle(shared: Weak<Shared>) {
    loop {
        let Some((old, next, limits)) = shared.upgrade().map(|shared| {
            let (old, next) = shared.expired();
            (old, next, shared.relay.limits)
        }) else {
            return;
        };
        let patience = Patience::start(limits);
        futures_util::future::join_all(old.into_iter().map(|session| session.quit(&patience))).await;
        match next {
            Some(next) => sleep_until(next).await,
            None => return,
        }
    }
}
