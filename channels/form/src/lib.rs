//! The web form: pages on which people without an account ask for help.
//!
//! Every page works without JavaScript. A form carries a signed token made when it was drawn: it is the submission's id, so that
//! sending twice is one request, and it says how long a person took. What is wrong is said beside its field, and nothing
//! that was typed or uploaded is lost. A form sends nothing itself: `answer_by` names the mailbox its requests are answered by.

mod channel;
mod fields;
mod guard;
mod page;
mod posted;
mod routes;
mod settings;
mod staging;
mod submission;
mod token;
mod words;

pub use settings::Form;
