//! Impact, urgency, and the priority computed from them.
//!
//! Priority is never typed in and never read out of a text: it is a cell of a matrix, so that everybody can see why a
//! ticket is where it is. Agents change impact or urgency instead.

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// How wide the effect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// One person.
    #[default]
    Low,
    /// Several people or one team.
    Medium,
    /// A site, the whole organisation, or a service that all depend on.
    High,
}

/// How soon it must be solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Work goes on.
    Low,
    /// Work goes on with difficulty, or nothing is said of it.
    #[default]
    Medium,
    /// Work has stopped, a deadline is near, or harm is being done.
    High,
}

/// The order of work, P1 before all. Sorts so that the most pressing comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// Critical.
    P1,
    /// High.
    P2,
    /// Moderate.
    P3,
    /// Low.
    P4,
    /// Planned.
    P5,
}

macro_rules! level {
    ($name:ident, $what:literal) => {
        impl $name {
            #[doc = concat!("All levels of ", $what, ", lowest first.")]
            pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Low => "low",
                    Self::Medium => "medium",
                    Self::High => "high",
                }
            }

            /// The level with this stable word, in any case.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(word))
            }

            /// The next level up; the highest stays.
            #[must_use]
            pub const fn above(self) -> Self {
                match self {
                    Self::Low => Self::Medium,
                    Self::Medium | Self::High => Self::High,
                }
            }

            /// The next level down; the lowest stays.
            #[must_use]
            pub const fn below(self) -> Self {
                match self {
                    Self::High => Self::Medium,
                    Self::Medium | Self::Low => Self::Low,
                }
            }
        }
    };
}

level!(Impact, "impact");
level!(Urgency, "urgency");

impl Impact {
    /// For people, in their language.
    pub const fn label(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Fr, Self::Low) => "une personne",
            (Language::Fr, Self::Medium) => "plusieurs personnes",
            (Language::Fr, Self::High) => "toute l’organisation",
            (_, Self::Low) => "one person",
            (_, Self::Medium) => "several people",
            (_, Self::High) => "the whole organisation",
        }
    }
}

impl Urgency {
    /// For people, in their language.
    pub const fn label(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Fr, Self::Low) => "basse",
            (Language::Fr, Self::Medium) => "moyenne",
            (Language::Fr, Self::High) => "haute",
            (_, Self::Low) => "low",
            (_, Self::Medium) => "medium",
            (_, Self::High) => "high",
        }
    }
}

impl Priority {
    /// All priorities, the most pressing first.
    pub const ALL: [Self; 5] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
            Self::P5 => "P5",
        }
    }

    /// The priority with this stable word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str().eq_ignore_ascii_case(word))
    }

    /// For people, in their language.
    pub const fn label(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Fr, Self::P1) => "critique",
            (Language::Fr, Self::P2) => "haute",
            (Language::Fr, Self::P3) => "moyenne",
            (Language::Fr, Self::P4) => "basse",
            (Language::Fr, Self::P5) => "planifiée",
            (_, Self::P1) => "critical",
            (_, Self::P2) => "high",
            (_, Self::P3) => "moderate",
            (_, Self::P4) => "low",
            (_, Self::P5) => "planned",
        }
    }
}

/// The priority of each pair: one row an impact, each with three cells for urgency low, medium and high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matrix {
    /// Impact low.
    pub low: [Priority; 3],
    /// Impact medium.
    pub medium: [Priority; 3],
    /// Impact high.
    pub high: [Priority; 3],
}

impl Default for Matrix {
    fn default() -> Self {
        use Priority::{P1, P2, P3, P4, P5};
        Self { low: [P5, P4, P3], medium: [P4, P3, P2], high: [P3, P2, P1] }
    }
}

impl Matrix {
    /// The cell.
    pub const fn priority(&self, impact: Impact, urgency: Urgency) -> Priority {
        let row = match impact {
            Impact::Low => &self.low,
            Impact::Medium => &self.medium,
            Impact::High => &self.high,
        };
        let [low, medium, high] = *row;
        match urgency {
            Urgency::Low => low,
            Urgency::Medium => medium,
            Urgency::High => high,
        }
    }

