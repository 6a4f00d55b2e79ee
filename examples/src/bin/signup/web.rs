//! The requests. Each that enqueues does so inside its own transaction.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use chrono::Utc;
use djob::{JobId, JobRow};
use serde::Deserialize;

use crate::App;
use crate::jobs::{Report, build_report, count_signup, send_welcome};
use crate::pages;
use crate::trouble::Trouble;

const USERS_SHOWN: i64 = 20;

#[derive(Deserialize)]
struct Signup {
    name: String,
    email: String,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/signup", post(sign_up))
        .route("/reports", post(start_report))
        .route("/reports/{id}", get(show_report))
        .route("/reports/{id}/download", get(download_report))
        .fallback(async || Trouble::NotFound)
        .with_state(app)
}

async fn home(State(app): State<App>) -> Result<Html<String>, Trouble> {
    let mut users = vec![];
    for user in app.database.newest_users(USERS_SHOWN).await? {
        let welcome = app.client.find(user.welcome).await?;
        users.push((user, welcome));
    }
    let today = app.database.signups_on(Utc::now().date_naive()).await?;
    Ok(pages::home(&users, today))
}

/// The user and both jobs are committed together. If a job is refused, `tx` is dropped, and that undoes the user.
async fn sign_up(State(app): State<App>, Form(form): Form<Signup>) -> Result<Redirect, Trouble> {
    let (name, email) = (form.name.trim(), form.email.trim());
    let welcome = JobId::new();
    let mut tx = app.database.begin().await?;
    tx.insert_user(name, email, welcome).await?;
    let mail = send_welcome.perform_later(name, email).id(welcome).in_tx(&mut tx);
    mail.await.map_err(|error| Trouble::refused(name, email, error))?;
    count_signup.perform_later(Utc::now().date_naive()).in_tx(&mut tx).await?;
    tx.commit().await?;
    Ok(Redirect::to("/"))
}

async fn start_report(State(app): State<App>) -> Result<Redirect, Trouble> {
    let job = JobId::new();
    let mut tx = app.database.begin().await?;
    let report = tx.insert_report(job).await?;
    build_report.perform_later(report).id(job).in_tx(&mut tx).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/reports/{report}")))
}

async fn show_report(State(app): State<App>, Path(id): Path<i64>) -> Result<Html<String>, Trouble> {
    let job = job_of_report(&app, id).await?;
    Ok(pages::report(id, &job))
}

async fn download_report(State(app): State<App>, Path(id): Path<i64>) -> Result<impl IntoResponse, Trouble> {
    let job = job_of_report(&app, id).await?;
    let report = Report::of(&job).ok_or(Trouble::NotFound)?;
    let csv = app.reports.read(&report.file).await?;
    let name = format!("attachment; filename=\"{}\"", report.file);
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], csv))
}

async fn job_of_report(app: &App, id: i64) -> Result<JobRow, Trouble> {
    let job = app.database.job_of_report(id).await?.ok_or(Trouble::NotFound)?;
    app.client.find(job).await?.ok_or(Trouble::NotFound)
}
