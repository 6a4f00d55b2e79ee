//! Background jobs: annotate a function, enqueue it typed and validated, and never lose it.
//!
//! An async function becomes a *job* by the attribute [`#[job]`](macro@job). Its arguments are checked by the compiler where
//! it is enqueued, validated, and stored in a database; a [`Worker`], in this process or on another machine, runs it, tries
//! again when it goes wrong, and takes over when another worker dies.
//!
//! ```standalone_crate
//! use djob::{Worker, job};
//!
//! /// What the worker lends to its jobs; never stored.
//! struct Mailer {
//!     from: String,
//! }
//!
//! /// Send the welcome mail.
//! #[job(queue = "mail", retries = 5)]
//! async fn send_welcome(
//!     #[state] mailer: &Mailer,
//!     user_id: i64,
//!     #[validate(email)] email: &str,
//! ) -> Result<String, djob::BoxError> {
//!     Ok(format!("{} wrote to {email}, user {user_id}", mailer.from))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = djob::connect("sqlite::memory:").await?; // or sqlite://jobs.db, postgres://.., mysql://..
//! client.migrate().await?;
//! client.install(); // `perform_later` finds it from now on
//!
//! let welcome = send_welcome.perform_later(7, "ada@example.org").await?;
//! let refused = send_welcome.perform_later(7, "not an address").await.unwrap_err();
//! assert_eq!(refused.to_string(), "job \"send_welcome\" was refused: /email: must be an e-mail address");
//!
//! // `run()` works until SIGTERM; this one stops when nothing is due any more.
//! Worker::new(&client).state(Mailer { from: "djob@example.org".into() }).work_off().await?;
//! assert_eq!(welcome.wait().await?, "djob@example.org wrote to ada@example.org, user 7");
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - Writing jobs: the attribute [`#[job]`](macro@job), [`JobContext`], [`Directive`], [`Backoff`], [`Keep`].
//! - Enqueueing: `perform_later` makes an [`Enqueue`]; a [`Client`] says into which database; a [`JobHandle`] asks after it.
//! - Working: [`Worker`], [`State`], [`Hooks`], [`Layer`].
//! - Watching: [`Client::events`], [`Client::list`], [`Client::counts`], [`Client::examine`].
//! - The database beneath: [`storage`]. Every limit and default: [`limits`].
//!
//! # What it promises
//!
//! Once `perform_later(..).await` has returned `Ok`, or the caller's transaction has committed, the job reaches exactly one
//! final state. It may *run* twice, when its worker died or was cut off; only one run's outcome is accepted. A job that must
//! take effect exactly once finishes in its own transaction: [`JobContext::complete_in`].
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `sqlite` (default) | SQLite, built in: one machine, nothing to install |
//! | `postgres` | PostgreSQL: many machines |
//! | `tls` | TLS to PostgreSQL, by rustls |
//!
//! # Other crates
//!
//! sqlx is part of this interface on purpose: jobs are enqueued within its transactions. [`sqlx`], [`serde`], [`schemars`] and
//! [`validator`] are re-exported, so that a program needs none of them in its own `Cargo.toml`, nor has another version by
//! mistake. An argument type of your own derives them like this:
//!
//! ```
//! #[derive(djob::serde::Serialize, djob::serde::Deserialize, djob::schemars::JsonSchema)]
//! #[serde(crate = "djob::serde")]
//! #[schemars(crate = "djob::schemars")]
//! struct Address {
//!     street: String,
//! }
//!
//! #[djob::job]
//! async fn ship(to: Address) {}
//! ```

// What only one database needs lies idle where that one is not built in; the build with all has no such excuse.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, unused_imports)
)]

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!("djob keeps its jobs in a database: enable its feature `sqlite`, `postgres` or `mysql`");

// The attribute writes `::djob::..`, also for the jobs in this crate's own tests.
extern crate self as djob;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod client;
mod clock;
mod error;
mod events;
mod hooks;
mod job;
pub mod limits;
mod maintenance;
mod pause;
mod registry;
mod state;
pub mod storage;
mod worker;

pub use client::{Ambient, Client, ClientBuilder, Enqueue, EnqueueIn, InTransaction, JobHandle, connect};
pub use clock::{Clock, InvalidTimestamp, Timestamp};
pub use djob_macros::job;
pub use error::{EnqueueError, WaitError, WorkerError};
pub use events::{Event, EventStream};
pub use hooks::Hooks;
pub use job::{
    ArgsError, Attempt, Backoff, BoxError, BoxFuture, Claim, ClaimKey, ClaimedJob, Contract, Directive, Due,
    Enqueued, Facts, Fault, IntoJobResult, InvalidName, Job, JobDef, JobError, JobId, JobRow, JobState, Keep,
    Meta, Need, NewJob, Outcome, RunFn, Settlement, UnknownState, Unreadable, Upcast, settle,
};
pub use registry::{DuplicateKind, MissingState, Registry};
pub use state::State;
pub use storage::{Cancelled, Conn, Count, Filter, Finding, StorageError, Verdict};
pub use worker::{Attempted, JobContext, Layer, Next, Worker, shutdown_signal};
pub use {schemars, serde, sqlx, validator};
