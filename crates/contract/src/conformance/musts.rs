//! The rules that are checked here, with the numbers and words of `docs/CONTRACT.md`.

/// One rule a channel must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Must {
    /// Its number in `docs/CONTRACT.md`.
    pub number: &'static str,
    /// Its words there.
    pub words: &'static str,
}

macro_rules! musts {
    ($($name:ident = $number:literal, $words:literal;)*) => {
        $(#[doc = $words] pub(super) const $name: Must = Must { number: $number, words: $words };)*

        /// Every rule that a check proves.
        #[cfg(test)]
        const ALL: &[Must] = &[$($name),*];
    };
}

musts! {
    NOTHING_EARLY = "C1", "A channel MUST NOT acknowledge an item upstream before `accept` has returned `Ok` for it.";
    KEEPS_WHEN_BUSY = "C2", "On `Busy` a channel MUST keep the item upstream and hand it in again.";
    SAME_ID = "C3", "Every handing in of one item MUST carry the same `external_id`.";
    CURSOR_BEHIND = "C4", "A cursor MUST NOT point behind an item that is not in this or an earlier accepted batch; dropping `listen` at any moment loses nothing.";
    ACKNOWLEDGES = "C5", "After `accept` has returned `Ok` a channel MUST acknowledge the item upstream, also when it was stopped in between.";
    STOPS = "C6", "`listen` MUST return `Ok` within 5 s of `stop`, whatever it is waiting for.";
    PASSING = "C7", "A network that is away MUST be a passing fault or a report of trouble, never a lasting fault and never the end of `listen`.";
    REPORTS_GOOD = "C8", "`listen` MUST report `Good` once it works.";
    VOCABULARY = "C9", "What is handed in MUST keep to the vocabulary: an id of 1 to 1,024 bytes, at most 4 shared keys, at most 256 items a batch, one-line names and subjects without control characters, safe file names, cursors of at most 1 KiB, the bytes as they came.";
    HOSTILE_IN = "C10", "Whatever text comes MUST be handed in, read or as unreadable, and MUST NOT keep back what is behind it.";
    ABILITIES = "C11", "Abilities MUST be constant; a channel that sends MUST name a deadline and a concurrency of at least 1.";
    DELIVERED = "C12", "`Delivered` MUST mean that the network took the message: it shows once, with all of its text.";
    IDEMPOTENT = "C13", "Where `idempotent_send` is claimed, a repeated `deliver` of one id MUST show once.";
    REFUSED = "C14", "A message that the network refuses for good MUST be `Refused`.";
    DOWN = "C15", "When nobody is there, `deliver` MUST answer `Retry` and say that the source is down.";
    WAITS = "C16", "When the network asks to come back later, `deliver` MUST answer `Retry` with the time it asked for, at most 1 h.";
    HONEST = "C17", "When the connection dies, `deliver` MUST NOT answer `Delivered` or `Refused`; where the message may have been taken and a repeat would show twice, it MUST answer `Unknown`.";
    DEADLINE = "C18", "`deliver` MUST return within `deadline_secs`, whatever the network does.";
    DROPPED = "C19", "Dropping `deliver` at any moment MUST leave the channel able to send.";
    OVER_LONG = "C20", "A text longer than `max_chars` MUST be sent in parts, be cut with a mark that shows it, or be `Refused`; nothing that is sent may be longer.";
    HOSTILE_OUT = "C21", "Whatever the text holds, it MUST NOT break out of its message: it shows once, whole.";
    FINDS = "C22", "`find_sent` MUST answer `None` only for what was surely not taken, and the id of `Delivered` for what was; where `finds_sent` is not claimed it MUST be a fault.";
    SENDS_NOT = "C23", "A channel that does not send MUST answer `Refused`.";
    SECRETS = "C24", "No secret, address or text of a message may stand in a log line, and no secret in a fault, a report of health or the detail of a delivery.";
    CHECK = "C25", "`check` MUST change nothing, find something to say when all is well, and fail when the network is away.";
    READ = "C26", "`read` MUST give the same bytes at the same position the same `external_id`, and MUST NOT panic on any bytes.";
    ADDRESSES = "C27", "`addresses` MUST answer address keys: lower case, no outer space.";
    NO_PANIC = "C28", "No call may panic, whatever comes.";
    NOTES = "C39", "Where `notes_departure` is claimed, `deliver` MUST note the departure before the network can have taken the message, and MUST send nothing when the note fails: an attempt that ended without a note can be repeated and shows once.";
    HOLDINGS = "C40", "What `holdings` lists as due MUST carry an id or a shared key under which it was handed in, listing MUST change nothing, and a network that is away MUST be a fault, not an empty list.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of the document: number and words, with lines joined.
    fn document() -> Vec<(String, String)> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONTRACT.md");
        let text = std::fs::read_to_string(path).expect("docs/CONTRACT.md is there");
        let paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        paragraphs
            .filter_map(|part| {
                let (number, words) = part.strip_prefix("**")?.split_once(".** ")?;
                Some((number.to_owned(), words.to_owned()))
            })
            .collect()
    }

    #[test]
    fn the_document_holds_every_rule_that_is_checked_in_the_same_words() {
        let document = document();
        for must in ALL {
            let found = document.iter().find(|(number, _)| number == must.number);
            let (_, words) = found.unwrap_or_else(|| panic!("docs/CONTRACT.md has no {}", must.number));
            let told = format!("{} *Proved by: conformance.*", must.words);
            assert_eq!(words, &told, "{}", must.number);
        }
    }

    #[test]
    fn every_rule_of_the_document_says_what_proves_it_and_none_claims_a_check_that_is_not_there() {
        let document = document();
        assert!(document.len() > ALL.len(), "the rules of the core stand there too");
        for (number, words) in &document {
            assert!(words.contains(" *Proved by: "), "{number} does not say what proves it");
            let claimed = words.ends_with("*Proved by: conformance.*");
            assert_eq!(claimed, ALL.iter().any(|must| must.number == number), "{number}");
        }
        let mut numbers: Vec<_> = document.iter().map(|(number, _)| number).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), document.len(), "a number stands twice");
    }
}
