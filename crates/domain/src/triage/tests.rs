use super::*;
use crate::language::Language;
use crate::priority::{Impact, Matrix, Priority, Urgency};

fn classified(subject: &str, text: &str, language: Language) -> Classification {
    Taxonomy::default().classify(subject, text, language)
}

fn facts_of(text: &str, language: Language) -> Vec<Fact> {
    classified("", text, language).facts
}

fn priority_of(text: &str, language: Language) -> Priority {
    let found = classified("", text, language);
    Matrix::default().priority(found.impact, found.urgency)
}

#[test]
fn a_request_is_sorted_by_what_it_speaks_of() {
    for (subject, category) in [
        ("Printer on the second floor is out of toner", "hardware"),
        ("Excel crashes when I open the budget", "software"),
        ("No wifi in the meeting room", "network"),
        ("I forgot my password", "access"),
        ("Invoice for last month", "other"),
    ] {
        assert_eq!(classified(subject, "", Language::En).category, category, "{subject}");
    }
    for (subject, category) in [
        ("L’imprimante du 2e étage n’a plus de toner", "hardware"),
        ("Excel plante à l’ouverture du budget", "software"),
        ("Plus de wifi en salle de réunion", "network"),
        ("Mot de passe oublié", "access"),
        ("Facture du mois dernier", "other"),
    ] {
        assert_eq!(classified(subject, "", Language::Fr).category, category, "{subject}");
    }
}

#[test]
fn what_no_rule_knows_goes_to_the_default_without_confidence() {
    let found = classified("Bonjour", "Zut alors.", Language::Fr);
    assert_eq!((found.category.as_str(), found.confidence), ("other", 0.0));
    assert_eq!((found.impact, found.urgency), (Impact::Low, Urgency::Medium));
    assert!(found.why.iter().any(|why| why.code == crate::reason::TRIAGE_DEFAULT));
}

#[test]
fn words_said_in_passing_are_no_evidence_and_two_matters_at_once_leave_doubt() {
    let passing = classified("Hello", "Please see the report.", Language::En);
    assert_eq!((passing.category.as_str(), passing.confidence), ("other", 0.0));
    let confidence = |subject: &str, text: &str| classified(subject, text, Language::En).confidence;
    assert!(confidence("Printer jammed", "The printer is jammed.") >= 0.5);
    assert!(confidence("Hello", "Somebody mentioned a keyboard.") < 0.5);
    let torn = classified("Printer and VPN", "", Language::En);
    assert!(torn.confidence < 0.2, "{torn:?}");
    assert!(torn.why.iter().all(|why| why.code != crate::reason::TRIAGE_DEFAULT), "much was said");
}

#[test]
fn a_request_without_a_subject_begins_with_what_it_is_about() {
    let found = classified(
        "",
        "\nVPN drops all the time.\nI was printing at home, on my printer, with a laptop.",
        Language::En,
    );
    assert_eq!(found.category, "network");
    assert!(found.why[0].detail.starts_with("vpn: \"vpn\" at the beginning: network +10"), "{found:?}");
}

#[test]
fn every_vote_is_told_with_the_words_that_caused_it() {
    let found = classified("Imprimantes en panne", "Je suis bloquée.", Language::Fr);
    let told: Vec<&str> = found.why.iter().map(|why| why.detail.as_str()).collect();
    assert_eq!(
        told,
        [
            "printer: \"imprimantes\" in the subject: hardware +8",
            "broken: \"en panne\" in the subject: incident",
            "stopped-work: \"je suis bloquee\": incident, blocked",
            "impact low: nothing says that others are affected",
            "urgency high: blocked",
        ]
    );
    assert!(found.confidence > 0.5);
}

#[test]
fn shouting_does_not_make_a_wish_critical() {
    let calm = priority_of("Could you install Visio on my computer, please.", Language::En);
    let loud = priority_of("URGENT!!! ASAP! Could you install Visio on my computer, CRITICAL EMERGENCY.", Language::En);
    assert_eq!((calm, loud), (Priority::P5, Priority::P4));
    assert_eq!(priority_of("Pas urgent : l’écran scintille.", Language::Fr), Priority::P5);
}

#[test]
fn who_is_affected_and_who_cannot_work_decide_the_priority() {
    assert_eq!(priority_of("The server is down, nobody can work.", Language::En), Priority::P1);
    assert_eq!(priority_of("Panne réseau sur tout le site.", Language::Fr), Priority::P1);
    assert_eq!(priority_of("Notre équipe n’a plus le wifi, nous sommes bloqués.", Language::Fr), Priority::P2);
    assert_eq!(priority_of("My mouse is broken.", Language::En), Priority::P4);
}

