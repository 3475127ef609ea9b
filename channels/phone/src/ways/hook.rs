//! The phone system's own means: it, or a program beside it, is told by a webhook what to tell whom.
//!
//! Signed by Standard Webhooks; `webhook-id` is the same at every attempt, so that a repeat is known.

use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::BASE64;
use guichet_contract::reach::{self, Lookup};
use guichet_contract::{Delivery, Port, Secret, SecretKeys, SettingsError};
use guichet_domain::outgoing::NoticeKind;
use reqwest::Client;
use ring::hmac;
use serde::Deserialize;
use serde_json::json;

use super::client::send;
use super::{Notice, Tried, answer, gsm, needed};
use crate::media::Guard;
use crate::settings::wrong;
use crate::words;

/// The keys of `[source.hook]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookKeys {
    url: String,
    secret_file: Option<PathBuf>,
    secret_env: Option<String>,
    secret_credential: Option<String>,
    #[serde(default)]
    allow_private: bool,
}

/// The way by webhook.
#[derive(Debug)]
pub(crate) struct Hook {
    client: Client,
    url: String,
    secrets: Vec<Secret>,
}

impl Hook {
    pub(crate) fn new(keys: HookKeys) -> Result<Self, SettingsError> {
        let plain = keys.url.starts_with("http://") && keys.allow_private;
        if !keys.url.starts_with("https://") && !plain {
            // The value is not shown: paths and queries of hooks often hold secrets.
            let remedy = "use https; plain http is possible within your own network, with allow_private = true";
            return Err(wrong("hook.url", None, "it does not begin with https://", remedy));
        }
        let secret = SecretKeys { file: keys.secret_file, env: keys.secret_env, credential: keys.secret_credential };
        let secret = needed(secret.read("hook.secret")?, "hook.secret")?;
        let secrets = secret.expose().split_whitespace().map(Secret::new).collect();
        let lookup: Lookup = reach::system();
        let client = Client::builder()
            .dns_resolver(Arc::new(Guard::new(lookup, keys.allow_private)))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(super::client::LIMIT / 3)
            .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| wrong("hook", None, &error.to_string(), "report this"))?;
        crate::media::judge_literal(&keys.url, keys.allow_private).map_err(|what| {
            wrong("hook.url", None, &what, "use a public address, or set allow_private = true if that is meant")
        })?;
        Ok(Self { client, url: keys.url, secrets })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn tell(&self, port: &Port, notice: &Notice<'_>) -> Tried {
        let event = match notice.kind {
            NoticeKind::Acknowledgement => "ticket.created",
            NoticeKind::Closure => "ticket.closed",
            NoticeKind::Delay => "ticket.delayed",
            _ => "ticket.replied",
        };
        let say = match notice.kind {
            NoticeKind::Acknowledgement => words::spoken(notice.reference, false, notice.language),
            NoticeKind::Closure => words::spoken_closure(notice.reference, notice.language),
            _ => notice.text.to_owned(),
        };
        let body = json!({
            "type": event,
            "ticket": notice.reference,
            "call_id": notice.call,
            "caller": notice.number,
            "language": notice.language.as_str(),
            "say": say,
            "sms_text": gsm::fitted(&answer::text(notice)),
        })
        .to_string();
        let time = port.clock.now().secs();
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &notice.id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", self.sign(&notice.id, time, &body))
            .body(body);
        let answered = match send(request, "the webhook").await {
            Ok(answered) => answered,
            Err(failed) => return Tried::Stop(failed.repeatable()),
        };
        let detail = format!("the webhook answers {}", answered.status);
        match answered.status {
            200..300 => Tried::Told { id: None, detail },
            408 | 425 | 429 | 500.. => Tried::Stop(Delivery::Retry {
                detail,
                after: answered.retry_after,
                source_down: matches!(answered.status, 502..=504),
            }),
            _ => Tried::Next(detail),
        }
    }

    fn sign(&self, id: &str, time: i64, body: &str) -> String {
        let signatures = self.secrets.iter().map(|secret| {
            let encoded = secret.expose().strip_prefix("whsec_").unwrap_or(secret.expose());
            let bytes = BASE64.decode(encoded.as_bytes()).unwrap_or_else(|_| encoded.as_bytes().to_vec());
            let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
            format!("v1,{}", BASE64.encode(hmac::sign(&key, format!("{id}.{time}.{body}").as_bytes()).as_ref()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}
