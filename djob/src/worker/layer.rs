//! Layers: code around every attempt, from the outside in.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::context::JobContext;
use crate::job::{BoxFuture, JobDef, JobError};

/// What an attempt gives back: the result as JSON, or what went wrong.
pub type Attempted = Result<Option<String>, JobError>;

/// Code around every attempt. Any `async fn(JobContext, Next) -> Attempted` is one.
///
/// ```
/// use djob::{Attempted, JobContext, Next};
///
/// async fn timed(ctx: JobContext, next: Next) -> Attempted {
///     let start = std::time::Instant::now();
///     let attempted = next.run(&ctx).await;
///     println!("{} took {:?}", ctx.kind(), start.elapsed());
///     attempted
/// }
/// # fn worker(client: &djob::Client) -> djob::Worker {
/// djob::Worker::new(client).layer(timed)
/// # }
/// ```
pub trait Layer: Send + Sync + 'static {
    /// Runs the attempt: calls `next`, or does not.
    fn attempt(&self, ctx: JobContext, next: Next) -> BoxFuture<'static, Attempted>;
}

impl<F, A> Layer for F
where
    F: Fn(JobContext, Next) -> A + Send + Sync + 'static,
    A: Future<Output = Attempted> + Send + 'static,
{
    fn attempt(&self, ctx: JobContext, next: Next) -> BoxFuture<'static, Attempted> {
        Box::pin(self(ctx, next))
    }
}

/// What is inside of a layer: the next layer, and at last the job's function.
pub struct Next {
    layers: Arc<[Arc<dyn Layer>]>,
    def: &'static JobDef,
    args: Arc<str>,
    at: usize,
}

impl Next {
    pub(super) fn new(layers: &[Arc<dyn Layer>], def: &'static JobDef, args: Arc<str>) -> Self {
        Next { layers: layers.into(), def, args, at: 0 }
    }

    /// Goes on with the attempt.
    pub async fn run(self, ctx: &JobContext) -> Attempted {
        match self.layers.get(self.at).cloned() {
            Some(layer) => layer.attempt(ctx.clone(), Next { at: self.at + 1, ..self }).await,
            None => (self.def.run)(ctx, &self.args).await,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Next({})", self.def.kind)
    }
}
