//! `guichet outbox`: what must leave, and what became of it.

use clap::{Args, Subcommand};
use guichet_domain::outgoing::DeliveryState;
use serde_json::json;

use super::{Context, Failure, shown};
use crate::client::{Client, Query, segment};
use crate::desk::views::{DeliveryPage, DeliveryView};
use crate::output::{Column, Table, plain};

/// Most rows looked through for the end of an id.
const PAGES: usize = 10;

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// List what waits and what did not leave; with --all everything, the latest first.
    List(ListArgs),
    /// Show one row with every attempt.
    Show(IdArgs),
    /// Send rows now, or again.
    Retry(IdsArgs),
    /// Take rows out: they are not sent.
    Cancel(IdsArgs),
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only in this state; may be given several times: pending, sending, sent, refused, unknown, suppressed, expired.
    #[arg(long = "is", value_parser = state, value_name = "STATE")]
    states: Vec<DeliveryState>,
    /// Everything, sent and suppressed too.
    #[arg(long, conflicts_with = "states")]
    all: bool,
    /// Only by this source.
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Those before this one: what the page before ended with.
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
}

/// One row.
#[derive(Debug, Args)]
pub struct IdArgs {
    /// Its id, or the end of it as listed.
    id: String,
}

/// Rows.
#[derive(Debug, Args)]
pub struct IdsArgs {
    /// Their ids, or the ends of them as listed.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

fn state(text: &str) -> Result<DeliveryState, String> {
    let words = || DeliveryState::ALL.map(DeliveryState::as_str).join(", ");
    DeliveryState::parse(&text.to_lowercase()).ok_or_else(|| format!("use one of {}", words()))
}

/// Carries it out.
pub async fn outbox(context: &Context, command: OutboxCommand) -> Result<(), Failure> {
    let client = context.client().await?;
    let (done, changes) = match command {
        OutboxCommand::List(args) => (list(context, &client, &args).await, false),
        OutboxCommand::Show(args) => (show(context, &client, &args.id).await, false),
        OutboxCommand::Retry(args) => (act(context, &client, &args.ids, "retry").await, true),
        OutboxCommand::Cancel(args) => (act(context, &client, &args.ids, "cancel").await, true),
    };
    if done.is_ok() && changes {
        return context.end(client).await;
    }
    client.finish().await;
    done
}

async fn list(context: &Context, client: &Client, args: &ListArgs) -> Result<(), Failure> {
    let open = [
        DeliveryState::Pending,
        DeliveryState::Sending,
        DeliveryState::Refused,
        DeliveryState::Unknown,
        DeliveryState::Expired,
    ];
    let states = if args.all || !args.states.is_empty() { args.states.as_slice() } else { &open };
    let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let query = Query::of("/api/v1/outbox")
        .with("limit", &args.limit.to_string())
        .maybe("state", (!words.is_empty()).then(|| words.join(",")).as_deref())
        .maybe("source", args.source.as_deref())
        .maybe("before", args.before.map(|before| before.to_string()).as_deref());
    let answer = client.get(query.as_str()).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let page: DeliveryPage = answer.read()?;
    context.output.table(&shown::deliveries(&context.output, &page.deliveries), "nothing waits, and nothing failed")?;
    if let Some(next) = page.next {
        context.output.remark(&format!("there are more: add --before {next}"));
    }
    Ok(())
}

async fn show(context: &Context, client: &Client, id: &str) -> Result<(), Failure> {
    let id = whole(client, id).await?;
    let answer = client.get(&format!("/api/v1/outbox/{id}")).await?;
    let out = &context.output;
    if out.is_json() {
        return Ok(out.value(&answer.value()?)?);
    }
    let row: DeliveryView = answer.read()?;
    let facts = [
        ("id", Some(row.id.to_string())),
        ("what", Some(format!("{} of {}", row.kind.as_str(), row.reference))),
        ("state", Some(row.state.as_str().to_owned())),
        ("why", row.reason.as_ref().map(|reason| format!("{} ({})", shown::why(reason), reason.code))),
        ("to", Some(shown::party(&row.to))),
        ("source", Some(row.source.to_string())),
        ("queued", Some(out.moment(row.created_at))),
        ("due", Some(out.moment(row.due_at)).filter(|_| row.state == DeliveryState::Pending)),
        ("settled", row.settled_at.map(|at| out.moment(at))),
        ("network id", row.external_id.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            out.line(&format!("{name:<11} {}", plain::line(&value)))?;
        }
    }
    let mut table =
        Table::new([Column::whole("STARTED"), Column::number("TOOK"), Column::whole("OUTCOME"), Column::text("WORDS")]);
    for attempt in &row.tries {
        let took = attempt.ended_at.map(|end| format!("{} ms", end.since(attempt.started_at).as_millis()));
        table.row([
            out.local(attempt.started_at).into(),
            took.unwrap_or_else(|| "-".to_owned()).into(),
            attempt.outcome.as_deref().unwrap_or("under way").into(),
            attempt.detail.as_deref().unwrap_or_default().into(),
        ]);
    }
    out.line("")?;
    Ok(out.table(&table, "it was not tried yet")?)
}

async fn act(context: &Context, client: &Client, ids: &[String], what: &str) -> Result<(), Failure> {
    for id in ids {
        let id = whole(client, id).await?;
        let answer = client.post(&format!("/api/v1/outbox/{id}/{what}"), &json!({})).await?;
        if context.output.is_json() {
            context.output.value(&answer.value()?)?;
        } else {
            let now = answer
                .read::<DeliveryView>()
                .map_or_else(|_| "done".to_owned(), |row| format!("is {}", row.state.as_str()));
            context.output.line(&format!("{} {now}", shown::short(&id)))?;
        }
    }
    Ok(())
}

/// The whole id of the row whose id ends like this.
async fn whole(client: &Client, given: &str) -> Result<String, Failure> {
    if given.len() >= 32 {
        return Ok(segment(given));
    }
    let mut found = Vec::new();
    let mut before = None;
    for _ in 0..PAGES {
        let query = Query::of("/api/v1/outbox").with("limit", "200");
        let query = query.maybe("before", before.map(|before: i64| before.to_string()).as_deref());
        let page: DeliveryPage = client.get(query.as_str()).await?.read()?;
        found.extend(page.deliveries.iter().map(|row| row.id.to_string()).filter(|id| id.ends_with(given)));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    super::only_one(found, given, "guichet outbox list --all")
}
