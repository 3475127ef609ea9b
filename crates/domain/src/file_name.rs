//! A file name an agent can be offered and a disk can hold, whatever the sender wrote.

/// The longest name, in bytes, its extension included.
const LONGEST: usize = 120;
const LONGEST_EXTENSION: usize = 16;

/// A name that is no path, holds nothing that hides or reorders it, means nothing special to any system, is not empty
/// and keeps its extension. Synthesised from the media type and `number` (the place in the mail) where there is none.
pub fn safe(declared: Option<&str>, media_type: &str, number: usize) -> String {
    let bare_extension = |name: &str| name.eq_ignore_ascii_case(extension(media_type));
    let name = declared.map(tidy).filter(|name| !name.is_empty() && !bare_extension(name));
    let name = name.unwrap_or_else(|| format!("{}-{number}.{}", stem(media_type), extension(media_type)));
    shorten(&avoid_reserved(name))
}

/// Makes a name differ from those already taken, compared without case: `a.txt`, `a (2).txt`.
pub fn distinct(name: String, taken: &[String]) -> String {
    let is_taken = |name: &str| taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    if !is_taken(&name) {
        return name;
    }
    let (stem, extension) = split(&name);
    // A bounded search: after so many, the place in the mail tells them apart.
    (2..=99)
        .map(|n| format!("{} ({n}){extension}", cut(stem, LONGEST.saturating_sub(extension.len() + 5))))
        .find(|candidate| !is_taken(candidate))
        .unwrap_or_else(|| format!("part-{}{extension}", taken.len() + 1))
}

fn tidy(declared: &str) -> String {
    // The last part of a path, of either kind of system; `a/` names what stands before the slash.
    let declared = declared.trim_end_matches(['/', '\\']);
    let last = declared.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|&c| !c.is_control() && !is_direction(c) && !is_invisible(c))
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    let kept = kept.trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    kept.trim_end_matches(|c: char| c == '.' || c.is_whitespace()).to_owned()
}

/// Characters that reorder what is shown: with them `exe.gpj` reads as a picture.
pub fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{2028}' | '\u{2029}')
}

/// Names that open a device on Windows, whatever their extension.
fn avoid_reserved(name: String) -> String {
    let stem = name.split('.').next().unwrap_or_default().trim().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|b| b.is_ascii_digit()))
    };
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT")
    {
        format!("_{name}")
    } else {
        name
    }
}

fn shorten(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    format!("{}{extension}", cut(stem, LONGEST - extension.len()).trim_end())
}

/// The name and its extension with the dot; no extension where it is too long to be one.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_EXTENSION => name.split_at(dot),
        _ => (name, ""),
    }
}

/// At most `bytes` of the text, whole letters.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn stem(media_type: &str) -> &'static str {
    match media_type.split('/').next().unwrap_or_default() {
        "image" => "image",
        "audio" => "audio",
        "video" => "video",
        "message" => "message",
        "text" => "text",
        _ => "part",
    }
}

fn extension(media_type: &str) -> &'static str {
    match media_type {
        "image/png" => "png",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "image/tiff" => "tif",
        "image/bmp" => "bmp",
        "image/heic" => "heic",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/ogg" => "ogg",
        "video/mp4" => "mp4",
        "video/quicktime" => "mov",
        "text/html" => "html",
        "text/csv" => "csv",
        "text/calendar" | "application/ics" => "ics",
        "text/vcard" | "text/x-vcard" => "vcf",
        "text/xml" | "application/xml" => "xml",
        "message/rfc822" | "message/global" => "eml",
        "application/pdf" => "pdf",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "application/gzip" | "application/x-gzip" => "gz",
        "application/json" => "json",
        "application/rtf" | "text/rtf" => "rtf",
        "application/msword" => "doc",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "dat",
        "application/pgp-signature" => "asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        other if other.starts_with("text/") || other.starts_with("message/") => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(declared: &str) -> String {
        safe(Some(declared), "application/pdf", 3)
    }

    #[test]
    fn no_path_survives() {
        assert_eq!(name("../../example/MyFile.txt"), "MyFile.txt");
        assert_eq!(name("C:\\Users\\me\\a.doc"), "a.doc");
        assert_eq!(name("php://foo"), "foo");
        assert_eq!(name(".."), "part-3.pdf");
        assert_eq!(name(".htaccess"), "htaccess");
        assert_eq!(name("dir/"), "dir");
    }

    #[test]
    fn nothing_hidden_or_special_survives() {
        assert_eq!(name("photo\u{202e}gpj.exe"), "photogpj.exe");
        assert_eq!(name("a\0b\r\n.txt"), "ab.txt");
        assert_eq!(name("CON.txt"), "_CON.txt");
        assert_eq!(name("lpt1"), "_lpt1");
        assert_eq!(name("what?.txt. . "), "what_.txt");
        assert_eq!(name("Maßnahmen Okt. 2021.html"), "Maßnahmen Okt. 2021.html");
    }

    #[test]
    fn long_names_keep_their_extension_and_whole_letters() {
        let long = name(&format!("{}.xlsx", "é".repeat(200)));
        assert!(long.len() <= LONGEST && long.ends_with("é.xlsx"), "{long}");
        assert!(name(&"x".repeat(500)).len() <= LONGEST);
    }

    #[test]
    fn a_missing_name_is_made_from_the_type() {
        assert_eq!(safe(None, "image/png", 1), "image-1.png");
        assert_eq!(safe(Some(".eml"), "message/rfc822", 2), "message-2.eml");
        assert_eq!(safe(Some("  "), "message/rfc822", 2), "message-2.eml");
        assert_eq!(safe(None, "application/x-unheard-of", 9), "part-9.bin");
    }

    #[test]
    fn names_given_twice_are_told_apart() {
        let taken = ["a.txt".to_owned(), "a (2).txt".to_owned()];
        assert_eq!(distinct("A.txt".to_owned(), &taken), "A (3).txt");
        assert_eq!(distinct("b.txt".to_owned(), &taken), "b.txt");
    }
}
