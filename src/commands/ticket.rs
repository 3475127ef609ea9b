//! `guichet ticket`: the tickets, and what agents do to them.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use guichet_domain::priority::{Impact, Urgency};
use guichet_domain::ticket::{Kind, State, Tier};

use super::cli::ReferenceArgs;
use super::{Context, Failure, message, shown};
use crate::client::{Answer, Client, Query, segment};
use crate::desk::views::{MessageKind, NewMessage, TicketDetail, TicketPage, TicketView, Transition};

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum TicketCommand {
    /// List tickets: those with work to do, the most pressing first.
    List(ListArgs),
    /// Show one ticket with its messages.
    Show(ShowArgs),
    /// Write to the requester.
    Reply(ReplyArgs),
    /// Write for the other agents.
    Note(WordsArgs),
    /// Give it to an agent.
    Assign(AssignArgs),
    /// Hand it to a higher tier.
    Escalate(EscalateArgs),
    /// Say what it is: kind, category, impact, urgency.
    Classify(ClassifyArgs),
    /// Resolve it and tell the requester.
    Close(CloseArgs),
    /// Take it up again.
    Reopen(WordsArgs),
    /// Make it part of another ticket: later messages go there.
    Merge(MergeArgs),
    /// Say that what needed attention was seen.
    Seen(ReferenceArgs),
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only in this state; may be given several times: new, open, waiting, resolved, closed.
    #[arg(long = "is", value_parser = word(State::parse, "new, open, waiting, resolved or closed"), value_name = "STATE")]
    states: Vec<State>,
    /// Resolved and closed ones too.
    #[arg(long, conflicts_with = "states")]
    all: bool,
    /// Only those assigned to this agent.
    #[arg(long, value_name = "AGENT", conflicts_with = "unassigned")]
    assignee: Option<String>,
    /// Only those assigned to nobody.
    #[arg(long)]
    unassigned: bool,
    /// Only those with something an agent must look at.
    #[arg(long)]
    attention: bool,
    /// Only of this category.
    #[arg(long, value_name = "KEY")]
    category: Option<String>,
    /// Only in this queue.
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Only of this priority: P1 to P5.
    #[arg(long, value_name = "P")]
    priority: Option<String>,
    /// Only come by this source.
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Only asked by this address.
    #[arg(long, value_name = "ADDRESS")]
    requester: Option<String>,
    /// Only with this text in the subject.
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// In this order.
    #[arg(long, value_enum, default_value = "work")]
    sort: Order,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Those behind this place: what the page before ended with.
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Order {
    /// The most pressing first, among them the longest waiting.
    Work,
    /// The last changed first.
    Updated,
    /// The last opened first.
    Opened,
}

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The ticket's number, as it is written or said: GT-482-109-3753, 482 109 3753.
    reference: String,
    /// Whole messages, with what they quote and how they are signed.
    #[arg(long)]
    full: bool,
}

/// A ticket and words.
#[derive(Debug, Args)]
pub struct WordsArgs {
    /// The ticket's number.
    reference: String,
    /// The words; "-" for standard input.
    text: Option<String>,
    /// The file that holds the words.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
}

/// `reply`
#[derive(Debug, Args)]
pub struct ReplyArgs {
    #[command(flatten)]
    words: WordsArgs,
    /// An answer is waited for.
    #[arg(long)]
    ask: bool,
}

/// `assign`
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// The ticket's number.
    reference: String,
    /// The agent.
    #[arg(required_unless_present = "nobody", conflicts_with = "nobody")]
    agent: Option<String>,
    /// Take it from whoever has it.
    #[arg(long)]
    nobody: bool,
}

/// `escalate`
#[derive(Debug, Args)]
pub struct EscalateArgs {
    /// The ticket's number.
    reference: String,
    /// The tier: L1, L2 or L3; the next above when absent.
    #[arg(long, value_parser = word(Tier::parse, "L1, L2 or L3"), value_name = "TIER")]
    to: Option<Tier>,
    /// Why, for the agents there; "-" for standard input.
    why: Option<String>,
}

/// `classify`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(true)))]
pub struct ClassifyArgs {
    /// The ticket's number.
    reference: String,
    /// incident, service_request, problem or question.
    #[arg(long, value_parser = word(Kind::parse, "incident, service_request, problem or question"), group = "what")]
    kind: Option<Kind>,
    /// The category's key.
    #[arg(long, value_name = "KEY", group = "what")]
    category: Option<String>,
    /// low, medium or high.
    #[arg(long, value_parser = word(Impact::parse, "low, medium or high"), group = "what")]
    impact: Option<Impact>,
    /// low, medium or high.
    #[arg(long, value_parser = word(Urgency::parse, "low, medium or high"), group = "what")]
    urgency: Option<Urgency>,
}

/// `close`
#[derive(Debug, Args)]
pub struct CloseArgs {
    #[command(flatten)]
    words: WordsArgs,
    /// Say nothing to the requester.
    #[arg(long)]
    silent: bool,
}

/// `merge`
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The ticket that becomes part of the other.
    reference: String,
    /// The ticket that goes on.
    into: String,
}

/// A parser of one of a closed set of words, for clap.
fn word<T>(parse: fn(&str) -> Option<T>, words: &'static str) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| parse(&text.to_lowercase()).ok_or_else(|| format!("use {words}"))
}

