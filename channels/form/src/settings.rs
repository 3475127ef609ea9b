//! What the operator writes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use guichet_contract::settings::read;
use guichet_contract::{Channel, Kind, SettingsError};
use guichet_domain::ids::SourceName;
use serde::Deserialize;

use crate::channel::FormSource;
use crate::words::{Lang, Word, say};

/// The kind of channel.
pub struct Form;

/// Words in several languages: one text for all, or a table by language code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    One(String),
    Many(BTreeMap<String, String>),
}

impl Text {
    /// In `lang`, else in English, else in whatever there is.
    pub(crate) fn get(&self, lang: Lang) -> &str {
        match self {
            Self::One(text) => text,
            Self::Many(texts) => {
                let found = texts.get(lang.as_str()).or_else(|| texts.get("en")).or_else(|| texts.values().next());
                found.map_or("", String::as_str)
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::One(text) => text.trim().is_empty(),
            Self::Many(texts) => texts.values().all(|text| text.trim().is_empty()),
        }
    }
}

/// When a browser must spend time on a puzzle before its form is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Puzzle {
    Never,
    /// While more comes in than people write.
    #[default]
    Attack,
    Always,
}

/// The keys of a source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    pub(crate) forms: Vec<FormKeys>,
    pub(crate) min_secs: u32,
    pub(crate) puzzle: Puzzle,
    pub(crate) attack_per_minute: u32,
    pub(crate) per_address_hour: u32,
    pub(crate) files: usize,
    pub(crate) file_mib: usize,
    pub(crate) email: Option<String>,
    pub(crate) privacy_url: Option<String>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            forms: Vec::new(),
            min_secs: 3,
            puzzle: Puzzle::default(),
            attack_per_minute: 30,
            per_address_hour: 20,
            files: 5,
            file_mib: 10,
            email: None,
            privacy_url: None,
        }
    }
}

/// One form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormKeys {
    pub(crate) key: String,
    pub(crate) title: Text,
    pub(crate) intro: Option<Text>,
    pub(crate) category: Option<String>,
    #[serde(default = "yes")]
    pub(crate) attachments: bool,
    #[serde(default)]
    pub(crate) fields: Vec<FieldKeys>,
}

/// A field the operator adds to a form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldKeys {
    pub(crate) key: String,
    pub(crate) label: Text,
    pub(crate) hint: Option<Text>,
    #[serde(default)]
    pub(crate) kind: FieldKind,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) options: Vec<OptionKeys>,
    #[serde(default = "longest")]
    pub(crate) max: usize,
}

/// How a field is filled in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldKind {
    #[default]
    Text,
    Textarea,
    Tel,
    Date,
    Select,
    Checkbox,
}

/// One choice of a `select`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptionKeys {
    pub(crate) value: String,
    pub(crate) label: Text,
}

fn yes() -> bool {
    true
}

fn longest() -> usize {
    200
}

/// Names that are pages or fields of ours.
const TAKEN_FORMS: [&str; 3] = ["received", "form.css", "form.js"];
const TAKEN_FIELDS: [&str; 9] = ["name", "email", "subject", "message", "files", "token", "work", "kept", "website"];

impl Kind for Form {
    fn name(&self) -> &'static str {
        "form"
    }

    fn build(
        &self,
        source: &SourceName,
        settings: serde_json::Value,
        state: &Path,
    ) -> Result<Arc<dyn Channel>, SettingsError> {
        let mut keys: Keys = read(settings)?;
        check(&keys)?;
        if keys.forms.is_empty() {
            keys.forms.push(standard());
        }
        Ok(Arc::new(FormSource::new(source, keys, state)))
    }

    fn example(&self) -> &'static str {
        r#"# A web form at /in/NAME. Needs nothing else; answers go by the mailbox named in answer_by.
