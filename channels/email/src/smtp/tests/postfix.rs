//! Against a real Postfix, when `GUICHET_RIG` names the folder of a running rig.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::*;
use crate::oauth::{Grant, Renewing, TokenStore};
use crate::smtp::Login;
use crate::tls;

struct Rig {
    env: HashMap<String, String>,
}

impl Rig {
    /// The rig, or `None`, said aloud.
    fn running() -> Option<Self> {
        let Some(folder) = std::env::var_os("GUICHET_RIG") else {
            eprintln!("skipped: GUICHET_RIG names no folder of a running mail rig");
            return None;
        };
        let text = std::fs::read_to_string(Path::new(&folder).join("env")).unwrap();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Some(Self { env: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect() })
    }

    fn tls(&self) -> Arc<ClientConfig> {
        tls::client_config(Some(&PathBuf::from(&self.env["RIG_CA"]))).unwrap()
    }

    fn relay(&self, port: &str, security: Security, login: Login) -> Relay {
        let mut relay = relay_at("localhost", security, self.tls());
        relay.endpoint.port = self.env[port].parse().unwrap();
        Relay { login, ..relay }
    }

    /// A token from the rig's endpoint, taken from the provider as in the world.
    fn token(&self, refresh_token: &str) -> Login {
        let grant = Grant {
            token_url: self.env["RIG_TOKEN_URL"].clone(),
            client_id: "guichet".into(),
            client_secret: Some("rig-secret".into()),
            refresh_token: refresh_token.into(),
            scope: None,
            refresh_expires_at: None,
            tls: self.tls(),
        };
        Login::Token { user: "support".into(), tokens: Arc::new(Renewing::new(grant, Box::new(Nowhere)).unwrap()) }
    }
}

/// Keeps nothing: these refresh tokens are not renewed.
struct Nowhere;

#[async_trait]
impl TokenStore for Nowhere {
    async fn load(&self) -> Result<Option<String>, String> {
        Ok(None)
    }

    async fn save(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn password(secret: &str) -> Login {
    Login::Password { user: "support".into(), password: secret.into() }
}

fn to(address: &str) -> Envelope {
    Envelope::new(Some("support@helpdesk.test"), address).unwrap().with_id("0199-a")
}

#[tokio::test]
async fn postfix_takes_mail_by_every_protection_and_proof() {
    let Some(rig) = Rig::running() else { return };
    for relay in [
        rig.relay("RIG_SMTP", Security::Plain, Login::None),
        rig.relay("RIG_SMTP", Security::StartTls, Login::None),
        rig.relay("RIG_SUBMISSION", Security::StartTls, password("secret")),
        rig.relay("RIG_SMTPS", Security::Tls, password("secret")),
        rig.relay("RIG_SMTPS", Security::Tls, rig.token("refresh-support")),
    ] {
        let name = format!("{:?} at {}", relay.endpoint.security, relay.endpoint.port);
        let pool = Pool::new(relay);
        pool.probe().await.unwrap();
        for _ in 0..3 {
            let outcome = pool.send(&to("person-7101@customer.test"), MESSAGE).await;
            assert!(matches!(&outcome, Outcome::Sent { text } if text.contains("queued as")), "{name}: {outcome:?}");
        }
        pool.close().await;
    }
}

#[tokio::test]
async fn postfix_refuses_for_good_for_now_and_us() {
    let Some(rig) = Rig::running() else { return };
    let pool = Pool::new(rig.relay("RIG_SMTPS", Security::Tls, password("secret")));
    let unknown = pool.send(&to("nobody@customer.test"), MESSAGE).await;
    assert!(
        matches!(&unknown, Outcome::Permanent { code: 550, enhanced: Some(status), .. } if status == "5.1.1"),
        "{unknown:?}"
    );
    let busy = pool.send(&to("busy@customer.test"), MESSAGE).await;
    assert!(matches!(busy, Outcome::Transient { code: 451, .. }), "{busy:?}");
    let fine = pool.send(&to("person-7102@customer.test"), MESSAGE).await;
    assert!(matches!(fine, Outcome::Sent { .. }), "the connection outlived the refusals: {fine:?}");

    let pool = Pool::new(rig.relay("RIG_SMTPS", Security::Tls, password("wrong")));
    assert!(lasting(pool.send(&to("person-7102@customer.test"), MESSAGE).await).contains("check user and password"));
    let pool = Pool::new(rig.relay("RIG_SMTPS", Security::Tls, rig.token("revoked-support")));
    assert!(lasting(pool.send(&to("person-7102@customer.test"), MESSAGE).await).contains("invalid_grant"));
    let pool = Pool::new(rig.relay("RIG_SUBMISSION", Security::StartTls, Login::None));
    assert!(lasting(pool.send(&to("person-7102@customer.test"), MESSAGE).await).contains("wants a login"));
}

#[tokio::test]
async fn a_hundred_mails_at_once_leave_over_four_connections() {
    let Some(rig) = Rig::running() else { return };
    let mut relay = rig.relay("RIG_SUBMISSION", Security::StartTls, password("secret"));
    relay.limits.queue = std::time::Duration::from_mins(1);
    let pool = Pool::new(relay);
    let envelopes: Vec<Envelope> =
        (0..100).map(|number| to(&format!("person-{}@customer.test", 7200 + number))).collect();
    let outcomes = futures_util::future::join_all(envelopes.iter().map(|envelope| pool.send(envelope, MESSAGE))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Sent { .. })), "{outcomes:?}");
}
