//! `[[source]]`: the ends of the channels.

use guichet_channels::kinds;
use guichet_contract::{Abilities, SettingsError, settings};
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
    /// The source that mails what this one cannot say: everything when its channel does not send, else answers that lie
    /// unread. Checked when the channels are built.
    pub answer_by: Option<SourceName>,
    /// Minutes for which answers may lie unread before they are mailed.
    pub unread_minutes: u32,
    /// What only its channel understands.
    pub rest: serde_json::Value,
}

impl SourceSettings {
    /// A source of this name and channel with every other key at its default.
    pub fn new(name: &str, channel: &str) -> Self {
        Self {
            name: SourceName::from(name),
            channel: channel.to_owned(),
            acknowledge: true,
            trust: TrustSetting::Proved,
            enabled: true,
            answer_by: None,
            unread_minutes: UNREAD_MINUTES,
            rest: serde_json::json!({}),
        }
    }

    /// The rules of this source; `addresses` are its own, as its channel lists them, and `abilities` what that can do.
    pub fn rules(&self, addresses: Vec<String>, abilities: Abilities) -> SourceRules {
        SourceRules {
            name: self.name.clone(),
            acknowledge: self.acknowledge,
            trust_all: self.trust == TrustSetting::All,
            addresses,
            sends: abilities.sends,
            in_place: abilities.in_place,
            answer_by: self.answer_by.clone(),
            unread_minutes: self.unread_minutes,
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
    #[serde(default)]
    answer_by: Option<SourceName>,
    #[serde(default = "unread_minutes")]
    unread_minutes: u32,
}

/// Names of the keys in [`Common`].
const COMMON: [&str; 7] = ["name", "channel", "acknowledge", "trust", "enabled", "answer_by", "unread_minutes"];
/// Minutes for which answers may lie unread, when the operator says nothing.
const UNREAD_MINUTES: u32 = 10;
/// The most that can be asked for: a week.
const MOST_UNREAD_MINUTES: u32 = 7 * 24 * 60;

/// Reads the sources; the built-in ones when there are none.
pub(super) fn read(written: &[toml::Table], origin: &str) -> Result<Vec<SourceSettings>, ConfigError> {
    if written.is_empty() {
        return Ok(built_in());
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
        if common.unread_minutes == 0 || common.unread_minutes > MOST_UNREAD_MINUTES {
            let given = common.unread_minutes;
            return Err(wrong(format!(
                "unread_minutes = {given}: this is no pause people could read in; use 1 to {MOST_UNREAD_MINUTES}"
            )));
        }
        let rest = serde_json::to_value(rest).map_err(|error| wrong(error.to_string()))?;
        sources.push(SourceSettings {
            name: SourceName::new(common.name),
            channel: common.channel,
            acknowledge: common.acknowledge,
            trust: common.trust,
            enabled: common.enabled,
            answer_by: common.answer_by,
            unread_minutes: common.unread_minutes,
            rest,
        });
    }
    Ok(sources)
}

/// The sources of a desk whose operator names none: mail, what people reach by the desk's own pages, and the phone, where this
/// build has them; what those cannot say is mailed.
fn built_in() -> Vec<SourceSettings> {
    let local = SourceSettings::new("local", "email");
    let has = |channel: &str| kinds().iter().any(|kind| kind.name() == channel);
    // Phone systems post to `phone` with a token it makes for itself.
    let pages = ["chat", "form", "phone"].into_iter().filter(|channel| has(channel));
    let pages = pages.map(|channel| {
        let answer_by = Some(local.name.clone());
        SourceSettings { answer_by, ..SourceSettings::new(channel, channel) }
    });
    let pages: Vec<SourceSettings> = pages.collect();
    std::iter::once(local).chain(pages).collect()
}

/// What is wrong with the `answer_by` of a source, if anything: it must name another source that is enabled and sends.
/// `sources` are all of them, each with whether its channel sends.
pub(crate) fn answer_by_fault(settings: &SourceSettings, sources: &[(&SourceSettings, bool)]) -> Option<SettingsError> {
    let by = settings.answer_by.as_ref()?;
    let fit = |(other, sends): &&(&SourceSettings, bool)| *sends && other.enabled && other.name != settings.name;
    let named = sources.iter().find(|(other, _)| other.name == *by);
    let what = match named {
        Some(found) if fit(&found) => return None,
        Some(_) if *by == settings.name => "a source cannot answer for itself",
        Some((other, _)) if !other.enabled => "that source is not enabled",
        Some(_) => "that source does not send",
        None => "there is no such source",
    };
    let fitting: Vec<&str> = sources.iter().filter(fit).map(|(other, _)| other.name.as_str()).collect();
    let remedy = if fitting.is_empty() {
        "add a source that sends mail, or leave the key out".to_owned()
    } else {
        format!("use one of: {}", fitting.join(", "))
    };
    Some(SettingsError { key: "answer_by".into(), value: Some(format!("\"{by}\"")), what: what.into(), remedy })
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=60).contains(&name.len()) && name.chars().all(plain)
}

fn unread_minutes() -> u32 {
    UNREAD_MINUTES
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(by: &str, enabled: bool, sends: bool) -> Option<String> {
        let site = SourceSettings { answer_by: Some(by.into()), ..SourceSettings::new("site", "form") };
        let mail = SourceSettings { enabled, ..SourceSettings::new("mail", "email") };
        answer_by_fault(&site, &[(&site, false), (&mail, sends)]).map(|error| error.to_string())
    }

    #[test]
    fn who_answers_for_a_source_must_be_able_to() {
        assert_eq!(fault("mail", true, true), None);
        let unknown = fault("mial", true, true).unwrap();
        assert_eq!(unknown, "answer_by = \"mial\": there is no such source; use one of: mail");
        let own = fault("site", true, true).unwrap();
        assert_eq!(own, "answer_by = \"site\": a source cannot answer for itself; use one of: mail");
        let off = fault("mail", false, true).unwrap();
        let nobody = "add a source that sends mail, or leave the key out";
        assert_eq!(off, format!("answer_by = \"mail\": that source is not enabled; {nobody}"));
        let mute = fault("mail", true, false).unwrap();
        assert_eq!(mute, format!("answer_by = \"mail\": that source does not send; {nobody}"));
    }
}
