//! RFC 3464 delivery status: one group of fields a recipient.

use super::anatomy::Anatomy;
use super::fields::{Field, groups, value};
use super::text::ADDRESS_BYTES;
use super::{Action, Reason, Recipient, codes, text};

/// The recipients the delivery status part names; those of a copy of it in the text where there is no part.
pub(super) fn recipients(anatomy: &Anatomy) -> Vec<Recipient> {
    let stated = !anatomy.status.trim().is_empty();
    let source = if stated { &anatomy.status } else { &anatomy.said };
    let mut found: Vec<Recipient> = Vec::new();
    for group in groups(source).iter().flat_map(|group| split_group(group)) {
        let Some(recipient) = recipient(group, anatomy) else { continue };
        match found.iter_mut().find(|known| known.address.eq_ignore_ascii_case(&recipient.address)) {
            // Some servers report an alias once by each name: the later, fuller group wins only where it tells more.
            Some(known) if known.reason == Reason::Undefined => *known = recipient,
            Some(_) => {}
            None => found.push(recipient),
        }
    }
    if let [only] = found.as_mut_slice() {
        text::complete(only, &anatomy.said);
    }
    found
}

/// Groups that were glued together for want of a blank line: a field that comes again begins the next recipient.
fn split_group(group: &[Field]) -> Vec<&[Field]> {
    let Some(first) = group.iter().position(|field| is_recipient_field(&field.name)) else { return Vec::new() };
    let Some(lead) = group.get(first).map(|field| field.name.as_str()) else { return Vec::new() };
    let mut starts: Vec<usize> =
        group.iter().enumerate().filter(|(_, field)| field.name == lead).map(|(index, _)| index).collect();
    if let Some(start) = starts.first_mut() {
        *start = 0;
    }
    let ends = starts.iter().skip(1).copied().chain(std::iter::once(group.len()));
    starts.iter().zip(ends).filter_map(|(start, end)| group.get(*start..end)).collect()
}

fn is_recipient_field(name: &str) -> bool {
    matches!(name, "final-recipient" | "original-recipient" | "x-actual-recipient")
}

fn recipient(group: &[Field], anatomy: &Anatomy) -> Option<Recipient> {
    let last = value(group, "final-recipient").map(typed_address);
    let first = value(group, "original-recipient").map(typed_address).filter(|address| address.contains('@'));
    let actual = value(group, "x-actual-recipient").map(typed_address).filter(|address| address.contains('@'));
    let address = first
        .clone()
        .or_else(|| last.clone())
        .or(actual)
        .filter(|address| !address.is_empty() && address.len() <= ADDRESS_BYTES)?;
    let said = value(group, "diagnostic-code").map(|diagnostic| typed(diagnostic).to_owned()).unwrap_or_default();
    let stated = value(group, "status").unwrap_or_default();
    let status = codes::status(&said).or_else(|| codes::status(stated));
    let action = match value(group, "action")
        .unwrap_or("failed")
        .split([' ', '(', ';'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "delayed" => Action::Delayed,
        "delivered" | "deliverable" | "delivery" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => Action::Failed,
    };
    let reply = codes::reply(&said, status.as_deref());
    let diagnostic = text::one_line(if said.is_empty() { stated } else { &said });
    let words = format!("{diagnostic} {}", if diagnostic == stated { "" } else { stated });
    let reason = match action {
        Action::Delivered | Action::Relayed | Action::Expanded => Reason::Delivered,
        _ => Reason::of(&words, status.as_deref()),
    };
    let final_address = last.filter(|last| !last.eq_ignore_ascii_case(&address) && !last.is_empty());
    let mut recipient = Recipient { address, final_address, action, status, reply, diagnostic, reason, hard: false };
    if recipient.reason == Reason::Undefined {
        text::complete(&mut recipient, &anatomy.said);
    }
    recipient.settle();
    Some(recipient)
}

impl Recipient {
    /// Decides hard or not once everything else is known.
    pub(super) fn settle(&mut self) {
        let temporary = self.status.as_deref().is_some_and(|status| status.starts_with('4'));
        self.hard = self.action == Action::Failed
            && match self.reason {
                // A server that gave up on a 4xx "user unknown" after days of trying says that the user is unknown.
                Reason::UserUnknown | Reason::HasMoved => true,
                Reason::HostUnknown | Reason::NotAccept => !temporary,
                _ => false,
            };
    }
}

/// `rfc822; <ann@example.org>` without its type, brackets and source route.
fn typed_address(value: &str) -> String {
    let address = typed(value).trim().trim_matches(['<', '>', '"', '\'', ' ', '\t']);
    let address = match address.rsplit_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => address,
    };
    address.split_whitespace().next().unwrap_or_default().trim_end_matches(['>', ',']).to_owned()
}

/// What follows the type: `smtp; 550 ...`.
fn typed(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if kind.len() < 30 && !kind.contains([' ', '@']) => rest.trim(),
        _ => value.trim(),
    }
}
