//! What agents and programs do beside answering: repeated requests, late agents, events for programs.

use guichet::desk::views::{MessageKind, NewAgent, NewMessage, Scope};
use guichet::desk::{DeskError, Repeat, Request, Wanted};
use guichet_contract::conformance::Behaviour;

use super::{Plan, Spans, tell, tell_of};

fn reply(text: &str, version: Option<i64>) -> Wanted {
    Wanted::Message(NewMessage { kind: MessageKind::Reply, text: text.to_owned(), ask: false, version })
}

#[tokio::test]
async fn an_act_that_is_asked_for_twice_is_carried_out_once_even_after_a_restart() {
    tell(async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        jean.reads().await;
        let repeat = Repeat::new("key-1", "reply", b"On my way.");
        let request = Request { agent: "ada", reference: &ticket, repeat: Some(&repeat) };
        let first = world.life().desk.act(&request, &reply("On my way.", None)).await.unwrap();
        world.restarts().await;
        let second = world.life().desk.act(&request, &reply("On my way.", None)).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(jean.reads().await.len(), 1);
        let other = Repeat::new("key-1", "reply", b"Something else.");
        let request = Request { repeat: Some(&other), ..request };
        let refused = world.life().desk.act(&request, &reply("Something else.", None)).await;
        assert!(matches!(refused, Err(DeskError::KeyReused)), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_signed_with_the_name_an_agent_shows_and_never_with_a_login() {
    tell(async |world| {
        let (jean, ada, bob) = (world.person("jean"), world.agent("ada.l"), world.agent("bob.k"));
        let named = |name: &str, display: Option<&str>| NewAgent {
            name: name.to_owned(),
            display: display.map(str::to_owned),
            email: None,
            role: Scope::Work,
        };
        let desk = world.life().desk;
        desk.add_agent(&named("ada.l", Some("Ada Lovelace"))).await.unwrap();
        desk.add_agent(&named("bob.k", None)).await.unwrap();
        let ticket = jean.writes("Printer broken").await.ticket();
        jean.reads().await;
        ada.replies(&ticket, "On my way.").await;
        bob.replies(&ticket, "Me too.").await;
        let read = jean.reads().await;
        assert!(read[0].ends_with(&format!("-- \nAda Lovelace, Support\n{ticket}\n")), "{}", read[0]);
        assert!(read[1].ends_with(&format!("-- \nSupport\n{ticket}\n")), "{}", read[1]);
        assert!(!format!("{:?}", jean.letters()).contains("bob.k"));
    })
    .await;
}

#[tokio::test]
async fn an_agent_who_has_not_seen_the_last_word_is_shown_it_first() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        let seen = world.ticket(&ticket).await.ticket.version;
        jean.reads().await;
        world.forward(1.minutes()).await;
        jean.answers("Never mind, it works.").await;
        let refused = ada.tries(&ticket, &reply("I am coming.", Some(seen))).await;
        let Err(DeskError::Outdated { version, meanwhile }) = refused else { panic!("{refused:?}") };
        let missed: Vec<_> = meanwhile.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(missed, ["Never mind, it works."]);
        assert_eq!(jean.reads().await, [""; 0]);
        ada.does(&ticket, reply("Good.", Some(version))).await;
        assert_eq!(jean.reads().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_program_hears_what_happens_and_no_word_of_it() {
    let plan = Plan { program: Some(Vec::new()), ..Plan::default() };
    tell_of(plan, async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let told = jean.writes("My salary is wrong").await;
        let ticket = told.ticket();
        world.post.redeliver(&told.id);
        world.receives().await;
        jean.reads().await;
        ada.replies(&ticket, "Which month?").await;
        jean.reads().await;
        jean.answers("March.").await;
        ada.closes(&ticket, "Mended.").await;
        world.forward(8.days()).await;
        let heard: Vec<_> = world.wire.sent().iter().map(|sent| event(&sent.notice.text)).collect();
        let expected = ["ticket.opened", "ticket.replied", "ticket.message", "ticket.resolved", "ticket.closed"];
        assert_eq!(heard, expected.map(|kind| (kind.to_owned(), ticket.clone())));
        let said = format!("{:?}", world.wire.sent());
        assert!(!said.contains("salary") && !said.contains("March") && !said.contains("client.test"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_program_that_refuses_is_nobodys_trouble_but_its_own() {
    let plan = Plan { program: Some(vec!["ticket.opened".into(), "ticket.attention".into()]), ..Plan::default() };
    tell_of(plan, async |world| {
        let jean = world.person("jean");
        world.wire.behave(Behaviour::Refuses);
        let ticket = jean.writes("Printer broken").await.ticket();
        assert_eq!(jean.reads().await.len(), 1);
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent", "event refused (report.failed)"]);
        assert_eq!(world.attention(&ticket).await, "");
        assert_eq!(world.wire.attempts(), 1, "and no event speaks of it");
    })
    .await;
}

#[tokio::test]
async fn a_delivery_an_agent_sends_again_by_hand_arrives() {
    tell(async |world| {
        let jean = world.person("jean");
        world.post.behave_next([Behaviour::Refuses]);
        let ticket = jean.writes("Printer broken").await.ticket();
        assert_eq!(jean.reads().await, [""; 0]);
        let row = world.ticket(&ticket).await.deliveries.remove(0);
        world.life().desk.retry(row.id).await.unwrap();
        assert_eq!(jean.reads().await.len(), 1);
        assert!(world.life().desk.retry(row.id).await.is_err(), "what was sent is not sent again");
        assert!(world.life().desk.cancel(row.id).await.is_err(), "nor taken out");
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_is_taken_out_lets_the_next_one_go() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        jean.reads().await;
        world.post.behave_next([Behaviour::AsksToWait(3.hours())]);
        ada.replies(&ticket, "A slip of the pen.").await;
        ada.replies(&ticket, "What I meant.").await;
        assert_eq!(jean.reads().await, [""; 0]);
        let slip = world.ticket(&ticket).await.deliveries.remove(1);
        world.life().desk.cancel(slip.id).await.unwrap();
        let read = jean.reads().await;
        assert!(matches!(&read[..], [one] if one.starts_with("What I meant.")), "{read:?}");
    })
    .await;
}

/// Its kind and its ticket.
fn event(text: &str) -> (String, String) {
    let event: serde_json::Value = serde_json::from_str(text).unwrap();
    (event["type"].as_str().unwrap().to_owned(), event["data"]["reference"].as_str().unwrap().to_owned())
}
