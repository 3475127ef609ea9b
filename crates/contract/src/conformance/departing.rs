//! The note a channel makes the moment before a message may be gone.

use std::sync::{Arc, Mutex, PoisonError};

use guichet_domain::ids::DeliveryId;

use super::bench::Behaviour;
use super::musts::NOTES;
use super::outward::{CANNOT, Scene, scene};
use super::report::{Broken, Tried};
use super::suite::Suite;
use crate::outgoing::Delivery;
use crate::port::Departures;

/// Whatever the network does: what was not noted has not left, and what cannot be noted does not leave.
pub(super) async fn notes_before_it_leaves(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(mut plain) = scene(suite, Behaviour::Works).await else { return Ok(CANNOT) };
    if !plain.channel.abilities().notes_departure {
        return Ok(Tried::No("the channel does not claim notes_departure"));
    }
    plain.port.departures = Departures::noted_by(|_| Err("the disk is full".to_owned()));
    not_sent(suite, &plain, "the departure could not be noted").await?;
    // What was kept back leaves when it can be noted, and shows once.
    plain.port.departures = Departures::default();
    let delivery = plain.deliver(suite).await?;
    if !matches!(delivery, Delivery::Delivered { .. }) || plain.times_shown().await != 1 {
        return broken(format!("repeated after an attempt that could not be noted, deliver answered {delivery:?}"));
    }
    let behaviours =
        [Behaviour::Works, Behaviour::Refuses, Behaviour::Down, Behaviour::DiesBefore, Behaviour::DiesAfter];
    for behaviour in behaviours {
        let Some(mut scene) = scene(suite, behaviour).await else { continue };
        let noted = Arc::<Mutex<Vec<DeliveryId>>>::default();
        let notes = Arc::clone(&noted);
        scene.port.departures = Departures::noted_by(move |id| {
            notes.lock().unwrap_or_else(PoisonError::into_inner).push(id);
            Ok(())
        });
        let delivery = scene.deliver(suite).await?;
        let noted = noted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(other) = noted.iter().find(|id| **id != scene.notice.id) {
            return broken(format!("it noted {other}, which nobody handed to it"));
        }
        let may_be_gone = matches!(delivery, Delivery::Delivered { .. } | Delivery::Unknown { .. });
        if noted.is_empty() && (may_be_gone || scene.times_shown().await > 0) {
            return broken(format!(
                "the network is {behaviour:?}, nothing was noted, and deliver answered {delivery:?}"
            ));
        }
    }
    Ok(Tried::Yes)
}

async fn not_sent(suite: &mut Suite<'_>, scene: &Scene, when: &str) -> Result<(), Broken> {
    let delivery = scene.deliver(suite).await?;
    let kept_back = !matches!(delivery, Delivery::Delivered { .. } | Delivery::Unknown { .. });
    if kept_back && scene.times_shown().await == 0 {
        return Ok(());
    }
    broken(format!("{when}, and deliver answered {delivery:?}")).map(|_| ())
}

fn broken(what: String) -> Result<Tried, Broken> {
    Err(Broken::new(NOTES, what))
}
