//! The head of a quoted or forwarded mail: the `From: … Sent: … To: … Subject: …` lines that Outlook and others put
//! above its text.

use guichet_domain::language::fold;

use super::Forwarded;
use super::line::{LONGEST_MARK, Line, trim};
use super::words::{Label, label};

/// A head, and the lines it covers.
pub(super) struct Head {
    /// The first line behind it.
    pub(super) end: usize,
    /// What it says of the mail.
    pub(super) says: Forwarded,
}

/// The longest head looked at: long lists of addressees wrap over many lines.
const MOST_LINES: usize = 40;
/// Bytes before the colon of a label.
const LONGEST_LABEL: usize = 40;
/// Lines one value may go on for when nothing shows that it is a list of addresses.
const MOST_PLAIN_CONTINUATIONS: usize = 2;

/// The head that begins at `start`. `marked` says that a separator stands above it, so that less is proof enough.
pub(super) fn at(lines: &[Line<'_>], start: usize, marked: bool) -> Option<Head> {
    let (first, _) = labelled(lines.get(start)?)?;
    let mut says = Forwarded::default();
    let mut seen: Vec<Label> = Vec::new();
    let (mut index, mut end, mut plain) = (start, start, 0);
    while index < lines.len().min(start + MOST_LINES) {
        let Some(line) = lines.get(index) else { break };
        if let Some((kind, value)) = labelled(line) {
            if kind != Label::Other && seen.contains(&kind) {
                break;
            }
            seen.push(kind);
            keep(&mut says, kind, value);
            (index, end, plain) = (index + 1, index + 1, 0);
        } else if line.is_empty() {
            // HTML turned into text puts each line of a head in a paragraph of its own.
            let next = lines.get(index + 1).and_then(labelled);
            if !next.is_some_and(|(kind, _)| kind == Label::Other || !seen.contains(&kind)) || seen.len() > 6 {
                break;
            }
            index += 1;
        } else if continues(lines, index, &mut plain) {
            extend(&mut says, seen.last().copied(), line.text());
            (index, end) = (index + 1, index + 1);
        } else {
            break;
        }
    }
    let has = |kind| seen.contains(&kind);
    let others = [Label::Date, Label::To, Label::Subject].into_iter().filter(|kind| has(*kind)).count();
    let enough = if marked { 1 } else { 2 };
    (first != Label::Other && has(Label::From) && others >= enough).then_some(Head { end, says })
}

/// Whether a line says something of a quoted mail's head.
pub(super) fn is_labelled(line: Line<'_>) -> bool {
    labelled(&line).is_some()
}

fn labelled<'a>(line: &Line<'a>) -> Option<(Label, &'a str)> {
    let text = line.text();
    if text.len() > LONGEST_MARK * 8 {
        return None;
    }
    // Either colon: the wide one begins with this byte.
    if !text.bytes().take(LONGEST_LABEL + 1).any(|byte| matches!(byte, b':' | 0xef)) {
        return None;
    }
    let (word, value) = text.split_once([':', '：'])?;
    if word.len() > LONGEST_LABEL {
        return None;
    }
    let bold =
        |character: char| character == '*' || character == '_' || character.is_whitespace() || character == '\u{a0}';
    let kind = label(&fold(word.trim_matches(bold)))?;
    Some((kind, value.trim_matches(bold)))
}

/// A value may be broken over lines: towards a label that follows, or within a list of addresses.
fn continues(lines: &[Line<'_>], index: usize, plain: &mut usize) -> bool {
    let Some(line) = lines.get(index) else { return false };
    let text = line.text();
    if text.len() > LONGEST_MARK {
        return false;
    }
    if text.contains('@') && (text.contains(';') || text.contains('<') || text.ends_with(',')) {
        return true;
    }
    *plain += 1;
    let near = lines.iter().skip(index + 1).take(MOST_PLAIN_CONTINUATIONS).take_while(|line| !line.is_empty());
    *plain <= MOST_PLAIN_CONTINUATIONS && near.into_iter().any(|line| labelled(line).is_some())
}

fn keep(says: &mut Forwarded, kind: Label, value: &str) {
    let value = trim(value);
    if value.is_empty() {
        return;
    }
    if kind == Label::To
        && let Some((to, subject)) = split_subject(value)
    {
        says.to = Some(to.to_owned());
        says.subject = Some(subject.to_owned());
        return;
    }
    let slot = match kind {
        Label::From => &mut says.from,
        Label::Date => &mut says.date,
        Label::To => &mut says.to,
        Label::Subject => &mut says.subject,
        Label::Other => return,
    };
    *slot = Some(value.to_owned());
}

/// Samsung's program writes the subject on the line of the addressee.
fn split_subject(value: &str) -> Option<(&str, &str)> {
    let (before, subject) = value.split_once([':', '：'])?;
    let (to, word) = trim(before).rsplit_once(' ')?;
    (to.contains('@') && label(&fold(word)) == Some(Label::Subject)).then(|| (trim(to), trim(subject)))
}

fn extend(says: &mut Forwarded, kind: Option<Label>, text: &str) {
    let slot = match kind {
        Some(Label::From) => &mut says.from,
        Some(Label::Date) => &mut says.date,
        Some(Label::To) => &mut says.to,
        Some(Label::Subject) => &mut says.subject,
        Some(Label::Other) | None => return,
    };
    let value = slot.get_or_insert_default();
    if !value.is_empty() {
        value.push(' ');
    }
    value.push_str(text);
}
