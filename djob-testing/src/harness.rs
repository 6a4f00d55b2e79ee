//! The harness: your jobs on a real database in memory, run when the test says so.

mod gate;
mod ran;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use djob::sqlx::SqlitePool;
use djob::sqlx::sqlite::SqlitePoolOptions;
use djob::{BoxError, Client, ClientBuilder, Clock, Filter, JobDef, JobRow, State, Timestamp, Worker};

use gate::Gated;
pub use ran::{Endless, Ran};
use ran::{Rounds, collect};

/// The smallest step of a clock here.
const TICK: Duration = Duration::from_micros(1);
/// As many rows as there can be.
const ALL: u32 = i32::MAX.cast_unsigned();

/// A database in memory, a clock that stands still, and a worker that runs jobs when it is told to.
///
/// It is the real thing: jobs are validated, stored, claimed, run and settled as in production, on SQLite. Each harness has
/// a database of its own, and [`scope`](Self::scope) makes it the ambient client of one test only, so that tests run in
/// parallel.
///
/// ```
/// use std::time::Duration;
/// use djob::{JobState, job};
/// use djob_testing::Harness;
///
/// #[job(retries = 1, backoff = "fixed 10m")]
/// async fn fetch_rate(ctx: &djob::JobContext, currency: &str) -> Result<f64, djob::BoxError> {
///     if ctx.attempt() == 1 { Err("no answer".into()) } else { Ok(1.0) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), djob::BoxError> {
/// let harness = Harness::new().await;
/// harness.scope(async { fetch_rate.perform_later("EUR").await }).await?;
///
/// let ran = harness.run_due().await;
/// assert_eq!((ran[0].state, ran[0].error.as_deref()), (JobState::Scheduled, Some("no answer")));
/// assert!(harness.run_due().await.is_empty(), "the next attempt is ten minutes away");
///
/// harness.advance(Duration::from_secs(11 * 60));
/// assert_eq!(harness.run_due().await[0].result.as_deref(), Some("1.0"));
/// # Ok(())
/// # }
/// ```
pub struct Harness {
    client: Client,
    clock: Clock,
    gate: Arc<Gated>,
    pool: SqlitePool,
    state: State,
    only: Option<Vec<&'static JobDef>>,
}

impl Harness {
    /// A harness with an empty, migrated database, whose clock shows the real time and stands still.
    pub async fn new() -> Self {
        Harness::with(Client::builder()).await
    }

    /// The same with settings of the client, such as hooks.
    ///
    /// # Panics
    /// If a setting is not usable.
    pub async fn with(builder: ClientBuilder) -> Self {
        Harness::build(builder)
            .await
            .unwrap_or_else(|error| panic!("the test harness cannot be built: {error}"))
    }

    async fn build(builder: ClientBuilder) -> Result<Self, BoxError> {
        let options = SqlitePoolOptions::new().max_connections(1).min_connections(1).idle_timeout(None);
        let pool = options.max_lifetime(None).connect("sqlite::memory:").await?;
        let now: Timestamp = SystemTime::now().into();
        let (clock, gate_clock) = (Clock::manual(now), Clock::manual(now));
        let inner = Client::builder().clock(clock.clone()).sqlite(pool.clone()).await?;
        let behind = Client::builder().clock(gate_clock.clone()).sqlite(pool.clone()).await?;
        let gate = Arc::new(Gated::new(inner.storage().clone(), behind.storage().clone(), gate_clock));
        let client = builder.clock(clock.clone()).storage(gate.clone());
        client.migrate().await?;
        Ok(Harness { client, clock, gate, pool, state: State::new(), only: None })
    }

    /// Lends this to the jobs it runs, as `#[state]`.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.state = self.state.with(value);
        self
    }

    /// Knows only these jobs, and asks only for the state that they borrow: `[send_welcome.def()]`. Without it, every job
    /// that is linked in is known.
    #[must_use]
    pub fn only(mut self, defs: impl IntoIterator<Item = &'static JobDef>) -> Self {
        self.only = Some(defs.into_iter().collect());
        self
    }

    /// Its client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A client that runs each job in the caller's place instead of storing it, with the state that was given so far.
    pub fn inline(&self) -> Client {
        self.client.inline(self.state.clone())
    }

    /// The database's one connection, for `in_tx` and `complete_in`. While a transaction is open everything else waits.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Makes this the ambient client of everything that `test` awaits. What `test` spawns is outside of the scope.
    pub async fn scope<F: Future>(&self, test: F) -> F::Output {
        self.client.scope(test).await
    }

    /// What time it is for djob.
    pub fn now(&self) -> Timestamp {
        self.clock.read().unwrap_or(Timestamp::EPOCH)
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// What waits to be run or is parked, the oldest first.
    ///
    /// # Panics
    /// If the database does not answer.
    pub async fn enqueued(&self) -> Vec<JobRow> {
        let mut filter = Filter::default();
        filter.limit = ALL;
        let mut jobs =
            self.client.list(filter).await.unwrap_or_else(|error| panic!("jobs cannot be listed: {error}"));
        jobs.retain(|job| !job.state.is_final());
        jobs.reverse();
        jobs
    }

    /// Runs every job that is due now, once each, one after the other, in the order in which a worker takes them. What they
    /// enqueue, and what is to be tried again at once, waits for the next call.
    ///
    /// # Panics
    /// If the worker cannot start, for example because a job borrows a state that was not given.
    pub async fn run_due(&self) -> Vec<Ran> {
        // Jobs that are stored from now on are due a tick later than the worker looks.
        self.gate.close(self.now());
        self.clock.advance(TICK);
        let ran = collect(&self.client, self.worker().work_off()).await;
        self.gate.open();
        ran.unwrap_or_else(|error| panic!("the test's worker cannot start: {error}"))
    }

    /// Runs jobs until none waits any more. Whenever nothing is due it moves the clock to the time when something is.
    ///
    /// # Errors
    /// If it does not come to an end: a job that snoozes for ever, or that enqueues itself.
    ///
    /// ```
    /// # use djob_testing::Harness;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), djob::BoxError> {
    /// #[djob::job(backoff = "fixed 1h", retries = 2)]
    /// async fn never_works() -> Result<(), djob::BoxError> {
    ///     Err("broken".into())
    /// }
    ///
    /// let harness = Harness::new().await;
    /// never_works.perform_later().on(harness.client()).await?;
    /// let ran = harness.drain().await?;
    /// assert_eq!(ran.len(), 3);
    /// assert_eq!(ran[2].state, djob::JobState::Failed);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn drain(&self) -> Result<Vec<Ran>, Endless> {
        let mut rounds = Rounds::default();
        loop {
            rounds.add(self.run_due().await)?;
            match self.next_due().await {
                Some(due) => self.clock.advance(due - self.now()),
                None => return Ok(rounds.ran),
            }
        }
    }

    /// When the next job is due.
    async fn next_due(&self) -> Option<Timestamp> {
        let lanes = self.client.storage().lanes((i16::MIN, i16::MAX)).await;
        let lanes = lanes.unwrap_or_else(|error| panic!("the lanes cannot be read: {error}"));
        lanes.iter().map(|lane| lane.due_at).min()
    }

    fn worker(&self) -> Worker {
        let worker = Worker::new(&self.client).states(self.state.clone()).concurrency(1).read_ahead(0);
        match &self.only {
            Some(defs) => worker.only(defs.iter().copied()),
            None => worker,
        }
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Harness(at {})", self.now())
    }
}
