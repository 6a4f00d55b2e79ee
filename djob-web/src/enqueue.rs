//! `POST /jobs`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use djob::{Client, Due, EnqueueError, Enqueued, JobId, StorageError, Timestamp};
use djob_contract::{Office, Refusal, Request};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::token::Token;

/// How long published contracts are kept before they are read anew.
const FRESH: Duration = Duration::from_secs(5);

/// Where jobs are handed in.
pub(crate) struct Counter {
    client: Client,
    tokens: Vec<Token>,
    office: Mutex<Option<(Instant, Arc<Office>)>>,
}

/// A job as it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    kind: String,
    /// As it was written: it is judged to the letter.
    args: Box<RawValue>,
    queue: Option<String>,
    priority: Option<i16>,
    delay: Option<f64>,
    run_at: Option<String>,
    retries: Option<u16>,
    #[serde(default)]
    tags: Vec<String>,
    unique: Option<String>,
    id: Option<JobId>,
}

/// Why nothing was stored.
enum Refused {
    Token,
    Body(String),
    Job(Refusal),
    Enqueue(EnqueueError),
    Storage(StorageError),
}

impl Counter {
    pub(crate) fn new(client: Client, tokens: Vec<Token>) -> Self {
        Counter { client, tokens, office: Mutex::default() }
    }

    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let secret = shown.and_then(|shown| shown.strip_prefix("Bearer "));
        secret.is_some_and(|secret| self.tokens.iter().any(|token| token.is(secret.trim())))
    }

    async fn office(&self) -> Result<Arc<Office>, Refused> {
        let mut kept = self.office.lock().await;
        if let Some((_, office)) = kept.as_ref().filter(|(read, _)| read.elapsed() < FRESH) {
            return Ok(office.clone());
        }
        let office = Arc::new(Office::of(&self.client).await.map_err(Refused::Storage)?);
        *kept = Some((Instant::now(), office.clone()));
        Ok(office)
    }
}

pub(crate) async fn enqueue(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match store(&counter, &headers, &body).await {
        Ok(Enqueued::Inserted(id)) => {
            (StatusCode::CREATED, Json(json!({"id": id, "existing": false}))).into_response()
        }
        Ok(Enqueued::Existing(id)) => {
            (StatusCode::OK, Json(json!({"id": id, "existing": true}))).into_response()
        }
        Err(refused) => refused.into_response(),
    }
}

async fn store(counter: &Counter, headers: &HeaderMap, body: &[u8]) -> Result<Enqueued, Refused> {
    // Whoever may not enqueue is told nothing about what he has sent.
    if !counter.lets_in(headers) {
        return Err(Refused::Token);
    }
    let asked: Asked = serde_json::from_slice(body).map_err(|error| Refused::Body(without_values(&error)))?;
    let (request, args) = asked.request().map_err(Refused::Body)?;
    let job = counter.office().await?.judge(request, args.get()).map_err(Refused::Job)?;
    let id = job.id;
    let stored = counter.client.enqueue_new(vec![job]).await.map_err(|error| match error {
        EnqueueError::Storage(error) => Refused::Storage(error),
        error => Refused::Enqueue(error),
    })?;
    Ok(stored.first().copied().unwrap_or(Enqueued::Inserted(id)))
}

impl Asked {
    fn request(self) -> Result<(Request, Box<RawValue>), String> {
        let mut request = Request::new(self.kind);
        request.due = match (self.delay, self.run_at) {
            (None, None) => None,
            (Some(_), Some(_)) => return Err("delay and run_at exclude each other: keep one".to_owned()),
            (Some(seconds), None) => {
                let delay = Duration::try_from_secs_f64(seconds);
                Some(Due::In(delay.map_err(|_| "delay: must be a number of seconds, 0 or more".to_owned())?))
            }
            (None, Some(time)) => {
                let time = time.parse::<Timestamp>();
                Some(Due::At(time.map_err(|error| format!("run_at: {error}"))?))
            }
        };
        (request.queue, request.priority, request.retries) = (self.queue, self.priority, self.retries);
        (request.tags, request.unique, request.id) = (self.tags, self.unique, self.id);
        Ok((request, self.args))
    }
}

/// Serde quotes the value that it did not expect.
fn without_values(error: &serde_json::Error) -> String {
    let place = format!("at line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("the body is not valid JSON {place}");
    }
    let text = error.to_string();
    match text.split_once(" at line ").map_or(text.as_str(), |(text, _)| text) {
        missing if missing.starts_with("missing field") => format!("the body: {missing}"),
        unknown if unknown.starts_with("unknown field") => {
            let known = unknown.split_once(", expected ").map_or("", |(_, known)| known);
            format!(
                "the body has an unknown field {place}; there are {}",
                known.trim_start_matches("one of ")
            )
        }
        _ => format!("the body has a value of another type than is expected {place}"),
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let said = |status, error: String| (status, Json(json!({ "error": error }))).into_response();
        match self {
            Refused::Token => {
                let said = Json(json!({"error": "show a token: Authorization: Bearer .."}));
                (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], said).into_response()
            }
            Refused::Body(why) => said(StatusCode::BAD_REQUEST, why),
            Refused::Job(refusal @ Refusal::UnknownKind { .. }) => {
                said(StatusCode::NOT_FOUND, refusal.to_string())
            }
            Refused::Job(refusal) => {
                let faults = if let Refusal::Args { error, .. } = &refusal { error.faults() } else { &[] };
                let body = json!({"error": refusal.to_string(), "faults": faults});
                (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
            }
            Refused::Enqueue(error) => {
                let body = json!({"error": error.to_string(), "faults": error.faults()});
                (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
            }
            Refused::Storage(error) => {
                tracing::error!(%error, "a job that was posted could not be stored");
                let body = Json(json!({"error": "the job could not be stored; try again"}));
                (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], body).into_response()
            }
        }
    }
}
