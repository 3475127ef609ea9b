//! A server's reply (RFC 5321 section 4.2): a code, text, and sometimes an enhanced status (RFC 3463).

use std::time::Duration;

/// Longest line taken: eight times what RFC 5321 allows, because error texts with links are often longer.
const LINE_LIMIT: usize = 4096;
/// Longest reply taken, all lines together.
const REPLY_LIMIT: usize = 64 * 1024;
/// Characters of a reply's text kept in an outcome.
const TEXT_LIMIT: usize = 1000;

/// One complete reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits, 200 to 599.
    pub code: u16,
    /// The text of all lines joined by a line feed, control characters removed. It may repeat addresses of the mail:
    /// to be shown to agents, never to be logged.
    pub text: String,
}

/// What the server sent is not a reply of SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotAReply;

impl Reply {
    /// Reads the reply at the front of `input`: the reply and its length, or `None` while it is not all there.
    pub(super) fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, NotAReply> {
        let mut code = None;
        let mut text = String::new();
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                return if rest.len() > LINE_LIMIT || !may_begin_a_line(rest) { Err(NotAReply) } else { Ok(None) };
            };
            let line = rest.get(..end).unwrap_or_default();
            at += end + 1;
            if line.len() > LINE_LIMIT || at > REPLY_LIMIT {
                return Err(NotAReply);
            }
            let (this, more, words) = parse_line(line.strip_suffix(b"\r").unwrap_or(line))?;
            if *code.get_or_insert(this) != this {
                return Err(NotAReply);
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.extend(String::from_utf8_lossy(words).chars().filter(|letter| !letter.is_control()));
            if !more {
                return Ok(Some((Self { code: this, text }, at)));
            }
        }
    }

    /// The only success: 250 to 259.
    pub(super) fn is_done(&self) -> bool {
        (250..=259).contains(&self.code)
    }

    /// Refused for now.
    pub(super) fn is_transient(&self) -> bool {
        (400..=499).contains(&self.code)
    }

    /// Refused for good.
    pub(super) fn is_permanent(&self) -> bool {
        (500..=599).contains(&self.code)
    }

    /// The enhanced status at the beginning of the text, as `5.1.1`.
    pub fn enhanced(&self) -> Option<&str> {
        let word = self.text.split_ascii_whitespace().next()?;
        let parts: Vec<&str> = word.split('.').collect();
        let numbers =
            parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
        (parts.len() == 3 && numbers && matches!(parts.first(), Some(&("2" | "4" | "5")))).then_some(word)
    }

    /// How long the text asks to wait ("try again in 5 minutes", as greylisting does): at most a day.
    pub fn retry_after(&self) -> Option<Duration> {
        let words: Vec<String> = self
            .text
            .split_whitespace()
            .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_ascii_lowercase())
            .collect();
        words.windows(3).find_map(|three| match three {
            [before, number, unit] if matches!(before.as_str(), "in" | "for" | "after") => {
                let count = number.parse::<u64>().ok()?;
                let seconds = match unit.as_str() {
                    "second" | "seconds" | "secs" | "s" => count,
                    "minute" | "minutes" | "mins" | "min" => count.checked_mul(60)?,
                    "hour" | "hours" => count.checked_mul(3600)?,
                    _ => return None,
                };
                (seconds <= 86_400).then(|| Duration::from_secs(seconds))
            }
            _ => None,
        })
    }

    /// The text, cut to what an outcome keeps.
    pub(super) fn short_text(&self) -> String {
        self.text.chars().take(TEXT_LIMIT).collect()
    }
}

/// Whether a line that has not ended may still become a reply: a banner of another protocol is told at once, without
/// waiting for the time limit.
fn may_begin_a_line(part: &[u8]) -> bool {
    part.iter().take(3).all(u8::is_ascii_digit)
}

/// Code, whether more lines follow, text.
fn parse_line(line: &[u8]) -> Result<(u16, bool, &[u8]), NotAReply> {
    let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or(NotAReply)?;
    let code = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    if !(200..=599).contains(&code) {
        return Err(NotAReply);
    }
    match line.get(3) {
        None => Ok((code, false, &[])),
        Some(b' ') => Ok((code, false, line.get(4..).unwrap_or_default())),
        Some(b'-') => Ok((code, true, line.get(4..).unwrap_or_default())),
        Some(_) => Err(NotAReply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Reply {
        Reply::parse(text.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn several_lines_are_one_reply_and_what_follows_is_left() {
        let input = b"250-mx.example\r\n250-PIPELINING\r\n250 SIZE 100\r\n354 go\r\n";
        let (reply, length) = Reply::parse(input).unwrap().unwrap();
        assert_eq!(reply, Reply { code: 250, text: "mx.example\nPIPELINING\nSIZE 100".into() });
        assert_eq!(&input[length..], b"354 go\r\n");
    }

    #[test]
    fn an_unfinished_reply_is_waited_for() {
        for part in ["", "2", "250", "250 ok", "250-first\r\n", "250-first\r\n250 second\r"] {
            assert_eq!(Reply::parse(part.as_bytes()), Ok(None), "{part:?}");
        }
    }

    #[test]
    fn other_protocols_and_contradictions_are_not_replies() {
        for text in
            ["* OK IMAP4rev1 ready\r\n", "SSH-2.0-x\r\n", "* OK", "250-a\r\n550 b\r\n", "999 x\r\n", "250_x\r\n"]
        {
            assert_eq!(Reply::parse(text.as_bytes()), Err(NotAReply), "{text:?}");
        }
        assert_eq!(Reply::parse(&[b'2'; 5000]), Err(NotAReply), "a line without end");
        assert_eq!(Reply::parse("250-x\r\n".repeat(20_000).as_bytes()), Err(NotAReply), "a reply without end");
    }

    #[test]
    fn only_25x_is_success() {
        assert!(whole("250 ok\r\n").is_done() && whole("252 maybe\r\n").is_done());
        for text in ["200 x\r\n", "220 x\r\n", "354 x\r\n", "421 x\r\n", "550 x\r\n"] {
            assert!(!whole(text).is_done(), "{text:?}");
        }
    }

    #[test]
    fn the_enhanced_status_is_read_from_the_text() {
        assert_eq!(whole("550 5.1.1 <x@y>: unknown\r\n").enhanced(), Some("5.1.1"));
        assert_eq!(whole("550 no such user\r\n").enhanced(), None);
        assert_eq!(whole("550 10.0.0.1 is listed\r\n").enhanced(), None);
        assert_eq!(whole("550 5.7 short\r\n").enhanced(), None);
    }

    #[test]
    fn greylisting_says_when_to_come_back() {
        let asked = |text: &str| whole(text).retry_after().map(|span| span.as_secs());
        assert_eq!(asked("450 4.2.0 Greylisted, please try again in 300 seconds\r\n"), Some(300));
        assert_eq!(asked("451 greylisted for 5 minutes.\r\n"), Some(300));
        assert_eq!(asked("451 try again later\r\n"), None);
        assert_eq!(asked("451 try again in 9999999 hours\r\n"), None);
    }
}
