//! What the console keeps and asks, on both engines.

use guichet_domain::entry::EntryKind;
use guichet_domain::ids::TicketId;
use guichet_domain::ticket::State;
use uuid::Uuid;

use super::make::{NOW, key, later, opened, ticket};
use super::{World, on_both_engines};
use crate::access::{self, Session};
use crate::agent::{self, Agent};
use crate::board::{self, BoardFilter, Order, Place};
use crate::desktop::{self, Canned};
use crate::search::{self, Words};
use crate::trail::{self, Deed};

on_both_engines!(
    the_board_is_read_in_its_order_page_by_page,
    words_are_found_in_what_people_wrote,
    a_session_and_a_link_are_kept_by_their_hashes_until_they_end,
    the_trail_can_only_grow,
    drafts_looks_links_and_blocks_are_kept_and_dropped,
    a_code_is_taken_once
);

async fn hire(world: &World, name: &str, role: &str) {
    let new = Agent {
        name: name.to_owned(),
        display: name.to_owned(),
        email: None,
        role: role.to_owned(),
        created_at: NOW,
        disabled_at: None,
    };
    let mut tx = world.write().await;
    assert!(agent::add(&mut tx, &new).await.unwrap());
    tx.commit().await.unwrap();
}

async fn the_board_is_read_in_its_order_page_by_page(world: &World) {
    let numbers: Vec<u64> = (1..=25).collect();
    opened(&world.db, &numbers).await;
    let live = || State::ALL.into_iter().filter(|state| state.is_live()).collect::<Vec<_>>();
    for order in [Order::Due, Order::Updated] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let filter = BoardFilter { states: live(), order, after, limit: 10, ..BoardFilter::default() };
            let page = board::list(&mut world.read().await, &filter).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(Place::of(last, order));
            seen.extend(page.iter().map(|ticket| ticket.id));
        }
        assert_eq!(seen.len(), 25);
        let sorted: std::collections::BTreeSet<TicketId> = seen.iter().copied().collect();
        assert_eq!(sorted.len(), 25, "none twice");
    }
    let counts = board::counts(&mut world.read().await, "ana", later(7200)).await.unwrap();
    assert_eq!((counts.all, counts.mine, counts.unassigned, counts.ours, counts.soon), (25, 0, 25, 25, 25));
    assert_eq!(board::counts(&mut world.read().await, "ana", NOW).await.unwrap().soon, 0);
    let none = BoardFilter { assignee: Some("ana"), limit: 10, ..BoardFilter::default() };
    assert!(board::list(&mut world.read().await, &none).await.unwrap().is_empty());
    let mut tx = world.read().await;
    let last = board::last_words(&mut tx, &[(ticket(1).id, 1), (ticket(2).id, 1), (ticket(3).id, 9)]).await.unwrap();
    assert_eq!(last.len(), 2);
    assert!(last.iter().all(|words| words.kind == EntryKind::Inbound && words.text.starts_with("It burns.")));
    let tail = board::tail(&mut tx, ticket(1).id, None, 50).await.unwrap();
    assert_eq!((tail.len(), tail[0].entry.reasons.len()), (1, 2));
    assert_eq!(board::pulse(&mut tx).await.unwrap(), Some(NOW));
    assert_eq!(board::fingerprint(&mut tx, ticket(1).id).await.unwrap(), "1 pending0");
}

async fn words_are_found_in_what_people_wrote(world: &World) {
    opened(&world.db, &[1, 2]).await;
    while search::is_behind(&mut world.read().await).await.unwrap() {
        let mut tx = world.write().await;
        assert_eq!(search::catch_up(&mut tx, 1).await.unwrap(), 1);
        tx.commit().await.unwrap();
    }
    let found = async |typed: &str| {
        let filter =
            BoardFilter { words: Words::of(typed).map(Words::beginnings), limit: 10, ..BoardFilter::default() };
        board::list(&mut world.read().await, &filter).await.unwrap().len()
    };
    assert_eq!(found("burns").await, 2);
    assert_eq!(found("HELP print").await, 2);
    assert_eq!(found("printer 2").await, 1);
    assert_eq!(found("'; DROP TABLE ticket; -- \" OR *").await, 0);
    assert_eq!(found("burns help !&|()").await, 2);
    let whole = BoardFilter { words: Words::of("burn"), limit: 10, ..BoardFilter::default() };
    assert!(board::list(&mut world.read().await, &whole).await.unwrap().is_empty(), "whole words first");
    let by_address = BoardFilter { address: Some("person1@"), limit: 10, ..BoardFilter::default() };
    assert_eq!(board::list(&mut world.read().await, &by_address).await.unwrap().len(), 1);
}

