//! The ends of a worker: when it is done, when it is told to stop, and when it is taken for dead.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use djob::storage::ClaimEnd;
use djob::{BoxError, Event, JobContext, JobState, State, job};
use tokio::sync::Semaphore;

use super::super::subject::*;
use super::{alongside, settled, started, worker_of};

/// Longer than any test takes.
const PATIENT: Duration = Duration::from_secs(60);

/// A door that a job waits before.
struct Door(Semaphore);

impl Door {
    fn closed() -> State {
        State::new().with(Door(Semaphore::new(0)))
    }

    fn open(state: &State) {
        state.get::<Door>().into_iter().for_each(|door| door.0.add_permits(100));
    }
}

/// Whether a job was told to stop.
struct Told(AtomicBool);

#[job(name = "conformance.wait_at_the_door")]
async fn wait_at_the_door(ctx: &JobContext) -> Result<(), BoxError> {
    ctx.state::<Door>()?.0.acquire().await?.forget();
    Ok(())
}

#[job(name = "conformance.never_ends")]
async fn never_ends() {
    pending::<()>().await;
}

#[job(name = "conformance.tidy_up")]
async fn tidy_up(ctx: &JobContext) -> Result<(), BoxError> {
    ctx.cancelled().await;
    ctx.state::<Told>()?.0.store(true, Ordering::SeqCst);
    Ok(())
}

#[job(name = "conformance.countdown")]
async fn countdown(n: u32) -> Result<(), BoxError> {
    if n > 0 {
        countdown.perform_later(n - 1).await?;
    }
    Ok(())
}

pub async fn working_off_leaves_what_is_scheduled_for_later(subject: &Subject) -> Checked {
    let now = countdown.perform_later(0).on(subject.client()).await?;
    let later = countdown.perform_later(0).delay(SECOND).on(subject.client()).await?;
    worker_of(subject, [countdown.def()]).work_off().await?;
    assert_eq!(now.status().await?, Some(JobState::Completed));
    assert_eq!(later.status().await?, Some(JobState::Scheduled));
    Ok(())
}

pub async fn working_off_includes_what_jobs_enqueue(subject: &Subject) -> Checked {
    countdown.perform_later(30).on(subject.client()).await?;
    worker_of(subject, [countdown.def()]).exit_on_complete(true).run_until(pending()).await?;
    let counts = subject.storage().counts().await?;
    assert_eq!(
        counts.iter().map(|count| (count.state, count.jobs)).collect::<Vec<_>>(),
        [(JobState::Completed, 31)]
    );
    Ok(())
}

pub async fn a_drain_lets_what_runs_finish(subject: &Subject) -> Checked {
    let (mut events, state) = (subject.client().events(), Door::closed());
    let job = wait_at_the_door.perform_later().on(subject.client()).await?;
    let worker = worker_of(subject, [wait_at_the_door.def()]).states(state.clone());
    let shutdown = async { drop(started(&mut events, job.id()).await) };
    let open_once_it_drains = async {
        let mut events = subject.client().events();
        events.until(|event| matches!(event, Event::WorkerDrains { .. }).then_some(())).await;
        Door::open(&state);
    };
    let (worked, ()) = tokio::join!(worker.run_until(shutdown), open_once_it_drains);
    worked?;
    assert_eq!(job.status().await?, Some(JobState::Completed));
    Ok(())
}

pub async fn a_drain_hands_back_what_has_not_begun(subject: &Subject) -> Checked {
    let (mut events, state) = (subject.client().events(), Door::closed());
    let running = wait_at_the_door.perform_later().on(subject.client()).await?;
    let mut held = vec![];
    for _ in 0..5 {
        held.push(wait_at_the_door.perform_later().on(subject.client()).await?);
    }
    let worker =
        worker_of(subject, [wait_at_the_door.def()]).states(state.clone()).concurrency(1).read_ahead(5);
    let shutdown = async { drop(started(&mut events, running.id()).await) };
    let open_once_all_is_back = async {
        let mut events = subject.client().events();
        for job in &held {
            assert_eq!(settled(&mut events, job.id()).await?.state, JobState::Ready);
        }
        Door::open(&state);
        Ok::<_, BoxError>(())
    };
    let (worked, back) = tokio::join!(worker.run_until(shutdown), open_once_all_is_back);
    worked?;
    back?;
    assert_eq!(running.status().await?, Some(JobState::Completed));
    for job in &held {
        let row = subject.row(job.id()).await?;
        assert_eq!((row.state, row.attempt), (JobState::Ready, 0));
    }
    Ok(())
}

