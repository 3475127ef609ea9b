//! `guichet doctor`: tries everything, changes nothing, says what is not well and what to do.

use std::sync::Arc;
use std::time::Duration;

use guichet_contract::Fault;
use guichet_store::{figures, inbound, outbox};
use serde_json::{Value, json};

use super::{Context, Failure, check};
use crate::client::Client;
use crate::desk::views::{SourceState, SourceView};
use crate::intake::{Reception, port};
use crate::kernel::Kernel;
use crate::output::Shade;

/// How long one source may take to be tried.
const PATIENCE: Duration = Duration::from_mins(1);

/// One thing that was looked at.
struct Finding {
    what: String,
    /// Good, something to look at, bad.
    shade: Shade,
    words: String,
}

impl Finding {
    fn new(what: impl Into<String>, shade: Shade, words: impl Into<String>) -> Self {
        Self { what: what.into(), shade, words: words.into() }
    }

    fn word(&self) -> &'static str {
        match self.shade {
            Shade::Bad => "BAD",
            Shade::Warning => "look",
            _ => "ok",
        }
    }

    fn json(&self) -> Value {
        let state = match self.shade {
            Shade::Bad => "bad",
            Shade::Warning => "warning",
            _ => "good",
        };
        json!({"what": self.what, "state": state, "words": self.words})
    }
}

/// Looks at everything. Fails when something is bad, after having told all of it.
pub async fn doctor(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    let sources = check::look(config)?;
    let mut findings =
        vec![Finding::new("configuration", Shade::Good, format!("{}: {} sources", config.origin(), sources.len()))];
    findings.extend(daemon(context).await?);
    findings.push(disk(context)?);
    let kernel = context.kernel().await?;
    findings.extend(database(&kernel).await?);
    findings.extend(work(&kernel).await?);
    let reception = Reception::start(Arc::clone(&kernel));
    let tried = kernel.sources.iter().filter(|(_, source)| source.enabled).map(|(name, source)| {
        let port = port(&reception, name, source);
        async move {
            let tried = tokio::time::timeout(PATIENCE, source.channel.check(&port)).await;
            source_findings(
                name.as_str(),
                tried.unwrap_or_else(|_| {
                    Err(Fault::passing(format!(
                        "no answer within {} s; see whether its server runs and is reached from here",
                        PATIENCE.as_secs()
                    )))
                }),
            )
        }
    });
    findings.extend(futures_util::future::join_all(tried).await.into_iter().flatten());
    tell(context, &findings)?;
    let bad = findings.iter().filter(|finding| finding.shade == Shade::Bad).count();
    if bad > 0 {
        return Err(Failure::new(format!("{bad} of {} findings are bad", findings.len()), "see the lines above"));
    }
    Ok(())
}

fn tell(context: &Context, findings: &[Finding]) -> Result<(), Failure> {
    let out = &context.output;
    if out.is_json() {
        let all: Vec<Value> = findings.iter().map(Finding::json).collect();
        return Ok(out.value(&json!({"findings": all}))?);
    }
    let widest = findings.iter().map(|finding| finding.what.chars().count()).max().unwrap_or(0);
    for finding in findings {
        let word = out.style().paint(&format!("{:<4}", finding.word()), finding.shade);
        out.line(&format!("{word}  {:<widest$}  {}", finding.what, crate::output::plain::line(&finding.words)))?;
    }
    Ok(())
}

/// The daemon, and how it says its sources do.
async fn daemon(context: &Context) -> Result<Vec<Finding>, Failure> {
    let Some(client) = Client::to_daemon(&context.state()?, None).await? else {
        let words =
            "none runs on this state folder: nothing is listened to and nothing leaves; start it with `guichet run`";
        return Ok(vec![Finding::new("daemon", Shade::Warning, words)]);
    };
    let mut findings = vec![Finding::new("daemon", Shade::Good, "it runs and answers")];
    for source in client.get("/api/v1/sources").await?.read::<Vec<SourceView>>()? {
        let shade = match source.state {
            SourceState::Down => Shade::Bad,
            SourceState::Troubled | SourceState::Warning => Shade::Warning,
            SourceState::Idle | SourceState::Starting | SourceState::Good => continue,
        };
        let restarts =
            if source.restarts > 0 { format!(" (restarted {} times)", source.restarts) } else { String::new() };
        findings.push(Finding::new(format!("daemon, {}", source.name), shade, format!("{}{restarts}", source.note)));
    }
    Ok(findings)
}

