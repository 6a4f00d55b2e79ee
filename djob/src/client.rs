//! Putting jobs in, and looking after them.

mod admin;
pub(crate) mod ambient;
mod batch;
mod connect;
mod enqueue;
mod handle;
mod wake;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

pub use connect::{ClientBuilder, connect};
pub use enqueue::{Ambient, Enqueue, EnqueueIn, HORIZON, InTransaction, TAGS_MAX};
pub use handle::JobHandle;

use crate::clock::Clock;
use crate::error::EnqueueError;
use crate::events::{Event, EventStream, Events};
use crate::hooks::{Hooks, call_each};
use crate::job::{Enqueued, Job, JobDef, NewJob};
use crate::state::State;
use crate::storage::{Conn, Storage, Traced};
use crate::worker::{JobContext, run_inline};
use batch::Batch;
use wake::Wake;

/// A handle to one database of jobs. Cheap to clone; one for each program is enough.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = djob::connect("sqlite::memory:").await?;
/// client.migrate().await?;
/// client.install(); // from now on `perform_later(..).await` finds it
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    /// Jobs run at once with this state, and are not stored.
    inline: Option<Inline>,
}

struct Shared {
    storage: Arc<dyn Storage>,
    batch: Batch,
    events: Events,
    wake: Wake,
    hooks: Vec<Arc<dyn Hooks>>,
    clock: Clock,
}

#[derive(Clone)]
struct Inline {
    state: State,
    when: Arc<dyn Fn(&JobDef) -> bool + Send + Sync>,
}

impl Client {
    pub(crate) fn new(storage: Arc<dyn Storage>, hooks: Vec<Arc<dyn Hooks>>, clock: Clock) -> Self {
        let storage: Arc<dyn Storage> = Arc::new(Traced(storage));
        let batch = Batch::new(storage.clone());
        let wake = Wake::new(storage.clone());
        let shared = Shared { storage, batch, events: Events::default(), wake, hooks, clock };
        Client { shared: Arc::new(shared), inline: None }
    }

    /// How to connect with other settings than the default ones.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Makes this the client that `perform_later` uses in this whole program when no other is named.
    pub fn install(&self) {
        ambient::install(self.clone());
    }

