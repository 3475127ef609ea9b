//! Which lines of a mail its writer wrote, and which come from an older mail.

use super::line::Line;
use super::separator::Separator;
use super::{Forwarded, attribution, head, separator};

/// Whose a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The writer's.
    Own,
    /// An older mail's, or what announces it.
    Quoted,
    /// The text of a mail handed on: not the writer's words, and yet what the mail is about.
    HandedOn,
}

/// The outcome for a whole mail.
pub(super) struct Reading {
    /// One entry a line.
    pub(super) classes: Vec<Class>,
    /// What is known of the mail handed on.
    pub(super) forwarded: Option<Forwarded>,
    /// Marks of quotation to take from the lines handed on.
    pub(super) depth: usize,
}

/// Quoted lines at least this long are where a mail program wraps.
const WRAPS_FROM: usize = 60;

/// Lines with text looked at for what announces a quotation. Nobody writes more above one; a pasted log may be longer,
/// and hostile text is.
const MOST_EXAMINED: usize = 10_000;

/// Reads a mail. `forward` says that its subject announces a mail handed on, `above` is what
/// [`separator::may_ask_above`] says of the text.
pub(super) fn read(lines: &[Line<'_>], forward: bool, above: bool) -> Reading {
    let mut reading = Reading { classes: vec![Class::Own; lines.len()], forwarded: None, depth: 0 };
    let next_text = next_with_text(lines);
    let quoted_follows = |from: usize| {
        next_text.get(from).and_then(|index| lines.get(*index as usize)).is_some_and(|line| line.is_quoted())
    };
    let mut index = 0;
    let (mut anything_own, mut anything_quoted) = (false, false);
    let mut examined = 0;
    while let Some(line) = lines.get(index) {
        if line.is_quoted() {
            // Apple's programs quote what they forward: its head is inside the quotation.
            if let Some(head) = (forward && !anything_quoted).then(|| head::at(lines, index, false)).flatten() {
                hand_on(&mut reading, index, Some(head), lines);
                return reading;
            }
            mark(&mut reading.classes, index, index + 1);
            anything_quoted = true;
            index += 1;
            continue;
        }
        examined += usize::from(!line.is_empty());
        if examined > MOST_EXAMINED || line.is_empty() {
            index += 1;
            continue;
        }
        if let Some(announced) = separator::at(lines, index, above) {
            let below = next_text.get(index + 1).map_or(lines.len(), |next| *next as usize);
            let head = head::at(lines, below, true);
            let is_forward =
                announced == Separator::Forwarded || (announced == Separator::Original && (forward || !anything_own));
            if is_forward {
                hand_on(
                    &mut reading,
                    index,
                    head.or(Some(head::Head { end: index + 1, says: Forwarded::default() })),
                    lines,
                );
                return reading;
            }
            let end = head.as_ref().map_or(index + 1, |head| head.end);
            index = quote_from(&mut reading.classes, index, end, quoted_follows(end));
            continue;
        }
        if let Some(head) =
            head::at(lines, index, index > 0 && lines.get(index - 1).is_some_and(|line| separator::is_rule(*line)))
        {
            let quoted = quoted_follows(head.end);
            if (forward || !anything_own) && !quoted {
                hand_on(&mut reading, index, Some(head), lines);
                return reading;
            }
            index = quote_from(&mut reading.classes, index, head.end, quoted);
            continue;
        }
        if let Some(count) = attribution::at(lines, index, quoted_follows) {
            let quoted = quoted_follows(index + count);
            // At the very top, with nothing marked as quoted, the writer's words and the older ones cannot be told apart.
            let end = index + count;
            index = quote_from(&mut reading.classes, index, end, quoted || !anything_own);
            continue;
        }
        anything_own |= !line.is_empty() && !separator::is_rule(*line);
        index += 1;
    }
    claim_wrapped(lines, &mut reading.classes);
    reading
}

/// For each line, the next with text at or behind it.
fn next_with_text(lines: &[Line<'_>]) -> Vec<u32> {
    let mut next = vec![u32::MAX; lines.len()];
    let mut known = u32::MAX;
    for (index, (slot, line)) in next.iter_mut().zip(lines).enumerate().rev() {
        if line.is_quoted() || !line.is_empty() {
            known = u32::try_from(index).unwrap_or(u32::MAX);
        }
        *slot = known;
    }
    next
}

/// Marks the announcement, and all below it unless the quotation marks itself. Returns where to go on.
fn quote_from(classes: &mut [Class], start: usize, end: usize, marks_itself: bool) -> usize {
    let until = if marks_itself { end } else { classes.len() };
    mark(classes, start, until);
    until
}

fn mark(classes: &mut [Class], start: usize, end: usize) {
    classes.iter_mut().take(end).skip(start).for_each(|class| *class = Class::Quoted);
}

fn hand_on(reading: &mut Reading, start: usize, head: Option<head::Head>, lines: &[Line<'_>]) {
    let Some(head) = head else { return };
    mark(&mut reading.classes, start, head.end);
    reading.classes.iter_mut().skip(head.end).for_each(|class| *class = Class::HandedOn);
    reading.depth = lines.get(head.end.saturating_sub(1)).map_or(0, |line| line.depth());
    reading.forwarded = Some(head.says);
}

/// A program that wraps what it has already marked leaves the rest of a quoted line behind without its mark. Such a
/// rest goes on in lower case straight after a long quoted line and straight before another. One that clearly breaks
/// a sentence proves the habit; only then are the less clear ones believed, since people answer between the lines too.
fn claim_wrapped(lines: &[Line<'_>], classes: &mut [Class]) {
    let mut rests = Vec::new();
    let mut proven = false;
    for (index, trio) in lines.windows(3).enumerate() {
        let [before, rest, after] = trio else { continue };
        if rest.is_quoted() || !before.is_quoted() || !after.is_quoted() {
            continue;
        }
        let text = rest.text();
        if before.text().len() >= WRAPS_FROM && text.starts_with(char::is_lowercase) {
            proven |= !before.text().ends_with(['.', '!', '?', ':', ';', '…']);
            rests.push(index + 1);
        }
    }
    if proven {
        for index in rests {
            mark(classes, index, index + 1);
        }
    }
}
