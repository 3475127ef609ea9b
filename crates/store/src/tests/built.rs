//! Statements that are put together when they run: each is understood by both engines, and none reads a whole table however
//! many tickets there are.

use std::collections::BTreeSet;

use guichet_domain::ids::{DeliveryId, ExternalId, InboundId, SourceName, TicketId};
use guichet_domain::priority::Priority;
use guichet_domain::reason;
use guichet_domain::ticket::State;
use sqlx::AssertSqlSafe;

use super::grown::STATISTICS;
use super::make::{NOW, delivery, key, later, mail, opened, ticket};
use super::{World, on_both_engines};
use crate::engine::Pools;
use crate::inbound::{self, Quarantine};
use crate::intake::{self, KeyRow, Wanted};
use crate::outbox::{self, Claim, Outcome, Settlement};
use crate::sql::HEARD;
use crate::ticket_list::{self, PageKey, Sort, TicketFilter};
use crate::{Tx, retention};

on_both_engines!(every_statement_put_together_is_understood);

/// Every statement there is of this kind, run once and again with a longer list.
async fn every_statement_put_together_is_understood(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let mut tx = world.write().await;
    outgoing(&mut tx).await;
    lists(&mut tx).await;
    lookups(&mut tx).await;
    retention::prune_raw(&mut tx, later(1), 100).await.unwrap();
    tx.commit().await.unwrap();
}

async fn outgoing(tx: &mut Tx) {
    let source = mail();
    let claim = Claim { source: &source, incarnation: key(1), lease: std::time::Duration::from_secs(60), limit: 9 };
    let claimed = outbox::claim(tx, &claim, NOW).await.unwrap();
    assert_eq!(claimed.len(), 3);
    let outcomes = [
        Outcome::Sent { external_id: Some(ExternalId::from("<sent@desk.example>")) },
        Outcome::Retry { due_at: later(1), expires_at: None },
        Outcome::Refused { reason: Some(reason::REPORT_FAILED) },
    ];
    let settlement = |(row, outcome): (&outbox::OutboxRow, Outcome)| Settlement {
        id: row.id,
        fence: row.fence,
        outcome,
        detail: String::new(),
    };
    let settlements: Vec<_> = claimed.iter().zip(outcomes).map(settlement).collect();
    assert!(outbox::settle(tx, &settlements, NOW).await.unwrap().is_empty());
    outbox::claim(tx, &claim, later(2)).await.unwrap();
    assert_eq!(outbox::recover(tx, key(2), true, later(3)).await.unwrap().len(), 1);
    for ids in [vec![delivery(2).id], vec![delivery(2).id, delivery(3).id]] {
        outbox::clear_doubts(tx, &ids).await.unwrap();
        outbox::postpone(tx, &source, &ids, later(4)).await.unwrap();
    }
    for tickets in [vec![ticket(1).id], vec![ticket(1).id, ticket(2).id]] {
        let threads = outbox::threads(tx, tickets, 20).await.unwrap();
        assert_eq!(threads[&ticket(1).id].len(), 2, "what came in and what was sent");
    }
    for states in [vec![], vec![outbox_state("sent")], vec![outbox_state("unknown"), outbox_state("refused")]] {
        let filter = outbox::Filter { states, source: Some(&source), before: Some(99), limit: 9 };
        outbox::list(tx, &filter).await.unwrap();
    }
}

fn outbox_state(word: &str) -> guichet_domain::outgoing::DeliveryState {
    guichet_domain::outgoing::DeliveryState::parse(word).unwrap()
}

/// One filter each, in every order, on the first page and on the next.
async fn lists(tx: &mut Tx) {
    let source = mail();
    for filter in filters(&source) {
        for sort in [Sort::Updated, Sort::Opened, Sort::Work] {
            for after in [None, Some(PageKey::of(&ticket(9), sort))] {
                ticket_list::list(tx, &TicketFilter { sort, after, limit: 51, ..filter.clone() }).await.unwrap();
            }
        }
    }
    ticket_list::of_requester(tx, "person1@client.example", 9).await.unwrap();
    for before in [None, Some(InboundId(key(1)))] {
        inbound::quarantined(tx, Quarantine::Held, before, 9).await.unwrap();
    }
}

