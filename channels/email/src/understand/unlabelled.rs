//! Eight-bit text that names no charset and is no UTF-8: which of the few it most likely is.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, GB18030, KOI8_R, WINDOWS_1251, WINDOWS_1252};

/// How much is looked at: the beginning of a text is in the charset of the rest.
const SAMPLE: usize = 4_096;

/// The likeliest charset of `bytes`. No sentence of a western language is taken for another: its letters above ASCII stand alone or
/// are few, those of Chinese, Japanese and Korean come in pairs throughout, those of Russian are nearly all.
pub(super) fn likeliest(bytes: &[u8]) -> &'static Encoding {
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    pairs(sample).or_else(|| cyrillic(sample)).unwrap_or(WINDOWS_1252)
}

/// One of the charsets of two bytes a letter, if every byte above ASCII is half of such a letter.
fn pairs(sample: &[u8]) -> Option<&'static Encoding> {
    let (mut count, mut kana, mut hangul, mut hanzi) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut bytes = sample.iter().copied();
    while let Some(lead) = bytes.next() {
        if lead < 0x80 {
            continue;
        }
        match bytes.next() {
            Some(trail) if lead >= 0xa1 && trail >= 0xa1 => {}
            // Half a letter at the very end is where the sample was cut.
            None => break,
            Some(_) => return None,
        }
        count += 1;
        match lead {
            0xa4 | 0xa5 => kana += 1,
            0xb0..=0xc8 => {
                hangul += 1;
                hanzi += 1;
            }
            0xc9..=0xf7 => hanzi += 1,
            _ => {}
        }
    }
    // Cyrillic letters all lie above 0xC0; of the bytes of Chinese ones two in five do not.
    if count < 4 || !sample.iter().any(|byte| (0x80..0xc0).contains(byte)) {
        return None;
    }
    if kana * 4 >= count {
        Some(EUC_JP)
    } else if count >= 8 && hangul == hanzi && hangul * 2 >= count {
        // Eight Chinese words without one from the second half of the table would be a rare text.
        Some(EUC_KR)
    } else {
        (hanzi * 2 >= count).then_some(GB18030)
    }
}

/// One of the two Russian charsets, if letters are nearly all above ASCII. Small letters tell them apart: what is a
/// small letter in the one is a capital in the other, and texts are mostly small letters.
fn cyrillic(sample: &[u8]) -> Option<&'static Encoding> {
    let count = |range: std::ops::RangeInclusive<u8>| sample.iter().filter(|byte| range.contains(byte)).count();
    let (first, second) = (count(0xc0..=0xdf), count(0xe0..=0xff));
    let latin = sample.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let high = first + second;
    (high >= 6 && high > latin * 2).then_some(if first > second { KOI8_R } else { WINDOWS_1251 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(encoding: &'static Encoding, text: &str) -> &'static str {
        likeliest(&encoding.encode(text).0).name()
    }

    #[test]
    fn western_text_stays_western() {
        for text in [
            "Réponse à côté, déjà été",
            "ÉTÉ",
            "Übergröße für Öfen und Äxte",
            "«Où êtes-vous?» À bientôt",
            "ñandú ¡Olé!",
        ] {
            assert_eq!(guessed(WINDOWS_1252, text), "windows-1252", "{text}");
        }
    }

    #[test]
    fn russian_chinese_japanese_and_korean_are_known() {
        assert_eq!(guessed(KOI8_R, "Ваше сообщение не доставлено"), "KOI8-R");
        assert_eq!(guessed(KOI8_R, "тест тест"), "KOI8-R");
        assert_eq!(guessed(WINDOWS_1251, "Ваше сообщение не доставлено"), "windows-1251");
        assert_eq!(guessed(GB18030, "邮件传输失败！服务器无法发送"), "gb18030");
        assert_eq!(guessed(EUC_JP, "メールの送信に失敗しました"), "EUC-JP");
        assert_eq!(guessed(EUC_KR, "회원님께 메시지를 보냈습니다"), "EUC-KR");
    }
}
