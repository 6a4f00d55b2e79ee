//! The builder behind `perform_later`: options one by one, then `.await`.

use std::borrow::Cow;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::Duration;

use super::handle::JobHandle;
use super::{Client, ambient};
use crate::clock::Timestamp;
use crate::error::EnqueueError;
use crate::job::{BoxFuture, Due, Job, JobId, Meta, NewJob, args, name};
use crate::storage::Conn;

/// The most tags of one job.
pub const TAGS_MAX: usize = 16;
/// How far ahead a job may be scheduled: ten years.
pub const HORIZON: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// The longest unique key, in bytes.
const UNIQUE_KEY_MAX: usize = 1024;

/// The client that is at hand: that of the scope, else the installed one.
#[derive(Debug)]
pub struct Ambient;

/// A caller's own connection, and the client whose tables are used.
#[derive(Debug)]
pub struct InTransaction<'a> {
    conn: Conn<'a>,
    client: Option<Client>,
}

/// A job that is about to be enqueued; `.await` does it.
///
/// Nothing is validated or stored before that, so that errors have one place.
///
/// ```
/// # use djob::job;
/// # use std::time::Duration;
/// #[job]
/// async fn greet(name: &str) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = djob::connect("sqlite::memory:").await?;
/// client.migrate().await?;
/// let job = greet.perform_later("Ada").delay(Duration::from_secs(300)).tag("signup").on(&client).await?;
/// assert_eq!(job.status().await?, Some(djob::JobState::Scheduled));
/// # Ok(())
/// # }
/// ```
#[must_use = "the job is only enqueued when this is awaited"]
pub struct Enqueue<J, V = (), To = Ambient> {
    job: J,
    options: Options,
    to: To,
    output: PhantomData<fn() -> V>,
}

#[derive(Clone, Debug, Default)]
struct Options {
    id: Option<JobId>,
    queue: Option<Cow<'static, str>>,
    priority: Option<i16>,
    due: Option<Due>,
    retries: Option<u16>,
    tags: Vec<String>,
    unique_key: Option<String>,
}

impl<J: Job, V> Enqueue<J, V> {
    /// A job with the options of its kind.
    pub fn new(job: J) -> Self {
        Enqueue { job, options: Options::default(), to: Ambient, output: PhantomData }
    }

    /// Uses this client instead of the ambient one.
    pub fn on(self, client: &Client) -> Enqueue<J, V, Client> {
        Enqueue { job: self.job, options: self.options, to: client.clone(), output: PhantomData }
    }

    /// Stores the job in the caller's own sqlx transaction: it exists if that commits.
    ///
    /// Nobody tells djob of that commit. It looks a few times within the half second after this call, and less often in the
    /// 20 seconds after the last such call; a transaction that stays open for longer is found by polling, within
    /// 30 seconds, or by [`Client::wake`]. On SQLite begin the transaction
    /// with `pool.begin_with("BEGIN IMMEDIATE")`: one that reads first and writes later fails at once if anybody else
    /// wrote meanwhile.
    ///
    /// A type of your own that stands for transactions of several databases can be passed, too: see [`EnqueueIn`].
    pub fn in_tx<'a>(self, tx: impl EnqueueIn<'a>) -> Enqueue<J, V, InTransaction<'a>> {
        let to = InTransaction { conn: tx.conn(), client: ambient::current() };
        Enqueue { job: self.job, options: self.options, to, output: PhantomData }
    }
}

impl<J: Job, V> Enqueue<J, V, Client> {
    /// Stores the job in the caller's own sqlx transaction, in this client's tables.
    pub fn in_tx<'a>(self, tx: impl EnqueueIn<'a>) -> Enqueue<J, V, InTransaction<'a>> {
        let to = InTransaction { conn: tx.conn(), client: Some(self.to) };
        Enqueue { job: self.job, options: self.options, to, output: PhantomData }
    }
}

impl<J: Job, V, To> Enqueue<J, V, To> {
    /// Waits in this queue.
    pub fn queue(mut self, queue: impl Into<Cow<'static, str>>) -> Self {
        self.options.queue = Some(queue.into());
        self
    }

    /// Lower runs first; 0 is the default of the default.
    pub fn priority(mut self, priority: i16) -> Self {
        self.options.priority = Some(priority);
        self
    }

