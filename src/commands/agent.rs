//! `guichet agent`: the people who work here, and the tokens their programs show.

use clap::{Args, Subcommand};

use super::{Context, Failure, secret};
use crate::client::{Client, segment};
use crate::desk::views::{
    AgentChange, AgentView, NewAgent, NewPassword, NewToken, Scope, TOKEN_DAYS, TokenMade, TokenView,
};
use crate::output::{Cell, Column, Shade, Table, plain};

/// Where agents are.
const AGENTS: &str = "/api/v1/agents";

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Add an agent.
    Add(AddArgs),
    /// List the agents.
    List,
    /// Set the password an agent signs in to the console with; read from the terminal, or from standard input.
    Password(NameArgs),
    /// End an agent's access, tokens included.
    Disable(NameArgs),
    /// Give an agent's access back.
    Enable(NameArgs),
    /// The tokens by which an agent's programs are known.
    #[command(subcommand)]
    Token(TokenCommand),
}

/// What can be done about tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is printed this once.
    Create(CreateArgs),
    /// List an agent's tokens.
    List(NameArgs),
    /// End a token.
    Revoke(RevokeArgs),
}

/// `add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The name in assignments: lower-case letters, digits, dots, dashes and underscores; never changed.
    name: String,
    /// The name requesters read under replies; without one they read the desk's name.
    #[arg(long, visible_alias = "name", value_name = "NAME")]
    display: Option<String>,
    /// An address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// May do everything, agents and tokens too.
    #[arg(long, conflicts_with = "lead")]
    admin: bool,
    /// May also decide on what is kept aside and on what leaves.
    #[arg(long)]
    lead: bool,
}

/// One agent.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// The agent's name.
    name: String,
}

/// `token create`
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The agent's name.
    name: String,
    /// What the token is called.
    #[arg(long = "for", value_name = "WHAT", default_value = "command line")]
    purpose: String,
    /// What it may do: read, work, lead or admin; the agent's role when absent.
    #[arg(long, value_parser = scope, value_name = "SCOPE")]
    scope: Option<Scope>,
    /// Days until it ends.
    #[arg(long, default_value_t = TOKEN_DAYS, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

/// `token revoke`
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The agent's name.
    name: String,
    /// The token's id, or the beginning of it as listed.
    id: String,
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(&text.to_lowercase()).ok_or_else(|| "use read, work, lead or admin".to_owned())
}

/// Carries it out.
pub async fn agent(context: &Context, command: AgentCommand) -> Result<(), Failure> {
    let client = context.client().await?;
    let done = match command {
        AgentCommand::Add(args) => add(context, &client, args).await,
        AgentCommand::List => list(context, &client).await,
        AgentCommand::Password(args) => password(context, &client, &args.name).await,
        AgentCommand::Disable(args) => change(context, &client, &args.name, true).await,
        AgentCommand::Enable(args) => change(context, &client, &args.name, false).await,
        AgentCommand::Token(TokenCommand::Create(args)) => create(context, &client, args).await,
        AgentCommand::Token(TokenCommand::List(args)) => tokens(context, &client, &args.name).await,
        AgentCommand::Token(TokenCommand::Revoke(args)) => revoke(context, &client, &args).await,
    };
    client.finish().await;
    done
}

async fn add(context: &Context, client: &Client, args: AddArgs) -> Result<(), Failure> {
    let role = match (args.admin, args.lead) {
        (true, _) => Scope::Admin,
        (false, true) => Scope::Lead,
        (false, false) => Scope::Work,
    };
    let agent = NewAgent { name: args.name, display: args.display, email: args.email, role };
    let answer = client.post(AGENTS, &agent).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let name = &agent.name;
    context.output.line(&format!("{name} works here now ({})", role.as_str()))?;
    context.output.remark(&format!("`guichet agent password {name}` lets them into the console, `guichet agent token create {name}` makes a token for the API"));
    Ok(())
}

