//! The HTTP client of the ways, and what its failures mean.

use std::time::Duration;

use guichet_contract::{Delivery, Fault};
use reqwest::Client;
use reqwest::redirect::Policy;

/// How long a way may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);
/// Most of an answer that is read, in bytes.
const MOST: usize = 16 << 10;

/// A client that follows nothing and tells nobody where it comes from.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(LIMIT / 3)
        .pool_idle_timeout(Duration::from_secs(30))
        .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// How a request failed that has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Nobody was there: nothing was sent.
    Away(String),
    /// It may have been taken.
    Doubt(String),
}

/// Sends a request once. `who` is named in what went wrong; neither address nor body is.
pub(crate) async fn send(request: reqwest::RequestBuilder, who: &str) -> Result<Answered, Failed> {
    let sending = async {
        let mut answer = request.send().await?;
        let status = answer.status().as_u16();
        let header = answer.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        let retry_after = retry_after.map(|wait| wait.clamp(Duration::from_secs(1), Duration::from_hours(1)));
        let mut body = Vec::new();
        // Its head has said what matters; what is missing of the body is missing.
        while let Ok(Some(part)) = answer.chunk().await {
            let room = MOST - body.len();
            body.extend_from_slice(part.get(..room).unwrap_or(&part));
            if body.len() == MOST {
                break;
            }
        }
        Ok::<_, reqwest::Error>(Answered { status, retry_after, body })
    };
    match tokio::time::timeout(LIMIT, sending).await {
        Ok(Ok(answered)) => Ok(answered),
        Ok(Err(error)) if error.is_connect() => Err(Failed::Away(format!("{who} cannot be connected to"))),
        Ok(Err(error)) if error.is_builder() => Err(Failed::Away(format!("no request to {who} can be made"))),
        Ok(Err(_)) => Err(Failed::Doubt(format!("{who} broke the connection off"))),
        Err(_) => Err(Failed::Doubt(format!("{who} gave no answer within {} s", LIMIT.as_secs()))),
    }
}

/// Asks whether anybody is there, by `HEAD`, which changes nothing: any answer will do.
pub(crate) async fn reach(url: &str, who: &str) -> Result<String, Fault> {
    let client = client().map_err(|error| Fault::passing(error.to_string()))?;
    match send(client.head(url), who).await {
        Ok(_) => Ok(format!("{who} can be reached")),
        Err(Failed::Away(what) | Failed::Doubt(what)) => Err(Fault::passing(what)),
    }
}

impl Failed {
    /// Of a way on which a repeat would show twice.
    pub(crate) fn once(self) -> Delivery {
        match self {
            Self::Away(detail) => Delivery::Retry { detail, after: None, source_down: true },
            Self::Doubt(detail) => Delivery::Unknown { detail },
        }
    }

    /// Of a way whose receiver knows a repeat by its id.
    pub(crate) fn repeatable(self) -> Delivery {
        match self {
            Self::Away(detail) => Delivery::Retry { detail, after: None, source_down: true },
            Self::Doubt(detail) => Delivery::Retry { detail, after: None, source_down: false },
        }
    }
}
