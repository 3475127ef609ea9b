//! `guichet quarantine`: what was kept aside, and what to do with it.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, Failure, shown};
use crate::client::{Client, Query, segment};
use crate::desk::views::{QuarantineItem, QuarantinePage, ReceiptView};
use crate::output::{Cell, Column, Shade, Table, plain};

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List what is kept aside, the latest first.
    List(ListArgs),
    /// Show one item.
    Show(ShowArgs),
    /// Let items in after all: each becomes a ticket, or joins one.
    Release(IdsArgs),
    /// Leave items out for good; they stay counted.
    Discard(IdsArgs),
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Those of this standing: held, released, discarded.
    #[arg(long, default_value = "held", value_parser = ["held", "released", "discarded"])]
    standing: String,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Those before this one: what the page before ended with.
    #[arg(long, value_name = "ID")]
    before: Option<String>,
}

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Its id, or the end of it as listed.
    id: String,
    /// The octets as they came, to standard output.
    #[arg(long)]
    raw: bool,
}

/// Items.
#[derive(Debug, Args)]
pub struct IdsArgs {
    /// Their ids, or the ends of them as listed.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Carries it out.
pub async fn quarantine(context: &Context, command: QuarantineCommand) -> Result<(), Failure> {
    let client = context.client().await?;
    let done = match command {
        QuarantineCommand::List(args) => list(context, &client, &args).await,
        QuarantineCommand::Show(args) => show(context, &client, &args).await,
        QuarantineCommand::Release(args) => release(context, &client, &args.ids).await,
        QuarantineCommand::Discard(args) => discard(context, &client, &args.ids).await,
    };
    match done {
        Ok(()) => context.end(client).await,
        Err(failure) => {
            client.finish().await;
            Err(failure)
        }
    }
}

async fn list(context: &Context, client: &Client, args: &ListArgs) -> Result<(), Failure> {
    let query = Query::of("/api/v1/quarantine")
        .with("standing", &args.standing)
        .with("limit", &args.limit.to_string())
        .maybe("before", args.before.as_deref());
    let answer = client.get(query.as_str()).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let page: QuarantinePage = answer.read()?;
    let mut table = Table::new([
        Column::whole("ID"),
        Column::number("AGE"),
        Column::whole("SOURCE"),
        Column::text("FROM"),
        Column::text("SUBJECT"),
        Column::whole("CODE"),
    ]);
    for item in &page.items {
        table.row([
            shown::short(&item.id.to_string()).into(),
            context.output.age(item.received_at).into(),
            item.source.as_str().into(),
            item.from.as_deref().unwrap_or("-").into(),
            item.subject.as_deref().unwrap_or("-").into(),
            Cell::shaded(item.reason.as_ref().map_or(String::new(), |reason| reason.code.to_string()), Shade::Warning),
        ]);
    }
    context.output.table(&table, "nothing is kept aside")?;
    if let Some(next) = page.next {
        context.output.remark(&format!("there are more: add --before {next}"));
    }
    Ok(())
}

async fn show(context: &Context, client: &Client, args: &ShowArgs) -> Result<(), Failure> {
    let id = whole(client, &args.id).await?;
    if args.raw {
        let answer = client.get(&format!("/api/v1/quarantine/{id}/raw")).await?;
        return Ok(context.output.from_outside(&answer.bytes)?);
    }
    let answer = client.get(&format!("/api/v1/quarantine/{id}")).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let item: QuarantineItem = answer.read()?;
    let standing = serde_json::to_value(item.standing).ok();
    let standing = standing.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned();
    let raw = if item.has_raw { "`--raw` shows it" } else { "its octets are no longer kept" };
    let facts = [
        ("id", Some(item.id.to_string())),
        ("standing", Some(standing)),
        ("why", item.reason.as_ref().map(|reason| format!("{} ({})", shown::why(reason), reason.code))),
        ("source", Some(item.source.to_string())),
        ("from", item.from.clone()),
        ("subject", item.subject.clone()),
        ("came", Some(context.output.moment(item.received_at))),
        ("size", Some(format!("{} octets; {raw}", item.size))),
        ("ticket", item.reference.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            context.output.line(&format!("{name:<9} {}", plain::line(&value)))?;
        }
    }
    Ok(())
}

async fn release(context: &Context, client: &Client, ids: &[String]) -> Result<(), Failure> {
    for id in ids {
        let id = whole(client, id).await?;
        let answer = client.post(&format!("/api/v1/quarantine/{id}/release"), &json!({})).await?;
        if context.output.is_json() {
            context.output.value(&answer.value()?)?;
        } else {
            let receipt: ReceiptView = answer.read()?;
            let line = shown::receipt(&receipt);
            context.output.line(&context.output.style().paint(&plain::line(&line), shown::verdict(receipt.verdict)))?;
        }
    }
    Ok(())
}

async fn discard(context: &Context, client: &Client, ids: &[String]) -> Result<(), Failure> {
    for id in ids {
        let id = whole(client, id).await?;
        let answer = client.post(&format!("/api/v1/quarantine/{id}/discard"), &json!({})).await?;
        if context.output.is_json() {
            context.output.value(&answer.value()?)?;
        } else {
            context.output.line(&format!("{} is left out for good", shown::short(&id)))?;
        }
    }
    Ok(())
}

/// The whole id of the item whose id ends like this.
async fn whole(client: &Client, given: &str) -> Result<String, Failure> {
    if given.len() >= 32 {
        return Ok(segment(given));
    }
    let mut found = Vec::new();
    for standing in ["held", "released", "discarded"] {
        let query = Query::of("/api/v1/quarantine").with("standing", standing).with("limit", "200");
        let page: QuarantinePage = client.get(query.as_str()).await?.read()?;
        found.extend(page.items.iter().map(|item| item.id.to_string()).filter(|id| id.ends_with(given)));
    }
    super::only_one(found, given, "guichet quarantine list")
}
