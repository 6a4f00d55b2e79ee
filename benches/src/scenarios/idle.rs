//! What a worker costs that has nothing to do.

use std::time::{Duration, Instant};

use djob::BoxError;
use djob::sqlx::{self, Connection as _, Row as _};

use super::worker::worker;
use crate::args::Args;
use crate::database::Database;
use crate::report::Line;

/// How long it is watched, after some time to settle down.
const WATCH: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(30);

/// Transactions a minute of one idle worker on PostgreSQL, in `jobs`: each statement of it is a transaction of its own.
pub(crate) async fn idle(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn(worker(args, &database.client).run_until(async move { drop(stopped.await) }));
    tokio::time::sleep(SETTLE).await;
    let mut conn = sqlx::PgConnection::connect(&database.url).await?;
    let (before, begin) = (transactions(&mut conn).await?, Instant::now());
    tokio::time::sleep(WATCH).await;
    let during = transactions(&mut conn).await? - before;
    let took = begin.elapsed();
    drop(stop);
    working.await??;
    // The two counts are transactions, too.
    let count = u64::try_from(during.saturating_sub(1))?;
    Ok(vec![Line { settings: "statements a minute".into(), ..Line::new(args, database, count, took, None) }])
}

async fn transactions(conn: &mut sqlx::PgConnection) -> Result<i64, BoxError> {
    // The counters of a backend are published about once a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let query = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()";
    Ok(sqlx::query(query).fetch_one(conn).await?.get(0))
}
