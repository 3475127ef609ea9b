//! Against a real Dovecot, when `GUICHET_RIG` names the folder of a running rig.
//!
//! Each test has a mailbox of its own there and empties it first.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Fixed, Ledger};
use crate::credentials::{Bearer, Credentials};
use crate::imap::position::History;
use crate::imap::{Error, Limits, Mailbox, Session, Suspects, receive};
use crate::net::{Endpoint, Security};
use crate::tls;

struct Rig {
    env: HashMap<String, String>,
    user: &'static str,
}

impl Rig {
    /// The rig with an emptied mailbox of `user`, or `None`, said aloud.
    async fn of(user: &'static str) -> Option<Self> {
        let Some(folder) = std::env::var_os("GUICHET_RIG") else {
            eprintln!("skipped: GUICHET_RIG names no folder of a running mail rig");
            return None;
        };
        let text = std::fs::read_to_string(Path::new(&folder).join("env")).unwrap();
        let env = text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
        let rig = Self { env: env.collect(), user };
        for name in ["INBOX", "Processed", "Failed"] {
            rig.say(&format!("a SELECT {name}\r\nb STORE 1:* +FLAGS (\\Deleted)\r\nc EXPUNGE\r\n")).await;
        }
        Some(rig)
    }

    fn port(&self, key: &str) -> u16 {
        self.env[key].parse().unwrap()
    }

    fn endpoint(&self, security: Security) -> Endpoint {
        let port = self.port(if security == Security::Tls { "RIG_IMAPS" } else { "RIG_IMAP" });
        let tls = tls::client_config(Some(&PathBuf::from(&self.env["RIG_CA"]))).unwrap();
        Endpoint { host: "localhost".into(), port, security, plain_anywhere: false, tls }
    }

    fn mailbox(&self) -> Mailbox {
        Mailbox {
            endpoint: self.endpoint(Security::Tls),
            folder: "INBOX".into(),
            processed: Some("Processed".into()),
            failed: Some("Failed".into()),
            history: History::All,
            limits: Limits::default(),
            suspects: Suspects::default(),
        }
    }

    fn password(&self) -> Credentials {
        Credentials::Password { user: self.user.into(), password: "secret".into() }
    }

    /// Another mail program of the same user: logs in, says `commands`, logs out. What it was answered.
    async fn say(&self, commands: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port("RIG_IMAP"))).await.unwrap();
        let dialogue = format!("l LOGIN {} secret\r\n{commands}z LOGOUT\r\n", self.user);
        socket.write_all(dialogue.as_bytes()).await.unwrap();
        let mut answers = String::new();
        socket.read_to_string(&mut answers).await.unwrap();
        answers
    }

    /// A mail is put into INBOX.
    async fn put(&self, texts: &[String]) {
        let append = |text: &String| format!("a APPEND INBOX {{{}+}}\r\n{text}\r\n", text.len());
        let answers = self.say(&texts.iter().map(append).collect::<String>()).await;
        assert_eq!(answers.matches("a OK").count(), texts.len(), "{answers}");
    }

    async fn count(&self, folder: &str) -> usize {
        let answers = self.say(&format!("a STATUS \"{folder}\" (MESSAGES)\r\n")).await;
        let count = answers.split_once("(MESSAGES ").unwrap().1.split(')').next().unwrap();
        count.parse().unwrap()
    }

    fn token(&self, seconds: u64) -> String {
        let part = |json: String| BASE64URL_NOPAD.encode(json.as_bytes());
        let head = part(r#"{"alg":"HS256","typ":"JWT"}"#.to_owned());
        let claims = part(format!(r#"{{"sub":"{}","exp":{seconds},"iat":1}}"#, self.user));
        // The key of tests/rig/parts/tokens.py.
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a key that guards nothing but tests");
        let signature = hmac::sign(&key, format!("{head}.{claims}").as_bytes());
        format!("{head}.{claims}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    async fn receiving(&self, mailbox: &Mailbox, desk: &Desk, story: impl Future<Output = ()>) {
        let (stop, credentials) = (CancellationToken::new(), self.password());
        let told = async {
            story.await;
            stop.cancel();
        };
        let (received, ()) = tokio::join!(receive(mailbox, &credentials, desk, &Fixed, &stop), told);
        received.unwrap();
    }
}

fn mail(number: usize) -> String {
    format!("From: c@customer.test\r\nSubject: mail {number}\r\n\r\nbody\r\n")
}

#[tokio::test]
async fn a_full_mailbox_and_what_comes_by_push_are_taken_in_and_moved() {
    let Some(rig) = Rig::of("c15").await else { return };
    let texts: Vec<String> = (0..230).map(mail).collect();
    rig.put(&texts).await;
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        rig.put(&[mail(230)]).await;
        desk.until(|ledger| ledger.mails.len() == 231 && ledger.rounds() > 1).await;
    };
    rig.receiving(&rig.mailbox(), &desk, story).await;
    let expected: Vec<String> = (0..=230).map(mail).collect();
    assert_eq!(desk.with(|ledger| ledger.texts()), expected);
    assert_eq!((rig.count("INBOX").await, rig.count("Processed").await), (0, 231));
}

#[tokio::test]
async fn every_way_in_works_and_a_wrong_one_is_named() {
    let Some(rig) = Rig::of("c16").await else { return };
    let (limits, stop) = (Limits::default(), CancellationToken::new());
    let token = |seconds, mechanism| Credentials::Bearer { user: "c16".into(), token: rig.token(seconds), mechanism };
    for security in [Security::Tls, Security::StartTls, Security::Plain] {
        let endpoint = rig.endpoint(security);
        let session = Session::open(&endpoint, &rig.password(), &limits, &stop).await.unwrap();
        assert!(session.can("MOVE") && session.can("IDLE"));
        session.logout().await;
    }
    for mechanism in [Bearer::XOAuth2, Bearer::OAuthBearer] {
        let endpoint = rig.endpoint(Security::Tls);
        Session::open(&endpoint, &token(4_102_444_800, mechanism), &limits, &stop).await.unwrap().logout().await;
        let error = Session::open(&endpoint, &token(2, mechanism), &limits, &stop).await.unwrap_err();
        assert!(error.token_refused(), "{error}");
    }
    let wrong = Credentials::Password { user: "c16".into(), password: "wrong".into() };
    let error = Session::open(&rig.endpoint(Security::Tls), &wrong, &limits, &stop).await.unwrap_err();
    assert!(matches!(error, Error::LoginRefused { .. }) && error.lasting(), "{error}");
    let stranger = Endpoint { tls: tls::client_config(None).unwrap(), ..rig.endpoint(Security::Tls) };
    let error = Session::open(&stranger, &rig.password(), &limits, &stop).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }) && error.lasting(), "{error}");
}

