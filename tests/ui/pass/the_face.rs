//! The face of djob: every way to enqueue, call and work, from a crate that knows only `djob` and `tokio`.

use std::time::Duration;

use djob::{JobContext, State, Worker, job};

struct Mailer;

#[derive(Debug)]
struct MailError;

impl std::fmt::Display for MailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("mail")
    }
}

impl std::error::Error for MailError {}

/// Send the welcome mail.
#[job(queue = "mail", retries = 5, priority = 10)]
pub async fn send_welcome(
    ctx: &JobContext,
    #[state] mailer: &Mailer,
    user_id: i64,
    #[validate(email)] email: &str,
    #[validate(length(min = 2, max = 5))]
    #[serde(default)]
    locale: Option<String>,
) -> Result<(), MailError> {
    let _ = (ctx.id(), ctx.attempt(), ctx.fence(), ctx.is_cancelled(), mailer, user_id, email, locale);
    ctx.progress(0.5);
    Ok(())
}

#[job]
async fn add_up(a: u32, b: u32) -> Result<u32, djob::BoxError> {
    Ok(a + b)
}

#[tokio::main]
async fn main() -> Result<(), djob::BoxError> {
    let client = djob::connect("sqlite::memory:").await?;
    client.migrate().await?;
    client.install();

    send_welcome.perform_later(7, "ada@example.org", None).await?;
    send_welcome
        .perform_later(7, "ada@example.org", None)
        .delay(Duration::from_secs(300))
        .queue("bulk")
        .priority(20)
        .tag("signup")
        .unique("user:7")
        .await?;
    send_welcome.perform_later(7, "ada@example.org", None).on(&client).await?;
    SendWelcomeJob { user_id: 7, email: "ada@example.org".into(), locale: None }.perform_later().await?;

    let pool = djob::sqlx::SqlitePool::connect("sqlite::memory:").await?;
    let own = djob::Client::builder().sqlite(pool.clone()).await?;
    own.migrate().await?;
    let mut tx = pool.begin().await?;
    send_welcome.perform_later(7, "ada@example.org", None).in_tx(&mut tx).await?;
    tx.commit().await?;

    let jobs = (1..=3).map(|n| AddUpJob { a: n, b: n });
    client.enqueue_all(jobs).await?;

    let (ctx, mailer) = (JobContext::detached(State::new().with(Mailer)), Mailer);
    send_welcome.call(&ctx, &mailer, 7, "ada@example.org", None).await?;
    send_welcome.perform_now(&ctx, 7, "ada@example.org", None).await??;

    let sum = add_up.perform_later(20, 22).await?;
    let (stop, shutdown) = tokio::sync::oneshot::channel::<()>();
    let worker = Worker::new(&client).queues(["mail", "default"]).concurrency(50).state(mailer);
    let worker = tokio::spawn(worker.run_until(async { drop(shutdown.await) }));
    let total: u32 = sum.wait().await?;
    assert_eq!(total, 42);
    drop(stop);
    worker.await??;
    Ok(())
}
