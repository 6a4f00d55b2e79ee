//! What a claim and a sweep read: the jobs that are taken and the heads of lanes, however much else lies in the same table. The
//! database itself counts: rows, or the instructions that they cost.

use super::naming::Naming;
use super::statement::Statement::{self, CLAIM, LANES};
use super::{Cursor, Storage};
use crate::clock::Clock;
use crate::job::{Due, JobId, Meta, NewJob};

/// How many jobs there are of each sort.
const EACH: usize = 1000;
/// How many are claimed.
const LIMIT: usize = 10;

/// The lane that is claimed from, jobs of it that are not due, a lane before and one behind it, and one of another queue.
/// Returns from where claims read on: the head of that lane, and a place behind a tenth of its jobs, which are all due at the
/// same instant.
async fn fill(storage: &impl Storage) -> [Cursor; 2] {
    storage.migrate().await.unwrap();
    let later = Due::In(std::time::Duration::from_secs(86_400));
    let mut tenth = None;
    for (queue, priority, due) in
        [("q", 0, Due::NOW), ("q", 0, later), ("q", -1, Due::NOW), ("q", 1, Due::NOW), ("p", 0, Due::NOW)]
    {
        let job = |_| NewJob {
            id_given: false,
            id: JobId::new(),
            kind: "k".into(),
            queue: queue.into(),
            priority,
            due,
            max_attempts: 25,
            args: "{}".into(),
            meta: Meta::default(),
        };
        let jobs: Vec<NewJob> = (0..EACH).map(job).collect();
        tenth.get_or_insert(jobs[EACH / 10].id);
        storage.enqueue(jobs).await.unwrap();
    }
    let tenth = storage.find(tenth.unwrap()).await.unwrap().unwrap();
    [Cursor::HEAD, Cursor { run_at: tenth.run_at, id: tenth.id }]
}

