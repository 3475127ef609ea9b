//! Many at once: each request is one ticket, each timeline is whole, however they interleave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guichet::desk::views::{MessageKind, NewMessage};
use guichet::desk::{DeskError, Request, Wanted};
use guichet_contract::{NotAccepted, Receipt, Verdict};
use guichet_domain::Clock as _;
use guichet_domain::ids::{ConversationKey, ExternalId, SourceName};
use guichet_domain::inbound::{Content, Inbound, Item, Party, Trust};
use guichet_domain::reason::Reason;

use super::life::{LETTERS, Life};
use super::{World, tell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_sources_that_hand_in_the_same_items_at_once_make_one_ticket_of_each() {
    tell(async |world| {
        let life = world.life();
        let now = world.clock.now();
        let tasks: Vec<_> = (0..16)
            .map(|task: usize| {
                let life = life.clone();
                tokio::spawn(async move {
                    let mut told = Vec::new();
                    for step in 0..10 {
                        // Each task goes through the same forty items, from another place and with another stride.
                        let items: Vec<_> = (0..4).map(|n| (task * 7 + (step * 4 + n) * (2 * task + 1)) % 40).collect();
                        let batch = items.iter().map(|n| item(&format!("item-{n}"), None, now)).collect();
                        told.extend(items.into_iter().zip(accept(&life, batch).await));
                    }
                    told
                })
            })
            .collect();
        let mut opened: BTreeMap<usize, usize> = BTreeMap::new();
        let mut references: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let mut handed_in = 0;
        for task in tasks {
            for (item, receipt) in task.await.unwrap() {
                handed_in += 1;
                *opened.entry(item).or_default() += usize::from(receipt.verdict == Verdict::Opened);
                assert!(matches!(receipt.verdict, Verdict::Opened | Verdict::Duplicate), "{receipt:?}");
                references.entry(item).or_default().insert(receipt.reference.unwrap());
            }
        }
        assert_eq!(opened.len(), 40);
        assert!(opened.values().all(|times| *times == 1), "{opened:?}");
        assert!(references.values().all(|known| known.len() == 1), "{references:?}");
        let balance = life.desk.reconcile().await.unwrap();
        assert_eq!((balance.sources[0].opened, balance.received), (40, handed_in));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_that_many_write_to_at_once_has_no_gap_and_loses_no_word() {
    tell(async |world| {
        let life = world.life();
        let now = world.clock.now();
        let first = accept(&life, vec![item("first", Some("talk"), now)]).await.remove(0);
        let ticket = Arc::new(first.reference.unwrap());
        let writers = (0..8).map(|task| {
            let life = life.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    let receipt =
                        accept(&life, vec![item(&format!("word-{task}-{n}"), Some("talk"), now)]).await.remove(0);
                    assert_eq!(receipt.verdict, Verdict::Appended, "{receipt:?}");
                }
            })
        });
        let agents = (0..4).map(|agent| {
            let (life, ticket) = (life.clone(), Arc::clone(&ticket));
            tokio::spawn(async move {
                for n in 0..5 {
                    replies(&life, &ticket, &format!("agent{agent}"), &format!("reply-{agent}-{n}")).await;
                }
            })
        });
        let tasks: Vec<_> = writers.chain(agents).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let seen = life.conversation("talk").await;
        // The first item, its acknowledgement, eighty words and twenty replies.
        assert_eq!(seen.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..=102).collect::<Vec<_>>());
        let words: BTreeSet<_> = seen.iter().map(|(_, text)| text.as_str()).collect();
        for task in 0..8 {
            let of_task: Vec<_> =
                seen.iter().map(|(_, text)| text).filter(|text| text.starts_with(&format!("word-{task}-"))).collect();
            assert_eq!(
                of_task,
                (0..10).map(|n| format!("word-{task}-{n}")).collect::<Vec<_>>().iter().collect::<Vec<_>>()
            );
        }
        assert!((0..4).all(|agent| (0..5).all(|n| words.contains(format!("reply-{agent}-{n}").as_str()))));
    })
    .await;
}

