//! OAuth 2 access tokens for IMAP and SMTP: the refresh-token grant (RFC 6749 section 6).
//!
//! Who authorised the mailbox once gave us a refresh token. From it come access tokens of an hour or so; some providers
//! give a new refresh token each time and end the old one, which is why a renewal is never abandoned half-way and its
//! new refresh token is stored before anything else happens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use guichet_domain::Moment;
use reqwest::{StatusCode, Url};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Everything about one renewal, connect to last byte.
const LIMIT: Duration = Duration::from_secs(30);
/// Longest answer read from the token endpoint.
const ANSWER_LIMIT: usize = 64 * 1024;
/// How long an access token is taken to be good for where the provider does not say.
const USUAL_LIFE: Duration = Duration::from_mins(5);
/// How long before its end an access token is no longer handed out, at most.
const MARGIN: Duration = Duration::from_mins(1);
/// How long before the end of the authorisation a warning begins.
const WARNING: Duration = Duration::from_hours(14 * 24);
const REMEDY: &str =
    "get a new refresh token for the account, put it into the source's oauth section, then run `guichet check`";

/// Gives access tokens.
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// A token that is good for at least a little while; renewed if need be. Dropping the future is safe.
    async fn current(&self) -> Result<String, OAuthFault>;

    /// Says that the server refused `token`: it will not be handed out again.
    fn refused(&self, token: &str);
}

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthFault {
    /// Likely to pass by itself: the network, a provider out of order.
    #[error("{why}")]
    Passing {
        /// What happened, where; without tokens.
        why: String,
        /// How long the provider asked to wait.
        retry_after: Option<Duration>,
    },
    /// Stays until a person acts: the authorisation ended, the client is not known.
    #[error("{why}; {remedy}")]
    Lasting {
        /// What happened, where; without tokens.
        why: String,
        /// What to do.
        remedy: String,
    },
}

/// Where the newest refresh token is kept between runs.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// What [`TokenStore::save`] last stored. The text is secret.
    async fn load(&self) -> Result<Option<String>, String>;

    /// Stores `text`, durably, in place of what was there. The text is secret.
    async fn save(&self, text: &str) -> Result<(), String>;
}

/// An authorisation as the operator configured it.
#[derive(Clone)]
pub struct Grant {
    /// The provider's token endpoint; `https`, or `http` on this machine.
    pub token_url: String,
    /// The application's id.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<String>,
    /// The refresh token of the configuration. A newer one in the store goes before it, until this one is changed.
    pub refresh_token: String,
    /// The scope to ask for; most providers repeat that of the authorisation when there is none.
    pub scope: Option<String>,
    /// When the authorisation ends, where that is known.
    pub refresh_expires_at: Option<Moment>,
    /// The trusted authorities.
    pub tls: Arc<rustls::ClientConfig>,
}

/// Access tokens from a [`Grant`], renewed one at a time however many ask.
pub struct Renewing {
    shared: Arc<Shared>,
}

struct Shared {
    grant: Grant,
    url: Url,
    client: reqwest::Client,
    store: Box<dyn TokenStore>,
    cached: Mutex<Option<Cached>>,
    flight: tokio::sync::Mutex<Flight>,
}

struct Cached {
    token: String,
    good_until: Instant,
}

/// What only the one renewal under way touches.
#[derive(Default)]
struct Flight {
    /// The newest refresh token, once known.
    refresh_token: Option<String>,
    /// It could not be stored yet.
    unsaved: bool,
    /// The last failure, repeated to whoever asks before this instant.
    failed: Option<(Instant, OAuthFault)>,
}

/// What is stored: a refresh token, and which one of the configuration it descends from.
#[derive(Serialize, Deserialize)]
struct Kept {
    refresh_token: String,
    descends_from: String,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<serde_json::Value>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Renewing {
    /// Nothing is asked of the provider until a token is needed. An unusable token URL is a lasting fault.
    pub fn new(grant: Grant, store: Box<dyn TokenStore>) -> Result<Self, OAuthFault> {
        let url = endpoint(&grant.token_url)?;
        let client = reqwest::Client::builder()
            .use_preconfigured_tls((*grant.tls).clone())
            .timeout(LIMIT)
            // The request carries secrets: it goes where the operator said and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| lasting(format!("no HTTP client: {error}"), "report this as a defect"))?;
        let (cached, flight) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { shared: Arc::new(Shared { grant, url, client, store, cached, flight }) })
    }

