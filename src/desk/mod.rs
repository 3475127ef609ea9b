//! The desk: what agents, programs and operators do with tickets, whichever way they come: the API, the command line,
//! the console. An act is one transaction, decided by the domain, and answered with the views.

mod act;
mod agents;
mod aside;
mod balance;
pub mod board;
mod create;
mod error;
mod explain;
pub mod gate;
mod handing;
mod health;
mod invite;
mod kept;
pub mod otp;
mod outbox;
pub mod page;
mod repeat;
pub mod sheet;
mod showing;
mod signin;
mod talk;
mod tickets;
mod undeliverable;
mod unmerge;
mod upstream;
pub mod views;

use std::sync::Arc;

use guichet_domain::reference::Reference;
use guichet_domain::ticket::Ticket;
use guichet_store::{Tx, ticket};

pub use act::{Request, Wanted};
pub use agents::Caller;
pub use aside::Raw;
pub use error::DeskError;
pub use invite::Invitee;
pub use kept::{Canned, blocks, fill};
pub use outbox::DeliveryQuery;
pub use page::{PageRating, PageReplied, PageReply, PageView};
pub use repeat::Repeat;
pub use signin::{SignInError, SignedIn, Stage, Visitor};
pub use talk::Talk;
pub use tickets::{File, TicketQuery};
pub(crate) use undeliverable::spare_bad_addresses;

use crate::desk::gate::Gate;
use crate::intake::Reception;
use crate::kernel::{Kernel, Source};

/// The service layer. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    kernel: Arc<Kernel>,
    reception: Reception,
    gate: Arc<Gate>,
}

impl Desk {
    /// A desk on a kernel.
    pub fn new(kernel: Arc<Kernel>, reception: Reception) -> Self {
        Self { kernel, reception, gate: Arc::default() }
    }

    /// What it works on.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    fn prefix(&self) -> &str {
        &self.kernel.desk.prefix
    }

    /// The ticket with this reference, merged or not.
    async fn find(&self, tx: &mut Tx, reference: &str) -> Result<Ticket, DeskError> {
        let parsed = Reference::parse(reference, self.prefix())
            .map_err(|error| DeskError::not_found(error.to_string(), "check the reference"))?;
        ticket::by_reference(tx, &parsed).await?.ok_or_else(|| {
            let shown = parsed.shown(self.prefix());
            DeskError::not_found(format!("there is no ticket {shown}"), "check the reference, or list the tickets")
        })
    }

    /// The configured source of this name.
    fn source(&self, name: &str) -> Result<&Source, DeskError> {
        let found = self.kernel.sources.iter().find(|(known, _)| known.as_str() == name);
        found.map(|(_, source)| source).ok_or_else(|| {
            let names: Vec<_> = self.kernel.sources.keys().map(ToString::to_string).collect();
            let remedy = format!("use one of: {}", names.join(", "));
            DeskError::not_found(format!("there is no source \"{name}\""), remedy)
        })
    }
}
