//! Shows conversations through windows, as they go on.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use guichet_contract::{Fault, Port};
use guichet_domain::ids::ConversationKey;

use super::post::PaperPost;

/// Follows every window there is and comes to be. Ends with the first fault.
pub(super) async fn follow_windows(post: &PaperPost, port: &Port) -> Fault {
    let mut changes = post.changes();
    let mut known = BTreeSet::new();
    let mut followed = FuturesUnordered::new();
    loop {
        changes.mark_unchanged();
        for window in post.windows() {
            if known.insert(window.clone()) {
                followed.push(follow(post, port, window));
            }
        }
        tokio::select! {
            Some(fault) = followed.next() => return fault,
            changed = changes.changed() => if changed.is_err() {
                return Fault::passing("the post is gone");
            },
        }
    }
}

async fn follow(post: &PaperPost, port: &Port, conversation: ConversationKey) -> Fault {
    // Subscribed before the first look, so that what is said in between wakes.
    let mut updates = port.intake.subscribe(&conversation);
    loop {
        updates.mark_unchanged();
        loop {
            let entries = match port.intake.timeline(&conversation, post.shown_up_to(&conversation)).await {
                Ok(entries) => entries,
                Err(fault) => return fault,
            };
            if entries.is_empty() {
                break;
            }
            post.show(&conversation, entries);
        }
        if updates.changed().await.is_err() {
            return Fault::passing("the core no longer tells of this conversation");
        }
    }
}