[[source]]
name = "form"
channel = "form"
answer_by = "support-mail"
# The address shown to people whose request cannot be taken just now.
#email = "support@example.com"
#privacy_url = "https://www.example.com/privacy"
# A person takes at least so many seconds to fill it in; who is quicker is asked to send once more.
#min_secs = 3
# A puzzle for browsers, `never`, `attack` (while more than attack_per_minute come in) or `always`.
#puzzle = "attack"
#attack_per_minute = 30
# Requests of one network address an hour.
#per_address_hour = 20
# Files a request, and MiB a file.
#files = 5
#file_mib = 10
# Without any, one form for everything. Several are listed at /in/NAME, each at /in/NAME/KEY. Words are one text, or a
# table by language.
#[[source.forms]]
#key = "material"
#title = { en = "New equipment", fr = "Nouveau matériel" }
#intro = { en = "Ask before noon, have it tomorrow.", fr = "Demandé avant midi, livré demain." }
#category = "hardware"
#attachments = true
#[[source.forms.fields]]
#key = "room"
#label = { en = "Room", fr = "Bureau" }
#hint = "B 2.14"
#kind = "text"          # text, textarea, tel, date, select or checkbox
#required = true
#max = 40
#[[source.forms.fields]]
#key = "what"
#label = { en = "What do you need?", fr = "De quoi avez-vous besoin ?" }
#kind = "select"
#options = [{ value = "screen", label = { en = "A screen", fr = "Un écran" } }, { value = "phone", label = { en = "A phone", fr = "Un téléphone" } }]
"#
    }

    fn explanations(&self) -> &'static [(&'static str, &'static str)] {
        crate::submission::EXPLANATIONS
    }

    fn schema(&self) -> serde_json::Value {
        let text = serde_json::json!({
            "oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]
        });
        let option = serde_json::json!({
            "type": "object", "additionalProperties": false, "required": ["value", "label"],
            "properties": {"value": {"type": "string"}, "label": text}
        });
        let field = serde_json::json!({
            "type": "object", "additionalProperties": false, "required": ["key", "label"],
            "properties": {
                "key": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
                "label": text, "hint": text,
                "kind": {"enum": ["text", "textarea", "tel", "date", "select", "checkbox"], "default": "text"},
                "required": {"type": "boolean", "default": false},
                "options": {"type": "array", "items": option},
                "max": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 200}
            }
        });
        let form = serde_json::json!({
            "type": "object", "additionalProperties": false, "required": ["key", "title"],
            "properties": {
                "key": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,39}$"},
                "title": text, "intro": text,
                "category": {"type": "string"},
                "attachments": {"type": "boolean", "default": true},
                "fields": {"type": "array", "items": field}
            }
        });
        serde_json::json!({
            "forms": {"type": "array", "items": form},
            "min_secs": {"type": "integer", "minimum": 0, "maximum": 60, "default": 3},
            "puzzle": {"enum": ["never", "attack", "always"], "default": "attack"},
            "attack_per_minute": {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 30},
            "per_address_hour": {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 20},
            "files": {"type": "integer", "minimum": 0, "maximum": 20, "default": 5},
            "file_mib": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
            "email": {"type": "string"},
            "privacy_url": {"type": "string"}
        })
    }
}

/// The one form of a source that names none.
fn standard() -> FormKeys {
    let words = |word: Word| {
        Text::Many(Lang::ALL.into_iter().map(|lang| (lang.as_str().to_owned(), say(lang, word).to_owned())).collect())
    };
    FormKeys {
        key: "request".to_owned(),
        title: words(Word::StandardTitle),
        intro: Some(words(Word::StandardIntro)),
        category: None,
        attachments: true,
        fields: Vec::new(),
    }
}

fn check(keys: &Keys) -> Result<(), SettingsError> {
    within("min_secs", keys.min_secs.into(), 0, 60)?;
    within("attack_per_minute", keys.attack_per_minute.into(), 1, 100_000)?;
    within("per_address_hour", keys.per_address_hour.into(), 1, 100_000)?;
    within("files", keys.files as u64, 0, 20)?;
    within("file_mib", keys.file_mib as u64, 1, 50)?;
    if let Some(url) = &keys.privacy_url
        && !["https://", "http://", "/"].iter().any(|begin| url.starts_with(begin))
    {
        return Err(wrong("privacy_url", url, "it is no web address", "write https://…"));
    }
    let mut seen = Vec::new();
    for form in &keys.forms {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=40).contains(&form.key.len()) || !form.key.chars().all(plain) || form.key.starts_with('-') {
            return Err(wrong("forms.key", &form.key, "it cannot stand in an address", "use a-z, 0-9 and dashes"));
        }
        if TAKEN_FORMS.contains(&form.key.as_str()) || seen.contains(&form.key) {
            return Err(wrong("forms.key", &form.key, "this name is taken", "use another"));
        }
        if form.title.is_empty() {
            return Err(wrong("forms.title", &form.key, "the form has no title", "give it one"));
        }
        seen.push(form.key.clone());
        check_fields(form)?;
    }
    Ok(())
}

