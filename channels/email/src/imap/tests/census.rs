//! What is counted for `guichet reconcile`.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Ledger, NOW, endpoint, limits, mailbox, password, while_receiving};
use super::world::World;
use crate::imap::Session;
use crate::imap::census::{Filed, Watched};
use crate::imap::position::{History, Position};

async fn session(world: &World) -> Session {
    Session::open(&endpoint(world), &password(), &limits(), &CancellationToken::new()).await.unwrap()
}

async fn watched(world: &World, position: Option<Position>) -> Watched {
    session(world).await.count_watched("INBOX", position).await.unwrap()
}

fn position(world: &World, history: History, last_uid: u32) -> Position {
    let uidnext = world.quietly(|state| state.inbox().uidnext);
    let selected = crate::imap::session::Selected {
        uidvalidity: 7,
        uidnext: Some(uidnext),
        exists: 0,
        read_only: true,
        keywords: true,
    };
    let first = Position::first(&selected, uidnext, history, NOW);
    Position { last_uid: first.last_uid.max(last_uid), ..first }
}

/// Five mails of which the first two are older than a week at the first look, then two that come later.
async fn mailbox_with_history() -> World {
    let world = World::start().await;
    for day in ["01-Oct-2023", "08-Nov-2023", "09-Nov-2023", "14-Nov-2023", "15-Nov-2023"] {
        world.change(|state| state.deliver("INBOX", day, &format!("{day} 10:00:00 +0000")));
    }
    world
}

#[tokio::test]
async fn history_that_was_left_aside_is_not_due_and_what_is_above_the_position_is_ahead() {
    let world = mailbox_with_history().await;
    let week = position(&world, History::Since(Duration::from_hours(7 * 24)), 5);
    let none = position(&world, History::None, 0);
    let all = position(&world, History::All, 3);
    world.mail_comes("new");
    world.mail_comes("newer");
    let seven = watched(&world, Some(Position { last_uid: 6, ..week })).await;
    assert_eq!(seven, Watched { due: vec![3, 4, 5, 6], ahead: 1, aside: 2 });
    let nothing = watched(&world, Some(Position { last_uid: 7, ..none })).await;
    assert_eq!(nothing, Watched { due: vec![6, 7], ahead: 0, aside: 5 });
    assert_eq!(watched(&world, Some(all)).await, Watched { due: vec![1, 2, 3], ahead: 4, aside: 0 });
}

#[tokio::test]
async fn of_a_folder_that_was_never_looked_at_or_is_numbered_anew_everything_is_ahead() {
    let world = mailbox_with_history().await;
    let ahead = Watched { due: Vec::new(), ahead: 5, aside: 0 };
    assert_eq!(watched(&world, None).await, ahead);
    let read = position(&world, History::All, 5);
    world.change(|state| state.inbox().uidvalidity = 8);
    assert_eq!(watched(&world, Some(read)).await, ahead);
}

#[tokio::test]
async fn what_we_moved_is_told_from_what_others_put_there_and_nothing_is_changed() {
    let world = World::start().await;
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        world.mail_comes("Message-ID: <a@x>\r\nFrom: a@x\r\n\r\none");
        desk.until(|ledger| ledger.mails.len() == 1 && ledger.waits() && ledger.rounds() > 1).await;
    };
    while_receiving(&mailbox(&world), &desk, story).await;
    world.change(|state| state.deliver("Processed", "by hand", "15-Nov-2023 10:00:00 +0000"));
    let before = world.commands().len();
    let mut session = session(&world).await;
    let filed = session.count_filed("Processed").await.unwrap();
    assert_eq!(filed, Filed { marked: vec![1], others: 1 });
    let mut headers = Vec::new();
    session.headers(&filed.marked, |uid, header| headers.push((uid, header.to_vec()))).await.unwrap();
    assert_eq!(headers, [(1, b"Message-ID: <a@x>\r\nFrom: a@x\r\n\r\n".to_vec())]);
    assert_eq!(session.count_filed("No such folder").await.unwrap(), Filed::default());
    let said = world.commands().split_off(before);
    let looks = |command: &String| {
        ["CAPABILITY", "AUTHENTICATE", "IDLE", "LIST", "EXAMINE", "UID SEARCH", "UID FETCH"]
            .iter()
            .any(|verb| command.starts_with(verb))
            && !command.contains("BODY[")
    };
    assert!(said.iter().all(looks), "{said:?}");
}
