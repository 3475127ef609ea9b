//! Both engines have the same tables, and come to them from any earlier version, with rows in them.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use super::World;
use crate::engine::{Pools, Tx};
use crate::schema::{POSTGRES, SQLITE, migrate_with};
use crate::{Db, Options, StoreError, known_version};

/// Every fixed statement of the crate, with its module.
pub(super) fn statements(postgres: bool) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut all = Vec::new();
    let mut add = |module, queries: &'static [(&'static str, &'static str)]| {
        all.extend(queries.iter().map(|(name, sql)| (module, *name, *sql)));
    };
    add("access", crate::access::ALL);
    add("agent", crate::agent::ALL);
    add("blob", crate::blob::ALL);
    add("board", crate::board::ALL);
    add("desktop", crate::desktop::ALL);
    add("conversation", crate::conversation::ALL);
    add("figures", crate::figures::ALL);
    add("idempotency", crate::idempotency::ALL);
    add("inbound", crate::inbound::ALL);
    add("keep", crate::keep::ALL);
    add("lease", crate::lease::ALL);
    add("requester", crate::requester::ALL);
    add("retention", crate::retention::ALL);
    add("ticket", crate::ticket::ALL);
    add("ticket_list", crate::ticket_list::ALL);
    add("timeline", crate::timeline::ALL);
    add("timer", crate::timer::ALL);
    add("trail", crate::trail::ALL);
    for queries in crate::intake::ALL {
        add("intake", queries);
    }
    for queries in crate::outbox::ALL {
        add("outbox", queries);
    }
    if postgres {
        add("outbox", crate::outbox::POSTGRES);
    }
    all
}

