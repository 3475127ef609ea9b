//! Reason codes: stable words for why something was decided.
//!
//! To add one: a line in the table below. Codes are stored and read by scripts: never renamed, never reused.
//! Channels make their own under their own first word (`machine.`, `mime.`).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A stable code: lower-case words separated by dots, `ack.capped.sender_hour`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// A code known when compiling.
    pub const fn of(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it means, for a person who reads English; the code itself when nobody wrote it down.
    pub fn explanation(&self) -> &str {
        EXPLANATIONS.iter().find(|(code, _)| *code == self.as_str()).map_or(self.as_str(), |(_, words)| words)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for Reason {
    fn from(code: &'static str) -> Self {
        Self::of(code)
    }
}

impl From<String> for Reason {
    fn from(code: String) -> Self {
        Self(Cow::Owned(code))
    }
}

macro_rules! reasons {
    ($($name:ident = $code:literal, $words:literal;)*) => {
        $(#[doc = $words] pub const $name: Reason = Reason::of($code);)*

        /// Every code of the core with what it means.
        pub const EXPLANATIONS: &[(&str, &str)] = &[$(($code, $words)),*];
    };
}

reasons! {
    LOCATED_TOKEN = "located.token", "It carries a token we signed for this ticket.";
    LOCATED_ID = "located.message_id", "It answers a message that is in this ticket.";
    LOCATED_REFERENCE = "located.reference", "It names the reference, and its writer takes part in the ticket.";
    LOCATED_CONVERSATION = "located.conversation", "It is in the same conversation on its network.";
    LOCATED_THREAD = "located.thread", "Its mail program put it in the same thread, and its writer takes part in the ticket.";
    LOCATED_NEW = "located.new", "Nothing ties it to an existing ticket.";
    STRANGER_REFERENCE = "stranger.reference", "Somebody who takes no part in a ticket named its reference: a linked ticket was opened.";
    STRANGER_THREAD = "stranger.unverified", "The writer holds a valid token or message id but was unknown to this ticket: attached, marked unverified.";
    FOLLOWS_CLOSED = "follows.closed", "The ticket it belongs to is closed: a ticket that follows it was opened.";
    REOPENED_BY_REQUESTER = "reopen.requester", "The requester wrote within the window: reopened.";
    REOPEN_COURTESY = "reopen.not.courtesy", "A thank-you without a question: not reopened.";
    REOPEN_MACHINE = "reopen.not.machine", "An automatic answer: not reopened.";
    DUPLICATE_DELIVERY = "duplicate.delivery", "The source delivered the same item again.";
    DUPLICATE_COPY = "duplicate.copy", "The same message came by another way.";
    DUPLICATE_OWN = "duplicate.own", "Our own message came back, with its valid token.";
    OWN_FORGED = "own.forged", "It says it comes from us, and carries no valid token.";
    UNREADABLE = "unreadable", "It could not be understood.";
    REPORT_UNMATCHED = "report.unmatched", "A delivery report about nothing we know of.";
    REPORT_FAILED = "report.failed", "The network says our message will not arrive.";
    REPORT_HARD = "report.hard", "The network says the address does not exist: marked undeliverable.";
    REPORT_DELAYED = "report.delayed", "The network says our message is late; it goes on trying.";
    REPORT_DELIVERED = "report.delivered", "The network says our message arrived.";
    REPORT_COMPLAINT = "report.complaint", "The recipient reported our message as abuse.";
    GUILTY = "intake.failed", "Recording it failed by itself, while its neighbours were recorded.";
    BLOCKED_SENDER = "blocked.sender", "The operator blocks this sender.";
    RELEASED = "quarantine.released", "Released from quarantine by an agent.";
    ACK_SENT = "ack.queued", "The acknowledgement was queued with the ticket.";
    ACK_MACHINE = "ack.none.machine", "No acknowledgement: a machine wrote it.";
    ACK_HISTORY = "ack.none.history", "No acknowledgement: it was in the mailbox before guichet.";
    ACK_IMPORT = "ack.none.import", "No acknowledgement: it was imported.";
    ACK_NO_ADDRESS = "ack.none.no_address", "No acknowledgement: there is nobody to write to.";
    ACK_UNDELIVERABLE = "ack.none.undeliverable", "No acknowledgement: the address is known not to work.";
    ACK_NOT_ADDRESSED = "ack.none.not_addressed", "No acknowledgement: none of our addresses is among its recipients.";
    ACK_OFF = "ack.none.off", "No acknowledgement: switched off for this source.";
    ACK_UNWANTED = "ack.none.unwanted", "No acknowledgement: whoever registered the request wanted none.";
    ACK_NEUTRAL = "ack.neutral", "The acknowledgement is neutral: nobody vouches for the sender.";
    TRUST_API = "trust.api", "An agent, or a program with a token, registered the request for this person.";
    CAP_TICKET = "cap.ticket", "This ticket was acknowledged before.";
    CAP_SENDER_HOUR = "cap.sender_hour", "Too many automatic messages to this address within an hour.";
    CAP_SENDER_DAY = "cap.sender_day", "Too many automatic messages to this address within a day.";
    CAP_DOMAIN_HOUR = "cap.domain_hour", "Too many automatic messages to this domain within an hour.";
    BREAKER = "breaker.open", "Far more automatic messages than usual: sending is delayed, nothing is lost.";
    NOTICE_UNDELIVERABLE = "notice.undeliverable", "Not sent: the address is known not to work.";
    NOTICE_MACHINE = "notice.none.machine", "Not sent: the requester is a machine.";
    CANCELLED = "outbox.cancelled", "Cancelled by an agent.";
    OVERTAKEN = "outbox.overtaken", "No longer true when its turn came.";
    EXPIRED = "outbox.expired", "It could not be sent within its life.";
    UNKNOWN_OUTCOME = "outbox.unknown", "We cannot know whether it arrived.";
    JOURNAL_PROOF = "outbox.proved", "Its copy came back to our journal address: it was sent.";
    TRIAGE_RULE = "triage.rule", "A keyword rule spoke for this category or fact.";
    TRIAGE_DEFAULT = "triage.default", "No rule spoke: the default category.";
    PRIORITY_MATRIX = "priority.matrix", "Priority computed from impact and urgency.";
    PRIORITY_AGENT = "priority.agent", "Impact or urgency set by an agent.";
    PROMISE = "promise.computed", "When an answer is promised: computed on the queue's calendar.";
    AGENT_ACTION = "agent.action", "An agent did this.";
    TIMER_WINDOW = "timer.window_over", "The time in which an answer reopens is over: closed.";
    TIMER_PROMISE = "timer.promise_missed", "The promised time is over and nobody has answered.";
    CLOSED_BY_REQUESTER = "close.requester", "The requester closed it.";
    RATED = "rating.given", "The requester rated it.";
    CONTACT_GIVEN = "contact.given", "The requester gave an e-mail address; nobody vouches for it.";
    CONTACT_ANSWERED = "contact.answered", "Written from the e-mail address the requester gave; nobody vouches for it.";
    UNREAD_MAILED = "unread.mailed", "Answers that nobody had read were mailed.";
    TRANSCRIPT = "transcript.queued", "The requester asked for the conversation by mail.";
    PAGE_LINK = "page.link", "A link to the status page was mailed.";
    PAGE_RENEWED = "page.renewed", "The status page has a new key; every earlier one ended.";
    ACT_ALREADY = "act.already", "Nothing is left to do.";
    ACT_NO_CONVERSATION = "act.no_conversation", "Nothing has opened this conversation.";
    ACT_WINDOW_OVER = "act.window_over", "The time for it is over.";
    ACT_NOT_RESOLVED = "act.not_resolved", "It is not closed yet.";
    ACT_INVALID = "act.invalid", "A value is not usable.";
    ACT_ADDRESS = "act.address", "The address cannot be used.";
    ACT_CONTACT_KEPT = "act.contact_kept", "A proved address is known already.";
    ACT_NO_ADDRESS = "act.no_address", "There is no e-mail address to write to.";
    ACT_CAPPED = "act.capped", "Too many messages went to this address of late.";
    ACT_MERGED = "act.merged", "The ticket became part of somebody else's.";
    MERGED = "merged", "Merged into another ticket: later messages go there.";
    UNMERGED = "unmerged", "The merge was taken back: its messages come here again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_plain() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, words) in EXPLANATIONS {
            assert!(seen.insert(code), "{code} stands twice");
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '_'), "{code}");
            assert!(words.ends_with('.'), "{code}: {words}");
        }
    }

    #[test]
    fn an_unknown_code_explains_itself() {
        assert_eq!(Reason::from("machine.list".to_owned()).explanation(), "machine.list");
        assert_eq!(REPORT_HARD.explanation(), "The network says the address does not exist: marked undeliverable.");
    }
}
