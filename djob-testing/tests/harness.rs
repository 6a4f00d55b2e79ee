//! The harness: what users hold in their hands.

use std::sync::Mutex;
use std::time::Duration;

use djob::{BoxError, Directive, EnqueueError, JobContext, JobState, job};
use djob_testing::Harness;

#[job]
async fn add_up(a: u32, b: u32) -> Result<u32, BoxError> {
    Ok(a + b)
}

#[job(backoff = "fixed 1h", retries = 2)]
async fn never_works() -> Result<(), BoxError> {
    Err("broken".into())
}

#[job]
async fn snooze_for_ever() -> Result<(), BoxError> {
    Err(Directive::snooze(Duration::ZERO).into())
}

#[job]
async fn have_a_child(generations: u32) -> Result<(), BoxError> {
    if generations > 0 {
        have_a_child.perform_later(generations - 1).await?;
    }
    Ok(())
}

#[job]
async fn note(#[state] notes: &Notes, text: String) {
    notes.0.lock().unwrap().push(text);
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

async fn harness() -> Harness {
    Harness::new().await.only([add_up.def(), never_works.def(), snooze_for_ever.def(), have_a_child.def()])
}

#[tokio::test]
async fn what_is_due_runs_once_each_in_the_order_of_a_worker() {
    let harness = harness().await;
    harness
        .scope(async {
            add_up.perform_later(3, 0).priority(5).await?;
            add_up.perform_later(1, 0).await?;
            add_up.perform_later(2, 0).await?;
            add_up.perform_later(9, 0).delay(Duration::from_secs(1)).await.map(drop)
        })
        .await
        .unwrap();
    let ran = harness.run_due().await;
    let results: Vec<&str> = ran.iter().filter_map(|run| run.result.as_deref()).collect();
    assert_eq!(results, ["1", "2", "3"]);
    assert!(harness.run_due().await.is_empty());
    assert_eq!(harness.enqueued().await.len(), 1);
}

#[tokio::test]
async fn a_child_waits_for_the_next_run() {
    let harness = harness().await;
    have_a_child.perform_later(1).on(harness.client()).await.unwrap();
    assert_eq!(harness.run_due().await.len(), 1);
    assert_eq!(harness.run_due().await.len(), 1);
    assert!(harness.run_due().await.is_empty());
}

#[tokio::test]
async fn a_job_that_snoozes_for_no_time_runs_once_in_each_run() {
    let harness = harness().await;
    snooze_for_ever.perform_later().on(harness.client()).await.unwrap();
    for _ in 0..3 {
        let ran = harness.run_due().await;
        assert_eq!((ran.len(), ran[0].state), (1, JobState::Scheduled));
    }
}

#[tokio::test]
async fn a_drain_moves_the_clock_through_all_retries() {
    let harness = harness().await;
    let start = harness.now();
    never_works.perform_later().on(harness.client()).await.unwrap();
    let ran = harness.drain().await.unwrap();
    let states: Vec<JobState> = ran.iter().map(|run| run.state).collect();
    assert_eq!(states, [JobState::Scheduled, JobState::Scheduled, JobState::Failed]);
    assert_eq!(ran.iter().map(|run| run.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(harness.now() - start > Duration::from_secs(90 * 60));
}

#[tokio::test]
async fn a_drain_that_never_ends_names_the_job() {
    let harness = harness().await;
    snooze_for_ever.perform_later().on(harness.client()).await.unwrap();
    let error = harness.drain().await.unwrap_err();
    assert!(
        error.to_string().starts_with("the drain does not end: \"snooze_for_ever\" ran 101 times"),
        "{error}"
    );
}

#[tokio::test]
async fn two_scopes_side_by_side_do_not_see_each_other() {
    let (one, two) = (harness().await, harness().await);
    let both = async |harness: &Harness, n: u32| {
        harness.scope(async { add_up.perform_later(n, n).await }).await?;
        Ok::<_, EnqueueError>(harness.enqueued().await.iter().map(|job| job.args.clone()).collect::<Vec<_>>())
    };
    let (one, two) = tokio::join!(both(&one, 1), both(&two, 2));
    assert_eq!(
        (one.unwrap(), two.unwrap()),
        (vec![r#"{"a":1,"b":1}"#.to_owned()], vec![r#"{"a":2,"b":2}"#.to_owned()])
    );
}

#[tokio::test]
async fn state_is_lent_to_jobs_that_are_run_and_to_those_that_run_at_once() {
    let harness = Harness::new().await.only([note.def()]).state(Notes::default());
    note.perform_later("stored".into()).on(harness.client()).await.unwrap();
    assert_eq!(harness.run_due().await.len(), 1);
    note.perform_later("at once".into()).on(&harness.inline()).await.unwrap();
    assert!(harness.enqueued().await.is_empty());
}

#[tokio::test]
#[should_panic(expected = "needs the state `Notes`")]
async fn a_missing_state_is_told_with_its_name() {
    let harness = Harness::new().await.only([note.def()]);
    harness.run_due().await;
}

#[tokio::test]
async fn a_job_of_another_kind_is_parked_and_did_not_begin() {
    let harness = Harness::new().await.only([add_up.def()]);
    never_works.perform_later().on(harness.client()).await.unwrap();
    let ran = harness.run_due().await;
    assert_eq!((ran[0].state, ran[0].attempt), (JobState::Parked, 0));
    assert_eq!(harness.enqueued().await[0].state, JobState::Parked);
}

#[tokio::test]
async fn a_transactional_job_finishes_through_the_pool_of_the_harness() {
    #[job(transactional)]
    async fn insert(ctx: &JobContext, #[state] pool: &djob::sqlx::SqlitePool) -> Result<(), BoxError> {
        let mut tx = pool.begin().await?;
        ctx.complete_in(&mut tx).await?;
        Ok(tx.commit().await?)
    }
    let harness = Harness::new().await.only([insert.def()]);
    let pool = harness.pool().clone();
    let harness = harness.state(pool);
    insert.perform_later().on(harness.client()).await.unwrap();
    assert_eq!(harness.run_due().await[0].state, JobState::Completed);
}
