//! What every part of the daemon shares: the database, the clock, the keys, the sources with their rules.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use guichet_channels::kinds;
use guichet_contract::{Channel, SettingsError, Updates};
use guichet_domain::ids::{ConversationKey, SourceName};
use guichet_domain::rules::{DeskRules, Rules, SourceRules, Subscriber};
use guichet_domain::token::{Key, Keyring, KeyringError};
use guichet_domain::{Clock, Ids};
use guichet_store::{Db, Options, StoreError, Target, desktop, keep};
use tokio::sync::{Notify, RwLock, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::{Config, ConfigError, SourceSettings, answer_by_fault};
use crate::desk::blocks::Blocklist;
use crate::signals::Signals;
use crate::state::StateFolder;
use crate::supervisor::HealthBoard;
use crate::texts::Texts;

/// Where the signing keys are kept in the database.
const KEYS: &str = "signing_keys";

/// The shared heart. One a process; everything else holds it by `Arc`.
pub struct Kernel {
    /// The database.
    pub db: Db,
    /// The state folder.
    pub state: StateFolder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and randomness.
    pub ids: Arc<dyn Ids>,
    /// The keys our tokens are signed with.
    pub keyring: Keyring,
    /// The words of notices.
    pub texts: Arc<Texts>,
    /// The desk's rules.
    pub desk: Arc<DeskRules>,
    /// The sources by name.
    pub sources: BTreeMap<SourceName, Source>,
    /// Wakes the sender: something may be due.
    pub outbox: Notify,
    /// Wakes whoever reads conversations.
    pub watchers: Watchers,
    /// Held for reading from the moment a file of large bytes is found or written to the commit that names it; held for
    /// writing while files nothing names are removed.
    pub blob_files: RwLock<()>,
    /// Whom agents block, beside what the configuration blocks.
    pub blocklist: Blocklist,
    /// Cancelled at the soft stop: whoever holds a connection open for events ends it.
    pub stopping: CancellationToken,
    /// Passing signs between requesters and agents.
    pub signals: Signals,
    /// How the sources do.
    pub board: HealthBoard,
    /// This life of the process: leases of another are over.
    pub incarnation: Uuid,
    /// Free bytes below which nothing is taken in.
    pub floor_bytes: u64,
    /// Days for which raw bytes are kept; 0 for ever.
    pub raw_days: u32,
}

/// One source, ready to run.
#[derive(Clone)]
pub struct Source {
    /// The kind of channel.
    pub kind: String,
    /// Whether it listens and sends.
    pub enabled: bool,
    /// Its channel.
    pub channel: Arc<dyn Channel>,
    /// Its rules.
    pub rules: Rules,
}

/// What a kernel is put together from.
pub struct Parts {
    /// Where the database is.
    pub target: Target,
    /// The state folder.
    pub state: StateFolder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and randomness.
    pub ids: Arc<dyn Ids>,
    /// The sources with their channels.
    pub sources: Vec<(SourceSettings, Arc<dyn Channel>)>,
}

/// Why the kernel cannot start.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A source's settings are wrong.
    #[error(transparent)]
    Source(#[from] Box<SourceFault>),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored keys cannot be used.
    #[error("the signing keys in the database cannot be read: {0}; restore them from a backup")]
    Keys(String),
}

/// What is wrong with a source's settings, and where.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: source \"{source_name}\": {error}")]
pub struct SourceFault {
    /// The file.
    pub origin: String,
    /// The source.
    pub source_name: SourceName,
    /// What is wrong.
    pub error: SettingsError,
}

impl From<KeyringError> for KernelError {
    fn from(error: KeyringError) -> Self {
        Self::Keys(error.to_string())
    }
}

/// A source's settings and the channel made of them.
pub type Built = (SourceSettings, Arc<dyn Channel>);

/// Builds every source's channel, checking its settings; opens neither network nor database.
pub fn build_channels(config: &Config, state: &StateFolder) -> Result<Vec<Built>, KernelError> {
    let kinds = kinds();
    let failed = |settings: &SourceSettings, error| {
        KernelError::from(Box::new(SourceFault { origin: config.origin(), source_name: settings.name.clone(), error }))
    };
    let mut built = Vec::new();
    for settings in &config.sources {
        let Some(kind) = kinds.iter().find(|kind| kind.name() == settings.channel) else {
            let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(failed(
                settings,
                SettingsError {
                    key: "channel".into(),
                    value: Some(format!("\"{}\"", settings.channel)),
                    what: "this build has no such channel".into(),
                    remedy: format!("use one of: {}", names.join(", ")),
                },
            ));
        };
        let folder = state.source(settings.name.as_str());
        let channel =
            kind.build(&settings.name, settings.rest.clone(), &folder).map_err(|error| failed(settings, error))?;
        built.push((settings.clone(), channel));
    }
    check_answers(config, &built)?;
    Ok(built)
}

/// Refuses a source whose answers nothing could carry.
fn check_answers(config: &Config, built: &[Built]) -> Result<(), KernelError> {
    let sends: Vec<_> = built.iter().map(|(settings, channel)| (settings, channel.abilities().sends)).collect();
    for (settings, _) in built {
        if let Some(error) = answer_by_fault(settings, &sends) {
            let source_name = settings.name.clone();
            return Err(Box::new(SourceFault { origin: config.origin(), source_name, error }).into());
        }
    }
    Ok(())
}

impl Kernel {
    /// Opens the database (migrating it), reads or makes the signing keys, and plugs the configured sources together.
    pub async fn open(
        config: &Config,
        state: StateFolder,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Arc<Self>, KernelError> {
        let sources = build_channels(config, &state)?;
        let parts = Parts { target: target(config, &state), state, clock, ids, sources };
        Self::assemble(config, parts).await
    }

    /// The same from parts made by the caller: of `config` only what concerns the whole desk is used.
    pub async fn assemble(config: &Config, parts: Parts) -> Result<Arc<Self>, KernelError> {
        let Parts { target, state, clock, ids, sources } = parts;
        let db = Db::open(&target, &Options::default()).await?;
        let blocklist = Blocklist::default();
        let blocked = desktop::blocked(&mut db.read().await?).await?;
        blocklist.replace(blocked.into_iter().map(|blocked| blocked.address));
        let keyring = keyring(&db, ids.as_ref(), clock.as_ref()).await?;
        let subscribers = sources
            .iter()
            .filter(|(settings, _)| settings.enabled)
            .filter_map(|(settings, channel)| {
                Some(Subscriber { source: settings.name.clone(), events: channel.events()? })
            })
            .collect();
        // Those of a source that is switched off are no less ours.
        let ours = sources.iter().flat_map(|(_, channel)| channel.addresses()).collect();
        let desk = Arc::new(config.desk_rules(subscribers, ours)?);
        let sources = sources
            .into_iter()
            .map(|(settings, channel)| {
                let source: Arc<SourceRules> = Arc::new(settings.rules(channel.addresses(), channel.abilities()));
                let rules = Rules { desk: Arc::clone(&desk), source };
                (settings.name, Source { kind: settings.channel, enabled: settings.enabled, channel, rules })
            })
            .collect();
        Ok(Arc::new(Self {
            db,
            state,
            board: HealthBoard::new(Arc::clone(&clock)),
            incarnation: ids.uuid(),
            clock,
            ids,
            keyring,
            texts: config.texts(),
            desk,
            sources,
            outbox: Notify::new(),
            watchers: Watchers::default(),
            signals: Signals::default(),
            blob_files: RwLock::new(()),
            blocklist,
            stopping: CancellationToken::new(),
            floor_bytes: config.storage.floor_mib << 20,
            raw_days: config.storage.raw_days,
        }))
    }

    /// The rules for a source; those of a source that is no longer configured are the desk's with nothing of its own.
    pub fn rules(&self, source: &SourceName) -> Rules {
        if let Some(source) = self.sources.get(source) {
            return source.rules.clone();
        }
        // What still must leave waits for the source to come back.
        let source = SourceRules {
            name: source.clone(),
            acknowledge: false,
            trust_all: false,
            addresses: Vec::new(),
            sends: true,
            in_place: false,
            answer_by: None,
            unread_minutes: 0,
        };
        Rules { desk: Arc::clone(&self.desk), source: Arc::new(source) }
    }
}

/// The database to open.
pub fn target(_config: &Config, state: &StateFolder) -> Target {
    Target::Sqlite(state.database())
}

/// The current key and the older ones, as `id:hex` lines; made when there are none.
async fn keyring(db: &Db, ids: &dyn Ids, clock: &dyn Clock) -> Result<Keyring, KernelError> {
    let mut secret = [0; 32];
    ids.random(&mut secret);
    let mut tx = db.write().await?;
    let lines = keep::first_setting(&mut tx, KEYS, &format!("0:{}", hex(&secret)), clock.now()).await?;
    tx.commit().await?;
    let mut keys = lines.lines().map(key).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(KernelError::Keys("there are none".into()));
    }
    let current = keys.remove(0);
    Ok(Keyring::new(current, keys)?)
}

fn key(line: &str) -> Result<Key, KernelError> {
    let broken = || KernelError::Keys("a line is not id:hex".into());
    let (id, secret) = line.split_once(':').ok_or_else(broken)?;
    let id: u8 = id.parse().map_err(|_| broken())?;
    let mut bytes = [0; 32];
    if secret.len() != 64 || !secret.is_ascii() {
        return Err(broken());
    }
    for (byte, pair) in bytes.iter_mut().zip(secret.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| broken())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| broken())?;
    }
    Ok(Key::new(id, &bytes)?)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// A conversation of a source.
