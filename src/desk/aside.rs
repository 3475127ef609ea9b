//! What is kept aside: looking at it, letting it in, leaving it out.

use guichet_domain::ids::InboundId;
use guichet_domain::inbound::{Attachment, Content, Explained, Inbound, Item};
use guichet_domain::reason;
use guichet_store::Tx;
use guichet_store::inbound::{self, KeptInbound, Quarantine};
use guichet_store::record::{Batch, Explanation, record};

use crate::desk::handing::receipt_view;
use crate::desk::showing::reference_of;
use crate::desk::views::{QuarantineItem, QuarantinePage, ReceiptView, Standing};
use crate::desk::{Desk, DeskError};

/// Items of one page: unless said otherwise, and at most.
const PAGE: (i64, i64) = (50, 200);

/// The bytes of an item as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// A name for a file.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Desk {
    /// Items kept aside in one standing, the latest first, behind `before`.
    pub async fn quarantined(
        &self,
        standing: Standing,
        before: Option<InboundId>,
        limit: Option<i64>,
    ) -> Result<QuarantinePage, DeskError> {
        let limit = limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
        let mut tx = self.kernel.db.read().await?;
        let kept = inbound::quarantined(&mut tx, of(standing), before, limit + 1).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = kept.get(shown).and_then(|_| kept.get(shown - 1)).map(|last| last.id);
        let mut items = Vec::with_capacity(kept.len());
        for kept in kept.into_iter().take(shown) {
            items.push(self.quarantine_item(&mut tx, kept).await?);
        }
        Ok(QuarantinePage { items, next, held: inbound::held(&mut tx).await? })
    }

    /// One item that was kept aside.
    pub async fn quarantined_one(&self, id: InboundId) -> Result<QuarantineItem, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let kept = kept_aside(&mut tx, id).await?;
        self.quarantine_item(&mut tx, kept).await
    }

    /// The bytes of an item as they came.
    pub async fn quarantined_raw(&self, id: InboundId) -> Result<Raw, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let kept = kept_aside(&mut tx, id).await?;
        let gone = || DeskError::not_found("its raw bytes are no longer kept", "see [storage] raw_days");
        let bytes = self.raw(&mut tx, &kept).await?.ok_or_else(gone)?;
        Ok(Raw { name: format!("{id}.eml"), bytes })
    }

    /// Lets an item in past the rules that kept it aside. One that cannot be read at all becomes a ticket that says so,
    /// with the original attached.
    pub async fn release(&self, agent: &str, id: InboundId) -> Result<ReceiptView, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let kept = kept_aside(&mut tx, id).await?;
        check_held(&kept)?;
        let raw = self.raw(&mut tx, &kept).await?.unwrap_or_default();
        drop(tx);
        let source = self.source(kept.source.as_str()).map_err(|_| {
            let what = format!("its source \"{}\" is no longer configured", kept.source);
            DeskError::state(what, "put the source back into the configuration, or discard the item")
        })?;
        let (channel, position, received_at) = (source.channel.clone(), kept.external_id.clone(), kept.received_at);
        // Reading a large mail takes a while: not on a thread that serves others.
        let bytes = raw.clone();
        let read = tokio::task::spawn_blocking(move || channel.read(&bytes, position.as_str(), received_at)).await;
        let content = match read.ok().flatten().map(|inbound| inbound.content) {
            Some(content @ Content::Read(_)) => content,
            _ => Content::Read(Box::new(unreadable(&kept, &raw))),
        };
        let inbound = Inbound {
            external_id: kept.external_id,
            same_as: Vec::new(),
            content,
            received_at: kept.received_at,
            raw,
            quiet: None,
        };
        let receipt = self.reception.release(source, id, inbound).await?;
        self.explain_release(agent, id).await?;
        Ok(receipt_view(receipt))
    }

    /// Leaves an item out for good; its bytes are kept as long as those of others.
    pub async fn discard(&self, id: InboundId) -> Result<QuarantineItem, DeskError> {
        let mut tx = self.kernel.db.write().await?;
        let kept = kept_aside(&mut tx, id).await?;
        check_held(&kept)?;
        inbound::discard(&mut tx, id).await?;
        let kept = kept_aside(&mut tx, id).await?;
        let item = self.quarantine_item(&mut tx, kept).await?;
        tx.commit().await?;
        Ok(item)
    }

    /// The bytes of an item as they came; `None` when they were pruned.
    async fn raw(&self, tx: &mut Tx, kept: &KeptInbound) -> Result<Option<Vec<u8>>, DeskError> {
        let Some(hash) = kept.raw else { return Ok(None) };
        match inbound::raw(tx, kept.id).await? {
            Some(stored) => self.unpacked(&hash, stored).await,
            None => Ok(None),
        }
    }

    /// Says in the ticket's explanation who let it in.
    async fn explain_release(&self, agent: &str, id: InboundId) -> Result<(), DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let ticket = inbound::load(&mut tx, id).await?.and_then(|kept| kept.ticket);
        let reasons = [Explained::new(reason::RELEASED, agent)];
        let explanation = Explanation { cause: id.0, ticket, reasons: &reasons, at: now };
        record(&mut tx, &Batch { at: now, explanations: vec![explanation], ..Batch::default() }).await?;
        Ok(tx.commit().await?)
    }

    async fn quarantine_item(&self, tx: &mut Tx, kept: KeptInbound) -> Result<QuarantineItem, DeskError> {
        let reference = reference_of(tx, self.prefix(), kept.ticket).await?;
        Ok(QuarantineItem {
            id: kept.id,
            source: kept.source,
            external_id: kept.external_id.as_str().to_owned(),
            standing: kept.quarantine.map_or(Standing::Held, standing),
            reason: kept.reason.map(|code| Explained::new(code, kept.detail.unwrap_or_default()).into()),
            from: kept.from_key,
            subject: kept.subject,
            size: kept.raw_size,
            has_raw: kept.raw.is_some(),
            reference,
            received_at: kept.received_at,
        })
    }
}

