//! Which messages may go in together.

use std::collections::HashSet;

/// Messages that go in together at most.
const MOST: usize = 16;
/// Octets that go in together at most, but for a single larger message.
const MOST_OCTETS: usize = 8 << 20;

/// A message on its way in.
#[derive(Debug)]
pub struct Letter {
    /// Where it was found, for messages to the operator.
    pub name: String,
    /// Its octets.
    pub bytes: Vec<u8>,
    /// Everything in its head that ties messages to each other.
    ties: Vec<Vec<u8>>,
}

impl Letter {
    /// A message and what it is tied to.
    pub fn new(name: String, bytes: Vec<u8>) -> Self {
        let ties = ties(&bytes);
        Self { name, bytes, ties }
    }
}

/// Messages that have nothing to do with each other.
#[derive(Debug, Default)]
pub struct Window {
    letters: Vec<Letter>,
    octets: usize,
    ties: HashSet<Vec<u8>>,
}

impl Window {
    /// Whether a message may go in with those that wait.
    pub fn takes(&self, letter: &Letter) -> bool {
        let room = self.letters.len() < MOST && self.octets + letter.bytes.len() <= MOST_OCTETS;
        self.letters.is_empty() || (room && letter.ties.iter().all(|tie| !self.ties.contains(tie)))
    }

    /// Adds a message.
    pub fn add(&mut self, letter: Letter) {
        self.octets += letter.bytes.len();
        self.ties.extend(letter.ties.iter().cloned());
        self.letters.push(letter);
    }

    /// All that wait, in order; none wait after.
    pub fn take(&mut self) -> Vec<Letter> {
        self.octets = 0;
        self.ties.clear();
        std::mem::take(&mut self.letters)
    }
}

/// The ids in Message-ID, In-Reply-To and References, in lower case, and the root of Outlook's Thread-Index. Only a hint
/// for the order: what a message really belongs to is decided by intake.
fn ties(message: &[u8]) -> Vec<Vec<u8>> {
    let mut ties = Vec::new();
    let mut within = false;
    for line in message.split(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        let folded = line.first().is_some_and(u8::is_ascii_whitespace);
        let lower = line.to_ascii_lowercase();
        if !folded {
            within = [&b"message-id:"[..], b"in-reply-to:", b"references:"].iter().any(|name| lower.starts_with(name));
            if let Some(thread) = line.get(13..).filter(|_| lower.starts_with(b"thread-index:")) {
                ties.push(thread.trim_ascii().iter().copied().take(29).collect());
            }
        }
        if within {
            let words = lower.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'<' | b'>' | b','));
            ties.extend(words.filter(|word| word.contains(&b'@')).map(<[u8]>::to_vec));
        }
    }
    ties
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(head: &str) -> Letter {
        Letter::new("x".into(), format!("{head}\n\nReferences: <body@x.test>\n").into_bytes())
    }

    fn waiting(heads: &[&str]) -> Window {
        let mut window = Window::default();
        for head in heads {
            window.add(letter(head));
        }
        window
    }

    #[test]
    fn an_answer_waits_for_what_it_answers() {
        let window = waiting(&["Subject: x\nMessage-ID: <A@x.test>"]);
        assert!(!window.takes(&letter("In-Reply-To: <a@x.test>")));
        assert!(!window.takes(&letter("References: <z@x.test>\n\t<a@x.test>")));
        assert!(!window.takes(&letter("Message-Id: <a@x.test>")), "the same message again");
        assert!(window.takes(&letter("References: <body@x.test>")), "what stands in a body ties nothing");
        assert!(window.takes(&letter("Message-ID: <b@x.test>\nSubject: a@x.test")));
    }

    #[test]
    fn messages_of_one_outlook_thread_wait_for_each_other() {
        let window = waiting(&["Thread-Index: AdABCDEFGHIJKLMNOPQRSTUVWXYZab"]);
        assert!(!window.takes(&letter("Thread-Index: AdABCDEFGHIJKLMNOPQRSTUVWXYZabAAAA")));
    }

    #[test]
    fn only_so_many_go_in_together_and_a_large_one_goes_alone() {
        let mut window = Window::default();
        for _ in 0..MOST {
            assert!(window.takes(&letter("Subject: x")));
            window.add(letter("Subject: x"));
        }
        assert!(!window.takes(&letter("Subject: x")));
        assert_eq!(window.take().len(), MOST);
        let large = Letter::new("x".into(), vec![b'x'; MOST_OCTETS + 1]);
        assert!(window.takes(&large));
        window.add(large);
        assert!(!window.takes(&letter("Subject: x")));
    }
}
