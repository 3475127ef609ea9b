//! The parts of a batch as rows of values.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::{Batch, Identity, Participant, Verdict};
use crate::blob::{BlobHash, Packed};
use crate::value::Value;
use guichet_domain::ids::{SourceName, TicketId};
use guichet_domain::inbound::{Explained, Party};
use guichet_domain::outgoing::NewDelivery;

pub(super) fn entries<'a>(batch: &Batch<'a>) -> Vec<[Value<'a>; 14]> {
    batch
        .entries
        .iter()
        .map(|new| {
            let entry = new.entry;
            let author = entry.author.as_ref();
            [
                entry.id.into(),
                new.ticket.into(),
                entry.kind.as_str().into(),
                entry.seq.into(),
                Value::maybe(author.map(|party| party.address.as_str())),
                Value::maybe(author.and_then(|party| party.name.as_deref())),
                entry.verified.into(),
                Value::maybe(entry.subject.as_deref()),
                entry.text.as_str().into(),
                Value::maybe(entry.full_text.as_deref()),
                Value::maybe(entry.html.as_deref()),
                entry.source.as_ref().into(),
                new.inbound.into(),
                entry.at.into(),
            ]
        })
        .collect()
}

pub(super) fn attachments<'a>(batch: &Batch<'a>) -> Vec<[Value<'a>; 7]> {
    let files =
        batch.entries.iter().flat_map(|new| new.attachments.iter().enumerate().map(|file| (new.entry.id, file)));
    files
        .map(|(entry, (position, file))| {
            [
                entry.into(),
                whole(position as u64),
                file.name.into(),
                file.media_type.into(),
                Value::maybe(file.content_id),
                Value::Bytes(Some(file.hash.0.to_vec().into())),
                whole(file.size),
            ]
        })
        .collect()
}

pub(super) fn ids<'a>(batch: &Batch<'a>) -> Vec<[Value<'a>; 5]> {
    let of_entries = batch.entries.iter().flat_map(|new| {
        new.entry
            .external_ids
            .iter()
            .map(|id| [id.into(), new.ticket.into(), new.entry.id.into(), Value::Uuid(None), new.entry.at.into()])
    });
    let others = batch
        .ids
        .iter()
        .map(|new| [new.id.into(), new.ticket.into(), new.entry.into(), new.delivery.into(), new.at.into()]);
    of_entries.chain(others).collect()
}

/// Positions go on within one cause at one instant, so that two explanations of the same thing do not collide.
pub(super) fn explanations<'a>(batch: &Batch<'a>) -> Vec<[Value<'a>; 6]> {
    let mut positions: HashMap<(Uuid, i64), i64> = HashMap::new();
    let mut rows = Vec::new();
    let of_entries =
        batch.entries.iter().map(|new| (new.entry.id.0, Some(new.ticket), new.entry.reasons.as_slice(), new.entry.at));
    let others = batch.explanations.iter().map(|new| (new.cause, new.ticket, new.reasons, new.at));
    for (cause, ticket, reasons, at) in of_entries.chain(others) {
        let position = positions.entry((cause, at.micros())).or_default();
        for Explained { code, detail } in reasons {
            rows.push([
                cause.into(),
                at.into(),
                (*position).into(),
                ticket.into(),
                code.into(),
                detail.as_str().into(),
            ]);
            *position += 1;
        }
    }
    rows
}

/// Each once: a statement may not touch one row twice.
pub(super) fn participants<'a>(batch: &Batch<'a>) -> Vec<[Value<'a>; 5]> {
    let mut each: BTreeMap<(TicketId, String), (&'a Party, super::Role)> = BTreeMap::new();
    for Participant { ticket, party, role } in &batch.participants {
        let known = each.entry((*ticket, party.key())).or_insert((party, *role));
        if known.0.name.is_none() {
            known.0 = party;
        }
    }
    each.into_iter()
        .map(|((ticket, key), (party, role))| {
            [
                ticket.into(),
                key.into(),
                party.address.as_str().into(),
                Value::maybe(party.name.as_deref()),
                role.as_str().into(),
            ]
        })
        .collect()
}

pub(super) fn identities<'a>(batch: &Batch<'a>) -> Vec<[Value<'a>; 6]> {
    let mut each: BTreeMap<&'a str, Identity<'a>> = BTreeMap::new();
    for new in &batch.identities {
        match each.get_mut(new.address) {
            None => {
                each.insert(new.address, new.clone());
            }
            Some(known) => {
                known.language = new.language.or(known.language);
                known.verified |= new.verified;
                known.undeliverable = new.undeliverable.or(known.undeliverable);
                known.at = known.at.max(new.at);
            }
        }
    }
    each.into_values()
        .map(|known| {
            [
                known.address.into(),
                Value::maybe(known.language.map(guichet_domain::language::Language::as_str)),
                Value::at(known.verified.then_some(known.at)),
                Value::at(known.undeliverable.map(|_| known.at)),
                known.undeliverable.into(),
                known.at.into(),
            ]
        })
        .collect()
}

