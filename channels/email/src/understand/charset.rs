//! Bytes to text, whatever they are said to be encoded in. Never fails.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, Encoding, GB18030, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use mail_parser::decoders::charsets::map::charset_decoder;

use super::unlabelled;

/// Text, and whether the charset it was said to be in is known here.
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) unknown: bool,
}

/// Decodes by the label a mail gives, or by what the bytes look like where it gives none or one nobody knows.
pub(super) fn decode<'a>(label: Option<&str>, bytes: &'a [u8]) -> Decoded<'a> {
    let Some(label) = label.map(normalised).filter(|label| !label.is_empty()) else {
        return Decoded { text: guess(bytes), unknown: false };
    };
    let known = |text| Decoded { text, unknown: false };
    match label.as_ref() {
        "us-ascii" | "ascii" | "8bit" | "7bit" | "binary" | "default" | "none" | "unknown" | "x-unknown"
        | "unknown-8bit" | "user-defined" | "x-user-defined" | "ansi_x3.4-1968" => known(guess(bytes)),
        "utf-7" | "unicode-1-1-utf-7" | "x-unicode-1-1-utf-7" | "csutf7" | "utf7" => known(table(b"utf-7", bytes)),
        "utf-16" | "utf16" | "unicode" | "ucs-2" | "iso-10646-ucs-2" | "csunicode" => known(utf_16(bytes)),
        "iso-2022-kr" | "csiso2022kr" => known(iso_2022_kr(bytes)),
        "utf-8" | "utf8" => known(utf_8(bytes)),
        other => match encoding(other) {
            Some(encoding) if encoding == UTF_8 => known(utf_8(bytes)),
            Some(encoding) if encoding == ISO_2022_JP => known(iso_2022_jp(bytes)),
            Some(encoding) => known(encoding.decode_with_bom_removal(bytes).0),
            None if charset_decoder(other.as_bytes()).is_some() => known(table(other.as_bytes(), bytes)),
            None => Decoded { text: guess(bytes), unknown: true },
        },
    }
}

/// What bytes without a label most likely are: UTF-8, Japanese mail, UTF-16 with its mark, else what their letters say.
pub(super) fn guess(bytes: &[u8]) -> Cow<'_, str> {
    if bytes.is_ascii() {
        if has_japanese_escapes(bytes) {
            return iso_2022_jp(bytes);
        }
        return String::from_utf8_lossy(bytes);
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return utf_16(bytes);
    }
    utf_8(bytes)
}

/// Text said or taken to be UTF-8. Where more of it breaks that encoding than keeps it, it is something else in truth.
fn utf_8(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let lossy = String::from_utf8_lossy(bytes);
    let broken = lossy.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER).count();
    let sound = lossy.chars().filter(|&c| !c.is_ascii() && c != char::REPLACEMENT_CHARACTER).count();
    if broken > sound { unlabelled::likeliest(bytes).decode_without_bom_handling(bytes).0 } else { lossy }
}

fn normalised(label: &str) -> Cow<'_, str> {
    let trimmed = label.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | ','));
    if trimmed.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b' ') {
        Cow::Owned(trimmed.to_ascii_lowercase().replace(' ', "-"))
    } else {
        Cow::Borrowed(trimmed)
    }
}

fn encoding(label: &str) -> Option<&'static Encoding> {
    match label {
        // The superset is always right for the subset, and mail labels the one while it uses the other.
        "gb2312" | "gbk" | "gb_2312-80" | "cp936" | "ms936" | "windows-936" | "euc-cn" | "x-gbk" | "gb18030" => {
            return Some(GB18030);
        }
        "ks_c_5601" | "ks_c_5601-1992" | "cp949" | "ms949" | "x-windows-949" | "uhc" | "5601" | "ksc_5601-1987"
        | "euckr" => return Some(EUC_KR),
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" | "cp50220" | "cp50221" | "cp50222"
        | "_iso-2022-jp$esc" | "iso2022-jp" | "jis" | "csiso2022jp2" => return Some(ISO_2022_JP),
        "cp932" | "ms932" | "windows-932" | "shift-jis" | "shiftjis" | "x-ms-cp932" | "mskanji" => {
            return Some(SHIFT_JIS);
        }
        _ => {}
    }
    if let Some(found) = Encoding::for_label_no_replacement(label.as_bytes()) {
        return Some(found);
    }
    // `iso8859_15`, `iso-8859-8-i`, `windows1252`, `cp-1252`: one rewriting to the form the tables know.
    let dashed = label.replace('_', "-");
    Encoding::for_label_no_replacement(dashed.as_bytes()).or_else(|| {
        let digits: String = label.chars().filter(char::is_ascii_digit).collect();
        let windows = ["windows", "cp", "win", "ansi", "x-cp"].iter().any(|prefix| label.starts_with(prefix));
        (windows && digits.len() >= 3)
            .then(|| Encoding::for_label_no_replacement(format!("windows-{digits}").as_bytes()))
            .flatten()
    })
}

fn table<'a>(label: &[u8], bytes: &[u8]) -> Cow<'a, str> {
    charset_decoder(label).map_or_else(|| guess(bytes).into_owned(), |decoder| decoder(bytes)).into()
}

