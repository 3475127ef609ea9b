//! From events to calls to tickets.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::{Delivery, Fault, NotAccepted, Port};
use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, ExternalId};
use guichet_domain::inbound::{Content, Inbound, Item, Nature, RefersTo, Report, ReportOutcome};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::State;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::call::Call;
use crate::event::{CallEvent, Disposition, Heard, Stage, TextReport};
use crate::flood::Flood;
use crate::plan::{self, Came, Step};
use crate::settings::Settings;
use crate::spool::Kept;
use crate::ways::told_otherwise;

/// Calls that are worked on side by side; those of one stripe wait for each other.
const STRIPES: usize = 64;
/// How often a call is read again when another node wrote it meanwhile.
const ATTEMPTS: usize = 8;
/// After how long a call of which no end was heard has ended.
pub(crate) const ENDLESS: Duration = Duration::from_hours(2);
/// How far events without a call's id are apart at most.
const SAME_LINE: Duration = Duration::from_hours(2);
/// Longest id of a call that is used as it is.
const LONGEST_ID: usize = 200;

/// What there is to know of a call after an event of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    pub(crate) id: String,
    pub(crate) reference: Option<String>,
    /// Whether the call is still open: it must be looked after until it ends.
    pub(crate) open: bool,
    /// Recordings that are not in the ticket yet.
    pub(crate) recordings: Vec<crate::event::Recording>,
    pub(crate) blocked: bool,
}

/// Why an event could not be entered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotEntered {
    /// Comes again.
    Later { after: Duration, why: String },
    /// Never in this form.
    Refused { why: String },
}

impl From<Fault> for NotEntered {
    fn from(fault: Fault) -> Self {
        Self::Later { after: Duration::from_secs(5), why: fault.to_string() }
    }
}

impl From<NotAccepted> for NotEntered {
    fn from(not: NotAccepted) -> Self {
        match not {
            NotAccepted::Busy { after, why } => Self::Later { after, why },
            NotAccepted::Refused { why } => Self::Refused { why },
        }
    }
}

/// The ticket a caller waits in.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    conversation: String,
    at: Moment,
}

/// Where events without an id, or with another, find their call.
#[derive(Debug, Serialize, Deserialize)]
struct Alias {
    call: String,
    at: Moment,
}

/// Enters events of one source.
pub(crate) struct Engine {
    settings: Arc<Settings>,
    stripes: [Mutex<()>; STRIPES],
    flood: Flood,
    /// Where sounds are put that callers are played.
    sounds: PathBuf,
}

impl Engine {
    pub(crate) fn new(settings: Arc<Settings>, sounds: PathBuf) -> Self {
        let flood = Flood::new(settings.rules.per_caller_hour, settings.rules.per_minute);
        Self { settings, stripes: std::array::from_fn(|_| Mutex::new(())), flood, sounds }
    }

    /// Enters what one request told. Twice changes nothing; dropped anywhere, it is entered by doing it again. Answers how the
    /// calls stand.
    pub(crate) async fn enter(&self, port: &Port, kept: &Kept) -> Result<Vec<Standing>, NotEntered> {
        let mut standings = Vec::new();
        for heard in &kept.heard {
            match heard {
                Heard::Call(event) => standings.extend(self.enter_call(port, event, kept).await?),
                Heard::Text(report) => self.enter_report(port, report, kept).await?,
            }
        }
        Ok(standings)
    }

    async fn enter_call(&self, port: &Port, event: &CallEvent, kept: &Kept) -> Result<Option<Standing>, NotEntered> {
        let id = self.call_id(port, event, kept).await?;
        let _alone = self.stripe(&id).lock().await;
        for _ in 0..ATTEMPTS {
            let slot = port.intake.slot(&call_slot(&id)).await?;
            let known = slot.value.as_deref().and_then(|value| serde_json::from_str::<Call>(value).ok());
            let mut call = known.clone().unwrap_or_else(|| Call::new(&id, kept.at));
            call.hear(event);
            let caller_waits = kept.speaks && event.stage == Stage::Ringing && call.is_inbound();
            if caller_waits && !call.has_handed("open") {
                call.speaks = true;
            }
            let opened = self.hand_in(port, &mut call, kept).await?;
            if caller_waits && call.reference.is_some() {
                call.spoken_at = call.spoken_at.or(Some(kept.at));
            }
            if known.as_ref() == Some(&call) {
                return Ok(Some(self.standing(&call)));
            }
            let remembering = async {
                if opened {
                    self.remember_caller(port, &call, kept.at).await;
                }
            };
            // Side by side: they share one commit.
            let (kept_row, ()) = tokio::join!(self.keep(port, &call, slot.version), remembering);
            if kept_row? {
                return Ok(Some(self.standing(&call)));
            }
        }
        Err(NotEntered::Later { after: Duration::from_secs(1), why: "another node writes this call".to_owned() })
    }