#[test]
fn the_number_of_people_is_read() {
    assert_eq!(facts_of("1 user cannot print", Language::En), []);
    assert_eq!(facts_of("3 utilisateurs ne peuvent pas imprimer", Language::Fr), [Fact::AffectedMany]);
    assert_eq!(facts_of("45 users cannot print", Language::En), [Fact::AffectedAll]);
}

#[test]
fn a_longer_phrase_silences_the_shorter_one_within_it() {
    assert_eq!(facts_of("This is not urgent.", Language::En), [Fact::NoHurry]);
    assert_eq!(classified("Mot de passe wifi", "", Language::Fr).category, "access");
}

#[test]
fn the_kind_of_request_is_guessed() {
    for (text, language, kind) in [
        ("My screen is broken.", Language::En, Kind::Incident),
        ("I would like a second screen.", Language::En, Kind::ServiceRequest),
        ("How do I share my calendar?", Language::En, Kind::Question),
        ("The recurring disconnections: we need the root cause.", Language::En, Kind::Problem),
        ("Mon écran est cassé.", Language::Fr, Kind::Incident),
        ("Pourriez-vous installer Visio sur mon poste ?", Language::Fr, Kind::ServiceRequest),
        ("Comment partager mon agenda ?", Language::Fr, Kind::Question),
    ] {
        assert_eq!(classified("", text, language).kind, kind, "{text}");
    }
}

#[test]
fn an_operator_adds_a_category_below_another_and_a_rule_for_it() {
    let taxonomy = Taxonomy::from_toml(
        r#"
        off = ["badge"]
        [[category]]
        key = "hardware.till"
        parent = "hardware"
        label = { en = "Tills", fr = "Caisses" }
        [[rule]]
        name = "till"
        votes = { "hardware.till" = 4 }
        phrases = { any = ["pos"], fr = ["caisse*"] }
        "#,
    )
    .unwrap();
    let found = taxonomy.classify("Caisses n°3 et 4 : clavier", "", Language::Fr);
    assert_eq!(found.category, "hardware.till");
    assert_eq!(taxonomy.classify("Clavier", "", Language::Fr).category, "hardware");
    assert_eq!(taxonomy.label("hardware.till", Language::Fr), "Caisses");
    assert_eq!(taxonomy.label("hardware.till", Language::De), "Tills");
    assert_eq!(taxonomy.label("gone", Language::Fr), "gone");
    assert!(taxonomy.classify("Badge", "", Language::Fr).confidence <= 0.0);
}

