//! The world itself: its clock, its networks, and one life of the daemon after another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guichet::config::{Config, Place as Found, SourceSettings, TrustSetting};
use guichet::desk::views::TicketDetail;
use guichet::desk::{Desk, DeskError};
use guichet::intake::{self, Reception};
use guichet::kernel::{Kernel, Parts, Source};
use guichet::state::StateFolder;
use guichet::{sender, timers};
use guichet_contract::{Channel, Port, Stop};
use guichet_domain::Clock as _;
use guichet_domain::ids::{ConversationKey, SourceName};
use guichet_store::{outbox, timer};
use guichet_testkit::{Paper, PaperOptions, PaperPost, TestClock, TestIds};

use super::network::{Brake, Braked, BrakedIntake, Halt};
use super::people::{Agent, Person};
use super::place::Place;
use super::plan::Plan;

/// The source people write to.
pub(super) const LETTERS: &str = "letters";
/// The source that tells a program of events.
pub(super) const PROGRAM: &str = "program";

/// The source of people who talk on a page.
pub(super) const TALK: &str = "talk";
/// The source of people who fill in a form.
pub(super) const FORM: &str = "form";

/// Everything there is in one story.
pub(super) struct World {
    /// The time.
    pub(super) clock: TestClock,
    /// The network of letters.
    pub(super) post: PaperPost,
    /// The network of the program that is told of events.
    pub(super) wire: PaperPost,
    /// Halts deliveries of letters.
    pub(super) sending: Brake,
    /// Where it is kept.
    pub(super) place: Place,
    plan: Mutex<Plan>,
    ids: TestIds,
    life: Mutex<Option<Life>>,
    read: Mutex<HashMap<String, usize>>,
}

/// One life of the daemon. Cheap to clone.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) kernel: Arc<Kernel>,
    pub(super) reception: Reception,
    pub(super) desk: Desk,
}

/// Spans as people say them.
pub(super) trait Spans {
    fn minutes(self) -> Duration;
    fn hours(self) -> Duration;
    fn days(self) -> Duration;
}

impl Spans for u32 {
    fn minutes(self) -> Duration {
        Duration::from_mins(1) * self
    }

    fn hours(self) -> Duration {
        self.minutes() * 60
    }

    fn days(self) -> Duration {
        self.hours() * 24
    }
}

/// Tells a story on a plain desk that is always open, on each engine there is.
pub(super) async fn tell(story: impl AsyncFn(&World)) {
    tell_of(Plan::default(), story).await;
}

/// Tells a story in a world made after `plan`, on each engine there is.
pub(super) async fn tell_of(plan: Plan, story: impl AsyncFn(&World)) {
    let sqlite = World::at(Place::sqlite(), plan.clone()).await;
    story(&sqlite).await;
    sqlite.ends().await;
    sqlite.stops().await;
    if let Some(place) = Place::postgres().await {
        println!("the same on PostgreSQL:");
        let postgres = World::at(place, plan).await;
        story(&postgres).await;
        postgres.ends().await;
        postgres.stops().await;
    }
}

impl World {
    /// A new world in `place`: Monday 2026-11-23, nine o'clock.
    pub(super) async fn at(place: Place, plan: Plan) -> Self {
        let world = Self {
            clock: TestClock::default(),
            post: PaperPost::new(),
            wire: PaperPost::new(),
            sending: Brake::default(),
            place,
            ids: TestIds::seeded(plan.seed),
            plan: Mutex::new(plan),
            life: Mutex::new(None),
            read: Mutex::default(),
        };
        world.begin().await;
        world
    }

