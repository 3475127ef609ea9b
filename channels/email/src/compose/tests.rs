//! What is composed is read back by another parser, and is what was meant.

use mail_parser::{Address, MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::*;

fn mail() -> OutgoingMail {
    OutgoingMail {
        from: NamedAddress::named("Support", "support@desk.example"),
        to: NamedAddress::bare("ann@example.org"),
        reply_to: None,
        subject: "Your request GT-482-109-3755".into(),
        text: "Hello Ann,\n\nwe got it.\n".into(),
        html: None,
        attachments: Vec::new(),
        message_id: "ack.1@desk.example".into(),
        in_reply_to: None,
        references: Vec::new(),
        date: Moment::from_secs(1_795_340_045),
        auto_submitted: None,
        loop_token: None,
        language: None,
        headers: Vec::new(),
    }
}

fn text_of(mail: &OutgoingMail) -> String {
    String::from_utf8(compose(mail).unwrap()).unwrap()
}

fn id(number: usize) -> String {
    format!("<m{number}@example.org>")
}

#[test]
fn a_simple_mail_is_as_simple_as_it_can_be() {
    assert_eq!(
        text_of(&mail()),
        "Date: Sun, 22 Nov 2026 09:34:05 +0000\r\n\
         From: Support <support@desk.example>\r\n\
         To: <ann@example.org>\r\n\
         Subject: Your request GT-482-109-3755\r\n\
         Message-ID: <ack.1@desk.example>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\
         Content-Transfer-Encoding: 7bit\r\n\
         \r\n\
         Hello Ann,\r\n\
         \r\n\
         we got it.\r\n"
    );
}

#[test]
fn an_acknowledgement_tells_machines_to_stay_silent_and_an_agents_reply_does_not() {
    let token = Some("v1.abc".to_owned());
    let ack = OutgoingMail { auto_submitted: Some(AutoSubmitted::Replied), loop_token: token, ..mail() };
    let ack = text_of(&ack);
    for line in ["Auto-Submitted: auto-replied\r\n", "X-Auto-Response-Suppress: All\r\n", "X-Guichet-Loop: v1.abc\r\n"]
    {
        assert!(ack.contains(line), "{line}");
    }
    let closure = OutgoingMail { auto_submitted: Some(AutoSubmitted::Generated), ..mail() };
    assert!(text_of(&closure).contains("Auto-Submitted: auto-generated\r\n"));
    let reply = text_of(&mail());
    assert!(!reply.contains("Auto-Submitted") && !reply.contains("Suppress") && !reply.contains("Loop"));
}

#[test]
fn an_answer_names_its_parent_and_a_long_thread_keeps_its_first_and_last_mails() {
    let references = (0..50).map(id).collect();
    let answer = text_of(&OutgoingMail { in_reply_to: Some(id(50)), references, ..mail() });
    assert!(answer.contains("In-Reply-To: <m50@example.org>\r\n"));
    let kept: Vec<String> = std::iter::once(0).chain(32..=50).map(id).collect();
    assert!(answer.contains(&format!("References: {}\r\n", kept.join("\r\n "))), "{answer}");
}

#[test]
fn a_parent_named_twice_is_listed_once_and_last() {
    let answer = OutgoingMail { in_reply_to: Some(id(1)), references: vec![id(1), "m2@example.org".into()], ..mail() };
    assert!(text_of(&answer).contains("References: <m2@example.org>\r\n <m1@example.org>\r\n"));
}

#[test]
fn ids_that_cannot_be_written_are_left_out_of_a_thread_and_refused_as_our_own() {
    let answer =
        OutgoingMail { in_reply_to: Some("a b\r\nBcc: x@y".into()), references: vec!["é@x".into()], ..mail() };
    let answer = text_of(&answer);
    assert!(!answer.contains("Bcc") && !answer.contains("References") && !answer.contains("In-Reply-To"));
    for bad in ["", "<>", "a b@c", "é@c"] {
        assert_eq!(
            compose(&OutgoingMail { message_id: bad.into(), ..mail() }),
            Err(ComposeError::MessageId),
            "{bad:?}"
        );
    }
}

#[test]
fn text_html_and_files_are_nested_as_mail_programs_expect() {
    let file = |name: &str, media_type: &str, content: &[u8]| Attachment {
        name: name.into(),
        media_type: media_type.into(),
        content: content.into(),
    };
    let files = vec![
        file("reçu d'été.pdf", "application/pdf", &[0, 255, 13, 10, 46]),
        file("../../etc/passwd", "nonsense\r\nBcc: x@y", b"root"),
        file("old.eml", "message/rfc822", b"Subject: x\r\n\r\ny"),
    ];
    let text = "Bonjour, c'est reçu.\n.\nFrom here =_ on".to_owned();
    let html = "<p>Bonjour, c'est <b>reçu</b>.</p>";
    let raw =
        compose(&OutgoingMail { text: text.clone(), html: Some(html.into()), attachments: files, ..mail() }).unwrap();
    let read = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), text);
    assert_eq!(read.body_html(0).unwrap().trim_end(), html);
    let shown: Vec<_> = read.attachments().map(|part| (part.attachment_name().unwrap(), part.contents())).collect();
    assert_eq!(shown[0], ("reçu d'été.pdf", [0, 255, 13, 10, 46].as_slice()));
    assert_eq!(shown[1], (".._.._etc_passwd", b"root".as_slice()));
    assert_eq!(shown[2], ("old.eml", b"Subject: x\r\n\r\ny".as_slice()));
    assert!(read.header("Bcc").is_none());
    assert!(raw.is_ascii());
}

