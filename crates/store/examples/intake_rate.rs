//! How many items a second the store takes in, batch by batch: everything that one mail makes, down to the commit.
//!
//! `cargo run --release -p guichet-store --example intake_rate [-- FOLDER|postgres://…] [BATCHES]`

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use guichet_domain::Moment;
use guichet_domain::entry::{Entry, EntryKind};
use guichet_domain::event::{TimerKind, Transition};
use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::inbound::{Explained, Party};
use guichet_domain::language::Language;
use guichet_domain::outgoing::{DeliveryState, Facts, NewDelivery, NoticeKind};
use guichet_domain::priority::{Impact, Priority, Urgency};
use guichet_domain::reason;
use guichet_domain::reference::Reference;
use guichet_domain::ticket::{Kind, State, Ticket, Tier};
use guichet_store::blob::{self, Packed};
use guichet_store::intake::{KeyRow, Reserved, Wanted, find, reserve, taken_references};
use guichet_store::record::{Batch, Identity, NewEntry, NewInbound, Opened, Participant, Role, Verdict, record};
use guichet_store::{Db, Options, StoreError, Target, figures};
use uuid::Uuid;

const BATCH: u64 = 256;
const START: Moment = Moment::from_secs(1_800_000_000);

/// Everything one mail makes.
struct Mail {
    ticket: Ticket,
    entry: Entry,
    delivery: NewDelivery,
    opened: Transition,
    inbound: InboundId,
    keys: [String; 2],
    external_id: ExternalId,
    answers: ExternalId,
    raw: Packed,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "./var-intake-rate".to_owned());
    let batches: u64 = arguments.next().map_or(Ok(100), |n| n.parse())?;
    let target = if place.starts_with("postgres") {
        Target::Postgres(place)
    } else {
        std::fs::create_dir_all(&place)?;
        Target::Sqlite(std::path::Path::new(&place).join("guichet.db"))
    };
    let db = Db::open(&target, &Options::default()).await?;
    let before: i64 = figures::tally(&mut db.read().await?).await?.values().sum();
    let first = u64::try_from(before)? + 1;
    let (mut busy, mut slowest) = (Duration::ZERO, Duration::ZERO);
    let mut spent = [Duration::ZERO; 4];
    for batch in 0..batches {
        let mails: Vec<Mail> = (0..BATCH).map(|n| mail(first + batch * BATCH + n)).collect();
        let began = Instant::now();
        take_in(&db, &mails, batch, &mut spent).await?;
        busy += began.elapsed();
        slowest = slowest.max(began.elapsed());
    }
    let items = batches * BATCH;
    let rate = u128::from(items) * 1_000 / busy.as_millis().max(1);
    let mut out = std::io::stdout().lock();
    std::io::Write::write_fmt(
        &mut out,
        format_args!(
            "{} on {}: {items} items in {busy:.2?}, {rate} items/s, slowest batch {slowest:.1?}; a batch: reserve {:.1?}, \
             find {:.1?}, record {:.1?}, commit {:.1?}\n",
            env!("CARGO_PKG_NAME"),
            db.engine(),
            spent[0] / u32::try_from(batches)?,
            spent[1] / u32::try_from(batches)?,
            spent[2] / u32::try_from(batches)?,
            spent[3] / u32::try_from(batches)?,
        ),
    )?;
    db.close().await;
    Ok(())
}

async fn take_in(db: &Db, mails: &[Mail], batch: u64, spent: &mut [Duration; 4]) -> Result<(), StoreError> {
    let now = START + Duration::from_secs(batch / 10);
    let source = SourceName::from("support-mail");
    let mut clock = Instant::now();
    let mut lap = |step: usize| {
        spent[step] += clock.elapsed();
        clock = Instant::now();
    };
    let mut tx = db.write().await?;
    let keys: Vec<_> =
        mails.iter().flat_map(|mail| mail.keys.iter().map(|key| KeyRow { key, inbound: mail.inbound })).collect();
    let reserved = reserve(&mut tx, &keys).await?;
    assert!(reserved.values().all(|reserved| *reserved == Reserved::Won), "run it in an empty place");
    lap(0);
    let addresses: BTreeSet<String> = mails.iter().map(|mail| mail.delivery.to.key()).collect();
    let wanted = Wanted {
        ids: mails.iter().map(|mail| &mail.answers).collect(),
        conversations: mails.iter().map(|mail| (&source, &mail.ticket.conversation)).collect(),
        addresses: addresses.clone(),
        domains: ["client.example".to_owned()].into(),
        domain_cap: 60,
        ..Wanted::default()
    };
    find(&mut tx, &wanted, now).await?;
    let references: Vec<_> = mails.iter().map(|mail| mail.ticket.reference).collect();
    assert!(taken_references(&mut tx, &references).await?.is_empty());
    lap(1);
    let cursor = batch.to_string();
    record(&mut tx, &everything(mails, &source, &cursor, now)).await?;
    lap(2);
    tx.commit().await?;
    lap(3);
    Ok(())
}

