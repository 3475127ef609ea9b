//! A request that is sent twice is carried out once and answered twice.

use guichet_domain::Moment;
use guichet_domain::token::secret_hash;
use guichet_store::Tx;
use guichet_store::idempotency::{self, Begun};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::desk::DeskError;

/// The key a caller gave a request, and what the request was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The key; at most 200 characters.
    pub key: String,
    /// A hash of what was asked: the same key for something else is refused.
    pub asked: String,
}

/// How a request stands that came with a key.
pub(super) enum Begin<T> {
    /// Carry it out.
    Fresh,
    /// It was begun and has no answer yet.
    Unfinished,
    /// It was carried out: answer this.
    Answered(T),
}

impl Repeat {
    /// The key of a request to `place` with `body`.
    pub fn new(key: impl Into<String>, place: &str, body: &[u8]) -> Self {
        let mut asked = place.to_owned();
        asked.push('\n');
        asked.push_str(&String::from_utf8_lossy(body));
        Self { key: key.into(), asked: secret_hash(&asked) }
    }

    /// The one id of what the request causes, the same each time. Another request under the same key, once the first is
    /// forgotten, is another.
    pub(super) fn id(&self, agent: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("guichet {agent}\n{}\n{}", self.key, self.asked).as_bytes())
    }

    pub(super) async fn begin<T: DeserializeOwned>(
        &self,
        tx: &mut Tx,
        agent: &str,
        now: Moment,
    ) -> Result<Begin<T>, DeskError> {
        match idempotency::begin(tx, agent, &self.key, &self.asked, now).await? {
            Begun::Fresh => Ok(Begin::Fresh),
            Begun::InProgress => Ok(Begin::Unfinished),
            Begun::Mismatch => Err(DeskError::KeyReused),
            // An answer of another form is of an older version of this program.
            Begun::Replay { body, .. } => {
                serde_json::from_str(&body).map(Begin::Answered).map_err(|_| DeskError::KeyReused)
            }
        }
    }

    pub(super) async fn finish<T: Serialize>(&self, tx: &mut Tx, agent: &str, answer: &T) -> Result<(), DeskError> {
        let body = serde_json::to_string(answer).map_err(|error| DeskError::invalid(error.to_string(), "report it"))?;
        Ok(idempotency::finish(tx, agent, &self.key, 200, &body).await?)
    }
}
