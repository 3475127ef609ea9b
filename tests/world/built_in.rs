//! The desk nobody configured: built-in defaults, the real clock, and the mailbox that needs no server.

use std::path::Path;
use std::sync::Arc;

use guichet::ambient::{SystemClock, SystemIds};
use guichet::config::{Config, Place};
use guichet::intake::Reception;
use guichet::kernel::Kernel;
use guichet::state::StateFolder;
use guichet_contract::{Accepted, Verdict};
use guichet_domain::ids::SourceName;
use guichet_domain::inbound::Inbound;

/// A desk on built-in defaults.
struct Desk {
    kernel: Arc<Kernel>,
    reception: Reception,
}

impl Desk {
    async fn open(state: &Path) -> Self {
        let place = Place { config: None, state: Some(state.to_owned()) };
        let config = Config::load(&place).unwrap();
        let state = StateFolder::open(state).unwrap();
        let kernel = Kernel::open(&config, state, Arc::new(SystemClock), Arc::new(SystemIds::default())).await.unwrap();
        let reception = Reception::start(Arc::clone(&kernel));
        Self { kernel, reception }
    }

    fn mail(&self, raw: &str) -> Inbound {
        let source = &self.kernel.sources[&SourceName::from("local")];
        let raw = raw.replace('\n', "\r\n");
        source.channel.read(raw.as_bytes(), &format!("test/{}", raw.len()), self.kernel.clock.now()).unwrap()
    }

    async fn accept(&self, batch: Vec<Inbound>) -> Accepted {
        let name = SourceName::from("local");
        self.reception.accept(&name, &self.kernel.sources[&name], batch, Vec::new()).await.unwrap()
    }

    /// Sends everything that is due.
    async fn send(&self) -> usize {
        guichet::sender::drain(&self.kernel, &self.reception).await.unwrap()
    }

    fn outgoing(&self) -> std::path::PathBuf {
        self.kernel.state.source("local").join("outgoing")
    }

    fn sent(&self) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(self.outgoing()) else { return Vec::new() };
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

const JEAN: &str = "From: Jean <jean@client.test>\nTo: support@desk.test\nSubject: Imprimante en panne\nMessage-ID: \
    <a@client.test>\n\nBonjour, l'imprimante du troisième étage ne marche plus.\n";

#[tokio::test]
async fn a_mail_becomes_a_ticket_and_its_acknowledgement_a_file() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let accepted = desk.accept(vec![desk.mail(JEAN)]).await;
    assert_eq!(accepted.receipts[0].verdict, Verdict::Opened);
    let reference = accepted.receipts[0].reference.clone().unwrap();
    assert_eq!(desk.send().await, 1);
    let sent = desk.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains(&reference), "{}", sent[0]);
    assert!(sent[0].contains("Auto-Submitted: auto-replied"), "{}", sent[0]);
    assert!(sent[0].contains("In-Reply-To: <a@client.test>"), "{}", sent[0]);
}

#[tokio::test]
async fn the_same_mail_twice_in_one_batch_and_once_later_is_one_ticket() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let first = desk.accept(vec![desk.mail(JEAN), desk.mail(JEAN)]).await;
    let later = desk.accept(vec![desk.mail(JEAN)]).await;
    let verdicts: Vec<_> = first.receipts.iter().chain(&later.receipts).map(|receipt| receipt.verdict).collect();
    assert_eq!(verdicts, [Verdict::Opened, Verdict::Duplicate, Verdict::Duplicate]);
    assert_eq!(first.receipts[0].reference, later.receipts[0].reference);
    assert_eq!(desk.send().await, 1);
    assert_eq!(desk.sent().len(), 1);
}
