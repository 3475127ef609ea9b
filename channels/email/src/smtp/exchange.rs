//! One mail over one session: MAIL, RCPT, DATA, body, final dot.

use std::ops::ControlFlow;

use super::dot;
use super::envelope::{self, Envelope};
use super::limits::{Patience, Step};
use super::outcome::{NotTried, Outcome};
use super::reply::Reply;
use super::session::{Broken, Offers, Session};

/// The mail's end is known.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) outcome: Outcome,
    /// The dialogue is complete and understood: the session may take another mail.
    pub(super) reusable: bool,
    /// The server had accepted MAIL.
    pub(super) begun: bool,
}

/// The session broke before the final dot; nothing was sent.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) broken: Broken,
    /// The server had answered MAIL.
    pub(super) begun: bool,
}

/// Called before the first octet of a body leaves; on an error none does.
pub(super) type Departure<'a> = &'a (dyn Fn() -> Result<(), String> + Send + Sync);

/// Sends one mail. Dropping the future at any point is safe if the session is dropped with it.
pub(super) async fn send(
    session: &mut Session,
    envelope: &Envelope,
    message: &[u8],
    patience: &Patience,
    departs: Departure<'_>,
) -> Result<Settled, Lost> {
    if let Some(outcome) = beyond(&session.offers, envelope, message) {
        return Ok(Settled { outcome, reusable: true, begun: true });
    }
    session.body.clear();
    dot::stuff(message, &mut session.body);
    match begin(session, envelope, message, patience).await? {
        ControlFlow::Continue(()) => match departs() {
            Ok(()) => finish(session, patience).await,
            // The server waits for a body that must not be sent: the session ends with it.
            Err(why) => {
                let outcome = Outcome::NotTried(NotTried::passing(why));
                Ok(Settled { outcome, reusable: false, begun: true })
            }
        },
        ControlFlow::Break(settled) => Ok(settled),
    }
}

/// What the server's offers rule out needs no try.
fn beyond(offers: &Offers, envelope: &Envelope, message: &[u8]) -> Option<Outcome> {
    if envelope.is_international() && !offers.smtputf8 {
        let text = "the server does not take addresses with letters beyond ASCII (SMTPUTF8)".to_owned();
        return Some(Outcome::Permanent { code: 553, enhanced: Some("5.6.7".to_owned()), text });
    }
    let limit = offers.size.filter(|&limit| limit > 0 && message.len() > limit)?;
    let text = format!("the message has {} bytes and the server takes {limit}", message.len());
    Some(Outcome::Permanent { code: 552, enhanced: Some("5.3.4".to_owned()), text })
}

/// Everything up to the server's "go ahead": one write where it offers PIPELINING.
async fn begin(
    session: &mut Session,
    envelope: &Envelope,
    message: &[u8],
    patience: &Patience,
) -> Result<ControlFlow<Settled>, Lost> {
    let commands = write_commands(session, envelope, message);
    let pipelined = session.offers.pipelining;
    if pipelined {
        let all = session.output.len();
        session.say(0, all, Step::Mail, patience).await.map_err(|broken| Lost { broken, begun: false })?;
    }
    let mut refused: Option<Reply> = None;
    let mut from = 0;
    for (command, to) in commands {
        let step = command.step();
        let said = if pipelined { Ok(()) } else { session.say(from, to, step, patience).await };
        from = to;
        let answer = match said {
            Ok(()) => session.reply(step, patience).await,
            Err(broken) => Err(broken),
        };
        let reply = match (answer, refused.take()) {
            (Ok(reply), None) => reply,
            // The mail is refused already; what is left is whether the session survives it.
            (Ok(reply), Some(refusal)) => {
                if command != Command::Data {
                    refused = Some(refusal);
                    continue;
                }
                // With "go ahead" the server waits for a body that is not to be sent.
                let clean = reply.code != 354 && reset(session, patience).await;
                return Ok(ControlFlow::Break(settle(session, &refusal, Step::Rcpt, clean)));
            }
            (Err(_), Some(refusal)) => return Ok(ControlFlow::Break(settle(session, &refusal, Step::Rcpt, false))),
            (Err(broken), None) => return Err(Lost { broken, begun: step != Step::Mail }),
        };
        match command {
            Command::Mail | Command::Rcpt if reply.is_done() => {}
            Command::Mail => {
                return Ok(ControlFlow::Break(Settled { begun: false, ..settle(session, &reply, step, false) }));
            }
            Command::Rcpt if pipelined => refused = Some(reply),
            Command::Rcpt => {
                let clean = reset(session, patience).await;
                return Ok(ControlFlow::Break(settle(session, &reply, step, clean)));
            }
            Command::Journal => {}
            Command::Data if reply.code == 354 => return Ok(ControlFlow::Continue(())),
            Command::Data => return Ok(ControlFlow::Break(settle(session, &reply, step, false))),
        }
    }
    // The list ends with DATA, and every arm of DATA returns.
    let why = "the dialogue ended before DATA".to_owned();
    let outcome = Outcome::NotTried(NotTried::Passing { why, retry_after: None });
    Ok(ControlFlow::Break(Settled { outcome, reusable: false, begun: true }))
}