/// Carries it out.
pub async fn ticket(context: &Context, command: TicketCommand) -> Result<(), Failure> {
    let client = context.client().await?;
    let done = perform(context, &client, command).await;
    match done {
        Ok(()) => context.end(client).await,
        Err(failure) => {
            client.finish().await;
            Err(failure)
        }
    }
}

async fn perform(context: &Context, client: &Client, command: TicketCommand) -> Result<(), Failure> {
    match command {
        TicketCommand::List(args) => list(context, client, &args).await,
        TicketCommand::Show(args) => show(context, client, &args).await,
        TicketCommand::Reply(args) => write(context, client, args.words, MessageKind::Reply, args.ask).await,
        TicketCommand::Note(words) => write(context, client, words, MessageKind::Note, false).await,
        TicketCommand::Assign(args) => {
            act(context, client, &args.reference, Transition::Assign { to: args.agent, version: None }).await
        }
        TicketCommand::Escalate(args) => {
            let why = message::words(args.why.as_deref(), None)?;
            act(context, client, &args.reference, Transition::Escalate { to: args.to, why, version: None }).await
        }
        TicketCommand::Classify(args) => {
            let ClassifyArgs { reference, kind, category, impact, urgency } = args;
            act(context, client, &reference, Transition::Classify { kind, category, impact, urgency, version: None })
                .await
        }
        TicketCommand::Close(args) => {
            let text = message::words(args.words.text.as_deref(), args.words.file.as_deref())?;
            act(context, client, &args.words.reference, Transition::Close { text, silent: args.silent, version: None })
                .await
        }
        TicketCommand::Reopen(words) => {
            let why = message::words(words.text.as_deref(), words.file.as_deref())?;
            act(context, client, &words.reference, Transition::Reopen { why, version: None }).await
        }
        TicketCommand::Merge(args) => {
            let into = context.reference(&args.into)?;
            act(context, client, &args.reference, Transition::Merge { into, version: None }).await
        }
        TicketCommand::Seen(args) => act(context, client, &args.reference, Transition::Seen { version: None }).await,
    }
}

async fn list(context: &Context, client: &Client, args: &ListArgs) -> Result<(), Failure> {
    let mut query = Query::of("/api/v1/tickets")
        .maybe("assignee", args.unassigned.then_some("none").or(args.assignee.as_deref()))
        .maybe("category", args.category.as_deref())
        .maybe("queue", args.queue.as_deref())
        .maybe("priority", args.priority.as_deref())
        .maybe("source", args.source.as_deref())
        .maybe("requester", args.requester.as_deref())
        .maybe("q", args.subject.as_deref())
        .maybe("after", args.after.as_deref())
        .maybe("attention", args.attention.then_some("true"))
        .with("limit", &args.limit.to_string())
        .with("sort", args.sort.word());
    if !args.all {
        let words: Vec<&str> = args.states.iter().map(|state| state.as_str()).collect();
        query = query.with("state", &if words.is_empty() { "live".to_owned() } else { words.join(",") });
    }
    let answer = client.get(query.as_str()).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let page: TicketPage = answer.read()?;
    context.output.table(&shown::tickets(&context.output, &page.tickets), "no tickets")?;
    if let Some(next) = page.next {
        context.output.remark(&format!("there are more: add --after {next}"));
    }
    Ok(())
}

impl Order {
    const fn word(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Updated => "updated",
            Self::Opened => "opened",
        }
    }
}

async fn show(context: &Context, client: &Client, args: &ShowArgs) -> Result<(), Failure> {
    let route = route(context, &args.reference, "")?;
    let answer = client.get(&route).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let mut detail: TicketDetail = answer.read()?;
    // A long timeline comes in pages.
    while let Some(after) = detail.next {
        let more: TicketDetail =
            client.get(Query::of(route.clone()).with("after", &after.to_string()).as_str()).await?.read()?;
        if more.timeline.is_empty() {
            break;
        }
        detail.timeline.extend(more.timeline);
        detail.next = more.next;
    }
    if args.full {
        for entry in &mut detail.timeline {
            entry.text = entry.full_text.take().unwrap_or_else(|| std::mem::take(&mut entry.text));
        }
    }
    Ok(context.output.write(&shown::ticket(&context.output, &detail))?)
}

async fn write(
    context: &Context,
    client: &Client,
    args: WordsArgs,
    kind: MessageKind,
    ask: bool,
) -> Result<(), Failure> {
    let route = route(context, &args.reference, "/messages")?;
    let text = message::some_words(args.text.as_deref(), args.file.as_deref())?;
    let answer = client.post(&route, &NewMessage { kind, text, ask, version: None }).await?;
    told(context, &answer)
}

async fn act(context: &Context, client: &Client, reference: &str, what: Transition) -> Result<(), Failure> {
    let route = route(context, reference, "/transitions")?;
    let answer = client.post(&route, &what).await?;
    told(context, &answer)
}

/// Tells how the ticket stands now.
fn told(context: &Context, answer: &Answer) -> Result<(), Failure> {
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let value = answer.value()?;
    // The answer is the ticket, or holds it.
    let ticket = value.get("ticket").cloned().unwrap_or(value);
    let line = serde_json::from_value::<TicketView>(ticket)
        .map_or_else(|_| "done".to_owned(), |ticket| shown::standing(&ticket));
    Ok(context.output.line(&line)?)
}

fn route(context: &Context, reference: &str, rest: &str) -> Result<String, Failure> {
    Ok(format!("/api/v1/tickets/{}{rest}", segment(&context.reference(reference)?)))
}
