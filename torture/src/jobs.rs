//! The jobs: each kind goes wrong in a way of its own, and says what must become of it all the same.

use std::path::Path;
use std::time::Duration;

use djob::{BoxError, Directive, JobContext, JobDef, job};
use uuid::Uuid;

use crate::bank::Bank;
use crate::ledger::{Event, Ledger, Moment, Outcome};

/// What a worker's jobs share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) ledger: Ledger,
    pub(crate) bank: Bank,
}

impl Desk {
    pub(crate) fn open(ledger: &Path, skew: i64, url: &str) -> std::io::Result<Self> {
        Ok(Desk { ledger: Ledger::open(ledger, skew)?, bank: Bank::at(url) })
    }

    fn start(&self, ctx: &JobContext) {
        let (id, fence, attempt) = (*ctx.id().as_uuid(), ctx.fence(), ctx.attempt());
        self.ledger.note(&Event::Start { at: self.ledger.now(), id, fence, attempt });
    }

    fn end(&self, ctx: &JobContext, outcome: Outcome) {
        let (id, fence) = (*ctx.id().as_uuid(), ctx.fence());
        self.ledger.note(&Event::End { at: self.ledger.now(), id, fence, outcome });
    }

    fn ok(&self, ctx: &JobContext) -> Result<(), BoxError> {
        self.end(ctx, Outcome::Ok);
        Ok(())
    }

    fn wrong(&self, ctx: &JobContext, why: &str) -> Result<(), BoxError> {
        self.end(ctx, Outcome::Error);
        Err(why.into())
    }
}

/// Over at once, as most jobs are.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn quick(ctx: &JobContext, #[state] desk: &Desk) -> Result<(), BoxError> {
    desk.start(ctx);
    desk.ok(ctx)
}

/// Waits for something for a moment.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn short(ctx: &JobContext, #[state] desk: &Desk, ms: u64) -> Result<(), BoxError> {
    desk.start(ctx);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    desk.ok(ctx)
}

/// Runs for longer than a lease.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn sleeper(ctx: &JobContext, #[state] desk: &Desk, ms: u64) -> Result<(), BoxError> {
    desk.start(ctx);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    desk.ok(ctx)
}

/// Keeps a thread for itself.
#[job(keep = "7d", backoff = "fixed 200ms")]
fn blocking(ctx: &JobContext, #[state] desk: &Desk, ms: u64) -> Result<(), BoxError> {
    desk.start(ctx);
    std::thread::sleep(Duration::from_millis(ms));
    desk.ok(ctx)
}

/// Writes into the application's own table and finishes itself, in one transaction; `stumbles` once before.
#[job(transactional, keep = "7d", retries = 200, backoff = "fixed 200ms")]
async fn effect(ctx: &JobContext, #[state] desk: &Desk, stumbles: bool) -> Result<(), BoxError> {
    desk.start(ctx);
    let stumble = stumbles && ctx.attempt() == 1;
    let done = desk.bank.within(async |till| {
        till.effect(*ctx.id().as_uuid(), ctx.fence()).await?;
        if !stumble {
            ctx.complete_in(till).await?;
        }
        Ok(!stumble)
    });
    match done.await {
        Ok(true) => desk.ok(ctx),
        Ok(false) => desk.wrong(ctx, "rolled back"),
        Err(error) => desk.wrong(ctx, &error.to_string()),
    }
}

/// Goes wrong so often before it goes well.
#[job(keep = "7d", retries = 5, backoff = "fixed 200ms")]
async fn flaky(ctx: &JobContext, #[state] desk: &Desk, times: u16) -> Result<(), BoxError> {
    desk.start(ctx);
    if ctx.attempt() <= times { desk.wrong(ctx, "not yet") } else { desk.ok(ctx) }
}

/// Goes wrong whenever it runs.
#[job(keep = "7d", retries = 2, backoff = "fixed 200ms")]
async fn hopeless(ctx: &JobContext, #[state] desk: &Desk) -> Result<(), BoxError> {
    desk.start(ctx);
    desk.wrong(ctx, "as always")
}

/// Panics the first time.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn clumsy(ctx: &JobContext, #[state] desk: &Desk) -> Result<(), BoxError> {
    desk.start(ctx);
    if ctx.attempt() == 1 {
        desk.end(ctx, Outcome::Error);
        panic!("dropped it");
    }
    desk.ok(ctx)
}

