//! Moves between rooms that somebody asks for: cancel, retry, delete. The same steps on every database, made of the shared
//! verbs; all of them run inside of a transaction.

use super::statement::Statement::*;
use super::statement::Texts;
use super::verbs::{Now, Result, Verbs};
use super::{CANCEL_REASON, Cancelled};
use crate::clock::micros;
use crate::job::JobId;
use crate::job::settle::KEEP_COMPLETED;

/// Locks a job's row where a move is a copy and then a delete: nobody else may move it in between. `false` if there is none to
/// lock, as while it runs: what comes into a room afterwards is not locked, and must not be copied.
pub(super) async fn lock<D: Verbs>(conn: &mut D::Connection, texts: &Texts, id: JobId) -> Result<bool> {
    Ok(!texts.has(LOCK_JOB) || D::finds(conn, texts, LOCK_JOB, id).await?)
}

/// Cancels a job that waits, or asks for it to be stopped.
pub(super) async fn cancel<D: Verbs>(
    conn: &mut D::Connection,
    texts: &Texts,
    now: Now,
    id: JobId,
) -> Result<Cancelled> {
    lock::<D>(conn, texts, id).await?;
    // First of all, as whoever looks for the job's stop does: two that take the same rows in another order block each other.
    D::finds(conn, texts, IS_UNWANTED, id).await?;
    cancel_anywhere::<D>(conn, texts, now, id).await
}

async fn cancel_anywhere<D: Verbs>(
    conn: &mut D::Connection,
    texts: &Texts,
    now: Now,
    id: JobId,
) -> Result<Cancelled> {
    // It may go from one room to the other between two looks, but not every time.
    for _ in 0..3 {
        if cancel_waiting::<D>(conn, texts, now, id).await? {
            return Ok(Cancelled::Now);
        }
        if D::finds(conn, texts, FIND_CLAIM, id).await? {
            D::on_job(conn, texts, ASK_CANCEL, id, now).await?;
            return Ok(Cancelled::Asked);
        }
    }
    D::on_job_timeless(conn, texts, DROP_CANCEL, id).await?;
    Ok(Cancelled::NotFound)
}

/// Cancels a job that waits or is parked.
async fn cancel_waiting<D: Verbs>(
    conn: &mut D::Connection,
    texts: &Texts,
    now: Now,
    id: JobId,
) -> Result<bool> {
    // Again, since it may have come back only now.
    if !lock::<D>(conn, texts, id).await? {
        return Ok(false);
    }
    let cancelled = D::cancel_waiting(conn, texts, id, CANCEL_REASON, micros(KEEP_COMPLETED), now).await?;
    if cancelled {
        // PostgreSQL has deleted the row already, as it copied it.
        for statement in [DELETE_FROM_JOBS, DELETE_FROM_PARKED, DELETE_FROM_ARGS, DELETE_KEYS, DROP_CANCEL] {
            D::on_job_timeless(conn, texts, statement, id).await?;
        }
    }
    Ok(cancelled)
}

/// Cancels a job that somebody still wants to stop, if it waits again.
pub(super) async fn cancel_slipped<D: Verbs>(
    conn: &mut D::Connection,
    texts: &Texts,
    now: Now,
    id: JobId,
) -> Result<bool> {
    lock::<D>(conn, texts, id).await?;
    let unwanted = D::finds(conn, texts, IS_UNWANTED, id).await?;
    Ok(unwanted && cancel_anywhere::<D>(conn, texts, now, id).await? == Cancelled::Now)
}

/// Puts a finished or parked job back to waiting, unless another job has its unique key by now.
pub(super) async fn retry<D: Verbs>(
    conn: &mut D::Connection,
    texts: &Texts,
    now: Now,
    id: JobId,
) -> Result<bool> {
    lock::<D>(conn, texts, id).await?;
    if D::finds(conn, texts, KEY_IS_TAKEN, id).await? {
        return Ok(false);
    }
    // Again, since it may have ended only now.
    if !lock::<D>(conn, texts, id).await? {
        return Ok(false);
    }
    let back = D::on_job(conn, texts, RETRY_FINISHED, id, now).await? > 0;
    if back {
        // PostgreSQL has deleted the row already, as it copied it.
        for statement in [DELETE_FROM_FINISHED, DELETE_FROM_PARKED, HOLD_AGAIN, DROP_CANCEL, FORGET_PROGRESS]
        {
            D::on_job_timeless(conn, texts, statement, id).await?;
        }
    }
    Ok(back)
}

/// Forgets a job that does not run, and what belonged to it.
pub(super) async fn delete<D: Verbs>(conn: &mut D::Connection, texts: &Texts, id: JobId) -> Result<bool> {
    let mut gone = 0;
    for statement in [DELETE_FROM_JOBS, DELETE_FROM_PARKED, DELETE_FROM_FINISHED] {
        gone += D::on_job_timeless(conn, texts, statement, id).await?;
    }
    if gone > 0 {
        for statement in [DELETE_FROM_ARGS, DELETE_FROM_ATTEMPTS, DELETE_KEYS] {
            D::on_job_timeless(conn, texts, statement, id).await?;
        }
    }
    Ok(gone > 0)
}
