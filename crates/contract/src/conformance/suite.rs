//! Plays the core against one channel.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use guichet_domain::ids::{ConversationKey, DeliveryId};
use guichet_domain::inbound::{Content, Inbound, Party};
use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::{Clock, Ids};
use tokio::runtime::RuntimeFlavor;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use super::bench::{Bench, Inward, Network};
use super::intake::ScriptedIntake;
use super::logs::Capture;
use super::musts;
use super::report::{Broken, Report, Tried};
use super::surroundings::{CountedIds, RunningClock};
use super::{corpus, inward, outward, stopping, vocabulary};
use crate::channel::{Channel, Fault, Stop};
use crate::outgoing::{Delivery, Outgoing};
use crate::port::Port;

/// Whom the suite writes to where the bench does not say otherwise: may stand in no log line.
const RECIPIENT: &str = "ines.canary@example.org";

/// Runs every check against the bench's channel; see [`Report`].
///
/// On a current-thread runtime, as `#[tokio::test]` gives it: what is logged is heard on this thread alone. Takes as
/// long as the channel's own time limits ask for; with tokio's clock paused, no time.
pub async fn run(bench: &mut dyn Bench) -> Report {
    let capture = Capture::start();
    let mut suite = Suite::new(bench);
    if suite.bench.inward() != Inward::Nothing {
        inward::check_all(&mut suite).await;
    }
    stopping::check_all(&mut suite).await;
    outward::check_all(&mut suite).await;
    let told = nothing_told(&suite, &capture.lines());
    suite.report.judge(musts::SECRETS, told);
    suite.report.tidy()
}

/// What all checks share.
pub(super) struct Suite<'a> {
    pub(super) bench: &'a mut dyn Bench,
    pub(super) report: Report,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    marks: u32,
    /// Everything the channel said to the core that a person may come to see.
    said: Vec<String>,
}

impl<'a> Suite<'a> {
    fn new(bench: &'a mut dyn Bench) -> Self {
        let (clock, ids) = (Arc::new(RunningClock::start()), Arc::new(CountedIds::default()));
        Self { bench, report: Report::default(), clock, ids, marks: 0, said: Vec::new() }
    }

    /// A mark no other item has.
    pub(super) fn mark(&mut self) -> String {
        self.marks += 1;
        format!("mark{:04}x", self.marks)
    }

    pub(super) fn patience(&self) -> Duration {
        self.bench.patience()
    }

    pub(super) fn port(&self, intake: &Arc<ScriptedIntake>) -> Port {
        intake.port("conformance", Arc::clone(&self.clock), Arc::clone(&self.ids))
    }

    /// Keeps what the channel said, to look through at the end.
    pub(super) fn heard(&mut self, words: impl std::fmt::Debug) {
        self.said.push(format!("{words:?}"));
    }

    /// Starts a life of the channel: plugs it in and listens.
    pub(super) async fn listen(&mut self, network: &Arc<dyn Network>, intake: &Arc<ScriptedIntake>) -> Life {
        let port = self.port(intake);
        let channel = network.plug(&port).await;
        let stop = Stop::new();
        let task = tokio::spawn({
            let (channel, stop) = (Arc::clone(&channel), stop.clone());
            async move { channel.listen(port, stop).await }
        });
        Life { intake: Arc::clone(intake), stop, task }
    }

    /// A channel that only sends, on this network.
    pub(super) async fn sender(&mut self, network: &Arc<dyn Network>) -> (Arc<dyn Channel>, Port) {
        let port = self.port(&ScriptedIntake::new());
        (network.plug(&port).await, port)
    }

    /// A notice with this text, dressed for the network.
    pub(super) fn notice(&mut self, network: &Arc<dyn Network>, text: String) -> Outgoing {
        let id = DeliveryId(Uuid::new_v5(&Uuid::NAMESPACE_OID, self.ids.uuid().as_bytes()));
        let token = |kind: &str| format!("{kind}{}", id.0.simple());
        network.dress(Outgoing {
            id,
            attempt: 1,
            kind: NoticeKind::Acknowledgement,
            to: Party::new(RECIPIENT),
            conversation: ConversationKey::new(format!("conversation-{}", self.marks)),
            reference: "GT-482-109-3755".to_owned(),
            language: Language::En,
            subject: "We have your request".to_owned(),
            text,
            html: None,
            attachments: Vec::new(),
            reply_token: token("r"),
            message_token: token("m"),
            loop_token: token("l"),
            bounce_token: token("b"),
            in_reply_to: None,
            thread: Vec::new(),
        })
    }

    /// One attempt, within the channel's own deadline and without a panic.
    pub(super) async fn deliver(
        &mut self,
        channel: &Arc<dyn Channel>,
        port: &Port,
        notice: &Outgoing,
    ) -> Result<Delivery, Broken> {
        let limit = Duration::from_secs(channel.abilities().deadline_secs.max(1));
        let attempt = spawned("deliver", {
            let (channel, port, notice) = (Arc::clone(channel), port.clone(), notice.clone());
            async move { channel.deliver(&port, &notice).await }
        });
        let Ok(end) = tokio::time::timeout(limit, attempt).await else {
            let what = format!("deliver took longer than its {} s", limit.as_secs());
            return Err(Broken::new(musts::DEADLINE, what));
        };
        self.heard(&end);
        end
    }

