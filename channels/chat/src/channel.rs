//! One source: what its parts share, and its place in the contract.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::Router;
use guichet_contract::{Abilities, Channel, Delivery, Fault, Outgoing, Port, Standing, Stop};
use guichet_domain::outgoing::NoticeKind;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::hub::Hub;
use crate::links::Links;
use crate::listen::listen;
use crate::person::{Person, Place};
use crate::protocol::{Desk, Limits, Summary};
use crate::rates::Rates;
use crate::routes;
use crate::settings::{IdentityMode, Settings};
use crate::sniff;
use crate::translate::{LONGEST_TEXT, is_own};
use crate::uploads::{MAX_FILES, Uploads};

/// One configured chat.
pub(crate) struct LiveChat {
    shared: Arc<Shared>,
}

/// What lives as long as the source.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) hub: Arc<Hub>,
    pub(crate) rates: Rates,
    pub(crate) uploads: Uploads,
    /// The desk as it was last seen.
    pub(crate) desk: Mutex<Option<Desk>>,
    links: OnceCell<Links>,
}

/// What the routes share.
pub(crate) struct App {
    pub(crate) port: Port,
    pub(crate) shared: Arc<Shared>,
}

impl LiveChat {
    pub(crate) fn new(settings: Settings, state: &Path) -> Self {
        let shared = Shared {
            settings,
            hub: Arc::default(),
            rates: Rates::default(),
            uploads: Uploads::new(state.join("uploads")),
            desk: Mutex::new(None),
            links: OnceCell::new(),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl Shared {
    /// The limits a client is told.
    pub(crate) fn limits(&self, frame: usize) -> Limits {
        let limits = &self.settings.limits;
        Limits { text: limits.text, files: MAX_FILES, file_bytes: limits.file_bytes, types: sniff::types(), frame }
    }

    /// Looks whether the desk has opened or closed since the last look.
    pub(crate) fn look_at_desk(&self, now: Desk) {
        let mut seen = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref().is_some_and(|seen| *seen != now) {
            self.hub.desk_changed();
        }
        *seen = Some(now);
    }
}

impl App {
    /// The links of this source.
    pub(crate) async fn links(&self) -> Result<&Links, Fault> {
        self.shared.links.get_or_try_init(|| Links::load(&self.port)).await
    }

    /// Where a conversation stands, as the client is told. At most a page is looked at for what is unread.
    pub(crate) async fn summary(&self, place: &Place, standing: &Standing) -> Result<Summary, Fault> {
        let mut summary = Summary::of(place.conv, standing);
        if standing.last_seq > standing.read_upto {
            let entries = self.port.intake.timeline(&place.key, standing.read_upto).await?;
            let others = entries.iter().filter(|entry| !is_own(place, entry)).count();
            summary.unread = i64::try_from(others).unwrap_or(i64::MAX);
        }
        Ok(summary)
    }

    /// A person's conversation; nothing when it is nobody's or somebody else's.
    pub(crate) async fn find(&self, person: &Person, conv: Uuid) -> Result<Option<(Place, Standing)>, Fault> {
        for owner in person.owners() {
            let place = person.place(owner, conv);
            if let Some(standing) = self.port.conversations.standing(&place.key).await? {
                return Ok(Some((place, standing)));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Channel for LiveChat {
    fn abilities(&self) -> Abilities {
        Abilities {
            sends: true,
            in_place: true,
            idempotent_send: true,
            html: true,
            attachments: true,
            max_chars: Some(LONGEST_TEXT),
            concurrency: 16,
            deadline_secs: 5,
            ..Abilities::default()
        }
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        listen(&self.shared, &port, &stop).await
    }

    /// The entry is in the timeline since the decision that made it: whoever is connected has read it, whoever is not
    /// will.
    async fn deliver(&self, _: &Port, notice: &Outgoing) -> Delivery {
        if notice.kind == NoticeKind::Event {
            let detail = "a chat tells people, and no programs of events".to_owned();
            return Delivery::Refused { detail, hard: false };
        }
        Delivery::Delivered { external_id: None, detail: "in the conversation".to_owned() }
    }

    async fn check(&self, _: &Port) -> Result<Vec<String>, Fault> {
        let settings = &self.shared.settings;
        let mut found = vec![match settings.origins.list() {
            [] => "its own page alone may chat: no origins are listed".to_owned(),
            list => format!("its own page may chat, and {}", list.join(", ")),
        }];
        found.push(match settings.mode {
            IdentityMode::Off => "nobody vouches for visitors".to_owned(),
            IdentityMode::Optional => "the site may vouch for visitors".to_owned(),
            IdentityMode::Required => "only people the site vouches for may chat".to_owned(),
        });
        if settings.email.is_none() {
            found.push("no email is set: where the chat refuses, visitors are told no other way".to_owned());
        }
        Ok(found)
    }

    fn routes(&self, port: Port) -> Option<Router> {
        Some(routes::router(Arc::new(App { port, shared: Arc::clone(&self.shared) })))
    }
}