#[tokio::test]
async fn whoever_watches_a_conversation_sees_it_grow() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let (channel, port) = world.letters();
        let stop = guichet_contract::Stop::new();
        let listening = tokio::spawn({
            let stop = stop.clone();
            async move { channel.listen(port, stop).await }
        });
        let talk = ConversationKey::new("talk");
        world.post.open_window(&talk);
        let id = world.post.write(jean.letter().about("Hello").says("Is anybody there?").in_conversation("talk"));
        let ticket = world.post.until_taken(&id).await.unwrap().reference.unwrap();
        let shown = world.post.until_shown(&talk, 2).await;
        assert_eq!(shown[0].text, "Is anybody there?");
        assert!(shown[1].text.contains(&ticket), "{}", shown[1].text);
        ada.replies(&ticket, "Yes, I am.").await;
        ada.notes(&ticket, "A difficult one.").await;
        ada.closes(&ticket, "All said.").await;
        let shown = world.post.until_shown(&talk, 4).await;
        assert_eq!(shown[2].text, "Yes, I am.");
        assert!(shown[3].text.contains("All said."), "and the note is for agents alone: {}", shown[3].text);
        assert_eq!(shown.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
        stop.cancel();
        listening.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_agents_who_close_one_ticket_close_it_once() {
    tell(async |world: &World| {
        let jean = world.person("jean");
        let ticket = Arc::new(jean.writes("Printer broken").await.ticket());
        let life = world.life();
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (life, ticket) = (life.clone(), Arc::clone(&ticket));
                tokio::spawn(async move {
                    let agent = format!("agent{n}");
                    let close = guichet::desk::views::Transition::Close { text: None, silent: false, version: None };
                    let request = Request { agent: &agent, reference: &ticket, repeat: None };
                    life.desk.act(&request, &Wanted::Transition(close)).await.is_ok()
                })
            })
            .collect();
        let mut closed = 0;
        for task in tasks {
            closed += usize::from(task.await.unwrap());
        }
        assert_eq!(closed, 1);
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement pending", "closure pending"]);
        assert_eq!(jean.reads().await.len(), 2);
    })
    .await;
}

/// Hands a batch in until it is accepted, as a channel does that is told to keep it and come back.
async fn accept(life: &Life, batch: Vec<Inbound>) -> Vec<Receipt> {
    let source = life.letters();
    loop {
        match life.reception.accept(&SourceName::from(LETTERS), &source, batch.clone(), Vec::new()).await {
            Ok(accepted) => return accepted.receipts,
            Err(NotAccepted::Busy { .. }) => tokio::task::yield_now().await,
            Err(refused) => panic!("{refused}"),
        }
    }
}

async fn replies(life: &Life, ticket: &str, agent: &str, text: &str) {
    let message = NewMessage { kind: MessageKind::Reply, text: text.to_owned(), ask: false, version: None };
    let request = Request { agent, reference: ticket, repeat: None };
    let wanted = Wanted::Message(message);
    loop {
        match life.desk.act(&request, &wanted).await {
            Ok(_) => return,
            Err(DeskError::Busy { .. }) => tokio::task::yield_now().await,
            Err(refused) => panic!("{refused}"),
        }
    }
}

/// An item whose words are its id, by a writer of its own unless it belongs to a conversation.
fn item(id: &str, conversation: Option<&str>, now: guichet_domain::Moment) -> Inbound {
    let writer = if conversation.is_some() { "jean@client.test".to_owned() } else { format!("{id}@client.test") };
    let item = Item {
        from: Some(Party::new(writer)),
        conversation: conversation.map(ConversationKey::new),
        subject: Some(id.to_owned()),
        text: id.to_owned(),
        reply_text: id.to_owned(),
        trust: Trust::Verified(Reason::of("paper.sealed")),
        ..Item::default()
    };
    Inbound {
        external_id: ExternalId::new(id),
        same_as: Vec::new(),
        content: Content::Read(Box::new(item)),
        received_at: now,
        raw: id.as_bytes().to_vec(),
        quiet: None,
    }
}
