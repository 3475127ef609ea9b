//! Signing in to the console: passwords, one-time codes, sessions. Of a session only the hash of its secret is kept; each step
//! of signing in has a session of its own, so that none somebody knew before is worth anything after.

use std::net::IpAddr;
use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::token::{new_secret, secret_hash};
use guichet_store::access::{self, Credential, Preference, Session};
use guichet_store::trail::{self, Deed};
use guichet_store::{Tx, agent, keep};

use crate::desk::agents::{agent_view, known};
use crate::desk::otp;
use crate::desk::views::{AgentView, Scope};
use crate::desk::{Desk, DeskError};

/// A session that is not used ends after so long, and any after a week.
const IDLE: Duration = Duration::from_hours(12);
const LIFE: Duration = Duration::from_hours(7 * 24);
/// Time for the second step.
const STEP: Duration = Duration::from_mins(10);
/// The use of a session is noted this often.
const NOTED: Duration = Duration::from_mins(1);
/// Octets of a password, at least and at most.
const PASSWORD: (usize, usize) = (12, 256);
/// Recovery codes that are made at once.
const RECOVERY: usize = 8;
/// The setting that says of whom a second step is asked.
const REQUIRED: &str = "console_second_step";

/// How far signing in has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; a code is asked for.
    Code,
    /// Signed in, but one-time codes must be set up before anything else.
    Enrol,
    /// Signed in.
    Full,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Enrol => "enrol",
            Self::Full => "full",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Code, Self::Enrol, Self::Full].into_iter().find(|stage| stage.as_str() == word)
    }
}

/// A step of signing in that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The secret of the session; in the cookie and nowhere else.
    pub secret: String,
    /// How far it has come.
    pub stage: Stage,
}

/// Why signing in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name, the password or the code is wrong: which is not said.
    #[error("the name, the password or the code is wrong")]
    Wrong,
    /// Too many failures.
    #[error("too many failures; try again later")]
    Wait {
        /// How long.
        after: Duration,
    },
    /// Something else.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl From<guichet_store::StoreError> for SignInError {
    fn from(error: guichet_store::StoreError) -> Self {
        Self::Desk(error.into())
    }
}

/// Whose browser it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Visitor {
    /// Who.
    pub agent: AgentView,
    /// How far signing in has come.
    pub stage: Stage,
    /// What the agent likes.
    pub preference: Preference,
    /// Whether one-time codes are set up.
    pub has_otp: bool,
    /// Hash of the session's secret.
    pub session: String,
}

impl Desk {
    /// Checks a password; `before` is the secret of the session the browser had, which ends. The answer to a wrong name takes
    /// as long as that to a wrong password.
    pub async fn sign_in(
        &self,
        name: &str,
        password: String,
        ip: IpAddr,
        before: Option<&str>,
    ) -> Result<SignedIn, SignInError> {
        let (name, now) = (name.trim().to_lowercase(), self.kernel.clock.now());
        if let Some(after) = self.gate.wait(&name, ip, now) {
            return Err(SignInError::Wait { after });
        }
        let mut tx = self.kernel.db.read().await?;
        let agent = agent::by_name(&mut tx, &name).await?.filter(|agent| agent.disabled_at.is_none());
        let credential = access::credential(&mut tx, &name).await?.filter(|_| agent.is_some());
        let required = required(&mut tx).await?;
        drop(tx);
        self.gate.enter(&name, ip, now).map_err(|after| SignInError::Wait { after })?;
        let fits = password.len() <= PASSWORD.1;
        let hash = credential.as_ref().map(|credential| credential.password.clone());
        let fits = self.gate.fits(if fits { password } else { String::new() }, hash).await && fits;
        let (Some(agent), Some(credential), true) = (agent, credential, fits) else {
            return Err(SignInError::Wrong);
        };
        let view = agent_view(agent);
        let stage = match credential.otp_confirmed_at {
            Some(_) => Stage::Code,
            None if required.is_some_and(|least| view.role >= least) => Stage::Enrol,
            None => Stage::Full,
        };
        match stage {
            // Failures with the code go on counting.
            Stage::Code => self.gate.spared(&name, ip),
            Stage::Enrol | Stage::Full => self.gate.passed(&name, ip),
        }
        self.open_session(&view.name, stage, ip, before, "signed_in").await
    }

