//! Senders nobody reads, told by their local part or display name.

use super::Nature;

/// Local parts that are a machine's, as they stand.
const WHOLE: [(&str, Nature); 12] = [
    ("mailer-daemon", Nature::Report),
    ("mailer_daemon", Nature::Report),
    ("mailerdaemon", Nature::Report),
    ("postmaster", Nature::Report),
    ("post_master", Nature::Report),
    ("mdaemon", Nature::Report),
    ("mail.delivery.system", Nature::Report),
    ("listserv", Nature::List),
    ("majordomo", Nature::List),
    ("mailman", Nature::List),
    ("bounce", Nature::Bulk),
    ("bounces", Nature::Bulk),
];

/// "Do not answer" in the languages it is written in, without separators; at the beginning or the end of a local part.
const UNREAD: [&str; 16] = [
    "noreply",
    "donotreply",
    "dontreply",
    "doesnotreply",
    "nepasrepondre",
    "merciedenepasrepondre",
    "naoresponda",
    "naoresponder",
    "noresponder",
    "noresponda",
    "nocontestar",
    "nichtantworten",
    "keineantwort",
    "nonrispondere",
    "nietbeantwoorden",
    "nieodpowiadaj",
];

/// Endings a list server gives its own addresses.
const LIST_ENDINGS: [&str; 4] = ["-owner", "-request", "-bounces", "-errors"];

/// What a sender's local part (in any case) says about it.
pub(super) fn by_local_part(local: &str) -> Option<Nature> {
    let local = local.trim_matches('"').to_lowercase();
    if let Some((_, nature)) = WHOLE.iter().find(|(name, _)| *name == local) {
        return Some(*nature);
    }
    if ["bounce", "bounces"]
        .iter()
        .any(|stem| after(&local, stem).is_some_and(|rest| rest.starts_with(['+', '=', '-'])))
    {
        return Some(Nature::Bulk);
    }
    if local.starts_with("owner-") || LIST_ENDINGS.iter().any(|ending| local.ends_with(ending)) {
        return Some(Nature::List);
    }
    if local.starts_with("dmarc") {
        return Some(Nature::Report);
    }
    let joined: String = local.chars().filter(|letter| !matches!(letter, '-' | '_' | '.' | '+' | '=')).collect();
    if joined.starts_with("autoreply") || joined.starts_with("autorespon") || joined.starts_with("automatedrespon") {
        return Some(Nature::AutoReply);
    }
    let unread = UNREAD.iter().any(|stem| joined.starts_with(stem) || joined.ends_with(stem));
    unread.then_some(Nature::Notification)
}

/// Whether a display name is the one mail servers write on bounces.
pub(super) fn is_server_name(name: &str) -> bool {
    let name = name.trim().trim_matches('"').to_lowercase();
    name.starts_with("mail delivery s") || name.starts_with("mail deliver system") || name == "system administrator"
}

fn after<'t>(text: &'t str, stem: &str) -> Option<&'t str> {
    text.strip_prefix(stem)
}
