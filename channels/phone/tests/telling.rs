//! What callers are told, and by which way.

use std::time::Duration;

use guichet_contract::{Delivery, Outgoing};
use guichet_domain::Ids;
use guichet_domain::ids::{ConversationKey, DeliveryId};
use guichet_domain::inbound::Party;
use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;
use guichet_testkit::TestIds;
use serde_json::{Value, json};

use crate::provider::{Provider, says};
use crate::switchboard::{Switchboard, TOKEN, event};

const MOBILE: &str = "+33612345678";
const LANDLINE: &str = "+33140000001";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn notice(kind: NoticeKind, number: &str, conversation: &str) -> Outgoing {
    Outgoing {
        id: DeliveryId(TestIds::default().uuid()),
        attempt: 1,
        kind,
        to: Party::new(number),
        conversation: ConversationKey::new(conversation),
        reference: "GT-482-109-3755".to_owned(),
        language: Language::Fr,
        subject: String::new(),
        text: "C’est réglé, voir avec l’accueil.".to_owned(),
        html: None,
        attachments: Vec::new(),
        reply_token: String::new(),
        message_token: String::new(),
        loop_token: String::new(),
        bounce_token: String::new(),
        in_reply_to: None,
        thread: Vec::new(),
    }
}

/// A source with these ways, each at the provider.
fn board(provider: &Provider, ways: &[&str]) -> Switchboard {
    board_of("generic", provider, ways)
}

fn board_of(kind: &str, provider: &Provider, ways: &[&str]) -> Switchboard {
    let folder = tempfile::tempdir().unwrap().keep();
    let secret = folder.join("secret");
    std::fs::write(&secret, WHSEC).unwrap();
    let mut settings = json!({"kind": kind, "public_url": "https://desk.example.org", "sign_as": "Mairie"});
    for way in ways {
        settings[*way] = match *way {
            "sms" => json!({
                "provider": "twilio", "url": provider.url(), "account": "AC1", "from": "+33700000000", "password_file": secret
            }),
            "hook" => json!({"url": format!("{}/tell", provider.url()), "allow_private": true, "secret_file": secret}),
            _ => json!({
                "url": format!("{}/ari", provider.url()), "user": "guichet", "password_file": secret,
                "endpoint": "PJSIP/{number}@trunk", "speech": "no-such-program"
            }),
        };
    }
    Switchboard::new(settings)
}

async fn tell(board: &Switchboard, notice: &Outgoing) -> Delivery {
    board.channel.deliver(&board.port, notice).await
}

#[tokio::test]
async fn a_mobile_is_texted_in_our_own_short_words() {
    let provider = Provider::start().await;
    let board = board(&provider, &["sms"]);
    for (kind, words) in [
        (NoticeKind::Acknowledgement, "Mairie : votre demande est enregistrée sous le numéro GT-482-109-3755."),
        (NoticeKind::Closure, "Mairie : votre demande GT-482-109-3755 est résolue. Sinon, rappelez-nous."),
        (NoticeKind::Reply, "C'est réglé, voir avec l'accueil."),
    ] {
        let told = tell(&board, &notice(kind, MOBILE, "call/a")).await;
        let Delivery::Delivered { external_id, .. } = told else { panic!("{told:?}") };
        assert_eq!(external_id.unwrap().as_str(), "SM1");
        let asked = provider.asked().pop().unwrap();
        assert_eq!(asked.line, "POST /2010-04-01/Accounts/AC1/Messages.json");
        assert_eq!((asked.field("To").as_str(), asked.field("Body").as_str()), (MOBILE, words));
        assert_eq!(asked.field("StatusCallback"), "https://desk.example.org/in/pbx/sms");
        assert!(asked.header("authorization").starts_with("Basic "));
    }
}

