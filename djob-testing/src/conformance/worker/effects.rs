//! Effects: a job that finishes within its own transaction. For databases with SQL.

use std::time::{Duration, SystemTime};

use djob::{BoxError, Client, Clock, Hooks, JobContext, JobState, Timestamp, Worker, job};

use super::super::subject::*;
use crate::TestDatabase;
use crate::database::Pool;

/// Writes its effect and finishes in one transaction, and then does what `end` says.
#[job(name = "conformance.effect", transactional, retries = 1, backoff = "fixed 1h")]
async fn effect(ctx: &JobContext, end: String) -> Result<(), BoxError> {
    let mut tx = ctx.state::<Pool>()?.begin().await?;
    tx.execute("insert into effects values (1)").await?;
    ctx.complete_in(&mut tx).await?;
    match end.as_str() {
        "commit" => Ok(tx.commit().await?),
        "roll back" => Ok(tx.rollback().await?),
        _ => {
            tx.commit().await?;
            Err("went wrong after the commit".into())
        }
    }
}

#[job(name = "conformance.plain_effect", retries = 0)]
async fn plain_effect(ctx: &JobContext) -> Result<(), BoxError> {
    Ok(ctx.complete_in(&mut ctx.state::<Pool>()?.begin().await?).await?)
}

/// A subject on a database with a table for effects, and a worker of it.
async fn with_effects(db: &TestDatabase) -> Result<(Subject, impl Fn() -> Worker), BoxError> {
    db.execute("create table effects (n integer)").await?;
    let clock = Clock::manual(Timestamp::from(SystemTime::now()));
    let client = db.client_with(Client::builder().clock(clock.clone())).await;
    let (pool, workers) = (db.pool().clone(), client.clone());
    let worker = move || Worker::new(&workers).only([effect.def(), plain_effect.def()]).state(pool.clone());
    Ok((Subject::new(client, clock), worker))
}

async fn effects(db: &TestDatabase) -> Result<i64, BoxError> {
    Ok(db.count("select count(*) from effects").await?)
}

pub async fn an_effect_and_its_completion_are_committed_together(db: &TestDatabase) -> Checked {
    let (subject, worker) = with_effects(db).await?;
    let job = effect.perform_later("commit".into()).on(subject.client()).await?;
    worker().work_off().await?;
    assert_eq!((job.status().await?, effects(db).await?), (Some(JobState::Completed), 1));
    Ok(())
}

pub async fn an_effect_that_is_rolled_back_is_an_attempt_that_went_wrong(db: &TestDatabase) -> Checked {
    let (subject, worker) = with_effects(db).await?;
    let job = effect.perform_later("roll back".into()).on(subject.client()).await?;
    worker().work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!((row.state, row.attempt, effects(db).await?), (JobState::Scheduled, 1, 0));
    assert_eq!(subject.storage().attempts(job.id()).await?.len(), 1);
    Ok(())
}

/// The completion was committed with the effect: what the function returns afterwards cannot undo it.
pub async fn an_error_after_the_commit_does_not_run_the_effect_again(db: &TestDatabase) -> Checked {
    let (subject, worker) = with_effects(db).await?;
    let job = effect.perform_later("commit and fail".into()).on(subject.client()).await?;
    worker().work_off().await?;
    subject.advance(Duration::from_secs(7200));
    worker().work_off().await?;
    assert_eq!((job.status().await?, effects(db).await?), (Some(JobState::Completed), 1));
    Ok(())
}

pub async fn many_effects_are_each_committed_once(db: &TestDatabase) -> Checked {
    let (subject, worker) = with_effects(db).await?;
    subject.client().enqueue_all((0..50).map(|_| EffectJob { end: "commit".into() })).await?;
    worker().work_off().await?;
    assert_eq!(effects(db).await?, 50);
    let counts = subject.storage().counts().await?;
    assert_eq!(
        counts.iter().map(|count| (count.state, count.jobs)).collect::<Vec<_>>(),
        [(JobState::Completed, 50)]
    );
    Ok(())
}

pub async fn only_a_transactional_kind_may_finish_itself(db: &TestDatabase) -> Checked {
    let (subject, worker) = with_effects(db).await?;
    let job = plain_effect.perform_later().on(subject.client()).await?;
    worker().work_off().await?;
    let error = subject.row(job.id()).await?.error.unwrap_or_default();
    assert!(error.contains("#[job(transactional)]"), "{error}");
    Ok(())
}

/// A hook that counts on `success` sends a receipt, and must not send it for what never was.
pub async fn an_effect_that_is_rolled_back_is_no_success_for_hooks(db: &TestDatabase) -> Checked {
    #[derive(Debug)]
    struct Receipts(std::sync::mpsc::SyncSender<()>);
    impl Hooks for Receipts {
        fn success(&self, _: &JobContext) {
            // Full or gone: then a receipt was sent already.
            let _ = self.0.try_send(());
        }
    }
    let (subject, worker) = with_effects(db).await?;
    effect.perform_later("roll back".into()).on(subject.client()).await?;
    let (receipts, sent) = std::sync::mpsc::sync_channel(1);
    worker().hooks(Receipts(receipts)).work_off().await?;
    assert!(sent.try_recv().is_err(), "`success` was called for an attempt that went wrong");
    Ok(())
}
