//! What the operator writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guichet_contract::settings::read;
use guichet_contract::{Channel, Kind, SecretKeys, SettingsError};
use guichet_domain::ids::SourceName;
use serde::{Deserialize, Serialize};

use crate::channel::LiveChat;
use crate::form::{self, Field};
use crate::identity::is_email;
use crate::keys::Keys;
use crate::origin::Origins;

/// The kind of channel.
pub struct Chat;

/// The keys of a source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    origins: Vec<String>,
    email: Option<String>,
    privacy_url: Option<String>,
    #[serde(default)]
    texts: BTreeMap<String, Texts>,
    #[serde(default = "form::usual")]
    form: Vec<Field>,
    #[serde(default)]
    identity: IdentityMode,
    #[serde(default)]
    identity_algorithm: Algorithm,
    identity_secret_file: Option<PathBuf>,
    identity_secret_env: Option<String>,
    identity_secret_credential: Option<String>,
    identity_public_key_file: Option<PathBuf>,
    #[serde(default)]
    limits: Limits,
}

/// Whether a site vouches for its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdentityMode {
    #[default]
    Off,
    Optional,
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
enum Algorithm {
    #[default]
    #[serde(rename = "HS256")]
    Hs256,
    #[serde(rename = "EdDSA")]
    EdDsa,
    #[serde(rename = "RS256")]
    Rs256,
}

/// What the widget shows, in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) greeting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) privacy: Option<String>,
}

/// How much, how often. 0 is no limit where it counts times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Characters of a message.
    pub(crate) text: usize,
    /// Bytes of a file.
    pub(crate) file_bytes: u64,
    /// Connections begun within a minute, from one address.
    pub(crate) connects: u32,
    /// Connections at once, from one address.
    pub(crate) sockets: usize,
    /// Messages within a minute, and within an hour, of one session.
    pub(crate) messages: u32,
    pub(crate) messages_hour: u32,
    /// New tickets within an hour: of one session, from one address.
    pub(crate) tickets: u32,
    pub(crate) tickets_address: u32,
    /// Files within an hour: of one session, from one address.
    pub(crate) uploads: u32,
    pub(crate) uploads_address: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text: 10_000,
            file_bytes: 10 << 20,
            connects: 60,
            sockets: 50,
            messages: 20,
            messages_hour: 300,
            tickets: 5,
            tickets_address: 20,
            uploads: 10,
            uploads_address: 60,
        }
    }
}

/// One source's settings, checked.
pub(crate) struct Settings {
    pub(crate) source: SourceName,
    pub(crate) origins: Origins,
    pub(crate) email: Option<String>,
    pub(crate) privacy_url: Option<String>,
    pub(crate) texts: BTreeMap<String, Texts>,
    pub(crate) form: Vec<Field>,
    pub(crate) mode: IdentityMode,
    pub(crate) keys: Option<Keys>,
    pub(crate) limits: Limits,
}

impl Kind for Chat {
    fn name(&self) -> &'static str {
        "chat"
    }

    fn build(
        &self,
        source: &SourceName,
        settings: serde_json::Value,
        state: &Path,
    ) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(LiveChat::new(checked(source, settings)?, state)))
    }

    fn example(&self) -> &'static str {
        include_str!("../example.toml")
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::from_str(include_str!("../settings.schema.json")).unwrap_or_default()
    }
}

/// Reads and judges the settings.
pub(crate) fn checked(source: &SourceName, settings: serde_json::Value) -> Result<Settings, SettingsError> {
    let written: Written = read(settings)?;
    let origins = Origins::new(written.origins).map_err(|entry| {
        let remedy = "write it as browsers do, in lower case and without a path: \"https://www.example.com\"";
        wrong("origins", Some(&entry), "this is no origin", remedy)
    })?;
    if let Some(email) = written.email.as_deref().filter(|email| !is_email(email)) {
        return Err(wrong("email", Some(email), "this is no e-mail address", "write it as help@example.com"));
    }
    let web = |url: &&str| !(url.starts_with("https://") || url.starts_with("http://") || url.starts_with('/'));
    if let Some(url) = written.privacy_url.as_deref().filter(web) {
        return Err(wrong("privacy_url", Some(url), "this is no web address", "write it as https://host/path"));
    }
    if let Some(what) = form::fault(&written.form) {
        let remedy = "give each field a name of its own in lower-case letters, and options to each choice";
        return Err(wrong("form", None, &what, remedy));
    }
    limits(&written.limits)?;
    let secret = SecretKeys {
        file: written.identity_secret_file,
        env: written.identity_secret_env,
        credential: written.identity_secret_credential,
    };
    let keys = keys(written.identity_algorithm, &secret, written.identity_public_key_file.as_deref())?;
    if written.identity != IdentityMode::Off && keys.is_none() {
        let remedy =
            "give identity_secret_file (HS256) or identity_public_key_file (EdDSA, RS256), or set identity = \"off\"";
        return Err(wrong("identity", None, "there is no key to check identities by", remedy));
    }
    Ok(Settings {
        source: source.clone(),
        origins,
        email: written.email,
        privacy_url: written.privacy_url,
        texts: written.texts,
        form: written.form,
        mode: written.identity,
        keys,
        limits: written.limits,
    })
}

