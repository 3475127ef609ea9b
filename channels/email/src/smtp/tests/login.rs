//! TLS and proofs of who we are.

use std::sync::Mutex;

use async_trait::async_trait;
use data_encoding::BASE64;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::server::{Act, Network, Server};
use super::*;
use crate::oauth::{AccessTokens, OAuthFault};
use crate::smtp::Login;

/// A server's certificate for `name`, and a client that trusts it.
fn certificate(name: &str) -> (Arc<rustls::ServerConfig>, Arc<ClientConfig>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let server = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    (Arc::new(server), trusting(roots))
}

fn pool_of(relay: Relay, servers: impl IntoIterator<Item = Server>) -> (Pool, Network) {
    let network = Network::of(servers);
    (Pool::over(relay, Box::new(network.clone())), network)
}

fn password() -> Login {
    Login::Password { user: "desk".into(), password: "s3cret".into() }
}

fn with_login(login: Login, servers: impl IntoIterator<Item = Server>) -> (Pool, Network) {
    pool_of(Relay { login, ..relay() }, servers)
}

fn offering(auth: &'static str) -> Server {
    Server::plain().says("EHLO", auth).says("AUTH", "235 2.7.0 welcome")
}

#[tokio::test(start_paused = true)]
async fn tls_from_the_first_byte() {
    let (server, client) = certificate("mx.test");
    let (pool, network) =
        pool_of(relay_at("mx.test", Security::Tls, client), [Server::pipelining().with_tls(server, true)]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
    assert_eq!(network.connections().0, 1);
}

#[tokio::test(start_paused = true)]
async fn starttls_protects_everything_after_it_and_asks_again_what_is_offered() {
    let (server, client) = certificate("mx.test");
    let hello =
        [Act::Says("250-mx.test\r\n250-AUTH PLAIN\r\n250 STARTTLS"), Act::Says("250-mx.test\r\n250 AUTH LOGIN")];
    let server = Server::plain().at("EHLO", hello).at("STARTTLS", [Act::StartsTls("")]).with_tls(server, false);
    let server = server.at("AUTH", [Act::Says("334 VXNlcm5hbWU6")]);
    let server = server.at("answer", [Act::Says("334 UGFzc3dvcmQ6"), Act::Says("235 welcome")]);
    let relay = Relay { login: password(), ..relay_at("mx.test", Security::StartTls, client) };
    let (pool, network) = pool_of(relay, [server]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
    let heard = network.on(1);
    let (desk, secret) = (BASE64.encode(b"desk"), BASE64.encode(b"s3cret"));
    assert_eq!(heard[1..7], ["EHLO localhost", "STARTTLS", "EHLO localhost", "AUTH LOGIN", &desk, &secret]);
}

#[tokio::test(start_paused = true)]
async fn without_starttls_nothing_is_sent_in_the_clear() {
    let (_, client) = certificate("mx.test");
    let relay = Relay { login: password(), ..relay_at("mx.test", Security::StartTls, client) };
    let (pool, network) = pool_of(relay, [offering("250-mx.test\r\n250 AUTH PLAIN")]);
    assert!(lasting(send(&pool).await).starts_with("mx.test:25 does not offer STARTTLS; set security to \"tls\""));
    assert_eq!(network.on(1), ["(connected)", "EHLO localhost"]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_slips_in_before_tls_ends_the_connection() {
    let (server, client) = certificate("mx.test");
    let server = Server::plain().says("EHLO", "250-mx.test\r\n250 STARTTLS").with_tls(server, false);
    let server = server.at("STARTTLS", [Act::StartsTls("250 injected\r\n")]);
    let (pool, _) = pool_of(relay_at("mx.test", Security::StartTls, client), [server]);
    assert_eq!(passing(send(&pool).await), "mx.test:25 spoke before TLS was agreed");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_nobody_we_know_or_of_another_name_is_lasting() {
    let (server, client) = certificate("mx.test");
    for relay in [relay_at("mx.test", Security::Tls, trusting_nobody()), relay_at("other.test", Security::Tls, client)]
    {
        let (pool, _) = pool_of(relay, [Server::plain().with_tls(server.clone(), true)]);
        let why = lasting(send(&pool).await);
        assert!(why.contains("certificate") && why.contains("ca_file"), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn tls_with_a_server_that_speaks_none_hints_at_starttls() {
    let (pool, _) = pool_of(relay_at("mx.test", Security::Tls, trusting_nobody()), [Server::plain()]);
    let why = lasting(send(&pool).await);
    assert!(why.contains("\"starttls\""), "{why}");
}

#[tokio::test(start_paused = true)]
async fn another_machine_gets_no_unprotected_mail_unless_allowed_and_never_a_password() {
    let mut relay = Relay { login: password(), ..relay_at("mx.test", Security::Plain, trusting_nobody()) };
    let server = offering("250-mx.test\r\n250 AUTH PLAIN");
    let (pool, network) = pool_of(relay.clone(), [server.clone()]);
    assert!(lasting(send(&pool).await).contains("unprotected"));
    assert_eq!(network.connections().0, 0, "not even connected");
    relay.endpoint.plain_anywhere = true;
    let (pool, network) = pool_of(relay.clone(), [server.clone()]);
    assert!(lasting(send(&pool).await).contains("would get the password unprotected"));
    assert!(!network.on(1).iter().any(|line| line.starts_with("AUTH")));
    relay.login = Login::None;
    let (pool, _) = pool_of(relay, [server]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_password_goes_by_plain_in_one_step() {
    let (pool, network) = with_login(password(), [offering("250-mx.test\r\n250 AUTH LOGIN PLAIN XOAUTH2")]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
    assert_eq!(network.on(1)[2], format!("AUTH PLAIN {}", BASE64.encode(b"\0desk\0s3cret")));
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_says_what_to_check_and_not_the_password() {
    for (answer, hint) in [
        ("535 5.7.8 bad credentials", "check user and password"),
        ("534 5.7.9 use an app password", "534 5.7.9 use an app password"),
    ] {
        let (pool, _) = with_login(password(), [offering("250-mx.test\r\n250 AUTH PLAIN").says("AUTH", answer)]);
        let why = lasting(send(&pool).await);
        assert!(why.contains(hint) && !why.contains("s3cret"), "{why}");
    }
    let busy = offering("250-mx.test\r\n250 AUTH PLAIN").says("AUTH", "454 4.7.0 try again in 30 seconds");
    let (pool, _) = with_login(password(), [busy]);
    passing(send(&pool).await);
    let (pool, _) = with_login(password(), [offering("250-mx.test\r\n250 AUTH GSSAPI NTLM")]);
    assert!(lasting(send(&pool).await).starts_with("localhost:25 offers GSSAPI, NTLM, not PLAIN or LOGIN"));
}

/// Gives `token-1`, and the next one each time the last was refused.
struct Counting(Mutex<u32>);

#[async_trait]
impl AccessTokens for Counting {
    async fn current(&self) -> Result<String, OAuthFault> {
        Ok(format!("token-{}", self.0.lock().unwrap()))
    }

    fn refused(&self, token: &str) {
        assert_eq!(token, format!("token-{}", self.0.lock().unwrap()));
        *self.0.lock().unwrap() += 1;
    }
}

fn bearer() -> Login {
    Login::Token { user: "desk@x.test".into(), tokens: Arc::new(Counting(Mutex::new(1))) }
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_by_xoauth2_or_else_by_oauthbearer() {
    let (pool, network) = with_login(bearer(), [offering("250-mx.test\r\n250 AUTH XOAUTH2 OAUTHBEARER")]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
    let words = BASE64.encode(b"user=desk@x.test\x01auth=Bearer token-1\x01\x01");
    assert_eq!(network.on(1)[2], format!("AUTH XOAUTH2 {words}"));

    let (pool, network) = with_login(bearer(), [offering("250-mx.test\r\n250 AUTH OAUTHBEARER")]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
    let words = BASE64.encode(b"n,a=desk@x.test,\x01host=localhost\x01port=25\x01auth=Bearer token-1\x01\x01");
    assert_eq!(network.on(1)[2], format!("AUTH OAUTHBEARER {words}"));
}

#[tokio::test(start_paused = true)]
async fn a_token_refused_once_is_renewed_and_refused_twice_is_lasting() {
    for (auth, answer) in [("250-mx.test\r\n250 AUTH XOAUTH2", ""), ("250-mx.test\r\n250 AUTH OAUTHBEARER", "AQ==")] {
        let refusing = offering(auth).says("AUTH", "334 eyJzdGF0dXMiOiI0MDAifQ==").says("answer", "535 5.7.8 expired");
        let (pool, network) = with_login(bearer(), [refusing.clone(), offering(auth)]);
        assert!(matches!(send(&pool).await, Outcome::Sent { .. }), "{auth}");
        assert_eq!(network.on(1)[3], answer, "the challenge is answered, or the server would wait");
        assert_ne!(network.on(1)[2], network.on(2)[2]);

        let (pool, network) = with_login(bearer(), [refusing]);
        let why = lasting(send(&pool).await);
        assert!(why.contains("535 5.7.8 expired") && why.contains("authorise the account again"), "{why}");
        assert!(!why.contains("token-"), "{why}");
        assert_eq!(network.connections().0, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_logs_in_and_leaves_without_mail() {
    let (pool, network) = with_login(password(), [offering("250-mx.test\r\n250 AUTH PLAIN")]);
    pool.probe().await.unwrap();
    assert_eq!(network.on(1).last().unwrap(), "QUIT");
    assert!(!network.on(1).iter().any(|line| line.starts_with("MAIL")));
}
