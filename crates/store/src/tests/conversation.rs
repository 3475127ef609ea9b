//! What a requester sees of a conversation, and what is kept of what they did.

use guichet_domain::entry::{Entry, EntryKind};
use guichet_domain::ids::{ConversationKey, MessageId, Seq};
use guichet_domain::inbound::{Contact, Explained};
use guichet_domain::reason;
use guichet_domain::ticket::{State, Ticket};

use super::make::{NOW, entry, key, later, mail, opened, ticket};
use super::{World, on_both_engines};
use crate::conversation::{begun_with, led_to, thread};
use crate::record::{Batch, Changed, NewEntry, record};
use crate::requester::{self, Marks, Rating};
use crate::ticket::{by_status_hash, load};

on_both_engines!(
    a_prefix_finds_what_begins_with_it_and_nothing_else,
    a_merged_ticket_shows_what_is_said_since,
    marks_never_go_back,
    the_last_word_stands,
    a_page_has_a_few_keys_and_a_new_one_in_their_place,
    a_contact_is_read_back,
);

async fn change(world: &World, ticket: &Ticket, entries: &[Entry]) {
    let new = |entry| NewEntry { ticket: ticket.id, inbound: None, entry, attachments: vec![] };
    let batch = Batch {
        at: NOW,
        changed: vec![Changed { ticket, seen: ticket.version }],
        entries: entries.iter().map(new).collect(),
        ..Batch::default()
    };
    let mut tx = world.write().await;
    record(&mut tx, &batch).await.unwrap();
    tx.commit().await.unwrap();
}

fn said(n: u64, kind: EntryKind, seq: i64) -> Entry {
    let id = MessageId(key(5_000_000 + n));
    Entry { id, kind, seq: Some(Seq(seq)), external_ids: vec![], reasons: vec![], ..entry(1) }
}

async fn a_prefix_finds_what_begins_with_it_and_nothing_else(world: &World) {
    opened(&world.db, &[1, 2, 3, 4]).await;
    for (n, conversation) in [(1, "a%b:1"), (2, "a%b:Ωé"), (3, "a%c:1"), (4, "axb:1")] {
        change(world, &Ticket { conversation: conversation.into(), ..ticket(n) }, &[]).await;
    }
    let mut tx = world.read().await;
    let found = begun_with(&mut tx, &mail(), "a%b:", 10).await.unwrap();
    let mut keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a%b:1", "a%b:Ωé"]);
    assert_eq!(begun_with(&mut tx, &mail(), "a%b:", 1).await.unwrap().len(), 1);
    assert_eq!(begun_with(&mut tx, &"other".into(), "a%b:", 10).await.unwrap().len(), 0);
}

async fn a_merged_ticket_shows_what_is_said_since(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let merged = Ticket { merged_into: Some(ticket(2).id), state: State::Closed, ..ticket(1) };
    let before = [said(1, EntryKind::Inbound, 2)];
    change(world, &Ticket { last_seq: 2, ..ticket(2) }, &before).await;
    let told = Entry { seq: None, reasons: vec![Explained::new(reason::MERGED, "")], ..said(9, EntryKind::Event, 0) };
    change(world, &merged, &[told]).await;
    let after = [
        said(2, EntryKind::Reply, 3),
        Entry { author: ticket(2).requester, ..said(3, EntryKind::Inbound, 4) },
        said(4, EntryKind::Inbound, 5),
    ];
    change(world, &Ticket { last_seq: 5, version: 2, ..ticket(2) }, &after).await;
    let mut tx = world.read().await;
    let thread = thread(&mut tx, &mail(), &merged.conversation).await.unwrap().unwrap();
    assert_eq!((thread.ticket.id, thread.end.id, thread.is_simple()), (ticket(1).id, ticket(2).id, false));
    let entries = thread.entries(&mut tx, Seq(0), 10).await.unwrap();
    let seen: Vec<_> = entries.iter().map(|kept| (kept.entry.seq.unwrap().0, kept.entry.kind)).collect();
    assert_eq!(seen, [(1, EntryKind::Inbound), (2, EntryKind::Reply), (3, EntryKind::Inbound)]);
    assert_eq!(entries[2].entry.id, after[2].id, "their own words, and not the other's");
    assert_eq!(thread.last_seq(&mut tx).await.unwrap(), Seq(3));
    assert_eq!(thread.place(&mut tx, ticket(2).id, Seq(5)).await.unwrap(), Seq(3));
    assert_eq!(thread.entries(&mut tx, Seq(2), 10).await.unwrap().len(), 1);
    assert_eq!(led_to(&mut tx, ticket(2).id).await.unwrap(), [(mail(), merged.conversation.clone())]);
    let other = crate::conversation::thread(&mut tx, &mail(), &ticket(2).conversation).await.unwrap().unwrap();
    assert_eq!(other.entries(&mut tx, Seq(0), 10).await.unwrap().len(), 5, "the other sees their whole ticket");
}

