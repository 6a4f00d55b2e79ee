//! Limits: a job that runs too long, or that nobody wants any more, is stopped. The worker lives on.

use std::future::pending;
use std::time::Duration;

use djob::storage::Cancelled;
use djob::{BoxError, Directive, JobContext, JobState, job};

use super::super::subject::*;
use super::{alongside, settled, started, worker_of};

#[job(name = "conformance.hang", timeout = "50ms", retries = 0)]
async fn hang() {
    pending::<()>().await;
}

#[job(name = "conformance.hang_on")]
async fn hang_on() {
    pending::<()>().await;
}

#[job(name = "conformance.listen")]
async fn listen(ctx: &JobContext) -> Result<(), BoxError> {
    ctx.cancelled().await;
    Err(Directive::cancel("heard it").into())
}

#[job(name = "conformance.quick")]
async fn quick() {}

pub async fn a_job_that_runs_too_long_has_timed_out(subject: &Subject) -> Checked {
    let job = hang.perform_later().on(subject.client()).await?;
    worker_of(subject, [hang.def()]).work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!(row.state, JobState::Failed);
    assert_eq!(row.error.as_deref(), Some("timed out: it ran longer than 50ms"));
    Ok(())
}

pub async fn a_job_that_hears_of_its_cancellation_ends_as_it_likes(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let job = listen.perform_later().on(subject.client()).await?;
    alongside(worker_of(subject, [listen.def()]), async {
        started(&mut events, job.id()).await?;
        assert_eq!(job.cancel().await?, Cancelled::Asked);
        let settled = settled(&mut events, job.id()).await?;
        assert_eq!((settled.state, settled.error.as_deref()), (JobState::Cancelled, Some("heard it")));
        Ok(())
    })
    .await
}

pub async fn a_job_that_does_not_listen_is_stopped_after_a_grace(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let job = hang_on.perform_later().on(subject.client()).await?;
    let worker = worker_of(subject, [hang_on.def()]).shutdown(SECOND, Duration::from_millis(20));
    alongside(worker, async {
        started(&mut events, job.id()).await?;
        job.cancel().await?;
        let settled = settled(&mut events, job.id()).await?;
        assert_eq!(
            (settled.state, settled.error.as_deref()),
            (JobState::Cancelled, Some("cancelled while it ran"))
        );
        Ok(())
    })
    .await
}

pub async fn a_job_that_was_stopped_and_is_retried_runs_to_its_end(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let job = listen.perform_later().on(subject.client()).await?;
    alongside(worker_of(subject, [listen.def()]), async {
        started(&mut events, job.id()).await?;
        job.cancel().await?;
        settled(&mut events, job.id()).await?;
        assert!(subject.client().retry(job.id()).await?);
        started(&mut events, job.id()).await?;
        // Two looks at what is to be stopped, by the time that another job, cancelled later, has been.
        let other = listen.perform_later().on(subject.client()).await?;
        started(&mut events, other.id()).await?;
        other.cancel().await?;
        let stopped = events.until(|event| match event {
            djob::Event::Settled { id, .. } => Some(*id),
            _ => None,
        });
        assert_eq!(stopped.await, Some(other.id()), "the first one was stopped again");
        job.cancel().await?;
        Ok(())
    })
    .await
}

/// A slow job must not hold up what shares its batch.
pub async fn a_slow_job_does_not_keep_its_neighbours_from_being_settled(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let slow = listen.perform_later().on(subject.client()).await?;
    let fast = quick.perform_later().on(subject.client()).await?;
    alongside(worker_of(subject, [listen.def(), quick.def()]), async {
        assert_eq!(settled(&mut events, fast.id()).await?.state, JobState::Completed);
        assert_eq!(slow.status().await?, Some(JobState::Running));
        slow.cancel().await?;
        assert_eq!(settled(&mut events, slow.id()).await?.state, JobState::Cancelled);
        Ok(())
    })
    .await
}
