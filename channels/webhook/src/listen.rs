//! Nothing comes in by this channel: listening is waiting for the end.

use guichet_contract::{Fault, Health, Port, Stop};

pub(crate) async fn listen(port: &Port, stop: &Stop, receiver: &str) -> Result<(), Fault> {
    port.intake.report(Health::Good { note: format!("tells {receiver} of events") });
    stop.cancelled().await;
    Ok(())
}
