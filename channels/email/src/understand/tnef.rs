//! Outlook's `winmail.dat`: only the names of what is inside, so that an agent knows what to ask for.

use super::charset;

const SIGNATURE: &[u8] = &[0x78, 0x9f, 0x3e, 0x22];
const ATTACHMENT: u8 = 2;
const TITLE: u16 = 0x8010;
const MAPI: u16 = 0x9005;
const NEW_ATTACHMENT: u16 = 0x9002;
/// Property tag of a long file name, little-endian, in eight-bit and in UTF-16 text.
const LONG_NAME_8: &[u8] = &[0x1e, 0x00, 0x07, 0x37];
const LONG_NAME_16: &[u8] = &[0x1f, 0x00, 0x07, 0x37];

/// Whether these bytes begin like a TNEF container.
pub(super) fn is_tnef(content: &[u8]) -> bool {
    content.starts_with(SIGNATURE)
}

/// The names of the files inside, at most 100; none when the container is damaged at its beginning.
pub(super) fn names(content: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = content.strip_prefix(SIGNATURE).and_then(|rest| rest.get(2..)).unwrap_or_default();
    // Each attachment has a short title and mostly a long name after it, which then takes its place.
    let mut titled = false;
    while let Some((level, id, value, after)) = attribute(rest) {
        rest = after;
        if level != ATTACHMENT || names.len() >= 100 {
            continue;
        }
        match id {
            NEW_ATTACHMENT => titled = false,
            TITLE => {
                names.extend(name(value, "windows-1252"));
                titled = true;
            }
            MAPI => {
                if let Some(long) = long_name(value) {
                    if titled {
                        names.pop();
                    }
                    names.push(long);
                    titled = false;
                }
            }
            _ => {}
        }
    }
    names
}

fn attribute(bytes: &[u8]) -> Option<(u8, u16, &[u8], &[u8])> {
    let (&level, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let value = rest.get(..length)?;
    let after = rest.get(length.checked_add(2)?..)?;
    let [low, high, _, _] = *id;
    Some((level, u16::from_le_bytes([low, high]), value, after))
}

fn long_name(properties: &[u8]) -> Option<String> {
    let find = |tag: &[u8]| {
        let at = properties.windows(4).position(|four| four == tag)?;
        // Tag, count of values, length, then the value.
        let (length, value) = properties.get(at + 8..)?.split_first_chunk::<4>()?;
        value.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)
    };
    find(LONG_NAME_16)
        .and_then(|value| name(value, "utf-16le"))
        .or_else(|| find(LONG_NAME_8).and_then(|value| name(value, "windows-1252")))
}

fn name(value: &[u8], label: &str) -> Option<String> {
    let text = charset::decode(Some(label), value).text;
    let text: String = super::header::clean(text.trim_end_matches('\0')).chars().take(255).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute_bytes(level: u8, id: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![level];
        bytes.extend(id.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend(value);
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn the_files_inside_are_named_by_their_long_names() {
        let mut content = SIGNATURE.to_vec();
        content.extend([1, 0]);
        content.extend(attribute_bytes(1, 0x8004, b"Subject\0"));
        content.extend(attribute_bytes(2, NEW_ATTACHMENT, b""));
        content.extend(attribute_bytes(2, TITLE, b"REPORT~1.DOC\0"));
        let mut properties = vec![1, 0, 0, 0];
        properties.extend(LONG_NAME_8);
        properties.extend([1, 0, 0, 0, 16, 0, 0, 0]);
        properties.extend(b"Report 2026.doc\0");
        content.extend(attribute_bytes(2, MAPI, &properties));
        content.extend(attribute_bytes(2, NEW_ATTACHMENT, b""));
        content.extend(attribute_bytes(2, TITLE, b"b.txt\0"));
        assert!(is_tnef(&content));
        assert_eq!(names(&content), ["Report 2026.doc", "b.txt"]);
        for end in 0..content.len() {
            names(&content[..end]);
        }
    }
}
