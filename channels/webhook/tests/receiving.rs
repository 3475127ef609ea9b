//! What receivers get, and what they may do to us.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::conformance::ScriptedIntake;
use guichet_contract::{Channel, Delivery, Health, Kind, Outgoing, Port};
use guichet_domain::ids::{ConversationKey, DeliveryId, SourceName};
use guichet_domain::inbound::Party;
use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::{Clock, Ids};
use guichet_testkit::{TestClock, TestIds};
use guichet_webhook::Webhook;
use serde_json::json;
use tokio::time::Instant;

use crate::receiver::{Manner, Receiver, says};
use crate::verify::verify;

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

struct Scene {
    receiver: Receiver,
    hook: Arc<dyn Channel>,
    port: Port,
    intake: Arc<ScriptedIntake>,
    clock: TestClock,
}

async fn scene() -> Scene {
    let receiver = Receiver::start().await;
    let secrets = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secrets.path(), format!("{NEW}\n{OLD}\n")).unwrap();
    let settings = json!({
        "url": format!("http://{}/hooks/guichet", receiver.address),
        "secret_file": secrets.path(),
        "allow_private": true,
        "timeout_secs": 10,
    });
    let hook = Webhook.build(&SourceName::from("crm"), settings, Path::new("/nonexistent")).unwrap();
    let clock = TestClock::default();
    let intake = ScriptedIntake::new();
    let port = intake.port("crm", Arc::new(clock.clone()), Arc::new(TestIds::default()));
    Scene { receiver, hook, port, intake, clock }
}

fn event(text: &str) -> Outgoing {
    Outgoing {
        id: DeliveryId(TestIds::seeded(9).uuid()),
        attempt: 1,
        kind: NoticeKind::Event,
        to: Party::new("crm"),
        conversation: ConversationKey::new("hook"),
        reference: "GT-482-109-3755".to_owned(),
        language: Language::Fr,
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

impl Scene {
    async fn tell(&self, text: &str) -> Delivery {
        self.hook.deliver(&self.port, &event(text)).await
    }
}

#[tokio::test(start_paused = true)]
async fn the_receiver_gets_the_event_as_it_is_and_can_verify_it_with_either_secret() {
    let scene = scene().await;
    let text = r#"{"type":"ticket.opened","data":{"reference":"GT-482-109-3755","subject":"Imprimante cassée"}}"#;
    assert_eq!(scene.tell(text).await, Delivery::Delivered { external_id: None, detail: "HTTP 204".to_owned() });
    let [came] = scene.receiver.posts().try_into().unwrap();
    assert_eq!(came.line, "POST /hooks/guichet HTTP/1.1");
    assert_eq!(came.body, text.as_bytes());
    assert_eq!(came.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(came.header("webhook-id"), Some(event("").id.to_string()));
    assert!(came.header("user-agent").unwrap().starts_with("guichet/"));
    let now = scene.clock.now().secs();
    for secret in [OLD, NEW] {
        assert_eq!(verify(secret, now, |name| came.header(name), &came.body), Ok(()));
    }
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(verify(stranger, now, |name| came.header(name), &came.body).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_repeat_has_the_same_id_and_a_signature_of_its_own_time() {
    let scene = scene().await;
    scene.receiver.behaves(says("500 Internal Server Error"));
    scene.tell("{}").await;
    scene.clock.advance(Duration::from_hours(1));
    scene.receiver.behaves(says("200 OK"));
    scene.tell("{}").await;
    let [first, second] = scene.receiver.posts().try_into().unwrap();
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    let now = scene.clock.now().secs();
    assert_eq!(verify(NEW, now, |name| second.header(name), &second.body), Ok(()));
    assert!(verify(NEW, now, |name| first.header(name), &first.body).is_err(), "an hour old");
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let (scene, elsewhere) = (scene().await, Receiver::start().await);
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        scene.receiver.behaves(says(&format!("{status}\r\nlocation: http://{}/", elsewhere.address)));
        let delivery = scene.tell("{}").await;
        assert!(matches!(delivery, Delivery::Refused { hard: false, .. }), "{status}: {delivery:?}");
    }
    assert_eq!(elsewhere.came().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_for_good_is_marked_so() {
    let scene = scene().await;
    scene.receiver.behaves(says("410 Gone"));
    assert!(matches!(scene.tell("{}").await, Delivery::Refused { hard: true, .. }));
}

#[tokio::test(start_paused = true)]
async fn of_an_answer_without_end_only_the_beginning_is_read() {
    let scene = scene().await;
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 500 No\r\ncontent-length: 99999999999\r\n\r\n"] {
        scene.receiver.behaves(Manner::Floods(head.to_owned()));
        let delivery = scene.tell("{}").await;
        let detail = match &delivery {
            Delivery::Delivered { detail, .. } | Delivery::Retry { detail, .. } => detail,
            other => panic!("{other:?}"),
        };
        assert!(detail.chars().count() < 250, "{} characters were kept", detail.chars().count());
    }
    // What the kernel's buffers on both sides hold, and no more.
    assert!(scene.receiver.flooded() < 32 << 20, "{} bytes were taken", scene.receiver.flooded());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_costs_the_time_limit_and_a_body_that_never_ends_two_seconds() {
    let scene = scene().await;
    let began = Instant::now();
    scene.receiver.behaves(Manner::Drips("HTTP/1.1 200 OK\r\nx-slow: ".to_owned()));
    let delivery = scene.tell("{}").await;
    let Delivery::Retry { detail, source_down: false, .. } = delivery else { panic!("{delivery:?}") };
    assert_eq!(detail, "127.0.0.1 gave no answer within 10 s");
    assert_eq!(began.elapsed().as_secs(), 10);

    let began = Instant::now();
    scene.receiver.behaves(Manner::Drips("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthanks".to_owned()));
    let delivery = scene.tell("{}").await;
    assert_eq!(delivery, Delivery::Delivered { external_id: None, detail: "HTTP 200: thanks".to_owned() });
    assert_eq!(began.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn nonsense_for_an_answer_is_a_retry() {
    let scene = scene().await;
    for nonsense in
        ["", "\0\0\0\0", "SSH-2.0-OpenSSH_9.6\r\n", "HTTP/1.1 99999 What\r\n\r\n", "HTTP/1.1 200 OK\r\nbroken\r\n\r\n"]
    {
        scene.receiver.behaves(Manner::Says(nonsense.to_owned()));
        let delivery = scene.tell("{}").await;
        assert!(matches!(delivery, Delivery::Retry { .. }), "{nonsense:?}: {delivery:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn doctor_asks_by_head_and_posts_nothing() {
    let scene = scene().await;
    let findings = scene.hook.check(&scene.port).await.unwrap();
    assert_eq!(findings, ["127.0.0.1 can be reached; it answers HEAD with 405 Method Not Allowed"]);
    assert_eq!(scene.receiver.posts().len(), 0);
    assert_eq!(scene.receiver.came().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn health_tells_when_events_stop_to_arrive_and_when_they_do_again() {
    let scene = scene().await;
    for answer in ["204 No Content", "404 Not Found", "500 No", "204 No Content", "204 No Content"] {
        scene.receiver.behaves(says(answer));
        scene.tell("{}").await;
    }
    let healths = scene.intake.healths();
    let good = Health::Good { note: "tells 127.0.0.1 of events".to_owned() };
    assert_eq!(healths, [Health::Troubled { note: "HTTP 404".to_owned() }, good]);
}
