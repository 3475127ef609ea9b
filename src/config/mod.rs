//! The configuration: where it is found, how it is read, what it becomes.
//!
//! Every key is optional: without a file the built-in defaults run a desk of one. One file here a section; to add a
//! key: a field with its default and doc comment in its section, a line in `config/guichet.toml` (a test reads that
//! file), and its use in [`Config::desk_rules`] or wherever it is needed.

mod desk;
mod find;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guichet_contract::settings;
use guichet_domain::caps::Caps;
use guichet_domain::rules::{DeskRules, Subscriber};
use guichet_domain::triage::Taxonomy;
use serde::Deserialize;

pub use desk::DeskSettings;
pub use find::Place;
pub(crate) use sources::answer_by_fault;
pub use sources::{SourceSettings, TrustSetting};

use crate::texts::{Texts, TextsError};

/// A configuration that was read and checked.
#[derive(Debug)]
pub struct Config {
    /// The file it came from; `None` for the built-in defaults.
    pub file: Option<PathBuf>,
    /// The state folder.
    pub state: PathBuf,
    /// The desk.
    pub desk: DeskSettings,
    /// Limits on automatic mail.
    pub caps: Caps,
    /// The listener.
    pub http: HttpSettings,
    /// Where things are kept.
    pub storage: StorageSettings,
    /// The log.
    pub log: LogSettings,
    /// The sources, in the file's order; the built-in ones when the file names none.
    pub sources: Vec<SourceSettings>,
    taxonomy: Taxonomy,
    texts: Arc<Texts>,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Where the API, the health pages and the channels' routes are served.
    pub listen: std::net::SocketAddr,
    /// Largest request body in bytes.
    pub max_body: usize,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<crate::http::TrustedProxy>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 8425));
        Self { listen, max_body: 50 << 20, trusted_proxies: Vec::new() }
    }
}

/// `[storage]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSettings {
    /// The state folder; `--state` and `$STATE_DIRECTORY` have their say too.
    pub state: Option<PathBuf>,
    /// Days for which the raw bytes of what came in are kept; 0 keeps them for ever.
    pub raw_days: u32,
    /// Free space below which nothing is taken in, in MiB.
    pub floor_mib: u64,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self { state: None, raw_days: 365, floor_mib: 64 }
    }
}

/// `[log]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// Lines for people or for programs.
    pub format: LogFormat,
    /// What is logged, in tracing's filter syntax: `info`, `guichet=debug`.
    pub filter: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[triage]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TriageSettings {
    /// A file with categories and rules of the operator's own, instead of the built-in ones.
    taxonomy: Option<PathBuf>,
}

/// `[texts]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TextsSettings {
    /// A folder of templates that replace the built-in ones of the same name.
    folder: Option<PathBuf>,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    desk: DeskSettings,
    caps: Caps,
    http: HttpSettings,
    storage: StorageSettings,
    log: LogSettings,
    triage: TriageSettings,
    texts: TextsSettings,
    source: Vec<toml::Table>,
}

/// Why the configuration cannot be used: file, key, value, remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}; name a file that exists and that this user can read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{place}: {what}")]
    Wrong {
        /// File and line, or file and key.
        place: String,
        /// What, and what to do.
        what: String,
    },
    /// A template is wrong.
    #[error(transparent)]
    Texts(#[from] TextsError),
}

