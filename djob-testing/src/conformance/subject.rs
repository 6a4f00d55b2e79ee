//! The storage under test, and the few steps of which all chapters are made.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use djob::storage::{AWAIT_A_WORKER, ClaimEnd, Cursor, Ended, Known, LaneAt, Still, Storage, WorkerInfo};
use djob::{
    BoxError, Claim, ClaimedJob, Client, Clock, Due, Enqueued, JobId, JobRow, JobState, Keep, Meta, NewJob,
    Settlement, Timestamp,
};
use uuid::Uuid;

use crate::TestDatabase;

/// What a chapter's function gives back: an error is as bad as a panic.
pub type Checked = Result<(), BoxError>;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// How long a worker may be silent in these tests.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// A storage under test: its tables are there and empty, and it takes the time from a clock that only the test moves.
///
/// ```no_run
/// use std::sync::Arc;
/// use djob::{Clock, Timestamp, storage::Storage};
/// use djob_testing::conformance::Subject;
/// # async fn my_storage(_: Clock) -> Arc<dyn Storage> { unimplemented!() }
///
/// async fn subject() -> Subject {
///     let clock = Clock::manual(Timestamp::from(std::time::SystemTime::now()));
///     let storage = my_storage(clock.clone()).await;
///     Subject::new(djob::Client::builder().clock(clock.clone()).storage(storage), clock)
/// }
/// ```
pub struct Subject {
    client: Client,
    clock: Clock,
    _kept: Box<dyn Any + Send + Sync>,
}

impl Subject {
    /// A storage behind a client whose clock is `clock`, a manual one.
    pub fn new(client: Client, clock: Clock) -> Self {
        Subject { client, clock, _kept: Box::new(()) }
    }

    /// Keeps something as long as the storage is tested: a folder, a server.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self._kept = Box::new(kept);
        self
    }

    /// The storage of a test database, which is kept until the end.
    pub async fn of(db: TestDatabase) -> Self {
        let clock = Clock::manual(Timestamp::from(SystemTime::now()));
        let client = db.client_with(Client::builder().clock(clock.clone())).await;
        Subject::new(client, clock).keeping(db)
    }

    /// A client of the storage.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The storage itself.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        self.client.storage()
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock
            .read()
            .unwrap_or_else(|| panic!("a storage is tested with a manual clock: `Clock::manual(..)`"))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(crate) fn set_back_to(&self, time: Timestamp) {
        self.clock.set(time);
    }

    /// Stores a job that must be taken.
    pub(crate) async fn put(&self, job: NewJob) -> Result<JobId, BoxError> {
        let id = job.id;
        let stored = self.storage().enqueue(vec![job]).await?;
        assert_eq!(stored, [Enqueued::Inserted(id)]);
        Ok(id)
    }

    /// Stores so many plain jobs; returns their ids in order.
    pub(crate) async fn put_many(&self, count: usize) -> Result<Vec<JobId>, BoxError> {
        let jobs: Vec<NewJob> = (0..count).map(|_| job()).collect();
        let ids = jobs.iter().map(|job| job.id).collect();
        self.storage().enqueue(jobs).await?;
        Ok(ids)
    }

    /// Every lane with something in it, from its head on, best priority first.
    pub(crate) async fn heads(&self) -> Result<Vec<LaneAt>, BoxError> {
        let mut lanes = self.storage().lanes((i16::MIN, i16::MAX)).await?;
        lanes.sort_by(|a, b| (a.priority, &a.queue).cmp(&(b.priority, &b.queue)));
        Ok(lanes.into_iter().map(|lane| lane_at(&lane.queue, lane.priority, Cursor::HEAD)).collect())
    }

    /// Claims from the heads of all lanes.
    pub(crate) async fn claim(&self, worker: Uuid, limit: u32) -> Result<Vec<Claim>, BoxError> {
        Ok(self.storage().claim(worker, &self.heads().await?, limit, None).await?)
    }

    /// Claims everything there is, which must be one batch.
    pub(crate) async fn claim_batch(&self, worker: Uuid) -> Result<Claim, BoxError> {
        let mut claims = self.claim(worker, 1000).await?;
        assert_eq!(claims.len(), 1, "the jobs of one lane are one claim");
        Ok(claims.remove(0))
    }

    /// Stores a job and claims it.
    pub(crate) async fn put_and_claim(&self, worker: Uuid, job: NewJob) -> Result<Claim, BoxError> {
        self.put(job).await?;
        self.claim_batch(worker).await
    }

    /// Puts what is parked back to waiting, as far as these kinds and versions go; returns how many jobs that are.
    pub(crate) async fn unpark(&self, known: &[(&str, u16)]) -> Result<u64, BoxError> {
        let mut back = 0;
        for reason in AWAIT_A_WORKER {
            let parked = self.storage().parked_kinds(reason).await?;
            for (kind, version) in known.iter().filter(|(kind, _)| parked.iter().any(|parked| parked == kind))
            {
                let known = Known { kind: (*kind).to_owned(), version: *version };
                back += self.storage().unpark(reason, &known, 1000).await?;
            }
        }
        Ok(back)
    }

    /// Every claim whose worker has been silent for so long.
    pub(crate) async fn orphans(&self, lease: Duration) -> Result<Vec<(Uuid, Claim)>, BoxError> {
        Ok(self.storage().orphans(lease, Uuid::nil(), 1000).await?.claims)
    }

    /// Settles one claim; returns whether it was accepted.
    pub(crate) async fn settle(&self, worker: Uuid, end: ClaimEnd) -> Result<bool, BoxError> {
        let accepted = self.storage().settle(worker, &[end]).await?;
        assert_eq!(accepted.len(), 1, "one answer for each claim");
        Ok(accepted[0])
    }

    /// Stores a job, claims it and settles it; returns its id.
    pub(crate) async fn put_and_settle(
        &self,
        job: NewJob,
        settlement: Settlement,
    ) -> Result<JobId, BoxError> {
        let (id, worker) = (job.id, worker());
        let claim = self.put_and_claim(worker, job).await?;
        assert!(self.settle(worker, all(&claim, &settlement)).await?, "a claim that stands is settled");
        Ok(id)
    }

    /// A job that must be in some room.
    pub(crate) async fn row(&self, id: JobId) -> Result<JobRow, BoxError> {
        Ok(self.storage().find(id).await?.ok_or("the job is in no room")?)
    }

    pub(crate) async fn state(&self, id: JobId) -> Result<Option<JobState>, BoxError> {
        Ok(self.storage().find(id).await?.map(|row| row.state))
    }

    /// Enters a worker into the list of the living.
    pub(crate) async fn join(&self) -> Result<Uuid, BoxError> {
        self.join_reading(vec![]).await
    }

    /// The same for one that reads these kinds.
    pub(crate) async fn join_reading(&self, kinds: Vec<Known>) -> Result<Uuid, BoxError> {
        let id = worker();
        let (name, host) = ("conformance".to_owned(), "localhost".to_owned());
        let info = WorkerInfo { id, name, host, pid: 1, queues: vec!["*".into()], kinds, concurrency: 1 };
        self.storage().join(&info).await?;
        Ok(id)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.storage().database())
    }
}

