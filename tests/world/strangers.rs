//! Whose ticket is it: several people, strangers with a number, merged tickets.

use guichet::desk::Wanted;
use guichet::desk::views::Transition;
use guichet_contract::Verdict;
use guichet_domain::inbound::Party;

use super::life::words;
use super::tell;

#[tokio::test]
async fn two_people_share_a_ticket_and_only_who_asked_is_written_to() {
    tell(async |world| {
        let (jean, marie, ada) = (world.person("jean"), world.person("marie"), world.agent("ada"));
        let letter = jean.letter().about("No network").says("Marie and I have no network.");
        let letter = letter.with(|item| item.recipients = vec![Party::new("marie@client.test")]);
        let ticket = jean.posts(letter).await.ticket();

        let told = marie.writes(&format!("About {ticket}: it works on the first floor")).await;
        assert_eq!((told.verdict(), told.ticket()), (Verdict::Appended, ticket.clone()));
        ada.replies(&ticket, "The switch is new now.").await;
        assert_eq!(jean.reads().await.len(), 2);
        assert_eq!(marie.reads().await, [""; 0]);
        let entries = world.ticket(&ticket).await.timeline;
        assert!(entries.iter().all(|entry| entry.verified), "both take part");
    })
    .await;
}

#[tokio::test]
async fn a_stranger_with_a_number_gets_a_ticket_of_his_own_and_reads_nothing_of_the_other() {
    tell(async |world| {
        let (jean, eve) = (world.person("jean"), world.stranger("eve@elsewhere.test"));
        let ticket = jean.writes("My salary is wrong").await.ticket();
        world.works().await;
        let told = eve.writes(&format!("Re: [{ticket}] any news?")).await;
        assert_eq!(told.verdict(), Verdict::Opened);
        let other = world.ticket(&told.ticket()).await.ticket;
        assert_eq!(other.linked.as_deref(), Some(ticket.as_str()));
        assert_eq!(world.attention(&told.ticket()).await, "stranger.reference");
        world.agent("ada").sees(&told.ticket()).await;
        assert_eq!(world.attention(&told.ticket()).await, "", "until an agent has seen it");
        let read = eve.reads().await;
        assert!(matches!(&read[..], [one] if !one.contains("salary") && !one.contains(&ticket)), "{read:?}");
        assert_eq!(world.ticket(&ticket).await.timeline.len(), 2, "jean's ticket is untouched");
    })
    .await;
}

#[tokio::test]
async fn a_stranger_who_was_forwarded_our_letter_is_attached_marked_and_told_nothing() {
    tell(async |world| {
        let (jean, eve, ada) = (world.person("jean"), world.stranger("eve@elsewhere.test"), world.agent("ada"));
        let ticket = jean.writes("My salary is wrong").await.ticket();
        ada.asks(&ticket, "Which month?").await;
        jean.reads().await;
        let forwarded = jean.letters().pop().unwrap();
        let told = eve.posts(eve.letter().says("It was March.").answering(&forwarded)).await;
        assert_eq!((told.verdict(), told.ticket()), (Verdict::Appended, ticket.clone()));
        let entry = world.ticket(&ticket).await.timeline.pop().unwrap();
        assert_eq!((entry.text.as_str(), entry.verified), ("It was March.", false));
        assert_eq!(world.attention(&ticket).await, "stranger.unverified");
        assert_eq!(eve.reads().await, [""; 0]);
        ada.replies(&ticket, "Thank you.").await;
        assert_eq!((jean.reads().await.len(), eve.reads().await.len()), (1, 0), "answers go to who asked");
        let later = eve.writes(&format!("{ticket}: one more thing")).await;
        assert_eq!(later.verdict(), Verdict::Opened, "having written does not make a stranger a participant");
    })
    .await;
}

#[tokio::test]
async fn the_first_ticket_keeps_a_message_id_that_somebody_repeats() {
    tell(async |world| {
        let (jean, eve) = (world.person("jean"), world.stranger("eve@elsewhere.test"));
        let first = jean.writes("Printer broken").await;
        let theirs = eve.letter().about("Mine").says("Mine").with(|item| item.own_ids.push(first.id.clone()));
        let other = eve.posts(theirs).await;
        assert_ne!(other.ticket(), first.ticket());
        let answer = jean.letter().says("It is upstairs.").with(|item| item.refers_to.ids.push(first.id.clone()));
        assert_eq!(jean.posts(answer).await.ticket(), first.ticket());
    })
    .await;
}

#[tokio::test]
async fn answers_to_a_merged_ticket_go_to_the_one_that_goes_on() {
    tell(async |world| {
        let (jean, marie, ada) = (world.person("jean"), world.person("marie"), world.agent("ada"));
        let first = jean.writes("No network on floor two").await.ticket();
        let second = marie.writes("No network here either").await.ticket();
        world.works().await;
        ada.merges(&second, &first).await;
        assert_eq!(world.state(&second).await, "closed");

        let by_answer = marie.answers("It is back, and gone again.").await;
        assert_eq!((by_answer.verdict(), by_answer.ticket()), (Verdict::Appended, first.clone()));
        let by_number = marie.writes(&format!("[{second}] it is back")).await;
        assert_eq!((by_number.verdict(), by_number.ticket()), (Verdict::Appended, first.clone()));

        let act = Wanted::Transition(Transition::Seen { version: None });
        let refused = words(ada.tries(&second, &act).await);
        assert_eq!(refused, format!("the ticket was merged; act on {first} instead"));

        let third = jean.writes("And floor three").await.ticket();
        world.works().await;
        ada.merges(&first, &third).await;
        assert_eq!(marie.answers("Still gone.").await.ticket(), third, "however often it was merged");
    })
    .await;
}

#[tokio::test]
async fn a_number_of_another_desk_or_with_a_slip_is_no_number() {
    tell(async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        let last = ticket.chars().last().unwrap();
        let slip = format!("{}{}", ticket.trim_end_matches(last), if last == '1' { '2' } else { '1' });
        let told = jean.writes(&format!("[{slip}] still broken")).await;
        assert_eq!(told.verdict(), Verdict::Opened);
        assert_eq!(world.ticket(&told.ticket()).await.ticket.linked, None);
        let spoken = ticket.replace('-', " ").to_lowercase();
        let told = jean.writes(&format!("{spoken} still broken")).await;
        assert_eq!((told.verdict(), told.ticket()), (Verdict::Appended, ticket.clone()), "as people write it");
    })
    .await;
}
