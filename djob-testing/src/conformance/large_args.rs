//! Large arguments lie apart and move by reference. Whatever room their job is in, they are found.

use std::time::Duration;

use djob::storage::{Cancelled, ClaimEnd, Filter};
use djob::{Claim, ClaimKey, JobId, JobState, Keep, NewJob, Settlement};
use uuid::Uuid;

use super::subject::*;

/// A job whose arguments take five kilobytes.
fn large() -> NewJob {
    NewJob { args: format!(r#"{{"text":"{}"}}"#, "ä\\n\\\"".repeat(800)), ..job() }
}

/// Claims the one job there is, and fetches its arguments as a worker does.
async fn claim_with_args(subject: &Subject, worker: Uuid) -> Result<Claim, djob::BoxError> {
    let mut claim = subject.claim_batch(worker).await?;
    subject.storage().fetch_args(&mut claim.jobs).await?;
    Ok(claim)
}

/// Finds the same arguments by `find`, by `list` and, if the job waits, in a claim.
async fn whole(subject: &Subject, id: JobId) -> Checked {
    let wanted = large().args;
    let row = subject.row(id).await?;
    assert!(row.args == wanted, "found in the state {}: {} bytes", row.state, row.args.len());
    let mut filter = Filter::default();
    filter.limit = 10;
    let listed = subject.storage().list(&filter).await?;
    let args = listed.iter().find(|row| row.id == id).map(|row| row.args.len());
    assert_eq!(args, Some(wanted.len()), "listed in the state {}", row.state);
    if row.state != JobState::Ready {
        return Ok(());
    }
    let worker = worker();
    let claim = claim_with_args(subject, worker).await?;
    assert!(claim.jobs[0].args.as_deref() == Some(&*wanted), "claimed");
    assert!(subject.settle(worker, all(&claim, &Settlement::Release)).await?);
    Ok(())
}

pub async fn large_arguments_are_fetched_apart_from_the_claim(subject: &Subject) -> Checked {
    subject.put(large()).await?;
    let mut claim = subject.claim_batch(worker()).await?;
    assert_eq!((claim.jobs[0].args.as_deref(), claim.jobs[0].args_apart), (None, true));
    subject.storage().fetch_args(&mut claim.jobs).await?;
    assert_eq!(claim.jobs[0].args.as_deref(), Some(&*large().args));
    Ok(())
}

pub async fn small_and_large_arguments_of_one_batch_are_not_mixed_up(subject: &Subject) -> Checked {
    let args =
        |n: usize| format!(r#"{{"text":"{}{n}"}}"#, "x".repeat(if n.is_multiple_of(2) { 2000 } else { 2 }));
    let jobs: Vec<NewJob> = (0..20).map(|n| NewJob { args: args(n), ..job() }).collect();
    subject.storage().enqueue(jobs.clone()).await?;
    let claim = claim_with_args(subject, worker()).await?;
    for (claimed, stored) in claim.jobs.iter().zip(&jobs) {
        assert_eq!(claimed.args.as_deref(), Some(&*stored.args));
    }
    Ok(())
}

pub async fn arguments_around_one_kilobyte_come_back_as_they_were(subject: &Subject) -> Checked {
    for size in 1000..1050 {
        let args = format!(r#"{{"t":"{}"}}"#, "x".repeat(size));
        let id = subject.put(NewJob { args: args.clone(), ..job() }).await?;
        assert!(subject.row(id).await?.args == args, "{} bytes", args.len());
        let worker = worker();
        let claim = claim_with_args(subject, worker).await?;
        assert!(claim.jobs[0].args.as_deref() == Some(&*args), "{} bytes", args.len());
        assert!(subject.settle(worker, all(&claim, &completed())).await?);
        assert!(subject.row(id).await?.args == args, "{} bytes", args.len());
    }
    Ok(())
}

pub async fn large_arguments_survive_every_way_back_to_waiting(subject: &Subject) -> Checked {
    let back = [
        retry(SECOND),
        Settlement::Snooze { delay: SECOND },
        Settlement::Release,
        Settlement::Rescue { crashed: true },
    ];
    let id = subject.put(large()).await?;
    for settlement in back {
        let worker = worker();
        let claim = claim_with_args(subject, worker).await?;
        assert!(subject.settle(worker, all(&claim, &settlement)).await?);
        subject.advance(SECOND);
        whole(subject, id).await?;
    }
    Ok(())
}

pub async fn large_arguments_are_found_while_their_job_runs(subject: &Subject) -> Checked {
    let id = subject.put(large()).await?;
    subject.claim_batch(worker()).await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.args.len()), (JobState::Running, large().args.len()));
    Ok(())
}

pub async fn large_arguments_are_part_of_history(subject: &Subject) -> Checked {
    for state in [JobState::Completed, JobState::Failed, JobState::Cancelled] {
        let id = subject.put_and_settle(large(), finish(state)).await?;
        whole(subject, id).await?;
    }
    Ok(())
}

pub async fn large_arguments_of_a_failed_job_come_back_with_it(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(large(), finish(JobState::Failed)).await?;
    assert!(subject.storage().retry(id).await?);
    whole(subject, id).await?;
    let worker = worker();
    let claim = claim_with_args(subject, worker).await?;
    assert!(subject.settle(worker, all(&claim, &retry(Duration::ZERO))).await?);
    whole(subject, id).await
}

pub async fn large_arguments_are_parked_and_unparked_with_their_job(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(large(), park("unknown_kind")).await?;
    whole(subject, id).await?;
    assert_eq!(subject.unpark(&[("conformance.plain", 1)]).await?, 1);
    whole(subject, id).await
}

pub async fn large_arguments_of_a_cancelled_job_are_part_of_history(subject: &Subject) -> Checked {
    for parked in [false, true] {
        let id = match parked {
            true => subject.put_and_settle(large(), park("unknown_kind")).await?,
            false => subject.put(large()).await?,
        };
        assert_eq!(subject.storage().cancel(id).await?, Cancelled::Now);
        whole(subject, id).await?;
        assert!(subject.storage().retry(id).await?);
        whole(subject, id).await?;
        subject.storage().delete(id).await?;
    }
    Ok(())
}

pub async fn large_arguments_survive_a_split(subject: &Subject) -> Checked {
    let (id, worker) = (subject.put(large()).await?, worker());
    let claim = claim_with_args(subject, worker).await?;
    let end = ClaimEnd { key: claim.key, ended: vec![], still: vec![still(&claim.jobs[0])] };
    assert!(subject.settle(worker, end).await?);
    let key = ClaimKey { row: *id.as_uuid(), ..claim.key };
    assert!(subject.settle(worker, all(&Claim { key, ..claim }, &completed())).await?);
    whole(subject, id).await
}

pub async fn large_arguments_of_a_job_without_a_trace_go_with_it(subject: &Subject) -> Checked {
    let new = large();
    let gone = Settlement::Finish {
        state: JobState::Completed,
        result: None,
        error: None,
        keep: Keep::For(Duration::ZERO),
    };
    subject.put_and_settle(new.clone(), gone).await?;
    // What was left behind would stand in the way of the same id.
    subject.put(new.clone()).await?;
    assert!(subject.storage().delete(new.id).await?);
    subject.put(new.clone()).await?;
    assert_eq!(subject.storage().clear(None).await?, 1);
    subject.put(new).await?;
    Ok(())
}
