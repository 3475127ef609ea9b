//! The pages below `/t`. Everything shown goes through maud's escaping; no script stands in them.

use guichet_contract::TimelineEntry;
use guichet_domain::Moment;
use guichet_domain::entry::EntryKind;
use guichet_domain::language::Language;
use guichet_domain::ticket::State;
use maud::{DOCTYPE, Markup, html};
use uuid::Uuid;

use super::words::{Word, say, state};
use crate::desk::PageView;

/// Where the style is.
pub(super) const STYLE: &str = "/t/pages.css";

/// What stands around a page.
pub(super) struct Frame<'a> {
    pub(super) lang: Language,
    /// What the desk is called.
    pub(super) desk: &'a str,
}

/// A ticket's page as it is asked for.
pub(super) struct Asked<'a> {
    pub(super) token: &'a str,
    pub(super) view: &'a PageView,
    /// Told apart from its repetition by this.
    pub(super) id: Uuid,
    /// What was just done.
    pub(super) done: Option<Word>,
    /// What was just not done, and why.
    pub(super) wrong: Option<Word>,
    /// What was typed and not taken.
    pub(super) typed: &'a str,
    /// The score a link in a mail named: chosen, and sent by a press alone.
    pub(super) score: Option<u8>,
}

impl Frame<'_> {
    fn say(&self, word: Word) -> &'static str {
        say(self.lang, word)
    }

    fn layout(&self, title: &str, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(if self.lang == Language::Fr { "fr" } else { "en" }) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex, nofollow";
                    meta name="referrer" content="no-referrer";
                    title { (title) }
                    link rel="stylesheet" href=(STYLE);
                }
                body {
                    main { (body) }
                    footer { span { (self.desk) } }
                }
            }
        }
    }

    /// The page of a ticket.
    pub(super) fn ticket(&self, asked: &Asked<'_>) -> Markup {
        let view = asked.view;
        let title = format!("{} {}", self.say(Word::Title), view.reference);
        let body = html! {
            h1 { (self.say(Word::Title)) }
            @if let Some(done) = asked.done { p.done role="status" { (self.say(done)) } }
            @if let Some(wrong) = asked.wrong {
                div.summary role="alert" tabindex="-1" autofocus {
                    p { strong { (self.say(Word::NotDone)) } " " (self.say(wrong)) }
                }
            }
            (self.facts(view))
            h2 { (self.say(Word::Talk)) }
            ol.talk { @for entry in &view.timeline { (self.entry(asked.token, entry, &view.zone)) } }
            @if let Some(next) = view.next {
                p { a href={ "/t/" (asked.token) "?after=" (next.0) } { (self.say(Word::Earlier)) } }
            }
            @if view.window_until.is_some() { (self.rating(asked)) }
            (self.writing(asked))
            (self.acts(asked))
        };
        self.layout(&title, &body)
    }

    fn facts(&self, view: &PageView) -> Markup {
        html! {
            dl.facts {
                dt { (self.say(Word::Number)) } dd { strong { (view.reference) } }
                dt { (self.say(Word::Standing)) }
                dd { span.state.waiting[view.state == State::Waiting] { (state(self.lang, view.state)) } }
                @if !view.subject.is_empty() { dt { (self.say(Word::About)) } dd { (view.subject) } }
                dt { (self.say(Word::Filed)) } dd { (view.category) }
                dt { (self.say(Word::Opened)) } dd { (self.time(view.opened_at, &view.zone)) }
                @if let Some(at) = view.promised_at {
                    dt { (self.say(Word::Promise)) } dd { (self.time(at, &view.zone)) }
                }
            }
        }
    }

    fn entry(&self, token: &str, entry: &TimelineEntry, zone: &str) -> Markup {
        let ours = entry.kind != EntryKind::Inbound;
        let name = entry.author.as_ref().and_then(|author| author.name.as_deref());
        let writer = match (entry.kind, name) {
            (EntryKind::Inbound, _) => self.say(Word::You),
            (EntryKind::Reply, Some(name)) => name,
            _ => self.desk,
        };
        html! {
            li.theirs[ours] {
                header { strong { (writer) } (self.time(entry.at, zone)) }
                p.words { (entry.text) }
                @if !entry.files.is_empty() {
                    p.hint { (self.say(Word::Files)) }
                    ul {
                        @for (position, file) in entry.files.iter().enumerate() {
                            li { a href={ "/t/" (token) "/files/" (entry.id) "/" (position) } download { (file.name) } " (" (file.size.div_ceil(1024)) " kB)" }
                        }
                    }
                }
            }
        }
    }

    fn rating(&self, asked: &Asked<'_>) -> Markup {
        let given = asked.view.rating.as_ref();
        let chosen = asked.score.map(i64::from).or(given.map(|rating| rating.score));
        let scores = [Word::Score1, Word::Score2, Word::Score3, Word::Score4, Word::Score5];
        html! {
            h2 { (self.say(Word::RateTitle)) }
            @if let Some(rating) = given { p { (self.say(Word::Rated).replace("{score}", &rating.score.to_string())) } }
            form method="post" action={ "/t/" (asked.token) "/rate" } {
                input type="hidden" name="id" value=(asked.id);
                fieldset.scores {
                    legend.hint { (self.say(Word::RateTitle)) }
                    @for (score, word) in (1..).zip(scores) {
                        label { input type="radio" name="score" value=(score) required checked[chosen == Some(score)]; (self.say(word)) }
                    }
                }
                div.field {
                    label for="rating-text" { (self.say(Word::RateWords)) }
                    textarea id="rating-text" name="text" rows="3" maxlength="2000" { "\n" (given.and_then(|rating| rating.text.as_deref()).unwrap_or_default()) }
                }
                button type="submit" { (self.say(Word::Rate)) }
            }
        }
    }

    fn writing(&self, asked: &Asked<'_>) -> Markup {
        html! {
            h2 { (self.say(Word::Write)) }
            @if asked.view.state == State::Closed { p.intro { (self.say(Word::WriteClosed)) } }
            form method="post" action={ "/t/" (asked.token) "/reply" } enctype="multipart/form-data" {
                input type="hidden" name="id" value=(asked.id);
                div.field {
                    label for="text" { (self.say(Word::Message)) }
                    textarea id="text" name="text" rows="6" maxlength="100000" { "\n" (asked.typed) }
                }
                div.field {
                    label for="files" { (self.say(Word::Attach)) }
                    input id="files" type="file" name="files" multiple;
                }
                button type="submit" { (self.say(Word::Send)) }
            }
        }
    }

    fn acts(&self, asked: &Asked<'_>) -> Markup {
        let state = asked.view.state;
        let act = |path: &str, word: Word| {
            html! {
                form method="post" action={ "/t/" (asked.token) "/" (path) } {
                    input type="hidden" name="id" value=(asked.id);
                    button.quiet type="submit" { (self.say(word)) }
                }
            }
        };
        html! {
            div.acts {
                @if state.is_live() { (act("close", Word::Close)) }
                @if asked.view.window_until.is_some() { (act("reopen", Word::Reopen)) }
            }
            p.hint { (self.say(Word::RenewHint)) }
            div.acts { (act("renew", Word::Renew)) }
        }
    }

    fn time(&self, at: Moment, zone: &str) -> Markup {
        let form = if self.lang == Language::Fr { "%d/%m/%Y à %H:%M" } else { "%Y-%m-%d, %H:%M" };
        let shown = at.timestamp().in_tz(zone).map(|zoned| zoned.strftime(form).to_string());
        html! { time datetime=(at.timestamp().to_string()) { (shown.unwrap_or_else(|_| at.timestamp().to_string())) } }
    }

    /// The page on which a link is asked for.
    pub(super) fn find(&self, wrong: Option<&str>) -> Markup {
        let title = self.say(Word::FindTitle);
        let body = html! {
            h1 { (title) }
            p.intro { (self.say(Word::FindIntro)) }
            @if let Some(wrong) = wrong { div.summary role="alert" tabindex="-1" autofocus { p { (wrong) } } }
            form method="post" action="/t" {
                div.field {
                    label for="reference" { (self.say(Word::FindNumber)) }
                    input id="reference" name="reference" type="text" maxlength="60" required autocomplete="off" placeholder="GT-000-000-0000";
                }
                div.field {
                    label for="email" { (self.say(Word::FindEmail)) }
                    input id="email" name="email" type="email" maxlength="254" required autocomplete="email";
                }
                button type="submit" { (self.say(Word::FindSend)) }
            }
        };
        self.layout(title, &body)
    }

    /// A page that says only a few words.
    pub(super) fn message(&self, title: Word, text: Word) -> Markup {
        let body = html! {
            h1 { (self.say(title)) }
            p { (self.say(text)) }
            p { a href="/t" { (self.say(Word::FindAgain)) } }
        };
        self.layout(self.say(title), &body)
    }
}
