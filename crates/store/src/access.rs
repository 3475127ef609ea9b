//! How agents sign in to the console: passwords, sessions, single-use links, preferences. Of every secret but that of one-time
//! codes, which must be computed from it, only a hash is kept.

use guichet_domain::Moment;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Row, queries};
use crate::value::Value;

queries! {
    CREDENTIAL = "SELECT agent, password, otp_secret, otp_confirmed_at, otp_step, recovery, changed_at FROM credential WHERE agent = $1";
    SET_PASSWORD = "INSERT INTO credential (agent, password, otp_secret, otp_confirmed_at, otp_step, recovery, changed_at) \
        VALUES ($1, $2, NULL, NULL, 0, '', $3) ON CONFLICT (agent) DO UPDATE SET password = excluded.password, \
        changed_at = excluded.changed_at";
    SET_OTP = "UPDATE credential SET otp_secret = $2, otp_confirmed_at = $3, recovery = $4 WHERE agent = $1";
    USE_STEP = "UPDATE credential SET otp_step = $2 WHERE agent = $1 AND otp_step < $2";
    SET_RECOVERY = "UPDATE credential SET recovery = $3 WHERE agent = $1 AND recovery = $2";
    ADMINS = "SELECT count(*) AS n FROM agent WHERE role = 'admin' AND disabled_at IS NULL";
    OPEN = "INSERT INTO session (hash, agent, stage, origin, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $5, $6)";
    SESSION = "SELECT hash, agent, stage, origin, created_at, seen_at, expires_at FROM session WHERE hash = $1";
    SESSIONS = "SELECT hash, agent, stage, origin, created_at, seen_at, expires_at FROM session WHERE agent = $1 ORDER BY seen_at DESC";
    SEEN = "UPDATE session SET seen_at = $2, expires_at = $3 WHERE hash = $1";
    END = "DELETE FROM session WHERE hash = $1";
    END_ALL = "DELETE FROM session WHERE agent = $1 AND hash <> $2";
    PRUNE = "DELETE FROM session WHERE expires_at <= $1";
    INVITE = "INSERT INTO invitation (hash, agent, made_by, created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, NULL)";
    INVITATION = "SELECT agent, expires_at, used_at FROM invitation WHERE hash = $1";
    USE_INVITATION = "UPDATE invitation SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
    END_INVITATIONS = "UPDATE invitation SET used_at = $1 WHERE agent IS NULL AND used_at IS NULL";
    PREFERENCE = "SELECT language, theme, shortcuts, sound FROM preference WHERE agent = $1";
    PREFER = "INSERT INTO preference (agent, language, theme, shortcuts, sound) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (agent) DO UPDATE SET language = excluded.language, theme = excluded.theme, \
        shortcuts = excluded.shortcuts, sound = excluded.sound";
}

/// What an agent signs in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose.
    pub agent: String,
    /// A PHC string: algorithm, parameters, salt, hash.
    pub password: String,
    /// The secret of one-time codes, base32; kept from the enrolment on.
    pub otp_secret: Option<String>,
    /// Since when a code is asked for; `None` while the enrolment is not confirmed.
    pub otp_confirmed_at: Option<Moment>,
    /// The time step of the last code that was taken: none is taken twice.
    pub otp_step: i64,
    /// Hashes of the recovery codes that are left, with spaces between.
    pub recovery: String,
    /// When the password was set.
    pub changed_at: Moment,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("agent", &self.agent).finish_non_exhaustive()
    }
}

/// A browser that signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Hash of its secret.
    pub hash: String,
    /// Whose.
    pub agent: String,
    /// How far the signing in has come, as a word the caller knows.
    pub stage: String,
    /// From where it was opened.
    pub origin: String,
    /// Since when.
    pub created_at: Moment,
    /// When it was last used, to the minute or so.
    pub seen_at: Moment,
    /// Until when.
    pub expires_at: Moment,
}

/// What an agent likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// A language tag; the browser's when `None`.
    pub language: Option<String>,
    /// `auto`, `light` or `dark`.
    pub theme: String,
    /// Whether single keys do things.
    pub shortcuts: bool,
    /// Whether something new is heard.
    pub sound: bool,
}

impl Default for Preference {
    fn default() -> Self {
        Self { language: None, theme: "auto".to_owned(), shortcuts: true, sound: false }
    }
}

/// What an agent signs in with; `None` while no password was set.
pub async fn credential(tx: &mut Tx, agent: &str) -> Result<Option<Credential>, StoreError> {
    let Some(row) = sql::row(tx, CREDENTIAL, &[agent.into()]).await? else { return Ok(None) };
    Ok(Some(Credential {
        agent: row.get("agent")?,
        password: row.get("password")?,
        otp_secret: row.get("otp_secret")?,
        otp_confirmed_at: row.maybe_at("otp_confirmed_at")?,
        otp_step: row.get("otp_step")?,
        recovery: row.get("recovery")?,
        changed_at: row.at("changed_at")?,
    }))
}

/// Sets the password of an agent who exists. One-time codes stay as they are.
pub async fn set_password(tx: &mut Tx, agent: &str, password: &str, now: Moment) -> Result<(), StoreError> {
    sql::execute_one(tx, "set a password", SET_PASSWORD, &[agent.into(), password.into(), now.into()]).await
}

/// Sets, confirms or (with `None`) ends the one-time codes of an agent who has a password.
pub async fn set_otp(
    tx: &mut Tx,
    agent: &str,
    secret: Option<&str>,
    confirmed_at: Option<Moment>,
    recovery: &str,
) -> Result<(), StoreError> {
    let values = [agent.into(), Value::maybe(secret), Value::at(confirmed_at), recovery.into()];
    sql::execute_one(tx, "set one-time codes", SET_OTP, &values).await
}