    /// Checks the code of the second step, or a recovery code, which is used up.
    pub async fn confirm_code(&self, secret: &str, typed: &str, ip: IpAddr) -> Result<SignedIn, SignInError> {
        let now = self.kernel.clock.now();
        let visitor = self.visitor(secret).await?.filter(|visitor| visitor.stage == Stage::Code);
        let name = visitor.ok_or(SignInError::Wrong)?.agent.name;
        if let Some(after) = self.gate.wait(&name, ip, now) {
            return Err(SignInError::Wait { after });
        }
        let mut tx = self.kernel.db.write().await?;
        let credential = access::credential(&mut tx, &name).await?.ok_or(SignInError::Wrong)?;
        self.gate.enter(&name, ip, now).map_err(|after| SignInError::Wait { after })?;
        let how = take_code(&mut tx, &credential, typed, now).await?;
        tx.commit().await?;
        let Some(how) = how else { return Err(SignInError::Wrong) };
        self.gate.passed(&name, ip);
        self.open_session(&name, Stage::Full, ip, Some(secret), how).await
    }

    /// Whose session this is; `None` when it is unknown or over, or its agent disabled. Its use is noted now and then.
    pub async fn visitor(&self, secret: &str) -> Result<Option<Visitor>, DeskError> {
        let (hash, now) = (secret_hash(secret), self.kernel.clock.now());
        let mut tx = self.kernel.db.read().await?;
        let Some(session) = access::session(&mut tx, &hash).await?.filter(|session| session.expires_at > now) else {
            return Ok(None);
        };
        let Some(stage) = Stage::parse(&session.stage) else { return Ok(None) };
        let agent = agent::by_name(&mut tx, &session.agent).await?;
        let Some(agent) = agent.filter(|agent| agent.disabled_at.is_none()) else { return Ok(None) };
        let preference = access::preference(&mut tx, &agent.name).await?;
        let credential = access::credential(&mut tx, &agent.name).await?;
        drop(tx);
        if stage == Stage::Full && now.since(session.seen_at) >= NOTED {
            let mut tx = self.kernel.db.write().await?;
            access::seen(&mut tx, &hash, now, (now + IDLE).min(session.created_at + LIFE)).await?;
            tx.commit().await?;
        }
        let has_otp = credential.is_some_and(|credential| credential.otp_confirmed_at.is_some());
        Ok(Some(Visitor { agent: agent_view(agent), stage, preference, has_otp, session: hash }))
    }

    /// Ends a session.
    pub async fn sign_out(&self, secret: &str) -> Result<(), DeskError> {
        let mut tx = self.kernel.db.write().await?;
        access::end(&mut tx, &secret_hash(secret)).await?;
        Ok(tx.commit().await?)
    }

