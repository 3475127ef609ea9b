//! Bounces and other reports, against what the authors of real ones state.

use std::collections::BTreeSet;

use guichet_email::machine::{Nature, OwnAddresses, judge};
use guichet_email::report::{self, Action, Kind, Report};
use mail_parser::MessageParser;
use serde_json::Value;

use crate::authors::{Sample, Score, hold, samples};

#[derive(Default)]
struct Scores {
    count: Score,
    status: Score,
    status_class: Score,
    reply: Score,
    reason: Score,
    hard: Score,
    failed: Score,
    delayed: Score,
    id: Score,
    no_bounce: Score,
    bounce: Score,
}

#[test]
fn reports_are_read_as_their_authors_do() {
    let Some(samples) = samples() else { return };
    let mut scores = Scores::default();
    for sample in &samples {
        let Some(message) = MessageParser::default().parse(&sample.raw) else { continue };
        let report = report::parse(&message, &sample.raw);
        let nature = judge(&message, &OwnAddresses::default()).map(|verdict| verdict.nature);
        assert!(report.is_none() || nature.is_some(), "{}: a report by a person", sample.file);
        scores.add(sample, report.as_ref(), nature);
    }
    hold(&[
        ("reports with every recipient", &scores.count, 980),
        ("status codes", &scores.status, 980),
        ("status codes of the authors' own invention, by class", &scores.status_class, 980),
        ("reply codes", &scores.reply, 965),
        ("hard flags", &scores.hard, 935),
        ("reasons", &scores.reason, 885),
        ("failed recipients", &scores.failed, 960),
        ("delayed recipients", &scores.delayed, 1000),
        ("original Message-IDs", &scores.id, 1000),
        ("bounces known as bounces", &scores.bounce, 990),
        ("mails that are no bounces", &scores.no_bounce, 1000),
    ]);
}

impl Scores {
    fn add(&mut self, sample: &Sample, report: Option<&Report>, nature: Option<Nature>) {
        let file = &sample.file;
        let is_bounce = report
            .is_some_and(|report| matches!(report.kind, Kind::Bounce | Kind::Delay | Kind::Complaint | Kind::Delivery));
        match sample.expect["is_bounce"].as_bool() {
            Some(true) => self.bounce.add(is_bounce, || format!("{file} {:?}", report.map(|report| report.kind))),
            Some(false) => {
                let fails =
                    report.is_some_and(|report| matches!(report.kind, Kind::Bounce | Kind::Delay | Kind::Complaint));
                self.no_bounce.add(!fails, || file.clone());
            }
            None => {}
        }
        if let Some(stated) = sample.expect["reports"].as_array() {
            self.add_reports(file, stated, report, nature);
        }
        for (field, action) in [
            ("failed_recipients", Action::Failed),
            ("delayed_recipients", Action::Delayed),
            ("failed_recipients_at_least", Action::Failed),
        ] {
            let Some(stated) = sample.expect[field].as_array() else { continue };
            let stated: BTreeSet<String> = stated.iter().filter_map(Value::as_str).map(str::to_lowercase).collect();
            let got: BTreeSet<String> = report
                .into_iter()
                .flat_map(|report| &report.recipients)
                .filter(|one| one.action == action)
                .map(|one| one.address.to_lowercase())
                .collect();
            let hit = if field.ends_with("at_least") { got.is_superset(&stated) } else { got == stated };
            let score = if action == Action::Failed { &mut self.failed } else { &mut self.delayed };
            score.add(hit, || format!("{file} stated {stated:?} got {got:?}"));
        }
        if let Some(stated) = sample.expect["original_message_id"].as_str() {
            let got = report.and_then(|report| report.original.message_id.as_deref());
            self.id.add(got == Some(stated), || format!("{file} stated {stated} got {got:?}"));
        }
    }

    fn add_reports(&mut self, file: &str, stated: &[Value], report: Option<&Report>, nature: Option<Nature>) {
        // A holiday message is no report here: `judge` names it.
        if stated.iter().all(|one| one["reason"] == "vacation") {
            let away = matches!(nature, Some(Nature::OutOfOffice | Nature::AutoReply));
            self.reason.add(away, || format!("{file} vacation {nature:?}"));
            return;
        }
        let got = report.map_or(&[][..], |report| &report.recipients[..]);
        let feedback = stated.iter().all(|one| one["reason"] == "feedback");
        if feedback {
            let complaint = report.is_some_and(|report| report.kind == Kind::Complaint);
            self.reason.add(complaint, || format!("{file} feedback"));
            return;
        }
        self.count.add(got.len() == stated.len(), || {
            format!("{file} stated {} got {:?}", stated.len(), got.iter().map(|one| &one.address).collect::<Vec<_>>())
        });
        for (index, stated) in stated.iter().enumerate() {
            let one = got.get(index);
            let text = |field: &str| stated[field].as_str().unwrap_or_default().to_owned();
            let status = one.and_then(|one| one.status.clone()).unwrap_or_default();
            let wanted = text("status");
            // x.0.9nn stands in no mail: the corpus' authors number their reasons so when the mail states no code.
            let invented = wanted.split('.').nth(2).is_some_and(|detail| detail.len() == 3 && detail.starts_with('9'))
                && wanted.split('.').nth(1) == Some("0");
            if invented {
                let fits = one.is_some() && (status.is_empty() || status.get(..1) == wanted.get(..1));
                self.status_class.add(fits, || format!("{file} stated {wanted} got {status:?}"));
            } else {
                self.status.add(status == wanted, || {
                    format!("{file} stated {wanted} got {status:?}: {:?}", one.map(|one| &one.diagnostic))
                });
            }
            let reply = one.and_then(|one| one.reply.clone()).unwrap_or_default();
            self.reply.add(one.is_some() && reply == text("reply"), || {
                format!("{file} stated {:?} got {reply:?}: {:?}", text("reply"), one.map(|one| &one.diagnostic))
            });
            let reason = one.map_or("none", |one| one.reason.as_str());
            self.reason.add(reason == text("reason"), || {
                format!("{file} stated {} got {reason}: {:?}", text("reason"), one.map(|one| &one.diagnostic))
            });
            let hard = one.is_some_and(|one| one.hard);
            self.hard.add(one.is_some() && hard == stated["hard"], || {
                format!(
                    "{file} stated {} ({}) got {hard} ({reason}) {:?}: {:?}",
                    stated["hard"],
                    text("reason"),
                    one.map(|one| one.action),
                    one.map(|one| &one.diagnostic)
                )
            });
        }
    }
}
