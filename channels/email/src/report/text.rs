//! Reports in no standard form: the lines that name a recipient, and what stands under each.

use std::sync::LazyLock;

use mail_parser::{HeaderName, Message};
use regex::Regex;

use super::anatomy::{Anatomy, head_of};
use super::marks::{ADDRESS, CONTACT, pattern};
use super::original::Original;
use super::{Action, Reason, Recipient, codes};

/// How sure a line is about the address on it being one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It merely stands there.
    Mentioned,
    /// In the SMTP dialogue.
    Dialogue,
    /// The line is there to name it.
    Named,
}

struct Mention {
    address: String,
    rank: Rank,
    line: usize,
}

static ALONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r#"^[\s>*"'<\[(-]*(?:smtp:|mailto:|rfc822; ?)?({ADDRESS})[\s"'>\])]*[:;,.]?\s*$"#))
});

/// `<ann@example.org>: host said ...`, `ann@example.org on Thu, ...`, `ann@example.org ... unknown host`.
static LEADING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"^[\s>*"'<\[(-]*({ADDRESS})[\s"'>\])]*(?::|\s-+\s|\s*\.\.\.|\s*\[| on [0-9A-Za-z_]{{3}}, | invalid address|\s\(|; on )"#
    ))
});

static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let lead = concat!(
        r"(?:",
        r"recipients?(?: address)?(?: returned permanent errors)?\s*[:;=]",
        r"|undeliverable(?: address| to)?:?",
        r"|deliver(?:ed|y)?(?: of)?(?: (?:your|the|this|e?-?mail|message|mail|it)){0,4} (?:to|for)(?: (?:this |the |local )?(?:address|user))?:?",
        r"|(?:sent|send|message|mail|reached our local address|not reach the following recipient|delivre a|envoye a|addressed to)(?: to)?:?",
        r"|(?:error-for|userid|user|mailbox is full|allowed size|local mailbox|attempts|account|gateway for|quota violation for|box is full):?",
        r"|(?:generated|expanded) from:?|dda:smtp|addressed to|was addressed,|addressed to email address :?|to address:?",
        r"|not reach the following recipient\(?s?\)?:",
        r")"
    );
    pattern(&format!(r#"(?-u:\b){lead}(?:\s+|\s*[:=<"'\[(]\s*)[<\["'(]*(?:smtp:)?({ADDRESS})"#))
});

/// `"Ann" <ann@example.org>` alone on its line.
static DISPLAYED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"^\s*"?[^<>:]{{0,60}}"?\s*<({ADDRESS})>\s*$"#)));

static DIALOGUE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"(?:rcpt to:\s*|(?-u:\b)[45][0-9][0-9][ -][^@]{{0,60}}?)[<"']*({ADDRESS})"#)));

static ANYWHERE: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("({ADDRESS})")));

/// Lines that speak of the sender.
static SENDER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r#"(?:(?-u:\b)mail from:?|(?-u:\b)from:?|(?-u:\b)sender:?|reply-to:)\s*["'<]*{ADDRESS}[>"']*"#))
});

/// The server took the recipient and refused the content: its "user unknown" then comes from a filter behind.
static AFTER_DATA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        // Sendmail shows DATA before refusals of pipelined recipients too; it then ends with "need RCPT", not with this.
        r"^\s*>>> data\s*\n(?:\s*<<< 5[^\n]*\n)+\s*554 5\.0\.0 service unavailable",
        r"|after end of data|in reply to (?:end of )?data|failed after i sent the message|our final data"
    ))
});

const LINES: usize = 400;
const RECIPIENTS: usize = 50;
/// A mail made to be slow names thousands on one line.
const MENTIONS: usize = 200;
const DIAGNOSTIC: usize = 4096;
/// RFC 5321 allows 254; what is longer is no address.
pub(super) const ADDRESS_BYTES: usize = 320;

/// The recipients a text speaks of.
pub(super) fn recipients(message: &Message<'_>, anatomy: &Anatomy, original: &Original) -> Vec<Recipient> {
    let lines: Vec<&str> = anatomy.said.lines().take(LINES).collect();
    let listed = listed(message);
    let mut mentions = mentions(&lines, message);
    let best = mentions.iter().map(|mention| mention.rank).max();
    mentions.retain(|mention| Some(mention.rank) == best);
    let better = !listed.is_empty() || original.recipient.is_some();
    // Several that merely stand there are advice or a signature: none of them is taken for dead.
    let several = mentions.iter().any(|mention| mentions.first().is_some_and(|first| first.address != mention.address));
    if best == Some(Rank::Mentioned) && (better || several || !anatomy.says_failure()) {
        mentions.clear();
    }
    let action = if anatomy.says_delay() || delay_subject(message) { Action::Delayed } else { Action::Failed };
    let mut found: Vec<Recipient> = Vec::new();
    for (index, mention) in mentions.iter().enumerate() {
        if !listed.is_empty() && !listed.iter().any(|address| address.eq_ignore_ascii_case(&mention.address)) {
            continue;
        }
        let until = mentions
            .get(index + 1..)
            .and_then(|rest| rest.iter().find(|next| next.line > mention.line))
            .map_or(lines.len(), |next| next.line);
        if found
            .iter()
            .any(|known| known.reason != Reason::Undefined && known.address.eq_ignore_ascii_case(&mention.address))
        {
            continue;
        }
        let under = lines.get(mention.line..until).unwrap_or_default().join("\n");
        let recipient = read(&mention.address, action, head_of(&under, DIAGNOSTIC));
        match found.iter_mut().find(|known| known.address.eq_ignore_ascii_case(&recipient.address)) {
            Some(known) if known.reason == Reason::Undefined => *known = recipient,
            Some(_) => {}
            None => found.push(recipient),
        }
        if found.len() == RECIPIENTS {
            break;
        }
    }
    let missing = listed
        .iter()
        .filter(|address| !found.iter().any(|known| known.address.eq_ignore_ascii_case(address)))
        .cloned()
        .collect::<Vec<_>>();
    for address in missing {
        found.push(read(&address, action, ""));
    }
    if found.is_empty() && anatomy.says_failure() {
        found.extend(original.recipient.iter().map(|address| read(address, action, "")));
    }
    let one = found.len() == 1;
    for recipient in &mut found {
        if one || recipient.reason == Reason::Undefined {
            complete(recipient, &anatomy.said);
        }
    }
    found
}

