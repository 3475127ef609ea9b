//! How many mails a second become durable tickets with their acknowledgements queued, without any network: the part of
//! the work that is ours alone.
//!
//! `cargo bench --bench intake` (or with `-- 20000 5120` for a count and a size in bytes). Prints one Markdown table.

#![expect(clippy::expect_used, reason = "a bench that cannot go on says why and ends")]
#![expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use guichet::ambient::{SystemClock, SystemIds};
use guichet::config::{Config, Place};
use guichet::intake::Reception;
use guichet::kernel::{Kernel, Source};
use guichet::state::StateFolder;
use guichet_domain::ids::SourceName;
use guichet_domain::inbound::Inbound;

/// Mails handed in at once, as the mailbox reader does.
const BATCH: usize = 100;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let count = numbers.next().unwrap_or(10_000);
    let size = numbers.next().unwrap_or(5 * 1024);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(count, size));
}

async fn measure(count: usize, size: usize) {
    let state = tempfile::tempdir().expect("a folder");
    let place = Place { config: None, state: Some(state.path().to_owned()) };
    let config = Config::load(&place).expect("the built-in configuration");
    let folder = StateFolder::open(state.path()).expect("the folder");
    let kernel =
        Kernel::open(&config, folder, Arc::new(SystemClock), Arc::new(SystemIds::default())).await.expect("a kernel");
    let reception = Reception::start(Arc::clone(&kernel));
    let name = SourceName::from("local");
    let source = kernel.sources[&name].clone();
    let mails: Vec<Vec<u8>> = (0..count).map(|n| mail(n, size)).collect();

    let started = Instant::now();
    let read: Vec<Inbound> = mails.iter().map(|raw| read(&source, raw)).collect();
    let reading = started.elapsed();

    let cpu = cpu_seconds();
    let started = Instant::now();
    let mut rest = read;
    while !rest.is_empty() {
        let batch = rest.drain(..BATCH.min(rest.len())).collect();
        reception.accept(&name, &source, batch, Vec::new()).await.expect("accepted");
    }
    let recording = started.elapsed();
    let cpu = cpu_seconds() - cpu;
    let each = |span: std::time::Duration| span.as_secs_f64() * 1e6 / count as f64;
    let rate = |span: std::time::Duration| count as f64 / span.as_secs_f64();
    let rows = [
        "| step | µs a mail | mails/s |\n|---|---|---|".to_owned(),
        format!("| understand (one thread) | {:.0} | {:.0} |", each(reading), rate(reading)),
        format!("| decide and record | {:.0} | {:.0} |", each(recording), rate(recording)),
        format!("| CPU of deciding and recording | {:.0} | |", cpu * 1e6 / count as f64),
    ];
    writeln!(std::io::stdout(), "{}", rows.join("\n")).expect("somebody reads the table");
}

fn read(source: &Source, raw: &[u8]) -> Inbound {
    let position = format!("bench/{}", raw.len());
    let now = guichet_domain::Moment::from_secs(1_795_340_045);
    let mut inbound = source.channel.read(raw, &position, now).expect("a mail");
    inbound.external_id = guichet_domain::ids::ExternalId::new(format!("bench/{:?}", inbound.same_as));
    inbound
}

fn mail(n: usize, size: usize) -> Vec<u8> {
    let words = [
        "bonjour",
        "imprimante",
        "réseau",
        "mot",
        "de",
        "passe",
        "écran",
        "vpn",
        "facture",
        "panne",
        "serveur",
        "merci",
    ];
    let mut raw = format!(
        "Return-Path: <p{n}@client{n}.test>\r\nReceived: from a by b; Mon, 2 Nov 2026 10:00:00 +0000\r\nFrom: Person {n} \
         <p{n}@client{n}.test>\r\nTo: support@desk.test\r\nSubject: Imprimante {n} en panne\r\nMessage-ID: \
         <bench-{n}@client.test>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: \
         text/plain; charset=utf-8\r\n\r\n"
    );
    let mut at = n;
    while raw.len() < size {
        at = at.wrapping_mul(31).wrapping_add(7);
        raw.push_str(words[at % words.len()]);
        raw.push(if at.is_multiple_of(11) { '\n' } else { ' ' });
    }
    raw.into_bytes()
}

/// CPU seconds of this process so far, from the kernel's own accounting.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}
