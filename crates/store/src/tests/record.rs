//! What is written is read back, all of it or nothing.

use guichet_domain::entry::EntryKind;
use guichet_domain::event::{TimerKind, Transition};
use guichet_domain::ids::{ExternalId, MessageId, Seq};
use guichet_domain::inbound::Explained;
use guichet_domain::language::Language;
use guichet_domain::reason;
use guichet_domain::ticket::{State, Ticket, Tier};

use super::make::{NOW, delivery, entry, inbound, key, later, mail, opened, party, ticket};
use super::{World, on_both_engines};
use crate::record::{
    Batch, Changed, Explanation, Identity, NewAttachment, NewEntry, NewId, Opened, Participant, Role, Verdict, record,
};
use crate::ticket::{by_conversation, by_reference, by_status_hash, load, lock_for_change};
use crate::{ErrorKind, StoreError, blob, figures, keep, timeline, timer};

on_both_engines!(
    one_mail_is_read_back_as_it_was_written,
    three_of_everything_are_read_back,
    a_change_that_was_overtaken_changes_nothing,
    whoever_locks_a_ticket_writes_it,
    a_notice_that_is_decided_twice_is_queued_once,
    the_guilty_item_of_a_batch_is_undone_and_its_neighbours_stay,
    a_taken_reference_is_told_from_other_failures,
    an_address_that_writes_is_known_to_work_again,
    timers_are_set_anew_and_cleared,
    what_was_counted_is_what_is_there,
);

async fn one_mail_is_read_back_as_it_was_written(world: &World) {
    opened(&world.db, &[1]).await;
    let mut tx = world.read().await;
    let expected = ticket(1);
    assert_eq!(load(&mut tx, expected.id).await.unwrap(), Some(expected.clone()));
    assert_eq!(by_reference(&mut tx, &expected.reference).await.unwrap().unwrap().id, expected.id);
    let found = by_conversation(&mut tx, &mail(), &expected.conversation).await.unwrap();
    assert_eq!(found.unwrap().id, expected.id);
    let kept = timeline::entries(&mut tx, expected.id, 0, 50).await.unwrap();
    let mut written = entry(1);
    written.text = "It burns.\u{fffd} Help!".to_owned();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].entry, written);
    let participants = timeline::participants(&mut tx, expected.id).await.unwrap();
    assert_eq!(participants, vec![(party(1), Role::Requester)]);
}

