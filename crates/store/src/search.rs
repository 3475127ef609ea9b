//! Words of timelines. SQLite keeps them in a full-text table that is filled outside intake, PostgreSQL in an index of its own.
//!
//! What people type never reaches the query syntax: [`Words`] keeps letters and digits alone, and is bound as a value.

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{Builder, Row};

/// Most words of one question: the rest is left out.
const MOST_WORDS: usize = 12;
/// Longest word that is asked for, in characters.
const LONGEST_WORD: usize = 60;

/// What is searched: every word must stand in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    words: Vec<String>,
    whole: bool,
}

impl Words {
    /// The words in what a person typed; `None` when there are none.
    pub fn of(typed: &str) -> Option<Self> {
        let words: Vec<String> = typed
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(MOST_WORDS)
            .map(|word| word.to_lowercase().chars().take(LONGEST_WORD).collect())
            .collect();
        if words.is_empty() { None } else { Some(Self { words, whole: true }) }
    }

    /// The same where the last letters of each word may be missing. Much slower for words that stand in many messages.
    #[must_use]
    pub fn beginnings(self) -> Self {
        Self { whole: false, ..self }
    }

    /// Whether the last letters may be missing.
    pub fn are_beginnings(&self) -> bool {
        !self.whole
    }

    /// In the syntax of SQLite's full-text search: each word quoted.
    fn sqlite(&self) -> String {
        let end = if self.whole { "" } else { "*" };
        self.words.iter().map(|word| format!("\"{word}\"{end}")).collect::<Vec<_>>().join(" ")
    }

    /// In the syntax of a `tsquery`.
    fn postgres(&self) -> String {
        let end = if self.whole { "" } else { ":*" };
        self.words.iter().map(|word| format!("'{word}'{end}")).collect::<Vec<_>>().join(" & ")
    }

    /// Adds a condition on the column `id` of a ticket: one of its latest messages with these words. Of a frequent word the
    /// last five hundred messages count.
    pub(crate) fn push(&self, query: &mut Builder<'_>, postgres: bool) {
        if postgres {
            query.push(
                "id IN (SELECT ticket FROM (SELECT ticket FROM entry WHERE to_tsvector('simple', coalesce(subject, '') \
                 || ' ' || left(text, 200000)) @@ to_tsquery('simple', ",
            );
            query.bind(self.postgres()).push(") ORDER BY number DESC LIMIT 500) AS hit)");
        } else {
            query.push("id IN (SELECT ticket FROM entry WHERE number IN (SELECT rowid FROM search WHERE search MATCH ");
            query.bind(self.sqlite()).push(" ORDER BY rowid DESC LIMIT 500))");
        }
    }
}

/// Adds entries that came since to the search, at most `limit`; how many. Nothing is left to do on PostgreSQL.
pub async fn catch_up(tx: &mut Tx, limit: i64) -> Result<u64, StoreError> {
    if tx.is_postgres() {
        return Ok(0);
    }
    let upto = upto(tx, "SELECT coalesce(max(id), 0) AS n FROM search_docsize").await?;
    let mut query = Builder::new(
        tx,
        "INSERT INTO search (rowid, subject, text) SELECT number, subject, text FROM entry WHERE number > ",
    );
    query.bind(upto).push(" ORDER BY number LIMIT ").bind(limit);
    query.execute(tx).await
}

/// Whether entries came since the last [`catch_up`].
pub async fn is_behind(tx: &mut Tx) -> Result<bool, StoreError> {
    if tx.is_postgres() {
        return Ok(false);
    }
    let indexed = upto(tx, "SELECT coalesce(max(id), 0) AS n FROM search_docsize").await?;
    Ok(upto(tx, "SELECT coalesce(max(number), 0) AS n FROM entry").await? > indexed)
}

async fn upto(tx: &mut Tx, sql: &'static str) -> Result<i64, StoreError> {
    Builder::new(tx, sql).rows(tx).await?.first().map_or(Ok(0), |row: &Row| row.get("n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_never_reaches_the_query_syntax() {
        let words = Words::of("toner\" OR subject:* NEAR(a' b) & !c \\ -").unwrap().beginnings();
        assert_eq!(words.sqlite(), "\"toner\"* \"or\"* \"subject\"* \"near\"* \"a\"* \"b\"* \"c\"*");
        assert_eq!(words.postgres(), "'toner':* & 'or':* & 'subject':* & 'near':* & 'a':* & 'b':* & 'c':*");
        assert_eq!(Words::of("\"' *:()"), None);
    }
}
