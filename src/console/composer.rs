//! Where an agent writes: to the requester, or for the other agents.

use maud::{Markup, html};

use super::guard::At;
use super::ticket::{can_reply, filled};
use crate::desk::Canned;
use crate::desk::sheet::Sheet;
use guichet_domain::ticket::State;

/// What an agent typed, kept when it was not carried out.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    /// Whether it is a note.
    pub(super) note: bool,
    /// The words.
    pub(super) text: String,
}

/// The composer of a ticket: what was typed, else the draft that was kept.
pub(super) fn composer(at: &At, sheet: &Sheet, canned: &[Canned], typed: Option<&Typed>) -> Markup {
    let t = at.who.tongue;
    let in_note = typed.is_some_and(|typed| typed.note) || !can_reply(sheet);
    let words = |note: bool, draft: &str| match typed {
        Some(typed) if typed.note == note => typed.text.clone(),
        _ => draft.to_owned(),
    };
    html! {
        section.composer #composer aria-label=(t.reply()) data-newer=(t.newer()) data-kept=(t.draft_kept()) {
            @if can_reply(sheet) {
                details.write name="composer" open[!in_note] #reply {
                    summary { (t.reply()) }
                    (reply(at, sheet, canned, &words(false, &sheet.drafts.0)))
                }
            } @else {
                p.faint { (if sheet.ticket.state == State::Closed { t.closed_no_reply() } else { t.nobody_to_write_to() }) }
            }
            details.write.private name="composer" open[in_note] #note {
                summary { (t.note()) }
                (note(at, sheet, &words(true, &sheet.drafts.1)))
            }
        }
    }
}

fn reply(at: &At, sheet: &Sheet, canned: &[Canned], text: &str) -> Markup {
    let (t, live) = (at.who.tongue, sheet.ticket.state.is_live());
    let address = sheet.ticket.requester.as_ref().map(|party| party.address.as_str()).unwrap_or_default();
    html! {
        form method="post" action=(format!("/console/t/{}/write", sheet.ticket.reference)) data-kind="reply" {
            (hidden(at, sheet))
            p.target { (t.reply_to()) " " strong { (address) } " " (t.by()) " " strong { (t.channel_of(&sheet.channel)) }
                span.kept role="status" {} }
            label.hush for="words" { (t.your_words()) }
            textarea #words name="text" rows="7" maxlength="100000" placeholder=(t.your_words()) { (text) }
            div.row {
                button.primary name="do" value="reply" { (t.send()) }
                button name="do" value="ask" { (t.send_ask()) }
                @if live { button name="do" value="close" { (t.send_close()) } }
                button.quiet name="do" value="draft" { (t.save_draft()) }
                @if !canned.is_empty() {
                    span.canned {
                        label.hush for="canned" { (t.canned()) }
                        select #canned name="canned" {
                            option value="" { (t.canned()) "…" }
                            @for one in canned {
                                option value=(one.id) data-text=(filled(at, sheet, one)) { (one.title) }
                            }
                        }
                        button.quiet name="do" value="insert" { (t.insert()) }
                    }
                }
            }
        }
        dialog #picker aria-label=(t.canned_search()) {
            form method="dialog" {
                label { span { (t.canned_search()) } input type="search" autocomplete="off"; }
                ul {}
            }
        }
    }
}

fn note(at: &At, sheet: &Sheet, text: &str) -> Markup {
    let t = at.who.tongue;
    html! {
        form method="post" action=(format!("/console/t/{}/write", sheet.ticket.reference)) data-kind="note" {
            (hidden(at, sheet))
            p.target { (t.note_hint()) span.kept role="status" {} }
            label.hush for="notewords" { (t.your_note()) }
            textarea #notewords name="text" rows="4" maxlength="100000" placeholder=(t.your_note()) { (text) }
            div.row { button.primary name="do" value="note" { (t.add_note()) } }
        }
    }
}

/// What every form of a ticket carries: how far its page had read, and the key by which a second click is known.
pub(super) fn hidden(at: &At, sheet: &Sheet) -> Markup {
    let key = at.console.desk.kernel().ids.uuid();
    html! {
        input type="hidden" name="last_seen" value=(sheet.ticket.version) autocomplete="off";
        input type="hidden" name="key" value=(key) autocomplete="off";
    }
}
