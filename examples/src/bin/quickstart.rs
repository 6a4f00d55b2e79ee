//! Real jobs through an embedded SQLite database: `cargo run --bin quickstart`.

use std::time::Duration;

use djob::{BoxError, Client, Directive, Event, Filter, JobContext, JobState, Worker, job};

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
) -> Result<String, BoxError> {
    Ok(format!("from {} to {email}, user {user_id}", mailer.from))
}

/// Fetch an exchange rate from a server that answers at the third attempt only.
#[job(backoff = "fixed 300ms")]
async fn fetch_rate(ctx: &JobContext, currency: String) -> Result<f64, BoxError> {
    match ctx.attempt() {
        1 | 2 => Err("the server did not answer".into()),
        _ if currency == "EUR" => Ok(1.0),
        _ => Err(Directive::fail("there is no such currency").into()),
    }
}

/// Add up numbers. Not async: it runs on the blocking pool.
#[job]
fn add_up(numbers: &[u64]) -> Result<u64, BoxError> {
    Ok(numbers.iter().sum())
}

/// Remind a user, later.
#[job(queue = "mail")]
async fn remind(user_id: i64) {
    println!("reminding user {user_id}");
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let folder = std::env::temp_dir().join(format!("djob-quickstart-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("jobs.db");
    let client = djob::connect(&format!("sqlite://{}", file.display())).await?;
    let version = client.migrate().await?.found;
    client.install();
    println!("An embedded SQLite database in {}, migrated to version {version}.\n", file.display());

    enqueue().await?;
    work(&client).await?;
    report(&client).await?;

    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn enqueue() -> Result<(), BoxError> {
    println!("Enqueueing:");
    let welcome = send_welcome.perform_later(7, "ada@example.org").await?;
    println!("  send_welcome  {}", welcome.id());
    let rate = fetch_rate.perform_later("EUR".into()).await?;
    println!("  fetch_rate    {}", rate.id());
    let sum = add_up.perform_later(&[20, 22]).tag("arithmetic").await?;
    println!("  add_up        {}", sum.id());
    let later = remind.perform_later(7).delay(Duration::from_secs(3600)).await?;
    println!("  remind        {} (in an hour)", later.id());
    match send_welcome.perform_later(8, "not an address").await {
        Ok(_) => println!("  send_welcome  was accepted, which is a bug"),
        Err(error) => println!("  refused: {error}"),
    }
    Ok(())
}

/// Runs a worker until the job that fails twice has come to its end.
async fn work(client: &Client) -> Result<(), BoxError> {
    println!("\nWorking:");
    let mut events = client.events();
    let three_are_done = async {
        let mut left = 3;
        while left > 0 {
            match events.next().await {
                Some(Event::Started { kind, attempt, .. }) => {
                    println!("  {kind:<13} attempt {attempt} begins")
                }
                Some(Event::Settled { kind, state, error, ran, .. }) => {
                    let why = error.map(|error| format!(": {error}")).unwrap_or_default();
                    println!("  {kind:<13} {state} after {ran:.0?}{why}");
                    left -= usize::from(state.is_final());
                }
                Some(_) => {}
                None => return,
            }
        }
    };
    Worker::new(client).state(Mailer { from: "djob@example.org" }).run_until(three_are_done).await?;
    Ok(())
}

async fn report(client: &Client) -> Result<(), BoxError> {
    println!("\nWhat became of them:");
    let mut jobs = client.list(Filter::default()).await?;
    jobs.reverse();
    for job in &jobs {
        let result = match job.state {
            JobState::Scheduled => format!("for {}", job.run_at),
            _ => job.result.clone().unwrap_or_default(),
        };
        println!(
            "  {:<13} {:<10} {} of {} attempts went wrong  {result}",
            job.kind, job.state, job.attempt, job.max_attempts
        );
    }
    Ok(())
}
