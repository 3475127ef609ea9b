//! A desk for the tests inside this crate: one source whose network answers as the test says.

use std::sync::Arc;

use async_trait::async_trait;
use guichet_contract::{Abilities, Channel, Delivery, Fault, Outgoing, Port, Receipt, Stop};
use guichet_domain::Ids;
use guichet_domain::ids::{ExternalId, SourceName};
use guichet_domain::inbound::{Content, Inbound, Item, Party};
use guichet_store::Target;
use guichet_testkit::TestClock;

use crate::config::{Config, Place, SourceSettings, TrustSetting};
use crate::intake::Reception;
use crate::kernel::{Kernel, Parts};
use crate::state::StateFolder;

/// What the network answers to a message.
type Answer = Box<dyn Fn(&Outgoing) -> Delivery + Send + Sync>;

struct Scripted(Answer);

#[async_trait]
impl Channel for Scripted {
    fn abilities(&self) -> Abilities {
        Abilities { sends: true, concurrency: 2, deadline_secs: 30, ..Abilities::default() }
    }

    async fn listen(&self, _: Port, stop: Stop) -> Result<(), Fault> {
        stop.cancelled().await;
        Ok(())
    }

    async fn deliver(&self, _: &Port, notice: &Outgoing) -> Delivery {
        (self.0)(notice)
    }

    async fn check(&self, _: &Port) -> Result<Vec<String>, Fault> {
        Ok(Vec::new())
    }
}

/// A running desk on a state folder of its own.
pub(crate) struct Trial {
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) reception: Reception,
    pub(crate) clock: TestClock,
    _folder: tempfile::TempDir,
}

/// What was sent, under a name of its own.
pub(crate) fn taken(notice: &Outgoing) -> Delivery {
    Delivery::Delivered { external_id: Some(ExternalId::new(notice.id.to_string())), detail: "taken".into() }
}

impl Trial {
    /// A desk whose network answers so, with these ids.
    pub(crate) async fn open(
        ids: Arc<dyn Ids>,
        answer: impl Fn(&Outgoing) -> Delivery + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guichet.toml");
        std::fs::write(&file, "[storage]\nfloor_mib = 0\n").unwrap();
        let var = folder.path().join("var");
        let config = Config::load(&Place { config: Some(file), state: Some(var.clone()) }).unwrap();
        let state = StateFolder::open(&var).unwrap();
        let clock = TestClock::default();
        let settings = SourceSettings { trust: TrustSetting::All, ..SourceSettings::new("desk", "scripted") };
        let parts = Parts {
            target: Target::Sqlite(state.database()),
            state,
            clock: Arc::new(clock.clone()),
            ids,
            sources: vec![(settings, Arc::new(Scripted(Box::new(answer))))],
        };
        let kernel = Kernel::assemble(&config, parts).await.unwrap();
        let reception = Reception::start(Arc::clone(&kernel));
        Self { kernel, reception, clock, _folder: folder }
    }

    /// These people ask for something, each in a message of their own; what the source was told.
    pub(crate) async fn asked_by(&self, names: impl IntoIterator<Item = String>) -> Vec<Receipt> {
        let batch = names.into_iter().map(|name| self.request(&name)).collect();
        let source = SourceName::from("desk");
        let accepted = self.reception.accept(&source, &self.kernel.sources[&source], batch, Vec::new()).await;
        accepted.unwrap().receipts
    }

    fn request(&self, name: &str) -> Inbound {
        let words = format!("Hello, this is {name}: my screen stays black.");
        let item = Item {
            from: Some(Party::new(format!("{name}@{name}.test"))),
            subject: Some("Screen".into()),
            reply_text: words.clone(),
            text: words.clone(),
            ..Item::default()
        };
        Inbound {
            external_id: ExternalId::new(name),
            same_as: Vec::new(),
            content: Content::Read(Box::new(item)),
            received_at: self.kernel.clock.now(),
            raw: words.into_bytes(),
            quiet: None,
        }
    }
}
