//! Files set into plain text by uuencode, as old gateways and Outlook's "plain text" still do.

use super::entity::next_line;

/// A file found in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: Vec<u8>,
    pub(super) content: Vec<u8>,
}

/// The files in a text and the text without them; `None` where there are none, which is told quickly.
pub(super) fn extract(text: &[u8]) -> Option<(Vec<u8>, Vec<Found>)> {
    let mut files = Vec::new();
    let mut left = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let (line, after) = next_line(rest);
        if let Some(name) = begin_line(line)
            && let Some((content, after_end)) = body(after)
        {
            left.extend_from_slice(text.get(copied..at).unwrap_or_default());
            files.push(Found { name: name.to_vec(), content });
            copied = text.len() - after_end.len();
            at = copied;
        } else {
            at = text.len() - after.len();
        }
    }
    if files.is_empty() {
        return None;
    }
    left.extend_from_slice(text.get(copied..).unwrap_or_default());
    Some((left, files))
}

/// A part that is one uuencoded file, as `Content-Transfer-Encoding: x-uuencode` says.
pub(super) fn decode_whole(body: &[u8]) -> Option<Vec<u8>> {
    extract(body).and_then(|(_, files)| files.into_iter().next()).map(|found| found.content)
}

/// The name in `begin 644 name`.
fn begin_line(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"begin ")?;
    let space = rest.iter().position(|&byte| byte == b' ')?;
    let (mode, name) = rest.split_at(space);
    let octal = (3..=6).contains(&mode.len()) && mode.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let name = name.trim_ascii();
    (octal && !name.is_empty() && name.len() <= 255).then_some(name)
}

/// The file's bytes up to its `end` line, and what follows. Without the `end` it is a sentence that begins with `begin`.
fn body(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut content = Vec::new();
    let mut rest = text;
    loop {
        let (line, after) = next_line(rest);
        if line.trim_ascii_end() == b"end" {
            return Some((content, after));
        }
        if after.is_empty() || !data_line(line, &mut content) {
            return None;
        }
        rest = after;
    }
}

fn data_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((&first, data)) = line.split_first() else {
        // Gateways drop the blank that stands for "no more bytes".
        return true;
    };
    if !(b' '..=b'`').contains(&first) {
        return false;
    }
    let count = usize::from((first - b' ') & 63);
    if data.len() > count.div_ceil(3) * 4 + 2 || data.iter().any(|byte| !(b' '..=b'`').contains(byte)) {
        return false;
    }
    let start = out.len();
    for group in data.chunks(4) {
        let bits = (0..4).fold(0_u32, |bits, place| {
            let byte = group.get(place).copied().unwrap_or(b' ');
            bits << 6 | u32::from((byte - b' ') & 63)
        });
        out.extend_from_slice(bits.to_be_bytes().get(1..).unwrap_or_default());
    }
    // Blanks at the end of a line are lost on the way: they stood for zeroes.
    out.resize(start + count, 0);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_inside_the_text_becomes_a_file_and_leaves_the_text() {
        let text = b"Hello,\n\nbegin 644 test.txt\n+5&5S=\"!T97AT\"@  \n`\nend\nBye\n";
        let (left, files) = extract(text).unwrap();
        assert_eq!(left, b"Hello,\n\nBye\n");
        assert_eq!(files, [Found { name: b"test.txt".to_vec(), content: b"Test text\n\0".to_vec() }]);
    }

    #[test]
    fn a_sentence_that_begins_so_is_left_alone() {
        assert_eq!(extract(b"begin 644 days ago\nwe saw it\nend\n"), None);
        assert_eq!(extract(b"begin 644 x.txt\n#0V%T\n"), None, "no end line");
    }
}
