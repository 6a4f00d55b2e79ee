//! Hooks: delayed_job's lifecycle. Called in order, on the road of every job.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::job::NewJob;
use crate::worker::{JobContext, panic_text};

/// What to do at the turning points of a job's life. Every method does nothing by default.
///
/// On success: `before`, the job, `success`, `after`. On an error: `before`, the job, `error`, `after`, and `failure` if it
/// was the last attempt. They must be quick and must not block; a panic in one is caught and logged.
///
/// ```
/// use djob::{Hooks, JobContext};
///
/// #[derive(Debug)]
/// struct Report;
///
/// impl Hooks for Report {
///     fn failure(&self, ctx: &JobContext, error: &str) {
///         eprintln!("{} {} failed: {error}", ctx.kind(), ctx.id());
///     }
/// }
/// ```
pub trait Hooks: Send + Sync + fmt::Debug + 'static {
    /// A job is about to be stored.
    fn enqueue(&self, job: &NewJob) {
        let _ = job;
    }

    /// An attempt is about to begin.
    fn before(&self, ctx: &JobContext) {
        let _ = ctx;
    }

    /// An attempt went well.
    fn success(&self, ctx: &JobContext) {
        let _ = ctx;
    }

    /// An attempt went wrong.
    fn error(&self, ctx: &JobContext, error: &str) {
        let _ = (ctx, error);
    }

    /// The job is over, unsuccessfully: no attempt is left, or it said so.
    fn failure(&self, ctx: &JobContext, error: &str) {
        let _ = (ctx, error);
    }

    /// An attempt has ended, whichever way.
    fn after(&self, ctx: &JobContext) {
        let _ = ctx;
    }
}

/// Calls each of them; a panic in one harms neither the job nor its caller.
pub(crate) fn call_each<'a>(all: impl IntoIterator<Item = &'a Arc<dyn Hooks>>, call: impl Fn(&dyn Hooks)) {
    for hooks in all {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| call(&**hooks))) {
            tracing::error!(panic = panic_text(&*panic), "a hook panicked");
        }
    }
}
