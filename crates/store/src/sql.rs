//! One text a statement for both engines: values in, rows out.
//!
//! Everything above this module is compiled once and knows no driver. A statement of fixed form is a constant made by
//! `queries!`, which also lists it for the test that prepares every statement on both engines. Statements whose form
//! depends on how many rows they carry are put together by [`Builder`] out of constants and placeholders only.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Decode, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite, Type};

use crate::engine::Tx;
use crate::error::StoreError;
use crate::value::{Bound, Value};

/// Defines statements as constants and lists them all for the test that prepares each on both engines.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*

        /// Every fixed statement of this module, with its name.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use queries;

/// What can be read from a column on both engines.
pub(crate) trait Column:
    Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres>
{
}

impl<T> Column for T where T: Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres> {}

/// A row that came back.
pub(crate) enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// The value of a column.
    pub(crate) fn get<T: Column>(&self, column: &str) -> Result<T, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }
}

/// Runs a fixed statement; how many rows it touched.
pub(crate) async fn execute(tx: &mut Tx, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
    run(tx, sql, values, true).await
}

/// Runs a fixed statement that must touch exactly one row.
pub(crate) async fn execute_one(
    tx: &mut Tx,
    what: &'static str,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<(), StoreError> {
    expect(what, 1, execute(tx, sql, values).await?)
}

/// The rows of a fixed statement.
pub(crate) async fn rows(tx: &mut Tx, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
    fetch(tx, sql, values, true).await
}

/// The row of a fixed statement that gives none or one.
pub(crate) async fn row(tx: &mut Tx, sql: &'static str, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
    Ok(rows(tx, sql, values).await?.pop())
}

/// Asserts how many rows a statement touched.
pub(crate) fn expect(what: &'static str, expected: u64, actual: u64) -> Result<(), StoreError> {
    if expected == actual { Ok(()) } else { Err(StoreError::Rows { what, expected, actual }) }
}

/// A statement whose length depends on its values. Its text is made of constants and placeholders alone.
pub(crate) struct Builder<'v> {
    sql: String,
    values: Vec<Value<'v>>,
    numbered: bool,
}

impl<'v> Builder<'v> {
    /// Begins a statement for the engine of `tx`.
    pub(crate) fn new(tx: &Tx, sql: &'static str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new(), numbered: tx.is_postgres() }
    }

    /// Adds text.
    pub(crate) fn push(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a placeholder and its value. On SQLite they are bare `?`: it looks named ones up one by one, which is
    /// quadratic in statements of thousands.
    pub(crate) fn bind(&mut self, value: impl Into<Value<'v>>) -> &mut Self {
        self.values.push(value.into());
        if self.numbered {
            self.sql.push('$');
            self.sql.push_str(&self.values.len().to_string());
        } else {
            self.sql.push('?');
        }
        self
    }

    /// Adds `(a, b, c)`.
    pub(crate) fn list<T: Into<Value<'v>>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        self.sql.push('(');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.sql.push_str(", ");
            }
            self.bind(value);
        }
        self.sql.push(')');
        self
    }

    /// Adds `(a, b), (c, d)`: one tuple a row.
    pub(crate) fn tuples<R: IntoIterator<Item = Value<'v>>>(&mut self, rows: impl IntoIterator<Item = R>) -> &mut Self {
        for (at, row) in rows.into_iter().enumerate() {
            if at > 0 {
                self.sql.push_str(", ");
            }
            self.list(row);
        }
        self
    }

    /// Runs it; how many rows it touched.
    pub(crate) async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        run(tx, AssertSqlSafe(self.sql), &self.values, false).await
    }

    /// Its rows.
    pub(crate) async fn rows(self, tx: &mut Tx) -> Result<Vec<Row>, StoreError> {
        fetch(tx, AssertSqlSafe(self.sql), &self.values, false).await
    }
}

