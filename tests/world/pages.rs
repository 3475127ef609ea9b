//! The status page of a ticket, for whoever holds its key.

use guichet::desk::page::{PageReply, PageView};
use guichet_contract::{Acted, RequesterAct};
use guichet_domain::ids::Seq;
use guichet_domain::ticket::State;
use uuid::Uuid;

use super::{Plan, Spans, World, tell_of};

const PUBLIC: &str = "[desk]\npublic_url = \"https://help.test\"\n[desk.calendar]\nhours = [\"24x7\"]";

/// The key in the last letter somebody got.
fn key(letter: &str) -> String {
    let link = letter.split("https://help.test/t/").nth(1).unwrap_or_else(|| panic!("no link: {letter}"));
    link.split_whitespace().next().unwrap().to_owned()
}

async fn page(world: &World, key: &str) -> Option<PageView> {
    world.life().desk.page(key, Seq(0)).await.unwrap()
}

async fn acts(world: &World, key: &str, id: u128, act: RequesterAct) -> Acted {
    world.life().desk.page_act(key, Uuid::from_u128(id), act).await.unwrap().unwrap()
}

async fn writes(world: &World, key: &str, id: u128, text: &str) -> Option<(String, bool)> {
    let reply = PageReply { id: Uuid::from_u128(id), text: text.to_owned(), files: Vec::new() };
    world.life().desk.page_reply(key, reply).await.unwrap().map(|replied| (replied.reference, replied.follows))
}

fn words(view: &PageView) -> Vec<&str> {
    view.timeline.iter().map(|entry| entry.text.as_str()).collect()
}

#[tokio::test]
async fn who_holds_the_key_reads_writes_reopens_and_rates_and_sees_no_note() {
    tell_of(Plan::configured(PUBLIC), async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        let key = key(&jean.reads().await[0]);
        ada.notes(&ticket, "He always says that.").await;
        ada.replies(&ticket, "Is it switched on?").await;
        let view = page(world, &key).await.unwrap();
        assert_eq!(
            (view.reference.as_str(), view.subject.as_str(), view.state),
            (ticket.as_str(), "Printer broken", State::Open)
        );
        assert_eq!(view.category, "Hardware");
        assert_eq!(words(&view)[2..], ["Is it switched on?"], "no note");
        assert!(view.timeline.iter().all(|entry| !entry.text.contains("/t/")), "the key is in the letter alone");
        assert_eq!(view.timeline[2].author.as_ref().unwrap().address, "", "no login");

        assert_eq!(writes(world, &key, 1, "It is now.").await, Some((ticket.clone(), false)));
        assert_eq!(writes(world, &key, 1, "It is now.").await, Some((ticket.clone(), false)), "sent twice");
        assert_eq!(words(&page(world, &key).await.unwrap())[3..], ["It is now."]);
        assert_eq!(
            writes(world, &key, 1, "And it prints.").await,
            Some((ticket.clone(), false)),
            "went back and added"
        );
        assert_eq!(words(&page(world, &key).await.unwrap())[3..], ["It is now.", "And it prints."]);
        assert!(world.ticket(&ticket).await.timeline.pop().unwrap().verified);

        ada.closes(&ticket, "Good.").await;
        let closure = jean.reads().await.pop().unwrap();
        let later = self::key(&closure);
        assert_ne!(later, key, "each letter has a key of its own");
        assert_eq!(acts(world, &later, 2, RequesterAct::Rate { score: 4, text: None }).await, Acted::Done);
        assert_eq!(acts(world, &later, 3, RequesterAct::Reopen).await, Acted::Done);
        assert_eq!(world.state(&ticket).await, "open");
        assert_eq!(acts(world, &key, 4, RequesterAct::Close).await, Acted::Done);
        assert_eq!(page(world, &key).await.unwrap().rating, None, "that was another closure");
    })
    .await;
}

