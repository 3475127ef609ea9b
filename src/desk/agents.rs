//! Agents and the tokens of their programs: who may do what.

use std::time::Duration;

use guichet_domain::token::{new_secret, secret_hash};
use guichet_store::Tx;
use guichet_store::agent::{self, Agent, ApiToken};
use tracing::debug;

use crate::desk::views::{AgentChange, AgentView, NewAgent, NewToken, Scope, TOKEN_DAYS, TokenMade, TokenView};
use crate::desk::{Desk, DeskError};

/// What a secret begins with, so that people and scanners know one when they see it.
const MARK: &str = "gct_";
/// Days a token lives at most.
const MOST_DAYS: u32 = 3650;
/// A token's last use is noted this often.
const NOTED: Duration = Duration::from_mins(1);
/// Digits of its hash that name a token.
const TOKEN_ID: usize = 16;
/// Longest name of an agent or a token, in characters.
const LONGEST_NAME: usize = 60;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The agent's name.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
}

impl Desk {
    /// Whose secret this is; `None` when it is unknown, over or revoked, or its agent disabled. Compared by hash alone:
    /// the time it takes tells nothing of the secret.
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Caller>, DeskError> {
        let (hash, now) = (secret_hash(secret), self.kernel.clock.now());
        let mut tx = self.kernel.db.read().await?;
        let Some((agent, token)) = agent::authenticate(&mut tx, &hash, now).await? else { return Ok(None) };
        drop(tx);
        if token.last_used_at.is_none_or(|at| now.since(at) >= NOTED) {
            let kernel = self.kernel.clone();
            // Nobody waits for the note, and without it nothing is wrong.
            tokio::spawn(async move {
                let noted = async {
                    let mut tx = kernel.db.write().await?;
                    agent::touch(&mut tx, &hash, now).await?;
                    tx.commit().await
                };
                if let Err(error) = noted.await {
                    debug!(%error, "the use of a token could not be noted");
                }
            });
        }
        let scope = scope(&token.scopes).min(scope(&agent.role));
        Ok(Some(Caller { name: agent.name, scope }))
    }

    /// All agents, by name.
    pub async fn agents(&self) -> Result<Vec<AgentView>, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        Ok(agent::list(&mut tx).await?.into_iter().map(agent_view).collect())
    }

    /// Adds an agent.
    pub async fn add_agent(&self, new: &NewAgent) -> Result<AgentView, DeskError> {
        check_name(&new.name)?;
        let agent = Agent {
            name: new.name.clone(),
            display: display(new.display.as_deref().unwrap_or_default(), &new.name)?,
            email: new.email.clone(),
            role: new.role.as_str().to_owned(),
            created_at: self.kernel.clock.now(),
            disabled_at: None,
        };
        let mut tx = self.kernel.db.write().await?;
        if !agent::add(&mut tx, &agent).await? {
            return Err(DeskError::state(
                format!("there is an agent \"{}\" already", new.name),
                "take another name, or change that one",
            ));
        }
        tx.commit().await?;
        Ok(agent_view(agent))
    }

    /// Changes an agent; disabling ends all access at once.
    pub async fn change_agent(&self, name: &str, change: &AgentChange) -> Result<AgentView, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let mut agent = known(&mut tx, name).await?;
        if let Some(display) = &change.display {
            agent.display = self::display(display, name)?;
        }
        if let Some(email) = &change.email {
            agent.email = Some(email.clone()).filter(|email| !email.is_empty());
        }
        if let Some(role) = change.role {
            role.as_str().clone_into(&mut agent.role);
        }
        match change.disabled {
            Some(true) => agent.disabled_at = agent.disabled_at.or(Some(now)),
            Some(false) => agent.disabled_at = None,
            None => {}
        }
        agent::update(&mut tx, &agent).await?;
        tx.commit().await?;
        Ok(agent_view(agent))
    }

    /// The tokens of an agent, those that are over too.
    pub async fn tokens(&self, name: &str) -> Result<Vec<TokenView>, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        known(&mut tx, name).await?;
        Ok(agent::tokens(&mut tx, name).await?.into_iter().map(token_view).collect())
    }

    /// Makes a token. Its secret is in the answer and nowhere else.
    pub async fn add_token(&self, name: &str, new: &NewToken) -> Result<TokenMade, DeskError> {
        let days = new.days.unwrap_or(TOKEN_DAYS);
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(DeskError::invalid(format!("days = {days}"), format!("give it 1 to {MOST_DAYS} days")));
        }
        if new.name.trim().is_empty() || new.name.chars().count() > LONGEST_NAME {
            return Err(DeskError::invalid("name: it cannot be a token's", "use 1 to 60 characters"));
        }
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let agent = known(&mut tx, name).await?;
        let role = scope(&agent.role);
        let wanted = new.scope.unwrap_or(role);
        if wanted > role {
            let what = format!("scope: the agent's role is {}", role.as_str());
            return Err(DeskError::invalid(what, "ask for less, or change the agent's role first"));
        }
        let secret = format!("{MARK}{}", new_secret(self.kernel.ids.as_ref()));
        let token = ApiToken {
            hash: secret_hash(&secret),
            agent: agent.name,
            name: new.name.trim().to_owned(),
            scopes: wanted.as_str().to_owned(),
            created_at: now,
            expires_at: Some(now + Duration::from_secs(u64::from(days) * 24 * 3600)),
            last_used_at: None,
            revoked_at: None,
        };
        agent::add_token(&mut tx, &token).await?;
        tx.commit().await?;
        Ok(TokenMade { secret, token: token_view(token) })
    }

    /// Ends a token, by its id; once ended it stays so.
    pub async fn revoke_token(&self, name: &str, id: &str) -> Result<TokenView, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        known(&mut tx, name).await?;
        let mut tokens = agent::tokens(&mut tx, name).await?;
        let found = tokens.iter().position(|token| !id.is_empty() && token_id(token) == id);
        let Some(found) = found else {
            return Err(DeskError::not_found(format!("{name} has no token {id}"), "list the agent's tokens"));
        };
        let mut token = tokens.swap_remove(found);
        agent::revoke(&mut tx, &token.hash, now).await?;
        tx.commit().await?;
        token.revoked_at = token.revoked_at.or(Some(now));
        Ok(token_view(token))
    }
}

