//! Settle: what became of a job is written as it was decided, a whole batch at a time.

use std::time::Duration;

use djob::storage::ClaimEnd;
use djob::{Due, JobState, Keep, NewJob, Settlement};

use super::subject::*;

pub async fn a_completed_job_keeps_its_result(subject: &Subject) -> Checked {
    let result = Some(r#"{"total":42}"#.to_owned());
    let state = JobState::Completed;
    let done = Settlement::Finish { state, result: result.clone(), error: None, keep: Keep::For(HOUR) };
    let row = subject.row(subject.put_and_settle(job(), done).await?).await?;
    assert_eq!((row.state, row.result, row.error), (JobState::Completed, result, None));
    assert_eq!((row.finished_at, row.attempt), (Some(subject.now()), 0));
    assert_eq!(row.args, job().args);
    Ok(())
}

pub async fn each_job_of_a_batch_keeps_its_own_result(subject: &Subject) -> Checked {
    // Two lanes, in the order of their times and not in that in which they were stored; settled in no order at all.
    let job_at = |n: u32| NewJob {
        queue: if n.is_multiple_of(3) { "a".into() } else { "b".into() },
        due: Due::At(subject.now() + SECOND * (20 - n)),
        args: format!(r#"{{"n":{n}}}"#),
        ..job()
    };
    subject.storage().enqueue((0..20).map(job_at).collect()).await?;
    subject.advance(SECOND * 20);
    let worker = worker();
    let claims = subject.claim(worker, 20).await?;
    let finished = |args: &str| Settlement::Finish {
        state: JobState::Completed,
        result: (args != r#"{"n":7}"#).then(|| args.to_owned()),
        error: None,
        keep: Keep::For(HOUR),
    };
    let end = |claim: &djob::Claim| {
        let mut done: Vec<_> = claim
            .jobs
            .iter()
            .map(|job| ended(job, finished(job.args.as_deref().unwrap_or_default())))
            .collect();
        done.reverse();
        ClaimEnd { key: claim.key, ended: done, still: vec![] }
    };
    assert_eq!(
        subject.storage().settle(worker, &claims.iter().map(end).collect::<Vec<_>>()).await?,
        [true, true]
    );
    for id in ids(&claims) {
        let row = subject.row(id).await?;
        let own = (row.args != r#"{"n":7}"#).then(|| row.args.clone());
        assert_eq!((row.state, row.result), (JobState::Completed, own), "{}", row.args);
    }
    Ok(())
}

pub async fn a_failed_job_keeps_its_error_and_counts_the_attempt(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), finish(JobState::Failed)).await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.attempt), (JobState::Failed, 1));
    assert_eq!(row.error.as_deref(), Some("failed on purpose"));
    let attempts = subject.storage().attempts(id).await?;
    assert_eq!((attempts.len(), &*attempts[0].error), (1, "failed on purpose"));
    Ok(())
}

pub async fn a_cancelled_job_keeps_the_reason_and_burns_no_attempt(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), finish(JobState::Cancelled)).await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.attempt), (JobState::Cancelled, 0));
    assert_eq!(row.error.as_deref(), Some("cancelled on purpose"));
    assert!(subject.storage().attempts(id).await?.is_empty());
    Ok(())
}

pub async fn a_job_that_is_kept_for_no_time_leaves_no_row(subject: &Subject) -> Checked {
    for state in [JobState::Completed, JobState::Failed, JobState::Cancelled] {
        for new in [job(), unique("key")] {
            let keep = Keep::For(Duration::ZERO);
            let end = Settlement::Finish { state, result: Some("1".into()), error: Some("e".into()), keep };
            let id = subject.put_and_settle(new, end).await?;
            assert_eq!(subject.state(id).await?, None);
        }
    }
    assert!(subject.storage().counts().await?.is_empty());
    Ok(())
}

pub async fn a_retried_job_waits_under_its_id_and_counts_the_attempt(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), retry(HOUR)).await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.attempt, row.run_at), (JobState::Scheduled, 1, subject.now() + HOUR));
    subject.advance(HOUR);
    assert_eq!(subject.claim_batch(worker()).await?.jobs[0].attempt, 1);
    Ok(())
}

