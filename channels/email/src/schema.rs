//! JSON Schema of a mailbox's settings, for editors and for `guichet config schema`.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::settings::{CONNECTIONS, MAX_MIB, PER_MINUTE, POLL_SECS};

/// The schema (draft 2020-12) of the keys of an e-mail source.
pub fn schema() -> Value {
    let text = || json!({"type": "string"});
    let flag = || json!({"type": "boolean"});
    let security = || json!({"enum": ["tls", "starttls", "plain"]});
    let auth = || json!({"enum": ["password", "xoauth2", "oauthbearer"]});
    let number = |low: u64, high: u64| json!({"type": "integer", "minimum": low, "maximum": high});
    let within = |bounds: &RangeInclusive<u32>| number((*bounds.start()).into(), (*bounds.end()).into());
    let secret = |name: &str| ["file", "env", "credential"].map(|way| (format!("{name}_{way}"), text()));
    let object = |fields: Vec<(String, Value)>, required: &[&str]| {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": fields.into_iter().collect::<serde_json::Map<_, _>>(),
            "required": required,
        })
    };
    let named = |fields: &[(&str, Value)]| -> Vec<(String, Value)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let server = [
        ("host", text()),
        ("port", number(1, 65_535)),
        ("security", security()),
        ("allow_plain", flag()),
        ("user", text()),
        ("auth", auth()),
        ("ca_file", text()),
    ];
    let mut imap = named(&server);
    imap.extend(secret("password"));
    imap.extend(named(&[
        ("folder", text()),
        ("processed", text()),
        ("failed", text()),
        ("history", text()),
        ("acknowledge_history", flag()),
        ("max_mib", within(&MAX_MIB)),
        ("poll_secs", within(&POLL_SECS)),
    ]));
    let mut smtp = named(&server);
    smtp.extend(secret("password"));
    smtp.extend(named(&[
        ("connections", within(&CONNECTIONS)),
        ("per_minute", within(&PER_MINUTE)),
        ("hello", text()),
    ]));
    let mut oauth = named(&[
        ("token_url", text()),
        ("client_id", text()),
        ("scope", text()),
        ("refresh_expires_at", json!({"type": "string", "format": "date-time"})),
        ("ca_file", text()),
    ]);
    oauth.extend(secret("client_secret"));
    oauth.extend(secret("refresh_token"));
    let list = || json!({"type": "array", "items": {"type": "string"}});
    let fields = vec![
        ("address".to_owned(), text()),
        ("from_name".to_owned(), text()),
        ("aliases".to_owned(), list()),
        ("plus_addressing".to_owned(), flag()),
        ("envelope".to_owned(), json!({"enum": ["verp", "null"]})),
        ("journal".to_owned(), text()),
        ("authserv_ids".to_owned(), list()),
        ("check_dkim".to_owned(), flag()),
        ("imap".to_owned(), object(imap, &["host", "user"])),
        ("smtp".to_owned(), object(smtp, &["host"])),
        ("oauth".to_owned(), object(oauth, &["token_url", "client_id"])),
    ];
    object(fields, &[])
}
