//! The two engines: opening, transactions, backup. The only module that knows what each needs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::error::StoreError;
use crate::schema;

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of our own; made when absent, readable by its owner only.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server, by its `postgres://` address.
    Postgres(String),
}

/// How it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Connections to PostgreSQL. SQLite always has one writer and four readers.
    pub connections: u32,
    /// How long to wait for a connection before the database counts as busy.
    pub patience: Duration,
    /// Where the copy goes that is made before an SQLite file is changed to a newer schema; beside the file when absent.
    pub backups: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 16, patience: Duration::from_secs(30), backups: None }
    }
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pub(crate) pools: Pools,
}

#[derive(Debug, Clone)]
pub(crate) enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool, path: PathBuf },
    Postgres(PgPool),
}

/// A transaction. Dropped without [`Tx::commit`], it is rolled back.
///
/// Never held while a socket is awaited: no channel and no HTTP client takes one.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// Runs the same expression on whichever engine a transaction is of.
macro_rules! on {
    ($tx:expr, $connection:ident => $body:expr) => {
        match $tx {
            $crate::engine::Tx::Sqlite(tx) => {
                let $connection = &mut **tx;
                $body
            }
            $crate::engine::Tx::Postgres(tx) => {
                let $connection = &mut **tx;
                $body
            }
        }
    };
}

impl Db {
    /// Opens the database, brings its schema up to date and asserts what intake relies on: every commit is synced
    /// before it returns. An SQLite file with rows in it is copied beside itself before its schema changes. A schema of a
    /// later version is refused ([`StoreError::Newer`]). Opening twice from two processes is safe.
    pub async fn open(target: &Target, options: &Options) -> Result<Self, StoreError> {
        let db = Self::connect(target, options).await?;
        schema::migrate(&db.pools, options.backups.as_deref()).await?;
        db.assert_durable().await?;
        Ok(db)
    }

    /// Begins a transaction that may write. On SQLite there is one at a time, others wait their turn in order.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match &self.pools {
            // A transaction that reads before it writes cannot be made to wait by SQLite when somebody else wrote in
            // between: it fails. Taking the lock at once is what makes the busy timeout apply.
            Pools::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Tx::Postgres(begin(pool, "BEGIN").await?),
        })
    }

    /// Begins a transaction that only reads: all its statements see one and the same instant. A write in it fails.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Pools::Postgres(pool) => {
                Tx::Postgres(begin(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        })
    }

    /// Whether several processes share it: leases then end by time alone.
    pub fn is_shared(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// The engine's name, for `doctor` and the logs.
    pub fn engine(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres(_) => "postgres",
        }
    }

    /// Writes a copy of an SQLite database to `path`, which must not exist, while work goes on; the copy is whole and
    /// compact. Fails on PostgreSQL, which is backed up with its own `pg_dump`.
    pub async fn backup(&self, path: &Path) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => copy_to(readers, path).await,
            Pools::Postgres(_) => {
                Err(StoreError::Other { what: "a PostgreSQL database is backed up with its own pg_dump".to_owned() })
            }
        }
    }

    /// Moves what the write-ahead log of SQLite holds into the database and empties it; for quiet hours. Nothing on
    /// PostgreSQL, nothing while somebody reads.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        if let Pools::Sqlite { writer, .. } = &self.pools {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(writer).await?;
        }
        Ok(())
    }

    /// Has SQLite count anew where its statistics are far from the truth, over at most a thousand rows an index: a desk that
    /// never stops would go on planning for the size it began with. Nothing on PostgreSQL, which does so by itself.
    pub async fn refresh_statistics(&self) -> Result<(), StoreError> {
        if let Pools::Sqlite { writer, .. } = &self.pools {
            sqlx::query("PRAGMA analysis_limit = 1000").execute(writer).await?;
            sqlx::query("PRAGMA optimize").execute(writer).await?;
        }
        Ok(())
    }

    /// Tests a database for damage; the findings, none when it is whole. Long on large ones. Nothing on PostgreSQL (see
    /// its `pg_amcheck`).
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let Pools::Sqlite { readers, .. } = &self.pools else { return Ok(Vec::new()) };
        let mut found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(readers).await?;
        found.retain(|finding| finding != "ok");
        Ok(found)
    }

    /// Closes all connections, waiting for those in use. Further calls fail.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) async fn connect(target: &Target, options: &Options) -> Result<Self, StoreError> {
        let pools = match target {
            Target::Sqlite(path) => {
                make_private(path)?;
                let writer = sqlite_pool(options, 1).connect_with(writer_options(path)).await?;
                let readers = sqlite_pool(options, 4).connect_lazy_with(reader_options(path));
                Pools::Sqlite { writer, readers, path: path.clone() }
            }
            Target::Postgres(address) => {
                let connect: PgConnectOptions = address.parse::<PgConnectOptions>().map_err(|error| {
                    // The address may hold a password: only the parser's own words.
                    StoreError::Other { what: format!("the address of the database: {error}") }
                })?;
                let connect = connect
                    .application_name("guichet")
                    .options([("idle_in_transaction_session_timeout", "60s")])
                    .disable_statement_logging();
                let pool =
                    PoolOptions::new().max_connections(options.connections.max(2)).acquire_timeout(options.patience);
                Pools::Postgres(pool.connect_with(connect).await?)
            }
        };
        Ok(Self { pools })
    }

    async fn assert_durable(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(writer).await?;
                let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(writer).await?;
                let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(writer).await?;
                if synchronous != 2 || journal != "wal" || foreign_keys != 1 {
                    let what = format!("synchronous={synchronous} journal_mode={journal} foreign_keys={foreign_keys}");
                    return Err(StoreError::Unsafe { what });
                }
            }
            Pools::Postgres(pool) => {
                let commit: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(pool).await?;
                if commit == "off" {
                    return Err(StoreError::Unsafe { what: "synchronous_commit=off".to_owned() });
                }
            }
        }
        Ok(())
    }
}