async fn kept_aside(tx: &mut Tx, id: InboundId) -> Result<KeptInbound, DeskError> {
    let kept = inbound::load(tx, id).await?.filter(|kept| kept.quarantine.is_some());
    kept.ok_or_else(|| DeskError::not_found("no such item is kept aside", "list the quarantine"))
}

fn check_held(kept: &KeptInbound) -> Result<(), DeskError> {
    match kept.quarantine {
        Some(Quarantine::Held) => Ok(()),
        other => {
            let word = other.map_or("not kept aside", Quarantine::as_str);
            Err(DeskError::state(format!("it is {word} already"), "nothing is left to do"))
        }
    }
}

/// What stands in for a message nobody can read.
fn unreadable(kept: &KeptInbound, raw: &[u8]) -> Item {
    let why = kept.reason.as_ref().map_or("", |reason| reason.explanation());
    let text = if raw.is_empty() {
        format!("A message came by {} and could not be read; its original is no longer kept. {why}", kept.source)
    } else {
        format!("A message came by {} and could not be read; its original is attached. {why}", kept.source)
    };
    let original = Attachment {
        name: "original.eml".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        content_id: None,
        bytes: raw.to_vec(),
    };
    Item {
        subject: kept.subject.clone().or_else(|| Some("Unreadable message".to_owned())),
        reply_text: text.clone(),
        text,
        attachments: if raw.is_empty() { Vec::new() } else { vec![original] },
        ..Item::default()
    }
}

const fn of(standing: Standing) -> Quarantine {
    match standing {
        Standing::Held => Quarantine::Held,
        Standing::Released => Quarantine::Released,
        Standing::Discarded => Quarantine::Discarded,
    }
}

const fn standing(kept: Quarantine) -> Standing {
    match kept {
        Quarantine::Held => Standing::Held,
        Quarantine::Released => Standing::Released,
        Quarantine::Discarded => Standing::Discarded,
    }
}
