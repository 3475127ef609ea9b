//! What the operator writes about a mailbox, and what it becomes.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::{Secret, SecretKeys, SettingsError, settings};
use guichet_domain::Moment;
use serde::Deserialize;
use serde_json::Value;

use crate::compose::is_sendable;
use crate::credentials::Bearer;
use crate::imap::position::History;
use crate::imap::{Limits, Mailbox};
use crate::net::{Endpoint, Security};
use crate::tls;

/// Bounds of `max_mib`: of larger mail only the beginning is read.
pub(crate) const MAX_MIB: RangeInclusive<u32> = 1..=1024;
/// Bounds of `poll_secs`.
pub(crate) const POLL_SECS: RangeInclusive<u32> = 5..=300;
/// Bounds of `connections`.
pub(crate) const CONNECTIONS: RangeInclusive<u32> = 1..=64;
/// Bounds of `per_minute`.
pub(crate) const PER_MINUTE: RangeInclusive<u32> = 1..=1_000_000;

/// One mailbox, as written. Every key is optional; without `imap` mail comes by `guichet inject` alone, without `smtp` it
/// leaves as files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    address: Option<String>,
    from_name: Option<String>,
    aliases: Vec<String>,
    plus_addressing: Option<bool>,
    envelope: EnvelopeSetting,
    journal: Option<String>,
    authserv_ids: Vec<String>,
    check_dkim: Option<bool>,
    imap: Option<Value>,
    smtp: Option<Value>,
    oauth: Option<Value>,
}

/// Whose name bounces go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeSetting {
    /// A signed address of ours for each mail, where plus addressing works; else nobody.
    #[default]
    Verp,
    /// Nobody (`<>`) for automatic mail, the plain address for agents' replies.
    Null,
}

/// What `[source.imap]` and `[source.smtp]` share: a server, an account there and its proof.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenServer {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    security: SecuritySetting,
    #[serde(default)]
    allow_plain: bool,
    user: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    password_credential: Option<String>,
    #[serde(default)]
    auth: AuthSetting,
    ca_file: Option<PathBuf>,
}

/// The rest of `[source.imap]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenImap {
    folder: Option<String>,
    processed: Option<String>,
    failed: Option<String>,
    history: Option<String>,
    acknowledge_history: bool,
    max_mib: Option<i64>,
    poll_secs: Option<i64>,
}

