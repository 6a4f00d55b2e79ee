//! A worker process for the tests: works on `DATABASE_URL`, keeps a ledger of its own, and can be killed.
//!
//! Each run of `tally` adds a line `id fence pid` to the file `LEDGER`, in one write, before it does anything else. At the
//! end the process prints how many of its outcomes were accepted.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use djob::{BoxError, Event, JobContext, JobState, Worker, job};

/// Notes in the ledger that this job runs here.
fn note(ctx: &JobContext) -> std::io::Result<()> {
    let Some(ledger) = std::env::var_os("LEDGER") else { return Ok(()) };
    let mut file = OpenOptions::new().append(true).create(true).open(ledger)?;
    file.write_all(format!("{} {} {}\n", ctx.id(), ctx.fence(), std::process::id()).as_bytes())
}

/// Note in the ledger that this job runs here, and take a while.
#[job(retries = 3, backoff = "fixed 100ms")]
async fn tally(ctx: &JobContext, number: u64, sleep_ms: u64) -> Result<u64, BoxError> {
    note(ctx)?;
    if sleep_ms > 0 {
        tokio::time::sleep(Duration::from_millis(sleep_ms)).await;
    }
    Ok(number)
}

/// Keep a thread of the runtime busy without ever letting go of it, which an async function must not do.
#[job]
async fn hog(ctx: &JobContext, busy_ms: u64) -> Result<(), BoxError> {
    note(ctx)?;
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(busy_ms) {
        std::hint::spin_loop();
    }
    Ok(())
}

/// Never run: its enqueueing is the last event of this process.
#[job(queue = "last_words", unique = |_| "one".to_owned())]
async fn last_word() {}

/// Take the whole process down, in one way or another.
#[job]
async fn poison(how: String) {
    match how.as_str() {
        "overflow" => drop(std::hint::black_box(descend(0))),
        "memory" => {
            let mut hoard = vec![];
            loop {
                hoard.push(vec![1_u8; 16 << 20]);
            }
        }
        "slowly" => tokio::time::sleep(Duration::from_millis(900)).await,
        _ => {}
    }
    std::process::abort();
}

/// Never comes back up.
#[allow(unconditional_recursion)]
fn descend(depth: u64) -> u64 {
    let kept = std::hint::black_box([depth; 64]);
    descend(depth + 1) + kept[0]
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), BoxError> {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let client = djob::connect(&std::env::var("DATABASE_URL")?).await?;
    let mut events = client.events();
    let accepted = Arc::new(AtomicU64::new(0));
    let counter = accepted.clone();
    let counting = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::Settled { state: JobState::Completed, .. } => {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
                Event::Enqueued { .. } => return,
                _ => {}
            }
        }
    });
    let concurrency = std::env::var("CONCURRENCY").ok().and_then(|number| number.parse().ok()).unwrap_or(16);
    let until_done = std::env::var_os("UNTIL_DONE").is_some();
    let mut worker = Worker::new(&client).concurrency(concurrency).exit_on_complete(until_done);
    if let Some(lease) = std::env::var("LEASE_MS").ok().and_then(|number| number.parse().ok()) {
        let lease = Duration::from_millis(lease);
        worker = worker.lease(lease / 6, lease);
    }
    worker.run().await?;
    // A last event, after all others: it ends the counting.
    last_word.perform_later().delay(Duration::from_secs(3600)).on(&client).await?;
    counting.await?;
    println!("accepted {}", accepted.load(Ordering::SeqCst));
    Ok(())
}
