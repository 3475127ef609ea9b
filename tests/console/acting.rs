//! Working a ticket by forms.

use std::time::Duration;

use serde_json::{Value, json};

use super::browser::Browser;
use crate::api::rig::{Desk, words};

/// What was written to the requester by agents.
async fn replies(desk: &Desk, reference: &str) -> Vec<String> {
    let ticket = desk.operator().ticket(reference).await;
    let timeline = ticket["timeline"].as_array().unwrap().clone();
    let replies = timeline.into_iter().filter(|entry| entry["kind"] == "reply");
    replies.map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_agent_takes_answers_notes_and_closes_a_ticket_without_javascript() {
    let desk = Desk::open().await;
    let reference = desk.mail("Jean Dupont <jean@client.test>", "Printer", "It is jammed.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let list = ana.get("/console").await.is(200);
    assert!(list.says("Printer") && list.says("Jean Dupont") && list.says("It is jammed.") && list.says(&reference));
    let path = format!("/console/t/{reference}");
    let page = ana.get(&path).await.is(200);
    assert!(page.says("Reply to <strong>jean@client.test</strong> by <strong>e-mail</strong>"), "{}", page.text);
    ana.fill(&page, &format!("{path}/act"), &[("do", "take")]).await;
    let page = ana.get(&path).await.is(200);
    let sent = ana.fill(&page, &format!("{path}/write"), &[("do", "reply"), ("text", "On my way.\r\nAna")]).await;
    assert_eq!(sent.location(), format!("{path}?done=reply"));
    assert!(ana.get(sent.location()).await.says("The reply is on its way."));
    ana.post(&format!("{path}/write"), &[("do", "note"), ("text", "Tray two again.")]).await;
    let page = ana.get(&path).await.is(200);
    assert!(page.says("On my way.\nAna") && page.says("Only agents see this") && page.says("queued"), "{}", page.text);
    ana.fill(&page, &format!("{path}/write"), &[("do", "close"), ("text", "Done.")]).await;
    let ticket = desk.operator().ticket(&reference).await;
    assert_eq!((&ticket["ticket"]["state"], &ticket["ticket"]["assignee"]), (&json!("resolved"), &json!("ana")));
    assert_eq!(words(&ticket["deliveries"], "kind"), ["acknowledgement", "reply", "closure"]);
    let page = ana.get(&path).await.is(200);
    ana.fill(&page, &format!("{path}/act"), &[("do", "reopen")]).await;
    assert_eq!(desk.operator().ticket(&reference).await["ticket"]["state"], "open");
}

#[tokio::test]
async fn a_reply_that_has_not_seen_what_came_meanwhile_is_not_sent_and_not_lost() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let (mut ana, mut bo) = (Browser::agent(&desk, "ana", "work").await, Browser::agent(&desk, "bo", "work").await);
    let (path, write) = (format!("/console/t/{reference}"), format!("/console/t/{reference}/write"));
    let seen = ana.get(&path).await.is(200);
    desk.later(Duration::from_secs(5));
    let others = bo.get(&path).await.is(200);
    bo.fill(&others, &write, &[("do", "reply"), ("text", "I am on it.")]).await;
    let stale = ana.fill(&seen, &write, &[("do", "reply"), ("text", "We send <somebody>.")]).await.is(409);
    assert!(stale.says("Something came meanwhile") && stale.says("I am on it."), "{}", stale.text);
    assert!(stale.says("We send &lt;somebody&gt;.</textarea>"), "{}", stale.text);
    assert_eq!(replies(&desk, &reference).await, ["I am on it."]);
    ana.fill(&stale, &write, &[("do", "reply"), ("text", "And bring toner.")]).await.location();
    assert_eq!(replies(&desk, &reference).await, ["I am on it.", "And bring toner."]);
}

#[tokio::test]
async fn a_second_click_sends_nothing_twice() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let (path, write) = (format!("/console/t/{reference}"), format!("/console/t/{reference}/write"));
    let page = ana.get(&path).await.is(200);
    let fields = [("do", "reply"), ("text", "Once.")];
    let (first, second) = (ana.fill(&page, &write, &fields).await, ana.fill(&page, &write, &fields).await);
    assert_eq!((first.location(), second.location()), (second.location(), first.location()));
    assert_eq!(replies(&desk, &reference).await, ["Once."]);
    // The same form with other words is no second click.
    ana.fill(&page, &write, &[("do", "reply"), ("text", "Twice.")]).await.is(409);
    assert_eq!(replies(&desk, &reference).await, ["Once."]);
}

