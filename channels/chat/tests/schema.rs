//! The JSON Schema of the frames, as far as it goes: every keyword it uses, and a failure for one it does not know.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../protocol/guichet.v1.schema.json")).unwrap());

/// Fails when `frame` is none of this side (`client`, `server`).
#[track_caller]
pub(crate) fn must_be(side: &str, frame: &Value) {
    let schema = serde_json::json!({"$ref": format!("#/$defs/{side}")});
    if let Err(what) = check(&schema, frame, "$") {
        panic!("{what}\nin {frame}");
    }
}

pub(crate) fn is(side: &str, frame: &Value) -> bool {
    check(&serde_json::json!({"$ref": format!("#/$defs/{side}")}), frame, "$").is_ok()
}

fn check(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    for (keyword, wanted) in schema.as_object().unwrap() {
        keyword_holds(schema, keyword, wanted, value, at)?;
    }
    Ok(())
}

fn keyword_holds(schema: &Value, keyword: &str, wanted: &Value, value: &Value, at: &str) -> Result<(), String> {
    let must =
        |holds: bool| if holds { Ok(()) } else { Err(format!("{at}: {keyword} {wanted} does not hold of {value}")) };
    let number = || wanted.as_i64().unwrap();
    match keyword {
        "description" => Ok(()),
        "$ref" => {
            let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            check(&SCHEMA["$defs"][name], value, at)
        }
        "oneOf" => {
            let ends: Vec<_> = wanted.as_array().unwrap().iter().map(|one| check(one, value, at)).collect();
            match ends.iter().filter(|end| end.is_ok()).count() {
                1 => Ok(()),
                0 => Err(ends
                    .into_iter()
                    .filter_map(Result::err)
                    .find(|end| !end.contains(".type: const"))
                    .unwrap_or_else(|| format!("{at}: no such frame"))),
                _ => Err(format!("{at}: more than one form fits")),
            }
        }
        "type" => must(match wanted.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            other => panic!("type {other}"),
        }),
        "const" => must(value == wanted),
        "enum" => must(wanted.as_array().unwrap().contains(value)),
        "minimum" => must(value.as_i64().is_none_or(|value| value >= number())),
        "maximum" => must(value.as_i64().is_none_or(|value| value <= number())),
        "minLength" => must(value.as_str().is_none_or(|text| count(text.chars().count()) >= number())),
        "maxLength" => must(value.as_str().is_none_or(|text| count(text.chars().count()) <= number())),
        "maxItems" => must(value.as_array().is_none_or(|items| count(items.len()) <= number())),
        "maxProperties" => must(value.as_object().is_none_or(|fields| count(fields.len()) <= number())),
        "pattern" => {
            must(value.as_str().is_none_or(|text| Regex::new(wanted.as_str().unwrap()).unwrap().is_match(text)))
        }
        "required" => must(wanted.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())),
        "properties" => wanted.as_object().unwrap().iter().try_for_each(|(name, schema)| {
            value.get(name).map_or(Ok(()), |field| check(schema, field, &format!("{at}.{name}")))
        }),
        "additionalProperties" => {
            let known = schema.get("properties").and_then(Value::as_object);
            let others = value
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
            others.into_iter().try_for_each(|(name, field)| check(wanted, field, &format!("{at}.{name}")))
        }
        "items" => value.as_array().into_iter().flatten().try_for_each(|item| check(wanted, item, &format!("{at}[]"))),
        other => panic!("the schema uses {other}, and this validator does not know it"),
    }
}

#[test]
fn the_schema_tells_right_frames_from_wrong_ones() {
    use serde_json::json;
    let cid = "0a3cbb2e-9a0f-4b2f-9d0e-0c8a5b1f2d11";
    assert!(is("client", &json!({"type": "msg", "cid": cid, "text": "x", "unknown": 1})));
    for wrong in [
        json!({"type": "msg", "cid": cid}),
        json!({"type": "msg", "cid": cid.to_uppercase(), "text": "x"}),
        json!({"type": "msg", "cid": cid, "text": "x".repeat(10_001)}),
        json!({"type": "rate", "cid": cid, "conv": cid, "score": 6}),
        json!({"type": "ack"}),
        json!({"type": "hello", "v": 2, "token": "A".repeat(43)}),
        json!([]),
    ] {
        assert!(!is("client", &wrong), "{wrong}");
    }
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap()
}