impl Config {
    /// Finds, reads and checks the configuration. Reads files; opens no network.
    pub fn load(place: &Place) -> Result<Self, ConfigError> {
        let file = place.config_file();
        let written = match &file {
            None => Written::default(),
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
                parse(file, &text)?
            }
        };
        Self::from_written(written, file, place)
    }

    fn from_written(written: Written, file: Option<PathBuf>, place: &Place) -> Result<Self, ConfigError> {
        let origin = file.as_ref().map_or_else(|| "built-in defaults".to_owned(), |file| file.display().to_string());
        let beside = |path: &Path| match file.as_ref().and_then(|file| file.parent()) {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        };
        written.desk.check(&origin)?;
        let taxonomy = taxonomy(written.triage.taxonomy.as_deref().map(beside).as_deref())?;
        let texts = Texts::load(
            written.texts.folder.as_deref().map(beside).as_deref(),
            &written.desk.name,
            written.desk.language,
            written.desk.public_url.as_deref(),
        )?;
        let sources = sources::read(&written.source, &origin)?;
        Ok(Self {
            state: place.state_folder(written.storage.state.as_deref()),
            file,
            desk: written.desk,
            caps: written.caps,
            http: written.http,
            storage: written.storage,
            log: written.log,
            sources,
            taxonomy,
            texts: Arc::new(texts),
        })
    }

    /// The desk's rules; `subscribers` are the sources that want to be told of events.
    pub fn desk_rules(&self, subscribers: Vec<Subscriber>, ours: BTreeSet<String>) -> Result<DeskRules, ConfigError> {
        Ok(DeskRules {
            prefix: self.desk.prefix.clone(),
            taxonomy: self.taxonomy.clone(),
            matrix: self.desk.matrix,
            targets: self.desk.targets,
            queue: self.desk.queue.clone(),
            calendar: self.desk.calendar(&self.origin())?,
            window_days: self.desk.reopen_window_days,
            caps: self.caps.clone(),
            public_pages: self.desk.public_url.is_some(),
            delay_notice: self.desk.delay_notice,
            blocked: self.desk.blocked.clone(),
            ours,
            subscribers,
        })
    }

    /// The notices' words.
    pub fn texts(&self) -> Arc<Texts> {
        Arc::clone(&self.texts)
    }

    /// The categories.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// Where it came from, for messages.
    pub fn origin(&self) -> String {
        self.file.as_ref().map_or_else(|| "built-in defaults".to_owned(), |file| file.display().to_string())
    }
}

fn parse(file: &Path, text: &str) -> Result<Written, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let place = line.map_or_else(|| file.display().to_string(), |line| format!("{}:{line}", file.display()));
        ConfigError::Wrong { place, what: settings::explain(error.message()).to_string() }
    })
}

fn taxonomy(file: Option<&Path>) -> Result<Taxonomy, ConfigError> {
    let Some(file) = file else { return Ok(Taxonomy::default()) };
    let text =
        std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    Taxonomy::from_toml(&text)
        .map_err(|error| ConfigError::Wrong { place: file.display().to_string(), what: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guichet.toml");
        std::fs::write(&file, text).unwrap();
        Config::load(&Place { config: Some(file), state: Some(folder.path().join("var")) })
    }

    fn error(text: &str) -> String {
        let error = load(text).unwrap_err().to_string();
        error.rsplit_once("guichet.toml").unwrap().1.to_owned()
    }

    #[test]
    fn an_empty_file_runs_a_desk() {
        let config = load("").unwrap();
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:8425");
        assert_eq!(config.sources.iter().map(|source| source.name.as_str()).next(), Some("local"));
        assert!(config.sources[0].acknowledge);
        assert_eq!(config.desk_rules(Vec::new(), BTreeSet::new()).unwrap().prefix, "GT");
    }

    #[test]
    fn the_documented_example_is_read_and_says_the_defaults() {
        let example = include_str!("../../config/guichet.toml");
        let config = load(example).unwrap();
        let defaults = load("").unwrap();
        assert_eq!(format!("{:?}", config.desk), format!("{:?}", defaults.desk));
        assert_eq!(config.caps, defaults.caps);
        assert_eq!(format!("{:?}", config.http), format!("{:?}", defaults.http));
        assert_eq!(format!("{:?}", config.storage), format!("{:?}", defaults.storage));
    }

    #[test]
    fn a_wrong_key_is_named_with_file_line_and_remedy() {
        assert_eq!(error("[desk]\nnmae = \"x\"\n"), ":2: nmae: there is no such key; did you mean \"name\"?");
        assert_eq!(error("\n\n[dsek]\n"), ":3: dsek: there is no such key; did you mean \"desk\"?");
    }

    #[test]
    fn wrong_values_say_what_is_expected() {
        let port = error("[http]\nlisten = \"localhost\"\n");
        assert!(port.starts_with(":2: ") && port.contains("socket address"), "{port}");
        let zone = error("[desk.calendar]\nzone = \"Europe/Pariss\"\n");
        assert!(zone.contains("Europe/Pariss"), "{zone}");
        let prefix = error("[desk]\nprefix = \"G T\"\n");
        assert!(prefix.contains("prefix") && prefix.contains("G T"), "{prefix}");
    }

    #[test]
    fn two_sources_of_one_name_are_refused() {
        let twice = "[[source]]\nname = \"a\"\nchannel = \"email\"\n[[source]]\nname = \"a\"\nchannel = \"email\"\n";
        assert_eq!(error(twice), ": source \"a\": two sources have this name; give each its own");
    }
}
