//! The fence: only the claim that stands may write about its jobs, and only once.

use djob::storage::ClaimEnd;
use djob::{Claim, ClaimKey, JobState, NewJob, Settlement};
use uuid::Uuid;

use super::subject::*;

/// Tries to settle a claim in ways that must be refused, and looks whether anything was written.
async fn refused(subject: &Subject, worker: Uuid, claim: &Claim) -> Checked {
    let before = subject.row(claim.jobs[0].id).await?;
    for settlement in
        [completed(), finish(JobState::Failed), retry(HOUR), Settlement::Release, park("unknown_kind")]
    {
        assert!(!subject.settle(worker, all(claim, &settlement)).await?, "{settlement:?} was accepted");
        let after = subject.row(before.id).await?;
        assert_eq!((after.state, after.attempt, after.run_at), (before.state, before.attempt, before.run_at));
        assert!(subject.storage().attempts(before.id).await?.is_empty(), "{settlement:?} left an error");
    }
    Ok(())
}

pub async fn another_worker_cannot_settle_a_claim(subject: &Subject) -> Checked {
    let (mine, other) = (worker(), worker());
    let claim = subject.put_and_claim(mine, job()).await?;
    refused(subject, other, &claim).await?;
    assert!(subject.settle(mine, all(&claim, &completed())).await?, "a refusal harms nobody");
    Ok(())
}

pub async fn another_fence_cannot_settle_a_claim(subject: &Subject) -> Checked {
    let worker = worker();
    let claim = subject.put_and_claim(worker, job()).await?;
    let fence = Uuid::now_v7();
    for key in [
        ClaimKey { fence, ..claim.key },
        ClaimKey { row: fence, ..claim.key },
        ClaimKey { row: fence, fence },
    ] {
        refused(subject, worker, &Claim { key, ..claim.clone() }).await?;
    }
    assert!(subject.settle(worker, all(&claim, &completed())).await?);
    Ok(())
}

pub async fn a_claim_is_settled_once(subject: &Subject) -> Checked {
    let worker = worker();
    let claim = subject.put_and_claim(worker, job()).await?;
    assert!(subject.settle(worker, all(&claim, &completed())).await?);
    assert!(!subject.settle(worker, all(&claim, &finish(JobState::Failed))).await?);
    assert_eq!(subject.state(claim.jobs[0].id).await?, Some(JobState::Completed));
    Ok(())
}

/// The run that was taken for dead comes back when another one has the job.
pub async fn the_first_run_cannot_finish_the_second(subject: &Subject) -> Checked {
    let (slow, next) = (worker(), worker());
    let first = subject.put_and_claim(slow, job()).await?;
    assert!(subject.settle(slow, all(&first, &Settlement::Rescue { crashed: true })).await?);
    let second = subject.claim_batch(next).await?;
    refused(subject, slow, &first).await?;
    assert!(subject.settle(next, all(&second, &completed())).await?);
    Ok(())
}

pub async fn each_claim_of_a_call_is_answered_for_itself(subject: &Subject) -> Checked {
    for queue in ["a", "b", "c"] {
        subject.put(NewJob { queue: queue.into(), ..job() }).await?;
    }
    let worker = worker();
    let mut claims = subject.claim(worker, 10).await?;
    claims[1].key.fence = Uuid::now_v7();
    let ends: Vec<ClaimEnd> = claims.iter().map(|claim| all(claim, &completed())).collect();
    assert_eq!(subject.storage().settle(worker, &ends).await?, [true, false, true]);
    let mut states = vec![];
    for id in ids(&claims) {
        states.push(subject.state(id).await?);
    }
    assert_eq!(states, [JobState::Completed, JobState::Running, JobState::Completed].map(Some));
    Ok(())
}

/// Claims two jobs, and settles the first while the second still runs. Returns the second under its new key.
async fn split(subject: &Subject, worker: Uuid) -> Result<(Claim, Claim), djob::BoxError> {
    subject.put_many(2).await?;
    let batch = subject.claim_batch(worker).await?;
    let end = ClaimEnd {
        key: batch.key,
        ended: vec![ended(&batch.jobs[0], completed())],
        still: vec![still(&batch.jobs[1])],
    };
    assert!(subject.settle(worker, end).await?);
    let row = *batch.jobs[1].id.as_uuid();
    let key = ClaimKey { row, fence: batch.key.fence };
    let single = Claim { key, jobs: vec![batch.jobs[1].clone()], started: true };
    Ok((batch, single))
}

pub async fn what_still_runs_is_settled_alone_under_the_same_fence(subject: &Subject) -> Checked {
    let worker = worker();
    let (batch, single) = split(subject, worker).await?;
    assert_eq!(subject.state(batch.jobs[0].id).await?, Some(JobState::Completed));
    assert_eq!(subject.state(single.jobs[0].id).await?, Some(JobState::Running));
    assert!(subject.settle(worker, all(&single, &completed())).await?);
    assert_eq!(subject.state(single.jobs[0].id).await?, Some(JobState::Completed));
    Ok(())
}

pub async fn what_was_split_is_settled_once_and_never_as_a_batch(subject: &Subject) -> Checked {
    let worker = worker();
    let (batch, single) = split(subject, worker).await?;
    assert!(!subject.settle(worker, all(&batch, &completed())).await?, "the batch is gone");
    refused(subject, Uuid::now_v7(), &single).await?;
    assert!(subject.settle(worker, all(&single, &retry(HOUR))).await?);
    assert!(!subject.settle(worker, all(&single, &completed())).await?);
    assert_eq!(subject.state(single.jobs[0].id).await?, Some(JobState::Scheduled));
    Ok(())
}

pub async fn a_split_job_is_as_it_was_claimed(subject: &Subject) -> Checked {
    let worker = subject.join().await?;
    let (_, single) = split(subject, worker).await?;
    subject.storage().leave(worker).await?;
    let orphans = subject.orphans(LEASE).await?;
    assert_eq!((orphans.len(), orphans[0].0, orphans[0].1.key), (1, worker, single.key));
    // But for its place: it has a claim row of its own.
    let alone = djob::ClaimedJob { place: 0, ..single.jobs[0].clone() };
    assert_eq!(orphans[0].1.jobs, [alone]);
    assert!(orphans[0].1.started, "it is known to have begun");
    Ok(())
}

pub async fn a_single_job_is_noted_to_begin_by_its_holder_only(subject: &Subject) -> Checked {
    let worker = subject.join().await?;
    let batch = subject.put_and_claim(worker, job()).await?;
    let waiting = djob::storage::Still { started: false, ..still(&batch.jobs[0]) };
    assert!(subject.settle(worker, ClaimEnd { key: batch.key, ended: vec![], still: vec![waiting] }).await?);
    let key = ClaimKey { row: *batch.jobs[0].id.as_uuid(), fence: batch.key.fence };
    assert!(!subject.storage().start(Uuid::now_v7(), key).await?);
    assert!(!subject.storage().start(worker, ClaimKey { fence: Uuid::now_v7(), ..key }).await?);
    subject.storage().leave(worker).await?;
    assert!(!subject.orphans(LEASE).await?[0].1.started);
    assert!(subject.storage().start(worker, key).await?);
    assert!(subject.orphans(LEASE).await?[0].1.started);
    Ok(())
}
