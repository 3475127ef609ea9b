//! The rules in their order. Each answers with a verdict or passes the mail on.

use mail_parser::{Address, Header};

use super::facts::Facts;
use super::own::{OwnAddresses, own_among};
use super::{Nature, Verdict, challenge, reason, sender, subject};

const DETAIL_CHARS: usize = 120;

pub(super) fn first_hit(facts: &Facts<'_>, own: &OwnAddresses) -> Option<Verdict> {
    let mut verdict = in_order(facts, own)?;
    // A bounce that came through a list or a mass mailer is still a bounce.
    let broad = matches!(verdict.nature, Nature::Bulk | Nature::List | Nature::Notification);
    if broad && verdict.reason != reason::OWN_ADDRESS && subject::nature(facts.subject()) == Some(Nature::Report) {
        verdict.nature = Nature::Report;
    }
    Some(verdict)
}

fn in_order(facts: &Facts<'_>, own: &OwnAddresses) -> Option<Verdict> {
    own_address(facts, own)
        .or_else(|| report(facts))
        .or_else(|| null_sender(facts))
        .or_else(|| failed_recipients(facts))
        .or_else(|| auto_submitted(facts))
        .or_else(|| sender_name(facts))
        .or_else(|| precedence(facts))
        .or_else(|| list(facts))
        .or_else(|| suppress(facts))
        .or_else(|| vendor(facts))
        .or_else(|| challenge_response(facts))
        .or_else(|| by_subject(facts))
}

fn own_address(facts: &Facts<'_>, own: &OwnAddresses) -> Option<Verdict> {
    for (name, header) in [("From", facts.from), ("Sender", facts.sender), ("Reply-To", facts.reply_to)] {
        if let Some(address) = header.and_then(address_of).and_then(|address| own_among(address, own)) {
            return Some(verdict(reason::OWN_ADDRESS, name, &address, Nature::Notification));
        }
    }
    None
}

fn report(facts: &Facts<'_>) -> Option<Verdict> {
    let kind = facts.report_part()?;
    Some(verdict(reason::REPORT, "Content-Type", &kind, Nature::Report))
}

fn null_sender(facts: &Facts<'_>) -> Option<Verdict> {
    let value = facts.value(facts.return_path?);
    let inner = value.split(['(', ';']).next().unwrap_or_default().trim();
    let address = inner.trim_start_matches('<').trim_end_matches('>').trim();
    let local = address.split('@').next().unwrap_or_default();
    if !inner.starts_with('<') && address.is_empty() {
        return None;
    }
    // Exchange and others send holiday messages from the null sender too: the other signs say which it is.
    let replied = facts.auto_submitted.iter().any(|header| first_token(&facts.value(header)) == "auto-replied");
    let nature = refined(facts, if replied { Nature::AutoReply } else { Nature::Report });
    let null = address.is_empty() || local.eq_ignore_ascii_case("mailer-daemon");
    null.then(|| verdict(reason::NULL_SENDER, "Return-Path", &value, nature))
}

fn failed_recipients(facts: &Facts<'_>) -> Option<Verdict> {
    let value = facts.value(facts.failed_recipients?);
    Some(verdict(reason::FAILED_RECIPIENTS, "X-Failed-Recipients", &value, Nature::Report))
}

fn auto_submitted(facts: &Facts<'_>) -> Option<Verdict> {
    facts.auto_submitted.iter().find_map(|header| {
        let value = facts.value(header);
        let token = first_token(&value);
        if token.is_empty() || token == "no" {
            return None;
        }
        let nature = refined(
            facts,
            match token.as_str() {
                "vacation" => Nature::OutOfOffice,
                "auto-replied" => Nature::AutoReply,
                _ => Nature::Notification,
            },
        );
        Some(verdict(reason::AUTO_SUBMITTED, header.name.as_str(), &value, nature))
    })
}

fn sender_name(facts: &Facts<'_>) -> Option<Verdict> {
    for header in [facts.from, facts.sender, facts.reply_to].into_iter().flatten() {
        for one in address_of(header).into_iter().flat_map(Address::iter) {
            if let Some(name) = one.name.as_deref().filter(|name| sender::is_server_name(name)) {
                return Some(verdict(reason::SENDER_NAME, header.name.as_str(), name, Nature::Report));
            }
            // `From: MAILER-DAEMON` parses as a name without an address.
            let Some(address) = one.address.as_deref().or(one.name.as_deref()) else { continue };
            let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
            if let Some(nature) = sender::by_local_part(local) {
                return Some(verdict(reason::SENDER_NAME, header.name.as_str(), address, nature));
            }
        }
    }
    let usable = facts.from.and_then(address_of).is_some_and(|address| {
        address
            .iter()
            .filter_map(|one| one.address.as_deref())
            .any(|one| one.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty()))
    });
    if usable {
        return None;
    }
    let written = facts.from.map(|header| facts.value(header)).unwrap_or_default();
    Some(verdict(reason::NO_SENDER, "From", &written, Nature::Notification))
}

fn precedence(facts: &Facts<'_>) -> Option<Verdict> {
    facts.precedence.iter().find_map(|header| {
        let value = facts.value(header);
        let nature = match first_token(&value).as_str() {
            "bulk" | "junk" => Nature::Bulk,
            "list" => Nature::List,
            "auto_reply" | "auto-reply" => Nature::AutoReply,
            _ => return None,
        };
        Some(verdict(reason::PRECEDENCE, header.name.as_str(), &value, nature))
    })
}

