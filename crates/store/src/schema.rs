//! Bringing the schema up to date.
//!
//! To change the schema: add the next number, with the same file name, to `migrations/sqlite` and
//! `migrations/postgres`; add rows that fit it to `src/tests/samples` when it adds tables; never touch a file that was
//! released. Tests compare the two folders and apply each migration to a database with rows.

use std::path::{Path, PathBuf};

use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};

use crate::engine::{self, Pools};
use crate::error::StoreError;

pub(crate) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// The schema this program writes.
pub fn known_version() -> i64 {
    latest(&SQLITE)
}

fn latest(migrations: &Migrator) -> i64 {
    migrations.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Applies what is missing, after a copy when the file has a schema already.
pub(crate) async fn migrate(pools: &Pools, backups: Option<&Path>) -> Result<(), StoreError> {
    migrate_with(pools, [&SQLITE, &POSTGRES], backups).await
}

/// The same with these migrations, SQLite's and PostgreSQL's.
pub(crate) async fn migrate_with(
    pools: &Pools,
    migrations: [&Migrator; 2],
    backups: Option<&Path>,
) -> Result<(), StoreError> {
    let [sqlite, _] = migrations;
    let known = latest(sqlite);
    let found = found_version(pools).await?;
    if let Some(found) = found.filter(|found| *found > known) {
        return Err(StoreError::Newer { found, known });
    }
    if found == Some(known) {
        return Ok(());
    }
    if let (Some(found), Pools::Sqlite { writer, path, .. }) = (found, pools) {
        back_up(writer, path, backups, found).await?;
    }
    let mut before = found;
    loop {
        let outcome = apply(pools, migrations).await;
        let Err(error) = outcome else { return Ok(()) };
        // Another process may be applying the same at the same time, one after the other: what it has done is not to be done
        // again.
        let now = found_version(pools).await?;
        if now == Some(known) {
            return Ok(());
        }
        if now <= before {
            return Err(error.into());
        }
        before = now;
    }
}

async fn apply(pools: &Pools, [sqlite, postgres]: [&Migrator; 2]) -> Result<(), MigrateError> {
    match pools {
        Pools::Sqlite { writer, .. } => sqlite.run(writer).await,
        Pools::Postgres(pool) => postgres.run(pool).await,
    }
}

/// The schema a database has; `None` when it has none yet.
async fn found_version(pools: &Pools) -> Result<Option<i64>, StoreError> {
    const LATEST: &str = "SELECT max(version) FROM _sqlx_migrations WHERE success";
    Ok(match pools {
        Pools::Sqlite { writer, .. } => {
            let table = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
            let tables: i64 = sqlx::query_scalar(table).fetch_one(writer).await?;
            if tables == 0 { None } else { sqlx::query_scalar(LATEST).fetch_one(writer).await? }
        }
        Pools::Postgres(pool) => {
            let table = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
            let exists: bool = sqlx::query_scalar(table).fetch_one(pool).await?;
            if exists { sqlx::query_scalar(LATEST).fetch_one(pool).await? } else { None }
        }
    })
}

async fn back_up(pool: &SqlitePool, path: &Path, folder: Option<&Path>, version: i64) -> Result<(), StoreError> {
    let name = path.file_name().map_or_else(|| "guichet".to_owned(), |name| name.to_string_lossy().into_owned());
    let folder = folder.or_else(|| path.parent()).unwrap_or(Path::new("."));
    let mut copies = (0..).map(|turn: u32| folder.join(format!("{name}.schema-{version}.{turn}.backup")));
    let copy: PathBuf = copies.find(|copy| !copy.exists()).unwrap_or_else(|| folder.join("backup"));
    engine::copy_to(pool, &copy).await?;
    tracing::info!(copy = %copy.display(), "copied the database before changing its schema");
    Ok(())
}
