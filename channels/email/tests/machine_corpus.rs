//! Machine or person, against what the authors of real mails state.

use guichet_email::machine::{OwnAddresses, judge};
use mail_parser::MessageParser;

use crate::authors::{Score, hold, samples};

#[test]
fn machines_get_no_answer_and_people_do() {
    let Some(samples) = samples() else { return };
    let (mut silenced, mut answered) = (Score::default(), Score::default());
    let mut people = (0, 0);
    for sample in &samples {
        let own = OwnAddresses::new(sample.expect["own_address"].as_str());
        let verdict = MessageParser::default().parse(&sample.raw).and_then(|message| judge(&message, &own));
        let said =
            || format!("{} {}", sample.file, verdict.as_ref().map_or("passed as a person", |verdict| verdict.reason));
        match sample.expect["should_ack"].as_bool() {
            Some(false) => silenced.add(verdict.is_some(), said),
            Some(true) => answered.add(verdict.is_none(), said),
            None if ["reply", "normal"].contains(&sample.kind.as_str()) => {
                people.0 += usize::from(verdict.is_some());
                people.1 += 1;
                if let Some(verdict) = &verdict {
                    println!("unstated: {} {} {}", sample.file, verdict.reason, verdict.detail);
                }
            }
            None => {}
        }
    }
    println!("normal mails and replies of unstated kind silenced: {} of {}", people.0, people.1);
    hold(&[("machine mails silenced", &silenced, 992), ("people answered", &answered, 1000)]);
}
