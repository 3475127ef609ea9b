//! What the operator writes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::reach::{Lookup, is_public, system};
use guichet_contract::settings::read;
use guichet_contract::{Channel, Kind, SecretKeys, SettingsError};
use guichet_domain::ids::SourceName;
use reqwest::Url;
use serde::Deserialize;

use crate::deliver::Hook;
use crate::sign::Signer;

/// The limit a receiver has when none is set, and the bounds: all of it must fit into the lease of an attempt.
const TIMEOUT: u64 = 15;
const TIMEOUTS: std::ops::RangeInclusive<u64> = 2..=50;

/// The kind of channel.
pub struct Webhook;

/// The keys of a source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    url: String,
    #[serde(default)]
    events: Vec<String>,
    secret_file: Option<PathBuf>,
    secret_env: Option<String>,
    secret_credential: Option<String>,
    #[serde(default)]
    allow_private: bool,
    #[serde(default = "default_timeout")]
    timeout_secs: u64,
}

fn default_timeout() -> u64 {
    TIMEOUT
}

impl Kind for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn build(
        &self,
        _source: &SourceName,
        settings: serde_json::Value,
        _state: &Path,
    ) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(hook(settings, system())?))
    }

    fn example(&self) -> &'static str {
        r#"# Tells another program of the events of tickets, signed by Standard Webhooks (https://www.standardwebhooks.com).
[[source]]
name = "crm"
channel = "webhook"
# Where events are posted.
url = "https://crm.example.com/hooks/guichet"
# Which events: ticket.opened, .message, .replied, .note, .seen, .assigned, .escalated, .classified, .merged,
# .promise_missed, .attention, .resolved, .reopened, .closed; an empty list means all.
events = ["ticket.opened", "ticket.resolved"]
# The secret it is signed with, `whsec_` and 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)"
# While you change it, give the new one and the old one, separated by white space. Or secret_env, secret_credential.
secret_file = "/etc/guichet/crm.secret"
# Whether it may lead into your own network, and be plain http.
#allow_private = false
# How long the receiver may take to answer, 2 to 50 s.
#timeout_secs = 15
"#
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["url"],
            "properties": {
                "url": {"type": "string", "format": "uri", "description": "Where events are posted."},
                "events": {
                    "type": "array",
                    "items": {"type": "string"},
                    "default": [],
                    "description": "Which events; an empty list means all."
                },
                "secret_file": {"type": "string", "description": "File with the secrets, whsec_..., newest first."},
                "secret_env": {"type": "string", "description": "Environment variable with the secrets."},
                "secret_credential": {"type": "string", "description": "systemd credential with the secrets."},
                "allow_private": {
                    "type": "boolean",
                    "default": false,
                    "description": "Whether it may lead into the own network, and be plain http."
                },
                "timeout_secs": {
                    "type": "integer",
                    "minimum": TIMEOUTS.start(),
                    "maximum": TIMEOUTS.end(),
                    "default": TIMEOUT,
                    "description": "How long the receiver may take to answer."
                }
            }
        })
    }
}

/// The hook these settings describe; names are looked up by `lookup`.
pub(crate) fn hook(settings: serde_json::Value, lookup: Lookup) -> Result<Hook, SettingsError> {
    let keys: Keys = read(settings)?;
    let url = url(&keys.url, keys.allow_private)?;
    for event in &keys.events {
        if event.is_empty() || event.contains(char::is_whitespace) {
            let remedy = "write names such as \"ticket.opened\", or leave the list empty for all";
            return Err(wrong("events", Some(event), "this is no event's name", remedy));
        }
    }
    if !TIMEOUTS.contains(&keys.timeout_secs) {
        let value = Some(keys.timeout_secs.to_string());
        let remedy = format!("give {} to {}", TIMEOUTS.start(), TIMEOUTS.end());
        return Err(SettingsError { key: "timeout_secs".into(), value, what: "it is out of bounds".into(), remedy });
    }
    let secret = SecretKeys { file: keys.secret_file, env: keys.secret_env, credential: keys.secret_credential };
    let Some(secret) = secret.read("secret")? else {
        let remedy = "give secret_file, secret_env or secret_credential; make one with: echo \"whsec_$(openssl rand -base64 32)\"";
        return Err(wrong("secret_file", None, "there is no secret to sign with", remedy));
    };
    let signer = Signer::new(&secret)?;
    let timeout = Duration::from_secs(keys.timeout_secs);
    Hook::new(url, signer, keys.events, timeout, (lookup, keys.allow_private)).map_err(|_| {
        wrong("url", None, "no HTTP client can be made for it", "this is a fault of guichet: please report it")
    })
}