    /// Ends all sessions of an agent but this one; how many.
    pub async fn end_sessions(&self, agent: &str, but: &str) -> Result<u64, DeskError> {
        let mut tx = self.kernel.db.write().await?;
        let ended = access::end_all(&mut tx, agent, but).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Sets an agent's password; ends the agent's sessions but `but`.
    pub async fn set_password(
        &self,
        name: &str,
        password: String,
        by: &str,
        origin: &str,
        but: &str,
    ) -> Result<(), DeskError> {
        let hash = self.hash_of(name, password).await?;
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        known(&mut tx, name).await?;
        access::set_password(&mut tx, name, &hash, now).await?;
        access::end_all(&mut tx, name, but).await?;
        let deed = Deed { agent: by, origin, act: "password", ticket: None, subject: name };
        trail::add(&mut tx, &deed, now).await?;
        Ok(tx.commit().await?)
    }

    /// Whether this is the agent's password; throttled like signing in.
    pub async fn is_password(&self, name: &str, password: String, ip: IpAddr) -> Result<bool, SignInError> {
        let now = self.kernel.clock.now();
        if let Some(after) = self.gate.wait(name, ip, now) {
            return Err(SignInError::Wait { after });
        }
        let mut tx = self.kernel.db.read().await?;
        let hash = access::credential(&mut tx, name).await?.map(|credential| credential.password);
        drop(tx);
        self.gate.enter(name, ip, now).map_err(|after| SignInError::Wait { after })?;
        let fits = self.gate.fits(password, hash).await;
        if fits {
            self.gate.spared(name, ip);
        }
        Ok(fits)
    }

    /// The secret of codes that were begun and not confirmed.
    pub async fn otp_begun(&self, name: &str) -> Result<Option<String>, DeskError> {
        let credential = access::credential(&mut self.kernel.db.read().await?, name).await?;
        Ok(credential.filter(|known| known.otp_confirmed_at.is_none()).and_then(|known| known.otp_secret))
    }

    /// Begins to set one-time codes up: the secret, kept until it is confirmed by a code. The same while it is not.
    pub async fn begin_otp(&self, name: &str) -> Result<String, DeskError> {
        let mut tx = self.kernel.db.write().await?;
        let credential = access::credential(&mut tx, name).await?;
        let credential = credential.ok_or_else(|| DeskError::state("there is no password yet", "set one first"))?;
        if credential.otp_confirmed_at.is_some() {
            return Err(DeskError::state("one-time codes are set up already", "switch them off first"));
        }
        if let Some(secret) = credential.otp_secret {
            return Ok(secret);
        }
        let secret = otp::draw(self.kernel.ids.as_ref());
        access::set_otp(&mut tx, name, Some(&secret), None, "").await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Confirms one-time codes by one; gives the recovery codes, which are shown this once. A session that had to set them up
    /// is whole from now on.
    pub async fn confirm_otp(
        &self,
        visitor: &Visitor,
        typed: &str,
        ip: IpAddr,
    ) -> Result<(Vec<String>, SignedIn), SignInError> {
        let (name, now) = (visitor.agent.name.as_str(), self.kernel.clock.now());
        if let Some(after) = self.gate.wait(name, ip, now) {
            return Err(SignInError::Wait { after });
        }
        let mut tx = self.kernel.db.write().await?;
        let credential = access::credential(&mut tx, name).await?.ok_or(SignInError::Wrong)?;
        let secret = credential.otp_secret.filter(|_| credential.otp_confirmed_at.is_none());
        let secret = secret.ok_or(SignInError::Wrong)?;
        self.gate.enter(name, ip, now).map_err(|after| SignInError::Wait { after })?;
        let step = otp::step_of(&secret, typed, credential.otp_step, now).ok_or(SignInError::Wrong)?;
        self.gate.spared(name, ip);
        access::use_step(&mut tx, name, step).await?;
        let codes: Vec<String> = (0..RECOVERY).map(|_| self.recovery_code()).collect();
        let hashes: Vec<String> = codes.iter().map(|code| secret_hash(&plain(code))).collect();
        access::set_otp(&mut tx, name, Some(&secret), Some(now), &hashes.join(" ")).await?;
        let origin = ip.to_string();
        let deed = Deed { agent: name, origin: &origin, act: "otp_on", ticket: None, subject: name };
        trail::add(&mut tx, &deed, now).await?;
        access::end(&mut tx, &visitor.session).await?;
        tx.commit().await?;
        let signed_in = self.open_session(name, Stage::Full, ip, None, "signed_in").await?;
        Ok((codes, signed_in))
    }

    /// Switches one-time codes off: by the agent, or by an admin when the device is lost.
    pub async fn end_otp(&self, name: &str, by: &str, origin: &str) -> Result<(), DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        if access::credential(&mut tx, name).await?.is_none() {
            return Err(DeskError::state(format!("{name} has no password yet"), "invite them first"));
        }
        access::set_otp(&mut tx, name, None, None, "").await?;
        let deed = Deed { agent: by, origin, act: "otp_off", ticket: None, subject: name };
        trail::add(&mut tx, &deed, now).await?;
        Ok(tx.commit().await?)
    }

    /// The least role of which a second step is asked; `None`: of nobody.
    pub async fn second_step(&self) -> Result<Option<Scope>, DeskError> {
        required(&mut self.kernel.db.read().await?).await
    }

    /// Asks a second step of everybody with this role or more, at their next signing in.
    pub async fn require_second_step(&self, least: Option<Scope>, by: &str, origin: &str) -> Result<(), DeskError> {
        let now = self.kernel.clock.now();
        let word = least.map_or("nobody", Scope::as_str);
        let mut tx = self.kernel.db.write().await?;
        keep::put_setting(&mut tx, REQUIRED, word, now).await?;
        let deed = Deed { agent: by, origin, act: "second_step", ticket: None, subject: word };
        trail::add(&mut tx, &deed, now).await?;
        Ok(tx.commit().await?)
    }

    /// Keeps what an agent likes.
    pub async fn prefer(&self, name: &str, preference: &Preference) -> Result<(), DeskError> {
        let mut tx = self.kernel.db.write().await?;
        access::prefer(&mut tx, name, preference).await?;
        Ok(tx.commit().await?)
    }

    /// The hash of a password that may be one.
    pub(super) async fn hash_of(&self, name: &str, password: String) -> Result<String, DeskError> {
        if password.chars().count() < PASSWORD.0 || password.len() > PASSWORD.1 {
            let remedy = format!("use {} to {} characters: a few words are best", PASSWORD.0, PASSWORD.1);
            return Err(DeskError::invalid("password: it is too short or too long", remedy));
        }
        if password.to_lowercase().contains(name) && name.chars().count() > 3 {
            return Err(DeskError::invalid("password: it holds the name", "take something nobody guesses"));
        }
        let hash = self.gate.hash(password, self.kernel.ids.as_ref()).await;
        hash.ok_or_else(|| DeskError::invalid("password: it cannot be kept", "take another"))
    }

    /// Opens a session in place of `before`.
    pub(super) async fn open_session(
        &self,
        name: &str,
        stage: Stage,
        ip: IpAddr,
        before: Option<&str>,
        act: &'static str,
    ) -> Result<SignedIn, SignInError> {
        let now = self.kernel.clock.now();
        let (secret, origin) = (new_secret(self.kernel.ids.as_ref()), ip.to_string());
        let expires_at = now + if stage == Stage::Full { IDLE } else { STEP };
        let session = Session {
            hash: secret_hash(&secret),
            agent: name.to_owned(),
            stage: stage.as_str().to_owned(),
            origin: origin.clone(),
            created_at: now,
            seen_at: now,
            expires_at,
        };
        let mut tx = self.kernel.db.write().await?;
        access::prune(&mut tx, now).await?;
        if let Some(before) = before {
            access::end(&mut tx, &secret_hash(before)).await?;
        }
        access::open(&mut tx, &session).await?;
        if stage == Stage::Full {
            let deed = Deed { agent: name, origin: &origin, act, ticket: None, subject: "" };
            trail::add(&mut tx, &deed, now).await?;
        }
        tx.commit().await?;
        Ok(SignedIn { secret, stage })
    }

    fn recovery_code(&self) -> String {
        let mut bytes = [0; 10];
        self.kernel.ids.random(&mut bytes);
        let letters = data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase();
        let parts: Vec<String> =
            letters.chars().collect::<Vec<_>>().chunks(4).map(|part| part.iter().collect()).collect();
        parts.join("-")
    }
}

/// Takes a code or uses a recovery code up; what the audit trail says of it, `None` when it is wrong.
async fn take_code(
    tx: &mut Tx,
    credential: &Credential,
    typed: &str,
    now: Moment,
) -> Result<Option<&'static str>, SignInError> {
    let name = credential.agent.as_str();
    let secret = credential.otp_secret.as_deref().unwrap_or_default();
    if let Some(step) = otp::step_of(secret, typed, credential.otp_step, now) {
        return Ok(access::use_step(tx, name, step).await?.then_some("signed_in"));
    }
    let hash = secret_hash(&plain(typed));
    let left: Vec<&str> = credential.recovery.split_whitespace().filter(|kept| *kept != hash).collect();
    let left = left.join(" ");
    if left == credential.recovery || !access::set_recovery(tx, name, &credential.recovery, &left).await? {
        return Ok(None);
    }
    Ok(Some("signed_in_by_recovery_code"))
}

/// Of whom a second step is asked: of whoever has this role or more.
pub(super) async fn required(tx: &mut Tx) -> Result<Option<Scope>, DeskError> {
    Ok(keep::setting(tx, REQUIRED).await?.as_deref().and_then(Scope::parse))
}

/// A recovery code as it is compared, however it was typed.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}