fn check_fields(form: &FormKeys) -> Result<(), SettingsError> {
    let mut seen: Vec<&str> = Vec::new();
    for field in &form.fields {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = field.key.starts_with(|c: char| c.is_ascii_lowercase());
        if !(1..=40).contains(&field.key.len()) || !field.key.chars().all(plain) || !begins {
            return Err(wrong("forms.fields.key", &field.key, "it is no plain name", "use a-z, 0-9 and _"));
        }
        if TAKEN_FIELDS.contains(&field.key.as_str()) || seen.contains(&field.key.as_str()) {
            return Err(wrong("forms.fields.key", &field.key, "this name is taken", "use another"));
        }
        if field.label.is_empty() {
            return Err(wrong("forms.fields.label", &field.key, "the field has no label", "give it one"));
        }
        if (field.kind == FieldKind::Select) == field.options.is_empty() {
            return Err(wrong(
                "forms.fields.options",
                &field.key,
                "options belong to `select`",
                "give both or neither",
            ));
        }
        within("forms.fields.max", field.max as u64, 1, 10_000)?;
        seen.push(&field.key);
    }
    Ok(())
}

fn within(key: &str, value: u64, low: u64, high: u64) -> Result<(), SettingsError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(wrong(key, &value.to_string(), "it is out of bounds", &format!("use {low} to {high}")))
}

fn wrong(key: &str, value: &str, what: &str, remedy: &str) -> SettingsError {
    SettingsError {
        key: key.to_owned(),
        value: Some(value.to_owned()),
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(settings: serde_json::Value) -> String {
        let built = Form.build(&SourceName::from("form"), settings, Path::new("/nonexistent"));
        built.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn nothing_at_all_is_a_form() {
        assert_eq!(refused(json!({})), "");
    }

    #[test]
    fn what_cannot_work_is_named_with_its_remedy() {
        let form = |fields: serde_json::Value| json!({"forms": [{"key": "it", "title": "IT", "fields": fields}]});
        for (settings, said) in [
            (json!({"mins_secs": 3}), "did you mean \"min_secs\"?"),
            (json!({"min_secs": 99}), "use 0 to 60"),
            (json!({"files": 21}), "use 0 to 20"),
            (json!({"privacy_url": "javascript:alert(1)"}), "write https://"),
            (json!({"forms": [{"key": "IT", "title": "x"}]}), "use a-z, 0-9 and dashes"),
            (json!({"forms": [{"key": "received", "title": "x"}]}), "this name is taken"),
            (json!({"forms": [{"key": "a", "title": ""}]}), "the form has no title"),
            (form(json!([{"key": "email", "label": "x"}])), "this name is taken"),
            (form(json!([{"key": "a", "label": "x", "kind": "select"}])), "options belong to `select`"),
            (form(json!([{"key": "a", "label": "x", "kind": "radio"}])), "use one of"),
            (form(json!([{"key": "a", "label": "x", "max": 0}])), "use 1 to 10000"),
        ] {
            assert!(refused(settings.clone()).contains(said), "{settings}: {}", refused(settings.clone()));
        }
    }

    #[test]
    fn the_schema_knows_every_key_of_the_example() {
        let schema = Form.schema();
        for line in Form
            .example()
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with([' ', '[']))
        {
            let Some((key, _)) = line.split_once(" = ") else { continue };
            let text = schema.to_string();
            assert!(text.contains(&format!("\"{}\":", key.trim())), "{key} is not in the schema");
        }
    }

    #[test]
    fn words_fall_back_to_english_and_then_to_what_there_is() {
        let text = |json: serde_json::Value| serde_json::from_value::<Text>(json).unwrap();
        assert_eq!(text(json!("one")).get(Lang::Fr), "one");
        assert_eq!(text(json!({"en": "room", "de": "Zimmer"})).get(Lang::Fr), "room");
        assert_eq!(text(json!({"de": "Zimmer"})).get(Lang::Fr), "Zimmer");
    }
}
