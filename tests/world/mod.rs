//! The simulated world: people and agents as values, a paper network, a clock moved by hand, ids that repeat; and the
//! real intake, store, sender, timers and desk.
//!
//! A story says what people do and what they then read:
//!
//! ```ignore
//! tell(async |world| {
//!     let (jean, ada) = (world.person("jean"), world.agent("ada"));
//!     let ticket = jean.writes("Printer broken").await.ticket();
//!     ada.closes(&ticket, "New toner.").await;
//!     assert!(jean.reads().await[1].contains("is resolved"));
//! })
//! .await;
//! ```
//!
//! [`tell`] tells it on SQLite, and again on PostgreSQL when `GUICHET_POSTGRES_URL` names a database to work in. Nothing
//! happens by itself: [`World::works`] lets the daemon do what is due, [`World::forward`] lets it live through some time.
//! When the story is over the world is checked as a whole ([`World::ends`]): nothing due is left, every count agrees,
//! nobody saw more copies than there were doubts.

mod end;
mod life;
mod network;
mod people;
mod place;
mod plan;

mod abilities;
mod abuse;
mod built_in;
mod crowd;
mod desk_stories;
mod faults;
mod lifetime;
mod pages;
mod promise;
mod random;
mod status_page;
mod strangers;
mod twice;
mod upstream;
mod visitors;

use life::{Spans, World, tell, tell_of};
use plan::Plan;
