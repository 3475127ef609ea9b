//! Agents and the tokens their programs show. Of a token only the hash is kept.

use guichet_domain::Moment;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Row, queries};
use crate::value::Value;

queries! {
    ADD = "INSERT INTO agent (name, display, email, role, created_at, disabled_at) VALUES ($1, $2, $3, $4, $5, NULL) \
        ON CONFLICT (name) DO NOTHING";
    UPDATE = "UPDATE agent SET display = $2, email = $3, role = $4, disabled_at = $5 WHERE name = $1";
    BY_NAME = "SELECT name, display, email, role, created_at, disabled_at FROM agent WHERE name = $1";
    LIST = "SELECT name, display, email, role, created_at, disabled_at FROM agent ORDER BY name";
    ADD_TOKEN = "INSERT INTO api_token (hash, agent, name, scopes, created_at, expires_at, last_used_at, revoked_at) \
        VALUES ($1, $2, $3, $4, $5, $6, NULL, NULL)";
    TOKENS = "SELECT hash, agent, name, scopes, created_at, expires_at, last_used_at, revoked_at FROM api_token \
        WHERE agent = $1 ORDER BY created_at, hash";
    REVOKE = "UPDATE api_token SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL";
    TOKEN = "SELECT hash, agent, name, scopes, created_at, expires_at, last_used_at, revoked_at FROM api_token WHERE hash = $1";
    TOUCH = "UPDATE api_token SET last_used_at = $2 WHERE hash = $1";
}

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The name in assignments and on the command line: unique, never changed.
    pub name: String,
    /// The name shown.
    pub display: String,
    /// An address.
    pub email: Option<String>,
    /// What the agent may do, as a word the caller knows.
    pub role: String,
    /// Since when.
    pub created_at: Moment,
    /// Since when not any more.
    pub disabled_at: Option<Moment>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Hash of its secret: its key.
    pub hash: String,
    /// Whose.
    pub agent: String,
    /// What it is called.
    pub name: String,
    /// What it may do: words the caller knows, with spaces between.
    pub scopes: String,
    /// Since when.
    pub created_at: Moment,
    /// Until when.
    pub expires_at: Option<Moment>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Moment>,
    /// Since when not any more.
    pub revoked_at: Option<Moment>,
}

/// Adds an agent; `false` when there is one of that name.
pub async fn add(tx: &mut Tx, agent: &Agent) -> Result<bool, StoreError> {
    let values = [
        agent.name.as_str().into(),
        agent.display.as_str().into(),
        Value::maybe(agent.email.as_deref()),
        agent.role.as_str().into(),
        agent.created_at.into(),
    ];
    Ok(sql::execute(tx, ADD, &values).await? == 1)
}

/// Writes everything of an agent but the name and the day of joining.
pub async fn update(tx: &mut Tx, agent: &Agent) -> Result<(), StoreError> {
    let values = [
        agent.name.as_str().into(),
        agent.display.as_str().into(),
        Value::maybe(agent.email.as_deref()),
        agent.role.as_str().into(),
        Value::at(agent.disabled_at),
    ];
    sql::execute_one(tx, "change an agent", UPDATE, &values).await
}

/// The agent of this name.
pub async fn by_name(tx: &mut Tx, name: &str) -> Result<Option<Agent>, StoreError> {
    sql::row(tx, BY_NAME, &[name.into()]).await?.as_ref().map(read).transpose()
}

/// All agents, by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<Agent>, StoreError> {
    sql::rows(tx, LIST, &[]).await?.iter().map(read).collect()
}

/// Adds a token of an agent that exists.
pub async fn add_token(tx: &mut Tx, token: &ApiToken) -> Result<(), StoreError> {
    let values = [
        token.hash.as_str().into(),
        token.agent.as_str().into(),
        token.name.as_str().into(),
        token.scopes.as_str().into(),
        token.created_at.into(),
        Value::at(token.expires_at),
    ];
    sql::execute_one(tx, "add a token", ADD_TOKEN, &values).await
}

/// The tokens of an agent, the revoked ones too.
pub async fn tokens(tx: &mut Tx, agent: &str) -> Result<Vec<ApiToken>, StoreError> {
    sql::rows(tx, TOKENS, &[agent.into()]).await?.iter().map(read_token).collect()
}

/// Ends a token; `false` when it was over, or never was.
pub async fn revoke(tx: &mut Tx, hash: &str, now: Moment) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, REVOKE, &[hash.into(), now.into()]).await? == 1)
}

/// Whose token this is: `None` when it is unknown, over or revoked, or its agent is disabled.
pub async fn authenticate(tx: &mut Tx, hash: &str, now: Moment) -> Result<Option<(Agent, ApiToken)>, StoreError> {
    let Some(row) = sql::row(tx, TOKEN, &[hash.into()]).await? else { return Ok(None) };
    let token = read_token(&row)?;
    let is_over = token.revoked_at.is_some() || token.expires_at.is_some_and(|end| end <= now);
    let agent = if is_over { None } else { by_name(tx, &token.agent).await? };
    Ok(agent.filter(|agent| agent.disabled_at.is_none()).map(|agent| (agent, token)))
}

/// Notes that a token was used. Once a minute is enough.
pub async fn touch(tx: &mut Tx, hash: &str, now: Moment) -> Result<(), StoreError> {
    sql::execute_one(tx, "note the use of a token", TOUCH, &[hash.into(), now.into()]).await
}

fn read(row: &Row) -> Result<Agent, StoreError> {
    Ok(Agent {
        name: row.get("name")?,
        display: row.get("display")?,
        email: row.get("email")?,
        role: row.get("role")?,
        created_at: row.at("created_at")?,
        disabled_at: row.maybe_at("disabled_at")?,
    })
}

fn read_token(row: &Row) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        hash: row.get("hash")?,
        agent: row.get("agent")?,
        name: row.get("name")?,
        scopes: row.get("scopes")?,
        created_at: row.at("created_at")?,
        expires_at: row.maybe_at("expires_at")?,
        last_used_at: row.maybe_at("last_used_at")?,
        revoked_at: row.maybe_at("revoked_at")?,
    })
}
