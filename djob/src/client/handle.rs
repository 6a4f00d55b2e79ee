//! What the caller of `perform_later` gets: the job's id, and ways to ask after it.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Client;
use crate::error::WaitError;
use crate::events::Event;
use crate::job::{Enqueued, JobId, JobRow, JobState};
use crate::storage::{Cancelled, StorageError};

/// How often a job of another process is asked after; the pause doubles from the first to the last.
const ASK_EVERY: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// A job that was enqueued, whose function returns a `V`.
///
/// ```
/// # use djob::{job, Worker};
/// #[job]
/// async fn add_up(a: u32, b: u32) -> Result<u32, djob::BoxError> {
///     Ok(a + b)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = djob::connect("sqlite::memory:").await?;
/// client.migrate().await?;
/// let sum = add_up.perform_later(20, 22).on(&client).await?;
/// Worker::new(&client).only([add_up.def()]).work_off().await?;
/// let total: u32 = sum.wait().await?;
/// assert_eq!(total, 42);
/// # Ok(())
/// # }
/// ```
pub struct JobHandle<V = ()> {
    client: Client,
    stored: Enqueued,
    /// What the function returned, if the job ran at once instead of being stored.
    ran: Option<Option<String>>,
    output: PhantomData<fn() -> V>,
}

impl<V> JobHandle<V> {
    pub(super) fn new(client: Client, stored: Enqueued) -> Self {
        JobHandle { client, stored, ran: None, output: PhantomData }
    }

    pub(super) fn ran(client: Client, id: JobId, result: Option<String>) -> Self {
        JobHandle { client, stored: Enqueued::Inserted(id), ran: Some(result), output: PhantomData }
    }

    /// The job's id; that of the job which was there before, if a unique key was held.
    pub fn id(&self) -> JobId {
        self.stored.id()
    }

    /// Whether a unique key was held by an earlier job, so that nothing was stored.
    pub fn is_duplicate(&self) -> bool {
        matches!(self.stored, Enqueued::Existing(_))
    }

    /// The state the job is in; `None` if it is gone.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn status(&self) -> Result<Option<JobState>, StorageError> {
        if self.ran.is_some() {
            return Ok(Some(JobState::Completed));
        }
        Ok(self.client.find(self.id()).await?.map(|row| row.state))
    }

    /// Cancels the job: at once if it waits; if it runs, its worker is asked to stop it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn cancel(&self) -> Result<Cancelled, StorageError> {
        self.client.cancel(self.id()).await
    }

    /// Waits until the job is finished, and returns what its function returned.
    ///
    /// There is no time limit: a job may wait for days. Put `tokio::time::timeout` around it where there is one.
    ///
    /// # Errors
    /// If the job failed or was cancelled, if it left no trace, or if the database does not answer.
    pub async fn wait(&self) -> Result<V, WaitError>
    where
        V: DeserializeOwned,
    {
        if let Some(result) = &self.ran {
            return parse(result.as_deref());
        }
        let mut events = self.client.events();
        let mut pause = ASK_EVERY.0;
        loop {
            let row = self.client.find(self.id()).await?.ok_or(WaitError::Gone)?;
            if row.state.is_final() {
                return output(row);
            }
            let settled = events.until(|event| match event {
                Event::Settled { id, state, .. } if *id == self.id() && state.is_final() => Some(()),
                _ => None,
            });
            if tokio::time::timeout(pause, settled).await.is_err() {
                pause = (pause * 2).min(ASK_EVERY.1);
            }
        }
    }
}

fn output<V: DeserializeOwned>(row: JobRow) -> Result<V, WaitError> {
    let why = row.error.unwrap_or_default();
    match row.state {
        JobState::Failed => Err(WaitError::Failed(why)),
        JobState::Cancelled => Err(WaitError::Cancelled(why)),
        _ => parse(row.result.as_deref()),
    }
}

fn parse<V: DeserializeOwned>(result: Option<&str>) -> Result<V, WaitError> {
    serde_json::from_str(result.unwrap_or("null")).map_err(|error| WaitError::Result(error.to_string()))
}

impl<V> fmt::Debug for JobHandle<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobHandle({})", self.id())
    }
}
