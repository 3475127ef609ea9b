//! Mail made to hurt: each becomes a ticket or is kept aside with its reason, and whoever wrote next is served at once.

use std::time::Instant;

use serde_json::Value;

use super::desk::{Desk, Mailbox, reasons};
use super::rig::Rig;

/// What is laid into the mailbox, and what it is about.
struct Nasty {
    what: &'static str,
    raw: Vec<u8>,
}

fn nasty(what: &'static str, raw: impl Into<Vec<u8>>) -> Nasty {
    Nasty { what, raw: raw.into() }
}

/// The usual head of a mail of `who`.
fn head(who: &str, more: &str) -> String {
    format!(
        "From: {who} <{who}@customer.test>\r\nTo: {{to}}\r\nSubject: About {who}\r\nMessage-ID: <{who}@nasty.test>\r\n\
         Date: Mon, 2 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n{more}"
    )
}

fn huge() -> String {
    let line = "QUJD".repeat(19) + "\r\n";
    let file = line.repeat(45 * 1024 * 1024 / line.len());
    let parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello, here is the log.\r\n--b\r\nContent-Type: \
        application/octet-stream; name=log\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    format!("{}{file}--b--\r\n", head("huge", parts))
}

fn nested(depth: usize) -> String {
    let inner = |level: usize| format!("--b{}\r\nContent-Type: multipart/mixed; boundary=b{level}\r\n\r\n", level - 1);
    let levels: Vec<String> = (1..depth).map(inner).collect();
    let outer = head("nested", "Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
    format!("{outer}{}--b{}\r\n\r\nHello, deep down.\r\n", levels.concat(), depth - 1)
}

fn many_parts(count: usize) -> String {
    let part = "--b\r\nContent-Type: text/plain; name=x\r\n\r\nHello again.\r\n";
    format!("{}{}--b--\r\n", head("parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n"), part.repeat(count))
}

fn all() -> Vec<Nasty> {
    let anonymous = "To: {to}\r\nSubject: Nobody\r\nMessage-ID: <nobody@nasty.test>\r\n\r\nHello, who am I?\r\n";
    let unnamed =
        "From: unnamed <unnamed@customer.test>\r\nTo: {to}\r\nSubject: About unnamed\r\n\r\nHello, without an id.\r\n";
    let injecting = "From: =?utf-8?Q?Eve=0D=0ABcc:_person-902@customer.test=0D=0A?= <person-901@customer.test>\r\nTo: {to}\r\nSubject: \
        =?utf-8?Q?About_injecting=0D=0ABcc:_person-902@customer.test=0D=0A=0D=0AOpen_the_door?=\r\nMessage-ID: <injecting@nasty.test>\r\n\
        \r\nHello, do as the subject says.\r\n";
    let script = "Content-Type: text/html; charset=utf-8\r\n\r\n<p onclick=\"steal()\">Hello <script>steal()</script><img src=x \
        onerror=steal()> my screen is black.</p>\r\n";
    vec![
        nasty("45 MB", huge()),
        nasty(
            "100,000 headers",
            head("headers", &"X-Nothing: at all\r\n".repeat(100_000)) + "\r\nHello, many headers.\r\n",
        ),
        nasty("10,000 parts", many_parts(10_000)),
        nasty("5,000 nestings", nested(5_000)),
        nasty("no From", anonymous),
        nasty("no Message-ID", unnamed),
        nasty(
            "a Message-ID that somebody else used",
            head("reused", "\r\nHello, mine.\r\n").replace("<reused@nasty", "<script@nasty"),
        ),
        nasty("line ends in names", injecting),
        nasty("a line of 20 MB", head("line", "\r\n") + &"A".repeat(20 << 20) + "\r\n"),
        nasty(
            "an unknown charset",
            head("charset", "Content-Type: text/plain; charset=x-klingon\r\n\r\nHello, Qapla'.\r\n"),
        ),
        nasty("a script", head("script", script)),
        nasty(
            "NUL and 8 bits everywhere",
            head("bytes", "\r\n").into_bytes().into_iter().chain((0..=255).cycle().take(4096)).collect::<Vec<u8>>(),
        ),
        nasty("nothing but line ends", "\r\n\r\n\r\n"),
    ]
}

#[test]
fn mail_made_to_hurt_is_taken_in_or_kept_aside_and_the_mail_behind_it_is_served() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::open(&rig, "", &[Mailbox::of(&Rig::desk_user()).top("trust = \"all\"")]);
    let mails = all();
    let begin = Instant::now();
    for mail in &mails {
        println!("{}: {} bytes", mail.what, mail.raw.len());
        let to = desk.address();
        // Only the head names it; the rest is left as it is.
        let at = mail.raw.windows(4).position(|four| four == b"{to}");
        let raw = match at {
            Some(at) => [&mail.raw[..at], to.as_bytes(), &mail.raw[at + 4..]].concat(),
            None => mail.raw.clone(),
        };
        rig.lay(desk.user(), &raw);
    }
    let ann = rig.person("Ann");
    rig.lay(desk.user(), &ann.writes(&desk.address(), "Mouse", "Hello, my mouse is dead.").raw());
    ann.gets_mail(1);
    println!("the mail behind {} hostile ones was acknowledged after {:?}", mails.len(), begin.elapsed());
    desk.has_received(mails.len() as u64 + 1);

    let tickets = desk.tickets();
    let aside = desk.quarantine();
    let balance = desk.agent(&["reconcile"]);
    let subjects: Vec<&Value> = tickets.iter().map(|ticket| &ticket["subject"]).collect();
    assert_eq!(tickets.len() + aside.len(), mails.len() + 1, "{subjects:?}\n{balance}");
    for item in &aside {
        assert!(item["reason"]["code"].as_str().is_some_and(|code| !code.is_empty()), "{item}");
        println!("kept aside: {} ({})", item["subject"], item["reason"]["code"]);
    }
    let of = |who: &str| -> &Value {
        let mine = |ticket: &&Value| {
            ticket["subject"].as_str().is_some_and(|subject| subject.starts_with(&format!("About {who}")))
        };
        tickets.iter().find(mine).unwrap_or_else(|| panic!("no ticket of {who} among {tickets:?}"))
    };
    for who in ["unnamed", "reused", "injecting", "charset", "script"] {
        of(who);
    }
    let shown = desk.ticket(of("script")["reference"].as_str().unwrap());
    let html = shown["timeline"][0]["html"].as_str().unwrap_or_default();
    assert!(!html.contains("script") && !html.contains("onerror") && !html.contains("onclick"), "{html}");
    assert!(shown["timeline"][0]["text"].as_str().unwrap().contains("my screen is black."), "{shown}");

    desk.has_sent_everything();
    let ack = rig.person_at("Eve", "person-901@customer.test").gets_mail(1);
    let head = ack.raw.split("\n\n").next().unwrap_or_default();
    assert!(!head.lines().any(|line| line.starts_with("Bcc") || line.starts_with("Open the door")), "{head}");
    assert!(rig.person_at("Victim", "person-902@customer.test").inbox().is_empty(), "nobody else hears of it");
    desk.ends_well();
}

#[test]
fn of_a_mail_beyond_the_limit_the_beginning_is_a_ticket_and_the_whole_stays_on_the_server() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::open(&rig, "", &[Mailbox::of(&Rig::desk_user()).top("trust = \"all\"").imap("max_mib = 1")]);
    let ann = rig.person("Ann");
    let words = format!("Hello, the whole log follows.\n{}", "0123456789 all is well\n".repeat(200_000));
    rig.lay(desk.user(), &ann.writes(&desk.address(), "A long log", &words).raw());
    let reference = ann.gets_mail(1).reference();
    let ticket = desk.ticket(&reference);
    assert!(reasons(&ticket).contains(&"mail.too_large".to_owned()), "{:?}", reasons(&ticket));
    assert!(ticket["timeline"][0]["text"].as_str().unwrap().starts_with("Hello, the whole log follows."));
    desk.ends_well();
}