pub async fn each_attempt_that_went_wrong_leaves_its_error(subject: &Subject) -> Checked {
    let id = subject.put(job()).await?;
    let mut workers = vec![];
    for error in ["first", "second", "third"] {
        let worker = worker();
        let claim = subject.claim_batch(worker).await?;
        let settlement = Settlement::Retry { delay: SECOND, error: error.into() };
        assert!(subject.settle(worker, all(&claim, &settlement)).await?);
        workers.push((worker, subject.now()));
        subject.advance(SECOND);
    }
    let attempts = subject.storage().attempts(id).await?;
    assert_eq!(attempts.iter().map(|at| at.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(attempts.iter().map(|at| &*at.error).collect::<Vec<_>>(), ["first", "second", "third"]);
    assert_eq!(attempts.iter().map(|at| (at.worker, at.ended_at)).collect::<Vec<_>>(), workers);
    assert_eq!(attempts[0].ran_ms, 7);
    Ok(())
}

pub async fn a_snoozed_job_waits_and_burns_no_attempt(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), Settlement::Snooze { delay: HOUR }).await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.attempt, row.run_at), (JobState::Scheduled, 0, subject.now() + HOUR));
    assert_eq!(row.meta.snoozes, 1);
    assert!(subject.storage().attempts(id).await?.is_empty());
    Ok(())
}

pub async fn a_released_job_is_as_if_it_had_never_been_claimed(subject: &Subject) -> Checked {
    let id = subject.put(job()).await?;
    let before = subject.row(id).await?;
    subject.advance(HOUR);
    let worker = worker();
    let claim = subject.claim_batch(worker).await?;
    assert!(subject.settle(worker, all(&claim, &Settlement::Release)).await?);
    let after = subject.row(id).await?;
    assert_eq!((after.run_at, after.attempt, after.state), (before.run_at, 0, JobState::Ready));
    assert_eq!((after.meta, after.args), (before.meta, before.args));
    Ok(())
}

pub async fn a_rescued_job_waits_as_a_suspect_and_only_a_crash_is_counted(subject: &Subject) -> Checked {
    let id = subject.put(job()).await?;
    let mut counted = vec![];
    for crashed in [false, true, true] {
        let worker = worker();
        let claim = subject.claim_batch(worker).await?;
        assert!(subject.settle(worker, all(&claim, &Settlement::Rescue { crashed })).await?);
        let row = subject.row(id).await?;
        assert_eq!((row.state, row.attempt, row.meta.suspect), (JobState::Ready, 0, true));
        counted.push((row.meta.crashes, row.meta.deaths()));
    }
    assert_eq!(counted, [(0, 1), (1, 2), (2, 3)]);
    assert!(subject.claim_batch(worker()).await?.jobs[0].meta.suspect, "the next worker is told");
    Ok(())
}

pub async fn an_outcome_of_its_own_clears_a_job_of_suspicion(subject: &Subject) -> Checked {
    let snooze = Settlement::Snooze { delay: Duration::ZERO };
    // A snooze clears it of what is not known; only an attempt that is used up clears it of what is: or it could go on for ever.
    for (outcome, crashes) in [(retry(Duration::ZERO), 0), (snooze, 1)] {
        let id = subject.put_and_settle(job(), Settlement::Rescue { crashed: true }).await?;
        for outcome in [&Settlement::Rescue { crashed: false }, &outcome] {
            let worker = worker();
            let claim = subject.claim_batch(worker).await?;
            assert!(subject.settle(worker, all(&claim, outcome)).await?);
        }
        let meta = subject.row(id).await?.meta;
        assert_eq!((meta.suspect, meta.crashes), (false, crashes));
        subject.storage().delete(id).await?;
    }
    Ok(())
}

