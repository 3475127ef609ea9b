//! Text messages, by Twilio (and whoever speaks its API) or OVH. To mobiles alone.
//!
//! Neither network takes a key by which it would know a repeat: what may have been taken is never sent again.

use std::path::PathBuf;

use data_encoding::{HEXLOWER, HEXUPPER};
use guichet_contract::{Delivery, Port, Secret, SecretKeys, SettingsError};
use guichet_domain::ids::ExternalId;
use reqwest::Client;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Answered, client, send};
use super::{Notice, Tried, answer, gsm, needed};
use crate::number::is_mobile;
use crate::settings::wrong;

/// The keys of `[source.sms]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmsKeys {
    provider: Provider,
    url: Option<String>,
    /// Twilio's account, or OVH's service.
    account: String,
    /// Who the message is from: a number, a name, or a messaging service of Twilio's (`MG...`).
    from: String,
    /// OVH's application key.
    key: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    password_credential: Option<String>,
    consumer_file: Option<PathBuf>,
    consumer_env: Option<String>,
    consumer_credential: Option<String>,
}

/// Who carries text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Provider {
    Twilio,
    Ovh,
}

/// The way by text message.
#[derive(Debug)]
pub(crate) struct Sms {
    client: Client,
    url: String,
    account: String,
    from: String,
    password: Secret,
    /// OVH's two further keys.
    ovh: Option<(String, Secret)>,
    /// Where reports come to.
    reports: Option<String>,
}

impl Sms {
    pub(crate) fn new(keys: SmsKeys, base: &str) -> Result<Self, SettingsError> {
        let password =
            SecretKeys { file: keys.password_file, env: keys.password_env, credential: keys.password_credential };
        let consumer =
            SecretKeys { file: keys.consumer_file, env: keys.consumer_env, credential: keys.consumer_credential };
        let password = needed(password.read("sms.password")?, "sms.password")?;
        let ovh = match keys.provider {
            Provider::Twilio => None,
            Provider::Ovh => {
                let key = keys.key.ok_or_else(|| {
                    wrong(
                        "sms.key",
                        None,
                        "it is missing",
                        "give the application key of https://eu.api.ovh.com/createToken/",
                    )
                })?;
                Some((key, needed(consumer.read("sms.consumer")?, "sms.consumer")?))
            }
        };
        let known = match keys.provider {
            Provider::Twilio => "https://api.twilio.com",
            Provider::Ovh => "https://eu.api.ovh.com/1.0",
        };
        let url = keys.url.unwrap_or_else(|| known.to_owned()).trim_end_matches('/').to_owned();
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(wrong("sms.url", Some(&url), "it is no web address", "write https://..., or leave it out"));
        }
        let client = client().map_err(|error| wrong("sms", None, &error.to_string(), "report this"))?;
        let reports = base.starts_with("http").then(|| format!("{base}/sms"));
        Ok(Self { client, url, account: keys.account, from: keys.from, password, ovh, reports })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn tell(&self, port: &Port, notice: &Notice<'_>) -> Tried {
        if !is_mobile(notice.number) {
            return Tried::Next("the number is no mobile: no text message reaches it".to_owned());
        }
        let text = gsm::fitted(&answer::text(notice));
        if text.is_empty() {
            return Tried::Next("there is nothing to say".to_owned());
        }
        match &self.ovh {
            None => self.by_twilio(notice, &text).await,
            Some((key, consumer)) => self.by_ovh(port, notice, &text, key, consumer).await,
        }
    }

    async fn by_twilio(&self, notice: &Notice<'_>, text: &str) -> Tried {
        let sender = if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let mut form = vec![("To", notice.number), (sender, self.from.as_str()), ("Body", text)];
        if let Some(reports) = &self.reports {
            form.push(("StatusCallback", reports));
        }
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", self.url, self.account);
        let body = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
        let request = self
            .client
            .post(url)
            .basic_auth(&self.account, Some(self.password.expose()))
            .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let answered = match send(request, "the text message provider").await {
            Ok(answered) => answered,
            Err(failed) => return Tried::Stop(failed.once()),
        };
        let said: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
        if (200..300).contains(&answered.status) {
            let id = said["sid"].as_str().map(ExternalId::from);
            return Tried::Told { id, detail: format!("text message, {} part(s)", gsm::parts(text)) };
        }
        let code = said["code"].as_i64().map(|code| format!(" ({code})")).unwrap_or_default();
        refused(&answered, &format!("the text message provider answers {}{code}", answered.status))
    }

    async fn by_ovh(&self, port: &Port, notice: &Notice<'_>, text: &str, key: &str, consumer: &Secret) -> Tried {
        let url = format!("{}/sms/{}/jobs", self.url, self.account);
        let body = json!({
            "receivers": [notice.number],
            "message": text,
            "sender": self.from,
            // Without it nothing leaves at night and on weekends.
            "noStopClause": true,
            "priority": "high",
            "tag": notice.id,
        })
        .to_string();
        let time = port.clock.now().secs().to_string();
        let signed =
            [self.password.expose(), consumer.expose(), "POST", url.as_str(), body.as_str(), time.as_str()].join("+");
        let signature = HEXLOWER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, signed.as_bytes()).as_ref());
        let request = self
            .client
            .post(&url)
            .header("X-Ovh-Application", key)
            .header("X-Ovh-Consumer", consumer.expose())
            .header("X-Ovh-Timestamp", time)
            .header("X-Ovh-Signature", format!("$1${signature}"))
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body);
        let answered = match send(request, "the text message provider").await {
            Ok(answered) => answered,
            Err(failed) => return Tried::Stop(failed.once()),
        };
        let said: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
        if !(200..300).contains(&answered.status) {
            return refused(&answered, &format!("the text message provider answers {}", answered.status));
        }
        if said["invalidReceivers"].as_array().is_some_and(|invalid| !invalid.is_empty()) {
            return Tried::Next("the text message provider does not know the number".to_owned());
        }
        let id = said["ids"].get(0).map(|id| ExternalId::from(id.to_string()));
        Tried::Told { id, detail: format!("text message, {} part(s)", gsm::parts(text)) }
    }
}

/// What an answer that is no yes means: to come back, to look after our own account, a doubt, or a no to this number.
fn refused(answered: &Answered, words: &str) -> Tried {
    let detail = words.to_owned();
    match answered.status {
        429 => Tried::Stop(Delivery::Retry { detail, after: answered.retry_after, source_down: false }),
        503 if answered.retry_after.is_some() => {
            Tried::Stop(Delivery::Retry { detail, after: answered.retry_after, source_down: true })
        }
        401 => {
            let detail = format!("{detail}: look at account and password of [source.sms]");
            Tried::Stop(Delivery::Retry { detail, after: None, source_down: true })
        }
        // It may have been taken before something broke.
        500.. => Tried::Stop(Delivery::Unknown { detail }),
        _ => Tried::Next(detail),
    }
}

/// Percent-encoded for a form.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&HEXUPPER.encode(&[byte]));
        }
    }
    encoded
}