/// Each of the statements from each of the cursors.
fn asked(statements: &[Statement], cursors: [Cursor; 2]) -> impl Iterator<Item = (Statement, Cursor)> {
    statements.iter().flat_map(move |statement| cursors.map(|from| (*statement, from)))
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_claim_on_postgres_reads_the_jobs_that_it_takes_and_nothing_else() {
    use sqlx::postgres::PgConnection;
    use sqlx::{Connection as _, Executor as _, Row as _};

    use super::postgres::PostgresStorage;
    use super::statement::Statement::CLAIM_IN_TURN;

    /// How many rows this session has read in scans of the table, and by its indexes.
    async fn reads(conn: &mut PgConnection) -> (i64, i64) {
        let counted = "select coalesce(sum(seq_tup_read), 0)::bigint, coalesce(sum(idx_tup_fetch), 0)::bigint \
                       from pg_stat_xact_user_tables where relid = 'reads.djob_jobs'::regclass";
        let counted = conn.fetch_one(counted).await.unwrap();
        (counted.get(0), counted.get(1))
    }

    let url = djob_servers::postgres_url().unwrap();
    let naming = Naming::new(Some("reads"), "djob_").unwrap();
    let storage = PostgresStorage::open(&url, naming, Clock::database()).await.unwrap();
    let cursors = fill(&storage).await;
    let mut conn = storage.connect().await.unwrap();
    // Once as the server guesses after it was filled, once as it knows.
    for analyze in [false, true] {
        if analyze {
            conn.execute("analyze reads.djob_jobs").await.unwrap();
        }
        for (statement, from) in asked(&[CLAIM, CLAIM_IN_TURN, LANES], cursors) {
            let mut tx = conn.begin().await.unwrap();
            let before = reads(&mut tx).await;
            let query = storage.texts().query(statement);
            let query = match statement {
                LANES => query.bind(i16::MIN).bind(i16::MAX),
                _ => query
                    .bind(uuid::Uuid::now_v7())
                    .bind(["q"])
                    .bind([0_i16])
                    .bind([from.run_at])
                    .bind([from.id])
                    .bind([uuid::Uuid::now_v7()])
                    .bind(i64::try_from(LIMIT).unwrap())
                    .bind(None::<Vec<String>>)
                    .bind(None::<Vec<i32>>),
            };
            let rows = query.bind(None::<crate::clock::Timestamp>).fetch_all(&mut *tx).await.unwrap();
            assert!(!rows.is_empty(), "{statement:?}");
            let after = reads(&mut tx).await;
            assert_eq!(after.0, before.0, "{statement:?} from {from:?} scans the table");
            let read = after.1 - before.1;
            assert!(
                read > 0 && read <= i64::try_from(LIMIT).unwrap(),
                "{statement:?} from {from:?} reads {read} rows"
            );
            tx.rollback().await.unwrap();
        }
    }
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn a_claim_on_mysql_reads_the_jobs_that_it_takes_and_nothing_else() {
    use sqlx::mysql::{MySql, MySqlConnection};
    use sqlx::{Connection as _, Executor as _, Row as _};

    use super::mysql::MySqlStorage;

    /// How many rows this session has read, and those of the question itself. Those that InnoDB passes over by an index alone
    /// only MariaDB counts.
    async fn reads(conn: &mut MySqlConnection) -> u64 {
        let counted = "show session status where variable_name like 'Handler_read%' or variable_name = 'Handler_icp_attempts'";
        let rows = conn.fetch_all(counted).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(1).parse::<u64>().unwrap()).sum()
    }

    let naming = Naming::new(None, "reads_").unwrap();
    let url = djob_servers::mysql_url().unwrap();
    let storage = MySqlStorage::open(&url, naming, Clock::database()).await.unwrap();
    let cursors = fill(&storage).await;
    let mut conn = storage.connect().await.unwrap();
    for analyze in [false, true] {
        if analyze {
            conn.fetch_all("analyze table reads_jobs").await.unwrap();
        }
        for (statement, from) in asked(&[CLAIM, LANES], cursors) {
            let mut tx = conn.begin().await.unwrap();
            let (first, before) = (reads(&mut tx).await, reads(&mut tx).await);
            let ask = storage.texts().ask::<MySql>(statement);
            let ask = match statement {
                LANES => ask.bind(i16::MIN).bind(i16::MAX),
                _ => ask
                    .bind("q")
                    .bind(0_i16)
                    .bind(from.run_at)
                    .bind(from.id)
                    .bind(i64::try_from(LIMIT).unwrap())
                    .bind(None::<String>),
            };
            let rows = ask.bind(None::<crate::clock::Timestamp>).fetch_all(&mut tx).await.unwrap();
            assert!(!rows.is_empty(), "{statement:?}");
            let read = reads(&mut tx).await - before - (before - first);
            // Each lane is found by a few looks into the index.
            assert!(read > 0 && read <= 5 * LIMIT as u64, "{statement:?} from {from:?} reads {read} rows");
            tx.rollback().await.unwrap();
        }
    }
}

/// SQLite counts no rows; a row costs it some ten instructions of its virtual machine.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_claim_on_sqlite_reads_the_jobs_that_it_takes_and_nothing_else() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use sqlx::{Executor as _, Sqlite};

    use super::sqlite::SqliteStorage;

    const A_ROW: usize = 100;
    let storage = SqliteStorage::open("sqlite::memory:", Naming::default(), Clock::database()).await.unwrap();
    let cursors = fill(&storage).await;
    let now = Some(storage.now().await.unwrap());
    let mut conn = storage.connection().await.unwrap();
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = steps.clone();
    conn.lock_handle()
        .await
        .unwrap()
        .set_progress_handler(1, move || counted.fetch_add(1, Relaxed) < usize::MAX);
    for analyze in [false, true] {
        if analyze {
            conn.execute("analyze").await.unwrap();
        }
        for (statement, from) in asked(&[CLAIM, LANES], cursors) {
            steps.store(0, Relaxed);
            let ask = storage.texts().ask::<Sqlite>(statement);
            let ask = match statement {
                LANES => ask.bind(i16::MIN).bind(i16::MAX),
                _ => ask
                    .bind(uuid::Uuid::now_v7())
                    .bind(uuid::Uuid::now_v7())
                    .bind("q")
                    .bind(0_i16)
                    .bind(from.run_at)
                    .bind(from.id)
                    .bind(i64::try_from(LIMIT).unwrap())
                    .bind(None::<String>),
            };
            let rows = ask.bind(now).fetch_all(&mut *conn).await.unwrap();
            assert!(!rows.is_empty(), "{statement:?}");
            let steps = steps.load(Relaxed);
            assert!(
                steps > 0 && steps < LIMIT * A_ROW,
                "{statement:?} from {from:?} takes {steps} instructions"
            );
        }
    }
}
