//! Parts that are no body, made into attachments.

use guichet_domain::file_name;

use super::{
    entity::Entity,
    header, identity,
    limits::{Limits, Notes},
    mail::{Attachment, AttachmentKind},
    tnef, transfer,
    uuencode::Found,
    walk::Leaf,
};

/// Gathers attachments within the bound on decoded bytes, and keeps their names apart.
pub(super) struct Shelf<'l, 'f> {
    limits: &'l Limits,
    fallback: Option<&'f str>,
    bytes_left: usize,
    names: Vec<String>,
    pub(super) attachments: Vec<Attachment>,
}

impl<'l, 'f> Shelf<'l, 'f> {
    /// An empty shelf. `fallback` is the charset for names in raw eight-bit text.
    pub(super) fn new(limits: &'l Limits, fallback: Option<&'f str>) -> Self {
        Self { limits, fallback, bytes_left: limits.decoded_bytes, names: Vec::new(), attachments: Vec::new() }
    }

    /// Adds a part. `referred` tells whether the HTML names it by its content id.
    pub(super) fn add(&mut self, leaf: &Leaf<'_>, referred: impl Fn(&str) -> bool, notes: &mut Notes) {
        // Cut before decoding: no encoding here turns more than four bytes into three, or shrinks a text so far.
        let bound = self.bytes_left.saturating_add(self.bytes_left / 2).saturating_add(4_096);
        let body = leaf.entity.body.get(..bound).unwrap_or(leaf.entity.body);
        let mut content = transfer::decode(&leaf.encoding(), body).into_owned();
        let cut = body.len() < leaf.entity.body.len() || content.len() > self.bytes_left;
        content.truncate(self.bytes_left);
        let content_id = leaf.entity.field("content-id").and_then(|raw| identity::message_ids(raw).into_iter().next());
        let referred = content_id.as_deref().is_some_and(referred);
        let kind = kind(leaf, &content, referred);
        let declared = leaf.name(self.fallback).map(|name| header::clean(&name));
        let suggested =
            declared.clone().or_else(|| (kind == AttachmentKind::Message).then(|| subject(&content)).flatten());
        let inner_names = if kind == AttachmentKind::Tnef { tnef::names(&content) } else { Vec::new() };
        let media_type = leaf.media_type.clone();
        self.push(
            Attachment {
                safe_name: String::new(),
                declared_name: declared,
                media_type,
                sniffed: None,
                content_id,
                kind,
                inner_names,
                content,
                cut,
            },
            suggested.as_deref(),
            notes,
        );
    }

    /// Adds a file found inside the text.
    pub(super) fn add_found(&mut self, mut found: Found, notes: &mut Notes) {
        let declared = header::text(&found.name, self.fallback);
        let cut = found.content.len() > self.bytes_left;
        found.content.truncate(self.bytes_left);
        let attachment = Attachment {
            safe_name: String::new(),
            declared_name: Some(declared.clone()),
            media_type: "application/octet-stream".to_owned(),
            sniffed: None,
            content_id: None,
            kind: AttachmentKind::File,
            inner_names: Vec::new(),
            content: found.content,
            cut,
        };
        self.push(attachment, Some(&declared), notes);
    }

    fn push(&mut self, mut attachment: Attachment, suggested: Option<&str>, notes: &mut Notes) {
        if self.attachments.len() >= self.limits.parts {
            notes.add("mime.too_many_parts");
            return;
        }
        if self.is_second_invitation(&attachment) {
            return;
        }
        if attachment.cut {
            notes.add("mime.too_large");
        }
        self.bytes_left -= attachment.content.len().min(self.bytes_left);
        attachment.sniffed = sniff(&attachment.content);
        let number = self.attachments.len() + 1;
        let name = file_name::safe(suggested, &attachment.media_type, number);
        attachment.safe_name = file_name::distinct(name, &self.names);
        self.names.push(attachment.safe_name.clone());
        self.attachments.push(attachment);
    }
}

impl Shelf<'_, '_> {
    /// An invitation comes as one form of the body and again as a file: the file alone is kept, by its name.
    fn is_second_invitation(&mut self, attachment: &Attachment) -> bool {
        if attachment.kind != AttachmentKind::Calendar {
            return false;
        }
        // One copy is encoded and the other is not: their line ends differ.
        let words =
            |content: &[u8]| content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
        let wanted = words(&attachment.content);
        let same = |other: &Attachment| other.kind == AttachmentKind::Calendar && words(&other.content) == wanted;
        let Some(at) = self.attachments.iter().position(same) else { return false };
        if self.attachments.get(at).is_some_and(|other| other.declared_name.is_none())
            && attachment.declared_name.is_some()
        {
            self.attachments.remove(at);
            self.names.remove(at);
            return false;
        }
        true
    }
}

fn kind(leaf: &Leaf<'_>, content: &[u8], referred: bool) -> AttachmentKind {
    match leaf.media_type.as_str() {
        "message/rfc822" | "message/global" => AttachmentKind::Message,
        "text/calendar" | "application/ics" => AttachmentKind::Calendar,
        "message/delivery-status"
        | "message/global-delivery-status"
        | "message/disposition-notification"
        | "message/feedback-report"
        | "text/rfc822-headers"
        | "message/global-headers" => AttachmentKind::Report,
        "application/pgp-signature"
        | "application/pkcs7-signature"
        | "application/x-pkcs7-signature"
        | "application/x-pgp-signature" => AttachmentKind::Signature,
        "application/ms-tnef" | "application/vnd.ms-tnef" => AttachmentKind::Tnef,
        _ if tnef::is_tnef(content) => AttachmentKind::Tnef,
        _ if referred => AttachmentKind::Inline,
        media if media.starts_with("image/") && leaf.disposition.value == "inline" => AttachmentKind::Inline,
        _ => AttachmentKind::File,
    }
}

/// An enclosed message is named by its subject.
fn subject(content: &[u8]) -> Option<String> {
    let head = content.get(..16 * 1024).unwrap_or(content);
    let entity = Entity::split(head, &Limits::default(), &mut Notes::default());
    let subject = header::text(entity.field("subject")?, None);
    // A subject is no path: its slashes part words.
    let subject: String = subject.chars().map(|c| if matches!(c, '/' | '\\') { '-' } else { c }).take(80).collect();
    (!subject.trim().is_empty()).then(|| format!("{subject}.eml"))
}

/// What the first bytes say, where they say it beyond doubt.
fn sniff(content: &[u8]) -> Option<&'static str> {
    const SIGNS: &[(&[u8], &str)] = &[
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (b"Rar!\x1a\x07", "application/vnd.rar"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (b"\x7fELF", "application/x-elf"),
        (b"{\\rtf", "application/rtf"),
        (b"BEGIN:VCALENDAR", "text/calendar"),
        (b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
        (b"#!/", "text/x-shellscript"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
    ];
    if content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    // Two letters alone are too few: the header they announce must be there.
    if content.starts_with(b"MZ") && content.len() >= 64 {
        return Some("application/vnd.microsoft.portable-executable");
    }
    let begin = content.get(..256).unwrap_or(content).trim_ascii_start().to_ascii_lowercase();
    if begin.starts_with(b"<!doctype html") || begin.starts_with(b"<html") || begin.starts_with(b"<script") {
        return Some("text/html");
    }
    SIGNS.iter().find(|(sign, _)| content.starts_with(sign)).map(|(_, media_type)| *media_type)
}