async fn marks_never_go_back(world: &World) {
    let (source, conversation) = (mail(), ConversationKey::from("c"));
    let mut tx = world.write().await;
    let read = |n| Marks { read_upto: Seq(n), ..Marks::default() };
    assert!(requester::advance(&mut tx, &source, &conversation, read(3)).await.unwrap());
    assert!(!requester::advance(&mut tx, &source, &conversation, read(3)).await.unwrap());
    assert!(!requester::advance(&mut tx, &source, &conversation, read(1)).await.unwrap());
    let mailed = Marks { mailed_upto: Seq(2), ..Marks::default() };
    assert!(requester::advance(&mut tx, &source, &conversation, mailed).await.unwrap());
    let marks = requester::marks(&mut tx, &source, &conversation).await.unwrap();
    assert_eq!(marks, Marks { read_upto: Seq(3), seen_upto: Seq(0), mailed_upto: Seq(2) });
    assert!(requester::begin(&mut tx, key(1), NOW).await.unwrap());
    assert!(!requester::begin(&mut tx, key(1), later(1)).await.unwrap());
    assert_eq!(requester::prune(&mut tx, later(1)).await.unwrap(), 1);
}

async fn the_last_word_stands(world: &World) {
    opened(&world.db, &[1]).await;
    let mut tx = world.write().await;
    let rating = |closure, score| Rating { closure, score, text: Some("Well.".to_owned()), at: NOW };
    let id = ticket(1).id;
    assert_eq!(requester::rating(&mut tx, id).await.unwrap(), None);
    for one in [rating(1, 2), rating(2, 3), rating(2, 5)] {
        requester::rate(&mut tx, id, &one).await.unwrap();
    }
    assert_eq!(requester::rating(&mut tx, id).await.unwrap(), Some(rating(2, 5)));
}

async fn a_page_has_a_few_keys_and_a_new_one_in_their_place(world: &World) {
    opened(&world.db, &[1]).await;
    let id = ticket(1).id;
    let mut tx = world.write().await;
    for n in 0..25 {
        requester::add_page_key(&mut tx, id, &format!("key {n}"), later(n)).await.unwrap();
    }
    assert_eq!(requester::page(&mut tx, "key 0").await.unwrap(), None, "the oldest ended");
    assert_eq!(requester::page(&mut tx, "key 24").await.unwrap(), Some(id));
    requester::only_page_key(&mut tx, id, "new").await.unwrap();
    assert_eq!(requester::page(&mut tx, "key 24").await.unwrap(), None);
    assert_eq!(by_status_hash(&mut tx, "new").await.unwrap().unwrap().id, id);
}

async fn a_contact_is_read_back(world: &World) {
    opened(&world.db, &[1]).await;
    let contact = Some(Contact { address: "jean@home.test".to_owned(), verified: true });
    change(world, &Ticket { contact: contact.clone(), ..ticket(1) }, &[]).await;
    let mut tx = world.read().await;
    assert_eq!(load(&mut tx, ticket(1).id).await.unwrap().unwrap().contact, contact);
}
