//! Admin: looking after jobs one by one, in whatever room they are.

use std::time::Duration;

use djob::storage::Cancelled;
use djob::{Due, JobId, JobState, Keep, NewJob, Settlement};
use uuid::Uuid;

use super::subject::*;

/// One job in each room that is not the claimed one.
async fn one_in_each_room(subject: &Subject) -> Result<Vec<(JobId, JobState)>, djob::BoxError> {
    let completed = subject.put_and_settle(job(), completed()).await?;
    let failed = subject.put_and_settle(job(), finish(JobState::Failed)).await?;
    let cancelled = subject.put_and_settle(job(), finish(JobState::Cancelled)).await?;
    let parked = subject.put_and_settle(job(), park("unknown_kind")).await?;
    let ready = subject.put(job()).await?;
    let scheduled = subject.put(NewJob { due: Due::In(HOUR), ..job() }).await?;
    use JobState::{Cancelled, Completed, Failed, Parked, Ready, Scheduled};
    let ids = [completed, failed, cancelled, parked, ready, scheduled];
    Ok(ids.into_iter().zip([Completed, Failed, Cancelled, Parked, Ready, Scheduled]).collect())
}

pub async fn a_job_that_does_not_run_can_be_given_other_arguments(subject: &Subject) -> Checked {
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(5000));
    for (id, state) in one_in_each_room(subject).await? {
        let before = subject.row(id).await?;
        for (args, version) in [(large.as_str(), 3), (r#"{"text":"small"}"#, 2), (large.as_str(), 1)] {
            let edited = subject.storage().edit(id, args, version).await?;
            let can_be = matches!(state, JobState::Ready | JobState::Scheduled | JobState::Parked);
            assert_eq!(edited, can_be, "{state}");
            let row = subject.row(id).await?;
            assert_eq!(row.state, state, "it stays where it is");
            if can_be {
                assert_eq!((row.args.as_str(), row.meta.version), (args, version));
                assert_eq!(
                    (row.queue, row.run_at, row.meta.tags),
                    (before.queue.clone(), before.run_at, before.meta.tags.clone())
                );
            }
        }
    }
    let claim = subject.claim_batch(worker()).await?;
    assert!(!subject.storage().edit(claim.jobs[0].id, "{}", 1).await?, "it runs");
    assert!(!subject.storage().edit(JobId::new(), "{}", 1).await?, "there is no such job");
    let mut jobs = claim.jobs;
    subject.storage().fetch_args(&mut jobs).await?;
    assert_eq!(jobs[0].args.as_deref(), Some(large.as_str()));
    Ok(())
}

pub async fn a_parked_job_that_was_edited_comes_back_by_its_new_version(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), park("newer_version")).await?;
    assert!(subject.storage().edit(id, "{}", 4).await?);
    assert_eq!(subject.unpark(&[("conformance.plain", 3)]).await?, 0);
    assert_eq!(subject.unpark(&[("conformance.plain", 4)]).await?, 1);
    Ok(())
}

pub async fn a_job_is_found_in_every_room(subject: &Subject) -> Checked {
    for (id, state) in one_in_each_room(subject).await? {
        assert_eq!(subject.state(id).await?, Some(state));
    }
    let claim = subject.claim_batch(worker()).await?;
    assert_eq!(subject.state(claim.jobs[0].id).await?, Some(JobState::Running));
    assert_eq!(subject.state(JobId::new()).await?, None);
    Ok(())
}

pub async fn a_job_that_nobody_runs_is_cancelled_at_once(subject: &Subject) -> Checked {
    for (id, state) in one_in_each_room(subject).await? {
        let wanted = if state.is_final() { Cancelled::NotFound } else { Cancelled::Now };
        assert_eq!(subject.storage().cancel(id).await?, wanted, "{state}");
        assert_eq!(
            subject.state(id).await?,
            Some(if state.is_final() { state } else { JobState::Cancelled })
        );
    }
    assert_eq!(subject.storage().cancel(JobId::new()).await?, Cancelled::NotFound);
    assert!(subject.claim(worker(), 10).await?.is_empty());
    Ok(())
}

