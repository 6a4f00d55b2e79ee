//! One attempt: find the function, run it, catch what goes wrong, decide what follows.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tracing::Instrument as _;

use super::context::JobContext;
use super::engine::Engine;
use super::layer::{Attempted, Next};
use super::open::Run;
use super::pool::Pool;
use crate::events::Event;
use crate::hooks::{Hooks, call_each};
use crate::job::outcome::error_text;
use crate::job::{
    Backoff, ClaimKey, ClaimedJob, Facts, JobDef, JobError, JobState, Outcome, Settlement, Unreadable, settle,
};

/// A slot: runs one job after the other until the worker is over.
pub(crate) async fn slot(engine: Arc<Engine>, pool: Arc<Pool>, number: usize) {
    loop {
        let run = match pool.try_take() {
            Some(run) => run,
            None => tokio::select! {
                biased;
                () = engine.over.cancelled() => return,
                run = pool.take() => run,
            },
        };
        let ran = one(&engine, &run, number).await;
        pool.done(ran);
        // Jobs that never wait for anything must not starve the rest of the runtime.
        tokio::task::consume_budget().await;
    }
}

/// Runs one job and hands over what became of it; returns how long it ran, if it did.
pub(super) async fn one(engine: &Engine, run: &Run, slot: usize) -> Option<Duration> {
    if engine.lease_is_running_out() {
        // The process stood still: what it holds may be somebody else's by now. The heartbeat has not noticed yet.
        engine.lose();
    }
    let without_args = || run.held().is_some_and(|job| job.args.is_none());
    if engine.abort.is_cancelled() || (engine.draining.is_cancelled() && without_args()) {
        // Nothing begins any more; it goes back.
        conclude(engine, run, Settlement::Release, Duration::ZERO);
        return None;
    }
    let (job, key) = run.begin()?;
    engine.stir();
    if job.meta.is_suspect() && !super::settle::start(engine, key).await {
        // It is not this worker's any more: what is said about it is refused.
        conclude(engine, run, Settlement::Release, Duration::ZERO);
        return None;
    }
    let Some(def) = engine.registry.get(&job.kind) else {
        engine.meet_unread();
        let settlement = settle(&job.facts(None, 0.0), Outcome::UnknownKind);
        tracing::warn!(kind = %job.kind, id = %job.id, "unknown kind: parked; is its crate linked? `use my_jobs as _;`");
        conclude(engine, run, settlement, Duration::ZERO);
        return None;
    };
    if job.meta.version > def.version {
        engine.meet_unread();
        let newer = Outcome::NewerVersion { version: job.meta.version, known: def.version };
        conclude(engine, run, settle(&job.facts(Some(def), 0.0), newer), Duration::ZERO);
        return None;
    }
    let start = Instant::now();
    let ctx = JobContext::of(&engine.client, &engine.state, engine.id, key, &job, def);
    let outcome = attempt(engine, def, &ctx, &job, slot).await;
    let ran = start.elapsed();
    let finished_itself = outcome == Outcome::CompletedInTransaction;
    let settlement = decide(job.facts(Some(def), jitter(key, &job)), outcome);
    if finished_itself {
        // Whether its transaction was committed is only known from the answer: then its claim is gone.
        engine.send(key.fence);
        let end = run.end(settlement.clone(), ran, true);
        let stands = super::settle::store(engine, end.into_iter().collect()).await;
        engine.arrived(key.fence);
        let committed = stands.first().is_none_or(|stands| !stands);
        call_hooks(engine, |hooks| after(hooks, &ctx, &settlement, committed));
        return Some(ran);
    }
    call_hooks(engine, |hooks| after(hooks, &ctx, &settlement, false));
    conclude(engine, run, settlement, ran);
    Some(ran)
}

/// Decides what follows; a backoff function of the user's own that panics is replaced by the default one.
fn decide(facts: Facts, outcome: Outcome) -> Settlement {
    if !matches!(facts.backoff, Backoff::Custom(_)) {
        return settle(&facts, outcome);
    }
    let decided = catch_unwind(AssertUnwindSafe(|| settle(&facts, outcome.clone())));
    decided.unwrap_or_else(|panic| {
        tracing::error!(panic = panic_text(&*panic), "a backoff function panicked: using the default one");
        settle(&Facts { backoff: Backoff::default(), ..facts }, outcome)
    })
}

pub(super) fn conclude(engine: &Engine, run: &Run, settlement: Settlement, ran: Duration) {
    if let Some(end) = run.end(settlement, ran, false) {
        engine.settle(end);
    }
}

