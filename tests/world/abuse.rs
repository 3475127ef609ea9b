//! Loops, floods, forgeries and strangers' words: what must not leave does not, and nothing is lost for it.

use guichet::desk::Wanted;
use guichet::desk::views::{Standing, Transition};
use guichet_contract::Verdict;
use guichet_domain::inbound::OwnClaim;
use guichet_testkit::{Letter, PaperOptions};

use super::{Plan, Spans, tell, tell_of};

#[tokio::test]
async fn the_sixth_request_within_an_hour_is_registered_and_not_acknowledged() {
    tell(async |world| {
        let jean = world.person("jean");
        for wish in ["one", "two", "three", "four", "five"] {
            let ticket = jean.writes(wish).await.ticket();
            assert_eq!(world.deliveries(&ticket).await, ["acknowledgement pending"]);
        }
        let sixth = jean.writes("six").await;
        assert_eq!(sixth.verdict(), Verdict::Opened);
        assert_eq!(world.deliveries(&sixth.ticket()).await, ["acknowledgement suppressed (cap.sender_hour)"]);
        assert!(world.reasons(&sixth.ticket()).await.contains(&"cap.sender_hour".to_owned()));
        assert_eq!(jean.reads().await.len(), 5);

        world.forward(61.minutes()).await;
        jean.writes("seven").await;
        assert_eq!(jean.reads().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_cap_counts_within_one_batch_too() {
    tell(async |world| {
        let jean = world.person("jean");
        let ids: Vec<_> =
            (1..=8).map(|n| world.post.write(jean.letter().about(&format!("wish {n}")).says("please"))).collect();
        world.receives().await;
        assert!(ids.iter().all(|id| world.told(id).verdict() == Verdict::Opened));
        assert_eq!(jean.reads().await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn nobody_gets_more_than_twenty_acknowledgements_a_day() {
    tell_of(Plan::configured("[desk]\ndelay_notice = false"), async |world| {
        let jean = world.person("jean");
        for hour in 0..5 {
            for wish in 0..5 {
                jean.writes(&format!("wish {wish} of hour {hour}")).await;
            }
            world.forward(61.minutes()).await;
        }
        assert_eq!(jean.reads().await.len(), 20);
        world.forward(1.days()).await;
        let ticket = jean.writes("the next day").await.ticket();
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement pending"]);
    })
    .await;
}

#[tokio::test]
async fn a_strange_domain_is_capped_and_our_own_is_not() {
    let plan = Plan::configured("[caps]\ndomain_hour = 3\nown_domains = [\"desk.test\"]");
    tell_of(plan, async |world| {
        for n in 1..=5 {
            world.person(&format!("person{n}")).writes("Help").await;
            world.stranger(&format!("colleague{n}@paris.desk.test")).writes("Help").await;
        }
        world.works().await;
        let sent = world.post.sent();
        let to = |domain: &str| sent.iter().filter(|letter| letter.notice.to.address.ends_with(domain)).count();
        assert_eq!((to("client.test"), to("desk.test")), (3, 5));
    })
    .await;
}

#[tokio::test]
async fn a_rush_is_delayed_and_nothing_of_it_is_lost() {
    tell_of(Plan::configured("[caps]\nbreaker_floor = 3\nbreaker_pause_minutes = 5"), async |world| {
        let people: Vec<_> = (1..=5).map(|n| world.stranger(&format!("someone@town{n}.test"))).collect();
        let mut tickets = Vec::new();
        for person in &people {
            tickets.push(person.writes("The network is down").await.ticket());
        }
        world.works().await;
        assert_eq!(world.post.sent().len(), 3);
        assert_eq!(world.deliveries(&tickets[3]).await, ["acknowledgement pending (breaker.open)"]);
        world.forward(6.minutes()).await;
        for person in &people {
            assert_eq!(person.reads().await.len(), 1, "{}", person.address);
        }
    })
    .await;
}

#[tokio::test]
async fn who_is_not_vouched_for_reads_our_own_words_only() {
    tell(async |world| {
        let (eve, ada) = (world.stranger("eve@elsewhere.test"), world.agent("ada"));
        let ticket = eve.writes("Buy cheap watches").await.ticket();
        let read = eve.reads().await;
        assert!(
            read[0].starts_with(&format!("Hello,\n\nWe have received your request. Its number is {ticket}.\n\n")),
            "{}",
            read[0]
        );
        assert!(!format!("{:?}", eve.letters()[0].notice).contains("watches"));

        let close = Transition::Close { text: None, silent: false, version: None };
        ada.does(&ticket, Wanted::Transition(close)).await;
        let read = eve.reads().await;
        assert!(read[0].starts_with(&format!("Hello,\n\nYour request {ticket} is resolved.\n\n")), "{}", read[0]);
        assert!(!format!("{:?}", eve.letters()[1].notice).contains("watches"));
    })
    .await;
}

#[tokio::test]
async fn a_machine_is_heard_and_never_answered() {
    tell(async |world| {
        let (machine, ada) = (world.person("monitor"), world.agent("ada"));
        let letter = machine.letter().about("Disk full").says("Disk full on srv3").by_machine();
        let told = machine.posts(letter).await;
        assert_eq!(told.verdict(), Verdict::Opened);
        ada.closes(&told.ticket(), "Cleaned up.").await;
        world.forward(30.days()).await;
        assert_eq!(world.deliveries(&told.ticket()).await, [""; 0]);
        assert!(world.reasons(&told.ticket()).await.contains(&"ack.none.machine".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn nothing_automatic_goes_to_an_address_that_is_known_not_to_work() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        world.post.refuse("jean@client.test");
        let ticket = jean.writes("Printer broken").await.ticket();
        world.works().await;
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement refused (report.failed)"]);
        assert_eq!(world.attention(&ticket).await, "report.failed");
        ada.closes(&ticket, "New toner.").await;
        world.works().await;
        assert_eq!(
            world.deliveries(&ticket).await,
            ["acknowledgement refused (report.failed)", "closure suppressed (notice.undeliverable)"]
        );
        assert_eq!(world.attention(&ticket).await, "notice.undeliverable");
    })
    .await;
}

#[tokio::test]
async fn a_forged_sender_does_not_make_a_dead_address_work_again_and_a_proved_one_does() {
    tell(async |world| {
        let jean = world.person("jean");
        world.post.refuse("jean@client.test");
        jean.writes("Printer broken").await;
        world.works().await;
        let forger = world.person("jean").unsealed();
        for words in ["Buy watches", "Buy more watches"] {
            let ticket = forger.writes(words).await.ticket();
            assert_eq!(world.deliveries(&ticket).await, [""; 0]);
            assert!(world.reasons(&ticket).await.contains(&"ack.none.undeliverable".to_owned()));
        }
        jean.writes("My mailbox is back").await;
        let ticket = jean.writes("Do you hear me?").await.ticket();
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement pending"]);
    })
    .await;
}

#[tokio::test]
async fn what_the_operator_blocks_is_kept_aside_and_can_be_let_in() {
    tell_of(Plan::configured("[desk]\nblocked = [\"@spam.test\"]"), async |world| {
        let spammer = world.stranger("sales@spam.test");
        let told = spammer.writes("Offer").await;
        assert_eq!(told.verdict(), Verdict::Quarantined);
        assert_eq!(told.receipt.reason.as_ref().map(guichet_domain::reason::Reason::as_str), Some("blocked.sender"));
        assert_eq!(spammer.reads().await, [""; 0]);
        world.post.redeliver(&told.id);
        world.receives().await;
        assert_eq!(world.told(&told.id).verdict(), Verdict::Duplicate);

        let desk = world.life().desk;
        let held = desk.quarantined(Standing::Held, None, None).await.unwrap();
        assert_eq!(held.held, 1);
        let receipt = desk.release("ada", held.items[0].id).await.unwrap();
        assert_eq!(receipt.verdict, Verdict::Opened);
        let ticket = receipt.reference.unwrap();
        assert_eq!(world.state(&ticket).await, "new");
        assert_eq!(desk.quarantined(Standing::Held, None, None).await.unwrap().held, 0);
        let again = desk.release("ada", held.items[0].id).await;
        assert!(again.is_err(), "what is in cannot be let in again");
        let balance = desk.reconcile().await.unwrap();
        let letters = &balance.sources[0];
        assert_eq!((letters.opened, letters.duplicate, letters.quarantined, letters.received), (1, 1, 0, 2));
    })
    .await;
}

#[tokio::test]
async fn our_own_letter_come_back_is_known_by_its_token_and_a_forged_one_is_kept_aside() {
    let letters = PaperOptions { addresses: vec!["desk@letters.test".into()], ..PaperOptions::default() };
    tell_of(Plan::on(letters), async |world| {
        let jean = world.person("jean");
        let to_us = |item: &mut guichet_domain::inbound::Item| {
            item.recipients = vec![guichet_domain::inbound::Party::new("desk@letters.test")];
        };
        let letter = jean.letter().about("Printer broken").says("Printer broken").with(to_us);
        let ticket = jean.posts(letter).await.ticket();
        world.works().await;
        let ack = jean.letters().pop().unwrap();

        let ours = |tokens: Vec<String>| {
            let own = OwnClaim::Claimed { tokens };
            Letter::from("desk@letters.test")
                .about(&ack.notice.subject)
                .says(&ack.notice.text)
                .with(|item| item.own = own)
        };
        let desk = world.stranger("desk@letters.test");
        assert_eq!(desk.posts(ours(vec![ack.notice.loop_token.clone()])).await.verdict(), Verdict::Duplicate);
        let forged = desk.posts(ours(vec!["no-token-of-ours".into()])).await;
        assert_eq!(forged.receipt.reason.as_ref().map(guichet_domain::reason::Reason::as_str), Some("own.forged"));
        assert_eq!(world.ticket(&ticket).await.timeline.len(), 2, "neither is in the ticket");
        let balance = world.life().desk.reconcile().await.unwrap();
        let source = &balance.sources[0];
        assert_eq!((source.opened, source.duplicate, source.quarantined, source.received), (1, 1, 1, 3));
    })
    .await;
}
