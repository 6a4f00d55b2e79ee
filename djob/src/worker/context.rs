//! What a running job may know and do: its id, its attempt, its fence, its worker's state.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::client::{Client, EnqueueIn, ambient};
use crate::job::{ClaimKey, ClaimedJob, JobDef, JobError, JobId, NewJob, Outcome, settle};
use crate::state::State;
use crate::storage::{ClaimEnd, Ended};

/// A job's view of itself and of its worker. Cheap to clone.
///
/// A job takes it as a parameter `ctx: &JobContext`; it is found by the type's name, or by `#[ctx]`.
#[derive(Clone)]
pub struct JobContext(Arc<Inner>);

struct Inner {
    id: JobId,
    kind: Arc<str>,
    queue: Arc<str>,
    attempt: u16,
    max_attempts: u16,
    state: State,
    client: Option<Client>,
    held: Option<Held>,
    stop: Stop,
    completed: AtomicBool,
    progress: Mutex<Option<f64>>,
}

/// The claim behind a run, if there is one.
struct Held {
    worker: Uuid,
    key: ClaimKey,
    job: Arc<ClaimedJob>,
    def: &'static JobDef,
}

/// The sign to stop.
#[derive(Default)]
struct Stop {
    given: AtomicBool,
    bell: Notify,
}

