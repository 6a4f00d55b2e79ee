//! Programs that know nothing of djob: what the book's page *Enqueueing without the code* shows is run as it stands there, by
//! the database's own client, and by Python.

use std::process::Command;
use std::time::Duration;

use djob::{BoxError, JobState, Worker, job};

use crate::common::{count, eventually, postgres, sqlite};

/// The job of the page.
#[job(name = "send_welcome", queue = "mail")]
async fn welcome(user_id: i64, #[validate(email)] email: &str) -> Result<String, BoxError> {
    Ok(format!("{user_id} {email}"))
}

/// The page's blocks of SQL that are for PostgreSQL.
fn for_postgres() -> Vec<&'static str> {
    let page = include_str!("../book/src/without-the-code.md");
    let blocks = page.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks
        .filter(|block| block.contains("select djob_enqueue") || block.contains("perform djob_enqueue"))
        .collect()
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    let output =
        Command::new("psql").args([url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// An address as libpq reads it: without what only sqlx knows.
fn of_libpq(url: &str) -> String {
    let plain = url
        .split('&')
        .filter(|part| !part.contains("statement-cache-capacity"))
        .collect::<Vec<_>>()
        .join("&");
    plain.replace("sslmode=prefer&", "").replace("?statement-cache-capacity=100", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_book_enqueue_by_psql_for_a_worker_in_rust() {
    let database = postgres().await;
    let client = &database.client;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = Worker::new(client).only([welcome.def()]);
    let working = tokio::spawn(worker.run_until(async { drop(stopped.await) }));
    let published = async || !client.contracts().await.unwrap().is_empty();
    eventually("the worker has published", Duration::from_secs(10), published).await;

    let url = of_libpq(&database.url);
    let blocks = for_postgres();
    assert_eq!(blocks.len(), 2, "the function, and the trigger");
    let ids = psql(&url, blocks[0]).unwrap();
    assert_eq!(ids.lines().filter(|id| id.len() == 36).count(), 2, "{ids}");
    psql(&url, "create table users (id bigint, email text)").unwrap();
    psql(&url, blocks[1]).unwrap();
    psql(&url, "insert into users values (8, 'grace@example.org'), (9, 'barbara@example.org')").unwrap();
    // The second one of the page is due in five minutes.
    let done = async || count(client, JobState::Completed).await == 3;
    eventually("the jobs complete", Duration::from_secs(20), done).await;
    assert_eq!(count(client, JobState::Scheduled).await, 1);

    let refused =
        psql(&url, r#"select djob_enqueue('send_welcome', '{"user_id": "s3cret", "mail": 1}')"#).unwrap_err();
    let said = "ERROR:  job \"send_welcome\" was refused: /email: is missing; /mail: is not an argument of the job; /user_id: must \
                be of the type integer";
    assert!(refused.starts_with(said) && !refused.contains("s3cret"), "{refused}");
    // A refused job takes the caller's own row with it, as any error does.
    psql(&url, "insert into users values (10, null)").unwrap_err();
    assert_eq!(psql(&url, "select count(*) from users").unwrap(), "2");
    stop.send(()).unwrap();
    working.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_book_enqueues_by_python_for_a_worker_in_rust() {
    let page = include_str!("../book/src/without-the-code.md");
    let example = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let database = sqlite().await;
    let client = &database.client;
    Worker::new(client).only([welcome.def()]).work_off().await.unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/djob", listener.local_addr().unwrap());
    let secret = "correct horse battery staple";
    let routes = djob_web::router(client.clone(), [djob_web::Token::new(secret).unwrap()]);
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().nest("/djob", routes)).await });
    let python = async |program: String| {
        let (url, environment) = (url.clone(), ("DJOB_TOKEN", secret));
        let run = move || {
            Command::new("python3")
                .args(["-c", &program])
                .envs([("DJOB_URL", url.as_str()), environment])
                .output()
        };
        tokio::task::spawn_blocking(run)
            .await
            .unwrap()
            .unwrap_or_else(|error| panic!("python3 cannot be started: {error}"))
    };
    let enqueued = python(example.to_owned()).await;
    let id = String::from_utf8(enqueued.stdout).unwrap();
    let said = String::from_utf8_lossy(&enqueued.stderr).into_owned();
    let id: djob::JobId = id.trim().parse().unwrap_or_else(|_| panic!("{id:?}: {said}"));
    Worker::new(client).only([welcome.def()]).work_off().await.unwrap();
    let row = client.find(id).await.unwrap().unwrap();
    assert_eq!(row.result.as_deref(), Some(r#""7 ada@example.org""#));

    let refused = python(example.replace("ada@example.org", "no address")).await;
    let said = String::from_utf8(refused.stderr).unwrap();
    let words = "ValueError: job \"send_welcome\" was refused: /email: must be an e-mail address\n";
    assert!(!refused.status.success() && said.ends_with(words), "{said}");
}
