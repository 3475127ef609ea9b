//! How fast a mailbox is read, against a bare reader on the same server in the same run.
//!
//! `cargo run --release -p guichet-email --example read_rate -- PORT CA_FILE USER PASSWORD [ROUNDS [FOLDER]]`
//!
//! The bare reader sends one `UID FETCH 1:*` over TLS and counts bytes: the most the server gives to one connection. Ours
//! goes through the whole receiving loop, sizes and batches included, into a sink that only counts. Mail stays in place, or
//! is moved to FOLDER in the last round.
#![expect(clippy::print_stdout, reason = "a program to be looked at")]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guichet_domain::ambient::Clock;
use guichet_domain::time::Moment;
use guichet_email::credentials::Credentials;
use guichet_email::imap::position::{History, Position};
use guichet_email::imap::sink::{Batch, Body, Outcome, Progress, Refusal, Sink};
use guichet_email::imap::{Limits, Mailbox, Suspects, receive};
use guichet_email::net::{self, Endpoint, Security};
use guichet_email::tls;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, ca, user, password, rest @ ..] = arguments.as_slice() else {
        return Err("usage: read_rate PORT CA_FILE USER PASSWORD [rounds]".into());
    };
    let tls = tls::client_config(Some(Path::new(ca)))?;
    let endpoint =
        Endpoint { host: "localhost".into(), port: port.parse()?, security: Security::Tls, plain_anywhere: false, tls };
    let rounds = rest.first().map_or(Ok(1), |rounds| rounds.parse::<u32>())?;
    for round in 1..=rounds {
        let started = Instant::now();
        let (mails, bytes) = bare(&endpoint, user, password).await?;
        report("bare reader", mails, bytes, started);
        let credentials = Credentials::Password { user: user.clone(), password: password.clone() };
        let started = Instant::now();
        let folder = rest.get(1).filter(|_| round == rounds).cloned();
        let (mails, bytes) = ours(endpoint.clone(), &credentials, (mails, folder), started).await?;
        report("receiving loop, filed", mails, bytes, started);
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}

fn report(who: &str, mails: u64, bytes: u64, started: Instant) {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (rate, megabytes) = (mails as f64 / started.elapsed().as_secs_f64(), bytes as f64 / 1e6);
    println!("{who}: {mails} mails, {megabytes:.1} MB, {rate:.0} mails/s");
}

async fn ours(
    endpoint: Endpoint,
    credentials: &Credentials,
    (expected, processed): (u64, Option<String>),
    started: Instant,
) -> Result<(u64, u64), Failure> {
    let limits = Limits { connect: Duration::from_secs(5), ..Limits::default() };
    let folder = "INBOX".to_owned();
    let mailbox = Mailbox {
        endpoint,
        folder,
        processed,
        failed: None,
        history: History::All,
        limits,
        suspects: Suspects::default(),
    };
    let stop = CancellationToken::new();
    let counter = Counter { expected, started, mails: AtomicU64::new(0), bytes: AtomicU64::new(0), stop: stop.clone() };
    receive(&mailbox, credentials, &counter, &Fixed, &stop).await?;
    Ok((counter.mails.load(Ordering::Relaxed), counter.bytes.load(Ordering::Relaxed)))
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Moment {
        Moment::from_secs(4_000_000_000)
    }
}

struct Counter {
    expected: u64,
    started: Instant,
    mails: AtomicU64,
    bytes: AtomicU64,
    stop: CancellationToken,
}

impl Sink for Counter {
    type Ready = Batch;

    async fn understand(&self, batch: Batch) -> Batch {
        batch
    }

    async fn position(&self, _: &str) -> Result<Option<Position>, String> {
        Ok(None)
    }

    async fn accept(&self, batch: Batch) -> Result<Vec<Outcome>, Refusal> {
        for mail in &batch.mails {
            let (Body::Whole(bytes) | Body::TooLarge(bytes)) = &mail.body else { continue };
            self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        let read = batch.mails.len() as u64 + self.mails.fetch_add(batch.mails.len() as u64, Ordering::Relaxed);
        if read == self.expected && !batch.mails.is_empty() {
            report("receiving loop, read", read, self.bytes.load(Ordering::Relaxed), self.started);
        }
        Ok(vec![Outcome::Processed; batch.mails.len()])
    }

    fn progress(&self, progress: Progress) {
        if progress == Progress::Waiting {
            self.stop.cancel();
        }
    }
}

async fn bare(endpoint: &Endpoint, user: &str, password: &str) -> Result<(u64, u64), Failure> {
    let limit = Duration::from_secs(5);
    let socket = net::connect(&endpoint.host, endpoint.port, limit).await?;
    let stream = net::secure(socket, &endpoint.host, &endpoint.tls, limit).await?;
    let mut stream = BufReader::with_capacity(64 << 10, stream);
    let commands = format!("a LOGIN {user} {password}\r\na SELECT INBOX\r\nz UID FETCH 1:* (UID BODY.PEEK[])\r\n");
    stream.write_all(commands.as_bytes()).await?;
    stream.flush().await?;
    let (mut mails, mut bytes, mut line, mut text) = (0, 0, String::new(), Vec::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err("the server closed".into());
        }
        if line.starts_with("z ") {
            return Ok((mails, bytes));
        }
        let literal = line.trim_end().strip_suffix('}').and_then(|line| line.rsplit_once('{'));
        if let Some(length) = literal.and_then(|(_, digits)| digits.parse::<usize>().ok()) {
            text.resize(length, 0);
            stream.read_exact(&mut text).await?;
            (mails, bytes) = (mails + 1, bytes + length as u64);
        }
    }
}