/// The name requesters read of an agent; `None`: theirs is the desk's, since the name in assignments is a login.
pub(super) fn called(agent: &Agent) -> Option<String> {
    Some(agent.display.clone()).filter(|display| *display != agent.name)
}

/// Refuses what cannot be the name of an agent.
pub(super) fn check_name(name: &str) -> Result<(), DeskError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) || name == "none" {
        let remedy = "use 1 to 60 lower-case letters, digits, dots, dashes and underscores";
        return Err(DeskError::invalid("name: it cannot be an agent's", remedy));
    }
    Ok(())
}

/// The name to keep as the one shown: the agent's own where none is given.
pub(super) fn display(asked: &str, name: &str) -> Result<String, DeskError> {
    let asked = asked.trim();
    if asked.chars().count() > LONGEST_NAME || asked.chars().any(char::is_control) {
        let remedy = format!("use 1 to {LONGEST_NAME} characters on one line, or leave it out");
        return Err(DeskError::invalid("display: it cannot be a name", remedy));
    }
    Ok(if asked.is_empty() { name } else { asked }.to_owned())
}

pub(super) async fn known(tx: &mut Tx, name: &str) -> Result<Agent, DeskError> {
    let agent = agent::by_name(tx, name).await?;
    agent.ok_or_else(|| DeskError::not_found(format!("there is no agent \"{name}\""), "list the agents"))
}

/// The highest scope among the words; without any known one, to read.
fn scope(words: &str) -> Scope {
    words.split_whitespace().filter_map(Scope::parse).max().unwrap_or(Scope::Read)
}

fn token_id(token: &ApiToken) -> String {
    token.hash.chars().take(TOKEN_ID).collect()
}

pub(super) fn agent_view(agent: Agent) -> AgentView {
    AgentView {
        role: scope(&agent.role),
        name: agent.name,
        display: agent.display,
        email: agent.email,
        created_at: agent.created_at,
        disabled_at: agent.disabled_at,
    }
}

fn token_view(token: ApiToken) -> TokenView {
    TokenView {
        id: token_id(&token),
        name: token.name,
        scope: scope(&token.scopes),
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        revoked_at: token.revoked_at,
    }
}