#[tokio::test]
async fn what_is_begun_is_kept_for_its_writer_and_its_ticket_until_it_is_sent() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let other = desk.mail("eva@client.test", "Screen", "It is dark.").await;
    let (mut ana, mut bo) = (Browser::agent(&desk, "ana", "work").await, Browser::agent(&desk, "bo", "work").await);
    let path = format!("/console/t/{reference}");
    ana.post(&format!("{path}/draft"), &[("kind", "reply"), ("text", "Dear Jean")]).await.is(204);
    assert!(ana.get(&path).await.says("Dear Jean</textarea>"));
    assert!(!bo.get(&path).await.says("Dear Jean"));
    assert!(!ana.get(&format!("/console/t/{other}")).await.says("Dear Jean"));
    let page = ana.get(&path).await;
    ana.fill(&page, &format!("{path}/write"), &[("do", "reply"), ("text", "Dear Jean, done.")]).await.location();
    assert!(!ana.get(&path).await.says("Dear Jean</textarea>"));
}

#[tokio::test]
async fn a_canned_reply_is_put_in_with_its_variables_filled() {
    let desk = Desk::open().await;
    let reference = desk.mail("Jean <jean@client.test>", "Printer", "It is jammed.").await;
    let mut lead = Browser::agent(&desk, "lea", "lead").await;
    let text = "Hello {{requester}},\n{{reference}}: {{subject}}\n{{agent}} {{unknown}}";
    lead.post("/console/canned", &[("do", "keep"), ("title", "Hello"), ("text", text)]).await.location();
    let page = lead.get(&format!("/console/t/{reference}")).await.is(200);
    let id = page
        .text
        .split("<option value=\"")
        .find(|part| part.contains("data-text"))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let write = format!("/console/t/{reference}/write");
    let page = lead.fill(&page, &write, &[("do", "insert"), ("canned", &id), ("text", "Mine.")]).await.is(200);
    let filled = format!("Mine.\n\nHello Jean,\n{reference}: Printer\nlea {{{{unknown}}}}</textarea>");
    assert!(page.says(&filled), "{}", page.text);
    lead.post("/console/canned", &[("do", "drop"), ("id", &id)]).await.location();
    assert!(lead.get("/console/canned").await.says("Nothing here."));
}

#[tokio::test]
async fn a_merge_leads_on_and_can_be_taken_back_for_ten_minutes() {
    let desk = Desk::open().await;
    let one = desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let two = desk.mail("jean@client.test", "Printer again", "Still jammed.").await;
    let mut lead = Browser::agent(&desk, "lea", "lead").await;
    let act = |reference: &str| format!("/console/t/{reference}/act");
    lead.post(&act(&one), &[("do", "merge"), ("other", &two)]).await.location();
    let redirect = lead.get(&format!("/console/t/{one}")).await;
    assert_eq!(redirect.location(), format!("/console/t/{two}?from={one}"));
    let page = lead.get(redirect.location()).await.is(200);
    assert!(page.says("was merged into this ticket.") && page.says("Take the merge back"), "{}", page.text);
    desk.later(Duration::from_secs(599));
    assert_eq!(lead.post(&act(&one), &[("do", "unmerge")]).await.location(), format!("/console/t/{one}?done=unmerge"));
    let ticket = desk.operator().ticket(&one).await;
    assert_eq!((&ticket["ticket"]["state"], &ticket["ticket"]["merged_into"]), (&json!("new"), &Value::Null));
    assert_eq!(words(&ticket["timers"], "kind"), ["promise"]);

    lead.post(&act(&one), &[("do", "merge"), ("other", &two)]).await.location();
    desk.later(Duration::from_secs(601));
    lead.post(&act(&one), &[("do", "unmerge")]).await.is(422);
    assert!(lead.get(&format!("/console/t/{two}?from={one}")).await.says("The time to take this merge back is over."));
}

#[tokio::test]
async fn a_blocked_sender_is_kept_aside_from_then_on_until_somebody_unblocks() {
    let desk = Desk::open().await;
    let reference = desk.mail("spam@bad.test", "You won", "Click here.").await;
    let mut lead = Browser::agent(&desk, "lea", "lead").await;
    lead.post(&format!("/console/t/{reference}/act"), &[("do", "block")]).await.location();
    let ticket = desk.operator().ticket(&reference).await;
    assert_eq!(ticket["ticket"]["state"], "resolved");
    assert_eq!(words(&ticket["deliveries"], "kind"), ["acknowledgement"], "nothing more is said to a spammer");
    let receipt = desk.hand_in(&crate::api::rig::mail("spam@bad.test", "You won more", "Click again.")).await.is(201);
    assert_eq!(receipt["verdict"], "quarantined");
    let page = lead.get("/console/quarantine").await.is(200);
    assert!(page.says("spam@bad.test") && page.says("blocked.sender"), "{}", page.text);
    lead.post("/console/blocked", &[("do", "unblock"), ("address", "spam@bad.test")]).await.location();
    let receipt = desk.hand_in(&crate::api::rig::mail("spam@bad.test", "Sorry", "It was my cat.")).await.is(201);
    assert_eq!(receipt["verdict"], "opened");
}

