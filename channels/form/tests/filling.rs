//! People fill forms in.

use std::time::Duration;

use axum::http::StatusCode;
use guichet_contract::conformance::{Answer, ScriptedIntake};
use guichet_domain::inbound::Content;
use serde_json::json;

use crate::browser::Browser;

const ANA: [(&str, &str); 3] = [("email", "ana@example.org"), ("name", "Ana Lima"), ("message", "My screen flickers.")];

fn with<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("token", token)], more].concat()
}

#[tokio::test]
async fn a_request_gets_its_number_on_the_page_after() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    let place = browser.send(&with(&token, &ANA), &[]).await.place();
    let after = browser.get(&place).await;
    assert_eq!(after.status, StatusCode::OK);
    assert!(after.text.contains("<strong>GT-"), "{}", after.text);
    assert!(after.text.contains("a…@example.org"), "{}", after.text);
    let item = browser.only();
    assert_eq!(
        item.from.as_ref().map(|from| (from.address.as_str(), from.name.as_deref())),
        Some(("ana@example.org", Some("Ana Lima")))
    );
    assert_eq!(item.text, "My screen flickers.");
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    let fields = with(&token, &[("email", "ana@example"), ("name", "Ana <b>"), ("message", " ")]);
    let picture: &[u8] = b"\x89PNG\r\n\x1a\n picture";
    let page = browser.send(&fields, &[("screen.png", "image/png", picture)]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("<title>Error: Ask for help</title>"));
    assert!(page.text.contains("href=\"#email\"") && page.text.contains("href=\"#message\""), "{}", page.text);
    assert!(page.text.contains("aria-describedby=\"email-hint email-wrong\" aria-invalid=\"true\""), "{}", page.text);
    assert_eq!((page.value("email"), page.value("name")), ("ana@example".into(), "Ana &lt;b&gt;".into()));
    assert!(page.text.contains("screen.png") && page.text.contains("checked"), "the upload is kept: {}", page.text);
    assert!(browser.taken().is_empty());

    let again = page.value("token");
    assert_eq!(again, token);
    let mended = [&ANA[..], &[("shown", "0"), ("kept", "0")]].concat();
    browser.send(&with(&again, &mended), &[("", "application/octet-stream", b"")]).await.place();
    let item = browser.only();
    assert_eq!(item.attachments.len(), 1);
    assert_eq!(
        (item.attachments[0].name.as_str(), item.attachments[0].media_type.as_str()),
        ("screen.png", "image/png")
    );
    assert_eq!(item.attachments[0].bytes, picture);
}

#[tokio::test]
async fn an_upload_whose_box_is_not_ticked_stays_behind() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    browser.send(&with(&token, &[("email", "")]), &[("a.txt", "text/plain", b"one")]).await;
    let fields = [&ANA[..], &[("shown", "0")]].concat();
    browser.send(&with(&token, &fields), &[("b.txt", "text/plain", b"two")]).await.place();
    let names: Vec<_> = browser.only().attachments.into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["b.txt"]);
}

