//! What the operator writes about a mailbox, and what it becomes.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::{Secret, SecretKeys, SettingsError, settings};
use guichet_domain::Moment;
use serde::Deserialize;

use crate::compose::is_sendable;
use crate::credentials::Bearer;
use crate::imap::position::History;
use crate::imap::{Limits, Mailbox};
use crate::net::{Endpoint, Security};
use crate::tls;

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
    imap: Option<WrittenImap>,
    smtp: Option<WrittenSmtp>,
    oauth: Option<WrittenOAuth>,
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

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenImap {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    security: SecuritySetting,
    #[serde(default)]
    allow_plain: bool,
    user: String,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    password_credential: Option<String>,
    #[serde(default)]
    auth: AuthSetting,
    ca_file: Option<PathBuf>,
    folder: Option<String>,
    processed: Option<String>,
    failed: Option<String>,
    history: Option<String>,
    #[serde(default)]
    acknowledge_history: bool,
    max_mib: Option<u32>,
    poll_secs: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSmtp {
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
    connections: Option<usize>,
    per_minute: Option<NonZeroU32>,
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
        let imap = written.imap.map(|imap| receiving(imap, oauth.is_some())).transpose()?;
        let smtp = written.smtp.map(|smtp| sending(smtp, written.address.as_deref(), oauth.is_some())).transpose()?;
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

fn receiving(written: WrittenImap, has_oauth: bool) -> Result<Imap, SettingsError> {
    let standard = if written.security == SecuritySetting::Tls { 993 } else { 143 };
    let endpoint = endpoint(
        "imap",
        &written.host,
        written.port.unwrap_or(standard),
        written.security,
        written.allow_plain,
        written.ca_file.as_deref(),
    )?;
    let keys =
        SecretKeys { file: written.password_file, env: written.password_env, credential: written.password_credential };
    let proof = proof("imap", written.auth, &keys, has_oauth)?
        .ok_or_else(|| missing("imap.password_file", "the file that holds the password"))?;
    let mut limits = Limits::default();
    if let Some(mib) = written.max_mib {
        limits.message_max = mib.clamp(1, 1024) << 20;
    }
    if let Some(secs) = written.poll_secs {
        limits.poll = Duration::from_secs(secs.clamp(5, 300));
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
    if mailbox.processed.as_ref().or(mailbox.failed.as_ref()) == Some(&mailbox.folder) {
        return Err(wrong(
            "imap.processed",
            &mailbox.folder,
            "mail cannot be moved to where it is",
            "name another folder",
        ));
    }
    Ok(Imap { mailbox, user: written.user, proof, acknowledge_history: written.acknowledge_history })
}

fn sending(written: WrittenSmtp, address: Option<&str>, has_oauth: bool) -> Result<Smtp, SettingsError> {
    let standard = match written.security {
        SecuritySetting::Tls => 465,
        SecuritySetting::Starttls => 587,
        SecuritySetting::Plain => 25,
    };
    let endpoint = endpoint(
        "smtp",
        &written.host,
        written.port.unwrap_or(standard),
        written.security,
        written.allow_plain,
        written.ca_file.as_deref(),
    )?;
    let keys =
        SecretKeys { file: written.password_file, env: written.password_env, credential: written.password_credential };
    let proof = proof("smtp", written.auth, &keys, has_oauth)?;
    if proof.is_some() && written.user.is_none() {
        return Err(missing("smtp.user", "the account the password belongs to"));
    }
    let domain = address.and_then(|address| address.rsplit_once('@')).map_or("localhost", |(_, domain)| domain);
    Ok(Smtp {
        endpoint,
        user: written.user.filter(|_| proof.is_some()),
        proof,
        connections: written.connections.unwrap_or(4).clamp(1, 64),
        per_minute: written.per_minute,
        hello: written.hello.unwrap_or_else(|| domain.to_owned()),
    })
}

fn endpoint(
    section: &str,
    host: &str,
    port: u16,
    security: SecuritySetting,
    plain_anywhere: bool,
    ca_file: Option<&Path>,
) -> Result<Endpoint, SettingsError> {
    let security = match security {
        SecuritySetting::Tls => Security::Tls,
        SecuritySetting::Starttls => Security::StartTls,
        SecuritySetting::Plain => Security::Plain,
    };
    let tls = tls::client_config(ca_file).map_err(|error| SettingsError {
        key: format!("{section}.ca_file"),
        value: ca_file.as_ref().map(|file| format!("\"{}\"", file.display())),
        what: error.to_string(),
        remedy: "name a PEM file with the authority's certificate".to_owned(),
    })?;
    Ok(Endpoint { host: host.to_owned(), port, security, plain_anywhere, tls })
}

fn proof(section: &str, auth: AuthSetting, keys: &SecretKeys, has_oauth: bool) -> Result<Option<Proof>, SettingsError> {
    let password = keys.read(&format!("{section}.password"))?;
    let mechanism = match auth {
        AuthSetting::Password => return Ok(password.map(Proof::Password)),
        AuthSetting::Xoauth2 => Bearer::XOAuth2,
        AuthSetting::Oauthbearer => Bearer::OAuthBearer,
    };
    if !has_oauth {
        return Err(missing("oauth", "the section that says how tokens are renewed"));
    }
    Ok(Some(Proof::Token(mechanism)))
}

fn oauth(written: WrittenOAuth) -> Result<OAuth, SettingsError> {
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
    let tls = tls::client_config(written.ca_file.as_deref()).map_err(|error| SettingsError {
        key: "oauth.ca_file".to_owned(),
        value: written.ca_file.as_ref().map(|file| format!("\"{}\"", file.display())),
        what: error.to_string(),
        remedy: "name a PEM file with the authority's certificate".to_owned(),
    })?;
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
                .starts_with("imap.password_env = \"GUICHET_NO_SUCH\": there is no such environment variable")
        );
        assert_eq!(
            error(serde_json::json!({"adress": "a@b.test"})),
            "adress: there is no such key; did you mean \"address\"?"
        );
        let oauth = serde_json::json!({"host": "mail.test", "user": "u", "auth": "xoauth2"});
        assert_eq!(
            error(serde_json::json!({"address": "a@b.test", "imap": oauth})),
            "oauth: it is missing; add the section that says how tokens are renewed"
        );
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
