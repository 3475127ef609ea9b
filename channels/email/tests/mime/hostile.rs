//! Mails made to cost too much. Each must end soon, and with something an agent can use.

use std::time::{Duration, Instant};

use guichet_email::understand::{AttachmentKind, Limits, Mail, Unreadable, tree, understand};

/// Far above what any of these takes unoptimised on a busy machine; what grows with the square of its size takes minutes.
const SOON: Duration = Duration::from_secs(20);

fn read(raw: &[u8]) -> Mail {
    let begun = Instant::now();
    let mail = understand(raw, &Limits::default()).unwrap();
    println!("{} bytes in {:?}", raw.len(), begun.elapsed());
    assert!(begun.elapsed() < SOON, "took {:?}", begun.elapsed());
    super::safe_to_keep("hostile", &mail);
    mail
}

#[test]
fn a_mail_of_45_megabytes_gives_its_attachment_whole() {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let count = 45 * 1024 * 1024 / line.len();
    let raw = format!(
        "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee attached\r\n--b\r\n\
         Content-Type: application/octet-stream; name=big.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        line.repeat(count)
    );
    let mail = read(raw.as_bytes());
    assert_eq!(mail.text, "see attached");
    assert_eq!(mail.attachments[0].size(), count * 19 * 3);
}

#[test]
fn a_hundred_thousand_headers_leave_the_first_ones_and_the_text() {
    let raw = format!("Subject: first\n{}\nwords", "X-Spam: 1\n".repeat(100_000));
    let mail = read(raw.as_bytes());
    assert_eq!((mail.subject.as_deref(), mail.text.as_str()), (Some("first"), "words"));
    assert_eq!(mail.notes, ["mime.too_many_headers"]);
}

#[test]
fn ten_thousand_parts_leave_the_first_ones() {
    let raw = format!(
        "From: a@x\nContent-Type: multipart/mixed; boundary=b\n\n{}--b--\n",
        "--b\nContent-Type: image/png\n\nx\n".repeat(10_000)
    );
    let mail = read(raw.as_bytes());
    assert_eq!(mail.attachments.len(), Limits::default().parts);
    assert_eq!(mail.notes, ["mime.too_many_parts"]);
}

#[test]
fn five_thousand_multiparts_in_one_another_are_kept_closed() {
    let nested: String = (0..5_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect::<Vec<_>>()
        .concat();
    let mail = read(format!("From: a@x\n{nested}\n\nwords\n").as_bytes());
    assert_eq!(mail.notes, ["mime.too_deep"]);
    assert_eq!(mail.attachments.len(), 1);
}

#[test]
fn a_million_messages_in_one_another_are_one_attachment() {
    let raw = format!("From: a@x\n{}words", "Content-Type: message/rfc822\n\n".repeat(1_000_000));
    let mail = read(raw.as_bytes());
    assert_eq!(mail.attachments.len(), 1);
    assert_eq!(mail.attachments[0].kind, AttachmentKind::Message);
    let headers_only = tree(raw.as_bytes()).unwrap();
    assert!(headers_only.parts.len() <= 1, "a tree this deep would overflow the stack when it is dropped");
}

#[test]
fn messages_nested_inside_an_encoded_one_are_not_opened_either() {
    let inner = data_encoding::BASE64.encode("Content-Type: message/rfc822\n\n".repeat(200_000).as_bytes());
    let raw = format!("From: a@x\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}\n");
    assert_eq!(read(raw.as_bytes()).attachments.len(), 1);
    assert!(tree(raw.as_bytes()).unwrap().parts.len() <= 1);
}

#[test]
fn one_line_of_twenty_megabytes_is_cut_where_it_is_shown() {
    let long = "x".repeat(20 * 1024 * 1024);
    let mail = read(format!("From: a@x\nSubject: {long}\n\nwords").as_bytes());
    assert!(mail.notes.contains(&"mime.headers_too_long"), "{:?}", mail.notes);
    let mail = read(format!("From: a@x\n\n{long}").as_bytes());
    assert_eq!((mail.text.len(), mail.notes.as_slice()), (Limits::default().text_bytes, &["mime.text_cut"][..]));
    let mail = read(format!("From: a@x\nContent-Type: text/html\n\n<p>{long}").as_bytes());
    assert!(mail.notes.contains(&"mime.html_cut") && mail.text.starts_with("xxx"));
}

#[test]
fn encoded_words_parameters_and_addresses_without_end_end_soon() {
    let words = "=?a?q?x".repeat(9_000);
    let parameters = ";a*0*=\"=?u".repeat(6_000);
    let commas = "a@b <x, (".repeat(7_000);
    let quotes = "\"<(".repeat(20_000);
    read(
        format!("Subject: {words}\nFrom: {commas}\nTo: {quotes}\nCc: {words}\nContent-Type: a/b{parameters}\n\nx")
            .as_bytes(),
    );
}

#[test]
fn html_made_to_be_slow_ends_soon() {
    for piece in
        ["<table><tr><td>", "<div>", "<b><i>", "<a href=x>", "<ul><li>", "<!--", "<blockquote>", "&amp", "<p a="]
    {
        let raw = format!("From: a@x\nContent-Type: text/html\n\n{}", piece.repeat(100_000 / piece.len()));
        read(raw.as_bytes());
    }
    let wide = format!("<table>{}</table>", format!("<tr>{}</tr>", "<td>x</td>".repeat(200)).repeat(150));
    read(format!("From: a@x\nContent-Type: text/html\n\n{wide}").as_bytes());
}

#[test]
fn nul_bytes_and_mixed_line_ends_do_not_hide_the_words() {
    let mail = read(b"From: a@x\r\nSubject: n\0ul\n\r\none\r\ntwo\nthr\0ee\rfour");
    assert_eq!((mail.subject.as_deref(), mail.text.as_str()), (Some("nul"), "one\ntwo\nthree\nfour"));
}

#[test]
fn nothing_and_no_headers_are_told_apart() {
    let limits = Limits::default();
    assert_eq!(understand(b"", &limits), Err(Unreadable::Empty));
    assert_eq!(understand("x\n".repeat(1_000_000).as_bytes(), &limits), Err(Unreadable::NoHeaders));
}
