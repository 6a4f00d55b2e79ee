//! What a worker promises, and needs a storage for. Its jobs are real ones, linked in with the feature `conformance`.
//! They ask for their state when they run and not with `#[state]`: every worker of the program would have to have it.

pub mod contract;
pub mod effects;
pub mod ends;
pub mod faults;
pub mod hooks;
pub mod limits;
pub mod outcomes;
pub mod queues;

use std::future::Future;
use std::time::Duration;

use djob::{BoxError, Event, EventStream, JobDef, JobId, JobState, Worker};
use tokio::sync::oneshot;

use super::subject::Subject;

/// A test that waits for longer than this waits for something that will not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A worker that knows these jobs only.
pub(super) fn worker_of<const N: usize>(subject: &Subject, defs: [&'static JobDef; N]) -> Worker {
    Worker::new(subject.client()).only(defs)
}

/// Runs a worker as long as `test` takes.
pub(super) async fn alongside<T>(
    worker: Worker,
    test: impl Future<Output = Result<T, BoxError>>,
) -> Result<T, BoxError> {
    let (over, stop) = oneshot::channel::<()>();
    let work = worker.run_until(async { drop(stop.await) });
    let test = async {
        let tested = tokio::time::timeout(PATIENCE, test).await;
        drop(over);
        tested
    };
    let (worked, tested) = tokio::join!(work, test);
    worked?;
    tested.map_err(|_| "what the test waits for did not come")?
}

/// What became of an attempt.
#[derive(Debug, PartialEq)]
struct Settled {
    state: JobState,
    result: Option<String>,
    error: Option<String>,
}

/// Waits until an attempt of this job is settled.
async fn settled(events: &mut EventStream, job: JobId) -> Result<Settled, BoxError> {
    let found = events.until(|event| match event {
        Event::Settled { id, state, result, error, .. } if *id == job => {
            let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
            Some(Settled { state: *state, result: text(result), error: text(error) })
        }
        _ => None,
    });
    Ok(found.await.ok_or("the events have ended")?)
}

/// Waits until an attempt of this job has begun.
async fn started(events: &mut EventStream, job: JobId) -> Result<u16, BoxError> {
    let found = events.until(|event| match event {
        Event::Started { id, attempt, .. } if *id == job => Some(*attempt),
        _ => None,
    });
    Ok(found.await.ok_or("the events have ended")?)
}