/// Says something that no database can store as it is.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn garbled(ctx: &JobContext, #[state] desk: &Desk) -> Result<String, BoxError> {
    desk.start(ctx);
    if ctx.attempt() == 1 {
        desk.end(ctx, Outcome::Error);
        return Err(format!("a NUL \0, an escape \u{1b}[2J, and {}", "much ".repeat(10_000)).into());
    }
    desk.end(ctx, Outcome::Ok);
    Ok("a NUL \0".into())
}

/// Is not ready yet, until a certain time.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn patient(ctx: &JobContext, #[state] desk: &Desk, until: Moment) -> Result<(), BoxError> {
    desk.start(ctx);
    if desk.ledger.now() < until {
        desk.end(ctx, Outcome::Snooze);
        return Err(Directive::snooze(Duration::from_millis(150)).into());
    }
    desk.ok(ctx)
}

/// Carries much.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn large(ctx: &JobContext, #[state] desk: &Desk, text: &str) -> Result<(), BoxError> {
    desk.start(ctx);
    if text.len() < 2000 {
        return desk.wrong(ctx, "the text is not whole");
    }
    desk.ok(ctx)
}

/// Only known to the newest release.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn newest(ctx: &JobContext, #[state] desk: &Desk) -> Result<(), BoxError> {
    desk.start(ctx);
    desk.ok(ctx)
}

/// Takes its worker down.
#[job(keep = "7d", backoff = "fixed 200ms")]
async fn killer(ctx: &JobContext, #[state] desk: &Desk) -> Result<(), BoxError> {
    desk.start(ctx);
    std::process::abort()
}

/// What an older release knows.
pub(crate) fn known_before() -> Vec<&'static JobDef> {
    let mut all = vec![quick.def(), short.def(), sleeper.def(), blocking.def(), effect.def(), flaky.def()];
    all.extend([hopeless.def(), clumsy.def(), garbled.def(), patient.def(), large.def(), killer.def()]);
    all
}

/// A job that is to be enqueued: its kind, and how.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) delay: Duration,
    pub(crate) unique: Option<String>,
    pub(crate) priority: i16,
    /// How long its run takes, how often it goes wrong, and the like.
    pub(crate) measure: u64,
}

/// Enqueues it, by the client or in the application's own transaction. Returns its id, or that of the job which holds its key.
macro_rules! enqueue {
    ($job:expr, $order:expr, $client:expr, $till:expr) => {{
        let order: &Order = $order;
        let mut job = $job.id(order.id.into()).priority(order.priority).delay(order.delay);
        if let Some(key) = &order.unique {
            job = job.unique(key.clone());
        }
        let handle = match $till {
            Some(till) => job.on($client).in_tx(till).await?,
            None => job.on($client).await?,
        };
        Ok(*handle.id().as_uuid())
    }};
}

impl Order {
    pub(crate) async fn enqueue(
        &self,
        client: &djob::Client,
        till: Option<&mut crate::bank::Till>,
    ) -> Result<Uuid, djob::EnqueueError> {
        let (measure, few) = (self.measure, u16::try_from(self.measure).unwrap_or(1));
        match self.kind {
            "short" => enqueue!(short.perform_later(measure), self, client, till),
            "sleeper" => enqueue!(sleeper.perform_later(measure), self, client, till),
            "blocking" => enqueue!(blocking.perform_later(measure), self, client, till),
            "effect" => enqueue!(effect.perform_later(measure == 1), self, client, till),
            "flaky" => enqueue!(flaky.perform_later(few), self, client, till),
            "hopeless" => enqueue!(hopeless.perform_later(), self, client, till),
            "clumsy" => enqueue!(clumsy.perform_later(), self, client, till),
            "garbled" => enqueue!(garbled.perform_later(), self, client, till),
            "patient" => {
                let until = crate::ledger::now(0) + i64::try_from(measure * 1000).unwrap_or(0);
                enqueue!(patient.perform_later(until), self, client, till)
            }
            "large" => enqueue!(large.perform_later(&"x".repeat(2000 + few as usize)), self, client, till),
            "newest" => enqueue!(newest.perform_later(), self, client, till),
            "killer" => enqueue!(killer.perform_later(), self, client, till),
            _ => enqueue!(quick.perform_later(), self, client, till),
        }
    }
}
