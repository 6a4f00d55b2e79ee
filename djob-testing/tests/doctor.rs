//! The doctor on real databases, each brought into the state that a check is for; where a statement is the fix, it is run.

use std::time::Duration;

use djob::sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use djob::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _, Row as _};
use djob::storage::{Cursor, Known, LaneAt, WorkerInfo};
use djob::{Client, Finding, Verdict, Worker, job};
use djob_servers::{Durability, MariaDb, Postgres};
use djob_testing::{TestDatabase, on_every_database};
use uuid::Uuid;

#[job(queue = "mail")]
async fn send(user_id: i64) {
    let _ = user_id;
}

#[job]
async fn another() {}

async fn examined(client: &Client, check: &str) -> Finding {
    let findings = client.examine().await.unwrap();
    let names: Vec<_> = findings.iter().map(|finding| finding.check).collect();
    let found = findings.iter().find(|finding| finding.check == check).cloned();
    found.unwrap_or_else(|| panic!("no {check} among {names:?}"))
}

/// Checks that one check finds this, by the beginning of what it found.
#[track_caller]
fn finds(finding: &Finding, verdict: Verdict, beginning: &str) {
    assert!(finding.verdict == verdict && finding.found.starts_with(beginning), "{finding:#?}");
}

/// Those that are not well.
fn not_well(findings: &[Finding]) -> Vec<(&str, &str)> {
    let bad = findings.iter().filter(|finding| finding.verdict != Verdict::Ok);
    bad.map(|finding| (finding.check, finding.found.as_str())).collect()
}

/// The text that fits this database.
fn on<'a>(db: &TestDatabase, sqlite: &'a str, postgres: &'a str, mysql: &'a str) -> &'a str {
    match db.client().storage().database() {
        "SQLite" => sqlite,
        "PostgreSQL" => postgres,
        _ => mysql,
    }
}

/// Moves a time in a table an hour back.
async fn hour_ago(db: &TestDatabase, table: &str, column: &str) {
    let hour = on(db, "3600000000", "interval '1 hour'", "3600000000");
    db.execute(&format!("update {table} set {column} = {column} - {hour}")).await.unwrap();
}

async fn join(db: &TestDatabase, queues: &[&str], kinds: &[&str]) -> Uuid {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let worker = WorkerInfo {
        id: Uuid::now_v7(),
        name: "w".into(),
        host: "h".into(),
        pid: 1,
        queues: owned(queues),
        kinds: kinds.iter().map(|kind| Known { kind: (*kind).to_owned(), version: 1 }).collect(),
        concurrency: 1,
    };
    db.client().storage().join(&worker).await.unwrap();
    worker.id
}

// ---- every database ----

// What a server without durability is, and nothing else.
const THROW_AWAY: [&str; 6] = [
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "innodb_flush_log_at_trx_commit",
    "innodb_doublewrite",
    "file",
];

on_every_database!(
    a_healthy_database_shows_no_danger_but_that_it_is_thrown_away,
    async |db: TestDatabase| {
        let findings = db.client().examine().await.unwrap();
        for finding in &findings {
            let well =
                finding.verdict == Verdict::Ok || finding.check == "role" || finding.check == "connections";
            assert!(well || THROW_AWAY.contains(&finding.check), "{finding:#?}");
            assert_eq!(finding.why.is_none(), finding.verdict == Verdict::Ok, "{finding:#?}");
        }
        let expected = match db.client().storage().database() {
            "PostgreSQL" => 25,
            "MySQL" => 18,
            _ if findings.iter().any(|finding| finding.check == "integrity") => 13,
            _ => 9,
        };
        assert_eq!(findings.len(), expected, "a check has nothing to say: {findings:#?}");
    }
);

on_every_database!(a_dropped_index_is_named_and_its_fix_makes_it_anew, async |db: TestDatabase| {
    let drop = on(
        &db,
        "drop index djob_jobs_lane",
        "drop index djob_jobs_lane",
        "drop index djob_jobs_lane on djob_jobs",
    );
    db.execute(drop).await.unwrap();
    let found = examined(db.client(), "indexes").await;
    finds(&found, Verdict::Danger, "missing: djob_jobs_lane");
    // Within a transaction an index cannot be made concurrently.
    db.execute(&found.fix.unwrap().replace(" concurrently", "")).await.unwrap();
    finds(&examined(db.client(), "indexes").await, Verdict::Ok, "all ");
});

