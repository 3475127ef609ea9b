//! People who talk on a page of ours: they close, reopen, rate, read, and are reached by letter when they are gone.

use std::cell::Cell;

use guichet_contract::{Acted, Receipt, RequesterAct, Signal, Standing};
use guichet_domain::Clock as _;
use guichet_domain::ids::{ConversationKey, ExternalId, Seq};
use guichet_domain::inbound::{Attachment, Contact, Content, Inbound, Item, Party};
use guichet_domain::ticket::State;
use uuid::Uuid;

use super::life::{FORM, TALK};
use super::{Plan, Spans, World, tell_of};

/// Somebody on a page.
pub(super) struct Visitor<'w> {
    world: &'w World,
    source: &'static str,
    address: String,
    name: &'static str,
    key: ConversationKey,
    said: Cell<u128>,
}

impl<'w> Visitor<'w> {
    /// Somebody who talks.
    pub(super) fn talking(world: &'w World, name: &'static str) -> Self {
        let (address, key) = (format!("talk:{name}"), ConversationKey::new(format!("{name}:1")));
        Self { world, source: TALK, address, name, key, said: Cell::new(0) }
    }

    /// Somebody who fills in a form, with this address.
    pub(super) fn filling_in(world: &'w World, name: &'static str, address: &str) -> Self {
        let key = ConversationKey::new(format!("form-{name}"));
        Self { world, source: FORM, address: address.to_owned(), name, key, said: Cell::new(0) }
    }

    /// Says something; gives what the page is told.
    pub(super) async fn says(&self, words: &str) -> Receipt {
        self.hands_in(self.item(words)).await
    }

    pub(super) fn item(&self, words: &str) -> Item {
        Item {
            from: Some(Party { address: self.address.clone(), name: Some(self.name.to_owned()) }),
            conversation: Some(self.key.clone()),
            text: words.to_owned(),
            reply_text: words.to_owned(),
            ..Item::default()
        }
    }

    pub(super) async fn hands_in(&self, item: Item) -> Receipt {
        let port = self.world.port(self.source);
        let inbound = Inbound {
            external_id: ExternalId::new(format!("{}-{}", self.key, self.next())),
            same_as: Vec::new(),
            raw: item.text.clone().into_bytes(),
            content: Content::Read(Box::new(item)),
            received_at: self.world.clock.now(),
            quiet: None,
        };
        port.intake.accept(vec![inbound], Vec::new()).await.unwrap().receipts.remove(0)
    }

    /// Acts, each time anew.
    pub(super) async fn does(&self, act: RequesterAct) -> Acted {
        self.does_as(Uuid::from_u128(self.next()), act).await
    }

    async fn does_as(&self, id: Uuid, act: RequesterAct) -> Acted {
        self.world.port(self.source).conversations.act(&self.key, id, act).await.unwrap()
    }

    pub(super) async fn standing(&self) -> Standing {
        self.world.port(self.source).conversations.standing(&self.key).await.unwrap().unwrap()
    }

    /// What the page shows behind this place: place, writer, words.
    pub(super) async fn sees(&self, after: i64) -> Vec<String> {
        let entries = self.world.port(self.source).intake.timeline(&self.key, Seq(after)).await.unwrap();
        let writer = |author: Option<Party>| author.and_then(|author| author.name).unwrap_or_else(|| "-".into());
        entries.into_iter().map(|entry| format!("{} {}: {}", entry.seq.0, writer(entry.author), entry.text)).collect()
    }

    fn next(&self) -> u128 {
        self.said.set(self.said.get() + 1);
        self.said.get()
    }
}

fn refused(acted: &Acted) -> &str {
    match acted {
        Acted::Refused { code, .. } => code.as_str(),
        other => panic!("it was not refused: {other:?}"),
    }
}

fn rate(score: u8) -> RequesterAct {
    RequesterAct::Rate { score, text: Some("You were kind.".to_owned()) }
}

fn contact(address: &str) -> RequesterAct {
    RequesterAct::Contact { address: address.to_owned() }
}

