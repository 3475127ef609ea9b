//! Every test runs on SQLite, and on PostgreSQL when `GUICHET_POSTGRES_URL` names a database to work in.

mod built;
mod console;
mod conversation;
mod desk;
mod disk;
mod flood;
mod grown;
mod intake;
mod make;
mod outbox;
mod record;
mod schema;

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Db, Options, Target, Tx};

/// Makes each test of a module twice, once an engine.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&$crate::tests::World::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(world) = $crate::tests::World::postgres().await {
                    super::$name(&world).await;
                }
            })*
        }
    };
}
pub(crate) use on_both_engines;

/// A database of one test's own.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) target: Target,
    place: Place,
}

enum Place {
    Folder(tempfile::TempDir),
    Schema { address: String, name: String },
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let (target, place) = Self::empty_sqlite();
        let db = Db::open(&target, &Options::default()).await.unwrap();
        Self { db, target, place }
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let (target, place) = Self::empty_postgres().await?;
        let db = Db::open(&target, &Options { connections: 8, ..Options::default() }).await.unwrap();
        Some(Self { db, target, place })
    }

    /// Without a schema.
    pub(crate) async fn empty(postgres: bool) -> Option<Self> {
        let (target, place) = if postgres { Self::empty_postgres().await? } else { Self::empty_sqlite() };
        let db = Db::connect(&target, &Options { connections: 4, ..Options::default() }).await.unwrap();
        Some(Self { db, target, place })
    }

    pub(crate) async fn write(&self) -> Tx {
        self.db.write().await.unwrap()
    }

    pub(crate) async fn read(&self) -> Tx {
        self.db.read().await.unwrap()
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        match &self.place {
            Place::Folder(folder) => folder.path(),
            Place::Schema { .. } => panic!("only SQLite has a folder"),
        }
    }

    fn empty_sqlite() -> (Target, Place) {
        let folder = tempfile::tempdir().unwrap();
        (Target::Sqlite(folder.path().join("guichet.db")), Place::Folder(folder))
    }

    async fn empty_postgres() -> Option<(Target, Place)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(address) = std::env::var("GUICHET_POSTGRES_URL") else {
            static ONCE: std::sync::Once = std::sync::Once::new();
            ONCE.call_once(|| {
                skipped(
                    "the store on PostgreSQL: set GUICHET_POSTGRES_URL to a database whose owner may create schemas",
                );
            });
            return None;
        };
        let name = format!("guichet_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        statement(&address, &format!("CREATE SCHEMA {name}")).await;
        let joint = if address.contains('?') { '&' } else { '?' };
        let target = Target::Postgres(format!("{address}{joint}options[search_path]={name}"));
        Some((target, Place::Schema { address, name }))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Place::Schema { address, name } = &self.place {
            let (address, name) = (address.clone(), name.clone());
            let clean = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(statement(&address, &format!("DROP SCHEMA {name} CASCADE")));
            });
            clean.join().unwrap();
        }
    }
}

/// Says on the real standard error, which the test runner does not hold back, what was not tested.
pub(crate) fn skipped(why: &str) {
    writeln!(std::io::stderr(), "skipped: {why}").unwrap();
}

async fn statement(address: &str, sql: &str) {
    use sqlx::{AssertSqlSafe, Connection as _};
    let mut connection = sqlx::PgConnection::connect(address).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