fn has_japanese_escapes(bytes: &[u8]) -> bool {
    bytes.contains(&0x1b) && bytes.windows(3).any(|three| matches!(three, [0x1b, b'$', b'B' | b'@']))
}

/// Japanese mail. An escape right after another one is an error to the web's decoder, and what joined encoded words
/// have at each seam: the first of the two is dropped.
fn iso_2022_jp(bytes: &[u8]) -> Cow<'_, str> {
    const ESC: u8 = 0x1b;
    if !bytes.windows(4).any(|four| matches!(four, [ESC, _, _, ESC])) {
        return ISO_2022_JP.decode_without_bom_handling(bytes).0;
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == ESC && rest.get(3) == Some(&ESC) {
            rest = rest.get(3..).unwrap_or_default();
        } else {
            plain.push(byte);
            rest = after;
        }
    }
    ISO_2022_JP.decode_without_bom_handling(&plain).0.into_owned().into()
}

/// UTF-16 with a byte order mark or without: then by which byte of a pair is zero more often.
fn utf_16(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return UTF_16LE.decode_without_bom_handling(rest).0;
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return UTF_16BE.decode_without_bom_handling(rest).0;
    }
    let (mut high_first, mut low_first) = (0, 0);
    for pair in bytes.chunks_exact(2).take(1_000) {
        high_first += usize::from(pair.first() == Some(&0));
        low_first += usize::from(pair.last() == Some(&0));
    }
    if low_first > high_first {
        UTF_16LE.decode_without_bom_handling(bytes).0
    } else {
        UTF_16BE.decode_without_bom_handling(bytes).0
    }
}

/// ISO-2022-KR is EUC-KR with the high bit put into shift states; the web's tables refuse it, mail still has it.
fn iso_2022_kr<'a>(bytes: &[u8]) -> Cow<'a, str> {
    let mut shifted = false;
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            0x1b => rest = rest.strip_prefix(b"$)C").unwrap_or(rest),
            0x0e => shifted = true,
            0x0f => shifted = false,
            b'\n' => {
                shifted = false;
                plain.push(byte);
            }
            _ if shifted && byte > 0x20 => plain.push(byte | 0x80),
            _ => plain.push(byte),
        }
    }
    EUC_KR.decode_without_bom_handling(&plain).0.into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(label: &str, bytes: &[u8]) -> String {
        decode(Some(label), bytes).text.into_owned()
    }

    #[test]
    fn each_charset_of_the_field_is_read() {
        assert_eq!(text("ISO-2022-JP", b"\x1b$B%F%9%H\x1b(B"), "テスト");
        assert_eq!(text("iso-2022-jp", b"\x1b$B%F\x1b(B\x1b$B%9%H\x1b(B"), "テスト", "joined encoded words");
        assert_eq!(text("koi8-r", b"\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет");
        assert_eq!(text("GB18030", b"\xc4\xe3\xba\xc3"), "你好");
        assert_eq!(text("gb2312", b"\xc4\xe3\xba\xc3"), "你好");
        assert_eq!(text("big5", b"\xa7A\xa6n"), "你好");
        assert_eq!(text("ks_c_5601-1987", b"\xb0\xed\xb8\xbf"), "고맙");
        assert_eq!(text("Shift_JIS", b"\x83e\x83X\x83g"), "テスト");
        assert_eq!(text("windows-1251", b"\xcf\xf0\xe8"), "При");
        assert_eq!(text("Cp1252", b"\x80 \xe9"), "€ é");
        assert_eq!(text("utf-7", b"H+AOk-llo"), "Héllo");
        assert_eq!(text("utf-16le", b"h\0i\0"), "hi");
        assert_eq!(text("utf-16", b"\xfe\xff\0h\0i"), "hi");
        assert_eq!(text("utf-16", b"h\0i\0"), "hi");
        assert_eq!(text("iso-2022-kr", b"\x1b$)C\x0e0m8?\x0f!"), "고맙!");
        assert_eq!(text("ibm850", b"\x82t\x82"), "été");
        assert_eq!(text("\"iso-8859-15\"", b"\xa4"), "€");
    }

    #[test]
    fn an_unknown_charset_is_guessed_and_said() {
        let decoded = decode(Some("x-klingon"), b"caf\xe9");
        assert_eq!(decoded.text, "café");
        assert!(decoded.unknown);
        assert_eq!(decode(Some("x-klingon"), "café".as_bytes()).text, "café");
    }

    #[test]
    fn latin_text_labelled_utf_8_is_still_read() {
        assert_eq!(text("utf-8", b"r\xe9ponse d\xe9j\xe0"), "réponse déjà");
        assert_eq!(
            text("utf-8", b"\xd0\xb7\xd0\xb4\xd0\xb0\xd0"),
            "зда\u{fffd}",
            "a cut in the middle loses one letter"
        );
    }

    #[test]
    fn ascii_label_with_eight_bit_bytes_means_utf_8_or_windows() {
        assert_eq!(text("us-ascii", "déjà".as_bytes()), "déjà");
        assert_eq!(text("us-ascii", b"d\xe9j\xe0"), "déjà");
    }
}
