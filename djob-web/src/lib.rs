//! djob by HTTP.
#![doc = include_str!("../README.md")]

mod enqueue;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use djob::Client;
use djob::limits::ARGS_MAX;

pub use token::{Token, WeakToken};

/// The most bytes a request may have: the largest arguments, and room for the options.
const BODY_MAX: usize = ARGS_MAX + 16 * 1024;

/// The routes, for those who show one of these tokens.
///
/// `POST /jobs` enqueues a job. Its body is JSON: `kind`, `args` (an object), and if need be `queue`, `priority`, `delay`
/// (seconds), `run_at` (RFC 3339), `retries`, `tags`, `unique`, `id`. The job is judged by what its workers have published, as
/// `djob enqueue` does. The answer is JSON, too:
///
/// | status | |
/// |---|---|
/// | 201 | it is stored: `id` |
/// | 200 | it was there already, under its `id` or its `unique` key: `id` of that one |
/// | 400 | the body is no JSON, or has other fields: `error` |
/// | 401 | no token, or another |
/// | 404 | no worker has published such a kind: `error` |
/// | 413 | the body is larger than the largest arguments |
/// | 422 | the job was refused: `error`, and `faults`, each with `pointer`, `rule` and `message` |
/// | 503 | the database cannot be reached; try again |
///
/// No answer repeats a value. What is not behind TLS shows its token to everybody on the way: put a proxy before it, or listen
/// to this machine alone.
pub fn router(client: Client, tokens: impl IntoIterator<Item = Token>) -> Router {
    let counter = enqueue::Counter::new(client, tokens.into_iter().collect());
    Router::new()
        .route("/jobs", post(enqueue::enqueue))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(Arc::new(counter))
}
