use mail_parser::MessageParser;

use super::*;

fn read(mail: &str) -> Option<Report> {
    let raw = mail.replace('\n', "\r\n");
    let message = MessageParser::default().parse(raw.as_bytes()).expect("a mail");
    parse(&message, raw.as_bytes())
}

fn only(report: &Report) -> &Recipient {
    assert_eq!(1, report.recipients.len(), "{report:?}");
    report.recipients.first().expect("a recipient")
}

/// A standard report with this recipient group and these words.
fn standard(words: &str, group: &str) -> String {
    format!(
        "Return-Path: <>\nDelivered-To: support+v-7.ab12@desk.example\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\n\
         To: support+v-7.ab12@desk.example\nSubject: Undelivered Mail Returned to Sender\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n{words}\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{group}\n\n--b\nContent-Type: message/rfc822\n\n\
         From: support@desk.example\nTo: Ann <ann@customer.example>\nMessage-ID: <t7.1.ab12@desk.example>\n\
         Subject: =?utf-8?q?Votre_demande_re=C3=A7ue?=\n\nHello\n--b--\n"
    )
}

/// A report in plain text from the null sender.
fn plain(words: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: support@desk.example\nSubject: failure notice\n\n{words}\n"
    )
}

#[test]
fn a_dead_address_is_hard_and_leads_back_to_our_mail() {
    let report = read(&standard(
        "I could not deliver it.",
        "Final-Recipient: rfc822; ann@customer.example\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 5.1.1 <ann@customer.example>: no such user",
    ))
    .expect("a report");
    assert_eq!(Kind::Bounce, report.kind);
    let ann = only(&report);
    assert_eq!(("ann@customer.example", Action::Failed), (ann.address.as_str(), ann.action));
    assert_eq!((Some("5.1.1"), Some("550")), (ann.status.as_deref(), ann.reply.as_deref()));
    assert_eq!((Reason::UserUnknown, true), (ann.reason, ann.hard));
    assert_eq!(Some("t7.1.ab12@desk.example"), report.original.message_id.as_deref());
    assert_eq!(Some("Votre demande reçue"), report.original.subject.as_deref());
    assert_eq!(Some("ann@customer.example"), report.original.recipient.as_deref());
    assert_eq!(vec!["support+v-7.ab12@desk.example".to_owned()], report.original.reported_to);
}

#[test]
fn a_full_mailbox_is_no_dead_address() {
    let report = read(&standard(
        "",
        "Final-Recipient: rfc822; ann@customer.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 over quota",
    ));
    let report = report.expect("a report");
    assert_eq!((Reason::MailboxFull, false), (only(&report).reason, only(&report).hard));
}

#[test]
fn a_delay_is_no_failure_and_a_relay_is_good_news() {
    let delayed =
        read(&standard("", "Final-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.1")).expect("a report");
    assert_eq!((Kind::Delay, Action::Delayed, false), (delayed.kind, only(&delayed).action, only(&delayed).hard));
    let relayed =
        read(&standard("", "Final-Recipient: rfc822; a@b.example\nAction: relayed\nStatus: 2.0.0")).expect("a report");
    assert_eq!((Kind::Delivery, Action::Relayed), (relayed.kind, only(&relayed).action));
}

#[test]
fn the_address_we_wrote_to_stands_before_the_one_it_ended_at() {
    let group = "Original-Recipient: rfc822;info@customer.example\nFinal-Recipient: rfc822; ann@inside.example\nAction: failed\nStatus: 5.1.1";
    let report = read(&standard("", group)).expect("a report");
    assert_eq!("info@customer.example", only(&report).address);
    assert_eq!(Some("ann@inside.example"), only(&report).final_address.as_deref());
}

#[test]
fn groups_glued_together_are_still_two_recipients() {
    let group = "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; c@d.example\nAction: delayed\nStatus: 4.2.0";
    let report = read(&standard("", group)).expect("a report");
    let read: Vec<_> = report.recipients.iter().map(|one| (one.address.as_str(), one.action)).collect();
    assert_eq!(vec![("a@b.example", Action::Failed), ("c@d.example", Action::Delayed)], read);
}

#[test]
fn the_servers_words_say_more_than_the_status_field() {
    let group = "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0 (permanent)\nDiagnostic-Code: smtp; 550-5.7.1 [192.0.2.9] blocked by policy";
    let report = read(&standard("", group)).expect("a report");
    assert_eq!((Some("5.7.1"), Some("550")), (only(&report).status.as_deref(), only(&report).reply.as_deref()));
}

#[test]
fn neither_an_ip_address_nor_a_code_of_another_class_is_taken() {
    let group = "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 4.0.0\nDiagnostic-Code: smtp; 554 refused 5.6.7.8 size=550";
    let report = read(&standard("", group)).expect("a report");
    assert_eq!((Some("4.0.0"), None), (only(&report).status.as_deref(), only(&report).reply.as_deref()));
}

