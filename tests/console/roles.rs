//! Who may do what: each denied act, by a form that its page does not even show.

use serde_json::json;

use super::browser::Browser;
use crate::api::rig::Desk;

#[tokio::test]
async fn each_role_does_what_it_says_and_no_more() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    let mut reader = Browser::agent(&desk, "reader", "read").await;
    let mut agent = Browser::agent(&desk, "agent", "work").await;
    let mut lead = Browser::agent(&desk, "lead", "lead").await;
    let (write, act) = (format!("/console/t/{reference}/write"), format!("/console/t/{reference}/act"));
    let draft = format!("/console/t/{reference}/draft");

    let page = reader.get(&format!("/console/t/{reference}")).await.is(200);
    assert!(!page.says(&write) && !page.says(&act));
    let work: [(&str, &[(&str, &str)]); 4] = [
        (&write, &[("do", "reply"), ("text", "x")]),
        (&write, &[("do", "note"), ("text", "x")]),
        (&act, &[("do", "take")]),
        (&draft, &[("text", "x")]),
    ];
    for (path, fields) in work {
        assert!(reader.post(path, fields).await.is(403).says("Your role does not allow this."), "{path}");
    }
    let nothing = "00000000-0000-7000-8000-000000000000";
    let leads: Vec<(String, &[(&str, &str)])> = vec![
        (act.clone(), &[("do", "merge"), ("other", "GT-1")]),
        (act.clone(), &[("do", "unmerge")]),
        (format!("/console/quarantine/{nothing}"), &[("do", "release")]),
        (format!("/console/outbox/{nothing}"), &[("do", "cancel")]),
        ("/console/canned".to_owned(), &[("do", "keep"), ("title", "a"), ("text", "b")]),
        ("/console/blocked".to_owned(), &[("do", "block"), ("address", "a@b.test")]),
    ];
    for (path, fields) in &leads {
        agent.post(path, fields).await.is(403);
    }
    for path in ["/console/quarantine", "/console/outbox", "/console/blocked"] {
        agent.get(path).await.is(403);
        lead.get(path).await.is(200);
    }
    agent.get(&format!("/console/quarantine/{nothing}/original")).await.is(403);
    let admins: [(&str, &[(&str, &str)]); 7] = [
        ("/console/agents", &[("do", "add"), ("name", "eve"), ("role", "admin")]),
        ("/console/agents", &[("do", "second_step"), ("least", "nobody")]),
        ("/console/agents/agent", &[("do", "change"), ("role", "admin")]),
        ("/console/agents/agent", &[("do", "invite")]),
        ("/console/agents/agent", &[("do", "token"), ("for", "x")]),
        ("/console/agents/agent", &[("do", "disable")]),
        ("/console/agents/agent", &[("do", "otp_off")]),
    ];
    for (path, fields) in admins {
        lead.post(path, fields).await.is(403);
    }
    for path in ["/console/agents", "/console/agents/agent", "/console/trail"] {
        lead.get(path).await.is(403);
    }
    let agents = desk.operator().get("/api/v1/agents").await.is(200);
    assert_eq!(agents.as_array().unwrap().len(), 3);
    // A role that is taken away is away with the next click.
    desk.operator().patch("/api/v1/agents/lead", &json!({"role": "work"})).await.is(200);
    lead.get("/console/quarantine").await.is(403);
}

#[tokio::test]
async fn an_admin_changes_agents_and_makes_and_ends_tokens() {
    let desk = Desk::open().await;
    let mut admin = Browser::agent(&desk, "root", "admin").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let page = admin.post("/console/agents/ana", &[("do", "token"), ("for", "robot"), ("days", "3")]).await.is(200);
    let secret = format!("gct_{}", page.text.split("gct_").nth(1).unwrap().split('<').next().unwrap());
    desk.bearer(&secret).get("/api/v1/tickets").await.is(200);
    let page = admin.get("/console/agents/ana").await.is(200);
    assert!(!page.says(&secret));
    let id = page.form("/console/agents/ana").hidden("id").unwrap();
    admin.post("/console/agents/ana", &[("do", "revoke"), ("id", &id)]).await;
    desk.bearer(&secret).get("/api/v1/tickets").await.is(401);
    admin.post("/console/agents/ana", &[("do", "disable")]).await;
    assert!(ana.get("/console").await.location().starts_with("/console/sign-in"));
    let trail = admin.get("/console/trail").await.is(200);
    for words in ["made a token", "revoked a token", "changed an agent", "signed in"] {
        assert!(trail.says(words), "{words}");
    }
}
