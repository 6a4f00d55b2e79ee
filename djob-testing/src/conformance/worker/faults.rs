//! One fault at a time: whichever call of a worker goes wrong, nothing is lost and nothing counts twice.

use std::sync::Arc;
use std::time::Duration;

use djob::{BoxError, Client, Event, JobContext, JobId, JobState, Worker, job};
use tokio::sync::{Semaphore, watch};

use super::super::faulty::{Fault, Faulty};
use super::super::subject::*;

/// Says what it returns.
#[job(name = "conformance.echo", backoff = "fixed 0s")]
pub(in super::super) async fn echo(text: String) -> Result<String, BoxError> {
    Ok(text)
}

/// Goes wrong the first time.
#[job(name = "conformance.stumble", backoff = "fixed 0s")]
async fn stumble(ctx: &JobContext) -> Result<(), BoxError> {
    if ctx.attempt() == 1 { Err("stumbled".into()) } else { Ok(()) }
}

/// Takes so long that its batch is split.
#[job(name = "conformance.dawdle")]
async fn dawdle() {
    tokio::time::sleep(Duration::from_millis(350)).await;
}

/// What the worker was told of its jobs.
#[derive(Debug, Default)]
struct Told {
    completed: Vec<JobId>,
    refused: usize,
    starts: usize,
}

/// No worker makes more calls than this in the test below.
const CALLS_MAX: u64 = 45;

pub async fn whichever_call_goes_wrong_nothing_is_lost_and_nothing_counts_twice(
    subject: &Subject,
) -> Checked {
    // So many at a time that none of them starves.
    let room = Arc::new(Semaphore::new(10));
    let mut runs = tokio::task::JoinSet::new();
    for fault in [Fault::Away, Fault::AnswerLost, Fault::Panics] {
        // Each panic costs a lease.
        for at in 1..=if fault == Fault::Panics { CALLS_MAX / 2 } else { CALLS_MAX } {
            let storage = Faulty::new(subject.storage().clone(), fault, at);
            let queue = format!("queue-{fault:?}-{at}").to_lowercase();
            let (client, room) = (subject.client().clone(), room.clone());
            runs.spawn(async move {
                let _room = room.acquire().await?;
                with_fault(client, storage, queue, fault).await
            });
        }
    }
    // The database's time goes on, no faster than the machine's: under load the workers keep their leases.
    let time = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            subject.advance(SECOND / 10);
        }
    };
    let all = async {
        let mut happened = 0;
        while let Some(run) = runs.join_next().await {
            happened += u32::from(run??);
        }
        Ok::<_, BoxError>(happened)
    };
    tokio::select! {
        happened = all => assert!(happened? > 30, "most of the faults happen"),
        () = time => {}
    }
    Ok(())
}

/// The arguments of a job may lie apart, and not to get at them is no fault of the job's.
pub async fn whichever_call_is_refused_a_job_with_large_arguments_runs_in_the_end(
    subject: &Subject,
) -> Checked {
    let mut happened = 0;
    for at in 1..=12 {
        let storage = Faulty::new(subject.storage().clone(), Fault::Refused, at);
        let queue = format!("refused-{at}");
        let job = echo.perform_later("x".repeat(2000)).queue(queue.clone()).on(subject.client()).await?;
        let of_worker = Client::builder().clock(subject.client().clock().clone()).storage(storage.clone());
        let (over, stop) = watch::channel(false);
        let working = tokio::spawn(work(of_worker, queue.clone(), stop));
        let mut state = None;
        for _ in 0..1000 {
            state = subject.state(job.id()).await?;
            if matches!(state, Some(JobState::Completed | JobState::Parked | JobState::Failed)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            subject.advance(SECOND / 10);
        }
        over.send_replace(true);
        working.await?;
        assert_eq!(state, Some(JobState::Completed), "call {at} was refused");
        happened += u32::from(storage.happened());
    }
    assert!(happened > 8, "most of the calls are made: {happened}");
    Ok(())
}

/// Works four jobs off, with one fault; returns whether it happened.
async fn with_fault(
    client: Client,
    storage: Arc<Faulty>,
    queue: String,
    fault: Fault,
) -> Result<bool, BoxError> {
    let large = "x".repeat(2000);
    let jobs = [
        echo.perform_later("small".into()).queue(queue.clone()).on(&client).await?.id(),
        echo.perform_later(large).queue(queue.clone()).on(&client).await?.id(),
        stumble.perform_later().queue(queue.clone()).on(&client).await?.id(),
        dawdle.perform_later().queue(queue.clone()).on(&client).await?.id(),
    ];
    let of_worker = Client::builder().clock(client.clock().clone()).storage(storage.clone());
    let mut events = of_worker.events();
    let (over, stop) = watch::channel(false);
    let working = tokio::spawn(work(of_worker, queue.clone(), stop));
    let completed = async {
        for id in jobs {
            while client.find(id).await?.is_none_or(|row| row.state != JobState::Completed) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok::<_, BoxError>(())
    };
    let patience = tokio::time::timeout(Duration::from_secs(120), completed).await;
    over.send_replace(true);
    working.await?;
    if patience.is_err() {
        let mut left = vec![];
        for id in jobs {
            left.push((client.find(id).await?, client.attempts(id).await?));
        }
        return Err(format!("{queue}: not all jobs completed: {left:#?}").into());
    }
    patience??;
    let mut told = Told::default();
    while let Some(event) = events.next().await {
        match event {
            Event::Settled { id, state: JobState::Completed, .. } => told.completed.push(id),
            Event::Refused { .. } => told.refused += 1,
            Event::WorkerStarted { .. } => told.starts += 1,
            _ => {}
        }
    }
    // A worker that started anew, after a panic or because this machine is slow, had its jobs rescued: some ran twice.
    if told.starts > 1 || fault == Fault::Panics {
        return Ok(storage.happened());
    }
    told.completed.sort();
    assert_eq!(
        (told.completed.as_slice(), told.refused),
        (jobs.as_slice(), 0),
        "{queue}: each is told of once"
    );
    let stumbled = client.attempts(jobs[2]).await?.len();
    assert_eq!(stumbled, 1, "{queue}: one attempt went wrong");
    Ok(storage.happened())
}

/// Runs a worker, and again if it could not start, until it is told to stop.
async fn work(client: Client, queue: String, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let worker = Worker::new(&client)
            .only([echo.def(), stumble.def(), dawdle.def()])
            .queues([queue.as_str()])
            .poll(Duration::from_millis(100))
            .lease(Duration::from_millis(200), Duration::from_secs(4));
        // A worker that cannot start says so; one that cannot leave is rescued later.
        let mut told = stop.clone();
        let until_told = async move { drop(told.wait_for(|stop| *stop).await) };
        let _ = tokio::spawn(worker.run_until(until_told)).await;
    }
}
