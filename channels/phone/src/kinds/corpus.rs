//! Every sample of a folder of requests as phone systems send them, against what each must be read as.
//!
//! The folder is named by `GUICHET_SHARED`, else it is `../shared` beside the project; without one these tests say so and end.

use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use guichet_contract::Secret;
use guichet_domain::Moment;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Habits, SystemName, Unusable, system};
use crate::event::{CallEvent, Heard};
use crate::fields::Fields;
use crate::number::{Numbers, region};
use crate::request::{Denied, Door, Request, Secrets};

/// When the samples were signed.
const NOW: Moment = Moment::from_secs(1_795_338_942);

struct Sample {
    name: String,
    kind: SystemName,
    door: Door,
    method: String,
    token: Option<String>,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    url: String,
    secrets: Secrets,
    is_signed: bool,
    line: Value,
}

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("GUICHET_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = shared.join("samples/phone");
    if !folder.join("index.jsonl").is_file() {
        println!("skipped: there are no samples of phone systems; name their folder in GUICHET_SHARED");
        return None;
    }
    Some(folder)
}

/// Which kind of ours speaks with the system of a sample, if any.
fn kind(line: &Value) -> Option<SystemName> {
    let vendor = line["vendor"].as_str().unwrap();
    let is_form = line["content_type"] == "application/x-www-form-urlencoded";
    let name = match vendor {
        "generic-json" => "generic",
        "signalwire" => "twilio",
        "telnyx" if is_form => "twilio",
        other => other,
    };
    SystemName::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind)
}

fn samples() -> Vec<Sample> {
    let Some(folder) = folder() else { return Vec::new() };
    let index = std::fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let lines = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wanted = lines.filter(|line| line["in_scope"] == true);
    wanted.filter_map(|line| Some(sample(&folder, kind(&line)?, line))).collect()
}

fn sample(folder: &Path, kind: SystemName, line: Value) -> Sample {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = text(&line["file"]).unwrap();
    let method = text(&line["method"]).unwrap();
    let place = text(&line["path"]).unwrap();
    let (path, query) = place.split_once('?').unwrap_or((&place, ""));
    let door = if path.starts_with("/hooks/sms") { "sms" } else { path.rsplit('/').next().unwrap() };
    let mut headers = HeaderMap::new();
    for (name, value) in line["headers"].as_object().unwrap() {
        let name: HeaderName = name.parse().unwrap();
        headers.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
    }
    if let Some(value) = line["content_type"].as_str().filter(|value| *value != "-") {
        headers.insert("content-type", HeaderValue::from_str(value).unwrap());
    }
    let signature = &line["signature"];
    let is_signed = signature.is_object() && signature["scheme"] != "body-token";
    let prefix = if signature["scheme"] == "twilio-hmac-sha256" { "sha256:" } else { "" };
    let key = text(&signature["secret"]).filter(|_| is_signed).map(|key| Secret::new(format!("{prefix}{key}")));
    let keys: Vec<Secret> = key.into_iter().collect();
    let public = |value: String| match std::fs::read_to_string(folder.join(&value)) {
        Ok(pem) if pem.starts_with("-----BEGIN") => pem,
        _ => value,
    };
    let named = text(&signature["public_key"]).or_else(|| text(&signature["public_key_file"]));
    let sipgate = (line["vendor"] == "sipgate").then(|| "sipgate-test-public-key.pem".to_owned());
    let public_keys = named.filter(|_| line["vendor"] != "sipgate").or(sipgate).map(public).into_iter().collect();
    let tokens = ["s3cr3t-token", "kam-s3cr3t", "45XXYYZZa08"].map(str::to_owned);
    let body = if method == "GET" { Vec::new() } else { std::fs::read(folder.join(&name)).unwrap() };
    let url = text(&signature["url"]).unwrap_or_else(|| format!("https://helpdesk.example.org{place}"));
    Sample {
        kind,
        door: Door::parse(door).unwrap_or(Door::Events),
        token: path.contains("s3cr3t-token").then(|| "s3cr3t-token".to_owned()),
        query: query.to_owned(),
        // Where sipgate's source has a token as well, both must be shown.
        secrets: Secrets::new(if line["vendor"] == "sipgate" { &[] } else { &tokens }, keys, public_keys),
        name,
        method,
        headers,
        body,
        url,
        is_signed,
        line,
    }
}

