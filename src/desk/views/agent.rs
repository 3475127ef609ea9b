//! Agents and their tokens, as they are shown and asked for.

use guichet_domain::Moment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Days a token lives when nothing else is asked for, whoever asks: a year, so that a program set up once is looked at once
/// a year; one that needs less asks for less.
pub const TOKEN_DAYS: u32 = 365;

/// What somebody may do; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read tickets and figures.
    Read,
    /// Work tickets.
    Work,
    /// Hand in mail, decide on what is kept aside, and on what leaves.
    Lead,
    /// Agents and tokens.
    Admin,
}

impl Scope {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Work, Self::Lead, Self::Admin];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Work => "work",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }

    /// The scope with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentView {
    /// The name in assignments.
    pub name: String,
    /// The name requesters read; the same as `name` when none was given: then they read the desk's.
    pub display: String,
    /// An address.
    pub email: Option<String>,
    /// The most that a token of this agent may do.
    pub role: Scope,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// Since when not any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Moment>,
}

/// A new agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// The name in assignments: 1 to 60 lower-case letters, digits, dots, dashes and underscores; never changed.
    #[schema(example = "amelie")]
    pub name: String,
    /// The name requesters read under replies, 1 to 60 characters; without one they read the desk's name.
    #[serde(default)]
    pub display: Option<String>,
    /// An address.
    #[serde(default)]
    pub email: Option<String>,
    /// The most that a token of this agent may do.
    pub role: Scope,
}

/// What is to change about an agent. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentChange {
    /// The name requesters read under replies, 1 to 60 characters; empty for none, so that they read the desk's name.
    #[serde(default)]
    pub display: Option<String>,
    /// An address.
    #[serde(default)]
    pub email: Option<String>,
    /// The most that a token of this agent may do.
    #[serde(default)]
    pub role: Option<Scope>,
    /// `true` ends the agent's access at once, tokens included; `false` gives it back.
    #[serde(default)]
    pub disabled: Option<bool>,
}

/// A password, to sign in to the console with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// 12 to 256 characters.
    #[schema(min_length = 12, max_length = 256)]
    pub password: String,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

/// A new token of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is called: 1 to 60 characters.
    #[schema(example = "monitoring")]
    pub name: String,
    /// What it may do; the agent's role when left out.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Days until it ends, 1 to 3650; 365 when left out.
    #[serde(default)]
    pub days: Option<u32>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Names it, to revoke it; no secret.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Moment>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Moment>,
    /// Since when not any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Moment>,
}

/// A token that was made. Its secret is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenMade {
    /// Send it as `Authorization: Bearer …`.
    pub secret: String,
    /// The token.
    pub token: TokenView,
}
