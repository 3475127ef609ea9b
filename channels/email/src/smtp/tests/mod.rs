//! The client against a scripted server that does what real ones do at their worst. Time is paused and moves by itself
//! when everybody waits, so ten minutes of silence are tested in a moment.

mod login;
mod outcomes;
mod postfix;
mod reuse;
mod server;

use std::sync::Arc;

use rustls::ClientConfig;

use super::{Envelope, Outcome, Pool, Relay};
use crate::net::{Endpoint, Security};

const MESSAGE: &[u8] = b"Subject: hello\r\n\r\n.dot\r\n";

/// A relay on this machine without protection or login.
fn relay() -> Relay {
    relay_at("localhost", Security::Plain, trusting_nobody())
}

fn relay_at(host: &str, security: Security, tls: Arc<ClientConfig>) -> Relay {
    Relay::new(Endpoint { host: host.to_owned(), port: 25, security, plain_anywhere: false, tls })
}

fn trusting_nobody() -> Arc<ClientConfig> {
    trusting(rustls::RootCertStore::empty())
}

fn trusting(roots: rustls::RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn to_ann() -> Envelope {
    Envelope::new(None, "ann@example.org").unwrap()
}

async fn send(pool: &Pool) -> Outcome {
    pool.send(&to_ann(), MESSAGE).await
}

/// The words of a fault of the source, which a test compares.
fn passing(outcome: Outcome) -> String {
    match outcome {
        Outcome::NotTried(super::NotTried::Passing { why, .. }) => why,
        other => panic!("not a passing fault: {other:?}"),
    }
}

fn lasting(outcome: Outcome) -> String {
    match outcome {
        Outcome::NotTried(fault @ super::NotTried::Lasting { .. }) => fault.to_string(),
        other => panic!("not a lasting fault: {other:?}"),
    }
}
