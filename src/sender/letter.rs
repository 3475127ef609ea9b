//! From a row of the outbox to a message a channel can send.

use guichet_contract::Outgoing;
use guichet_domain::ids::ExternalId;
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::token::Claim;
use guichet_store::outbox::{self, OutboxRow};
use guichet_store::{StoreError, Tx};

use super::outlet::Place;
use crate::kernel::Kernel;
use crate::texts::{Rendered, TextsError};

/// Most earlier messages a letter refers to.
const THREAD: i64 = 20;

/// A claimed row with everything that is needed to send it.
pub(super) struct Letter {
    pub(super) row: OutboxRow,
    pub(super) thread: Vec<ExternalId>,
}

/// Looks up what the claimed rows refer to, in the transaction that claimed them.
pub(super) async fn letters(tx: &mut Tx, claimed: Vec<(OutboxRow, Place)>) -> Result<Vec<(Letter, Place)>, StoreError> {
    let threads = outbox::threads(tx, claimed.iter().map(|(row, _)| row.ticket), THREAD).await?;
    Ok(claimed
        .into_iter()
        .map(|(row, place)| {
            let thread = threads.get(&row.ticket).cloned().unwrap_or_default();
            (Letter { row, thread }, place)
        })
        .collect())
}

impl Letter {
    /// The message in words.
    pub(super) fn outgoing(&self, kernel: &Kernel) -> Result<Outgoing, TextsError> {
        let row = &self.row;
        let words = match row.kind {
            NoticeKind::Event => Rendered {
                subject: String::new(),
                text: row.facts.event.clone().unwrap_or_default(),
                html: String::new(),
            },
            _ => kernel.texts.render(row.kind, row.language, &row.facts, &kernel.desk.taxonomy)?,
        };
        let (ticket, delivery) = (row.ticket, row.id);
        let keyring = &kernel.keyring;
        Ok(Outgoing {
            id: row.id,
            attempt: row.attempts,
            kind: row.kind,
            to: row.to.clone(),
            conversation: row.conversation.clone(),
            reference: row.facts.reference.clone(),
            language: row.language,
            subject: words.subject,
            text: words.text,
            html: Some(words.html).filter(|html| !html.is_empty()),
            attachments: Vec::new(),
            reply_token: keyring.mint(&Claim::ReplyAddress { ticket }),
            message_token: keyring.mint(&Claim::MessageId { ticket, delivery }),
            loop_token: keyring.mint(&Claim::Loop { delivery }),
            bounce_token: keyring.mint(&Claim::Bounce { delivery }),
            in_reply_to: self.thread.last().cloned(),
            thread: self.thread.clone(),
        })
    }
}
