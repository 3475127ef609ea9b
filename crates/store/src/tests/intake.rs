//! Taken in once, and found again.

use std::collections::{BTreeSet, HashMap};

use guichet_domain::ids::{ConversationKey, ExternalId, InboundId, SourceName, TicketId};
use guichet_domain::outgoing::DeliveryState;
use guichet_domain::reason;
use guichet_domain::reference::Reference;

use super::make::{NOW, delivery, inbound_id, key, later, mail, opened, party, ticket};
use super::{World, on_both_engines};
use crate::intake::{KeyRow, Reserved, Wanted, find, reserve, taken_references};
use crate::record::{Batch, Changed, Identity, NewId, record};

on_both_engines!(
    the_same_item_again_gets_the_same_answer,
    of_two_items_of_a_batch_that_share_a_key_the_first_wins,
    a_chain_of_shared_keys_leads_to_its_first_item,
    a_key_longer_than_any_index_is_told_from_its_neighbours,
    a_key_with_a_zero_character_is_known_again,
    everything_an_item_can_mention_finds_its_ticket,
    what_leads_to_a_merged_ticket_leads_to_what_it_became,
    a_repeated_message_id_stays_with_the_ticket_that_had_it_first,
    acknowledgements_and_nothing_else_are_counted_by_address_domain_and_hour,
    taken_references_are_known_before_they_clash,
);

async fn keep(world: &World, keys: &[(&str, u64)]) -> HashMap<InboundId, Reserved> {
    let mut tx = world.write().await;
    let keys: Vec<_> = keys.iter().map(|(key, n)| KeyRow { key, inbound: inbound_id(*n) }).collect();
    let reserved = reserve(&mut tx, &keys).await.unwrap();
    tx.commit().await.unwrap();
    reserved
}

async fn the_same_item_again_gets_the_same_answer(world: &World) {
    let first = keep(world, &[("support-mail/INBOX/1/1", 1)]).await;
    assert_eq!(first[&inbound_id(1)], Reserved::Won);
    opened(&world.db, &[1]).await;
    let again = keep(world, &[("support-mail/INBOX/1/1", 2), ("support-mail/INBOX/1/2", 3)]).await;
    assert_eq!(again[&inbound_id(3)], Reserved::Won);
    let Reserved::Earlier { inbound, answer: Some(answer) } = &again[&inbound_id(2)] else {
        panic!("it was here before: {again:?}")
    };
    assert_eq!(*inbound, inbound_id(1));
    assert_eq!(answer.verdict, crate::Verdict::Opened);
    assert_eq!(answer.reference, Some(ticket(1).reference));
    assert_eq!((answer.ticket, answer.seq.map(|seq| seq.0)), (Some(ticket(1).id), Some(1)));
}

async fn of_two_items_of_a_batch_that_share_a_key_the_first_wins(world: &World) {
    let keys = [("id-of-1", 1), ("zz same", 1), ("id-of-2", 2), ("zz same", 2)];
    let reserved = keep(world, &keys).await;
    assert_eq!(reserved[&inbound_id(1)], Reserved::Won);
    assert_eq!(reserved[&inbound_id(2)], Reserved::Earlier { inbound: inbound_id(1), answer: None });
    opened(&world.db, &[1]).await;
    // The second comes again, alone: what only it was called leads to the first one's ticket.
    let again = keep(world, &[("id-of-2", 3)]).await;
    let Reserved::Earlier { inbound, answer: Some(answer) } = &again[&inbound_id(3)] else { panic!("{again:?}") };
    assert_eq!((*inbound, answer.reference), (inbound_id(1), Some(ticket(1).reference)));
}

async fn a_chain_of_shared_keys_leads_to_its_first_item(world: &World) {
    let reserved = keep(world, &[("a", 1), ("a", 2), ("b", 2), ("b", 3), ("c", 3)]).await;
    assert_eq!(reserved[&inbound_id(1)], Reserved::Won);
    for n in [2, 3] {
        assert_eq!(reserved[&inbound_id(n)], Reserved::Earlier { inbound: inbound_id(1), answer: None }, "{n}");
    }
    let again = keep(world, &[("c", 4)]).await;
    assert_eq!(again[&inbound_id(4)], Reserved::Earlier { inbound: inbound_id(1), answer: None });
}