#[test]
fn a_mistake_in_a_rule_is_named_with_its_remedy() {
    let told = |text: &str| Taxonomy::from_toml(text).unwrap_err().to_string();
    let rule = |rest: &str| told(&format!("[[rule]]\nname = \"till\"\n{rest}"));
    for (error, words) in [
        (rule("votes = { hardwear = 4 }"), "rule \"till\": \"hardwear\" is no category; there are hardware, software"),
        (rule("votes = { hardware = 1e9 }"), "must lie between -100 and 100"),
        (rule(""), "it says nothing"),
        (rule("facts = [\"vip\"]\npattern = [\"(\"]"), "pattern \"(\" cannot be used"),
        (rule("facts = [\"vip\"]\npattern = ['(\\w{1,500}){1,500}']"), "cannot be used"),
        (rule("facts = [\"vip\"]\nphrases = { xx = [\"a\"] }"), "\"xx\" is no language"),
        (rule("facts = [\"vip\"]\nphrases = { any = [\"!\"] }"), "\"!\" is no phrase"),
        (rule("fact = [\"vip\"]"), "unknown field `fact`"),
        (told("off = [\"no-such\"]"), "off = \"no-such\": there is no built-in rule"),
        (told("default = \"none\""), "default: \"none\" is no category"),
        (told("[[category]]\nkey = \"A\""), "category \"A\": a key has"),
        (told("[[category]]\nkey = \"a\"\nparent = \"b\""), "its parent \"b\" is no category"),
        (told("[[category]]\nkey = \"a\"\nparent = \"a\""), "among its own parents"),
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn hostile_text_costs_no_more_than_its_beginning() {
    let taxonomy = Taxonomy::default();
    for text in ["pc ".repeat(1_000_000), "?".repeat(3_000_000), "\u{301}".repeat(1_000_000), "9".repeat(1_000_000)] {
        let found = taxonomy.classify(&text, &text, Language::Other);
        assert!(found.why.len() < 30);
    }
}

#[derive(serde::Deserialize)]
struct Seed {
    language: Language,
    subject: String,
    text: String,
    category: String,
}

/// Tickets written for this test, one a line. The rules were tuned on those with even numbers; the others say how good
/// they are.
fn seeds() -> Vec<Seed> {
    include_str!("seed.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn percent(part: usize, whole: usize) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap());
    100.0 * count(part) / count(whole.max(1))
}

/// Right ones in a hundred, and the wrong ones in words.
fn score(seeds: &[&Seed]) -> (f64, Vec<String>) {
    let taxonomy = Taxonomy::default();
    let mut wrong = Vec::new();
    for seed in seeds {
        let found = taxonomy.classify(&seed.subject, &seed.text, seed.language);
        if found.category != seed.category {
            wrong.push(format!("{} not {}: {} | {}", found.category, seed.category, seed.subject, seed.text));
        }
    }
    (percent(seeds.len() - wrong.len(), seeds.len()), wrong)
}

#[test]
fn tickets_the_rules_were_not_tuned_on_are_sorted_rightly_six_times_in_seven() {
    let seeds = seeds();
    for language in [Language::Fr, Language::En] {
        for (half, name) in [(0, "tuned on"), (1, "not tuned on")] {
            let chosen: Vec<&Seed> =
                seeds.iter().enumerate().filter(|(at, _)| at % 2 == half).map(|(_, s)| s).collect();
            let chosen: Vec<&Seed> = chosen.into_iter().filter(|seed| seed.language == language).collect();
            let (right, wrong) = score(&chosen);
            println!("{language}, {name}: {right:.1} % of {}", chosen.len());
            assert!(right >= 85.0, "{language}, {name}: {right:.1} %, {wrong:#?}");
        }
    }
}

/// A corpus of real tickets is sorted by the teams of one company, not by the nature of the matter: these are the nearest
/// of our categories. Its "Hardware" holds forgotten passwords, and nothing in it is called network.
fn ours_for(theirs: &str) -> Option<&'static str> {
    Some(match theirs {
        "Hardware" => "hardware",
        "Access" => "access",
        "Administrative rights" => "software",
        "HR Support" | "Purchase" | "Internal Project" | "Miscellaneous" => "other",
        _ => return None,
    })
}

/// How well rules do: tickets, those sorted rightly, those the rules were sure of, and how many of these rightly.
#[derive(Default, Clone, Copy)]
struct Tally {
    all: usize,
    right: usize,
    sure: usize,
    surely_right: usize,
}

impl Tally {
    fn add(&mut self, is_right: bool, is_sure: bool) {
        self.all += 1;
        self.right += usize::from(is_right);
        self.sure += usize::from(is_sure);
        self.surely_right += usize::from(is_sure && is_right);
    }

    fn told(&self, name: &str) -> String {
        format!(
            "{name}: {} tickets, {:.1} % right; sure of {:.1} %, of these {:.1} % right",
            self.all,
            percent(self.right, self.all),
            percent(self.sure, self.all),
            percent(self.surely_right, self.sure)
        )
    }
}

#[test]
fn real_tickets_are_scored_where_the_corpus_is_at_hand() {
    let shared = std::env::var("GUICHET_SHARED").unwrap_or_else(|_| "../../../shared".to_owned());
    let path = std::path::Path::new(&shared).join("corpus/triage/it-service.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no corpus of real tickets; set GUICHET_SHARED to its folder");
        return;
    };
    let taxonomy = Taxonomy::default();
    // The even lines may be read by whoever mends the rules; the odd ones never were.
    let mut halves = [Tally::default(); 2];
    for (at, line) in text.lines().skip(1).enumerate() {
        let Some((document, theirs)) = line.rsplit_once(',') else { continue };
        let Some(ours) = ours_for(theirs.trim()) else { continue };
        let found = taxonomy.classify("", document, Language::En);
        if let Some(half) = halves.get_mut(at % 2) {
            half.add(found.category == ours, found.confidence >= 0.5);
        }
    }
    for (half, name) in halves.iter().zip(["the half that was read", "the half that was not"]) {
        println!("{}", half.told(name));
    }
    let [read, unread] = halves;
    // Five categories by chance are right once in five: the rules must know more than that of tickets they never saw.
    assert!(unread.all > 10_000 && percent(unread.right, unread.all) > 44.0);
    // Where the rules are sure they are right more often than where they are not.
    let surely = percent(unread.surely_right, unread.sure);
    assert!(surely > percent(unread.right, unread.all) + 8.0 && percent(unread.sure, unread.all) > 15.0);
    let apart = percent(read.right, read.all) - percent(unread.right, unread.all);
    assert!(apart < 3.0, "the rules know the half that was read by heart: {apart:.1} points better");
}