impl JobContext {
    /// A context outside of any worker, for calling a job's function in a test.
    ///
    /// ```
    /// # use djob::{JobContext, State, job};
    /// #[job]
    /// async fn hail(ctx: &JobContext, name: &str) -> Result<String, djob::BoxError> {
    ///     Ok(format!("{name}, attempt {}", ctx.attempt()))
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), djob::BoxError> {
    /// let ctx = JobContext::detached(State::new());
    /// assert_eq!(hail.call(&ctx, "Ada").await?, "Ada, attempt 1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn detached(state: State) -> Self {
        JobContext(Arc::new(Inner {
            id: JobId::new(),
            kind: "".into(),
            queue: "".into(),
            attempt: 1,
            max_attempts: 1,
            state,
            client: ambient::current(),
            held: None,
            stop: Stop::default(),
            completed: AtomicBool::new(false),
            progress: Mutex::default(),
        }))
    }

    pub(crate) fn inline(client: Client, state: State, job: &NewJob) -> Self {
        JobContext(Arc::new(Inner {
            id: job.id,
            kind: job.kind.as_ref().into(),
            queue: job.queue.as_ref().into(),
            attempt: 1,
            max_attempts: job.max_attempts,
            state,
            client: Some(client),
            held: None,
            stop: Stop::default(),
            completed: AtomicBool::new(false),
            progress: Mutex::default(),
        }))
    }

    pub(crate) fn of(
        client: &Client,
        state: &State,
        worker: Uuid,
        key: ClaimKey,
        job: &Arc<ClaimedJob>,
        def: &'static JobDef,
    ) -> Self {
        JobContext(Arc::new(Inner {
            id: job.id,
            kind: job.kind.clone(),
            queue: job.queue.clone(),
            attempt: job.attempt.saturating_add(1),
            max_attempts: job.max_attempts,
            state: state.clone(),
            client: Some(client.clone()),
            held: Some(Held { worker, key, job: job.clone(), def }),
            stop: Stop::default(),
            completed: AtomicBool::new(false),
            progress: Mutex::default(),
        }))
    }

    /// The job's id: the same in every attempt, and so a good idempotency key for the outside world.
    pub fn id(&self) -> JobId {
        self.0.id
    }

    /// The job's kind.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The queue it waited in.
    pub fn queue(&self) -> &str {
        &self.0.queue
    }

    /// Which attempt this is; 1 for the first.
    pub fn attempt(&self) -> u16 {
        self.0.attempt
    }

    /// How many attempts there can be.
    pub fn max_attempts(&self) -> u16 {
        self.0.max_attempts
    }

    /// The fence of this run, a UUIDv7: a later run of the same job has a greater one, as far as the clocks of the workers'
    /// hosts agree. An outside system that remembers the highest fence it has seen can refuse a run that was overtaken. Nil
    /// outside of a worker.
    pub fn fence(&self) -> Uuid {
        self.0.held.as_ref().map_or(Uuid::nil(), |held| held.key.fence)
    }

    /// Whether the job should stop: it was cancelled, the worker drains, or it has lost its lease.
    pub fn is_cancelled(&self) -> bool {
        self.0.stop.given.load(Ordering::Acquire)
    }

    /// Waits until the job should stop. A job that goes on all the same is stopped at its next `.await` a little later.
    pub async fn cancelled(&self) {
        let stop = &self.0.stop;
        loop {
            let rung = stop.bell.notified();
            if self.is_cancelled() {
                return;
            }
            rung.await;
        }
    }

    /// Says how far the job has come, from 0 to 1. [`JobRow::progress`](crate::JobRow::progress) shows it about a second
    /// later; saying it more often costs nothing.
    pub fn progress(&self, fraction: f64) {
        if fraction.is_finite() {
            *self.0.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(fraction.clamp(0.0, 1.0));
        }
    }

    /// What was said since the last time, for the worker to store.
    pub(super) fn take_progress(&self) -> Option<f64> {
        self.0.progress.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The worker's state of this type.
    ///
    /// # Errors
    /// If the worker has none.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<&T, JobError> {
        self.0.state.get().ok_or_else(|| JobError::MissingState(std::any::type_name::<T>()))
    }

    /// The client of the worker that runs this job. `perform_later` uses it without being told.
    pub fn client(&self) -> Option<&Client> {
        self.0.client.as_ref()
    }

    /// Finishes the job within the caller's transaction: its effect and its completion are committed together, or not at
    /// all. Only for kinds that say `#[job(transactional)]`; what the function returns is not stored then.
    ///
    /// Commit the transaction, and return `Ok`. If it is not committed the attempt counts as one that went wrong.
    ///
    /// # Errors
    /// If the job's kind is not transactional, if the run has lost its lease (roll back: somebody else runs the job now), or
    /// if the database refuses.
    pub async fn complete_in<'a>(&self, tx: impl EnqueueIn<'a>) -> Result<(), JobError> {
        let (Some(held), Some(client)) = (&self.0.held, &self.0.client) else {
            return Err(JobError::Context("complete_in needs a worker: this context is detached"));
        };
        if !held.def.transactional {
            return Err(JobError::Context("complete_in needs a job with the option `#[job(transactional)]`"));
        }
        let settlement = settle(&held.job.facts(Some(held.def), 0.0), Outcome::Completed(None));
        let ended = Ended { job: held.job.clone(), settlement, ran: Duration::ZERO, finished_itself: false };
        let end = ClaimEnd { key: held.key, ended: vec![ended], still: vec![] };
        match client.storage().settle_in(tx.conn(), held.worker, &end).await {
            Ok(true) => {
                self.0.completed.store(true, Ordering::Release);
                Ok(())
            }
            Ok(false) => {
                Err(JobError::Context("this run has lost its lease: another worker holds the job now"))
            }
            Err(error) => Err(JobError::Failed(error.into())),
        }
    }

    /// Gives the sign to stop.
    pub(super) fn cancel(&self) {
        self.0.stop.given.store(true, Ordering::Release);
        self.0.stop.bell.notify_waiters();
    }

    /// Whether [`complete_in`](Self::complete_in) was called with success.
    pub(super) fn was_completed(&self) -> bool {
        self.0.completed.load(Ordering::Acquire)
    }

    /// Runs a future so that `perform_later` in it uses this context's client.
    pub(super) async fn with_client<F: Future>(&self, future: F) -> F::Output {
        match &self.0.client {
            Some(client) => client.scope(future).await,
            None => future.await,
        }
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobContext({} {}, attempt {})", self.0.kind, self.0.id, self.0.attempt)
    }
}
