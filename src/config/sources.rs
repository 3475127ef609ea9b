//! `[[source]]`: the ends of the channels.

use guichet_contract::settings;
use guichet_domain::ids::SourceName;
use guichet_domain::rules::SourceRules;
use serde::Deserialize;

use crate::config::ConfigError;

/// One `[[source]]`: the keys every source has, and the rest for its channel.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// Its name.
    pub name: SourceName,
    /// The kind of channel.
    pub channel: String,
    /// Whether requests are acknowledged.
    pub acknowledge: bool,
    /// Whom it believes.
    pub trust: TrustSetting,
    /// Whether it runs.
    pub enabled: bool,
    /// What only its channel understands.
    pub rest: serde_json::Value,
}

impl SourceSettings {
    /// The rules of this source; `addresses` are its own, as its channel lists them.
    pub fn rules(&self, addresses: Vec<String>) -> SourceRules {
        SourceRules {
            name: self.name.clone(),
            acknowledge: self.acknowledge,
            trust_all: self.trust == TrustSetting::All,
            addresses,
        }
    }
}

/// Whom a source believes without proof.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustSetting {
    /// Nobody: an acknowledgement to an unproved sender is neutral.
    #[default]
    Proved,
    /// Everybody (an internal desk).
    All,
}

/// The keys every source has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    name: String,
    channel: String,
    #[serde(default = "yes")]
    acknowledge: bool,
    #[serde(default)]
    trust: TrustSetting,
    #[serde(default = "yes")]
    enabled: bool,
}

/// Names of the keys in [`Common`].
const COMMON: [&str; 5] = ["name", "channel", "acknowledge", "trust", "enabled"];

/// Reads the sources; the built-in ones when there are none.
pub(super) fn read(written: &[toml::Table], origin: &str) -> Result<Vec<SourceSettings>, ConfigError> {
    if written.is_empty() {
        return Ok(vec![SourceSettings {
            name: SourceName::from("local"),
            channel: "email".to_owned(),
            acknowledge: true,
            trust: TrustSetting::Proved,
            enabled: true,
            rest: serde_json::json!({}),
        }]);
    }
    let mut sources: Vec<SourceSettings> = Vec::new();
    for (at, table) in written.iter().enumerate() {
        let called = table
            .get("name")
            .and_then(toml::Value::as_str)
            .map_or_else(|| format!("source number {}", at + 1), |name| format!("source \"{name}\""));
        let wrong = |what: String| ConfigError::Wrong { place: origin.to_owned(), what: format!("{called}: {what}") };
        let (common, rest): (toml::Table, toml::Table) =
            table.clone().into_iter().partition(|(key, _)| COMMON.contains(&key.as_str()));
        let common: Common = common
            .try_into()
            .map_err(|error: toml::de::Error| wrong(settings::explain(error.message()).to_string()))?;
        if !is_plain(&common.name) {
            return Err(wrong("its name cannot stand in an address; use lower-case letters, digits and dashes".into()));
        }
        if sources.iter().any(|source| source.name.as_str() == common.name) {
            return Err(wrong("two sources have this name; give each its own".into()));
        }
        let rest = serde_json::to_value(rest).map_err(|error| wrong(error.to_string()))?;
        sources.push(SourceSettings {
            name: SourceName::new(common.name),
            channel: common.channel,
            acknowledge: common.acknowledge,
            trust: common.trust,
            enabled: common.enabled,
            rest,
        });
    }
    Ok(sources)
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=60).contains(&name.len()) && name.chars().all(plain)
}

fn yes() -> bool {
    true
}
