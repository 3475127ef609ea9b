//! The network of letters, spoken to as people.

use std::sync::Arc;

use guichet_contract::conformance::{Answer, Behaviour, ScriptedIntake};
use guichet_contract::{Delivery, Health, Stop, TimelineEntry, Verdict};
use guichet_domain::Clock;
use guichet_domain::entry::EntryKind;
use guichet_domain::ids::{ConversationKey, MessageId, Seq};
use guichet_testkit::{Letter, LetterState, Paper, PaperOptions, PaperPost, TestClock, TestIds};

struct Life {
    post: PaperPost,
    intake: Arc<ScriptedIntake>,
    stop: Stop,
    task: tokio::task::JoinHandle<Result<(), guichet_contract::Fault>>,
}

fn live(post: &PaperPost, intake: &Arc<ScriptedIntake>) -> Life {
    let port = intake.port("letters", Arc::new(TestClock::default()), Arc::new(TestIds::default()));
    let (channel, stop) = (Paper::plugged(post, PaperOptions::default()), Stop::new());
    let task = tokio::spawn({
        let stop = stop.clone();
        async move { channel.listen(port, stop).await }
    });
    Life { post: post.clone(), intake: Arc::clone(intake), stop, task }
}

impl Life {
    async fn end(self) {
        self.stop.cancel();
        assert_eq!(self.task.await.unwrap(), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn ines_writes_and_is_told_her_number() {
    let life = live(&PaperPost::new(), &ScriptedIntake::new());
    let letter = life.post.write(Letter::from("ines@example.org").about("Printer").says("It smokes."));
    let receipt = life.post.until_taken(&letter).await.expect("a receipt");
    assert_eq!((receipt.verdict, receipt.reference.as_deref()), (Verdict::Opened, Some("GT-000-000-0000")));

    life.post.redeliver(&letter);
    let receipt = life.post.until_taken(&letter).await.expect("a receipt");
    assert_eq!((receipt.verdict, receipt.reference.as_deref()), (Verdict::Duplicate, Some("GT-000-000-0000")));
    life.end().await;
}

#[tokio::test(start_paused = true)]
async fn each_box_has_a_cursor_and_a_new_life_goes_on_where_the_old_one_ended() {
    let (post, intake) = (PaperPost::new(), ScriptedIntake::new());
    let life = live(&post, &intake);
    post.write(Letter::from("ines@example.org").says("one"));
    post.write(Letter::from("ines@example.org").says("two").into_box("yard"));
    post.write(Letter::from("ines@example.org").says("three").into_box("yard"));
    post.until_all_taken().await;
    life.end().await;
    assert_eq!(intake.cursor_at("box hall").map(|cursor| cursor.0).as_deref(), Some("1"));
    assert_eq!(intake.cursor_at("box yard").map(|cursor| cursor.0).as_deref(), Some("2"));

    post.write(Letter::from("ines@example.org").says("four").into_box("yard"));
    let life = live(&post, &intake);
    post.until_all_taken().await;
    life.end().await;
    assert_eq!(intake.accepted().len(), 4);
    assert_eq!(intake.calls().iter().map(|call| call.items.len()).sum::<usize>(), 4, "none was handed in twice");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_refused_whole_is_handed_in_as_unreadable() {
    let (post, intake) = (PaperPost::new(), ScriptedIntake::new());
    intake.answer_next([Answer::Refuse, Answer::Accept, Answer::Refuse, Answer::Accept]);
    let letters = ["good", "bad"].map(|text| post.write(Letter::from("ines@example.org").says(text)));
    let life = live(&post, &intake);
    post.until_all_taken().await;
    life.end().await;
    let verdicts = letters.map(|letter| match post.state(&letter) {
        Some(LetterState::Acknowledged(Some(receipt))) => receipt.verdict,
        other => panic!("{other:?}"),
    });
    assert_eq!(verdicts, [Verdict::Opened, Verdict::Quarantined]);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_shown_through_its_window_as_it_goes_on() {
    let life = live(&PaperPost::new(), &ScriptedIntake::new());
    let conversation = ConversationKey::new("talk");
    let says = |text: &str| {
        let entry = TimelineEntry {
            seq: Seq(0),
            kind: EntryKind::Reply,
            author: None,
            text: text.to_owned(),
            at: TestClock::default().now(),
            id: MessageId(uuid::Uuid::nil()),
            html: None,
            files: Vec::new(),
            external_id: None,
        };
        life.intake.add_entry(&conversation, entry);
    };
    says("before");
    life.post.open_window(&conversation);
    life.post.until_shown(&conversation, 1).await;
    says("after");
    says("and more");
    let shown = life.post.until_shown(&conversation, 3).await;
    let shown: Vec<_> = shown.iter().map(|entry| (entry.seq.0, entry.text.as_str())).collect();
    assert_eq!(shown, [(1, "before"), (2, "after"), (3, "and more")]);
    life.end().await;
}

#[tokio::test(start_paused = true)]
async fn sending_fails_as_told_and_in_the_order_told() {
    let post = PaperPost::new();
    let channel = Paper::plugged(&post, PaperOptions { idempotent_send: false, ..PaperOptions::default() });
    let port = ScriptedIntake::new().port("letters", Arc::new(TestClock::default()), Arc::new(TestIds::default()));
    post.behave_next([Behaviour::Down, Behaviour::DiesAfter]);
    let notice = crate::sabotage::trial();
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(channel.deliver(&port, &notice).await);
    }
    assert!(matches!(
        outcomes.as_slice(),
        [Delivery::Retry { source_down: true, .. }, Delivery::Unknown { .. }, Delivery::Delivered { .. }]
    ));
    assert_eq!(post.received_by("operator@paper.test").len(), 2, "the unknown one had come, and the repeat too");
    post.refuse("operator@paper.test");
    assert!(matches!(channel.deliver(&port, &notice).await, Delivery::Refused { hard: true, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_closed_post_office_ends_the_life_until_it_opens() {
    let (post, intake) = (PaperPost::new(), ScriptedIntake::new());
    post.behave(Behaviour::Down);
    let life = live(&post, &intake);
    assert_eq!(life.task.await.unwrap(), Err(guichet_contract::Fault::passing("the post office is closed")));
    post.behave(Behaviour::Works);
    let life = live(&post, &intake);
    intake.until(|_, healths| healths.iter().any(|health| matches!(health, Health::Good { .. }))).await;
    life.end().await;
}
