//! The words of every notice, from templates.
//!
//! To add a notice: its kind in `guichet_domain::outgoing::NoticeKind`, a file `config/templates/KIND.LANGUAGE.txt` for
//! each complete language, and its line in [`EMBEDDED`]. To add a language: one file a notice, and its names of days and
//! months in `when.rs`.
//!
//! A template is a `Subject:` line, an empty line and the text, in Jinja syntax. The operator overrides one by a file
//! of the same name in the folder `[texts] folder` names; every one is rendered with sample facts at start, so that a
//! broken template is found by `guichet check` and not by a requester. The HTML part is made from the text, so the two
//! never differ.

mod html;
mod when;

use std::path::{Path, PathBuf};

use guichet_domain::language::Language;
use guichet_domain::outgoing::{Facts, NoticeKind};
use guichet_domain::triage::Taxonomy;
use minijinja::{Environment, UndefinedBehavior, context};

/// The built-in templates by name.
const EMBEDDED: &[(&str, &str)] = &[
    ("acknowledgement.en", include_str!("../../config/templates/acknowledgement.en.txt")),
    ("acknowledgement.fr", include_str!("../../config/templates/acknowledgement.fr.txt")),
    ("reply.en", include_str!("../../config/templates/reply.en.txt")),
    ("reply.fr", include_str!("../../config/templates/reply.fr.txt")),
    ("closure.en", include_str!("../../config/templates/closure.en.txt")),
    ("closure.fr", include_str!("../../config/templates/closure.fr.txt")),
    ("delay.en", include_str!("../../config/templates/delay.en.txt")),
    ("delay.fr", include_str!("../../config/templates/delay.fr.txt")),
    ("unread.en", include_str!("../../config/templates/unread.en.txt")),
    ("unread.fr", include_str!("../../config/templates/unread.fr.txt")),
    ("transcript.en", include_str!("../../config/templates/transcript.en.txt")),
    ("transcript.fr", include_str!("../../config/templates/transcript.fr.txt")),
    ("link.en", include_str!("../../config/templates/link.en.txt")),
    ("link.fr", include_str!("../../config/templates/link.fr.txt")),
];

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// Plain text, ends with one line feed.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// The folder cannot be read.
    #[error("[texts] folder = \"{}\": {source}; name a folder that exists and can be read, or leave the key out", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file in it is no template of ours.
    #[error("{}: no notice has this name; use one of {names}", file.display())]
    Name {
        /// The file.
        file: PathBuf,
        /// The names there are.
        names: String,
    },
    /// A template is broken.
    #[error("{origin}: {what}; mend the template, or remove it to use the built-in one")]
    Template {
        /// Where it stands.
        origin: String,
        /// What is wrong and where.
        what: String,
    },
}

/// All templates, compiled. Cheap to share, safe to use from many tasks.
#[derive(Debug)]
pub struct Texts {
    environment: Environment<'static>,
    desk: String,
    fallback: Language,
    public_url: Option<String>,
}