/// Runs a statement over many tuples of values, in as many statements as the engine likes best. `head` ends in `VALUES `
/// and `tail` follows the tuples. How many rows were touched in all.
pub(crate) async fn over<const N: usize>(
    tx: &mut Tx,
    head: &'static str,
    rows: Vec<[Value<'_>; N]>,
    tail: &'static str,
) -> Result<u64, StoreError> {
    let (postgres, mut rows, mut touched) = (tx.is_postgres(), rows.into_iter(), 0);
    let mut next = statement(postgres, head, &mut rows, tail)?;
    while let Some(Statement { sql, values, keep }) = next {
        // While the engine works on this one, the next is put together.
        let working = run_bound(tx, sql, values, keep);
        let (done, following) = tokio::join!(working, async { statement(postgres, head, &mut rows, tail) });
        touched += done?;
        next = following?;
    }
    Ok(touched)
}

/// The same, for statements that give rows back.
pub(crate) async fn rows_over<const N: usize>(
    tx: &mut Tx,
    head: &'static str,
    rows: Vec<[Value<'_>; N]>,
    tail: &'static str,
) -> Result<Vec<Row>, StoreError> {
    let (postgres, mut rows, mut back) = (tx.is_postgres(), rows.into_iter(), Vec::new());
    while let Some(Statement { sql, values, keep }) = statement(postgres, head, &mut rows, tail)? {
        back.extend(fetch_bound(tx, sql, values, keep).await?);
    }
    Ok(back)
}

/// A statement with its values, as its driver takes them.
struct Statement {
    sql: SqlStr,
    values: Bound,
    keep: bool,
}

/// The statement over the next piece of `rows`; `None` when none are left.
fn statement<const N: usize>(
    postgres: bool,
    head: &'static str,
    rows: &mut std::vec::IntoIter<[Value<'_>; N]>,
    tail: &'static str,
) -> Result<Option<Statement>, StoreError> {
    if rows.len() == 0 {
        return Ok(None);
    }
    let piece = Piece::of(postgres, N, rows.len());
    let mut builder = Builder { sql: head.to_owned(), values: Vec::with_capacity(piece.rows * N), numbered: postgres };
    builder.tuples(rows.by_ref().take(piece.rows)).push(tail);
    let Builder { sql, values, .. } = builder;
    let sql = AssertSqlSafe(sql).into_sql_str();
    Ok(Some(Statement { sql, values: Bound::new(postgres, &values)?, keep: piece.keep }))
}

/// How many rows the next statement carries, and whether its text comes again so often that it is kept parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    rows: usize,
    keep: bool,
}

impl Piece {
    /// The next piece of `left` rows of so many columns.
    ///
    /// On SQLite parsing costs as much as inserting: a batch goes in pieces of three sizes whose statements are kept, and
    /// only the rest is parsed. PostgreSQL parses quickly and is far away: one statement.
    fn of(postgres: bool, columns: usize, left: usize) -> Self {
        let most = rows_a_statement(columns);
        if postgres {
            return Self { rows: left.min(most), keep: false };
        }
        // Each value of a kept statement holds some 90 bytes as long as the connection lives.
        let large = power_of_two_within(2_048 / columns.max(1)).min(256);
        let kept =
            [large, large / 4, 1].into_iter().find(|rows| *rows > 0 && left >= *rows && (*rows > 1 || left == 1));
        kept.map_or(Self { rows: left.min(most), keep: false }, |rows| Self { rows, keep: true })
    }
}

/// How many rows of so many columns fit in one statement: both engines take at least 32,766 values.
pub(crate) const fn rows_a_statement(columns: usize) -> usize {
    let rows = 16_000 / columns;
    if rows == 0 { 1 } else { rows }
}

const fn power_of_two_within(most: usize) -> usize {
    if most == 0 { 1 } else { 1 << most.ilog2() }
}

async fn run(tx: &mut Tx, sql: impl SqlSafeStr, values: &[Value<'_>], keep: bool) -> Result<u64, StoreError> {
    let sql = sql.into_sql_str();
    debug_assert!(!keep || placeholders(sql.as_str()) == values.len(), "values do not fit: {}", sql.as_str());
    let values = Bound::new(tx.is_postgres(), values)?;
    run_bound(tx, sql, values, keep).await
}

async fn fetch(tx: &mut Tx, sql: impl SqlSafeStr, values: &[Value<'_>], keep: bool) -> Result<Vec<Row>, StoreError> {
    let sql = sql.into_sql_str();
    debug_assert!(!keep || placeholders(sql.as_str()) == values.len(), "values do not fit: {}", sql.as_str());
    let values = Bound::new(tx.is_postgres(), values)?;
    fetch_bound(tx, sql, values, keep).await
}

async fn run_bound(tx: &mut Tx, sql: SqlStr, values: Bound, keep: bool) -> Result<u64, StoreError> {
    #[cfg(test)]
    hear(sql.as_str());
    Ok(match (tx, values) {
        (Tx::Sqlite(tx), Bound::Sqlite(values)) => {
            sqlx::query_with(sql, values).persistent(keep).execute(&mut **tx).await?.rows_affected()
        }
        (Tx::Postgres(tx), Bound::Postgres(values)) => {
            sqlx::query_with(sql, values).persistent(keep).execute(&mut **tx).await?.rows_affected()
        }
        _ => return Err(other_engine()),
    })
}

async fn fetch_bound(tx: &mut Tx, sql: SqlStr, values: Bound, keep: bool) -> Result<Vec<Row>, StoreError> {
    #[cfg(test)]
    hear(sql.as_str());
    Ok(match (tx, values) {
        (Tx::Sqlite(tx), Bound::Sqlite(values)) => {
            let rows = sqlx::query_with(sql, values).persistent(keep).fetch_all(&mut **tx).await?;
            rows.into_iter().map(Row::Sqlite).collect()
        }
        (Tx::Postgres(tx), Bound::Postgres(values)) => {
            let rows = sqlx::query_with(sql, values).persistent(keep).fetch_all(&mut **tx).await?;
            rows.into_iter().map(Row::Postgres).collect()
        }
        _ => return Err(other_engine()),
    })
}

fn other_engine() -> StoreError {
    StoreError::Other { what: "the values were bound for the other engine".to_owned() }
}

/// The highest `$N` of a statement, or how many `?` it has: SQLite reads what was not bound as NULL without a word.
fn placeholders(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1);
    let numbers = numbers.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let highest = numbers.filter_map(|number| number.parse().ok()).max();
    highest.unwrap_or_else(|| sql.matches('?').count())
}

#[cfg(test)]
thread_local! {
    /// Every statement a test's own thread has run, put together or fixed: for the tests that look at all of them.
    pub(crate) static HEARD: std::cell::RefCell<std::collections::BTreeSet<String>> = std::cell::RefCell::default();
}

#[cfg(test)]
fn hear(sql: &str) {
    HEARD.with_borrow_mut(|heard| heard.insert(sql.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_placeholder_counts_however_often_and_in_whatever_order_they_stand() {
        assert_eq!(placeholders("SELECT $2, $1, $12, $2"), 12);
        assert_eq!(placeholders("SELECT 1"), 0);
        assert_eq!(placeholders("SELECT ?, ?"), 2);
    }
}