pub async fn a_job_that_runs_is_asked_to_stop(subject: &Subject) -> Checked {
    subject.put_many(2).await?;
    let claim = subject.claim_batch(worker()).await?;
    let id = claim.jobs[1].id;
    for _ in 0..2 {
        assert_eq!(subject.storage().cancel(id).await?, Cancelled::Asked);
        assert_eq!(subject.storage().cancels().await?, [id]);
    }
    assert_eq!(subject.state(id).await?, Some(JobState::Running));
    Ok(())
}

/// It slipped back to waiting before its worker heard of the wish.
pub async fn the_wish_to_stop_is_met_when_a_job_is_cancelled_later(subject: &Subject) -> Checked {
    let worker = worker();
    let claim = subject.put_and_claim(worker, job()).await?;
    let id = claim.jobs[0].id;
    assert_eq!(subject.storage().cancel(id).await?, Cancelled::Asked);
    assert!(subject.settle(worker, all(&claim, &retry(HOUR))).await?);
    assert_eq!(subject.storage().cancel(id).await?, Cancelled::Now);
    assert!(subject.storage().cancels().await?.is_empty());
    Ok(())
}

/// A wish that stays would stop the job again when it is retried, and wishes would pile up.
pub async fn the_wish_to_stop_ends_with_the_job(subject: &Subject) -> Checked {
    for end in [finish(JobState::Cancelled), completed(), finish(JobState::Failed)] {
        let worker = worker();
        let claim = subject.put_and_claim(worker, job()).await?;
        let id = claim.jobs[0].id;
        assert_eq!(subject.storage().cancel(id).await?, Cancelled::Asked);
        assert!(subject.settle(worker, all(&claim, &end)).await?);
        // What a worker does with a wish that it found.
        assert_eq!(subject.storage().cancel(id).await?, Cancelled::NotFound);
        assert!(subject.storage().cancels().await?.is_empty(), "after {end:?}");
    }
    Ok(())
}

pub async fn a_cancelled_job_that_is_retried_is_not_stopped_again(subject: &Subject) -> Checked {
    let worker = worker();
    let claim = subject.put_and_claim(worker, job()).await?;
    let id = claim.jobs[0].id;
    assert_eq!(subject.storage().cancel(id).await?, Cancelled::Asked);
    assert!(subject.settle(worker, all(&claim, &finish(JobState::Cancelled))).await?);
    assert!(subject.storage().retry(id).await?);
    subject.claim_batch(worker).await?;
    assert!(subject.storage().cancels().await?.is_empty());
    Ok(())
}

pub async fn a_job_that_is_retried_while_its_stop_is_looked_for_is_not_stopped_again(
    subject: &Subject,
) -> Checked {
    for moment in 0..200 {
        let worker = worker();
        let claim = subject.put_and_claim(worker, job()).await?;
        let id = claim.jobs[0].id;
        assert_eq!(subject.storage().cancel(id).await?, Cancelled::Asked);
        assert!(subject.settle(worker, all(&claim, &finish(JobState::Cancelled))).await?);
        let stop = async {
            // At each moment of the retry once.
            pass(moment * 5).await;
            subject.storage().cancel_slipped(id).await
        };
        let (retried, stopped) = tokio::join!(subject.storage().retry(id), stop);
        assert_eq!((retried?, stopped?), (true, false));
        assert_eq!(subject.state(id).await?, Some(JobState::Ready));
        assert!(subject.storage().delete(id).await?);
    }
    Ok(())
}

pub async fn a_job_that_is_cancelled_while_it_comes_back_is_in_one_room(subject: &Subject) -> Checked {
    for moment in 0..150 {
        let (worker, others) = (worker(), worker());
        let claim = subject.put_and_claim(worker, job()).await?;
        let id = claim.jobs[0].id;
        let again = async {
            // At each moment of the cancelling once.
            pass(moment).await;
            assert!(subject.settle(worker, all(&claim, &Settlement::Release)).await?);
            subject.claim(others, 1).await
        };
        let (cancelled, again) = tokio::join!(subject.storage().cancel(id), again);
        let (cancelled, again) = (cancelled?, again?);
        assert!(
            cancelled != Cancelled::Now || again.is_empty(),
            "moment {moment}: it was cancelled, and another worker has it"
        );
        for claim in again {
            assert!(subject.settle(others, all(&claim, &finish(JobState::Cancelled))).await?);
        }
        subject.storage().cancel(id).await?;
        assert_eq!(subject.state(id).await?, Some(JobState::Cancelled));
    }
    Ok(())
}

