//! How many mails a second leave through the pool: `smtp_throughput HOST:PORT CONNECTIONS MAILS BYTES`.
//!
//! Meant for `smtp-sink` on this machine, beside `smtp-source` with the same numbers:
//!
//! ```text
//! smtp-sink -c 127.0.0.1:2525 1000 &
//! time smtp-source -s 8 -m 20000 -l 5120 -d 127.0.0.1:2525
//! cargo run --release -p guichet-email --example smtp_throughput -- 127.0.0.1:2525 8 20000 5120
//! ```

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use guichet_email::net::{Endpoint, Security};
use guichet_email::smtp::{Envelope, Outcome, Pool, Relay};
use guichet_email::tls;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "127.0.0.1:2525".to_owned());
    let (host, port) = place.rsplit_once(':').ok_or("the first argument is HOST:PORT")?;
    let mut number = |usual: usize| arguments.next().map_or(Ok(usual), |text| text.parse::<usize>());
    let (connections, mails, bytes) = (number(8)?, number(20_000)?, number(5120)?);

    let (host, port, tls) = (host.to_owned(), port.parse()?, tls::client_config(None)?);
    let endpoint = Endpoint { host, port, security: Security::Plain, plain_anywhere: false, tls };
    let pool = Pool::new(Relay { connections, ..Relay::new(endpoint) });
    let envelope = Envelope::new(Some("bounce@desk.example"), "ann@example.org")?;
    let line = format!("{}\r\n", "x".repeat(70));
    let body = line.repeat(bytes / line.len() + 1);
    let message = Arc::new(format!("Subject: throughput\r\n\r\n{body}").into_bytes());

    let started = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let workers = (0..connections).map(|_| {
        let (pool, envelope, message, next) = (pool.clone(), envelope.clone(), message.clone(), next.clone());
        tokio::spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < mails {
                match pool.send(&envelope, &message).await {
                    Outcome::Sent { .. } => {}
                    other => return Err(format!("{other:?}")),
                }
            }
            Ok(())
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await??;
    }
    let seconds = started.elapsed().as_secs_f64();
    pool.close().await;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = mails as f64 / seconds;
    writeln!(std::io::stdout(), "{mails} mails of {} bytes in {seconds:.2} s: {rate:.0} a second", message.len())?;
    Ok(())
}