async fn a_key_longer_than_any_index_is_told_from_its_neighbours(world: &World) {
    let (one, other) = (format!("{}1", "k".repeat(9_000)), format!("{}2", "k".repeat(9_000)));
    let reserved = keep(world, &[(&one, 1), (&other, 2)]).await;
    assert_eq!((&reserved[&inbound_id(1)], &reserved[&inbound_id(2)]), (&Reserved::Won, &Reserved::Won));
    assert!(matches!(keep(world, &[(&one, 3)]).await[&inbound_id(3)], Reserved::Earlier { .. }));
}

async fn a_key_with_a_zero_character_is_known_again(world: &World) {
    assert_eq!(keep(world, &[("a\0b", 1)]).await[&inbound_id(1)], Reserved::Won);
    let again = keep(world, &[("a\0b", 2)]).await;
    assert_eq!(again[&inbound_id(2)], Reserved::Earlier { inbound: inbound_id(1), answer: None });
}

async fn everything_an_item_can_mention_finds_its_ticket(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let bad = reason::REPORT_HARD;
    let address = party(2).key();
    let batch = Batch {
        at: NOW,
        threads: vec![("thread-3", ticket(3).id)],
        identities: vec![Identity {
            address: &address,
            language: None,
            verified: false,
            undeliverable: Some(&bad),
            works: false,
            at: NOW,
        }],
        ..Batch::default()
    };
    let mut tx = world.write().await;
    record(&mut tx, &batch).await.unwrap();
    tx.commit().await.unwrap();

    let (known, unknown) = (ExternalId::from("<mail-2@client.example>"), ExternalId::from("<never@x.test>"));
    let (source, conversation) = (mail(), ConversationKey::from("<root-3@client.example>"));
    let elsewhere = SourceName::from("other-mail");
    let wanted = Wanted {
        tickets: vec![ticket(1).id, TicketId(key(99))],
        deliveries: vec![delivery(2).id],
        ids: vec![&known, &unknown],
        references: vec![ticket(3).reference, Reference::from_free(99)],
        conversations: vec![(&source, &conversation), (&elsewhere, &conversation)],
        threads: vec!["thread-3", "thread-4"],
        addresses: [party(1).key(), party(2).key()].into(),
        domains: BTreeSet::new(),
        domain_cap: 60,
    };
    let mut tx = world.read().await;
    let found = find(&mut tx, &wanted, NOW).await.unwrap();
    assert_eq!(found.tickets.len(), 3);
    assert_eq!(found.tickets[&ticket(1).id], ticket(1));
    assert_eq!(found.leads_to.get(&TicketId(key(99))), None);
    assert_eq!(found.deliveries[&delivery(2).id], ticket(2).id);
    assert_eq!(found.ids[&known].ticket, ticket(2).id);
    assert_eq!(found.ids.len(), 1);
    assert_eq!(found.references, HashMap::from([(ticket(3).reference, ticket(3).id)]));
    assert_eq!(found.conversations, HashMap::from([((mail(), conversation.clone()), ticket(3).id)]));
    assert_eq!(found.threads, HashMap::from([("thread-3".to_owned(), ticket(3).id)]));
    assert!(found.participants[&ticket(1).id].contains("person1@client.example"));
    assert!(!found.participants.contains_key(&ticket(3).id), "person 3 was not asked for");
    assert_eq!(found.undeliverable, [party(2).key()].into());
    // Nothing wanted, nothing found, nothing fails.
    let found = find(&mut tx, &Wanted::default(), NOW).await.unwrap();
    assert!(found.tickets.is_empty());
}

