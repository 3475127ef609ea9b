//! The operator's choices that decisions depend on, as values.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::calendar::Calendar;
use crate::caps::Caps;
use crate::ids::SourceName;
use crate::priority::{Matrix, Targets};
use crate::triage::Taxonomy;

/// Everything a decision about one source needs of the configuration. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What holds for the whole desk.
    pub desk: Arc<DeskRules>,
    /// What holds for the source.
    pub source: Arc<SourceRules>,
}

/// The desk's rules.
#[derive(Debug, Clone)]
pub struct DeskRules {
    /// Shown before a reference.
    pub prefix: String,
    /// Categories and the rules that find them.
    pub taxonomy: Taxonomy,
    /// Impact x urgency.
    pub matrix: Matrix,
    /// Open minutes to the first answer, by priority.
    pub targets: Targets,
    /// The queue new tickets wait in.
    pub queue: String,
    /// When that queue works.
    pub calendar: Calendar,
    /// Days within which an answer reopens a resolved ticket.
    pub window_days: u32,
    /// How many automatic messages may leave.
    pub caps: Caps,
    /// Whether status pages can be reached by requesters.
    pub public_pages: bool,
    /// Whether a notice apologises when a promise is missed.
    pub delay_notice: bool,
    /// Senders (addresses, or `@domain`) whose mail is kept aside.
    pub blocked: Vec<String>,
    /// The addresses of all our sources, as address keys: nobody to write to.
    pub ours: BTreeSet<String>,
    /// Programs that are told of events.
    pub subscribers: Vec<Subscriber>,
}

/// A program that is told of events (an outbound webhook).
#[derive(Debug, Clone)]
pub struct Subscriber {
    /// The source that delivers to it.
    pub source: SourceName,
    /// Names of the events it wants; empty means all.
    pub events: Vec<String>,
}

/// One source's rules.
#[derive(Debug, Clone)]
pub struct SourceRules {
    /// Its name.
    pub name: SourceName,
    /// Whether requests by it are acknowledged.
    pub acknowledge: bool,
    /// Whether every sender counts as verified (an internal desk).
    pub trust_all: bool,
    /// Our own addresses as the source lists them, as address keys; empty when it lists none.
    pub addresses: Vec<String>,
    /// Whether its channel sends: what must leave for its tickets leaves by it.
    pub sends: bool,
    /// Whether people read and answer right where they wrote.
    pub in_place: bool,
    /// The source that mails what this one cannot say: everything when it does not send, else answers that lie unread.
    pub answer_by: Option<SourceName>,
    /// Minutes for which answers may lie unread.
    pub unread_minutes: u32,
}

impl SourceRules {
    /// Whether answers that lie unread on its network are mailed.
    pub fn mails_unread(&self) -> bool {
        self.sends && self.answer_by.is_some()
    }

    /// How long answers may lie unread.
    pub fn unread_pause(&self) -> Duration {
        Duration::from_mins(1) * self.unread_minutes
    }
}

impl DeskRules {
    /// Whether this address key is one of ours, with or without a plus part (`support+token@desk.test`).
    pub fn is_ours(&self, address: &str) -> bool {
        let bare = || {
            let (local, domain) = address.rsplit_once('@')?;
            let (mailbox, _) = local.split_once('+')?;
            Some(format!("{mailbox}@{domain}"))
        };
        !self.ours.is_empty() && (self.ours.contains(address) || bare().is_some_and(|bare| self.ours.contains(&bare)))
    }

    /// Whether mail of this address key is kept aside.
    pub fn is_blocked(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        self.blocked.iter().any(|entry| match entry.strip_prefix('@') {
            Some(blocked) => domain.is_some_and(|domain| domain.eq_ignore_ascii_case(blocked)),
            None => entry.eq_ignore_ascii_case(address),
        })
    }
}
