//! Outcomes: what a job's function returns decides where the job goes.

use std::time::Duration;

use djob::{BoxError, Directive, JobContext, JobState, WaitError, job};

use super::super::subject::*;
use super::worker_of;

#[job(name = "conformance.add_up")]
async fn add_up(a: u32, b: u32) -> Result<u32, BoxError> {
    Ok(a + b)
}

#[job(name = "conformance.second_time_lucky", retries = 2, backoff = "fixed 1h")]
async fn second_time_lucky(ctx: &JobContext) -> Result<u16, BoxError> {
    if ctx.attempt() == 1 { Err("no luck".into()) } else { Ok(ctx.attempt()) }
}

#[job(name = "conformance.out_of_luck", retries = 1, backoff = "fixed 1h")]
async fn out_of_luck(ctx: &JobContext) -> Result<(), BoxError> {
    Err(format!("attempt {} of {}", ctx.attempt(), ctx.max_attempts()).into())
}

#[job(name = "conformance.panic", retries = 0)]
async fn panic_on_purpose() {
    panic!("on purpose");
}

#[job(name = "conformance.blocking")]
fn block(n: u32) -> Result<u32, BoxError> {
    Ok(n + 1)
}

#[job(name = "conformance.direct", retries = 5)]
async fn direct(how: String) -> Result<(), BoxError> {
    Err(match how.as_str() {
        "fail" => Directive::fail("give up"),
        "cancel" => Directive::cancel("not needed"),
        _ => Directive::snooze(HOUR),
    }
    .into())
}

#[job(name = "conformance.traceless", keep = "0s")]
async fn traceless() {}

pub async fn what_a_job_returns_can_be_waited_for(subject: &Subject) -> Checked {
    let sum = add_up.perform_later(20, 22).on(subject.client()).await?;
    let (total, worked) = tokio::join!(sum.wait(), worker_of(subject, [add_up.def()]).work_off());
    worked?;
    assert_eq!(total?, 42);
    assert_eq!(sum.wait().await?, 42, "and again, when it is over");
    assert_eq!(sum.status().await?, Some(JobState::Completed));
    Ok(())
}

pub async fn a_function_that_is_not_async_runs_too(subject: &Subject) -> Checked {
    let next = block.perform_later(41).on(subject.client()).await?;
    worker_of(subject, [block.def()]).work_off().await?;
    assert_eq!(next.wait().await?, 42);
    Ok(())
}

pub async fn hundreds_of_jobs_all_complete(subject: &Subject) -> Checked {
    let jobs = (0..500).map(|n| AddUpJob { a: n, b: 1 });
    subject.client().enqueue_all(jobs).await?;
    worker_of(subject, [add_up.def()]).work_off().await?;
    let counts = subject.storage().counts().await?;
    assert_eq!(
        counts.iter().map(|count| (count.state, count.jobs)).collect::<Vec<_>>(),
        [(JobState::Completed, 500)]
    );
    Ok(())
}

pub async fn an_error_is_tried_again_after_its_backoff(subject: &Subject) -> Checked {
    let job = second_time_lucky.perform_later().on(subject.client()).await?;
    let work_off = || worker_of(subject, [second_time_lucky.def()]).work_off();
    work_off().await?;
    let row = subject.row(job.id()).await?;
    let wait = row.run_at - subject.now();
    assert_eq!((row.state, row.attempt), (JobState::Scheduled, 1));
    assert!((HOUR * 9 / 10..=HOUR * 11 / 10).contains(&wait), "an hour, give or take a tenth: {wait:?}");
    subject.advance(wait - SECOND);
    work_off().await?;
    assert_eq!(subject.row(job.id()).await?.attempt, 1, "not before its time");
    subject.advance(SECOND);
    work_off().await?;
    assert_eq!(job.wait().await?, 2);
    Ok(())
}

