//! Vocabulary to frames: an entry of the timeline as a visitor sees it.

use guichet_contract::TimelineEntry;
use guichet_domain::Moment;
use guichet_domain::entry::EntryKind;

use crate::links::Links;
use crate::person::{Place, cid_of};
use crate::protocol::{Event, File, From};

/// Longest text of an event, in characters: a frame has 1 MiB, and a control character takes six bytes of it.
pub(crate) const LONGEST_TEXT: usize = 150_000;
/// Longest HTML, in bytes.
const LONGEST_HTML: usize = 256 << 10;

/// One entry of the conversation in `place`. Nobody's address is told, ours and theirs alike.
pub(crate) fn event(place: &Place, entry: TimelineEntry, links: &Links, now: Moment) -> Event {
    let kind = match entry.kind {
        EntryKind::Inbound | EntryKind::Reply => "message",
        EntryKind::Notice => "notice",
        EntryKind::Note | EntryKind::Event => "status",
    };
    let files = entry.files.iter().enumerate().map(|(position, file)| {
        let (link, expires_at) = links.link(place, entry.id, position, now);
        File {
            id: format!("{}-{position}", entry.id),
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            url: format!("files/{link}"),
            expires_at,
        }
    });
    let files = files.collect();
    let from = from(place, &entry);
    let is_long = entry.text.char_indices().nth(LONGEST_TEXT).is_some();
    let cut = entry.text.char_indices().nth(LONGEST_TEXT - 1).filter(|_| is_long);
    let mut text = entry.text;
    if let Some((at, _)) = cut {
        text.truncate(at);
        text.push('…');
    }
    let cid = entry.external_id.as_ref().filter(|_| from.kind == "visitor").and_then(cid_of);
    let html = entry.html.filter(|html| html.len() <= LONGEST_HTML && cut.is_none());
    Event {
        conv: place.conv,
        seq: entry.seq,
        id: entry.id,
        at: entry.at,
        kind,
        from,
        text,
        html,
        files,
        cid,
        cut: cut.is_some(),
    }
}

/// Whether the visitor wrote it.
pub(crate) fn is_own(place: &Place, entry: &TimelineEntry) -> bool {
    entry.kind == EntryKind::Inbound && entry.author.as_ref().is_none_or(|author| author.key() == place.address())
}

fn from(place: &Place, entry: &TimelineEntry) -> From {
    let name = || entry.author.as_ref().and_then(|author| author.name.clone());
    match entry.kind {
        EntryKind::Inbound if is_own(place, entry) => From { kind: "visitor", name: None },
        EntryKind::Inbound => From { kind: "other", name: name() },
        EntryKind::Reply => From { kind: "agent", name: name() },
        EntryKind::Notice | EntryKind::Note | EntryKind::Event => From { kind: "system", name: None },
    }
}

#[cfg(test)]
mod tests {
    use guichet_contract::TimelineFile;
    use guichet_domain::ids::{ConversationKey, ExternalId, MessageId, Seq};
    use guichet_domain::inbound::Party;
    use uuid::Uuid;

    use super::*;

    fn entry(kind: EntryKind, author: Option<Party>) -> TimelineEntry {
        TimelineEntry {
            seq: Seq(1),
            kind,
            author,
            text: "Hello".to_owned(),
            at: Moment::from_secs(1_795_424_400),
            id: MessageId(Uuid::from_u128(5)),
            html: None,
            files: vec![TimelineFile { name: "a.png".into(), media_type: "image/png".into(), size: 7 }],
            external_id: Some(ExternalId::new(format!("s1:{}", Uuid::from_u128(9)))),
        }
    }

    fn shown(entry: TimelineEntry) -> serde_json::Value {
        let conv = Uuid::from_u128(3);
        let place = Place { conv, key: ConversationKey::new(format!("s1:{conv}")), verified: false };
        let links = Links::of([7; 32]);
        serde_json::to_value(event(&place, entry, &links, Moment::from_secs(1_795_424_400))).unwrap()
    }

    #[test]
    fn nobodys_address_is_told() {
        let mail = Party { address: "boss@example.org".to_owned(), name: Some("The boss".to_owned()) };
        for (kind, author, from) in [
            (EntryKind::Inbound, Some(Party::new("chat:s1")), r#"{"kind":"visitor"}"#),
            (EntryKind::Inbound, Some(mail.clone()), r#"{"kind":"other","name":"The boss"}"#),
            (EntryKind::Reply, Some(mail), r#"{"kind":"agent","name":"The boss"}"#),
            (EntryKind::Notice, None, r#"{"kind":"system"}"#),
        ] {
            let shown = shown(entry(kind, author));
            assert_eq!(shown["from"].to_string(), from);
            assert!(!shown.to_string().contains("boss@"), "{shown}");
            assert_eq!(shown["cid"].is_string(), from.contains("visitor"));
        }
    }

    #[test]
    fn a_text_too_long_for_a_frame_is_cut_openly() {
        let mut long = entry(EntryKind::Reply, None);
        long.text = "é".repeat(LONGEST_TEXT + 1);
        long.html = Some("<p>x</p>".to_owned());
        let shown = shown(long);
        assert_eq!(shown["cut"], true);
        assert!(shown["html"].is_null());
        assert!(shown["text"].as_str().unwrap().ends_with("é…"));
    }
}