pub(super) fn inbounds<'a>(batch: &'a Batch<'a>) -> Vec<[Value<'a>; 16]> {
    batch
        .inbounds
        .iter()
        .map(|new| {
            [
                new.id.into(),
                new.source.into(),
                new.external_id.into(),
                new.verdict.as_str().into(),
                new.reason.into(),
                Value::maybe(new.detail),
                new.ticket.into(),
                new.entry.into(),
                new.seq.into(),
                Value::maybe(new.from_key.as_deref()),
                Value::maybe(new.subject),
                Value::Bytes(new.raw.map(|hash| hash.0.to_vec().into())),
                whole(new.raw_size),
                Value::maybe((new.verdict == Verdict::Quarantined).then_some("held")),
                new.received_at.into(),
                new.recorded_at.into(),
            ]
        })
        .collect()
}

/// The raw bytes of the items: those of a batch's blobs that an item names.
pub(super) fn raws<'a>(batch: &'a Batch<'a>) -> Vec<[Value<'a>; 5]> {
    let packed: HashMap<BlobHash, &Packed> = batch.blobs.iter().map(|blob| (blob.hash, *blob)).collect();
    batch
        .inbounds
        .iter()
        .filter_map(|new| Some((new.id, *packed.get(&new.raw?)?)))
        .map(|(inbound, raw)| {
            let bytes = Value::Bytes(raw.bytes.as_deref().map(Into::into));
            [inbound.into(), raw.hash.0.as_slice().into(), raw.codec.as_str().into(), whole(raw.size), bytes]
        })
        .collect()
}

/// The other blobs: files of entries.
pub(super) fn blobs<'a>(batch: &'a Batch<'a>) -> Vec<[Value<'a>; 5]> {
    let raws: HashSet<BlobHash> = batch.inbounds.iter().filter_map(|new| new.raw).collect();
    let files: HashSet<BlobHash> =
        batch.entries.iter().flat_map(|new| new.attachments.iter().map(|file| file.hash)).collect();
    batch
        .blobs
        .iter()
        .filter(|blob| files.contains(&blob.hash) || !raws.contains(&blob.hash))
        .map(|blob| {
            let bytes = Value::Bytes(blob.bytes.as_deref().map(Into::into));
            [blob.hash.0.as_slice().into(), blob.codec.as_str().into(), whole(blob.size), bytes, blob.created_at.into()]
        })
        .collect()
}

pub(super) fn delivery<'a>(new: &'a NewDelivery, facts: String, batch: &Batch<'_>) -> [Value<'a>; 22] {
    [
        new.id.into(),
        new.kind.as_str().into(),
        new.ticket.into(),
        new.message.into(),
        (&new.source).into(),
        (&new.conversation).into(),
        new.to.address.as_str().into(),
        Value::maybe(new.to.name.as_deref()),
        new.to.key().into(),
        new.to.domain().map_or(Value::Text(None), Value::text),
        new.kind.is_automatic().into(),
        new.language.as_str().into(),
        facts.into(),
        new.state.as_str().into(),
        new.reason.as_ref().into(),
        new.due_at.into(),
        new.expires_at.into(),
        0.into(),
        0.into(),
        0.into(),
        Value::at((new.state != guichet_domain::outgoing::DeliveryState::Pending).then_some(batch.at)),
        batch.at.into(),
    ]
}

pub(super) fn tally<'a>(batch: &Batch<'a>) -> Vec<[Value<'a>; 3]> {
    let mut sums: BTreeMap<(&'a SourceName, Verdict), i64> = BTreeMap::new();
    for (source, verdict, n) in &batch.tally {
        *sums.entry((*source, *verdict)).or_default() += n;
    }
    sums.into_iter()
        .filter(|(_, n)| *n != 0)
        .map(|((source, verdict), n)| [source.into(), verdict.as_str().into(), n.into()])
        .collect()
}

/// An octet count or a position.
pub(super) fn whole(number: u64) -> Value<'static> {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