#[tokio::test]
async fn by_ovh_too_with_its_own_signature() {
    let provider = Provider::start().await;
    provider.behaves(says("200 OK", r#"{"ids":[7],"invalidReceivers":[],"validReceivers":["+33612345678"]}"#));
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF").unwrap();
    let board = Switchboard::new(json!({"sms": {
        "provider": "ovh", "url": provider.url(), "account": "sms-ab1-1", "from": "MAIRIE", "key": "7kbG7Bk7S9Nt7ZSV",
        "password_file": secret, "consumer_file": secret
    }}));
    let told = tell(&board, &notice(NoticeKind::Closure, MOBILE, "call/a")).await;
    assert!(matches!(&told, Delivery::Delivered { external_id: Some(id), .. } if id.as_str() == "7"), "{told:?}");
    let asked = provider.asked().pop().unwrap();
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!((&body["receivers"], &body["noStopClause"]), (&json!([MOBILE]), &json!(true)));
    assert_eq!(asked.line, "POST /sms/sms-ab1-1/jobs");
    assert!(asked.header("x-ovh-signature").starts_with("$1$") && asked.header("x-ovh-signature").len() == 43);
    provider.behaves(says("200 OK", r#"{"ids":[],"invalidReceivers":["+33612345678"]}"#));
    let told = tell(&board, &notice(NoticeKind::Closure, MOBILE, "call/a")).await;
    assert!(matches!(told, Delivery::Refused { .. }), "{told:?}");
}

#[tokio::test]
async fn a_text_that_may_have_left_is_a_doubt_and_is_never_sent_by_another_way() {
    let provider = Provider::start().await;
    let board = board(&provider, &["sms", "hook", "callback"]);
    assert!(!board.channel.abilities().repeats_once && !board.channel.abilities().idempotent_send);
    for manner in [crate::provider::Manner::ClosesAfter, says("500 Oops", ""), says("502 Bad Gateway", "")] {
        provider.behaves(manner);
        let before = provider.asked().len();
        let told = tell(&board, &notice(NoticeKind::Closure, MOBILE, "call/a")).await;
        assert!(matches!(told, Delivery::Unknown { .. }), "{told:?}");
        assert_eq!(provider.asked().len(), before + 1);
    }
}

#[tokio::test]
async fn a_landline_is_told_by_the_next_way() {
    let provider = Provider::start().await;
    let told = tell(&board(&provider, &["sms", "hook"]), &notice(NoticeKind::Closure, LANDLINE, "call/a")).await;
    assert!(matches!(told, Delivery::Delivered { .. }), "{told:?}");
    let asked = provider.asked().pop().unwrap();
    assert_eq!(asked.line, "POST /tell");
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["type"], "ticket.closed");
    assert_eq!((&body["caller"], &body["call_id"]), (&json!(LANDLINE), &json!("a")));
    assert!(body["say"].as_str().unwrap().contains("G T, 4 8 2, 1 0 9, 3 7 5 5"));
    assert!(asked.header("webhook-signature").starts_with("v1,"));

    // A number that the carrier refuses goes the next way as well.
    provider.behaves(says("400 Bad Request", r#"{"code":21614}"#));
    let ways = board(&provider, &["sms", "callback"]);
    let told = tell(&ways, &notice(NoticeKind::Closure, MOBILE, "call/a")).await;
    let Delivery::Refused { detail, hard: false } = told else { panic!("{told:?}") };
    assert_eq!(detail, "the text message provider answers 400 (21614); Asterisk answers 400; call back");
}

#[tokio::test]
async fn asterisk_is_asked_to_call_and_what_it_does_already_it_is_not_asked_twice() {
    let provider = Provider::start().await;
    let board = board(&provider, &["callback"]);
    for status in ["200 OK", "409 Conflict"] {
        provider.behaves(says(status, "{}"));
        let told = tell(&board, &notice(NoticeKind::Closure, LANDLINE, "call/a")).await;
        assert!(matches!(told, Delivery::Delivered { .. }), "{told:?}");
    }
    let asked = provider.asked().pop().unwrap();
    let id = DeliveryId(TestIds::default().uuid());
    let wanted =
        format!("POST /ari/channels/guichet-{id}?endpoint=PJSIP%2F%2B33140000001%40trunk&context=guichet-notice&");
    assert!(asked.line.starts_with(&wanted), "{}", asked.line);
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["variables"]["GUICHET_SPELLED"], "G T, 4 8 2, 1 0 9, 3 7 5 5");
    assert_eq!(body["variables"]["GUICHET_AUDIO"], "", "there is no program that speaks");
    // What a person wrote is read to nobody.
    let told = tell(&board, &notice(NoticeKind::Reply, LANDLINE, "call/a")).await;
    assert!(matches!(told, Delivery::Refused { .. }), "{told:?}");
}

#[tokio::test]
async fn who_heard_the_number_in_the_call_is_not_told_it_again() {
    let provider = Provider::start().await;
    let board = board(&provider, &["sms"]);
    let acknowledgement = notice(NoticeKind::Acknowledgement, MOBILE, "voice/a");
    board.post(&format!("/voice/{TOKEN}"), &event("newCall", "a", "")).await;
    assert_eq!(board.openings()[0].conversation.as_ref().unwrap().as_str(), "voice/a");
    let told = tell(&board, &acknowledgement).await;
    assert_eq!(told, Delivery::Delivered { external_id: None, detail: "spoken in the call".to_owned() });
    assert!(provider.asked().is_empty());
    // A call whose answer was never given is told by text.
    let row = board.port.intake.slot("call:a").await.unwrap();
    let mut call: Value = serde_json::from_str(&row.value.unwrap()).unwrap();
    call["spoken_at"] = Value::Null;
    board.port.intake.put_slot("call:a", row.version, Some(call.to_string())).await.unwrap();
    assert!(matches!(tell(&board, &acknowledgement).await, Delivery::Retry { .. }));
    board.clock.advance(Duration::from_secs(60));
    assert!(matches!(tell(&board, &acknowledgement).await, Delivery::Delivered { .. }));
    assert_eq!(provider.asked().len(), 1);
}

#[tokio::test]
async fn a_caller_nobody_can_reach_is_shown_as_such() {
    let provider = Provider::start().await;
    for (ways, number) in [(&[] as &[&str], MOBILE), (&["sms"], LANDLINE), (&["sms"], "3631")] {
        let told = tell(&board(&provider, ways), &notice(NoticeKind::Closure, number, "call/a")).await;
        let Delivery::Refused { detail, .. } = told else { panic!("{told:?}") };
        assert!(detail.contains("call back"), "{detail}");
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn a_text_message_that_does_not_arrive_is_followed_by_another_way_once() {
    let provider = Provider::start().await;
    let board = board_of("twilio", &provider, &["sms", "hook"]);
    tell(&board, &notice(NoticeKind::Closure, MOBILE, "call/a")).await;
    let undelivered = "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30006";
    for _ in 0..2 {
        board.post(&format!("/sms/{TOKEN}"), undelivered).await;
    }
    let lines: Vec<String> = provider.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(lines, ["POST /2010-04-01/Accounts/AC1/Messages.json", "POST /tell"]);
    assert_eq!(
        board.entries(),
        [(
            "sms:SM1:undelivered".to_owned(),
            "The text message was not delivered; the caller was told by another way.".to_owned()
        )]
    );
}
