//! What commands write: readable on a terminal, JSON for programs.
//!
//! Nothing from outside reaches a terminal as it came: see [`plain`]. A reader that goes away (`guichet ticket list |
//! head`) ends the command without a complaint.

pub mod plain;
pub mod table;
pub mod when;
pub mod width;

use std::io::{self, IsTerminal as _, Write as _};

use guichet_domain::Moment;
use jiff::tz::TimeZone;
use rustix::termios::tcgetwinsize;
use serde_json::Value;

pub use table::{Cell, Column, Table};

/// Columns where nobody says how wide it is.
const COLUMNS: usize = 100;
/// Text for reading is not set wider than this.
const READABLE: usize = 100;

/// How a word is shown where there are colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shade {
    /// As it is.
    #[default]
    Plain,
    /// A title.
    Strong,
    /// Beside the point.
    Faint,
    /// It is well.
    Good,
    /// Look at it.
    Warning,
    /// It is not well.
    Bad,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// Without colours.
    pub const fn bare() -> Self {
        Self { colour: false }
    }

    /// With colours.
    pub const fn coloured() -> Self {
        Self { colour: true }
    }

    /// Colours on a terminal that knows them, unless `$NO_COLOR` is set (no-color.org).
    fn of(terminal: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self { colour: terminal && !refused && !dumb }
    }

    /// Whether colours are written.
    pub const fn is_coloured(self) -> bool {
        self.colour
    }

    /// `text` in its shade.
    pub fn paint(self, text: &str, shade: Shade) -> String {
        let code = match shade {
            _ if !self.colour => return text.to_owned(),
            Shade::Plain => return text.to_owned(),
            Shade::Strong => "1",
            Shade::Faint => "2",
            Shade::Good => "32",
            Shade::Warning => "33",
            Shade::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// What was asked for could not be written to standard output.
#[derive(Debug, thiserror::Error)]
#[error("standard output: {0}")]
pub struct Unwritten(pub io::Error);

/// Where a command writes what it was asked for.
#[derive(Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    style: Style,
    columns: usize,
    zone: TimeZone,
    now: Moment,
}

impl Output {
    /// Standard output, as JSON or for a person. `now` is what ages count from.
    pub fn new(json: bool, now: Moment) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            json,
            quiet: false,
            style: Style::of(terminal && !json),
            columns: columns(),
            zone: TimeZone::system(),
            now,
        }
    }

    /// Whether a program reads.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Leaves remarks out.
    pub const fn hush(&mut self) {
        self.quiet = true;
    }

    /// The colours.
    pub const fn style(&self) -> Style {
        self.style
    }

    /// Columns for text that is read.
    pub fn readable(&self) -> usize {
        self.columns.min(READABLE)
    }

    /// Writes a value as JSON, ended by a line feed.
    pub fn value(&self, value: &Value) -> Result<(), Unwritten> {
        let mut text = serde_json::to_string_pretty(value).map_err(|error| Unwritten(error.into()))?;
        text.push('\n');
        self.write(&text)
    }

    /// Writes a table; `nothing` when it has no rows.
    pub fn table(&self, table: &Table, nothing: &str) -> Result<(), Unwritten> {
        if table.is_empty() {
            return self.line(nothing);
        }
        self.write(&table.render(self.columns, self.style))
    }

    /// Writes one line.
    pub fn line(&self, text: &str) -> Result<(), Unwritten> {
        self.write(&format!("{text}\n"))
    }

    /// Writes text as it is.
    pub fn write(&self, text: &str) -> Result<(), Unwritten> {
        self.bytes(text.as_bytes())
    }

    /// Writes octets as they are.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Unwritten> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(Unwritten)
    }

    /// Writes octets that came from outside: as they are for a program, without what could write to a terminal for a
    /// person.
    pub fn from_outside(&self, bytes: &[u8]) -> Result<(), Unwritten> {
        if io::stdout().is_terminal() {
            self.write(&plain::text(&String::from_utf8_lossy(bytes)))
        } else {
            self.bytes(bytes)
        }
    }

    /// Says something beside the point to a person: on standard error, so that it mixes with no result.
    pub fn remark(&self, text: &str) {
        if !self.quiet && !self.json {
            complain(text);
        }
    }

    /// How long ago, or how long until.
    pub fn age(&self, at: Moment) -> String {
        when::age(at, self.now)
    }

    /// The instant in the local zone and how long ago it is.
    pub fn moment(&self, at: Moment) -> String {
        let age = when::age(at, self.now);
        let age = if at > self.now { age } else { format!("{age} ago") };
        format!("{} ({age})", when::local(at, &self.zone))
    }

    /// The instant in the local zone.
    pub fn local(&self, at: Moment) -> String {
        when::local(at, &self.zone)
    }

    /// The instant of now, as it was when the command began.
    pub const fn now(&self) -> Moment {
        self.now
    }
}

/// One line on standard error. A terminal that went away is no reason to fail.
pub fn complain(text: &str) {
    let line = plain::line(text);
    drop(writeln!(io::stderr().lock(), "guichet: {line}"));
}

fn columns() -> usize {
    let size = tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    let named =
        || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    size.or_else(named).unwrap_or(COLUMNS)
}
