//! RFC 5965 feedback reports, and Hotmail's form of them: the complained-about mail alone, in an attachment.

use mail_parser::Message;

use super::anatomy::Anatomy;
use super::fields::groups;
use super::{Action, Reason, Recipient};

/// The recipients who complained; `None` when the mail is no feedback report.
pub(super) fn recipients(message: &Message<'_>, anatomy: &Anatomy) -> Option<Vec<Recipient>> {
    let standard = !anatomy.feedback.trim().is_empty();
    let hotmail = message.subject().is_some_and(crate::machine::is_complaint_subject);
    if !standard && !hotmail {
        return None;
    }
    let source = if standard { &anatomy.feedback } else { &anatomy.returned };
    let wanted = ["original-rcpt-to", "removal-recipient", "x-hmxmroriginalrecipient"];
    let mut found: Vec<Recipient> = Vec::new();
    for field in groups(source).into_iter().flatten().filter(|field| wanted.contains(&field.name.as_str())) {
        let address = field.value.trim_matches(['<', '>', ' ']).to_owned();
        if address.is_empty() || found.iter().any(|known| known.address.eq_ignore_ascii_case(&address)) {
            continue;
        }
        found.push(complaint(address));
    }
    Some(found)
}

/// Somebody got the mail and did not want it.
pub(super) fn complaint(address: String) -> Recipient {
    Recipient {
        address,
        final_address: None,
        action: Action::Delivered,
        status: None,
        reply: None,
        diagnostic: String::new(),
        reason: Reason::Feedback,
        hard: false,
    }
}
