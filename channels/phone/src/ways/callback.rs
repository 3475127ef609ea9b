//! A call by Asterisk: its REST interface (ARI) is asked to call the number and to go on in the dialplan, which plays what we serve.
//!
//! Opt-in, and only while the desk is open. The channel's id is the notice's: while the call lasts, asking twice is refused by
//! Asterisk with 409. Only the number and its state are ever said: who answers a phone is not known.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use guichet_contract::{Delivery, Port, Secret, SecretKeys, SettingsError};
use guichet_domain::ids::ExternalId;
use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use super::client::{client, send};
use super::sms::encoded;
use super::{Notice, Tried, needed};
use crate::settings::wrong;
use crate::words;

/// The keys of `[source.callback]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallbackKeys {
    /// `http://127.0.0.1:8088/ari`
    url: String,
    user: String,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    password_credential: Option<String>,
    /// How a number is dialled, `{number}` and `{plain}` (without its plus) filled in: `PJSIP/{number}@trunk`.
    endpoint: String,
    #[serde(default = "context")]
    context: String,
    caller_id: Option<String>,
    /// Called at any hour.
    #[serde(default)]
    any_hour: bool,
    /// The program that makes speech, given the voice and the words: `espeak-ng`.
    #[serde(default = "speech")]
    speech: String,
    /// A recording to play before the number is spelled, instead of speech.
    audio_file: Option<PathBuf>,
}

fn context() -> String {
    "guichet-notice".to_owned()
}

fn speech() -> String {
    "espeak-ng".to_owned()
}

/// The way by call.
#[derive(Debug)]
pub(crate) struct Callback {
    client: Client,
    keys: CallbackKeys,
    password: Secret,
    base: String,
}

impl Callback {
    pub(crate) fn new(mut keys: CallbackKeys, base: &str) -> Result<Self, SettingsError> {
        if !keys.url.starts_with("https://") && !keys.url.starts_with("http://") {
            return Err(wrong(
                "callback.url",
                Some(&keys.url),
                "it is no web address",
                "write http://127.0.0.1:8088/ari",
            ));
        }
        if !keys.endpoint.contains("{number}") && !keys.endpoint.contains("{plain}") {
            let remedy = "write how a number is dialled: \"PJSIP/{number}@trunk\"";
            return Err(wrong("callback.endpoint", Some(&keys.endpoint), "no number stands in it", remedy));
        }
        keys.url.truncate(keys.url.trim_end_matches('/').len());
        let password = SecretKeys {
            file: keys.password_file.take(),
            env: keys.password_env.take(),
            credential: keys.password_credential.take(),
        };
        let password = needed(password.read("callback.password")?, "callback.password")?;
        let client = client().map_err(|error| wrong("callback", None, &error.to_string(), "report this"))?;
        Ok(Self { client, keys, password, base: base.to_owned() })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.keys.url
    }

