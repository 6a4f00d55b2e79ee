//! A caller's own transaction: jobs and outcomes in it exist if it commits. For databases with SQL.

use djob::storage::ClaimEnd;
use djob::{EnqueueIn as _, Enqueued, JobState};

use super::subject::*;
use crate::TestDatabase;

pub async fn jobs_of_a_committed_transaction_are_there(db: &TestDatabase) -> Checked {
    let (storage, new) = (db.client().storage(), job());
    let mut tx = db.begin().await?;
    let stored = storage.enqueue_in((&mut tx).conn(), vec![new.clone()]).await?;
    tx.commit().await?;
    assert_eq!(stored, [Enqueued::Inserted(new.id)]);
    assert_eq!(storage.find(new.id).await?.map(|row| row.state), Some(JobState::Ready));
    Ok(())
}

pub async fn jobs_of_a_rolled_back_transaction_never_were(db: &TestDatabase) -> Checked {
    let storage = db.client().storage();
    let (plain, mut keyed) = (job(), unique("key"));
    keyed.args = format!(r#"{{"text":"{}"}}"#, "x".repeat(5000));
    let mut tx = db.begin().await?;
    storage.enqueue_in((&mut tx).conn(), vec![plain.clone(), keyed.clone()]).await?;
    tx.rollback().await?;
    assert!(storage.counts().await?.is_empty());
    let again = storage.enqueue(vec![plain.clone(), keyed.clone()]).await?;
    assert_eq!(
        again,
        [Enqueued::Inserted(plain.id), Enqueued::Inserted(keyed.id)],
        "the key was given back, too"
    );
    Ok(())
}

pub async fn a_key_held_by_a_committed_job_is_seen_within_a_transaction(db: &TestDatabase) -> Checked {
    let (storage, holder) = (db.client().storage(), unique("key"));
    storage.enqueue(vec![holder.clone()]).await?;
    let mut tx = db.begin().await?;
    let stored = storage.enqueue_in((&mut tx).conn(), vec![unique("key"), unique("other")]).await?;
    tx.commit().await?;
    assert_eq!(stored[0], Enqueued::Existing(holder.id));
    assert!(matches!(stored[1], Enqueued::Inserted(_)));
    Ok(())
}

/// Who takes keys in the order in which they come ends in a deadlock with who has them in another.
pub async fn callers_may_name_the_same_keys_in_any_order(db: &TestDatabase) -> Checked {
    let storage = db.client().storage();
    let mut tx = db.begin().await?;
    storage.enqueue_in((&mut tx).conn(), vec![unique("middle")]).await?;
    let middle = async {
        // Until both wait for it, with what they named before it in their hands.
        tokio::time::sleep(SECOND / 2).await;
        tx.rollback().await
    };
    let call = |keys: [&str; 3]| storage.enqueue(keys.map(unique).to_vec());
    let (one, other, middle) = tokio::join!(call(["a", "middle", "z"]), call(["z", "middle", "a"]), middle);
    middle?;
    let stored = [one?, other?].concat();
    assert_eq!(stored.iter().filter(|answer| matches!(answer, Enqueued::Inserted(_))).count(), 3);
    Ok(())
}

/// A job of its own claim row, as `complete_in` finds it.
async fn claimed(db: &TestDatabase) -> Result<(uuid::Uuid, ClaimEnd), djob::BoxError> {
    let storage = db.client().storage();
    storage.enqueue(vec![job()]).await?;
    let worker = worker();
    let claims =
        storage.claim(worker, &[lane_at("default", 0, djob::storage::Cursor::HEAD)], 1, None).await?;
    Ok((worker, all(&claims[0], &completed())))
}

pub async fn an_outcome_is_committed_with_the_callers_own_writes(db: &TestDatabase) -> Checked {
    let (worker, end) = claimed(db).await?;
    db.execute("create table effects (n integer)").await?;
    let storage = db.client().storage();
    let mut tx = db.begin().await?;
    tx.execute("insert into effects values (1)").await?;
    assert!(storage.settle_in((&mut tx).conn(), worker, &end).await?);
    tx.commit().await?;
    assert_eq!(db.count("select count(*) from effects").await?, 1);
    assert_eq!(storage.find(end.ended[0].job.id).await?.map(|row| row.state), Some(JobState::Completed));
    assert_eq!(storage.settle(worker, &[end]).await?, [false], "it has finished itself");
    Ok(())
}

pub async fn an_outcome_is_rolled_back_with_the_callers_own_writes(db: &TestDatabase) -> Checked {
    let (worker, end) = claimed(db).await?;
    let storage = db.client().storage();
    let mut tx = db.begin().await?;
    assert!(storage.settle_in((&mut tx).conn(), worker, &end).await?);
    tx.rollback().await?;
    assert_eq!(storage.find(end.ended[0].job.id).await?.map(|row| row.state), Some(JobState::Running));
    assert_eq!(storage.settle(worker, &[end]).await?, [true]);
    Ok(())
}

pub async fn a_transaction_cannot_finish_what_another_worker_holds(db: &TestDatabase) -> Checked {
    let (worker, end) = claimed(db).await?;
    let storage = db.client().storage();
    let mut tx = db.begin().await?;
    assert!(!storage.settle_in((&mut tx).conn(), uuid::Uuid::now_v7(), &end).await?);
    tx.commit().await?;
    assert_eq!(storage.find(end.ended[0].job.id).await?.map(|row| row.state), Some(JobState::Running));
    assert_eq!(storage.settle(worker, &[end]).await?, [true]);
    Ok(())
}
