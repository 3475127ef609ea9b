//! Whether a renderer may be given a document: its work grows with the square of how deep elements are left open.

/// Elements opened in one document. With so many, even all of them left open take about a second.
const MOST_OPENED: usize = 12_000;
/// Elements open at one place. Newsletters reach thirty or forty.
const DEEPEST: usize = 250;
/// How far down the open elements the one an end tag closes is looked for.
const REACH: usize = 64;

/// Elements that are never closed, or need not be, and do not nest in their own kind.
const VOID: &[&str] = &[
    "br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr", "p", "li", "td", "tr", "th", "tbody",
    "thead", "option", "dt", "dd",
];
/// An end tag inside one of these closes nothing outside it.
const WALLS: &[&str] = &["table", "object", "template", "marquee", "applet", "svg", "math"];

/// False for documents no person or mailer writes, in size of nesting; those are shown as the text they hold.
///
/// A count of tags, not a parse: it can be led astray, which [`MOST_OPENED`] makes up for.
pub(super) fn is_sane(html: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut opened = 0;
    let mut in_comment = false;
    for tag in html.split('<').skip(1) {
        if in_comment || tag.starts_with("!--") {
            in_comment = !tag.contains("-->") && !tag.contains("--!>");
            continue;
        }
        let (name, closes) = tag.strip_prefix('/').map_or((tag, false), |rest| (rest, true));
        let name = name
            .get(..name.find(|c: char| !c.is_ascii_alphanumeric() && c != ':').unwrap_or(name.len()))
            .unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || is_one_of(VOID, name) {
            continue;
        }
        if closes {
            close(&mut open, name);
        } else if !(name.contains(':') && tag.split('>').next().is_some_and(|tag| tag.ends_with('/'))) {
            open.push(name);
            opened += 1;
        }
        if open.len() > DEEPEST || opened > MOST_OPENED {
            return false;
        }
    }
    true
}

fn close(open: &mut Vec<&str>, name: &str) {
    for at in (0..open.len()).rev().take(REACH) {
        let Some(other) = open.get(at) else { return };
        if other.eq_ignore_ascii_case(name) {
            open.remove(at);
            return;
        }
        if is_one_of(WALLS, other) {
            return;
        }
    }
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mailers_write_is_sane_however_sloppy() {
        let row = "<tr><td><p>one<p>two<span><b><i>x</b></i></span></td></tr><!--[if mso]><v:rect><v:fill/><![endif]--><o:p/>";
        assert!(is_sane(&format!("<table>{}</table>", row.repeat(2_000))));
        assert!(is_sane(&"<div><span>unclosed</div>".repeat(200)));
    }

    #[test]
    fn what_only_an_attacker_writes_is_not() {
        for piece in ["<div>", "<b></i>", "<div></span>", "<b><div></b>", "<div><!-- </div> -->"] {
            assert!(!is_sane(&piece.repeat(1_000)), "{piece}");
        }
        assert!(!is_sane(&"<div><table><td></div></table>".repeat(20_000)));
    }
}