/// The address of the receiver, judged as far as it can be without asking anybody.
fn url(text: &str, allow_private: bool) -> Result<Url, SettingsError> {
    // The value is not shown: paths, queries and user names of hooks often hold secrets.
    let Ok(url) = Url::parse(text) else {
        return Err(wrong("url", None, "it is no URL", "write it as https://host/path"));
    };
    let plain = url.scheme() == "http" && allow_private;
    if url.scheme() != "https" && !plain {
        let remedy = "use https; plain http is possible within your own network, with allow_private = true";
        return Err(wrong("url", None, "it does not begin with https://", remedy));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let remedy = "remove them: the receiver knows us by the signature";
        return Err(wrong("url", None, "it holds a user name or a password", remedy));
    }
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    if literal.is_some_and(|address| !allow_private && !is_public(address)) {
        let remedy = "use a public address, or set allow_private = true if that is meant";
        return Err(wrong("url", Some(host), "it leads to a private or reserved address", remedy));
    }
    Ok(url)
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
        hook(settings, system()).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_remedy() {
        for (settings, words) in [
            (json!({}), "url: it is missing; "),
            (json!({"url": "https://x.example", "secrets": "x"}), "secrets: there is no such key; use one of: "),
            (
                json!({"url": "https://x.example", "secret_fil": "x"}),
                "secret_fil: there is no such key; did you mean \"secret_file\"?",
            ),
            (json!({"url": "crm"}), "url: it is no URL; write it as https://host/path"),
            (json!({"url": "http://crm.example.com/"}), "url: it does not begin with https://; use https; "),
            (json!({"url": "file:///etc/passwd", "allow_private": true}), "url: it does not begin with https://; "),
            (
                json!({"url": "https://user:pw@crm.example.com/"}),
                "url: it holds a user name or a password; remove them",
            ),
            (
                json!({"url": "https://crm.example.com/", "timeout_secs": 0}),
                "timeout_secs = 0: it is out of bounds; give 2 to 50",
            ),
            (
                json!({"url": "https://crm.example.com/", "events": ["a b"]}),
                "events = \"a b\": this is no event's name; write names",
            ),
            (
                json!({"url": "https://crm.example.com/"}),
                "secret_file: there is no secret to sign with; give secret_file, ",
            ),
            (
                json!({"url": "https://crm.example.com/", "secret_file": "/nonexistent/s"}),
                "secret_file = \"/nonexistent/s\": ",
            ),
        ] {
            let said = said(settings);
            assert!(said.starts_with(words), "{said}");
            assert!(!said.contains("pw@"), "{said}");
        }
    }

    #[test]
    fn an_address_written_in_any_form_is_seen_for_what_it_is() {
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "169.254.169.254",
            "[fe80::1]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:7f00:1::]",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
        ] {
            let said = said(json!({"url": format!("https://{host}/hook")}));
            assert!(said.contains("it leads to a private or reserved address; "), "{host}: {said}");
        }
    }

    #[test]
    fn the_example_is_read_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let keys = Webhook.example().lines().filter(|line| !line.starts_with('#') && line.contains(" = "));
        let mut settings = serde_json::Map::new();
        for line in keys {
            let (key, value) = line.split_once(" = ").unwrap();
            settings.insert(key.to_owned(), serde_json::from_str(value).unwrap());
        }
        assert_eq!(settings.remove("name"), Some(json!("crm")));
        assert_eq!(settings.remove("channel"), Some(json!("webhook")));
        settings.insert("secret_file".to_owned(), json!(path));
        let built = Webhook.build(&SourceName::from("crm"), settings.into(), folder.path()).unwrap();
        assert_eq!(built.events(), Some(vec!["ticket.opened".to_owned(), "ticket.resolved".to_owned()]));
        assert_eq!(built.abilities().deadline_secs, 18);
    }

    #[test]
    fn the_schema_knows_every_key_of_the_settings() {
        let schema = Webhook.schema();
        let known: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        let said = said(json!({"url": "https://x.example", "zzzzzzzz": 1}));
        for key in known {
            assert!(said.contains(key.as_str()), "{key}: {said}");
        }
    }
}