    pub(super) async fn tell(&self, port: &Port, notice: &Notice<'_>) -> Tried {
        if !matches!(notice.kind, NoticeKind::Acknowledgement | NoticeKind::Closure) {
            return Tried::Next("what a person wrote is not read aloud to whoever answers".to_owned());
        }
        let hours = port.conversations.hours();
        if !hours.open && !self.keys.any_hour {
            let after = hours.next_open_at.map(|at| at.since(port.clock.now()));
            let after = after.map(|after| after.min(std::time::Duration::from_hours(1)));
            let detail = "nobody is called while the desk is closed".to_owned();
            // Time in which nobody may be called does not count.
            return Tried::Stop(Delivery::Retry { detail, after, source_down: true });
        }
        let plain = notice.number.trim_start_matches('+');
        let endpoint = self.keys.endpoint.replace("{number}", notice.number).replace("{plain}", plain);
        let id = format!("guichet-{}", notice.id);
        let mut query = format!(
            "endpoint={}&context={}&extension=s&priority=1&timeout=30",
            encoded(&endpoint),
            encoded(&self.keys.context)
        );
        if let Some(caller_id) = &self.keys.caller_id {
            query.push_str("&callerId=");
            query.push_str(&encoded(caller_id));
        }
        let url = format!("{}/channels/{id}?{query}", self.keys.url);
        let audio = self.serve(port, notice).await;
        let variables = json!({
            "GUICHET_TICKET": notice.reference,
            "GUICHET_KIND": notice.kind.as_str(),
            "GUICHET_LANGUAGE": notice.language.as_str(),
            // Empty where no speech can be made: the dialplan then spells the number itself.
            "GUICHET_AUDIO": audio.unwrap_or_default(),
            "GUICHET_SPELLED": words::spelled(notice.reference),
        });
        let request = self
            .client
            .post(url)
            .basic_auth(&self.keys.user, Some(self.password.expose()))
            .header("content-type", "application/json")
            .body(json!({ "variables": variables }).to_string());
        let answered = match send(request, "Asterisk").await {
            Ok(answered) => answered,
            Err(failed) => return Tried::Stop(failed.once()),
        };
        let detail = format!("Asterisk answers {}", answered.status);
        match answered.status {
            // 409: it is being called already.
            200..300 | 409 => Tried::Told { id: Some(ExternalId::from(id)), detail },
            429 | 503 => Tried::Stop(Delivery::Retry { detail, after: answered.retry_after, source_down: false }),
            401 => {
                let detail = format!("{detail}: look at user and password of [source.callback]");
                Tried::Stop(Delivery::Retry { detail, after: None, source_down: true })
            }
            500.. => Tried::Stop(Delivery::Unknown { detail }),
            _ => Tried::Next(detail),
        }
    }

    /// Puts what is to be played where Asterisk can get it, under a name nobody can guess; `None` where there is no sound.
    async fn serve(&self, port: &Port, notice: &Notice<'_>) -> Option<String> {
        let words = match notice.kind {
            NoticeKind::Closure => words::spoken_closure(notice.reference, notice.language),
            _ => words::spoken(notice.reference, false, notice.language),
        };
        let sound = match self.audio(&words, notice.language).await {
            Ok(sound) => sound,
            Err(why) => {
                tracing::warn!(source = %port.source, why, "no speech for a call; the number is spelled by Asterisk");
                return None;
            }
        };
        let mut random = [0; 16];
        port.ids.random(&mut random);
        let name = format!("{}.wav", HEXLOWER.encode(&random));
        tokio::fs::create_dir_all(notice.sounds).await.ok()?;
        tokio::fs::write(notice.sounds.join(&name), sound).await.ok()?;
        Some(format!("{}/notice/{name}", self.base))
    }

    /// The words of a call as sound: 8 kHz, mono, 16 bit.
    async fn audio(&self, words: &str, language: Language) -> Result<Vec<u8>, String> {
        if let Some(file) = &self.keys.audio_file {
            return tokio::fs::read(file).await.map_err(|error| format!("{}: {error}", file.display()));
        }
        let voice = if language == Language::Fr { "fr" } else { "en" };
        let mut command = tokio::process::Command::new(&self.keys.speech);
        command.args(["-v", voice, "-s", "140", "--stdout", "--"]).arg(words);
        command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).kill_on_drop(true);
        let run = tokio::time::timeout(std::time::Duration::from_secs(10), command.output()).await;
        match run {
            Ok(Ok(output)) if output.status.success() => {
                crate::wav::telephone(&output.stdout).ok_or_else(|| "it made no sound we can read".to_owned())
            }
            Ok(Ok(output)) => Err(format!("{} ended with {}", self.keys.speech, output.status)),
            Ok(Err(error)) => Err(format!("{} cannot be run: {error}", self.keys.speech)),
            Err(_) => Err(format!("{} did not end", self.keys.speech)),
        }
    }
}