/// Takes the code of a time step; `false` when that step or a later one was taken before.
pub async fn use_step(tx: &mut Tx, agent: &str, step: i64) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, USE_STEP, &[agent.into(), step.into()]).await? == 1)
}

/// Replaces the recovery codes that were left by those still left; `false` when somebody else did meanwhile.
pub async fn set_recovery(tx: &mut Tx, agent: &str, before: &str, after: &str) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, SET_RECOVERY, &[agent.into(), before.into(), after.into()]).await? == 1)
}

/// How many admins may work here.
pub async fn admins(tx: &mut Tx) -> Result<i64, StoreError> {
    sql::row(tx, ADMINS, &[]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Opens a session of an agent who exists.
pub async fn open(tx: &mut Tx, session: &Session) -> Result<(), StoreError> {
    let values = [
        session.hash.as_str().into(),
        session.agent.as_str().into(),
        session.stage.as_str().into(),
        session.origin.as_str().into(),
        session.created_at.into(),
        session.expires_at.into(),
    ];
    sql::execute_one(tx, "open a session", OPEN, &values).await
}

/// The session whose secret has this hash, over or not.
pub async fn session(tx: &mut Tx, hash: &str) -> Result<Option<Session>, StoreError> {
    sql::row(tx, SESSION, &[hash.into()]).await?.as_ref().map(read).transpose()
}

/// The sessions of an agent, the last used first.
pub async fn sessions(tx: &mut Tx, agent: &str) -> Result<Vec<Session>, StoreError> {
    sql::rows(tx, SESSIONS, &[agent.into()]).await?.iter().map(read).collect()
}

/// Notes that a session is used, and until when it lives; nothing when it has ended meanwhile.
pub async fn seen(tx: &mut Tx, hash: &str, now: Moment, expires_at: Moment) -> Result<(), StoreError> {
    sql::execute(tx, SEEN, &[hash.into(), now.into(), expires_at.into()]).await.map(drop)
}

/// Ends a session; nothing when there is none.
pub async fn end(tx: &mut Tx, hash: &str) -> Result<(), StoreError> {
    sql::execute(tx, END, &[hash.into()]).await.map(drop)
}

/// Ends all sessions of an agent but one (name none by an empty hash); how many.
pub async fn end_all(tx: &mut Tx, agent: &str, but: &str) -> Result<u64, StoreError> {
    sql::execute(tx, END_ALL, &[agent.into(), but.into()]).await
}

/// Forgets sessions that are over; how many.
pub async fn prune(tx: &mut Tx, now: Moment) -> Result<u64, StoreError> {
    sql::execute(tx, PRUNE, &[now.into()]).await
}

/// Keeps a single-use link; `agent` is who may choose a password by it, `None` for the first admin.
pub async fn invite(
    tx: &mut Tx,
    hash: &str,
    agent: Option<&str>,
    made_by: &str,
    now: Moment,
    expires_at: Moment,
) -> Result<(), StoreError> {
    let values = [hash.into(), Value::maybe(agent), made_by.into(), now.into(), expires_at.into()];
    sql::execute_one(tx, "keep a link", INVITE, &values).await
}

/// Whom a link is for, while it can be used: the outer `None` when it cannot.
pub async fn invitation(tx: &mut Tx, hash: &str, now: Moment) -> Result<Option<Option<String>>, StoreError> {
    let Some(row) = sql::row(tx, INVITATION, &[hash.into()]).await? else { return Ok(None) };
    let usable = row.maybe_at("used_at")?.is_none() && row.at("expires_at")? > now;
    if usable { Ok(Some(row.get("agent")?)) } else { Ok(None) }
}

/// Uses a link up; `false` when somebody was quicker or its time is over.
pub async fn use_invitation(tx: &mut Tx, hash: &str, now: Moment) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, USE_INVITATION, &[hash.into(), now.into()]).await? == 1)
}

/// Ends all links for a first admin: a new one takes their place, or there is an admin.
pub async fn end_first_links(tx: &mut Tx, now: Moment) -> Result<u64, StoreError> {
    sql::execute(tx, END_INVITATIONS, &[now.into()]).await
}

/// What an agent likes; the usual where nothing was chosen.
pub async fn preference(tx: &mut Tx, agent: &str) -> Result<Preference, StoreError> {
    let Some(row) = sql::row(tx, PREFERENCE, &[agent.into()]).await? else { return Ok(Preference::default()) };
    Ok(Preference {
        language: row.get("language")?,
        theme: row.get("theme")?,
        shortcuts: row.get("shortcuts")?,
        sound: row.get("sound")?,
    })
}

/// Keeps what an agent likes.
pub async fn prefer(tx: &mut Tx, agent: &str, preference: &Preference) -> Result<(), StoreError> {
    let values = [
        agent.into(),
        Value::maybe(preference.language.as_deref()),
        preference.theme.as_str().into(),
        preference.shortcuts.into(),
        preference.sound.into(),
    ];
    sql::execute_one(tx, "keep a preference", PREFER, &values).await
}

fn read(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        hash: row.get("hash")?,
        agent: row.get("agent")?,
        stage: row.get("stage")?,
        origin: row.get("origin")?,
        created_at: row.at("created_at")?,
        seen_at: row.at("seen_at")?,
        expires_at: row.at("expires_at")?,
    })
}
