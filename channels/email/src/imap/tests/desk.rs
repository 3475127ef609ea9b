//! The other side: takes mail in as told, and remembers.

use std::sync::Mutex;
use std::time::Duration;

use guichet_domain::ambient::Clock;
use guichet_domain::time::Moment;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::world::{PATIENCE, World};
use crate::credentials::Credentials;
use crate::imap::position::{History, Position};
use crate::imap::sink::{Batch, Body, Fetched, Outcome, Progress, Refusal, Sink};
use crate::imap::{Error, Limits, Mailbox, Suspects, receive};
use crate::net::{Endpoint, Security};
use crate::tls;

/// What a desk remembers.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) position: Option<Position>,
    pub(super) mails: Vec<Fetched>,
    pub(super) skipped: u64,
    pub(super) gone: u64,
    pub(super) progress: Vec<Progress>,
    /// Answers to give before taking anything.
    pub(super) refusals: Vec<Refusal>,
}

impl Ledger {
    /// The texts taken in, in order.
    pub(super) fn texts(&self) -> Vec<String> {
        self.mails.iter().map(text).collect()
    }

    /// How often everything was taken in and filed.
    pub(super) fn rounds(&self) -> usize {
        self.progress.iter().filter(|progress| **progress == Progress::Waiting).count()
    }

    pub(super) fn waits(&self) -> bool {
        self.progress.last() == Some(&Progress::Waiting)
    }
}

pub(super) fn text(mail: &Fetched) -> String {
    match &mail.body {
        Body::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Body::TooLarge(bytes) => format!("too large: {} bytes read", bytes.len()),
        Body::Unreadable(why) => format!("unreadable: {why}"),
    }
}

/// Takes in everything; mail with "spam" in it is not understood, mail with "keep" stays.
#[derive(Default)]
pub(super) struct Desk {
    ledger: Mutex<Ledger>,
    changed: watch::Sender<u64>,
    /// While closed, no acceptance comes to its end: stands for a disk.
    closed: watch::Sender<bool>,
    /// How many acceptances have begun.
    begun: watch::Sender<u64>,
}

impl Desk {
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut Ledger) -> R) -> R {
        look(&mut self.ledger.lock().unwrap())
    }

    /// Waits until the ledger says so.
    pub(super) async fn until(&self, mut so: impl FnMut(&Ledger) -> bool) {
        let mut changes = self.changed.subscribe();
        let wait = async {
            while !self.with(|ledger| so(ledger)) {
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            let (texts, progress) = self.with(|ledger| (ledger.texts(), ledger.progress.clone()));
            panic!("waited in vain; taken in: {texts:?}; {progress:?}");
        }
    }

    pub(super) fn close(&self, closed: bool) {
        self.closed.send_replace(closed);
    }

    pub(super) fn begun(&self) -> u64 {
        *self.begun.borrow()
    }

    /// Waits until so many acceptances have begun.
    pub(super) async fn until_begun(&self, times: u64) {
        let mut begun = self.begun.subscribe();
        tokio::time::timeout(PATIENCE, begun.wait_for(|&count| count >= times)).await.expect("no batch").unwrap();
    }

    fn changed(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

impl Sink for Desk {
    type Ready = Batch;

    async fn understand(&self, batch: Batch) -> Batch {
        batch
    }

    async fn position(&self, _: &str) -> Result<Option<Position>, String> {
        Ok(self.with(|ledger| ledger.position))
    }

    async fn accept(&self, batch: Batch) -> Result<Vec<Outcome>, Refusal> {
        self.begun.send_modify(|count| *count += 1);
        self.closed.subscribe().wait_for(|closed| !closed).await.unwrap();
        let taken = self.with(|ledger| {
            if !ledger.refusals.is_empty() {
                return Err(ledger.refusals.remove(0));
            }
            assert!(
                ledger
                    .position
                    .is_none_or(|at| at.epoch < batch.position.epoch || at.last_uid <= batch.position.last_uid)
            );
            ledger.position = Some(batch.position);
            ledger.skipped += batch.skipped;
            ledger.gone += batch.gone;
            let outcome = |mail: &Fetched| match text(mail) {
                text if text.contains("spam") => Outcome::Failed,
                text if text.contains("keep") => Outcome::Keep,
                _ => Outcome::Processed,
            };
            let outcomes = batch.mails.iter().map(outcome).collect();
            for mail in batch.mails {
                // The name is the key: handed in again it is the same mail.
                if ledger.mails.iter().all(|known| known.name != mail.name) {
                    ledger.mails.push(mail);
                }
            }
            Ok(outcomes)
        });
        self.changed();
        taken
    }

    fn progress(&self, progress: Progress) {
        self.with(|ledger| ledger.progress.push(progress));
        self.changed();
    }
}

/// 15 November 2023, 12:00 UTC.
pub(super) const NOW: Moment = Moment::from_secs(1_700_049_600);

pub(super) struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Moment {
        NOW
    }
}

/// Limits that a busy machine keeps; polling is not what wakes us.
pub(super) fn limits() -> Limits {
    Limits { poll_without_idle: Duration::from_millis(10), ..Limits::default() }
}

/// For tests of silence: the same mailbox, soon out of patience.
pub(super) fn impatient(mailbox: &Mailbox) -> Mailbox {
    let soon = Duration::from_millis(200);
    let limits = Limits { reply: soon, slow_reply: soon, login: soon, done: soon, ..mailbox.limits.clone() };
    Mailbox { limits, ..mailbox.clone() }
}

pub(super) fn endpoint(world: &World) -> Endpoint {
    let tls = tls::client_config(None).unwrap();
    let host = "127.0.0.1".to_owned();
    Endpoint { host, port: world.port, security: Security::Plain, plain_anywhere: false, tls }
}

pub(super) fn mailbox(world: &World) -> Mailbox {
    Mailbox {
        endpoint: endpoint(world),
        folder: "INBOX".to_owned(),
        processed: Some("Processed".to_owned()),
        failed: Some("Failed".to_owned()),
        history: History::All,
        limits: limits(),
        suspects: Suspects::default(),
    }
}

pub(super) fn password() -> Credentials {
    Credentials::Password { user: "desk".to_owned(), password: "secret".to_owned() }
}

/// Receives while `story` goes on, then stops.
pub(super) async fn while_receiving(mailbox: &Mailbox, desk: &Desk, story: impl Future<Output = ()>) {
    let stop = CancellationToken::new();
    let credentials = password();
    let told = async {
        story.await;
        stop.cancel();
    };
    let (received, ()) = tokio::join!(receive(mailbox, &credentials, desk, &Fixed, &stop), told);
    received.unwrap();
}

/// Receives until that fails.
pub(super) async fn until_failure(mailbox: &Mailbox, desk: &Desk) -> Error {
    let stop = CancellationToken::new();
    let credentials = password();
    let receiving = receive(mailbox, &credentials, desk, &Fixed, &stop);
    tokio::time::timeout(PATIENCE, receiving).await.expect("goes on and on").unwrap_err()
}
