//! Impact and urgency, from facts alone.
//!
//! A writer's "URGENT" is no fact about the world: it raises urgency by one step, alone or together with a date, and
//! never the impact.

use super::Fact;
use crate::priority::{Impact, Urgency};
use crate::ticket::Kind;

/// How wide, and why.
pub(super) fn impact(facts: &[Fact]) -> (Impact, String) {
    let has = |fact| facts.contains(&fact);
    let (impact, because) = if has(Fact::AffectedAll) {
        (Impact::High, vec![Fact::AffectedAll])
    } else if has(Fact::Outage) && has(Fact::AffectedMany) {
        (Impact::High, vec![Fact::Outage, Fact::AffectedMany])
    } else {
        let wide = [Fact::AffectedMany, Fact::Outage, Fact::Security, Fact::Vip];
        let because: Vec<Fact> = wide.into_iter().filter(|fact| has(*fact)).collect();
        (if because.is_empty() { Impact::Low } else { Impact::Medium }, because)
    };
    let because = if because.is_empty() { "nothing says that others are affected".to_owned() } else { list(&because) };
    (impact, format!("impact {}: {because}", impact.as_str()))
}

/// How soon, and why.
pub(super) fn urgency(kind: Kind, facts: &[Fact]) -> (Urgency, String) {
    let has = |fact: &Fact| facts.contains(fact);
    let base = match kind {
        Kind::Incident | Kind::Problem => Urgency::Medium,
        Kind::ServiceRequest | Kind::Question => Urgency::Low,
    };
    let stops: Vec<Fact> = [Fact::Blocked, Fact::Outage, Fact::Security].into_iter().filter(has).collect();
    let presses: Vec<Fact> = [Fact::Deadline, Fact::Pressing].into_iter().filter(has).collect();
    let (urgency, because) = if !stops.is_empty() {
        (Urgency::High, list(&stops))
    } else if has(&Fact::NoHurry) {
        (Urgency::Low, "the writer says that it can wait".to_owned())
    } else if presses.is_empty() {
        (base, format!("usual for {}", kind.as_str()))
    } else {
        (base.above(), format!("one step above what is usual for {}: {}", kind.as_str(), list(&presses)))
    };
    (urgency, format!("urgency {}: {because}", urgency.as_str()))
}

fn list(facts: &[Fact]) -> String {
    facts.iter().map(|fact| fact.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_urgent_raises_urgency_by_one_step_and_impact_by_none() {
        assert_eq!(urgency(Kind::Incident, &[Fact::Pressing]).0, Urgency::High);
        assert_eq!(urgency(Kind::ServiceRequest, &[Fact::Pressing]).0, Urgency::Medium);
        assert_eq!(urgency(Kind::Question, &[Fact::Deadline, Fact::Pressing]).0, Urgency::Medium);
        assert_eq!(impact(&[Fact::Pressing, Fact::Deadline, Fact::Blocked]).0, Impact::Low);
    }

    #[test]
    fn stopped_work_is_urgent_whatever_the_tone() {
        assert_eq!(urgency(Kind::Question, &[Fact::Blocked, Fact::NoHurry]).0, Urgency::High);
        assert_eq!(urgency(Kind::Incident, &[Fact::Pressing, Fact::NoHurry]).0, Urgency::Low);
    }

    #[test]
    fn an_outage_that_several_feel_is_as_wide_as_it_gets() {
        assert_eq!(impact(&[Fact::AffectedMany]).0, Impact::Medium);
        assert_eq!(impact(&[Fact::AffectedMany, Fact::Outage]).0, Impact::High);
        assert_eq!(impact(&[Fact::AffectedAll]).0, Impact::High);
        let (level, why) = impact(&[]);
        assert_eq!((level, why.as_str()), (Impact::Low, "impact low: nothing says that others are affected"));
    }
}
