//! What each misbehaviour makes of a mail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::server::{Act, Network, Server};
use super::*;

fn pool(servers: impl IntoIterator<Item = Server>) -> (Pool, Network) {
    let network = Network::of(servers);
    (Pool::over(relay(), Box::new(network.clone())), network)
}

/// The outcome with a server of either kind must be the same.
async fn outcome_when(change: impl Fn(Server) -> Server) -> Outcome {
    let plain = send(&pool([change(Server::plain())]).0).await;
    let pipelined = send(&pool([change(Server::pipelining())]).0).await;
    assert_eq!(plain, pipelined);
    plain
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_sent_and_the_servers_answer_kept() {
    let sent = Outcome::Sent { text: "2.0.0 queued as 4711".into() };
    assert_eq!(outcome_when(|server| server).await, sent);
}

#[tokio::test(start_paused = true)]
async fn without_pipelining_each_command_waits_for_its_answer() {
    let (pool, network) = pool([Server::plain()]);
    send(&pool).await;
    let dialogue = [
        "(connected)",
        "EHLO localhost",
        "MAIL FROM:<>",
        "RCPT TO:<ann@example.org>",
        "DATA",
        "Subject: hello\r\n\r\n..dot\r\n.\r\n",
    ];
    assert_eq!(network.on(1), dialogue);
}

#[tokio::test(start_paused = true)]
async fn with_pipelining_all_commands_go_before_the_first_answer() {
    let late = Server::pipelining().at("MAIL", [Act::Holds("250 ok")]).at("RCPT", [Act::Holds("250 ok")]);
    let (pool, _) = pool([late]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
}

#[tokio::test(start_paused = true)]
async fn refusals_for_now_and_for_good_are_told_apart_at_every_step() {
    for point in ["MAIL", "RCPT", "DATA", "."] {
        let outcome = outcome_when(|server| server.says(point, "450 4.2.0 greylisted, try again in 5 minutes")).await;
        let retry_after = Some(Duration::from_mins(5));
        let text = "4.2.0 greylisted, try again in 5 minutes".into();
        assert_eq!(outcome, Outcome::Transient { code: 450, text, retry_after }, "{point}");

        let outcome = outcome_when(|server| server.says(point, "550 5.1.1 no such user")).await;
        let enhanced = Some("5.1.1".into());
        assert_eq!(outcome, Outcome::Permanent { code: 550, enhanced, text: "5.1.1 no such user".into() }, "{point}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_makes_no_sense_before_the_final_dot_leaves_the_mail_untried() {
    for (point, text) in
        [("MAIL", "354 go"), ("MAIL", "220 hi"), ("RCPT", "334 ?"), ("DATA", "250 ok"), ("DATA", "334 ?")]
    {
        let why = passing(outcome_when(|server| server.says(point, text)).await);
        assert!(why.contains("makes no sense"), "{point} {text}: {why}");
    }
    for point in ["greeting", "EHLO", "MAIL", "RCPT", "DATA"] {
        let outcome = outcome_when(|server| server.says(point, "* OK not SMTP at all")).await;
        assert!(matches!(outcome, Outcome::NotTried(_)), "{point}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_before_the_final_dot_leaves_the_mail_untried() {
    for point in ["greeting", "EHLO", "MAIL", "RCPT", "DATA"] {
        let why = passing(outcome_when(|server| server.at(point, [Act::Closes])).await);
        assert!(why.contains("closed the connection"), "{point}: {why}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_final_dot_anything_but_an_answer_is_unknown() {
    for act in [Act::Closes, Act::Says("354 go"), Act::Says("220 hi"), Act::Says("!"), Act::FallsSilent] {
        let outcome = outcome_when(|server| server.at(".", [act.clone()])).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{act:?}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_departure_is_noted_when_the_server_says_go_ahead_and_not_before() {
    let noted = AtomicUsize::new(0);
    let note = || {
        noted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    for point in ["greeting", "EHLO", "MAIL", "RCPT", "DATA"] {
        let (refusing, _) = pool([Server::pipelining().at(point, [Act::Says("550 5.7.1 no")])]);
        refusing.send_noting(&to_ann(), MESSAGE, &note).await;
        assert_eq!(noted.load(Ordering::SeqCst), 0, "{point}");
    }
    let (willing, _) = pool([Server::pipelining()]);
    assert!(matches!(willing.send_noting(&to_ann(), MESSAGE, &note).await, Outcome::Sent { .. }));
    assert_eq!(noted.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mail_whose_departure_cannot_be_noted_stays_and_the_next_one_leaves() {
    let (pool, network) = pool([Server::pipelining(), Server::plain()]);
    let full = || Err("the disk is full".to_owned());
    assert_eq!(passing(pool.send_noting(&to_ann(), MESSAGE, &full).await), "the disk is full");
    assert_eq!(network.on(1).last().map(String::as_str), Some("DATA"), "nothing of the body was said");
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_within_a_lease_of_twelve_minutes_and_the_final_dot_gets_ten() {
    for point in ["greeting", "EHLO", "MAIL", "RCPT", "DATA"] {
        let begin = Instant::now();
        let (pool, _) = pool([Server::pipelining().at(point, [Act::FallsSilent])]);
        let why = passing(send(&pool).await);
        assert!(why.contains("did not answer in time"), "{point}: {why}");
        assert!(begin.elapsed() < Duration::from_secs(85), "{point}: {:?}", begin.elapsed());
    }
    let begin = Instant::now();
    let (pool, _) = pool([Server::plain().at(".", [Act::FallsSilent])]);
    assert!(matches!(send(&pool).await, Outcome::Unknown { .. }));
    assert_eq!(begin.elapsed().as_secs(), 600);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_a_byte_a_second_does_not_stretch_the_limits() {
    // Fifteen minutes of an answer that does not end.
    let endless: &'static str = format!("250-{}", "x".repeat(900)).leak();
    for (point, limit) in [("MAIL", 80), (".", 600)] {
        let begin = Instant::now();
        let (pool, _) = pool([Server::plain().at(point, [Act::Drips(endless)])]);
        assert!(!matches!(send(&pool).await, Outcome::Sent { .. }), "{point}");
        assert_eq!(begin.elapsed().as_secs(), limit, "{point}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_want_us_is_passing_or_lasting_as_it_says() {
    let why = passing(outcome_when(|server| server.says("greeting", "421 4.3.2 too busy")).await);
    assert_eq!(why, "localhost:25 refused us at the greeting: 421 4.3.2 too busy");
    let why = lasting(outcome_when(|server| server.says("greeting", "554 5.7.1 you are listed")).await);
    assert!(why.contains("554 5.7.1 you are listed") && why.contains("ask the server's operator"), "{why}");
    let why = lasting(outcome_when(|server| server.says("greeting", "* OK IMAP ready")).await);
    assert!(why.contains("check host and port"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_a_login_costs_no_mail() {
    let why = lasting(outcome_when(|server| server.says("MAIL", "530 5.7.0 Authentication required")).await);
    assert!(why.contains("530") && why.contains("set user, password"), "{why}");
    let relaying = "554 5.7.1 <ann@example.org>: Relay access denied";
    let (closed, _) = pool([Server::plain().says("EHLO", "250-mx.test\r\n250 AUTH PLAIN").says("RCPT", relaying)]);
    let why = lasting(send(&closed).await);
    assert!(why.starts_with("the server wants a login or protection at RCPT TO (554 5.7.1); set user"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_no_login_to_offer_means_the_mail_when_it_refuses_to_relay() {
    let refused = outcome_when(|server| server.says("RCPT", "554 5.7.1 <ann@example.org>: Relay access denied")).await;
    assert!(matches!(refused, Outcome::Permanent { code: 554, .. }), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_older_than_ehlo_still_takes_mail() {
    let (pool, network) = pool([Server::plain().says("EHLO", "502 what?").says("HELO", "250 hello")]);
    assert!(matches!(send(&pool).await, Outcome::Sent { .. }));
    assert!(network.on(1).contains(&"HELO localhost".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_mail_the_server_cannot_take_is_refused_without_a_try() {
    let small = Server::plain().says("EHLO", "250-mx.test\r\n250 SIZE 10");
    let (small, network) = pool([small]);
    let outcome = send(&small).await;
    assert!(matches!(&outcome, Outcome::Permanent { code: 552, text, .. } if text.contains("takes 10")), "{outcome:?}");
    assert!(!network.on(1).iter().any(|line| line.starts_with("MAIL")));

    let foreign = Envelope::new(None, "jürgen@example.org").unwrap();
    let outcome = pool([Server::plain()]).0.send(&foreign, MESSAGE).await;
    assert!(matches!(&outcome, Outcome::Permanent { code: 553, .. }), "{outcome:?}");
    let modern = Server::plain().says("EHLO", "250-mx.test\r\n250 SMTPUTF8");
    let (modern, network) = pool([modern]);
    assert!(matches!(modern.send(&foreign, MESSAGE).await, Outcome::Sent { .. }));
    assert!(network.on(1).contains(&"MAIL FROM:<> SMTPUTF8".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_the_middle_of_the_body_is_heard() {
    let (pool, _) = pool([Server::plain().at("DATA", [Act::RefusesAmidBody("552 5.3.4 too large")])]);
    let outcome = pool.send(&to_ann(), &vec![b'x'; 100_000]).await;
    assert!(matches!(outcome, Outcome::Permanent { code: 552, .. }), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_journal_never_stops_the_mail() {
    for server in [Server::plain(), Server::pipelining()] {
        let picky = server.at("RCPT", [Act::Says("250 ok"), Act::Says("550 no journal here")]);
        let (pool, network) = pool([picky]);
        let envelope = to_ann().with_journal("sent@desk.example").unwrap();
        assert!(matches!(pool.send(&envelope, MESSAGE).await, Outcome::Sent { .. }));
        assert!(network.on(1).contains(&"RCPT TO:<sent@desk.example>".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_to_the_journal_alone() {
    for server in [Server::plain(), Server::pipelining()] {
        let picky = server.at("RCPT", [Act::Says("550 5.1.1 no such user"), Act::Says("250 ok")]);
        let (pool, network) = pool([picky]);
        let envelope = to_ann().with_journal("sent@desk.example").unwrap();
        let outcome = pool.send(&envelope, MESSAGE).await;
        assert!(matches!(outcome, Outcome::Permanent { code: 550, .. }), "{outcome:?}");
        assert!(!network.on(1).iter().any(|words| words.contains("Subject")), "{:?}", network.on(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_cannot_be_reached_is_passing() {
    let (pool, _) = pool([]);
    assert!(passing(send(&pool).await).starts_with("localhost:25 cannot be reached"));
}

#[tokio::test(start_paused = true)]
async fn a_server_slow_at_everything_is_given_up_within_seven_hundred_seconds() {
    // 70 s until the body is asked for, which is within the limit, and then silence.
    let slow = "250-this answer takes more than a minute at a byte a second\r\n250 ok\r\n";
    let begin = Instant::now();
    let (pool, _) = pool([Server::plain().at("RCPT", [Act::Drips(slow)]).at(".", [Act::FallsSilent])]);
    assert!(matches!(send(&pool).await, Outcome::Unknown { .. }));
    assert!((660..690).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}
