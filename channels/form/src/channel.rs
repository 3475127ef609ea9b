//! One source of forms.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use guichet_contract::{Abilities, Channel, Delivery, Fault, Health, Outgoing, Port, Stop};
use guichet_domain::Moment;
use guichet_domain::ids::SourceName;
use guichet_domain::inbound::Inbound;
use tokio::sync::OnceCell;

use crate::guard::Guard;
use crate::routes::routes;
use crate::settings::Keys;
use crate::staging::Staging;
use crate::submission::Submission;
use crate::token::Signer;

/// Where the source keeps the key it signs with.
const KEY: &str = "form_key";
/// How often uploads of forms that were never sent are looked for.
const SWEEP: Duration = Duration::from_hours(1);

/// A source with its forms. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FormSource(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) base: String,
    pub(crate) keys: Keys,
    pub(crate) guard: Guard,
    pub(crate) staging: Staging,
    signer: OnceCell<Signer>,
}

impl FormSource {
    pub(crate) fn new(source: &SourceName, keys: Keys, state: &Path) -> Self {
        Self(Arc::new(Inner {
            base: format!("/in/{source}"),
            guard: Guard::new(
                keys.per_address_hour,
                u32::try_from(keys.files).unwrap_or(u32::MAX),
                keys.attack_per_minute,
            ),
            staging: Staging::new(state),
            signer: OnceCell::new(),
            keys,
        }))
    }
}

impl std::ops::Deref for FormSource {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// The key this source signs with, made the first time: forms drawn before a restart are taken after it, and by every
    /// node.
    pub(crate) async fn signer(&self, port: &Port) -> Result<&Signer, Fault> {
        self.signer.get_or_try_init(|| make_signer(port)).await
    }
}

async fn make_signer(port: &Port) -> Result<Signer, Fault> {
    loop {
        let slot = port.intake.slot(KEY).await?;
        let kept = slot.value.as_deref().and_then(|value| data_encoding::HEXLOWER.decode(value.as_bytes()).ok());
        if let Some(key) = kept.filter(|key| key.len() == 32) {
            return Ok(Signer::new(&key));
        }
        let mut key = [0; 32];
        port.ids.random(&mut key);
        // Another node may be quicker: then its key is the one.
        port.intake.put_slot(KEY, slot.version, Some(data_encoding::HEXLOWER.encode(&key))).await?;
    }
}

#[async_trait]
impl Channel for FormSource {
    fn abilities(&self) -> Abilities {
        Abilities { concurrency: 1, deadline_secs: 5, ..Abilities::default() }
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        self.signer(&port).await?;
        let forms: Vec<&str> = self.keys.forms.iter().map(|form| form.key.as_str()).collect();
        port.intake.report(Health::Good { note: format!("forms at {}: {}", self.base, forms.join(", ")) });
        loop {
            self.staging.sweep().await;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    }

    async fn deliver(&self, _: &Port, _: &Outgoing) -> Delivery {
        let detail = "a form sends nothing; set answer_by to a mailbox".to_owned();
        Delivery::Refused { detail, hard: false }
    }

    async fn check(&self, port: &Port) -> Result<Vec<String>, Fault> {
        self.signer(port).await?;
        Ok(self.keys.forms.iter().map(|form| format!("{}/{}", self.base, form.key)).collect())
    }

    fn read(&self, bytes: &[u8], _: &str, now: Moment) -> Option<Inbound> {
        Submission::read(bytes, now)
    }

    fn routes(&self, port: Port) -> Option<Router> {
        Some(routes(self.clone(), port))
    }
}