impl Texts {
    /// Compiles the built-in templates and those of `folder`, and renders each once. `desk` signs the notices,
    /// `fallback` is the language of people whose own we have no words in, `public_url` is where status pages are.
    pub fn load(
        folder: Option<&Path>,
        desk: &str,
        fallback: Language,
        public_url: Option<&str>,
    ) -> Result<Self, TextsError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(50_000));
        for (name, source) in EMBEDDED {
            add(&mut environment, name, (*source).to_owned(), format!("built-in template {name}"))?;
        }
        if let Some(folder) = folder {
            for (name, source, file) in overrides(folder)? {
                add(&mut environment, &name, source, file.display().to_string())?;
            }
        }
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        let texts = Self { environment, desk: desk.to_owned(), fallback: served(fallback), public_url };
        texts.try_all(folder)?;
        Ok(texts)
    }

    /// The words for `facts` in `language`, or in the fallback where we have none in it, as plain text and HTML.
    pub fn render(
        &self,
        kind: NoticeKind,
        language: Language,
        facts: &Facts,
        taxonomy: &Taxonomy,
    ) -> Result<Rendered, TextsError> {
        let (subject, text) = self.plain(kind, language, facts, taxonomy)?;
        let html = html::from_text(&text, self.spoken(language));
        Ok(Rendered { subject, text, html })
    }

    /// An instant as people of this language read it, in the IANA zone named, UTC where it is not known.
    pub fn instant(&self, at: guichet_domain::Moment, zone: &str, language: Language) -> String {
        when::say(at, Some(zone), self.spoken(language))
    }

    /// Where people reach the pages, without a slash at its end.
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// The desk's name: who writes where no person's name is shown.
    pub fn desk(&self) -> &str {
        &self.desk
    }

    /// The subject and the plain text that [`Texts::render`] gives.
    pub fn plain(
        &self,
        kind: NoticeKind,
        language: Language,
        facts: &Facts,
        taxonomy: &Taxonomy,
    ) -> Result<(String, String), TextsError> {
        let language = self.spoken(language);
        let name = format!("{}.{}", kind.as_str(), language.as_str());
        let category = facts.category.as_deref().map(|key| taxonomy.label(key, language));
        let promised = facts.promised_at.map(|at| when::say(at, facts.zone.as_deref(), language));
        let status_link =
            self.public_url.as_ref().zip(facts.status_token.as_ref()).map(|(url, token)| format!("{url}/t/{token}"));
        let context = context! {
            reference => &facts.reference,
            subject => &facts.subject,
            category => category,
            promised => promised,
            status_link => status_link,
            words => &facts.words,
            agent => &facts.agent,
            name => &facts.name,
            window_days => facts.window_days,
            by_requester => facts.by_requester,
            in_place => facts.in_place,
            whole => facts.whole,
            desk => &self.desk,
        };
        let broken = |what: String| TextsError::Template { origin: name.clone(), what };
        let template = self.environment.get_template(&name).map_err(|error| broken(error.to_string()))?;
        let whole = template.render(context).map_err(|error| broken(format!("{error:#}")))?;
        split(&whole).ok_or_else(|| broken("it must begin with \"Subject: \" and an empty line".into()))
    }

    /// The language a notice is written in for people of this one.
    fn spoken(&self, language: Language) -> Language {
        if is_served(language) { language } else { self.fallback }
    }

    /// Renders every template with full and with bare facts.
    fn try_all(&self, folder: Option<&Path>) -> Result<(), TextsError> {
        let taxonomy = Taxonomy::default();
        for (name, _) in EMBEDDED {
            let Some((kind, language)) = name.split_once('.') else { continue };
            let (Some(kind), Some(language)) = (NoticeKind::parse(kind), Language::parse(language)) else { continue };
            let in_place = |facts: Facts| [facts.clone(), Facts { in_place: true, ..facts }];
            for facts in samples().into_iter().flat_map(in_place) {
                self.render(kind, language, &facts, &taxonomy).map_err(|error| match (error, folder) {
                    (TextsError::Template { origin, what }, Some(folder)) => TextsError::Template {
                        origin: folder.join(format!("{origin}.txt")).display().to_string(),
                        what,
                    },
                    (error, _) => error,
                })?;
            }
        }
        Ok(())
    }
}

/// Facts of a notice that says all there is to say, and of one that may say nothing.
fn samples() -> [Facts; 2] {
    let full = Facts {
        reference: "GT-482-109-3753".into(),
        subject: Some("Printer <3rd floor>".into()),
        category: Some("hardware".into()),
        promised_at: Some(guichet_domain::Moment::from_secs(1_795_340_045)),
        zone: Some("Europe/Paris".into()),
        words: Some("We replaced the toner.".into()),
        agent: Some("Ada".into()),
        name: Some("Jean".into()),
        status_token: Some("x".into()),
        window_days: Some(7),
        by_requester: true,
        in_place: false,
        whole: true,
        event: None,
    };
    let bare = Facts { reference: full.reference.clone(), words: full.words.clone(), ..Facts::default() };
    [full, bare]
}

fn is_served(language: Language) -> bool {
    matches!(language, Language::En | Language::Fr)
}

fn served(language: Language) -> Language {
    if is_served(language) { language } else { Language::En }
}

fn add(environment: &mut Environment<'static>, name: &str, source: String, origin: String) -> Result<(), TextsError> {
    environment
        .add_template_owned(name.to_owned(), source)
        .map_err(|error| TextsError::Template { origin, what: format!("{error:#}") })
}

/// The operator's templates: (name, source, file).
fn overrides(folder: &Path) -> Result<Vec<(String, String, PathBuf)>, TextsError> {
    let failed = |source| TextsError::Folder { folder: folder.to_owned(), source };
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).map_err(failed)? {
        let file = file.map_err(failed)?.path();
        let Some(name) = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".txt"))
        else {
            continue;
        };
        if !EMBEDDED.iter().any(|(known, _)| *known == name) {
            let names = EMBEDDED.iter().map(|(name, _)| format!("{name}.txt")).collect::<Vec<_>>().join(", ");
            return Err(TextsError::Name { file, names });
        }
        let source = std::fs::read_to_string(&file).map_err(failed)?;
        found.push((name.to_owned(), source, file));
    }
    Ok(found)
}

