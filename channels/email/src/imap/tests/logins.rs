//! Getting in, and being told why not.

use tokio_util::sync::CancellationToken;

use super::desk::{Desk, endpoint, impatient, limits, mailbox, password, until_failure};
use super::world::{Then, World};
use crate::credentials::{Bearer, Credentials};
use crate::imap::{Error, Session, probe};
use crate::net::Security;

async fn open(world: &World, credentials: &Credentials) -> Result<Session, Error> {
    Session::open(&endpoint(world), credentials, &limits(), &CancellationToken::new()).await
}

fn token(token: &str, mechanism: Bearer) -> Credentials {
    Credentials::Bearer { user: "desk".into(), token: token.into(), mechanism }
}

#[tokio::test]
async fn a_wrong_password_stops_the_source_and_the_error_holds_neither_secret_nor_address() {
    let world = World::start().await;
    let wrong = Credentials::Password { user: "desk".into(), password: "hunter2".into() };
    let error = open(&world, &wrong).await.unwrap_err();
    assert!(error.lasting(), "{error}");
    let text = error.to_string();
    assert!(text.contains("[AUTHENTICATIONFAILED] unknown user (address); correct user and password"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("desk@"), "{text}");
}

#[tokio::test]
async fn a_login_that_fails_without_saying_why_is_tried_again() {
    let world = World::start().await;
    world.rule("AUTHENTICATE", Then::Say("{tag} NO [UNAVAILABLE] directory is away\r\n"));
    let error = open(&world, &password()).await.unwrap_err();
    assert!(matches!(error, Error::LoginFailed { .. }) && !error.lasting(), "{error}");
}

#[tokio::test]
async fn a_password_goes_by_login_where_plain_is_not_offered() {
    let world = World::start().await;
    world.change(|state| state.capabilities = "IMAP4rev1 IDLE");
    let quoting = Credentials::Password { user: "desk".into(), password: "a\"b\\c".into() };
    open(&world, &quoting).await.unwrap();
    assert_eq!(world.commands()[1], r#"LOGIN "desk" "a\"b\\c""#);
}

#[tokio::test]
async fn a_password_is_not_sent_where_logins_are_disabled() {
    let world = World::start().await;
    world.change(|state| state.capabilities = "IMAP4rev1 LOGINDISABLED AUTH=GSSAPI");
    let error = open(&world, &password()).await.unwrap_err();
    assert!(error.lasting());
    assert!(error.to_string().contains("does not offer a login by password; it offers: GSSAPI"), "{error}");
    assert_eq!(world.commands(), ["CAPABILITY"]);
}

#[tokio::test]
async fn a_good_token_is_let_in_by_both_mechanisms() {
    let world = World::start().await;
    for mechanism in [Bearer::XOAuth2, Bearer::OAuthBearer] {
        open(&world, &token("good", mechanism)).await.unwrap().logout().await;
    }
}

#[tokio::test]
async fn a_refused_token_has_its_challenge_answered_and_asks_for_renewal() {
    let world = World::start().await;
    // {"status":"401"}; the server waits for an answer to it before it says NO.
    let challenge = "+ \r\n+ eyJzdGF0dXMiOiI0MDEifQ==\r\n{tag} NO SASL failed\r\n";
    for mechanism in [Bearer::XOAuth2, Bearer::OAuthBearer] {
        world.rule("AUTHENTICATE", Then::Say(challenge));
        let error = open(&world, &token("stale", mechanism)).await.unwrap_err();
        assert!(error.token_refused() && !error.lasting(), "{error}");
        assert!(error.to_string().contains("(status \"401\")"), "{error}");
        assert!(!error.to_string().contains("stale"));
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_password() {
    let world = World::start().await;
    let mut endpoint = endpoint(&world);
    endpoint.security = Security::StartTls;
    let error = Session::open(&endpoint, &password(), &limits(), &CancellationToken::new()).await.unwrap_err();
    assert!(error.lasting() && error.to_string().contains("offers no STARTTLS"), "{error}");
    assert_eq!(world.commands(), ["CAPABILITY"]);
}

#[tokio::test]
async fn tls_to_a_port_that_speaks_plainly_names_the_setting() {
    let world = World::start().await;
    let mut endpoint = endpoint(&world);
    endpoint.security = Security::Tls;
    let error = Session::open(&endpoint, &password(), &limits(), &CancellationToken::new()).await.unwrap_err();
    assert!(error.lasting() && error.to_string().contains("`security = \"starttls\"`"), "{error}");
}

#[tokio::test]
async fn a_server_that_greets_with_goodbye_is_tried_again_and_quoted() {
    let world = World::start().await;
    world.change(|state| state.greeting = "* BYE too many connections from 192.0.2.1\r\n");
    let error = until_failure(&mailbox(&world), &Desk::default()).await;
    assert!(!error.lasting() && error.to_string().contains("too many connections"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_greets_is_given_up() {
    let world = World::start().await;
    world.change(|state| state.greeting = "");
    let error = until_failure(&impatient(&mailbox(&world)), &Desk::default()).await;
    assert!(matches!(error, Error::Silent { during: "the greeting", .. }), "{error}");
}

#[tokio::test]
async fn a_probe_says_what_it_found_and_changes_nothing() {
    let world = World::start().await;
    world.mail_comes("hello");
    world.change(|state| state.capabilities = "IMAP4rev1 AUTH=PLAIN IDLE");
    let findings = probe(&mailbox(&world), &password(), &CancellationToken::new()).await.unwrap();
    let shown = findings.join("\n");
    assert!(shown.contains("\"INBOX\" holds 1 mails\n\"Processed\" will be created"), "{shown}");
    assert!(shown.contains("no MOVE"), "{shown}");
    assert_eq!((world.heard("SELECT"), world.heard("CREATE"), world.heard("LOGOUT")), (0, 0, 1));
}
