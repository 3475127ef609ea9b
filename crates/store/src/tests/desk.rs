//! What agents, their programs and the operator ask.

use guichet_domain::ids::ExternalId;
use guichet_domain::priority::Priority;
use guichet_domain::reason;
use guichet_domain::ticket::State;
use uuid::Uuid;

use super::make::{NOW, inbound, inbound_id, later, mail, opened, party, ticket};
use super::{World, on_both_engines};
use crate::agent::{self, Agent, ApiToken};
use crate::idempotency::{self, Begun};
use crate::inbound::Quarantine;
use crate::record::{Batch, Changed, NewInbound, Opened, Released, Verdict, record};
use crate::ticket_list::{PageKey, Sort, TicketFilter, by_state, list, of_requester};
use crate::{blob, figures, inbound as arrivals, keep, lease, retention};

on_both_engines!(
    every_order_pages_through_all_tickets_once,
    every_filter_finds_what_it_says,
    what_is_kept_aside_is_listed_released_and_discarded,
    cursors_slots_and_settings_are_kept_by_name,
    tokens_open_while_they_live,
    a_request_sent_twice_is_answered_twice_and_done_once,
    a_lease_has_one_holder_and_a_growing_fence,
    a_ticket_outlives_its_raw_bytes,
);

/// Twelve tickets in different states, one of them merged into another.
async fn twelve(world: &World) {
    let mut tickets: Vec<_> = (1..=12).map(ticket).collect();
    for (n, ticket) in tickets.iter_mut().enumerate() {
        ticket.state = State::ALL[n % 4];
        ticket.priority = Priority::ALL[n % 5];
        ticket.opened_at = later(n as u64 / 2);
        ticket.updated_at = later(100 - n as u64 / 3);
        ticket.assignee = (n % 2 == 0).then(|| "marie".to_owned());
        ticket.attention = (n == 4).then_some(reason::REPORT_FAILED);
        ticket.category = if n < 3 { "network" } else { "hardware" }.to_owned();
    }
    tickets[11].merged_into = Some(tickets[0].id);
    tickets[5].subject = "100% VPN_loss".to_owned();
    let opened = tickets.iter().map(|ticket| Opened { ticket, status_hash: None }).collect();
    let mut tx = world.write().await;
    record(&mut tx, &Batch { at: NOW, opened, ..Batch::default() }).await.unwrap();
    tx.commit().await.unwrap();
}