#[test]
fn a_mailbox_that_is_called_full_is_not_full() {
    let words = "<quota-exceeded@customer.example>:\nRemote host said: 550 5.1.1 <quota-exceeded@customer.example> no such user";
    let report = read(&plain(words)).expect("a report");
    assert_eq!((Reason::UserUnknown, true), (only(&report).reason, only(&report).hard));
}

#[test]
fn user_unknown_after_the_content_was_sent_is_a_filter() {
    let words = "<a@b.example>:\nhost said: 550 user unknown (in reply to end of DATA command)";
    let report = read(&plain(words)).expect("a report");
    assert_eq!((Reason::Filtered, false), (only(&report).reason, only(&report).hard));
}

#[test]
fn a_text_bounce_is_cut_from_the_mail_it_returns() {
    let words = "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n<a@b.example>:\n\
        192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\n\n--- Below this line is a copy of the message.\n\n\
        Return-Path: <support@desk.example>\nMessage-ID: <t9.1.ff@desk.example>\nTo: other@elsewhere.example\n\n<third@party.example>:\nhi";
    let report = read(&plain(words)).expect("a report");
    assert_eq!("a@b.example", only(&report).address);
    assert_eq!(Some("t9.1.ff@desk.example"), report.original.message_id.as_deref());
}

#[test]
fn each_listed_recipient_gets_its_own_diagnostic() {
    let mail = "X-Failed-Recipients: a@b.example, c@d.example\nFrom: Mail Delivery System <Mailer-Daemon@mx.example>\n\
        Subject: Mail delivery failed: returning message to sender\n\nThe following address(es) failed:\n\n  a@b.example\n    \
        host mx.b.example: 550 5.1.1 user unknown\n  c@d.example\n    host mx.d.example: 552 5.2.2 mailbox full\n";
    let report = read(mail).expect("a report");
    let read: Vec<_> = report.recipients.iter().map(|one| (one.address.as_str(), one.reason, one.hard)).collect();
    assert_eq!(vec![("a@b.example", Reason::UserUnknown, true), ("c@d.example", Reason::MailboxFull, false)], read);
}

#[test]
fn bounces_are_read_in_the_languages_of_their_servers() {
    for (words, reason) in [
        ("Votre message n'a pas pu être remis à :\n\n  a@b.example\n\nDestinataire inconnu", Reason::UserUnknown),
        (
            "Ihre Nachricht konnte nicht zugestellt werden:\n\n  a@b.example\n\nDas Postfach ist voll",
            Reason::MailboxFull,
        ),
        ("No se pudo entregar su mensaje a:\n\n  a@b.example\n\nEl usuario no existe", Reason::UserUnknown),
        ("Ваше письмо не доставлено:\n\n  a@b.example\n\nПользователь не найден", Reason::UserUnknown),
        ("以下の宛先に配信できませんでした。\n\n  a@b.example\n\nメールアドレスが存在しません", Reason::UserUnknown),
    ] {
        let mail =
            plain(words).replace("Subject: failure notice", "Subject: x\nContent-Type: text/plain; charset=utf-8");
        let report = read(&mail).unwrap_or_else(|| panic!("{words} was not read"));
        assert_eq!(("a@b.example", reason), (only(&report).address.as_str(), only(&report).reason), "{words}");
    }
}

#[test]
fn an_address_for_help_is_not_a_failed_recipient() {
    let words = "Your message could not be delivered.\nFor further assistance, please contact <help@mx.example>\n\n<a@b.example>: unknown user";
    assert_eq!("a@b.example", only(&read(&plain(words)).expect("a report")).address);
}

#[test]
fn addresses_given_as_advice_are_not_taken_for_dead() {
    let words = "Message not delivered: userx has no match.\nIf mike.fox@uni.example fails, try michael.j.fox@uni.example or fox@cs.uni.example.";
    assert_eq!(Vec::<Recipient>::new(), read(&plain(words)).expect("a report").recipients);
}