pub async fn a_job_that_is_retried_twice_as_it_fails_is_in_one_room(subject: &Subject) -> Checked {
    for moment in 0..150 {
        let (worker, others) = (worker(), worker());
        let claim = subject.put_and_claim(worker, job()).await?;
        let id = claim.jobs[0].id;
        let again = async {
            // At each moment of the first retry once.
            pass(moment).await;
            assert!(subject.settle(worker, all(&claim, &finish(JobState::Failed))).await?);
            subject.storage().retry(id).await?;
            subject.claim(others, 1).await
        };
        let (retried, again) = tokio::join!(subject.storage().retry(id), again);
        // Whose insert comes second finds the job there already.
        let _ = retried;
        let again = again?;
        let twice = subject.claim(others, 1).await?;
        assert!(again.len() + twice.len() <= 1, "moment {moment}: two have it");
        for claim in again.iter().chain(&twice) {
            assert!(subject.settle(others, all(claim, &completed())).await?);
        }
        assert_eq!(subject.state(id).await?, Some(JobState::Completed));
    }
    Ok(())
}

pub async fn a_job_that_went_wrong_is_retried_now(subject: &Subject) -> Checked {
    let rooms = one_in_each_room(subject).await?;
    subject.advance(SECOND);
    for (id, state) in rooms {
        let wanted = matches!(state, JobState::Failed | JobState::Cancelled | JobState::Parked);
        assert_eq!(subject.storage().retry(id).await?, wanted, "{state}");
        if wanted {
            let row = subject.row(id).await?;
            assert_eq!((row.state, row.run_at), (JobState::Ready, subject.now()), "{state}");
            assert_eq!((row.finished_at, row.error), (None, None), "{state}");
        }
    }
    assert!(!subject.storage().retry(JobId::new()).await?);
    Ok(())
}

pub async fn a_running_job_cannot_be_retried(subject: &Subject) -> Checked {
    let claim = subject.put_and_claim(worker(), job()).await?;
    assert!(!subject.storage().retry(claim.jobs[0].id).await?);
    assert_eq!(subject.state(claim.jobs[0].id).await?, Some(JobState::Running));
    Ok(())
}

pub async fn a_retried_job_has_at_least_one_more_attempt(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(NewJob { max_attempts: 1, ..job() }, finish(JobState::Failed)).await?;
    assert!(subject.storage().retry(id).await?);
    let row = subject.row(id).await?;
    assert!(row.attempt < row.max_attempts, "{} of {}", row.attempt, row.max_attempts);
    assert_eq!(subject.storage().attempts(id).await?.len(), 1, "its past is not forgotten");
    Ok(())
}

pub async fn a_job_that_does_not_run_is_deleted_without_a_trace(subject: &Subject) -> Checked {
    let failed = subject.put_and_settle(job(), retry(Duration::ZERO)).await?;
    assert!(subject.storage().delete(failed).await?);
    for (id, state) in one_in_each_room(subject).await? {
        assert!(subject.storage().delete(id).await?, "{state}");
        assert!(!subject.storage().delete(id).await?, "{state}");
        assert_eq!(subject.state(id).await?, None, "{state}");
        assert!(subject.storage().attempts(id).await?.is_empty(), "{state}");
    }
    Ok(())
}

pub async fn a_running_job_is_not_deleted(subject: &Subject) -> Checked {
    let worker = worker();
    let claim = subject.put_and_claim(worker, job()).await?;
    assert!(!subject.storage().delete(claim.jobs[0].id).await?);
    assert!(subject.settle(worker, all(&claim, &completed())).await?);
    Ok(())
}

pub async fn a_queue_is_cleared_of_what_waits_and_nothing_else(subject: &Subject) -> Checked {
    let rooms = one_in_each_room(subject).await?;
    let mail = subject.put(NewJob { queue: "mail".into(), ..job() }).await?;
    assert_eq!(subject.storage().clear(Some("no-such-queue")).await?, 0);
    assert_eq!(subject.storage().clear(Some("mail")).await?, 1);
    assert_eq!(subject.state(mail).await?, None);
    assert_eq!(subject.storage().clear(None).await?, 2, "the ready and the scheduled one");
    for (id, state) in rooms {
        let waits = matches!(state, JobState::Ready | JobState::Scheduled);
        assert_eq!(subject.state(id).await?, (!waits).then_some(state));
    }
    Ok(())
}

