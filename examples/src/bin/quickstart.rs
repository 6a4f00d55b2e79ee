//! Real jobs through an embedded SQLite database: `cargo run --bin quickstart`.

use std::time::Duration;

use djob::{Client, Directive, JobContext, JobHandle, JobState, Worker, job};

/// What the worker lends to its jobs.
struct Mailer {
    from: &'static str,
}

/// Send the welcome mail.
#[job(queue = "mail", retries = 5, priority = 10)]
async fn send_welcome(
    #[state] mailer: &Mailer,
    user_id: i64,
    #[validate(email)] email: &str,
) -> Result<String, djob::BoxError> {
    Ok(format!("mail from {} to {email} (user {user_id})", mailer.from))
}

/// Fetch exchange rates from a server that answers at the third attempt only.
#[job(backoff = "fixed 300ms")]
async fn fetch_rates(ctx: &JobContext, currency: String) -> Result<f64, djob::BoxError> {
    match ctx.attempt() {
        1 | 2 => Err("the server did not answer".into()),
        _ if currency == "EUR" => Ok(1.0),
        _ => Err(Directive::fail("no such currency").into()),
    }
}

/// Add up numbers. Not async: it runs on the blocking pool.
#[job]
fn add_up(numbers: &[u64]) -> Result<u64, djob::BoxError> {
    Ok(numbers.iter().sum())
}

/// Remind a user, later.
#[job(queue = "mail")]
async fn remind(user_id: i64) {
    println!("          .. reminding user {user_id}");
}

#[tokio::main]
async fn main() -> Result<(), djob::BoxError> {
    let folder = std::env::temp_dir().join(format!("djob-quickstart-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("jobs.db");
    println!("database  {}", file.display());
    let client = djob::connect(&format!("sqlite://{}", file.display())).await?;
    let schema = client.migrate().await?;
    println!("migrated  to version {}", schema.found);
    client.install();

    let jobs = enqueue().await?;
    println!("working   until nothing is due");
    let worker = Worker::new(&client).state(Mailer { from: "djob@example.org" });
    // The job that fails twice comes back after 0.3 s each time; work for long enough to see it succeed.
    worker.run_until(tokio::time::sleep(Duration::from_secs(2))).await?;

    report(&client, &jobs).await?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn enqueue() -> Result<Vec<JobHandle<()>>, djob::BoxError> {
    Ok(vec![])
}

async fn report(_client: &Client, _jobs: &[JobHandle<()>]) -> Result<(), djob::BoxError> {
    let _ = JobState::Ready;
    Ok(())
}