#[test]
fn a_gateway_that_wraps_a_report_is_looked_through() {
    let inner = standard("", "Final-Recipient: rfc822; ann@customer.example\nAction: failed\nStatus: 5.1.1")
        .replace("=b\n", "=c\n")
        .replace("--b", "--c");
    let mail = format!(
        "From: postmaster@gateway.example\nSubject: Delivery Status Notification (Failure)\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    );
    assert_eq!("ann@customer.example", only(&read(&mail).expect("a report")).address);
}

#[test]
fn a_read_receipt_is_good_news_with_the_id_of_our_mail() {
    let mail = "From: ann@customer.example\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nread\n\
        --b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ann@customer.example\n\
        Original-Message-ID: <t7.1.ab12@desk.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n";
    let report = read(mail).expect("a report");
    assert_eq!((Kind::Receipt, Action::Delivered), (report.kind, only(&report).action));
    assert_eq!(Some("t7.1.ab12@desk.example"), report.original.message_id.as_deref());
}

#[test]
fn a_complaint_names_who_complained() {
    let mail = "From: fbl@provider.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nabuse\n--b\n\
        Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <ann@customer.example>\n\n--b\n\
        Content-Type: text/rfc822-headers\n\nMessage-ID: <t7.1.ab12@desk.example>\nSubject: x\n--b--\n";
    let report = read(mail).expect("a report");
    assert_eq!((Kind::Complaint, Reason::Feedback, false), (report.kind, only(&report).reason, only(&report).hard));
    assert_eq!(Some("t7.1.ab12@desk.example"), report.original.message_id.as_deref());
}

#[test]
fn an_sns_notification_is_a_report_though_it_is_json() {
    let mail = "From: AWS <no-reply@sns.amazonaws.com>\nSubject: AWS Notification Message\n\n{\"notificationType\":\"Bounce\",\"bounce\":\
        {\"bounceType\":\"Permanent\",\"bouncedRecipients\":[{\"emailAddress\":\"a@b.example\",\"action\":\"failed\",\"status\":\"5.1.1\",\
        \"diagnosticCode\":\"smtp; 550 5.1.1 user unknown\"}]},\"mail\":{\"commonHeaders\":{\"messageId\":\"<t1@desk.example>\"}}}\n\n--\nbye\n";
    let report = read(mail).expect("a report");
    assert_eq!((Kind::Bounce, Some("5.1.1"), true), (report.kind, only(&report).status.as_deref(), only(&report).hard));
    assert_eq!(Some("t1@desk.example"), report.original.message_id.as_deref());
}

#[test]
fn a_challenge_is_known_and_is_no_bounce() {
    let report = read(
        "From: ann-confirm-77.x@customer.example\nSubject: Please confirm your message\nIn-Reply-To: <t1@desk.example>\n\nclick\n",
    );
    let report = report.expect("a report");
    assert_eq!((Kind::Challenge, Some("t1@desk.example")), (report.kind, report.original.message_id.as_deref()));
}

#[test]
fn people_who_write_about_bounces_are_no_bounces() {
    let quoted = "From: ann@customer.example\nSubject: what does this mean?\n\nI got this:\n> <bob@shop.example>: 550 5.1.1 user unknown\nPlease help.\n";
    assert_eq!(None, read(quoted));
    let admin = "From: postmaster@customer.example\nSubject: your mail server\n\nHello, my users cannot write to sales@desk.example, can you look?\n";
    assert_eq!(None, read(admin));
    let away = "Return-Path: <>\nFrom: ann@customer.example\nSubject: Automatic reply: your ticket\n\nWrite to bob@customer.example, mail to me is not delivered.\n";
    assert_eq!(None, read(away));
}

#[test]
fn a_report_cut_anywhere_is_read_without_a_panic() {
    let raw = standard("x", "Final-Recipient: rfc822; ann@customer.example\nAction: failed\nStatus: 5.1.1")
        .replace('\n', "\r\n");
    for end in 0..raw.len() {
        let cut = raw.as_bytes().get(..end).expect("a prefix");
        if let Some(message) = MessageParser::default().parse(cut) {
            let _: Option<Report> = parse(&message, cut);
        }
    }
}

#[test]
fn a_line_of_thousands_of_addresses_costs_no_more_than_fifty() {
    let many: Vec<String> = (0..5_000).map(|index| format!("550 <u{index}@b.example>")).collect();
    let many = many.join(" ");
    let report = read(&plain(&format!("Could not be delivered:\n{many}"))).expect("a report");
    assert!(report.recipients.len() <= 50, "{}", report.recipients.len());
}

#[test]
fn a_version_in_the_words_is_not_taken_for_a_status() {
    let report = read(&standard(
        "X-Mailman-Version: 2.0.2 (101270)",
        "Final-Recipient: rfc822; ann@customer.example\nAction: failed\n\
         Diagnostic-Code: smtp; 554 No Resent-From field given",
    ));
    let report = report.expect("a report");
    let ann = only(&report);
    assert_eq!((None, Some("554")), (ann.status.as_deref(), ann.reply.as_deref()));
}

#[test]
fn an_address_with_control_characters_is_nobodys() {
    let report = read(&standard(
        "",
        "Final-Recipient: rfc822; an\0n@customer.example\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 5.1.1 no such user",
    ));
    let report = report.expect("a report");
    assert_eq!((Kind::Bounce, 0), (report.kind, report.recipients.len()));
}
