//! Enhanced status codes and SMTP reply codes in a server's words.

use std::sync::LazyLock;

use regex::Regex;

use super::marks::pattern;

/// `5.1.1`, but not a piece of an IP address or a version.
static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|[^0-9.0-9A-Za-z_])#?([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:$|[^0-9.0-9A-Za-z_]|\.(?:$|[^0-9]))")
});

/// `550 5.1.1`, `550-5.7.26`, `550 #5.1.0`, `550-'5.7.1`: the pair is surer than either alone.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[^0-9.0-9A-Za-z_])([245][0-9][0-9])[ :,-]+['"(<#]*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:$|[^0-9.0-9A-Za-z_]|\.(?:$|[^0-9]))"#,
    )
});

static REPLY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^0-9.0-9A-Za-z_@/=_-])([245][0-9][0-9])(?:$|[^0-9.0-9A-Za-z_/@_])"));

/// The reply codes of RFC 5321 and the extensions servers really use; 522 or 542 are somebody's invention.
const REPLIES: [&str; 31] = [
    "211", "214", "220", "221", "235", "250", "251", "252", "354", "421", "450", "451", "452", "454", "455", "458",
    "500", "501", "502", "503", "504", "521", "523", "525", "530", "535", "550", "551", "552", "553", "554",
];

/// The status code a diagnostic states: the one after a reply code first, a more telling one than `x.0.0` before that.
pub(super) fn status(text: &str) -> Option<String> {
    let paired = PAIR.captures(text).and_then(|found| found.get(2));
    let mut all = STATUS.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str());
    if let Some(paired) = paired {
        return Some(paired.as_str().to_owned());
    }
    let first = all.next()?;
    let telling = std::iter::once(first).chain(all).find(|code| !code.ends_with(".0.0"));
    Some(telling.unwrap_or(first).to_owned())
}

/// The reply code a diagnostic states, of the class of `status` where one is known.
pub(super) fn reply(text: &str, status: Option<&str>) -> Option<String> {
    let class = status.and_then(|status| status.chars().next());
    let fits = |code: &&str| REPLIES.contains(code) && class.is_none_or(|class| code.starts_with(class));
    let paired = PAIR.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str()).find(fits);
    let alone = || {
        let mut codes = REPLY.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str());
        codes.find(|code| fits(code) && !code.starts_with('2') || class == Some('2') && fits(code))
    };
    paired.or_else(alone).map(str::to_owned)
}
