//! Small things kept by name: where sources stand, what they keep, and the desk's own settings (signing keys).

use guichet_domain::Moment;
use guichet_domain::ids::SourceName;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, queries};
use crate::value::Value;

queries! {
    CURSOR = "SELECT value FROM \"cursor\" WHERE source = $1 AND key = $2";
    CURSORS = "SELECT key, value FROM \"cursor\" WHERE source = $1 ORDER BY key";
    PUT_CURSOR = "INSERT INTO \"cursor\" (source, key, value) VALUES ($1, $2, $3) \
        ON CONFLICT (source, key) DO UPDATE SET value = excluded.value";
    SLOT = "SELECT value, version FROM slot WHERE source = $1 AND key = $2";
    NEW_SLOT = "INSERT INTO slot (source, key, value, version) VALUES ($1, $2, $3, 1) ON CONFLICT (source, key) DO NOTHING";
    SET_SLOT = "UPDATE slot SET value = $3, version = version + 1 WHERE source = $1 AND key = $2 AND version = $4";
    SETTING = "SELECT value FROM setting WHERE key = $1";
    PUT_SETTING = "INSERT INTO setting (key, value, updated_at) VALUES ($1, $2, $3) \
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
    FIRST_SETTING = "INSERT INTO setting (key, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING";
}

/// A small value of a source and its version; version 0 means it was never written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slot {
    /// The value.
    pub value: Option<String>,
    /// Grows with each write.
    pub version: i64,
}

/// Where a source stood under a key.
pub async fn cursor(tx: &mut Tx, source: &SourceName, key: &str) -> Result<Option<String>, StoreError> {
    sql::row(tx, CURSOR, &[source.into(), key.into()]).await?.map(|row| row.get("value")).transpose()
}

/// Where a source stood, under all its keys.
pub async fn cursors(tx: &mut Tx, source: &SourceName) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sql::rows(tx, CURSORS, &[source.into()]).await?;
    rows.iter().map(|row| Ok((row.get("key")?, row.get("value")?))).collect()
}

/// Moves a cursor by itself. With what was accepted it moves in a [`Batch`](crate::Batch).
pub async fn put_cursor(tx: &mut Tx, source: &SourceName, key: &str, value: &str) -> Result<(), StoreError> {
    sql::execute_one(tx, "move a cursor", PUT_CURSOR, &[source.into(), key.into(), value.into()]).await
}

/// A small value of a source.
pub async fn slot(tx: &mut Tx, source: &SourceName, key: &str) -> Result<Slot, StoreError> {
    match sql::row(tx, SLOT, &[source.into(), key.into()]).await? {
        Some(row) => Ok(Slot { value: row.get("value")?, version: row.get("version")? }),
        None => Ok(Slot::default()),
    }
}

/// Writes a slot if its version is still `seen` (0: it was never written); whether it did. `None` empties it.
pub async fn compare_and_set(
    tx: &mut Tx,
    source: &SourceName,
    key: &str,
    seen: i64,
    value: Option<&str>,
) -> Result<bool, StoreError> {
    let new: [Value<'_>; 3] = [source.into(), key.into(), Value::maybe(value)];
    let written = if seen == 0 {
        sql::execute(tx, NEW_SLOT, &new).await?
    } else {
        let [source, key, value] = new;
        sql::execute(tx, SET_SLOT, &[source, key, value, seen.into()]).await?
    };
    Ok(written == 1)
}

/// A setting of the desk that is kept here rather than in the configuration.
pub async fn setting(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    sql::row(tx, SETTING, &[key.into()]).await?.map(|row| row.get("value")).transpose()
}

/// Writes a setting.
pub async fn put_setting(tx: &mut Tx, key: &str, value: &str, now: Moment) -> Result<(), StoreError> {
    sql::execute_one(tx, "write a setting", PUT_SETTING, &[key.into(), value.into(), now.into()]).await
}

/// Writes a setting unless there is one; gives the one that holds now. Two processes that start at the same time agree.
pub async fn first_setting(tx: &mut Tx, key: &str, value: &str, now: Moment) -> Result<String, StoreError> {
    sql::execute(tx, FIRST_SETTING, &[key.into(), value.into(), now.into()]).await?;
    setting(tx, key).await?.ok_or_else(|| StoreError::Conflict { what: "a setting".to_owned() })
}