pub async fn a_job_that_outlasts_the_drain_is_told_to_stop(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let state = State::new().with(Told(AtomicBool::new(false)));
    let job = tidy_up.perform_later().on(subject.client()).await?;
    let worker = worker_of(subject, [tidy_up.def()]).states(state.clone());
    let worker = worker.shutdown(Duration::from_millis(20), PATIENT);
    alongside(worker, async { started(&mut events, job.id()).await.map(drop) }).await?;
    assert!(state.get::<Told>().is_some_and(|told| told.0.load(Ordering::SeqCst)));
    assert_eq!(job.status().await?, Some(JobState::Completed));
    Ok(())
}

pub async fn a_job_that_does_not_stop_is_interrupted_and_burns_no_attempt(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let job = never_ends.perform_later().on(subject.client()).await?;
    let before = subject.row(job.id()).await?;
    let worker =
        worker_of(subject, [never_ends.def()]).shutdown(Duration::from_millis(20), Duration::from_millis(20));
    alongside(worker, async { started(&mut events, job.id()).await.map(drop) }).await?;
    let after = subject.row(job.id()).await?;
    assert_eq!((after.state, after.attempt, after.run_at), (JobState::Ready, 0, before.run_at));
    assert!(subject.storage().attempts(job.id()).await?.is_empty());
    Ok(())
}

/// Waits until the only worker has beaten at the time that it is now.
async fn beaten(subject: &Subject) -> Checked {
    let silent = async {
        while !subject.orphans(SECOND).await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    };
    tokio::time::timeout(SECOND * 10, silent).await.map_err(|_| "it beats no more")?
}

/// Others would take what still runs here.
pub async fn a_worker_that_drains_keeps_its_lease(subject: &Subject) -> Checked {
    let (mut events, state) = (subject.client().events(), Door::closed());
    let job = wait_at_the_door.perform_later().on(subject.client()).await?;
    let worker = worker_of(subject, [wait_at_the_door.def()]).states(state.clone());
    let shutdown = async { drop(started(&mut events, job.id()).await) };
    let two_leases_later = async {
        let mut events = subject.client().events();
        events.until(|event| matches!(event, Event::WorkerDrains { .. }).then_some(())).await;
        for _ in 0..4 {
            subject.advance(LEASE / 2);
            beaten(subject).await?;
        }
        Door::open(&state);
        Ok::<_, BoxError>(())
    };
    let worker = worker.lease(Duration::from_millis(20), LEASE);
    let (worked, kept) = tokio::join!(worker.run_until(shutdown), two_leases_later);
    kept?;
    worked?;
    assert_eq!(job.status().await?, Some(JobState::Completed));
    Ok(())
}

pub async fn a_job_that_runs_for_longer_than_a_lease_runs_once(subject: &Subject) -> Checked {
    let (mut events, state, lease) = (subject.client().events(), Door::closed(), SECOND * 3 / 2);
    let job = wait_at_the_door.perform_later().on(subject.client()).await?;
    let worker = worker_of(subject, [wait_at_the_door.def()]).states(state.clone());
    alongside(worker.lease(Duration::from_millis(20), lease), async {
        started(&mut events, job.id()).await?;
        // It soon gets a claim row of its own, which is young.
        while subject.orphans(Duration::ZERO).await?.iter().all(|(_, claim)| !claim.started) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..3 {
            subject.advance(lease - SECOND / 10);
            beaten(subject).await?;
        }
        // It looks twice in a lease for claims that it has forgotten, and believes what it sees twice.
        tokio::time::sleep(lease * 5 / 4).await;
        Door::open(&state);
        let next = events.until(|event| match event {
            Event::Settled { state, .. } => Some(Some(*state)),
            Event::Started { .. } | Event::Refused { .. } => Some(None),
            _ => None,
        });
        assert_eq!(next.await.flatten(), Some(JobState::Completed), "it was handed back, and began again");
        Ok(())
    })
    .await
}

pub async fn the_jobs_of_a_worker_that_died_run_again(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let job = countdown.perform_later(0).on(subject.client()).await?;
    subject.claim_batch(worker()).await?;
    alongside(worker_of(subject, [countdown.def()]), async {
        assert_eq!(settled(&mut events, job.id()).await?.state, JobState::Completed);
        Ok(())
    })
    .await?;
    assert_eq!(subject.row(job.id()).await?.meta.crashes, 1, "it was alone when its worker died");
    Ok(())
}

/// Nobody knows which of them it was.
pub async fn a_batch_whose_worker_died_is_under_suspicion_and_not_to_blame(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let mut jobs = vec![];
    for _ in 0..3 {
        jobs.push(countdown.perform_later(0).on(subject.client()).await?);
    }
    subject.claim_batch(worker()).await?;
    alongside(worker_of(subject, [countdown.def()]), async {
        for _ in &jobs {
            let ended = |event: &Event| matches!(event, Event::Settled { .. }).then_some(());
            events.until(ended).await.ok_or("the events have ended")?;
        }
        Ok(())
    })
    .await?;
    for job in jobs {
        let row = subject.row(job.id()).await?;
        assert_eq!((row.state, row.meta.crashes), (JobState::Completed, 0));
    }
    Ok(())
}

