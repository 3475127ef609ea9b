//! The pages. Everything shown goes through maud's escaping; no script and no style stands in a page.

use maud::{DOCTYPE, Markup, html};

use crate::fields::{MESSAGE, NAME, SUBJECT, Values, Wrong};
use crate::settings::{FieldKeys, FieldKind, FormKeys, Keys};
use crate::staging::Staged;
use crate::words::{Lang, Word, say};

/// What every page of a source has around it.
pub(crate) struct Site<'a> {
    /// `/in/NAME`.
    pub(crate) base: &'a str,
    pub(crate) keys: &'a Keys,
    pub(crate) lang: Lang,
}

/// A form as it is drawn.
pub(crate) struct Drawing<'a> {
    pub(crate) form: &'a FormKeys,
    pub(crate) values: &'a Values,
    pub(crate) wrongs: &'a [Wrong],
    pub(crate) kept: &'a [Staged],
    pub(crate) token: &'a str,
    /// Whether a puzzle must be solved: its id.
    pub(crate) puzzle: Option<&'a str>,
}

/// What the page after says.
pub(crate) struct Told<'a> {
    pub(crate) reference: Option<&'a str>,
    pub(crate) masked: &'a str,
    /// The promised time as people read it, and for programs.
    pub(crate) promise: Option<(String, String)>,
}

