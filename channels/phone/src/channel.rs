//! One source.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use guichet_contract::{Abilities, Channel, Delivery, Fault, Outgoing, Port, Stop};
use guichet_domain::ids::SourceName;
use tokio::sync::{OnceCell, mpsc};

use crate::deliver::deliver;
use crate::engine::Engine;
use crate::kinds::{System, system};
use crate::listen::{Job, Jobs, listen};
use crate::media::Fetcher;
use crate::request::Secrets;
use crate::routes::routes;
use crate::settings::Settings;
use crate::spool::Spool;

/// A source of calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PhoneSource(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) source: SourceName,
    pub(crate) settings: Arc<Settings>,
    pub(crate) engine: Engine,
    /// What must be done again or later, for whoever listens.
    pub(crate) jobs: mpsc::UnboundedSender<Job>,
    pub(crate) queued: Jobs,
    pub(crate) state: PathBuf,
    /// Fetches recordings; `None` where none may be fetched.
    pub(crate) fetcher: Option<Fetcher>,
    spool: OnceCell<Spool>,
    secrets: OnceCell<Secrets>,
}

impl PhoneSource {
    pub(crate) fn new(source: SourceName, settings: Settings, state: PathBuf) -> Self {
        let settings = Arc::new(settings);
        let engine = Engine::new(Arc::clone(&settings), state.join("notice"));
        let (jobs, queued) = mpsc::unbounded_channel();
        let queued = Jobs::new(queued);
        let (spool, secrets) = (OnceCell::new(), OnceCell::new());
        let fetches = !settings.media.hosts.is_empty();
        let fetcher = fetches.then(|| Fetcher::new(&settings.media, guichet_contract::reach::system()).ok()).flatten();
        Self(Arc::new(Inner { source, settings, engine, jobs, queued, state, fetcher, spool, secrets }))
    }
}

impl std::ops::Deref for PhoneSource {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    pub(crate) fn system(&self) -> &'static dyn System {
        system(self.settings.kind)
    }

    /// The spool in the source's folder, opened when it is first used.
    pub(crate) async fn spool(&self) -> Result<&Spool, Fault> {
        let folder = self.state.join("events");
        let open = || async move {
            let opening = tokio::task::spawn_blocking(move || Spool::open(&folder)).await;
            opening
                .map_err(|error| error.to_string())
                .and_then(|opened| opened.map_err(|error| error.to_string()))
                .map_err(|error| Fault::passing(format!("events cannot be kept in the state folder: {error}")))
        };
        self.spool.get_or_try_init(open).await
    }

    /// The spool, where it is open already.
    pub(crate) fn opened_spool(&self) -> Option<&Spool> {
        self.spool.get()
    }

    /// What requests prove themselves by: what the settings say, else a token of the source's own, made when it is first used.
    pub(crate) async fn secrets(&self, port: &Port) -> Result<&Secrets, Fault> {
        let get = || async {
            if !self.settings.secrets.is_empty() {
                return Ok(self.settings.secrets.clone());
            }
            let token = self.own_token(port).await?;
            Ok(self.settings.secrets.clone().with_token(&token))
        };
        self.secrets.get_or_try_init(get).await
    }

    async fn own_token(&self, port: &Port) -> Result<String, Fault> {
        let path = self.token_path();
        let fault = |error: std::io::Error| Fault::passing(format!("{}: {error}", path.display()));
        match tokio::fs::read_to_string(&path).await {
            Ok(token) if token.trim().len() >= 32 => return Ok(token.trim().to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(fault(error)),
        }
        let mut bytes = [0; 16];
        port.ids.random(&mut bytes);
        let token = data_encoding::HEXLOWER.encode(&bytes);
        tokio::fs::create_dir_all(&self.state).await.map_err(fault)?;
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&path).await.map_err(fault)?;
        let write = async {
            tokio::io::AsyncWriteExt::write_all(&mut file, format!("{token}\n").as_bytes()).await?;
            file.sync_all().await
        };
        write.await.map_err(fault)?;
        Ok(token)
    }

    /// Where sounds are that callers are played.
    pub(crate) fn sounds(&self) -> PathBuf {
        self.state.join("notice")
    }

    /// Where the source's own token is kept.
    pub(crate) fn token_path(&self) -> PathBuf {
        self.state.join("token")
    }
}

#[async_trait]
impl Channel for PhoneSource {
    fn abilities(&self) -> Abilities {
        Abilities {
            sends: true,
            concurrency: 4,
            // Three ways, one after the other.
            deadline_secs: 55,
            max_chars: Some(crate::ways::LONGEST),
            ..Abilities::default()
        }
    }

    async fn welcome(&self, port: &Port) -> Option<String> {
        if !self.settings.secrets.is_empty() || self.token_path().exists() {
            return None;
        }
        let token = self.own_token(port).await.ok()?;
        let base = &self.settings.base;
        Some(format!(
            "Phone systems post events of calls to {base}/events/{token}\n  (docs/PHONE.md; the token stays in {})",
            self.token_path().display()
        ))
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        listen(self, &port, &stop).await
    }

    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery {
        deliver(self, port, notice).await
    }

    async fn check(&self, port: &Port) -> Result<Vec<String>, Fault> {
        self.secrets(port).await?;
        let mut found = vec![format!("events are taken at {}/events", self.settings.base)];
        if self.settings.secrets.is_empty() {
            found.push(format!("their token is in {}", self.token_path().display()));
        }
        found.extend(self.settings.ways.check().await?);
        Ok(found)
    }

    fn routes(&self, port: Port) -> Option<Router> {
        Some(routes(self.clone(), port))
    }
}
