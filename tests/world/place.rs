//! Where a world is kept: a folder, and a database of its own on either engine.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use guichet_store::Target;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// Where a world is kept.
pub(super) struct Place {
    folder: tempfile::TempDir,
    schema: Option<Schema>,
}

/// A schema of one world's own, dropped with it.
struct Schema {
    address: String,
    name: String,
}

impl Place {
    /// On SQLite.
    pub(super) fn sqlite() -> Self {
        Self { folder: folder(), schema: None }
    }

    /// On PostgreSQL; `None`, said loudly once, when there is none to work in.
    pub(super) async fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(address) = std::env::var("GUICHET_POSTGRES_URL") else {
            static ONCE: std::sync::Once = std::sync::Once::new();
            let why = "the simulated world on PostgreSQL: set GUICHET_POSTGRES_URL to a database whose owner may create schemas";
            ONCE.call_once(|| writeln!(std::io::stderr(), "skipped: {why}").unwrap());
            return None;
        };
        let name = format!("guichet_world_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        on_postgres(&address, &format!("CREATE SCHEMA {name}")).await;
        let schema = Some(Schema { address, name });
        Some(Self { folder: folder(), schema })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn is_shared(&self) -> bool {
        self.schema.is_some()
    }

    pub(super) fn target(&self) -> Target {
        match &self.schema {
            None => Target::Sqlite(self.folder().join("guichet.db")),
            Some(schema) => Target::Postgres(schema.url()),
        }
    }

    /// Somebody changes the database by hand.
    pub(super) async fn by_hand(&self, sql: &str) {
        match &self.schema {
            None => {
                let url = format!("sqlite://{}", self.folder().join("guichet.db").display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Some(schema) => on_postgres(&schema.url(), sql).await,
        }
    }

    /// Makes the database refuse every entry whose text holds `word`, as a defect in the way it is written would.
    pub(super) async fn refuse_entries_with(&self, word: &str) {
        let rule = if self.schema.is_some() {
            format!("ALTER TABLE entry ADD CONSTRAINT refused CHECK (position('{word}' in text) = 0)")
        } else {
            format!(
                "CREATE TRIGGER refused BEFORE INSERT ON entry WHEN instr(NEW.text, '{word}') > 0 \
                 BEGIN SELECT RAISE(ABORT, 'no such entry may be'); END"
            )
        };
        self.by_hand(&rule).await;
    }
}

impl Schema {
    fn url(&self) -> String {
        let joint = if self.address.contains('?') { '&' } else { '?' };
        format!("{}{joint}options[search_path]={}", self.address, self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A story that failed leaves its connections, and perhaps locks; its schema stays to be looked at.
        if std::thread::panicking() {
            return;
        }
        let (address, name) = (self.address.clone(), self.name.clone());
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(on_postgres(&address, &format!("DROP SCHEMA {name} CASCADE")));
        });
        clean.join().unwrap();
    }
}

/// In memory where the machine offers that: these tests ask what is decided, the end-to-end ones what survives.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

async fn on_postgres(address: &str, sql: &str) {
    let mut connection = PgConnection::connect(address).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