#[tokio::test]
async fn a_large_mail_and_a_folder_with_accents_are_no_matter() {
    let Some(rig) = Rig::of("c17").await else { return };
    let line = "The printer on the second floor says PC LOAD LETTER and nobody knows why.\r\n";
    let large = format!("{}{}", mail(1), line.repeat(5_000_000 / line.len()));
    rig.put(&[mail(0), large.clone(), mail(2)]).await;
    let mut mailbox = rig.mailbox();
    mailbox.processed = Some("Traités & archivés".into());
    let desk = Desk::default();
    rig.receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert!(desk.with(|ledger| ledger.texts()) == [mail(0), large, mail(2)]);
    assert!(rig.count("Trait&AOk-s &- archiv&AOk-s").await >= 3);
}

#[tokio::test]
async fn mail_moved_away_deleted_and_flagged_by_others_meanwhile_does_no_harm() {
    let Some(rig) = Rig::of("c18").await else { return };
    rig.put(&(0..50).map(mail).collect::<Vec<_>>()).await;
    let desk = Desk::default();
    desk.close(true);
    let story = async {
        desk.until_begun(1).await;
        rig.say("a SELECT INBOX\r\nb STORE 1:20 +FLAGS (\\Seen)\r\nc STORE 30:39 +FLAGS (\\Deleted)\r\nd EXPUNGE\r\n")
            .await;
        desk.close(false);
        desk.until(Ledger::waits).await;
        assert_eq!(desk.with(|ledger| ledger.mails.len()), 40);
    };
    rig.receiving(&rig.mailbox(), &desk, story).await;
    assert_eq!(rig.count("INBOX").await, 0);
}

#[tokio::test]
async fn a_folder_made_anew_is_read_from_its_start() {
    let Some(rig) = Rig::of("c19").await else { return };
    let again = "a DELETE desk\r\nb CREATE desk\r\n";
    let put = |text: &str| format!("c APPEND desk {{{}+}}\r\n{text}\r\n", text.len());
    rig.say(&format!("{again}{}{}", put(&mail(1)), put(&mail(2)))).await;
    let mut mailbox = rig.mailbox();
    mailbox.folder = "desk".into();
    (mailbox.processed, mailbox.failed) = (None, None);
    let desk = Desk::default();
    rig.receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    rig.say(&format!("{again}{}", put(&mail(3)))).await;
    desk.with(|ledger| ledger.progress.clear());
    rig.receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), [mail(1), mail(2), mail(3)]);
}