impl Tx {
    /// Makes all of it durable. When this fails, nobody knows whether it was: do the work again by its keys.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Undoes all of it. An error says that the connection is gone; what was written is undone all the same.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => {
                // A full disk makes SQLite roll back by itself, after which there is nothing to undo: it says so, and the
                // connection is thrown away when it comes back to the pool.
                if let Err(error) = tx.rollback().await {
                    tracing::debug!(%error, "the transaction was rolled back already");
                }
            }
            Self::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }

    /// Marks a point to which [`Tx::undo_to_savepoint`] goes back. One at a time.
    pub async fn savepoint(&mut self) -> Result<(), StoreError> {
        on!(self, c => sqlx::query("SAVEPOINT item").execute(c).await?.rows_affected());
        Ok(())
    }

    /// Keeps what was done since the savepoint and forgets the mark.
    pub async fn keep_savepoint(&mut self) -> Result<(), StoreError> {
        on!(self, c => sqlx::query("RELEASE SAVEPOINT item").execute(c).await?.rows_affected());
        Ok(())
    }

    /// Undoes what was done since the savepoint, also after a failed statement, and forgets the mark.
    pub async fn undo_to_savepoint(&mut self) -> Result<(), StoreError> {
        on!(self, c => sqlx::query("ROLLBACK TO SAVEPOINT item").execute(c).await?.rows_affected());
        self.keep_savepoint().await
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// Begins a transaction in a task of its own. When whoever waits gives up in between, sqlx takes the connection for one
/// without a transaction, and the next to write on it would find itself in this one, which may only read; a task is not
/// given up.
async fn begin(pool: &PgPool, statement: &'static str) -> Result<Transaction<'static, Postgres>, StoreError> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await }).await;
    Ok(begun.map_err(|error| StoreError::Other { what: error.to_string() })??)
}

/// Copies an SQLite database into a new file.
pub(crate) async fn copy_to(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    if path.exists() {
        return Err(StoreError::Other { what: format!("{} exists already", path.display()) });
    }
    make_private(path)?;
    sqlx::query("VACUUM INTO $1").bind(path.to_string_lossy().into_owned()).execute(pool).await?;
    let synced = async { tokio::fs::File::open(path).await?.sync_all().await };
    synced.await.map_err(|error| StoreError::Other { what: format!("{}: {error}", path.display()) })
}

fn sqlite_pool(options: &Options, connections: u32) -> PoolOptions<Sqlite> {
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.patience)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_release(|connection: &mut SqliteConnection, _| {
            Box::pin(async move {
                // Waits for a rollback that is on its way. When SQLite had rolled back by itself (a full disk does that),
                // the driver still believes in the transaction and would begin none ever after: such a connection goes.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
}

fn writer_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL loses every acknowledged row of the last minutes when the power fails.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-8192")
        // A page that several batches change is moved into the database once: at four times the default intake is an
        // eighth faster, and the log of 16 MiB is still read back at once after a crash.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864")
        .optimize_on_close(true, 1000)
        .statement_cache_capacity(400)
        // Rows of one answer that may wait: with fewer the driver's thread and ours take turns at every few of them.
        .row_buffer_size(1024)
        .disable_statement_logging()
}

fn reader_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-2048")
        .disable_statement_logging()
}

/// Makes the file for its owner alone before SQLite would make it for everybody: it holds what people wrote. The files
/// SQLite puts beside it take over its permissions.
fn make_private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            let what = format!("{}: {error}", path.display());
            Err(match error.kind() {
                std::io::ErrorKind::StorageFull => StoreError::Full { what },
                std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                    StoreError::ReadOnly { what }
                }
                _ => StoreError::Other { what },
            })
        }
        _ => Ok(()),
    }
}