type Place = (SourceName, ConversationKey);

/// Whoever waits for a conversation to grow. Nothing is kept for conversations nobody waits for.
#[derive(Debug, Default)]
pub struct Watchers {
    inner: Mutex<Watched>,
    any: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Watched {
    channels: HashMap<Place, watch::Sender<u64>>,
    /// Conversations that show what grows elsewhere, because they became part of it, by where that is.
    led: HashMap<Place, Vec<Place>>,
    /// How many channels there were after those nobody waits for were last dropped.
    kept: usize,
}

impl Watchers {
    /// Waits for one conversation.
    pub fn subscribe(&self, source: &SourceName, conversation: &ConversationKey) -> Updates {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // Only when there are twice as many as the last time: ten thousand waiters are not looked through for each new one.
        if inner.channels.len() >= (inner.kept * 2).max(64) {
            let Watched { channels, led, kept } = &mut *inner;
            channels.retain(|_, sender| sender.receiver_count() > 0);
            led.retain(|_, places| {
                places.retain(|place| channels.contains_key(place));
                !places.is_empty()
            });
            *kept = channels.len();
        }
        let channel = inner.channels.entry((source.clone(), conversation.clone()));
        channel.or_insert_with(|| watch::channel(0).0).subscribe()
    }

    /// Waits for any conversation to grow.
    pub fn any(&self) -> watch::Receiver<u64> {
        self.any.subscribe()
    }

    /// Wakes whoever waits for it, and for what became part of it.
    pub fn wake(&self, source: &SourceName, conversation: &ConversationKey) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (source.clone(), conversation.clone());
        let led = inner.led.get(&place).into_iter().flatten();
        for sender in std::iter::once(&place).chain(led).filter_map(|place| inner.channels.get(place)) {
            sender.send_modify(|count| *count += 1);
        }
        self.any.send_modify(|count| *count += 1);
    }

    /// From now on whoever waits for `from` is woken when `to` grows: it became part of it. Twice does no harm.
    pub fn lead(&self, from: (&SourceName, &ConversationKey), to: (&SourceName, &ConversationKey)) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, to) = ((from.0.clone(), from.1.clone()), (to.0.clone(), to.1.clone()));
        if from == to || !inner.channels.contains_key(&from) {
            return;
        }
        let places = inner.led.entry(to).or_default();
        if !places.contains(&from) {
            places.push(from);
        }
    }
}

/// A path of the machine as people write it.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
