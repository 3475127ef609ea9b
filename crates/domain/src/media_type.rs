//! What a file is by its first bytes, whatever its sender says: what is shown to people and served to browsers goes by this.

/// First bytes, where they stand, and what they mean. The signatures are those of the WHATWG's MIME Sniffing Standard
/// (section 6) where it lists them, else of the formats' own specifications.
const SIGNATURES: [(usize, &[u8], &str); 29] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS\0", "audio/ogg"),
    (8, b"WAVEfmt ", "audio/wav"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"#!", "text/x-script"),
];

/// What office programs pack in a ZIP or an OLE container: told apart by what the sender says.
const OFFICE: [&str; 9] = [
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
];

/// Marks of documents that browsers run.
const ACTIVE: [(&str, &str); 6] = [
    ("<!doctype html", "text/html"),
    ("<html", "text/html"),
    ("<script", "text/html"),
    ("<svg", "image/svg+xml"),
    ("<?xml", "application/xml"),
    ("<!--", "text/html"),
];

/// How much of a text is looked at.
const LOOKED_AT: usize = 1024;

/// The media type of `bytes`. `declared` is believed only where the bytes cannot tell and do not contradict it: among office
/// formats, and among plain texts. Never empty; `application/octet-stream` for what nothing is known of.
pub fn of(bytes: &[u8], declared: &str) -> &'static str {
    let stands =
        |(place, mark, _): &&(usize, &[u8], &str)| bytes.get(*place..).is_some_and(|rest| rest.starts_with(mark));
    if let Some((_, _, found)) = SIGNATURES.iter().find(stands) {
        let container = matches!(*found, "application/zip" | "application/x-ole-storage");
        let office = OFFICE.into_iter().find(|office| container && office.eq_ignore_ascii_case(declared.trim()));
        return office.unwrap_or(found);
    }
    let beginning = bytes.get(..bytes.len().min(LOOKED_AT)).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(beginning).or_else(|error| match error.error_len() {
        // A letter cut in two by the end of what is looked at.
        None => std::str::from_utf8(beginning.get(..error.valid_up_to()).unwrap_or_default()),
        Some(_) => Err(error),
    }) else {
        return "application/octet-stream";
    };
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}')) {
        return "application/octet-stream";
    }
    let begin = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let active = ACTIVE.iter().find(|(mark, _)| begin.starts_with(mark)).map(|(_, found)| *found);
    let plain = || {
        ["text/csv", "text/calendar", "text/vcard", "application/json"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(declared.trim()))
    };
    active.or_else(plain).unwrap_or("text/plain")
}

/// Whether a browser or a desktop could run it: never shown inline, and refused where strangers upload.
pub fn is_active(media_type: &str) -> bool {
    matches!(
        media_type,
        "text/html"
            | "image/svg+xml"
            | "application/xml"
            | "text/x-script"
            | "application/x-elf"
            | "application/vnd.microsoft.portable-executable"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sender_says_counts_only_where_the_bytes_cannot_tell() {
        assert_eq!(of(b"\x89PNG\r\n\x1a\n....", "text/plain"), "image/png");
        assert_eq!(of(b"MZ\x90\0", "image/png"), "application/vnd.microsoft.portable-executable");
        assert_eq!(of(b"  <!DOCTYPE html><p>", "image/png"), "text/html");
        assert_eq!(of(b"\xef\xbb\xbf<SVG onload=x>", "image/jpeg"), "image/svg+xml");
        assert_eq!(of(b"PK\x03\x04rest", OFFICE[0]), OFFICE[0]);
        assert_eq!(of(b"PK\x03\x04rest", "image/png"), "application/zip");
        assert_eq!(of(b"a,b\n1,2\n", "text/csv"), "text/csv");
        assert_eq!(of(b"a,b\n1,2\n", "text/html"), "text/plain");
        assert_eq!(of(b"\0\0\0 ftypisom", ""), "video/mp4");
        assert_eq!(of(b"\xff\x00\x80", "image/png"), "application/octet-stream");
        assert_eq!(of(b"", "image/png"), "text/plain");
    }

    #[test]
    fn a_letter_cut_by_the_end_of_the_look_is_still_text() {
        let text = format!("{}é", "a".repeat(LOOKED_AT - 1));
        assert_eq!(of(text.as_bytes(), ""), "text/plain");
    }

    #[test]
    fn what_runs_is_active() {
        assert!(is_active(of(b"#!/bin/sh\n", "text/plain")));
        assert!(!is_active(of(b"%PDF-1.7", "text/html")));
    }
}
