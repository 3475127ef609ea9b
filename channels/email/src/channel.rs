//! The e-mail channel: its kind, and one mailbox as a source.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use guichet_contract::{
    Abilities, Channel, Delivery, Fault, Health, Holdings, Kind, Outgoing, Port, SettingsError, Stop,
};
use guichet_domain::Moment;
use guichet_domain::ids::{ExternalId, SourceName};
use guichet_domain::inbound::{Inbound, address_key};
use tokio::sync::OnceCell;

use crate::deliver::{self, Outlet};
use crate::dkim::Checker;
use crate::machine::OwnAddresses;
use crate::sent::Looking;
use crate::settings::Settings;
use crate::token::{self, Tokens};
use crate::translate::{Letter, Reader};
use crate::{holdings, listen};

/// Longest one send may take: the limits of the SMTP client add up to less.
const DEADLINE_SECS: u64 = 700;

/// The kind `email`.
#[derive(Debug, Clone, Copy)]
pub struct Email;

impl Kind for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn build(
        &self,
        _source: &SourceName,
        settings: serde_json::Value,
        state: &Path,
    ) -> Result<Arc<dyn Channel>, SettingsError> {
        let settings = Settings::read(settings)?;
        Ok(Arc::new(Desk::new(settings, state.join("outgoing"))))
    }

    fn example(&self) -> &'static str {
        include_str!("example.toml")
    }

    fn explanations(&self) -> &'static [(&'static str, &'static str)] {
        crate::words::EXPLANATIONS
    }

    fn schema(&self) -> serde_json::Value {
        crate::schema::schema()
    }
}

/// One mailbox.
pub(crate) struct Desk {
    pub(crate) settings: Settings,
    pub(crate) reader: Reader,
    /// Where mail goes that has no SMTP to leave by.
    pub(crate) folder: PathBuf,
    pub(crate) dkim: Checker,
    outlet: OnceCell<Outlet>,
    tokens: OnceCell<Option<Arc<Tokens>>>,
    looking: Looking,
    /// Why no mail can leave, since the last attempt that found it so.
    stuck: Mutex<Option<String>>,
}

impl Desk {
    fn new(settings: Settings, folder: PathBuf) -> Self {
        let reader = Reader { own: OwnAddresses::new(&settings.own), authserv_ids: settings.authserv_ids.clone() };
        let dkim = Checker::default();
        Self {
            settings,
            reader,
            folder,
            dkim,
            outlet: OnceCell::new(),
            tokens: OnceCell::new(),
            looking: Looking::default(),
            stuck: Mutex::default(),
        }
    }

    /// Whether a copy of each mail comes back to where it can be looked for.
    pub(crate) fn journals(&self) -> bool {
        self.settings.journal.is_some() && self.settings.imap.is_some() && self.settings.smtp.is_some()
    }

    /// Why no mail can leave, if so.
    pub(crate) fn stuck(&self) -> Option<String> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes down what an attempt told of the way out, and says it when it changed.
    fn heard(&self, port: &Port, delivery: &Delivery) {
        let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        match delivery {
            Delivery::Retry { detail, source_down: true, .. } => {
                *stuck = Some(detail.clone());
                troubled(port, format!("mail cannot leave: {detail}"));
            }
            _ if stuck.take().is_some() => port.intake.report(Health::Good { note: "mail leaves again".into() }),
            _ => {}
        }
    }

    /// The access tokens, where the mailbox has any. Made when first needed: only then is there a port to keep them by.
    pub(crate) async fn tokens(&self, port: &Port) -> Result<Option<Arc<Tokens>>, Fault> {
        let made = self.tokens.get_or_try_init(|| async { token::tokens(&self.settings, port) }).await?;
        Ok(made.clone())
    }

    /// What mail leaves by.
    pub(crate) async fn outlet(&self, port: &Port) -> Result<&Outlet, Fault> {
        self.outlet
            .get_or_try_init(|| async {
                let tokens = self.tokens(port).await?;
                Ok(Outlet::new(&self.settings, &self.folder, tokens))
            })
            .await
    }
}

#[async_trait]
impl Channel for Desk {
    fn abilities(&self) -> Abilities {
        let file = self.settings.smtp.is_none();
        Abilities {
            sends: true,
            in_place: false,
            // The same delivery writes the same file; a mail server shows a repeated mail twice.
            idempotent_send: file,
            finds_sent: self.journals(),
            repeats_once: !file,
            notes_departure: !file,
            // The copy of a mail that was taken is usually back within seconds.
            doubt_grace_secs: if self.journals() { 60 } else { 0 },
            html: true,
            attachments: true,
            max_chars: None,
            concurrency: self.settings.smtp.as_ref().map_or(4, |smtp| smtp.connections),
            deadline_secs: DEADLINE_SECS,
        }
    }

    fn addresses(&self) -> Vec<String> {
        self.settings.own.iter().map(|address| address_key(address)).collect()
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        self.looking.until(&stop);
        let ended = listen::listen(self, port, stop.clone()).await;
        if stop.is_cancelled()
            && let Some(outlet) = self.outlet.get()
        {
            outlet.close().await;
        }
        ended
    }

    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery {
        match self.outlet(port).await {
            Ok(outlet) => {
                let delivery = outlet.deliver(&self.settings, notice, port).await;
                self.heard(port, &delivery);
                delivery
            }
            Err(fault) => Delivery::Retry { detail: fault.to_string(), after: None, source_down: true },
        }
    }

    async fn find_sent(&self, port: &Port, notice: &Outgoing) -> Result<Option<ExternalId>, Fault> {
        let message_id = deliver::message_id(&self.settings, notice);
        let found = self.looking.find(self, port, &message_id).await?;
        Ok(found.then(|| id_of(&message_id)))
    }

    async fn check(&self, port: &Port) -> Result<Vec<String>, Fault> {
        let mut findings = listen::check(self, port).await?;
        findings.extend(self.outlet(port).await?.check().await?);
        Ok(findings)
    }

    async fn holdings(&self, port: &Port) -> Result<Option<Holdings>, Fault> {
        holdings::holdings(self, port).await
    }

    fn read(&self, bytes: &[u8], position: &str, now: Moment) -> Option<Inbound> {
        let letter =
            Letter { name: position.to_owned(), raw: bytes.to_vec(), received_at: now, quiet: None, cut: None };
        Some(self.reader.read(letter))
    }
}

/// Says what is wrong, in the words of the health pages.
pub(crate) fn troubled(port: &Port, note: impl Into<String>) {
    port.intake.report(Health::Troubled { note: note.into() });
}

/// A mail's id, for the record.
pub(crate) fn id_of(message_id: &str) -> ExternalId {
    crate::translate::external_id(message_id)
}