    /// A call of which nothing was heard for long has ended, and nobody knows how.
    pub(crate) async fn sweep(&self, port: &Port, id: &str, now: Moment) -> Result<Standing, NotEntered> {
        let _alone = self.stripe(id).lock().await;
        for _ in 0..ATTEMPTS {
            let slot = port.intake.slot(&call_slot(id)).await?;
            let known = slot.value.as_deref().and_then(|value| serde_json::from_str::<Call>(value).ok());
            let Some(mut call) = known.filter(|call| call.stage != Stage::Ended) else {
                return Ok(Standing::default());
            };
            call.stage = Stage::Ended;
            call.swept = true;
            call.said = call.said.max(Some(Disposition::Unknown));
            let kept = Kept { at: now, heard: Vec::new(), raw: String::new(), speaks: false };
            self.hand_in(port, &mut call, &kept).await?;
            if self.keep(port, &call, slot.version).await? {
                return Ok(self.standing(&call));
            }
        }
        Err(NotEntered::Later { after: Duration::from_secs(1), why: "another node writes this call".to_owned() })
    }

    /// The row of a call when nothing is being entered of it here, if there is one.
    pub(crate) async fn settled(&self, port: &Port, id: &str) -> Result<Option<Call>, Fault> {
        let _alone = self.stripe(id).lock().await;
        self.call(port, id).await
    }

    /// The row of a call, if there is one.
    pub(crate) async fn call(&self, port: &Port, id: &str) -> Result<Option<Call>, Fault> {
        let slot = port.intake.slot(&call_slot(id)).await?;
        Ok(slot.value.as_deref().and_then(|value| serde_json::from_str(value).ok()))
    }

    /// Notes that a recording is in the ticket, or will never be.
    pub(crate) async fn fetched(&self, port: &Port, id: &str, key: &str) -> Result<(), NotEntered> {
        let _alone = self.stripe(id).lock().await;
        for _ in 0..ATTEMPTS {
            let slot = port.intake.slot(&call_slot(id)).await?;
            let known = slot.value.as_deref().and_then(|value| serde_json::from_str::<Call>(value).ok());
            let Some(mut call) = known.filter(|call| !call.has_handed(key)) else { return Ok(()) };
            call.handed.push(key.to_owned());
            if self.keep(port, &call, slot.version).await? {
                return Ok(());
            }
        }
        Err(NotEntered::Later { after: Duration::from_secs(1), why: "another node writes this call".to_owned() })
    }

    /// Hands in what follows from the call as it is known now, and notes it in the call. Answers whether it opened a ticket.
    async fn hand_in(&self, port: &Port, call: &mut Call, kept: &Kept) -> Result<bool, NotEntered> {
        let (rules, zone) = (&self.settings.rules, &self.settings.habits.zone);
        let mut steps = plan::steps(call, rules, kept.at);
        if steps.is_empty() {
            return Ok(false);
        }
        let opens = steps.contains(&Step::Open);
        if opens && self.flood.is_one_too_many(call.caller.as_deref(), kept.at) {
            tracing::warn!(source = %port.source, "more calls come than are entered; this one is kept in its row alone");
            call.flooded = true;
            return Ok(false);
        }
        if opens && call.conversation.is_none() {
            self.choose_conversation(port, call, kept.at).await?;
        }
        // All that follows, in one batch: what the opening tells is not told again.
        let told = if opens { plan::told_by_opening(call) } else { steps.iter().map(Step::key).collect() };
        if opens {
            steps.retain(|step| *step == Step::Open);
        }
        let raw = raw_of(kept);
        let came = Came { raw: &raw, at: kept.at };
        let items = steps.iter().map(|step| plan::item(call, step, rules.language, zone, &came)).collect();
        let accepted = port.intake.accept(items, Vec::new()).await?;
        let reference = accepted.receipts.into_iter().find_map(|receipt| receipt.reference);
        call.reference = call.reference.take().or(reference);
        call.handed.extend(told);
        call.handed.dedup();
        Ok(opens && !call.again)
    }