on_every_database!(a_column_that_is_gone_is_named_and_its_fix_brings_it_back, async |db: TestDatabase| {
    db.execute("alter table djob_jobs drop column max_attempts").await.unwrap();
    let found = examined(db.client(), "tables").await;
    finds(&found, Verdict::Danger, "missing: djob_jobs.max_attempts");
    db.execute(&found.fix.unwrap()).await.unwrap();
    finds(&examined(db.client(), "tables").await, Verdict::Ok, "all ");
});

on_every_database!(a_table_that_is_gone_spoils_no_other_check, async |db: TestDatabase| {
    db.execute("drop table djob_workers").await.unwrap();
    finds(&examined(db.client(), "tables").await, Verdict::Danger, "missing: djob_workers");
    finds(&examined(db.client(), "workers").await, Verdict::Unknown, "could not be looked at: ");
    finds(&examined(db.client(), "parked").await, Verdict::Ok, "none");
});

on_every_database!(tables_too_new_for_this_program_are_a_finding_and_no_error, async |db: TestDatabase| {
    let checksum = on(&db, "x'00'", "'\\x00'", "x'00'");
    let ahead = "insert into _djob_migrations (version, description, success, checksum, execution_time)";
    db.execute(&format!("{ahead} values (9999, 'later', true, {checksum}, 0)")).await.unwrap();
    finds(
        &examined(db.client(), "schema").await,
        Verdict::Ok,
        "version 9999, on which this program, which knows ",
    );
    db.execute("update djob_schema set oldest = 9999").await.unwrap();
    let found = "version 9999, on which a program must know 9999, and this one knows only ";
    finds(&examined(db.client(), "schema").await, Verdict::Danger, found);
});

on_every_database!(a_claim_of_a_worker_that_is_gone_is_an_orphan, async |db: TestDatabase| {
    let worker = join(&db, &["*"], &["send"]).await;
    send.perform_later(7).on(db.client()).await.unwrap();
    let lane = LaneAt { queue: "mail".into(), priority: 0, after: Cursor::HEAD };
    assert_eq!(db.client().storage().claim(worker, &[lane], 1, None).await.unwrap().len(), 1);
    finds(&examined(db.client(), "claims").await, Verdict::Ok, "1, each with a worker that lives");
    hour_ago(&db, "djob_workers", "beat_at").await;
    finds(
        &examined(db.client(), "claims").await,
        Verdict::Danger,
        "1 claim of workers that are gone, for up to 1h",
    );
    db.execute("delete from djob_workers").await.unwrap();
    finds(&examined(db.client(), "claims").await, Verdict::Ok, "1, each with a worker that lives or");
    hour_ago(&db, "djob_claims", "claimed_at").await;
    finds(
        &examined(db.client(), "claims").await,
        Verdict::Danger,
        "1 claim of workers that are gone, for up to 1h",
    );
});

on_every_database!(jobs_that_wait_for_long_without_a_worker_are_a_danger, async |db: TestDatabase| {
    send.perform_later(7).on(db.client()).await.unwrap();
    finds(&examined(db.client(), "workers").await, Verdict::Ok, "none lives; a job has been due for ");
    hour_ago(&db, "djob_jobs", "run_at").await;
    finds(
        &examined(db.client(), "workers").await,
        Verdict::Danger,
        "none lives, and a job has been due for 1h",
    );
    finds(
        &examined(db.client(), "waiting").await,
        Verdict::Warning,
        "the oldest ready job has waited 1h, in queue mail",
    );
});

on_every_database!(kinds_and_queues_that_nobody_serves_are_named, async |db: TestDatabase| {
    send.perform_later(7).on(db.client()).await.unwrap();
    another.perform_later().delay(Duration::from_secs(3600)).on(db.client()).await.unwrap();
    join(&db, &["default"], &["another"]).await;
    finds(&examined(db.client(), "kinds").await, Verdict::Warning, "no living worker knows send");
    finds(&examined(db.client(), "queues").await, Verdict::Warning, "no living worker serves mail");
    hour_ago(&db, "djob_jobs", "run_at").await;
    finds(&examined(db.client(), "kinds").await, Verdict::Danger, "no living worker knows send, for 1h");
    finds(&examined(db.client(), "queues").await, Verdict::Danger, "no living worker serves mail, for 1h");
    join(&db, &["*"], &["send"]).await;
    finds(&examined(db.client(), "kinds").await, Verdict::Ok, "");
    finds(&examined(db.client(), "queues").await, Verdict::Ok, "");
});