    /// Makes this the client that `perform_later` uses within `future`, whatever is installed. What `future` spawns is
    /// outside of the scope.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        ambient::scope(self.clone(), future).await
    }

    /// A client that runs every job at once, in the caller's place, instead of storing it: delayed_job's
    /// `delay_jobs = false`. Errors of the job come back from `perform_later(..).await`.
    ///
    /// ```
    /// # use djob::job;
    /// #[job]
    /// async fn multiply(a: u32, b: u32) -> Result<u32, djob::BoxError> {
    ///     Ok(a * b)
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = djob::connect("sqlite::memory:").await?;
    /// let at_once = client.inline(djob::State::new());
    /// let product = multiply.perform_later(6, 7).on(&at_once).await?;
    /// assert_eq!(product.wait().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inline(&self, state: State) -> Client {
        self.inline_when(state, |_| true)
    }

    /// The same for the kinds that `when` chooses; all others are stored.
    #[must_use]
    pub fn inline_when(
        &self,
        state: State,
        when: impl Fn(&JobDef) -> bool + Send + Sync + 'static,
    ) -> Client {
        Client { shared: self.shared.clone(), inline: Some(Inline { state, when: Arc::new(when) }) }
    }

    /// Stores many jobs of one kind at once: one statement for each thousand.
    ///
    /// # Errors
    /// If the arguments of one of them are refused: then nothing is stored. If the database does not take a thousand: then
    /// those that went before it are stored.
    ///
    /// ```
    /// # use djob::job;
    /// #[job]
    /// async fn invite(name: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = djob::connect("sqlite::memory:").await?;
    /// # client.migrate().await?;
    /// let names = ["Ada", "Grace", "Barbara"];
    /// let stored = client.enqueue_all(names.map(|name| InviteJob { name: name.into() })).await?;
    /// assert_eq!(stored.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn enqueue_all<J: Job>(
        &self,
        jobs: impl IntoIterator<Item = J>,
    ) -> Result<Vec<Enqueued>, EnqueueError> {
        const AT_ONCE: usize = 1000;
        let build = |job| Enqueue::<J>::new(job).build().map(|(_, new, _)| new);
        let new: Vec<NewJob> = jobs.into_iter().map(build).collect::<Result<_, _>>()?;
        let mut stored = Vec::with_capacity(new.len());
        if let Some(inline) = self.runs_at_once(J::DEF) {
            for job in &new {
                self.run_at_once(inline, J::DEF, job).await?;
                stored.push(Enqueued::Inserted(job.id));
            }
            return Ok(stored);
        }
        let mut rest = new.into_iter();
        loop {
            let some: Vec<NewJob> = rest.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                return Ok(stored);
            }
            self.each_hook(&some);
            stored.extend(self.shared.storage.enqueue(some).await?);
            self.stored(&stored[stored.len().saturating_sub(AT_ONCE)..], J::DEF.kind);
        }
    }

    /// Stores jobs whose kinds this program need not have, all or none. Their options are checked, and what the arguments of every
    /// job must be: a JSON object within djob's limits. What their kind asks of them is for the caller to judge, as the crate
    /// `djob-contract` does; what is wrong then is parked by the worker.
    ///
    /// # Errors
    /// If an option or the form of the arguments is refused, or the database does not take them. Nothing is stored then.
    pub async fn enqueue_new(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, EnqueueError> {
        for job in &jobs {
            enqueue::check(job)?;
            let refuse = |error| EnqueueError::Args { kind: job.kind.clone(), error };
            crate::limits::check(&job.args).map_err(refuse)?;
        }
        self.each_hook(&jobs);
        let kinds: Vec<_> = jobs.iter().map(|job| job.kind.clone()).collect();
        let stored = self.shared.storage.enqueue(jobs).await?;
        for (job, kind) in stored.iter().zip(kinds) {
            self.stored(std::slice::from_ref(job), &kind);
        }
        Ok(stored)
    }

    /// What happens in this process from now on.
    pub fn events(&self) -> EventStream {
        self.shared.events.subscribe()
    }

    /// The database beneath.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.shared.storage
    }

    /// The clock that says what is due.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub(crate) fn hooks(&self) -> &[Arc<dyn Hooks>] {
        &self.shared.hooks
    }

    pub(crate) fn event_sender(&self) -> &Events {
        &self.shared.events
    }

    pub(crate) fn bell(&self) -> &Wake {
        &self.shared.wake
    }

    /// Stores a job, or runs it if this client runs jobs at once.
    async fn store<V>(&self, def: &'static JobDef, new: NewJob) -> Result<JobHandle<V>, EnqueueError> {
        if let Some(inline) = self.runs_at_once(def) {
            let result = self.run_at_once(inline, def, &new).await?;
            return Ok(JobHandle::ran(self.clone(), new.id, result));
        }
        self.each_hook(std::slice::from_ref(&new));
        let stored = if new.id_given || new.meta.unique_key.is_some() {
            // It may have to wait for a stranger's transaction, and others must not wait with it.
            let id = new.id;
            let stored = self.shared.storage.enqueue(vec![new]).await?;
            stored.first().copied().unwrap_or(Enqueued::Inserted(id))
        } else {
            self.shared.batch.enqueue(new).await?
        };
        self.stored(&[stored], def.kind);
        Ok(JobHandle::new(self.clone(), stored))
    }

    /// The same within a caller's transaction.
    async fn store_in<V>(
        &self,
        def: &'static JobDef,
        conn: Conn<'_>,
        new: NewJob,
    ) -> Result<JobHandle<V>, EnqueueError> {
        if let Some(inline) = self.runs_at_once(def) {
            let result = self.run_at_once(inline, def, &new).await?;
            return Ok(JobHandle::ran(self.clone(), new.id, result));
        }
        self.each_hook(std::slice::from_ref(&new));
        let id = new.id;
        let stored = self.shared.storage.enqueue_in(conn, vec![new]).await?;
        self.shared.wake.later();
        Ok(JobHandle::new(self.clone(), stored.first().copied().unwrap_or(Enqueued::Inserted(id))))
    }

    fn runs_at_once(&self, def: &JobDef) -> Option<&Inline> {
        self.inline.as_ref().filter(|inline| (inline.when)(def))
    }

    async fn run_at_once(
        &self,
        inline: &Inline,
        def: &'static JobDef,
        new: &NewJob,
    ) -> Result<Option<String>, EnqueueError> {
        self.each_hook(std::slice::from_ref(new));
        let ctx = JobContext::inline(self.clone(), inline.state.clone(), new);
        let ran = run_inline(&self.shared.hooks, def, &ctx, &new.args).await;
        ran.map_err(|error| EnqueueError::Ran { kind: def.kind, error })
    }

    fn each_hook(&self, jobs: &[NewJob]) {
        for job in jobs {
            call_each(&self.shared.hooks, |hooks| hooks.enqueue(job));
        }
    }

    fn stored(&self, stored: &[Enqueued], kind: &str) {
        self.shared.wake.now();
        if self.shared.events.watched() {
            for job in stored {
                self.shared.events.send(|| Event::Enqueued { id: job.id(), kind: kind.into() });
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.shared.storage.database())
    }
}
