//! Looking after jobs: what the CLI, a dashboard and a program's own pages use.

use super::{Client, JobHandle};
use crate::job::{Attempt, Contract, Enqueued, JobId, JobRow, name};
use crate::storage::{Cancelled, Count, Filter, Finding, SchemaVersion, StorageError};

type Result<T> = std::result::Result<T, StorageError>;

/// How many jobs a page has when nobody says.
const PAGE: u32 = 100;

/// Every call may fail because the database does not answer or djob's tables are missing; see [`StorageError`].
impl Client {
    /// Creates djob's tables, or brings them up to date. Several programs may call it at once. Tables that are newer than
    /// this program are left alone, so that programs of the version before may still start while a newer one is deployed.
    ///
    /// # Errors
    /// If the tables are so much newer that this program cannot work on them, or the database refuses.
    pub async fn migrate(&self) -> Result<SchemaVersion> {
        match self.storage().migrate().await {
            Err(error) if error.is_schema() => {
                let version = self.schema_version().await?;
                version.check().map(|()| version)
            }
            migrated => migrated,
        }
    }

    /// Which version the tables have, and which this program needs.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn schema_version(&self) -> Result<SchemaVersion> {
        self.storage().schema_version().await
    }

    /// Refuses tables on which this program cannot work: see [`SchemaVersion::check`].
    ///
    /// # Errors
    /// If they are missing, too old or too new, or if the database does not answer.
    pub async fn check_schema(&self) -> Result<()> {
        self.schema_version().await?.check()
    }

    /// One job, whatever room it is in; `None` if it is in none.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn find(&self, id: JobId) -> Result<Option<JobRow>> {
        self.storage().find(id).await
    }

    /// The errors of a job's past attempts, first one first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>> {
        self.storage().attempts(id).await
    }

    /// Jobs, newest first, a page at a time.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(&self, mut filter: Filter) -> Result<Vec<JobRow>> {
        if filter.limit == 0 {
            filter.limit = PAGE;
        }
        self.storage().list(&filter).await
    }

    /// How many jobs there are, by queue and state.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn counts(&self) -> Result<Vec<Count>> {
        self.storage().counts().await
    }

    /// What workers have published about the kinds of jobs they run, by kind and version: what is needed to enqueue a job
    /// without having its code.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn contracts(&self) -> Result<Vec<Contract>> {
        self.storage().contracts().await
    }

    /// Looks for whatever weakens djob's promise in this database: its settings, its tables, its workers and jobs. Nothing
    /// is changed, and what the role may not look at is a finding, too. `djob doctor` shows what this returns.
    ///
    /// # Errors
    /// If the database does not answer, or has no tables of djob's.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), djob::BoxError> {
    /// # let client = djob::connect("sqlite::memory:").await?;
    /// # client.migrate().await?;
    /// for finding in client.examine().await? {
    ///     println!("{} {}: {}", finding.verdict, finding.check, finding.found);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn examine(&self) -> Result<Vec<Finding>> {
        self.storage().examine().await
    }

    /// Cancels a waiting or parked job at once, or asks the worker of a running one to stop it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn cancel(&self, id: JobId) -> Result<Cancelled> {
        let cancelled = self.storage().cancel(id).await?;
        if cancelled == Cancelled::Asked {
            self.bell().told().await;
        }
        Ok(cancelled)
    }

    /// Puts a failed, cancelled or parked job back to waiting, due now, with at least one more attempt. `false` if there
    /// is no such job.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn retry(&self, id: JobId) -> Result<bool> {
        let back = self.storage().retry(id).await?;
        self.bell().told().await;
        Ok(back)
    }

    /// Gives a waiting or parked job other arguments, of this version of its kind. A parked one stays parked: follow up with
    /// [`retry`](Client::retry). Only what holds for every job is checked, size, depth and an object at the top; what the kind
    /// asks is for the caller to judge, with [`JobDef::read`](crate::JobDef::read) or the crate `djob-contract`. `false` if
    /// there is no such job.
    ///
    /// # Errors
    /// If the arguments break a limit, or the database does not answer.
    pub async fn edit(&self, id: JobId, args: &str, version: u16) -> Result<bool> {
        crate::limits::check(args).map_err(|error| StorageError::setting(error.to_string()))?;
        self.storage().edit(id, args, version).await
    }

    /// Forgets a job that does not run, without a trace. `false` if there is no such job.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn delete(&self, id: JobId) -> Result<bool> {
        self.storage().delete(id).await
    }

    /// Pauses a queue: what runs goes on, and nothing more is claimed from it by any worker. `false` if it was paused before.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn pause(&self, queue: &str) -> Result<bool> {
        name::check("queue", queue).map_err(|error| StorageError::setting(error.to_string()))?;
        self.storage().pause(queue, true).await
    }

    /// Lets a paused queue go on. `false` if it was not paused.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn resume(&self, queue: &str) -> Result<bool> {
        let resumed = self.storage().pause(queue, false).await?;
        self.bell().told().await;
        Ok(resumed)
    }

    /// The queues that are paused.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn paused(&self) -> Result<Vec<String>> {
        self.storage().paused().await
    }

    /// A handle to a job that was enqueued before, maybe by another process, whose function returns a `V`.
    pub fn handle<V>(&self, id: JobId) -> JobHandle<V> {
        JobHandle::new(self.clone(), Enqueued::Inserted(id))
    }

    /// Wakes all workers. They would look by themselves within a few seconds; this is for after the commit of a transaction
    /// in which jobs were enqueued, where every millisecond counts.
    pub async fn wake(&self) {
        self.bell().told().await;
    }

    /// Forgets every waiting job of a queue, or of all queues; returns how many.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn clear(&self, queue: Option<&str>) -> Result<u64> {
        self.storage().clear(queue).await
    }
}
