//! Handing in by hand: a file or an MTA's pipe for real, or only to see what would become of it.

use guichet_contract::Receipt;
use guichet_domain::ids::SourceName;
use guichet_domain::inbound::{Explained, Inbound};
use guichet_domain::reason;
use guichet_store::blob::BlobHash;
use guichet_store::{inbound, timeline};

use crate::desk::explain::steps;
use crate::desk::showing::{show_entry, show_ticket};
use crate::desk::views::{ReceiptView, Simulation};
use crate::desk::{Desk, DeskError};
use crate::kernel::Source;

/// Entries of one look at a timeline.
const ENTRIES: i64 = 10_000;

impl Desk {
    /// Takes in a message as bytes, as if `source` had received it. Durable when it returns; the same bytes again are a
    /// duplicate. `quiet`: it is imported, and gets no acknowledgement.
    pub async fn inject<B>(&self, source: &str, bytes: B, quiet: bool) -> Result<ReceiptView, DeskError>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let name = SourceName::from(source);
        let source = self.source(source)?;
        let mut inbound = self.understand(&name, source, bytes).await?;
        if quiet {
            inbound.quiet = Some(reason::ACK_IMPORT);
        }
        let accepted = self.reception.accept(&name, source, vec![inbound], Vec::new()).await?;
        let receipt = accepted.receipts.into_iter().next();
        let receipt = receipt.ok_or_else(|| DeskError::invalid("nothing was taken in", "report this defect"))?;
        Ok(receipt_view(receipt))
    }

    /// Says what would become of a message if `source` received it now: the real way, in a transaction that is undone.
    pub async fn simulate<B>(&self, source: &str, bytes: B) -> Result<Simulation, DeskError>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let name = SourceName::from(source);
        let source = self.source(source)?;
        let inbound = self.understand(&name, source, bytes).await?;
        let mut rehearsed = self.reception.rehearse(source, inbound).await?;
        let (tx, now) = (&mut rehearsed.tx, rehearsed.now);
        let row = inbound::load(tx, rehearsed.inbound).await?;
        let why = row.and_then(|row| Some(Explained::new(row.reason?, row.detail.unwrap_or_default())));
        let mut simulation = Simulation {
            verdict: rehearsed.receipt.verdict,
            inbound: rehearsed.inbound,
            reason: why.map(Into::into),
            ticket: None,
            timeline: Vec::new(),
            deliveries: Vec::new(),
            steps: Vec::new(),
        };
        if let Some(reference) = &rehearsed.receipt.reference {
            let ticket = self.find(tx, reference).await?;
            let entries = timeline::entries(tx, ticket.id, 0, ENTRIES).await?;
            // Only what this item would add; of what was here before, nothing.
            simulation.timeline = entries.into_iter().filter(|kept| kept.entry.at >= now).map(show_entry).collect();
            simulation.deliveries = self.deliveries_of(tx, ticket.id).await?;
            simulation.deliveries.retain(|delivery| delivery.created_at >= now);
            simulation.steps = steps(tx, ticket.id).await?;
            simulation.steps.retain(|step| step.at >= now);
            simulation.ticket = Some(show_ticket(tx, self.prefix(), ticket).await?);
        }
        rehearsed.tx.rollback().await?;
        Ok(simulation)
    }

    /// Reads bytes by the source's channel; named by their hash, so that the same bytes are the same item.
    async fn understand<B>(&self, name: &SourceName, source: &Source, bytes: B) -> Result<Inbound, DeskError>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        if bytes.as_ref().is_empty() {
            return Err(DeskError::invalid("the message is empty", "send the whole message as the body"));
        }
        let (channel, now) = (source.channel.clone(), self.kernel.clock.now());
        let position = format!("sha256:{}", BlobHash::of(bytes.as_ref()).hex());
        // Reading a large mail takes a while: not on a thread that serves others.
        let read = tokio::task::spawn_blocking(move || channel.read(bytes.as_ref(), &position, now)).await;
        read.ok().flatten().ok_or_else(|| {
            let what = format!("the channel \"{}\" of source \"{name}\" takes no messages as files", source.kind);
            DeskError::invalid(what, "name a source of channel email")
        })
    }
}

pub(super) fn receipt_view(receipt: Receipt) -> ReceiptView {
    ReceiptView {
        verdict: receipt.verdict,
        reference: receipt.reference,
        seq: receipt.seq.0,
        reason: receipt.reason.map(Into::into),
    }
}
