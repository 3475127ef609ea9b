//! One text a statement for both engines: values in, rows out.
//!
//! Everything above this module is compiled once and knows no driver. A statement of fixed form is a constant made by
//! `queries!`, which also lists it for the test that prepares every statement on both engines. Statements whose form
//! depends on how many rows they carry are put together by [`Builder`] out of constants and placeholders only.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Decode, Postgres, Row as _, SqlSafeStr, Sqlite, Type};

use crate::engine::Tx;
use crate::error::StoreError;
use crate::value::Value;

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

/// Runs a statement over many tuples of values, in as many statements as the engines' limit of values asks for. `head`
/// ends in `VALUES ` and `tail` follows the tuples. How many rows were touched in all.
pub(crate) async fn over<const N: usize>(
    tx: &mut Tx,
    head: &'static str,
    rows: Vec<[Value<'_>; N]>,
    tail: &'static str,
) -> Result<u64, StoreError> {
    let mut touched = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut statement = Builder::new(tx, head);
        statement.tuples(rows.by_ref().take(rows_a_statement(N))).push(tail);
        touched += statement.execute(tx).await?;
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
    let mut back = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut statement = Builder::new(tx, head);
        statement.tuples(rows.by_ref().take(rows_a_statement(N))).push(tail);
        back.extend(statement.rows(tx).await?);
    }
    Ok(back)
}

/// How many rows of so many columns fit in one statement: both engines take at least 32,766 values.
pub(crate) const fn rows_a_statement(columns: usize) -> usize {
    let rows = 16_000 / columns;
    if rows == 0 { 1 } else { rows }
}

async fn run(tx: &mut Tx, sql: impl SqlSafeStr, values: &[Value<'_>], keep: bool) -> Result<u64, StoreError> {
    let sql = sql.into_sql_str();
    debug_assert!(!keep || placeholders(sql.as_str()) == values.len(), "values do not fit: {}", sql.as_str());
    Ok(match tx {
        Tx::Sqlite(tx) => {
            let mut query = sqlx::query(sql).persistent(keep);
            for value in values {
                query = value.bind_sqlite(query);
            }
            query.execute(&mut **tx).await?.rows_affected()
        }
        Tx::Postgres(tx) => {
            let mut query = sqlx::query(sql).persistent(keep);
            for value in values {
                query = value.bind_postgres(query);
            }
            query.execute(&mut **tx).await?.rows_affected()
        }
    })
}

async fn fetch(tx: &mut Tx, sql: impl SqlSafeStr, values: &[Value<'_>], keep: bool) -> Result<Vec<Row>, StoreError> {
    let sql = sql.into_sql_str();
    debug_assert!(!keep || placeholders(sql.as_str()) == values.len(), "values do not fit: {}", sql.as_str());
    Ok(match tx {
        Tx::Sqlite(tx) => {
            let mut query = sqlx::query(sql).persistent(keep);
            for value in values {
                query = value.bind_sqlite(query);
            }
            query.fetch_all(&mut **tx).await?.into_iter().map(Row::Sqlite).collect()
        }
        Tx::Postgres(tx) => {
            let mut query = sqlx::query(sql).persistent(keep);
            for value in values {
                query = value.bind_postgres(query);
            }
            query.fetch_all(&mut **tx).await?.into_iter().map(Row::Postgres).collect()
        }
    })
}

/// The highest `$N` of a fixed statement: SQLite reads what was not bound as NULL without a word.
fn placeholders(sql: &str) -> usize {
    sql.split('$')
        .skip(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_placeholder_counts_however_often_and_in_whatever_order_they_stand() {
        assert_eq!(placeholders("SELECT $2, $1, $12, $2"), 12);
        assert_eq!(placeholders("SELECT 1"), 0);
    }
}
