//! Connections kept, bounded, paced, and given up.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::server::{Act, Network, Server};
use super::*;

fn pool(servers: impl IntoIterator<Item = Server>, change: impl FnOnce(&mut Relay)) -> (Pool, Network) {
    let network = Network::of(servers);
    let mut relay = relay();
    change(&mut relay);
    (Pool::over(relay, Box::new(network.clone())), network)
}

fn went(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Sent { .. })
}

#[tokio::test(start_paused = true)]
async fn mails_one_after_the_other_share_a_connection() {
    for server in [Server::plain(), Server::pipelining()] {
        let (pool, network) = pool([server], |_| ());
        for _ in 0..5 {
            assert!(went(&send(&pool).await));
        }
        assert_eq!(network.connections().0, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_recipient_does_not_cost_the_connection() {
    for server in [Server::plain(), Server::pipelining().says("DATA", "503 no recipients")] {
        let server = server.at("RCPT", [Act::Says("550 5.1.1 unknown"), Act::Says("250 ok")]);
        let (pool, network) = pool([server], |_| ());
        assert!(matches!(send(&pool).await, Outcome::Permanent { code: 550, .. }));
        send(&pool).await;
        assert_eq!(network.connections().0, 1);
        assert!(network.on(1).contains(&"RSET".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_recipient_followed_by_go_ahead_costs_it() {
    let odd = Server::pipelining().says("RCPT", "550 5.1.1 unknown");
    let (pool, network) = pool([odd, Server::plain()], |_| ());
    let begin = Instant::now();
    assert!(matches!(send(&pool).await, Outcome::Permanent { code: 550, .. }));
    assert_eq!(begin.elapsed(), Duration::ZERO, "nothing is said to a server that waits for a body");
    assert!(went(&send(&pool).await));
    assert_eq!(network.connections().0, 2);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_died_is_replaced_before_the_mail_is_named() {
    for goodbye in [Act::Closes, Act::SaysAndCloses("421 4.4.2 idle too long"), Act::Says("421 4.4.2 bye")] {
        for server in [Server::plain(), Server::pipelining()] {
            let tired = server.at("MAIL", [Act::Says("250 ok"), goodbye.clone()]);
            let (pool, network) = pool([tired, Server::plain()], |_| ());
            assert!(went(&send(&pool).await) && went(&send(&pool).await), "{goodbye:?}");
            assert_eq!(network.connections().0, 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_on_which_the_server_said_goodbye_is_not_even_tried() {
    let leaving = Server::plain().at(".", [Act::Drips("250 ok\r\n421 goodbye\r\n")]);
    let (pool, network) = pool([leaving, Server::plain()], |_| ());
    assert!(went(&send(&pool).await));
    network.hears(1, "(dripped)").await;
    assert!(went(&send(&pool).await));
    assert_eq!(network.on(1).iter().filter(|line| line.starts_with("MAIL")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn once_the_server_answered_mail_a_broken_dialogue_is_not_repeated_here() {
    let broken = Server::plain().at("RCPT", [Act::Says("250 ok"), Act::Closes]);
    let (pool, network) = pool([broken, Server::plain()], |_| ());
    assert!(went(&send(&pool).await));
    passing(send(&pool).await);
    assert_eq!(network.connections().0, 1);
}

#[tokio::test(start_paused = true)]
async fn more_than_was_asked_for_costs_the_connection() {
    let chatty = Server::plain().says(".", "250 ok\r\n250 and one more");
    let (pool, network) = pool([chatty, Server::plain()], |_| ());
    assert!(went(&send(&pool).await) && went(&send(&pool).await));
    assert_eq!(network.connections().0, 2);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_send_never_lends_its_answers_to_the_next_mail() {
    for server in [Server::plain(), Server::pipelining()] {
        let stuck = server.clone().at(".", [Act::FallsSilent]);
        let refusing = server.says(".", "554 5.6.0 refused after the dot");
        let (pool, network) = pool([stuck, refusing], |_| ());
        let first = tokio::spawn({
            let pool = pool.clone();
            async move { send(&pool).await }
        });
        network.hears(1, "Subject: hello\r\n\r\n..dot\r\n.\r\n").await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let second = send(&pool).await;
        assert!(matches!(second, Outcome::Permanent { code: 554, .. }), "{second:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_abandoned_at_any_moment_leaves_a_pool_that_works() {
    // Abandoned after a growing number of wake-ups, so that every await of the dialogue is hit once.
    for wakes in 0..40 {
        let (pool, _) = pool([Server::pipelining()], |relay| relay.connections = 1);
        assert!(went(&send(&pool).await));
        {
            let to_bob = Envelope::new(None, "bob@example.org").unwrap();
            let mut abandoned = std::pin::pin!(pool.send(&to_bob, b"other"));
            for _ in 0..wakes {
                if futures_util::poll!(abandoned.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(send(&pool).await, Outcome::Sent { text: "2.0.0 queued as 4711".into() }, "after {wakes} wake-ups");
    }
}

#[tokio::test(start_paused = true)]
async fn there_are_never_more_connections_than_allowed() {
    for (allowed, mails) in [(1, 7), (2, 30), (4, 40), (8, 40), (16, 5)] {
        let slow = Server::pipelining().at(".", [Act::Drips("250 ok\r\n")]);
        let (pool, network) = pool([slow], |relay| {
            relay.connections = allowed;
            relay.limits.queue = Duration::from_hours(1);
        });
        let sends = (0..mails).map(|_| send(&pool));
        let outcomes = futures_util::future::join_all(sends).await;
        assert!(outcomes.iter().all(went), "{outcomes:?}");
        let (opened, together) = network.connections();
        assert_eq!(together, allowed.min(mails));
        assert_eq!(opened, together, "connections are kept while there is mail");
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_that_finds_no_free_connection_is_given_back_soon() {
    let stuck = Server::plain().at(".", [Act::FallsSilent]);
    let (pool, network) = pool([stuck], |relay| relay.connections = 1);
    let begin = Instant::now();
    let first = tokio::spawn({
        let pool = pool.clone();
        async move { send(&pool).await }
    });
    network.hears(1, "DATA").await;
    let why = passing(send(&pool).await);
    assert_eq!(why, "all connections to localhost:25 are busy");
    assert!(begin.elapsed() <= Duration::from_secs(11));
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn mails_beyond_the_rate_are_given_back_with_the_wait() {
    let (pool, _) = pool([Server::plain()], |relay| relay.per_minute = NonZeroU32::new(2));
    assert!(went(&send(&pool).await));
    let outcome = send(&pool).await;
    let Outcome::NotTried(crate::smtp::NotTried::Passing { retry_after: Some(wait), why }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(why, "the rate of 2 a minute is used up");
    assert!((29..=30).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_with_quit_after_thirty_seconds() {
    let (pool, network) = pool([Server::plain()], |_| ());
    send(&pool).await;
    let begin = Instant::now();
    network.hears(1, "QUIT").await;
    assert_eq!(begin.elapsed().as_secs(), 30);
    assert!(went(&send(&pool).await));
    assert_eq!(network.connections().0, 2);
    network.hears(2, "QUIT").await;
}

#[tokio::test(start_paused = true)]
async fn closing_the_pool_says_goodbye_at_once() {
    let (pool, network) = pool([Server::plain()], |_| ());
    send(&pool).await;
    let begin = Instant::now();
    pool.close().await;
    assert!(network.on(1).contains(&"QUIT".to_owned()));
    assert_eq!(begin.elapsed(), Duration::ZERO);
}
