//! The words of the trade and every decision, pure: values in, values out.
//!
//! Nothing here waits, opens a file or asks the time. What a function needs to know is a parameter, so each decision
//! can be tried in a test with a value and explained afterwards from what was stored.

pub mod ambient;
pub mod calendar;
pub mod caps;
pub mod courtesy;
pub mod decide;
pub mod entry;
pub mod event;
pub mod file_name;
pub mod ids;
pub mod inbound;
pub mod language;
pub mod locate;
pub mod media_type;
pub mod outgoing;
pub mod priority;
pub mod reason;
pub mod reference;
pub mod rules;
pub mod ticket;
pub mod time;
pub mod token;
pub mod triage;
pub mod verdict;
pub mod vocabulary;

pub use ambient::{Clock, Ids};
pub use time::Moment;
