//! How long each step of a send may take.

use std::time::Duration;

use tokio::time::Instant;

/// Time limits of one send. The defaults are those of RFC 5321 section 4.5.3.2 step by step, and `queue` and
/// `whole` add up to less than 700 s, so that a caller may hold a lease of twelve minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Waiting for a free connection slot and for the rate: longer, and the send is given back as not tried.
    pub queue: Duration,
    /// TCP connect and TLS handshake, each.
    pub connect: Duration,
    /// Greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT and DATA, each.
    pub command: Duration,
    /// All steps before the body together. RFC 5321 would grant each its five minutes; but before the body nothing is
    /// lost by trying again, and the time is better kept for the answer to the final dot.
    pub before_body: Duration,
    /// Each block of 256 KiB of the body.
    pub block: Duration,
    /// The answer to the final dot. Giving up here makes the outcome unknown, hence the full ten minutes.
    pub final_dot: Duration,
    /// Everything together, from the connect on.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue: Duration::from_secs(10),
            connect: Duration::from_secs(30),
            command: Duration::from_mins(5),
            before_body: Duration::from_secs(80),
            block: Duration::from_mins(3),
            final_dot: Duration::from_mins(10),
            whole: Duration::from_secs(685),
        }
    }
}

/// The steps of a send, as named in what we report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Body,
    FinalDot,
    Reset,
    Quit,
}

impl Step {
    /// As a person reads it after "at".
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Body => "the body",
            Self::FinalDot => "the final dot",
            Self::Reset => "RSET",
            Self::Quit => "QUIT",
        }
    }
}

/// The limits of one send, counting from its start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    limits: Limits,
    started: Instant,
}

impl Patience {
    pub(super) fn start(limits: Limits) -> Self {
        Self { limits, started: Instant::now() }
    }

    /// When connecting must have ended.
    pub(super) fn connect(&self) -> Instant {
        (Instant::now() + self.limits.connect).min(self.started + self.limits.before_body)
    }

    /// When `step`, which begins now, must have ended.
    pub(super) fn until(&self, step: Step) -> Instant {
        let now = Instant::now();
        let whole = self.started + self.limits.whole;
        match step {
            Step::Body => (now + self.limits.block).min(whole),
            Step::FinalDot => (now + self.limits.final_dot).min(whole),
            // The outcome is known by then: courtesy is short.
            Step::Reset | Step::Quit => now + Duration::from_secs(2),
            _ => (now + self.limits.command).min(self.started + self.limits.before_body),
        }
    }
}