impl Site<'_> {
    fn say(&self, word: Word) -> &'static str {
        say(self.lang, word)
    }

    fn layout(&self, title: &str, path: &str, script: bool, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.lang.as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (title) }
                    link rel="stylesheet" href={ (self.base) "/form.css" };
                    @if script { script src={ (self.base) "/form.js" } defer {} }
                }
                body {
                    main { (body) }
                    footer {
                        nav aria-label=(self.say(Word::Languages)) {
                            @for lang in Lang::ALL {
                                @if lang == self.lang { span aria-current="true" { (lang.own_name()) } }
                                @else { a href={ (self.base) (path) "?lang=" (lang.as_str()) } lang=(lang.as_str()) hreflang=(lang.as_str()) { (lang.own_name()) } }
                            }
                        }
                        @if let Some(url) = &self.keys.privacy_url { a href=(url) { (self.say(Word::Privacy)) } }
                    }
                }
            }
        }
    }

    /// The forms to choose from.
    pub(crate) fn choice(&self) -> Markup {
        let title = self.say(Word::ChooseTitle);
        let body = html! {
            h1 { (title) }
            p.intro { (self.say(Word::ChooseIntro)) }
            ul.choice {
                @for form in &self.keys.forms {
                    li {
                        a href={ (self.base) "/" (form.key) "?lang=" (self.lang.as_str()) } {
                            strong { (form.title.get(self.lang)) }
                            @if let Some(intro) = &form.intro { span { (intro.get(self.lang)) } }
                        }
                    }
                }
            }
        };
        self.layout(title, "", false, &body)
    }

    /// A form to fill in, or to mend.
    pub(crate) fn form(&self, drawing: &Drawing<'_>) -> Markup {
        let form = drawing.form;
        let title = form.title.get(self.lang);
        let error = if drawing.wrongs.is_empty() { "" } else { self.say(Word::ErrorTitle) };
        let action = format!("{}/{}?lang={}", self.base, form.key, self.lang.as_str());
        let body = html! {
            h1 { (title) }
            @if let Some(intro) = &form.intro { p.intro { (intro.get(self.lang)) } }
            @if !drawing.wrongs.is_empty() { (self.summary(drawing.wrongs)) }
            form method="post" action=(action) enctype="multipart/form-data" data-puzzle=[drawing.puzzle] novalidate {
                input type="hidden" name="token" value=(drawing.token);
                input type="hidden" name="work" value="";
                (self.line("email", Word::Email, Some(Word::EmailHint), drawing, ("email", "email", crate::fields::ADDRESS)))
                (self.line("name", Word::Name, None, drawing, ("text", "name", NAME)))
                (self.line("subject", Word::Subject, Some(Word::SubjectHint), drawing, ("text", "off", SUBJECT)))
                @for field in &form.fields { (self.own_field(field, drawing)) }
                (self.message(drawing))
                @if form.attachments && self.keys.files > 0 { (self.files(drawing)) }
                div.trap aria-hidden="true" {
                    label for="website" { (self.say(Word::Trap)) }
                    input id="website" type="text" name="website" tabindex="-1" autocomplete="off";
                }
                button type="submit" { (self.say(Word::Send)) }
            }
        };
        self.layout(&format!("{error}{title}"), &format!("/{}", form.key), drawing.puzzle.is_some(), &body)
    }

    fn summary(&self, wrongs: &[Wrong]) -> Markup {
        html! {
            div.summary role="alert" tabindex="-1" autofocus {
                h2 { (self.say(Word::Problem)) }
                ul {
                    @for wrong in wrongs {
                        li {
                            @match &wrong.field {
                                Some(field) => a href={ "#" (field) } { (wrong.words) },
                                None => (wrong.words),
                            }
                        }
                    }
                }
            }
        }
    }

    fn line(
        &self,
        name: &str,
        label: Word,
        hint: Option<Word>,
        drawing: &Drawing<'_>,
        (kind, fill, most): (&str, &str, usize),
    ) -> Markup {
        let optional = name != "email";
        self.framed(name, self.say(label), hint.map(|hint| self.say(hint)), optional, drawing, |described| html! {
            input id=(name) name=(name) type=(kind) autocomplete=(fill) maxlength=(most) value=(drawing.values.get(name))
                required[!optional] aria-describedby=[described.0] aria-invalid=[described.1];
        })
    }

    fn message(&self, drawing: &Drawing<'_>) -> Markup {
        let hint = self.say(Word::MessageHint);
        self.framed("message", self.say(Word::Message), Some(hint), false, drawing, |described| {
            html! {
                textarea id="message" name="message" rows="8" maxlength=(MESSAGE) required
                    aria-describedby=[described.0] aria-invalid=[described.1] { "\n" (drawing.values.get("message")) }
            }
        })
    }

    fn files(&self, drawing: &Drawing<'_>) -> Markup {
        let hint = self.say(Word::FilesHint).replace("{count}", &self.keys.files.to_string());
        let hint = hint.replace("{mib}", &self.keys.file_mib.to_string());
        self.framed("files", self.say(Word::Files), Some(&hint), true, drawing, |described| html! {
            @if !drawing.kept.is_empty() {
                fieldset.kept {
                    legend { (self.say(Word::Kept)) }
                    @for staged in drawing.kept {
                        input type="hidden" name="shown" value=(staged.number);
                        label {
                            input type="checkbox" name="kept" value=(staged.number) checked;
                            " " (self.say(Word::Keep)) " " strong { (staged.name) } " (" (kib(staged.size)) ")"
                        }
                    }
                }
            }
            input id="files" name="files" type="file" multiple aria-describedby=[described.0] aria-invalid=[described.1];
        })
    }

    fn own_field(&self, field: &FieldKeys, drawing: &Drawing<'_>) -> Markup {
        let name = field.key.as_str();
        let value = drawing.values.get(name);
        let label = field.label.get(self.lang);
        if field.kind == FieldKind::Checkbox {
            let wrong = wrong_of(drawing, name);
            return html! {
                div.field.check {
                    label for=(name) { input id=(name) name=(name) type="checkbox" value="yes" checked[!value.is_empty()] required[field.required]; " " (label) }
                    @if let Some(wrong) = wrong { p.wrong { (wrong) } }
                }
            };
        }
        let hint = field.hint.as_ref().map(|hint| hint.get(self.lang));
        self.framed(name, label, hint, !field.required, drawing, |described| match field.kind {
            FieldKind::Textarea => html! {
                textarea id=(name) name=(name) rows="4" maxlength=(field.max) required[field.required]
                    aria-describedby=[described.0] aria-invalid=[described.1] { "\n" (value) }
            },
            FieldKind::Select => html! {
                select id=(name) name=(name) required[field.required] aria-describedby=[described.0] aria-invalid=[described.1] {
                    option value="" { (self.say(Word::Choose)) }
                    @for option in &field.options {
                        option value=(option.value) selected[option.value == value] { (option.label.get(self.lang)) }
                    }
                }
            },
            kind => html! {
                input id=(name) name=(name) type=(input_type(kind)) maxlength=(field.max) value=(value) required[field.required]
                    aria-describedby=[described.0] aria-invalid=[described.1];
            },
        })
    }

    /// A field with its label, its hint and what is wrong with it, tied together for those who hear the page.
    fn framed(
        &self,
        name: &str,
        label: &str,
        hint: Option<&str>,
        optional: bool,
        drawing: &Drawing<'_>,
        input: impl Fn((Option<String>, Option<&'static str>)) -> Markup,
    ) -> Markup {
        let wrong = wrong_of(drawing, name);
        let ids = [hint.map(|_| format!("{name}-hint")), wrong.map(|_| format!("{name}-wrong"))];
        let ids: Vec<String> = ids.into_iter().flatten().collect();
        let described = (!ids.is_empty()).then(|| ids.join(" "));
        html! {
            div.field.invalid[wrong.is_some()] {
                label for=(name) { (label) @if optional { span.optional { " (" (self.say(Word::Optional)) ")" } } }
                @if let Some(hint) = hint { p.hint id={ (name) "-hint" } { (hint) } }
                @if let Some(wrong) = wrong { p.wrong id={ (name) "-wrong" } { (wrong) } }
                (input((described, wrong.map(|_| "true"))))
            }
        }
    }

    /// The page after.
    pub(crate) fn received(&self, told: &Told<'_>) -> Markup {
        let title = self.say(Word::ReceivedTitle);
        let body = html! {
            h1 { (title) }
            @match told.reference {
                Some(reference) => p.number { (self.say(Word::ReceivedNumber)) " " strong { (reference) } },
                None => p { (self.say(Word::ReceivedAside)) },
            }
            @if told.reference.is_some() {
                h2 { (self.say(Word::Next)) }
                ul {
                    li { (self.say(Word::NextMail).replace("{address}", told.masked)) }
                    @if let Some((shown, exact)) = &told.promise {
                        @let (before, after) = self.say(Word::NextPromise).split_once("{time}").unwrap_or_default();
                        li { (before) time datetime=(exact) { (shown) } (after) }
                    }
                    li { (self.say(Word::NextAdd)) }
                    li { (self.say(Word::NextNone)) }
                }
            }
            p { a href={ (self.base) "?lang=" (self.lang.as_str()) } { (self.say(Word::Another)) } }
        };
        self.layout(title, "", false, &body)
    }

    /// A page that says only a few words and where to go on.
    pub(crate) fn message_page(&self, title: Word, text: &str) -> Markup {
        let body = html! {
            h1 { (self.say(title)) }
            p { (text) }
            p { a href={ (self.base) "?lang=" (self.lang.as_str()) } { (self.say(Word::BackToForms)) } }
        };
        self.layout(self.say(title), "", false, &body)
    }
}

fn wrong_of<'a>(drawing: &'a Drawing<'_>, name: &str) -> Option<&'a str> {
    drawing.wrongs.iter().find(|wrong| wrong.field.as_deref() == Some(name)).map(|wrong| wrong.words.as_str())
}

const fn input_type(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Tel => "tel",
        FieldKind::Date => "date",
        _ => "text",
    }
}

fn kib(size: u64) -> String {
    if size >= 1 << 20 { format!("{} MB", size.div_ceil(1 << 20)) } else { format!("{} kB", size.div_ceil(1 << 10)) }
}
