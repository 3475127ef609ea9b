//! The first admin, and the links by which agents choose a password.

use std::time::Duration;

use super::browser::{Browser, PASSWORD};
use crate::api::rig::Desk;

fn chosen<'a>(name: &'a str, password: &'a str) -> [(&'a str, &'a str); 3] {
    [("name", name), ("password", password), ("again", password)]
}

#[tokio::test]
async fn the_first_admin_comes_in_by_a_link_that_works_once() {
    let desk = Desk::open().await;
    let service = guichet::desk::Desk::new(desk.kernel.clone(), guichet::intake::Reception::start(desk.kernel.clone()));
    let earlier = service.first_admin().await.unwrap().unwrap();
    let secret = service.first_admin().await.unwrap().unwrap();
    let mut browser = Browser::open(&desk);
    browser.get(&format!("/console/welcome/{earlier}")).await.is(410);
    let path = format!("/console/welcome/{secret}");
    // Mail programs and messengers look at links: that uses nothing up.
    browser.get(&path).await.is(200);
    browser.get(&path).await.is(200);
    assert!(browser.post(&path, &chosen("Root!", PASSWORD)).await.is(422).says("lower-case letters"));
    assert!(browser.post(&path, &chosen("root", "short")).await.is(422).says("12 to 256 characters"));
    let differ = [("name", "root"), ("password", PASSWORD), ("again", "something else")];
    browser.post(&path, &differ).await.is(422);
    assert_eq!(browser.post(&path, &chosen("root", PASSWORD)).await.location(), "/console");
    browser.get("/console/agents").await.is(200);
    Browser::open(&desk).get(&path).await.is(410);
    assert_eq!(service.first_admin().await.unwrap(), None);
}

#[tokio::test]
async fn the_first_admins_link_is_over_after_an_hour() {
    let desk = Desk::open().await;
    let service = guichet::desk::Desk::new(desk.kernel.clone(), guichet::intake::Reception::start(desk.kernel.clone()));
    let secret = service.first_admin().await.unwrap().unwrap();
    desk.later(Duration::from_secs(3601));
    let mut browser = Browser::open(&desk);
    browser.get(&format!("/console/welcome/{secret}")).await.is(410);
    browser.post(&format!("/console/welcome/{secret}"), &chosen("root", PASSWORD)).await.is(410);
}

#[tokio::test]
async fn an_admin_invites_an_agent_who_chooses_a_password_nobody_else_knows() {
    let desk = Desk::open().await;
    let mut admin = Browser::agent(&desk, "root", "admin").await;
    let added = admin.post("/console/agents", &[("do", "add"), ("name", "ana"), ("role", "work")]).await;
    assert_eq!(added.location(), "/console/agents/ana?done=1");
    let page = admin.post("/console/agents/ana", &[("do", "invite")]).await.is(200);
    let path =
        format!("/console/welcome/{}", page.text.split("/console/welcome/").nth(1).unwrap().split('<').next().unwrap());
    let mut ana = Browser::open(&desk);
    assert!(ana.get(&path).await.is(200).says("value=\"ana\""));
    // The name is that of the link, whatever the form says.
    assert_eq!(ana.post(&path, &chosen("root", PASSWORD)).await.location(), "/console");
    assert!(ana.get("/console/account").await.is(200).says("ana"));
    ana.get("/console/agents").await.is(403);
    ana.post(&path, &chosen("ana", PASSWORD)).await.is(410);
}

#[tokio::test]
async fn an_invited_agent_of_whom_a_second_step_is_asked_sets_it_up_first() {
    let desk = Desk::open().await;
    let mut admin = Browser::agent(&desk, "root", "admin").await;
    admin.post("/console/agents", &[("do", "second_step"), ("least", "lead")]).await;
    admin.post("/console/agents", &[("do", "add"), ("name", "lea"), ("role", "lead")]).await;
    let page = admin.post("/console/agents/lea", &[("do", "invite")]).await.is(200);
    let path =
        format!("/console/welcome/{}", page.text.split("/console/welcome/").nth(1).unwrap().split('<').next().unwrap());
    let mut lea = Browser::open(&desk);
    assert_eq!(lea.post(&path, &chosen("lea", PASSWORD)).await.location(), "/console/account/codes");
    assert_eq!(lea.get("/console").await.location(), "/console/account/codes");
}
