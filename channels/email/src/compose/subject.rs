//! The subject of an answer.

/// What mail programs put before the subject of an answer or a forwarded mail, without the colon. Only words that are
/// hardly ever the beginning of a subject somebody wrote.
const PREFIXES: [&str; 22] = [
    "re", "rép", "rep", "réponse", "aw", "antw", "antwort", "sv", "vs", "vá", "res", "rsp", "odp", "ynt", "tr", "wg",
    "fw", "fwd", "rv", "enc", "回复", "答复",
];

/// `Re: ` and the subject without the prefixes of answers and forwarded mails it already has, in any language and number.
///
/// An empty subject gives `Re:`; a tag in brackets stays where it is.
pub fn reply_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some(shorter) = without_prefix(rest) {
        rest = shorter.trim_start();
    }
    format!("Re: {rest}").trim_end().to_owned()
}

/// The subject behind one prefix such as `RE:`, `Re[2]:`, `AW (3) :` or `Rép :`.
fn without_prefix(subject: &str) -> Option<&str> {
    let end = subject.find(|letter: char| !letter.is_alphabetic())?;
    let (word, rest) = subject.split_at_checked(end)?;
    let word = word.to_lowercase();
    if !PREFIXES.contains(&word.as_str()) {
        return None;
    }
    let rest = rest.trim_start();
    let counted = rest.strip_prefix(['[', '(', '^']).and_then(|inner| {
        let behind = inner.trim_start_matches(|letter: char| letter.is_ascii_digit());
        (behind.len() < inner.len()).then(|| behind.strip_prefix([']', ')']).unwrap_or(behind))
    });
    counted.unwrap_or(rest).trim_start().strip_prefix([':', '：'])
}

#[cfg(test)]
mod tests {
    use super::reply_subject;

    #[test]
    fn an_answer_says_re_once_whatever_stood_there_before() {
        for subject in [
            "Printer on fire",
            "Re: Printer on fire",
            "RE: Re: RE:Printer on fire",
            "AW: Printer on fire",
            "TR: AW: SV: Printer on fire",
            "Rép : Printer on fire",
            "Rép\u{a0}: Printer on fire",
            "Re[2]: Printer on fire",
            "Re (3): Re^2: Printer on fire",
            "回复：Printer on fire",
            "  fwd: Printer on fire ",
        ] {
            assert_eq!(reply_subject(subject), "Re: Printer on fire", "{subject:?}");
        }
    }

    #[test]
    fn words_that_only_begin_alike_stay() {
        assert_eq!(reply_subject("Report: monthly"), "Re: Report: monthly");
        assert_eq!(reply_subject("Re-install the printer"), "Re: Re-install the printer");
        assert_eq!(reply_subject("[GT-1] Re: x"), "Re: [GT-1] Re: x");
        assert_eq!(reply_subject("Transport: late"), "Re: Transport: late");
        assert_eq!(reply_subject("re 5"), "Re: re 5");
    }

    #[test]
    fn no_subject_at_all_is_answered_too() {
        assert_eq!(reply_subject(""), "Re:");
        assert_eq!(reply_subject("Re: "), "Re:");
    }
}
