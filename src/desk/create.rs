//! A ticket made by an agent or a program, on behalf of somebody: an item like any other, so that everything that holds
//! for what comes in holds for it.

use guichet_domain::ids::{ExternalId, SourceName};
use guichet_domain::inbound::{Content, Inbound, Item, Party, Trust};
use guichet_domain::reason;
use guichet_domain::verdict::Verdict;

use crate::desk::repeat::Begin;
use crate::desk::showing::show_ticket;
use crate::desk::views::{NewTicket, PartyView, TicketView};
use crate::desk::{Desk, DeskError, Repeat};
use crate::kernel::Source;

/// Longest subject and text, in characters.
const LONGEST: (usize, usize) = (500, 100_000);
/// Longest address, in octets (RFC 5321 section 4.5.3.1).
const LONGEST_ADDRESS: usize = 320;

impl Desk {
    /// Makes a ticket. With a key, a repetition gives the first answer and makes nothing.
    pub async fn create(
        &self,
        agent: &str,
        asked: &NewTicket,
        raw: Vec<u8>,
        repeat: Option<&Repeat>,
    ) -> Result<TicketView, DeskError> {
        let kernel = self.kernel.as_ref();
        let now = kernel.clock.now();
        let (name, source) = self.answering(asked.source.as_deref())?;
        let item = item(asked, source)?;
        if let Some(repeat) = repeat {
            let mut tx = kernel.db.write().await?;
            // Begun and unfinished may be a request whose answer was lost: the item's own key makes it safe to go on.
            if let Begin::Answered(view) = repeat.begin(&mut tx, agent, now).await? {
                return Ok(view);
            }
            tx.commit().await?;
        }
        let id = repeat.map_or_else(|| kernel.ids.uuid(), |repeat| repeat.id(agent));
        let inbound = Inbound {
            external_id: ExternalId::new(format!("api:{id}")),
            same_as: Vec::new(),
            content: Content::Read(Box::new(item)),
            received_at: now,
            raw,
            quiet: (!asked.acknowledge).then_some(reason::ACK_UNWANTED),
        };
        let accepted = self.reception.accept(name, source, vec![inbound], Vec::new()).await?;
        let receipt = accepted.receipts.into_iter().next();
        let reference = receipt.as_ref().and_then(|receipt| receipt.reference.clone());
        let Some(reference) = reference else {
            let blocked = receipt.is_some_and(|receipt| receipt.verdict == Verdict::Quarantined);
            let what = if blocked { "the operator blocks this requester" } else { "no ticket was made" };
            return Err(DeskError::invalid(what, "see [desk] blocked, and the quarantine"));
        };
        let mut tx = kernel.db.write().await?;
        let ticket = self.find(&mut tx, &reference).await?;
        let view = show_ticket(&mut tx, self.prefix(), ticket).await?;
        if let Some(repeat) = repeat {
            repeat.finish(&mut tx, agent, &view).await?;
        }
        tx.commit().await?;
        Ok(view)
    }

    /// The source by which a new ticket is answered: the one named, or the only one that speaks to people.
    fn answering(&self, named: Option<&str>) -> Result<(&SourceName, &Source), DeskError> {
        let speaks =
            |source: &Source| source.enabled && source.channel.abilities().sends && source.channel.events().is_none();
        let all: Vec<_> = self.kernel.sources.iter().filter(|(_, source)| speaks(source)).collect();
        let names = || all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let found = if let Some(named) = named {
            all.iter().find(|(name, _)| name.as_str() == named)
        } else {
            // Where people talk on a page of ours, nobody is reached who is not there: such a source must be named.
            let mut alone = all.iter().filter(|(_, source)| source.rules.source.answer_by.is_none());
            alone.next().filter(|_| alone.next().is_none())
        };
        found.copied().ok_or_else(|| match named {
            Some(named) => DeskError::invalid(
                format!("source: nobody is answered by \"{named}\""),
                format!("use one of: {}", names()),
            ),
            None => {
                DeskError::invalid("source: several could answer the requester", format!("name one of: {}", names()))
            }
        })
    }
}

fn item(asked: &NewTicket, source: &Source) -> Result<Item, DeskError> {
    let subject = one_line(&asked.subject);
    let text = asked.text.trim().to_owned();
    if subject.is_empty() && text.is_empty() {
        return Err(DeskError::invalid("subject and text are empty", "say what is wanted"));
    }
    for (name, value, longest) in [("subject", &subject, LONGEST.0), ("text", &text, LONGEST.1)] {
        if value.chars().nth(longest).is_some() {
            return Err(DeskError::invalid(
                format!("{name} is too long"),
                format!("write at most {longest} characters"),
            ));
        }
    }
    let from = asked.requester.as_ref().map(party).transpose()?;
    Ok(Item {
        from,
        // As if it had been written to us: what is addressed to none of ours is not acknowledged.
        recipients: source.rules.source.addresses.first().map(Party::new).into_iter().collect(),
        subject: Some(subject).filter(|subject| !subject.is_empty()),
        reply_text: text.clone(),
        text,
        language: asked.language,
        trust: Trust::Verified(reason::TRUST_API),
        ..Item::default()
    })
}

fn party(asked: &PartyView) -> Result<Party, DeskError> {
    let address = asked.address.trim();
    let broken = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';');
    if address.is_empty() || address.len() > LONGEST_ADDRESS || address.contains(broken) {
        return Err(DeskError::invalid("requester.address: this is no address", "write one address, without a name"));
    }
    let name = asked.name.as_deref().map(one_line).filter(|name| !name.is_empty());
    Ok(Party { address: address.to_owned(), name })
}

/// Line breaks and control characters become spaces: nothing an API caller writes adds a header anywhere.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_subject_is_a_space() {
        assert_eq!(one_line(" Printer\r\nBcc: all@x.test "), "Printer Bcc: all@x.test");
    }

    #[test]
    fn an_address_is_one_address() {
        let address = |address: &str| party(&PartyView { address: address.into(), name: None }).is_ok();
        assert!(address("jean@client.test") && address("+33123456789"));
        assert!(!address("") && !address("a@x.test, b@x.test") && !address("a@x.test\r\nBcc: b@x.test"));
    }
}
