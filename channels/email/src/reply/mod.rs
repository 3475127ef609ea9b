//! A mail's visible reply, apart from what it quotes and from its signature.
//!
//! Mail has no markup for this that all programs share, so it is read off the text line by line, from the words and
//! shapes programs put around a quotation (`words.rs` says how to add a language). Doubt goes to the writer: what
//! might be a person's own words stays in the reply. The caller keeps the whole text whatever is decided here.
//! Work grows in line with the length of the text, hostile text included.

mod attribution;
mod head;
mod line;
mod quotation;
mod separator;
mod signature;
mod signature_words;
mod stems;
mod words;

#[cfg(test)]
mod tests;

use guichet_domain::courtesy;

use line::Line;
use quotation::{Class, Reading};

/// A mail's text taken apart. Blanks at line ends and runs of empty lines are evened out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// What the person wrote, and below it the text of a mail they handed on. Empty only when every line is quoted,
    /// or when nothing stands there but a phone's "Sent from …".
    pub reply: String,
    /// What comes from older mails, with the lines that announce it.
    pub quoted: Option<String>,
    /// Name block, phone line, disclaimer.
    pub signature: Option<String>,
    /// Set when the mail hands another one on.
    pub forwarded: Option<Forwarded>,
}

/// What a forwarded mail's head says of it, as its text has it: names, dates and addresses are not parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Who wrote it.
    pub from: Option<String>,
    /// When.
    pub date: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// To whom.
    pub to: Option<String>,
}

/// Takes the plain text of a mail apart. Prefer [`separate_under`] where the subject is known.
pub fn separate(text: &str) -> Parts {
    separate_under("", text)
}

/// Takes the plain text of a mail apart, its subject being known: under `Fwd: …`, what follows the head of another
/// mail was handed on to be read, and stays in the reply.
pub fn separate_under(subject: &str, text: &str) -> Parts {
    let lines = line::split(text);
    let reading = quotation::read(&lines, separator::is_forward_subject(subject), separator::may_ask_above(text));
    let (own, signature) = own_words(&lines, &reading);
    let mut reply = own;
    let mut kept_signature = signature;
    let handed_on = tidy(lines_of(&lines, &reading, Class::HandedOn).map(|line| line.without(reading.depth)));
    if !handed_on.is_empty() {
        reply = if reply.is_empty() { handed_on } else { format!("{reply}\n\n{handed_on}") };
    } else if reply.is_empty() && !kept_signature.lines().all(signature::is_phone_line) {
        reply = std::mem::take(&mut kept_signature);
    }
    let quoted = tidy(lines_of(&lines, &reading, Class::Quoted).map(|line| line.without(0)));
    Parts {
        reply,
        quoted: (!quoted.is_empty()).then_some(quoted),
        signature: (!kept_signature.is_empty()).then_some(kept_signature),
        forwarded: reading.forwarded,
    }
}

/// Whether a reply says anything beyond courtesy: see [`courtesy::has_content`]. Attachments are content too, and are
/// the caller's to look at.
pub fn has_content(reply: &str) -> bool {
    courtesy::has_content(reply)
}

fn lines_of<'a>(lines: &'a [Line<'a>], reading: &'a Reading, class: Class) -> impl Iterator<Item = Line<'a>> {
    lines.iter().zip(&reading.classes).filter(move |(_, own)| **own == class).map(|(line, _)| *line)
}

/// The writer's words and their signature, each piece between quotations looked at by itself: a person who answers
/// between the lines may sign above the first of them.
fn own_words(lines: &[Line<'_>], reading: &Reading) -> (String, String) {
    let mut kept: Vec<&str> = Vec::new();
    let mut signed: Vec<&str> = Vec::new();
    let mut start = 0;
    for run in reading.classes.chunk_by(|before, after| (*before == Class::Own) == (*after == Class::Own)) {
        let piece = lines.iter().skip(start).take(run.len());
        start += run.len();
        if run.first() != Some(&Class::Own) {
            continue;
        }
        let mut piece: Vec<&str> =
            piece.map(|line| if line.raw().starts_with('>') { line.text() } else { line.raw() }).collect();
        // The rule above a quotation belongs to it.
        while start < lines.len() && piece.last().is_some_and(|last| is_rule_or_blank(last)) {
            piece.pop();
        }
        let found = signature::find(&piece);
        for (line, is_signature) in piece.into_iter().zip(found) {
            if is_signature { signed.push(line) } else { kept.push(line) }
        }
        kept.push("");
    }
    (tidy(kept.into_iter()), tidy(signed.into_iter()))
}

fn is_rule_or_blank(line: &str) -> bool {
    let line = line::trim(line);
    line.is_empty()
        || (line.len() >= 4 && line.chars().all(|character| matches!(character, '-' | '_' | '=' | '—' | '─' | ' ')))
}

/// Joins lines: no blanks at line ends, no two empty lines in a row, none at either end.
fn tidy<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut empty = 0_usize;
    for line in lines {
        let line = line.trim_end_matches(|character: char| character.is_whitespace() || character == '\u{200b}');
        if line::trim(line).is_empty() {
            empty += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        text.push_str(line);
        empty = 0;
    }
    text
}