fn disk(context: &Context) -> Result<Finding, Failure> {
    let floor = context.config()?.storage.floor_mib;
    Ok(match context.state()?.free_bytes() {
        Ok(free) if free >> 20 < floor => {
            let words = format!(
                "{} MiB free, below the floor of {floor} MiB: nothing is taken in; free some space",
                free >> 20
            );
            Finding::new("disk", Shade::Bad, words)
        }
        Ok(free) if free >> 20 < floor * 4 => Finding::new(
            "disk",
            Shade::Warning,
            format!("only {} MiB free; below {floor} MiB nothing is taken in", free >> 20),
        ),
        Ok(free) => Finding::new("disk", Shade::Good, format!("{} MiB free", free >> 20)),
        Err(error) => Finding::new("disk", Shade::Warning, format!("its free space cannot be read: {error}")),
    })
}

async fn database(kernel: &Kernel) -> Result<Vec<Finding>, Failure> {
    let damage = kernel.db.integrity().await?;
    let mut findings = vec![match damage.first() {
        None => Finding::new(
            "database",
            Shade::Good,
            format!("{}, schema {}, whole", kernel.db.engine(), guichet_store::known_version()),
        ),
        Some(first) => {
            let words =
                format!("damaged: {first}; stop guichet, keep a copy of the state folder, restore the last backup");
            Finding::new("database", Shade::Bad, words)
        }
    }];
    let mut tx = kernel.db.read().await?;
    let differing = figures::discrepancies(&mut tx).await?;
    tx.rollback().await?;
    findings.push(if differing.is_sound() {
        Finding::new("figures", Shade::Good, "what was received is what is there")
    } else {
        Finding::new("figures", Shade::Bad, "what was received is not what is there; `guichet reconcile` says where")
    });
    Ok(findings)
}

/// What waits for a person.
async fn work(kernel: &Kernel) -> Result<Vec<Finding>, Failure> {
    let mut tx = kernel.db.read().await?;
    let held = inbound::held(&mut tx).await?;
    let standing = outbox::standing(&mut tx).await?;
    tx.rollback().await?;
    let mut findings = Vec::new();
    findings.push(if held > 0 {
        Finding::new("quarantine", Shade::Warning, format!("{held} kept aside; `guichet quarantine list`"))
    } else {
        Finding::new("quarantine", Shade::Good, "nothing is kept aside")
    });
    let of = |word: &str| standing.iter().filter(|row| row.state.as_str() == word).map(|row| row.n).sum::<i64>();
    let (unknown, refused, pending) = (of("unknown"), of("refused"), of("pending"));
    findings.push(if unknown + refused > 0 {
        let words = format!("{unknown} of unknown end, {refused} refused, {pending} waiting; `guichet outbox list`");
        Finding::new("outbox", Shade::Warning, words)
    } else {
        Finding::new("outbox", Shade::Good, format!("{pending} waiting to leave"))
    });
    Ok(findings)
}

fn source_findings(name: &str, tried: Result<Vec<String>, Fault>) -> Vec<Finding> {
    let what = format!("source {name}");
    match tried {
        Ok(lines) if lines.is_empty() => vec![Finding::new(what, Shade::Good, "works")],
        Ok(lines) => {
            // What a source lacks works, and yet a desk that meant to send mail must see it.
            let shade = |line: &str| if line.starts_with("no ") { Shade::Warning } else { Shade::Good };
            lines.into_iter().map(|line| Finding::new(what.clone(), shade(&line), line)).collect()
        }
        Err(fault) => vec![Finding::new(what, Shade::Bad, fault.to_string())],
    }
}
