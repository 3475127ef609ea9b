//! The channel on the network of letters.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guichet_contract::conformance::Behaviour;
use guichet_contract::{
    Abilities, Accepted, Channel, Cursor, CursorMove, Delivery, Fault, Health, Held, Holdings, Kind, NotAccepted,
    Outgoing, Port, SettingsError, Stop,
};
use guichet_domain::Moment;
use guichet_domain::ids::{ExternalId, SourceName};
use guichet_domain::inbound::{Content, Inbound, Item};
use guichet_domain::reason::Reason;

use super::following::follow_windows;
use super::options::PaperOptions;
use super::post::{PaperPost, Posted};

/// The longest wait that is believed of the network.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A channel on a [`PaperPost`]. A new value on the same post is the daemon started again.
pub struct Paper {
    post: PaperPost,
    options: PaperOptions,
}

/// Makes paper channels that all sit on one post: what the catalogue holds for a real channel.
pub struct PaperKind {
    /// The network.
    pub post: PaperPost,
    /// What each channel can do.
    pub options: PaperOptions,
}

impl Kind for PaperKind {
    fn name(&self) -> &'static str {
        "paper"
    }

    fn build(&self, _: &SourceName, _: serde_json::Value, _: &Path) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Paper::plugged(&self.post, self.options.clone()))
    }

    fn example(&self) -> &'static str {
        "[[source]]\nname = \"letters\"\nchannel = \"paper\"\n"
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({"type": "object", "additionalProperties": false})
    }
}

impl Paper {
    /// A channel on this network.
    pub fn new(post: &PaperPost, options: PaperOptions) -> Self {
        Self { post: post.clone(), options }
    }

    /// The same, as the daemon holds it.
    pub fn plugged(post: &PaperPost, options: PaperOptions) -> Arc<dyn Channel> {
        Arc::new(Self::new(post, options))
    }

    async fn fetch(&self, port: &Port) -> Result<(), Fault> {
        let mut places = self.places(port).await?;
        for (post_box, place) in &places {
            self.post.acknowledge_up_to(post_box, *place);
        }
        let mut changes = self.post.changes();
        let mut well = false;
        loop {
            changes.mark_unchanged();
            match self.post.behaviour() {
                Behaviour::Down => return Err(Fault::passing("the post office is closed")),
                Behaviour::Silent => std::future::pending().await,
                _ if !well => {
                    port.intake.report(Health::Good { note: "waiting for letters".to_owned() });
                    well = true;
                }
                _ => {}
            }
            let batch = self.post.waiting(&places, self.options.batch.clamp(1, 256));
            if batch.is_empty() {
                // The sender lives as long as `self.post`.
                if changes.changed().await.is_err() {
                    return Err(Fault::passing("the post is gone"));
                }
                continue;
            }
            well &= self.hand_in(port, &batch, &mut places).await?;
        }
    }

    /// Where each box was left, by the core's memory; counts this life on the way.
    async fn places(&self, port: &Port) -> Result<BTreeMap<String, u64>, Fault> {
        let lives = port.intake.slot("lives").await?;
        let count: u64 = lives.value.as_deref().and_then(|value| value.parse().ok()).unwrap_or(0);
        if !port.intake.put_slot("lives", lives.version, Some((count + 1).to_string())).await? {
            return Err(Fault::passing("another life of this source has just begun"));
        }
        let mut places = BTreeMap::new();
        for post_box in self.post.boxes() {
            let cursor = port.intake.cursor(&key(&post_box)).await?;
            let place = cursor.and_then(|cursor| cursor.0.parse().ok()).unwrap_or(0);
            places.insert(post_box, place);
        }
        Ok(places)
    }

    /// Hands a batch in; answers whether all is well.
    async fn hand_in(&self, port: &Port, batch: &[Posted], places: &mut BTreeMap<String, u64>) -> Result<bool, Fault> {
        let now = port.clock.now();
        let items: Vec<Inbound> = batch.iter().map(|posted| inbound(posted, now)).collect();
        match accept(port, items, batch).await {
            Ok(accepted) => {
                let mut receipts = accepted.receipts.into_iter();
                for posted in batch {
                    places.insert(posted.letter.post_box.clone(), posted.place);
                    self.post.acknowledge(&posted.letter.post_box, posted.place, receipts.next());
                }
                Ok(true)
            }
            Err(NotAccepted::Busy { after, why }) => {
                port.intake.report(Health::Troubled { note: why });
                tokio::time::sleep(after.min(LONGEST_WAIT)).await;
                Ok(false)
            }
            Err(NotAccepted::Refused { why }) => match batch {
                // One letter that is refused whole is handed in as what it is: something that cannot be read.
                [posted] => self.hand_in_unreadable(port, posted, places, why).await,
                several => {
                    for posted in several {
                        Box::pin(self.hand_in(port, std::slice::from_ref(posted), places)).await?;
                    }
                    Ok(true)
                }
            },
        }
    }

    async fn hand_in_unreadable(
        &self,
        port: &Port,
        posted: &Posted,
        places: &mut BTreeMap<String, u64>,
        why: String,
    ) -> Result<bool, Fault> {
        let content = Content::Unreadable { reason: Reason::of("paper.refused"), detail: why };
        let item = Inbound { content, ..inbound(posted, port.clock.now()) };
        match accept(port, vec![item], std::slice::from_ref(posted)).await {
            Ok(accepted) => {
                places.insert(posted.letter.post_box.clone(), posted.place);
                self.post.acknowledge(&posted.letter.post_box, posted.place, accepted.receipts.into_iter().next());
                Ok(true)
            }
            Err(error) => Err(Fault::passing(format!("a letter can be handed in in no form: {error}"))),
        }
    }

