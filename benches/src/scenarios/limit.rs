//! What the databases themselves do with the same rows: plain statements, a commit each.

use std::time::Instant;

use djob::BoxError;
use djob::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use djob::sqlx::types::Uuid;
use djob::sqlx::{self, ConnectOptions as _, Connection as _};

use crate::args::Args;
use crate::database::Database;
use crate::report::Line;

/// Rows that are inserted one a commit: few, since each waits for the disk.
const SINGLE: u64 = 5000;

fn row(id: u64) -> (Uuid, String) {
    (Uuid::now_v7(), format!("{{\"id\":{id}}}"))
}

/// Runs `statement` for all rows and makes a line of it.
async fn timed(
    args: &Args,
    database: &Database,
    what: String,
    rows: u64,
    statements: impl AsyncFnOnce() -> Result<(), BoxError>,
) -> Result<Line, BoxError> {
    let (before, begin) = (database.spent().await?, Instant::now());
    statements().await?;
    let took = begin.elapsed();
    let cost = database.spent_since(before).await?;
    Ok(Line { peer: "plain SQL", settings: what, ..Line::new(args, database, rows, took, cost) })
}

/// Insert one, insert many, and take many out, by plain SQL on PostgreSQL.
pub(crate) async fn postgres(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let mut conn = sqlx::PgConnection::connect(&database.url).await?;
    let insert = "insert into djob_jobs (id, queue, kind, args) \
                  select id, 'default', 'noop', args::json from unnest($1::uuid[], $2::text[]) as new (id, args)";
    let single = timed(args, database, "insert 1 a commit".into(), SINGLE, async || {
        for id in 0..SINGLE {
            let (id, text) = row(id);
            sqlx::query(insert).bind(vec![id]).bind(vec![text]).execute(&mut conn).await?;
        }
        Ok(())
    });
    let single = single.await?;
    let many = timed(args, database, format!("insert {} a commit", args.batch), args.jobs, async || {
        for first in (0..args.jobs).step_by(usize::try_from(args.batch)?) {
            let rows = (first..(first + args.batch).min(args.jobs)).map(row);
            let (ids, texts): (Vec<Uuid>, Vec<String>) = rows.unzip();
            sqlx::query(insert).bind(ids).bind(texts).execute(&mut conn).await?;
        }
        Ok(())
    });
    let many = many.await?;
    database.calm().await?;
    let take = "delete from djob_jobs where ctid = any (array (select ctid from djob_jobs limit $1)) returning id, args";
    let out =
        timed(args, database, format!("take {} a commit", args.batch), SINGLE + args.jobs, async || {
            let limit = i64::try_from(args.batch)?;
            while !sqlx::query(take).bind(limit).fetch_all(&mut conn).await?.is_empty() {}
            Ok(())
        });
    Ok(vec![single, many, out.await?])
}

/// The same on SQLite, as durable as djob has it.
pub(crate) async fn sqlite(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let options: SqliteConnectOptions = database.url.parse()?;
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut conn = options.connect().await?;
    let insert = "insert into djob_jobs (id, queue, kind, run_at, args) \
                  select unhex(value ->> 0), 'default', 'noop', 0, value ->> 1 from json_each($1)";
    let json = |rows: std::ops::Range<u64>| {
        let rows: Vec<(String, String)> =
            rows.map(row).map(|(id, text)| (id.simple().to_string(), text)).collect();
        serde_json::to_string(&rows)
    };
    let single = timed(args, database, "insert 1 a commit".into(), SINGLE, async || {
        for id in 0..SINGLE {
            sqlx::query(insert).bind(json(id..id + 1)?).execute(&mut conn).await?;
        }
        Ok(())
    });
    let single = single.await?;
    let many = timed(args, database, format!("insert {} a commit", args.batch), args.jobs, async || {
        for first in (0..args.jobs).step_by(usize::try_from(args.batch)?) {
            let rows = json(first..(first + args.batch).min(args.jobs))?;
            sqlx::query(insert).bind(rows).execute(&mut conn).await?;
        }
        Ok(())
    });
    let many = many.await?;
    let take = "delete from djob_jobs where id in (select id from djob_jobs order by id limit $1) returning id, args";
    let out =
        timed(args, database, format!("take {} a commit", args.batch), SINGLE + args.jobs, async || {
            let limit = i64::try_from(args.batch)?;
            while !sqlx::query(take).bind(limit).fetch_all(&mut conn).await?.is_empty() {}
            Ok(())
        });
    Ok(vec![single, many, out.await?])
}
