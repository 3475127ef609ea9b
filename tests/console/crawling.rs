//! Following every link changes nothing.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use guichet_store::Target;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::browser::Browser;
use crate::api::rig::{Desk, mail};

/// Everything in the database, row by row, table by table, but when somebody was last here.
async fn everything(desk: &Desk) -> Vec<String> {
    let Target::Sqlite(path) = Target::Sqlite(desk.kernel.state.database()) else { panic!("this is SQLite") };
    let mut file = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", path.display())).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search%' ORDER BY name",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    let mut all = Vec::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut file)
            .await
            .unwrap();
        let columns: Vec<String> = columns.iter().map(|name| format!("quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} FROM \"{table}\"", columns.join(" || '|' || "));
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut file).await.unwrap();
        all.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
    }
    all
}

#[tokio::test]
async fn every_link_of_the_console_can_be_followed_and_nothing_changes() {
    let desk = Desk::open().await;
    let one = desk.mail("jean@client.test", "Printer", "It is jammed.").await;
    let two = desk.mail("jean@client.test", "Printer again", "Still jammed.").await;
    let three = desk.mail("spam@bad.test", "You won", "Click.").await;
    let mut admin = Browser::agent(&desk, "root", "admin").await;
    admin.post(&format!("/console/t/{one}/act"), &[("do", "merge"), ("other", &two)]).await.location();
    admin.post(&format!("/console/t/{three}/act"), &[("do", "block")]).await.location();
    admin.post("/console/canned", &[("do", "keep"), ("title", "Hello"), ("text", "Hello")]).await.location();
    desk.hand_in(&mail("spam@bad.test", "Again", "Click.")).await.is(201);
    let before = everything(&desk).await;
    assert!(before.len() > 30);
    let mut waiting = vec![
        "/console".to_owned(),
        format!("/console/t/{one}"),
        format!("/console/t/{two}/parts"),
        "/console/rows".to_owned(),
    ];
    let mut seen = BTreeSet::new();
    while let Some(link) = waiting.pop() {
        if !seen.insert(link.clone()) {
            continue;
        }
        // As a mail scanner and as the agent's own browser would.
        for site in ["same-origin", "none"] {
            let page = admin.send(Request::get(&link).header("sec-fetch-site", site), Body::empty()).await;
            assert!(!page.status.is_client_error() && !page.status.is_server_error(), "{link}: {}", page.status);
            if page.status.is_redirection() {
                waiting.push(page.location().to_owned());
            }
            waiting.extend(page.links());
        }
    }
    assert!(seen.len() > 30, "{seen:?}");
    assert_eq!(everything(&desk).await, before);
}

#[tokio::test]
async fn the_consoles_files_are_kept_by_what_is_in_them() {
    let desk = Desk::open().await;
    let mut browser = Browser::open(&desk);
    let page = browser.get("/console/sign-in").await.is(200);
    let style = page
        .text
        .split("href=\"")
        .find(|part| part.starts_with("/console/assets/console.") && part.contains(".css\""))
        .unwrap();
    let style = style.split('"').next().unwrap();
    let answer = browser.get(style).await.is(200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(answer.headers["content-type"], "text/css; charset=utf-8");
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let again = Request::get(style).header("if-none-match", tag);
    browser.send(again, Body::empty()).await.is(304);
    assert_eq!(
        browser.get("/console/assets/console.000000000000.css").await.is(200).headers["cache-control"],
        "no-cache"
    );
    browser.get("/console/assets/passwd").await.is(404);
}
