//! `guichet inject`: one message in, from a mail server's pipe or a file. It ends well only when the message is durable.

use axum::body::Bytes;

use super::cli::InjectArgs;
use super::{Context, Failure, message, shown};
use crate::client::Query;
use crate::desk::views::ReceiptView;

/// Takes the message in.
pub async fn inject(context: &Context, args: InjectArgs) -> Result<(), Failure> {
    // Read first: a mail server that is kept waiting while a database opens gives up.
    let message = message::message(args.file.as_deref())?;
    let message = message::with_envelope(message, args.sender.as_deref(), args.recipient.as_deref());
    let client = context.client().await?;
    let route = Query::of("/api/v1/inject").with("source", &args.source);
    let answer = client.post_bytes(route.as_str(), "message/rfc822", Bytes::from(message)).await?;
    // Durable from here on: whatever fails now must not make the mail server send it again.
    if !args.quiet {
        let told = if context.output.is_json() {
            context.output.value(&answer.value()?)
        } else {
            context.output.line(&shown::receipt(&answer.read::<ReceiptView>()?))
        };
        if told.is_ok() {
            drop(context.end(client).await);
            return Ok(());
        }
    }
    client.finish().await;
    Ok(())
}