    /// Somebody with an address at client.test, vouched for by the network.
    pub(super) fn person(&self, name: &str) -> Person<'_> {
        Person::new(self, &format!("{name}@client.test"))
    }

    /// Somebody with this address, whom nobody vouches for.
    pub(super) fn stranger(&self, address: &str) -> Person<'_> {
        Person::new(self, address).unsealed()
    }

    /// An agent of the desk.
    pub(super) fn agent(&self, name: &str) -> Agent<'_> {
        Agent::new(self, name)
    }

    /// The daemon as it lives now.
    pub(super) fn life(&self) -> Life {
        self.life.lock().unwrap().clone().expect("the daemon runs")
    }

    /// The daemon ends.
    pub(super) async fn stops(&self) {
        let life = self.life.lock().unwrap().take().expect("the daemon runs");
        let db = life.kernel.db.clone();
        drop(life);
        db.close().await;
    }

    /// The daemon ends and starts again, on the same database.
    pub(super) async fn restarts(&self) {
        self.stops().await;
        self.begin().await;
    }

    /// The operator changes the configuration, and the daemon starts again.
    pub(super) async fn restarts_with(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock().unwrap());
        self.restarts().await;
    }

    /// The channel hands in what waits in the boxes, until all of it is acknowledged.
    pub(super) async fn receives(&self) {
        let (channel, port) = self.letters();
        let stop = Stop::new();
        let taken = async {
            self.post.until_all_taken().await;
            stop.cancel();
        };
        let (end, ()) = tokio::join!(channel.listen(port, stop.clone()), taken);
        end.unwrap();
    }

    /// The channel hands in what waits, and the daemon is killed before or after it is durable; nobody hears yes. Then it
    /// starts again.
    pub(super) async fn is_killed_receiving(&self, halt: Halt) {
        let (channel, port) = self.letters();
        let brake = Brake::default();
        brake.set(halt);
        let intake = Arc::new(BrakedIntake { intake: Arc::clone(&port.intake), brake: brake.clone() });
        tokio::select! {
            end = channel.listen(Port { intake, ..port }, Stop::new()) => panic!("it ended by itself: {end:?}"),
            () = brake.halted() => {}
        }
        self.restarts().await;
    }

    /// The daemon begins to send, and is killed before or after the network has taken the first letter. Then it starts
    /// again.
    pub(super) async fn is_killed_sending(&self, halt: Halt) {
        assert!(self.may_be_killed_sending(halt).await, "there was nothing to send");
    }

    /// The same if there is anything that can be sent now; whether there was.
    pub(super) async fn may_be_killed_sending(&self, halt: Halt) -> bool {
        let life = self.life();
        self.sending.set(halt);
        let killed = tokio::select! {
            end = sender::drain(&life.kernel, &life.reception) => {
                end.unwrap();
                false
            }
            () = self.sending.halted() => true,
        };
        self.sending.release();
        drop(life);
        if killed {
            self.restarts().await;
        }
        killed
    }

    /// Does all that is due now: timers fire, what must leave is tried. Gives how many attempts to send there were.
    pub(super) async fn works(&self) -> usize {
        let life = self.life();
        let mut attempts = 0;
        loop {
            let fired = timers::fire_due(&life.kernel).await.unwrap();
            let tried = sender::drain(&life.kernel, &life.reception).await.unwrap();
            attempts += tried;
            if fired + tried == 0 {
                return attempts;
            }
        }
    }

    /// Time goes on while the daemon runs: whatever becomes due is done when it is due. (`clock.advance` is time in which
    /// it does not run.)
    pub(super) async fn forward(&self, span: Duration) {
        let end = self.clock.now() + span;
        self.works().await;
        while let Some(next) = self.next_due().await.filter(|next| *next <= end) {
            self.clock.set(next);
            self.works().await;
        }
        self.clock.set(end);
        self.works().await;
    }

    /// The ticket with everything that happened to it.
    pub(super) async fn ticket(&self, reference: &str) -> TicketDetail {
        self.life().desk.read(reference, 0).await.unwrap()
    }

    /// Its state, as the stable word.
    pub(super) async fn state(&self, reference: &str) -> &'static str {
        self.ticket(reference).await.ticket.state.as_str()
    }

    /// What was queued to leave for a ticket, in order: `acknowledgement sent`, `closure suppressed (cap.sender_hour)`.
    pub(super) async fn deliveries(&self, reference: &str) -> Vec<String> {
        let ticket = self.ticket(reference).await;
        let shown = ticket.deliveries.iter().map(|row| {
            let why = row.reason.as_ref().map(|why| format!(" ({})", why.code)).unwrap_or_default();
            format!("{} {}{why}", row.kind.as_str(), row.state.as_str())
        });
        shown.collect()
    }

    /// What an agent must look at, as the stable word; empty when there is nothing.
    pub(super) async fn attention(&self, reference: &str) -> String {
        let ticket = self.ticket(reference).await.ticket;
        ticket.attention.map(|why| why.code.to_string()).unwrap_or_default()
    }

    /// Every reason code that was given for a ticket.
    pub(super) async fn reasons(&self, reference: &str) -> Vec<String> {
        let ticket = self.ticket(reference).await;
        ticket.timeline.iter().flat_map(|entry| &entry.reasons).map(|why| why.code.to_string()).collect()
    }

    /// Letters somebody has read so far; the count moves to `now`.
    pub(super) fn has_read(&self, address: &str, now: usize) -> usize {
        self.read.lock().unwrap().insert(address.to_owned(), now).unwrap_or(0)
    }

    /// The port of a source.
    pub(super) fn port(&self, name: &str) -> Port {
        let life = self.life();
        let name = SourceName::from(name);
        intake::port(&life.reception, &name, &life.kernel.sources[&name])
    }

    /// The channel of the letters and its port.
    pub(super) fn letters(&self) -> (Arc<dyn Channel>, Port) {
        let life = self.life();
        let name = SourceName::from(LETTERS);
        let source = life.letters();
        let port = intake::port(&life.reception, &name, &source);
        (source.channel, port)
    }

    async fn begin(&self) {
        let plan = self.plan.lock().unwrap().clone();
        let file = self.place.folder().join("guichet.toml");
        std::fs::write(&file, &plan.config).unwrap();
        let state = self.place.folder().to_owned();
        let config = Config::load(&Found { config: Some(file), state: Some(state.clone()) }).unwrap();
        let letters = Paper::plugged(&self.post, plan.letters.clone());
        let letters: Arc<dyn Channel> = Arc::new(Braked { channel: letters, brake: self.sending.clone() });
        let mut sources = vec![(settings(LETTERS, plan.trust_all), letters)];
        if let Some(events) = &plan.program {
            let options = PaperOptions { events: Some(events.clone()), ..PaperOptions::default() };
            sources.push((settings(PROGRAM, false), Paper::plugged(&self.wire, options)));
        }
        if plan.pages {
            let by_letter = |name| SourceSettings { answer_by: Some(LETTERS.into()), ..settings(name, false) };
            sources.push((by_letter(TALK), Paper::plugged(&self.wire, PaperOptions::default())));
            let mute = PaperOptions { sends: false, ..PaperOptions::default() };
            sources.push((by_letter(FORM), Paper::plugged(&self.wire, mute)));
        }
        let parts = Parts {
            target: self.place.target(),
            state: StateFolder::open(&state).unwrap(),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(self.ids.clone()),
            sources,
        };
        let kernel = Kernel::assemble(&config, parts).await.unwrap();
        let reception = Reception::start(Arc::clone(&kernel));
        let desk = Desk::new(Arc::clone(&kernel), reception.clone());
        *self.life.lock().unwrap() = Some(Life { kernel, reception, desk });
    }

    async fn next_due(&self) -> Option<guichet_domain::Moment> {
        let kernel = self.life().kernel;
        let now = self.clock.now();
        let mut tx = kernel.db.read().await.unwrap();
        let mut next: Vec<_> = timer::next(&mut tx).await.unwrap().into_iter().collect();
        for source in kernel.sources.keys() {
            next.extend(outbox::next_due(&mut tx, source, now).await.unwrap());
        }
        next.into_iter().filter(|next| *next > now).min()
    }
}

impl Life {
    /// The source people write to.
    pub(super) fn letters(&self) -> Source {
        self.kernel.sources[&SourceName::from(LETTERS)].clone()
    }

    /// The public timeline of a conversation, as the channel sees it.
    pub(super) async fn conversation(&self, conversation: &str) -> Vec<(i64, String)> {
        let port = intake::port(&self.reception, &SourceName::from(LETTERS), &self.letters());
        let entries = port
            .intake
            .timeline(&ConversationKey::new(conversation), guichet_domain::ids::Seq::default())
            .await
            .unwrap();
        entries.into_iter().map(|entry| (entry.seq.0, entry.text)).collect()
    }
}

/// What an agent's act was refused with, in words.
pub(super) fn words(refused: Result<impl std::fmt::Debug, DeskError>) -> String {
    refused.unwrap_err().to_string()
}

fn settings(name: &str, trust_all: bool) -> SourceSettings {
    SourceSettings {
        name: SourceName::from(name),
        channel: "paper".to_owned(),
        acknowledge: true,
        trust: if trust_all { TrustSetting::All } else { TrustSetting::Proved },
        enabled: true,
        ..SourceSettings::new(name, "paper")
    }
}