fn list(facts: &Facts<'_>) -> Option<Verdict> {
    let header = facts.list?;
    Some(verdict(reason::LIST, header.name.as_str(), &facts.value(header), Nature::List))
}

fn suppress(facts: &Facts<'_>) -> Option<Verdict> {
    facts.suppress.iter().find_map(|header| {
        let value = facts.value(header);
        let asked = value
            .split([',', ';', ' '])
            .any(|token| ["all", "oof", "autoreply"].iter().any(|wanted| token.trim().eq_ignore_ascii_case(wanted)));
        asked.then(|| verdict(reason::AUTO_RESPONSE_SUPPRESS, header.name.as_str(), &value, Nature::Notification))
    })
}

/// What a product's header must contain to count; empty means any value that is not a denial.
struct Vendor(&'static str, &'static str, Nature);

const VENDORS: [Vendor; 25] = [
    Vendor("x-autoreply", "", Nature::AutoReply),
    Vendor("x-autorespond", "", Nature::AutoReply),
    Vendor("x-autoresponse", "", Nature::AutoReply),
    Vendor("x-autoresponder", "", Nature::AutoReply),
    Vendor("x-autoreply-from", "", Nature::AutoReply),
    Vendor("x-mail-autoreply", "", Nature::AutoReply),
    Vendor("x-autogenerated", "", Nature::AutoReply),
    Vendor("x-auto-generated", "", Nature::AutoReply),
    Vendor("x-fc-machinegenerated", "", Nature::Notification),
    Vendor("x-loop", "", Nature::Notification),
    Vendor("x-no-loop", "", Nature::Notification),
    Vendor("x-otrs-loop", "", Nature::AutoReply),
    Vendor("x-otobo-loop", "", Nature::AutoReply),
    Vendor("x-znuny-loop", "", Nature::AutoReply),
    Vendor("x-zammad-loop", "", Nature::AutoReply),
    Vendor("x-rt-loop-prevention", "", Nature::AutoReply),
    Vendor("x-libredesk-loop-prevention", "", Nature::AutoReply),
    Vendor("x-ms-exchange-inbox-rules-loop", "", Nature::AutoReply),
    Vendor("x-ms-exchange-generated-message-source", "mailbox rules agent", Nature::AutoReply),
    Vendor("x-post-messageclass", "9", Nature::AutoReply),
    Vendor("delivered-to", "autoresponder", Nature::AutoReply),
    Vendor("x-cron-env", "", Nature::Notification),
    Vendor("x-amazon-mail-relay-type", "notification", Nature::Notification),
    Vendor("x-github-reason", "", Nature::Notification),
    Vendor("x-jira-fingerprint", "", Nature::Notification),
];

fn vendor(facts: &Facts<'_>) -> Option<Verdict> {
    facts.other.iter().find_map(|header| {
        let name = header.name.as_str();
        let Vendor(_, wanted, nature) = VENDORS.iter().find(|vendor| name.eq_ignore_ascii_case(vendor.0))?;
        let value = facts.value(header);
        let plain = value.to_lowercase();
        let counts = match *wanted {
            "" => !matches!(plain.as_str(), "no" | "false" | "0" | ""),
            "9" => plain.starts_with('9'),
            wanted => plain.starts_with(wanted),
        };
        counts.then(|| verdict(reason::VENDOR_HEADER, name, &value, *nature))
    })
}

fn challenge_response(facts: &Facts<'_>) -> Option<Verdict> {
    let (name, value) = challenge::found(facts)?;
    Some(verdict(reason::CHALLENGE, name, &value, Nature::AutoReply))
}

fn by_subject(facts: &Facts<'_>) -> Option<Verdict> {
    let subject = facts.subject();
    let nature = subject::nature(subject)?;
    Some(verdict(reason::SUBJECT, "Subject", subject, nature))
}

/// What the sender and the subject add to a header that only says "automatic".
fn refined(facts: &Facts<'_>, otherwise: Nature) -> Nature {
    match subject::nature(facts.subject()) {
        Some(nature @ (Nature::Report | Nature::OutOfOffice)) => nature,
        _ if facts.from.and_then(address_of).is_some_and(from_server) => Nature::Report,
        Some(nature) => nature,
        None => otherwise,
    }
}

fn from_server(address: &Address<'_>) -> bool {
    address.iter().any(|one| {
        let address = one.address.as_deref().or(one.name.as_deref()).unwrap_or_default();
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
        sender::by_local_part(local) == Some(Nature::Report) || one.name.as_deref().is_some_and(sender::is_server_name)
    })
}

fn address_of<'h>(header: &'h Header<'_>) -> Option<&'h Address<'h>> {
    header.value.as_address()
}

/// RFC 3834: the keyword ends at a parameter, a comment or a space, and its case does not matter.
fn first_token(value: &str) -> String {
    value.trim().split([';', '(', ' ', ',', '\t']).next().unwrap_or_default().to_lowercase()
}

fn verdict(reason: &'static str, name: &str, value: &str, nature: Nature) -> Verdict {
    let detail = format!("{name}: {value}").chars().take(DETAIL_CHARS).collect();
    Verdict { reason, detail, nature }
}
