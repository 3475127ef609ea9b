//! The transaction in which items become tickets: reserve, look up, decide each in turn, write all at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use guichet_contract::Receipt;
use guichet_domain::Moment;
use guichet_domain::decide::{Decision, decide};
use guichet_domain::event::{Arrival, Event};
use guichet_domain::ids::{ConversationKey, DeliveryId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::inbound::{Explained, Party};
use guichet_domain::locate::{Route, locate};
use guichet_domain::reason;
use guichet_domain::reference::Reference;
use guichet_domain::token::{Claim, StatusToken};
use guichet_domain::verdict::Verdict;
use guichet_store::intake::{Answer, KeyRow, Reserved, Wanted, find, reserve, taken_references};
use guichet_store::record::{Batch, record};
use guichet_store::{StoreError, Tx, outbox};

use crate::intake::ledger::{Ledger, Touched};
use crate::intake::prepare::Prepared;
use crate::kernel::Kernel;
use crate::writing::{enter, sender, settle_reported, write_words};

/// What became of one item, before it is told to its source.
#[derive(Debug, Clone, Default)]
struct Outcome {
    verdict: Option<Verdict>,
    ticket: Option<TicketId>,
    reference: Option<Reference>,
    entry: Option<MessageId>,
    seq: Option<Seq>,
    reason: Option<Explained>,
    /// Whether its row is written: not for what was here before.
    kept: bool,
}

/// What a committed batch leaves to be done outside.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// One for each item, in order.
    pub receipts: Vec<Receipt>,
    /// Conversations that grew.
    pub grown: HashSet<(SourceName, ConversationKey)>,
    /// Whether something was queued to leave.
    pub queued: bool,
}

/// A cursor that moves with the batch.
pub(crate) type Move = (SourceName, String, String);

/// Decides and writes `items` in `tx`; the caller commits. Fails as a whole: nothing of the batch is written then.
pub(crate) async fn take_in(
    tx: &mut Tx,
    kernel: &Kernel,
    items: &mut [Prepared],
    moves: &[Move],
    now: Moment,
) -> Result<Done, StoreError> {
    let reserved = reserve_all(tx, items).await?;
    redraw_taken(tx, kernel, items).await?;
    let fresh: Vec<&Prepared> =
        items.iter().filter(|item| matches!(reserved.get(&item.id), None | Some(Reserved::Won))).collect();
    let rows = find(tx, &wanted(&fresh), now).await?;
    let mut ledger = Ledger::new(rows);
    let mut outcomes: HashMap<InboundId, Outcome> = HashMap::with_capacity(items.len());
    let mut decisions: Vec<(usize, Decision)> = Vec::new();
    let mut proofs: Vec<DeliveryId> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let outcome = match reserved.get(&item.id) {
            Some(Reserved::Earlier { inbound, answer }) => earlier(answer.as_ref(), outcomes.get(inbound)),
            None | Some(Reserved::Won) => {
                let (outcome, decision) = decide_one(kernel, &ledger, item, &mut proofs, now);
                if let Some(mut decision) = decision {
                    write_words(kernel, &mut decision);
                    let thread = item.item().and_then(|item| item.refers_to.thread.as_deref());
                    ledger.enter(&decision, thread);
                    decisions.push((at, decision));
                }
                outcome
            }
        };
        outcomes.insert(item.id, outcome);
    }
    write(tx, items, moves, &ledger, &decisions, &outcomes, now).await?;
    after(tx, &decisions, &proofs, now).await?;
    Ok(done(kernel, items, &decisions, &outcomes))
}

async fn reserve_all(tx: &mut Tx, items: &[Prepared]) -> Result<HashMap<InboundId, Reserved>, StoreError> {
    let keys: Vec<KeyRow<'_>> = items
        .iter()
        .filter(|item| !item.released)
        .flat_map(|item| item.keys.iter().map(|key| KeyRow { key, inbound: item.id }))
        .collect();
    reserve(tx, &keys).await
}