    /// The conversation of an earlier call of the same number to the same line, where its ticket waits, else its own.
    async fn choose_conversation(&self, port: &Port, call: &mut Call, now: Moment) -> Result<(), NotEntered> {
        let own = plan::conversation(call);
        let window = Duration::from_hours(u64::from(self.settings.rules.repeat_hours));
        if let Some(key) = caller_slot(call) {
            let slot = port.intake.slot(&key).await?;
            let waiting = slot.value.as_deref().and_then(|value| serde_json::from_str::<Waiting>(value).ok());
            if let Some(waiting) =
                waiting.filter(|waiting| waiting.conversation != own && now.since(waiting.at) < window)
            {
                let conversation = ConversationKey::new(waiting.conversation.clone());
                let standing = port.conversations.standing(&conversation).await?;
                if standing.is_some_and(|standing| matches!(standing.state, State::New | State::Open)) {
                    call.again = true;
                    call.conversation = Some(waiting.conversation);
                    return Ok(());
                }
            }
        }
        call.conversation = Some(own);
        Ok(())
    }

    /// Remembers where a caller waits who was not spoken to. If that fails, their next call opens a ticket of its own.
    async fn remember_caller(&self, port: &Port, call: &Call, now: Moment) {
        let (Some(key), Some(conversation)) = (caller_slot(call), call.conversation.clone()) else { return };
        if call.disposition() == Some(Disposition::Answered) {
            return;
        }
        let Ok(value) = serde_json::to_string(&Waiting { conversation, at: now }) else { return };
        let Ok(slot) = port.intake.slot(&key).await else { return };
        if let Err(fault) = port.intake.put_slot(&key, slot.version, Some(value)).await {
            tracing::warn!(source = %port.source, %fault, "a caller's ticket is not remembered; a next call opens another");
        }
    }

    async fn keep(&self, port: &Port, call: &Call, version: i64) -> Result<bool, NotEntered> {
        let value = serde_json::to_string(call).map_err(|error| NotEntered::Refused { why: error.to_string() })?;
        Ok(port.intake.put_slot(&call_slot(&call.id), version, Some(value)).await?)
    }

    fn standing(&self, call: &Call) -> Standing {
        let wanted = |recording: &&crate::event::Recording| {
            call.has_handed("open") && !call.has_handed(&plan::recording_key(&recording.url))
        };
        let blocked = call.caller.as_ref().is_some_and(|caller| self.settings.rules.blocked.contains(caller));
        Standing {
            id: call.id.clone(),
            reference: call.reference.clone(),
            open: call.stage != Stage::Ended && call.is_inbound(),
            recordings: call.recordings.iter().filter(wanted).cloned().collect(),
            blocked,
        }
    }

    /// The id under which a call is kept: what the system calls it, what another event said that this one calls it, or the
    /// call that is on between the same two numbers.
    async fn call_id(&self, port: &Port, event: &CallEvent, kept: &Kept) -> Result<String, NotEntered> {
        let id = if event.call_id.is_empty() { None } else { Some(usable(&event.call_id)) };
        let alias = match (&id, &event.also) {
            (_, Some(also)) => format!("also:{}", usable(also)),
            (Some(id), None) => return Ok(id.clone()),
            (None, None) => {
                let end = |line: &crate::event::Line| line.number.clone().or(line.raw.clone()).unwrap_or_default();
                format!("line:{}", plan::short_hash(&format!("{}>{}", end(&event.caller), end(&event.callee))))
            }
        };
        let slot = port.intake.slot(&alias).await?;
        let known = slot.value.as_deref().and_then(|value| serde_json::from_str::<Alias>(value).ok());
        match (known, id) {
            // Whichever name was heard first names the call for good.
            (Some(known), Some(_)) => Ok(known.call),
            (None, Some(id)) => {
                self.remember(port, &alias, slot.version, &id, kept.at).await?;
                Ok(id)
            }
            (Some(known), None) if event.also.is_some() => Ok(known.call),
            (Some(known), None)
                if kept.at.since(known.at) < SAME_LINE && self.is_on(port, &known.call, event).await? =>
            {
                Ok(known.call)
            }
            (_, None) => {
                let at = event.started_at.unwrap_or(kept.at).micros();
                let id = event.also.as_deref().map_or_else(|| plan::short_hash(&format!("{alias}@{at}")), usable);
                self.remember(port, &alias, slot.version, &id, kept.at).await?;
                Ok(id)
            }
        }
    }

    /// Whether an event without an id can be of this call.
    async fn is_on(&self, port: &Port, id: &str, event: &CallEvent) -> Result<bool, NotEntered> {
        let call = self.call(port, id).await?;
        Ok(call.is_some_and(|call| call.stage != Stage::Ended || event.stage < Stage::Ringing))
    }

