//! Simulating keeps nobody waiting: the database has one writer.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use guichet::config::{Config, Place, SourceSettings};
use guichet::desk::Desk;
use guichet::intake::Reception;
use guichet::kernel::{Kernel, Parts};
use guichet::state::StateFolder;
use guichet_contract::{Abilities, Channel, Delivery, Fault, Outgoing, Port, Stop, Verdict};
use guichet_domain::ids::ExternalId;
use guichet_domain::inbound::{Content, Inbound, Item, Party};
use guichet_domain::{Ids as _, Moment};
use guichet_store::Target;
use guichet_testkit::{TestClock, TestIds};

/// A channel that takes its time over a message: until it is told to go on.
struct Slow {
    begun: mpsc::Sender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

#[async_trait]
impl Channel for Slow {
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    async fn listen(&self, _: Port, stop: Stop) -> Result<(), Fault> {
        stop.cancelled().await;
        Ok(())
    }

    async fn deliver(&self, _: &Port, _: &Outgoing) -> Delivery {
        Delivery::Refused { detail: "it sends nothing".into(), hard: false }
    }

    async fn check(&self, _: &Port) -> Result<Vec<String>, Fault> {
        Ok(Vec::new())
    }

    fn read(&self, bytes: &[u8], position: &str, now: Moment) -> Option<Inbound> {
        self.begun.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        let item = Item { from: Some(Party::new("jean@client.test")), text: "Help".into(), ..Item::default() };
        Some(Inbound {
            external_id: ExternalId::new(position),
            same_as: Vec::new(),
            content: Content::Read(Box::new(item)),
            received_at: now,
            raw: bytes.to_vec(),
            quiet: None,
        })
    }
}

struct Room {
    folder: tempfile::TempDir,
    desk: Desk,
    begun: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

async fn room() -> Room {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("guichet.toml");
    std::fs::write(&file, "[storage]\nfloor_mib = 0\n").unwrap();
    let var = folder.path().join("var");
    let config = Config::load(&Place { config: Some(file), state: Some(var.clone()) }).unwrap();
    let state = StateFolder::open(&var).unwrap();
    let (begun_by, begun) = mpsc::channel();
    let (go_on, told) = mpsc::channel();
    let settings = SourceSettings { ..SourceSettings::new("slow", "slow") };
    let parts = Parts {
        target: Target::Sqlite(state.database()),
        state,
        clock: Arc::new(TestClock::default()),
        ids: Arc::new(TestIds::seeded(3)),
        sources: vec![(settings, Arc::new(Slow { begun: begun_by, go_on: Mutex::new(told) }))],
    };
    let kernel = Kernel::assemble(&config, parts).await.unwrap();
    let reception = Reception::start(Arc::clone(&kernel));
    Room { folder, desk: Desk::new(kernel, reception), begun, go_on }
}

#[tokio::test]
async fn others_write_while_a_simulated_message_is_being_understood() {
    let place = room().await;
    let kernel = Arc::clone(place.desk.kernel());
    let simulated = tokio::spawn(async move { (place.desk.simulate("slow", b"x".to_vec()).await, place.folder) });
    let begun = place.begun;
    tokio::task::spawn_blocking(move || begun.recv()).await.unwrap().unwrap();
    let writing = tokio::time::timeout(Duration::from_secs(5), kernel.db.write()).await;
    writing.expect("nobody holds the writer").unwrap().rollback().await.unwrap();
    place.go_on.send(()).unwrap();
    let (simulation, _folder) = simulated.await.unwrap();
    assert_eq!(simulation.unwrap().verdict, Verdict::Opened);
}

#[tokio::test]
async fn the_bytes_of_a_simulated_message_are_not_written_even_to_be_taken_back() {
    let place = room().await;
    let mut bytes = vec![0; 24 << 20];
    TestIds::seeded(4).random(&mut bytes);
    place.go_on.send(()).unwrap();
    assert_eq!(place.desk.simulate("slow", bytes).await.unwrap().verdict, Verdict::Opened);
    let written: u64 = std::fs::read_dir(place.folder.path().join("var"))
        .unwrap()
        .flatten()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert!(written < 8 << 20, "{written} bytes were written");
}
