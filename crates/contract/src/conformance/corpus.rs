//! Texts that broke others: each between a head and a tail that must both come out on the other side.

/// A word of every text the suite sends or writes: it may stand in no log line.
pub(super) const BODY_WORD: &str = "quartzbody";

/// A text around `middle`, told from others by `mark`.
pub(super) fn around(mark: &str, middle: &str) -> String {
    format!("{mark} {BODY_WORD} head-{mark} {middle} tail-{mark}")
}

/// What must come out at both ends.
pub(super) fn ends(mark: &str) -> (String, String) {
    (format!("head-{mark}"), format!("tail-{mark}"))
}

/// Each with the name by which a failure tells it.
pub(super) fn middles() -> Vec<(&'static str, String)> {
    let fixed: [(&str, &str); 22] = [
        ("two lines", "one\ntwo"),
        ("CRLF", "one\r\ntwo\r\n"),
        ("a bare CR", "one\rtwo"),
        ("the end of an SMTP message", "one\r\n.\r\nMAIL FROM:<mallory@example.net>\r\n"),
        ("an SMTP end by bare LF", "one\n.\nMAIL FROM:<mallory@example.net>\n"),
        ("leading dots", ".\n..\n.x\n"),
        ("header lines", "\r\nBcc: mallory@example.net\r\n\r\n"),
        ("an HTTP request", "\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("NUL", "one\0two"),
        ("controls", "\u{1}\u{7}\u{8}\u{b}\u{c}\u{1b}[31m\u{7f}\u{85}"),
        ("bidi overrides", "\u{202e}txt.exe\u{202c}\u{2066}x\u{2069}\u{200f}"),
        ("zero width", "a\u{200b}b\u{200d}c\u{feff}d\u{2060}e"),
        ("line and paragraph separators", "one\u{2028}two\u{2029}three"),
        ("a script", "<script>alert(document.cookie)</script>"),
        ("broken HTML", "<b><!-- <![CDATA[ </b ]]> <img src=x onerror=alert(1)> &#x0; &amp;lt;"),
        ("mentions", "@everyone @here <@123> <!channel>"),
        ("marks of formats", "```\n`'\"\\ %s %n {0} {{7*7}} ${jndi:ldap://x} ' OR 1=1 --"),
        ("quotation", "> one\n>> two\n-- \nOn Monday somebody wrote:\n"),
        ("stacked accents", "Z\u{351}\u{36b}\u{343}\u{32a}\u{302}\u{312} a\u{300}\u{301}\u{302}"),
        ("emoji of many parts", "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f3fd} \u{1f1eb}\u{1f1f7}"),
        ("right to left", "مرحبا שלום"),
        ("the last of Unicode", "\u{10ffff}\u{fffe}\u{fffd}\u{e000}"),
    ];
    let mut all: Vec<_> = fixed.into_iter().map(|(name, text)| (name, text.to_owned())).collect();
    all.push(("a line of 5,000", "long ".repeat(1000)));
    all.push(("3,000 lines", "x\n".repeat(3000)));
    all
}

/// 1 MB in lines of 80.
pub(super) fn megabyte() -> String {
    "seventy-nine letters and a line feed, as a mail program breaks its lines, xxxx
"
    .repeat(13_000)
}
