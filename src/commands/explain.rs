//! `guichet explain`: why things happened to a ticket as they did.

use super::{Context, Failure, shown};
use crate::client::segment;
use crate::desk::views::ExplanationView;

/// Tells every decision, in order.
pub async fn explain(context: &Context, reference: &str) -> Result<(), Failure> {
    let route = format!("/api/v1/tickets/{}/explanation", segment(&context.reference(reference)?));
    let client = context.client().await?;
    let answer = client.get(&route).await;
    client.finish().await;
    let answer = answer?;
    let out = &context.output;
    if out.is_json() {
        return Ok(out.value(&answer.value()?)?);
    }
    let explanation: ExplanationView = answer.read()?;
    out.line(&shown::standing(&explanation.ticket))?;
    out.line("")?;
    Ok(out.write(&shown::steps(out, &explanation.steps))?)
}