/// The rest of `[source.smtp]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenSmtp {
    connections: Option<i64>,
    per_minute: Option<i64>,
    hello: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOAuth {
    token_url: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    client_secret_env: Option<String>,
    client_secret_credential: Option<String>,
    refresh_token_file: Option<PathBuf>,
    refresh_token_env: Option<String>,
    refresh_token_credential: Option<String>,
    scope: Option<String>,
    refresh_expires_at: Option<Moment>,
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecuritySetting {
    #[default]
    Tls,
    Starttls,
    Plain,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AuthSetting {
    #[default]
    Password,
    Xoauth2,
    Oauthbearer,
}

/// One mailbox, checked.
#[derive(Clone)]
pub struct Settings {
    /// The address mail is sent from and received at.
    pub address: String,
    /// The name beside it.
    pub from_name: Option<String>,
    /// All addresses of ours: the address, then its aliases. Empty when none was given: then no mail is told apart by
    /// whom it was addressed to.
    pub own: Vec<String>,
    /// Whether `address+token@` reaches us.
    pub plus_addressing: bool,
    /// Whose name bounces go to.
    pub envelope: EnvelopeSetting,
    /// An address of ours that gets a copy of each mail: its coming back proves that the mail left.
    pub journal: Option<String>,
    /// Whose word on authentication is believed: the `authserv-id` of our own mail server (RFC 8601).
    pub authserv_ids: Vec<String>,
    /// Whether DKIM signatures are checked by ourselves.
    pub check_dkim: bool,
    /// Where mail comes from.
    pub imap: Option<Imap>,
    /// Where mail leaves by; files when absent.
    pub smtp: Option<Smtp>,
    /// How tokens are renewed.
    pub oauth: Option<OAuth>,
}

/// Receiving.
#[derive(Clone)]
pub struct Imap {
    /// Server, folder and limits.
    pub mailbox: Mailbox,
    /// The account.
    pub user: String,
    /// How it is proved.
    pub proof: Proof,
    /// Whether what lay there at the first look is acknowledged.
    pub acknowledge_history: bool,
}

/// Sending.
#[derive(Clone)]
pub struct Smtp {
    /// The server.
    pub endpoint: Endpoint,
    /// The account; without it nothing is proved.
    pub user: Option<String>,
    /// How it is proved.
    pub proof: Option<Proof>,
    /// Connections at the same time.
    pub connections: usize,
    /// At most so many mails a minute.
    pub per_minute: Option<NonZeroU32>,
    /// Who we say we are.
    pub hello: String,
}

/// How an account is proved.
#[derive(Clone)]
pub enum Proof {
    /// By its password.
    Password(Secret),
    /// By an access token, presented this way.
    Token(Bearer),
}

/// The application that renews tokens.
#[derive(Clone)]
pub struct OAuth {
    /// The provider's token endpoint.
    pub token_url: String,
    /// The application's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// The refresh token.
    pub refresh_token: Secret,
    /// The scope to ask for.
    pub scope: Option<String>,
    /// When the authorisation ends.
    pub refresh_expires_at: Option<Moment>,
    /// The authorities trusted for the token endpoint.
    pub tls: Arc<rustls::ClientConfig>,
}

impl Settings {
    /// Reads and checks what the operator wrote. Reads the secrets' and the authorities' files.
    pub fn read(written: serde_json::Value) -> Result<Self, SettingsError> {
        let written: Written = settings::read(written)?;
        let own: Vec<String> = written.address.iter().chain(&written.aliases).cloned().collect();
        let named = written.address.iter().map(|address| ("address", address));
        let named = named.chain(written.aliases.iter().map(|alias| ("aliases", alias)));
        for (key, address) in named.chain(written.journal.iter().map(|journal| ("journal", journal))) {
            if !is_sendable(address) {
                return Err(wrong(key, address, "this is no mail address", "write name@domain"));
            }
        }
        if written.address.is_none() && (written.imap.is_some() || written.smtp.is_some()) {
            return Err(missing("address", "the address people write to"));
        }
        let oauth = written.oauth.map(oauth).transpose()?;
        let has_oauth = oauth.is_some();
        let imap =
            written.imap.map(|imap| receiving(settings::section_of_two("imap", imap)?, has_oauth)).transpose()?;
        let address = written.address.as_deref();
        let smtp = written.smtp.map(|smtp| sending(settings::section_of_two("smtp", smtp)?, address, has_oauth));
        let smtp = smtp.transpose()?;
        Ok(Self {
            address: written.address.unwrap_or_else(|| "support@localhost".to_owned()),
            from_name: written.from_name,
            own,
            plus_addressing: written.plus_addressing.unwrap_or(true),
            envelope: written.envelope,
            journal: written.journal,
            authserv_ids: written.authserv_ids.iter().map(|id| id.to_lowercase()).collect(),
            check_dkim: written.check_dkim.unwrap_or(true),
            imap,
            smtp,
            oauth,
        })
    }
}

fn receiving((server, written): (WrittenServer, WrittenImap), has_oauth: bool) -> Result<Imap, SettingsError> {
    let standard = if server.security == SecuritySetting::Tls { 993 } else { 143 };
    let endpoint = server.endpoint("imap", standard)?;
    let proof = server
        .proof("imap", has_oauth)?
        .ok_or_else(|| missing("imap.password_file", "the file that holds the password"))?;
    let user = server.user.ok_or_else(|| missing("imap.user", "the account's name at the server"))?;
    let mut limits = Limits::default();
    if let Some(mib) = bounded("imap.max_mib", written.max_mib, &MAX_MIB)? {
        limits.message_max = mib << 20;
    }
    if let Some(secs) = bounded("imap.poll_secs", written.poll_secs, &POLL_SECS)? {
        limits.poll = Duration::from_secs(u64::from(secs));
    }
    let mailbox = Mailbox {
        endpoint,
        folder: written.folder.unwrap_or_else(|| "INBOX".to_owned()),
        processed: written.processed,
        failed: written.failed,
        history: history(written.history.as_deref().unwrap_or("since 7d"))?,
        limits,
        suspects: crate::imap::Suspects::default(),
    };
    for (key, folder) in [("imap.processed", &mailbox.processed), ("imap.failed", &mailbox.failed)] {
        if folder.as_ref() == Some(&mailbox.folder) {
            return Err(wrong(key, &mailbox.folder, "mail cannot be moved to where it is", "name another folder"));
        }
    }
    Ok(Imap { mailbox, user, proof, acknowledge_history: written.acknowledge_history })
}

fn sending(
    (server, written): (WrittenServer, WrittenSmtp),
    address: Option<&str>,
    has_oauth: bool,
) -> Result<Smtp, SettingsError> {
    let standard = match server.security {
        SecuritySetting::Tls => 465,
        SecuritySetting::Starttls => 587,
        SecuritySetting::Plain => 25,
    };
    let endpoint = server.endpoint("smtp", standard)?;
    let proof = server.proof("smtp", has_oauth)?;
    if proof.is_some() && server.user.is_none() {
        return Err(missing("smtp.user", "the account the password belongs to"));
    }
    let domain = address.and_then(|address| address.rsplit_once('@')).map_or("localhost", |(_, domain)| domain);
    Ok(Smtp {
        endpoint,
        user: server.user.filter(|_| proof.is_some()),
        proof,
        connections: bounded("smtp.connections", written.connections, &CONNECTIONS)?.map_or(4, |count| count as usize),
        per_minute: bounded("smtp.per_minute", written.per_minute, &PER_MINUTE)?.and_then(NonZeroU32::new),
        hello: written.hello.unwrap_or_else(|| domain.to_owned()),
    })
}

/// A number within its bounds, which the error names.
fn bounded(key: &str, given: Option<i64>, bounds: &RangeInclusive<u32>) -> Result<Option<u32>, SettingsError> {
    let Some(given) = given else { return Ok(None) };
    let number = u32::try_from(given).ok().filter(|number| bounds.contains(number));
    number.map(Some).ok_or_else(|| SettingsError {
        key: key.to_owned(),
        value: Some(given.to_string()),
        what: "this is out of bounds".to_owned(),
        remedy: format!("write {} to {}", bounds.start(), bounds.end()),
    })
}

impl WrittenServer {
    fn endpoint(&self, section: &str, standard: u16) -> Result<Endpoint, SettingsError> {
        let security = match self.security {
            SecuritySetting::Tls => Security::Tls,
            SecuritySetting::Starttls => Security::StartTls,
            SecuritySetting::Plain => Security::Plain,
        };
        let port = self.port.unwrap_or(standard);
        if port == 0 {
            return Err(wrong(&format!("{section}.port"), "0", "no server has this port", "write 1 to 65535"));
        }
        let tls = authorities(section, self.ca_file.as_deref())?;
        Ok(Endpoint { host: self.host.clone(), port, security, plain_anywhere: self.allow_plain, tls })
    }

    fn proof(&self, section: &str, has_oauth: bool) -> Result<Option<Proof>, SettingsError> {
        let password = SecretKeys {
            file: self.password_file.clone(),
            env: self.password_env.clone(),
            credential: self.password_credential.clone(),
        };
        let password = password.read(&format!("{section}.password"))?;
        let mechanism = match self.auth {
            AuthSetting::Password => return Ok(password.map(Proof::Password)),
            AuthSetting::Xoauth2 => Bearer::XOAuth2,
            AuthSetting::Oauthbearer => Bearer::OAuthBearer,
        };
        if !has_oauth {
            return Err(missing("oauth.", "the section that says how tokens are renewed"));
        }
        Ok(Some(Proof::Token(mechanism)))
    }
}

/// The authorities that are trusted in a section: those of its file, else the world's.
fn authorities(section: &str, file: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, SettingsError> {
    tls::client_config(file).map_err(|error| SettingsError {
        key: format!("{section}.ca_file"),
        value: file.map(|file| format!("\"{}\"", file.display())),
        what: error.to_string(),
        remedy: "name a PEM file with the authority's certificate".to_owned(),
    })
}

fn oauth(written: Value) -> Result<OAuth, SettingsError> {
    let written: WrittenOAuth = settings::section("oauth", written)?;
    let client_secret = SecretKeys {
        file: written.client_secret_file,
        env: written.client_secret_env,
        credential: written.client_secret_credential,
    };
    let refresh_token = SecretKeys {
        file: written.refresh_token_file,
        env: written.refresh_token_env,
        credential: written.refresh_token_credential,
    };
    let tls = authorities("oauth", written.ca_file.as_deref())?;
    Ok(OAuth {
        token_url: written.token_url,
        client_id: written.client_id,
        client_secret: client_secret.read("oauth.client_secret")?,
        refresh_token: refresh_token
            .read("oauth.refresh_token")?
            .ok_or_else(|| missing("oauth.refresh_token_file", "the file that holds the refresh token"))?,
        scope: written.scope,
        refresh_expires_at: written.refresh_expires_at,
        tls,
    })
}

/// `all`, `none`, or `since` with a number of days (`7d`), hours (`12h`) or weeks (`2w`).
fn history(text: &str) -> Result<History, SettingsError> {
    let unusable = || {
        wrong("imap.history", text, "this is not understood", "write \"all\", \"none\", or \"since 7d\" (h, d or w)")
    };
    match text.trim() {
        "all" => return Ok(History::All),
        "none" => return Ok(History::None),
        _ => {}
    }
    let span = text.trim().strip_prefix("since ").ok_or_else(unusable)?.trim();
    let hours = [("h", 1), ("d", 24), ("w", 24 * 7)];
    let found = hours.into_iter().find_map(|(unit, hours)| Some((span.strip_suffix(unit)?, hours)));
    let (number, hours) = found.ok_or_else(unusable)?;
    let number: u64 = number.trim().parse().map_err(|_| unusable())?;
    if number > 10_000 {
        return Err(unusable());
    }
    Ok(History::Since(Duration::from_secs(number * hours * 3600)))
}

fn missing(key: &str, what: &str) -> SettingsError {
    SettingsError { key: key.to_owned(), value: None, what: "it is missing".to_owned(), remedy: format!("add {what}") }
}

fn wrong(key: &str, value: &str, what: &str, remedy: &str) -> SettingsError {
    SettingsError {
        key: key.to_owned(),
        value: Some(format!("{value:?}")),
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Result<Settings, String> {
        Settings::read(json).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_written_takes_mail_by_inject_and_writes_files() {
        let settings = read(serde_json::json!({})).map_err(|_| ()).unwrap();
        assert!(settings.imap.is_none() && settings.smtp.is_none());
        assert!(settings.own.is_empty(), "without addresses no mail is told apart by whom it was addressed to");
    }

    #[test]
    fn wrong_settings_say_key_value_and_remedy() {
        let error = |json| read(json).err().unwrap();
        assert_eq!(
            error(serde_json::json!({"address": "support"})),
            "address = \"support\": this is no mail address; write name@domain"
        );
        assert_eq!(
            error(serde_json::json!({"address": "a@b.test", "journal": "sent"})),
            "journal = \"sent\": this is no mail address; write name@domain"
        );
        let imap = serde_json::json!({"host": "mail.test", "user": "u", "password_env": "GUICHET_NO_SUCH"});
        assert!(
            error(serde_json::json!({"address": "a@b.test", "imap": imap}))
                .starts_with("[source.imap] password_env = \"GUICHET_NO_SUCH\": there is no such environment variable")
        );
        assert_eq!(
            error(serde_json::json!({"adress": "a@b.test"})),
            "adress: there is no such key; did you mean \"address\"?"
        );
        let oauth = serde_json::json!({"host": "mail.test", "user": "u", "auth": "xoauth2"});
        assert_eq!(
            error(serde_json::json!({"address": "a@b.test", "imap": oauth})),
            "[source.oauth]: it is missing; add the section that says how tokens are renewed"
        );
    }

    #[test]
    fn a_number_out_of_bounds_is_refused_with_its_bounds() {
        let imap = |key: &str, value: i64| {
            let imap =
                serde_json::json!({"host": "mail.test", "user": "u", "password_env": "CARGO_PKG_NAME", key: value});
            read(serde_json::json!({"address": "a@b.test", "imap": imap})).err()
        };
        let smtp = |key: &str, value: i64| {
            read(serde_json::json!({"address": "a@b.test", "smtp": {"host": "mail.test", key: value}})).err()
        };
        let told = |error: Option<String>| error.unwrap();
        let refused = "this is out of bounds; write";
        assert_eq!(told(imap("max_mib", 0)), format!("[source.imap] max_mib = 0: {refused} 1 to 1024"));
        assert_eq!(told(imap("max_mib", 2000)), format!("[source.imap] max_mib = 2000: {refused} 1 to 1024"));
        assert_eq!(told(imap("poll_secs", 4)), format!("[source.imap] poll_secs = 4: {refused} 5 to 300"));
        assert_eq!(told(smtp("connections", 65)), format!("[source.smtp] connections = 65: {refused} 1 to 64"));
        assert_eq!(told(smtp("per_minute", -1)), format!("[source.smtp] per_minute = -1: {refused} 1 to 1000000"));
        assert!(told(smtp("port", 0)).starts_with("[source.smtp] port"));
        for (key, value) in [("max_mib", 1024), ("poll_secs", 5), ("poll_secs", 300)] {
            assert_eq!(imap(key, value), None, "{key} = {value}");
        }
        assert_eq!(smtp("connections", 64), None);
    }

    #[test]
    fn an_error_in_a_section_names_the_section() {
        let error = |json| read(json).err().unwrap();
        let smtp = |smtp| error(serde_json::json!({"address": "a@b.test", "smtp": smtp}));
        assert_eq!(
            smtp(serde_json::json!({"host": "x", "conections": 3})),
            "[source.smtp] conections: there is no such key; did you mean \"connections\"?"
        );
        assert!(smtp(serde_json::json!({})).starts_with("[source.smtp] host: it is missing; add it"));
        assert!(
            smtp(serde_json::json!({"host": "x", "port": "25"}))
                .starts_with("[source.smtp] port = \"25\": invalid type")
        );
        assert_eq!(
            smtp(serde_json::json!({"host": "x", "security": "ssl"})),
            "[source.smtp] security = \"ssl\": this value is not known; use one of: tls, starttls, plain"
        );
        let imap = serde_json::json!({"host": "x", "password_env": "CARGO_PKG_NAME"});
        assert!(
            error(serde_json::json!({"address": "a@b.test", "imap": imap}))
                .starts_with("[source.imap] user: it is missing")
        );
        let oauth = serde_json::json!({"token_url": "https://x.test", "client_id": "c", "refresh_token": "r"});
        let error = error(serde_json::json!({"oauth": oauth}));
        assert!(error.starts_with("[source.oauth] refresh_token: there is no such key"), "{error}");
    }

    /// The keys of each section, as the settings read them.
    fn keys() -> Vec<(&'static str, Vec<&'static str>)> {
        let server = settings::keys_of::<WrittenServer>();
        vec![
            ("", settings::keys_of::<Written>().to_vec()),
            ("imap", [server, settings::keys_of::<WrittenImap>()].concat()),
            ("smtp", [server, settings::keys_of::<WrittenSmtp>()].concat()),
            ("oauth", settings::keys_of::<WrittenOAuth>().to_vec()),
        ]
    }

    #[test]
    fn the_schema_has_the_keys_that_are_read_and_no_others() {
        let schema = crate::schema::schema();
        for (section, keys) in keys() {
            let place = if section.is_empty() { &schema } else { &schema["properties"][section] };
            let mut told: Vec<&str> = place["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut read = keys;
            told.sort_unstable();
            read.sort_unstable();
            assert_eq!(told, read, "[source.{section}]");
        }
        let bounds = |section: &str, key: &str| schema["properties"][section]["properties"][key]["maximum"].clone();
        assert_eq!(bounds("imap", "max_mib"), *MAX_MIB.end());
        assert_eq!(bounds("smtp", "connections"), *CONNECTIONS.end());
    }

    #[test]
    fn the_example_shows_every_key_and_no_other() {
        /// Keys that every source has, whatever its channel.
        const COMMON: [&str; 5] = ["name", "channel", "enabled", "acknowledge", "trust"];
        let mut shown: Vec<(String, Vec<String>)> = vec![(String::new(), Vec::new())];
        for line in include_str!("example.toml").lines() {
            let line = line.trim_start_matches("# ");
            if let Some(section) = line.strip_prefix("[source.").and_then(|rest| rest.split(']').next()) {
                shown.push((section.to_owned(), Vec::new()));
            } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| !key.contains(' ')) {
                shown.last_mut().unwrap().1.push(key.to_owned());
            }
        }
        for (section, keys) in keys() {
            let (_, shown) = shown.iter().find(|(name, _)| name == section).unwrap();
            for key in shown.iter().filter(|key| !COMMON.contains(&key.as_str())) {
                assert!(keys.contains(&key.as_str()), "[source.{section}] {key} is shown and not read");
            }
            for key in keys {
                let is_section = matches!(key, "imap" | "smtp" | "oauth");
                // Of the three ways to give a secret the first stands for all.
                let stem = key.trim_end_matches("_env").trim_end_matches("_credential");
                let there = shown.iter().any(|shown| shown == key || *shown == format!("{stem}_file"));
                assert!(is_section || there, "[source.{section}] {key} is read and not shown");
            }
        }
    }

    #[test]
    fn history_is_read_in_every_form_and_refused_in_others() {
        assert_eq!(history("all"), Ok(History::All));
        assert_eq!(history("none"), Ok(History::None));
        assert_eq!(history("since 7d"), Ok(History::Since(Duration::from_hours(7 * 24))));
        assert_eq!(history("since 2w"), Ok(History::Since(Duration::from_hours(14 * 24))));
        for bad in ["", "7d", "since", "since d", "since -1d", "since 99999999d", "since 7é"] {
            assert!(history(bad).is_err(), "{bad}");
        }
    }
}