impl Sample {
    fn request(&self) -> Request<'_> {
        Request {
            door: self.door,
            method: &self.method,
            token: self.token.as_deref(),
            headers: &self.headers,
            query: &self.query,
            body: &self.body,
            url: &self.url,
            now: NOW,
        }
    }

    fn verify(&self) -> Result<(), Denied> {
        system(self.kind).verify(&self.request(), &self.secrets)
    }

    fn parse(&self) -> Result<Vec<Heard>, Unusable> {
        let fields = if self.body.is_empty() { Fields::form(&self.query) } else { Fields::read(&self.body) };
        let fields = fields.map_err(|unreadable| Unusable::Malformed(unreadable.0))?;
        let vendor = self.line["vendor"].as_str().unwrap();
        let german = matches!(vendor, "sipgate" | "placetel");
        let country = region(if german { "DE" } else { "FR" }).unwrap();
        let numbers = Numbers { country, plusless: system(self.kind).is_plusless() };
        system(self.kind).parse(&self.request(), &fields, &Habits { numbers, zone: TimeZone::UTC })
    }

    /// What is wrong with what was read, if anything.
    fn faults(&self, event: &CallEvent) -> Vec<String> {
        let expect = &self.line["expect"];
        let moment = |moment: Option<Moment>, expected: &Value| match expected.as_str() {
            // To the second, unless more is given.
            Some(text) if !text.contains('.') => {
                moment.map_or_else(String::new, |moment| Moment::from_secs(moment.secs()).to_string())
            }
            _ => moment.map_or_else(String::new, |moment| moment.timestamp().to_string()),
        };
        let url = event.recording.as_ref().map(|recording| recording.url.clone());
        let found = [
            ("direction", event.direction.map(|direction| direction.as_str().to_owned())),
            ("caller", event.caller.number.clone()),
            ("withheld", Some(event.caller.withheld.to_string())),
            ("callee", event.callee.number.clone()),
            ("call_id", Some(event.call_id.clone()).filter(|id| !id.is_empty())),
            ("state", Some(event.stage.as_str().to_owned())),
            ("disposition", event.disposition.map(|disposition| disposition.as_str().to_owned())),
            ("started_at", Some(moment(event.started_at, &expect["started_at"]))),
            ("answered_at", Some(moment(event.answered_at, &expect["answered_at"]))),
            ("ended_at", Some(moment(event.ended_at, &expect["ended_at"]))),
            ("duration_s", event.duration_s.map(|secs| secs.to_string())),
            ("recording_url", url),
        ];
        let mut faults = Vec::new();
        for (name, found) in found {
            let found = found.unwrap_or_default();
            let expected = match &expect[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            // A way that is not said is the way in, but only once nothing else of the call says another.
            let unsaid = name == "direction" && (expected.is_empty() || found.is_empty() && expected == "in");
            if found != expected && !unsaid {
                faults.push(format!("{}: {name} is {found:?} and not {expected:?}", self.name));
            }
        }
        if let Some(transcript) = expect["transcript"].as_str().filter(|text| event.transcript.as_deref() != Some(text))
        {
            faults.push(format!("{}: {:?} and not {transcript:?}", self.name, event.transcript));
        }
        if let Some(also) = expect["conversation_id"].as_str().filter(|also| event.also.as_deref() != Some(also)) {
            faults.push(format!("{}: {:?} and not {also:?}", self.name, event.also));
        }
        faults
    }
}

#[test]
fn every_sample_is_read_as_it_must_be() {
    let mut faults = Vec::new();
    for sample in samples().iter().filter(|sample| sample.line["expect"].is_object()) {
        match sample.parse() {
            Ok(heard) => match heard.as_slice() {
                [Heard::Call(event)] => faults.extend(sample.faults(event)),
                [Heard::Text(report)] => {
                    let expect = &sample.line["expect"];
                    let found = (report.message_id.as_str(), report.state.as_str(), report.error.as_deref());
                    let text = |name: &str| expect[name].as_str();
                    if found != (text("message_id").unwrap(), text("state").unwrap(), text("error")) {
                        faults.push(format!("{}: {found:?}", sample.name));
                    }
                }
                other => faults.push(format!("{}: {} events", sample.name, other.len())),
            },
            Err(why) => faults.push(format!("{}: {why:?}", sample.name)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_sample_that_is_signed_is_believed_and_one_changed_byte_is_not() {
    let mut faults = Vec::new();
    for mut sample in samples().into_iter().filter(|sample| sample.is_signed) {
        if sample.verify().is_err() {
            faults.push(format!("{}: not believed", sample.name));
            continue;
        }
        let header = sample.headers.iter().find(|(name, _)| {
            let name = name.as_str();
            (name.contains("signature") && !name.contains("settings") && !name.contains("nonce"))
                || name == "authorization"
        });
        let (name, value) = header.map(|(name, value)| (name.clone(), value.clone())).unwrap();
        // The case of a scheme's name means nothing.
        let begin = value.to_str().unwrap().find(' ').map_or(0, |at| at + 1);
        for at in begin..value.len() {
            let mut bytes = value.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let Ok(changed) = HeaderValue::from_bytes(&bytes) else { continue };
            // The last letter of base64 may hold bits that mean nothing: a change of those changes no byte.
            let last = at + 3 >= value.len();
            sample.headers.insert(name.clone(), changed);
            if sample.verify().is_ok() && !last {
                faults.push(format!("{}: believed with byte {at} of {name} changed", sample.name));
            }
        }
        sample.headers.insert(name, value);
        // What binds no body cannot notice a change of it.
        if !sample.line["signature"]["scheme"].as_str().unwrap().contains("do not bind") && !sample.body.is_empty() {
            for at in [0, sample.body.len() / 2, sample.body.len() - 1] {
                let mut changed = sample.body.clone();
                changed[at] ^= 1;
                std::mem::swap(&mut sample.body, &mut changed);
                if sample.verify().is_ok() {
                    faults.push(format!("{}: believed with byte {at} of its body changed", sample.name));
                }
                std::mem::swap(&mut sample.body, &mut changed);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_bad_sample_is_answered_as_it_must_be() {
    for sample in samples().iter().filter(|sample| !sample.line["expect_status"].is_null()) {
        let mut secrets = sample.secrets.clone();
        if sample.line["vendor"] == "twilio" {
            secrets.keys.push(Secret::new("12345"));
        }
        let status = match system(sample.kind).verify(&sample.request(), &secrets) {
            Err(_) => 403,
            Ok(()) => match sample.parse() {
                Ok(_) => 200,
                Err(Unusable::Malformed(_)) => 400,
                Err(Unusable::NoCall) => 422,
            },
        };
        let expected = sample.line["expect_status"].to_string();
        assert!(expected.contains(&status.to_string()), "{}: {status} and not {expected}", sample.name);
    }
}
