//! The list and the search.

use std::time::Duration;

use serde_json::json;

use super::browser::{Browser, Page};
use crate::api::rig::Desk;

/// The subjects on a page, in order.
fn subjects(page: &Page) -> Vec<String> {
    let rows = page.text.split("class=\"subject\"").skip(1);
    rows.map(|row| row.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_view_shows_what_it_says_and_what_breaches_first_stands_first() {
    let desk = Desk::open().await;
    let slow = desk.mail("a@client.test", "Slow mouse", "It is a bit slow.").await;
    let taken = desk.mail("b@client.test", "Broken screen", "It is dark.").await;
    let urgent = desk.mail("c@client.test", "Server", "Something.").await;
    let done = desk.mail("d@client.test", "Done already", "Thanks.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let operator = desk.operator();
    operator.does(&slow, &json!({"action": "classify", "impact": "low", "urgency": "low"})).await.is(200);
    operator.does(&urgent, &json!({"action": "classify", "impact": "high", "urgency": "high"})).await.is(200);
    operator.does(&taken, &json!({"action": "assign", "to": "ana"})).await.is(200);
    operator.does(&done, &json!({"action": "close"})).await.is(200);
    assert_eq!(subjects(&ana.get("/console").await), ["Server", "Broken screen", "Slow mouse"]);
    assert_eq!(subjects(&ana.get("/console?view=mine").await), ["Broken screen"]);
    assert_eq!(subjects(&ana.get("/console?view=unassigned").await), ["Server", "Slow mouse"]);
    assert_eq!(subjects(&ana.get("/console?view=closed").await), ["Done already"]);
    assert_eq!(subjects(&ana.get("/console?view=all").await).len(), 4);
    assert_eq!(subjects(&ana.get("/console?view=soon").await), ["Server"]);
    operator.reply(&urgent, "We are on it.").await.is(201);
    assert_eq!(subjects(&ana.get("/console").await), ["Broken screen", "Slow mouse", "Server"]);
    assert!(subjects(&ana.get("/console?view=soon").await).is_empty());
    desk.later(Duration::from_secs(365 * 24 * 3600));
    let late = Browser::agent(&desk, "late", "work").await.get("/console?view=soon").await;
    assert!(late.says("overdue") && late.says("data-late"), "{}", late.text);
}

#[tokio::test]
async fn filters_narrow_the_list_and_words_by_hand_do_no_harm() {
    let desk = Desk::open().await;
    let printer = desk.mail("a@client.test", "Printer is broken", "The printer is jammed.").await;
    desk.mail("b@client.test", "Odd question", "Who are you?").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    desk.operator().does(&printer, &json!({"action": "escalate", "to": "L2", "why": "x"})).await.is(200);
    assert_eq!(subjects(&ana.get("/console?view=all&tier=L2").await), ["Printer is broken"]);
    assert_eq!(subjects(&ana.get("/console?view=all&source=channel:email").await).len(), 2);
    assert!(subjects(&ana.get("/console?view=all&source=channel:chat").await).is_empty());
    assert_eq!(
        subjects(&ana.get("/console?view=all&state=open&category=hardware&assignee=none").await),
        ["Printer is broken"]
    );
    assert!(subjects(&ana.get("/console?view=closed&state=open").await).is_empty());
    for odd in [
        "after=x.y",
        "after=1.00000000000000000000000000000000",
        "priority=P9",
        "tier=%00",
        "sort=DROP",
        "view=%27%3B",
        "limit=9",
    ] {
        ana.get(&format!("/console?{odd}")).await.is(200);
    }
}

#[tokio::test]
async fn a_ticket_is_found_by_its_number_its_requester_and_its_words() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean.dupont@client.test", "Imprimante", "Le café a coulé dans l'imprimante.").await;
    desk.mail("eva@client.test", "Écran", "Il est noir.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let digits: String = reference.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(ana.get(&format!("/console?q={digits}")).await.location(), format!("/console/t/{reference}"));
    let found =
        async |ana: &mut Browser, q: &str| subjects(&ana.get(&format!("/console?view=all&q={q}")).await.is(200));
    assert_eq!(found(&mut ana, "jean.dupont@client.test").await, ["Imprimante"]);
    assert_eq!(found(&mut ana, "JEAN.dup").await, ["Imprimante"]);
    assert_eq!(found(&mut ana, "cafe").await, ["Imprimante"]);
    assert_eq!(found(&mut ana, "imprim+caf%C3%A9").await, ["Imprimante"]);
    assert!(found(&mut ana, "caf%C3%A9+noir").await.is_empty());
    // What came after the first search is found by the next.
    let last = desk.mail("zoe@client.test", "Wifi", "Plus de reseau.").await;
    assert_eq!(found(&mut ana, "reseau").await, ["Wifi"]);
    desk.operator().note(&last, "xylophone").await.is(201);
    assert_eq!(found(&mut ana, "xylo").await, ["Wifi"]);
}

#[tokio::test]
async fn query_syntax_in_the_search_is_only_words() {
    let desk = Desk::open().await;
    desk.mail("a@client.test", "Printer", "It is jammed.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    for typed in [
        "%22",
        "%27",
        "*",
        "%22jammed",
        "jammed%22+OR+1",
        "NEAR(a+b)",
        "subject:x",
        "-jammed",
        "%5E",
        "a+AND",
        "(",
        "%27%3B+DROP+TABLE+ticket%3B--",
        "%25",
        "_",
        "%5C",
        "%00",
        "jammed%00",
        "@",
        "%26%7C!",
        "%F0%9F%92%A9",
        "{x}",
    ] {
        ana.get(&format!("/console?view=all&q={typed}")).await.is(200);
    }
    assert_eq!(subjects(&ana.get("/console?view=all&q=%22jammed%22*").await), ["Printer"]);
    let long = "a+".repeat(20_000);
    assert!(!ana.get(&format!("/console?view=all&q={long}")).await.status.is_server_error());
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page_and_none_is_shown_twice() {
    let desk = Desk::open().await;
    for n in 0..63 {
        desk.mail(&format!("p{n}@client.test"), &format!("Subject {n}"), "Please help.").await;
        desk.later(Duration::from_secs(1));
    }
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    for view in ["ours", "all"] {
        let first = ana.get(&format!("/console?view={view}")).await.is(200);
        let next = first.links().into_iter().find(|link| link.contains("after=")).unwrap();
        let second = ana.get(&next).await.is(200);
        let mut all = [subjects(&first), subjects(&second)].concat();
        assert_eq!((subjects(&first).len(), all.len()), (50, 63), "{view}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 63, "{view}");
        assert!(!second.links().iter().any(|link| link.contains("after=")), "{view}");
    }
}

#[tokio::test]
async fn a_long_ticket_shows_its_end_and_the_rest_when_asked() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Long", "Beginning.").await;
    for n in 0..60 {
        desk.operator().note(&reference, &format!("Note number {n}.")).await.is(201);
    }
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let page = ana.get(&format!("/console/t/{reference}")).await.is(200);
    assert!(
        page.says("Note number 59.") && page.says("Note number 10.") && !page.says("Note number 9."),
        "{}",
        page.text
    );
    let older = page.links().into_iter().find(|link| link.contains("before=")).unwrap();
    let older = ana.get(&older).await.is(200);
    assert!(older.says("Beginning.") && older.says("Note number 9.") && !older.says("Note number 10."));
}

#[tokio::test]
async fn the_console_speaks_the_agents_language() {
    let desk = Desk::open().await;
    desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    ana.language = "fr-FR,en;q=0.5";
    let page = ana.get("/console").await.is(200);
    assert!(page.says("<html lang=\"fr\"") && page.says("À nous de répondre") && page.says("nouveau"), "{}", page.text);
    let likes = [("language", "en"), ("theme", "dark"), ("sound", "1")];
    ana.post("/console/account", &likes).await.location();
    let page = ana.get("/console").await.is(200);
    assert!(page.says("<html lang=\"en\" data-theme=\"dark\" data-keys=\"off\" data-sound=\"on\""), "{}", page.text);
}

#[tokio::test]
async fn who_else_is_at_a_ticket_is_shown_there_and_on_the_list() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let (mut ana, mut bo) = (Browser::agent(&desk, "ana", "work").await, Browser::agent(&desk, "bo", "work").await);
    let here = format!("/console/t/{reference}/here");
    assert!(ana.get("/console").await.says("class=\"dot\""));
    ana.post(&here, &[("state", "replying"), ("seq", "9")]).await.is(204);
    assert!(bo.get(&format!("/console/t/{reference}")).await.says("ana is replying"));
    assert!(bo.get("/console").await.says("ana is replying"));
    let own = ana.get("/console").await;
    assert!(!own.says("ana is replying") && !own.says("class=\"dot\""), "what was seen is read: {}", own.text);
    desk.later(Duration::from_secs(41));
    assert!(!bo.get("/console").await.says("ana is"));
    ana.post(&here, &[("state", "viewing")]).await.is(204);
    assert!(bo.get("/console").await.says("ana is viewing"));
    ana.post(&here, &[("state", "gone")]).await.is(204);
    assert!(!bo.get("/console").await.says("ana is"));
    ana.post("/console/t/GT-000-000-0000/here", &[("state", "viewing")]).await.is(204);
    let mut eve = Browser::agent(&desk, "eve", "read").await;
    eve.post(&here, &[("state", "replying"), ("typing", "on"), ("seq", "9")]).await.is(204);
    let page = bo.get("/console").await;
    assert!(page.says("eve is viewing") && !page.says("eve is replying"), "who may only read replies to nobody");
}