#[tokio::test]
async fn a_visitor_closes_reopens_and_says_how_it_was() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, ada) = (Visitor::talking(world, "jean"), world.agent("ada"));
        let ticket = jean.says("The printer is broken.").await.reference.unwrap();
        ada.replies(&ticket, "Is it switched on?").await;
        assert_eq!(refused(&jean.does(rate(5)).await), "act.not_resolved");

        let once = Uuid::from_u128(99);
        assert_eq!(jean.does_as(once, RequesterAct::Close).await, Acted::Done);
        assert_eq!(jean.does_as(once, RequesterAct::Close).await, Acted::Already, "the same click came twice");
        assert_eq!(jean.does(RequesterAct::Close).await, Acted::Already, "nothing is left to close");
        assert_eq!(jean.standing().await.state, State::Resolved);
        let last = jean.sees(3).await;
        assert!(last.len() == 1 && last[0].contains(&format!("4 -: Hello jean,\n\nYou closed your request {ticket}")));

        assert_eq!(jean.does(RequesterAct::Reopen).await, Acted::Done);
        assert_eq!(jean.does(RequesterAct::Reopen).await, Acted::Already);
        assert_eq!(world.state(&ticket).await, "open");
        assert_eq!(jean.does(RequesterAct::Close).await, Acted::Done);

        assert_eq!(refused(&jean.does(rate(6)).await), "act.invalid");
        assert_eq!(jean.does(rate(2)).await, Acted::Done);
        assert_eq!(jean.does(rate(5)).await, Acted::Done, "the last word stands");
        assert!(jean.standing().await.rated);
        let told = world.ticket(&ticket).await.timeline.pop().unwrap();
        assert_eq!(
            (told.kind.as_str(), told.text.as_str()),
            ("event", "The requester rated it. 5 of 5: You were kind.")
        );

        world.forward(8.days()).await;
        assert_eq!(refused(&jean.does(RequesterAct::Reopen).await), "act.window_over");
        assert_eq!(refused(&jean.does(rate(1)).await), "act.window_over");
        assert!(world.post.sent().is_empty(), "nobody is written a letter about what they did themselves");
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_lies_unread_is_mailed_once_and_its_answer_lands_in_the_ticket() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, ada) = (Visitor::talking(world, "jean"), world.agent("ada"));
        let ticket = jean.says("The printer is broken.").await.reference.unwrap();
        assert_eq!(refused(&jean.does(contact("no address")).await), "act.address");
        assert_eq!(jean.does(contact("jean@home.test")).await, Acted::Done);
        assert!(jean.standing().await.has_contact);
        ada.replies(&ticket, "Is it switched on?").await;
        ada.replies(&ticket, "And plugged in?").await;

        let home = world.stranger("jean@home.test");
        world.forward(9.minutes()).await;
        assert_eq!(home.reads().await, [""; 0], "they may still be reading");
        world.forward(2.minutes()).await;
        let letters = home.reads().await;
        assert_eq!(letters.len(), 1, "together: {letters:?}");
        assert!(letters[0].contains("Is it switched on?") && letters[0].contains("And plugged in?"), "{letters:?}");
        assert!(!letters[0].contains("broken"), "nothing of what somebody wrote goes to an address nobody vouches for");
        world.forward(1.days()).await;
        assert_eq!(home.reads().await, [""; 0], "once");

        let answer = home.answers("It is now.").await;
        assert_eq!(answer.ticket(), ticket);
        assert_eq!(jean.sees(4).await, ["5 jean: It is now."]);
        let entry = world.ticket(&ticket).await.timeline.pop().unwrap();
        assert!(!entry.verified, "nobody vouches for who wrote it");
        assert_eq!(world.attention(&ticket).await, "", "it came from where we wrote to");
        assert!(world.reasons(&ticket).await.contains(&"contact.answered".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn what_was_read_or_answered_is_not_mailed() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, ada) = (Visitor::talking(world, "jean"), world.agent("ada"));
        let ticket = jean.says("The printer is broken.").await.reference.unwrap();
        jean.does(contact("jean@home.test")).await;
        ada.replies(&ticket, "Is it switched on?").await;
        let version = world.ticket(&ticket).await.ticket.version;
        let mut signs = world.life().desk.talk(&ticket).await.unwrap().signs();
        assert_eq!(jean.does(RequesterAct::Read { upto: Seq(3) }).await, Acted::Done);
        assert_eq!(signs.try_recv().unwrap(), Signal::Read { upto: Seq(3) });
        assert_eq!(jean.does(RequesterAct::Read { upto: Seq(2) }).await, Acted::Already, "reading never goes back");
        assert_eq!(jean.standing().await.read_upto, Seq(3));
        assert_eq!(world.ticket(&ticket).await.ticket.version, version, "nobody who works on it is disturbed");
        ada.replies(&ticket, "And plugged in?").await;
        jean.says("Oh.").await;
        world.forward(1.days()).await;
        assert!(world.post.sent().is_empty(), "{:?}", world.post.sent());
    })
    .await;
}

