//! The contract's suite on a whole mailbox: mail in by IMAP, mail out by SMTP, both servers in memory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use data_encoding::BASE64;
use guichet_contract::conformance::{self, Behaviour, Bench, Inward, Network, Shown};
use guichet_contract::{Channel, Kind as _, Port};
use guichet_testkit::{Chaos, ChaosProxy};
use serde_json::{Value, json};

use super::relay::{Manner, Relay};
use super::world::World;
use crate::Email;
use crate::understand::{Limits, understand};

const PASSWORD: &str = "canary-of-the-desk";

struct MailBench {
    folder: tempfile::TempDir,
    /// Whether outgoing mail is written to files instead.
    files: bool,
    /// On a paused clock only what leaves is tried: the receiving side waits for other threads, and time would run away.
    paused: bool,
    networks: usize,
}

struct MailNetwork {
    world: World,
    relay: Relay,
    imap: ChaosProxy,
    smtp: ChaosProxy,
    settings: Value,
    state: PathBuf,
    files: bool,
    written: Mutex<Vec<String>>,
}

impl MailBench {
    fn new(files: bool, paused: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        Self { folder, files, paused, networks: 0 }
    }
}

#[async_trait]
impl Bench for MailBench {
    async fn network(&mut self) -> Arc<dyn Network> {
        self.networks += 1;
        let world = World::start().await;
        let relay = Relay::start(&world).await;
        let imap = ChaosProxy::before(([127, 0, 0, 1], world.port).into()).await.unwrap();
        let smtp = ChaosProxy::before(relay.address).await.unwrap();
        let server = |proxy: &ChaosProxy| {
            json!({
                "host": "127.0.0.1",
                "port": proxy.address().port(),
                "security": "plain",
                "user": "desk",
                "password_file": self.folder.path().join("password"),
            })
        };
        let mut settings = json!({
            "address": "desk@helpdesk.test",
            "check_dkim": false,
            "imap": server(&imap),
        });
        for (key, value) in [("processed", "Processed"), ("failed", "Failed"), ("history", "all")] {
            settings["imap"][key] = value.into();
        }
        if !self.files {
            settings["smtp"] = server(&smtp);
            settings["journal"] = "desk+sent@helpdesk.test".into();
        }
        let state = self.folder.path().join(format!("state-{}", self.networks));
        let written = Mutex::default();
        Arc::new(MailNetwork { world, relay, imap, smtp, settings, state, files: self.files, written })
    }

    fn inward(&self) -> Inward {
        if self.paused { Inward::Nothing } else { Inward::Fetches }
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned(), BASE64.encode(format!("\0desk\0{PASSWORD}").as_bytes())]
    }

    fn clock_is_paused(&self) -> bool {
        self.paused
    }
}

impl MailNetwork {
    /// Every mail in the folder of files, oldest first.
    fn written_files(&self) -> Vec<Vec<u8>> {
        let Ok(entries) = std::fs::read_dir(self.state.join("outgoing")) else { return Vec::new() };
        let mut paths: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_mail(path)).collect();
        paths.sort();
        paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
    }
}

fn is_mail(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "eml")
}

fn lies_in_the_inbox(inbox: Option<&super::world::Folder>, mark: &str) -> bool {
    let line = format!("X-Mark: {mark}\r\n");
    inbox.is_some_and(|inbox| inbox.mails.values().any(|mail| String::from_utf8_lossy(&mail.text).contains(&line)))
}

#[async_trait]
impl Network for MailNetwork {
    async fn plug(&self, port: &Port) -> Arc<dyn Channel> {
        Email.build(&port.source, self.settings.clone(), &self.state).unwrap()
    }

    async fn write(&self, mark: &str, text: &str) -> bool {
        // One in two has no id of its own, as mail of some programs has not.
        let has_id = mark.trim_end_matches('x').ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e']);
        let id = if has_id { format!("Message-ID: <{mark}@client.test>\r\n") } else { String::new() };
        let body: Vec<u8> = BASE64.encode(text.as_bytes()).into_bytes();
        let body: Vec<String> = body.chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let mail = format!(
            "From: Jean <jean@client.test>\r\nTo: desk@helpdesk.test\r\nSubject: A request\r\n{id}X-Mark: {mark}\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            body.join("\r\n")
        );
        self.written.lock().unwrap().push(mark.to_owned());
        self.world.mail_comes(&mail);
        true
    }

    async fn acknowledged(&self, mark: &str) -> bool {
        let known = self.written.lock().unwrap().iter().any(|written| written == mark);
        known && self.world.quietly(|state| !lies_in_the_inbox(state.folders.get("INBOX"), mark))
    }

    async fn until_acknowledged(&self, mark: &str) {
        self.world.until(|state| !lies_in_the_inbox(state.folders.get("INBOX"), mark)).await;
    }

    async fn behave(&self, behaviour: Behaviour) -> bool {
        let (chaos, manner) = match behaviour {
            Behaviour::Works => (Chaos::Pass, Manner::Takes),
            Behaviour::Down => (Chaos::Refuse, Manner::Takes),
            Behaviour::Silent => (Chaos::BlackHole, Manner::Takes),
            Behaviour::Refuses => (Chaos::Pass, Manner::Refuses),
            Behaviour::DiesBefore => (Chaos::Pass, Manner::DiesBefore),
            Behaviour::DiesAfter => (Chaos::Pass, Manner::DiesAfter),
            // SMTP knows no word for how long.
            Behaviour::AsksToWait(_) => return false,
        };
        // A disk neither refuses nor falls silent.
        if self.files && behaviour != Behaviour::Works {
            return false;
        }
        self.relay.behaves(manner);
        self.imap.set(chaos).await;
        self.smtp.set(chaos).await;
        true
    }

    async fn shown(&self) -> Vec<Shown> {
        let mails = if self.files { self.written_files() } else { self.relay.taken() };
        let text = |raw: Vec<u8>| understand(&raw, &Limits::default()).unwrap().text;
        mails.into_iter().map(|raw| Shown { text: text(raw) }).collect()
    }
}

async fn untried(bench: MailBench) -> Vec<&'static str> {
    let mut bench = bench;
    let report = conformance::run(&mut bench).await;
    report.assert_kept();
    let mut untried: Vec<&str> = report.untried.iter().map(|(number, _)| *number).collect();
    untried.dedup();
    untried
}

#[tokio::test]
async fn a_mailbox_keeps_the_contract() {
    // A repeated mail shows twice, nobody says how long to wait, a text may be as long as it likes; the deadline is below.
    assert_eq!(untried(MailBench::new(false, false)).await, ["C13", "C16", "C18", "C20"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_before_its_deadline_on_a_network_that_never_answers() {
    assert_eq!(untried(MailBench::new(false, true)).await, ["C13", "C16", "C20"]);
}

#[tokio::test]
async fn a_mailbox_that_writes_files_keeps_it_too() {
    let untried = untried(MailBench::new(true, false)).await;
    assert!(!untried.contains(&"C13") && !untried.contains(&"C40"), "{untried:?}");
}
