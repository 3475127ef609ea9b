//! Agents work tickets.

use std::sync::Arc;
use std::time::Duration;

use guichet::intake::{self, Reception};
use guichet_domain::ids::{ConversationKey, Seq};
use serde_json::json;

use super::rig::{Desk, words};

const JEAN: &str = "Jean Petit <jean@client.test>";

#[tokio::test]
async fn a_mail_is_answered_and_closed_and_everything_is_told_in_order() {
    let desk = Desk::open().await;
    let amelie = desk.agent("amelie", "work").await;
    let reference = desk.mail(JEAN, "Printer jammed", "The printer on the second floor is jammed.").await;
    desk.later(Duration::from_secs(60));
    let ticket = amelie.reply(&reference, "Please open tray 2.").await.is(201);
    assert_eq!((ticket["state"].as_str(), ticket["version"].as_i64()), (Some("open"), Some(2)));
    desk.later(Duration::from_secs(60));
    let ticket = amelie.does(&reference, &json!({"action": "close", "text": "Glad it works."})).await.is(200);
    assert_eq!((ticket["state"].as_str(), ticket["closures"].as_i64()), (Some("resolved"), Some(1)));

    let told = amelie.ticket(&reference).await;
    assert_eq!(told["ticket"]["requester"], json!({"address": "jean@client.test", "name": "Jean Petit"}));
    assert_eq!(words(&told["timeline"], "kind"), ["inbound", "notice", "reply", "notice"]);
    assert_eq!(told["timeline"][2]["text"], "Please open tray 2.");
    assert!(told["timeline"][3]["text"].as_str().unwrap().contains("Glad it works."), "{}", told["timeline"][3]);
    assert_eq!(words(&told["deliveries"], "kind"), ["acknowledgement", "reply", "closure"]);
    assert_eq!(words(&told["deliveries"], "state"), ["pending", "pending", "pending"]);
    assert_eq!(words(&told["transitions"], "to"), ["new", "open", "resolved"]);
    assert_eq!(told["timers"][0]["kind"], "window");
    assert_eq!(told["participants"][0]["role"], "requester");
}

#[tokio::test]
async fn requesters_read_the_name_an_agent_shows_or_the_desks_and_agents_who_it_was() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let (amelie, bruno) = (desk.agent("amelie.m42", "work").await, desk.agent("bruno.x", "work").await);
    operator.patch("/api/v1/agents/amelie.m42", &json!({"display": "Amélie Martin"})).await.is(200);
    operator.patch("/api/v1/agents/bruno.x", &json!({"display": "Bruno\nBcc"})).await.refused(422, "invalid");
    let reference = desk.mail(JEAN, "Printer jammed", "The printer is jammed.").await;
    amelie.reply(&reference, "Please open tray 2.").await.is(201);
    bruno.does(&reference, &json!({"action": "close", "text": "Glad it works."})).await.is(200);

    let told = operator.ticket(&reference).await;
    assert_eq!(told["timeline"][2]["author"], json!({"address": "amelie.m42", "name": "Amélie Martin"}));
    assert_eq!(told["timeline"][3]["author"], json!({"address": "bruno.x", "name": null}));

    let (name, source) = desk.kernel.sources.iter().find(|(name, _)| name.as_str() == "local").unwrap();
    let port = intake::port(&Reception::start(Arc::clone(&desk.kernel)), name, source);
    let conversation = ConversationKey::new(told["ticket"]["id"].as_str().unwrap());
    let public = port.intake.timeline(&conversation, Seq(0)).await.unwrap();
    let writers: Vec<_> = public.iter().filter_map(|entry| entry.author.clone()).collect();
    let staff: Vec<_> = writers.iter().skip(1).map(|who| (who.address.as_str(), who.name.as_deref())).collect();
    assert_eq!(staff, [("", Some("Amélie Martin")), ("", Some("Support"))]);
}

#[tokio::test]
async fn a_reply_that_is_sent_twice_with_one_key_leaves_once() {
    let desk = Desk::open().await;
    let reference = desk.mail(JEAN, "Printer", "Jammed.").await;
    let path = format!("/api/v1/tickets/{reference}/messages");
    let reply = json!({"kind": "reply", "text": "Open tray 2."});
    let operator = desk.operator();
    let first = operator.post_once(&path, "reply-1", &reply).await.is(201);
    assert_eq!(operator.post_once(&path, "reply-1", &reply).await.is(201), first);
    let told = operator.ticket(&reference).await;
    assert_eq!(words(&told["deliveries"], "kind"), ["acknowledgement", "reply"]);
    let other = json!({"kind": "reply", "text": "Open tray 3."});
    operator.post_once(&path, "reply-1", &other).await.refused(422, "key-reused");
}

