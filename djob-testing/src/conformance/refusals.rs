//! Refusals: outcomes that the database does not take, whatever the reason. For databases with SQL.

use djob::{BoxError, Clock, JobRow, JobState, job};

use super::subject::*;
use super::worker::{alongside, worker_of};
use crate::TestDatabase;

/// Answers with something.
#[job(name = "conformance.speak")]
async fn speak() -> Result<String, BoxError> {
    Ok("word".to_owned())
}

/// Answers with something, too.
#[job(name = "conformance.speak_elsewhere")]
async fn speak_elsewhere() -> Result<String, BoxError> {
    Ok("word".to_owned())
}

/// Goes wrong, and again an hour later.
#[job(name = "conformance.stumble_later", backoff = "fixed 1h")]
async fn stumble_later() -> Result<(), BoxError> {
    Err("stumbled".into())
}

pub async fn an_outcome_that_is_refused_is_replaced_by_that_fact(db: &TestDatabase) -> Checked {
    refuse(db, "conformance.speak", "and new.result is not null").await?;
    let row = spoken(db).await?;
    assert_eq!((row.state, row.result), (JobState::Completed, None), "it has done its work");
    assert!(row.error.is_some_and(|why| why.starts_with("the outcome could not be stored: ")));
    Ok(())
}

pub async fn a_job_none_of_whose_outcomes_is_taken_is_set_aside(db: &TestDatabase) -> Checked {
    refuse(db, "conformance.speak", "").await?;
    let row = spoken(db).await?;
    assert_eq!(row.state, JobState::Parked);
    assert!(row.error.is_some_and(|why| why.contains("unstorable_outcome")));
    Ok(())
}

/// Lets the database refuse finished jobs of this kind, if `also`.
async fn refuse(db: &TestDatabase, kind: &str, also: &str) -> Checked {
    let refusal = match db.client().storage().database() {
        "SQLite" => format!(
            "create trigger refusal before insert on djob_finished when new.kind = '{kind}' {also}
             begin select raise(abort, 'no'); end"
        ),
        _ => format!(
            "alter table djob_finished add constraint refusal check (not (kind = '{kind}' {}))",
            also.replace("new.", "")
        ),
    };
    db.execute(&refusal).await?;
    Ok(())
}

/// The job, when it has ended; its neighbour in the same batch has completed by then.
async fn spoken(db: &TestDatabase) -> Result<JobRow, BoxError> {
    let subject = Subject::new(db.client().clone(), Clock::database());
    let job = speak.perform_later().on(subject.client()).await?;
    let neighbour = speak_elsewhere.perform_later().on(subject.client()).await?;
    let freed = speak_elsewhere.perform_later().unique("freed").on(subject.client()).await?;
    let stumbler = stumble_later.perform_later().on(subject.client()).await?;
    let ended = |state: Option<JobState>| {
        state.is_some_and(|state| !matches!(state, JobState::Ready | JobState::Scheduled | JobState::Running))
    };
    let worker = worker_of(&subject, [speak.def(), speak_elsewhere.def(), stumble_later.def()]);
    alongside(worker, async {
        while !ended(job.status().await?)
            || !ended(neighbour.status().await?)
            || !ended(freed.status().await?)
            || stumbler.status().await? != Some(JobState::Scheduled)
        {
            tokio::time::sleep(SECOND / 100).await;
        }
        Ok(())
    })
    .await?;
    let neighbour = subject.row(neighbour.id()).await?;
    assert_eq!(neighbour.state, JobState::Completed);
    assert_eq!(neighbour.result.as_deref(), Some("\"word\""), "what it answered is stored");
    let stumbler = subject.row(stumbler.id()).await?;
    assert_eq!((stumbler.state, stumbler.attempt), (JobState::Scheduled, 1), "its error is");
    assert!(subject.client().find(freed.id()).await?.is_some_and(|row| row.state == JobState::Completed));
    let again = speak_elsewhere.perform_later().unique("freed").on(subject.client()).await?;
    assert_ne!(again.id(), freed.id(), "its key is free again");
    Ok(subject.client().find(job.id()).await?.ok_or("the job is gone")?)
}
