//! What a paper channel can do.

use guichet_contract::{Abilities, Secret};

/// How a paper channel is made. The default can do everything.
#[derive(Debug, Clone)]
pub struct PaperOptions {
    /// It sends at all.
    pub sends: bool,
    /// A letter sent twice under one id is shown once, and the channel says so.
    pub idempotent_send: bool,
    /// It can look for what it sent.
    pub finds_sent: bool,
    /// After an unknown outcome one repeat does less harm than silence.
    pub repeats_once: bool,
    /// It notes what is about to leave.
    pub notes_departure: bool,
    /// Longest text in characters; what is longer is cut and ends in `…`.
    pub max_chars: Option<usize>,
    /// Most letters handed in at once, at most 256.
    pub batch: usize,
    /// Letters sent at once at most.
    pub concurrency: usize,
    /// Longest time one attempt may take, in seconds; at least 2.
    pub deadline_secs: u64,
    /// Our own addresses, as address keys.
    pub addresses: Vec<String>,
    /// The events it wants to be told of.
    pub events: Option<Vec<String>>,
    /// What letters are sealed with: a secret that may be told to nobody.
    pub seal: Secret,
}

impl Default for PaperOptions {
    fn default() -> Self {
        Self {
            sends: true,
            idempotent_send: true,
            finds_sent: true,
            repeats_once: false,
            notes_departure: false,
            max_chars: None,
            batch: 16,
            concurrency: 4,
            deadline_secs: 30,
            addresses: Vec::new(),
            events: None,
            seal: Secret::new("paper-seal-canary"),
        }
    }
}

impl PaperOptions {
    pub(super) fn abilities(&self) -> Abilities {
        Abilities {
            in_place: false,
            sends: self.sends,
            idempotent_send: self.idempotent_send,
            finds_sent: self.finds_sent,
            repeats_once: self.repeats_once,
            notes_departure: self.notes_departure,
            doubt_grace_secs: 0,
            html: true,
            attachments: true,
            max_chars: self.max_chars,
            concurrency: self.concurrency,
            deadline_secs: self.deadline_secs,
        }
    }
}