/// If its worker dies now, it is known whose fault that was.
pub async fn a_suspect_has_a_claim_of_its_own_which_says_that_it_began(subject: &Subject) -> Checked {
    let (mut events, state) = (subject.client().events(), Door::closed());
    for _ in 0..2 {
        wait_at_the_door.perform_later().on(subject.client()).await?;
    }
    subject.claim_batch(worker()).await?;
    alongside(worker_of(subject, [wait_at_the_door.def()]).states(state.clone()), async {
        for _ in 0..2 {
            let begun = |event: &Event| matches!(event, Event::Started { .. }).then_some(());
            events.until(begun).await.ok_or("the events have ended")?;
        }
        // A lease of no time makes orphans of all claims.
        let claims = subject.orphans(Duration::ZERO).await?;
        let seen: Vec<_> = claims.iter().map(|(_, claim)| (claim.jobs.len(), claim.started)).collect();
        assert_eq!(seen, [(1, true), (1, true)], "jobs, and whether they began");
        Door::open(&state);
        Ok(())
    })
    .await
}

pub async fn a_job_that_takes_three_workers_down_has_failed(subject: &Subject) -> Checked {
    let job = countdown.perform_later(0).on(subject.client()).await?;
    for _ in 0..2 {
        let dead = worker();
        let claim = subject.claim_batch(dead).await?;
        assert!(subject.settle(dead, all(&claim, &djob::Settlement::Rescue { crashed: true })).await?);
    }
    let dead = worker();
    let claim = subject.claim_batch(dead).await?;
    // A suspect is only to blame once it has begun, in a claim row of its own.
    let begun = ClaimEnd { key: claim.key, ended: vec![], still: vec![still(&claim.jobs[0])] };
    assert!(subject.settle(dead, begun).await?);
    let mut events = subject.client().events();
    alongside(worker_of(subject, [countdown.def()]), async {
        events.until(|event| matches!(event, Event::Rescued { .. }).then_some(())).await;
        Ok(())
    })
    .await?;
    let row = subject.row(job.id()).await?;
    assert_eq!(row.state, JobState::Failed);
    assert!(row.error.is_some_and(|why| why.starts_with("crash_loop")));
    Ok(())
}

/// A call that is dropped half-way spoils its connection, and a database in memory is its connection.
pub async fn a_worker_that_ends_at_any_moment_spoils_no_connection(subject: &Subject) -> Checked {
    for moment in 0..60_u32 {
        let until = async move {
            pass(moment).await;
        };
        worker_of(subject, [countdown.def()]).run_until(until).await?;
        subject.client().counts().await?;
    }
    Ok(())
}

pub async fn a_suspect_that_had_not_begun_is_not_charged(subject: &Subject) -> Checked {
    let job = countdown.perform_later(0).on(subject.client()).await?;
    for _ in 0..2 {
        let dead = worker();
        let claim = subject.claim_batch(dead).await?;
        assert!(subject.settle(dead, all(&claim, &djob::Settlement::Rescue { crashed: true })).await?);
    }
    // This worker dies before it has split the batch, and so before the job could begin.
    subject.claim_batch(worker()).await?;
    let mut events = subject.client().events();
    alongside(worker_of(subject, [countdown.def()]), async {
        assert_eq!(settled(&mut events, job.id()).await?.state, JobState::Completed);
        Ok(())
    })
    .await
}

/// Lets a worker lose its lease over a job, and says how many crashes that has cost the job when it completes.
async fn lose_the_lease(subject: &Subject) -> Result<u16, BoxError> {
    let (mut events, state) = (subject.client().events(), Door::closed());
    let job = wait_at_the_door.perform_later().on(subject.client()).await?;
    let worker = worker_of(subject, [wait_at_the_door.def()]).states(state.clone());
    alongside(worker.lease(Duration::from_millis(20), LEASE), async {
        started(&mut events, job.id()).await?;
        subject.advance(LEASE + SECOND);
        // Nobody opens the door for the first run: what it would say does not count any more.
        assert_eq!(started(&mut events, job.id()).await?, 1, "a crash is no attempt");
        Door::open(&state);
        assert_eq!(settled(&mut events, job.id()).await?.state, JobState::Completed);
        Ok(())
    })
    .await?;
    Ok(subject.row(job.id()).await?.meta.crashes)
}

pub async fn a_worker_that_was_taken_for_dead_begins_anew_and_its_job_runs_again(
    subject: &Subject,
) -> Checked {
    assert!(lose_the_lease(subject).await? > 0);
    Ok(())
}

pub async fn a_lease_that_is_lost_once_counts_as_one_crash(subject: &Subject) -> Checked {
    assert_eq!(lose_the_lease(subject).await?, 1);
    Ok(())
}
