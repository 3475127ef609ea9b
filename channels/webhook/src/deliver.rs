//! One event to its receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use guichet_contract::reach::Lookup;
use guichet_contract::{Abilities, Channel, Delivery, Fault, Health, Outgoing, Port, Stop};
use guichet_domain::outgoing::NoticeKind;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde::de::IgnoredAny;

use crate::guard::Guard;
use crate::listen::listen;
use crate::sign::Signer;
use crate::translate::{Answer, outcome};

/// Most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 4096;
/// Longest time for reading an answer behind its head.
const READING: Duration = Duration::from_secs(2);
/// Events on their way at once.
const CONCURRENCY: usize = 4;

/// One configured hook.
pub(crate) struct Hook {
    client: Client,
    url: Url,
    signer: Signer,
    events: Vec<String>,
    timeout: Duration,
    /// The last word on how it does, so that only changes are reported.
    troubled: AtomicBool,
}

impl Hook {
    /// A hook at `url`, whose host was judged when it is an address itself.
    pub(crate) fn new(
        url: Url,
        signer: Signer,
        events: Vec<String>,
        timeout: Duration,
        (lookup, allow_private): (Lookup, bool),
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .dns_resolver(Arc::new(Guard::new(lookup, allow_private)))
            // A proxy would resolve the name itself, behind the guard's back.
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .https_only(!allow_private)
            .connect_timeout(timeout / 2)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(CONCURRENCY)
            .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, url, signer, events, timeout, troubled: AtomicBool::new(false) })
    }

    /// The receiver, as far as it may be told: paths and queries of hooks often hold secrets.
    fn receiver(&self) -> &str {
        self.url.host_str().unwrap_or("the receiver")
    }

    async fn attempt(&self, port: &Port, notice: &Outgoing) -> Delivery {
        let refused = |detail: &str| Delivery::Refused { detail: detail.to_owned(), hard: false };
        if notice.kind != NoticeKind::Event {
            return refused("a webhook source tells of events and sends no messages to people");
        }
        if serde_json::from_str::<IgnoredAny>(&notice.text).is_err() {
            return refused("the event is no JSON document");
        }
        let (id, now) = (notice.id.to_string(), port.clock.now());
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.secs())
            .header("webhook-signature", self.signer.sign(&id, now.secs(), notice.text.as_bytes()))
            .body(notice.text.clone());
        match tokio::time::timeout(self.timeout, request.send()).await {
            Ok(Ok(mut answer)) => {
                let body = beginning(&mut answer).await;
                let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                outcome(&Answer { status: answer.status().as_u16(), retry_after, body: &body }, now)
            }
            Ok(Err(error)) => self.failed(&error),
            // Sent or not: the receiver tells a repeat by its id.
            Err(_) => Delivery::Retry {
                detail: format!("{} gave no answer within {} s", self.receiver(), self.timeout.as_secs()),
                after: None,
                source_down: false,
            },
        }
    }

    fn failed(&self, error: &reqwest::Error) -> Delivery {
        let (why, source_down) = if Guard::refused(error) {
            // Not the receiver's being away: this wait counts, and the event expires where nobody acts.
            ("leads to a private or reserved address; set allow_private = true if that is meant", false)
        } else if error.is_connect() && error.is_timeout() {
            ("cannot be connected to in time", true)
        } else if error.is_connect() {
            ("cannot be connected to", true)
        } else {
            ("broke the connection off", false)
        };
        let cause = innermost(error);
        Delivery::Retry { detail: format!("{} {why} ({cause})", self.receiver()), after: None, source_down }
    }

    /// Tells the core when events stop to arrive and when they do again: no agent looks after a program's mail.
    fn report(&self, port: &Port, delivery: &Delivery) {
        let trouble = match delivery {
            Delivery::Delivered { .. } => None,
            Delivery::Retry { detail, .. } | Delivery::Refused { detail, .. } | Delivery::Unknown { detail } => {
                Some(detail.clone())
            }
        };
        if self.troubled.swap(trouble.is_some(), Ordering::Relaxed) == trouble.is_some() {
            return;
        }
        port.intake.report(match trouble {
            Some(note) => Health::Troubled { note },
            None => Health::Good { note: format!("tells {} of events", self.receiver()) },
        });
    }
}

#[async_trait]
impl Channel for Hook {
    fn abilities(&self) -> Abilities {
        Abilities {
            sends: true,
            idempotent_send: true,
            repeats_once: true,
            concurrency: CONCURRENCY,
            deadline_secs: (self.timeout + READING).as_secs() + 1,
            ..Abilities::default()
        }
    }

    fn events(&self) -> Option<Vec<String>> {
        Some(self.events.clone())
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        listen(&port, &stop, self.receiver()).await
    }

    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery {
        let delivery = self.attempt(port, notice).await;
        self.report(port, &delivery);
        delivery
    }

    /// Asks by `HEAD`, which changes nothing: any answer shows that name, way and certificate are good.
    async fn check(&self, _: &Port) -> Result<Vec<String>, Fault> {
        let receiver = self.receiver();
        match tokio::time::timeout(self.timeout, self.client.head(self.url.clone()).send()).await {
            Ok(Ok(answer)) => Ok(vec![format!("{receiver} can be reached; it answers HEAD with {}", answer.status())]),
            Ok(Err(error)) if Guard::refused(&error) => Err(Fault::lasting(
                format!("{receiver} leads to a private or reserved address"),
                "set allow_private = true if that is meant",
            )),
            Ok(Err(error)) => Err(Fault::passing(format!("{receiver} cannot be reached: {}", innermost(&error)))),
            Err(_) => Err(Fault::passing(format!("{receiver} gave no answer within {} s", self.timeout.as_secs()))),
        }
    }
}

/// The beginning of an answer: no more than is shown, and no longer than it is worth.
async fn beginning(answer: &mut Response) -> Vec<u8> {
    let mut read = Vec::new();
    let reading = async {
        while let Ok(Some(part)) = answer.chunk().await {
            let room = MAX_ANSWER - read.len();
            read.extend_from_slice(part.get(..room).unwrap_or(&part));
            if read.len() == MAX_ANSWER {
                return;
            }
        }
    };
    // Its head has said everything: what is missing behind it is missing from the record alone.
    drop(tokio::time::timeout(READING, reading).await);
    read
}

/// What is at the bottom of an error: the layers above it repeat the URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut bottom: &dyn std::error::Error = error;
    while let Some(below) = bottom.source() {
        bottom = below;
    }
    if std::ptr::addr_eq(bottom, error) { "no reason given".to_owned() } else { bottom.to_string() }
}

#[cfg(test)]
mod tests;
