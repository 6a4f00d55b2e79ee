//! Queues and priorities: what a worker serves, and in which order.

use djob::{BoxError, JobState, NewJob, Worker, job};

use super::super::subject::*;
use super::{alongside, settled, worker_of};

#[job(name = "conformance.queued")]
async fn queued(n: i64) -> Result<i64, BoxError> {
    Ok(n)
}

/// When it ends there is one more of it.
#[job(name = "conformance.once_more")]
async fn once_more() -> Result<(), BoxError> {
    once_more.perform_later().await?;
    Ok(())
}

/// Stores one job in each of these queues, and says in which of them it has run once the worker is done.
async fn served(subject: &Subject, worker: Worker) -> Result<Vec<&'static str>, BoxError> {
    let mut jobs = vec![];
    for queue in ["default", "mail", "slow"] {
        jobs.push((queue, queued.perform_later(1).queue(queue).on(subject.client()).await?));
    }
    worker.work_off().await?;
    let mut served = vec![];
    for (queue, job) in jobs {
        if job.status().await? == Some(JobState::Completed) {
            served.push(queue);
        }
    }
    Ok(served)
}

pub async fn a_worker_serves_every_queue_unless_it_is_told(subject: &Subject) -> Checked {
    assert_eq!(served(subject, worker_of(subject, [queued.def()])).await?, ["default", "mail", "slow"]);
    Ok(())
}

pub async fn a_worker_serves_only_its_queues(subject: &Subject) -> Checked {
    let worker = worker_of(subject, [queued.def()]).queues(["mail", "slow"]);
    assert_eq!(served(subject, worker).await?, ["mail", "slow"]);
    Ok(())
}

pub async fn a_worker_may_serve_all_queues_but_one(subject: &Subject) -> Checked {
    let worker = worker_of(subject, [queued.def()]).queues(["*", "-slow"]);
    assert_eq!(served(subject, worker).await?, ["default", "mail"]);
    Ok(())
}

pub async fn pools_serve_their_queues_side_by_side(subject: &Subject) -> Checked {
    let worker = worker_of(subject, [queued.def()]).pools("mail:1;default:2");
    assert_eq!(served(subject, worker).await?, ["default", "mail"]);
    Ok(())
}

pub async fn a_worker_runs_only_its_priorities(subject: &Subject) -> Checked {
    let mut jobs = vec![];
    for priority in [-1, 0, 5, 6] {
        jobs.push(queued.perform_later(0).priority(priority).on(subject.client()).await?);
    }
    worker_of(subject, [queued.def()]).priorities(0, 5).work_off().await?;
    let mut completed = vec![];
    for job in &jobs {
        completed.push(job.status().await? == Some(JobState::Completed));
    }
    assert_eq!(completed, [false, true, true, false]);
    Ok(())
}

/// One at a time, and with nothing held in advance, the order is exact.
pub async fn jobs_start_by_priority_then_time_then_order_of_enqueue(subject: &Subject) -> Checked {
    for (n, priority) in [(3, 1), (1, 0), (4, 1), (2, 0), (0, -1)] {
        queued.perform_later(n).priority(priority).on(subject.client()).await?;
    }
    let mut events = subject.client().events();
    worker_of(subject, [queued.def()]).concurrency(1).read_ahead(0).work_off().await?;
    let mut order = vec![];
    while order.len() < 5 {
        let started = events.until(|event| match event {
            djob::Event::Started { id, .. } => Some(*id),
            _ => None,
        });
        let id = started.await.ok_or("the events have ended")?;
        order.push(subject.row(id).await?.result.unwrap_or_default());
    }
    assert_eq!(order, ["0", "1", "2", "3", "4"]);
    Ok(())
}

pub async fn a_waiting_worker_hears_of_a_new_job(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let worker = worker_of(subject, [queued.def()]).poll(HOUR);
    alongside(worker, async {
        events.until(|event| matches!(event, djob::Event::WorkerIdle { .. }).then_some(())).await;
        let job = queued.perform_later(7).on(subject.client()).await?;
        assert_eq!(settled(&mut events, job.id()).await?.result.as_deref(), Some("7"));
        Ok(())
    })
    .await
}

/// A wake-up may get lost, and nobody rings when a transaction commits.
pub async fn a_job_that_no_wake_up_tells_of_is_found_by_looking(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let worker = worker_of(subject, [queued.def()]).poll(SECOND / 10);
    alongside(worker, async {
        events.until(|event| matches!(event, djob::Event::WorkerIdle { .. }).then_some(())).await;
        let (kind, args) = ("conformance.queued".into(), r#"{"n":7}"#.into());
        let id = subject.put(NewJob { kind, args, ..job() }).await?;
        assert_eq!(settled(&mut events, id).await?.result.as_deref(), Some("7"));
        Ok(())
    })
    .await
}

pub async fn a_queue_that_never_runs_dry_keeps_no_other_waiting(subject: &Subject) -> Checked {
    let mut events = subject.client().events();
    let first = once_more.perform_later().on(subject.client()).await?;
    once_more.perform_later().on(subject.client()).await?;
    let worker = worker_of(subject, [once_more.def(), queued.def()]).concurrency(1).read_ahead(0);
    alongside(worker, async {
        settled(&mut events, first.id()).await?;
        let other = queued.perform_later(7).queue("other").on(subject.client()).await?;
        assert_eq!(settled(&mut events, other.id()).await?.result.as_deref(), Some("7"));
        Ok(())
    })
    .await
}

pub async fn a_paused_queue_waits_until_it_goes_on(subject: &Subject) -> Checked {
    let paused = queued.perform_later(1).queue("paused").on(subject.client()).await?;
    let other = queued.perform_later(2).on(subject.client()).await?;
    assert!(subject.storage().pause("paused", true).await?);
    worker_of(subject, [queued.def()]).work_off().await?;
    assert_eq!(other.status().await?, Some(JobState::Completed));
    assert_eq!(paused.status().await?, Some(JobState::Ready));
    assert!(subject.storage().pause("paused", false).await?);
    worker_of(subject, [queued.def()]).work_off().await?;
    assert_eq!(paused.status().await?, Some(JobState::Completed));
    Ok(())
}
