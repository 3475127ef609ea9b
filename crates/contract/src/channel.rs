//! What a channel offers the core.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use guichet_domain::Moment;
use guichet_domain::ids::{ExternalId, SourceName};
use tokio_util::sync::CancellationToken;

use crate::holdings::Holdings;
use crate::outgoing::{Delivery, Outgoing};
use crate::port::Port;

/// Tells a source to stop: it must return within 5 s.
pub type Stop = CancellationToken;

/// A kind of channel in this build: makes sources from their settings. One entry each in the catalogue.
pub trait Kind: Send + Sync {
    /// The channel's name in `channel = "..."`.
    fn name(&self) -> &'static str;

    /// Reads one source's settings (the keys of its `[[source]]` table that the core does not know) and makes it.
    /// `state` is a folder of the source's own, made when first written to. Touches neither network nor disk beyond reading the files named in the settings.
    fn build(
        &self,
        source: &SourceName,
        settings: serde_json::Value,
        state: &Path,
    ) -> Result<Arc<dyn Channel>, SettingsError>;

    /// The settings, documented: a commented TOML example for `guichet config example`.
    fn example(&self) -> &'static str;

    /// Its own reason codes with what each means, for `guichet explain`.
    fn explanations(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// JSON Schema of the settings, for `guichet config schema`.
    fn schema(&self) -> serde_json::Value;
}

/// A setting that cannot be used. Shown as `source "NAME": [source.SECTION] KEY = VALUE: WHAT; REMEDY`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}; {remedy}", written(key), value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default())]
pub struct SettingsError {
    /// The key; `section.key` for one of a section.
    pub key: String,
    /// The value, unless it is a secret.
    pub value: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// A key as it stands in the file.
fn written(key: &str) -> String {
    match key.split_once('.') {
        Some((section, "")) => format!("[source.{section}]"),
        Some((section, key)) => format!("[source.{section}] {key}"),
        None => key.to_owned(),
    }
}

/// One source.
#[async_trait]
pub trait Channel: Send + Sync {
    /// What its network can do. Constant.
    fn abilities(&self) -> Abilities;

    /// Our own addresses on it, as address keys, so that mail from them is known and mail to others is told apart;
    /// empty when it lists none.
    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }

    /// The events of tickets it wants to be told of (kind `event` deliveries): `None` for none, an empty list for all.
    fn events(&self) -> Option<Vec<String>> {
        None
    }

    /// What the operator is told at the terminal when this source starts for the first time (a token it made for itself);
    /// nothing ever after. Asked once, before `listen`. Never logged: it may hold secrets.
    async fn welcome(&self, port: &Port) -> Option<String> {
        let _ = port;
        None
    }

    /// Takes in what comes until `stop`, then returns `Ok` within 5 s. Acknowledges nothing upstream before
    /// [`accept`](crate::Intake::accept) has returned. A passing fault makes the supervisor call it again, later and
    /// later; a lasting one takes this source down until the configuration changes.
    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault>;

    /// Makes one attempt to send. Called again with the same id after `Retry`, and, where
    /// [`Abilities::idempotent_send`] is claimed, after `Unknown`. Has its own time limits, all shorter than the lease.
    /// Cancellation counts as `Unknown`.
    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery;

    /// Looks for a message whose attempt ended in `Unknown`. `Ok(None)` means: surely not taken.
    async fn find_sent(&self, port: &Port, notice: &Outgoing) -> Result<Option<ExternalId>, Fault> {
        let _ = (port, notice);
        Err(Fault::lasting("this channel cannot look for what it sent", "see the abilities of the channel"))
    }

    /// Tries everything it needs, without changing anything; for `guichet doctor`. One line a finding.
    async fn check(&self, port: &Port) -> Result<Vec<String>, Fault>;

    /// Lists what its network holds, for `guichet reconcile`: what had to be taken in by now must be known to the core.
    /// Changes and acknowledges nothing, may take minutes, and works beside `listen`. `None` where it cannot be listed.
    /// The caller looks for what is due after the answer: what is taken in meanwhile does no harm.
    async fn holdings(&self, port: &Port) -> Result<Option<Holdings>, Fault> {
        let _ = port;
        Ok(None)
    }

    /// Turns a message as bytes (a file, an MTA's pipe) into an item, for `guichet inject` and `import`. `position`
    /// names it within what is read. `None` where the channel has no such form.
    fn read(&self, bytes: &[u8], position: &str, now: Moment) -> Option<guichet_domain::inbound::Inbound> {
        let _ = (bytes, position, now);
        None
    }

    /// What it serves below `/in/{source}/`.
    fn routes(&self, port: Port) -> Option<Router> {
        let _ = port;
        None
    }
}

/// What a channel's network can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Sends at all.
    pub sends: bool,
    /// People read and answer right where they wrote, on a page or in an app: notices there say nothing of mails and subjects.
    pub in_place: bool,
    /// A repeated `deliver` of one id shows once.
    pub idempotent_send: bool,
    /// `find_sent` works.
    pub finds_sent: bool,
    /// After an unknown outcome that cannot be looked up, one repeat with the same id does less harm than silence.
    pub repeats_once: bool,
    /// Says by [`Departures::note`](crate::Departures::note) when the network may begin to take a message; of other channels
    /// every attempt counts from its beginning.
    pub notes_departure: bool,
    /// Seconds for which an attempt in doubt is left alone before it is repeated: it may yet be settled by what comes back
    /// (the journal copy of a mail). Zero where nothing comes back.
    pub doubt_grace_secs: u64,
    /// Shows HTML.
    pub html: bool,
    /// Takes files.
    pub attachments: bool,
    /// Longest text in characters; `None` when there is no limit.
    pub max_chars: Option<usize>,
    /// Sends at once at most.
    pub concurrency: usize,
    /// Longest time one `deliver` may take, in seconds; the lease is longer.
    pub deadline_secs: u64,
}

/// What went wrong with a source or one of its calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Will likely go away by itself.
    #[error("{what}")]
    Passing {
        /// What happened.
        what: String,
    },
    /// Will stay until somebody does something.
    #[error("{what}; {remedy}")]
    Lasting {
        /// What happened.
        what: String,
        /// What to do.
        remedy: String,
    },
}

impl Fault {
    /// A fault that will likely go away.
    pub fn passing(what: impl Into<String>) -> Self {
        Self::Passing { what: what.into() }
    }

    /// A fault that needs somebody.
    pub fn lasting(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Lasting { what: what.into(), remedy: remedy.into() }
    }
}

/// How a source does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It works; the instant of the last success is taken by the core.
    Good {
        /// What it did or sees, for a person: `"INBOX: 12 messages, waiting for mail"`.
        note: String,
    },
    /// It does not work now.
    Troubled {
        /// What is wrong and what to do.
        note: String,
    },
    /// It works, but something will need attention (a token that expires).
    Warning {
        /// What and when.
        note: String,
    },
}
