//! Header field values: unfolded, encoded words decoded, safe to print on one line.

use std::borrow::Cow;

use guichet_domain::file_name::is_direction;

use super::{charset, transfer};

/// How far the end of an encoded word is looked for. The standard says 75; some mailers write the whole value in one.
const LONGEST_WORD: usize = 4096;

/// The value on one line: line ends gone, what they folded kept as blanks.
pub(super) fn unfold(raw: &[u8]) -> Cow<'_, [u8]> {
    let raw = raw.trim_ascii();
    if raw.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        Cow::Owned(raw.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
    } else {
        Cow::Borrowed(raw)
    }
}

/// An unstructured value as text: decoded, one line, no control characters.
///
/// `fallback` is the charset the body uses, for values in eight bits that are no UTF-8.
pub(super) fn text(raw: &[u8], fallback: Option<&str>) -> String {
    let unfolded = unfold(raw);
    if is_plain(&unfolded) {
        return String::from_utf8_lossy(&unfolded).into_owned();
    }
    clean(&decode_words(&unfolded, fallback))
}

/// Encoded words (RFC 2047) and raw eight-bit text to text. May still hold control characters.
///
/// Neighbouring words in one charset are joined before they are decoded, because mailers split them inside a letter.
/// Words that stand right beside other text are decoded too: that is not allowed, and it is common.
pub(super) fn decode_words(unfolded: &[u8], fallback: Option<&str>) -> String {
    let mut out = String::with_capacity(unfolded.len());
    let mut run = Run::default();
    let mut plain = 0;
    let mut at = 0;
    while let Some(begin) = find(unfolded, *b"=?", at) {
        let Some(word) = encoded_word(unfolded.get(begin..).unwrap_or_default()) else {
            at = begin + 2;
            continue;
        };
        let between = unfolded.get(plain..begin).unwrap_or_default();
        if run.is_empty() || !between.iter().all(u8::is_ascii_whitespace) {
            run.flush(&mut out);
            push_plain(between, fallback, &mut out);
        }
        at = begin + word.length;
        plain = at;
        run.add(&word, unfolded.get(begin..at).unwrap_or_default(), &mut out);
    }
    run.flush(&mut out);
    push_plain(unfolded.get(plain..).unwrap_or_default(), fallback, &mut out);
    out
}

/// Without control and direction-changing characters; tabs and line ends become blanks; trimmed.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if c.is_control() || is_direction(c) => {}
            c => out.push(c),
        }
    }
    out.trim_matches(|c: char| c == ' ' || c == '\u{feff}').to_owned()
}

fn is_plain(unfolded: &[u8]) -> bool {
    let mut last = 0;
    unfolded.iter().all(|&byte| {
        let fine = (b' '..0x7f).contains(&byte) && !(last == b'=' && byte == b'?');
        last = byte;
        fine
    })
}

/// Eight-bit and escaped text to text, encoded words left as they are.
pub(super) fn undecoded(unfolded: &[u8], fallback: Option<&str>) -> String {
    let mut out = String::with_capacity(unfolded.len());
    push_plain(unfolded, fallback, &mut out);
    out
}

/// How long the encoded word at the beginning of `text` is, if there is one.
pub(super) fn word_length(text: &str) -> Option<usize> {
    text.starts_with("=?").then(|| encoded_word(text.as_bytes()).map(|word| word.length)).flatten()
}

fn push_plain(bytes: &[u8], fallback: Option<&str>, out: &mut String) {
    let seven_bit = bytes.is_ascii();
    match fallback {
        // The body's charset says what eight-bit bytes mean, unless they happen to be good UTF-8.
        Some(label) if (!seven_bit && str::from_utf8(bytes).is_err()) || is_seven_bit_charset(label, bytes) => {
            out.push_str(&charset::decode(Some(label), bytes).text);
        }
        _ => out.push_str(&charset::guess(bytes)),
    }
}

/// Charsets that use no eighth bit, so that ASCII bytes may mean something else.
fn is_seven_bit_charset(label: &str, bytes: &[u8]) -> bool {
    label.eq_ignore_ascii_case("utf-7") && bytes.contains(&b'+')
}

#[derive(Debug)]
struct Word<'x> {
    charset: &'x str,
    base64: bool,
    text: &'x [u8],
    length: usize,
}

/// The encoded word at the beginning of `bytes`, which begins with `=?`.
fn encoded_word(bytes: &[u8]) -> Option<Word<'_>> {
    let rest = bytes.get(2..)?;
    let charset_end = rest.iter().take(60).position(|&byte| byte == b'?')?;
    let charset = str::from_utf8(rest.get(..charset_end)?).ok()?;
    if charset.is_empty() || charset.bytes().any(|byte| byte.is_ascii_whitespace() || byte == b'=') {
        return None;
    }
    let rest = rest.get(charset_end + 1..)?;
    let base64 = match rest.first()? {
        b'b' | b'B' => true,
        b'q' | b'Q' => false,
        _ => return None,
    };
    let rest = rest.get(1..)?.strip_prefix(b"?")?;
    // In the Q encoding `?=` may be the beginning of a code: `?==E9?=` ends at the second one only if hex follows.
    let end = word_end(rest.get(..LONGEST_WORD).unwrap_or(rest), base64)?;
    let text = rest.get(..end)?;
    let (charset, _language) = charset.split_once('*').unwrap_or((charset, ""));
    let length = 2 + charset_end + 1 + 1 + 1 + end + 2;
    Some(Word { charset, base64, text, length })
}