async fn three_of_everything_are_read_back(world: &World) {
    let numbers = [1, 2, 3];
    opened(&world.db, &numbers).await;
    let source = mail();
    let raws: Vec<_> = numbers.iter().map(|n| blob::pack(format!("raw {n}").repeat(50).as_bytes(), NOW)).collect();
    let ids: Vec<_> = numbers.iter().map(|n| ExternalId::new(format!("INBOX/1/1{n}"))).collect();
    let extra = ExternalId::from("<extra@x.test>");
    let mut changed: Vec<_> = numbers.iter().map(|n| ticket(*n)).collect();
    let mut entries: Vec<_> = numbers.iter().map(|n| entry(*n)).collect();
    for (n, (ticket, entry)) in numbers.iter().zip(changed.iter_mut().zip(entries.iter_mut())) {
        (ticket.state, ticket.tier, ticket.language) = (State::Open, Tier::L2, Language::Other);
        (ticket.assignee, ticket.attention) = (Some("marie".to_owned()), Some(reason::REPORT_FAILED));
        (ticket.answered_at, ticket.updated_at, ticket.last_seq) = (Some(later(1)), later(1), 2);
        entry.id = MessageId(key(3_000_000 + n));
        (entry.kind, entry.seq, entry.at) = (EntryKind::Reply, Some(Seq(2)), later(1));
        entry.external_ids.clear();
    }
    let moves: Vec<_> = numbers
        .iter()
        .map(|_| Transition {
            from: Some(State::New),
            to: State::Open,
            by: Some("marie".to_owned()),
            why: reason::AGENT_ACTION,
            at: later(1),
        })
        .collect();
    let reasons = [Explained::new(reason::AGENT_ACTION, "reply"), Explained::new(reason::PROMISE, "")];
    let batch = Batch {
        at: later(1),
        changed: changed.iter().map(|ticket| Changed { ticket, seen: 1 }).collect(),
        entries: entries
            .iter()
            .zip(&changed)
            .zip(&raws)
            .map(|((entry, ticket), raw)| NewEntry {
                ticket: ticket.id,
                inbound: None,
                entry,
                attachments: vec![
                    NewAttachment {
                        name: "a.txt",
                        media_type: "text/plain",
                        content_id: None,
                        hash: raw.hash,
                        size: raw.size
                    };
                    2
                ],
            })
            .collect(),
        ids: vec![NewId { id: &extra, ticket: changed[0].id, entry: Some(entries[0].id), delivery: None, at: NOW }; 3],
        threads: vec![("t", changed[0].id), ("t", changed[0].id), ("t", changed[1].id)],
        explanations: changed
            .iter()
            .map(|ticket| Explanation { cause: key(42), ticket: Some(ticket.id), reasons: &reasons, at: later(1) })
            .collect(),
        participants: changed
            .iter()
            .flat_map(|ticket| {
                [ticket.requester.as_ref().unwrap(), entries[0].author.as_ref().unwrap()].map(|party| Participant {
                    ticket: ticket.id,
                    party,
                    role: Role::Other,
                })
            })
            .collect(),
        inbounds: numbers
            .iter()
            .zip(&ids)
            .zip(&raws)
            .map(|((n, id), raw)| crate::record::NewInbound {
                id: guichet_domain::ids::InboundId(key(4_000_000 + n)),
                verdict: Verdict::Appended,
                raw: Some(raw.hash),
                ..inbound(*n, &source, id)
            })
            .collect(),
        blobs: raws.iter().chain(&raws).collect(),
        transitions: changed.iter().zip(&moves).map(|(ticket, change)| (ticket.id, change)).collect(),
        cursors: vec![(&source, "INBOX", "1:2"), (&source, "INBOX", "1:3"), (&source, "Junk", "7:1")],
        tally: numbers.iter().map(|_| (&source, Verdict::Appended, 1)).collect(),
        ..Batch::default()
    };
    let mut tx = world.write().await;
    record(&mut tx, &batch).await.unwrap();
    tx.commit().await.unwrap();

    for ticket in &mut changed {
        ticket.version = 2;
    }
    three_are_there(world, &changed, &raws, &moves[0]).await;
    let mut tx = world.read().await;
    let explained = timeline::explained(&mut tx, key(42)).await.unwrap();
    assert_eq!(explained.len(), 6);
    assert_eq!(explained[0].why, reasons[0]);
    assert_eq!(keep::cursor(&mut tx, &source, "INBOX").await.unwrap().as_deref(), Some("1:3"));
    assert!(figures::discrepancies(&mut tx).await.unwrap().is_sound());
}

async fn three_are_there(world: &World, changed: &[Ticket], raws: &[blob::Packed], moved: &Transition) {
    let mut tx = world.read().await;
    for (ticket, raw) in changed.iter().zip(raws) {
        assert_eq!(load(&mut tx, ticket.id).await.unwrap().as_ref(), Some(ticket));
        let kept = timeline::entries(&mut tx, ticket.id, 0, 50).await.unwrap();
        assert_eq!(kept.iter().map(|kept| kept.entry.kind).collect::<Vec<_>>(), [EntryKind::Inbound, EntryKind::Reply]);
        assert_eq!(kept[1].attachments.len(), 2);
        assert_eq!((kept[1].attachments[1].position, kept[1].attachments[1].hash), (1, raw.hash));
        let stored = blob::get(&mut tx, &raw.hash).await.unwrap().unwrap();
        let unpacked = blob::unpack(stored.codec, &stored.bytes.unwrap(), stored.size).unwrap();
        assert!(unpacked.starts_with(b"raw "));
        let came = crate::inbound::of_ticket(&mut tx, ticket.id).await.unwrap();
        let kept = crate::inbound::raw(&mut tx, came[1].id).await.unwrap().unwrap();
        assert_eq!(blob::unpack(kept.codec, &kept.bytes.unwrap(), kept.size).unwrap(), unpacked);
        assert_eq!(timeline::transitions(&mut tx, ticket.id).await.unwrap(), std::slice::from_ref(moved));
        let public = timeline::public(&mut tx, ticket.id, Seq(1), 50).await.unwrap();
        assert_eq!(public.iter().map(|kept| kept.entry.seq).collect::<Vec<_>>(), [Some(Seq(2))]);
    }
}

