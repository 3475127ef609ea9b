//! Values for tests: everything is numbered, nothing is random.

use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::entry::{Entry, EntryKind};
use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::inbound::{Explained, Party};
use guichet_domain::language::Language;
use guichet_domain::outgoing::{DeliveryState, Facts, NewDelivery, NoticeKind};
use guichet_domain::priority::{Impact, Priority, Urgency};
use guichet_domain::reason;
use guichet_domain::reference::Reference;
use guichet_domain::ticket::{Kind, State, Ticket, Tier};
use uuid::Uuid;

use crate::Db;
use crate::record::{Batch, NewEntry, NewInbound, Opened, Participant, Role, Verdict, record};

pub(crate) const NOW: Moment = Moment::from_secs(1_800_000_000);

pub(crate) fn key(n: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(n))
}

pub(crate) fn later(secs: u64) -> Moment {
    NOW + Duration::from_secs(secs)
}

pub(crate) fn mail() -> SourceName {
    SourceName::from("support-mail")
}

pub(crate) fn party(n: u64) -> Party {
    Party { address: format!("Person{n}@Client.Example"), name: Some(format!("Person {n}")) }
}

pub(crate) fn ticket(n: u64) -> Ticket {
    Ticket {
        id: TicketId(key(n)),
        reference: Reference::from_free(n),
        state: State::New,
        kind: Kind::Incident,
        subject: format!("Printer {n} is on fire"),
        language: Language::Fr,
        source: mail(),
        conversation: ConversationKey::new(format!("<root-{n}@client.example>")),
        requester: Some(party(n)),
        verified: true,
        machine: false,
        queue: "desk".to_owned(),
        category: "hardware".to_owned(),
        impact: Impact::Low,
        urgency: Urgency::High,
        priority: Priority::P3,
        assignee: None,
        tier: Tier::L1,
        attention: None,
        promised_at: Some(later(3600)),
        opened_at: NOW,
        answered_at: None,
        resolved_at: None,
        closed_at: None,
        updated_at: NOW,
        closures: 0,
        reopened: 0,
        follows: None,
        linked: None,
        merged_into: None,
        last_seq: 1,
        version: 1,
        contact: None,
    }
}

pub(crate) fn entry(n: u64) -> Entry {
    Entry {
        id: MessageId(key(1_000_000 + n)),
        kind: EntryKind::Inbound,
        seq: Some(Seq(1)),
        author: Some(party(n)),
        verified: true,
        subject: Some(format!("Printer {n} is on fire")),
        text: "It burns.\0 Help!".to_owned(),
        full_text: None,
        html: None,
        source: Some(mail()),
        external_ids: vec![ExternalId::new(format!("<mail-{n}@client.example>"))],
        at: NOW,
        reasons: vec![Explained::new(reason::LOCATED_NEW, ""), Explained::new(reason::ACK_SENT, "to the requester")],
    }
}

pub(crate) fn delivery(n: u64) -> NewDelivery {
    let ticket = TicketId(key(n));
    NewDelivery {
        id: DeliveryId::derive(ticket, "acknowledgement", key(2_000_000 + n), "requester"),
        kind: NoticeKind::Acknowledgement,
        ticket,
        message: None,
        source: mail(),
        conversation: ConversationKey::new(format!("<root-{n}@client.example>")),
        to: party(n),
        language: Language::Fr,
        facts: Facts { reference: "GT-000-000-0001".to_owned(), ..Facts::default() },
        state: DeliveryState::Pending,
        reason: None,
        due_at: NOW,
        expires_at: later(48 * 3600),
    }
}

pub(crate) fn inbound_id(n: u64) -> InboundId {
    InboundId(key(2_000_000 + n))
}

pub(crate) fn inbound<'a>(n: u64, source: &'a SourceName, external_id: &'a ExternalId) -> NewInbound<'a> {
    NewInbound {
        id: inbound_id(n),
        source,
        external_id,
        verdict: Verdict::Opened,
        reason: None,
        detail: None,
        ticket: Some(TicketId(key(n))),
        entry: Some(MessageId(key(1_000_000 + n))),
        seq: Some(Seq(1)),
        from_key: Some(party(n).key()),
        subject: None,
        raw: None,
        raw_size: 12,
        received_at: NOW,
        recorded_at: NOW,
    }
}

/// Writes what one mail each makes of `numbers`: a ticket, its first entry, its requester, its acknowledgement, counts.
pub(crate) async fn opened(db: &Db, numbers: &[u64]) {
    let source = mail();
    let (tickets, entries): (Vec<_>, Vec<_>) = numbers.iter().map(|n| (ticket(*n), entry(*n))).unzip();
    let deliveries: Vec<_> = numbers.iter().map(|n| delivery(*n)).collect();
    let ids: Vec<_> = numbers.iter().map(|n| ExternalId::new(format!("INBOX/1/{n}"))).collect();
    let batch = Batch {
        at: NOW,
        opened: tickets.iter().map(|ticket| Opened { ticket, status_hash: None }).collect(),
        entries: entries
            .iter()
            .zip(&tickets)
            .zip(numbers)
            .map(|((entry, ticket), n)| NewEntry {
                ticket: ticket.id,
                inbound: Some(inbound_id(*n)),
                entry,
                attachments: vec![],
            })
            .collect(),
        participants: tickets
            .iter()
            .map(|ticket| Participant {
                ticket: ticket.id,
                party: ticket.requester.as_ref().unwrap(),
                role: Role::Requester,
            })
            .collect(),
        inbounds: numbers.iter().zip(&ids).map(|(n, id)| inbound(*n, &source, id)).collect(),
        deliveries: deliveries.iter().collect(),
        tally: numbers.iter().map(|_| (&source, Verdict::Opened, 1)).collect(),
        ..Batch::default()
    };
    let mut tx = db.write().await.unwrap();
    let recorded = record(&mut tx, &batch).await.unwrap();
    assert_eq!(recorded.deliveries, numbers.len() as u64);
    tx.commit().await.unwrap();
}
