//! No automatic message goes to an address that is known not to work.

use std::collections::BTreeSet;

use guichet_domain::Moment;
use guichet_domain::decide::Decision;
use guichet_domain::entry::EntryKind;
use guichet_domain::inbound::Explained;
use guichet_domain::outgoing::DeliveryState;
use guichet_domain::reason;
use guichet_store::intake::{Wanted, find};
use guichet_store::{StoreError, Tx};

/// Keeps back what a decision would send automatically to an address known not to work: the row says why it does not
/// leave, its words become a note, and an agent's attention is asked for.
pub(crate) async fn spare_bad_addresses(tx: &mut Tx, decision: &mut Decision, now: Moment) -> Result<(), StoreError> {
    let automatic = decision.deliveries.iter().filter(|delivery| delivery.kind.is_automatic());
    let addresses: BTreeSet<String> = automatic.map(|delivery| delivery.to.key()).collect();
    if addresses.is_empty() {
        return Ok(());
    }
    let bad = find(tx, &Wanted { addresses, ..Wanted::default() }, now).await?.undeliverable;
    for delivery in &mut decision.deliveries {
        let waits = delivery.state == DeliveryState::Pending && delivery.kind.is_automatic();
        if !waits || !bad.contains(&delivery.to.key()) {
            continue;
        }
        delivery.state = DeliveryState::Suppressed;
        delivery.reason = Some(reason::NOTICE_UNDELIVERABLE);
        decision.ticket.attention = Some(reason::NOTICE_UNDELIVERABLE);
        let Some(at) = decision.entries.iter().position(|entry| Some(entry.id) == delivery.message) else { continue };
        let Some(entry) = decision.entries.get_mut(at) else { continue };
        entry.kind = EntryKind::Note;
        entry.reasons.push(Explained::new(reason::NOTICE_UNDELIVERABLE, delivery.kind.as_str()));
        let Some(freed) = entry.seq.take() else { continue };
        // What never leaves has no place in what the requester can read: those behind it move up.
        decision.ticket.last_seq -= 1;
        for later in &mut decision.entries {
            if let Some(seq) = later.seq.as_mut().filter(|seq| **seq > freed) {
                seq.0 -= 1;
            }
        }
    }
    Ok(())
}
