//! What the operator writes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guichet_contract::settings::{read, section};
use guichet_contract::{Channel, Kind, Secret, SecretKeys, SettingsError};
use guichet_domain::ids::SourceName;
use guichet_domain::language::Language;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::channel::PhoneSource;
use crate::kinds::{Habits, SystemName, is_public_key, system};
use crate::number::{Numbers, region};
use crate::request::Secrets;
use crate::ways::Ways;

/// The kind of channel.
pub struct Phone;

/// The keys of a source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    kind: SystemName,
    token_file: Option<PathBuf>,
    token_env: Option<String>,
    token_credential: Option<String>,
    secret_file: Option<PathBuf>,
    secret_env: Option<String>,
    secret_credential: Option<String>,
    public_key: Option<String>,
    public_key_file: Option<PathBuf>,
    public_url: Option<String>,
    allow_ips: Vec<IpAddr>,
    country: String,
    zone: Option<String>,
    language: Option<String>,
    plusless: Option<bool>,
    answered: AnsweredCalls,
    min_ring_secs: u32,
    repeat_hours: u32,
    per_caller_hour: u32,
    per_minute: u32,
    blocked: Vec<String>,
    record: bool,
    media_hosts: Vec<String>,
    media_user: Option<String>,
    media_password_file: Option<PathBuf>,
    media_password_env: Option<String>,
    media_password_credential: Option<String>,
    media_mib: u32,
    media_allow_private: bool,
    sign_as: Option<String>,
    sms: Option<Value>,
    hook: Option<Value>,
    callback: Option<Value>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            kind: SystemName::default(),
            token_file: None,
            token_env: None,
            token_credential: None,
            secret_file: None,
            secret_env: None,
            secret_credential: None,
            public_key: None,
            public_key_file: None,
            public_url: None,
            allow_ips: Vec::new(),
            country: "FR".to_owned(),
            zone: None,
            language: None,
            plusless: None,
            answered: AnsweredCalls::default(),
            min_ring_secs: 5,
            repeat_hours: 24,
            per_caller_hour: 20,
            per_minute: 120,
            blocked: Vec::new(),
            record: false,
            media_hosts: Vec::new(),
            media_user: None,
            media_password_file: None,
            media_password_env: None,
            media_password_credential: None,
            media_mib: 25,
            media_allow_private: false,
            sign_as: None,
            sms: None,
            hook: None,
            callback: None,
        }
    }
}

/// What becomes of calls that an agent answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnsweredCalls {
    /// A ticket, without an acknowledgement: the agent spoke to the caller.
    #[default]
    Ticket,
    /// Nothing but the call's row.
    Log,
}

/// A source's settings, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) kind: SystemName,
    pub(crate) secrets: Secrets,
    /// `https://desk.example.com/in/pbx`; the path alone where no public address is known.
    pub(crate) base: String,
    pub(crate) allow_ips: Vec<IpAddr>,
    pub(crate) habits: Habits,
    pub(crate) language: Language,
    pub(crate) rules: Rules,
    pub(crate) record: bool,
    pub(crate) media: Media,
    pub(crate) ways: Ways,
    /// Who speaks in text messages.
    pub(crate) desk: Option<String>,
}

/// Which calls open tickets.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) answered: AnsweredCalls,
    /// Who rang for less hung up by mistake.
    pub(crate) min_ring_secs: u32,
    /// How long a caller who calls again joins the ticket that waits.
    pub(crate) repeat_hours: u32,
    /// Calls of one caller an hour that are entered.
    pub(crate) per_caller_hour: u32,
    /// Calls a minute that are entered.
    pub(crate) per_minute: u32,
    /// Numbers that are refused, in E.164.
    pub(crate) blocked: Vec<String>,
    pub(crate) language: Language,
}

/// From where recordings are fetched.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) hosts: Vec<String>,
    /// Shown to those hosts alone.
    pub(crate) login: Option<(String, Secret)>,
    pub(crate) max_bytes: usize,
    pub(crate) allow_private: bool,
}

impl Kind for Phone {
    fn name(&self) -> &'static str {
        "phone"
    }

    fn build(&self, source: &SourceName, settings: Value, state: &Path) -> Result<Arc<dyn Channel>, SettingsError> {
        let settings = check(source, read(settings)?)?;
        Ok(Arc::new(PhoneSource::new(source.clone(), settings, state.to_owned())))
    }

    fn example(&self) -> &'static str {
        include_str!("example.toml")
    }

    fn explanations(&self) -> &'static [(&'static str, &'static str)] {
        crate::plan::EXPLANATIONS
    }

    fn schema(&self) -> Value {
        crate::schema::schema()
    }
}