pub async fn a_job_fails_after_its_last_attempt(subject: &Subject) -> Checked {
    let job = out_of_luck.perform_later().on(subject.client()).await?;
    for _ in 0..3 {
        worker_of(subject, [out_of_luck.def()]).work_off().await?;
        subject.advance(HOUR * 2);
    }
    let row = subject.row(job.id()).await?;
    assert_eq!((row.state, row.attempt, row.error.as_deref()), (JobState::Failed, 2, Some("attempt 2 of 2")));
    let errors: Vec<String> =
        subject.storage().attempts(job.id()).await?.into_iter().map(|at| at.error).collect();
    assert_eq!(errors, ["attempt 1 of 2", "attempt 2 of 2"]);
    assert!(matches!(job.wait().await, Err(WaitError::Failed(why)) if why == "attempt 2 of 2"));
    Ok(())
}

pub async fn a_failed_job_that_is_retried_runs_once_more(subject: &Subject) -> Checked {
    let job = second_time_lucky.perform_later().retries(0).on(subject.client()).await?;
    worker_of(subject, [second_time_lucky.def()]).work_off().await?;
    assert_eq!(job.status().await?, Some(JobState::Failed));
    assert!(subject.client().retry(job.id()).await?);
    worker_of(subject, [second_time_lucky.def()]).work_off().await?;
    assert_eq!(job.wait().await?, 2);
    Ok(())
}

pub async fn a_panic_is_an_error_and_the_worker_lives(subject: &Subject) -> Checked {
    let job = panic_on_purpose.perform_later().on(subject.client()).await?;
    let next = add_up.perform_later(1, 1).on(subject.client()).await?;
    worker_of(subject, [panic_on_purpose.def(), add_up.def()]).concurrency(1).work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!((row.state, row.error.as_deref()), (JobState::Failed, Some("panicked: on purpose")));
    assert_eq!(next.wait().await?, 2);
    Ok(())
}

pub async fn a_job_may_give_up_although_attempts_are_left(subject: &Subject) -> Checked {
    let job = direct.perform_later("fail".into()).on(subject.client()).await?;
    worker_of(subject, [direct.def()]).work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!((row.state, row.attempt, row.error.as_deref()), (JobState::Failed, 1, Some("give up")));
    Ok(())
}

pub async fn a_job_may_cancel_itself(subject: &Subject) -> Checked {
    let job = direct.perform_later("cancel".into()).on(subject.client()).await?;
    worker_of(subject, [direct.def()]).work_off().await?;
    assert!(matches!(job.wait().await, Err(WaitError::Cancelled(why)) if why == "not needed"));
    assert_eq!(subject.row(job.id()).await?.attempt, 0);
    Ok(())
}

pub async fn a_job_may_ask_to_be_run_later_at_no_cost(subject: &Subject) -> Checked {
    let job = direct.perform_later("snooze".into()).on(subject.client()).await?;
    for n in 1..=3 {
        worker_of(subject, [direct.def()]).work_off().await?;
        let row = subject.row(job.id()).await?;
        assert_eq!((row.state, row.attempt, row.meta.snoozes), (JobState::Scheduled, 0, n));
        assert_eq!(row.run_at, subject.now() + HOUR);
        subject.advance(HOUR);
    }
    Ok(())
}

pub async fn a_job_without_history_cannot_be_waited_for(subject: &Subject) -> Checked {
    let job = traceless.perform_later().on(subject.client()).await?;
    worker_of(subject, [traceless.def()]).work_off().await?;
    assert_eq!(job.status().await?, None);
    assert!(matches!(job.wait().await, Err(WaitError::Gone)));
    Ok(())
}

pub async fn a_job_with_large_arguments_runs(subject: &Subject) -> Checked {
    let how = format!("fail{}", "ä".repeat(20_000));
    let job = direct.perform_later(how).on(subject.client()).await?;
    worker_of(subject, [direct.def()]).work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!(
        (row.state, row.meta.snoozes),
        (JobState::Scheduled, 1),
        "it was read whole: it is not \"fail\""
    );
    assert_eq!(row.run_at - subject.now(), Duration::from_secs(3600));
    Ok(())
}
