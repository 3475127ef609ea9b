//! A request from its first word to its last.

use guichet_contract::Verdict;
use guichet_domain::language::Language;

use super::{Spans, tell};

#[tokio::test]
async fn a_ticket_lives_its_whole_life() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));

        let told = jean.writes("Printer broken").await;
        let ticket = told.ticket();
        assert_eq!((told.verdict(), told.receipt.seq.0), (Verdict::Opened, 1));
        assert_eq!(world.state(&ticket).await, "new");
        assert_eq!(
            jean.reads().await,
            [format!(
                "Hello jean,\n\nWe have received your request \"Printer broken\". Its number is {ticket}.\n\nWe filed it \
                 under: Hardware.\n\nYou will have an answer from us by Monday 23 November 2026 at 17:00 (UTC) at the \
                 latest.\n\nTo add something, just answer this message and leave the subject as it is.\n\nSupport\n"
            )]
        );

        ada.replies(&ticket, "Is it plugged in?").await;
        assert_eq!(world.state(&ticket).await, "open");
        let reply = format!("Is it plugged in?\n\n-- \nSupport\n{ticket}\n");
        assert_eq!(jean.reads().await, [reply]);

        ada.asks(&ticket, "Which light is red?").await;
        assert_eq!(world.state(&ticket).await, "waiting");
        assert_eq!(jean.reads().await.len(), 1);
        assert_eq!(jean.answers("The one on the left.").await.ticket(), ticket);
        assert_eq!(world.state(&ticket).await, "open");
        assert_eq!(jean.reads().await, [""; 0], "an answer is not acknowledged");

        ada.closes(&ticket, "We put in new toner.").await;
        assert_eq!(world.state(&ticket).await, "resolved");
        assert_eq!(
            jean.reads().await,
            [format!(
                "Hello jean,\n\nYour request {ticket}, \"Printer broken\", is resolved.\n\nWe put in new toner.\n\nIf it is \
                 not settled for you, answer this message within 7 days and we take it up again.\n\nSupport\n"
            )]
        );

        let thanks = jean.answers("Thank you very much!").await;
        assert_eq!((thanks.verdict(), thanks.ticket()), (Verdict::Appended, ticket.clone()));
        assert_eq!(world.state(&ticket).await, "resolved", "thanks do not reopen");

        world.forward(2.days()).await;
        jean.answers("It is out of toner again.").await;
        assert_eq!(world.state(&ticket).await, "open");

        ada.closes(&ticket, "A new printer is on its way.").await;
        let closures = jean.reads().await;
        assert!(matches!(&closures[..], [text] if text.contains("A new printer is on its way.")), "{closures:?}");

        world.forward(8.days()).await;
        assert_eq!(world.state(&ticket).await, "closed");
        assert_eq!(jean.reads().await, [""; 0], "it is locked silently");

        let later = jean.answers("The new printer is broken too").await;
        assert_eq!(later.verdict(), Verdict::Opened);
        assert_ne!(later.ticket(), ticket);
        let next = world.ticket(&later.ticket()).await;
        assert_eq!(next.ticket.follows.as_deref(), Some(ticket.as_str()));
        assert_eq!(jean.reads().await.len(), 1, "the new ticket is acknowledged");

        let whole = world.ticket(&ticket).await;
        let changes: Vec<_> = whole.transitions.iter().map(|change| change.to.as_str()).collect();
        assert_eq!(changes, ["new", "open", "waiting", "open", "resolved", "open", "resolved", "closed"]);
        assert_eq!((whole.ticket.closures, whole.ticket.reopened), (2, 1));
        assert_eq!(
            world.deliveries(&ticket).await,
            ["acknowledgement sent", "reply sent", "reply sent", "closure sent", "closure sent"]
        );
    })
    .await;
}

#[tokio::test]
async fn an_out_of_office_note_neither_reopens_nor_is_answered() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        ada.closes(&ticket, "New toner.").await;
        jean.reads().await;
        let closure = jean.letters().pop().unwrap();
        let note =
            jean.letter().says("I am away until Monday. Is it urgent? Ask Marie.").answering(&closure).by_machine();
        assert_eq!(jean.posts(note).await.ticket(), ticket);
        assert_eq!(world.state(&ticket).await, "resolved");
        assert!(world.reasons(&ticket).await.contains(&"reopen.not.machine".to_owned()));
        assert_eq!(jean.reads().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_french_request_is_answered_in_french() {
    tell(async |world| {
        let jean = world.person("jean");
        let letter = jean.letter().about("Imprimante en panne").says("L’imprimante du troisième ne marche plus.");
        let ticket = jean.posts(letter.with(|item| item.language = Some(Language::Fr))).await.ticket();
        let read = jean.reads().await;
        assert!(
            read[0].starts_with(&format!(
                "Bonjour jean,\n\nNous avons bien reçu votre demande « Imprimante en panne ». Son numéro est {ticket}."
            )),
            "{}",
            read[0]
        );
    })
    .await;
}

#[tokio::test]
async fn an_agent_takes_a_closed_ticket_up_again_and_closing_it_anew_is_told_anew() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        ada.closes(&ticket, "New toner.").await;
        world.forward(8.days()).await;
        assert_eq!(world.state(&ticket).await, "closed");
        ada.reopens(&ticket).await;
        assert_eq!(world.state(&ticket).await, "open");
        ada.closes(&ticket, "A new printer.").await;
        assert_eq!(jean.reads().await.len(), 3, "the acknowledgement and a notice for each closure");
        world.forward(6.days()).await;
        assert_eq!(world.state(&ticket).await, "resolved", "the window counts from the second closure");
        world.forward(1.days()).await;
        assert_eq!(world.state(&ticket).await, "closed");
    })
    .await;
}

#[tokio::test]
async fn a_closure_that_was_taken_back_before_it_left_is_not_told() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        jean.reads().await;
        ada.closes(&ticket, "New toner.").await;
        ada.reopens(&ticket).await;
        assert_eq!(jean.reads().await, [""; 0]);
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent", "closure suppressed (outbox.overtaken)"]);
        ada.closes(&ticket, "Really done.").await;
        assert_eq!(jean.reads().await.len(), 1);
    })
    .await;
}
