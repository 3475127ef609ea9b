//! Single-use links: how the first admin comes in, and how agents choose their password without anybody else knowing it.

use std::net::IpAddr;
use std::time::Duration;

use guichet_domain::token::{new_secret, secret_hash};
use guichet_store::access;
use guichet_store::agent::{self, Agent};
use guichet_store::trail::{self, Deed};

use crate::desk::agents::{agent_view, check_name, display, known};
use crate::desk::signin::required;
use crate::desk::views::Scope;
use crate::desk::{Desk, DeskError, SignInError, SignedIn, Stage};

/// How long a link lives: the first admin's, and an agent's.
const FIRST: Duration = Duration::from_hours(1);
const AGENT: Duration = Duration::from_hours(72);

/// Whom a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invitee {
    /// Whoever becomes the first admin.
    FirstAdmin,
    /// An agent who chooses a password.
    Agent(String),
}

impl Desk {
    /// The secret of a link by which the first admin comes in; `None` while an admin may work here. Links made before end.
    pub async fn first_admin(&self) -> Result<Option<String>, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        access::end_first_links(&mut tx, now).await?;
        if access::admins(&mut tx).await? > 0 {
            tx.commit().await?;
            return Ok(None);
        }
        let secret = new_secret(self.kernel.ids.as_ref());
        access::invite(&mut tx, &secret_hash(&secret), None, "start", now, now + FIRST).await?;
        tx.commit().await?;
        Ok(Some(secret))
    }

    /// The secret of a link by which an agent chooses a password, within three days.
    pub async fn invite(&self, name: &str, by: &str, origin: &str) -> Result<String, DeskError> {
        let now = self.kernel.clock.now();
        let secret = new_secret(self.kernel.ids.as_ref());
        let mut tx = self.kernel.db.write().await?;
        if known(&mut tx, name).await?.disabled_at.is_some() {
            return Err(DeskError::state(format!("{name} is disabled"), "give access back first"));
        }
        access::invite(&mut tx, &secret_hash(&secret), Some(name), by, now, now + AGENT).await?;
        let deed = Deed { agent: by, origin, act: "invite", ticket: None, subject: name };
        trail::add(&mut tx, &deed, now).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Whom a link is for; `None` when it was used, is over, or never was.
    pub async fn invitee(&self, secret: &str) -> Result<Option<Invitee>, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let found = access::invitation(&mut tx, &secret_hash(secret), self.kernel.clock.now()).await?;
        match found {
            Some(None) if access::admins(&mut tx).await? > 0 => Ok(None),
            Some(None) => Ok(Some(Invitee::FirstAdmin)),
            Some(Some(name)) => Ok(Some(Invitee::Agent(name))),
            None => Ok(None),
        }
    }

    /// Uses a link up: sets the password, making the first admin of this name where it is theirs, and signs in.
    pub async fn accept_invitation(
        &self,
        secret: &str,
        name: &str,
        password: String,
        ip: IpAddr,
    ) -> Result<SignedIn, SignInError> {
        let over = || DeskError::state("this link was used or is over", "ask for another one");
        let invitee = self.invitee(secret).await?.ok_or_else(over)?;
        let name = match &invitee {
            Invitee::FirstAdmin => name.trim(),
            Invitee::Agent(agent) => agent.as_str(),
        };
        check_name(name)?;
        let hash = self.hash_of(name, password).await?;
        let (now, origin) = (self.kernel.clock.now(), ip.to_string());
        let mut tx = self.kernel.db.write().await?;
        if !access::use_invitation(&mut tx, &secret_hash(secret), now).await? {
            return Err(over().into());
        }
        if invitee == Invitee::FirstAdmin {
            let new = Agent {
                name: name.to_owned(),
                display: display("", name)?,
                email: None,
                role: Scope::Admin.as_str().to_owned(),
                created_at: now,
                disabled_at: None,
            };
            if !agent::add(&mut tx, &new).await? {
                agent::update(&mut tx, &new).await?;
            }
            let deed = Deed { agent: name, origin: &origin, act: "first_admin", ticket: None, subject: name };
            trail::add(&mut tx, &deed, now).await?;
        }
        let agent = known(&mut tx, name).await?;
        if agent.disabled_at.is_some() {
            return Err(over().into());
        }
        let role = agent_view(agent).role;
        let required = required(&mut tx).await?;
        access::set_password(&mut tx, name, &hash, now).await?;
        access::end_all(&mut tx, name, "").await?;
        let has_otp = access::credential(&mut tx, name).await?.is_some_and(|kept| kept.otp_confirmed_at.is_some());
        let deed = Deed { agent: name, origin: &origin, act: "password", ticket: None, subject: name };
        trail::add(&mut tx, &deed, now).await?;
        tx.commit().await?;
        let stage = match (has_otp, required) {
            (true, _) => Stage::Code,
            (false, Some(least)) if role >= least => Stage::Enrol,
            (false, _) => Stage::Full,
        };
        self.open_session(name, stage, ip, None, "signed_in").await
    }
}
