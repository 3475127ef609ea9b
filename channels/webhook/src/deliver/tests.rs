use std::net::IpAddr;
use std::sync::atomic::AtomicUsize;

use guichet_contract::conformance::ScriptedIntake;
use guichet_domain::ids::{ConversationKey, DeliveryId};
use guichet_domain::inbound::Party;
use guichet_domain::language::Language;
use guichet_testkit::{TestClock, TestIds};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::settings::hook;

fn event(text: &str) -> Outgoing {
    Outgoing {
        id: DeliveryId(guichet_domain::Ids::uuid(&TestIds::seeded(9))),
        attempt: 1,
        kind: NoticeKind::Event,
        to: Party::new("crm"),
        conversation: ConversationKey::new("hook"),
        reference: "GT-482-109-3755".to_owned(),
        language: Language::En,
        subject: "ticket.opened".to_owned(),
        text: text.to_owned(),
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

fn port() -> (Port, Arc<ScriptedIntake>) {
    let intake = ScriptedIntake::new();
    (intake.port("crm", Arc::new(TestClock::default()), Arc::new(TestIds::default())), intake)
}

fn secret() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    file
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_inside_is_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let lookup: Lookup = Arc::new({
        let asked = Arc::clone(&asked);
        move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
        }
    });
    let secret = secret();
    let settings = json!({"url": format!("https://hooks.example:{}/x", address.port()), "secret_file": secret.path()});
    let hook = hook(settings, lookup).unwrap();
    let (port, _) = port();
    let delivery = hook.deliver(&port, &event("{}")).await;
    let Delivery::Retry { detail, source_down: false, .. } = delivery else { panic!("{delivery:?}") };
    assert!(detail.contains("hooks.example leads to a private or reserved address; set allow_private"), "{detail}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let fault = hook.check(&port).await.unwrap_err();
    assert!(matches!(fault, Fault::Lasting { .. }), "{fault:?}");
    let knocked = tokio::time::timeout(Duration::from_mins(1), listener.accept()).await;
    assert!(knocked.is_err(), "somebody connected");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_event_is_refused_before_anybody_is_asked() {
    let secret = secret();
    let settings = json!({"url": "https://hooks.example/x", "secret_file": secret.path()});
    let hook = hook(settings, Arc::new(|_| panic!("nobody may be asked"))).unwrap();
    let (port, _) = port();
    let letter = Outgoing { kind: NoticeKind::Reply, ..event("{}") };
    for notice in [letter, event("{\"type\":"), event("")] {
        let delivery = hook.deliver(&port, &notice).await;
        assert!(matches!(delivery, Delivery::Refused { hard: false, .. }), "{delivery:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_and_its_end_are_reported_once() {
    let secret = secret();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port_number = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port_number}/hook/hidden-path?key=hidden-key");
    let settings = json!({"url": url, "secret_file": secret.path(), "allow_private": true});
    let hook = hook(settings, guichet_contract::reach::system()).unwrap();
    let (port, intake) = port();
    for _ in 0..3 {
        let delivery = hook.deliver(&port, &event("{}")).await;
        let Delivery::Retry { detail, source_down: true, .. } = delivery else { panic!("{delivery:?}") };
        assert!(detail.starts_with("127.0.0.1 cannot be connected to ("), "{detail}");
        assert!(!detail.contains("hidden"), "{detail}");
    }
    assert_eq!(intake.healths().len(), 1);
    assert!(matches!(&intake.healths()[0], Health::Troubled { .. }));
}
