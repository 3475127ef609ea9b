//! What agents and programs are shown, and what they ask for: the words of the API, the command line and the console.
//!
//! To add a field: here, in `crate::desk::showing` where it is filled, and nowhere else; the OpenAPI document follows.

mod agent;
mod asked;
mod delivery;
mod explanation;
mod health;
mod quarantine;
mod report;
mod ticket;
mod words;

pub use agent::{AgentChange, AgentView, NewAgent, NewPassword, NewToken, Scope, TOKEN_DAYS, TokenMade, TokenView};
pub use asked::{MessageKind, NewMessage, NewTicket, Transition};
pub use delivery::{AttemptView, DeliveryPage, DeliveryView};
pub use explanation::{ExplanationView, Simulation, Step, StepKind};
pub use health::{HealthReport, PartView, SourceState, SourceView};
pub use quarantine::{QuarantineItem, QuarantinePage, Standing};
pub use report::{Check, ReceiptView, Reconciliation, SourceBalance, Upstream};
pub use ticket::{
    AttachmentView, EntryView, ParticipantView, PartyView, ReasonView, TicketDetail, TicketPage, TicketView, TimerView,
    TransitionView,
};