/// Keeps a completed job for so long; returns its id.
async fn kept(subject: &Subject, keep: Keep) -> Result<JobId, djob::BoxError> {
    let end = Settlement::Finish { state: JobState::Completed, result: None, error: None, keep };
    subject.put_and_settle(job(), end).await
}

pub async fn history_is_pruned_when_its_time_is_up(subject: &Subject) -> Checked {
    const MONTHS: Duration = Duration::from_secs(60 * 24 * 3600);
    let short = kept(subject, Keep::For(MONTHS)).await?;
    let long = kept(subject, Keep::For(MONTHS + SECOND * 2)).await?;
    let forever = kept(subject, Keep::Forever).await?;
    let waiting = subject.put(job()).await?;
    assert_eq!(subject.storage().prune(100).await?, 0);
    subject.advance(MONTHS + SECOND);
    assert_eq!(subject.storage().prune(100).await?, 1);
    let mut there = vec![];
    for id in [short, long, forever, waiting] {
        there.push(subject.state(id).await?.is_some());
    }
    assert_eq!(there, [false, true, true, true]);
    Ok(())
}

pub async fn history_is_pruned_a_bounded_number_at_a_time(subject: &Subject) -> Checked {
    const MONTHS: Duration = Duration::from_secs(60 * 24 * 3600);
    for _ in 0..5 {
        kept(subject, Keep::For(MONTHS)).await?;
    }
    subject.advance(MONTHS);
    let mut pruned = vec![];
    for _ in 0..3 {
        pruned.push(subject.storage().prune(3).await?);
    }
    assert_eq!(pruned, [3, 2, 0]);
    Ok(())
}

pub async fn the_errors_of_a_job_that_is_gone_are_pruned(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), retry(Duration::ZERO)).await?;
    let worker = worker();
    let claim = subject.claim_batch(worker).await?;
    let gone = Settlement::Finish {
        state: JobState::Completed,
        result: None,
        error: None,
        keep: Keep::For(Duration::ZERO),
    };
    assert!(subject.settle(worker, all(&claim, &gone)).await?);
    let other = subject.put_and_settle(job(), retry(Duration::ZERO)).await?;
    let last = subject.storage().prune_attempts(Uuid::nil().into(), 1).await?;
    assert_eq!(last, Some(id), "there is more to look at");
    assert!(subject.storage().attempts(id).await?.is_empty());
    assert_eq!(subject.storage().prune_attempts(id, 10).await?, None);
    assert_eq!(subject.storage().attempts(other).await?.len(), 1);
    Ok(())
}

/// A job that moves from room to room while they are looked through, one after the other, must not look gone.
pub async fn the_errors_of_a_job_on_the_move_are_kept(subject: &Subject) -> Checked {
    for _ in 0..50 {
        let id = subject.put_and_settle(job(), retry(Duration::ZERO)).await?;
        let moved = async {
            let worker = worker();
            let claim = subject.claim_batch(worker).await?;
            subject.settle(worker, all(&claim, &completed())).await
        };
        let pruned = async {
            for _ in 0..5 {
                subject.storage().prune_attempts(Uuid::nil().into(), 100).await?;
            }
            Ok::<_, djob::BoxError>(())
        };
        let (moved, pruned) = tokio::join!(moved, pruned);
        pruned?;
        assert!(moved?);
        assert_eq!(subject.storage().attempts(id).await?.len(), 1);
    }
    Ok(())
}

pub async fn the_errors_of_an_unfinished_job_are_kept_in_every_room(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), retry(Duration::ZERO)).await?;
    let errors = async || {
        subject.storage().prune_attempts(Uuid::nil().into(), 100).await?;
        Ok::<_, djob::BoxError>(subject.storage().attempts(id).await?.len())
    };
    assert_eq!(errors().await?, 1, "while it waits");
    let worker = worker();
    let claim = subject.claim_batch(worker).await?;
    assert_eq!(errors().await?, 1, "while it runs");
    assert!(subject.settle(worker, all(&claim, &park("unknown_kind"))).await?);
    assert_eq!(errors().await?, 1, "while it is parked");
    Ok(())
}
