use mail_parser::MessageParser;

use super::*;

fn verdict(mail: &str) -> Option<Verdict> {
    let raw = mail.replace('\n', "\r\n");
    let message = MessageParser::default().parse(raw.as_bytes()).expect("a mail");
    judge(&message, &OwnAddresses::new(["support@desk.example"]))
}

fn written(headers: &str) -> Option<Verdict> {
    verdict(&format!("From: Ann <ann@customer.example>\nTo: support@desk.example\n{headers}\n\nHello\n"))
}

fn reason_of(headers: &str) -> Option<&'static str> {
    written(headers).map(|verdict| verdict.reason)
}

#[test]
fn a_person_who_writes_is_answered() {
    assert_eq!(None, written("Return-Path: <ann@customer.example>\nSubject: My printer is on fire"));
}

#[test]
fn a_person_may_use_the_words_of_machines() {
    for subject in [
        "urgent: undeliverable parcels",
        "Undeliverable parcels since Monday",
        "Out of office does not work in Outlook",
        "Automatic reply is not sent to customers",
        "Re: Out of office",
        "AW: Abwesenheitsnotiz",
        "Auto: broken brakes",
        "Delivery failure rate of our shop is too high",
        "Delivery failed: order 4711",
        "Delivery status: where is my parcel?",
        "Absence de réseau au 3e étage",
        "Absence : Mme Durand, du 3 au 5 mars",
        "外出申请",
    ] {
        assert_eq!(None, written(&format!("Subject: {subject}")), "{subject}");
    }
}

#[test]
fn automatic_answers_are_known_by_their_subject_in_eleven_languages() {
    for (subject, nature) in [
        ("Out of Office: Re: your ticket", Nature::OutOfOffice),
        ("Automatic reply: your ticket", Nature::AutoReply),
        ("AUTO: Jane Doe is out of the office (returning 2027-01-04)", Nature::OutOfOffice),
        ("Réponse automatique : votre demande", Nature::AutoReply),
        ("Automatische Antwort: Ihre Anfrage", Nature::AutoReply),
        ("Abwesenheitsnotiz", Nature::OutOfOffice),
        ("Respuesta automática: su consulta", Nature::AutoReply),
        ("Fuori ufficio: ticket", Nature::OutOfOffice),
        ("Resposta automática: pedido", Nature::AutoReply),
        ("Automatisch antwoord: vraag", Nature::AutoReply),
        ("Automatyczna odpowiedź: zgłoszenie", Nature::AutoReply),
        ("【自動返信】お問い合わせ", Nature::AutoReply),
        ("自动回复: 您好", Nature::AutoReply),
        ("Автоматический ответ: заявка", Nature::AutoReply),
        ("Undeliverable: your ticket", Nature::Report),
        ("Unzustellbar: Ihre Anfrage", Nature::Report),
    ] {
        let verdict = written(&format!("Subject: {subject}")).unwrap_or_else(|| panic!("{subject} passed"));
        assert_eq!((reason::SUBJECT, nature), (verdict.reason, verdict.nature), "{subject}");
    }
}

#[test]
fn auto_submitted_silences_unless_it_says_no() {
    assert_eq!(Some(reason::AUTO_SUBMITTED), reason_of("Auto-Submitted: Auto-Replied (vacation)"));
    assert_eq!(Some(reason::AUTO_SUBMITTED), reason_of("Auto-Submitted: =?UTF-8?Q?auto-replied?="));
    assert_eq!(Some(reason::AUTO_SUBMITTED), reason_of("Auto-Submitted: auto-generated; type=x"));
    assert_eq!(None, reason_of("Auto-Submitted: no"));
    assert_eq!(None, reason_of("Auto-Submitted: NO (a person pressed send)"));
}

#[test]
fn any_of_several_precedence_headers_counts_and_only_the_known_words() {
    assert_eq!(Some(reason::PRECEDENCE), reason_of("Precedence: normal\nPrecedence: =?utf-8?q?bulk?="));
    assert_eq!(Some(reason::PRECEDENCE), reason_of("X-Precedence: auto_reply"));
    assert_eq!(None, reason_of("Precedence: never-bounce"));
}

#[test]
fn lists_are_known_by_their_headers_and_never_by_a_footer() {
    assert_eq!(Some(reason::LIST), reason_of("List-Id: <users.example.org>"));
    assert_eq!(Some(reason::LIST), reason_of("X-Mailing-List: users@example.org"));
    let footer =
        "From: ann@customer.example\n\nHelp!\n--\nMailing list: unsubscribe at http://lists.example/\nList-Id: <x.y>\n";
    assert_eq!(None, verdict(footer));
}

