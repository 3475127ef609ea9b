use proptest::prelude::*;

use super::*;
use crate::understand::{AttachmentKind, PlusToken, keys};

fn read(raw: &str) -> Mail {
    understand(raw.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn a_plain_mail_is_understood_whole() {
    let mail = read(
        "Return-Path: <jean@example.org>\r\nDelivered-To: support+tok1@desk.example\r\nMessage-ID: <1@example.org>\r\n\
         In-Reply-To: <a@desk.example>\r\nReferences: <z@x>\r\n <a@desk.example>\r\nFrom: Jean <jean@example.org>\r\n\
         To: support@desk.example\r\nCc: Ann <ann@example.org>\r\nSubject: Printer\r\n on fire\r\n\
         Date: Sun, 22 Nov 2026 10:34:05 +0100\r\n\r\nIt burns.\r\n",
    );
    assert_eq!(mail.message_id.as_deref(), Some("1@example.org"));
    assert_eq!(mail.in_reply_to, ["a@desk.example"]);
    assert_eq!(mail.references, ["z@x", "a@desk.example"]);
    assert_eq!(mail.from, [Mailbox { name: Some("Jean".to_owned()), address: "jean@example.org".to_owned() }]);
    assert_eq!(mail.return_path, ReturnPath::Address("jean@example.org".to_owned()));
    assert_eq!(mail.subject.as_deref(), Some("Printer on fire"));
    assert_eq!(mail.date.map(|date| date.to_string()).as_deref(), Some("2026-11-22T09:34:05Z"));
    assert_eq!(mail.plus_tokens, [PlusToken { mailbox: "support@desk.example".to_owned(), token: "tok1".to_owned() }]);
    assert_eq!(mail.text, "It burns.");
    assert_eq!((mail.html, mail.attachments.len(), mail.notes.len()), (None, 0, 0));
    assert_eq!(mail.media_type, "text/plain");
}

#[test]
fn no_return_path_and_the_null_one_differ() {
    assert_eq!(read("From: a@x\n\n").return_path, ReturnPath::Absent);
    assert_eq!(read("Return-Path: <>\nReturn-Path: <later@x>\n\n").return_path, ReturnPath::Null);
}

#[test]
fn what_is_no_mail_says_why() {
    let limits = Limits::default();
    assert_eq!(understand(b"", &limits), Err(Unreadable::Empty));
    assert_eq!(understand(b"\r\n \0\n", &limits), Err(Unreadable::Empty));
    assert_eq!(understand(b"Hello there\nthis is no mail\n", &limits), Err(Unreadable::NoHeaders));
    assert_eq!(Unreadable::NoHeaders.reason(), "mime.no_headers");
}

#[test]
fn alternatives_give_text_and_html_and_the_rest_is_attached() {
    let mail = read(
        "From: a@x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\npreamble\n--o\n\
         Content-Type: multipart/related; boundary=\"o1\"\n\n--o1\nContent-Type: multipart/alternative; boundary=o10\n\n\
         --o10\nContent-Type: text/plain; charset=utf-8\n\nHéllo\n--o10\nContent-Type: text/html; charset=utf-8\n\n\
         <p>Héllo <img src=\"cid:pic@x\"><img src=\"http://evil/\"></p>\n--o10--\n--o1\nContent-Type: image/png\n\
         Content-ID: <pic@x>\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--o1--\n--o\nContent-Type: message/rfc822\n\n\
         From: b@x\nSubject: Earlier\n\nold words\n--o\nContent-Type: text/plain; charset=iso-8859-1; name=\"l.txt\"\n\
         Content-Disposition: attachment\nContent-Transfer-Encoding: quoted-printable\n\n=E9t=E9\n--o--\n",
    );
    assert_eq!(mail.text, "Héllo");
    assert!(mail.html.as_deref().unwrap().contains("http://evil/"));
    assert_eq!(mail.sanitised_html.as_deref().unwrap().trim(), "<p>Héllo <img src=\"cid:pic@x\"><img></p>");
    let names: Vec<_> = mail.attachments.iter().map(|a| (a.safe_name.as_str(), a.kind, a.content.as_slice())).collect();
    assert_eq!(
        names,
        [
            ("image-1.png", AttachmentKind::Inline, &b"\x89PNG\r\n\x1a\n"[..]),
            ("Earlier.eml", AttachmentKind::Message, b"From: b@x\nSubject: Earlier\n\nold words"),
            ("l.txt", AttachmentKind::File, b"\xe9t\xe9"),
        ]
    );
    assert_eq!(mail.attachments[0].sniffed, Some("image/png"));
    assert_eq!(mail.attachments[0].content_id.as_deref(), Some("pic@x"));
}

#[test]
fn mail_in_html_alone_is_read_as_text() {
    let mail = read("From: a@x\nContent-Type: text/html\n\n<p>Hello</p><p>See <a href=http://x.org/a>this</a></p>");
    assert_eq!(mail.text, "Hello\n\nSee this (http://x.org/a)");
}

#[test]
fn a_mail_cut_short_still_gives_its_attachment() {
    let mail = read(
        "From: a@x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n--b\nContent-Type: application/pdf; name=a.pdf\n\
         Content-Transfer-Encoding: base64\n\nJVBERi0xLjQ",
    );
    assert_eq!(mail.text, "words");
    assert_eq!(mail.attachments[0].content, b"%PDF-1.4");
}

#[test]
fn an_invitation_that_comes_twice_is_kept_once_with_its_name() {
    let mail = read(
        "From: a@x\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n\
         --a\n\nCome!\n--a\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n--a--\n--m\n\
         Content-Type: application/ics; name=invite.ics\nContent-Transfer-Encoding: base64\n\n\
         QkVHSU46VkNBTEVOREFSDQpFTkQ6VkNBTEVOREFSDQo=\n--m--\n",
    );
    let names: Vec<_> = mail.attachments.iter().map(|a| (a.safe_name.as_str(), a.kind)).collect();
    assert_eq!((mail.text.as_str(), names), ("Come!", vec![("invite.ics", AttachmentKind::Calendar)]));
}

#[test]
fn files_hidden_in_the_text_and_in_outlooks_container_are_named() {
    let mail = read("From: a@x\nSubject: =?utf-8?Q?a=C3=A9?=\n\nSee:\n\nbegin 644 ../cat.txt\n#0V%T\n`\nend\n\nBye\n");
    assert_eq!(mail.text, "See:\n\n\nBye");
    assert_eq!(
        (mail.attachments[0].safe_name.as_str(), mail.attachments[0].content.as_slice()),
        ("cat.txt", &b"Cat"[..])
    );
    assert_eq!(mail.attachments[0].sha256(), "48735c4fae42d1501164976afec76730b9e5fe467f680bdd8daff4bb77674045");
}

#[test]
fn damaged_lines_between_header_fields_do_not_end_them() {
    let mail = read("Received: by a\nstray line\nanother stray\nSubject: found\nFrom: a@x\n\nwords\n");
    assert_eq!((mail.subject.as_deref(), mail.text.as_str()), (Some("found"), "words"));
    let mail = read("Subject: s\nDear desk,\nthe blank line is missing.\n");
    assert_eq!((mail.subject.as_deref(), mail.text.as_str()), (Some("s"), "Dear desk,\nthe blank line is missing."));
}

#[test]
fn an_encrypted_mail_is_said_to_be_one() {
    let mail = read(
        "From: a@x\nContent-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\n\
         Version: 1\n--b\nContent-Type: application/octet-stream; name=encrypted.asc\n\nsecret\n--b--\n",
    );
    assert_eq!((mail.text.as_str(), mail.attachments.len(), mail.notes.as_slice()), ("", 2, &["mime.encrypted"][..]));
}

#[test]
fn delimiters_gateways_indented_still_part_the_mail() {
    let mail = read(
        "From: a@x\nContent-Type: multipart/mixed; boundary=\"AAA.0110/EXAMPLE\"\n\n--AAA.0110/EXAMPLE\n\none\n --AAA.0110/EXAMPLE\n\
         Content-Type: image/png\n\nx\n--AAA.0110/EXAMPLE--\n",
    );
    assert_eq!((mail.text.as_str(), mail.attachments.len()), ("one", 1));
}

#[test]
fn the_words_of_a_related_mail_are_found_behind_its_picture() {
    let mail = read(
        "From: a@x\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: image/png\nContent-ID: <p>\n\nx\n\
         --b\nContent-Type: text/html\n\n<p>words</p>\n--b\nContent-Type: text/html\n\n<p>frame</p>\n--b--\n",
    );
    assert_eq!((mail.text.as_str(), mail.attachments.len()), ("words", 2));
}

#[test]
fn bare_carriage_returns_end_lines_too() {
    let mail = understand(b"From: a@x\rSubject: Mac\r\rline one\rline two\r", &Limits::default()).unwrap();
    assert_eq!((mail.subject.as_deref(), mail.text.as_str()), (Some("Mac"), "line one\nline two"));
}

#[test]
fn what_is_over_a_limit_is_cut_and_said() {
    let limits = Limits {
        headers: 3,
        parts: 2,
        nesting: 1,
        decoded_bytes: 4,
        text_bytes: 10,
        addresses: 2,
        references: 1,
        ..Limits::default()
    };
    let raw = "From: a@x, b@x, c@x\nReferences: <1@x> <2@x>\n\
        Content-Type: multipart/mixed; boundary=b\nX-More: 1\n\n--b\n\nlonger than ten\n--b\nContent-Type: image/png\n\n123456\n--b\n\n3\n--b--\n";
    let mail = understand(raw.as_bytes(), &limits).unwrap();
    assert_eq!(mail.references, ["2@x"]);
    assert_eq!(mail.from.len(), 2);
    assert_eq!(mail.text, "longer tha");
    assert_eq!(mail.attachments[0].content, b"1234");
    assert!(mail.attachments[0].cut);
    for note in [
        "mime.too_many_headers",
        "mime.too_many_parts",
        "mime.text_cut",
        "mime.too_large",
        "mime.too_many_addresses",
        "mime.too_many_references",
    ] {
        assert!(mail.notes.contains(&note), "{note} in {:?}", mail.notes);
    }
}

#[test]
fn a_second_delivery_has_the_same_keys_and_another_mail_has_not() {
    let limits = Limits::default();
    let key = |raw: &str| keys(raw.as_bytes(), &understand(raw.as_bytes(), &limits).unwrap());
    let first = key("Received: by a\nDelivered-To: one@x\nFrom: a@x\nDate: d\nMessage-ID: <1@x>\n\nHi\n");
    let again = key("Received: by b\nDelivered-To: two@x\nFrom: A@X\nDate: d\nMessage-ID: <1@x>\n\nHi\nfooter\n");
    assert_eq!(first, again);
    assert_ne!(first, key("From: b@x\nDate: d\nMessage-ID: <1@x>\n\nHi\n"), "another writer with the same id");
    let no_id = key("Received: by a\n with fold\nFrom: a@x\nSubject: s\n\nHi\n");
    assert_eq!(no_id.identity, None);
    assert_eq!(no_id, key("Return-Path: <a@x>\r\nReceived: by b\r\nFrom: a@x\r\nSubject: s\r\n\r\nHi\r\n"));
    assert_ne!(no_id, key("From: a@x\nSubject: s\n\nHi!\n"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(raw in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _mail = understand(&raw, &Limits::default());
    }

    #[test]
    fn no_header_value_makes_it_panic_or_leaks_a_line_end(
        name in "(Subject|From|To|Content-Type|Message-ID|References|Date|Content-Disposition|Return-Path|Thread-Index)",
        value in "[ -~\\r\\n\\t=?<>\"'(),;:*%éü\u{202e}]{0,300}",
    ) {
        let raw = format!("X: y\n{name}: {value}\n\nbody");
        let mail = understand(raw.as_bytes(), &Limits::default()).unwrap();
        for text in mail.headers.iter().map(|field| &field.value).chain(mail.subject.iter()) {
            prop_assert!(!text.contains(['\r', '\n', '\0', '\u{202e}']), "{text:?}");
        }
    }

    #[test]
    fn names_of_attachments_are_always_safe(name in "\\PC{0,300}", plain in any::<bool>()) {
        let encoded = data_encoding::BASE64.encode(name.as_bytes());
        let name = if plain { name } else { format!("=?utf-8?B?{encoded}?=") };
        let raw = format!("From: a@x\nContent-Type: application/x; name=\"{name}\"\n\nx");
        let mail = understand(raw.as_bytes(), &Limits::default()).unwrap();
        let safe = &mail.attachments[0].safe_name;
        prop_assert!(!safe.is_empty() && safe.len() <= 120, "{safe:?}");
        prop_assert!(!safe.contains(['/', '\\', '\0', '\n', ':', '"', '\u{202e}']) && !safe.starts_with('.'), "{safe:?}");
    }
}