    fn send(&self, notice: &Outgoing) -> ExternalId {
        let mut notice = notice.clone();
        if let Some(max) = self.options.max_chars
            && notice.text.chars().count() > max
        {
            notice.text = notice.text.chars().take(max.saturating_sub(1)).chain(['…']).collect();
        }
        self.post.take(notice, self.options.idempotent_send)
    }
}

#[async_trait]
impl Channel for Paper {
    fn abilities(&self) -> Abilities {
        self.options.abilities()
    }

    fn addresses(&self) -> Vec<String> {
        self.options.addresses.clone()
    }

    fn events(&self) -> Option<Vec<String>> {
        self.options.events.clone()
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            end = self.fetch(&port) => end,
            fault = follow_windows(&self.post, &port) => Err(fault),
        }
    }

    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery {
        if self.post.is_refused(&notice.to.key()) {
            return Delivery::Refused { detail: "nobody lives there".to_owned(), hard: true };
        }
        let unknown = |detail: &str| Delivery::Unknown { detail: detail.to_owned() };
        let behaviour = self.post.begin_attempt();
        let departs =
            matches!(behaviour, Behaviour::Works | Behaviour::DiesBefore | Behaviour::DiesAfter | Behaviour::Silent);
        if self.options.notes_departure
            && departs
            && let Err(detail) = port.departures.note(notice.id)
        {
            return Delivery::Retry { detail, after: None, source_down: false };
        }
        match behaviour {
            Behaviour::Works => {
                Delivery::Delivered { external_id: Some(self.send(notice)), detail: "posted".to_owned() }
            }
            Behaviour::Refuses => {
                Delivery::Refused { detail: "the post office does not take such letters".to_owned(), hard: false }
            }
            Behaviour::AsksToWait(after) => Delivery::Retry {
                detail: "the post office asks to come back".to_owned(),
                after: Some(after.min(LONGEST_WAIT)),
                source_down: false,
            },
            Behaviour::Down => {
                Delivery::Retry { detail: "the post office is closed".to_owned(), after: None, source_down: true }
            }
            Behaviour::DiesBefore => unknown("the counter closed before it said anything"),
            Behaviour::DiesAfter => {
                self.send(notice);
                unknown("the counter closed before it said anything")
            }
            Behaviour::Silent => {
                tokio::time::sleep(Duration::from_secs(self.options.deadline_secs.saturating_sub(1))).await;
                unknown("the counter said nothing for too long")
            }
        }
    }

    async fn find_sent(&self, _: &Port, notice: &Outgoing) -> Result<Option<ExternalId>, Fault> {
        if !self.options.finds_sent {
            return Err(Fault::lasting("letters of ours cannot be looked for", "set finds_sent"));
        }
        if self.post.behaviour() == Behaviour::Down {
            return Err(Fault::passing("the post office is closed"));
        }
        Ok(self.post.sent().into_iter().find(|sent| sent.notice.id == notice.id).map(|sent| sent.external_id))
    }

    async fn check(&self, _: &Port) -> Result<Vec<String>, Fault> {
        if self.post.behaviour() == Behaviour::Down {
            return Err(Fault::passing("the post office is closed"));
        }
        Ok(vec![format!("the post office is open; boxes: {}", self.post.boxes().len())])
    }

    async fn holdings(&self, port: &Port) -> Result<Option<Holdings>, Fault> {
        if matches!(self.post.behaviour(), Behaviour::Down | Behaviour::Silent) {
            return Err(Fault::passing("the post office is closed"));
        }
        let mut holdings = Holdings::default();
        for post_box in self.post.boxes() {
            let cursor = port.intake.cursor(&key(&post_box)).await?;
            let place = cursor.and_then(|cursor| cursor.0.parse().ok()).unwrap_or(0);
            let (due, ahead) = self.post.around(&post_box, place);
            holdings.ahead += ahead;
            holdings.due.extend(due.into_iter().map(|(at, id)| Held {
                place: format!("box {post_box}, place {at}"),
                external_id: Some(id),
                same_as: Vec::new(),
            }));
        }
        Ok(Some(holdings))
    }

    fn read(&self, bytes: &[u8], position: &str, now: Moment) -> Option<Inbound> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let item = Item { reply_text: text.clone(), text, ..Item::default() };
        Some(Inbound {
            external_id: ExternalId::new(format!("file-{position}")),
            same_as: Vec::new(),
            content: Content::Read(Box::new(item)),
            received_at: now,
            raw: bytes.to_vec(),
            quiet: None,
        })
    }
}

/// The cursor of a box.
fn key(post_box: &str) -> String {
    format!("box {post_box}")
}

async fn accept(port: &Port, items: Vec<Inbound>, batch: &[Posted]) -> Result<Accepted, NotAccepted> {
    let mut last = BTreeMap::new();
    for posted in batch {
        last.insert(&posted.letter.post_box, posted.place);
    }
    let to = |(post_box, place): (&String, u64)| CursorMove { key: key(post_box), to: Cursor(place.to_string()) };
    port.intake.accept(items, last.into_iter().map(to).collect()).await
}

fn inbound(posted: &Posted, now: Moment) -> Inbound {
    let mut item = posted.letter.item.clone();
    item.own_ids.push(posted.id.clone());
    let raw = format!(
        "Paper-Id: {}\nFrom: {}\nSubject: {}\n\n{}",
        posted.id,
        item.from.as_ref().map(|from| from.address.as_str()).unwrap_or_default(),
        item.subject.as_deref().unwrap_or_default(),
        item.text
    );
    Inbound {
        external_id: posted.id.clone(),
        same_as: Vec::new(),
        content: Content::Read(Box::new(item)),
        received_at: now,
        raw: raw.into_bytes(),
        quiet: None,
    }
}
