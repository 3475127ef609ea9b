//! Instants as agents read them: short, in the desk's zone, with the whole in the tooltip.

use guichet_domain::Moment;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::words::Tongue;

const MONTHS: [(&str, &str); 12] = [
    ("Jan", "janv."),
    ("Feb", "févr."),
    ("Mar", "mars"),
    ("Apr", "avr."),
    ("May", "mai"),
    ("Jun", "juin"),
    ("Jul", "juil."),
    ("Aug", "août"),
    ("Sep", "sept."),
    ("Oct", "oct."),
    ("Nov", "nov."),
    ("Dec", "déc."),
];

/// Tells instants: in one language, one zone, at one now.
#[derive(Debug, Clone)]
pub struct Times {
    /// The language.
    pub tongue: Tongue,
    /// The desk's zone.
    pub zone: TimeZone,
    /// Now.
    pub now: Moment,
}

impl Times {
    /// `14:32` today, else `22 Nov 14:32`, with the year when it is another.
    pub fn short(&self, at: Moment) -> String {
        let (then, now) =
            (at.timestamp().to_zoned(self.zone.clone()), self.now.timestamp().to_zoned(self.zone.clone()));
        let clock = format!("{:02}:{:02}", then.hour(), then.minute());
        if then.date() == now.date() {
            return clock;
        }
        let month = MONTHS.get(usize::try_from(then.month() - 1).unwrap_or(0)).copied().unwrap_or_default();
        let month = if self.tongue == Tongue::Fr { month.1 } else { month.0 };
        let year = if then.year() == now.year() { String::new() } else { format!(" {}", then.year()) };
        format!("{} {month}{year} {clock}", then.day())
    }

    /// `22 Nov 2026 14:32 Europe/Paris`.
    pub fn whole(&self, at: Moment) -> String {
        let then = at.timestamp().to_zoned(self.zone.clone());
        let month = MONTHS.get(usize::try_from(then.month() - 1).unwrap_or(0)).copied().unwrap_or_default();
        let month = if self.tongue == Tongue::Fr { month.1 } else { month.0 };
        let (clock, zone) =
            (format!("{:02}:{:02}", then.hour(), then.minute()), self.zone.iana_name().unwrap_or("UTC"));
        format!("{} {month} {} {clock} {zone}", then.day(), then.year())
    }

    /// `in 2 h 05`, `3 d ago`.
    pub fn relative(&self, at: Moment) -> String {
        let ahead = at > self.now;
        let span = if ahead { at.since(self.now) } else { self.now.since(at) };
        let minutes = span.as_secs() / 60;
        let days = if self.tongue == Tongue::Fr { "j" } else { "d" };
        let words = match minutes {
            0 => return if self.tongue == Tongue::Fr { "à l’instant" } else { "now" }.to_owned(),
            1..60 => format!("{minutes} min"),
            60..1440 => format!("{} h {:02}", minutes / 60, minutes % 60),
            _ => format!("{} {days}", minutes / 1440),
        };
        match (self.tongue, ahead) {
            (Tongue::En, true) => format!("in {words}"),
            (Tongue::En, false) => format!("{words} ago"),
            (Tongue::Fr, true) => format!("dans {words}"),
            (Tongue::Fr, false) => format!("il y a {words}"),
        }
    }

    /// The short form as an element, with the whole in its tooltip.
    pub fn show(&self, at: Moment) -> Markup {
        html! { time datetime=(at.to_string()) title=(self.whole(at)) { (self.short(at)) } }
    }

    /// The short form and how far it is.
    pub fn both(&self, at: Moment) -> Markup {
        html! { (self.show(at)) " " span.faint { (self.relative(at)) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_short_in_both_languages() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let now = Moment::from_secs(1_795_340_000);
        let (en, fr) = (Times { tongue: Tongue::En, zone: zone.clone(), now }, Times { tongue: Tongue::Fr, zone, now });
        let later = Moment::from_secs(1_795_340_000 + 7500);
        assert_eq!((en.relative(later).as_str(), fr.relative(later).as_str()), ("in 2 h 05", "dans 2 h 05"));
        let before = Moment::from_secs(1_795_340_000 - 3 * 86_400);
        assert_eq!((en.relative(before).as_str(), fr.relative(before).as_str()), ("3 d ago", "il y a 3 j"));
        assert_eq!(fr.short(before), "19 nov. 10:33");
        assert_eq!(en.whole(now), "22 Nov 2026 10:33 Europe/Paris");
    }
}