async fn a_change_that_was_overtaken_changes_nothing(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let mut mine = [ticket(1), ticket(2)];
    mine[0].subject = "mine".to_owned();
    let mut tx = world.write().await;
    let changed = vec![Changed { ticket: &mine[0], seen: 1 }];
    record(&mut tx, &Batch { at: NOW, changed, ..Batch::default() }).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = world.write().await;
    let changed = mine.iter().map(|ticket| Changed { ticket, seen: 1 }).collect();
    let error = record(&mut tx, &Batch { at: NOW, changed, ..Batch::default() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), "somebody else changed it first: 1 of 2 tickets");
    tx.rollback().await.unwrap();
    let mut tx = world.read().await;
    assert_eq!(load(&mut tx, ticket(2).id).await.unwrap().unwrap().version, 1);
}

async fn whoever_locks_a_ticket_writes_it(world: &World) {
    opened(&world.db, &[1]).await;
    let mut tx = world.write().await;
    let mut locked = lock_for_change(&mut tx, ticket(1).id).await.unwrap().unwrap();
    assert_eq!(locked.version, 2);
    locked.assignee = Some("marie".to_owned());
    let changed = vec![Changed { ticket: &locked, seen: locked.version }];
    record(&mut tx, &Batch { at: NOW, changed, ..Batch::default() }).await.unwrap();
    assert_eq!(lock_for_change(&mut tx, guichet_domain::ids::TicketId(key(9))).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut tx = world.read().await;
    let kept = load(&mut tx, ticket(1).id).await.unwrap().unwrap();
    assert_eq!((kept.assignee.as_deref(), kept.version), (Some("marie"), 3));
}

async fn a_notice_that_is_decided_twice_is_queued_once(world: &World) {
    opened(&world.db, &[1]).await;
    let (old, mut new) = (delivery(1), delivery(1));
    new.id = guichet_domain::ids::DeliveryId(key(5));
    let mut tx = world.write().await;
    let batch = Batch { at: NOW, deliveries: vec![&old, &new], ..Batch::default() };
    assert_eq!(record(&mut tx, &batch).await.unwrap().deliveries, 1);
    assert_eq!(record(&mut tx, &batch).await.unwrap().deliveries, 0);
    assert_eq!(crate::outbox::of_ticket(&mut tx, ticket(1).id).await.unwrap().len(), 2);
}

async fn the_guilty_item_of_a_batch_is_undone_and_its_neighbours_stay(world: &World) {
    let good = ticket(1);
    let mut guilty = ticket(2);
    guilty.follows = Some(guichet_domain::ids::TicketId(key(404)));
    let open = |ticket| Batch { at: NOW, opened: vec![Opened { ticket, status_hash: None }], ..Batch::default() };
    let mut tx = world.write().await;
    tx.savepoint().await.unwrap();
    record(&mut tx, &open(&good)).await.unwrap();
    tx.keep_savepoint().await.unwrap();
    tx.savepoint().await.unwrap();
    let error = record(&mut tx, &open(&guilty)).await.unwrap_err();
    assert!(!error.is_environment(), "{error}");
    tx.undo_to_savepoint().await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.read().await;
    assert!(load(&mut tx, good.id).await.unwrap().is_some());
    assert!(load(&mut tx, guilty.id).await.unwrap().is_none());
}

async fn a_taken_reference_is_told_from_other_failures(world: &World) {
    opened(&world.db, &[1]).await;
    let mut other = ticket(2);
    other.reference = ticket(1).reference;
    let opened = vec![Opened { ticket: &other, status_hash: Some("ab".to_owned()) }];
    let mut tx = world.write().await;
    let error = record(&mut tx, &Batch { at: NOW, opened, ..Batch::default() }).await.unwrap_err();
    assert!(matches!(error, StoreError::Taken { .. }), "{error}");
    tx.rollback().await.unwrap();
    other.reference = ticket(2).reference;
    let opened = vec![Opened { ticket: &other, status_hash: Some("ab".to_owned()) }];
    let mut tx = world.write().await;
    record(&mut tx, &Batch { at: NOW, opened, ..Batch::default() }).await.unwrap();
    assert_eq!(by_status_hash(&mut tx, "ab").await.unwrap().unwrap().id, other.id);
    assert_eq!(by_status_hash(&mut tx, "cd").await.unwrap(), None);
}

async fn an_address_that_writes_is_known_to_work_again(world: &World) {
    let address = party(1).key();
    let hard = reason::REPORT_HARD;
    let known = |undeliverable, works| Identity {
        address: &address,
        language: Some(Language::De),
        verified: true,
        undeliverable,
        works,
        at: NOW,
    };
    let undeliverable = async |identities| {
        let mut tx = world.write().await;
        record(&mut tx, &Batch { at: NOW, identities, ..Batch::default() }).await.unwrap();
        let wanted = crate::intake::Wanted { addresses: [address.clone()].into(), ..Default::default() };
        let found = crate::intake::find(&mut tx, &wanted, NOW).await.unwrap();
        tx.commit().await.unwrap();
        !found.undeliverable.is_empty()
    };
    assert!(undeliverable(vec![known(None, false), known(Some(&hard), false)]).await);
    assert!(undeliverable(vec![known(None, false)]).await, "what is not said stays as it was");
    assert!(!undeliverable(vec![known(None, true)]).await);
}

async fn timers_are_set_anew_and_cleared(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let (one, two, three) = (ticket(1).id, ticket(2).id, ticket(3).id);
    let mut tx = world.write().await;
    let timers_set = vec![
        (one, TimerKind::Promise, later(10)),
        (two, TimerKind::Promise, later(20)),
        (two, TimerKind::Window, later(99)),
        (three, TimerKind::Window, later(30)),
        (three, TimerKind::Window, later(5)),
    ];
    record(&mut tx, &Batch { at: NOW, timers_set, ..Batch::default() }).await.unwrap();
    let due = timer::due(&mut tx, later(20), 10).await.unwrap();
    assert_eq!(due.iter().map(|timer| timer.ticket).collect::<Vec<_>>(), [three, one, two]);
    assert_eq!(timer::next(&mut tx).await.unwrap(), Some(later(5)));
    assert!(timer::postpone(&mut tx, &due[0], later(50)).await.unwrap());
    assert!(!timer::clear(&mut tx, &due[0]).await.unwrap(), "it was put off since it was read");
    let batch = Batch {
        at: NOW,
        timers_cleared: vec![(one, TimerKind::Promise), (one, TimerKind::Window), (two, TimerKind::Promise)],
        timers_set: vec![(two, TimerKind::Promise, later(60))],
        ..Batch::default()
    };
    record(&mut tx, &batch).await.unwrap();
    assert_eq!(timer::of_ticket(&mut tx, one).await.unwrap(), vec![]);
    let left = timer::of_ticket(&mut tx, two).await.unwrap();
    assert_eq!(left.iter().map(|timer| timer.due_at).collect::<Vec<_>>(), [later(60), later(99)]);
}

async fn what_was_counted_is_what_is_there(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let source = mail();
    let mut tx = world.write().await;
    assert_eq!(figures::tally(&mut tx).await.unwrap()[&(mail(), Verdict::Opened)], 3);
    let mut lost = ticket(1);
    lost.last_seq = 4;
    let batch = Batch {
        at: NOW,
        changed: vec![Changed { ticket: &lost, seen: 1 }],
        tally: vec![
            (&source, Verdict::Opened, 1),
            (&source, Verdict::Quarantined, 1),
            (&source, Verdict::Duplicate, 9),
        ],
        ..Batch::default()
    };
    record(&mut tx, &batch).await.unwrap();
    crate::intake::reserve(&mut tx, &[crate::intake::KeyRow { key: "k", inbound: super::make::inbound_id(77) }])
        .await
        .unwrap();
    let found = figures::discrepancies(&mut tx).await.unwrap();
    assert_eq!(found.tally[&(mail(), Verdict::Opened)], (4, 3));
    assert_eq!(found.tally[&(mail(), Verdict::Quarantined)], (1, 0));
    assert_eq!((found.tally.len(), found.orphan_keys, found.last_seq, found.gaps), (2, 1, 1, 0));
    assert!(!found.is_sound());
}
