//! What is read from columns, and how counts go into them.

use sqlx::{ColumnIndex, Database, Decode, Row as _, Type};
use uuid::Uuid;

use super::doctor::Fact;
use super::{Count, StorageError};
use crate::clock::Timestamp;
use crate::job::{Attempt, JobId, JobRow, JobState, Meta};

/// Longer arguments lie apart from their job, in bytes. `enqueue.sql` says so, too.
pub(crate) const ARGS_INLINE_MAX: usize = 1024;

/// How many rows a statement touched: each database's result has it, and sqlx has no name for it.
pub(super) trait Affected {
    fn affected(&self) -> u64;
}

#[cfg(feature = "sqlite")]
impl Affected for sqlx::sqlite::SqliteQueryResult {
    fn affected(&self) -> u64 {
        self.rows_affected()
    }
}

#[cfg(feature = "postgres")]
impl Affected for sqlx::postgres::PgQueryResult {
    fn affected(&self) -> u64 {
        self.rows_affected()
    }
}

#[cfg(feature = "mysql")]
impl Affected for sqlx::mysql::MySqlQueryResult {
    fn affected(&self) -> u64 {
        self.rows_affected()
    }
}

/// A text that somebody else may have written: SQLite does not ask whether it is UTF-8.
fn text<D>(row: &D::Row, column: usize) -> Result<Option<String>, StorageError>
where
    D: Database,
    usize: ColumnIndex<D::Row>,
    for<'q> Vec<u8>: Decode<'q, D>,
{
    // Unchecked: the bytes of a text are wanted, which is not of the type of bytes.
    let bytes: Option<Vec<u8>> = row.try_get_unchecked(column)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A small number that somebody else may have written: SQLite does not ask whether it is small. The nearest that fits.
fn small<D>(row: &D::Row, column: usize) -> Result<i16, StorageError>
where
    D: Database,
    usize: ColumnIndex<D::Row>,
    for<'q> i64: Decode<'q, D>,
{
    let number: i64 = row.try_get_unchecked(column)?;
    Ok(i16::try_from(number.clamp(i16::MIN.into(), i16::MAX.into())).unwrap_or_default())
}

/// A row of `find.sql` or of one of the `list_*.sql`, which is shown whatever is in it.
pub(super) fn job_row<D>(row: &D::Row) -> Result<JobRow, StorageError>
where
    D: Database,
    usize: ColumnIndex<D::Row>,
    for<'q> JobId: Decode<'q, D> + Type<D>,
    for<'q> Timestamp: Decode<'q, D> + Type<D>,
    for<'q> String: Decode<'q, D> + Type<D>,
    for<'q> Vec<u8>: Decode<'q, D>,
    for<'q> i64: Decode<'q, D>,
{
    let text = |column| text::<D>(row, column);
    let run_at: Timestamp = row.try_get(5)?;
    let seen_at: Timestamp = row.try_get(13)?;
    let state = match row.try_get::<String, _>(0)?.as_str() {
        "waiting" if run_at > seen_at => JobState::Scheduled,
        "waiting" => JobState::Ready,
        other => other.parse().map_err(StorageError::garbled)?,
    };
    Ok(JobRow {
        id: row.try_get(1)?,
        kind: text(3)?.unwrap_or_default(),
        queue: text(2)?.unwrap_or_default(),
        priority: small::<D>(row, 4)?,
        state,
        attempt: count(small::<D>(row, 6)?),
        max_attempts: count(small::<D>(row, 7)?),
        run_at,
        finished_at: row.try_get(12)?,
        args: text(8)?.unwrap_or_default(),
        meta: Meta::from_json(text(9)?.as_deref()),
        result: text(10)?,
        error: text(11)?,
        progress: None,
    })
}

/// A row of `attempts.sql`.
pub(super) fn attempt<D>(row: &D::Row) -> Result<Attempt, StorageError>
where
    D: Database,
    usize: ColumnIndex<D::Row>,
    for<'q> Uuid: Decode<'q, D> + Type<D>,
    for<'q> Timestamp: Decode<'q, D> + Type<D>,
    for<'q> String: Decode<'q, D> + Type<D>,
    for<'q> i64: Decode<'q, D> + Type<D>,
    for<'q> i16: Decode<'q, D> + Type<D>,
{
    Ok(Attempt {
        attempt: count(row.try_get::<i16, _>(0)?),
        ended_at: row.try_get(1)?,
        ran_ms: row.try_get::<i64, _>(2)? / 1000,
        worker: row.try_get(3)?,
        error: row.try_get(4)?,
    })
}

/// A row of one of the `counts*.sql`.
pub(super) fn counted<D>(row: &D::Row) -> Result<Count, StorageError>
where
    D: Database,
    usize: ColumnIndex<D::Row>,
    for<'q> Timestamp: Decode<'q, D> + Type<D>,
    for<'q> String: Decode<'q, D> + Type<D>,
    for<'q> i64: Decode<'q, D> + Type<D>,
{
    let state: JobState = row.try_get::<String, _>(1)?.parse().map_err(StorageError::garbled)?;
    let oldest = if state == JobState::Ready { row.try_get(3)? } else { None };
    Ok(Count { queue: row.try_get(0)?, state, jobs: row.try_get(2)?, oldest, seen_at: row.try_get(4)? })
}

/// A row of one of the `doctor_*.sql`. Those that only show settings have two columns.
pub(super) fn fact<D>(row: &D::Row) -> Result<Fact, StorageError>
where
    D: Database,
    usize: ColumnIndex<D::Row>,
    for<'q> String: Decode<'q, D> + Type<D>,
    for<'q> i64: Decode<'q, D> + Type<D>,
{
    let fact = Fact::new(&row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?);
    if row.len() == 2 {
        return Ok(fact);
    }
    Ok(fact.figure(row.try_get(2)?).age(row.try_get(3)?))
}

/// A count as it is stored: never negative, whatever an edited row says.
pub(crate) fn count(stored: i16) -> u16 {
    u16::try_from(stored).unwrap_or(0)
}

/// A count as it goes into a `smallint`.
pub(crate) fn smallint(count: u16) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}