#[tokio::test]
async fn who_did_what_from_where_stands_in_the_history_of_the_ticket() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let other = desk.mail("eva@client.test", "Screen", "It is dark.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let act = format!("/console/t/{reference}/act");
    ana.post(&act, &[("do", "escalate"), ("to", "L2"), ("text", "Needs a part.")]).await.location();
    ana.post(&act, &[("do", "link"), ("other", &other)]).await.location();
    ana.post(&act, &[("do", "classify"), ("impact", "high"), ("urgency", "high"), ("category", "hardware")])
        .await
        .location();
    let page = ana.get(&format!("/console/t/{reference}/history")).await.is(200);
    for words in ["escalated", "linked", "classified", "127.0.0.1", "ack.neutral"] {
        assert!(page.says(words), "{words}: {}", page.text);
    }
    assert!(ana.get(&format!("/console/t/{other}")).await.says(&reference), "a link is seen from both ends");
    assert_eq!(desk.operator().ticket(&reference).await["ticket"]["priority"], "P1");
}

#[tokio::test]
async fn script_in_every_field_stays_text() {
    let desk = Desk::open().await;
    let script = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let reference = desk.mail(&format!("\"{}\" <a@client.test>", "Eve <script>x</script>"), script, script).await;
    let mut admin = Browser::agent(&desk, "root", "admin").await;
    let path = format!("/console/t/{reference}");
    admin.post(&format!("{path}/write"), &[("do", "note"), ("text", script)]).await.location();
    admin.post(&format!("{path}/draft"), &[("kind", "reply"), ("text", script)]).await.is(204);
    admin.post(&format!("{path}/act"), &[("do", "escalate"), ("to", "L2"), ("text", script)]).await.location();
    admin.post("/console/canned", &[("do", "keep"), ("title", script), ("text", script)]).await.location();
    admin
        .post("/console/blocked", &[("do", "block"), ("address", "<script>@x.test"), ("why", script)])
        .await
        .location();
    let query = "/console?view=all&q=%3Cscript%3Ealert(1)%3C/script%3E&category=%22%3E%3Cscript%3E&after=%3Cscript%3E";
    let history = format!("{path}/history");
    for page in
        [path.as_str(), &history, "/console?view=all", query, "/console/canned", "/console/blocked", "/console/trail"]
    {
        let page = admin.get(page).await.is(200);
        assert!(!page.says("<script>") && !page.says("<img"), "{}", page.text);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn mail_is_shown_in_a_frame_that_can_do_nothing_and_files_are_downloads() {
    let desk = Desk::open().await;
    let mail = "From: a@client.test\r\nTo: support@desk.test\r\nSubject: Pictures\r\nMessage-ID: <p@client.test>\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
                <p>Look</p><img src=\"http://evil.test/x.png\"><script>alert(1)</script>\r\n\
                --b\r\nContent-Type: text/html; name=\"x.html\"\r\nContent-Disposition: attachment; filename=\"x.html\"\r\n\r\n\
                <script>alert(1)</script>\r\n--b--\r\n";
    let receipt = desk.hand_in(mail).await.is(201);
    let reference = receipt["reference"].as_str().unwrap();
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let page = ana.get(&format!("/console/t/{reference}")).await.is(200);
    assert!(
        page.says("sandbox=\"allow-popups allow-popups-to-escape-sandbox\"") && page.says("srcdoc=\""),
        "{}",
        page.text
    );
    assert!(!page.says("evil.test") && !page.says("alert(1)"), "{}", page.text);
    let file = page.links().into_iter().find(|link| link.contains("/file/")).unwrap();
    let file = ana.get(&file).await.is(200);
    assert_eq!(file.headers["content-type"], "application/octet-stream");
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"x.html\""));
    assert_eq!(file.headers["x-content-type-options"], "nosniff");
    assert_eq!(file.headers["content-security-policy"], "default-src 'none'; sandbox");
}