on_every_database!(parked_jobs_are_counted_by_reason, async |db: TestDatabase| {
    send.perform_later(7).on(db.client()).await.unwrap();
    Worker::new(db.client()).only([another.def()]).work_off().await.unwrap();
    finds(&examined(db.client(), "parked").await, Verdict::Warning, "1 unknown_kind");
});

on_every_database!(nothing_is_changed, async |db: TestDatabase| {
    send.perform_later(7).on(db.client()).await.unwrap();
    let before = db.client().examine().await.unwrap();
    let names = |findings: &[Finding]| findings.iter().map(|f| (f.check, f.verdict)).collect::<Vec<_>>();
    assert_eq!(names(&before), names(&db.client().examine().await.unwrap()));
    assert_eq!(db.count("select count(*) from djob_jobs").await.unwrap(), 1);
    assert_eq!(db.count("select count(*) from djob_workers").await.unwrap(), 0);
});

#[tokio::test]
async fn tables_that_were_never_made_are_an_error() {
    let error = djob::connect("sqlite::memory:").await.unwrap().examine().await.unwrap_err();
    assert!(error.is_schema(), "{error}");
}

// ---- SQLite ----

#[tokio::test]
async fn a_database_in_memory_is_said_to_be_gone_with_its_process() {
    let db = TestDatabase::sqlite_memory().await;
    finds(&examined(db.client(), "file").await, Verdict::Danger, "none: the database is in memory");
}

#[tokio::test]
async fn a_pool_that_commits_without_waiting_for_the_disk_is_a_danger() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("jobs.db")).create_if_missing(true);
    for (level, verdict, found) in [
        (SqliteSynchronous::Full, Verdict::Ok, "full"),
        (SqliteSynchronous::Normal, Verdict::Danger, "normal on the pool that djob was given"),
        (SqliteSynchronous::Off, Verdict::Danger, "off on the pool that djob was given"),
    ] {
        let pool = sqlx::SqlitePool::connect_lazy_with(options.clone().synchronous(level));
        let client = Client::builder().sqlite(pool).await.unwrap();
        client.migrate().await.unwrap();
        finds(&examined(&client, "synchronous").await, verdict, found);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_in_wal_mode_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    // This way of locking has no shared memory.
    let url = format!("sqlite://{}?vfs=unix-dotfile", folder.path().join("jobs.db").display());
    let client = djob::connect(&url).await.unwrap();
    client.migrate().await.unwrap();
    finds(&examined(&client, "journal_mode").await, Verdict::Warning, "delete");
}

#[tokio::test]
async fn a_damaged_page_is_a_danger() {
    use std::io::{Seek as _, SeekFrom, Write as _};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.db");
    let url = format!("sqlite://{}", file.display());
    let client = djob::connect(&url).await.unwrap();
    client.migrate().await.unwrap();
    finds(&examined(&client, "integrity").await, Verdict::Ok, "quick_check finds nothing");
    let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
    conn.execute("pragma wal_checkpoint(truncate)").await.unwrap();
    let page = "select rootpage from sqlite_schema where name = 'djob_parked_reason'";
    let page: i64 = conn.fetch_one(page).await.unwrap().get(0);
    let size: i64 = conn.fetch_one("select page_size from pragma_page_size").await.unwrap().get(0);
    let mut raw = std::fs::File::options().write(true).open(&file).unwrap();
    raw.seek(SeekFrom::Start(u64::try_from((page - 1) * size).unwrap())).unwrap();
    raw.write_all(&[0xff; 512]).unwrap();
    // What a connection has read it may remember.
    let other = djob::connect(&url).await.unwrap();
    let found = examined(&other, "integrity").await;
    assert_eq!(found.verdict, Verdict::Danger, "{found:#?}");
}

// ---- PostgreSQL ----