fn limits(limits: &Limits) -> Result<(), SettingsError> {
    let bounds =
        [("limits.text", limits.text as u64, 1..=15_000), ("limits.file_bytes", limits.file_bytes, 1..=100 << 20)];
    for (key, value, range) in bounds {
        if !range.contains(&value) {
            let remedy = format!("give {} to {}", range.start(), range.end());
            let (key, value) = (key.to_owned(), Some(value.to_string()));
            return Err(SettingsError { key, value, what: "it is out of bounds".to_owned(), remedy });
        }
    }
    Ok(())
}

fn keys(algorithm: Algorithm, secret: &SecretKeys, public: Option<&Path>) -> Result<Option<Keys>, SettingsError> {
    const SECRET: &str = "identity_secret_file";
    const PUBLIC: &str = "identity_public_key_file";
    let secret = secret.read("identity_secret")?;
    if algorithm == Algorithm::Hs256 {
        if public.is_some() {
            let remedy = "set identity_algorithm to \"EdDSA\" or \"RS256\"";
            return Err(wrong(PUBLIC, None, "HS256 knows no public key", remedy));
        }
        let remedy = "make one with: openssl rand -base64 32; while you change it, keep the new and the old one in it";
        let keys = secret.map(|secret| Keys::hs256(&secret).map_err(|what| wrong(SECRET, None, &what, remedy)));
        return keys.transpose();
    }
    if secret.is_some() {
        return Err(wrong(SECRET, None, "this algorithm knows no secret", "set identity_algorithm = \"HS256\""));
    }
    let Some(path) = public else { return Ok(None) };
    let shown = path.display().to_string();
    let remedy = "name a PEM file with the public key alone";
    let failed = |what: String| wrong(PUBLIC, Some(&shown), &what, remedy);
    let pem = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let keys = if algorithm == Algorithm::EdDsa { Keys::ed25519(&pem) } else { Keys::rs256(&pem) };
    keys.map(Some).map_err(failed)
}

fn wrong(key: &str, value: Option<&str>, what: &str, remedy: &str) -> SettingsError {
    let value = value.map(|value| format!("\"{value}\""));
    SettingsError { key: key.to_owned(), value, what: what.to_owned(), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(settings: serde_json::Value) -> String {
        checked(&SourceName::from("site"), settings).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn it_starts_with_nothing() {
        assert_eq!(said(json!({})), "");
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_remedy() {
        for (settings, words) in [
            (json!({"origin": []}), "origin: there is no such key; did you mean \"origins\"?"),
            (json!({"origins": ["https://*.x.y"]}), "origins = \"https://*.x.y\": this is no origin; write it as"),
            (json!({"email": "help"}), "email = \"help\": this is no e-mail address; "),
            (json!({"privacy_url": "javascript:x"}), "privacy_url = \"javascript:x\": this is no web address; "),
            (
                json!({"identity": "maybe"}),
                "identity = \"maybe\": this value is not known; use one of: off, optional, required",
            ),
            (
                json!({"identity": "required"}),
                "identity: there is no key to check identities by; give identity_secret_",
            ),
            (json!({"identity_secret_file": "/nonexistent/s"}), "identity_secret_file = \"/nonexistent/s\": "),
            (json!({"identity_secret_file": "/a", "identity_secret_env": "B"}), "identity_secret: it is given in more"),
            (
                json!({"identity_public_key_file": "/k"}),
                "identity_public_key_file: HS256 knows no public key; set identity_algorithm",
            ),
            (
                json!({"identity_algorithm": "RS256", "identity_public_key_file": "/nonexistent/k"}),
                "identity_public_key_file = \"/nonexistent/k\": ",
            ),
            (json!({"limits": {"text": 0}}), "[source.limits] text = 0: it is out of bounds; give 1 to 15000"),
            (json!({"form": [{"name": "A b"}]}), "form: \"A b\" cannot name a field; "),
            (json!({"form": [{"name": "x", "type": "choice"}]}), "form: the choice \"x\" has no options; "),
        ] {
            let said = said(settings);
            assert!(said.starts_with(words), "{said}");
        }
    }

    #[test]
    fn the_schema_knows_every_key_of_the_settings() {
        let said = said(json!({"zzzzzzzzzzzz": 1}));
        let schema = Chat.schema();
        let known: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert!(known.len() > 10);
        for key in known {
            assert!(said.contains(key.as_str()), "{key}: {said}");
        }
    }
}