/// Fills what a recipient's own lines left open from all the server said.
pub(super) fn complete(recipient: &mut Recipient, said: &str) {
    if !matches!(recipient.action, Action::Failed | Action::Delayed) {
        return;
    }
    if recipient.reply.is_none() {
        recipient.reply = codes::reply(said, recipient.status.as_deref());
    }
    if recipient.reason == Reason::UserUnknown
        && AFTER_DATA.is_match(said)
        && !recipient.diagnostic.contains(" account ")
    {
        recipient.reason = Reason::Filtered;
    }
    if recipient.reason == Reason::Undefined || recipient.status.is_none() {
        // Of the class of the reply that is known; a success is a program's version or an address in disguise.
        let class = recipient.reply.as_deref().and_then(|reply| reply.chars().next());
        let fits = |status: &String| {
            let own = status.chars().next();
            own != Some('2') && (class.is_none() || own == class)
        };
        let status = codes::status(said).filter(fits);
        if recipient.status.as_deref().is_none_or(|known| known.ends_with(".0.0")) {
            recipient.status = status.or(recipient.status.take());
        }
        if recipient.reply.is_none() {
            recipient.reply = codes::reply(said, recipient.status.as_deref());
        }
        if recipient.reason == Reason::Undefined {
            recipient.reason = Reason::of(said, recipient.status.as_deref());
        }
        if recipient.diagnostic.is_empty() {
            recipient.diagnostic = one_line(said);
        }
    }
    recipient.settle();
}

fn read(address: &str, action: Action, under: &str) -> Recipient {
    let words = under.replace(address, " ");
    let status = codes::status(&words);
    let reply = codes::reply(&words, status.as_deref());
    let reason = if under.is_empty() { Reason::Undefined } else { Reason::of(&flat(under), status.as_deref()) };
    let mut recipient = Recipient {
        address: address.to_owned(),
        final_address: None,
        action,
        status,
        reply,
        diagnostic: one_line(under),
        reason,
        hard: false,
    };
    recipient.settle();
    recipient
}

/// The recipients of X-Failed-Recipients.
fn listed(message: &Message<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in message.header_values(HeaderName::Other("X-Failed-Recipients".into())) {
        for one in value
            .as_text()
            .unwrap_or_default()
            .split([',', ';', ' ', '\r', '\n', '\t'])
            .map(|one| one.trim_matches(['<', '>']))
        {
            if one.contains('@') && !found.iter().any(|known| known.eq_ignore_ascii_case(one)) {
                found.push(one.to_owned());
            }
        }
    }
    found
}

fn mentions(lines: &[&str], message: &Message<'_>) -> Vec<Mention> {
    let own: Vec<String> = [message.from(), message.to(), message.sender(), message.reply_to()]
        .into_iter()
        .flatten()
        .flat_map(mail_parser::Address::iter)
        .filter_map(|one| one.address.as_deref())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut found = Vec::new();
    for (line, text) in lines.iter().enumerate() {
        if !text.contains('@') {
            continue;
        }
        let (rank, pattern): (Rank, &Regex) = if ALONE.is_match(text) {
            (Rank::Named, &ALONE)
        } else if LEADING.is_match(text) {
            (Rank::Named, &LEADING)
        } else if CONTACT.is_match(text)
            || lines.get(line.wrapping_sub(1)).is_some_and(|before| before.trim_end().ends_with("contact"))
        {
            continue;
        } else if NAMED.is_match(text) {
            (Rank::Named, &NAMED)
        } else if DISPLAYED.is_match(text) {
            (Rank::Dialogue, &DISPLAYED)
        } else if DIALOGUE.is_match(text) {
            (Rank::Dialogue, &DIALOGUE)
        } else {
            (Rank::Mentioned, &ANYWHERE)
        };
        let spoken = if rank == Rank::Named { (*text).to_owned() } else { SENDER.replace_all(text, " ").into_owned() };
        for address in pattern.captures_iter(&spoken).filter_map(|found| found.get(1)) {
            let address = address.as_str().trim_matches(['.', '\'', '`', '*', '=', '{', '}', '/', '|', '-']).to_owned();
            if address.len() > ADDRESS_BYTES || address.split('@').any(str::is_empty) {
                continue;
            }
            if rank != Rank::Named && (is_server(&address) || own.contains(&address.to_ascii_lowercase())) {
                continue;
            }
            found.push(Mention { address, rank, line });
            if found.len() == MENTIONS {
                return found;
            }
        }
    }
    found
}

fn is_server(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    ["mailer-daemon", "postmaster"].iter().any(|name| local.eq_ignore_ascii_case(name))
}

fn delay_subject(message: &Message<'_>) -> bool {
    let subject = message.subject().unwrap_or_default().to_lowercase();
    subject.contains("(delay)")
        || subject.contains("delayed")
        || subject.contains("could not send mail for past")
        || subject.starts_with("warning:") && subject.contains("not yet")
}

/// The words of a folded diagnostic in one line, so that a phrase is found over a line's end.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn one_line(text: &str) -> String {
    const LIMIT: usize = 500;
    flat(text).chars().take(LIMIT).collect()
}