    async fn remember(&self, port: &Port, alias: &str, seen: i64, call: &str, at: Moment) -> Result<(), NotEntered> {
        let value = serde_json::to_string(&Alias { call: call.to_owned(), at });
        let value = value.map_err(|error| NotEntered::Refused { why: error.to_string() })?;
        if port.intake.put_slot(alias, seen, Some(value)).await? {
            return Ok(());
        }
        Err(NotEntered::Later {
            after: Duration::from_millis(200),
            why: "another event of the call came just now".into(),
        })
    }

    async fn enter_report(&self, port: &Port, report: &TextReport, kept: &Kept) -> Result<(), NotEntered> {
        let Some(outcome) = outcome(report) else { return Ok(()) };
        let otherwise = match outcome {
            ReportOutcome::Failed => {
                told_otherwise(&self.settings.ways, port, &report.message_id, &self.sounds).await?
            }
            _ => None,
        };
        let inbound = report_item(report, outcome, otherwise.as_ref(), kept);
        port.intake.accept(vec![inbound], Vec::new()).await?;
        Ok(())
    }

    fn stripe(&self, id: &str) -> &Mutex<()> {
        let sum = id.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        &self.stripes[sum % STRIPES]
    }
}

/// What became of a text message, as a report on the notice it was.
fn report_item(report: &TextReport, outcome: ReportOutcome, otherwise: Option<&Delivery>, kept: &Kept) -> Inbound {
    let told = matches!(otherwise, Some(Delivery::Delivered { .. }));
    // Codes of numbers that no text message will ever reach: unknown, out of service, a landline.
    let hard = matches!(report.error.as_deref(), Some("30003" | "30005" | "30006"));
    let report_of_it = Report {
        // Where another way reached the caller nobody need look after it.
        outcome: if told { ReportOutcome::Delayed } else { outcome },
        recipient: None,
        status: report.error.clone(),
        diagnostic: Some(report.state.clone()),
        // A number without text messages can still be called.
        hard: false,
    };
    let words = match outcome {
        ReportOutcome::Delivered => "The text message was delivered.".to_owned(),
        _ if told => "The text message was not delivered; the caller was told by another way.".to_owned(),
        _ if hard => "The text message cannot reach this number: call back.".to_owned(),
        _ => "The text message was not delivered.".to_owned(),
    };
    let item = Item {
        nature: Nature::Report(vec![report_of_it]),
        refers_to: RefersTo { ids: vec![ExternalId::new(report.message_id.clone())], ..RefersTo::default() },
        reply_text: words.clone(),
        text: words,
        ..Item::default()
    };
    Inbound {
        external_id: ExternalId::new(format!("sms:{}:{}", usable(&report.message_id), report.state)),
        same_as: Vec::new(),
        content: Content::Read(Box::new(item)),
        received_at: kept.at,
        raw: raw_of(kept),
        quiet: None,
    }
}

/// What a report tells; nothing while the message is on its way.
fn outcome(report: &TextReport) -> Option<ReportOutcome> {
    match report.state.as_str() {
        "delivered" | "read" => Some(ReportOutcome::Delivered),
        "undelivered" | "failed" | "rejected" | "expired" => Some(ReportOutcome::Failed),
        _ => None,
    }
}

/// What proved itself and cannot be read: kept aside.
pub(crate) fn unusable(raw: &[u8], why: &str, now: Moment) -> Inbound {
    let hash = plan::short_hash(&String::from_utf8_lossy(raw));
    Inbound {
        external_id: ExternalId::new(format!("event:{hash}")),
        same_as: Vec::new(),
        content: Content::Unreadable { reason: Reason::from("phone.unusable"), detail: why.to_owned() },
        received_at: now,
        raw: raw.to_vec(),
        quiet: None,
    }
}

/// The bytes to keep: as they came, or, where they held a number that is withheld, what is known without it.
fn raw_of(kept: &Kept) -> Vec<u8> {
    if kept.raw.is_empty() {
        return serde_json::to_vec(&kept.heard).unwrap_or_default();
    }
    kept.raw.clone().into_bytes()
}

fn call_slot(id: &str) -> String {
    format!("call:{id}")
}

fn caller_slot(call: &Call) -> Option<String> {
    let caller = call.caller.as_deref()?;
    Some(format!("caller:{}", plan::short_hash(&format!("{caller}>{}", call.callee.as_deref().unwrap_or_default()))))
}

/// A foreign id as part of a key of ours.
fn usable(id: &str) -> String {
    let plain = id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
    if plain { id.to_owned() } else { format!("hash:{}", plan::short_hash(id)) }
}
