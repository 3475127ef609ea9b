//! Where a requester can be reached by mail: on the source's own network, or elsewhere.

use crate::inbound::{Contact, Item, Party};
use crate::rules::Rules;
use crate::ticket::Ticket;

/// Longest address, in octets (RFC 5321 section 4.5.3.1).
const LONGEST: usize = 320;

/// The contact of a ticket after `item`: what it gives, unless what is known already is better.
pub(super) fn of_item(known: Option<&Contact>, item: &Item, rules: &Rules) -> Option<Contact> {
    let given = item.contact.as_ref().filter(|given| is_usable(&given.address, rules));
    match (known, given) {
        (Some(known), Some(given)) if known.verified && !given.verified => Some(known.clone()),
        (_, Some(given)) => Some(Contact { address: given.address.trim().to_owned(), verified: given.verified }),
        (known, None) => known.cloned(),
    }
}

/// Whether mail could be sent there, and would not come back to ourselves.
pub(super) fn is_usable(address: &str, rules: &Rules) -> bool {
    let key = crate::inbound::address_key(address);
    is_mail(&key) && !rules.desk.is_ours(&key) && !rules.desk.is_blocked(&key)
}

/// The address to which mail about a ticket goes, and whether it is proved: a proved contact, else the requester's own
/// where that is an e-mail address, else a contact that was only given.
pub fn mail_address(ticket: &Ticket) -> Option<(Party, bool)> {
    let name = ticket.requester.as_ref().and_then(|party| party.name.clone());
    let party = |contact: &Contact| (Party { address: contact.address.clone(), name: name.clone() }, contact.verified);
    let proved = ticket.contact.as_ref().filter(|contact| contact.verified).map(party);
    let own = ticket.requester.clone().filter(|party| is_mail(&party.key())).map(|party| (party, ticket.verified));
    proved.or(own).or_else(|| ticket.contact.as_ref().map(party))
}

/// Whether this address key is an e-mail address: names of other networks hold an `@` too, in front or with a colon behind.
fn is_mail(key: &str) -> bool {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/' | '<' | '>' | ',' | ';');
    let Some((local, domain)) = key.rsplit_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && key.len() <= LONGEST && !local.contains('@') && !key.contains(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_networks_are_no_mail_addresses() {
        for mail in ["jean@client.test", "a+b@localhost"] {
            assert!(is_mail(mail), "{mail}");
        }
        for other in ["@jean:matrix.test", "jean", "@x", "jean@", "a b@x.test", "a@b@x.test", "tel:+331@x.test"] {
            assert!(!is_mail(other), "{other}");
        }
    }
}
