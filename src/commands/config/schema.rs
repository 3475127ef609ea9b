//! The JSON Schema of the configuration. A test holds it against the documented file, so a key that is added to one and
//! not to the other is found.

use guichet_contract::Kind;
use serde_json::{Map, Value, json};

/// The whole document (draft 2020-12), with the settings of these kinds of source.
pub fn document(kinds: &[Box<dyn Kind>]) -> Value {
    let sources: Vec<Value> = kinds.iter().map(|kind| source(kind.name(), kind.schema())).collect();
    let source = if sources.is_empty() {
        json!({"type": "array"})
    } else {
        json!({"type": "array", "items": {"oneOf": sources}})
    };
    let mut whole = object(&[
        ("desk", desk()),
        ("caps", caps()),
        ("http", object(&[("listen", text()), ("max_body", whole_number(1)), ("trusted_proxies", texts())])),
        ("storage", object(&[("state", text()), ("raw_days", whole_number(0)), ("floor_mib", whole_number(0))])),
        ("log", object(&[("format", json!({"enum": ["text", "json"]})), ("filter", text())])),
        ("triage", object(&[("taxonomy", text())])),
        ("texts", object(&[("folder", text())])),
        ("source", source),
    ]);
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        fields.insert("title".to_owned(), json!("The configuration of guichet"));
    }
    whole
}

fn desk() -> Value {
    let row =
        || json!({"type": "array", "items": {"enum": ["P1", "P2", "P3", "P4", "P5"]}, "minItems": 3, "maxItems": 3});
    let targets = ["P1", "P2", "P3", "P4", "P5"].map(|priority| (priority, whole_number(0)));
    object(&[
        ("name", text()),
        ("prefix", json!({"type": "string", "pattern": "^([A-Za-z][A-Za-z0-9]{1,7})?$"})),
        ("language", text()),
        ("public_url", json!({"type": "string", "pattern": "^https?://"})),
        ("reopen_window_days", whole_number(0)),
        ("delay_notice", json!({"type": "boolean"})),
        ("queue", text()),
        ("blocked", texts()),
        ("calendar", object(&[("zone", text()), ("hours", texts()), ("holidays", texts())])),
        ("targets", object(&targets)),
        ("matrix", object(&[("low", row()), ("medium", row()), ("high", row())])),
    ])
}

fn caps() -> Value {
    object(&[
        ("sender_hour", whole_number(0)),
        ("sender_day", whole_number(0)),
        ("domain_hour", whole_number(0)),
        ("own_domains", texts()),
        ("breaker_factor", whole_number(0)),
        ("breaker_floor", whole_number(0)),
        ("breaker_pause_minutes", whole_number(0)),
    ])
}

/// A source of one kind: the keys every source has, and its channel's.
fn source(kind: &str, of_kind: Value) -> Value {
    let mut properties = Map::from_iter([
        ("name".to_owned(), json!({"type": "string", "pattern": "^[a-z0-9-]{1,60}$"})),
        ("channel".to_owned(), json!({"const": kind})),
        ("acknowledge".to_owned(), json!({"type": "boolean"})),
        ("trust".to_owned(), json!({"enum": ["proved", "all"]})),
        ("enabled".to_owned(), json!({"type": "boolean"})),
        ("answer_by".to_owned(), json!({"type": "string", "pattern": "^[a-z0-9-]{1,60}$"})),
        ("unread_minutes".to_owned(), json!({"type": "integer", "minimum": 1, "maximum": 10_080})),
    ]);
    let mut required = vec![json!("name"), json!("channel")];
    if let Value::Object(mut own) = of_kind {
        if let Some(Value::Object(fields)) = own.remove("properties") {
            properties.extend(fields);
        }
        if let Some(Value::Array(names)) = own.remove("required") {
            required.extend(names);
        }
    }
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
}

fn object(fields: &[(&str, Value)]) -> Value {
    let properties: Map<_, _> = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn texts() -> Value {
    json!({"type": "array", "items": text()})
}

fn whole_number(least: u32) -> Value {
    json!({"type": "integer", "minimum": least})
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    /// What `value` breaks of `schema`: the part of JSON Schema that our documents use.
    pub(in crate::commands::config) fn faults(schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(kind) = schema["type"].as_str() {
            let fits = match kind {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("{place}: type {other} is not known here"),
            };
            if !fits {
                return vec![format!("{place}: no {kind}")];
            }
        }
        if schema.get("const").is_some_and(|constant| constant != value) {
            found.push(format!("{place}: not {}", schema["const"]));
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            found.push(format!("{place}: not one of {}", schema["enum"]));
        }
        if schema["minimum"].as_f64().zip(value.as_f64()).is_some_and(|(least, value)| value < least) {
            found.push(format!("{place}: below {}", schema["minimum"]));
        }
        if schema["maximum"].as_f64().zip(value.as_f64()).is_some_and(|(most, value)| value > most) {
            found.push(format!("{place}: above {}", schema["maximum"]));
        }
        for (name, field) in value.as_object().into_iter().flatten() {
            match schema["properties"].get(name) {
                Some(of) => found.extend(faults(of, field, &format!("{place}.{name}"))),
                None if schema["additionalProperties"] == Value::Bool(false) => {
                    found.push(format!("{place}.{name}: unknown"));
                }
                None => {}
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.is_object() && value.get(name).is_none() {
                found.push(format!("{place}.{name}: missing"));
            }
        }
        if let Some(items) = schema.get("items") {
            for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                found.extend(faults(items, item, &format!("{place}[{at}]")));
            }
        }
        if let Some(options) = schema["oneOf"].as_array() {
            let fit = options.iter().filter(|option| faults(option, value, place).is_empty()).count();
            if fit != 1 {
                let first = options.first().map(|option| faults(option, value, place)).unwrap_or_default();
                found.push(format!("{place}: fits {fit} of {} forms: {first:?}", options.len()));
            }
        }
        found
    }
}
