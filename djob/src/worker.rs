//! The worker: claims jobs, runs them, settles them, until it is told to stop.

pub(crate) mod claim;
mod config;
mod context;
mod drain;
mod engine;
mod execute;
mod heard;
mod heartbeat;
mod lanes;
mod layer;
mod open;
mod pool;
mod prefetch;
mod quarantine;
mod run;
mod settle;
mod signals;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use config::{BEAT, CONCURRENCY, CONCURRENCY_MAX, DRAIN, GRACE, LEASE, POLL, POLL_ALONE, TIMEOUT};
pub use context::JobContext;
pub use layer::{Attempted, Layer, Next};
pub use signals::shutdown_signal;

pub(crate) use engine::{Engine, Parts};
pub(crate) use execute::{call_hooks, panic_text, run_inline};

use crate::client::Client;
use crate::error::WorkerError;
use crate::hooks::Hooks;
use crate::job::JobDef;
use crate::registry::{DuplicateKind, Registry};
use crate::state::State;
use config::{Config, PoolConfig};

/// Runs jobs. One for each process is usual; more may run side by side, in one process or in many.
///
/// ```no_run
/// # async fn run(client: djob::Client) -> Result<(), djob::WorkerError> {
/// struct Mailer;
///
/// djob::Worker::new(&client).queues(["mail", "default"]).concurrency(50).state(Mailer).run().await
/// # }
/// ```
#[must_use = "a worker does nothing until it is run"]
pub struct Worker {
    client: Client,
    registry: Result<Registry, DuplicateKind>,
    state: State,
    hooks: Vec<Arc<dyn Hooks>>,
    layers: Vec<Arc<dyn Layer>>,
    config: Config,
    concurrency: u32,
    queues: Option<String>,
    pools: Option<String>,
}

impl Worker {
    /// A worker for every queue and every job that is linked in, 20 at a time.
    pub fn new(client: &Client) -> Self {
        Worker {
            client: client.clone(),
            registry: Registry::linked(),
            state: State::new(),
            hooks: vec![],
            layers: vec![],
            config: Config::default(),
            concurrency: CONCURRENCY,
            queues: None,
            pools: None,
        }
    }

    /// Serves only these queues, all with the same slots. `-slow` is every queue but `slow`.
    pub fn queues<Q: AsRef<str>>(mut self, queues: impl IntoIterator<Item = Q>) -> Self {
        self.queues =
            Some(queues.into_iter().map(|queue| queue.as_ref().to_owned()).collect::<Vec<_>>().join(","));
        self
    }

    /// Serves these pools, each with slots of its own: `mail:4;default,low:8` runs up to four jobs of `mail` and up to eight
    /// of the other two. `*` is every queue. Takes the place of [`queues`](Self::queues).
    pub fn pools(mut self, pools: impl Into<String>) -> Self {
        self.pools = Some(pools.into());
        self
    }

    /// Runs so many jobs at once; 20 by default.
    pub fn concurrency(mut self, jobs: u32) -> Self {
        self.concurrency = jobs;
        self
    }