fn filters(source: &SourceName) -> Vec<TicketFilter<'_>> {
    let all = TicketFilter::default();
    let live = State::ALL.into_iter().filter(|state| state.is_live()).collect();
    vec![
        all.clone(),
        TicketFilter { states: live, ..all.clone() },
        TicketFilter { states: vec![State::New], ..all.clone() },
        TicketFilter { states: vec![State::Closed], ..all.clone() },
        TicketFilter { states: vec![State::Resolved, State::Closed], ..all.clone() },
        TicketFilter { assignee: Some("ada"), ..all.clone() },
        TicketFilter { unassigned: true, ..all.clone() },
        TicketFilter { category: Some("access"), ..all.clone() },
        TicketFilter { queue: Some("support"), ..all.clone() },
        TicketFilter { priority: Some(Priority::P1), ..all.clone() },
        TicketFilter { source: Some(source), ..all.clone() },
        TicketFilter { requester: Some("person1@client.example"), ..all.clone() },
        TicketFilter { attention: true, ..all.clone() },
        TicketFilter { updated_since: Some(NOW), ..all },
    ]
}

async fn lookups(tx: &mut Tx) {
    let (id, source) = (ExternalId::from("<mail-1@client.example>"), mail());
    let (one, other) = (ticket(1), ticket(2));
    let conversations = vec![(&source, &one.conversation), (&source, &other.conversation)];
    let wanted = Wanted {
        tickets: vec![one.id, other.id],
        deliveries: vec![DeliveryId(key(1))],
        ids: vec![&id],
        references: vec![one.reference],
        conversations,
        threads: vec!["printer"],
        addresses: BTreeSet::from(["person1@client.example".to_owned()]),
        domains: BTreeSet::from(["client.example".to_owned()]),
        domain_cap: 60,
    };
    let found = intake::find(tx, &wanted, NOW).await.unwrap();
    assert!(found.tickets.contains_key(&TicketId(key(1))));
    intake::taken_references(tx, &[one.reference]).await.unwrap();
    let keys = ["support-mail/1".to_owned(), "support-mail/new".to_owned()];
    let rows: Vec<_> = keys.iter().zip(1..).map(|(key, n)| KeyRow { key, inbound: InboundId(self::key(n)) }).collect();
    intake::reserve(tx, &rows).await.unwrap();
    inbound::known(tx, &keys).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_million_tickets_nothing_of_every_day_reads_a_whole_table_or_sorts_one() {
    let world = World::sqlite().await;
    every_statement_put_together_is_understood(&world).await;
    let built: Vec<String> = HEARD.with_borrow(|heard| heard.iter().cloned().collect());
    assert!(built.len() > 80, "only {} statements were heard", built.len());
    let fixed = super::schema::statements(false).into_iter().filter(|(module, ..)| *module != "figures");
    let Pools::Sqlite { writer, .. } = &world.db.pools else { panic!("this is SQLite") };
    sqlx::query("ANALYZE").execute(writer).await.unwrap();
    sqlx::query("DELETE FROM sqlite_stat1").execute(writer).await.unwrap();
    for line in STATISTICS.lines() {
        let [table, index, statistic] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let insert = sqlx::query("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, NULLIF(?, ''), ?)");
        insert.bind(table).bind(index).bind(statistic).execute(writer).await.unwrap();
    }
    sqlx::query("ANALYZE sqlite_schema").execute(writer).await.unwrap();
    for sql in built.into_iter().chain(fixed.map(|(.., sql)| sql.to_owned())) {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(writer).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
        // For a ticket that is opened SQLite plans what it would do had rows named it before there was one: none can.
        let opens = sql.starts_with("INSERT INTO ticket (");
        for step in plan.iter().filter(|_| !opens) {
            assert!(!reads_all(step), "{sql}\n{plan:#?}");
        }
        let sorts = plan.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
        let few = ["assignee =", "requester_key =", "attention IS NOT NULL", "'resolved', 'closed'"];
        assert!(
            !sorts || !sql.contains("FROM ticket WHERE merged_into") || few.iter().any(|few| sql.contains(few)),
            "{sql}\n{plan:#?}"
        );
    }
}

/// Whether a step of a plan goes through a whole table that grows with the tickets, but for a walk along an index of ours
/// that ends with the page.
fn reads_all(step: &str) -> bool {
    let Some(what) = step.strip_prefix("SCAN ") else { return false };
    let table = what.split(' ').next().unwrap_or_default();
    let grows = STATISTICS.lines().any(|line| line.split('|').next() == Some(table) && line.contains("1000000"));
    let grows = grows || ["candidate", "earlier"].contains(&table);
    // Counting all tickets, all deliveries: asked for by people, and it goes through no more than a small index.
    let counts =
        ["ticket_count", "outbox_state"].iter().any(|index| what.ends_with(&format!("COVERING INDEX {index}")));
    grows && !counts && !what.contains(" USING INDEX ticket_")
}