/// Draws other references for those that are taken, in the database or in the batch. A billion numbers for a million
/// tickets: the second draw is taken once in a thousand, the fourth practically never.
async fn redraw_taken(tx: &mut Tx, kernel: &Kernel, items: &mut [Prepared]) -> Result<(), StoreError> {
    let mut open: Vec<usize> = (0..items.len()).collect();
    while !open.is_empty() {
        let drawn: Vec<Reference> =
            open.iter().filter_map(|at| items.get(*at)).map(|item| item.fresh.reference).collect();
        let taken = taken_references(tx, &drawn).await?;
        let mut seen: HashSet<Reference> = items
            .iter()
            .enumerate()
            .filter(|(at, _)| !open.contains(at))
            .map(|(_, item)| item.fresh.reference)
            .collect();
        open.retain(|at| {
            let Some(item) = items.get_mut(*at) else { return false };
            let clash = taken.contains(&item.fresh.reference) || !seen.insert(item.fresh.reference);
            if clash {
                item.redraw(kernel.ids.as_ref());
            }
            clash
        });
    }
    Ok(())
}

fn wanted<'a>(items: &[&'a Prepared]) -> Wanted<'a> {
    let mut wanted = Wanted::default();
    let mut addresses = BTreeSet::new();
    let mut domains = BTreeSet::new();
    for prepared in items {
        for claim in prepared.tokens.iter().chain(&prepared.own) {
            match claim {
                Claim::ReplyAddress { ticket } => wanted.tickets.push(*ticket),
                Claim::MessageId { ticket, delivery } => {
                    wanted.tickets.push(*ticket);
                    wanted.deliveries.push(*delivery);
                }
                Claim::Loop { delivery } | Claim::Bounce { delivery } => wanted.deliveries.push(*delivery),
            }
        }
        wanted.domain_cap = wanted.domain_cap.max(prepared.rules.desk.caps.domain_hour);
        wanted.references.extend(&prepared.references);
        if let Some(key) = &prepared.conversation {
            wanted.conversations.push((&prepared.rules.source.name, key));
        }
        let Some(item) = prepared.item() else { continue };
        wanted.ids.extend(&item.refers_to.ids);
        wanted.threads.extend(item.refers_to.thread.as_deref());
        for party in item.from.iter().chain(&item.reply_to) {
            domains.extend(party.domain());
            addresses.insert(party.key());
        }
    }
    Wanted { addresses, domains, ..wanted }
}

/// The answer to what was here before: the same as the first time.
fn earlier(answer: Option<&Answer>, in_batch: Option<&Outcome>) -> Outcome {
    let base = Outcome { verdict: Some(Verdict::Duplicate), ..Outcome::default() };
    match (answer, in_batch) {
        (Some(answer), _) => Outcome { ticket: answer.ticket, reference: answer.reference, seq: answer.seq, ..base },
        (None, Some(first)) => Outcome { ticket: first.ticket, reference: first.reference, seq: first.seq, ..base },
        (None, None) => base,
    }
}