    /// A sentence for the operator from two weeks before the authorisation's known end on.
    pub fn warning(&self, now: Moment) -> Option<String> {
        let end = self.shared.grant.refresh_expires_at?;
        if now + WARNING < end {
            return None;
        }
        let verb = if end <= now { "ended" } else { "ends" };
        Some(format!("the mailbox's OAuth authorisation {verb} at {end}; {REMEDY}"))
    }
}

#[async_trait]
impl AccessTokens for Renewing {
    async fn current(&self) -> Result<String, OAuthFault> {
        if let Some(token) = self.shared.cached() {
            return Ok(token);
        }
        // A task of its own: a caller that gives up must not cut off an answer that may carry the only valid refresh
        // token.
        let shared = self.shared.clone();
        let renewal = tokio::spawn(async move { shared.renew().await }).await;
        renewal.unwrap_or_else(|_| Err(passing("the renewal of the access token was cut off")))
    }

    fn refused(&self, token: &str) {
        let mut cached = self.shared.lock_cached();
        if cached.as_ref().is_some_and(|cached| cached.token == token) {
            *cached = None;
        }
    }
}

impl Shared {
    fn lock_cached(&self) -> std::sync::MutexGuard<'_, Option<Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cached(&self) -> Option<String> {
        let cached = self.lock_cached();
        cached.as_ref().filter(|cached| Instant::now() < cached.good_until).map(|cached| cached.token.clone())
    }

    async fn renew(&self) -> Result<String, OAuthFault> {
        let mut flight = self.flight.lock().await;
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        if let Some((until, fault)) = &flight.failed
            && Instant::now() < *until
        {
            return Err(fault.clone());
        }
        let renewed = self.renew_now(&mut flight).await;
        flight.failed = renewed.as_ref().err().map(|fault| {
            let pause = match fault {
                OAuthFault::Passing { retry_after, .. } => retry_after.unwrap_or_default().max(Duration::from_secs(5)),
                OAuthFault::Lasting { .. } => Duration::from_mins(1),
            };
            (Instant::now() + pause.min(Duration::from_hours(1)), fault.clone())
        });
        renewed
    }

    async fn renew_now(&self, flight: &mut Flight) -> Result<String, OAuthFault> {
        if flight.unsaved {
            self.save(flight).await;
        }
        let used = match &flight.refresh_token {
            Some(token) => token.clone(),
            None => self.kept().await?.unwrap_or_else(|| self.grant.refresh_token.clone()),
        };
        let answer = match self.ask(&used).await {
            Err(fault @ OAuthFault::Lasting { .. }) => {
                // Another node may have renewed in the meantime, which ended the token we knew.
                match self.kept().await?.filter(|newer| *newer != used) {
                    Some(newer) => {
                        flight.refresh_token = Some(newer.clone());
                        self.ask(&newer).await?
                    }
                    None => return Err(fault),
                }
            }
            other => other?,
        };
        let life = answer.life();
        let (Some(token), now) = (answer.access_token, Instant::now()) else {
            return Err(passing(format!("{} gave no access token", self.place())));
        };
        if let Some(rotated) = answer.refresh_token.filter(|rotated| *rotated != used) {
            flight.refresh_token = Some(rotated);
            self.save(flight).await;
        }
        *self.lock_cached() = Some(Cached { token: token.clone(), good_until: now + life - MARGIN.min(life / 10) });
        Ok(token)
    }

    /// The stored token, if it descends from the one in the configuration: a changed configuration is a new
    /// authorisation, and goes before the remains of the old one.
    async fn kept(&self) -> Result<Option<String>, OAuthFault> {
        let text = self.store.load().await;
        let text = text.map_err(|error| passing(format!("the stored refresh token cannot be read: {error}")))?;
        let kept = text.and_then(|text| serde_json::from_str::<Kept>(&text).ok());
        Ok(kept.filter(|kept| kept.descends_from == self.origin()).map(|kept| kept.refresh_token))
    }

    /// A failure is no reason to withhold the access token; it is tried again before the next renewal.
    async fn save(&self, flight: &mut Flight) {
        let Some(refresh_token) = flight.refresh_token.clone() else { return };
        let kept = Kept { refresh_token, descends_from: self.origin() };
        let saved = match serde_json::to_string(&kept) {
            Ok(text) => self.store.save(&text).await,
            Err(error) => Err(error.to_string()),
        };
        flight.unsaved = saved.is_err();
        if let Err(error) = saved {
            tracing::error!(%error, "the new OAuth refresh token could not be stored; a restart now would lose it");
        }
    }

    fn origin(&self) -> String {
        HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, self.grant.refresh_token.as_bytes()).as_ref())
    }

    fn place(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    async fn ask(&self, refresh_token: &str) -> Result<Answer, OAuthFault> {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", self.grant.client_id.as_str()),
        ];
        form.extend(self.grant.client_secret.as_deref().map(|secret| ("client_secret", secret)));
        form.extend(self.grant.scope.as_deref().map(|scope| ("scope", scope)));
        let sent = self.client.post(self.url.clone()).header("accept", "application/json").form(&form).send().await;
        let mut response = sent.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_LIMIT {
                return Err(passing(format!("{} gave an answer too long to be a token", self.place())));
            }
        }
        let answer: Option<Answer> = serde_json::from_slice(&body).ok();
        match answer {
            Some(answer) if status.is_success() && answer.error.is_none() => Ok(answer),
            answer => Err(self.refusal(status, answer, retry_after, refresh_token)),
        }
    }

    /// The URL is left out: it is the operator's own, and may carry a key.
    fn unreachable(&self, error: reqwest::Error) -> OAuthFault {
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        passing(format!("the token endpoint at {} cannot be reached: {error}{cause}", self.place()))
    }

    fn refusal(
        &self,
        status: StatusCode,
        answer: Option<Answer>,
        retry_after: Option<Duration>,
        refresh_token: &str,
    ) -> OAuthFault {
        let (code, description) = answer.map(|answer| (answer.error, answer.error_description)).unwrap_or_default();
        let secrets = [Some(refresh_token), self.grant.client_secret.as_deref()];
        let said: String = [code.as_deref(), description.as_deref()]
            .into_iter()
            .flatten()
            .filter(|words| !secrets.iter().flatten().any(|secret| words.contains(secret)))
            .flat_map(|words| [" ", words])
            .flat_map(str::chars)
            .filter(|letter| !letter.is_control())
            .take(200)
            .collect();
        let why = format!("the token endpoint at {} answered {}{said}", self.place(), status.as_u16());
        let passes = matches!(code.as_deref(), Some("temporarily_unavailable" | "server_error" | "slow_down"));
        if passes || status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || code.is_none() {
            return OAuthFault::Passing { why, retry_after };
        }
        match code.as_deref() {
            Some("invalid_grant") => lasting(why, REMEDY),
            Some("invalid_client" | "unauthorized_client") => {
                lasting(why, "check client id and client secret of the source's oauth section (secrets expire, too)")
            }
            _ => lasting(why, "check scope and token URL of the source's oauth section"),
        }
    }
}

impl Answer {
    /// Some providers write the number of seconds as a text.
    fn life(&self) -> Duration {
        let seconds =
            self.expires_in.as_ref().and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
        seconds.map_or(USUAL_LIFE, |seconds| Duration::from_secs(seconds.min(7 * 86_400)))
    }
}

fn endpoint(text: &str) -> Result<Url, OAuthFault> {
    let remedy = "set token_url to the provider's https address";
    let url = Url::parse(text).map_err(|error| lasting(format!("the token URL cannot be read: {error}"), remedy))?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "https" || (url.scheme() == "http" && here) {
        return Ok(url);
    }
    Err(lasting("the token URL would send the refresh token unprotected", remedy))
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn passing(why: impl Into<String>) -> OAuthFault {
    OAuthFault::Passing { why: why.into(), retry_after: None }
}

fn lasting(why: impl Into<String>, remedy: impl Into<String>) -> OAuthFault {
    OAuthFault::Lasting { why: why.into(), remedy: remedy.into() }
}

#[cfg(test)]
mod tests;
