//! What our reason codes mean, for a person.

/// Every reason code that reading mail gives, with what it means.
pub(crate) const EXPLANATIONS: &[(&str, &str)] = &[
    ("machine.own_address", "It says it comes from one of our own addresses."),
    ("machine.report", "It is a report about another message."),
    ("machine.null_sender", "Its envelope has no sender: it must not be answered."),
    ("machine.failed_recipients", "It lists recipients a message did not reach."),
    ("machine.auto_submitted", "Its writer says that it was written by a program (Auto-Submitted)."),
    ("machine.sender_name", "Its sender's name is one that programs write under."),
    ("machine.no_sender", "It names nobody who could be answered."),
    ("machine.precedence", "It was sent in bulk, or as an automatic answer (Precedence)."),
    ("machine.list", "It came by a mailing list."),
    ("machine.auto_response_suppress", "Its writer asks for no automatic answer (X-Auto-Response-Suppress)."),
    ("machine.vendor_header", "It bears the mark of a program that sends by itself."),
    ("machine.challenge", "It asks whoever wrote to prove that they are a person."),
    ("machine.subject", "Its subject is one that only programs write."),
    ("mail.forwarded", "It was forwarded: somebody else wrote what it speaks of."),
    ("mail.tnef", "Outlook packed files into one; these names are in it."),
    ("mail.too_large", "It is larger than what is read; its beginning is here."),
    ("mail.unreadable", "The mail server lists it and does not hand it out."),
    ("mime.boundary_guessed", "Its parts were not marked as announced; where they begin was guessed."),
    ("mime.crashed", "Reading it failed inside this program, which is our fault; its bytes are kept."),
    ("mime.empty", "It holds nothing."),
    ("mime.encrypted", "It is encrypted: only its recipient can read it."),
    ("mime.header_too_long", "A header field was too long: its beginning was read."),
    ("mime.headers_too_long", "Its header was too long: its beginning was read."),
    ("mime.html_cut", "Its HTML was too long: its beginning was kept."),
    ("mime.no_headers", "It begins with no header field: it may be no mail."),
    ("mime.subject_cut", "Its subject was too long: its beginning was kept."),
    ("mime.text_cut", "Its text was too long: its beginning was kept."),
    ("mime.too_deep", "Its parts lie too deep in each other: the innermost are kept as one file."),
    ("mime.too_large", "Its files are too large together: some were left out; its bytes are kept."),
    ("mime.too_many_addresses", "It names too many addresses: the first were read."),
    ("mime.too_many_headers", "It has too many header fields: the first were read."),
    ("mime.too_many_parts", "It has too many parts: the first were read."),
    ("mime.too_many_references", "It names too many messages before it: the nearest were read."),
    ("mime.unknown_charset", "Its letters are written in a way nobody knows: some may be wrong."),
    ("trust.dkim", "Its writer's domain has signed it."),
    ("trust.dmarc", "Our mail server vouches for its writer (DMARC)."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Every literal in the sources that is a code of ours.
    fn written(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                written(&path, found);
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let is_code = |word: &&str| {
                let plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'));
                let ours = ["machine.", "mime.", "trust."].iter().any(|space| word.starts_with(space));
                let mail = matches!(*word, "mail.forwarded" | "mail.tnef" | "mail.too_large" | "mail.unreadable");
                plain && (ours || mail) && word.split('.').count() == 2 && !word.ends_with('.')
            };
            found.extend(text.split('"').filter(is_code).map(str::to_owned));
        }
    }

    #[test]
    fn every_code_that_is_given_has_its_words_and_no_other_has() {
        let mut found = BTreeSet::new();
        for part in ["machine", "report", "understand"] {
            written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(part), &mut found);
        }
        for file in ["listen.rs", "translate.rs", "trust.rs", "dkim.rs"] {
            let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap();
            let ours = EXPLANATIONS.iter().filter(|(code, _)| text.contains(&format!("\"{code}\"")));
            found.extend(ours.map(|(code, _)| (*code).to_owned()));
        }
        let told: BTreeSet<String> = EXPLANATIONS.iter().map(|(code, _)| (*code).to_owned()).collect();
        assert_eq!(found, told);
        assert_eq!(told.len(), EXPLANATIONS.len(), "a code stands twice");
    }
}