/// Takes the subject line off; control characters become spaces, runs of empty lines one empty line.
fn split(whole: &str) -> Option<(String, String)> {
    let (first, rest) = whole.split_once('\n')?;
    let subject = first.strip_prefix("Subject:")?.trim();
    let subject = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(250).collect();
    let mut text = String::with_capacity(rest.len());
    let mut empty = 1;
    for line in rest.trim().lines() {
        let line = if line == "-- " { line } else { line.trim_end() };
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            text.push_str(line);
            text.push('\n');
        }
    }
    Some((subject, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Texts {
        Texts::load(None, "Service informatique", Language::En, Some("https://help.test/")).unwrap()
    }

    fn say(kind: NoticeKind, language: Language, facts: &Facts) -> Rendered {
        texts().render(kind, language, facts, &Taxonomy::default()).unwrap()
    }

    #[test]
    fn an_acknowledgement_says_number_understanding_promise_and_link_in_french() {
        let [facts, _] = samples();
        let ack = say(NoticeKind::Acknowledgement, Language::Fr, &facts);
        assert_eq!(ack.subject, "[GT-482-109-3753] Printer <3rd floor>");
        assert_eq!(
            ack.text,
            "Bonjour Jean,\n\nNous avons bien reçu votre demande « Printer <3rd floor> ». Son numéro est GT-482-109-3753.\n\n\
             Nous l’avons classée dans : Matériel.\n\nVous aurez une réponse de notre part au plus tard le dimanche 22 \
             novembre 2026 à 10:35 (Europe/Paris).\n\nPour ajouter quelque chose, répondez simplement à ce message en \
             laissant son objet tel quel.\n\nVous pouvez suivre votre demande ici : https://help.test/t/x\n\nService \
             informatique\n"
        );
        assert!(ack.html.contains("&lt;3rd floor&gt;"), "the subject is text, not markup: {}", ack.html);
    }

    #[test]
    fn a_neutral_acknowledgement_carries_only_our_own_words() {
        let [_, facts] = samples();
        let ack = say(NoticeKind::Acknowledgement, Language::En, &Facts { words: None, agent: None, ..facts });
        assert_eq!(ack.subject, "[GT-482-109-3753] We have received your request");
        assert_eq!(
            ack.text,
            "Hello,\n\nWe have received your request. Its number is GT-482-109-3753.\n\nTo add something, just answer \
             this message and leave the subject as it is.\n\nService informatique\n"
        );
    }

    #[test]
    fn people_of_other_languages_get_the_fallback() {
        let [facts, _] = samples();
        assert_eq!(
            say(NoticeKind::Closure, Language::De, &facts).text,
            say(NoticeKind::Closure, Language::En, &facts).text
        );
    }

    #[test]
    fn a_subject_never_holds_a_line_break() {
        let facts = Facts { subject: Some("a\r\nBcc: x@y.test".into()), ..samples()[0].clone() };
        let subject = say(NoticeKind::Acknowledgement, Language::En, &facts).subject;
        assert!(!subject.contains(['\r', '\n']), "{subject:?}");
    }

    #[test]
    fn a_broken_template_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("closure.fr.txt"), "Subject: x\n\n{{ refrence }}\n").unwrap();
        let error = Texts::load(Some(folder.path()), "Desk", Language::En, None).unwrap_err().to_string();
        assert!(error.contains("closure.fr.txt"), "{error}");
        assert!(error.contains("remove it to use the built-in one"), "{error}");
        std::fs::write(folder.path().join("closure.fr.txt"), "Subject: x\n\n{% if %}\n").unwrap();
        let error = Texts::load(Some(folder.path()), "Desk", Language::En, None).unwrap_err().to_string();
        assert!(error.contains("closure.fr.txt") && error.contains(":3"), "{error}");
    }

    #[test]
    fn a_template_for_no_notice_is_refused_with_the_names_there_are() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("acknowledgment.en.txt"), "Subject: x\n\ny\n").unwrap();
        let error = Texts::load(Some(folder.path()), "Desk", Language::En, None).unwrap_err().to_string();
        assert!(error.contains("acknowledgment.en.txt: no notice has this name"), "{error}");
        assert!(error.contains("acknowledgement.en.txt"), "{error}");
    }

    #[test]
    fn where_people_answer_in_place_nothing_is_said_of_mails_and_subjects() {
        let texts = Texts::load(None, "Desk", Language::En, None).unwrap();
        let says = |kind, language, in_place| {
            let facts = Facts { in_place, ..samples()[1].clone() };
            texts.render(kind, language, &facts, &Taxonomy::default()).unwrap().text
        };
        let ack = NoticeKind::Acknowledgement;
        assert!(says(ack, Language::En, true).contains("just write it here"));
        assert!(says(ack, Language::En, false).contains("leave the subject as it is"));
        for kind in [ack, NoticeKind::Closure] {
            assert!(!says(kind, Language::En, true).contains("this message"));
            assert!(!says(kind, Language::Fr, true).contains("ce message"));
        }
    }

    #[test]
    fn an_operators_own_words_replace_ours() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("closure.en.txt"), "Subject: Done {{ reference }}\n\nBye.\n").unwrap();
        let texts = Texts::load(Some(folder.path()), "Desk", Language::En, None).unwrap();
        let closure = texts.render(NoticeKind::Closure, Language::En, &samples()[0], &Taxonomy::default()).unwrap();
        assert_eq!((closure.subject.as_str(), closure.text.as_str()), ("Done GT-482-109-3753", "Bye.\n"));
    }
}
