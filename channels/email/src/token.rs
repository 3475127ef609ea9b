//! Access tokens of one mailbox, kept in its slot.

use std::sync::Arc;

use async_trait::async_trait;
use guichet_contract::{Fault, Intake, Port};

use crate::oauth::{Grant, OAuthFault, Renewing, TokenStore};
use crate::settings::Settings;

/// The renewing source of access tokens.
pub type Tokens = Renewing;

/// The slot the newest refresh token lies in.
const SLOT: &str = "oauth";

struct Slot(Arc<dyn Intake>);

#[async_trait]
impl TokenStore for Slot {
    async fn load(&self) -> Result<Option<String>, String> {
        self.0.slot(SLOT).await.map(|slot| slot.value).map_err(|fault| fault.to_string())
    }

    async fn save(&self, text: &str) -> Result<(), String> {
        // Another node may have written meanwhile; its token is as new as ours, and the next renewal finds out.
        for _ in 0..3 {
            let seen = self.0.slot(SLOT).await.map_err(|fault| fault.to_string())?;
            let written = self.0.put_slot(SLOT, seen.version, Some(text.to_owned())).await;
            if written.map_err(|fault| fault.to_string())? {
                return Ok(());
            }
        }
        Err("another process keeps writing it".to_owned())
    }
}

/// The tokens of a mailbox, where its settings name an application.
pub fn tokens(settings: &Settings, port: &Port) -> Result<Option<Arc<Tokens>>, Fault> {
    let Some(oauth) = &settings.oauth else { return Ok(None) };
    let grant = Grant {
        token_url: oauth.token_url.clone(),
        client_id: oauth.client_id.clone(),
        client_secret: oauth.client_secret.as_ref().map(|secret| secret.expose().to_owned()),
        refresh_token: oauth.refresh_token.expose().to_owned(),
        scope: oauth.scope.clone(),
        refresh_expires_at: oauth.refresh_expires_at,
        tls: Arc::clone(&oauth.tls),
    };
    Renewing::new(grant, Box::new(Slot(Arc::clone(&port.intake)))).map(|made| Some(Arc::new(made))).map_err(fault)
}

/// The same fault in the contract's words.
pub fn fault(fault: OAuthFault) -> Fault {
    match fault {
        OAuthFault::Passing { why, .. } => Fault::passing(why),
        OAuthFault::Lasting { why, remedy } => Fault::lasting(why, remedy),
    }
}
