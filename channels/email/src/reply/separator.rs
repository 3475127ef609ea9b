//! Lines that announce another mail: `-----Original Message-----`, `Begin forwarded message:`, and rules.

use guichet_domain::language::fold;

use super::head;
use super::line::Line;
use super::words::{ABOVE_THIS_LINE, FORWARD_OPENINGS, FORWARD_PREFIXES, FORWARDED, ORIGINAL};

/// What a separator announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// The mail that is being answered.
    Original,
    /// A mail handed on.
    Forwarded,
    /// The text of a notice, below which nobody is asked to write.
    Above,
}

/// Whether any line of the whole text may ask to write above it, so that most mails are asked once and not line by line.
pub(super) fn may_ask_above(text: &str) -> bool {
    ABOVE_THIS_LINE.are_in(&fold(text))
}

/// The separator that stands at `index`, if one does. `above` is what [`may_ask_above`] said.
pub(super) fn at(lines: &[Line<'_>], index: usize, above: bool) -> Option<Separator> {
    let text = lines.get(index)?.text();
    if text.len() < 6 || text.len() > 160 {
        return None;
    }
    let fenced = text.trim_start_matches('*').starts_with(is_dash);
    let closes = text.ends_with([':', '：']);
    if !(fenced || closes || above) {
        return None;
    }
    let core = text.trim_matches(|character: char| {
        is_dash(character) || character.is_whitespace() || "<>*#:：".contains(character)
    });
    let folded = fold(core);
    if above && ABOVE_THIS_LINE.are_in(&folded) {
        return Some(Separator::Above);
    }
    if closes && FORWARD_OPENINGS.iter().any(|opening| folded.starts_with(opening)) {
        return Some(Separator::Forwarded);
    }
    let dashes = text.chars().filter(|character| is_dash(*character)).count();
    if !fenced || dashes < 2 || core.is_empty() {
        return None;
    }
    if FORWARDED.iter().any(|words| folded.starts_with(words)) {
        return Some(Separator::Forwarded);
    }
    if ORIGINAL.iter().any(|words| folded == *words) {
        return Some(Separator::Original);
    }
    // A language not in the lists: words between long runs of dashes, right above the head of a mail.
    let shaped = dashes >= 8 && text.trim_end_matches('*').ends_with(is_dash) && core.split_whitespace().count() <= 5;
    let above_head = lines.iter().skip(index + 1).take(2).any(|line| head::is_labelled(*line));
    (shaped && above_head).then_some(Separator::Original)
}

/// Whether a line is nothing but a rule, as Outlook draws above a head.
pub(super) fn is_rule(line: Line<'_>) -> bool {
    let text = line.text();
    text.len() >= 4 && text.len() <= 400 && text.chars().all(|character| is_dash(character) || character == ' ')
}

/// Whether a subject's first word says that the mail is forwarded. `Re: Fwd: …` answers a forward, and is none.
pub(super) fn is_forward_subject(subject: &str) -> bool {
    let Some((prefix, _)) = subject.trim_start().split_once([':', '：']) else { return false };
    prefix.len() <= 24 && FORWARD_PREFIXES.contains(&fold(prefix.trim()))
}

fn is_dash(character: char) -> bool {
    matches!(character, '-' | '_' | '=' | '\u{2010}'..='\u{2015}' | '─' | '━' | '\u{2e3a}')
}