    /// Lends this to its jobs, as `#[state]`.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.state = self.state.with(value);
        self
    }

    /// Lends all of these to its jobs, in place of what was given before.
    pub fn states(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// Knows only these jobs: `[send_welcome.def(), resize.def()]`. All others are parked until a worker comes that knows
    /// them, so give them queues of their own.
    pub fn only(mut self, defs: impl IntoIterator<Item = &'static JobDef>) -> Self {
        self.registry = Registry::of(defs);
        self
    }

    /// Knows this job, too.
    pub fn register(mut self, def: &'static JobDef) -> Self {
        self.registry = self.registry.and_then(|mut registry| registry.add(def).map(|()| registry));
        self
    }

    /// Calls these hooks around every attempt.
    pub fn hooks(mut self, hooks: impl Hooks) -> Self {
        self.hooks.push(Arc::new(hooks));
        self
    }

    /// Puts this code around every attempt; the first one given is outermost.
    pub fn layer(mut self, layer: impl Layer) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// The name under which it is listed; the host's name and the process id by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = name.into();
        self
    }

    /// Runs only jobs of these priorities, both ends included.
    pub fn priorities(mut self, from: i16, to: i16) -> Self {
        self.config.priorities = (from, to);
        self
    }

    /// Looks at the database at least this often when there is nothing to do. By default every 30 seconds while it hears of
    /// what others enqueue, and every 5 seconds where it cannot.
    pub fn poll(mut self, pause: Duration) -> Self {
        self.config.poll = Some(pause);
        self
    }

    /// Holds so many jobs beyond its free slots, instead of as many as it does in 100 ms.
    pub fn read_ahead(mut self, jobs: u32) -> Self {
        self.config.read_ahead = Some(jobs);
        self
    }

    /// Lets an attempt run this long when its kind does not say; 30 minutes by default.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.config.timeout = limit;
        self
    }

    /// Once told to stop, lets jobs finish for `drain`, then tells them to stop and waits for `grace`; 25 and 5 seconds by
    /// default.
    pub fn shutdown(mut self, drain: Duration, grace: Duration) -> Self {
        (self.config.drain, self.config.grace) = (drain, grace);
        self
    }

    /// Beats this often, and is taken for dead after being silent for `lease`; 5 and 30 seconds by default. All workers of a
    /// database should agree: each judges the others by its own lease.
    pub fn lease(mut self, beat: Duration, lease: Duration) -> Self {
        (self.config.beat, self.config.lease) = (beat, lease);
        self
    }

    /// Stops by itself when no job is due any more. Jobs scheduled for later do not count.
    pub fn exit_on_complete(mut self, exit: bool) -> Self {
        self.config.exit_on_complete = exit;
        self
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// If it cannot start: see [`WorkerError`]. Once it runs, it waits for a database that is away.
    pub async fn run(self) -> Result<(), WorkerError> {
        self.run_with(std::future::pending(), true).await
    }

    /// Runs until `shutdown` is ready. Signals are the caller's business.
    ///
    /// # Errors
    /// If it cannot start: see [`WorkerError`]. Once it runs, it waits for a database that is away.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), WorkerError> {
        self.run_with(shutdown, false).await
    }

    /// Runs until no job is due any more.
    ///
    /// # Errors
    /// If it cannot start: see [`WorkerError`].
    pub async fn work_off(self) -> Result<(), WorkerError> {
        self.exit_on_complete(true).run_with(std::future::pending(), false).await
    }

    async fn run_with(self, shutdown: impl Future<Output = ()>, signals: bool) -> Result<(), WorkerError> {
        run::run(self.build()?, shutdown, signals).await
    }

    /// Checks everything that can be checked before anything starts.
    fn build(mut self) -> Result<Parts, WorkerError> {
        let texts = match (&self.pools, &self.queues) {
            (Some(pools), _) => pools.split(';').map(str::to_owned).collect(),
            (None, Some(queues)) => vec![format!("{queues}:{}", self.concurrency)],
            (None, None) => vec![format!("*:{}", self.concurrency)],
        };
        self.config.pools =
            texts.iter().map(|text| PoolConfig::parse(text, self.concurrency)).collect::<Result<_, _>>()?;
        self.config.check()?;
        let registry = self.registry?;
        registry.check_state(&self.state, |queue| self.config.serves(queue))?;
        if self.config.name.is_empty() {
            self.config.name = format!("{}:{}", host(), std::process::id());
        }
        let Worker { client, state, hooks, layers, config, .. } = self;
        Ok(Parts { client, registry, state, hooks, layers, config })
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("client", &self.client)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The host's name, for people.
fn host() -> String {
    let name = std::fs::read_to_string("/etc/hostname").or_else(|_| std::env::var("HOSTNAME"));
    name.map(|name| name.trim().to_owned()).unwrap_or_else(|_| "localhost".to_owned())
}