async fn attempt(
    engine: &Engine,
    def: &'static JobDef,
    ctx: &JobContext,
    job: &ClaimedJob,
    slot: usize,
) -> Outcome {
    let Some(args) = job.args.clone() else {
        return Outcome::BrokenContract("arguments: are missing from djob_args".into());
    };
    engine.client.event_sender().send(|| Event::Started {
        id: job.id,
        kind: job.kind.clone(),
        attempt: ctx.attempt(),
    });
    call_hooks(engine, |hooks| hooks.before(ctx));
    let work = ctx.with_client(async {
        let args = up_to_date(def, job.meta.version, args)?;
        match engine.layers.is_empty() {
            true => (def.run)(ctx, &args).await,
            false => Next::new(&engine.layers, def, args).run(ctx).await,
        }
    });
    let span = tracing::info_span!("job", kind = def.kind, id = %job.id, attempt = ctx.attempt());
    let limit = def.timeout.unwrap_or(engine.config.timeout);
    match bounded(engine, ctx, limit, watched(engine, def, slot, caught(work)).instrument(span)).await {
        Ended::Itself(Ok(_)) if ctx.was_completed() => Outcome::CompletedInTransaction,
        Ended::Itself(Ok(result)) => Outcome::Completed(result),
        Ended::Itself(Err(error)) => error.into_outcome(),
        Ended::TimedOut => Outcome::Error(format!("timed out: it ran longer than {limit:?}")),
        Ended::Cancelled => Outcome::Cancelled("cancelled while it ran".into()),
        Ended::Aborted => Outcome::Interrupted,
    }
}

/// The arguments as the function takes them today.
fn up_to_date(def: &JobDef, version: u16, args: Arc<str>) -> Result<Arc<str>, JobError> {
    if version == def.version {
        return Ok(args);
    }
    match def.lift(version, &args) {
        Ok(lifted) => Ok(lifted.as_ref().into()),
        Err(Unreadable::Args(error)) => Err(JobError::Args(error)),
        Err(newer) => Err(JobError::Failed(newer.into())),
    }
}

/// How an attempt ended.
enum Ended {
    Itself(Attempted),
    TimedOut,
    Cancelled,
    Aborted,
}

/// Runs an attempt within its limits. One that is ready at once costs no timer and no entry among the running.
async fn bounded(
    engine: &Engine,
    ctx: &JobContext,
    limit: Duration,
    work: impl Future<Output = Attempted>,
) -> Ended {
    let mut work = Box::pin(work);
    if let Poll::Ready(ended) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return Ended::Itself(ended);
    }
    engine.enter(ctx);
    let ended = tokio::select! {
        biased;
        ended = &mut work => Ended::Itself(ended),
        () = tokio::time::sleep(limit) => Ended::TimedOut,
        () = engine.abort.cancelled() => Ended::Aborted,
        () = told_to_stop(engine, ctx) => Ended::Cancelled,
    };
    engine.leave(ctx);
    // What the job holds is dropped here if it was stopped, and that may panic.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(work))) {
        tracing::error!(kind = ctx.kind(), panic = panic_text(&*panic), "a job panicked as it was stopped");
    }
    ended
}

/// Ends some time after the job was told to stop, but not while the worker drains: then the drain has the say.
async fn told_to_stop(engine: &Engine, ctx: &JobContext) {
    ctx.cancelled().await;
    if engine.draining.is_cancelled() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(engine.config.grace).await;
}

/// Lets the heartbeat know which kind has the thread, in case it does not let go of it.
async fn watched<T>(engine: &Engine, def: &'static JobDef, slot: usize, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        engine.has_thread(slot, Some(def.kind));
        let poll = work.as_mut().poll(cx);
        engine.has_thread(slot, None);
        poll
    })
    .await
}

/// Turns a panic into an error, also one that comes when the future is dropped.
async fn caught(work: impl Future<Output = Attempted>) -> Attempted {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let poll = catch_unwind(AssertUnwindSafe(|| Pin::as_mut(&mut work).poll(cx)));
        poll.unwrap_or_else(|panic| Poll::Ready(Err(JobError::Panicked(panic_text(&*panic)))))
    })
    .await
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    error_text(text.unwrap_or("without a message"))
}

/// A number from -1 to 1 that differs from run to run: the random end of the job's id, turned by the fence.
fn jitter(key: ClaimKey, job: &ClaimedJob) -> f64 {
    let mix = |id: &uuid::Uuid| id.as_u128() as u32;
    f64::from(mix(&job.id.0) ^ mix(&key.fence)) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// Calls the hooks of the client and of the worker.
pub(crate) fn call_hooks(engine: &Engine, call: impl Fn(&dyn Hooks)) {
    call_each(engine.client.hooks().iter().chain(&engine.hooks), call);
}

fn after(hooks: &dyn Hooks, ctx: &JobContext, settlement: &Settlement, committed: bool) {
    match settlement {
        _ if committed => hooks.success(ctx),
        Settlement::Finish { state: JobState::Completed, .. } => hooks.success(ctx),
        Settlement::Retry { error, .. } => hooks.error(ctx, error),
        Settlement::Finish { state: JobState::Failed, error, .. } => {
            let error = error.as_deref().unwrap_or_default();
            hooks.error(ctx, error);
            hooks.failure(ctx, error);
        }
        _ => {}
    }
    hooks.after(ctx);
}

/// Runs a job in the caller's place.
pub(crate) async fn run_inline(
    all: &[Arc<dyn Hooks>],
    def: &'static JobDef,
    ctx: &JobContext,
    args: &str,
) -> Attempted {
    call_each(all, |hooks| hooks.before(ctx));
    let ran = caught(ctx.with_client((def.run)(ctx, args))).await;
    match &ran {
        Ok(_) => call_each(all, |hooks| hooks.success(ctx)),
        Err(error) => {
            let error = error.to_string();
            call_each(all, |hooks| hooks.error(ctx, &error));
            call_each(all, |hooks| hooks.failure(ctx, &error));
        }
    }
    call_each(all, |hooks| hooks.after(ctx));
    ran
}