#[tokio::test]
async fn pressed_twice_it_is_one_request_and_other_words_on_the_same_page_go_to_the_same_ticket() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    let first = browser.get(&browser.send(&with(&token, &ANA), &[]).await.place()).await;
    let second = browser.get(&browser.send(&with(&token, &ANA), &[]).await.place()).await;
    let number = |text: &str| text.split("<strong>").nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned);
    assert_eq!(number(&first.text), number(&second.text));
    let other = [("email", "ana@example.org"), ("message", "And the keyboard too.")];
    browser.send(&with(&token, &other), &[]).await.place();
    let taken = browser.taken();
    assert_eq!(taken.len(), 2, "the second press is known again");
    let conversations: Vec<_> = taken
        .iter()
        .map(|inbound| match &inbound.content {
            guichet_domain::inbound::Content::Read(item) => item.conversation.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(conversations.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn the_operators_own_fields_are_asked_checked_and_handed_on_in_the_pages_language() {
    let settings = json!({"forms": [
        {"key": "request", "title": {"en": "New equipment", "fr": "Nouveau matériel"}, "category": "hardware", "fields": [
            {"key": "room", "label": {"en": "Room", "fr": "Bureau"}, "required": true, "max": 6},
            {"key": "what", "label": "Quoi ?", "kind": "select", "options": [
                {"value": "screen", "label": {"en": "A screen", "fr": "Un écran"}}]},
            {"key": "agreed", "label": "Accord du chef", "kind": "checkbox"}]},
        {"key": "other", "title": "Autre"}]});
    let mut browser = Browser::new(settings);
    browser.accepts = "fr-CH, en;q=0.5";
    let front = browser.get("/").await;
    assert!(front.text.contains("Nouveau matériel") && front.text.contains("href=\"/in/form/other?lang=fr\""));
    let token = browser.open().await.value("token");
    let page = browser.send(&with(&token, &[&ANA[..], &[("what", "phone")]].concat()), &[]).await;
    assert!(
        page.text.contains("Remplissez « Bureau ».") && page.text.contains("Choisissez une des réponses"),
        "{}",
        page.text
    );
    let page = browser.send(&with(&token, &[&ANA[..], &[("room", "B 2.14 bis")]].concat()), &[]).await;
    assert!(page.text.contains("« Bureau » est trop long : 6 caractères au plus."), "{}", page.text);
    let fields = [&ANA[..], &[("room", "B2.14"), ("what", "screen"), ("agreed", "yes")]].concat();
    let place = browser.send(&with(&token, &fields), &[]).await.place();
    assert!(browser.get(&place).await.text.contains("C’est bien reçu"));
    let item = browser.only();
    assert_eq!(item.text, "My screen flickers.\n\nBureau: B2.14\nQuoi: Un écran\nAccord du chef: Oui");
    assert_eq!(item.subject.as_deref(), Some("Nouveau matériel"));
    assert_eq!(item.category.as_deref(), Some("hardware"));
}

#[tokio::test]
async fn a_page_left_open_over_night_asks_to_press_once_more_and_keeps_the_words() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    browser.clock.advance(Duration::from_hours(25));
    let page = browser.send(&with(&token, &ANA), &[]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text.contains("press Send once more") && page.text.contains("My screen flickers."), "{}", page.text);
    browser.clock.advance(Duration::from_secs(5));
    browser.send(&with(&page.value("token"), &ANA), &[]).await.place();
}

#[tokio::test]
async fn when_nothing_can_be_stored_the_page_says_so_keeps_the_words_and_names_another_way() {
    let intake = ScriptedIntake::new();
    let browser = Browser::before(json!({"email": "help@example.org"}), intake.clone());
    let token = browser.open().await.value("token");
    intake.answer_next([Answer::Busy(Duration::from_secs(5))]);
    let page = browser.send(&with(&token, &ANA), &[("a.txt", "text/plain", b"one")]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text.contains("could not be stored") && page.text.contains("help@example.org"));
    assert!(page.text.contains("My screen flickers.") && page.text.contains("a.txt"));
    let fields = [&ANA[..], &[("shown", "0"), ("kept", "0")]].concat();
    browser.send(&with(&page.value("token"), &fields), &[]).await.place();
}

#[tokio::test]
async fn a_form_without_files_is_taken_as_old_browsers_send_it() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token").replace('~', "%7E");
    let body = format!("token={token}&email=ana%40example.org&message=a%0D%0Ab+c");
    let request = axum::http::Request::post("/request").header("content-type", "application/x-www-form-urlencoded");
    browser.ask(request.body(body.into()).unwrap()).await.place();
    assert_eq!(browser.only().text, "a\nb c");
}

#[tokio::test]
async fn the_puzzle_is_asked_for_under_attack_alone_and_waiting_stands_in_for_it() {
    let browser = Browser::new(json!({"puzzle": "always"}));
    let page = browser.get("/request").await;
    assert!(page.text.contains("data-puzzle=") && page.text.contains("/in/form/form.js"));
    let token = page.value("token");
    browser.clock.advance(Duration::from_secs(10));
    let asked = browser.send(&with(&token, &ANA), &[]).await;
    assert!(asked.text.contains("small sum"), "{}", asked.text);
    browser.clock.advance(Duration::from_secs(25));
    browser.send(&with(&token, &ANA), &[]).await.place();

    let calm = Browser::new(json!({}));
    assert!(!calm.open().await.text.contains("data-puzzle="));
}

#[tokio::test]
async fn the_page_after_shows_for_a_day_and_only_what_we_signed() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    let place = browser.send(&with(&token, &ANA), &[]).await.place();
    let forged = place.replace("received/", "received/e30");
    assert_eq!(browser.get(&forged).await.status, StatusCode::GONE);
    browser.clock.advance(Duration::from_hours(25));
    assert_eq!(browser.get(&place).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_file_that_was_forgotten_is_sent_after_with_the_same_words() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    browser.send(&with(&token, &ANA), &[]).await.place();
    let file = [("screen.txt", "text/plain", &b"one"[..])];
    browser.send(&with(&token, &ANA), &file).await.place();
    browser.send(&with(&token, &ANA), &file).await.place();
    let taken = browser.taken();
    assert_eq!(taken.len(), 2, "the file once, however often it is sent");
    match &taken[1].content {
        Content::Read(item) => assert_eq!(item.attachments[0].bytes, b"one"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_goes_back_and_mends_the_address_is_answered_there() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    browser.send(&with(&token, &[("email", "anna@example.org"), ANA[2]]), &[]).await.place();
    browser.send(&with(&token, &[("email", "Ana@example.org"), ANA[2]]), &[]).await.place();
    browser.send(&with(&token, &[("email", "ana@example.org"), ("message", "And the mouse.")]), &[]).await.place();
    let conversations: Vec<_> = browser
        .taken()
        .into_iter()
        .map(|inbound| match inbound.content {
            Content::Read(item) => item.conversation,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_ne!(conversations[0], conversations[1], "the wrong address may be a stranger's");
    assert_eq!(conversations[1], conversations[2]);
}
