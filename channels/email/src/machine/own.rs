//! The desk's own addresses, and mails that claim to come from them.

use std::collections::HashSet;

use mail_parser::{Address, Message};

use super::facts::{decoded, top_headers};

/// The addresses a desk receives at and sends from: the source's own, its aliases, and their plus forms.
#[derive(Debug, Clone, Default)]
pub struct OwnAddresses {
    addresses: HashSet<String>,
}

impl OwnAddresses {
    /// Takes the addresses in any case; anything without an `@` is ignored.
    pub fn new<I, S>(addresses: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let addresses = addresses.into_iter().filter_map(|address| bare(address.as_ref())).collect();
        OwnAddresses { addresses }
    }

    /// Whether this is one of them, in any case and with or without a plus part (`support+token@example.org`).
    pub fn contains(&self, address: &str) -> bool {
        !self.addresses.is_empty() && bare(address).is_some_and(|plain| self.addresses.contains(&plain))
    }
}

/// What a mail claims about being ours; the core holds the key and decides whether the claim is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnClaim {
    /// Every X-Guichet-Loop value, in order.
    pub loop_tokens: Vec<String>,
    /// The Message-ID, without brackets: ours are signed.
    pub message_id: Option<String>,
    /// The first From or Sender address that is one of ours.
    pub address: Option<String>,
}

/// The claim of a mail that carries our loop header or one of our addresses as From or Sender; `None` for everybody else's mail.
pub fn own_claim(message: &Message<'_>, own: &OwnAddresses) -> Option<OwnClaim> {
    let loop_tokens: Vec<String> = top_headers(message)
        .iter()
        .filter(|header| header.name.as_str().eq_ignore_ascii_case("x-guichet-loop"))
        .map(|header| decoded(message, header))
        .collect();
    let senders = [message.from(), message.sender()];
    let address = senders.into_iter().flatten().find_map(|address| own_among(address, own));
    if loop_tokens.is_empty() && address.is_none() {
        return None;
    }
    Some(OwnClaim { loop_tokens, message_id: message.message_id().map(str::to_owned), address })
}

/// The first of these addresses that is one of ours.
pub(super) fn own_among(address: &Address<'_>, own: &OwnAddresses) -> Option<String> {
    address.iter().filter_map(|one| one.address.as_deref()).find(|one| own.contains(one)).map(str::to_owned)
}

fn bare(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let local = local.split_once('+').map_or(local, |(before, _)| before);
    Some(format!("{local}@{domain}").to_lowercase())
}
