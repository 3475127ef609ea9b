//! As much of JSON Schema (draft 2020-12) as the document uses: enough to say where an answer is not what was promised.

use serde_json::Value;

/// What of `value` breaks `schema`, each with its place. A keyword this does not know is itself a finding.
pub fn broken(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let Some(rules) = schema.as_object() else { return vec![format!("{place}: no schema")] };
    let mut found = Vec::new();
    for (keyword, rule) in rules {
        match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                match document.pointer(pointer) {
                    Some(target) => found.extend(broken(document, target, value, place)),
                    None => found.push(format!("{place}: {rule} leads nowhere")),
                }
            }
            "type" if !is_of(rule, value) => found.push(format!("{place}: {value} is not of type {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                found.push(format!("{place}: {value} is not in {rule}"));
            }
            "required" => {
                let absent = rule.as_array().unwrap().iter().filter(|name| value.get(name.as_str().unwrap()).is_none());
                found.extend(absent.map(|name| format!("{place}: {name} is missing")));
            }
            "properties" => {
                let Some(object) = value.as_object() else { continue };
                for (name, value) in object {
                    match rule.get(name) {
                        Some(rule) => found.extend(broken(document, rule, value, &format!("{place}.{name}"))),
                        None => found.push(format!("{place}.{name}: not in the document")),
                    }
                }
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                found.extend(items.flat_map(|(at, item)| broken(document, rule, item, &format!("{place}[{at}]"))));
            }
            "oneOf" => {
                let fitting =
                    rule.as_array().unwrap().iter().filter(|one| broken(document, one, value, place).is_empty());
                if fitting.count() != 1 {
                    found.push(format!("{place}: {value} is not one of {rule}"));
                }
            }
            "minimum" if value.is_number() && value.as_f64() < rule.as_f64() => {
                found.push(format!("{place}: {value} is below {rule}"));
            }
            "type" | "enum" | "minimum" | "description" | "format" | "example" | "default" | "title" => {}
            other => found.push(format!("{place}: the keyword {other} is not understood here")),
        }
    }
    found
}

fn is_of(rule: &Value, value: &Value) -> bool {
    if let Some(several) = rule.as_array() {
        return several.iter().any(|one| is_of(one, value));
    }
    match rule.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}
