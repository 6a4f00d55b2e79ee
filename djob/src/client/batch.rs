//! Group commit: callers that enqueue at the same time share a statement and a commit.
//!
//! A lone caller is not delayed: its job leaves at once. While that commit is on its way, others gather, and leave together
//! with the next. Each caller is answered after the commit that holds its job, so durability is as it was.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::job::{Enqueued, NewJob};
use crate::storage::error::Problem;
use crate::storage::{Storage, StorageError};

/// The most jobs that share a statement.
const TOGETHER_MAX: usize = 1000;

type Answer = oneshot::Sender<Result<Enqueued, StorageError>>;

#[derive(Default)]
struct Waiting {
    jobs: Vec<(NewJob, Answer)>,
    running: bool,
}

/// Where jobs gather.
#[derive(Clone)]
pub(super) struct Batch {
    storage: Arc<dyn Storage>,
    waiting: Arc<Mutex<Waiting>>,
}

impl Batch {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Batch { storage, waiting: Arc::default() }
    }

    /// Stores a job, maybe together with others, and returns when it is durable.
    pub(super) async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StorageError> {
        let (answer, answered) = oneshot::channel();
        if self.push(job, answer) {
            // In a run of its own, so that a caller who gives up does not take the others' jobs along.
            let run = Run { batch: self.clone(), over: false };
            tokio::spawn(run.run_out());
        }
        answered.await.unwrap_or_else(|_| {
            Err(StorageError::new(Problem::Unreachable("the runtime has stopped".into())))
        })
    }

    /// Adds a job; `true` if nobody is storing and the caller must see to it.
    fn push(&self, job: NewJob, answer: Answer) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.jobs.push((job, answer));
        !std::mem::replace(&mut waiting.running, true)
    }

    fn next(&self) -> Option<Vec<(NewJob, Answer)>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.jobs.len().min(TOGETHER_MAX);
        waiting.running = count > 0;
        (count > 0).then(|| waiting.jobs.drain(..count).collect())
    }

    async fn store_all(&self) {
        while let Some(batch) = self.next() {
            let (jobs, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            let again = if jobs.len() > 1 { jobs.clone() } else { vec![] };
            match self.storage.enqueue(jobs).await {
                Ok(stored) => answer_each(answers, stored.into_iter().map(Ok)),
                // One caller's job that the database refuses must not fail those that happened to share its statement.
                Err(error) if !error.is_transient() && !again.is_empty() => {
                    for (job, answer) in again.into_iter().zip(answers) {
                        let stored = self.storage.enqueue(vec![job]).await;
                        let only = stored.map(|stored| stored.first().copied()).transpose();
                        answer_each(vec![answer], only.into_iter());
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    answer_each(
                        answers,
                        std::iter::repeat_with(|| Err(StorageError::new(Problem::Shared(error.clone())))),
                    );
                }
            }
        }
    }
}

fn answer_each(answers: Vec<Answer>, results: impl Iterator<Item = Result<Enqueued, StorageError>>) {
    for (answer, result) in answers.into_iter().zip(results) {
        // A caller that has gone away wants no answer.
        let _ = answer.send(result);
    }
}

/// A run of commits. If it is dropped half-way, with its runtime, the next job may start another.
struct Run {
    batch: Batch,
    over: bool,
}

impl Run {
    async fn run_out(mut self) {
        self.batch.store_all().await;
        self.over = true;
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut waiting = self.batch.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.running {
            waiting.running = false;
            waiting.jobs.clear();
        }
    }
}