#[test]
fn a_sender_nobody_reads_gets_no_answer() {
    for from in [
        "no-reply@shop.example",
        "ne-pas-repondre@impots.example",
        "Shop <orders.noreply@shop.example>",
        "bounces+42=ann=customer.example@mta.example",
        "owner-users@lists.example",
        "Mail Delivery System <x@mta.example>",
        "MAILER-DAEMON",
    ] {
        let verdict =
            verdict(&format!("From: {from}\nSubject: hello\n\nx\n")).unwrap_or_else(|| panic!("{from} passed"));
        assert_eq!(reason::SENDER_NAME, verdict.reason, "{from}");
    }
    assert_eq!(None, verdict("From: norbert.replyman@customer.example\n\nx\n"));
}

#[test]
fn a_mail_without_a_sender_has_nobody_to_answer() {
    assert_eq!(
        Some(reason::NO_SENDER),
        verdict("To: support@desk.example\nSubject: x\n\nx\n").map(|verdict| verdict.reason)
    );
    assert_eq!(Some(reason::NO_SENDER), verdict("From: Ann\nSubject: x\n\nx\n").map(|verdict| verdict.reason));
}

#[test]
fn the_first_return_path_alone_decides_about_the_null_sender() {
    assert_eq!(Some(reason::NULL_SENDER), reason_of("Return-Path: <>"));
    assert_eq!(Some(reason::NULL_SENDER), reason_of("Return-Path: <MAILER-DAEMON@mta.example>"));
    assert_eq!(None, reason_of("Return-Path: <ann@customer.example>\nReturn-Path: <>"));
}

#[test]
fn an_automatic_answer_from_the_null_sender_is_no_bounce() {
    let verdict = written("Return-Path: <>\nSubject: Automatic reply: your ticket").expect("silenced");
    assert_eq!((reason::NULL_SENDER, Nature::AutoReply), (verdict.reason, verdict.nature));
}

#[test]
fn a_report_inside_an_attached_mail_is_a_persons_forward() {
    let forward = "From: ann@customer.example\nSubject: what is this?\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n\
        Please help\n--b\nContent-Type: message/rfc822\n\nFrom: mailer-daemon@mta.example\nReturn-Path: <>\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=c\n\n--c\nContent-Type: message/delivery-status\n\n\
        Final-Recipient: rfc822; x@y.example\nAction: failed\n--c--\n--b--\n";
    assert_eq!(None, verdict(forward));
    let bounce = "From: ann@customer.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=c\n\n--c\n\nx\n\
        --c\nContent-Type: message/delivery-status\n\nAction: failed\n--c--\n";
    assert_eq!(Some(reason::REPORT), verdict(bounce).map(|verdict| verdict.reason));
}

#[test]
fn a_wish_for_no_automatic_answer_is_kept() {
    assert_eq!(Some(reason::AUTO_RESPONSE_SUPPRESS), reason_of("X-Auto-Response-Suppress: DR, OOF, AutoReply"));
    assert_eq!(None, reason_of("X-Auto-Response-Suppress: DR, RN"));
}

#[test]
fn a_vendor_header_counts_unless_it_denies() {
    assert_eq!(Some(reason::VENDOR_HEADER), reason_of("X-Autoreply: yes"));
    assert_eq!(None, reason_of("X-Autoreply: no"));
    assert_eq!(Some(reason::VENDOR_HEADER), reason_of("X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent"));
    assert_eq!(None, reason_of("Delivered-To: support@desk.example"));
}

#[test]
fn our_own_address_is_never_answered_and_is_reported_with_its_tokens() {
    let raw =
        "From: Desk <Support+tk1@desk.example>\r\nX-Guichet-Loop: abc\r\nMessage-ID: <t1@desk.example>\r\n\r\nx\r\n";
    let message = MessageParser::default().parse(raw.as_bytes()).expect("a mail");
    let own = OwnAddresses::new(["support@DESK.example"]);
    assert_eq!(Some(reason::OWN_ADDRESS), judge(&message, &own).map(|verdict| verdict.reason));
    let claim = own_claim(&message, &own).expect("a claim");
    assert_eq!(vec!["abc".to_owned()], claim.loop_tokens);
    assert_eq!(Some("t1@desk.example".to_owned()), claim.message_id);
    assert_eq!(Some("Support+tk1@desk.example".to_owned()), claim.address);
    let stranger = MessageParser::default().parse(b"From: a@b.example\r\n\r\nx\r\n").expect("a mail");
    assert_eq!(None, own_claim(&stranger, &own));
}

#[test]
fn the_detail_names_the_header_and_stays_short() {
    let verdict = written(&format!("Subject: Automatic reply: {}", "x".repeat(500))).expect("silenced");
    assert_eq!(120, verdict.detail.chars().count());
    assert!(verdict.detail.starts_with("Subject: Automatic reply: xxx"), "{}", verdict.detail);
}