#[tokio::test]
async fn a_page_ends_ninety_days_after_closing_and_a_late_word_opens_a_ticket_that_follows() {
    tell_of(Plan::configured(PUBLIC), async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        let key = key(&jean.reads().await[0]);
        ada.closes(&ticket, "New toner.").await;
        world.forward(90.days()).await;
        let (second, follows) = writes(world, &key, 1, "Broken again.").await.unwrap();
        assert!(follows && second != ticket);
        world.forward(8.days()).await;
        assert_eq!(page(world, &key).await, None);
        assert_eq!(writes(world, &key, 2, "Hello?").await, None);
        assert_eq!(page(world, "AAAAAAAAAAAAAAAAAAAAAA").await, None, "guessed");
        assert_eq!(page(world, "' OR 1=1").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_renewed_key_ends_every_earlier_one() {
    tell_of(Plan::configured(PUBLIC), async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        let first = key(&jean.reads().await[0]);
        let desk = world.life().desk;
        let second = desk.page_renew(&first, Uuid::from_u128(1)).await.unwrap().unwrap();
        assert_eq!(page(world, &first).await, None);
        assert!(page(world, &second).await.is_some());
        ada.closes(&ticket, "New toner.").await;
        let third = key(&jean.reads().await[0]);
        desk.renew_page("ada", &ticket, Uuid::from_u128(2)).await.unwrap();
        let fourth = key(&jean.reads().await[0]);
        assert_eq!((page(world, &second).await, page(world, &third).await), (None, None));
        assert!(page(world, &fourth).await.is_some(), "the agent never saw it");
    })
    .await;
}

#[tokio::test]
async fn a_link_is_mailed_to_the_tickets_own_address_alone_and_only_so_often() {
    tell_of(Plan::configured(PUBLIC), async |world| {
        let (jean, eve) = (world.person("jean"), world.stranger("eve@evil.test"));
        let ticket = jean.writes("Printer broken").await.ticket();
        let first = key(&jean.reads().await[0]);
        let desk = world.life().desk;
        let asks = async |reference: &str, address: &str, id| {
            desk.send_page_link(reference, address, Uuid::from_u128(id)).await.unwrap();
        };
        asks(&ticket, "eve@evil.test", 1).await;
        asks("GT-000-000-0000", "jean@client.test", 2).await;
        asks("nonsense", "jean@client.test", 3).await;
        assert_eq!((jean.reads().await.len(), eve.reads().await.len()), (0, 0));
        asks(&ticket.to_lowercase(), "Jean@Client.test", 4).await;
        let link = key(&jean.reads().await[0]);
        assert!(page(world, &link).await.is_some() && page(world, &first).await.is_some(), "asking ends nothing");
        for id in 5..20 {
            asks(&ticket, "jean@client.test", id).await;
        }
        assert_eq!(jean.reads().await.len(), 3, "five an hour, with the acknowledgement");
    })
    .await;
}

#[tokio::test]
async fn without_a_public_address_there_are_no_pages_and_no_links() {
    tell_of(Plan::default(), async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        assert!(!jean.reads().await[0].contains("/t/"));
        let desk = world.life().desk;
        desk.send_page_link(&ticket, "jean@client.test", Uuid::from_u128(1)).await.unwrap();
        assert_eq!(jean.reads().await, [""; 0]);
        let refused = desk.renew_page("ada", &ticket, Uuid::from_u128(2)).await.unwrap_err().to_string();
        assert!(refused.contains("[desk] public_url"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn whose_ticket_became_part_of_anothers_gets_no_key_of_that_one() {
    tell_of(Plan::configured(PUBLIC), async |world| {
        let (jean, lena, ada) = (world.person("jean"), world.person("lena"), world.agent("ada"));
        let first = jean.writes("Printer broken").await.ticket();
        let second = lena.writes("No printer").await.ticket();
        let (his, hers) = (key(&jean.reads().await[0]), key(&lena.reads().await[0]));
        ada.merges(&second, &first).await;
        ada.closes(&first, "New toner for all.").await;
        let view = page(world, &hers).await.unwrap();
        assert!(words(&view).iter().any(|text| text.contains("New toner for all.")), "{:?}", words(&view));
        for key in [&his, &hers] {
            let view = page(world, key).await.unwrap();
            assert!(words(&view).iter().all(|text| !text.contains("/t/")), "{:?}", words(&view));
        }
        assert!(jean.reads().await.pop().unwrap().contains("https://help.test/t/"), "his letter has one");
        lena.reads().await;
    })
    .await;
}