async fn a_session_and_a_link_are_kept_by_their_hashes_until_they_end(world: &World) {
    hire(world, "ana", "admin").await;
    let session = |hash: &str| Session {
        hash: hash.to_owned(),
        agent: "ana".to_owned(),
        stage: "full".to_owned(),
        origin: "192.0.2.1".to_owned(),
        created_at: NOW,
        seen_at: NOW,
        expires_at: later(60),
    };
    let mut tx = world.write().await;
    for hash in ["a", "b", "c"] {
        access::open(&mut tx, &session(hash)).await.unwrap();
    }
    access::seen(&mut tx, "a", later(5), later(90)).await.unwrap();
    access::end(&mut tx, "b").await.unwrap();
    assert_eq!(access::session(&mut tx, "a").await.unwrap().unwrap().expires_at, later(90));
    assert_eq!(access::session(&mut tx, "b").await.unwrap(), None);
    assert_eq!(access::prune(&mut tx, later(60)).await.unwrap(), 1);
    assert_eq!(access::end_all(&mut tx, "ana", "").await.unwrap(), 1);
    assert_eq!(access::admins(&mut tx).await.unwrap(), 1);
    access::invite(&mut tx, "l", Some("ana"), "root", NOW, later(10)).await.unwrap();
    access::invite(&mut tx, "f", None, "start", NOW, later(10)).await.unwrap();
    assert_eq!(access::invitation(&mut tx, "l", NOW).await.unwrap(), Some(Some("ana".to_owned())));
    assert_eq!(access::invitation(&mut tx, "l", later(10)).await.unwrap(), None);
    assert_eq!(access::invitation(&mut tx, "f", NOW).await.unwrap(), Some(None));
    assert!(access::use_invitation(&mut tx, "l", NOW).await.unwrap());
    assert!(!access::use_invitation(&mut tx, "l", NOW).await.unwrap());
    assert_eq!(access::end_first_links(&mut tx, NOW).await.unwrap(), 1);
    let likes = access::Preference { language: Some("fr".to_owned()), sound: true, ..Default::default() };
    access::prefer(&mut tx, "ana", &likes).await.unwrap();
    assert_eq!(access::preference(&mut tx, "ana").await.unwrap(), likes);
    assert_eq!(access::preference(&mut tx, "bo").await.unwrap(), access::Preference::default());
    tx.commit().await.unwrap();
}

async fn a_code_is_taken_once(world: &World) {
    hire(world, "ana", "work").await;
    let mut tx = world.write().await;
    access::set_password(&mut tx, "ana", "$argon2id$1", NOW).await.unwrap();
    access::set_otp(&mut tx, "ana", Some("SECRET"), Some(NOW), "h1 h2").await.unwrap();
    assert!(access::use_step(&mut tx, "ana", 7).await.unwrap());
    assert!(!access::use_step(&mut tx, "ana", 7).await.unwrap());
    assert!(access::set_recovery(&mut tx, "ana", "h1 h2", "h2").await.unwrap());
    assert!(!access::set_recovery(&mut tx, "ana", "h1 h2", "h1").await.unwrap());
    access::set_password(&mut tx, "ana", "$argon2id$2", later(1)).await.unwrap();
    let kept = access::credential(&mut tx, "ana").await.unwrap().unwrap();
    assert_eq!((kept.password.as_str(), kept.otp_step, kept.recovery.as_str()), ("$argon2id$2", 7, "h2"));
    assert!(!format!("{kept:?}").contains("argon2id"));
    tx.commit().await.unwrap();
}

