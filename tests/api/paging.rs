//! Lists, page by page.

use std::time::Duration;

use super::rig::{Desk, words};

async fn pages(desk: &Desk, query: &str, between: impl AsyncFn(&Desk, usize)) -> Vec<String> {
    let operator = desk.operator();
    let mut all = Vec::new();
    let mut next = String::new();
    for page in 0..20 {
        let answer = operator.get(&format!("/api/v1/tickets?limit=2&{query}{next}")).await.is(200);
        all.extend(words(&answer["tickets"], "reference").into_iter().map(str::to_owned));
        let Some(after) = answer["next"].as_str() else { return all };
        next = format!("&after={after}");
        between(desk, page).await;
    }
    panic!("the list has no end");
}

async fn seven(desk: &Desk) -> Vec<String> {
    let mut references = Vec::new();
    for n in 0..7 {
        references.push(desk.mail(&format!("p{n}@client.test"), &format!("Request {n}"), "Please help.").await);
        desk.later(Duration::from_secs(60));
    }
    references
}

#[tokio::test]
async fn pages_neither_repeat_nor_leave_out_while_new_tickets_come() {
    let desk = Desk::open().await;
    let mut expected = seven(&desk).await;
    expected.reverse();
    let came = async |desk: &Desk, page: usize| {
        desk.mail("late@client.test", &format!("Late {page}"), "Me too.").await;
    };
    assert_eq!(pages(&desk, "sort=opened", came).await, expected);
}

#[tokio::test]
async fn a_ticket_that_changes_between_pages_never_hides_another() {
    let desk = Desk::open().await;
    let all = seven(&desk).await;
    let touched = all[0].clone();
    let touch = async |desk: &Desk, page: usize| {
        if page == 0 {
            desk.operator().note(&touched, "Looked at.").await.is(201);
        }
    };
    let mut seen = pages(&desk, "sort=updated", touch).await;
    let mut expected: Vec<String> = all.into_iter().skip(1).collect();
    seen.retain(|reference| *reference != touched);
    expected.reverse();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn filters_hold_together_and_the_order_of_work_puts_the_pressing_first() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let plain = desk.mail("jean@client.test", "A question about 100% of our licences", "How many are left?").await;
    let pressing = desk
        .mail("anne@client.test", "Everybody is down", "The whole office cannot work, the server is down for everyone.")
        .await;
    let work = operator.get("/api/v1/tickets?state=live&sort=work").await.is(200);
    assert_eq!(words(&work["tickets"], "reference"), [pressing.as_str(), plain.as_str()]);
    let found = async |query: &str| {
        let page = operator.get(&format!("/api/v1/tickets?{query}")).await.is(200);
        words(&page["tickets"], "reference").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("q=100%25").await, [plain.as_str()]);
    assert_eq!(found("requester=JEAN@client.test").await, [plain.as_str()]);
    assert_eq!(found("requester=jean@client.test&source=elsewhere").await, Vec::<String>::new());
    assert_eq!(found("attention=true").await, Vec::<String>::new());
    desk.later(Duration::from_secs(60));
    let since = guichet_domain::Clock::now(&desk.clock);
    operator.note(&pressing, "On it.").await.is(201);
    assert_eq!(found(&format!("updated_since={since}")).await, [pressing.as_str()]);
}
