//! mail-parser's own tree, for those who need enclosed messages opened: reports and signatures.

use std::panic::catch_unwind;

use mail_parser::{Message, MessageParser};

use super::entity::next_line;

/// Enclosed messages a tree may hold. Each is a level of its drop; some ten thousand overflow a thread's stack, and a
/// stack that overflows takes the process with it.
const MOST: usize = 100;
/// Under this size even a mail of nothing but enclosed messages is no danger.
const SMALL: usize = 32 * 1024;

/// The mail as mail-parser sees it; its headers alone where opening all of it could overflow the stack. Use this and
/// never the parser itself on bytes from outside. `None` where there is no header.
pub fn tree(raw: &[u8]) -> Option<Message<'_>> {
    let parser = MessageParser::default();
    if raw.len() <= SMALL || is_shallow(raw) {
        // Damaged boundaries trip assertions in it; the headers can then still be read.
        if let Ok(tree) = catch_unwind(|| parser.parse(raw)) {
            return tree;
        }
    }
    MessageParser::default().parse_headers(raw)
}

/// Whether few messages can be enclosed: few fields say so, and none of them is in a transfer encoding, behind which
/// any number could hide. (An encoded message is against RFC 2046, 5.2.1, and rare.)
fn is_shallow(raw: &[u8]) -> bool {
    let mut enclosed = 0;
    let mut block = Block::default();
    let mut rest = raw;
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        rest = after;
        // Lines outside headers are looked at too: what is a header is for the parser to say, not for this.
        if line.iter().all(u8::is_ascii_whitespace) {
            block = Block::default();
            continue;
        }
        let folded = line.first().is_some_and(u8::is_ascii_whitespace);
        if !folded && !line.contains(&b':') {
            continue;
        }
        if names(line, b"message/") || names(line, b"digest") {
            enclosed += 1;
            block.encloses = true;
        }
        block.encoded |= names(line, b"base64") || names(line, b"quoted-printable");
        if enclosed > MOST || (block.encloses && block.encoded) {
            return false;
        }
    }
    true
}

#[derive(Default)]
struct Block {
    encloses: bool,
    encoded: bool,
}

fn names(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}