/// A worker that has not joined.
pub(crate) fn worker() -> Uuid {
    Uuid::now_v7()
}

/// Lets so many moments pass: in each of them what runs beside it may take a step.
pub(crate) async fn pass(moments: u32) {
    for _ in 0..moments {
        tokio::task::yield_now().await;
    }
}

/// A plain job that is due now.
pub(crate) fn job() -> NewJob {
    NewJob {
        id_given: false,
        id: JobId::new(),
        kind: "conformance.plain".into(),
        queue: "default".into(),
        priority: 0,
        due: Due::NOW,
        max_attempts: 25,
        args: r#"{"n":1}"#.to_owned(),
        meta: Meta::default(),
    }
}

/// A job with a unique key.
pub(crate) fn unique(key: &str) -> NewJob {
    let mut meta = Meta::default();
    meta.unique_key = Some(key.to_owned());
    NewJob { meta, ..job() }
}

pub(crate) fn lane_at(queue: &str, priority: i16, after: Cursor) -> LaneAt {
    LaneAt { queue: queue.to_owned(), priority, after }
}

/// A claim of whose jobs each comes to the same end.
pub(crate) fn all(claim: &Claim, settlement: &Settlement) -> ClaimEnd {
    let ended = claim.jobs.iter().map(|job| ended(job, settlement.clone())).collect();
    ClaimEnd { key: claim.key, ended, still: vec![] }
}

pub(crate) fn ended(job: &ClaimedJob, settlement: Settlement) -> Ended {
    Ended { job: Arc::new(job.clone()), settlement, ran: Duration::from_millis(7), finished_itself: false }
}

pub(crate) fn still(job: &ClaimedJob) -> Still {
    Still { job: Arc::new(job.clone()), started: true }
}

pub(crate) fn finish(state: JobState) -> Settlement {
    let error = (state != JobState::Completed).then(|| format!("{state} on purpose"));
    Settlement::Finish { state, result: None, error, keep: Keep::For(HOUR) }
}

pub(crate) fn completed() -> Settlement {
    finish(JobState::Completed)
}

pub(crate) fn retry(delay: Duration) -> Settlement {
    Settlement::Retry { delay, error: "went wrong".to_owned() }
}

pub(crate) fn park(reason: &'static str) -> Settlement {
    Settlement::Park { reason, detail: "on purpose".to_owned() }
}

/// The ids of all jobs in some claims, in the order in which they came.
pub(crate) fn ids(claims: &[Claim]) -> Vec<JobId> {
    claims.iter().flat_map(|claim| &claim.jobs).map(|job| job.id).collect()
}