    /// Cells where more impact or more urgency gives a less pressing priority: surely a slip of the pen. Empty for a
    /// sound matrix.
    pub fn inversions(&self) -> Vec<(Impact, Urgency)> {
        let cells = Impact::ALL.into_iter().flat_map(|impact| Urgency::ALL.map(|urgency| (impact, urgency)));
        cells
            .filter(|(impact, urgency)| {
                let here = self.priority(*impact, *urgency);
                here > self.priority(impact.below(), *urgency) || here > self.priority(*impact, urgency.below())
            })
            .collect()
    }
}

/// Minutes of opening time within which a first answer is promised, one a priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "UPPERCASE")]
pub struct Targets {
    /// For P1.
    pub p1: u32,
    /// For P2.
    pub p2: u32,
    /// For P3.
    pub p3: u32,
    /// For P4.
    pub p4: u32,
    /// For P5.
    pub p5: u32,
}

impl Default for Targets {
    fn default() -> Self {
        Self { p1: 60, p2: 120, p3: 240, p4: 480, p5: 960 }
    }
}

impl Targets {
    /// Minutes of opening time for this priority.
    pub const fn minutes(&self, priority: Priority) -> u32 {
        match priority {
            Priority::P1 => self.p1,
            Priority::P2 => self.p2,
            Priority::P3 => self.p3,
            Priority::P4 => self.p4,
            Priority::P5 => self.p5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_organisation_is_p1_and_a_wish_of_one_person_p5() {
        let matrix = Matrix::default();
        assert_eq!(matrix.priority(Impact::High, Urgency::High), Priority::P1);
        assert_eq!(matrix.priority(Impact::Low, Urgency::High), Priority::P3);
        assert_eq!(matrix.priority(Impact::Medium, Urgency::Medium), Priority::P3);
        assert_eq!(matrix.priority(Impact::Low, Urgency::Low), Priority::P5);
        assert_eq!(matrix.inversions(), []);
    }

    #[test]
    fn an_operator_may_write_another_matrix_and_hears_of_a_slip() {
        let matrix: Matrix = serde_json::from_str(r#"{"high": ["P1", "P1", "P1"]}"#).unwrap();
        assert_eq!(matrix.priority(Impact::High, Urgency::Low), Priority::P1);
        assert_eq!(matrix.priority(Impact::Low, Urgency::Low), Priority::P5);
        let slip: Matrix = serde_json::from_str(r#"{"low": ["P3", "P4", "P5"]}"#).unwrap();
        assert_eq!(
            slip.inversions(),
            [(Impact::Low, Urgency::Medium), (Impact::Low, Urgency::High), (Impact::Medium, Urgency::Low)]
        );
        assert!(serde_json::from_str::<Matrix>(r#"{"low": ["P3", "P4"]}"#).is_err());
    }

    #[test]
    fn a_first_answer_is_promised_sooner_the_more_it_presses() {
        let targets = Targets::default();
        assert_eq!(Priority::ALL.map(|priority| targets.minutes(priority)), [60, 120, 240, 480, 960]);
        let own: Targets = serde_json::from_str(r#"{"P1": 15}"#).unwrap();
        assert_eq!((own.minutes(Priority::P1), own.minutes(Priority::P2)), (15, 120));
    }

    #[test]
    fn every_word_reads_itself_back_and_the_ends_stay() {
        for priority in Priority::ALL {
            assert_eq!(Priority::parse(&priority.as_str().to_lowercase()), Some(priority));
        }
        for level in Impact::ALL {
            assert_eq!(Impact::parse(level.as_str()), Some(level));
        }
        assert_eq!(Urgency::parse("very"), None);
        assert_eq!((Urgency::High.above(), Urgency::Low.below()), (Urgency::High, Urgency::Low));
        assert_eq!(Impact::High.label(Language::Fr), "toute l’organisation");
    }
}
