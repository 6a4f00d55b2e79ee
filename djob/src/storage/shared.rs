//! The shared verbs, written once. All bounds that sqlx asks for are asked here, once.

use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Row, Type};
use uuid::Uuid;

use super::columns::{Affected, attempt, counted, fact, job_row};
use super::doctor::Fact;
use super::statement::Statement::*;
use super::statement::{Statement, Texts};
use super::unread::known_json;
use super::verbs::{Claims, KNOWN, Now, Result, Verbs};
use super::{
    CLAIMS_SHOWN, Count, Filter, Lane, News, Orphans, WorkerInfo, newest_first, rooms_of, running_rows,
};
use crate::clock::Timestamp;
use crate::job::{Attempt, Claim, ClaimKey, JobId, JobRow, JobState};

impl<D> Verbs for D
where
    D: Claims<QueryResult: Affected>,
    D::Arguments: IntoArguments<D>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    usize: ColumnIndex<D::Row>,
    for<'q> JobId: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> Uuid: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> Timestamp: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> Option<Timestamp>: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> Option<String>: Decode<'q, D> + Type<D>,
    for<'q> Vec<u8>: Decode<'q, D>,
    for<'q> String: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> &'q str: Encode<'q, D> + Type<D>,
    for<'q> i64: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> f64: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> i32: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> bool: Decode<'q, D> + Type<D>,
    for<'q> i16: Encode<'q, D> + Decode<'q, D> + Type<D>,
{
    async fn on_job(
        conn: &mut D::Connection,
        texts: &Texts,
        statement: Statement,
        id: JobId,
        now: Now,
    ) -> Result<u64> {
        Ok(texts.ask::<D>(statement).bind(id).bind(now).execute(conn).await?.affected())
    }

    async fn on_job_timeless(
        conn: &mut D::Connection,
        texts: &Texts,
        statement: Statement,
        id: JobId,
    ) -> Result<u64> {
        Ok(texts.ask::<D>(statement).bind(id).execute(conn).await?.affected())
    }

    async fn clock(conn: &mut D::Connection, texts: &Texts, now: Now) -> Result<Timestamp> {
        Ok(texts.ask::<D>(CLOCK).bind(now).fetch_one(conn).await?.try_get(0)?)
    }

    async fn join(conn: &mut D::Connection, texts: &Texts, worker: &WorkerInfo, now: Now) -> Result<()> {
        let names = |names: &[String]| serde_json::to_string(names).unwrap_or_default();
        texts
            .ask::<D>(JOIN)
            .bind(worker.id)
            .bind(worker.name.clone())
            .bind(worker.host.clone())
            .bind(i32::try_from(worker.pid).unwrap_or(0))
            .bind(env!("CARGO_PKG_VERSION"))
            .bind(names(&worker.queues))
            .bind(known_json(&worker.kinds))
            .bind(i32::try_from(worker.concurrency).unwrap_or(i32::MAX))
            .bind(now)
            .execute(conn)
            .await?;
        Ok(())
    }

    async fn leave(conn: &mut D::Connection, texts: &Texts, worker: Uuid) -> Result<()> {
        texts.ask::<D>(LEAVE).bind(worker).execute(conn).await?;
        Ok(())
    }

    async fn beat(
        conn: &mut D::Connection,
        texts: &Texts,
        worker: Uuid,
        lease: i64,
        now: Now,
    ) -> Result<Option<News>> {
        if texts.has(BEATS_AHEAD) {
            texts.ask::<D>(BEATS_AHEAD).bind(worker).bind(now).execute(conn).await?;
        }
        let beat = texts.ask::<D>(BEAT).bind(worker).bind(lease).bind(now);
        let row = if texts.has(NEWS) {
            if beat.execute(conn).await?.affected() == 0 {
                return Ok(None);
            }
            texts.ask::<D>(NEWS).bind(worker).bind(lease).bind(now).fetch_optional(conn).await?
        } else {
            beat.fetch_optional(conn).await?
        };
        row.map(|row| {
            let oldest: Option<i64> = row.try_get(3)?;
            Ok(News {
                silence: row.try_get(0)?,
                parked: row.try_get(1)?,
                old_claims: row.try_get(2)?,
                outdated: oldest.is_some_and(|oldest| oldest > KNOWN),
            })
        })
        .transpose()
    }

    async fn start(
        conn: &mut D::Connection,
        texts: &Texts,
        worker: Uuid,
        key: ClaimKey,
        now: Now,
    ) -> Result<bool> {
        let query = texts.ask::<D>(START).bind(key.row).bind(key.fence).bind(worker).bind(now);
        Ok(query.execute(conn).await?.affected() == 1)
    }

    async fn bury(conn: &mut D::Connection, texts: &Texts, lease: i64, now: Now) -> Result<u64> {
        Ok(texts.ask::<D>(BURY).bind(lease).bind(now).execute(conn).await?.affected())
    }

    async fn take_duty(
        conn: &mut D::Connection,
        texts: &Texts,
        duty: &str,
        worker: Uuid,
        hold: i64,
        now: Now,
    ) -> Result<bool> {
        for statement in [TAKE_DUTY, FIRST_DUTY].into_iter().filter(|statement| texts.has(*statement)) {
            let ask = texts.ask::<D>(statement).bind(duty.to_owned()).bind(worker).bind(hold).bind(now);
            if ask.execute(conn).await?.affected() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn prune(conn: &mut D::Connection, texts: &Texts, limit: u32, now: Now) -> Result<u64> {
        // A job that has run for an hour has a claim row of its own.
        const HOUR: i64 = 3_600_000_000;
        let pruned = texts.ask::<D>(PRUNE).bind(i64::from(limit)).bind(now).execute(conn).await?.affected();
        texts.ask::<D>(PRUNE_PROGRESS).bind(HOUR).bind(now).execute(conn).await?;
        texts.ask::<D>(PRUNE_CANCELS).bind(HOUR).bind(now).execute(conn).await?;
        Ok(pruned)
    }

    async fn has_finished(conn: &mut D::Connection, texts: &Texts, worker: Uuid, job: JobId) -> Result<bool> {
        let ask = texts.ask::<D>(HAS_FINISHED).bind(job).bind(worker);
        Ok(ask.fetch_optional(conn).await?.is_some())
    }

    async fn prune_attempts(
        conn: &mut D::Connection,
        texts: &Texts,
        after: JobId,
        limit: u32,
    ) -> Result<Option<JobId>> {
        let looked = texts.ask::<D>(LONELY_ATTEMPTS).bind(after).bind(i64::from(limit));
        let rows = looked.fetch_all(conn).await?;
        for row in &rows {
            if let Some(gone) = row.try_get::<Option<JobId>, _>(1)? {
                Self::on_job_timeless(conn, texts, DELETE_FROM_ATTEMPTS, gone).await?;
            }
        }
        let last = rows.last().filter(|_| rows.len() == limit as usize);
        last.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    async fn hold_key(
        conn: &mut D::Connection,
        texts: &Texts,
        key: &str,
        job: JobId,
    ) -> Result<Option<JobId>> {
        loop {
            let taken = texts.ask::<D>(HOLD_KEY).bind(key.to_owned()).bind(job).execute(conn).await?;
            if taken.affected() == 1 {
                return Ok(None);
            }
            let holder = texts.ask::<D>(KEY_HOLDER).bind(key.to_owned()).fetch_optional(conn).await?;
            if let Some(row) = holder {
                return Ok(Some(row.try_get(0)?));
            }
            // The holder has finished in between: the key is free.
        }
    }

    async fn release_key(conn: &mut D::Connection, texts: &Texts, key: &str, job: JobId) -> Result<()> {
        texts.ask::<D>(RELEASE_KEY).bind(key.to_owned()).bind(job).execute(conn).await?;
        Ok(())
    }

    async fn cancel_waiting(
        conn: &mut D::Connection,
        texts: &Texts,
        id: JobId,
        why: &str,
        keep: i64,
        now: Now,
    ) -> Result<bool> {
        let query = texts.ask::<D>(CANCEL_WAITING).bind(id).bind(why.to_owned()).bind(keep).bind(now);
        Ok(query.execute(conn).await?.affected() > 0)
    }

    async fn cancels(conn: &mut D::Connection, texts: &Texts) -> Result<Vec<JobId>> {
        let rows = texts.ask::<D>(CANCELS).bind(1000_i64).fetch_all(conn).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    async fn lanes(
        conn: &mut D::Connection,
        texts: &Texts,
        priorities: (i16, i16),
        now: Now,
    ) -> Result<Vec<Lane>> {
        let query = texts.ask::<D>(LANES).bind(priorities.0).bind(priorities.1).bind(now);
        let lane = |row: &D::Row| {
            Ok(Lane {
                queue: row.try_get(0)?,
                priority: row.try_get(1)?,
                due_at: row.try_get(2)?,
                seen_at: row.try_get(3)?,
            })
        };
        query.fetch_all(conn).await?.iter().map(lane).collect()
    }

    async fn find(conn: &mut D::Connection, texts: &Texts, id: JobId, now: Now) -> Result<Option<JobRow>> {
        if let Some(row) = texts.ask::<D>(FIND).bind(id).bind(now).fetch_optional(conn).await? {
            return Ok(Some(job_row::<D>(&row)?));
        }
        let claim = texts.ask::<D>(FIND_CLAIM).bind(id).fetch_optional(conn).await?;
        let Some(row) = claim else { return Ok(None) };
        let mut jobs = D::claim(&row)?.1.jobs;
        jobs.retain(|job| job.id == id);
        D::fetch_args(conn, texts, &mut jobs).await?;
        let progress = D::progress(conn, texts, id).await?;
        Ok(running_rows(jobs).next().map(|row| JobRow { progress, ..row }))
    }

    async fn attempts(conn: &mut D::Connection, texts: &Texts, id: JobId) -> Result<Vec<Attempt>> {
        texts.ask::<D>(ATTEMPTS).bind(id).fetch_all(conn).await?.iter().map(attempt::<D>).collect()
    }

    async fn list(conn: &mut D::Connection, texts: &Texts, filter: &Filter, now: Now) -> Result<Vec<JobRow>> {
        let mut found = Vec::new();
        for (statement, state) in rooms_of(filter) {
            let ask = texts
                .ask::<D>(statement)
                .bind(filter.before.unwrap_or(JobId(Uuid::max())))
                .bind(filter.queue.clone().unwrap_or_default())
                .bind(filter.kind.clone().unwrap_or_default())
                .bind(i64::from(filter.limit))
                .bind(state.to_owned())
                .bind(now);
            for row in &ask.fetch_all(conn).await? {
                found.push(job_row::<D>(row)?);
            }
        }
        if matches!(filter.state, None | Some(JobState::Running)) && filter.reason.is_none() {
            for row in &texts.ask::<D>(CLAIMS).bind(CLAIMS_SHOWN).fetch_all(conn).await? {
                found.extend(running_rows(D::claim(row)?.1.jobs));
            }
        }
        let mut page = newest_first(found, filter);
        for row in page.iter_mut().filter(|row| row.state == JobState::Running) {
            row.progress = D::progress(conn, texts, row.id).await?;
        }
        Ok(page)
    }

    async fn orphans(
        conn: &mut D::Connection,
        texts: &Texts,
        lease: i64,
        after: Uuid,
        limit: u32,
        now: Now,
    ) -> Result<Orphans> {
        let ask = texts.ask::<D>(ORPHANS).bind(lease).bind(after).bind(i64::from(limit)).bind(now);
        let rows = ask.fetch_all(conn).await?;
        let full = rows.len() >= limit as usize;
        // Ids may be damaged, too.
        let next = rows.iter().rev().filter(|_| full).find_map(|row| row.try_get(0).ok());
        Ok(Orphans { claims: D::readable(&rows).collect(), next })
    }

    async fn held(
        conn: &mut D::Connection,
        texts: &Texts,
        worker: Uuid,
        since: i64,
        now: Now,
    ) -> Result<Vec<Claim>> {
        let ask = texts.ask::<D>(HELD).bind(worker).bind(since).bind(now);
        Ok(D::readable(&ask.fetch_all(conn).await?).map(|(_, claim)| claim).collect())
    }

    async fn counts(conn: &mut D::Connection, texts: &Texts, now: Now) -> Result<Vec<Count>> {
        texts.ask::<D>(COUNTS).bind(now).fetch_all(conn).await?.iter().map(counted::<D>).collect()
    }

    async fn finds(conn: &mut D::Connection, texts: &Texts, statement: Statement, id: JobId) -> Result<bool> {
        Ok(texts.ask::<D>(statement).bind(id).fetch_optional(conn).await?.is_some())
    }

    async fn say_progress(
        conn: &mut D::Connection,
        texts: &Texts,
        said: &[(JobId, f64)],
        now: Now,
    ) -> Result<()> {
        for (id, fraction) in said {
            texts.ask::<D>(SAY_PROGRESS).bind(*id).bind(*fraction).bind(now).execute(conn).await?;
        }
        Ok(())
    }

    async fn progress(conn: &mut D::Connection, texts: &Texts, id: JobId) -> Result<Option<f64>> {
        let row = texts.ask::<D>(PROGRESS).bind(id).fetch_optional(conn).await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    async fn pause(
        conn: &mut D::Connection,
        texts: &Texts,
        queue: &str,
        pause: bool,
        now: Now,
    ) -> Result<bool> {
        if !pause {
            let resumed = texts.ask::<D>(RESUME).bind(queue.to_owned()).execute(conn).await?;
            return Ok(resumed.affected() > 0);
        }
        for statement in [PAUSE, FIRST_PAUSE].into_iter().filter(|statement| texts.has(*statement)) {
            let ask = texts.ask::<D>(statement).bind(queue.to_owned()).bind(now);
            if ask.execute(conn).await?.affected() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn facts(
        conn: &mut D::Connection,
        texts: &Texts,
        statement: Statement,
        now: Now,
    ) -> Result<Vec<Fact>> {
        let ask = texts.ask::<D>(statement);
        let ask = if texts.asks_the_clock(statement) { ask.bind(now) } else { ask };
        ask.fetch_all(conn).await?.iter().map(fact::<D>).collect()
    }

    async fn kinds_of(
        conn: &mut D::Connection,
        texts: &Texts,
        lane: &Lane,
        limit: i64,
        now: Now,
    ) -> Result<Vec<Fact>> {
        let ask = texts.ask::<D>(DOCTOR_KINDS).bind(lane.queue.clone()).bind(lane.priority).bind(limit);
        ask.bind(now).fetch_all(conn).await?.iter().map(fact::<D>).collect()
    }

    async fn names(
        conn: &mut D::Connection,
        texts: &Texts,
        statement: Statement,
        of: Option<&str>,
    ) -> Result<Vec<String>> {
        let ask = texts.ask::<D>(statement);
        let ask = if let Some(of) = of { ask.bind(of.to_owned()) } else { ask };
        let rows = ask.fetch_all(conn).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}
