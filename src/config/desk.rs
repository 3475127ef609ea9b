//! `[desk]`: what the desk is called, when it works, what it promises.

use guichet_domain::calendar::{Calendar, CalendarSettings};
use guichet_domain::language::Language;
use guichet_domain::priority::{Matrix, Targets};
use guichet_domain::reference::is_valid_prefix;
use serde::Deserialize;

use crate::config::ConfigError;

/// `[desk]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskSettings {
    /// Signs the notices.
    pub name: String,
    /// Shown before a reference: 2 to 8 letters and digits, a letter first; empty for none.
    pub prefix: String,
    /// The language of people in whose own there are no words: `en` or `fr`.
    pub language: Language,
    /// The address people reach the pages at, `https://help.example.org`.
    pub public_url: Option<String>,
    /// Days within which an answer reopens a resolved ticket.
    pub reopen_window_days: u32,
    /// Whether the requester is told when a promise is missed.
    pub delay_notice: bool,
    /// The queue new tickets wait in.
    pub queue: String,
    /// Senders (`a@b.test`) and domains (`@b.test`) whose mail is kept aside.
    pub blocked: Vec<String>,
    /// When the desk works.
    pub calendar: CalendarSettings,
    /// Minutes of opening time to the first answer, by priority.
    pub targets: Targets,
    /// Priority from impact and urgency.
    pub matrix: Matrix,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self {
            name: "Support".to_owned(),
            prefix: "GT".to_owned(),
            language: Language::En,
            public_url: None,
            reopen_window_days: 7,
            delay_notice: true,
            queue: "support".to_owned(),
            blocked: Vec::new(),
            calendar: CalendarSettings::default(),
            targets: Targets::default(),
            matrix: Matrix::default(),
        }
    }
}

impl DeskSettings {
    /// Checks what types cannot.
    pub(super) fn check(&self, origin: &str) -> Result<(), ConfigError> {
        let wrong = |what: String| Err(ConfigError::Wrong { place: origin.to_owned(), what });
        if !is_valid_prefix(&self.prefix) {
            return wrong(format!(
                "[desk] prefix = \"{}\": it cannot stand before a number; use 2 to 8 letters and digits, a letter first",
                self.prefix
            ));
        }
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            return wrong("[desk] name: it is empty or holds control characters; give the desk a name".to_owned());
        }
        if let Some(url) = &self.public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            return wrong(format!("[desk] public_url = \"{url}\": it is no web address; write https://…"));
        }
        if let Some((impact, urgency)) = self.matrix.inversions().first() {
            return wrong(format!(
                "[desk.matrix]: impact {}, urgency {} is less pressing than a smaller one; order the rows and columns",
                impact.as_str(),
                urgency.as_str()
            ));
        }
        self.calendar(origin).map(|_| ())
    }

    /// The calendar.
    pub(super) fn calendar(&self, origin: &str) -> Result<Calendar, ConfigError> {
        Calendar::new(&self.calendar)
            .map_err(|error| ConfigError::Wrong { place: origin.to_owned(), what: format!("[desk.calendar] {error}") })
    }
}
