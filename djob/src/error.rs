//! What a caller may have to deal with when it enqueues or starts a worker.

use std::borrow::Cow;

use crate::job::{ArgsError, Fault, JobError};
use crate::registry::{DuplicateKind, MissingState};
use crate::storage::StorageError;

/// Why a job was not enqueued. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The arguments break a rule of the job's signature.
    #[error("job \"{kind}\" was refused: {error}")]
    Args {
        /// The kind of the job.
        kind: Cow<'static, str>,
        /// Every broken rule, with its place.
        #[source]
        error: ArgsError,
    },
    /// A queue's or tag's name, the number of tags, or the time is not usable.
    #[error("job \"{kind}\" was refused: {why}")]
    Option {
        /// The kind of the job.
        kind: Cow<'static, str>,
        /// The rule, and what was given.
        why: String,
    },
    /// No client is at hand.
    #[error(
        "there is no client to enqueue with: call `client.install()` once at start, \
         or name one with `.on(&client)`"
    )]
    NoClient,
    /// The database did not take it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The client runs jobs at once instead of storing them, and this one went wrong.
    #[error("job \"{kind}\" ran at once and went wrong: {error}")]
    Ran {
        /// The kind of the job.
        kind: &'static str,
        /// What went wrong.
        #[source]
        error: JobError,
    },
}

impl EnqueueError {
    /// What is wrong with the arguments, place by place; empty if something else is wrong. For showing beside a form's fields.
    pub fn faults(&self) -> &[Fault] {
        match self {
            EnqueueError::Args { error, .. } => error.faults(),
            _ => &[],
        }
    }
}

/// Why a job's output could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// It failed.
    #[error("the job failed: {0}")]
    Failed(String),
    /// It was cancelled.
    #[error("the job was cancelled: {0}")]
    Cancelled(String),
    /// It is in no room: it left no trace because its kind says `keep = "0s"`, or it was deleted or pruned.
    #[error(
        "the job is gone: its kind keeps no history (`keep = \"0s\"`), or it was deleted; \
         a job whose output is waited for must be kept for a while"
    )]
    Gone,
    /// It is finished and its result is not what the function returns now.
    #[error("the job's result cannot be read: {0}")]
    Result(String),
    /// The database did not answer.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a worker did not start, or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// Two jobs share a name.
    #[error(transparent)]
    DuplicateKind(#[from] DuplicateKind),
    /// A job borrows a state that was not given.
    #[error(transparent)]
    MissingState(#[from] MissingState),
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
