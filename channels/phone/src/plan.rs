//! What follows from a call: which calls open a ticket, and what is added to it later. Pure.

use data_encoding::HEXLOWER;
use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, ExternalId};
use guichet_domain::inbound::{Attachment, Content, Explained, Inbound, Item, Machine, Nature, Party};
use guichet_domain::language::Language;
use guichet_domain::reason::Reason;
use jiff::tz::TimeZone;
use ring::digest::{SHA256, digest};

use crate::call::Call;
use crate::event::{Disposition, Stage};
use crate::settings::{AnsweredCalls, Rules};
use crate::words;

/// What the codes of this channel mean.
pub(crate) const EXPLANATIONS: &[(&str, &str)] = &[
    (
        "phone.answered",
        "an agent answered the call: the caller got the number from them, and no acknowledgement leaves",
    ),
    ("phone.record", "what a phone system adds to a call: it reopens nothing and is not answered"),
    ("phone.again", "the same number called the same line again while its ticket waited: it joins that ticket"),
    ("phone.unusable", "the phone system sent what cannot be read"),
    ("phone.caller_unproved", "a caller's number can be forged: it is shown and proves nothing"),
];

/// How old the beginning of a call may be, in seconds: what is older is history sent again.
const STALE: u64 = 24 * 3600;

/// What must be handed in for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It opens a ticket, or joins the one of an earlier call.
    Open,
    /// What became of it, for a ticket that was opened while it rang, or when later events say otherwise.
    Outcome(Disposition),
    /// What was said in it.
    Transcript(String),
}

impl Step {
    /// Under which key it is handed in, once for all.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Outcome(disposition) => format!("end:{}", disposition.as_str()),
            Self::Transcript(text) => format!("text:{}", short_hash(text)),
        }
    }
}

/// What is still to be handed in for a call as it is known now.
pub(crate) fn steps(call: &Call, rules: &Rules, now: Moment) -> Vec<Step> {
    let mut steps = Vec::new();
    let opened = call.has_handed("open");
    if !opened && !opens(call, rules, now) {
        return steps;
    }
    if !opened {
        steps.push(Step::Open);
    } else if let Some(disposition) = call.disposition() {
        steps.push(Step::Outcome(disposition));
    }
    if opened {
        steps.extend(call.transcripts.iter().cloned().map(Step::Transcript));
    }
    steps.retain(|step| !call.has_handed(&step.key()));
    steps
}

/// What is known as handed in once a ticket was opened: the opening tells all there was.
pub(crate) fn told_by_opening(call: &Call) -> Vec<String> {
    let outcome = call.disposition().map(Step::Outcome);
    let transcripts = call.transcripts.iter().cloned().map(Step::Transcript);
    std::iter::once(Step::Open).chain(outcome).chain(transcripts).map(|step| step.key()).collect()
}

fn opens(call: &Call, rules: &Rules, now: Moment) -> bool {
    let stale = call.started_at.or(call.ended_at).is_some_and(|at| now.since(at).as_secs() > STALE);
    if !call.is_inbound() || call.flooded || stale {
        return false;
    }
    let blocked = call.caller.as_ref().is_some_and(|caller| rules.blocked.contains(caller));
    if blocked {
        return false;
    }
    if call.speaks && call.stage >= Stage::Ringing {
        return true;
    }
    match call.disposition() {
        Some(Disposition::Answered) => rules.answered == AnsweredCalls::Ticket,
        Some(Disposition::Voicemail | Disposition::Missed | Disposition::Busy) => true,
        Some(Disposition::Abandoned) => call.rang_secs().is_none_or(|secs| secs >= rules.min_ring_secs.into()),
        Some(Disposition::Ivr | Disposition::Blocked | Disposition::Failed | Disposition::Unknown) | None => false,
    }
}

/// Makes the item of a step.
pub(crate) fn item(call: &Call, step: &Step, language: Language, zone: &TimeZone, came: &Came<'_>) -> Inbound {
    let mut lines = Vec::new();
    let mut item = Item::default();
    match step {
        Step::Open => {
            item.subject = Some(words::subject(call, language));
            if call.again {
                lines.push(words::again(language).to_owned());
                item.notes.push(Explained::new("phone.again", ""));
            }
            if let Some(disposition) = call.disposition() {
                lines.push(words::outcome(call, disposition, language));
            }
            lines.extend(words::facts(call, language, zone));
            for text in &call.transcripts {
                lines.push(String::new());
                lines.push(words::transcript(language).to_owned());
                lines.push(text.clone());
            }
            item.notes.push(Explained::new("phone.caller_unproved", ""));
        }
        Step::Outcome(disposition) => lines.push(words::outcome(call, *disposition, language)),
        Step::Transcript(text) => lines.extend([words::transcript(language).to_owned(), text.clone()]),
    }
    let quiet = *step == Step::Open && call.disposition() == Some(Disposition::Answered);
    if *step != Step::Open {
        mark_record(&mut item, &step.key());
    }
    dressed(call, item, lines.join("\n"), &step.key(), language, quiet, came)
}

/// Makes the item of a recording, or of its absence.
pub(crate) fn recording_item(
    call: &Call,
    key: &str,
    text: String,
    file: Option<Attachment>,
    language: Language,
    came: &Came<'_>,
) -> Inbound {
    let mut item = Item { attachments: file.into_iter().collect(), ..Item::default() };
    mark_record(&mut item, key);
    dressed(call, item, text, key, language, false, came)
}

/// The bytes an item came by, and when.
#[derive(Clone, Copy)]
pub(crate) struct Came<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) at: Moment,
}

/// The key of a recording's item.
pub(crate) fn recording_key(url: &str) -> String {
    format!("rec:{}", short_hash(url))
}

/// The conversation of a call's own: of one whose caller is told the number while waiting it says so, so that the
/// acknowledgement is known to be spoken before anything else of the call is read.
pub(crate) fn conversation(call: &Call) -> String {
    format!("{}/{}", if call.speaks { "voice" } else { "call" }, call.id)
}

/// The call a conversation was begun by.
pub(crate) fn call_of(conversation: &str) -> Option<(bool, &str)> {
    let (kind, id) = conversation.split_once('/')?;
    matches!(kind, "voice" | "call").then_some((kind == "voice", id))
}

fn mark_record(item: &mut Item, detail: &str) {
    item.nature = Nature::AutoReply;
    item.machine = Some(Machine { reason: Reason::from("phone.record"), detail: detail.to_owned() });
}

fn dressed(
    call: &Call,
    mut item: Item,
    text: String,
    key: &str,
    language: Language,
    quiet: bool,
    came: &Came<'_>,
) -> Inbound {
    item.from = call.caller.as_ref().map(|number| Party {
        address: number.clone(),
        name: call.name.as_deref().map(words::one_line).filter(|name| !name.is_empty()),
    });
    item.conversation = Some(ConversationKey::new(call.conversation.clone().unwrap_or_else(|| conversation(call))));
    item.language = Some(language);
    item.sent_at = call.started_at;
    item.reply_text.clone_from(&text);
    item.text = text;
    Inbound {
        external_id: ExternalId::new(format!("call:{}:{key}", call.id)),
        same_as: Vec::new(),
        content: Content::Read(Box::new(item)),
        received_at: came.at,
        raw: came.raw.to_vec(),
        quiet: quiet.then(|| Reason::from("phone.answered")),
    }
}

/// The beginning of a hash, as text.
pub(crate) fn short_hash(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref()).chars().take(24).collect()
}
