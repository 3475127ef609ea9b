//! What a file is, by its first bytes, and under which name it may go on.

use guichet_domain::{file_name, media_type};

/// Bytes of the beginning that are looked at.
pub(crate) const HEAD: usize = 4096;

/// What is taken, with the extensions its names may have, the usual one first.
const TAKEN: [(&str, &[&str]); 15] = [
    ("image/png", &["png"]),
    ("image/jpeg", &["jpg", "jpeg", "jpe"]),
    ("image/gif", &["gif"]),
    ("image/webp", &["webp"]),
    ("image/heic", &["heic", "heif"]),
    ("application/pdf", &["pdf"]),
    ("text/plain", &["txt", "log", "md"]),
    ("text/csv", &["csv"]),
    ("application/zip", &["zip"]),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &["docx"]),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["xlsx"]),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", &["pptx"]),
    ("application/vnd.oasis.opendocument.text", &["odt"]),
    ("application/vnd.oasis.opendocument.spreadsheet", &["ods"]),
    ("video/mp4", &["mp4", "m4v"]),
];

/// The types that are taken, as clients are told.
pub(crate) fn types() -> Vec<&'static str> {
    TAKEN.iter().map(|(media_type, _)| *media_type).collect()
}

/// What a file is that begins with `head`, and its safe name, which cannot promise anything else. Nothing when it is of no
/// type that is taken.
pub(crate) fn judge(head: &[u8], declared: &str, name: Option<&str>) -> Option<(&'static str, String)> {
    let declared = declared.split(';').next().unwrap_or_default().trim();
    let found = media_type::of(head, declared);
    let (media_type, extensions) = TAKEN.iter().find(|(taken, _)| *taken == found)?;
    let name = file_name::safe(name, media_type, 1);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let honest = extension.is_some_and(|extension| extensions.contains(&extension.as_str()));
    if honest {
        return Some((media_type, name));
    }
    let usual = extensions.first().copied().unwrap_or("bin");
    let stem: String = name.chars().take(60).collect();
    Some((media_type, file_name::safe(Some(&format!("{}.{usual}", stem.trim_end_matches('.'))), media_type, 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";

    #[test]
    fn a_name_cannot_promise_what_the_file_is_not() {
        for (name, safe) in [
            ("photo.png", "photo.png"),
            ("PHOTO.PNG", "PHOTO.PNG"),
            ("setup.exe", "setup.exe.png"),
            ("photo", "photo.png"),
            ("../../etc/passwd", "passwd.png"),
            ("C:\\temp\\a.png", "a.png"),
            ("photo\u{202e}gnp.exe", "photognp.exe.png"),
        ] {
            assert_eq!(judge(PNG, "text/html", Some(name)), Some(("image/png", safe.to_owned())));
        }
        assert_eq!(judge(PNG, "", None), Some(("image/png", "image-1.png".to_owned())));
        let long = judge(PNG, "", Some(&"é".repeat(400))).unwrap().1;
        assert!(long.len() <= 120 && long.rsplit('.').next() == Some("png"), "{long}");
    }

    #[test]
    fn what_a_browser_or_a_machine_would_run_is_not_taken_whatever_it_says() {
        for bytes in [
            &b"<html><script>alert(1)</script>"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"<?xml version='1.0'?><x/>",
            b"MZ\x90\0",
            b"\x7fELF",
            b"#!/bin/sh\n",
            b"\0\x01\x02\x03",
        ] {
            assert_eq!(judge(bytes, "image/png", Some("a.png")), None, "{bytes:?}");
        }
    }

    #[test]
    fn every_type_that_is_taken_has_an_extension() {
        assert!(TAKEN.iter().all(|(media_type, extensions)| media_type.contains('/') && !extensions.is_empty()));
    }
}
