//! Challenge-response services: "prove that you are a person, then your mail is delivered".
//!
//! They write in the name of the person addressed, often without any header that says so; answering one is a loop of two robots.

use mail_parser::Message;

use super::original::Original;
use super::{Kind, Report};

/// A challenge; `None` for anything else.
pub(super) fn parse(message: &Message<'_>) -> Option<Report> {
    crate::machine::is_challenge(message).then(|| Report {
        kind: Kind::Challenge,
        recipients: Vec::new(),
        original: Original { message_id: super::original::replied_to(message), ..Original::default() },
    })
}
