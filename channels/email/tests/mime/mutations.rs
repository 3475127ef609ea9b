//! Real mails, damaged: whatever is done to the bytes, reading them ends in a value and never in a panic.

use guichet_email::understand::{Limits, keys, tree, understand};

use crate::authors::samples;

/// A small generator with a fixed beginning, so that each run damages the same bytes (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

#[test]
fn damaged_mails_are_still_read_without_a_panic() {
    let Some(samples) = samples() else { return };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let limits = Limits { text_bytes: 20_000, html_bytes: 20_000, parts: 50, ..Limits::default() };
    let mut count = 0;
    for sample in samples.iter().filter(|sample| sample.raw.len() < 30_000) {
        for _ in 0..4 {
            let raw = damaged(&sample.raw, &samples[dice.below(samples.len())].raw, &mut dice);
            if let Ok(mail) = understand(&raw, &limits) {
                super::safe_to_keep(&sample.file, &mail);
                assert!(keys(&raw, &mail).identity.is_some() == mail.message_id.is_some());
            }
            drop(tree(&raw));
            count += 1;
        }
    }
    println!("{count} damaged mails read");
}

fn damaged(raw: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = raw.to_vec();
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len());
        let end = (at + dice.below(200)).min(bytes.len());
        match dice.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let from = dice.below(other.len());
                let piece = other[from..(from + 300).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => bytes.iter_mut().skip(at).take(20).for_each(|byte| *byte ^= 0x80),
            4 => {
                const TOKENS: &[&[u8]] = &[
                    b"=?",
                    b"?=",
                    b"\r\n\r\n",
                    b"\"",
                    b"<",
                    b"--",
                    b"*0*=",
                    b"\0",
                    b"\x1b$B",
                    b"begin 644 x\n",
                    b"=",
                    b"\n ",
                ];
                let token = TOKENS[dice.below(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            5 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = u8::try_from(dice.below(256)).unwrap();
                }
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}
