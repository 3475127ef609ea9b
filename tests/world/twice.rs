//! Accepted once: whatever comes again, by whatever way, is the same ticket.

use guichet_contract::Verdict;
use guichet_domain::Clock as _;
use guichet_domain::ids::{ExternalId, SourceName};
use guichet_domain::inbound::{Content, Inbound, Item, Party};
use guichet_testkit::LetterState;

use super::life::LETTERS;
use super::network::Halt;
use super::{Spans, World, tell};

#[tokio::test]
async fn a_letter_that_comes_three_times_is_one_ticket_with_one_acknowledgement() {
    tell(async |world| {
        let jean = world.person("jean");
        let id = world.post.write(jean.letter().about("Printer broken").says("Printer broken"));
        world.post.redeliver(&id);
        world.receives().await;
        let second = world.told(&id);
        world.restarts().await;
        world.forward(3.days()).await;
        world.post.redeliver(&id);
        world.receives().await;
        let third = world.told(&id);
        assert_eq!((second.verdict(), third.verdict()), (Verdict::Duplicate, Verdict::Duplicate));
        assert_eq!(second.ticket(), third.ticket());
        assert_eq!(received(world).await, [1, 0, 2, 0]);
        assert_eq!(jean.reads().await.iter().filter(|text| text.contains("We have received")).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_duplicate_of_an_answer_names_its_ticket_and_its_place() {
    tell(async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        jean.reads().await;
        let answer = jean.answers("It is upstairs.").await;
        assert_eq!((answer.verdict(), answer.receipt.seq.0), (Verdict::Appended, 3));
        world.post.redeliver(&answer.id);
        world.receives().await;
        let again = world.told(&answer.id);
        assert_eq!((again.verdict(), again.ticket(), again.receipt.seq.0), (Verdict::Duplicate, ticket, 3));
    })
    .await;
}

#[tokio::test]
async fn killed_before_it_was_durable_the_letter_comes_again() {
    tell(async |world| {
        let jean = world.person("jean");
        let id = world.post.write(jean.letter().about("Printer broken").says("Printer broken"));
        world.is_killed_receiving(Halt::Before).await;
        assert_eq!(world.post.state(&id), Some(LetterState::Waiting), "nobody said yes");
        assert_eq!(received(world).await, [0, 0, 0, 0]);
        world.receives().await;
        assert_eq!(world.told(&id).verdict(), Verdict::Opened);
        assert_eq!(jean.reads().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn killed_between_durable_and_yes_the_letter_is_one_ticket() {
    tell(async |world| {
        let jean = world.person("jean");
        let id = world.post.write(jean.letter().about("Printer broken").says("Printer broken"));
        world.is_killed_receiving(Halt::After).await;
        assert_eq!(world.post.state(&id), Some(LetterState::Waiting), "nobody said yes");
        world.receives().await;
        assert_eq!(world.post.state(&id), Some(LetterState::Acknowledged(None)), "by the cursor, which rode along");
        assert_eq!(received(world).await, [1, 0, 0, 0]);
        world.post.redeliver(&id);
        world.receives().await;
        assert_eq!(world.told(&id).verdict(), Verdict::Duplicate);
        assert_eq!(jean.reads().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_mail_by_two_ways_is_one_ticket() {
    tell(async |world| {
        let first = hands_in(world, vec![copy("box-1/17", "mid-a"), copy("box-2/4", "mid-a")]).await;
        let later = hands_in(world, vec![copy("box-3/9", "mid-a"), copy("box-3/10", "mid-b")]).await;
        let all: Vec<_> = first.iter().chain(&later).map(|(verdict, _)| *verdict).collect();
        assert_eq!(all, [Verdict::Opened, Verdict::Duplicate, Verdict::Duplicate, Verdict::Opened]);
        assert_eq!(first[0].1, first[1].1);
        assert_eq!(first[0].1, later[0].1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_in_the_same_batch_as_its_question_joins_it_and_one_that_overtook_it_is_joined() {
    tell(async |world| {
        let jean = world.person("jean");
        let question =
            world.post.write(jean.letter().about("Printer broken").says("It is broken").in_conversation("c1"));
        let answer = jean.letter().about("Re: Printer broken").says("The big one.");
        let answer = world.post.write(answer.with(|item| item.refers_to.ids.push(question.clone())));
        world.receives().await;
        assert_eq!(world.told(&answer).verdict(), Verdict::Appended);
        assert_eq!(world.told(&answer).ticket(), world.told(&question).ticket());

        let second = jean.posts(jean.letter().says("and red").about("two").in_conversation("c2")).await;
        let first = jean.posts(jean.letter().says("It is blue").about("one").in_conversation("c2")).await;
        assert_eq!((second.verdict(), first.verdict()), (Verdict::Opened, Verdict::Appended));
        assert_eq!(second.ticket(), first.ticket());
    })
    .await;
}

#[tokio::test]
async fn after_a_restart_nothing_that_was_acknowledged_is_handed_in_again() {
    tell(async |world| {
        let jean = world.person("jean");
        for post_box in ["hall", "yard", "hall", "yard"] {
            jean.posts(jean.letter().about("A wish").says("A wish").into_box(post_box)).await;
        }
        world.restarts().await;
        world.receives().await;
        assert_eq!(received(world).await, [4, 0, 0, 0]);
    })
    .await;
}

/// Opened, appended, duplicate, quarantined, of all that came in by letter.
async fn received(world: &World) -> [i64; 4] {
    let balance = world.life().desk.reconcile().await.unwrap();
    let source = balance.sources.first();
    source.map_or([0; 4], |source| [source.opened, source.appended, source.duplicate, source.quarantined])
}

async fn hands_in(world: &World, batch: Vec<Inbound>) -> Vec<(Verdict, Option<String>)> {
    let life = world.life();
    let batch = batch.into_iter().map(|item| Inbound { received_at: world.clock.now(), ..item }).collect();
    let accepted = life.reception.accept(&SourceName::from(LETTERS), &life.letters(), batch, Vec::new()).await.unwrap();
    accepted.receipts.into_iter().map(|receipt| (receipt.verdict, receipt.reference)).collect()
}

/// One message as it lies in one of several places.
fn copy(place: &str, message: &str) -> Inbound {
    let item = Item {
        from: Some(Party::new("jean@client.test")),
        subject: Some(message.to_owned()),
        text: "Printer broken".into(),
        reply_text: "Printer broken".into(),
        ..Item::default()
    };
    Inbound {
        external_id: ExternalId::new(place),
        same_as: vec![message.to_owned()],
        content: Content::Read(Box::new(item)),
        received_at: guichet_domain::Moment::EARLIEST,
        raw: message.as_bytes().to_vec(),
        quiet: None,
    }
}
