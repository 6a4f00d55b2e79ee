//! Looking at jobs: several statements with one view of all rooms, so that a job on its way between two of them is seen in
//! one.

use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, Postgres};

use super::{rows, write};
use crate::job::{JobId, JobRow, JobState};
use crate::storage::statement::Statement::*;
use crate::storage::statement::Texts;
use crate::storage::verbs::{Now, Verbs};
use crate::storage::{CLAIMS_SHOWN, Filter, StorageError, newest_first, rooms_of, running_rows};

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

type Result<T> = std::result::Result<T, StorageError>;

/// One job, whatever room it is in.
pub(super) async fn find(
    conn: &mut PgConnection,
    texts: &Texts,
    now: Now,
    id: JobId,
) -> Result<Option<JobRow>> {
    let mut tx = conn.begin_with(SNAPSHOT).await?;
    if let Some(row) = Postgres::find(&mut tx, texts, id, now).await? {
        return Ok(Some(row));
    }
    let claim = sqlx::query(texts.get(FIND_CLAIM)).bind(id).fetch_optional(&mut *tx).await?;
    let Some(row) = claim else { return Ok(None) };
    let progress = Postgres::progress(&mut tx, texts, id).await?;
    let mut jobs = rows::claim(&row)?.1.jobs;
    jobs.retain(|job| job.id == id);
    write::fetch_args(&mut tx, texts, &mut jobs).await?;
    Ok(running_rows(jobs).next().map(|row| JobRow { progress, ..row }))
}

/// A page of jobs, newest first.
pub(super) async fn list(
    conn: &mut PgConnection,
    texts: &Texts,
    now: Now,
    filter: &Filter,
) -> Result<Vec<JobRow>> {
    let (mut found, mut tx) = (Vec::new(), conn.begin_with(SNAPSHOT).await?);
    for (statement, state) in rooms_of(filter) {
        found.extend(Postgres::list(&mut tx, texts.get(statement), filter, state, now).await?);
    }
    if matches!(filter.state, None | Some(JobState::Running)) {
        let claims = sqlx::query(texts.get(CLAIMS)).bind(CLAIMS_SHOWN).fetch_all(&mut *tx).await?;
        for row in &claims {
            found.extend(running_rows(rows::claim(row)?.1.jobs));
        }
    }
    let mut page = newest_first(found, filter);
    for row in page.iter_mut().filter(|row| row.state == JobState::Running) {
        row.progress = Postgres::progress(&mut tx, texts, row.id).await?;
    }
    Ok(page)
}