#[tokio::test]
async fn a_transaction_that_holds_a_snapshot_is_seen_while_it_is_open() {
    let db = TestDatabase::postgres().await;
    finds(&examined(db.client(), "transactions").await, Verdict::Ok, "none is open");
    let mut tx = db.begin().await.unwrap();
    tx.execute("set transaction isolation level repeatable read").await.unwrap();
    tx.count("select count(*) from djob_jobs").await.unwrap();
    finds(&examined(db.client(), "transactions").await, Verdict::Ok, "the longest has been open for ");
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn tables_and_indexes_that_are_not_as_they_were_made_are_named_and_the_fix_helps() {
    let db = TestDatabase::postgres().await;
    for (check, wrong, verdict) in [
        ("logged", "alter table djob_claims set unlogged", Verdict::Danger),
        ("autovacuum", "alter table djob_jobs set (autovacuum_enabled = off)", Verdict::Warning),
        (
            "indexes",
            "update pg_index set indisvalid = false where indexrelid = 'djob_jobs_lane'::regclass",
            Verdict::Danger,
        ),
        ("tables", "alter table djob_attempts drop constraint djob_attempts_pkey", Verdict::Danger),
    ] {
        assert_eq!(examined(db.client(), check).await.verdict, Verdict::Ok);
        db.execute(wrong).await.unwrap();
        let found = examined(db.client(), check).await;
        assert_eq!(found.verdict, verdict, "{found:#?}");
        db.execute(&found.fix.unwrap().replace(" concurrently", "")).await.unwrap();
        finds(&examined(db.client(), check).await, Verdict::Ok, "");
    }
    db.execute("drop function djob_claim_in_turn").await.unwrap();
    finds(&examined(db.client(), "tables").await, Verdict::Danger, "missing: djob_claim_in_turn");
}

#[tokio::test]
async fn a_schema_and_a_prefix_of_its_own_are_looked_into() {
    let db = TestDatabase::postgres().await;
    let client = db.client_with(Client::builder().schema("jobs").prefix("bg_")).await;
    client.migrate().await.unwrap();
    finds(&examined(&client, "tables").await, Verdict::Ok, "all ");
    finds(&examined(&client, "indexes").await, Verdict::Ok, "all ");
    db.execute("drop index jobs.bg_jobs_lane").await.unwrap();
    let found = examined(&client, "indexes").await;
    let fix = "create index concurrently bg_jobs_lane on jobs.bg_jobs (queue, priority, run_at, id)";
    assert_eq!(found.fix.as_deref(), Some(fix));
    finds(&examined(db.client(), "indexes").await, Verdict::Ok, "all ");
}

#[tokio::test]
async fn what_a_role_may_not_see_is_said_with_the_grant_that_shows_it() {
    let db = TestDatabase::postgres().await;
    let role = format!("stranger_{}", Uuid::now_v7().simple());
    db.execute(&format!("create role {role} login")).await.unwrap();
    let client = djob::connect(&db.url().replace("postgres@", &format!("{role}@"))).await.unwrap();
    for (check, grant) in [
        (
            "schema",
            format!("grant select on _djob_migrations to {role}; grant select on djob_schema to {role}"),
        ),
        ("parked", format!("grant select on djob_parked to {role}")),
        ("claims", format!("grant select on djob_claims to {role}; grant select on djob_workers to {role}")),
    ] {
        let found = examined(&client, check).await;
        finds(&found, Verdict::Unknown, "could not be looked at: the database refused: permission denied");
        assert_eq!(found.fix.as_ref(), Some(&grant));
        for one in grant.split("; ") {
            db.execute(one).await.unwrap();
        }
        finds(&examined(&client, check).await, Verdict::Ok, "");
    }
    let mut tx = db.begin().await.unwrap();
    tx.count("select count(*) from djob_jobs").await.unwrap();
    let found = examined(&client, "transactions").await;
    finds(&found, Verdict::Unknown, "could not be looked at: ");
    assert_eq!(found.fix, Some(format!("grant pg_read_all_stats to {role}")));
    tx.rollback().await.unwrap();
    db.execute(&format!("drop owned by {role}")).await.unwrap();
    db.execute(&format!("drop role {role}")).await.unwrap();
}

/// One server for all that is set for a whole server.
#[tokio::test]
async fn a_postgres_that_is_set_right_is_all_ok_and_each_wrong_setting_is_named() {
    let mut server = tokio::task::spawn_blocking(|| Postgres::start(Durability::On)).await.unwrap().unwrap();
    let mut admin = sqlx::PgConnection::connect(&server.url()).await.unwrap();
    for sql in [
        "create role app login",
        "create database app owner app",
        "alter system set max_prepared_transactions = 5",
    ] {
        admin.execute(sql).await.unwrap();
    }
    drop(admin);
    let server =
        tokio::task::spawn_blocking(move || server.restart().map(|()| server)).await.unwrap().unwrap();
    let (as_app, as_admin) =
        (server.url_for("app").replace("user=postgres", "user=app"), server.url_for("app"));
    let client = djob::connect(&as_app).await.unwrap();
    client.migrate().await.unwrap();
    assert_eq!(not_well(&client.examine().await.unwrap()), []);

    let superuser = djob::connect(&as_admin).await.unwrap();
    finds(&examined(&superuser, "role").await, Verdict::Warning, "postgres is a superuser");
    let mut admin = sqlx::PgConnection::connect(&as_admin).await.unwrap();
    for (check, wrong, verdict) in [
        ("synchronous_commit", "alter database app set synchronous_commit = off", Verdict::Danger),
        (
            "full_page_writes",
            "alter system set full_page_writes = off; select pg_reload_conf()",
            Verdict::Danger,
        ),
        ("read_only", "alter role app set default_transaction_read_only = on", Verdict::Danger),
        ("statement_timeout", "alter role app set statement_timeout = '1s'", Verdict::Warning),
        ("autovacuum", "alter system set autovacuum = off; select pg_reload_conf()", Verdict::Warning),
        ("replication_slots", "select pg_create_physical_replication_slot('gone', true)", Verdict::Warning),
    ] {
        run_each(&mut admin, wrong).await;
        let found = eventually(&as_app, check, |finding| finding.verdict == verdict).await;
        run_each(&mut admin, &found.fix.unwrap()).await;
        eventually(&as_app, check, |finding| finding.verdict == Verdict::Ok).await;
    }

    admin.execute("begin; insert into djob_queues values ('q'); prepare transaction 'pay-7'").await.unwrap();
    finds(&examined(&client, "prepared_transactions").await, Verdict::Ok, "1, the oldest for ");
    admin.execute("rollback prepared 'pay-7'").await.unwrap();
    finds(&examined(&client, "prepared_transactions").await, Verdict::Ok, "none");
}

/// `alter system` is not for transactions, which several statements at once are.
async fn run_each(conn: &mut sqlx::PgConnection, statements: &str) {
    for statement in statements.split("; ") {
        conn.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }
}

/// A server takes a moment to read its settings anew, each connection has those with which it began, and MariaDB shows the
/// same list of transactions to all who ask within 100 ms of each other.
async fn eventually(url: &str, check: &str, seen: impl Fn(&Finding) -> bool) -> Finding {
    let mut last = None;
    for _ in 0..50 {
        let finding = examined(&djob::connect(url).await.unwrap(), check).await;
        if seen(&finding) {
            return finding;
        }
        last = Some(finding);
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    panic!("{check} stays {last:#?}")
}

// ---- MariaDB ----

#[tokio::test]
async fn a_procedure_that_a_dump_has_left_out_is_named() {
    let db = TestDatabase::mysql().await;
    // MySQL prepares no such statement.
    let mut conn = sqlx::MySqlConnection::connect(db.url()).await.unwrap();
    conn.execute("drop procedure djob_lanes").await.unwrap();
    let refused = db.client().storage().lanes((0, 0)).await.unwrap_err();
    assert!(refused.to_string().contains("--routines"), "{refused}");
    finds(&examined(db.client(), "tables").await, Verdict::Danger, "missing: djob_lanes");
}

#[tokio::test]
async fn a_table_of_an_engine_without_transactions_is_named_and_the_fix_helps() {
    let db = TestDatabase::mysql().await;
    db.execute("alter table djob_jobs engine = MyISAM").await.unwrap();
    let found = examined(db.client(), "engine").await;
    finds(&found, Verdict::Danger, "djob_jobs is MyISAM");
    db.execute(&found.fix.unwrap()).await.unwrap();
    finds(&examined(db.client(), "engine").await, Verdict::Ok, "InnoDB");
}

#[tokio::test]
async fn what_a_user_may_not_see_is_said_with_the_grant_that_shows_it() {
    let db = TestDatabase::mysql().await;
    let user = format!("u{}", &Uuid::now_v7().simple().to_string()[16..]);
    db.execute(&format!("create user {user}@localhost")).await.unwrap();
    for table in ["_djob_migrations", "djob_schema"] {
        db.execute(&format!("grant select on {table} to {user}@localhost")).await.unwrap();
    }
    let client = djob::connect(&db.url().replace("root@", &format!("{user}@"))).await.unwrap();
    let tables = examined(&client, "tables").await;
    finds(&tables, Verdict::Unknown, "could not be looked at: djob_jobs, djob_args");
    let grants = format!("grant select on djob_jobs to '{user}'@'localhost'; grant select on djob_args to ");
    let fix = tables.fix.unwrap();
    let execute = format!("grant execute on procedure djob_lanes to '{user}'@'localhost'");
    assert!(fix.starts_with(&grants) && fix.contains(&execute), "{fix}");
    for (check, right) in [("parked", "select on djob_parked"), ("transactions", "process on *.*")] {
        let found = examined(&client, check).await;
        finds(&found, Verdict::Unknown, "could not be looked at: the database refused: ");
        let grant = format!("grant {right} to '{user}'@'localhost'");
        assert_eq!(found.fix.as_ref(), Some(&grant));
        db.execute(&grant).await.unwrap();
        let again = djob::connect(&db.url().replace("root@", &format!("{user}@"))).await.unwrap();
        assert_eq!(examined(&again, check).await.verdict, Verdict::Ok);
    }
    for statement in fix.split("; ") {
        db.execute(statement).await.unwrap();
    }
    let again = djob::connect(&db.url().replace("root@", &format!("{user}@"))).await.unwrap();
    finds(&examined(&again, "tables").await, Verdict::Ok, "all ");
    db.execute(&format!("drop user {user}@localhost")).await.unwrap();
}

/// One server for all that is set for a whole server.
#[tokio::test]
async fn a_mariadb_that_is_set_right_is_all_ok_and_each_wrong_setting_is_named() {
    let server = tokio::task::spawn_blocking(|| MariaDb::start(Durability::On)).await.unwrap().unwrap();
    let mut admin = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    admin.execute("create database app").await.unwrap();
    let client = djob::connect(&server.url_for("app")).await.unwrap();
    client.migrate().await.unwrap();
    assert_eq!(not_well(&client.examine().await.unwrap()), []);

    for (check, wrong, right, found) in [
        (
            "innodb_flush_log_at_trx_commit",
            "set global innodb_flush_log_at_trx_commit = 2",
            "set global innodb_flush_log_at_trx_commit = 1",
            "2",
        ),
        ("read_only", "set global read_only = 1", "set global read_only = 0", "read_only is on"),
    ] {
        admin.execute(wrong).await.unwrap();
        let finding = examined(&client, check).await;
        finds(&finding, Verdict::Danger, found);
        assert!(finding.fix.as_ref().unwrap().contains(right), "{finding:#?}");
        admin.execute(right).await.unwrap();
        finds(&examined(&client, check).await, Verdict::Ok, "");
    }
    admin.execute("set global max_connections = 10").await.unwrap();
    finds(&examined(&client, "connections").await, Verdict::Warning, "");

    let mut other = sqlx::MySqlConnection::connect(&server.url_for("app")).await.unwrap();
    for sql in ["xa start 'pay-7'", "insert into djob_queues values ('q', null)", "xa end 'pay-7'"] {
        sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
        finds(&examined(&client, "prepared_transactions").await, Verdict::Ok, "none");
    }
    let url = server.url_for("app");
    eventually(&url, "transactions", |finding| finding.found.starts_with("the longest has been open for "))
        .await;
    sqlx::raw_sql("xa prepare 'pay-7'").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let prepared =
        eventually(&url, "prepared_transactions", |finding| finding.verdict == Verdict::Warning).await;
    finds(&prepared, Verdict::Warning, "1, the oldest for ");
}