    /// Waits for what must come; `broken` says what it means when it does not.
    pub(super) async fn within<T>(
        &self,
        wait: impl Future<Output = T>,
        must: super::Must,
        broken: impl FnOnce() -> String,
    ) -> Result<T, Broken> {
        tokio::time::timeout(self.patience(), wait).await.map_err(|_| Broken::new(must, broken()))
    }

    /// Ends a life in order, and looks at all it handed in.
    pub(super) async fn end(&mut self, life: Life) -> Result<(), Broken> {
        let intake = Arc::clone(&life.intake);
        let end = life.stopped().await;
        self.look_at(&intake);
        if let Ok(Err(fault)) = &end {
            self.heard(fault);
        }
        end.map(|_| ())
    }

    /// Takes what was handed in and said through the rules that hold always.
    pub(super) fn look_at(&mut self, intake: &Arc<ScriptedIntake>) {
        for health in intake.healths() {
            self.heard(health);
        }
        if let Err(broken) = vocabulary::check(&intake.calls()) {
            self.report.judge(musts::VOCABULARY, Err(broken));
        }
    }
}

/// Runs a call as a task of its own, so that its panic ends the check and not the suite. Dropped, it ends the call.
pub(super) async fn spawned<T: Send + 'static>(
    what: &str,
    call: impl Future<Output = T> + Send + 'static,
) -> Result<T, Broken> {
    let mut task = JoinSet::new();
    task.spawn(call);
    match task.join_next().await {
        Some(Ok(end)) => Ok(end),
        Some(Err(panic)) => Err(Broken::new(musts::NO_PANIC, format!("{what}: {panic}"))),
        None => Err(Broken::new(musts::NO_PANIC, format!("{what} was never run"))),
    }
}

/// A life of the channel.
pub(super) struct Life {
    pub(super) intake: Arc<ScriptedIntake>,
    pub(super) stop: Stop,
    pub(super) task: JoinHandle<Result<(), Fault>>,
}

impl Life {
    /// Stops it; `Ok` holds what `listen` answered.
    pub(super) async fn stopped(mut self) -> Result<Result<(), Fault>, Broken> {
        self.stop.cancel();
        match tokio::time::timeout(Duration::from_secs(5), &mut self.task).await {
            Ok(Ok(end)) => Ok(end),
            Ok(Err(panic)) => Err(Broken::new(musts::NO_PANIC, format!("listen: {panic}"))),
            Err(_) => {
                self.task.abort();
                Err(Broken::new(musts::STOPS, "listen was still running 5 s after stop"))
            }
        }
    }

    /// Drops it on the spot, as a killed process does.
    pub(super) async fn killed(self) {
        self.task.abort();
        drop(self.task.await);
    }
}

/// Whether the item is the one called `mark`.
pub(super) fn is_marked(item: &Inbound, mark: &str) -> bool {
    let told = match &item.content {
        Content::Read(read) => read.text.contains(mark) || read.reply_text.contains(mark),
        Content::Unreadable { detail, .. } => detail.contains(mark),
    };
    told || String::from_utf8_lossy(&item.raw).contains(mark)
}

fn nothing_told(suite: &Suite<'_>, lines: &[String]) -> Result<Tried, Broken> {
    if tokio::runtime::Handle::current().runtime_flavor() != RuntimeFlavor::CurrentThread {
        return Ok(Tried::No(
            "what other threads of the runtime logged was not heard: run the suite on a current-thread runtime",
        ));
    }
    let secrets = suite.bench.secrets();
    let broken = |what: &str, line: &str| {
        let shown: String = line.chars().take(300).collect();
        Err(Broken::new(musts::SECRETS, format!("{what}: {shown}")))
    };
    for line in lines {
        if secrets.iter().any(|secret| line.contains(secret.as_str())) {
            return broken("a secret was logged", line);
        }
        if line.contains(corpus::BODY_WORD) {
            return broken("the text of a message was logged", line);
        }
        if line.contains(RECIPIENT) {
            return broken("an address was logged", line);
        }
    }
    match suite.said.iter().find(|line| secrets.iter().any(|secret| line.contains(secret.as_str()))) {
        Some(line) => broken("a secret was told to the core", line),
        None => Ok(Tried::Yes),
    }
}

/// Runs what must not panic.
pub(super) fn calmly<T>(what: &str, call: impl FnOnce() -> T) -> Result<T, Broken> {
    std::panic::catch_unwind(AssertUnwindSafe(call))
        .map_err(|_| Broken::new(musts::NO_PANIC, format!("{what} panicked")))
}