fn decide_one(
    kernel: &Kernel,
    ledger: &Ledger,
    prepared: &Prepared,
    proofs: &mut Vec<DeliveryId>,
    now: Moment,
) -> (Outcome, Option<Decision>) {
    let base = Outcome { kept: true, ..Outcome::default() };
    let aside =
        |why: &Explained| Outcome { verdict: Some(Verdict::Quarantined), reason: Some(why.clone()), ..base.clone() };
    let item = match &prepared.content {
        Ok(item) => item,
        Err(why) => return (aside(why), None),
    };
    let found = ledger.found(prepared, item);
    let (ticket, how, known, delivery, linked) = match locate(item, &found) {
        Route::Own { delivery } => {
            proofs.push(delivery);
            let why = Explained::new(reason::DUPLICATE_OWN, delivery.to_string());
            return (Outcome { verdict: Some(Verdict::Duplicate), reason: Some(why), ..base }, None);
        }
        Route::Quarantine(why) if !prepared.released => return (aside(&why), None),
        Route::Quarantine(_) => (None, reason::RELEASED, true, None, None),
        Route::Join { ticket, how, known, delivery } => (ledger.ticket(ticket), how, known, delivery, None),
        Route::New { linked } => (None, reason::LOCATED_NEW, true, None, linked),
    };
    let answered_at = item.reply_to.as_ref().or(item.from.as_ref());
    let address = answered_at.map(Party::key).unwrap_or_default();
    let domain = answered_at.and_then(Party::domain);
    let arrival = Arrival {
        item,
        inbound: prepared.id,
        how,
        known,
        delivery,
        linked,
        quiet: prepared.quiet.clone(),
        fresh: prepared.fresh.clone(),
        triage: prepared.triage.as_ref(),
        counts: ledger.counts(&address, domain.as_deref()),
        undeliverable: ledger.is_undeliverable(&address),
        received_at: prepared.received_at,
    };
    // Arrivals are never refused; were that to change, the item is kept aside whole rather than lost.
    match decide(ticket, Event::Arrived(arrival), &prepared.rules, kernel.ids.as_ref(), now) {
        Ok(decision) => (of_decision(&decision, &base), Some(decision)),
        Err(refusal) => (aside(&Explained::new(reason::GUILTY, refusal.to_string())), None),
    }
}

fn of_decision(decision: &Decision, base: &Outcome) -> Outcome {
    let entry = decision.entries.first();
    Outcome {
        verdict: Some(if decision.opened { Verdict::Opened } else { Verdict::Appended }),
        ticket: Some(decision.ticket.id),
        reference: Some(decision.ticket.reference),
        entry: entry.map(|entry| entry.id),
        seq: entry.and_then(|entry| entry.seq),
        reason: entry.and_then(|entry| entry.reasons.first().cloned()),
        ..base.clone()
    }
}

async fn write(
    tx: &mut Tx,
    items: &[Prepared],
    moves: &[Move],
    ledger: &Ledger,
    decisions: &[(usize, Decision)],
    outcomes: &HashMap<InboundId, Outcome>,
    now: Moment,
) -> Result<(), StoreError> {
    let mut batch = Batch { at: now, ..Batch::default() };
    let public_pages = items.first().is_some_and(|item| item.rules.desk.public_pages);
    for touched in ledger.touched() {
        match touched {
            Touched::Opened { ticket, secret } => {
                // A page nobody can reach needs no key, and each key costs a place in an index.
                let secret = secret.filter(|_| public_pages);
                let status_hash = secret.and_then(StatusToken::parse).map(|token| token.hash());
                batch.opened.push(guichet_store::record::Opened { ticket, status_hash });
            }
            Touched::Changed { ticket, seen } => batch.changed.push(guichet_store::record::Changed { ticket, seen }),
        }
    }
    for (at, decision) in decisions {
        let Some(prepared) = items.get(*at) else { continue };
        enter(&mut batch, decision, Some((prepared.id, first_files(prepared))));
        if let Some(thread) = prepared.item().and_then(|item| item.refers_to.thread.as_deref()) {
            batch.threads.push((thread, decision.ticket.id));
        }
        let known = prepared.item().and_then(|item| sender(item, decision, &prepared.rules, now));
        batch.identities.extend(known);
    }
    let mut tally: HashMap<(&SourceName, Verdict), i64> = HashMap::new();
    for prepared in items {
        let Some(outcome) = outcomes.get(&prepared.id) else { continue };
        let Some(verdict) = outcome.verdict else { continue };
        *tally.entry((&prepared.rules.source.name, verdict)).or_default() += 1;
        if !outcome.kept {
            continue;
        }
        if prepared.released {
            *tally.entry((&prepared.rules.source.name, Verdict::Quarantined)).or_default() -= 1;
            batch.released.push(released(prepared, outcome, verdict));
        } else {
            batch.inbounds.push(inbound(prepared, outcome, verdict, now));
            batch.blobs.push(&prepared.raw);
        }
        batch.blobs.extend(&prepared.files);
    }
    batch.tally = tally.into_iter().map(|((source, verdict), n)| (source, verdict, n)).collect();
    batch.cursors = moves.iter().map(|(source, key, to)| (source, key.as_str(), to.as_str())).collect();
    record(tx, &batch).await.map(|_| ())
}

