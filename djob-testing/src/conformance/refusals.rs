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
    let ended = |state: Option<JobState>| {
        state.is_some_and(|state| !matches!(state, JobState::Ready | JobState::Scheduled | JobState::Running))
    };
    alongside(worker_of(&subject, [speak.def(), speak_elsewhere.def()]), async {
        while !ended(job.status().await?) || !ended(neighbour.status().await?) {
            tokio::time::sleep(SECOND / 100).await;
        }
        Ok(())
    })
    .await?;
    assert_eq!(neighbour.status().await?, Some(JobState::Completed));
    Ok(subject.client().find(job.id()).await?.ok_or("the job is gone")?)
}