fn check(source: &SourceName, keys: Keys) -> Result<Settings, SettingsError> {
    let token = SecretKeys { file: keys.token_file, env: keys.token_env, credential: keys.token_credential };
    let secret = SecretKeys { file: keys.secret_file, env: keys.secret_env, credential: keys.secret_credential };
    let words = |secret: Option<Secret>| -> Vec<String> {
        secret.map(|secret| secret.expose().split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
    };
    let tokens = words(token.read("token")?);
    if let Some(short) = tokens.iter().find(|token| token.len() < 8) {
        let what = format!("a token of {} characters can be guessed", short.len());
        return Err(wrong("token", None, &what, "make one with: openssl rand -hex 16"));
    }
    let signing: Vec<Secret> = words(secret.read("secret")?).into_iter().map(Secret::new).collect();
    let public_keys = public_keys(keys.public_key, keys.public_key_file.as_deref())?;
    let is_needed = !signing.is_empty() && system(keys.kind).signs_addresses();
    let origin = origin(keys.public_url.as_deref(), is_needed)?;
    let country = region(&keys.country.to_uppercase()).ok_or_else(|| {
        wrong("country", Some(&keys.country), "there is no such country", "write two letters: \"FR\"")
    })?;
    let zone = match &keys.zone {
        Some(zone) => TimeZone::get(zone).map_err(|_| {
            wrong("zone", Some(zone), "there is no such time zone", "write one such as \"Europe/Paris\"")
        })?,
        None => TimeZone::system(),
    };
    let language = match &keys.language {
        Some(code) => Language::parse(code)
            .ok_or_else(|| wrong("language", Some(code), "it is no language", "write \"fr\" or \"en\""))?,
        None if keys.country.eq_ignore_ascii_case("FR") => Language::Fr,
        None => Language::En,
    };
    within("min_ring_secs", keys.min_ring_secs, 0, 120)?;
    within("repeat_hours", keys.repeat_hours, 0, 24 * 30)?;
    within("per_caller_hour", keys.per_caller_hour, 1, 100_000)?;
    within("per_minute", keys.per_minute, 1, 1_000_000)?;
    within("media_mib", keys.media_mib, 1, 100)?;
    let password = SecretKeys {
        file: keys.media_password_file,
        env: keys.media_password_env,
        credential: keys.media_password_credential,
    };
    let login = match (keys.media_user, password.read("media_password")?) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        _ => {
            return Err(wrong(
                "media_user",
                None,
                "a name needs a password",
                "give media_user and media_password_file",
            ));
        }
    };
    let numbers = Numbers { country, plusless: keys.plusless.unwrap_or(system(keys.kind).is_plusless()) };
    let blocked = keys.blocked.iter().map(|text| numbers.read(text).number.unwrap_or_else(|| text.clone())).collect();
    let base = format!("{origin}/in/{source}");
    let ways = Ways::new(
        keys.sms.map(|value| section("sms", value)).transpose()?,
        keys.hook.map(|value| section("hook", value)).transpose()?,
        keys.callback.map(|value| section("callback", value)).transpose()?,
        &base,
    )?;
    Ok(Settings {
        kind: keys.kind,
        secrets: Secrets::new(&tokens, signing, public_keys),
        base,
        allow_ips: keys.allow_ips,
        habits: Habits { numbers, zone },
        language,
        rules: Rules {
            answered: keys.answered,
            min_ring_secs: keys.min_ring_secs,
            repeat_hours: keys.repeat_hours,
            per_caller_hour: keys.per_caller_hour,
            per_minute: keys.per_minute,
            blocked,
            language,
        },
        record: keys.record,
        media: Media {
            hosts: keys.media_hosts.iter().map(|host| host.to_lowercase()).collect(),
            login,
            max_bytes: keys.media_mib as usize * (1 << 20),
            allow_private: keys.media_allow_private,
        },
        ways,
        desk: keys.sign_as,
    })
}

/// What signatures are checked with where the system has a key pair.
fn public_keys(given: Option<String>, file: Option<&Path>) -> Result<Vec<String>, SettingsError> {
    let mut keys: Vec<String> = given.into_iter().collect();
    if let Some(file) = file {
        let wrong = |why: String| {
            wrong("public_key_file", Some(&file.display().to_string()), &why, "give a file that can be read")
        };
        keys.push(std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?);
    }
    if keys.iter().all(|key| is_public_key(key)) {
        return Ok(keys);
    }
    Err(wrong("public_key", None, "it is no public key", "copy it whole, as PEM or base64"))
}

/// The public address without what follows the host.
fn origin(url: Option<&str>, is_needed: bool) -> Result<String, SettingsError> {
    let remedy = "write https://desk.example.com, as the phone system knows it";
    match url {
        Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        Some(url) => Err(wrong("public_url", Some(url), "it is no web address", remedy)),
        None if is_needed => {
            Err(wrong("public_url", None, "what this kind signs covers the address it posts to", remedy))
        }
        None => Ok(String::new()),
    }
}

fn within(key: &str, value: u32, low: u32, high: u32) -> Result<(), SettingsError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(wrong(key, Some(&value.to_string()), "it is out of bounds", &format!("use {low} to {high}")))
}

pub(crate) fn wrong(key: &str, value: Option<&str>, what: &str, remedy: &str) -> SettingsError {
    SettingsError {
        key: key.to_owned(),
        value: value.map(str::to_owned),
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    }
}