#[tokio::test]
async fn a_given_address_never_takes_the_place_of_a_proved_one() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, ada) = (Visitor::talking(world, "jean"), world.agent("ada"));
        let proved = Some(Contact { address: "jean@work.test".into(), verified: true });
        let ticket = jean.hands_in(Item { contact: proved, ..jean.item("Help.") }).await.reference.unwrap();
        assert_eq!(refused(&jean.does(contact("eve@evil.test")).await), "act.contact_kept");
        let given = Some(Contact { address: "eve@evil.test".into(), verified: false });
        jean.hands_in(Item { contact: given, ..jean.item("Hello?") }).await;
        ada.replies(&ticket, "Here.").await;
        world.forward(1.hours()).await;
        assert_eq!(world.stranger("eve@evil.test").letters().len(), 0);
        let work = world.stranger("jean@work.test");
        assert_eq!(work.letters().len(), 1);
        work.answers("Thank you, and the scanner?").await;
        assert!(world.ticket(&ticket).await.timeline.pop().unwrap().verified, "their identity was proved");
    })
    .await;
}

#[tokio::test]
async fn a_transcript_goes_to_the_tickets_own_address_alone_and_says_no_more_than_may_be_said_there() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, ada) = (Visitor::talking(world, "jean"), world.agent("ada"));
        let ticket = jean.says("Buy my pills.").await.reference.unwrap();
        assert_eq!(refused(&jean.does(RequesterAct::Transcript).await), "act.no_address");
        jean.does(contact("victim@home.test")).await;
        ada.replies(&ticket, "We do not.").await;
        jean.does(RequesterAct::Read { upto: Seq(3) }).await;
        assert_eq!(jean.does(RequesterAct::Transcript).await, Acted::Done);
        let read = world.stranger("victim@home.test").reads().await;
        assert_eq!(read.len(), 1);
        assert!(read[0].contains("We do not.") && !read[0].contains("pills"), "{}", read[0]);
        for _ in 0..4 {
            assert_eq!(jean.does(RequesterAct::Transcript).await, Acted::Done);
        }
        assert_eq!(refused(&jean.does(RequesterAct::Transcript).await), "act.capped");
    })
    .await;
}

#[tokio::test]
async fn who_filled_in_a_form_is_answered_by_mail_and_answers_by_mail() {
    tell_of(Plan::with_pages(), async |world| {
        let (eva, ada) = (Visitor::filling_in(world, "eva", "eva@client.test"), world.agent("ada"));
        let ticket = eva.says("A chair, please.").await.reference.unwrap();
        let post = world.person("eva");
        let read = post.reads().await;
        assert!(read.len() == 1 && read[0].contains(&ticket), "{read:?}");
        assert!(!read[0].contains("chair"), "nobody vouches for the address: {}", read[0]);
        ada.replies(&ticket, "Which colour?").await;
        assert_eq!(post.reads().await.len(), 1);
        assert_eq!(post.answers("Blue.").await.ticket(), ticket);
        assert!(world.ticket(&ticket).await.timeline.pop().unwrap().verified);
        ada.closes(&ticket, "It is on its way.").await;
        assert!(post.reads().await[0].contains("It is on its way."));
        world.restarts().await;
        world.forward(30.days()).await;
        assert!(world.wire.sent().is_empty(), "the form itself cannot say anything");
    })
    .await;
}