async fn every_order_pages_through_all_tickets_once(world: &World) {
    twelve(world).await;
    let mut tx = world.read().await;
    for (sort, states) in [
        (Sort::Updated, vec![]),
        (Sort::Opened, vec![]),
        (Sort::Work, vec![]),
        (Sort::Work, vec![State::New, State::Open, State::Waiting]),
    ] {
        let all = TicketFilter { sort, states, limit: 100, ..TicketFilter::default() };
        let whole = list(&mut tx, &all).await.unwrap();
        let mut paged = Vec::new();
        let mut after: Option<PageKey> = None;
        loop {
            let page = list(&mut tx, &TicketFilter { after, limit: 4, ..all.clone() }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(PageKey::of(last, sort).to_string().parse().unwrap());
            paged.extend(page);
        }
        assert_eq!(paged, whole, "{sort:?}");
        let expected = if all.states.is_empty() { 11 } else { 9 };
        assert_eq!(whole.len(), expected, "{sort:?}");
    }
    let work = list(&mut tx, &TicketFilter { sort: Sort::Work, limit: 100, ..TicketFilter::default() }).await.unwrap();
    assert!(work.is_sorted_by_key(|ticket| (ticket.priority, ticket.opened_at)));
}

async fn every_filter_finds_what_it_says(world: &World) {
    twelve(world).await;
    let mut tx = world.read().await;
    let source = mail();
    let requester = party(3).key();
    let base = TicketFilter { limit: 100, ..TicketFilter::default() };
    let cases = [
        ("state", TicketFilter { states: vec![State::New], ..base.clone() }, 3),
        ("states", TicketFilter { states: vec![State::New, State::Resolved], ..base.clone() }, 5),
        ("live", TicketFilter { states: vec![State::Waiting, State::New, State::Open], ..base.clone() }, 9),
        ("assignee", TicketFilter { assignee: Some("marie"), ..base.clone() }, 6),
        ("unassigned", TicketFilter { unassigned: true, ..base.clone() }, 5),
        ("category", TicketFilter { category: Some("network"), ..base.clone() }, 3),
        ("queue", TicketFilter { queue: Some("other"), ..base.clone() }, 0),
        ("priority", TicketFilter { priority: Some(Priority::P5), ..base.clone() }, 2),
        ("source", TicketFilter { source: Some(&source), ..base.clone() }, 11),
        ("requester", TicketFilter { requester: Some(&requester), ..base.clone() }, 1),
        ("subject", TicketFilter { subject: Some("printer"), ..base.clone() }, 10),
        ("subject as typed", TicketFilter { subject: Some("100% vpn_LOSS"), ..base.clone() }, 1),
        ("subject without jokers", TicketFilter { subject: Some("1__%"), ..base.clone() }, 0),
        ("attention", TicketFilter { attention: true, ..base.clone() }, 1),
        ("since", TicketFilter { updated_since: Some(later(99)), ..base.clone() }, 6),
    ];
    for (name, filter, expected) in cases {
        assert_eq!(list(&mut tx, &filter).await.unwrap().len(), expected, "{name}");
    }
    assert_eq!(by_state(&mut tx).await.unwrap().iter().map(|(_, _, n)| n).sum::<i64>(), 11);
    assert_eq!(of_requester(&mut tx, &requester, 9).await.unwrap(), [ticket(3).id]);
}

async fn what_is_kept_aside_is_listed_released_and_discarded(world: &World) {
    let (source, id) = (mail(), ExternalId::from("INBOX/1/1"));
    let unreadable = reason::UNREADABLE;
    let aside = |n| NewInbound {
        verdict: Verdict::Quarantined,
        reason: Some(&unreadable),
        detail: Some("truncated in its header"),
        ticket: None,
        entry: None,
        seq: None,
        ..inbound(n, &source, &id)
    };
    let batch = Batch {
        at: NOW,
        inbounds: vec![aside(1), aside(2), aside(3)],
        tally: vec![(&source, Verdict::Quarantined, 3)],
        ..Batch::default()
    };
    let mut tx = world.write().await;
    record(&mut tx, &batch).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.write().await;
    let page = arrivals::quarantined(&mut tx, Quarantine::Held, None, 2).await.unwrap();
    assert_eq!(page.iter().map(|kept| kept.id).collect::<Vec<_>>(), [inbound_id(3), inbound_id(2)]);
    assert_eq!(page[0].detail.as_deref(), Some("truncated in its header"));
    let rest = arrivals::quarantined(&mut tx, Quarantine::Held, Some(page[1].id), 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert!(arrivals::discard(&mut tx, inbound_id(1)).await.unwrap());
    assert!(!arrivals::discard(&mut tx, inbound_id(1)).await.unwrap());

    let opened = ticket(2);
    let release = |n| Released {
        id: inbound_id(n),
        verdict: Verdict::Opened,
        reason: None,
        ticket: Some(opened.id),
        entry: None,
        seq: None,
    };
    let batch = Batch {
        at: NOW,
        opened: vec![Opened { ticket: &opened, status_hash: None }],
        released: vec![release(2)],
        tally: vec![(&source, Verdict::Quarantined, -1), (&source, Verdict::Opened, 1)],
        ..Batch::default()
    };
    record(&mut tx, &batch).await.unwrap();
    let kept = arrivals::load(&mut tx, inbound_id(2)).await.unwrap().unwrap();
    assert_eq!((kept.verdict, kept.quarantine), (Verdict::Opened, Some(Quarantine::Released)));
    assert_eq!(kept.reason, Some(reason::UNREADABLE), "why it was kept aside stays known");
    assert_eq!(arrivals::of_ticket(&mut tx, opened.id).await.unwrap().len(), 1);
    assert_eq!(arrivals::held(&mut tx).await.unwrap(), 1);
    let counted = figures::tally(&mut tx).await.unwrap();
    assert_eq!(counted, figures::rows(&mut tx).await.unwrap());
    let batch = Batch { at: NOW, released: vec![release(1)], ..Batch::default() };
    let error = record(&mut tx, &batch).await.unwrap_err();
    assert_eq!(error.to_string(), "release from quarantine: 1 rows expected, 0 touched");
}

async fn cursors_slots_and_settings_are_kept_by_name(world: &World) {
    let source = mail();
    let mut tx = world.write().await;
    assert_eq!(keep::cursor(&mut tx, &source, "INBOX").await.unwrap(), None);
    keep::put_cursor(&mut tx, &source, "INBOX", "1:1").await.unwrap();
    keep::put_cursor(&mut tx, &source, "INBOX", "1:2").await.unwrap();
    assert_eq!(keep::cursors(&mut tx, &source).await.unwrap(), [("INBOX".to_owned(), "1:2".to_owned())]);

    assert_eq!(keep::slot(&mut tx, &source, "oauth").await.unwrap(), keep::Slot::default());
    assert!(keep::compare_and_set(&mut tx, &source, "oauth", 0, Some("a")).await.unwrap());
    assert!(!keep::compare_and_set(&mut tx, &source, "oauth", 0, Some("b")).await.unwrap());
    assert!(keep::compare_and_set(&mut tx, &source, "oauth", 1, None).await.unwrap());
    assert!(!keep::compare_and_set(&mut tx, &source, "oauth", 1, Some("c")).await.unwrap());
    assert_eq!(keep::slot(&mut tx, &source, "oauth").await.unwrap(), keep::Slot { value: None, version: 2 });

    assert_eq!(keep::first_setting(&mut tx, "keys", "mine", NOW).await.unwrap(), "mine");
    assert_eq!(keep::first_setting(&mut tx, "keys", "yours", NOW).await.unwrap(), "mine");
    keep::put_setting(&mut tx, "keys", "new", NOW).await.unwrap();
    assert_eq!(keep::setting(&mut tx, "keys").await.unwrap().as_deref(), Some("new"));
}

async fn tokens_open_while_they_live(world: &World) {
    let mut marie = Agent {
        name: "marie".to_owned(),
        display: "Marie".to_owned(),
        email: None,
        role: "admin".to_owned(),
        created_at: NOW,
        disabled_at: None,
    };
    let token = ApiToken {
        hash: "00ff".to_owned(),
        agent: "marie".to_owned(),
        name: "laptop".to_owned(),
        scopes: "tickets".to_owned(),
        created_at: NOW,
        expires_at: Some(later(100)),
        last_used_at: None,
        revoked_at: None,
    };
    let mut tx = world.write().await;
    assert!(agent::add(&mut tx, &marie).await.unwrap());
    assert!(!agent::add(&mut tx, &marie).await.unwrap());
    agent::add_token(&mut tx, &token).await.unwrap();
    let (who, what) = agent::authenticate(&mut tx, "00ff", later(99)).await.unwrap().unwrap();
    assert_eq!((&who, &what), (&marie, &token));
    assert_eq!(agent::authenticate(&mut tx, "00ff", later(100)).await.unwrap(), None);
    assert_eq!(agent::authenticate(&mut tx, "00fe", NOW).await.unwrap(), None);
    agent::touch(&mut tx, "00ff", later(5)).await.unwrap();
    assert_eq!(agent::tokens(&mut tx, "marie").await.unwrap()[0].last_used_at, Some(later(5)));
    marie.disabled_at = Some(later(6));
    agent::update(&mut tx, &marie).await.unwrap();
    assert_eq!(agent::authenticate(&mut tx, "00ff", later(7)).await.unwrap(), None);
    marie.disabled_at = None;
    agent::update(&mut tx, &marie).await.unwrap();
    assert!(agent::authenticate(&mut tx, "00ff", later(7)).await.unwrap().is_some());
    assert!(agent::revoke(&mut tx, "00ff", later(8)).await.unwrap());
    assert!(!agent::revoke(&mut tx, "00ff", later(8)).await.unwrap());
    assert_eq!(agent::authenticate(&mut tx, "00ff", later(9)).await.unwrap(), None);
    assert_eq!(agent::list(&mut tx).await.unwrap(), [marie.clone()]);
    marie.name = "nobody".to_owned();
    let error = agent::update(&mut tx, &marie).await.unwrap_err();
    assert_eq!(error.to_string(), "change an agent: 1 rows expected, 0 touched");
}

async fn a_request_sent_twice_is_answered_twice_and_done_once(world: &World) {
    let mut tx = world.write().await;
    let begin = async |tx: &mut crate::Tx, body| idempotency::begin(tx, "marie", "k1", body, NOW).await.unwrap();
    assert_eq!(begin(&mut tx, "hash").await, Begun::Fresh);
    assert_eq!(begin(&mut tx, "hash").await, Begun::InProgress);
    idempotency::finish(&mut tx, "marie", "k1", 201, "{}").await.unwrap();
    assert_eq!(begin(&mut tx, "hash").await, Begun::Replay { status: 201, body: "{}".to_owned() });
    assert_eq!(begin(&mut tx, "other").await, Begun::Mismatch);
    idempotency::forget(&mut tx, "marie", "k1").await.unwrap();
    assert_eq!(begin(&mut tx, "other").await, Begun::Fresh);
    assert_eq!(idempotency::prune(&mut tx, NOW).await.unwrap(), 0);
    assert_eq!(idempotency::prune(&mut tx, later(1)).await.unwrap(), 1);
}

async fn a_lease_has_one_holder_and_a_growing_fence(world: &World) {
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut tx = world.write().await;
    let mut take = async |holder, now, until| lease::acquire(&mut tx, "inbox", holder, now, until).await.unwrap();
    assert_eq!(take(one, NOW, later(60)).await, Some(1));
    assert_eq!(take(two, later(59), later(99)).await, None);
    assert_eq!(take(one, later(59), later(120)).await, Some(1));
    assert_eq!(take(two, later(120), later(180)).await, Some(2));
    assert!(!lease::release(&mut tx, "inbox", one).await.unwrap());
    assert!(lease::release(&mut tx, "inbox", two).await.unwrap());
    assert_eq!(lease::acquire(&mut tx, "inbox", one, later(121), later(180)).await.unwrap(), Some(3));
}

async fn a_ticket_outlives_its_raw_bytes(world: &World) {
    opened(&world.db, &[1]).await;
    let (source, id) = (mail(), ExternalId::from("INBOX/1/9"));
    let mut raws: Vec<_> =
        [b"old".as_slice(), b"shared", b"held", b"small"].iter().map(|bytes| blob::pack(bytes, NOW)).collect();
    raws[..3].iter_mut().for_each(|raw| raw.bytes = None);
    let came = |n: u64, raw: usize, at| NewInbound {
        id: inbound_id(10 + n),
        raw: Some(raws[raw].hash),
        received_at: at,
        verdict: if raw == 2 { Verdict::Quarantined } else { Verdict::Appended },
        ticket: Some(ticket(1).id),
        ..inbound(1, &source, &id)
    };
    let batch = Batch {
        at: NOW,
        inbounds: vec![came(1, 0, NOW), came(2, 1, NOW), came(3, 1, later(100)), came(4, 2, NOW), came(5, 3, NOW)],
        blobs: raws.iter().collect(),
        ..Batch::default()
    };
    let mut tx = world.write().await;
    record(&mut tx, &batch).await.unwrap();
    let pruned = retention::prune_raw(&mut tx, later(50), 100).await.unwrap();
    assert_eq!((pruned.inbounds, pruned.files), (3, vec![raws[0].hash]), "a later item still has the shared one");
    let left = async |tx: &mut crate::Tx, n: u64| arrivals::raw(tx, inbound_id(10 + n)).await.unwrap();
    assert_eq!(left(&mut tx, 1).await, None);
    assert_eq!(left(&mut tx, 3).await.unwrap().bytes, None, "it lies in a file");
    assert!(left(&mut tx, 4).await.is_some(), "what is held stays whole");
    assert_eq!(left(&mut tx, 5).await, None);
    assert_eq!(retention::prune_raw(&mut tx, later(50), 100).await.unwrap(), retention::Pruned::default());
    assert_eq!(retention::prune_pulses(&mut tx, later(900)).await.unwrap(), 1);
    assert!(crate::ticket::load(&mut tx, ticket(1).id).await.unwrap().is_some());
    let mut changed = ticket(1);
    changed.subject = "still here".to_owned();
    let changed = vec![Changed { ticket: &changed, seen: 1 }];
    record(&mut tx, &Batch { at: NOW, changed, ..Batch::default() }).await.unwrap();
}