/// The body and the answer to its final dot.
async fn finish(session: &mut Session, patience: &Patience) -> Result<Settled, Lost> {
    if let Err(broken) = session.say_body(patience).await {
        // A server that refuses in the middle of the body says why before it closes.
        return match session.reply(Step::Quit, patience).await {
            Ok(reply) if reply.is_transient() || reply.is_permanent() => Ok(settle(session, &reply, Step::Body, false)),
            _ => Err(Lost { broken, begun: true }),
        };
    }
    let outcome = match session.reply(Step::FinalDot, patience).await {
        Ok(reply) if reply.is_done() => Outcome::Sent { text: reply.short_text() },
        Ok(reply) if reply.is_transient() || reply.is_permanent() => {
            return Ok(settle(session, &reply, Step::FinalDot, reply.code != 421));
        }
        Ok(reply) => Outcome::Unknown { why: format!("the server answered the final dot with {}", reply.code) },
        Err(broken) => Outcome::Unknown { why: broken.why() },
    };
    let reusable = matches!(outcome, Outcome::Sent { .. });
    Ok(Settled { outcome, reusable, begun: true })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Mail,
    Rcpt,
    Journal,
    Data,
}

impl Command {
    fn step(self) -> Step {
        match self {
            Self::Mail => Step::Mail,
            Self::Rcpt | Self::Journal => Step::Rcpt,
            Self::Data => Step::Data,
        }
    }
}

/// Puts all commands into `output`; where each ends.
fn write_commands(session: &mut Session, envelope: &Envelope, message: &[u8]) -> Vec<(Command, usize)> {
    let Session { output, offers, .. } = session;
    output.clear();
    let mut ends = Vec::with_capacity(4);
    envelope.write_mail(output, offers, message);
    ends.push((Command::Mail, output.len()));
    envelope.write_rcpt(output, offers);
    ends.push((Command::Rcpt, output.len()));
    if let Some(journal) = envelope.journal(offers) {
        envelope::write_journal(output, journal, offers);
        ends.push((Command::Journal, output.len()));
    }
    output.extend_from_slice(b"DATA\r\n");
    ends.push((Command::Data, output.len()));
    ends
}

/// Ends a transaction whose recipient was refused; whether the server followed.
async fn reset(session: &mut Session, patience: &Patience) -> bool {
    session.command(b"RSET\r\n", Step::Reset, patience).await.is_ok_and(|reply| reply.is_done())
}

/// The end a reply other than yes puts to the mail.
fn settle(session: &Session, reply: &Reply, step: Step, reusable: bool) -> Settled {
    let outcome = if is_about_us(session, reply) {
        // Without the server's words: they name the recipient.
        let status = format!("{} {}", reply.code, reply.enhanced().unwrap_or_default());
        Outcome::NotTried(NotTried::lasting(
            format!("the server wants a login or protection at {} ({})", step.name(), status.trim()),
            "set user, password and security of the source's smtp section",
        ))
    } else if reply.is_transient() || reply.is_permanent() {
        Outcome::refused(reply, step == Step::Rcpt)
    } else {
        let why = format!("the server answered {} with {}, which makes no sense there", step.name(), reply.code);
        Outcome::NotTried(NotTried::passing(why))
    };
    Settled { outcome, reusable: reusable && reply.code != 421, begun: true }
}

/// Whether a refusal is about our account and not about this mail, which then must not be given up for it. Servers that
/// let strangers speak up to RCPT refuse them there in the words for any refusal; those are taken so only from a server
/// that offers a login which we did not use.
fn is_about_us(session: &Session, reply: &Reply) -> bool {
    let stranger = !session.logged_in && !session.offers.auth.is_empty();
    let words = ["relay", "client host rejected", "authenticat"];
    let text = reply.text.to_ascii_lowercase();
    matches!(reply.code, 530 | 534 | 535 | 538)
        || (stranger && reply.is_permanent() && words.iter().any(|word| text.contains(word)))
}
