//! Which parts are the message and which are attached, and the message's words.
//!
//! The choice follows RFC 8621 section 4.1.4, the only written-down algorithm several clients share, with two changes:
//! pictures are always attachments, and HTML is converted where the plain text says nothing.

use super::{
    attachment::Shelf,
    charset, html,
    limits::{Limits, Notes},
    mail::Attachment,
    text, transfer, uuencode,
    walk::{Leaf, Node},
};

/// The words and files of a mail.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    pub(super) text: String,
    pub(super) html: Option<String>,
    pub(super) sanitised_html: Option<String>,
    pub(super) attachments: Vec<Attachment>,
}

/// Sorts the parts, decodes the bodies, and makes the rest attachments.
pub(super) fn bodies(root: &Node<'_>, fallback: Option<&str>, limits: &Limits, notes: &mut Notes) -> Bodies {
    let mut chosen = Chosen::default();
    chosen.structure(std::slice::from_ref(root), "mixed", false, true, true);
    let mut shelf = Shelf::new(limits, fallback);
    let mut words = Words { limits, notes, html: html_of(&chosen, limits) };
    let mut text = words.plain(&chosen, &mut shelf);
    let html = words.html.take();
    if let Some((_, true)) = &html {
        notes.add("mime.html_cut");
    }
    let html = html.map(|(html, _)| html).filter(|html| !html.trim().is_empty());
    if text.trim().is_empty()
        && let Some(html) = &html
    {
        text = html::to_text(html);
    }
    let (text, cut) = text::tidy(&text, limits.text_bytes);
    if cut {
        notes.add("mime.text_cut");
    }
    let referred = |id: &str| html.as_deref().is_some_and(|html| html.contains(id));
    for leaf in chosen.attachments {
        shelf.add(leaf, referred, notes);
    }
    let sanitised_html = html.as_deref().map(html::sanitise);
    Bodies { text, html, sanitised_html, attachments: shelf.attachments }
}

/// Parts by what they are for; a part may be in both bodies.
#[derive(Default)]
struct Chosen<'t, 'x> {
    text: Vec<&'t Leaf<'x>>,
    html: Vec<&'t Leaf<'x>>,
    attachments: Vec<&'t Leaf<'x>>,
}

impl<'t, 'x> Chosen<'t, 'x> {
    /// Whether a body was found since the lists were so long. In a `related` only the first is one, wherever it stands.
    fn chose_since(&self, texts: usize, htmls: usize) -> bool {
        self.text.len() > texts || self.html.len() > htmls
    }

    fn structure(&mut self, nodes: &'t [Node<'x>], within: &str, in_alternative: bool, mut text: bool, mut html: bool) {
        let (texts, htmls) = (self.text.len(), self.html.len());
        for (place, node) in nodes.iter().enumerate() {
            let leaf = match node {
                Node::Multipart { subtype, children } => {
                    let alternative = in_alternative || subtype == "alternative";
                    self.structure(children, subtype, alternative, text, html);
                    continue;
                }
                Node::Leaf(leaf) => leaf,
            };
            let (is_plain, is_html) = (leaf.media_type == "text/plain", leaf.media_type == "text/html");
            let is_body = (is_plain || is_html)
                && !leaf.is_attached()
                && (place == 0 || (!leaf.is_named() && (within != "related" || !self.chose_since(texts, htmls))));
            if within == "alternative" && (is_plain || is_html) && !leaf.is_attached() {
                if is_plain && text {
                    self.text.push(leaf);
                } else if is_html && html {
                    self.html.push(leaf);
                } else if !text && !html {
                    self.attachments.push(leaf);
                }
            } else if is_body && (text || html) {
                if in_alternative && is_plain {
                    html = false;
                }
                if in_alternative && is_html {
                    text = false;
                }
                if text {
                    self.text.push(leaf);
                }
                if html {
                    self.html.push(leaf);
                }
            } else {
                self.attachments.push(leaf);
            }
        }
        if within == "alternative" && text && html {
            // Only one form was given: it serves as the other too.
            if self.text.len() == texts {
                let only = self.html.get(htmls..).unwrap_or_default().to_vec();
                self.text.extend(only);
            } else if self.html.len() == htmls {
                let only = self.text.get(texts..).unwrap_or_default().to_vec();
                self.html.extend(only);
            }
        }
    }
}

