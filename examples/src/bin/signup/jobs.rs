//! The jobs: plain functions. What is marked `#[state]` the worker lends them; every other argument is stored.

use chrono::NaiveDate;
use djob::{BoxError, JobContext, JobRow, job};
use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::mailer::Mailer;
use crate::reports::Reports;

/// Send the welcome mail. Not async, so that it may block: it runs on threads that are there for it.
#[job(queue = "mail", retries = 5)]
pub(crate) fn send_welcome(
    ctx: &JobContext,
    #[state] mailer: &Mailer,
    #[validate(length(min = 1, max = 80, message = "must have 1 to 80 characters"))] name: &str,
    #[validate(email)] email: &str,
) -> Result<(), BoxError> {
    let text = format!("Hello {name},\n\nhow nice that you are here.\n");
    // The job's id stays the same in every attempt. A mail that was sent twice can be told by it.
    mailer.send(&ctx.id().to_string(), email, "Welcome", &text)?;
    Ok(())
}

/// Count a signup, exactly once: the new number and the job's end are committed together.
#[job(transactional)]
pub(crate) async fn count_signup(
    ctx: &JobContext,
    #[state] database: &Database,
    day: NaiveDate,
) -> Result<(), BoxError> {
    let mut tx = database.begin().await?;
    tx.count_signup(day).await?;
    ctx.complete_in(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// What `build_report` returns: stored with the finished job, as JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) file: String,
    pub(crate) users: usize,
}

/// Write all users into a CSV file. It can be downloaded for as long as the job is kept.
#[job(queue = "reports", timeout = "10m", keep = "7d")]
pub(crate) async fn build_report(
    #[state] database: &Database,
    #[state] reports: &Reports,
    report_id: i64,
) -> Result<Report, BoxError> {
    let users = database.all_users().await?;
    let file = format!("report-{report_id}.csv");
    reports.write(&file, &users).await?;
    Ok(Report { file, users: users.len() })
}

impl Report {
    /// What the job returned, once it is completed.
    pub(crate) fn of(job: &JobRow) -> Option<Report> {
        serde_json::from_str(job.result.as_deref()?).ok()
    }
}
