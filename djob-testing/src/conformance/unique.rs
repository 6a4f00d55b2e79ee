//! Unique keys: held by one unfinished job, from enqueue to its end.

use std::time::Duration;

use djob::storage::Cancelled;
use djob::{Enqueued, JobId, JobState, Keep, NewJob, Settlement};

use super::subject::*;

/// Whether another job may have the key now. It is not kept.
async fn is_free(subject: &Subject, key: &str) -> Result<bool, djob::BoxError> {
    let probe = unique(key);
    let stored = subject.storage().enqueue(vec![probe.clone()]).await?;
    if stored == [Enqueued::Inserted(probe.id)] {
        subject.storage().delete(probe.id).await?;
        return Ok(true);
    }
    assert_eq!(subject.state(probe.id).await?, None, "a refused job is not stored");
    Ok(false)
}

pub async fn a_held_key_is_answered_with_its_holder(subject: &Subject) -> Checked {
    let holder = subject.put(unique("key")).await?;
    let second = unique("key");
    assert_eq!(subject.storage().enqueue(vec![second.clone()]).await?, [Enqueued::Existing(holder)]);
    assert_eq!(subject.state(second.id).await?, None);
    subject.put(unique("another key")).await?;
    Ok(())
}

pub async fn within_one_batch_the_first_of_a_key_is_stored(subject: &Subject) -> Checked {
    let held = subject.put(unique("held")).await?;
    let jobs = [unique("b"), unique("held"), job(), unique("a"), unique("b"), unique("a")];
    let stored = subject.storage().enqueue(jobs.to_vec()).await?;
    let [b, _, plain, a, _, _] = jobs.map(|job| job.id);
    use Enqueued::{Existing, Inserted};
    assert_eq!(stored, [Inserted(b), Existing(held), Inserted(plain), Inserted(a), Existing(b), Existing(a)]);
    assert_eq!(ids(&subject.claim(worker(), 10).await?).len(), 4);
    Ok(())
}

pub async fn eight_callers_at_once_store_one_job_of_a_key(subject: &Subject) -> Checked {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let storage = subject.storage().clone();
        callers.spawn(async move { storage.enqueue(vec![unique("b"), unique("a")]).await });
    }
    let mut stored = vec![];
    while let Some(caller) = callers.join_next().await {
        stored.extend(caller??);
    }
    assert_eq!(stored.iter().filter(|answer| matches!(answer, Enqueued::Inserted(_))).count(), 2);
    let claimed = ids(&subject.claim(worker(), 100).await?);
    assert_eq!(claimed.len(), 2);
    assert!(
        stored.iter().all(|answer| claimed.contains(&answer.id())),
        "each answer names a job that is there"
    );
    Ok(())
}

pub async fn a_key_is_free_once_its_job_is_finished(subject: &Subject) -> Checked {
    for state in [JobState::Completed, JobState::Failed, JobState::Cancelled] {
        for keep in [Keep::For(HOUR), Keep::For(Duration::ZERO), Keep::Forever] {
            let end = Settlement::Finish { state, result: None, error: None, keep };
            subject.put_and_settle(unique("key"), end).await?;
            assert!(is_free(subject, "key").await?, "{state}, {keep:?}");
        }
    }
    Ok(())
}

pub async fn a_key_is_held_while_its_job_is_unfinished(subject: &Subject) -> Checked {
    let back = [
        retry(Duration::ZERO),
        Settlement::Snooze { delay: Duration::ZERO },
        Settlement::Release,
        Settlement::Rescue { crashed: true },
        park("unknown_kind"),
    ];
    let id = subject.put(unique("key")).await?;
    for settlement in back {
        let worker = worker();
        let claim = subject.claim_batch(worker).await?;
        assert!(!is_free(subject, "key").await?, "while it runs");
        assert!(subject.settle(worker, all(&claim, &settlement)).await?);
        assert!(!is_free(subject, "key").await?, "after {settlement:?}");
        assert_eq!(subject.row(id).await?.meta.unique_key.as_deref(), Some("key"));
    }
    subject.unpark(&[("conformance.plain", 1)]).await?;
    assert!(!is_free(subject, "key").await?);
    Ok(())
}

pub async fn a_refused_settle_frees_no_key(subject: &Subject) -> Checked {
    let claim = subject.put_and_claim(worker(), unique("key")).await?;
    assert!(!subject.settle(worker(), all(&claim, &completed())).await?);
    assert!(!is_free(subject, "key").await?);
    Ok(())
}

pub async fn a_cancelled_job_frees_its_key(subject: &Subject) -> Checked {
    let id = subject.put(unique("key")).await?;
    assert_eq!(subject.storage().cancel(id).await?, Cancelled::Now);
    assert!(is_free(subject, "key").await?);
    Ok(())
}

pub async fn a_deleted_job_frees_its_key(subject: &Subject) -> Checked {
    let id = subject.put(unique("key")).await?;
    assert!(subject.storage().delete(id).await?);
    assert!(is_free(subject, "key").await?);
    Ok(())
}

pub async fn a_cleared_queue_frees_its_keys(subject: &Subject) -> Checked {
    subject.put(unique("one")).await?;
    subject.put(NewJob { queue: "mail".into(), ..unique("two") }).await?;
    assert_eq!(subject.storage().clear(Some("mail")).await?, 1);
    assert!(is_free(subject, "two").await?);
    assert!(!is_free(subject, "one").await?);
    assert_eq!(subject.storage().clear(None).await?, 1);
    assert!(is_free(subject, "one").await?);
    Ok(())
}

/// It gave the key back when it failed, and wants it again.
pub async fn a_failed_job_that_is_retried_holds_its_key_again(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(unique("key"), finish(JobState::Failed)).await?;
    assert!(subject.storage().retry(id).await?);
    assert!(!is_free(subject, "key").await?, "two unfinished jobs could have the same key");
    Ok(())
}

pub async fn a_failed_job_is_not_retried_while_another_holds_its_key(subject: &Subject) -> Checked {
    let failed = subject.put_and_settle(unique("key"), finish(JobState::Failed)).await?;
    let holder = subject.put(unique("key")).await?;
    let back = subject.storage().retry(failed).await;
    assert!(!matches!(back, Ok(true)), "two unfinished jobs have the same key");
    assert_eq!(subject.state(failed).await?, Some(JobState::Failed));
    assert_eq!(subject.state(holder).await?, Some(JobState::Ready));
    Ok(())
}

/// The holder may finish between the attempt to take the key and the question who holds it.
pub async fn a_refusal_never_names_a_job_that_was_not_stored(subject: &Subject) -> Checked {
    let storage = subject.storage().clone();
    let enqueuer = tokio::spawn(async move {
        let mut lost: Vec<JobId> = vec![];
        for _ in 0..400 {
            let new = unique("key");
            let answer = storage.enqueue(vec![new.clone()]).await?[0];
            if answer == Enqueued::Existing(new.id) {
                lost.push(new.id);
            }
        }
        Ok::<_, djob::StorageError>(lost)
    });
    while !enqueuer.is_finished() {
        let worker = worker();
        let heads = [lane_at("default", 0, djob::storage::Cursor::HEAD)];
        for claim in subject.storage().claim(worker, &heads, 10, None).await? {
            assert!(subject.settle(worker, all(&claim, &completed())).await?);
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(enqueuer.await??, [], "these jobs are lost: the answer says that they exist");
    Ok(())
}
