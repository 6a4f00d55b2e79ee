//! Enqueueing by HTTP: a real server, and requests as they go over the wire.

use std::time::Duration;

use djob::{BoxError, JobState, Worker, job};
use djob_web::Token;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{Database, count, mysql, postgres, sqlite};

const SECRET: &str = "correct horse battery staple";

#[job(name = "http.greet", queue = "greetings")]
async fn greet(
    #[validate(length(min = 1, max = 20))] name: &str,
    #[serde(default)] times: u8,
) -> Result<String, BoxError> {
    Ok(format!("{name} {times}"))
}

#[job(name = "http.computed", queue = |job| format!("q{}", job.n))]
async fn computed(n: u8) {
    let _ = n;
}

struct Answer {
    status: u16,
    head: String,
    body: Value,
}

/// One request, and all of its answer.
async fn post(port: u16, headers: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST /djob/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Whoever refuses a body that is too large may close before all of it is sent.
    let _ = stream.write_all(body).await;
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: serde_json::from_str(body).unwrap_or_default() }
}

async fn post_json(port: u16, body: &str) -> Answer {
    post(port, &format!("Authorization: Bearer {SECRET}\r\n"), body.as_bytes()).await
}

async fn serve(client: &djob::Client) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tokens = [Token::new("another token, also good").unwrap(), Token::new(SECRET).unwrap()];
    let app = axum::Router::new().nest("/djob", djob_web::router(client.clone(), tokens));
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

async fn jobs_are_posted(database: Database) {
    let client = &database.client;
    Worker::new(client).only([greet.def(), computed.def()]).work_off().await.unwrap();
    let port = serve(client).await;

    let stored = post_json(
        port,
        r#"{"kind":"http.greet","args":{"name":"Ada","times":3},"tags":["web"],"unique":"ada"}"#,
    )
    .await;
    assert_eq!((stored.status, &stored.body["existing"]), (201, &json!(false)), "{}", stored.body);
    let id = stored.body["id"].as_str().unwrap().to_owned();
    let again = post_json(port, r#"{"kind":"http.greet","args":{"name":"Ada"},"unique":"ada"}"#).await;
    assert_eq!((again.status, again.body), (200, json!({"id": id, "existing": true})));
    let later = post_json(
        port,
        r#"{"kind":"http.greet","args":{"name":"Bob"},"delay":3600,"priority":-3,"retries":1}"#,
    )
    .await;
    assert_eq!(later.status, 201, "{}", later.body);
    assert_eq!((count(client, JobState::Ready).await, count(client, JobState::Scheduled).await), (1, 1));
    Worker::new(client).only([greet.def()]).work_off().await.unwrap();
    let row = client.find(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((row.queue.as_str(), row.result.as_deref()), ("greetings", Some(r#""Ada 3""#)));

    refusals(port).await;
    assert_eq!(count(client, JobState::Ready).await, 0, "nothing of it was stored");
}

async fn refusals(port: u16) {
    for headers in
        ["", "Authorization: Bearer wrong horse battery staple\r\n", "Authorization: Basic Y29ycmVjdA==\r\n"]
    {
        let unknown = post(port, headers, br#"{"kind":"http.greet","args":{"name":"s3cret"}}"#).await;
        assert_eq!(unknown.status, 401, "{headers}");
        assert!(unknown.head.contains("www-authenticate: bearer"), "{}", unknown.head);
    }
    for (status, body, said) in [
        (
            422,
            r#"{"kind":"http.greet","args":{"name":"","x":"s3cret"}}"#,
            "/name: must have at least 1 characters; /x: is not an argument",
        ),
        (422, r#"{"kind":"http.greet","args":{"name":"a","name":"b"}}"#, "/name: is there twice"),
        (422, r#"{"kind":"http.greet","args":["s3cret"]}"#, "arguments: must be a JSON object"),
        (422, r#"{"kind":"http.greet","args":{"name":"a","times":1e999}}"#, "/times: not valid JSON"),
        (422, r#"{"kind":"http.greet","args":{"name":"\u0000"}}"#, "arguments: hold a NUL character"),
        (
            422,
            r#"{"kind":"http.greet","args":{"name":"a"},"queue":"Not A Name"}"#,
            "is not a name for a queue",
        ),
        (422, r#"{"kind":"http.computed","args":{"n":1}}"#, "computes the option `queue`"),
        (404, r#"{"kind":"http.gret","args":{}}"#, "did you mean \"http.greet\"?"),
        (400, r#"{"kind":"http.greet"}"#, "the body: missing field `args`"),
        (
            400,
            r#"{"kind":"http.greet","args":{},"quee":"s3cret"}"#,
            "an unknown field at line 1, column 37; there are `kind`, `args`",
        ),
        (400, r#"{"kind":"http.greet","args":{},"priority":"s3cret"}"#, "a value of another type"),
        (400, r#"{"kind":"http.greet","args":{},"delay":-1}"#, "delay: must be a number of seconds"),
        (400, r#"{"kind":"http.greet","args":{},"run_at":"s3cret"}"#, "run_at: write a date"),
        (
            400,
            r#"{"kind":"http.greet","args":{},"run_at":"2030-01-01T00:00:00Z","delay":1}"#,
            "exclude each other",
        ),
        (400, r#"{"kind":"http.greet","args":{"name":"s3cret"#, "the body is not valid JSON"),
        (400, "", "the body is not valid JSON"),
    ] {
        let refused = post_json(port, body).await;
        let error = refused.body["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(refused.status, status, "{body}: {error}");
        assert!(error.contains(said), "{body}: {error}");
        assert!(!refused.body.to_string().contains("s3cret"), "{body}: {}", refused.body);
    }
    let faults = post_json(port, r#"{"kind":"http.greet","args":{}}"#).await.body["faults"].clone();
    assert_eq!(faults, json!([{"pointer": "/name", "rule": "missing", "message": "is missing"}]));
    let not_utf8 = post(port, &format!("Authorization: Bearer {SECRET}\r\n"), b"{\"kind\":\"\xff\"}").await;
    assert_eq!(not_utf8.status, 400);
    let large = format!(r#"{{"kind":"http.greet","args":{{"name":"{}"}}}}"#, "x".repeat(1_000_000));
    assert_eq!(post_json(port, &large).await.status, 413);
    let deep = format!(
        r#"{{"kind":"http.greet","args":{{"name":{}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let deep = post_json(port, &deep).await;
    assert!(
        deep.status == 422 && deep.body["error"].as_str().unwrap().contains("64 levels deep"),
        "{}",
        deep.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_posted_on_sqlite() {
    jobs_are_posted(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_posted_on_postgres() {
    jobs_are_posted(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_posted_on_mysql() {
    jobs_are_posted(mysql().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_told_as_such() {
    let server = djob_servers::Postgres::start(djob_servers::Durability::Off).unwrap();
    let client = djob::connect(&server.url()).await.unwrap();
    client.migrate().await.unwrap();
    let port = serve(&client).await;
    drop(server);
    let started = std::time::Instant::now();
    let away = post_json(port, r#"{"kind":"http.greet","args":{"name":"Ada"}}"#).await;
    assert_eq!(away.status, 503, "{}", away.body);
    assert!(away.head.contains("retry-after: 1") && started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_token_that_could_be_guessed_is_refused() {
    assert!(Token::new("short").unwrap_err().to_string().contains("at least 16 characters"));
    assert_eq!(format!("{:?}", Token::new(SECRET).unwrap()), "Token(..)");
}