pub async fn a_batch_may_end_in_every_way_at_once(subject: &Subject) -> Checked {
    let nothing = Settlement::Finish {
        state: JobState::Completed,
        result: None,
        error: None,
        keep: Keep::For(Duration::ZERO),
    };
    let ends: [(Settlement, Option<JobState>); 9] = [
        (completed(), Some(JobState::Completed)),
        (finish(JobState::Failed), Some(JobState::Failed)),
        (finish(JobState::Cancelled), Some(JobState::Cancelled)),
        (nothing, None),
        (retry(HOUR), Some(JobState::Scheduled)),
        (Settlement::Snooze { delay: HOUR }, Some(JobState::Scheduled)),
        (Settlement::Release, Some(JobState::Ready)),
        (Settlement::Rescue { crashed: false }, Some(JobState::Ready)),
        (park("unknown_kind"), Some(JobState::Parked)),
    ];
    subject.put_many(ends.len()).await?;
    let worker = worker();
    let claim = subject.claim_batch(worker).await?;
    let settled = claim.jobs.iter().zip(&ends).map(|(job, (settlement, _))| ended(job, settlement.clone()));
    let end = ClaimEnd { key: claim.key, ended: settled.collect(), still: vec![] };
    assert!(subject.settle(worker, end).await?);
    for (job, (settlement, wanted)) in claim.jobs.iter().zip(&ends) {
        assert_eq!(subject.state(job.id).await?, *wanted, "{settlement:?}");
    }
    Ok(())
}

pub async fn many_claims_are_settled_in_one_call(subject: &Subject) -> Checked {
    let jobs = ["a", "b", "c"].map(|queue| NewJob { queue: queue.into(), ..job() });
    subject.storage().enqueue(jobs.to_vec()).await?;
    let worker = worker();
    let claims = subject.claim(worker, 10).await?;
    let ends: Vec<ClaimEnd> = claims.iter().map(|claim| all(claim, &completed())).collect();
    assert_eq!(subject.storage().settle(worker, &ends).await?, [true, true, true]);
    for id in ids(&claims) {
        assert_eq!(subject.state(id).await?, Some(JobState::Completed));
    }
    Ok(())
}

/// Whatever else the call would have written is not there either.
pub async fn an_outcome_that_cannot_be_stored_leaves_its_claim_standing(subject: &Subject) -> Checked {
    let worker = worker();
    let ids = subject.put_many(2).await?;
    let claim = subject.claim_batch(worker).await?;
    for settlement in [completed(), retry(HOUR), Settlement::Release] {
        let mut end = all(&claim, &settlement);
        // No room takes a job that has finished and runs.
        end.ended[1].settlement = finish(JobState::Running);
        assert!(subject.storage().settle(worker, &[end]).await.is_err(), "it can be stored");
        for id in &ids {
            assert_eq!(subject.state(*id).await?, Some(JobState::Running));
            assert!(subject.storage().attempts(*id).await?.is_empty());
        }
    }
    assert!(subject.settle(worker, all(&claim, &completed())).await?);
    Ok(())
}

pub async fn an_error_of_any_text_can_be_stored(subject: &Subject) -> Checked {
    let error = "quote ' \" \\ newline \n tab \t ä 𝄞 \u{fffd} {json: [1]} %s $1 --".to_owned();
    let id = subject.put_and_settle(job(), Settlement::Retry { delay: HOUR, error: error.clone() }).await?;
    assert_eq!(subject.storage().attempts(id).await?[0].error, error);
    let detail = error.clone();
    let id = subject.put_and_settle(job(), Settlement::Park { reason: "broken_contract", detail }).await?;
    let shown = subject.row(id).await?.error;
    assert!(shown.as_ref().is_some_and(|shown| shown.contains(&error)), "{shown:?}");
    Ok(())
}

pub async fn a_job_keeps_its_place_in_queue_and_priority_through_every_room(subject: &Subject) -> Checked {
    let new = || NewJob { queue: "mail".into(), priority: -3, due: Due::NOW, max_attempts: 4, ..job() };
    for settlement in [retry(SECOND), Settlement::Release, park("unknown_kind"), completed()] {
        let id = subject.put_and_settle(new(), settlement.clone()).await?;
        let row = subject.row(id).await?;
        assert_eq!((&*row.queue, row.priority, row.max_attempts), ("mail", -3, 4), "{settlement:?}");
        subject.storage().delete(id).await?;
    }
    Ok(())
}
