//! A web application with background jobs: a signup form that sends a welcome mail, and a report to download.
//!
//! ```text
//! cargo run --bin signup              the web server and a worker in one process, on http://127.0.0.1:3000
//! cargo run --bin signup -- web       the web server alone
//! cargo run --bin signup -- work      a worker alone; start as many as you like
//! ```
//!
//! The database is a SQLite file, `signup.db`, unless `DATABASE_URL` names another: `postgres://user@host/database`
//! does as well. `PORT` moves the server. Mails are files in `outbox/`, reports are files in `reports/`.
//!
//! Read [`jobs`] first: what the jobs are. Then [`web`]: how a request enqueues them inside its own transaction, so
//! that a user and their welcome mail exist together or not at all. [`database`] is what a program that runs on two
//! databases needs, and this file starts and stops everything.

mod database;
mod jobs;
mod mailer;
mod pages;
mod reports;
mod trouble;
mod web;

use std::env;
use std::process::ExitCode;

use djob::{BoxError, Client, Worker};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use database::Database;
use mailer::Mailer;
use reports::Reports;

/// What the web pages and the jobs work with.
#[derive(Clone)]
struct App {
    database: Database,
    client: Client,
    reports: Reports,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(env::args().nth(1).as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("signup: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(role: Option<&str>) -> Result<(), BoxError> {
    match role {
        None => serve_and_work(App::open().await?).await,
        Some("web") => serve(App::open().await?, listen().await?).await,
        Some("work") => work(App::open().await?).await,
        Some(other) => Err(format!("there is no {other:?}: say `web`, `work`, or nothing for both").into()),
    }
}

impl App {
    /// The application's tables and djob's lie in one database: that is what lets them share a transaction.
    async fn open() -> Result<App, BoxError> {
        let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://signup.db".into());
        let database = Database::open(&url).await?;
        database.create_tables().await?;
        let client = database.client().await?;
        client.migrate().await?;
        client.install();
        Ok(App { database, client, reports: Reports::in_folder("reports")? })
    }

    fn worker(&self) -> Result<Worker, BoxError> {
        let mailer = Mailer::into_folder("outbox")?;
        Ok(Worker::new(&self.client).state(self.database.clone()).state(self.reports.clone()).state(mailer))
    }
}

/// The worker outlives the server, so that what the last requests enqueued finds somebody to begin it.
async fn serve_and_work(app: App) -> Result<(), BoxError> {
    let listener = listen().await?;
    let (served, all_served) = oneshot::channel::<()>();
    let worker = app.worker()?.run_until(async {
        let _ = all_served.await;
    });
    let server = async {
        let ended = serve(app, listener).await;
        drop(served);
        ended
    };
    let worker = async { worker.await.map_err(BoxError::from) };
    tokio::try_join!(server, worker)?;
    println!("The worker has stopped.");
    Ok(())
}

async fn listen() -> Result<TcpListener, BoxError> {
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|error| format!("cannot listen on port {port}: {error}; PORT=3001 takes another").into())
}

async fn serve(app: App, listener: TcpListener) -> Result<(), BoxError> {
    println!("Open http://{}/ in your browser. Ctrl-C ends it.", listener.local_addr()?);
    axum::serve(listener, web::router(app)).with_graceful_shutdown(told_to_stop()).await?;
    println!("The server has stopped.");
    Ok(())
}

async fn work(app: App) -> Result<(), BoxError> {
    println!("Working. Ctrl-C ends it, once running jobs are done.");
    app.worker()?.run().await?;
    println!("The worker has stopped.");
    Ok(())
}

#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(error) => eprintln!("signup: SIGTERM will not be graceful: {error}"),
    }
}

#[cfg(not(unix))]
async fn told_to_stop() {
    let _ = tokio::signal::ctrl_c().await;
}