#[tokio::test]
async fn a_conversation_goes_on_without_gaps_when_its_closed_ticket_is_followed_by_another() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, ada) = (Visitor::talking(world, "jean"), world.agent("ada"));
        let first = jean.says("The printer is broken.").await.reference.unwrap();
        ada.closes(&first, "New toner.").await;
        world.forward(8.days()).await;
        let receipt = jean.says("Broken again.").await;
        let second = receipt.reference.clone().unwrap();
        assert_ne!(first, second);
        assert_eq!(receipt.seq, Seq(4), "its place in what the visitor sees");
        let standing = jean.standing().await;
        assert_eq!((standing.reference.as_str(), standing.state), (second.as_str(), State::New));
        assert_eq!(standing.last_seq, Seq(5));
        let seen = jean.sees(3).await;
        assert_eq!(seen[0], "4 jean: Broken again.");
        assert!(seen.len() == 2 && seen[1].starts_with("5 -: Hello"), "its acknowledgement: {seen:?}");

        // What is said in the earlier ticket afterwards is read at the end.
        ada.reopens(&first).await;
        ada.replies(&first, "Sorry.").await;
        assert_eq!(jean.sees(5).await, ["6 Support: Sorry."]);
        let found = world.port(TALK).conversations.begun_with("jean:", 10).await.unwrap();
        assert_eq!(found.iter().map(|(key, one)| (key.as_str(), one.last_seq.0)).collect::<Vec<_>>(), [("jean:1", 6)]);
        assert!(world.port(TALK).conversations.begun_with("j%", 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_was_merged_into_somebody_elses_ticket_hears_the_desk_and_not_the_other() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, eva, ada) = (Visitor::talking(world, "jean"), Visitor::talking(world, "eva"), world.agent("ada"));
        let (one, other) =
            (jean.says("No mail.").await.reference.unwrap(), eva.says("Mine neither.").await.reference.unwrap());
        let port = world.port(TALK);
        let mut woken = port.intake.subscribe(&jean.key);
        ada.merges(&one, &other).await;
        assert!(woken.has_changed().unwrap());
        assert_eq!(jean.standing().await.reference, other);
        woken.mark_unchanged();
        eva.says("My password is secret.").await;
        ada.replies(&other, "The server is up again.").await;
        assert!(woken.has_changed().unwrap(), "what is said to the other is said to them");
        assert_eq!(jean.sees(2).await, ["3 Support: The server is up again."]);
        assert_eq!(refused(&jean.does(RequesterAct::Close).await), "act.merged");
        let receipt = jean.says("Thank you.").await;
        assert_eq!((receipt.reference.as_deref(), receipt.seq), (Some(other.as_str()), Seq(4)));
        assert_eq!(jean.sees(3).await, ["4 jean: Thank you."]);
    })
    .await;
}

#[tokio::test]
async fn the_page_knows_its_words_again_and_hands_out_its_files_to_their_conversation_alone() {
    tell_of(Plan::with_pages(), async |world| {
        let (jean, eva) = (Visitor::talking(world, "jean"), Visitor::talking(world, "eva"));
        let file = Attachment {
            name: "screen.png".into(),
            media_type: "image/png".into(),
            content_id: None,
            bytes: b"not really".to_vec(),
        };
        jean.hands_in(Item { attachments: vec![file], ..jean.item("Look.") }).await;
        eva.says("Hello.").await;
        let port = world.port(TALK);
        let entry = port.intake.timeline(&jean.key, Seq(0)).await.unwrap().remove(0);
        assert_eq!(entry.external_id, Some(ExternalId::from("jean:1-1")));
        assert_eq!((entry.files[0].name.as_str(), entry.files[0].size), ("screen.png", 10));
        let got = port.conversations.file(&jean.key, entry.id, 0).await.unwrap().unwrap();
        assert_eq!((got.media_type.as_str(), got.bytes.as_slice()), ("image/png", b"not really".as_slice()));
        assert_eq!(port.conversations.file(&jean.key, entry.id, 1).await.unwrap(), None);
        assert_eq!(port.conversations.file(&eva.key, entry.id, 0).await.unwrap(), None);
    })
    .await;
}
