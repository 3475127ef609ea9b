//! JSON Schema of the settings.

use serde_json::{Value, json};

use crate::kinds::SystemName;

/// The properties of a source.
pub(crate) fn schema() -> Value {
    let kinds: Vec<&str> = SystemName::ALL.iter().map(|(_, name)| *name).collect();
    let text = json!({"type": "string"});
    let flag = |default: bool| json!({"type": "boolean", "default": default});
    let whole = |low: u32, high: u32, default: u32| json!({"type": "integer", "minimum": low, "maximum": high, "default": default});
    json!({
        "kind": {"enum": kinds, "default": "generic"},
        "token_file": text, "token_env": text, "token_credential": text,
        "secret_file": text, "secret_env": text, "secret_credential": text,
        "public_key": text, "public_key_file": text,
        "public_url": {"type": "string", "format": "uri"},
        "allow_ips": {"type": "array", "items": {"type": "string"}},
        "country": {"type": "string", "default": "FR"},
        "zone": text, "language": text,
        "plusless": {"type": "boolean"},
        "answered": {"enum": ["ticket", "log"], "default": "ticket"},
        "min_ring_secs": whole(0, 120, 5),
        "repeat_hours": whole(0, 720, 24),
        "per_caller_hour": whole(1, 100_000, 20),
        "per_minute": whole(1, 1_000_000, 120),
        "blocked": {"type": "array", "items": {"type": "string"}},
        "record": flag(false),
        "media_hosts": {"type": "array", "items": {"type": "string"}},
        "media_user": text,
        "media_password_file": text, "media_password_env": text, "media_password_credential": text,
        "media_mib": whole(1, 100, 25),
        "media_allow_private": flag(false),
        "sign_as": text,
        "sms": {"type": "object"},
        "hook": {"type": "object"},
        "callback": {"type": "object"}
    })
}

#[cfg(test)]
mod tests {
    use guichet_contract::Kind;

    use crate::Phone;

    #[test]
    fn the_schema_knows_every_key_of_the_example_and_every_kind_has_its_name_there() {
        let (schema, example) = (Phone.schema(), Phone.example());
        let text = schema.to_string();
        let own = example.lines().take_while(|line| !line.starts_with("#[source."));
        for line in own.filter_map(|line| line.strip_prefix('#')).filter(|line| !line.starts_with(' ')) {
            let Some((key, _)) = line.split_once(" = ") else { continue };
            assert!(text.contains(&format!("\"{key}\":")), "{key} is not in the schema");
        }
        for (_, name) in crate::kinds::SystemName::ALL {
            assert!(example.contains(name), "{name} is not in the example");
        }
    }
}
