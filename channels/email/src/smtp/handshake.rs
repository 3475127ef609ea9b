//! From nothing to a server that waits for mail: connect, TLS, greeting, EHLO, STARTTLS, AUTH.

use std::io;

use rustls_pki_types::ServerName;
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;

use super::auth::{self, NotIn};
use super::limits::{Patience, Step};
use super::outcome::NotTried;
use super::relay::{Dial, Relay, Wire};
use super::reply::Reply;
use super::session::{Broken, How, Offers, Session};
use crate::net::Security;
use crate::tls::{self, Refusal};

/// Opens a session that is ready for MAIL. A refused access token is replaced once.
pub(super) async fn open(relay: &Relay, dial: &dyn Dial, patience: &Patience) -> Result<Session, NotTried> {
    let mut refused = None;
    for _ in 0..2 {
        let mut session = greet(relay, dial, patience).await?;
        let protected = relay.endpoint.security != Security::Plain || relay.is_loopback();
        match auth::log_in(&mut session, relay, protected, patience).await {
            Ok(()) => return Ok(session),
            Err(NotIn::Broken(broken)) => return Err(lost(relay, &broken)),
            Err(NotIn::Refused(fault)) => return Err(fault),
            Err(NotIn::TokenRefused(why)) => refused = Some(why),
        }
    }
    Err(auth::token_refused_twice(refused.unwrap_or_default()))
}

/// Up to the EHLO that counts: the one after TLS.
async fn greet(relay: &Relay, dial: &dyn Dial, patience: &Patience) -> Result<Session, NotTried> {
    if relay.endpoint.security == Security::Plain && !relay.endpoint.plain_anywhere && !relay.is_loopback() {
        return Err(NotTried::lasting(
            format!("{} is another machine, and the mail would travel unprotected", relay.name()),
            "set security to \"tls\" or \"starttls\", or allow_plain to true",
        ));
    }
    let wire = match timeout_at(patience.connect(), dial.dial()).await {
        Ok(Ok(wire)) => wire,
        Ok(Err(error)) => return Err(NotTried::passing(format!("{} cannot be reached: {error}", relay.name()))),
        Err(_) => return Err(NotTried::passing(format!("{} cannot be reached: no answer in time", relay.name()))),
    };
    let wire = if relay.endpoint.security == Security::Tls { protect(relay, wire, patience).await? } else { wire };
    let mut session = Session::new(wire);
    let greeting = session.reply(Step::Greeting, patience).await.map_err(|broken| no_greeting(relay, &broken))?;
    if greeting.code != 220 {
        return Err(unwelcome(relay, Step::Greeting, &greeting));
    }
    hello(&mut session, relay, patience).await?;
    if relay.endpoint.security != Security::StartTls {
        return Ok(session);
    }
    let mut session = start_tls(session, relay, patience).await?;
    hello(&mut session, relay, patience).await?;
    Ok(session)
}

/// EHLO; from a server so old that it does not know the word, HELO.
async fn hello(session: &mut Session, relay: &Relay, patience: &Patience) -> Result<(), NotTried> {
    let ehlo = format!("EHLO {}\r\n", relay.hello);
    let reply = session.command(ehlo.as_bytes(), Step::Hello, patience).await.map_err(|broken| lost(relay, &broken))?;
    if reply.is_done() {
        session.offers = Offers::read(&reply.text);
        return Ok(());
    }
    if !matches!(reply.code, 500 | 502) {
        return Err(unwelcome(relay, Step::Hello, &reply));
    }
    let helo = format!("HELO {}\r\n", relay.hello);
    let reply = session.command(helo.as_bytes(), Step::Hello, patience).await.map_err(|broken| lost(relay, &broken))?;
    session.offers = Offers::default();
    if reply.is_done() { Ok(()) } else { Err(unwelcome(relay, Step::Hello, &reply)) }
}

async fn start_tls(mut session: Session, relay: &Relay, patience: &Patience) -> Result<Session, NotTried> {
    if !session.offers.starttls {
        return Err(NotTried::lasting(
            format!("{} does not offer STARTTLS", relay.name()),
            "set security to \"tls\" and the port to match (often 465)",
        ));
    }
    let reply =
        session.command(b"STARTTLS\r\n", Step::StartTls, patience).await.map_err(|broken| lost(relay, &broken))?;
    if reply.code != 220 {
        return Err(unwelcome(relay, Step::StartTls, &reply));
    }
    let Some(wire) = session.into_wire() else {
        return Err(NotTried::passing(format!("{} spoke before TLS was agreed", relay.name())));
    };
    Ok(Session::new(protect(relay, wire, patience).await?))
}

async fn protect(relay: &Relay, wire: Box<dyn Wire>, patience: &Patience) -> Result<Box<dyn Wire>, NotTried> {
    let name = ServerName::try_from(relay.endpoint.host.clone()).map_err(|_| {
        NotTried::lasting(format!("{} is not a name a certificate can carry", relay.endpoint.host), "correct the host")
    })?;
    let connector = TlsConnector::from(relay.endpoint.tls.clone());
    match timeout_at(patience.connect(), connector.connect(name, wire)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(tls_fault(relay, &error)),
        Err(_) => Err(NotTried::passing(format!("{} did not finish the TLS handshake in time", relay.name()))),
    }
}

/// A certificate that is not accepted, or a server that speaks no TLS, stays so until somebody acts.
fn tls_fault(relay: &Relay, error: &io::Error) -> NotTried {
    let why = format!("no TLS with {}: {error}", relay.name());
    match tls::refusal(error) {
        Some(Refusal::Certificate(_)) => {
            NotTried::lasting(why, "correct the host, or name the authority of its certificate in ca_file")
        }
        Some(Refusal::NotTls) => NotTried::lasting(why, "the port may want security \"starttls\" instead of \"tls\""),
        None => NotTried::passing(why),
    }
}

/// A silent server is often one that waits for TLS, and one that is not SMTP is a wrong port.
fn no_greeting(relay: &Relay, broken: &Broken) -> NotTried {
    let why = format!("{}: {}", relay.name(), broken.why());
    match broken.how {
        How::Nonsense => NotTried::lasting(why, "check host and port of the source's smtp section"),
        How::TimedOut if relay.endpoint.security != Security::Tls => {
            NotTried::passing(format!("{why} (a port that wants security \"tls\" is as silent)"))
        }
        _ => NotTried::passing(why),
    }
}

fn lost(relay: &Relay, broken: &Broken) -> NotTried {
    NotTried::passing(format!("{}: {}", relay.name(), broken.why()))
}

/// A refusal before any mail was named: about us, not about a mail.
fn unwelcome(relay: &Relay, step: Step, reply: &Reply) -> NotTried {
    let why = format!("{} refused us at {}: {} {}", relay.name(), step.name(), reply.code, reply.short_text());
    if reply.is_permanent() {
        NotTried::lasting(why, "ask the server's operator, or check host, port and hello name")
    } else {
        NotTried::Passing { why, retry_after: reply.retry_after() }
    }
}