async fn the_trail_can_only_grow(world: &World) {
    opened(&world.db, &[1]).await;
    let deed = Deed { agent: "ana", origin: "192.0.2.1", act: "reply", ticket: Some(ticket(1).id), subject: "" };
    let mut tx = world.write().await;
    trail::add(&mut tx, &deed, NOW).await.unwrap();
    trail::add(&mut tx, &Deed { ticket: None, act: "agent", ..deed }, later(1)).await.unwrap();
    assert_eq!(trail::of_ticket(&mut tx, ticket(1).id, 9).await.unwrap().len(), 1);
    let all = trail::latest(&mut tx, None, 9).await.unwrap();
    assert_eq!(all.iter().map(|line| line.act.as_str()).collect::<Vec<_>>(), ["agent", "reply"]);
    assert_eq!(trail::latest(&mut tx, Some(all[0].number), 9).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    for sql in ["DELETE FROM audit", "UPDATE audit SET agent = 'eve'"] {
        let mut tx = world.write().await;
        assert!(crate::sql::execute(&mut tx, sql, &[]).await.is_err(), "{sql}");
    }
    assert_eq!(trail::latest(&mut world.read().await, None, 9).await.unwrap().len(), 2);
}

async fn drafts_looks_links_and_blocks_are_kept_and_dropped(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let (one, two) = (ticket(1).id, ticket(2).id);
    let mut tx = world.write().await;
    desktop::keep_draft(&mut tx, "ana", one, "reply", "Hel", NOW).await.unwrap();
    desktop::keep_draft(&mut tx, "ana", one, "reply", "Hello", later(1)).await.unwrap();
    assert_eq!(desktop::drafts(&mut tx, "ana", one).await.unwrap(), [("reply".to_owned(), "Hello".to_owned())]);
    desktop::keep_draft(&mut tx, "ana", one, "reply", "", later(2)).await.unwrap();
    assert!(desktop::drafts(&mut tx, "ana", one).await.unwrap().is_empty());
    desktop::look(&mut tx, "ana", one, 3).await.unwrap();
    desktop::look(&mut tx, "ana", one, 1).await.unwrap();
    assert_eq!(desktop::looked(&mut tx, "ana", &[one, two]).await.unwrap(), [(one, 3)]);
    assert!(desktop::link(&mut tx, one, two, "ana", NOW).await.unwrap());
    assert!(!desktop::link(&mut tx, two, one, "ana", NOW).await.unwrap());
    assert_eq!(desktop::links(&mut tx, two).await.unwrap(), [one]);
    assert!(desktop::unlink(&mut tx, two, one).await.unwrap());
    assert!(desktop::links(&mut tx, one).await.unwrap().is_empty());
    assert!(desktop::block(&mut tx, "a@b.test", "ana", "spam", NOW).await.unwrap());
    assert!(!desktop::block(&mut tx, "a@b.test", "bo", "spam", NOW).await.unwrap());
    assert_eq!(desktop::blocked(&mut tx).await.unwrap()[0].made_by, "ana");
    assert!(desktop::unblock(&mut tx, "a@b.test").await.unwrap());
    let mut canned = Canned {
        id: Uuid::from_u128(1),
        title: "Hello".to_owned(),
        text: "Hello".to_owned(),
        made_by: "ana".to_owned(),
        updated_at: NOW,
    };
    desktop::keep_canned(&mut tx, &canned).await.unwrap();
    canned.text = "Good day".to_owned();
    desktop::keep_canned(&mut tx, &canned).await.unwrap();
    assert_eq!(desktop::canned(&mut tx).await.unwrap(), [canned]);
    assert!(desktop::drop_canned(&mut tx, Uuid::from_u128(1)).await.unwrap());
    assert!(!desktop::drop_canned(&mut tx, key(9)).await.unwrap());
    tx.commit().await.unwrap();
}