    /// Runs this long from now at the earliest.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.options.due = Some(Due::In(delay));
        self
    }

    /// Runs at this time at the earliest; a time that has passed means now.
    pub fn run_at(mut self, time: impl Into<Timestamp>) -> Self {
        self.options.due = Some(Due::At(time.into()));
        self
    }

    /// Tries this often again after a first attempt that went wrong.
    pub fn retries(mut self, retries: u16) -> Self {
        self.options.retries = Some(retries);
        self
    }

    /// Adds a label, which is shown with the job. The same rule holds for it as for a queue's name.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.options.tags.push(tag.into());
        self
    }

    /// Stores the job only if no unfinished job of this kind holds the same key. The handle names the one that is there.
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.options.unique_key = Some(key.into());
        self
    }

    /// Gives the job this id instead of a fresh one: for a row that shall name its job, and be named by it, in one
    /// transaction; or so that a call which is repeated after an unknown outcome names the same job. If
    /// there is a job of this id, in whatever room, nothing is stored and the handle names that one.
    pub fn id(mut self, id: JobId) -> Self {
        self.options.id = Some(id);
        self
    }

    /// The job, validated, as it will be stored.
    pub(crate) fn build(self) -> Result<(J, NewJob, To), EnqueueError> {
        let kind = J::DEF.kind;
        let args =
            args::encode(&self.job).map_err(|error| EnqueueError::Args { kind: kind.into(), error })?;
        let options = self.options;
        let delay = self.job.delay();
        let new = NewJob {
            id_given: options.id.is_some(),
            id: options.id.unwrap_or_else(JobId::new),
            kind: Cow::Borrowed(kind),
            queue: options.queue.unwrap_or_else(|| self.job.queue()),
            priority: options.priority.unwrap_or_else(|| self.job.priority()),
            due: options.due.unwrap_or(Due::In(delay)),
            max_attempts: options.retries.unwrap_or(J::DEF.retries).saturating_add(1),
            args,
            meta: Meta {
                version: J::DEF.version,
                tags: options.tags,
                unique_key: options
                    .unique_key
                    .or_else(|| self.job.unique_key())
                    .map(|key| format!("{kind}:{key}")),
                ..Meta::default()
            },
        };
        check(&new)?;
        Ok((self.job, new, self.to))
    }
}

/// Checks the options of a job, and nothing that its kind asks.
pub(super) fn check(new: &NewJob) -> Result<(), EnqueueError> {
    let refuse = |why: String| Err(EnqueueError::Option { kind: new.kind.clone(), why });
    let names = [("kind", &*new.kind), ("queue", &*new.queue)];
    for (what, name) in names.into_iter().chain(new.meta.tags.iter().map(|tag| ("tag", tag.as_str()))) {
        name::check(what, name).or_else(|error| refuse(error.to_string()))?;
    }
    if new.meta.tags.len() > TAGS_MAX {
        return refuse(format!("it has {} tags; the limit is {TAGS_MAX}", new.meta.tags.len()));
    }
    if let Some(key) =
        new.meta.unique_key.as_ref().filter(|key| key.len() > UNIQUE_KEY_MAX || key.contains('\0'))
    {
        return refuse(format!(
            "its unique key has {} bytes; the limit is {UNIQUE_KEY_MAX}, without NUL",
            key.len()
        ));
    }
    let far = match new.due {
        Due::In(delay) => delay > HORIZON,
        Due::At(time) => time > Timestamp::host() + HORIZON,
    };
    if far {
        return refuse("it is scheduled more than ten years ahead".to_owned());
    }
    Ok(())
}

impl<J: Job, V: Send + 'static> IntoFuture for Enqueue<J, V> {
    type Output = Result<JobHandle<V>, EnqueueError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let client = ambient::current().ok_or(EnqueueError::NoClient)?;
            self.on(&client).await
        })
    }
}

impl<J: Job, V: Send + 'static> IntoFuture for Enqueue<J, V, Client> {
    type Output = Result<JobHandle<V>, EnqueueError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (_, new, client) = self.build()?;
            client.store(J::DEF, new).await
        })
    }
}

impl<'a, J: Job, V: Send + 'static> IntoFuture for Enqueue<J, V, InTransaction<'a>> {
    type Output = Result<JobHandle<V>, EnqueueError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (_, new, to) = self.build()?;
            let client = to.client.ok_or(EnqueueError::NoClient)?;
            client.store_in(J::DEF, to.conn, new).await
        })
    }
}

impl<J, V, To> std::fmt::Debug for Enqueue<J, V, To> {
    // Arguments are personal data until proven otherwise: they are not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enqueue").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A place to enqueue into: a transaction or connection of sqlx, of a database djob knows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transaction that djob can enqueue into",
    note = "pass `&mut tx`, a transaction or connection of sqlx 0.9 for SQLite, PostgreSQL or MySQL, and enable djob's feature of that name",
    note = "two versions of sqlx in the dependency graph give this error, too: see `cargo tree -d -i sqlx`"
)]
pub trait EnqueueIn<'a> {
    /// The connection itself.
    fn conn(self) -> Conn<'a>;
}

macro_rules! enqueue_in {
    ($connection:ty, $database:ty, $variant:ident) => {
        impl<'a> EnqueueIn<'a> for &'a mut $connection {
            fn conn(self) -> Conn<'a> {
                Conn::$variant(self)
            }
        }
        impl<'a> EnqueueIn<'a> for &'a mut sqlx::Transaction<'_, $database> {
            fn conn(self) -> Conn<'a> {
                Conn::$variant(&mut **self)
            }
        }
        impl<'a> EnqueueIn<'a> for &'a mut sqlx::pool::PoolConnection<$database> {
            fn conn(self) -> Conn<'a> {
                Conn::$variant(&mut **self)
            }
        }
    };
}

#[cfg(feature = "sqlite")]
enqueue_in!(sqlx::SqliteConnection, sqlx::Sqlite, Sqlite);
#[cfg(feature = "postgres")]
enqueue_in!(sqlx::PgConnection, sqlx::Postgres, Postgres);
#[cfg(feature = "mysql")]
enqueue_in!(sqlx::MySqlConnection, sqlx::MySql, MySql);
