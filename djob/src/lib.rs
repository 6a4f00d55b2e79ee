//! Background jobs: annotate a function, enqueue it typed and validated, and never lose it.

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
mod maintenance;
mod registry;
mod state;
pub mod storage;
mod worker;

pub use client::{
    Ambient, Client, ClientBuilder, Enqueue, EnqueueIn, HORIZON, InTransaction, JobHandle, TAGS_MAX, connect,
};
pub use clock::{Clock, Timestamp};
pub use djob_macros::job;
pub use error::{EnqueueError, WaitError, WorkerError};
pub use events::{Event, EventStream};
pub use hooks::Hooks;
pub use job::{
    ArgsError, Attempt, Backoff, BoxError, BoxFuture, Claim, ClaimKey, ClaimedJob, Directive, Due, Enqueued,
    Facts, Fault, IntoJobResult, InvalidName, Job, JobDef, JobError, JobId, JobRow, JobState, Keep, Meta,
    Need, NewJob, Outcome, RunFn, Settlement, UnknownState, settle,
};
pub use registry::{DuplicateKind, MissingState, Registry};
pub use sqlx;
pub use state::State;
pub use storage::{Cancelled, Count, Filter, StorageError};
pub use worker::{Attempted, JobContext, Layer, Next, Worker};