async fn what_leads_to_a_merged_ticket_leads_to_what_it_became(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let (mut first, mut second) = (ticket(1), ticket(2));
    first.merged_into = Some(second.id);
    second.merged_into = Some(ticket(3).id);
    let mut tx = world.write().await;
    let changed = vec![Changed { ticket: &first, seen: 1 }, Changed { ticket: &second, seen: 1 }];
    record(&mut tx, &Batch { at: NOW, changed, ..Batch::default() }).await.unwrap();
    let id = ExternalId::from("<mail-1@client.example>");
    let wanted = Wanted {
        ids: vec![&id],
        references: vec![ticket(2).reference],
        addresses: [party(1).key()].into(),
        ..Wanted::default()
    };
    let found = find(&mut tx, &wanted, NOW).await.unwrap();
    assert_eq!(found.ids[&id].ticket, ticket(3).id);
    assert_eq!(found.references[&ticket(2).reference], ticket(3).id);
    assert_eq!(found.leads_to[&ticket(1).id], ticket(3).id);
    assert!(found.tickets.contains_key(&ticket(3).id));
    assert!(
        found.participants[&ticket(3).id].contains(&party(1).key()),
        "who wrote to the first takes part in the last"
    );
}

async fn a_repeated_message_id_stays_with_the_ticket_that_had_it_first(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let id = ExternalId::from("<mail-1@client.example>");
    let ids = vec![NewId { id: &id, ticket: ticket(2).id, entry: None, delivery: None, at: later(9) }];
    let mut tx = world.write().await;
    record(&mut tx, &Batch { at: NOW, ids, ..Batch::default() }).await.unwrap();
    let found = find(&mut tx, &Wanted { ids: vec![&id], ..Wanted::default() }, NOW).await.unwrap();
    assert_eq!(found.ids[&id].ticket, ticket(1).id);
}

async fn acknowledgements_and_nothing_else_are_counted_by_address_domain_and_hour(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let hours = |n: u64| later(n * 3600);
    let mut silenced = delivery(1);
    silenced.id = guichet_domain::ids::DeliveryId(key(77));
    silenced.state = DeliveryState::Suppressed;
    silenced.reason = Some(reason::CAP_SENDER_HOUR);
    let mut reply = delivery(1);
    reply.id = guichet_domain::ids::DeliveryId(key(78));
    reply.kind = guichet_domain::outgoing::NoticeKind::Reply;
    let mut closure = delivery(1);
    closure.id = guichet_domain::ids::DeliveryId(key(80));
    closure.kind = guichet_domain::outgoing::NoticeKind::Closure;
    let mut second = delivery(1);
    second.id = guichet_domain::ids::DeliveryId(key(79));
    let mut tx = world.write().await;
    record(&mut tx, &Batch { at: NOW, deliveries: vec![&silenced, &reply, &closure], ..Batch::default() })
        .await
        .unwrap();
    record(&mut tx, &Batch { at: hours(2), deliveries: vec![&second], ..Batch::default() }).await.unwrap();
    let wanted = Wanted {
        addresses: [party(1).key(), party(2).key()].into(),
        domains: ["client.example".to_owned(), "x.test".to_owned()].into(),
        domain_cap: 2,
        ..Wanted::default()
    };
    let mut sent = find(&mut tx, &wanted, later(60)).await.unwrap().sent;
    let counts = sent.counts(&party(1).key(), Some("client.example"));
    assert_eq!(
        (counts.sender_hour, counts.domain_hour, counts.ticket),
        (2, 2, 0),
        "three went out, two are enough to know"
    );
    assert_eq!(sent.counts(&party(2).key(), Some("x.test")).domain_hour, 0);
    sent.add(&party(2).key(), Some("x.test"));
    let counts = sent.counts(&party(2).key(), Some("x.test"));
    assert_eq!((counts.sender_hour, counts.sender_day, counts.domain_hour), (2, 2, 1));

    let counts = find(&mut tx, &wanted, later(2 * 3600 + 60)).await.unwrap().sent;
    let counts = counts.counts(&party(1).key(), Some("client.example"));
    assert_eq!((counts.sender_hour, counts.sender_day, counts.domain_hour, counts.global_hour), (1, 2, 1, 1));
    assert!((counts.trailing_mean - 3.0 / 1.016_666).abs() < 0.1, "{}", counts.trailing_mean);
}

async fn taken_references_are_known_before_they_clash(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let mut tx = world.read().await;
    let asked = [Reference::from_free(1), Reference::from_free(3), Reference::from_free(2)];
    let taken = taken_references(&mut tx, &asked).await.unwrap();
    assert_eq!(taken, [Reference::from_free(1), Reference::from_free(2)].into());
    assert!(taken_references(&mut tx, &[]).await.unwrap().is_empty());
}
