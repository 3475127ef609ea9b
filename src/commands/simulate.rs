//! `guichet simulate`: what would become of a message; nothing is kept and nothing leaves.

use axum::body::Bytes;

use super::cli::SimulateArgs;
use super::{Context, Failure, message, shown};
use crate::client::Query;
use crate::desk::views::Simulation;
use crate::output::{Shade, plain};

/// Tells every decision.
pub async fn simulate(context: &Context, args: &SimulateArgs) -> Result<(), Failure> {
    let message = message::with_envelope(message::message(args.file.as_deref())?, None, None);
    let client = context.client().await?;
    let route = Query::of("/api/v1/simulate").with("source", &args.source);
    let answer = client.post_bytes(route.as_str(), "message/rfc822", Bytes::from(message)).await;
    client.finish().await;
    let answer = answer?;
    let out = &context.output;
    if out.is_json() {
        return Ok(out.value(&answer.value()?)?);
    }
    let told: Simulation = answer.read()?;
    let verdict = out.style().paint(told.verdict.as_str(), shown::verdict(told.verdict));
    let why = told.reason.as_ref().map(|reason| format!(": {}", plain::line(&shown::why(reason)))).unwrap_or_default();
    out.line(&format!("it would be {verdict}{why}"))?;
    if let Some(ticket) = &told.ticket {
        out.line(&format!("the ticket: {}", shown::standing(ticket)))?;
    }
    out.line("")?;
    out.write(&shown::steps(out, &told.steps))?;
    if told.deliveries.is_empty() {
        return Ok(out.line("\nnothing would be sent")?);
    }
    out.line(&format!("\n{}", out.style().paint("would be sent", Shade::Strong)))?;
    Ok(out.table(&shown::deliveries(out, &told.deliveries), "")?)
}