#[test]
fn a_text_that_knows_the_boundary_does_not_end_its_part() {
    let html = Some("<p>x</p>".to_owned());
    let first = text_of(&OutgoingMail { html: html.clone(), ..mail() });
    let boundary = first.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let text = format!("before\n--{boundary}--\nbehind");
    let raw = compose(&OutgoingMail { text: text.clone(), html, ..mail() }).unwrap();
    let read = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), text);
}

#[test]
fn the_same_mail_is_the_same_bytes() {
    let html = Some("<p>x</p>".to_owned());
    let mail = OutgoingMail { html, ..mail() };
    assert_eq!(compose(&mail), compose(&mail));
}

#[test]
fn an_ascii_subject_that_looks_encoded_is_not_decoded_by_the_reader() {
    let subject = "=?utf-8?q?You_won?= =?utf-8?b?JDEwMA==?=";
    let raw = compose(&OutgoingMail { subject: subject.into(), ..mail() }).unwrap();
    assert_eq!(MessageParser::default().parse(&raw).unwrap().subject(), Some(subject));
}

#[test]
fn headers_of_ours_cannot_be_written_twice() {
    for name in ["Subject", "bcc", "Content-Type", "X-Guichet-Loop", "A B", "A:", "", "É", "A\r\nB"] {
        let mail = OutgoingMail { headers: vec![("X-Ok".into(), "1".into()), (name.into(), "x".into())], ..mail() };
        assert_eq!(compose(&mail), Err(ComposeError::Header(1)), "{name:?}");
    }
    let mail = OutgoingMail { headers: vec![("X-Ticket".into(), "GT-1\r\nBcc: x@y".into())], ..mail() };
    assert!(text_of(&mail).contains("X-Ticket: GT-1  Bcc: x@y\r\n") || text_of(&mail).contains("X-Ticket: =?utf-8?"));
    assert!(!text_of(&mail).contains("\r\nBcc"));
}

#[test]
fn an_address_that_is_none_is_named_by_its_header() {
    let bad = || NamedAddress::bare("a@b>, <c@d");
    assert_eq!(compose(&OutgoingMail { to: bad(), ..mail() }), Err(ComposeError::Address("To")));
    assert_eq!(compose(&OutgoingMail { reply_to: Some(bad()), ..mail() }), Err(ComposeError::Address("Reply-To")));
}

#[test]
fn a_further_header_is_written_once_however_it_is_spelt() {
    let headers = vec![("X-Ticket".to_owned(), "1".to_owned()), ("x-ticket".to_owned(), "2".to_owned())];
    assert_eq!(compose(&OutgoingMail { headers, ..mail() }), Err(ComposeError::Header(1)));
}

#[test]
fn a_desk_may_have_an_address_that_grammars_refuse() {
    let from = NamedAddress::named("Support", "desk..@docomo.ne.jp");
    let raw = text_of(&OutgoingMail { from, ..mail() });
    assert!(raw.contains("\r\nFrom: Support <desk..@docomo.ne.jp>\r\n"), "{raw}");
}

