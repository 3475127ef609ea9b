//! Recordings on their way into their tickets. What is wanted is noted in the source's folder, so that a restart goes on with it.

use std::sync::PoisonError;
use std::time::Duration;

use guichet_contract::Port;
use guichet_domain::Moment;
use serde::{Deserialize, Serialize};

use crate::channel::Inner;
use crate::engine::{NotEntered, Standing};
use crate::event::Recording;
use crate::listen::Job;
use crate::media::NotFetched;
use crate::plan::{self, Came};
use crate::words;

/// The waits between attempts; after the last the ticket says that the recording could not be had.
const WAITS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
];

/// A recording that belongs into a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    call: String,
    recording: Recording,
    attempt: usize,
    at: Moment,
}

impl Wanted {
    fn key(&self) -> String {
        plan::recording_key(&self.recording.url)
    }

    /// What it is noted as.
    fn name(&self) -> String {
        plan::short_hash(&format!("{}/{}", self.call, self.recording.url))
    }
}

impl Inner {
    /// Notes the recordings of a call that are not in its ticket, and has them fetched.
    pub(crate) async fn want(&self, standing: &Standing, at: Moment) {
        for recording in &standing.recordings {
            let wanted = Wanted { call: standing.id.clone(), recording: recording.clone(), attempt: 0, at };
            let new = {
                let mut fetching = self.queued.fetching.lock().unwrap_or_else(PoisonError::into_inner);
                fetching.insert(wanted.name())
            };
            if new {
                self.note(&wanted).await;
                drop(self.jobs.send(Job::Fetch { wanted, after: Duration::ZERO }));
            }
        }
    }

    /// Reads what an earlier process wanted.
    pub(crate) async fn recall_wanted(&self) {
        let Ok(mut entries) = tokio::fs::read_dir(self.state.join("media")).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let Ok(bytes) = tokio::fs::read(entry.path()).await else { continue };
            let Ok(wanted) = serde_json::from_slice::<Wanted>(&bytes) else { continue };
            let new = {
                let mut fetching = self.queued.fetching.lock().unwrap_or_else(PoisonError::into_inner);
                fetching.insert(wanted.name())
            };
            if new {
                drop(self.jobs.send(Job::Fetch { wanted, after: Duration::ZERO }));
            }
        }
    }

    /// Fetches one, and enters it, or the word that it cannot be had.
    pub(crate) async fn fetch(&self, port: &Port, mut wanted: Wanted) {
        let Ok(_lane) = self.queued.lanes.acquire().await else { return };
        let fetched = match &self.fetcher {
            Some(fetcher) => fetcher.fetch(&wanted.recording.url).await,
            None => Err(NotFetched::Never("media_hosts names no host to fetch from".to_owned())),
        };
        let language = self.settings.language;
        let (text, file) = match fetched {
            Ok(file) => (words::recording(wanted.recording.duration_s, language), Some(file)),
            Err(NotFetched::Later(_)) if wanted.attempt < WAITS.len() => {
                let after = WAITS.get(wanted.attempt).copied().unwrap_or_default();
                wanted.attempt += 1;
                self.note(&wanted).await;
                drop(self.jobs.send(Job::Fetch { wanted, after }));
                return;
            }
            Err(NotFetched::Later(why) | NotFetched::Never(why)) => (words::no_recording(&why, language), None),
        };
        match self.enter_recording(port, &wanted, text, file).await {
            Ok(()) | Err(NotEntered::Refused { .. }) => self.forget(&wanted).await,
            Err(NotEntered::Later { after, .. }) => drop(self.jobs.send(Job::Fetch { wanted, after })),
        }
    }

    async fn enter_recording(
        &self,
        port: &Port,
        wanted: &Wanted,
        text: String,
        file: Option<guichet_domain::inbound::Attachment>,
    ) -> Result<(), NotEntered> {
        let Some(call) = self.engine.call(port, &wanted.call).await? else { return Ok(()) };
        let raw = serde_json::to_vec(wanted).unwrap_or_default();
        let came = Came { raw: &raw, at: port.clock.now() };
        let item = plan::recording_item(&call, &wanted.key(), text, file, self.settings.language, &came);
        port.intake.accept(vec![item], Vec::new()).await?;
        self.engine.fetched(port, &wanted.call, &wanted.key()).await
    }

    async fn note(&self, wanted: &Wanted) {
        let folder = self.state.join("media");
        let write = async {
            tokio::fs::create_dir_all(&folder).await?;
            tokio::fs::write(folder.join(wanted.name()), serde_json::to_vec(wanted)?).await
        };
        if let Err(error) = write.await {
            tracing::warn!(source = %self.source, %error, "a recording is not fetched if this process ends before it came");
        }
    }

    async fn forget(&self, wanted: &Wanted) {
        drop(tokio::fs::remove_file(self.state.join("media").join(wanted.name())).await);
        let mut fetching = self.queued.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        fetching.remove(&wanted.name());
    }
}
