//! What a chat does by itself: looks at the desk's hours, clears uploads nobody used, and ends every line when the source
//! stops. People come by the routes.

use std::sync::Arc;
use std::time::Duration;

use guichet_contract::{Fault, Health, Port, Stop};

use crate::channel::Shared;
use crate::protocol::Desk;

/// How often the desk is looked at.
const LOOK: Duration = Duration::from_secs(20);
/// How often uploads are cleared, in looks.
const SWEEP: u32 = 30;

pub(crate) async fn listen(shared: &Arc<Shared>, port: &Port, stop: &Stop) -> Result<(), Fault> {
    shared.hub.start();
    let mut looks = tokio::time::interval(LOOK);
    let mut told = None;
    let mut count = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = looks.tick() => {}
        }
        shared.look_at_desk(Desk::from(port.conversations.hours()));
        if count.is_multiple_of(SWEEP) {
            let (sweeper, now) = (Arc::clone(shared), port.clock.now());
            // What cannot be removed now is looked at again; the join fails only when the process ends.
            drop(tokio::task::spawn_blocking(move || sweeper.uploads.sweep(now)).await);
        }
        count = count.wrapping_add(1);
        let here = shared.hub.count();
        if told != Some(here) {
            port.intake.report(Health::Good { note: format!("{here} connected") });
            told = Some(here);
        }
    }
    shared.hub.stop();
    Ok(())
}