async fn prepare_all(world: &World) {
    let statements = statements(world.db.is_shared());
    assert!(statements.len() > 60, "the registry is not complete");
    for (module, name, sql) in statements {
        let mut tx = world.write().await;
        let prepared = match &mut tx {
            Tx::Sqlite(tx) => (&mut **tx).prepare(sql.into_sql_str()).await.map(|_| ()),
            Tx::Postgres(tx) => (&mut **tx).prepare(sql.into_sql_str()).await.map(|_| ()),
        };
        assert!(prepared.is_ok(), "{module}::{name}: {prepared:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_is_understood_by_sqlite() {
    prepare_all(&World::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_is_understood_by_postgresql() {
    if let Some(world) = World::postgres().await {
        prepare_all(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_of_every_day_reads_a_whole_table() {
    let world = World::sqlite().await;
    let Pools::Sqlite { writer, .. } = &world.db.pools else { panic!("this is SQLite") };
    let growing =
        ["attachment", "attempt", "blob", "entry", "entry_id", "explanation", "identity", "inbound", "inbox_key"]
            .into_iter()
            .chain([
                "outbox",
                "participant",
                "raw",
                "ticket",
                "timer",
                "transition",
                "candidate",
                "earlier",
                "idempotency",
            ]);
    let scans: Vec<String> = growing.map(|table| format!("SCAN {table}")).collect();
    for (module, name, sql) in statements(false) {
        // Figures are asked for by hand.
        if module == "figures" {
            continue;
        }
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(writer).await.unwrap();
        for (.., step) in plan {
            let whole =
                scans.iter().any(|scan| step == *scan || step.starts_with(&format!("{scan} USING INDEX sqlite")));
            assert!(!whole, "{module}::{name}: {step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_one_instant_and_cannot_write() {
    for postgres in [false, true] {
        let world = if postgres { World::postgres().await } else { Some(World::sqlite().await) };
        let Some(world) = world else { continue };
        super::make::opened(&world.db, &[1]).await;
        let mut tx = world.read().await;
        assert!(crate::ticket::load(&mut tx, super::make::ticket(1).id).await.unwrap().is_some());
        super::make::opened(&world.db, &[2]).await;
        assert!(crate::ticket::load(&mut tx, super::make::ticket(2).id).await.unwrap().is_none());
        let error = crate::keep::put_setting(&mut tx, "a", "b", super::make::NOW).await.unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::ReadOnly, "{error}");
    }
}

/// Table and column, with the type as both engines would call it and whether it may be empty.
async fn columns(db: &Db) -> BTreeMap<(String, String), (String, bool)> {
    let rows: Vec<(String, String, String, bool)> = match &db.pools {
        Pools::Sqlite { writer, .. } => {
            let sql = "SELECT t.name, c.name, c.type, c.\"notnull\" = 0 FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
                 WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '_sqlx%' \
                 AND t.name NOT LIKE 'search%'";
            sqlx::query_as(sql).fetch_all(writer).await.unwrap()
        }
        Pools::Postgres(pool) => {
            let sql = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
                 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '_sqlx%'";
            sqlx::query_as(sql).fetch_all(pool).await.unwrap()
        }
    };
    let common = |kind: &str| match kind {
        "bigint" | "boolean" => "INTEGER".to_owned(),
        "text" => "TEXT".to_owned(),
        "uuid" | "bytea" => "BLOB".to_owned(),
        other => other.to_owned(),
    };
    rows.into_iter().map(|(table, column, kind, empty)| ((table, column), (common(&kind), empty))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_have_the_same_tables() {
    let sqlite = columns(&World::sqlite().await.db).await;
    assert!(sqlite.len() > 150, "only {} columns", sqlite.len());
    if let Some(world) = World::postgres().await {
        assert_eq!(sqlite, columns(&world.db).await);
    }
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |migrations: &Migrator| -> Vec<_> {
        migrations.iter().map(|migration| (migration.version, migration.description.clone())).collect()
    };
    assert_eq!(names(&SQLITE), names(&POSTGRES));
}

/// The sample rows of one migration, as the engine writes keys and truth.
fn sample(version: i64, postgres: bool) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/samples");
    let mut sql = std::fs::read_to_string(folder.join(format!("{version:04}.sql"))).ok()?;
    for n in 1..=9_u8 {
        let key = format!("{n:032x}");
        let (uuid, hash) = if postgres {
            (format!("'{key}'"), format!("'\\x{key}{key}'"))
        } else {
            (format!("X'{key}'"), format!("X'{key}{key}'"))
        };
        sql = sql.replace(&format!("{{k{n}}}"), &uuid).replace(&format!("{{h{n}}}"), &hash);
    }
    let (yes, no) = if postgres { ("TRUE", "FALSE") } else { ("1", "0") };
    Some(sql.replace("{yes}", yes).replace("{no}", no))
}

async fn run(db: &Db, sql: String) {
    match &db.pools {
        Pools::Sqlite { writer, .. } => drop(sqlx::raw_sql(AssertSqlSafe(sql)).execute(writer).await.unwrap()),
        Pools::Postgres(pool) => drop(sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap()),
    }
}

/// Applies one migration after the other, putting rows in after each.
async fn migrate_with_rows(world: &World, postgres: bool) {
    let mut samples = 0;
    for migration in SQLITE.iter() {
        match &world.db.pools {
            Pools::Sqlite { writer, .. } => SQLITE.run_to(migration.version, writer).await.unwrap(),
            Pools::Postgres(pool) => POSTGRES.run_to(migration.version, pool).await.unwrap(),
        }
        if let Some(sql) = sample(migration.version, postgres) {
            run(&world.db, sql).await;
            samples += 1;
        }
    }
    assert!(samples > 0);
    let mut filled = 0;
    for table in columns(&world.db).await.into_keys().map(|(table, _)| table).collect::<std::collections::BTreeSet<_>>()
    {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let n: i64 = match &world.db.pools {
            Pools::Sqlite { writer, .. } => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(writer).await.unwrap(),
            Pools::Postgres(pool) => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap(),
        };
        assert!(n > 0, "no sample row in {table}");
        filled += 1;
    }
    assert!(filled > 20);
    let mut tx = world.write().await;
    let sample = guichet_domain::ids::TicketId(uuid::Uuid::from_u128(1));
    assert_eq!(crate::ticket::load(&mut tx, sample).await.unwrap().unwrap().subject, "On fire");
    assert!(crate::figures::discrepancies(&mut tx).await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_apply_to_an_sqlite_file_with_rows() {
    migrate_with_rows(&World::empty(false).await.unwrap(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_apply_to_a_postgresql_database_with_rows() {
    if let Some(world) = World::empty(true).await {
        migrate_with_rows(&world, true).await;
    }
}

/// Today's migrations and one more.
fn with_next(migrations: &Migrator) -> Migrator {
    let mut all: Vec<Migration> = migrations.iter().cloned().collect();
    let sql = "ALTER TABLE setting ADD COLUMN note TEXT".into_sql_str();
    all.push(Migration::new(known_version() + 1, "note".into(), MigrationType::Simple, sql, false));
    Migrator::with_migrations(all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_rows_is_copied_before_its_schema_changes() {
    let world = World::sqlite().await;
    super::make::opened(&world.db, &[1]).await;
    let next = (with_next(&SQLITE), with_next(&POSTGRES));
    migrate_with(&world.db.pools, [&next.0, &next.1], None).await.unwrap();
    let copy = world.folder().join(format!("guichet.db.schema-{}.0.backup", known_version()));
    let old = Db::open(&crate::Target::Sqlite(copy), &Options::default()).await.unwrap();
    let mut tx = old.read().await.unwrap();
    assert!(crate::ticket::load(&mut tx, super::make::ticket(1).id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_later_version_is_refused_in_clear_words() {
    for postgres in [false, true] {
        let Some(world) = World::empty(postgres).await else { continue };
        let next = (with_next(&SQLITE), with_next(&POSTGRES));
        migrate_with(&world.db.pools, [&next.0, &next.1], None).await.unwrap();
        let error = Db::open(&world.target, &Options::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found, known } if found == known + 1), "{error}");
        assert!(error.to_string().starts_with("the database has schema "), "{error}");
        assert!(error.remedy().starts_with("run the newer guichet"), "{}", error.remedy());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_may_make_the_schema_at_once() {
    for postgres in [false, true] {
        let Some(world) = World::empty(postgres).await else { continue };
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let target = world.target.clone();
            opening.spawn(async move { Db::open(&target, &Options { connections: 2, ..Options::default() }).await });
        }
        while let Some(opened) = opening.join_next().await {
            let db = opened.unwrap().unwrap();
            let mut tx = db.read().await.unwrap();
            assert!(crate::figures::tally(&mut tx).await.unwrap().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guichet.db");
    std::fs::write(&path, "this was somebody's shopping list, not a database".repeat(99)).unwrap();
    let error = Db::open(&crate::Target::Sqlite(path), &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Corrupt, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::sqlite().await;
    super::make::opened(&world.db, &[1]).await;
    let copy = world.folder().join("copy.db");
    world.db.backup(&copy).await.unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.path());
        seen += 1;
    }
    assert!(seen >= 3, "the database, its log, the copy");
}
