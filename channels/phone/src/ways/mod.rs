//! The ways to tell a caller something, tried one after the other: a text message to mobiles, the phone system's own means by a
//! signed webhook, a call by Asterisk. What cannot reach a number leaves it to the next way; nobody is told twice on a doubt.

mod answer;
mod callback;
mod client;
mod gsm;
mod hook;
mod sms;
mod texted;

use std::path::Path;

use guichet_contract::{Delivery, Fault, Port, SettingsError};
use guichet_domain::ids::ExternalId;
use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;

pub(crate) use callback::{Callback, CallbackKeys};
pub(crate) use gsm::LONGEST;
pub(crate) use hook::{Hook, HookKeys};
pub(crate) use sms::{Sms, SmsKeys};
pub(crate) use texted::told_otherwise;

/// The ways of a source.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    sms: Option<Sms>,
    hook: Option<Hook>,
    pub(crate) callback: Option<Callback>,
}

/// What is to be told.
#[derive(Debug, Clone)]
pub(crate) struct Notice<'a> {
    /// The same at every attempt.
    pub(crate) id: String,
    pub(crate) kind: NoticeKind,
    /// E.164.
    pub(crate) number: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) language: Language,
    /// The words of the core, whole.
    pub(crate) text: &'a str,
    /// The call it is about, where the ticket was opened by one.
    pub(crate) call: Option<&'a str>,
    /// Who speaks, as callers know the desk.
    pub(crate) desk: Option<&'a str>,
    /// Where sound is put that is played to callers.
    pub(crate) sounds: &'a Path,
}

/// What came of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The network took it.
    Told { id: Option<ExternalId>, detail: String },
    /// Nothing was taken, and never will be by this way.
    Next(String),
    /// The matter ends here for now: it may have been taken, or comes again.
    Stop(Delivery),
}

impl Ways {
    pub(crate) fn new(
        sms: Option<SmsKeys>,
        hook: Option<HookKeys>,
        callback: Option<CallbackKeys>,
        base: &str,
    ) -> Result<Self, SettingsError> {
        Ok(Self {
            sms: sms.map(|keys| Sms::new(keys, base)).transpose()?,
            hook: hook.map(Hook::new).transpose()?,
            callback: callback.map(|keys| Callback::new(keys, base)).transpose()?,
        })
    }

    /// One attempt, by the first way that reaches the number.
    pub(crate) async fn tell(&self, port: &Port, notice: &Notice<'_>) -> Delivery {
        let Some(sms) = &self.sms else { return self.tell_otherwise(port, notice).await };
        match sms.tell(port, notice).await {
            Tried::Told { id, detail } => {
                if let Some(id) = id.as_ref().filter(|_| self.has_others()) {
                    texted::remember(port, id, notice).await;
                }
                Delivery::Delivered { external_id: id, detail }
            }
            Tried::Stop(delivery) => delivery,
            Tried::Next(why) => match self.tell_otherwise(port, notice).await {
                Delivery::Refused { detail, hard } => Delivery::Refused { detail: format!("{why}; {detail}"), hard },
                other => other,
            },
        }
    }

    /// Whether something is left where a text message was not delivered.
    pub(crate) fn has_others(&self) -> bool {
        self.hook.is_some() || self.callback.is_some()
    }

    /// One attempt by another way than text messages.
    pub(crate) async fn tell_otherwise(&self, port: &Port, notice: &Notice<'_>) -> Delivery {
        let mut why = Vec::new();
        if let Some(hook) = &self.hook {
            match hook.tell(port, notice).await {
                Tried::Told { id, detail } => return Delivery::Delivered { external_id: id, detail },
                Tried::Stop(delivery) => return delivery,
                Tried::Next(words) => why.push(words),
            }
        }
        if let Some(callback) = &self.callback {
            match callback.tell(port, notice).await {
                Tried::Told { id, detail } => return Delivery::Delivered { external_id: id, detail },
                Tried::Stop(delivery) => return delivery,
                Tried::Next(words) => why.push(words),
            }
        }
        if why.is_empty() {
            why.push("this source has no other way to reach a caller".to_owned());
        }
        Delivery::Refused { detail: format!("{}; call back", why.join("; ")), hard: false }
    }

    /// Tries them without changing anything.
    pub(crate) async fn check(&self) -> Result<Vec<String>, Fault> {
        let mut found: Vec<String> =
            self.names().into_iter().map(|name| format!("callers are told by {name}")).collect();
        for (url, who) in [
            (self.sms.as_ref().map(Sms::url), "the text message provider"),
            (self.hook.as_ref().map(Hook::url), "the webhook"),
            (self.callback.as_ref().map(Callback::url), "Asterisk"),
        ] {
            if let Some(url) = url {
                found.push(client::reach(url, who).await?);
            }
        }
        Ok(found)
    }

    /// What they are, for whoever looks after the source.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let sms = self.sms.as_ref().map(|_| "text messages");
        let hook = self.hook.as_ref().map(|_| "the phone system's webhook");
        let callback = self.callback.as_ref().map(|_| "calls by Asterisk");
        [sms, hook, callback].into_iter().flatten().collect()
    }
}

/// The secret a way cannot do without.
fn needed(secret: Option<guichet_contract::Secret>, key: &str) -> Result<guichet_contract::Secret, SettingsError> {
    secret.ok_or_else(|| SettingsError {
        key: format!("{key}_file"),
        value: None,
        what: "it is missing".to_owned(),
        remedy: format!("give {}_file, {}_env or {}_credential", last(key), last(key), last(key)),
    })
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