async fn list(context: &Context, client: &Client) -> Result<(), Failure> {
    let answer = client.get(AGENTS).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let mut table = Table::new([
        Column::whole("NAME"),
        Column::whole("ROLE"),
        Column::text("SHOWN AS"),
        Column::text("ADDRESS"),
        Column::whole("SINCE"),
        Column::whole("STATE"),
    ]);
    for agent in answer.read::<Vec<AgentView>>()? {
        let disabled = agent.disabled_at.map(|at| format!("disabled {}", context.output.local(at)));
        table.row([
            agent.name.into(),
            agent.role.as_str().into(),
            agent.display.into(),
            agent.email.unwrap_or_default().into(),
            context.output.local(agent.created_at).into(),
            disabled.map_or_else(|| Cell::from("active"), |words| Cell::shaded(words, Shade::Faint)),
        ]);
    }
    Ok(context.output.table(&table, "no agents yet; `guichet agent add NAME` adds one")?)
}

async fn password(context: &Context, client: &Client, name: &str) -> Result<(), Failure> {
    let asked = format!("Password for {name} (12 characters or more): ");
    let secret = secret::ask(&asked).map_err(|error| Failure::of_file("standard input", &error))?;
    let answer = client.put(&format!("{AGENTS}/{}/password", segment(name)), &NewPassword { password: secret }).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    Ok(context
        .output
        .line(&plain::line(&format!("{name} signs in with it from now on; earlier sessions have ended")))?)
}

async fn change(context: &Context, client: &Client, name: &str, disabled: bool) -> Result<(), Failure> {
    let change = AgentChange { disabled: Some(disabled), ..AgentChange::default() };
    let answer = client.patch(&format!("{AGENTS}/{}", segment(name)), &change).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let words = if disabled { "no longer has access, nor have its tokens" } else { "has access again" };
    Ok(context.output.line(&plain::line(&format!("{name} {words}")))?)
}

async fn create(context: &Context, client: &Client, args: CreateArgs) -> Result<(), Failure> {
    let token = NewToken { name: args.purpose, scope: args.scope, days: Some(args.days) };
    let answer = client.post(&format!("{AGENTS}/{}/tokens", segment(&args.name)), &token).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let made: TokenMade = answer.read()?;
    context.output.line(&made.secret)?;
    let until = made.token.expires_at.map(|at| format!(" until {}", context.output.local(at))).unwrap_or_default();
    context.output.remark(&format!(
        "keep it now, it is not shown again; it may {}{until}; send it as \"Authorization: Bearer ...\"",
        made.token.scope.as_str()
    ));
    Ok(())
}

async fn tokens(context: &Context, client: &Client, name: &str) -> Result<(), Failure> {
    let answer = client.get(&format!("{AGENTS}/{}/tokens", segment(name))).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&answer.value()?)?);
    }
    let out = &context.output;
    let mut table = Table::new([
        Column::whole("ID"),
        Column::whole("SCOPE"),
        Column::text("FOR"),
        Column::whole("ENDS"),
        Column::whole("LAST USED"),
        Column::whole("STATE"),
    ]);
    for token in answer.read::<Vec<TokenView>>()? {
        let over = token.expires_at.is_some_and(|end| end <= out.now());
        let state = match (token.revoked_at, over) {
            (Some(_), _) => Cell::shaded("revoked", Shade::Faint),
            (None, true) => Cell::shaded("over", Shade::Faint),
            (None, false) => Cell::shaded("valid", Shade::Good),
        };
        table.row([
            token.id.chars().take(12).collect::<String>().into(),
            token.scope.as_str().into(),
            token.name.into(),
            token.expires_at.map_or_else(|| "never".to_owned(), |at| out.local(at)).into(),
            token.last_used_at.map_or_else(|| "-".to_owned(), |at| out.local(at)).into(),
            state,
        ]);
    }
    Ok(out.table(&table, "no tokens yet; `guichet agent token create` makes one")?)
}

async fn revoke(context: &Context, client: &Client, args: &RevokeArgs) -> Result<(), Failure> {
    let route = format!("{AGENTS}/{}/tokens", segment(&args.name));
    let known: Vec<TokenView> = client.get(&route).await?.read()?;
    let found = known.into_iter().map(|token| token.id).filter(|id| id.starts_with(&args.id)).collect();
    let id = super::only_one(found, &args.id, &format!("guichet agent token list {}", args.name))?;
    client.delete(&format!("{route}/{}", segment(&id))).await?;
    if context.output.is_json() {
        return Ok(context.output.value(&serde_json::json!({"id": id, "revoked": true}))?);
    }
    Ok(context.output.line(&format!("the token {} is over", id.chars().take(12).collect::<String>()))?)
}