/// Where the text of an encoded word ends. Another word's beginning ends the search: one inside another is no word.
fn word_end(rest: &[u8], base64: bool) -> Option<usize> {
    let mut at = 0;
    loop {
        let mark = rest.get(at..)?.iter().position(|&byte| byte == b'?')? + at;
        let after = rest.get(mark + 1);
        // In the Q encoding `?=` may be text before a code: `?==E9?=` ends at the second one.
        let code = !base64 && rest.get(mark + 2..mark + 4).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        if after == Some(&b'=') && !(code && word_end_follows(rest, mark + 2)) {
            return Some(mark);
        }
        if after != Some(&b'=') && mark > 0 && rest.get(mark - 1) == Some(&b'=') {
            return None;
        }
        at = mark + 1;
    }
}

/// Whether `?=` comes again soon, before a blank.
fn word_end_follows(rest: &[u8], from: usize) -> bool {
    let ahead = rest.get(from..).unwrap_or_default();
    let ahead = ahead.get(..80).unwrap_or(ahead);
    let word = ahead.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    find(word, *b"?=", 0).is_some()
}

/// Neighbouring words in one charset, waiting to be decoded together.
#[derive(Debug, Default)]
struct Run {
    charset: String,
    bytes: Vec<u8>,
    raw: Vec<u8>,
    words: usize,
}

impl Run {
    fn is_empty(&self) -> bool {
        self.words == 0
    }

    fn add(&mut self, word: &Word<'_>, raw: &[u8], out: &mut String) {
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.flush(out);
            word.charset.clone_into(&mut self.charset);
        }
        if word.base64 {
            self.bytes.extend_from_slice(&transfer::base64(word.text));
        } else {
            self.bytes.extend_from_slice(&q_decode(word.text));
        }
        if !self.raw.is_empty() {
            self.raw.push(b' ');
        }
        self.raw.extend_from_slice(raw);
        self.words += 1;
    }

    fn flush(&mut self, out: &mut String) {
        if self.words > 0 {
            let text = charset::decode(Some(&self.charset), &self.bytes).text;
            // Words that decode to control characters were never text: shown as they came, they can at least be asked about.
            let rubbish = text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace() && c != '\0');
            if rubbish {
                out.push_str(&String::from_utf8_lossy(&self.raw));
            } else {
                out.push_str(&text);
            }
        }
        *self = Self::default();
    }
}

fn q_decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'_' => out.push(b' '),
            b'=' => {
                let mut ahead = bytes.clone();
                let code = ahead.next().and_then(transfer::nibble).zip(ahead.next().and_then(transfer::nibble));
                if let Some((high, low)) = code {
                    out.push(high << 4 | low);
                    bytes = ahead;
                } else {
                    out.push(byte);
                }
            }
            _ => out.push(byte),
        }
    }
    out
}

/// Where `needle` (two bytes) begins, at or after `from`.
fn find(haystack: &[u8], needle: [u8; 2], from: usize) -> Option<usize> {
    haystack.get(from..)?.windows(2).position(|two| *two == needle).map(|found| found + from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_split_over_two_encoded_words_is_put_together_again() {
        assert_eq!(
            text(b"=?UTF-8?B?w6ljaMOp?=\r\n =?UTF-8?B?YW5n?= =?utf-8?Q?=C3?=\r\n\t=?utf-8?Q?=A9?=", None),
            "échéangé"
        );
        assert_eq!(text(b"=?utf-8?B?w6ljw?= =?utf-8?B?w==?= ok", None).chars().next(), Some('é'));
    }

    #[test]
    fn words_beside_text_and_words_with_blanks_in_them_are_decoded() {
        assert_eq!(text(b"Re:=?iso-8859-1?Q?r=E9ponse ici?=!", None), "Re:réponse ici!");
        assert_eq!(text(b"a =?utf-8?q?b?= c =?utf-8?q?d?= =?utf-8?q?e?=", None), "a b c de");
    }

    #[test]
    fn raw_eight_bit_values_are_read_by_the_charset_of_the_body() {
        assert_eq!(text(b"Testmail: \xe4 \xf6 \xfc", None), "Testmail: ä ö ü");
        assert_eq!(text(b"\xcf\xf0\xe8\xe2\xe5\xf2", Some("windows-1251")), "Привет");
        assert_eq!(text("déjà".as_bytes(), Some("windows-1251")), "déjà");
    }

    #[test]
    fn no_line_end_or_control_character_survives() {
        let hostile = text(b"=?utf-8?Q?Hi=0D=0ABcc:_x=40example.org?=", None);
        assert_eq!(hostile, "Hi  Bcc: x@example.org");
        assert_eq!(text("photo\u{202e}gpj.exe".as_bytes(), None), "photogpj.exe");
        assert_eq!(text(b"bell \x07 nul \x00 end", None), "bell  nul  end");
    }

    #[test]
    fn words_that_hold_no_text_are_shown_as_they_came() {
        let bogus = b"=?UTF-8?B?nnDusSNdG92w6Fuw61fMjAxOF8wMy0xMzMyNTMzMTkzLnBkZg==?=";
        assert_eq!(text(bogus, None).as_bytes(), bogus);
        assert_eq!(text(b"=?nonsense", None), "=?nonsense");
        assert_eq!(text(b"=?utf-8?X?abc?= =??Q?a?=", None), "=?utf-8?X?abc?= =??Q?a?=");
    }
}
