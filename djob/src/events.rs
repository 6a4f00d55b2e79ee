//! What happened, as a stream: programs subscribe to it, and tests wait on it instead of on time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use uuid::Uuid;

use crate::job::{JobId, JobState};

/// How many events a slow subscriber may lag behind before it misses some.
const BACKLOG: usize = 16 * 1024;

/// Something that happened in this process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A job was stored, durably unless it was within a caller's transaction.
    Enqueued {
        /// The job.
        id: JobId,
        /// Its kind.
        kind: Arc<str>,
    },
    /// An attempt begins.
    Started {
        /// The job.
        id: JobId,
        /// Its kind.
        kind: Arc<str>,
        /// 1 for the first attempt.
        attempt: u16,
    },
    /// An attempt ended, and what became of the job is stored.
    Settled {
        /// The job.
        id: JobId,
        /// Its kind.
        kind: Arc<str>,
        /// The room it is in now.
        state: JobState,
        /// What its function returned, as JSON.
        result: Option<Arc<str>>,
        /// What went wrong.
        error: Option<Arc<str>>,
        /// How long the attempt ran.
        ran: Duration,
    },
    /// An attempt's outcome was refused: somebody else holds the job now, because this worker was taken for dead.
    Refused {
        /// The job.
        id: JobId,
        /// Its kind.
        kind: Arc<str>,
    },
    /// Jobs of a worker that died went back to waiting.
    Rescued {
        /// How many.
        jobs: usize,
        /// The worker that died.
        worker: Uuid,
    },
    /// A worker has joined.
    WorkerStarted {
        /// The worker.
        worker: Uuid,
    },
    /// A worker found nothing to do.
    WorkerIdle {
        /// The worker.
        worker: Uuid,
    },
    /// A worker claims no more and finishes what it has.
    WorkerDrains {
        /// The worker.
        worker: Uuid,
    },
    /// A worker has left.
    WorkerStopped {
        /// The worker.
        worker: Uuid,
    },
}

/// Where events are sent from.
#[derive(Clone, Debug)]
pub(crate) struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Events(broadcast::Sender::new(BACKLOG))
    }
}

impl Events {
    /// Sends what `event` makes, if anybody listens.
    pub(crate) fn send(&self, event: impl FnOnce() -> Event) {
        if self.watched() {
            // The last subscriber may have gone since.
            let _ = self.0.send(event());
        }
    }

    /// Whether anybody listens.
    pub(crate) fn watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn subscribe(&self) -> EventStream {
        EventStream(self.0.subscribe())
    }
}

/// The events from now on.
#[derive(Debug)]
pub struct EventStream(broadcast::Receiver<Event>);

impl EventStream {
    /// The next event; `None` if no more can come. Events that were missed because this was called too seldom are
    /// passed over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "a subscriber to djob's events was too slow");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// Waits for an event for which `wanted` returns something.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> Option<T> {
        while let Some(event) = self.next().await {
            if let Some(found) = wanted(&event) {
                return Some(found);
            }
        }
        None
    }
}
