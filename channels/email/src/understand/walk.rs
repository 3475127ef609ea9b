//! The tree of a mail's parts, as slices: multiparts opened to a bounded depth, everything else a leaf.

use super::{
    entity::{self, Entity},
    header,
    limits::{Limits, Notes},
    parameter::Parameters,
};

/// A part of a mail.
#[derive(Debug)]
pub(super) enum Node<'x> {
    /// Something to read or to keep.
    Leaf(Leaf<'x>),
    /// A multipart that was opened.
    Multipart {
        /// `mixed`, `alternative`, `related`, ...: lower case.
        subtype: String,
        /// Its parts, in order.
        children: Vec<Self>,
    },
}

/// A part that is not opened further.
#[derive(Debug)]
pub(super) struct Leaf<'x> {
    pub(super) entity: Entity<'x>,
    pub(super) media_type: String,
    pub(super) content_type: Parameters,
    pub(super) disposition: Parameters,
}

impl<'x> Leaf<'x> {
    fn new(entity: Entity<'x>, media_type: String, content_type: Parameters) -> Self {
        let disposition = entity.field("content-disposition").map(Parameters::parse).unwrap_or_default();
        Self { entity, media_type, content_type, disposition }
    }

    /// The transfer encoding as named; empty when none is.
    pub(super) fn encoding(&self) -> String {
        self.entity.field("content-transfer-encoding").map(|raw| header::text(raw, None)).unwrap_or_default()
    }

    /// The charset the part names, lower case.
    pub(super) fn charset(&self) -> Option<String> {
        self.content_type.token("charset")
    }

    /// Whether the sender calls it an attachment.
    pub(super) fn is_attached(&self) -> bool {
        self.disposition.value == "attachment"
    }

    /// Whether a file name was given, in either field.
    pub(super) fn is_named(&self) -> bool {
        self.name(None).is_some()
    }

    /// The file name as sent, decoded.
    pub(super) fn name(&self, fallback: Option<&str>) -> Option<String> {
        self.disposition
            .text("filename", fallback)
            .or_else(|| self.content_type.text("name", fallback))
            .or_else(|| self.disposition.text("name", fallback))
            .filter(|name| !name.trim().is_empty())
    }
}

/// Opens a mail. `Entity` is what it was split into at the top.
pub(super) fn open<'x>(entity: Entity<'x>, limits: &Limits, notes: &mut Notes) -> Node<'x> {
    let mut walker = Walker { limits, notes, parts_left: limits.parts.max(1) };
    walker.node(entity, "text/plain", 0)
}

/// The charset of the first body that names one worth knowing: what eight-bit header fields are most likely in.
pub(super) fn body_charset(node: &Node<'_>) -> Option<String> {
    match node {
        Node::Leaf(leaf) if leaf.media_type.starts_with("text/") => {
            leaf.charset().filter(|charset| !matches!(charset.as_str(), "us-ascii" | "utf-8" | "ascii"))
        }
        Node::Leaf(_) => None,
        Node::Multipart { children, .. } => children.iter().find_map(body_charset),
    }
}

struct Walker<'l, 'n> {
    limits: &'l Limits,
    notes: &'n mut Notes,
    parts_left: usize,
}

impl Walker<'_, '_> {
    // Recursion is bounded by `Limits::nesting`.
    fn node<'x>(&mut self, entity: Entity<'x>, default_type: &str, depth: usize) -> Node<'x> {
        let content_type = entity.field("content-type").map(Parameters::parse).unwrap_or_default();
        let media_type = media_type(&content_type.value, default_type);
        let Some(subtype) = media_type.strip_prefix("multipart/") else {
            self.parts_left = self.parts_left.saturating_sub(1);
            return Node::Leaf(Leaf::new(entity, media_type, content_type));
        };
        if depth >= self.limits.nesting {
            self.notes.add("mime.too_deep");
            self.parts_left = self.parts_left.saturating_sub(1);
            return Node::Leaf(Leaf::new(entity, media_type, content_type));
        }
        let pieces = self.pieces(entity.body, content_type.plain("boundary"));
        if pieces.is_empty() {
            // A multipart without parts is what its sender typed, with a wrong label.
            self.parts_left = self.parts_left.saturating_sub(1);
            return Node::Leaf(Leaf::new(entity, "text/plain".to_owned(), content_type));
        }
        let default_type = if subtype == "digest" { "message/rfc822" } else { "text/plain" };
        let mut children = Vec::with_capacity(pieces.len());
        for piece in pieces {
            if self.parts_left == 0 {
                self.notes.add("mime.too_many_parts");
                break;
            }
            let part = part(piece, self.limits, self.notes);
            children.push(self.node(part, default_type, depth + 1));
        }
        Node::Multipart { subtype: subtype.to_owned(), children }
    }

    fn pieces<'x>(&mut self, body: &'x [u8], boundary: Option<&[u8]>) -> Vec<&'x [u8]> {
        let boundary = boundary.map(<[u8]>::trim_ascii_end).filter(|boundary| !boundary.is_empty());
        let (mut found, mut more) =
            boundary.map(|boundary| entity::parts(body, boundary, self.parts_left)).unwrap_or_default();
        if found.is_empty()
            && let Some(guessed) = entity::guess_boundary(body)
        {
            (found, more) = entity::parts(body, guessed, self.parts_left);
            if !found.is_empty() {
                self.notes.add("mime.boundary_guessed");
            }
        }
        if more {
            self.notes.add("mime.too_many_parts");
        }
        found
    }
}

/// A part may have no fields at all: it then begins with an empty line, or with its text.
fn part<'x>(piece: &'x [u8], limits: &Limits, notes: &mut Notes) -> Entity<'x> {
    let (first, after) = entity::next_line(piece);
    if first.is_empty() { Entity { fields: Vec::new(), body: after } } else { Entity::split(piece, limits, notes) }
}

fn media_type(value: &str, default_type: &str) -> String {
    match value {
        "" => default_type.to_owned(),
        "text" | "plain" => "text/plain".to_owned(),
        "html" => "text/html".to_owned(),
        _ if value.contains('/') && value.len() <= 127 && value.bytes().all(|byte| byte.is_ascii_graphic()) => {
            value.to_owned()
        }
        _ => "application/octet-stream".to_owned(),
    }
}
