//! How servers write: where the returned mail begins, how they say "not delivered", how a line names a recipient.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// One of our own patterns.
#[expect(clippy::expect_used, reason = "the patterns are constants of this crate; a test compiles each")]
pub(super) fn pattern(source: &str) -> Regex {
    RegexBuilder::new(source).case_insensitive(true).multi_line(true).build().expect("a valid pattern")
}

/// Several of our own patterns, tried in one pass.
#[expect(clippy::expect_used, reason = "the patterns are constants of this crate; a test compiles each")]
pub(super) fn set(sources: impl Iterator<Item = String>) -> RegexSet {
    RegexSetBuilder::new(sources).case_insensitive(true).multi_line(true).build().expect("valid patterns")
}

/// An address as it stands in running text.
pub(super) const ADDRESS: &str = r"[0-9A-Za-z_.!#$%&'*+/=?^`{|}~-]+@(?:[0-9A-Za-z_-]+\.)*[0-9A-Za-z_-]+";

/// A line of its own that announces our mail, or its header.
static RETURNED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^[\s>|*=_-]*(?:",
        r"this is a copy of (?:the|your) message",
        r"|below (?:this line|the next line|is a copy)",
        r"|enclosed is a copy",
        r"|(?:the )?(?:header|headers|body) of the original message",
        r"|(?:included|here) is a copy",
        r"|a copy of the original message below",
        r"|(?:-+ *)?(?:original|unsent|returned|undelivered) (?:message|mail)(?-u:\b)[ -\x{24F}]{0,40}$",
        r"|original message (?:as received )?(?:is as )?follows",
        r"|the original message (?:was|follows|is)[ -\x{24F}]{0,40}(?:follow|below|attached)",
        r"|message (?:headers?|text|body) (?:and [ -\x{24F}]{0,30})?follows?",
        r"|(?:the )?(?:first|top) [0-9]+ lines of (?:your|the)",
        r"|start of returned message",
        r"|returned mail follows",
        r"|-+ the header and top",
        r"|mensaje original adjunto",
        r"|---- header of the source mail",
        r"|your message reads",
        r"|a summary of the undelivered message",
        r"|attachment is a copy of the message",
        r"|old message:",
        r"|original mail as follows",
        r")"
    ))
});

/// A header block that begins without any announcement.
static HEADER_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:received:\s*(?:from|by|\()|return-path:|dkim-signature:|x-google-smtp-source:)"));

static IDENTIFIED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^message-id:\s*<"));

/// Words that only a report about undelivered mail has; the test of last resort.
pub(super) static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"undeliver|non[- ]?deliver|not (?:be )?(?:been )?deliver|unable to (?:be )?(?:deliver|send)|could not (?:be )?(?:deliver|send|sent|reach)",
        r"|(?:wasn't|were not|was not|weren't) (?:able to )?(?:be )?deliver|failed to (?:be )?(?:deliver|reach|send)",
        r"|deliver[a-z]* (?:has |have |attempts? )?(?:fail|error|was aborted|problem)|did not reach|not reach the following",
        r"|permanent(?:ly)? (?:fatal |failure|error)|returned (?:mail|to sender)|(?:mail|message|recipient)[ -\x{24F}]{0,20} (?:was |were )?reject|automatically rejected",
        r"|error (?:was detected )?while (?:processing|delivering)|non remis|pas p[ue]t? [eê]tre|no pudo ser entregado|nao pode ser|unzustellbar|не может быть доставлено",
        r"|nicht (?:aus|zu)(?:ge|zu)?(?:stellt|liefert|stellen|liefern)|n'a p(?:as|u)[ -\x{24F}]{0,20}(?:remis|distribu|d[eé]livr)|non (?:distribu|d[eé]livr)[eé]",
        r"|no se (?:ha podido|pudo|puede) entregar|non [eè] stato (?:possibile )?(?:recapita|consegna)|n[aã]o (?:p[oô]de|foi poss[ií]vel)[ -\x{24F}]{0,12}entreg",
        r"|niet (?:worden )?(?:bezorgd|afgeleverd)|dostarczon|dostarczyć|не (?:было )?доставлен|не удалось доставить",
        r"|(?:配信|配送|送信|お届け)(?:でき|することができ)ません|无法(?:投递|送达)|無法(?:傳遞|寄送)|未能送达|退回",
        r"|exceeds allowed size|mailbox is full|has been delayed|not yet been delivered|will be retried"
    ))
});

/// Set phrases of servers.
pub(super) static AUTOMATIC: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"following (?:recipient|address)|created automatically|automatically generated|automated (?:alert|message|response)",
    )
});

/// The server has not given up.
pub(super) static DELAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"has been (?:delayed|postponed)|is delayed for more|not yet been delivered|warning message only|just a warning",
        r"|will be retried|attempts? (?:to deliver [ -\x{24F}]{0,40})?will (?:continue|be made|be repeated)|delivery attempts will",
        r"|will (?:continue|keep) (?:to )?(?:try|attempt|be (?:attempted|made))|temporary failure report|is still being retried|advisory-only",
        r"|verzögert|noch nicht zugestellt|retardé|pas encore été (?:remis|distribué|délivré)|retrasad[oa]|ritardat[oa]|nog niet (?:bezorgd|afgeleverd)|задержан",
        r"|could not send mail for past|message delayed [0-9]|still trying"
    ))
});

/// A line on which help is offered; the address on it is nobody's failure.
pub(super) static CONTACT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"contact|assist|questions?(?-u:\b)|problem report|help(?-u:\b)|postmaster at|send mail to|copy of (?:this|your) (?:message|mail)",
    )
});

/// What the server says before the returned mail, and the returned mail.
pub(super) fn split_returned(text: &str) -> Option<(&str, &str)> {
    let announced = RETURNED.find(text);
    let bare = HEADER_LINE.find(text);
    let at = match (announced, bare) {
        (Some(line), Some(header)) if line.start() < header.start() => line.start(),
        (_, Some(header)) => header.start(),
        (Some(line), None) => line.start(),
        (None, None) => return None,
    };
    let (said, rest) = text.split_at_checked(at)?;
    // The announcing line is not part of the mail; neither are the rules around it.
    let returned = if HEADER_LINE.find(rest).is_some_and(|header| header.start() == 0) {
        rest
    } else {
        rest.split_once('\n').map_or("", |(_, after)| after)
    };
    Some((
        said,
        returned.trim_start_matches(|mark: char| mark.is_whitespace() || matches!(mark, '-' | '=' | '|' | '_')),
    ))
}

/// Whether a text part is a mail's header: it begins as one does, or has the one field every mail has.
pub(super) fn is_header(text: &str) -> bool {
    HEADER_LINE.find(text.trim_start()).is_some_and(|found| found.start() == 0) || IDENTIFIED.is_match(text)
}