#[test]
fn the_date_is_the_one_given_even_before_1970() {
    let raw = text_of(&OutgoingMail { date: Moment::from_secs(-5), ..mail() });
    assert!(raw.starts_with("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"), "{raw}");
    let raw = text_of(&OutgoingMail { date: Moment::from_secs(i64::MAX), ..mail() });
    assert!(raw.starts_with("Date: Thu, 30 Dec 9999 "), "{raw}");
}

#[test]
fn no_line_begins_as_a_mailbox_file_or_a_careless_server_would_take_amiss() {
    let text = format!("é\nFrom {}\n.{}\nFrom here\n.", "a".repeat(71), "b".repeat(75));
    let raw = compose(&OutgoingMail { text: text.clone(), ..mail() }).unwrap();
    let lines = raw.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines: Vec<&[u8]> = lines.skip_while(|line| !line.is_empty()).collect();
    assert!(lines.iter().all(|line| line.len() <= 76 && !line.starts_with(b"From ") && !line.starts_with(b".")));
    assert_eq!(
        MessageParser::default().parse(&raw).unwrap().body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
        text
    );
}

#[test]
fn an_address_of_any_script_stays_readable() {
    let raw = text_of(&OutgoingMail { to: NamedAddress::named("Jürgen", "jürgen@exämple.org"), ..mail() });
    assert!(raw.contains("<jürgen@exämple.org>"));
}

fn names_and_addresses(address: Option<&Address<'_>>) -> Vec<(Option<String>, Option<String>)> {
    let addresses = address.into_iter().flat_map(Address::iter);
    addresses.map(|one| (one.name.as_deref().map(str::to_owned), one.address.as_deref().map(str::to_owned))).collect()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~\r\n\t]{0,300}",
        "[a-zé€😀 =?_,:;<>\"\\\\()@.\r\n]{0,120}",
        "(=\\?utf-8\\?[qb]\\?[a-zA-Z0-9=_]{0,9}\\?= ?){0,4}",
        "[a-z]{500,1500}",
        "(\r?\n?(Bcc|To|Subject): ?x@y\r\n){1,3}",
    ]
}

fn any_address() -> impl Strategy<Value = String> {
    "[a-z0-9+._'=-]{1,64}@[a-z0-9-]{1,40}(\\.[a-z]{2,10}){1,3}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_strangers_write_arrives_as_written_and_nothing_more(
        subject in any_text(), name in any_text(), text in any_text(), token in any_text(), file in any_text(),
        address in any_address(), content in any::<Vec<u8>>(), with_html in any::<bool>(), with_file in any::<bool>(),
    ) {
        let attachments = Attachment { name: file.clone(), media_type: token.clone(), content: content.clone() };
        let mail = OutgoingMail {
            to: NamedAddress::named(&name, &address),
            subject: subject.clone(),
            text: text.clone(),
            html: with_html.then(|| "<p>ok</p>".to_owned()),
            attachments: if with_file { vec![attachments] } else { Vec::new() },
            loop_token: Some(token.clone()),
            headers: vec![("X-Free".into(), name.clone())],
            ..mail()
        };
        let raw = compose(&mail).unwrap();
        prop_assert!(raw.is_ascii());
        prop_assert!(raw.split(|&byte| byte == b'\n').all(|line| line.len() <= 998 && !line.strip_suffix(b"\r").unwrap_or(line).contains(&b'\r')));
        let read = MessageParser::default().parse(&raw).unwrap();

        prop_assert_eq!(read.subject().unwrap_or_default(), header::clean(&subject));
        let shown = Some(header::clean(&name)).filter(|name| !name.is_empty());
        prop_assert_eq!(names_and_addresses(read.to()), vec![(shown, Some(address))]);
        prop_assert_eq!(read.message_id(), Some("ack.1@desk.example"));
        let unix = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned();
        prop_assert_eq!(unix(&read.body_text(0).unwrap_or_default()), unix(&text));
        if with_file {
            let part = read.attachment(0).unwrap();
            prop_assert_eq!(part.contents(), content.as_slice());
            prop_assert!(part.attachment_name().is_some_and(|name| !name.contains(['/', '\\', '"', '\r', '\n'])));
        }
        let known = ["Date", "From", "To", "Subject", "Message-ID", "X-Guichet-Loop", "X-Free", "MIME-Version", "Content-Type"];
        let mut names: Vec<&str> = read.headers().iter().map(mail_parser::Header::name).collect();
        names.retain(|name| !name.eq_ignore_ascii_case("Content-Transfer-Encoding"));
        prop_assert_eq!(names, known);
    }
}