fn everything<'a>(mails: &'a [Mail], source: &'a SourceName, cursor: &'a str, now: Moment) -> Batch<'a> {
    let party = |mail: &'a Mail| mail.ticket.requester.as_ref();
    Batch {
        at: now,
        opened: mails.iter().map(|mail| Opened { ticket: &mail.ticket, status_hash: None }).collect(),
        entries: mails
            .iter()
            .map(|mail| NewEntry {
                ticket: mail.ticket.id,
                inbound: Some(mail.inbound),
                entry: &mail.entry,
                attachments: Vec::new(),
            })
            .collect(),
        participants: mails
            .iter()
            .filter_map(|mail| Some(Participant { ticket: mail.ticket.id, party: party(mail)?, role: Role::Requester }))
            .collect(),
        identities: mails
            .iter()
            .map(|mail| Identity {
                address: &mail.delivery.to.address,
                language: Some(Language::Fr),
                verified: false,
                undeliverable: None,
                works: false,
                at: now,
            })
            .collect(),
        inbounds: mails
            .iter()
            .map(|mail| NewInbound {
                id: mail.inbound,
                source,
                external_id: &mail.external_id,
                verdict: Verdict::Opened,
                reason: None,
                detail: None,
                ticket: Some(mail.ticket.id),
                entry: Some(mail.entry.id),
                seq: Some(Seq(1)),
                from_key: party(mail).map(Party::key),
                subject: Some(&mail.ticket.subject),
                raw: Some(mail.raw.hash),
                raw_size: mail.raw.size,
                received_at: now,
                recorded_at: now,
            })
            .collect(),
        blobs: mails.iter().map(|mail| &mail.raw).collect(),
        deliveries: mails.iter().map(|mail| &mail.delivery).collect(),
        transitions: mails.iter().map(|mail| (mail.ticket.id, &mail.opened)).collect(),
        timers_set: mails.iter().map(|mail| (mail.ticket.id, TimerKind::Promise, now)).collect(),
        cursors: vec![(source, "INBOX", cursor)],
        tally: mails.iter().map(|_| (source, Verdict::Opened, 1)).collect(),
        ..Batch::default()
    }
}

fn mail(n: u64) -> Mail {
    let at = START + Duration::from_millis(n);
    // As UUIDv7 are made: time first, the rest random.
    let key = |kind: u64| {
        let random = (n * 8 + kind).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Uuid::from_u128(u128::from(n) << 80 | 0x7000 << 64 | 0x8 << 60 | u128::from(random >> 4))
    };
    let party = Party { address: format!("person-{}@client.example", n % 50_000), name: Some(format!("Person {n}")) };
    let id = TicketId(key(0));
    let words = format!("Bonjour, mon imprimante numéro {n} ne marche plus depuis ce matin. ");
    let conversation = ConversationKey::new(id.to_string());
    let source = SourceName::from("support-mail");
    let external =
        |what: &str| ExternalId::new(format!("<{what}-{:x}@client.example>", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let raw: Vec<u8> = (0..60)
        .flat_map(|line: u64| {
            format!("{:x} {words}\r\n", (n * 61 + line).wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes()
        })
        .collect();
    Mail {
        ticket: ticket(n, id, party.clone(), conversation.clone(), at),
        entry: Entry {
            id: MessageId(key(1)),
            kind: EntryKind::Inbound,
            seq: Some(Seq(1)),
            author: Some(party.clone()),
            verified: false,
            subject: Some(format!("Imprimante {n}")),
            text: words.repeat(8),
            full_text: None,
            html: Some(format!("<p>{}</p>", words.repeat(8))),
            source: Some(source.clone()),
            external_ids: vec![external("mail")],
            at,
            reasons: [
                reason::LOCATED_NEW,
                reason::TRIAGE_RULE,
                reason::PRIORITY_MATRIX,
                reason::PROMISE,
                reason::ACK_SENT,
            ]
            .map(|code| Explained::new(code, "for the example"))
            .into(),
        },
        delivery: NewDelivery {
            id: DeliveryId(key(2)),
            kind: NoticeKind::Acknowledgement,
            ticket: id,
            message: None,
            source,
            conversation,
            to: party,
            language: Language::Fr,
            facts: Facts { reference: "GT-000-000-0000".to_owned(), subject: Some(words), ..Facts::default() },
            state: DeliveryState::Pending,
            reason: None,
            due_at: at,
            expires_at: at + NoticeKind::Acknowledgement.life(),
        },
        opened: Transition { from: None, to: State::New, by: None, why: reason::LOCATED_NEW, at },
        inbound: InboundId(key(3)),
        keys: [format!("support-mail/INBOX/1/{n}"), format!("same/{}", external("mail"))],
        external_id: ExternalId::new(format!("INBOX/1/{n}")),
        answers: external("before"),
        raw: blob::pack(&raw, at),
    }
}

fn ticket(n: u64, id: TicketId, requester: Party, conversation: ConversationKey, at: Moment) -> Ticket {
    Ticket {
        id,
        reference: Reference::from_free(n.wrapping_mul(387_420_489)),
        state: State::New,
        kind: Kind::Incident,
        subject: format!("Imprimante {n} en panne"),
        language: Language::Fr,
        source: SourceName::from("support-mail"),
        conversation,
        requester: Some(requester),
        verified: false,
        machine: false,
        queue: "desk".to_owned(),
        category: "hardware.printer".to_owned(),
        impact: Impact::Low,
        urgency: Urgency::Medium,
        priority: Priority::P4,
        assignee: None,
        tier: Tier::L1,
        attention: None,
        promised_at: Some(at + Duration::from_hours(1)),
        opened_at: at,
        answered_at: None,
        resolved_at: None,
        closed_at: None,
        updated_at: at,
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