struct Words<'l, 'n> {
    limits: &'l Limits,
    notes: &'n mut Notes,
    html: Option<(String, bool)>,
}

impl Words<'_, '_> {
    fn plain(&mut self, chosen: &Chosen<'_, '_>, shelf: &mut Shelf<'_, '_>) -> String {
        let mut text = String::new();
        for leaf in &chosen.text {
            if text.len() > self.limits.text_bytes {
                break;
            }
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            let bound = self.limits.decoded_bytes.max(self.limits.text_bytes.saturating_mul(2)).saturating_mul(2);
            let body = leaf.entity.body.get(..bound).unwrap_or(leaf.entity.body);
            let bytes = transfer::decode(&leaf.encoding(), body);
            if leaf.media_type == "text/html" {
                let (html, _) = decoded_html(leaf, &bytes, self.limits);
                text.push_str(&html::to_text(&html));
                continue;
            }
            let extracted = uuencode::extract(&bytes);
            let bytes = extracted.as_ref().map_or(&*bytes, |(left, _)| left.as_slice());
            // Four bytes a letter at most, in any charset: what is over could not be kept.
            let bytes = bytes.get(..self.limits.text_bytes.saturating_mul(4).saturating_add(4)).unwrap_or(bytes);
            let decoded = charset::decode(leaf.charset().as_deref(), bytes);
            if decoded.unknown {
                self.notes.add("mime.unknown_charset");
            }
            if html::is_document(&decoded.text) {
                text.push_str(&html::to_text(&decoded.text));
            } else {
                text.push_str(&decoded.text);
            }
            for found in extracted.map(|(_, files)| files).unwrap_or_default() {
                shelf.add_found(found, self.notes);
            }
        }
        text
    }
}

/// The HTML bodies joined, plain ones between them escaped; `None` where no part is HTML. True when cut.
fn html_of(chosen: &Chosen<'_, '_>, limits: &Limits) -> Option<(String, bool)> {
    if !chosen.html.iter().any(|leaf| leaf.media_type == "text/html") {
        return None;
    }
    let mut joined = String::new();
    let mut cut = false;
    for leaf in &chosen.html {
        let left = limits.html_bytes.saturating_sub(joined.len());
        if left == 0 {
            return Some((joined, true));
        }
        let bound = limits.html_bytes.saturating_mul(4);
        let body = leaf.entity.body.get(..bound).unwrap_or(leaf.entity.body);
        let bytes = transfer::decode(&leaf.encoding(), body);
        let piece = if leaf.media_type == "text/html" {
            let (piece, over) = decoded_html(leaf, &bytes, limits);
            cut |= over;
            piece
        } else {
            let text = charset::decode(leaf.charset().as_deref(), &bytes).text;
            let (text, over) = text::tidy(&text, left);
            cut |= over;
            html::escape(&text)
        };
        joined.push_str(&piece);
    }
    Some((joined, cut))
}

fn decoded_html(leaf: &Leaf<'_>, bytes: &[u8], limits: &Limits) -> (String, bool) {
    let label = leaf.charset().or_else(|| html::declared_charset(bytes));
    let bound = bytes.get(..limits.html_bytes.saturating_mul(4)).unwrap_or(bytes);
    let text = charset::decode(label.as_deref(), bound).text;
    let cut = text.len() > limits.html_bytes || bound.len() < bytes.len();
    let kept = text.get(..text.floor_char_boundary(limits.html_bytes)).unwrap_or(&text);
    (kept.replace('\0', ""), cut)
}