#[tokio::test]
async fn whoever_has_not_seen_what_came_meanwhile_is_told_and_nothing_is_done() {
    let desk = Desk::open().await;
    let (amelie, bruno) = (desk.agent("amelie", "work").await, desk.agent("bruno", "work").await);
    let reference = desk.mail(JEAN, "Printer", "Jammed.").await;
    let seen = amelie.ticket(&reference).await["ticket"]["version"].clone();
    desk.later(Duration::from_secs(5));
    bruno.note(&reference, "I am on it.").await.is(201);
    desk.later(Duration::from_secs(5));
    let problem =
        amelie.does(&reference, &json!({"action": "close", "version": seen})).await.refused(409, "version-conflict");
    assert_eq!(problem["version"], 2);
    assert_eq!(words(&problem["meanwhile"], "text"), ["I am on it."]);
    assert_eq!(problem["meanwhile"][0]["author"]["name"], "bruno");
    assert_eq!(amelie.ticket(&reference).await["ticket"]["state"], "open");
    amelie.does(&reference, &json!({"action": "close", "version": 2})).await.is(200);
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_refused_with_what_to_do_instead() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let reference = desk.mail(JEAN, "Printer", "Jammed.").await;
    let problem = operator.does(&reference, &json!({"action": "reopen"})).await.refused(409, "state-conflict");
    assert_eq!(problem["detail"], "the ticket is new");
    let problem =
        operator.does(&reference, &json!({"action": "classify", "category": "cars"})).await.refused(422, "invalid");
    assert_eq!(problem["detail"], "there is no category \"cars\"");
    assert!(problem["remedy"].as_str().unwrap().starts_with("use one of: "), "{problem}");
    operator.reply(&reference, "  ").await.refused(422, "invalid");
}

#[tokio::test]
async fn a_ticket_is_assigned_to_agents_who_work_here() {
    let desk = Desk::open().await;
    let amelie = desk.agent("amelie", "work").await;
    let reference = desk.mail(JEAN, "Printer", "Jammed.").await;
    let problem = amelie.does(&reference, &json!({"action": "assign", "to": "amélie"})).await.refused(422, "invalid");
    assert_eq!(problem["remedy"], "assign to one of: amelie");
    let ticket = amelie.does(&reference, &json!({"action": "assign", "to": "amelie"})).await.is(200);
    assert_eq!((ticket["assignee"].as_str(), ticket["state"].as_str()), (Some("amelie"), Some("open")));
    let mine = amelie.get("/api/v1/tickets?assignee=amelie").await.is(200);
    assert_eq!(words(&mine["tickets"], "reference"), [reference.as_str()]);
    let ticket =
        amelie.does(&reference, &json!({"action": "escalate", "to": "L2", "why": "needs a spare part"})).await.is(200);
    assert_eq!((ticket["tier"].as_str(), ticket["assignee"].as_str()), (Some("L2"), None));
    let none = amelie.get("/api/v1/tickets?assignee=none").await.is(200);
    assert_eq!(words(&none["tickets"], "reference"), [reference.as_str()]);
}

#[tokio::test]
async fn a_merged_ticket_says_where_it_went_and_its_target_says_what_came() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let first = desk.mail(JEAN, "Printer", "Jammed.").await;
    let second = desk.mail("Anne <anne@client.test>", "Printer again", "Jammed here too.").await;
    let merge = json!({"action": "merge", "into": first});
    let ticket = operator.does(&second, &merge).await.is(200);
    assert_eq!((ticket["state"].as_str(), ticket["merged_into"].as_str()), (Some("closed"), Some(first.as_str())));
    let problem = operator.note(&second, "Still jammed.").await.refused(409, "state-conflict");
    assert_eq!(problem["remedy"], format!("act on {first} instead"));
    let target = operator.ticket(&first).await;
    let note = target["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!(note["text"], format!("{second} was merged into this ticket; its later messages come here."));
    operator.does(&first, &json!({"action": "merge", "into": second})).await.refused(422, "invalid");
    assert_eq!(words(&operator.get("/api/v1/tickets").await.is(200)["tickets"], "reference"), [first.as_str()]);
}

#[tokio::test]
async fn no_closure_notice_goes_to_an_address_that_does_not_work() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let reference = desk.mail(JEAN, "Printer", "Jammed.").await;
    desk.address_fails("jean@client.test").await;
    let ticket = operator.does(&reference, &json!({"action": "close", "text": "It works again."})).await.is(200);
    assert_eq!(ticket["attention"]["code"], "notice.undeliverable");
    let told = operator.ticket(&reference).await;
    let closure = &told["deliveries"][1];
    assert_eq!((closure["kind"].as_str(), closure["state"].as_str()), (Some("closure"), Some("suppressed")));
    assert_eq!(closure["reason"]["code"], "notice.undeliverable");
    let kept = told["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!((kept["kind"].as_str(), kept["seq"].as_i64()), (Some("note"), None));
    assert!(kept["text"].as_str().unwrap().contains("It works again."), "{kept}");
    assert_eq!(operator.get("/api/v1/reconciliation").await.is(200)["sound"], true);
}

#[tokio::test]
async fn every_decision_about_a_ticket_is_explained_in_order() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let reference = desk.mail(JEAN, "Printer jammed", "The printer is jammed.").await;
    desk.later(Duration::from_secs(60));
    operator.does(&reference, &json!({"action": "close"})).await.is(200);
    let told = operator.get(&format!("/api/v1/tickets/{reference}/explanation")).await.is(200);
    let steps = told["steps"].as_array().unwrap();
    let codes: Vec<&str> = steps.iter().filter_map(|step| step["reason"]["code"].as_str()).collect();
    for code in ["located.new", "priority.matrix", "promise.computed", "ack.neutral", "agent.action"] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
    assert_eq!(steps[0]["what"], "came by local and was opened");
    let times: Vec<&str> = steps.iter().map(|step| step["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(words(&told["steps"], "what").contains(&"closure to jean@client.test by local is queued"), "{told:#}");
}