fn first_files(prepared: &Prepared) -> Vec<guichet_store::record::NewAttachment<'_>> {
    let attachments = prepared.item().map(|item| item.attachments.as_slice()).unwrap_or_default();
    attachments
        .iter()
        .zip(&prepared.files)
        .map(|(attachment, file)| guichet_store::record::NewAttachment {
            name: &attachment.name,
            media_type: &attachment.media_type,
            content_id: attachment.content_id.as_deref(),
            hash: file.hash,
            size: file.size,
        })
        .collect()
}

fn inbound<'a>(
    prepared: &'a Prepared,
    outcome: &'a Outcome,
    verdict: Verdict,
    now: Moment,
) -> guichet_store::record::NewInbound<'a> {
    let why = outcome.reason.as_ref();
    guichet_store::record::NewInbound {
        id: prepared.id,
        source: &prepared.rules.source.name,
        external_id: &prepared.external_id,
        verdict,
        reason: why.map(|why| &why.code),
        detail: why.map(|why| why.detail.as_str()).filter(|detail| !detail.is_empty()),
        ticket: outcome.ticket,
        entry: outcome.entry,
        seq: outcome.seq,
        from_key: prepared.item().and_then(|item| item.from.as_ref()).map(Party::key),
        subject: prepared.item().and_then(|item| item.subject.as_deref()),
        raw: Some(prepared.raw.hash),
        raw_size: prepared.raw.size,
        received_at: prepared.received_at,
        recorded_at: now,
    }
}

fn released<'a>(prepared: &Prepared, outcome: &'a Outcome, verdict: Verdict) -> guichet_store::record::Released<'a> {
    guichet_store::record::Released {
        id: prepared.id,
        verdict,
        reason: outcome.reason.as_ref().map(|why| &why.code),
        ticket: outcome.ticket,
        entry: outcome.entry,
        seq: outcome.seq,
    }
}

/// What decisions say of rows that are in the outbox already.
async fn after(
    tx: &mut Tx,
    decisions: &[(usize, Decision)],
    proofs: &[DeliveryId],
    now: Moment,
) -> Result<(), StoreError> {
    for delivery in proofs {
        outbox::prove_sent(tx, *delivery, None, now).await?;
    }
    for (_, decision) in decisions {
        settle_reported(tx, decision, now).await?;
    }
    Ok(())
}

fn done(
    kernel: &Kernel,
    items: &[Prepared],
    decisions: &[(usize, Decision)],
    outcomes: &HashMap<InboundId, Outcome>,
) -> Done {
    let prefix = &kernel.desk.prefix;
    let receipts = items
        .iter()
        .map(|item| {
            let outcome = outcomes.get(&item.id).cloned().unwrap_or_default();
            let verdict = outcome.verdict.unwrap_or(Verdict::Quarantined);
            Receipt {
                verdict,
                reference: outcome.reference.map(|reference| reference.shown(prefix).to_string()),
                seq: outcome.seq.unwrap_or_default(),
                reason: outcome.reason.map(|why| why.code).filter(|_| verdict == Verdict::Quarantined),
            }
        })
        .collect();
    let grown = decisions
        .iter()
        .map(|(_, decision)| (decision.ticket.source.clone(), decision.ticket.conversation.clone()))
        .collect();
    Done { receipts, grown, queued: decisions.iter().any(|(_, decision)| !decision.deliveries.is_empty()) }
}
