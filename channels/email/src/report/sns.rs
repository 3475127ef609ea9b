//! Amazon SES notifications by SNS mail: JSON for people to read.

use mail_parser::Message;
use serde_json::Value;

use super::original::Original;
use super::{Action, Kind, Reason, Recipient, Report, codes, feedback};

/// The report in an SNS mail; `None` for anybody else's.
pub(super) fn parse(message: &Message<'_>) -> Option<Report> {
    let from = message.from()?.first()?.address.as_deref()?;
    if !from.to_ascii_lowercase().ends_with("@sns.amazonaws.com") {
        return None;
    }
    let body = message.body_text(0)?;
    let open = body.find('{')?;
    // A blank line ends the JSON; long lines were broken on the way, inside strings too.
    let json: String = body
        .get(open..)?
        .split("\n\n")
        .next()?
        .split("\n--")
        .next()?
        .replace('\r', "")
        .replace("\n ", "")
        .replace('\n', "");
    let notification: Value = serde_json::from_str(&json).ok()?;
    let kind = text(&notification, &["notificationType"]).or_else(|| text(&notification, &["eventType"]))?;
    let (kind, recipients) = match kind {
        "Bounce" => (Kind::Bounce, bounced(&notification)),
        "Complaint" => (Kind::Complaint, complained(&notification)),
        "Delivery" => (Kind::Delivery, delivered(&notification)),
        _ => return None,
    };
    let header = |name: &str| text(&notification, &["mail", "commonHeaders", name]).map(str::to_owned);
    let original = Original {
        message_id: header("messageId").map(|id| id.trim_matches(['<', '>', ' ']).to_owned()),
        subject: header("subject"),
        ..Original::default()
    };
    Some(Report { kind, recipients, original })
}

fn bounced(notification: &Value) -> Vec<Recipient> {
    let permanent = text(notification, &["bounce", "bounceType"]) == Some("Permanent");
    list(notification, &["bounce", "bouncedRecipients"])
        .iter()
        .filter_map(|one| {
            let diagnostic = text(one, &["diagnosticCode"]).unwrap_or_default().to_owned();
            let status = text(one, &["status"]).map(str::to_owned).or_else(|| codes::status(&diagnostic));
            let reply = codes::reply(&diagnostic, status.as_deref());
            let reason = Reason::of(&diagnostic, status.as_deref());
            let mut recipient = Recipient {
                address: text(one, &["emailAddress"])?.to_owned(),
                final_address: None,
                action: if permanent || text(one, &["action"]) == Some("failed") {
                    Action::Failed
                } else {
                    Action::Delayed
                },
                status,
                reply,
                diagnostic,
                reason,
                hard: false,
            };
            recipient.settle();
            Some(recipient)
        })
        .collect()
}

fn complained(notification: &Value) -> Vec<Recipient> {
    let all = list(notification, &["complaint", "complainedRecipients"]);
    all.iter()
        .filter_map(|one| text(one, &["emailAddress"]))
        .map(|address| feedback::complaint(address.to_owned()))
        .collect()
}

fn delivered(notification: &Value) -> Vec<Recipient> {
    let said = text(notification, &["delivery", "smtpResponse"]).unwrap_or_default();
    let status = codes::status(said);
    list(notification, &["delivery", "recipients"])
        .iter()
        .filter_map(Value::as_str)
        .map(|address| Recipient {
            address: address.to_owned(),
            final_address: None,
            action: Action::Delivered,
            reply: codes::reply(said, status.as_deref()),
            status: status.clone(),
            diagnostic: said.to_owned(),
            reason: Reason::Delivered,
            hard: false,
        })
        .collect()
}

fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}

fn list<'v>(value: &'v Value, path: &[&str]) -> &'v [Value] {
    path.iter().try_fold(value, |value, key| value.get(key)).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
