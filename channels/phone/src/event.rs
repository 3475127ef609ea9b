//! What a phone system tells, in our words.

use guichet_domain::Moment;
use serde::{Deserialize, Serialize};

/// One thing a phone system tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Heard {
    /// Of a call.
    Call(Box<CallEvent>),
    /// Of a text message we sent.
    Text(TextReport),
}

/// One event of a call. Events of one call carry one `call_id`; all else may be missing, and is then learnt from others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CallEvent {
    /// What the system calls the call; empty when it does not say.
    pub(crate) call_id: String,
    /// What else it is called: events that know only this find it.
    pub(crate) also: Option<String>,
    /// How far the call is.
    pub(crate) stage: Stage,
    pub(crate) direction: Option<Direction>,
    pub(crate) caller: Line,
    pub(crate) callee: Line,
    /// The caller's name as the network shows it: free text from outside.
    pub(crate) name: Option<String>,
    /// What the system itself says of the call's end.
    pub(crate) disposition: Option<Disposition>,
    /// Whether a person took the call (never a queue, a menu or a voicemail box).
    pub(crate) by_agent: bool,
    /// Who took it.
    pub(crate) agent: Option<String>,
    pub(crate) queue: Option<String>,
    pub(crate) started_at: Option<Moment>,
    pub(crate) answered_at: Option<Moment>,
    pub(crate) ended_at: Option<Moment>,
    /// Seconds, as the system counts them.
    pub(crate) duration_s: Option<u32>,
    pub(crate) recording: Option<Recording>,
    pub(crate) transcript: Option<String>,
    /// Keys the caller pressed.
    pub(crate) digits: Option<String>,
    /// What the network says of whether the caller's number is true (STIR/SHAKEN): a hint.
    pub(crate) attested: Option<String>,
}

/// A recording that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recording {
    /// Where: as it came, judged when it is fetched.
    pub(crate) url: String,
    pub(crate) duration_s: Option<u32>,
}

/// One end of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// E.164, with its plus, where it is a number of the public network.
    pub(crate) number: Option<String>,
    /// As it came, at most 64 characters, where it is not (an extension, a short code).
    pub(crate) raw: Option<String>,
    /// Its owner does not want it known: nothing else of it is kept.
    pub(crate) withheld: bool,
}

/// How far a call is. Ordered: a call only moves forward. What comes after a call (recordings, transcripts) moves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Says nothing of it.
    #[default]
    Unknown,
    /// A recording can be fetched, or there is none after all.
    Recording,
    /// What was said, in writing.
    Transcription,
    Ringing,
    Answered,
    Ended,
}

/// Which way a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    In,
    Out,
    Internal,
}

/// What became of a call. Ordered: where a system says several things of one call, the last here stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Disposition {
    /// Nobody ever told.
    Unknown,
    /// The network could not carry it.
    Failed,
    /// The caller hung up before anybody answered.
    Abandoned,
    /// Nobody answered.
    Missed,
    Busy,
    /// Refused by a rule.
    Blocked,
    /// A machine served the caller.
    Ivr,
    /// The caller spoke to a voicemail box.
    Voicemail,
    /// A person answered.
    Answered,
}

/// What became of a text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TextReport {
    /// What the network calls it.
    pub(crate) message_id: String,
    /// In the network's word: `delivered`, `undelivered`, `failed`, `sent`, ...
    pub(crate) state: String,
    /// The network's code for what went wrong.
    pub(crate) error: Option<String>,
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $name {
            /// The stable word.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

#[cfg(test)]
words!(Stage {
    Unknown = "unknown",
    Recording = "recording",
    Transcription = "transcription",
    Ringing = "ringing",
    Answered = "answered",
    Ended = "ended",
});
#[cfg(test)]
words!(Direction { In = "in", Out = "out", Internal = "internal" });
words!(Disposition {
    Unknown = "unknown",
    Failed = "failed",
    Abandoned = "abandoned",
    Missed = "missed",
    Busy = "busy",
    Blocked = "blocked",
    Ivr = "ivr",
    Voicemail = "voicemail",
    Answered = "answered",
});
